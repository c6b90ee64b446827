//! What is posted with seals: by a partner to a collection objects with their seals and an envelope, and to the mailbox signed
//! statements; by a member objects of authors who seal.
//!
//! Objects are sorted first: of an author with a card only what the author sealed is kept, what is signed is never kept as
//! an object. The status says of each object what became of it; the audit log says why something was refused.

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::{Asked, Content};
use super::add_objects::{each, receipt_id, row};
use super::mailbox::with_desk;
use super::objects::ours;
use crate::audit::{By, Event, Way};
use crate::import::{Error as ImportError, Listener, Options, Pages, Refusal as Refused};
use crate::intake::Context;
use crate::packed::Budget;
use crate::partners::provenance::{Incoming, Strictness};
use crate::partners::quota;
use crate::partners::recalls::Took;
use crate::writer::Work;
use ::taxii::resource::{Status, StatusRow};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use ledger::{Collection, Micros, Receipt};
use partner::signed::{self, Unverified};
use policy::{Handling, Viewer};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use stix::timestamp::format_micros;

/// Refusals that are written down one by one.
const SHOWN: usize = 20;

/// Who posts.
pub(super) enum Bringer {
    /// Somebody of a partner, by its organisation's name: what the author did not seal is refused.
    Partner(String),
    /// A member of an organisation without a card: what the author did not seal is somebody's word.
    Member(Viewer),
}

/// Takes objects into a collection.
pub(super) async fn objects(
    state: &Arc<State>,
    asked: &Asked,
    body: Bytes,
    collection: Collection,
    bringer: Bringer,
) -> Result<Response<Body>, Refusal> {
    let (member, into, by) = (asked.identity.viewer.name.clone(), collection.no, asked.by());
    let taken = state
        .read(move |state| {
            let objects = split(state, &body)?;
            let mut failures = Failures::default();
            Taking::new(state, bringer, by).objects(&objects, &collection, member, &mut failures)?;
            Ok((rows(&objects), failures))
        })
        .await?;
    answered(state, asked, taken, Some(into)).await
}

/// Takes what a partner puts into the mailbox.
pub(super) async fn mail(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    partner: String,
) -> Result<Response<Body>, Refusal> {
    if !asked.content_is_taxii() {
        return Err(Refusal::unsupported());
    }
    let body = content.read(asked, state.config.taxii.max_content_length).await?;
    let by = asked.by();
    let taken = state
        .read(move |state| {
            let objects = split(state, &body)?;
            let mut failures = Failures::default();
            let taking = Taking::new(state, Bringer::Partner(partner), by);
            let mut statements = Vec::new();
            for object in &objects {
                match signed::read(object) {
                    Ok(statement) => statements.push((statement, object.clone())),
                    Err(error) => failures.add(row(object).id, error.to_string()),
                }
            }
            taking.note("statement-refused", &failures)?;
            taking.statements(&statements, &mut failures)?;
            Ok((rows(&objects), failures))
        })
        .await?;
    answered(state, asked, taken, None).await
}

/// What was refused, by id: as often as it was.
#[derive(Default)]
struct Failures(Vec<(String, String)>);

impl Failures {
    fn add(&mut self, id: String, reason: String) {
        self.0.push((id, reason));
    }
}

/// Somebody brings something.
struct Taking<'s> {
    state: &'s State,
    /// The organisation that brings it.
    organisation: String,
    strictness: Strictness,
    by: By,
    now: Micros,
}

impl<'s> Taking<'s> {
    fn new(state: &'s State, bringer: Bringer, by: By) -> Self {
        let (organisation, strictness, by) = match bringer {
            Bringer::Partner(partner) => {
                let by = By { way: Way::Link, who: None, organisation: Some(partner.clone()), address: None };
                (partner, Strictness::Partner, by)
            }
            Bringer::Member(viewer) => (viewer.organisation.unwrap_or_default(), Strictness::Member, by),
        };
        Self { state, organisation, strictness, by, now: state.sources.now() }
    }

