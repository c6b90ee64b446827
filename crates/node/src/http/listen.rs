//! The accept loop: TLS or, on loopback alone, plain HTTP; bounded in connections, handshakes and heads; drained at the end.

use super::{State, request, tls};
use crate::alerts::desk::Desk;
use crate::alerts::out::deliver::Ways;
use crate::audit::{By, Event, Follower, TargetError, Way};
use crate::certificate::ClientCertificate;
use crate::config::Config;
use crate::egress::{self, Egress};
use crate::home::{self, Home};
use crate::partners::keeper;
use crate::partners::recalls::TakesBack as _;
use crate::upkeep;
use crate::watch::runner;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ledger::Register as _;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::util::MapRequestLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::CompressionLevel;
use tower_http::decompression::RequestDecompressionLayer;

/// Heads larger than this are refused.
const HEAD: usize = 64 * 1024;
/// How often old status resources are dropped.
const SWEEP: Duration = Duration::from_secs(600);

/// How often it is looked what time brought to alerts.
const MIND: Duration = Duration::from_secs(1);
/// How often embargoes are looked at.
const LIFT: Duration = Duration::from_secs(10);

/// An entry counts as delivered to the syslog server when the connection stands so long after it was sent.
const SETTLE: Duration = Duration::from_secs(10);
/// The first pause before the syslog server is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Why the node cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be had.
    #[error("cannot listen on {0}: {1}; choose another with --listen ADDR:PORT")]
    Listen(SocketAddr, std::io::Error),
    /// Plain HTTP is for loopback alone.
    #[error(
        "plain HTTP is only served on a loopback address, not on {0}: leave --plain-http out, or listen on 127.0.0.1"
    )]
    Plain(SocketAddr),
    /// The certificate or its key cannot be used.
    #[error("cannot use the certificate {path}: {why}")]
    Certificate {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// The home cannot be used.
    #[error(transparent)]
    Home(home::Error),
    /// The provider of identities cannot be used.
    #[error("cannot sign people in at the provider: {0}")]
    Provider(crate::oidc::Error),
    /// The audit log cannot be opened: nothing is handed on without it.
    #[error("cannot open the audit log")]
    Audit(#[source] ledger::Error),
    /// The way out to the syslog server cannot be used.
    #[error(transparent)]
    Egress(egress::Error),
    /// There is no such syslog server.
    #[error(transparent)]
    Syslog(TargetError),
    /// The ways out for alerts cannot be used.
    #[error("cannot tell of alerts: {0}")]
    Alerts(String),
    /// The links to partners cannot be run.
    #[error("cannot run the links to partners: {0}")]
    Links(keeper::Error),
    /// The watch cannot run.
    #[error("cannot watch: {0}")]
    Watch(runner::Error),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A server that listens and has not begun to answer.
pub struct Server {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    state: Arc<State>,
    address: SocketAddr,
}

impl Server {
    /// Takes the address and reads the certificate.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bind(home: &Home, state: Arc<State>) -> Result<Self, Error> {
        let config: &Config = &state.config;
        let wanted = config.server.listen;
        let plain = config.server.plain_http;
        if plain && !wanted.ip().is_loopback() {
            return Err(Error::Plain(wanted));
        }
        let acceptor = if plain { None } else { Some(TlsAcceptor::from(tls::configuration(home, config)?)) };
        let listener = TcpListener::bind(wanted).await.map_err(|error| Error::Listen(wanted, error))?;
        let address = listener.local_addr().map_err(|error| Error::Listen(wanted, error))?;
        Ok(Self { listener, acceptor, state, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}/", if self.acceptor.is_some() { "https" } else { "http" }, self.address)
    }

    /// Answers until `end` resolves, then lets the requests under way finish, within the configured time.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let Self { listener, acceptor, state, .. } = self;
        let limits = state.config.limits.clone();
        let places = Arc::new(Semaphore::new(usize::try_from(limits.connections).unwrap_or(usize::MAX >> 4).max(1)));
        let head = Duration::from_secs(limits.head_seconds);
        let drain = GracefulShutdown::new();
        let sweeper = tokio::spawn(sweep(Arc::clone(&state)));
        let keeper = tokio::spawn(keep_up(Arc::clone(&state)));
        let streams = Arc::clone(&state);
        let service = service(state);
        tokio::pin!(end);
        loop {
            let (stream, from) = tokio::select! {
                () = &mut end => break,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, for one: the next try may find some again.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!(%from, "too many connections: turned away");
                continue;
            };
            let _ = stream.set_nodelay(true);
            let connection = connection(stream, from, acceptor.clone(), service.clone(), head, drain.watcher());
            tokio::spawn(async move {
                connection.await;
                drop(place);
            });
        }
        drop(listener);
        streams.streams.end();
        sweeper.abort();
        keeper.abort();
        let longest = Duration::from_secs(limits.shutdown_seconds);
        if tokio::time::timeout(longest, drain.shutdown()).await.is_err() {
            tracing::warn!("requests were still under way when the time to end them was over");
        }
    }
}

type Service = tower::util::BoxCloneSyncService<Request<Body>, http::Response<Body>, std::convert::Infallible>;

/// The whole stack above a connection. Unpacking lies outside, so that limits hold for what was unpacked; a limit lies
/// outside of that too, since what is sent may unpack to nothing.
fn service(state: Arc<State>) -> Service {
    let most = usize::try_from(state.config.taxii.max_content_length).unwrap_or(usize::MAX);
    let bounded = move |request: Request<Body>| request.map(|body| Body::new(Limited::new(body, most)));
    let answer = move |request: Request<Body>| {
        let state = Arc::clone(&state);
        async move { request::answer(state, request).await }
    };
    let router: Router = Router::new()
        .fallback(answer)
        .layer(RequestDecompressionLayer::new().gzip(true).zstd(true).pass_through_unaccepted(true))
        .layer(MapRequestLayer::new(bounded))
        .layer(CompressionLayer::new().gzip(true).zstd(true).br(true).quality(CompressionLevel::Fastest));
    Service::new(router)
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    service: Service,
    head: Duration,
    watcher: hyper_util::server::graceful::Watcher,
) {
    match acceptor {
        None => http(TokioIo::new(stream), from, None, service, head, watcher).await,
        Some(acceptor) => match tokio::time::timeout(head, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let peer =
                    shown.and_then(ClientCertificate::read).map(|certificate| request::Peer(Arc::new(certificate)));
                http(TokioIo::new(stream), from, peer, service, head, watcher).await;
            }
            Ok(Err(error)) => tracing::debug!(%from, %error, "no TLS handshake"),
            Err(_) => tracing::debug!(%from, "the TLS handshake took too long"),
        },
    }
}

