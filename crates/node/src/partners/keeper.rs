//! Runs the links of a node: on schedule or at once, each for itself, in one process at a time.

mod hearing;

use super::cards::told;
use super::link::{Direction, Login};
use super::plan::{self, End};
use super::runner::{self, Bounds, Broken, Held, Here, Job, Round};
use super::state::{self, Lease};
use super::{identity, mailbox};
use crate::audit::{By, Event, Way};
use crate::config::Config;
use crate::door::Door;
use crate::egress::{self, Egress, Session};
use crate::home::{Home, Secret};
use ledger::sqlite::Book;
use ledger::{Journal, Ledger as _, Micros, PartnerKind, Partners as _, Register as _};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use taxii::client::{Backoff, Client, Limits};
use tokio::sync::{Notify, watch};

/// Rounds that run side by side.
const SIDE_BY_SIDE: usize = 4;
/// How often it is looked which links there are and which are due.
const LOOK: Duration = Duration::from_millis(250);
/// How often what stands in the register is read again though nothing says that it changed.
const AFRESH: Duration = Duration::from_secs(10);
/// When a link that another process runs is looked at again.
const BUSY: Micros = 30 * 1_000_000;

/// What links are run with.
#[derive(Clone)]
pub struct Tools {
    /// The book and the register.
    pub book: Arc<Book>,
    /// The door.
    pub door: Arc<Door>,
    /// The configuration.
    pub config: Arc<Config>,
    /// The node's secret.
    pub secret: Secret,
    /// The way out.
    pub egress: Arc<Egress>,
    /// The audit log.
    pub journal: Arc<dyn Journal>,
    /// How far one round goes.
    pub bounds: Bounds,
}

