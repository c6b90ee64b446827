//! The mailbox of a partner as a TAXII collection. Whoever is no partner with a confirmed card is answered what an unknown
//! collection is answered: the request goes the ordinary way, and finds nothing.

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::{Asked, Content};
use super::super::route::Route;
use super::objects::ours;
use super::{parsed, with_seals, write_date};
use crate::audit::Event;
use crate::partners::mailbox::{self, Waiting, Wanted};
use crate::partners::recalls::Desk;
use ::taxii::media;
use ::taxii::query::Endpoint;
use ::taxii::resource::{Collection, Manifest, ManifestRow, Versions};
use axum::body::Body;
use http::{HeaderName, Method, Response, StatusCode};
use ledger::{Mail, Seq};
use std::sync::Arc;
use stix::timestamp::format_micros;

/// The partner for whom whoever asks acts: of an organisation with a confirmed card, and not our own.
pub(in super::super) fn partner(state: &State, asked: &Asked) -> Result<Option<String>, Refusal> {
    let Some(organisation) = asked.identity.viewer.organisation.as_deref().filter(|_| asked.identity.role.is_some())
    else {
        return Ok(None);
    };
    let known = state.known.now()?;
    let own = known.own_organisation().is_some_and(|own| own.to_lowercase() == organisation.to_lowercase());
    Ok((!own && known.is_partner(organisation)).then(|| organisation.to_owned()))
}

/// Whether the request says that it is a link's.
pub(in super::super) fn is_link(asked: &Asked) -> bool {
    asked.header(HeaderName::from_static(mailbox::LINK)) == Some("1")
}

/// Whose mailbox the address names; `None`: it names none, or whoever asks has none.
pub(in super::super) fn owner(state: &State, asked: &Asked, route: &Route) -> Result<Option<String>, Refusal> {
    let (Route::Collection(id)
    | Route::Manifest(id)
    | Route::Objects(id)
    | Route::Object(id, _)
    | Route::Versions(id, _)) = route
    else {
        return Ok(None);
    };
    if id.eq_ignore_ascii_case(mailbox::ID) { partner(state, asked) } else { Ok(None) }
}

/// The mailbox among the collections.
pub(super) fn resource(asked: &Asked) -> Collection {
    Collection {
        id: mailbox::ID.to_owned(),
        title: "Mailbox".to_owned(),
        description: Some(
            "What is signed and waits for your organisation: recalls, receipts, notices of groups".to_owned(),
        ),
        alias: None,
        can_read: asked.identity.reads,
        can_write: asked.identity.writes,
        media_types: vec![media::STIX_21.to_owned()],
    }
}

/// Answers a request about the mailbox of a partner.
pub(in super::super) async fn answer(
    state: &Arc<State>,
    route: Route,
    method: Method,
    asked: &Asked,
    content: Content,
    organisation: String,
) -> Result<Response<Body>, Refusal> {
    if let (Route::Collection(_), _) = (&route, &method) {
        return Ok(answer::json(StatusCode::OK, &resource(asked)));
    }
    match method {
        Method::POST if asked.identity.writes => return with_seals::mail(state, asked, content, organisation).await,
        Method::POST | Method::DELETE => return Err(Refusal::forbidden("this collection is not yours to write")),
        _ => {}
    }
    if !asked.identity.reads {
        return Err(Refusal::forbidden("this collection is not yours to read"));
    }
    let (endpoint, object) = match &route {
        Route::Object(_, object) => (Endpoint::Object, Some(object.clone())),
        Route::Versions(_, object) => (Endpoint::Versions, Some(object.clone())),
        _ => (Endpoint::Objects, None),
    };
    let query = parsed(asked, endpoint)?;
    let scope = format!("{} {} {organisation}", route.pattern(), object.as_deref().unwrap_or_default());
    let filters = query.filters();
    let bad = |bad| Refusal::bad(StatusCode::BAD_REQUEST, "the query is malformed", bad);
    let cursor = query.next.as_ref().map(|next| state.signer.open(next, &scope, &filters).map_err(bad)).transpose()?;
    let (link, by) = (is_link(asked), asked.by());
    state
        .read(move |state| {
            let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            let limits = &state.config.taxii;
            let ids = object.map(|object| vec![object]);
            let wanted = Wanted {
                after: cursor.max(query.added_after),
                ids: ids.as_deref().or(query.ids.as_deref()),
                types: query.types.as_deref(),
                limit: size(query.limit.unwrap_or(limits.page_size).min(limits.max_page_size)),
                max_bytes: size(limits.max_page_bytes),
            };
            if let Some(kept) = query.added_after.filter(|_| link && matches!(route, Route::Objects(_))) {
                mailbox::has_kept(&*state.book, &organisation, kept)?;
            }
            if matches!(route, Route::Objects(_)) {
                remind(state, &organisation)?;
            }
            let page = mailbox::waiting(&*state.book, &organisation, &wanted)?;
            if ids.is_some() && page.mail.is_empty() && !page.more {
                return Err(Refusal::not_found());
            }
            if !page.mail.is_empty() {
                if matches!(route, Route::Objects(_) | Route::Object(..)) {
                    with_desk(state, |desk| desk.handed(&organisation, &page.mail))?;
                }
                let reason = format!("{} statements", page.mail.len());
                let (partner, about) = (organisation.clone(), "mailbox".to_owned());
                state.audit.note(Event::Partner { by, partner, act: "mail-given", about, done: true, reason })?;
            }
            let next = page.last.filter(|_| page.more).map(|last| state.signer.sign(last, &scope, &filters));
            Ok(match route {
                Route::Manifest(_) => manifest(&page, next),
                Route::Versions(..) => versions(&page, next),
                _ => objects(&page, next),
            })
        })
        .await
}