    fn objects(
        &self,
        objects: &[Bytes],
        collection: &Collection,
        member: Option<String>,
        failures: &mut Failures,
    ) -> Result<(), Refusal> {
        let state = self.state;
        let (_, ring) = ours(state)?;
        let known = state.known.now()?;
        let limits = crate::intake::limits(&state.config.limits);
        let incoming = Incoming {
            book: &*state.book,
            partners: &*state.book,
            ring: &ring,
            from: &self.organisation,
            own: known.own_organisation().unwrap_or_default(),
            strictness: self.strictness,
            limits,
            now: self.now,
        };
        let mut held = self.held()?;
        let sizes = objects.iter().filter(|object| !is_statement(object)).map(|object| object.len() as u64);
        let brought = sizes.fold((0, 0), |(objects, bytes), size| (objects + 1, bytes + size));
        // What does not fit is refused as a whole: whoever sends it again has lost nothing. A recall always gets through.
        if let Some(held) = &held
            && brought.0 > 0
            && let Err(refusal) = held.quota().room(brought.0, brought.1, self.now)
        {
            self.tell("quota-reached", format!("collection {}", collection.alias), false, refusal.to_string())?;
            let wait = refusal.until().unwrap_or(self.now).saturating_sub(self.now);
            return Err(Refusal::later(Duration::from_micros(u64::try_from(wait).unwrap_or(0))));
        }
        let sorted = incoming.sort_all(objects)?;
        for refused in sorted.refused {
            failures.add(refused.id, refused.reason);
        }
        // What a partner's node hands over is for us as a whole, where it is RED and for nobody by name.
        let for_us = || known.own_organisation().map(str::to_owned);
        let context = Context {
            collection: collection.no,
            owner: self.organisation.clone(),
            member: if self.strictness == Strictness::Partner { for_us() } else { member },
            recipients: Vec::new(),
            handling: Handling::default(),
            makers: Arc::clone(&known.makers),
        };
        let config = &state.config.limits;
        let budget = Budget { max_bytes: config.max_unpacked_bytes, max_ratio: config.max_unpack_ratio };
        let options = Options { context, keep_20: true, all_or_nothing: false, budget, limits };
        let mut pages = Pages::new(&*state.book, &options);
        let mut told = Told { failures, gave_way: Vec::new() };
        pages.take_sound(&collection.alias, &sorted.sound, &incoming, &mut told).map_err(broken)?;
        let gave_way = told.gave_way;
        let counts = pages.end().map_err(broken)?;
        state.metrics.took(usize::try_from(counts.added + counts.unchanged + counts.conflicts).unwrap_or(usize::MAX));
        for (object, versions) in gave_way {
            self.tell("unsealed-gave-way", object, true, format!("{versions} versions"))?;
        }
        self.note("object-refused", failures)?;
        if let Some(held) = &mut held {
            let refused = failures.0.len() as u64;
            if let Some(until) = held.brought(&*state.book, brought, refused, self.now)? {
                let reason = format!("too much of what it brought was refused: until {}", format_micros(until));
                self.tell("partner-pauses", format!("collection {}", collection.alias), false, reason)?;
            }
        }
        // What is refused of them is written down where it is judged.
        self.statements(&sorted.control, failures)
    }

    /// What the partner may still bring; members are not bounded so.
    fn held(&self) -> Result<Option<quota::Held>, Refusal> {
        if self.strictness != Strictness::Partner {
            return Ok(None);
        }
        Ok(Some(quota::Held::load(&*self.state.book, &self.organisation, self.now)?))
    }

    fn statements(&self, statements: &[(Unverified, Bytes)], failures: &mut Failures) -> Result<(), Refusal> {
        if statements.is_empty() {
            return Ok(());
        }
        if self.strictness == Strictness::Member {
            for (statement, _) in statements {
                let reason = "a statement about objects is no object, and is taken from partners alone";
                failures.add(statement.id.clone(), reason.to_owned());
            }
            return Ok(());
        }
        let state = self.state;
        // To whom something was handed a moment ago must stand in the audit log when it is taken back.
        state.audit.flush()?;
        with_desk(state, |desk| {
            for (statement, body) in statements {
                if let Took::Refused(reason) = desk.take_in(statement, body, &self.organisation)? {
                    failures.add(statement.id.clone(), reason);
                }
            }
            Ok(())
        })
    }

