//! The desk at which hits become alerts, alerts become sightings, and people answer.
//!
//! Every process that watches has one; what they share lies in the register. Whoever hands hits in may forget them when
//! [`Desk::take`] returns: they are on disk then, and so are the notices that wait.

use super::alert::{Alert, Answered, Rules, State};
use super::confidence::Opinion;
use super::fold::{Folded, Folder};
use super::hit::Hit;
use super::out::{Around, Notice, deliver};
use super::sighting::{self, Frame, markings};
use super::view::Looker;
use crate::config::{Config, Sightings};
use crate::door::Door;
use crate::home::Secret;
use crate::intake::{Classes, Context, Intake, limits};
use crate::known::Known;
use crate::partners::identity;
use crate::partners::provenance::Backing;
use ledger::sqlite::Book;
use ledger::{Alerts as _, CollectionNo, Ledger as _, Micros, Seq, Submission};
use policy::{Audience, Author, Class, Handling, Viewer};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stix::marking::Tlp;
use tokio::sync::watch;

/// What ids of alerts and sightings are made with.
const PURPOSE: &str = "marsad 2026-11 alerts";
/// Hits that are folded in one commit.
const MOST_HITS: usize = 5_000;
/// The pause after hits could not be kept.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);
/// Characters of what people write with an answer.
const MOST_NOTE: usize = 2_000;

/// Why an alert did not become a sighting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The book or the register refused.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// We do not know who we are.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// There is no place for it.
    #[error(
        "there is no collection `{0}`: add it (`marsad collection add {0}`) or name another in `watch.sightings-collection`"
    )]
    Collection(String),
}

/// What has been counted since the process began.
#[derive(Debug, Default)]
pub struct Figures {
    /// Hits that were folded into alerts.
    pub hits: AtomicU64,
    /// Hits that had been counted before.
    pub repeated: AtomicU64,
    /// Hits for which there was no place.
    pub beyond: AtomicU64,
    /// Notices that found no place in a queue, or were given up.
    pub untold: AtomicU64,
    /// Notices that were delivered.
    pub told: AtomicU64,
    /// Sightings that were written.
    pub sighted: AtomicU64,
}

/// What people answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Somebody sees to it.
    Acknowledge,
    /// It is over.
    Close,
    /// The claim is wrong, for all alerts of it and from now on, until one of them is acknowledged again.
    FalsePositive,
}

/// A claim as it stands in the book.
struct Claim {
    class: Class,
}

/// The desk.
pub struct Desk {
    book: Arc<Book>,
    door: Door,
    known: Arc<Known>,
    classes: Classes,
    config: Config,
    secret: Secret,
    key: [u8; 32],
    rules: Rules,
    ways: Vec<&'static str>,
    changed: watch::Sender<u64>,
    /// See [`Figures`].
    pub figures: Figures,
}

impl Desk {
    /// Over a book, as the configuration says.
    #[must_use]
    pub fn new(book: &Arc<Book>, config: &Config, secret: &Secret) -> Self {
        let known = Arc::new(Known::new(Arc::clone(book) as _));
        Self {
            door: Door::new(Arc::clone(book) as _, Arc::clone(&known), config),
            known,
            classes: Classes::default(),
            key: secret.key_for(PURPOSE),
            secret: secret.clone(),
            rules: rules(config),
            ways: deliver::named(config),
            config: config.clone(),
            book: Arc::clone(book),
            changed: watch::Sender::new(0),
            figures: Figures::default(),
        }
    }