async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: TokioIo<S>,
    from: SocketAddr,
    peer: Option<request::Peer>,
    service: Service,
    head: Duration,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(HEAD).keep_alive(true);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(HEAD as u32).max_concurrent_streams(64);
    let begun = Arc::new(AtomicBool::new(false));
    let first = Arc::clone(&begun);
    let service = tower::ServiceExt::map_request(service, move |request: Request<Incoming>| {
        first.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(request::From(from));
        if let Some(peer) = &peer {
            request.extensions_mut().insert(peer.clone());
        }
        request
    });
    let serving = builder.serve_connection_with_upgrades(io, TowerToHyperService::new(service)).into_owned();
    // The limit on heads begins with the first byte that tells the version: before it, silence would hold a place.
    let silent = async {
        tokio::time::sleep(head).await;
        if begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = watcher.watch(serving) => {
            if let Err(error) = served {
                tracing::debug!(%from, %error, "the connection broke off");
            }
        }
        () = silent => tracing::debug!(%from, "nothing was asked in time"),
    }
}

/// Drops status resources that nobody needs to be able to ask for any more (§4.3), and sessions that have ended.
async fn sweep(state: Arc<State>) {
    let kept = i64::try_from(state.config.taxii.status_hours.saturating_mul(3_600_000_000)).unwrap_or(i64::MAX);
    loop {
        tokio::time::sleep(SWEEP).await;
        let now = state.sources.now();
        if let Err(refusal) = state.read(move |state| Ok(state.accounts.sessions().sweep(now)?)).await {
            tracing::warn!(?refusal, "ended sessions could not be dropped");
        }
        let before = now.saturating_sub(kept);
        if let Err(refusal) = state.read(move |state| Ok(state.book.expire_statuses(before)?)).await {
            tracing::warn!(?refusal, "old status resources could not be dropped");
        }
        let retained = state.read(|state| {
            let (journal, now) = (state.audit.journal(), crate::clock::now());
            Ok(crate::audit::retain(&**journal, &*state.book, &state.config.audit, "", now)?)
        });
        if let Err(refusal) = retained.await {
            tracing::warn!(?refusal, "old entries of the audit log could not be erased");
        }
    }
}

