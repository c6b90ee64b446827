//! A request from its first byte to its line in the log.

use super::answer::{self, Refusal};
use super::people::cookie::Cookie;
use super::route::{self, Alerts, Meetings, People, Route, Sharing};
use super::{State, alerts, cards, first_sign_in, meetings, metrics, notices, people, sharing, taxii};
use crate::accounts::{self, Identity};
use crate::audit::{By, Event, Way};
use crate::certificate::ClientCertificate;
use ::taxii::media;
use axum::body::Body;
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a request came from; put into it by the accept loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct From(pub(super) SocketAddr);

/// The certificate that the client showed in the handshake, and whose key it has; put into it by the accept loop.
#[derive(Clone, Debug)]
pub(super) struct Peer(pub(super) Arc<ClientCertificate>);

/// What must come with whatever changes something in a session.
const CSRF: &str = "x-marsad-csrf";

/// What an endpoint works with.
pub(super) struct Asked {
    pub(super) identity: Identity,
    /// The cookie of the session, if that is how the sender signed in.
    pub(super) session: Option<zeroize::Zeroizing<String>>,
    /// The certificate that was shown, whether or not it is what counted.
    peer: Option<Arc<ClientCertificate>>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) from: SocketAddr,
    /// Its id, as the log and the audit log name it.
    pub(super) id: String,
}

/// The body of a request, not yet read.
pub(super) struct Content(Body);

/// Answers one request, whatever it is.
pub(super) async fn answer(state: Arc<State>, request: Request<Body>) -> Response<Body> {
    let begin = Instant::now();
    let id = format!("{:016x}", u64::from_be_bytes(state.sources.bytes().unwrap_or_default()));
    let route = route::of(request.uri().path(), &state.config.taxii.api_root);
    let (method, pattern) = (request.method().clone(), route.pattern());
    let limit = Duration::from_secs(state.config.limits.request_seconds);
    let work = judge(&state, &id, route, request);
    let (mut answer, member) = match tokio::time::timeout(limit, work).await {
        Ok((Ok(answer), member)) => (answer, member),
        Ok((Err(refusal), member)) => (refusal.answer(&id), member),
        Err(_) => (Refusal::too_slow().answer(&id), None),
    };
    if pattern.starts_with("/api/") && answer.status().as_u16() >= 400 {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    guard(answer.headers_mut());
    let status = answer.status();
    let size = http_body::Body::size_hint(answer.body()).exact();
    if method == Method::HEAD {
        *answer.body_mut() = Body::empty();
        if let Some(size) = size {
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, size.into());
        }
    }
    let took = begin.elapsed();
    state.metrics.count(pattern, status, took, size.unwrap_or(0));
    tracing::info!(
        request = %id, method = %method, route = pattern, status = status.as_u16(), micros = took.as_micros(),
        bytes = size.unwrap_or(0), member = member.as_deref().unwrap_or("-"), "answered"
    );
    answer
}

/// Who asks, and what for; the member's name goes to the log whatever comes of it.
async fn judge(
    state: &Arc<State>,
    id: &str,
    route: Route,
    request: Request<Body>,
) -> (Result<Response<Body>, Refusal>, Option<String>) {
    if let Err(refusal) = host_known(&request).and_then(|()| method_known(&route, request.method())) {
        return (Err(refusal), None);
    }
    if request.method() == Method::OPTIONS {
        return (Ok(options(&route)), None);
    }
    let (parts, body) = request.into_parts();
    let from = parts.extensions.get::<From>().map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |from| from.0);
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let authorization = header(AUTHORIZATION);
    let unreadable = parts.headers.contains_key(AUTHORIZATION) && authorization.is_none();
    // Signing in takes no account of who is signed in: a session that has ended does not stand in the way.
    let signs_in = matches!(route, Route::FirstSignIn)
        || (matches!(route, Route::People(People::Session)) && parts.method == Method::POST);
    let cookie = if signs_in || parts.headers.contains_key(AUTHORIZATION) {
        None
    } else {
        Cookie::Session.read(&parts.headers, &state.config).map(zeroize::Zeroizing::new)
    };
    let peer = parts.extensions.get::<Peer>().map(|peer| Arc::clone(&peer.0));
    let (identity, session) = match identify(state, authorization, cookie, peer.clone(), from).await {
        Ok(_) if unreadable => return (Err(Refusal::unauthorized()), None),
        Ok(found) => found,
        Err(refusal) => {
            state.metrics.refused_credential();
            let refused = refused_sign_in(state, &route, &refusal, authorization, from).await;
            return (Err(refused.err().unwrap_or_else(|| refusal.into())), None);
        }
    };
    if identity.fresh
        && let Err(ended) = state.audit.tell(Event::SignedIn { by: by(&identity, &route, from) }).await
    {
        return (Err(ended.into()), None);
    }
    let member = identity.viewer.name.clone();
    if let Some(cookie) = &session
        && !matches!(parts.method, Method::GET | Method::HEAD)
        && !state.accounts.sessions().is_csrf(cookie, header(http::HeaderName::from_static(CSRF)).unwrap_or_default())
    {
        return (Err(Refusal::forbidden("send the token of your session in X-Marsad-CSRF")), member);
    }
    // A list in several lines is the list in one (RFC 9110 §5.3).
    let accept: Vec<&str> = parts.headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    if route.is_taxii() && !media::acceptable(Some(&accept.join(","))) {
        return (Err(Refusal::not_acceptable()), member);
    }
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let who = by(&identity, &route, from);
    let administers = !route.is_taxii() && !matches!(parts.method, Method::GET | Method::HEAD);
    let asked = Asked { identity, session, peer, query, headers: parts.headers, from, id: id.to_owned() };
    let mut answered = endpoint(state, route, parts.method, asked, Content(body)).await;
    if administers {
        // What was changed counts from the answer on: a password that is no longer one does not work for a moment more.
        state.known.doubt();
    }
    if let Err(refusal) = &answered
        && let Some((about, status)) = refusal.withheld()
    {
        let event = Event::Refused { by: who, about: about.to_owned(), status, count: 1 };
        if let Err(ended) = state.audit.tell(event).await {
            answered = Err(ended.into());
        }
    }
    (answered, member)
}