/// Recalls that were handed over and not answered wait again.
fn remind(state: &State, organisation: &str) -> Result<(), Refusal> {
    with_desk(state, |desk| desk.remind(organisation).map(drop))
}

/// Does something at the desk of recalls, with our keys and the ring as they are now.
pub(super) fn with_desk<T>(state: &State, work: impl FnOnce(&Desk<'_>) -> ledger::Result<T>) -> Result<T, Refusal> {
    let (own, ring) = ours(state)?;
    let known = state.known.now()?;
    let desk = Desk {
        book: &*state.book,
        journal: &**state.audit.journal(),
        door: &state.door,
        classes: &state.classes,
        keys: &own.keys,
        ring: &ring,
        own: known.own_organisation().unwrap_or_default(),
        now: state.sources.now(),
    };
    Ok(work(&desk)?)
}

fn dated(mut answer: Response<Body>, page: &Waiting) -> Response<Body> {
    let first = page.mail.first().map(|mail| Seq(mail.no));
    write_date(&mut answer, first, page.last.filter(|_| first.is_some()).map(Seq));
    answer
}

/// The envelope (§3.7) of what waits, as it was signed.
fn objects(page: &Waiting, next: Option<String>) -> Response<Body> {
    if page.mail.is_empty() && !page.more {
        return answer::bytes(StatusCode::OK, b"{}".to_vec());
    }
    let mut text = br#"{"objects":["#.to_vec();
    for (index, mail) in page.mail.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&mail.body);
    }
    text.push(b']');
    if let Some(next) = next {
        text.extend_from_slice(format!(r#","more":true,"next":"{next}""#).as_bytes());
    }
    text.push(b'}');
    dated(answer::bytes(StatusCode::OK, text), page)
}

fn version(mail: &Mail) -> String {
    #[derive(serde::Deserialize)]
    struct Dated {
        modified: String,
    }
    serde_json::from_slice::<Dated>(&mail.body).map_or_else(|_| format_micros(mail.no), |dated| dated.modified)
}

fn manifest(page: &Waiting, next: Option<String>) -> Response<Body> {
    let row = |mail: &Mail| ManifestRow {
        id: mail.id.clone(),
        date_added: format_micros(mail.no),
        version: version(mail),
        media_type: Some(media::STIX_21.to_owned()),
    };
    let objects = page.mail.iter().map(row).collect();
    dated(answer::json(StatusCode::OK, &Manifest { more: page.more, next, objects }), page)
}

fn versions(page: &Waiting, next: Option<String>) -> Response<Body> {
    let versions = page.mail.iter().map(version).collect();
    dated(answer::json(StatusCode::OK, &Versions { more: page.more, next, versions }), page)
}
