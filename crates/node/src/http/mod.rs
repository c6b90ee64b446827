//! The node over HTTP: one port, one handler an endpoint, one place that turns errors into answers.

mod alerts;
mod answer;
mod cards;
mod client_certificates;
mod first_sign_in;
mod listen;
mod meetings;
mod metrics;
mod notices;
mod people;
mod request;
mod route;
mod sharing;
mod taxii;
mod tls;

pub use listen::{Error, Server, serve};
pub use route::PATTERNS;

use crate::accounts::Accounts;
use crate::administration::Administration;
use crate::audit::Scribe;
use crate::config::Config;
use crate::door::Door;
use crate::home::Home;
use crate::intake::Classes;
use crate::known::Known;
use crate::partners::meeting::host::Host;
use crate::partners::recalls::Office;
use crate::sources::Sources;
use crate::writer::Writer;
use ::taxii::cursor::Signer;
use axum::body::Body;
use http::{Request, Response};
use ledger::sqlite::Book;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Reads of the ledger at once: a few more than two cores can do, so that one slow disk read does not idle them.
const READS: usize = 4;

/// Everything that a request may need.
pub struct State {
    /// The book and the register.
    pub book: Arc<Book>,
    /// The configuration in force.
    pub config: Config,
    known: Arc<Known>,
    accounts: Accounts,
    administration: Administration,
    oidc: Option<crate::oidc::Provider>,
    door: Door,
    writer: Writer,
    classes: Classes,
    signer: Signer,
    sources: Sources,
    meetings: Host,
    reads: Arc<Semaphore>,
    audit: Scribe,
    metrics: metrics::Metrics,
    streams: Arc<notices::Streams>,
    secret: crate::home::Secret,
    rings: crate::partners::identity::Rings,
    office: Arc<Office>,
    alerts: Arc<crate::alerts::desk::Desk>,
    watch: std::sync::OnceLock<crate::watch::runner::Running>,
}

impl State {
    /// Wires a node that is open.
    ///
    /// # Errors
    /// [`Error`]: the secret cannot be read, or the system gives no thread.
    pub fn new(home: &Home, config: Config, book: Arc<Book>) -> Result<Arc<Self>, Error> {
        Self::with(home, config, book, Sources::system())
    }

    /// The same, with time and chance as arguments.
    ///
    /// # Errors
    /// [`Error`].
    pub fn with(home: &Home, config: Config, book: Arc<Book>, sources: Sources) -> Result<Arc<Self>, Error> {
        let secret = home.secret().map_err(Error::Home)?;
        let journal = Arc::new(crate::audit::open_with(home, &secret).map_err(Error::Audit)?);
        let recorder = Arc::new(crate::audit::AuditRecorder::new(Arc::clone(&journal) as _));
        let known = Arc::new(Known::new(Arc::clone(&book) as _));
        let office = Arc::new(Office::new(&book, Arc::clone(&journal) as _, &config, secret.clone()));
        Ok(Arc::new(Self {
            accounts: Accounts::new(Arc::clone(&known), Arc::clone(&book) as _, secret.clone(), &config.accounts),
            administration: Administration::new(Arc::clone(&book) as _, secret.clone(), &config.accounts)
                .recorded_by(recorder)
                .recalled_by(Arc::clone(&office) as _),
            oidc: crate::oidc::Provider::new(home, &config, &secret).map_err(Error::Provider)?,
            door: Door::new(Arc::clone(&book) as _, Arc::clone(&known), &config),
            writer: Writer::start(Arc::clone(&book) as _, sources.clone()).map_err(Error::Thread)?,
            audit: Scribe::start(journal).map_err(Error::Thread)?,
            classes: Classes::default(),
            signer: Signer::new(secret.key_for("marsad 2026-11 taxii cursor")),
            sources,
            meetings: Host::default(),
            reads: Arc::new(Semaphore::new(READS)),
            metrics: metrics::Metrics::default(),
            streams: Arc::default(),
            watch: std::sync::OnceLock::new(),
            rings: crate::partners::identity::Rings::new(Arc::clone(&book) as _, secret.clone()),
            office,
            alerts: Arc::new(crate::alerts::desk::Desk::new(&book, &config, &secret)),
            secret,
            known,
            book,
            config,
        }))
    }

    /// Answers one request as if it had come over a connection from this address: everything between the sockets, for
    /// tests and for embedding.
    pub async fn answer(self: &Arc<Self>, mut request: Request<Body>, from: SocketAddr) -> Response<Body> {
        request.extensions_mut().insert(request::From(from));
        request::answer(Arc::clone(self), request).await
    }

    /// The desk at which hits become alerts.
    #[must_use]
    pub fn alerts(&self) -> &Arc<crate::alerts::desk::Desk> {
        &self.alerts
    }

    /// Runs a read of the store away from the threads that serve.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, answer::Refusal> + Send + 'static,
    ) -> Result<T, answer::Refusal> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(answer::Refusal::internal)?;
        let state = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let out = work(&state);
            drop(permit);
            out
        });
        done.await.map_err(answer::Refusal::internal)?
    }
}
