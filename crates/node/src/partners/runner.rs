//! One round of a link: objects over it, then the signed statements that wait on both sides.
//!
//! Time, chance and waiting come from the client's transport, so that a whole exchange can be driven without a clock. What is
//! durable on its side is noted page by page: whatever breaks off is gone on with. A round blocks its thread while the
//! ledger works: it wants a thread of its own.

mod ahead;
mod budget;
mod mail;
mod pulling;
mod pushing;

use super::backfill;
use super::link::{BadDefinition, Definition, Direction};
use super::quota;
use super::recalls::Desk;
use super::state;
use crate::audit::{self, By, Event, Way};
use crate::config::Config;
use crate::door::Door;
use crate::intake::Classes;
use ledger::{Collection, Journal, Ledger, Micros, Partner, PartnerKind, Partners, People};
use partner::key::Keys;
use partner::trust::Keyring;
use policy::Viewer;
use std::time::Duration;
use taxii::client::{Client, Found, Transport};

/// Everything that a link needs of a book.
pub trait Book: Ledger + People + Partners {}

impl<B: Ledger + People + Partners> Book for B {}

/// This node, as a link sees it.
pub struct Here<'a, B> {
    /// The book and the register.
    pub book: &'a B,
    /// The door.
    pub door: &'a Door,
    /// The configuration.
    pub config: &'a Config,
    /// Our keys.
    pub keys: &'a Keys,
    /// Our card and those of partners.
    pub ring: &'a Keyring,
    /// Our own organisation.
    pub own: &'a str,
    /// The audit log.
    pub journal: &'a dyn Journal,
}

impl<B> Clone for Here<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Here<'_, B> {}

/// A link, and the partner to whom it leads.
#[derive(Clone, Debug)]
pub struct Job {
    /// The link's name.
    pub name: String,
    /// The partner.
    pub partner: Partner,
    /// What the link does.
    pub definition: Definition,
}

impl Job {
    /// The job of a link that is kept. `None`: its partner is gone.
    ///
    /// # Errors
    /// [`Error::Definition`], and those of the register.
    pub fn of(book: &dyn Partners, link: &ledger::partners::Link) -> Result<Option<Self>, Error> {
        let definition = Definition::read(&link.definition)?;
        let partner = book.partner(&link.organisation)?;
        Ok(partner.map(|partner| Self { name: link.name.clone(), partner, definition }))
    }
}

/// How far one round goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// A round that takes longer ends behind the page that it is at, and the next one goes on there.
    pub round: Duration,
    /// Objects of one page; of a page that is pulled at first.
    pub objects: usize,
    /// Objects of one page that is pulled, when pages come quickly.
    pub grown: usize,
    /// Bytes of one page that is pushed, or one object.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { round: Duration::from_secs(300), objects: 400, grown: 4_000, bytes: 2 << 20 }
    }
}

/// Why a round ended before everything was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    /// It took too long, or was told to end.
    Time,
    /// The link's budget is spent; there is more of it from then on.
    Budget(Micros),
}

/// What a round did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Round {
    /// When it began.
    pub begun: Micros,
    /// Pages.
    pub pages: u64,
    /// Objects that came; or that were sent.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// New here; or taken there.
    pub added: u64,
    /// Known here.
    pub unchanged: u64,
    /// Kept aside here: they contradict what is there.
    pub conflicts: u64,
    /// Not taken, here or there.
    pub refused: u64,
    /// Left out on purpose: they came from there.
    pub left_out: u64,
    /// Of those that were sent: nobody knows yet, and they are sent again.
    pub pending: u64,
    /// Signed statements that came.
    pub mail_in: u64,
    /// Of those: refused.
    pub mail_refused: u64,
    /// Signed statements that went.
    pub mail_out: u64,
    /// Signed statements that wait for the partner at the end.
    pub mail_waiting: u64,
    /// Everything that was added until then has been taken or given.
    pub reached: Option<Micros>,
    /// The id of their collection.
    pub theirs: String,
    /// Why there is more.
    pub held: Option<Held>,
    /// What is odd, each once.
    pub warnings: Vec<String>,
}