fn by(identity: &Identity, route: &Route, from: SocketAddr) -> By {
    By {
        way: if route.is_taxii() { Way::Taxii } else { Way::Api },
        who: identity.viewer.name.clone(),
        organisation: identity.viewer.organisation.clone(),
        address: Some(from.ip().to_canonical()),
    }
}

/// Writes down that somebody did not get in. A name is kept only if it is a member's: whoever mistypes may well have put
/// a password in its place.
async fn refused_sign_in(
    state: &Arc<State>,
    route: &Route,
    refusal: &accounts::Refusal,
    authorization: Option<&str>,
    from: SocketAddr,
) -> Result<(), Refusal> {
    if matches!(refusal, accounts::Refusal::Broken(_)) {
        return Ok(());
    }
    let known = state.known.now()?;
    let member = authorization.and_then(accounts::claimed).and_then(|name| known.account(&name).cloned());
    let by = By {
        way: if route.is_taxii() { Way::Taxii } else { Way::Api },
        organisation: member.as_ref().map(|member| member.organisation.name.clone()),
        who: member.map(|member| member.name),
        address: Some(from.ip().to_canonical()),
    };
    Ok(state.audit.tell(Event::SignInRefused { by, count: 1 }).await?)
}

/// By the header, which wins and must be right; else by the session; else by the certificate. The cookie is given back if
/// it is what counted.
async fn identify(
    state: &Arc<State>,
    authorization: Option<&str>,
    cookie: Option<zeroize::Zeroizing<String>>,
    peer: Option<Arc<ClientCertificate>>,
    from: SocketAddr,
) -> Result<(Identity, Option<zeroize::Zeroizing<String>>), crate::accounts::Refusal> {
    let now = state.sources.now();
    if authorization.is_none() {
        if let Some(cookie) = cookie
            && let Some(identity) = state.accounts.identify_session(&cookie, now)?
        {
            return Ok((identity, Some(cookie)));
        }
        if let Some(certificate) = peer
            && let Some(identity) = state.accounts.identify_certificate(&certificate, now)?
        {
            return Ok((identity, None));
        }
    }
    Ok((state.accounts.identify(authorization, from.ip(), now).await?, None))
}