/// Does what time brings, away from the threads that serve and beside their places at the store.
async fn keep_up(state: Arc<State>) {
    let mut settled: Option<Instant> = None;
    loop {
        let seldom = settled.is_none_or(|since| since.elapsed() >= SWEEP);
        if seldom {
            settled = Some(Instant::now());
        }
        let shared = Arc::clone(&state);
        if let Err(error) = tokio::task::spawn_blocking(move || do_upkeep(&shared, seldom)).await {
            tracing::error!(%error, "the upkeep failed");
        }
        tokio::time::sleep(LIFT).await;
    }
}

fn do_upkeep(state: &State, seldom: bool) {
    let now = crate::clock::now();
    match upkeep::lift_embargoes(&*state.book, &state.door, &state.classes, now) {
        Ok(moved) => state.metrics.lifted(moved),
        Err(error) => tracing::warn!(%error, "ended embargoes could not be lifted"),
    }
    if !seldom {
        return;
    }
    // What a process that ended left undone of a group's change, and changes that no act of administration made.
    let by = By { way: Way::Link, who: None, organisation: None, address: None };
    if let Err(error) = state.office.groups_changed(&by, now) {
        tracing::warn!(%error, "partners could not be told of changed sharing groups");
    }
    match forget_persons(state, &by, now) {
        Ok(0) => {}
        Ok(erased) => {
            state.metrics.forgot(erased);
            told_forgotten(state, erased);
        }
        Err(error) => tracing::warn!(%error, "data about persons could not be erased"),
    }
    match upkeep::settle(&*state.book) {
        Ok(records) => state.metrics.settled(records),
        Err(error) => tracing::warn!(%error, "references could not be settled"),
    }
}

/// What is kept long enough is taken back from those who got it, and erased. That it cannot be taken back is no reason to keep it.
fn forget_persons(state: &State, by: &By, now: ledger::Micros) -> ledger::Result<u64> {
    if state.config.personal.retention.is_empty() {
        return Ok(0);
    }
    let forget =
        |erasing: upkeep::Erasing<'_>| upkeep::forget_persons(&*state.book, &state.config.personal, now, erasing);
    let taken_back =
        state.office.at(now, |desk| forget(&mut |object, places| desk.erasing(object, places, by).map(drop)));
    taken_back.or_else(|error| {
        tracing::warn!(%error, "partners cannot be told of data about persons that is erased");
        forget(&mut |_, _| Ok(()))
    })
}