    /// Writes down the first of many refusals, and how many there were.
    fn note(&self, act: &'static str, failures: &Failures) -> Result<(), Refusal> {
        for (id, reason) in failures.0.iter().take(SHOWN) {
            self.tell(act, id.clone(), false, reason.clone())?;
        }
        let more = failures.0.len().saturating_sub(SHOWN);
        if more > 0 {
            self.tell(act, "a request".to_owned(), false, format!("and {more} more in this request"))?;
        }
        Ok(())
    }

    fn tell(&self, act: &'static str, about: String, done: bool, reason: String) -> Result<(), Refusal> {
        let cut = |text: String| text.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
        let (by, partner, about, reason) = (self.by.clone(), self.organisation.clone(), cut(about), cut(reason));
        self.state.audit.note(Event::Partner { by, partner, act, about, done, reason })?;
        Ok(())
    }
}

/// What is told while objects are taken in.
struct Told<'f> {
    failures: &'f mut Failures,
    gave_way: Vec<(String, u64)>,
}

impl Listener for Told<'_> {
    fn refused(&mut self, refusal: Refused) {
        let id = refusal.object.unwrap_or_default();
        // An object that is refused for several reasons is one object.
        if self.failures.0.last().is_none_or(|(last, _)| *last != id || id.is_empty()) {
            self.failures.add(id, format!("{}: {} ({})", refusal.path, refusal.message, refusal.clause));
        }
    }

    fn unreadable(&mut self, error: ImportError) {
        self.failures.add(String::new(), error.to_string());
    }

    fn gave_way(&mut self, object: &str, versions: u64) {
        self.gave_way.push((object.to_owned(), versions));
    }
}

fn broken(error: ImportError) -> Refusal {
    match error {
        ImportError::Ledger(error) => error.into(),
        error => Refusal::internal(error),
    }
}

/// Whether something is a seal or another statement.
fn is_statement(object: &[u8]) -> bool {
    row(object).id.split("--").next().is_some_and(|kind| signed::Kind::of(kind).is_some())
}

/// Splits an envelope. What is no envelope is refused whole, before anything is kept.
fn split(state: &State, text: &Bytes) -> Result<Vec<Bytes>, Refusal> {
    let mut objects = Vec::new();
    each(state, text, &mut |range, _| {
        objects.push(text.slice(range));
        Ok(true)
    })?;
    Ok(objects)
}

fn rows(objects: &[Bytes]) -> Vec<StatusRow> {
    objects.iter().map(|object| row(object)).collect()
}

/// Makes the status, keeps it, and answers.
async fn answered(
    state: &Arc<State>,
    asked: &Asked,
    (rows, failures): (Vec<StatusRow>, Failures),
    into: Option<ledger::CollectionNo>,
) -> Result<Response<Body>, Refusal> {
    let at = format_micros(state.sources.now());
    let mut reasons: HashMap<String, Vec<String>> = HashMap::new();
    for (id, reason) in failures.0 {
        reasons.entry(id).or_default().push(reason);
    }
    let (mut successes, mut failed) = (Vec::new(), Vec::new());
    for row in rows {
        match reasons.get_mut(&row.id).and_then(Vec::pop) {
            Some(reason) => failed.push(StatusRow { message: Some(reason), ..row }),
            // What has no version of its own has that of its arrival.
            None if row.version.is_empty() => successes.push(StatusRow { version: at.clone(), ..row }),
            None => successes.push(row),
        }
    }
    let (kept, refused) = (successes.len() as u64, failed.len() as u64);
    let status = Status::of(receipt_id(state)?, at, successes, failed);
    let body = serde_json::to_vec(&status).map_err(Refusal::internal)?;
    let owner = asked.identity.viewer.name.clone().unwrap_or_default();
    let receipt = Receipt { id: status.id, owner, body: body.clone() };
    let work = Work {
        text: Bytes::new(),
        entries: Vec::new(),
        receipt: Some(Box::new(move |_: &[ledger::Appended]| receipt.clone())),
    };
    state.writer.write(work).await?;
    if let Some(collection) = into {
        let (by, request) = (asked.by(), asked.id.clone());
        // What is kept is kept: that the node is ending is no reason to answer otherwise.
        let _ = state.audit.tell(Event::TakenIn { by, collection, request, objects: kept, refused }).await;
    }
    Ok(answer::bytes(StatusCode::ACCEPTED, body))
}