async fn endpoint(
    state: &Arc<State>,
    route: Route,
    method: Method,
    asked: Asked,
    content: Content,
) -> Result<Response<Body>, Refusal> {
    if let Some(organisation) = taxii::mailbox::owner(state, &asked, &route)? {
        return taxii::mailbox::answer(state, route, method, &asked, content, organisation).await;
    }
    match (route, method) {
        (Route::Health, _) => Ok(answer::text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")),
        (Route::Ready, _) => ready(state).await,
        (Route::Metrics, _) => metrics::get(state, &asked).await,
        (Route::FirstSignIn, _) => first_sign_in::post(state, &asked, content).await,
        (Route::Notices, _) => notices::get(state, asked).await,
        (Route::Cards, _) => cards::post(state, &asked, content).await,
        (Route::Discovery, _) => taxii::discovery::get(state, &asked),
        (Route::ApiRoot, _) => taxii::api_root::get(state, &asked),
        (Route::Status(id), _) => taxii::status::get(state, &asked, id).await,
        (Route::Collections, _) => taxii::collections::list(state, &asked),
        (Route::Collection(id), _) => taxii::collections::get(state, &asked, &id),
        (Route::Manifest(id), _) => taxii::manifest::get(state, &asked, &id).await,
        (Route::Objects(id), Method::POST) => taxii::add_objects::post(state, &asked, content, &id).await,
        (Route::Objects(id), _) => taxii::objects::list(state, &asked, &id).await,
        (Route::Object(id, object), Method::DELETE) => taxii::delete_object::delete(state, &asked, &id, object).await,
        (Route::Object(id, object), _) => taxii::objects::get(state, &asked, &id, object).await,
        (Route::Versions(id, object), _) => taxii::versions::get(state, &asked, &id, object).await,
        (Route::People(route), method) => of_people(state, route, method, asked, content).await,
        (Route::Sharing(route), method) => of_sharing(state, route, method, asked, content).await,
        (Route::Meetings(route), _) => of_meetings(state, route, asked, content).await,
        (Route::Alerts(route), method) => of_alerts(state, route, method, asked, content).await,
        (Route::Unknown, _) => Err(Refusal::not_found()),
    }
}

async fn of_alerts(
    state: &Arc<State>,
    route: Alerts,
    method: Method,
    asked: Asked,
    content: Content,
) -> Result<Response<Body>, Refusal> {
    match (route, method) {
        (Alerts::List, Method::POST) => alerts::list::post(state, &asked, content).await,
        (Alerts::List, _) => alerts::list::get(state, &asked).await,
        (Alerts::Stream, _) => alerts::stream::get(state, asked).await,
        (Alerts::One(id), Method::POST) => alerts::one::post(state, &asked, content, id).await,
        (Alerts::One(id), _) => alerts::one::get(state, &asked, id).await,
    }
}

async fn of_people(
    state: &Arc<State>,
    route: People,
    method: Method,
    asked: Asked,
    content: Content,
) -> Result<Response<Body>, Refusal> {
    match (route, method) {
        (People::Session, Method::POST) => people::session::post(state, &asked, content).await,
        (People::Session, Method::DELETE) => people::session::delete(state, &asked).await,
        (People::Session, _) => people::session::get(state, &asked),
        (People::Accounts, Method::POST) => people::accounts::post(state, &asked, content).await,
        (People::Accounts, _) => people::accounts::get(state, &asked).await,
        (People::Account(name), Method::PATCH) => people::account::patch(state, &asked, content, name).await,
        (People::Account(name), Method::DELETE) => people::account::delete(state, &asked, name).await,
        (People::Account(name), _) => people::account::get(state, &asked, name).await,
        (People::Keys(name), Method::POST) => people::keys::post(state, &asked, content, name).await,
        (People::Keys(name), _) => people::keys::get(state, &asked, name).await,
        (People::Key(name, key), _) => people::key::delete(state, &asked, name, key).await,
        (People::Sessions(name), Method::DELETE) => people::sessions::delete(state, &asked, name, None).await,
        (People::Sessions(name), _) => people::sessions::get(state, &asked, name).await,
        (People::OneSession(name, session), _) => people::sessions::delete(state, &asked, name, Some(session)).await,
        (People::Totp(name), Method::DELETE) => people::totp::delete(state, &asked, content, name).await,
        (People::Totp(name), _) => people::totp::post(state, &asked, content, name).await,
        (People::Recovery(name), _) => people::recovery::post(state, &asked, content, name).await,
        (People::OidcStart, _) => people::oidc::start(state).await,
        (People::OidcCallback, _) => people::oidc::callback(state, &asked).await,
        (People::OidcLink, _) => people::oidc::link(state, &asked, content).await,
    }
}

async fn of_sharing(
    state: &Arc<State>,
    route: Sharing,
    method: Method,
    asked: Asked,
    content: Content,
) -> Result<Response<Body>, Refusal> {
    match (route, method) {
        (Sharing::Why, _) => sharing::why::get(state, &asked).await,
        (Sharing::Who, _) => sharing::who::get(state, &asked).await,
        (Sharing::Groups, Method::POST) => sharing::groups::post(state, &asked, content).await,
        (Sharing::Groups, _) => sharing::groups::get(state, &asked).await,
        (Sharing::Group(id), Method::PATCH) => sharing::group::patch(state, &asked, content, id).await,
        (Sharing::Group(id), Method::DELETE) => sharing::group::delete(state, &asked, id).await,
        (Sharing::Group(id), _) => sharing::group::get(state, &asked, id).await,
        (Sharing::Organisations, Method::POST) => sharing::organisations::post(state, &asked, content).await,
        (Sharing::Organisations, _) => sharing::organisations::get(state, &asked).await,
        (Sharing::Organisation(name), _) => sharing::organisation::patch(state, &asked, content, name).await,
        (Sharing::Markings, _) => sharing::markings::get(state, &asked).await,
        (Sharing::Marking(id), Method::PUT) => sharing::marking::put(state, &asked, content, id).await,
        (Sharing::Marking(id), Method::DELETE) => sharing::marking::delete(state, &asked, id).await,
        (Sharing::Marking(id), _) => sharing::marking::get(state, &asked, id).await,
        (Sharing::Recall(object), Method::POST) => sharing::recall::post(state, &asked, content, object).await,
        (Sharing::Recall(object), _) => sharing::recall::get(state, &asked, object).await,
        (Sharing::Restrict(object), _) => sharing::restrict::post(state, &asked, content, object).await,
    }
}

async fn of_meetings(
    state: &Arc<State>,
    route: Meetings,
    asked: Asked,
    content: Content,
) -> Result<Response<Body>, Refusal> {
    match route {
        Meetings::Begin => meetings::begin::post(state, &asked, content).await,
        Meetings::Elements(id, page) => meetings::elements::put(state, &asked, content, id, page).await,
        Meetings::Tags(id, page) => meetings::tags::get(state, &asked, id, page).await,
        Meetings::Echoes(id) => meetings::echoes::put(state, &asked, content, id).await,
    }
}

/// Whether the store answers.
async fn ready(state: &Arc<State>) -> Result<Response<Body>, Refusal> {
    let known = Arc::clone(&state.known);
    let done = state.read(move |_| Ok(known.asked_again().is_ok())).await?;
    if done {
        return Ok(answer::text(StatusCode::OK, "text/plain; charset=utf-8", "ready\n"));
    }
    Err(Refusal::unavailable("the store does not answer"))
}

/// Exactly one well-formed `Host` (RFC 9112 §3.2): whoever stands between might read another one than we do.
fn host_known(request: &Request<Body>) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (one, two) = (hosts.next(), hosts.next());
    let known = match one {
        None => request.version() != Version::HTTP_11,
        Some(host) => host.is_empty() || host.to_str().is_ok_and(|host| host.parse::<http::uri::Authority>().is_ok()),
    };
    if known && two.is_none() {
        return Ok(());
    }
    Err(Refusal::bad(StatusCode::BAD_REQUEST, "the request is malformed", "send one Host header"))
}