/// Why a link could not be run at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// There is no such link, or no such partner any more.
    #[error("there is no link `{0}`")]
    Unknown(String),
    /// It cannot be understood.
    #[error(transparent)]
    Definition(#[from] runner::Error),
    /// Our keys cannot be had.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// The way out.
    #[error(transparent)]
    Egress(#[from] egress::Error),
    /// What it signs in with cannot be opened.
    #[error("the credentials of the link cannot be opened: remove it and add it again")]
    Login,
    /// The system gives no random bytes.
    #[error(transparent)]
    Chance(#[from] crate::chance::NoChance),
    /// A defect.
    #[error("the round ended abruptly")]
    Abrupt,
}

/// What became of an attempt to run a round.
#[derive(Debug)]
pub enum Ran {
    /// It came to its end.
    Done(Round),
    /// It broke off.
    Broken(Box<Broken>),
    /// Another process runs it.
    Busy,
}

impl Tools {
    /// Over a node that is open.
    ///
    /// # Errors
    /// [`Error`].
    pub fn new(
        home: &Home,
        config: &Config,
        book: &Arc<Book>,
        secret: Secret,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, Error> {
        Ok(Self {
            book: Arc::clone(book),
            door: Arc::new(Door::over(book, config)),
            config: Arc::new(config.clone()),
            secret,
            egress: Arc::new(Egress::new(config, home.path())?),
            journal,
            bounds: Bounds::default(),
        })
    }

    /// The job of a link, and the way to its partner.
    fn job(&self, name: &str) -> Result<(Job, Session), Error> {
        let unknown = || Error::Unknown(name.to_owned());
        let link = self.book.link(name)?.ok_or_else(unknown)?;
        let job = Job::of(&*self.book, &link)?.ok_or_else(unknown)?;
        let login = match &link.secret {
            None => None,
            Some(sealed) => {
                Some(Login::open(&self.secret, &link.name, &job.definition.url, sealed).ok_or(Error::Login)?)
            }
        };
        let credentials = login.map(|login| login.credentials()).transpose()?;
        let session = self.egress.to(&job.definition.url, credentials)?;
        let session = match job.partner.kind {
            PartnerKind::Node => session.saying(mailbox::LINK, "1"),
            PartnerKind::Foreign => session,
        };
        Ok((job, session))
    }

    fn client(&self, session: Session) -> Client<Session> {
        let limits = Limits {
            page_size: self.bounds.objects as u64,
            max_answer_bytes: self.egress.max_answer_bytes(),
            // A page that is pushed goes in one request, with its seals and its envelope.
            max_envelope_objects: usize::MAX,
            max_envelope_bytes: usize::MAX,
            status_patience: Duration::from_secs(30),
            // Longer waits are planned between rounds.
            backoff: Backoff { attempts: 1, first: Duration::from_secs(1), most: Duration::from_secs(2) },
            ..Limits::default()
        };
        Client::new(session, limits)
    }

    /// Runs one round of a link, if no other process does, and keeps how it stands. `stop`: the round ends behind the page
    /// that it is at.
    ///
    /// Blocks the thread while the ledger works.
    ///
    /// # Errors
    /// [`Error`]: it could not even begin. That is kept too, as the link's last error.
    pub async fn run(&self, name: &str, stop: &watch::Receiver<bool>) -> Result<Ran, Error> {
        let holder = state::holder(u128::from_le_bytes(crate::chance::bytes()?));
        let now = crate::clock::now();
        let Some(mut lease) = Lease::take(&*self.book, name, &holder, now)? else { return Ok(Ran::Busy) };
        let outcome = self.run_leased(name, stop, &mut lease).await;
        let kept = self.keep(name, &outcome);
        lease.give_back(&*self.book, name)?;
        kept?;
        outcome
    }

    async fn run_leased(&self, name: &str, stop: &watch::Receiver<bool>, lease: &mut Lease) -> Result<Ran, Error> {
        let (job, session) = self.job(name)?;
        self.tell_cards(&job, &session).await?;
        let client = self.client(session);
        let own = identity::own(&*self.book, &self.secret)?;
        let ring = identity::keyring(&*self.book, &self.secret)?;
        let organisation = crate::administration::own_organisation(&*self.book)?.unwrap_or_default();
        let here = Here {
            book: &*self.book,
            door: &self.door,
            config: &self.config,
            keys: &own.keys,
            ring: &ring,
            own: &organisation,
            journal: &*self.journal,
        };
        let mut goes_on = |_: &Round| {
            let holds = lease.renew(&*self.book, name, crate::clock::now())?;
            Ok(holds && !*stop.borrow())
        };
        match runner::round(&client, &here, &job, &self.bounds, &mut goes_on).await {
            Ok(done) => Ok(Ran::Done(done)),
            Err(broken) => Ok(Ran::Broken(broken)),
        }
    }

    /// Tells the partner's node our card and takes its own: what comes in this round is judged by the keys of now. That it
    /// cannot be told is no reason not to go on.
    async fn tell_cards(&self, job: &Job, session: &Session) -> Result<(), Error> {
        let organisation = &job.partner.organisation;
        let Some(address) = session.beside(told::PATH).filter(|_| job.partner.kind == PartnerKind::Node) else {
            return Ok(());
        };
        let heard = match told::exchange(&*self.book, &self.secret, organisation, session, &address).await {
            Ok(heard) => heard,
            Err(error) => {
                tracing::warn!(partner = organisation, error, "cards were not exchanged");
                return Ok(());
            }
        };
        for (about, done, reason) in heard.iter().filter_map(told::Heard::told) {
            let by = By { way: Way::Link, who: None, organisation: Some(organisation.clone()), address: None };
            let (partner, about) = (organisation.clone(), about.to_owned());
            let event = Event::Partner { by, partner, act: "card-told", about, done, reason };
            crate::audit::write_now(&*self.journal, &event)?;
        }
        Ok(())
    }

    /// Keeps how a link stands after an attempt, and when the next one is due.
    fn keep(&self, name: &str, outcome: &Result<Ran, Error>) -> ledger::Result<()> {
        let Some(link) = self.book.link(name)? else { return Ok(()) };
        let definition = super::link::Definition::read(&link.definition).ok();
        let now = crate::clock::now();
        let mut kept = state::state(&*self.book, name)?;
        kept.rounds += 1;
        kept.last_round = Some(now);
        let end = match outcome {
            Ok(Ran::Busy) => return Ok(()),
            Ok(Ran::Done(done)) => {
                count(&mut kept, done);
                kept.failures = 0;
                kept.last_good = Some(now);
                kept.last_error = (!done.warnings.is_empty()).then(|| format!("note: {}", done.warnings.join("; ")));
                match done.held {
                    None => End::Complete,
                    Some(Held::Time) => End::More,
                    Some(Held::Budget(again)) => End::Budget(again),
                }
            }
            Ok(Ran::Broken(broken)) => {
                count(&mut kept, &broken.done);
                kept.failed(&broken.error.story());
                End::Failed { failures: kept.failures, wait: broken.error.wait() }
            }
            Err(error) => {
                kept.failed(&error.to_string());
                End::Failed { failures: kept.failures, wait: None }
            }
        };
        let chance = crate::chance::bytes().map_or(0, u64::from_le_bytes);
        kept.next = definition.and_then(|it| plan::next(end, it.every, it.at_once, now, chance));
        state::keep_state(&*self.book, name, &kept)
    }
}

fn count(kept: &mut state::State, done: &Round) {
    kept.objects += done.objects;
    kept.bytes += done.bytes;
    kept.refused += done.refused;
    kept.mail_in += done.mail_in;
    kept.mail_out += done.mail_out;
    kept.mail_waiting = done.mail_waiting;
    kept.as_of = done.reached.or(kept.as_of);
}

/// What the keeper knows of a link.
struct Known {
    /// The same link, differently defined, is another one.
    definition: Vec<u8>,
    at_once: Option<Direction>,
    kind: PartnerKind,
    /// When the next round is due.
    next: Option<Micros>,
    /// When the last one began.
    begun: Option<Instant>,
    running: bool,
    woken: bool,
    /// The newest place of our book when a push was last looked for.
    looked: Option<ledger::Seq>,
    /// The id of their collection.
    theirs: Arc<std::sync::Mutex<String>>,
    hearing: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(hearing) = &self.hearing {
            hearing.abort();
        }
    }
}

/// What has happened since the keeper looked last.
#[derive(Default)]
struct News {
    woken: std::sync::Mutex<Vec<String>>,
    done: std::sync::Mutex<Vec<String>>,
    notify: Notify,
}

impl News {
    fn put(list: &std::sync::Mutex<Vec<String>>, name: &str) {
        list.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(name.to_owned());
    }

    fn take(list: &std::sync::Mutex<Vec<String>>) -> Vec<String> {
        std::mem::take(&mut *list.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn wake(&self, name: &str) {
        Self::put(&self.woken, name);
        self.notify.notify_one();
    }

    fn ran(&self, name: &str) {
        Self::put(&self.done, name);
        self.notify.notify_one();
    }
}

/// Runs every link of a node until `stop` says so; rounds under way end behind the page that they are at.
pub async fn keep(tools: Tools, stop: watch::Receiver<bool>) {
    let keeper = Keeper {
        tools,
        stop,
        news: Arc::default(),
        known: HashMap::new(),
        generation: None,
        rounds: tokio::task::JoinSet::new(),
    };
    keeper.run().await;
}

struct Keeper {
    tools: Tools,
    stop: watch::Receiver<bool>,
    news: Arc<News>,
    known: HashMap<String, Known>,
    /// Of the register, and when it was read.
    generation: Option<(u64, Instant)>,
    rounds: tokio::task::JoinSet<()>,
}

impl Keeper {
    async fn run(mut self) {
        while !*self.stop.borrow() {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "the links could not be looked at");
            }
            while self.rounds.try_join_next().is_some() {}
            let mut stop = self.stop.clone();
            tokio::select! {
                () = self.news.notify.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => {}
            }
        }
        self.known.clear();
        // Their requests are bounded in time, and so is the patience of whoever told us to stop.
        while self.rounds.join_next().await.is_some() {}
    }

    async fn look(&mut self) -> ledger::Result<()> {
        let book = Arc::clone(&self.tools.book);
        let held = self.generation;
        let asked = tokio::task::spawn_blocking(move || -> ledger::Result<_> {
            let generation = book.generation()?;
            let fresh = held.is_some_and(|(known, since)| known == generation && since.elapsed() < AFRESH);
            let links = if fresh { None } else { Some(read(&book)?) };
            Ok((generation, links, book.last()?))
        });
        let Ok(asked) = asked.await else { return Ok(()) };
        let (generation, links, newest) = asked?;
        for name in News::take(&self.news.done) {
            self.ran(&name).await?;
        }
        if let Some(links) = links {
            self.generation = Some((generation, Instant::now()));
            self.learn(links);
        }
        for name in News::take(&self.news.woken) {
            if let Some(known) = self.known.get_mut(&name) {
                known.woken = true;
            }
        }
        self.begin(newest);
        Ok(())
    }

    /// Takes over which links there are.
    fn learn(&mut self, links: Vec<(String, Known)>) {
        self.known.retain(|name, known| {
            links.iter().any(|(other, now)| other == name && now.definition == known.definition) || known.running
        });
        for (name, mut read) in links {
            if let Some(known) = self.known.get_mut(&name) {
                if !known.running {
                    known.next = read.next;
                }
                continue;
            }
            if read.at_once == Some(Direction::Pull) && read.kind == PartnerKind::Node {
                let (tools, news, theirs) = (self.tools.clone(), Arc::clone(&self.news), Arc::clone(&read.theirs));
                let link = name.clone();
                read.hearing = Some(tokio::spawn(async move { hearing::hear(tools, link, theirs, news).await }));
            }
            self.known.insert(name, read);
        }
    }

    /// A round is over.
    async fn ran(&mut self, name: &str) -> ledger::Result<()> {
        let (book, link) = (Arc::clone(&self.tools.book), name.to_owned());
        let next = tokio::task::spawn_blocking(move || state::state(&*book, &link).map(|state| state.next));
        let next = next.await.ok().transpose()?.flatten();
        if let Some(known) = self.known.get_mut(name) {
            known.running = false;
            known.next = next;
        }
        Ok(())
    }

    /// Begins the rounds that are due, as far as there is room.
    fn begin(&mut self, newest: Option<ledger::Seq>) {
        let now = crate::clock::now();
        let mut due: Vec<(Option<Micros>, String)> = Vec::new();
        for (name, known) in &mut self.known {
            // What is pushed at once is looked for whenever something came into our book.
            if known.at_once == Some(Direction::Push) && known.looked != newest {
                known.looked = newest;
                known.woken = true;
            }
            let rests = known.begun.is_some_and(|begun| begun.elapsed() < plan::LEAST_APART);
            let waits = known.next.is_some_and(|next| next > now);
            // Whoever is woken does not wait for the schedule, but for what was planned after an error.
            if known.running || rests || !(known.next.is_some_and(|next| next <= now) || known.woken) {
                continue;
            }
            due.push((known.next.filter(|_| !waits), name.clone()));
        }
        due.sort();
        for (planned, name) in due {
            if self.rounds.len() >= SIDE_BY_SIDE {
                break;
            }
            let Some(known) = self.known.get_mut(&name) else { continue };
            (known.running, known.woken, known.begun) = (true, false, Some(Instant::now()));
            let (tools, stop, news, theirs) =
                (self.tools.clone(), self.stop.clone(), Arc::clone(&self.news), Arc::clone(&known.theirs));
            let scheduled = planned.is_some();
            let runtime = tokio::runtime::Handle::current();
            self.rounds.spawn(async move {
                let link = name.clone();
                // The ledger blocks its thread.
                let round = tokio::task::spawn_blocking(move || {
                    runtime.block_on(one_round(&tools, &link, stop, &theirs, scheduled));
                });
                if let Err(error) = round.await {
                    tracing::error!(link = %name, %error, "a round ended abruptly");
                }
                news.ran(&name);
            });
        }
    }
}

/// Every link that does not rest.
fn read(book: &Book) -> ledger::Result<Vec<(String, Known)>> {
    let mut links = Vec::new();
    for link in book.links()?.into_iter().filter(|link| !link.paused) {
        let (Some(partner), Ok(definition)) =
            (book.partner(&link.organisation)?, super::link::Definition::read(&link.definition))
        else {
            continue;
        };
        let kept = state::state(book, &link.name)?;
        let scheduled = definition.every.is_some() || definition.at_once;
        // One that was never run is due now.
        let first = (scheduled && kept.last_round.is_none()).then_some(0);
        let known = Known {
            at_once: definition.at_once.then_some(definition.direction),
            kind: partner.kind,
            next: kept.next.or(first).filter(|_| scheduled),
            begun: None,
            running: false,
            woken: false,
            looked: None,
            theirs: Arc::default(),
            hearing: None,
            definition: link.definition,
        };
        links.push((link.name, known));
    }
    Ok(links)
}

/// One round, told of in the log.
async fn one_round(
    tools: &Tools,
    name: &str,
    stop: watch::Receiver<bool>,
    theirs: &std::sync::Mutex<String>,
    scheduled: bool,
) {
    if !scheduled && !is_wanted(tools, name) {
        return;
    }
    let longest = tools.bounds.round.saturating_mul(2).saturating_add(Duration::from_secs(60));
    let mut ends = stop.clone();
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(longest, tools.run(name, &stop)) => outcome,
        // What is durable is noted page by page: nothing is lost by letting go.
        _ = ends.changed() => return,
    };
    match outcome {
        Ok(Ok(Ran::Done(done))) => {
            theirs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_from(&done.theirs);
            tracing::info!(
                link = name,
                objects = done.objects,
                added = done.added,
                refused = done.refused,
                mail_in = done.mail_in,
                mail_out = done.mail_out,
                "a round of a link"
            );
        }
        Ok(Ok(Ran::Broken(broken))) => {
            tracing::warn!(link = name, error = broken.error.story(), "a round of a link broke off");
        }
        Ok(Ok(Ran::Busy)) => {
            if let Err(error) = later(tools, name) {
                tracing::warn!(link = name, %error, "a link could not be put off");
            }
        }
        Ok(Err(error)) => tracing::warn!(link = name, %error, "a link could not be run"),
        Err(_) => tracing::warn!(link = name, "a round of a link took too long"),
    }
}

/// Whether a round that somebody woke would do anything.
fn is_wanted(tools: &Tools, name: &str) -> bool {
    let asked = || -> Result<bool, Error> {
        let kept = state::state(&*tools.book, name)?;
        // After an error the plan counts, whoever calls.
        if kept.failures > 0 && kept.next.is_some_and(|next| next > crate::clock::now()) {
            return Ok(false);
        }
        let link = tools.book.link(name)?.ok_or_else(|| Error::Unknown(name.to_owned()))?;
        let Some(job) = Job::of(&*tools.book, &link)? else { return Ok(false) };
        if job.definition.direction == Direction::Pull {
            return Ok(true);
        }
        let own = identity::own(&*tools.book, &tools.secret)?;
        let ring = identity::keyring(&*tools.book, &tools.secret)?;
        let organisation = crate::administration::own_organisation(&*tools.book)?.unwrap_or_default();
        let here = Here {
            book: &*tools.book,
            door: &tools.door,
            config: &tools.config,
            keys: &own.keys,
            ring: &ring,
            own: &organisation,
            journal: &*tools.journal,
        };
        Ok(runner::has_news(&here, &job, &tools.bounds, crate::clock::now())?)
    };
    // What is wrong is told when the round is run.
    asked().unwrap_or(true)
}

/// Another process runs the link.
fn later(tools: &Tools, name: &str) -> ledger::Result<()> {
    let mut kept = state::state(&*tools.book, name)?;
    let at = crate::clock::now().saturating_add(BUSY);
    if kept.next.is_some_and(|next| next < at) {
        kept.next = Some(at);
        state::keep_state(&*tools.book, name, &kept)?;
    }
    Ok(())
}