/// Writes an erasure by retention down: the node's own act, by nobody.
fn told_forgotten(state: &State, erased: u64) {
    let mut details = serde_json::Map::new();
    details.insert("records".to_owned(), erased.into());
    details.insert("retention".to_owned(), state.config.personal.retention.clone().into());
    let by = By { way: Way::Api, who: None, organisation: None, address: None };
    let (act, about) = ("forget-persons", "retention: personal.retention".to_owned());
    let event = Event::Administered { by, act, about, whom: None, done: true, details };
    if let Err(error) = crate::audit::write_now(&**state.audit.journal(), &event) {
        tracing::error!(%error, erased, "an erasure by retention could not be written down");
    }
}

/// Serves a home until `end` resolves; `ready` is called with the address as soon as the node listens.
///
/// # Errors
/// [`Error`].
pub async fn serve(
    home: &Home,
    config: Config,
    book: Arc<ledger::sqlite::Book>,
    ready: impl FnOnce(&str),
    end: impl Future<Output = ()>,
) -> Result<(), Error> {
    let state = State::new(home, config, book)?;
    let audit = Arc::clone(&state);
    let watching = Arc::clone(&state);
    let follower = follower(home, &state)?;
    let tools = tools(home, &state)?;
    if let Some((running, queue)) = runner::start(home, &state.config, &state.book).map_err(Error::Watch)? {
        let desk = Arc::clone(state.alerts());
        // It ends when nobody hands hits on any more.
        std::thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || desk.follow(queue))
            .map_err(Error::Thread)?;
        let _ = state.watch.set(running);
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (let_go, letting_go) = tokio::sync::watch::channel(false);
    let ways = Ways::new(&state.config, home.path()).map_err(Error::Alerts)?;
    let (desk, stopping) = (Arc::clone(state.alerts()), stopped.clone());
    let server = Server::bind(home, state).await?;
    let telling = tokio::spawn(ways.run(Arc::clone(&desk), stopping.clone()));
    let minding = tokio::spawn(mind(desk, stopping));
    let following = follower.map(|follower| tokio::spawn(follower.run(stopped)));
    let keeping = tokio::spawn(keeper::keep(tools, letting_go));
    ready(&server.url());
    server
        .run(async {
            end.await;
            // Rounds end behind their pages while the requests under way finish.
            let _ = let_go.send(true);
            if let Some(running) = watching.watch.get() {
                running.end();
            }
        })
        .await;
    let longest = Duration::from_secs(audit.config.limits.shutdown_seconds);
    if tokio::time::timeout(longest, keeping).await.is_err() {
        tracing::warn!("a round of a link was still under way when the time to end it was over");
    }
    // All that was handed on until now is written down before the process ends.
    let _ = tokio::task::spawn_blocking(move || audit.audit.end()).await;
    let _ = stop.send(true);
    // What has not been told by then is told after the next start.
    let _ = tokio::time::timeout(longest, async { tokio::join!(telling, minding) }).await;
    if let Some(following) = following {
        // What the syslog server has not got by then it gets after the next start.
        let _ = tokio::time::timeout(longest, following).await;
    }
    Ok(())
}

/// Does what time brings to alerts, away from the threads that serve.
async fn mind(desk: Arc<Desk>, mut stop: tokio::sync::watch::Receiver<bool>) {
    let mut forgot: Option<Instant> = None;
    while !*stop.borrow() {
        let seldom = forgot.is_none_or(|since| since.elapsed() >= SWEEP);
        if seldom {
            forgot = Some(Instant::now());
        }
        let shared = Arc::clone(&desk);
        let work = move || {
            let now = crate::clock::now();
            if seldom {
                shared.forget(now)?;
            }
            shared.tick(now)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "alerts could not be seen to"),
            Err(error) => tracing::error!(%error, "seeing to alerts failed"),
        }
        tokio::select! {
            () = tokio::time::sleep(MIND) => {}
            _ = stop.changed() => {}
        }
    }
}