impl Round {
    fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if self.warnings.len() < 20 && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// Why a round could not be done, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The other side.
    #[error(transparent)]
    Taxii(Box<taxii::client::Error>),
    /// The store.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The link cannot be understood.
    #[error(transparent)]
    Definition(#[from] BadDefinition),
    /// The store, while taking in.
    #[error(transparent)]
    Import(#[from] crate::import::Error),
    /// The other side says that we may not.
    #[error("the server does not let this account {doing} the collection `{title}`: ask its operator")]
    Rights {
        /// `read` or `write to`.
        doing: &'static str,
        /// The collection's title there.
        title: String,
    },
    /// Our side says that the partner may not.
    #[error("`{organisation}` may not read the collection `{alias}`, so nothing of it is pushed there")]
    Viewer {
        /// The partner.
        organisation: String,
        /// The collection here.
        alias: String,
    },
    /// The collection of ours is gone.
    #[error("there is no collection `{0}` here any more")]
    Collection(String),
    /// A defect: nothing of the page was sent.
    #[error(transparent)]
    Leak(#[from] policy::Leak),
    /// A page of the ledger is not what it must be.
    #[error("the ledger gave a page that cannot be split into objects: run `marsad check`")]
    Page,
}

impl From<taxii::client::Error> for Error {
    fn from(error: taxii::client::Error) -> Self {
        Self::Taxii(Box::new(error))
    }
}

impl Error {
    /// What the partner asked to wait.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Taxii(error) => match &**error {
                taxii::client::Error::Busy { wait, .. } => *wait,
                _ => None,
            },
            _ => None,
        }
    }

    /// The whole story in words.
    #[must_use]
    pub fn story(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let message = cause.to_string();
            if !text.contains(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            source = cause.source();
        }
        text
    }
}

/// A round that broke off, and what it had done by then.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Broken {
    /// What stands.
    pub done: Round,
    /// Why.
    #[source]
    pub error: Error,
}

/// Asked after every page that is durable: whether the round shall go on.
pub type GoesOn<'g> = &'g mut (dyn FnMut(&Round) -> ledger::Result<bool> + Send);

/// Runs one round. `goes_on` is asked after each page.
///
/// # Errors
/// [`Broken`].
pub async fn round<T: Transport, B: Book>(
    client: &Client<T>,
    here: &Here<'_, B>,
    job: &Job,
    bounds: &Bounds,
    goes_on: GoesOn<'_>,
) -> Result<Round, Box<Broken>> {
    let begun = client.transport().now();
    let mut done = Round { begun, ..Round::default() };
    let mut running = match Running::begin(here, job, bounds, begun) {
        Ok(running) => running,
        Err(error) => return Err(Box::new(Broken { done, error })),
    };
    let outcome = running.run(client, &mut done, goes_on).await;
    done.mail_waiting = here.book.mail(&job.partner.organisation, i64::MIN, 1_000).map_or(0, |mail| mail.len() as u64);
    match outcome {
        Ok(()) => Ok(done),
        Err(error) => Err(Box::new(Broken { done, error })),
    }
}

/// Whether there is anything to push: asked before the partner is, so that what it may not have costs it nothing.
///
/// # Errors
/// [`Error`].
pub fn has_news<B: Book>(here: &Here<'_, B>, job: &Job, bounds: &Bounds, now: Micros) -> Result<bool, Error> {
    if !here.book.mail(&job.partner.organisation, i64::MIN, 1)?.is_empty() {
        return Ok(true);
    }
    Running::begin(here, job, bounds, now)?.is_anything_new(now)
}

/// A round under way.
struct Running<'a, B> {
    here: Here<'a, B>,
    job: &'a Job,
    bounds: &'a Bounds,
    /// When it ends at the latest.
    ends: Micros,
    /// Our collection.
    ours: Collection,
    classes: Classes,
    budget: budget::Budget,
}

impl<'a, B: Book> Running<'a, B> {
    fn begin(here: &Here<'a, B>, job: &'a Job, bounds: &'a Bounds, now: Micros) -> Result<Self, Error> {
        job.definition.check()?;
        let ours = &job.definition.ours;
        let ours = here.book.collection(ours)?.ok_or_else(|| Error::Collection(ours.clone()))?;
        let budget = budget::Budget::load(here.book, job)?;
        let longest = Micros::try_from(bounds.round.as_micros()).unwrap_or(Micros::MAX);
        Ok(Self {
            here: *here,
            job,
            bounds,
            ends: now.saturating_add(longest),
            ours,
            classes: Classes::default(),
            budget,
        })
    }

    async fn run<T: Transport>(
        &mut self,
        client: &Client<T>,
        done: &mut Round,
        goes_on: GoesOn<'_>,
    ) -> Result<(), Error> {
        let address = self.job.definition.address()?;
        let found = client.find(&address, &self.job.definition.theirs).await?;
        done.theirs.clone_from(&found.collection.id);
        // First: what is taken back must not wait until everything has come. What goes wrong with it holds no object up.
        let mail = match self.job.partner.kind {
            PartnerKind::Node => self.exchange_mail(client, &found, done).await,
            PartnerKind::Foreign => Ok(()),
        };
        match self.job.definition.direction {
            Direction::Pull => self.pull(client, &found, done, goes_on).await?,
            Direction::Push => self.push(client, &found, done, goes_on).await?,
        }
        // What is signed lies among the objects that are pulled from others, and is put among those that are pushed there.
        if self.job.partner.kind == PartnerKind::Foreign && self.job.definition.direction == Direction::Push {
            self.give_mail(client, &found, done).await?;
            self.ask_to_delete(client, &found, done).await?;
        }
        mail
    }