fn method_known(route: &Route, method: &Method) -> Result<(), Refusal> {
    let known = route.allowed().split(", ").any(|name| name == method.as_str());
    if known || *route == Route::Unknown { Ok(()) } else { Err(Refusal::method(route.allowed())) }
}

fn options(route: &Route) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(route.allowed()));
    answer
}

/// What every answer carries: it is never kept by a cache between, never sniffed, never framed.
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether what somebody signed in with still counts, for the same member with the same rights.
pub(super) async fn still_counts(state: &Arc<State>, asked: &Asked) -> bool {
    let authorization = asked.header(AUTHORIZATION);
    let found = identify(state, authorization, asked.session.clone(), asked.peer.clone(), asked.from).await;
    found.is_ok_and(|(now, _)| {
        let then = &asked.identity;
        now.viewer == then.viewer && (now.role, now.reads, now.writes) == (then.role, then.reads, then.writes)
    })
}

impl Asked {
    /// Who asks, for the audit log.
    pub(super) fn by(&self) -> By {
        let viewer = &self.identity.viewer;
        By {
            way: Way::Taxii,
            who: viewer.name.clone(),
            organisation: viewer.organisation.clone(),
            address: Some(self.from.ip().to_canonical()),
        }
    }

    /// One header as text.
    pub(super) fn header(&self, name: http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the body is said to be TAXII.
    pub(super) fn content_is_taxii(&self) -> bool {
        media::readable(self.header(CONTENT_TYPE))
    }
}

impl Content {
    /// The whole body, as it is after unpacking, if it is not larger than the limit.
    pub(super) async fn read(self, asked: &Asked, most: u64) -> Result<bytes::Bytes, Refusal> {
        // Whatever could be unpacked has been, and no longer says so.
        if asked.header(CONTENT_ENCODING).is_some_and(|packing| !packing.eq_ignore_ascii_case("identity")) {
            return Err(Refusal::packed());
        }
        let said = asked.header(http::header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        if said.is_some_and(|said| said > most) {
            return Err(Refusal::too_large(most));
        }
        let limited = http_body_util::Limited::new(self.0, usize::try_from(most).unwrap_or(usize::MAX));
        match limited.collect().await {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if is_too_large(&*error) => Err(Refusal::too_large(most)),
            Err(_) => {
                let help = "send it whole, and unpacked or as gzip or zstd";
                Err(Refusal::bad(StatusCode::BAD_REQUEST, "the body cannot be read", help))
            }
        }
    }
}

/// Whether a body went beyond a limit: that on what was sent, below the unpacking, or that on what came out of it.
fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|cause| cause.is::<http_body_util::LengthLimitError>())
}