/// What links to partners are run with.
fn tools(home: &Home, state: &State) -> Result<keeper::Tools, Error> {
    let secret = home.secret().map_err(Error::Home)?;
    let journal = Arc::clone(state.audit.journal());
    keeper::Tools::new(home, &state.config, &state.book, secret, journal).map_err(Error::Links)
}

/// Who sends the audit log to the syslog server, if there is one.
fn follower(home: &Home, state: &State) -> Result<Option<Follower>, Error> {
    let config = &state.config.audit;
    if config.syslog.is_empty() {
        return Ok(None);
    }
    let own = &config.syslog_authorities;
    Ok(Some(Follower {
        journal: Arc::clone(state.audit.journal()),
        egress: Egress::new(&state.config, home.path()).map_err(Error::Egress)?,
        target: config.syslog.parse().map_err(Error::Syslog)?,
        authorities: (!own.is_empty()).then(|| home.path().join(own)),
        settle: SETTLE,
        pause: PAUSE,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Secret;
    use ledger::journal::Wanted;
    use ledger::sqlite::Book;
    use ledger::{Appended, Collection, CollectionNo, Dialect, Entry, Ledger as _, Submission, Who};
    use policy::Class;

    #[test]
    fn data_about_persons_goes_after_its_time_and_the_audit_log_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::prepare(&folder.path().join("home"), "").unwrap();
        let book = Arc::new(Book::create(&home.database()).unwrap());
        home.seal(&Secret::new([7; 32])).unwrap();
        let collection = Collection {
            no: CollectionNo(0),
            id: "00000000-0000-4000-8000-000000000001".into(),
            alias: "main".into(),
            title: "main".into(),
            description: None,
            read: Who::Members,
            write: Who::Members,
        };
        let collection = book.add_collection(&collection).unwrap().no;
        let config = Config::from_toml("[personal]\nretention = [\"email=2\"]\n").unwrap();
        let state = State::new(&home, config, Arc::clone(&book)).unwrap();
        let class = |personal: &[&str]| {
            let personal = personal.iter().map(|kind| (*kind).to_owned()).collect();
            state.classes.number(&*book, &Class { owner: "Us".into(), personal, ..Class::default() }).unwrap()
        };
        let (mail, plain) = (class(&["email"]), class(&[]));
        let day = 86_400 * 1_000_000;
        let now = crate::clock::now();
        for (key, class, days) in [("a--1", mail, 3), ("a--2", plain, 3), ("a--3", mail, 1)] {
            let body = format!(r#"{{"id":"{key}"}}"#);
            let entry = Entry {
                collection,
                key,
                kind: "a",
                version: None,
                dialect: Dialect::Stix21,
                author: None,
                revoked: false,
                class,
                references: &[],
                body: body.as_bytes(),
            };
            let submission = Submission { entries: &[entry], receipt: None };
            let done = book.append(&[submission], now - days * day, &|a, b| a == b).unwrap();
            assert!(matches!(done[0][0], Appended::Added(_)));
        }
        let there =
            || ["a--1", "a--2", "a--3"].map(|key| book.contains(collection, key, &|_: ledger::ClassNo| true).unwrap());
        let told = || {
            let mut told = Vec::new();
            let wanted = Wanted { kind: Some("administered"), ..Wanted::default() };
            let each = &mut |line: ledger::journal::Line| told.push(line.matter.kept().unwrap().body.clone());
            state.audit.journal().read(&wanted, each).unwrap();
            told.into_iter().map(|body| String::from_utf8(body).unwrap()).collect::<Vec<_>>()
        };
        do_upkeep(&state, false);
        assert_eq!((there(), told().len()), ([true, true, true], 0));
        do_upkeep(&state, true);
        assert_eq!(there(), [false, true, true]);
        let log = told();
        assert!(log.len() == 1 && log[0].contains("forget-persons") && log[0].contains(r#""records":1"#), "{log:?}");
        do_upkeep(&state, true);
        assert_eq!((there(), told().len()), ([false, true, true], 1), "nothing more to say");
    }
}