    /// Tells of every change that this process makes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn folder(&self) -> Folder<'_> {
        Folder {
            rules: &self.rules,
            by: self.config.alerts.by.into(),
            fields: &self.config.alerts.entity_fields,
            ways: &self.ways,
            key: &self.key,
        }
    }

    /// Takes hits in. They are kept when it returns.
    ///
    /// # Errors
    /// Those of the register: hand all of them in again, those that were counted are known.
    pub fn take(&self, hits: Vec<Hit>, now: Micros) -> ledger::Result<Folded> {
        let hits: Vec<Hit> = hits.into_iter().map(Hit::bounded).collect();
        let mut all = Folded::default();
        for some in hits.chunks(MOST_HITS) {
            let mut folded = Folded::default();
            self.book.alerting(&mut |desk| {
                folded = self.folder().fold(desk, some, now)?;
                Ok(())
            })?;
            all.opened += folded.opened;
            all.counted += folded.counted;
            all.others += folded.others;
            all.repeated += folded.repeated;
            all.beyond += folded.beyond;
            all.untold += folded.untold;
            self.changed.send_modify(|changes| *changes += 1);
        }
        let Figures { hits, repeated, beyond, untold, .. } = &self.figures;
        for (figure, more) in
            [(hits, all.counted), (repeated, all.repeated), (beyond, all.beyond), (untold, all.untold)]
        {
            figure.fetch_add(more, Ordering::Relaxed);
        }
        if all.beyond > 0 {
            tracing::warn!(hits = all.beyond, "too many alerts are open: hits were not counted in any (`alerts.open`)");
        }
        Ok(all)
    }

    /// Takes what the watch meets until nothing comes any more. Not on a thread that runs tasks.
    ///
    /// A batch is said to be safe when it is on disk. One that cannot be kept is let go without that word, and comes again.
    pub fn follow(&self, mut queue: crate::watch::Queue) {
        while let Some(batch) = queue.wait() {
            let hits = batch.hits.iter().map(Hit::of).collect();
            match self.take(hits, crate::clock::now()) {
                Ok(_) => {
                    crate::watch::runner::log_hits(&batch.hits);
                    batch.taken();
                }
                Err(error) => {
                    tracing::warn!(%error, hits = batch.hits.len(), "hits could not be kept: they come again");
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Does what time brings: closes, tells again, and writes sightings.
    ///
    /// # Errors
    /// Those of the register.
    pub fn tick(&self, now: Micros) -> ledger::Result<()> {
        let mut more = true;
        while more {
            let mut ticked = super::fold::Ticked::default();
            self.book.alerting(&mut |desk| {
                ticked = self.folder().tick(desk, now)?;
                Ok(())
            })?;
            more = ticked.more;
            if ticked.closed + ticked.told > 0 {
                self.changed.send_modify(|changes| *changes += 1);
            }
            self.figures.untold.fetch_add(ticked.untold, Ordering::Relaxed);
            for row in &ticked.sight {
                match self.sight(row, now) {
                    Ok(()) => {}
                    Err(Error::Ledger(error)) => return Err(error),
                    Err(error) => tracing::warn!(%error, alert = row.id, "no sighting could be written"),
                }
            }
        }
        Ok(())
    }

    /// Erases what is older than the configuration keeps. Returns how many.
    ///
    /// # Errors
    /// Those of the register.
    pub fn forget(&self, now: Micros) -> ledger::Result<u64> {
        let kept = i64::try_from(self.config.alerts.keep_days.saturating_mul(86_400_000_000)).unwrap_or(i64::MAX);
        let mut erased = 0;
        self.book.alerting(&mut |desk| {
            erased = desk.forget(now.saturating_sub(kept), self.config.alerts.kept)?;
            Ok(())
        })?;
        Ok(erased)
    }

    /// Writes the sighting of an alert, or its next version.
    fn sight(&self, row: &ledger::Alert, now: Micros) -> Result<(), Error> {
        let Some(alert) = Alert::read(&row.body) else { return Ok(()) };
        // Of what is not in the book any more nothing is said.
        if let Some(claim) = self.claim(&alert.indicator)? {
            let own = identity::own(&*self.book, &self.secret)?;
            let identity = (!self.config.watch.sightings_anonymous).then(|| own.card.node());
            let markings = self.markings(&claim);
            let frame = Frame { identity, markings: &markings, key: &self.key, now };
            let mut objects = self.introduction(identity, &own.card.organisation, now)?;
            objects.extend(sighting::objects(row, &alert, &frame, &mut Intake::new()));
            self.write(&own.card.organisation, &objects, &self.handling(&claim), &claim, now)?;
            self.figures.sighted.fetch_add(1, Ordering::Relaxed);
        }
        self.book.alerting(&mut |desk| self.folder().sighted(desk, &row.id, alert.count, now))?;
        Ok(())
    }

    /// Our identity as an object, if it is not in the book: without it a reference to us is one to nothing, and is taken out
    /// of what others get. Our name is on our card, so the community knows it.
    fn introduction(&self, identity: Option<&str>, organisation: &str, now: Micros) -> Result<Vec<Vec<u8>>, Error> {
        let Some(identity) = identity else { return Ok(Vec::new()) };
        let mut there = false;
        self.book.look(&mut |book| {
            let _ = book.places(identity, &mut |_, _| {
                there = true;
                false
            });
        })?;
        if there {
            return Ok(Vec::new());
        }
        let marking = [Tlp::Green.id().to_owned()];
        let frame = Frame { identity: None, markings: &marking, key: &self.key, now };
        let mut object = sighting::head("identity", identity.to_owned(), now, &frame);
        object.insert("name".into(), organisation.into());
        object.insert("identity_class".into(), "organization".into());
        Ok(vec![sighting::text(object)])
    }

    /// The markings of what we say of a claim.
    fn markings(&self, claim: &Claim) -> Vec<String> {
        let Class { markings: whole, granular, binding, .. } = &claim.class;
        let all: Vec<String> = whole.iter().chain(granular).chain(binding).cloned().collect();
        markings(&all, self.config.policy.default_marking.into())
    }

    /// The limits of what we say of a claim: those of the claim, and our own.
    fn handling(&self, claim: &Claim) -> Handling {
        match self.config.watch.sightings {
            Sightings::Source => claim.class.handling.clone(),
            Sightings::Own | Sightings::None => {
                claim.class.handling.and(&Handling { audience: vec![Audience::Organisation], ..Handling::default() })
            }
        }
    }

    /// The newest version of an object, whoever may see it; `None`: there is none.
    fn claim(&self, id: &str) -> ledger::Result<Option<Claim>> {
        let mut newest: Option<(Seq, ledger::ClassNo)> = None;
        self.book.look(&mut |book| {
            let _ = book.versions(id, &mut |met| {
                if newest.is_none_or(|(seq, _)| seq < met.seq) {
                    newest = Some((met.seq, met.class));
                }
                true
            });
        })?;
        let Some((_, class)) = newest else { return Ok(None) };
        let class = self.book.class_definition(class)?.and_then(|bytes| Class::from_definition(&bytes));
        Ok(class.map(|class| Claim { class }))
    }

    /// Adds objects of ours to the book by the road that everything takes.
    fn write(
        &self,
        own: &str,
        objects: &[Vec<u8>],
        handling: &Handling,
        claim: &Claim,
        now: Micros,
    ) -> Result<(), Error> {
        let name = &self.config.watch.sightings_collection;
        let snapshot = self.known.now()?;
        let collection = snapshot.collection(name).ok_or_else(|| Error::Collection(name.clone()))?.no;
        let mut context = Context::new(collection, own.to_owned(), &*self.book)?;
        context.handling = handling.clone();
        // Who may have the claim may have what is said of it.
        context.recipients = claim.class.recipients.clone();
        let mut intake = Intake::new();
        intake.limit(limits(&self.config.limits));
        for object in objects {
            let taken = match intake.take(object) {
                Ok(taken) => taken,
                Err(findings) => {
                    tracing::error!(?findings, "an object of the watch is none");
                    continue;
                }
            };
            let mut class = context.class(&taken, Backing::none());
            let nobodys = taken.head.created_by_ref.is_none() && taken.head.object_type != "identity";
            if self.config.watch.sightings_anonymous && nobodys {
                // What is ours is sealed on its way, and a seal says whose it is.
                class.author = Author::Foreign;
            }
            let number = self.classes.number(&*self.book, &class)?;
            let references: Vec<&str> = taken.head.references.iter().map(AsRef::as_ref).collect();
            let entry = taken.entry(collection, number, &references);
            let submission = Submission { entries: &[entry], receipt: None };
            let done = self.book.append(&[submission], now, &stix::canonical::equivalent)?;
            if let Some(ledger::Appended::Conflict(_) | ledger::Appended::Quarantined(_)) =
                done.first().and_then(|of| of.first())
            {
                tracing::warn!(object = %taken.head.id, "an object of the watch is kept aside: the book holds another of this version");
            }
        }
        Ok(())
    }

    /// Answers an alert. `None`: there is no such alert.
    ///
    /// # Errors
    /// Those of the register.
    pub fn answer(
        &self,
        id: &str,
        answer: Answer,
        (by, note): (&str, &str),
        now: Micros,
    ) -> ledger::Result<Option<ledger::Alert>> {
        let note: String = note.chars().take(MOST_NOTE).collect();
        let (mut answered, mut was_wrong) = (None, false);
        self.book.alerting(&mut |desk| {
            let Some(row) = desk.alert(id)? else { return Ok(()) };
            let Some(mut alert) = Alert::read(&row.body) else { return Ok(()) };
            // Also where this one alert was closed since.
            was_wrong = alert.state == State::FalsePositive || desk.is_wrong(&row.indicator)?;
            match answer {
                Answer::FalsePositive => self.folder().verdict(desk, &row.indicator, true, now)?,
                // Whoever sees to it after all takes the word back, for all alerts of the claim.
                Answer::Acknowledge if was_wrong => {
                    self.folder().verdict(desk, &row.indicator, false, now)?;
                }
                Answer::Acknowledge | Answer::Close => {}
            }
            alert.state = match answer {
                Answer::Acknowledge => State::Acknowledged,
                Answer::Close => State::Closed,
                Answer::FalsePositive => State::FalsePositive,
            };
            alert.answered = Some(Answered { by: by.to_owned(), at: now, note: note.clone() });
            let open = row.open && answer != Answer::Close;
            let due = Some(alert.due(&self.rules).max(now));
            desk.put(&ledger::Alert { open, due, body: alert.body(), ..row }, now)?;
            // Nobody has to be told any more.
            for way in &self.ways {
                desk.told(way, id, alert.notices)?;
            }
            answered = desk.alert(id)?;
            Ok(())
        })?;
        self.changed.send_modify(|changes| *changes += 1);
        if let Some(row) = &answered {
            let opinion = match (answer, was_wrong) {
                (Answer::FalsePositive, _) => Some(Opinion::StronglyDisagree),
                // Whoever thinks better of it takes the word back.
                (Answer::Acknowledge, true) => Some(Opinion::Neutral),
                _ => None,
            };
            if let Some(opinion) = opinion
                && let Err(error) = self.opine(&row.indicator, opinion, &note, now)
            {
                match error {
                    Error::Ledger(error) => return Err(error),
                    error => tracing::warn!(%error, indicator = row.indicator, "no opinion could be written"),
                }
            }
        }
        Ok(answered)
    }

    /// Says in the book what our organisation thinks of a claim: one opinion, in as many versions as there are thoughts.
    fn opine(&self, indicator: &str, opinion: Opinion, note: &str, now: Micros) -> Result<(), Error> {
        let Some(claim) = self.claim(indicator)? else { return Ok(()) };
        let own = identity::own(&*self.book, &self.secret)?;
        let (identity, organisation) = (own.card.node(), &own.card.organisation);
        let markings = self.markings(&claim);
        let frame = Frame { identity: Some(identity), markings: &markings, key: &self.key, now };
        let id = sighting::named("opinion", indicator, &self.key);
        let created = self.created(&id)?.unwrap_or(now);
        let mut object = sighting::head("opinion", id, created, &frame);
        object.insert("opinion".into(), opinion.word().into());
        object.insert("object_refs".into(), json!([indicator]));
        if !note.trim().is_empty() {
            object.insert("explanation".into(), note.into());
        }
        let mut objects = self.introduction(Some(identity), organisation, now)?;
        objects.push(sighting::text(object));
        let mut handling = self.handling(&claim);
        if self.config.watch.sightings_anonymous {
            handling = handling.and(&Handling { audience: vec![Audience::Organisation], ..Handling::default() });
        }
        self.write(organisation, &objects, &handling, &claim, now)
    }

    /// When an object of ours was first made.
    fn created(&self, id: &str) -> ledger::Result<Option<Micros>> {
        let mut created = None;
        self.book.look(&mut |book| {
            let _ = book.versions(id, &mut |met| {
                let object: Option<serde_json::Value> = serde_json::from_slice(met.body).ok();
                let text = object.as_ref().and_then(|object| object.get("created")?.as_str());
                created = text.and_then(|text| stix::timestamp::Timestamp::parse(text).ok()).map(|at| at.micros);
                created.is_none()
            });
        })?;
        Ok(created)
    }

    /// The notice of an alert as one viewer may have it; `None`: nothing of it.
    ///
    /// # Errors
    /// Those of the book.
    pub fn notice(
        &self,
        row: &ledger::Alert,
        alert: &Alert,
        number: u64,
        looker: &Looker<'_>,
    ) -> ledger::Result<Option<Notice>> {
        let Some(indicator) = looker.indicator(&alert.indicator)? else { return Ok(None) };
        let around = Around {
            public_url: &self.config.server.public_url,
            sights: (self.rules.sight.is_some() && alert.sighted.is_some()).then_some(&self.key),
        };
        let mut notice = Notice::of(row, alert, number, indicator, &around);
        notice.values.retain_mut(|(_, value)| match looker.text(value) {
            Some(text) => {
                *value = text;
                true
            }
            None => false,
        });
        notice.entity = looker.text(&notice.entity).unwrap_or_default();
        Ok(Some(notice))
    }

    /// The notice as it goes out: to the viewer whom the configuration names.
    ///
    /// # Errors
    /// Those of the book and the register.
    pub fn outgoing(&self, id: &str, number: u64, now: Micros) -> ledger::Result<Option<Notice>> {
        let Some(row) = self.book.alert(id)? else { return Ok(None) };
        let Some(alert) = Alert::read(&row.body) else { return Ok(None) };
        // It began to wait before the book said that the claim is wrong.
        if alert.state == State::FalsePositive {
            return Ok(None);
        }
        let Some(viewer) = self.viewer()? else { return Ok(None) };
        let snapshot = self.known.now()?;
        let reads = |no: CollectionNo| {
            let collection = snapshot.collections.iter().find(|collection| collection.no == no);
            collection.is_some_and(|collection| policy::may(&viewer, &crate::accounts::who(&collection.read)))
        };
        let looker = Looker { book: &*self.book, door: &self.door, viewer: &viewer, reads: &reads, at: now };
        self.notice(&row, &alert, number, &looker)
    }

    fn viewer(&self) -> ledger::Result<Option<Viewer>> {
        match self.config.alerts.viewer.as_str() {
            "" => {
                let snapshot = self.known.now()?;
                let name = snapshot.own_organisation().map(str::to_owned);
                Ok(Some(Viewer { name: name.clone(), organisation: name, relation: policy::Relation::Own }))
            }
            word => crate::why::named(&*self.book, word),
        }
    }

    /// The register, the door and the bounds, for the ways out.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }
}

/// What the configuration says of alerts.
fn rules(config: &Config) -> Rules {
    let minutes = |minutes: u64| i64::try_from(minutes.max(1).saturating_mul(60_000_000)).unwrap_or(i64::MAX);
    let alerts = &config.alerts;
    let sights = config.watch.sightings != Sightings::None;
    Rules {
        again: minutes(alerts.again_minutes),
        quiet: minutes(alerts.quiet_minutes),
        samples: usize::try_from(alerts.samples.clamp(1, 100)).unwrap_or(1),
        entities: alerts.entities.max(1),
        open: alerts.open.max(1),
        queue: alerts.queue.max(1),
        sight: sights.then(|| minutes(config.watch.sightings_minutes)),
    }
}