    /// The same for what the partner brings, which is bounded over all its links, and for a page that was asked for earlier.
    fn allowance_in(&self, now: Micros, asked: Micros, done: &mut Round) -> Result<Option<u64>, Error> {
        let Some(most) = self.allowance(now, asked, done) else { return Ok(None) };
        let held = quota::Held::load(self.here.book, &self.job.partner.organisation, now)?;
        if let Err(refusal) = held.quota().open(now) {
            done.warn(refusal.to_string());
            done.held = Some(Held::Budget(refusal.until().unwrap_or(now)));
            return Ok(None);
        }
        Ok(Some(most.min(held.quota().left(now)).max(1)))
    }

    /// Whether the round may take a further page, and how many objects the budget has; says why not.
    fn allowance(&self, now: Micros, asked: Micros, done: &mut Round) -> Option<u64> {
        // One page goes in any case: a round that took long to come so far would else never get on.
        if asked >= self.ends && done.pages > 0 {
            done.held = Some(Held::Time);
            return None;
        }
        match self.budget.left(now) {
            Ok(objects) => Some(objects),
            Err(again) => {
                done.held = Some(Held::Budget(again));
                None
            }
        }
    }

    /// How far the link has come; nowhere, if it has to read from the beginning.
    fn reached(&self) -> ledger::Result<state::Reached> {
        let (book, name) = (self.here.book, &self.job.name);
        let mut reached = state::reached(book, name, &self.job.definition.fingerprint())?;
        if backfill::is_asked(book, name)? {
            (reached.pulled, reached.pushed, reached.again) = (None, None, None);
            state::keep_reached(book, name, &reached)?;
            backfill::begun(book, name)?;
        }
        Ok(reached)
    }

    fn keep_reached(&self, reached: &state::Reached) -> ledger::Result<()> {
        state::keep_reached(self.here.book, &self.job.name, reached)
    }

    /// The partner, as the policy sees it: a member of its organisation, nobody in particular.
    fn viewer(&self) -> Result<Viewer, Error> {
        let lower = self.job.partner.organisation.to_lowercase();
        let all = self.here.book.organisations()?;
        let found = all.into_iter().find(|organisation| organisation.name.to_lowercase() == lower);
        let gone = || ledger::Error::Missing { what: "organisation", name: self.job.partner.organisation.clone() };
        let organisation = found.ok_or_else(gone)?;
        Ok(Viewer {
            name: Some(organisation.name.clone()),
            relation: crate::accounts::relation(organisation.relation),
            organisation: Some(organisation.name),
        })
    }

    /// Where recalls are taken in and followed.
    fn desk(&self, now: Micros) -> Desk<'_> {
        let here = &self.here;
        Desk {
            book: here.book,
            journal: here.journal,
            door: here.door,
            classes: &self.classes,
            keys: here.keys,
            ring: here.ring,
            own: here.own,
            now,
        }
    }

    /// Who is written down as the one who did it.
    fn by(&self) -> By {
        let organisation = Some(self.job.partner.organisation.clone());
        By { way: Way::Link, who: None, organisation, address: None }
    }

    /// Writes down what passed between us and the partner, or was refused.
    fn note(&self, act: &'static str, about: &str, done: bool, reason: &str) -> ledger::Result<()> {
        let partner = self.job.partner.organisation.clone();
        let (about, reason) = (cut(about), cut(reason));
        let event = Event::Partner { by: self.by(), partner, act, about, done, reason };
        audit::write_now(self.here.journal, &event).map(drop)
    }

    /// Writes down the first of many refusals, and how many there were.
    fn note_refusals(&self, act: &'static str, refusals: &[(String, String)]) -> ledger::Result<()> {
        const SHOWN: usize = 20;
        for (id, reason) in refusals.iter().take(SHOWN) {
            self.note(act, id, false, reason)?;
        }
        let more = refusals.len().saturating_sub(SHOWN);
        if more > 0 {
            self.note(act, &format!("link {}", self.job.name), false, &format!("and {more} more on this page"))?;
        }
        Ok(())
    }
}

/// A stranger's words in the audit log.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The server's word, which may hold anything.
fn title(found: &Found) -> String {
    found.collection.title.chars().filter(|c| !c.is_control()).take(100).collect()
}
