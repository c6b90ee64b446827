//! `POST …/objects/` (TAXII 2.1 §5.5): the good objects are kept, the others named with what is wrong with them.

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::{Asked, Content};
use super::with_seals::{self, Bringer};
use super::{collection, mailbox, named};
use crate::audit::Event;
use crate::intake::{Context, Intake, Taken};
use crate::partners::provenance::Backing;
use crate::validate_files::placed;
use crate::writer::{OwnedEntry, Work};
use ::taxii::resource::{Status, StatusRow};
use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use ledger::{Appended, ClassNo, Receipt, Seq};
use partner::signed::Kind;
use policy::{Class, Handling, Viewer};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use stix::split::{Form, Place, Walk};
use stix::timestamp::format_micros;

/// An envelope of at most so many bytes is judged where it arrives: handing it to another thread would cost more.
const SMALL: usize = 16 * 1024;

thread_local! {
    static INTAKE: RefCell<Intake> = RefCell::new(Intake::new());
}

/// Adds what is in the envelope.
pub(in super::super) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: &str,
) -> Result<Response<Body>, Refusal> {
    let (collection, rights) = collection(state, asked, name)?;
    if !rights.write {
        return Err(match asked.identity.role {
            None => Refusal::unauthorized().of(named(&collection)),
            Some(_) => Refusal::forbidden("this collection is not yours to write").of(named(&collection)),
        });
    }
    if !asked.content_is_taxii() {
        return Err(Refusal::unsupported());
    }
    if let Some(partner) = mailbox::partner(state, asked)? {
        let body = content.read(asked, state.config.taxii.max_content_length).await?;
        return with_seals::objects(state, asked, body, collection, Bringer::Partner(partner)).await;
    }
    let viewer = asked.identity.viewer.clone();
    let context = Context {
        collection: collection.no,
        owner: viewer.organisation.clone().unwrap_or_default(),
        member: viewer.name.clone(),
        recipients: Vec::new(),
        handling: Handling::default(),
        makers: Arc::clone(&state.known.now()?.makers),
    };
    let body = content.read(asked, state.config.taxii.max_content_length).await?;
    let judged = if body.len() <= SMALL {
        let known = |class: &Class| Ok(state.classes.remembered(class));
        judge(state, &body, &context, &known)?
    } else {
        Judged::Unnumbered
    };
    let judged = match judged {
        Judged::Unnumbered => {
            let body = body.clone();
            state.read(move |state| judge_anew(state, &body, &context)).await?
        }
        other => other,
    };
    let envelope = match judged {
        Judged::All(envelope) => envelope,
        Judged::Sealed => return with_seals::objects(state, asked, body, collection, Bringer::Member(viewer)).await,
        Judged::Unnumbered => return Err(Refusal::internal("a policy class without a number")),
    };
    let (objects, refused) = (envelope.entries.len() as u64, envelope.failures.len() as u64);
    let revoked: Vec<String> =
        envelope.entries.iter().filter(|entry| entry.revoked).map(|entry| entry.key.clone()).collect();
    let status = keep(state, envelope, viewer).await?;
    if !revoked.is_empty() {
        tell_revoked(state, asked.by(), revoked).await?;
    }
    let (by, request, collection) = (asked.by(), asked.id.clone(), collection.no);
    // What is kept is kept: that the node is ending is no reason to answer otherwise.
    let _ = state.audit.tell(Event::TakenIn { by, collection, request, objects, refused }).await;
    Ok(answer::bytes(StatusCode::ACCEPTED, status))
}

/// Whoever was given an object is told that it is revoked, though its last version may not go to them.
async fn tell_revoked(state: &Arc<State>, by: crate::audit::By, objects: Vec<String>) -> Result<(), Refusal> {
    state
        .read(move |state| {
            state.audit.flush()?;
            let tell = |object: &String| state.office.at(state.sources.now(), |desk| desk.revoked(object, &by));
            objects.iter().try_for_each(|object| tell(object).map(drop)).map_err(Refusal::internal)
        })
        .await
}

/// An envelope whose objects have been judged.
#[derive(Default)]
struct Envelope {
    text: Bytes,
    entries: Vec<OwnedEntry>,
    failures: Vec<StatusRow>,
}

/// How far an envelope was judged.
enum Judged {
    /// Wholly.
    All(Envelope),
    /// Not at all, as a policy class has no number that can be had without waiting.
    Unnumbered,
    /// Not at all: there are seals in it, or objects of which a seal is asked.
    Sealed,
}

/// Judges an envelope on a thread that may wait for the ledger.
fn judge_anew(state: &State, text: &Bytes, context: &Context) -> Result<Judged, Refusal> {
    judge(state, text, context, &|class: &Class| Ok(Some(state.classes.number(&*state.book, class)?)))
}

/// The number of a policy class; `None` if it cannot be had without waiting.
type Number<'n> = dyn Fn(&Class) -> Result<Option<ClassNo>, Refusal> + 'n;

/// Splits the envelope and judges each object. What is no envelope is refused whole, before anything is kept.
fn judge(state: &State, text: &Bytes, context: &Context, number: &Number<'_>) -> Result<Judged, Refusal> {
    INTAKE.with_borrow_mut(|intake| judge_with(intake, state, text, context, number))
}

fn judge_with(
    intake: &mut Intake,
    state: &State,
    text: &Bytes,
    context: &Context,
    number: &Number<'_>,
) -> Result<Judged, Refusal> {
    intake.limit(crate::intake::limits(&state.config.limits));
    let asks_for_seals = context.makers.know_cards();
    let mut envelope = Envelope { text: text.clone(), ..Envelope::default() };
    let mut unfit = None;
    each(state, text, &mut |range, place| {
        let bytes = text.get(range.clone()).unwrap_or_default();
        match intake.take(bytes) {
            Ok(taken) if asks_for_seals && is_asked(&taken, context) => unfit = Some(Judged::Sealed),
            Ok(taken) => match number(&context.class(&taken, Backing::none()))? {
                Some(class) => envelope.entries.push(owned(&taken, context, class, range)),
                None => unfit = Some(Judged::Unnumbered),
            },
            Err(findings) => envelope.failures.push(failure(bytes, place, &findings)),
        }
        Ok(unfit.is_none())
    })?;
    Ok(unfit.unwrap_or(Judged::All(envelope)))
}

/// Whether a seal is asked of an object, or it is a statement itself.
fn is_asked(taken: &Taken<'_>, context: &Context) -> bool {
    let asks = |identity: &str| context.makers.asks(identity, &context.owner);
    taken.head.created_by_ref.as_deref().is_some_and(asks) || Kind::of(&taken.head.object_type).is_some()
}

/// Called with each object and its place, and says whether to go on.
type Take<'t> = dyn FnMut(Range<usize>, &Place) -> Result<bool, Refusal> + 't;

/// Splits the envelope, and lets `take` have each of its objects.
pub(super) fn each(state: &State, text: &Bytes, take: &mut Take<'_>) -> Result<(), Refusal> {
    let unprocessable = |why: &dyn std::fmt::Display| {
        Refusal::bad(StatusCode::UNPROCESSABLE_ENTITY, "this is no TAXII envelope with objects", why)
    };
    let mut walk = Walk::new(text, crate::intake::limits(&state.config.limits));
    let mut count = 0;
    loop {
        let item = walk.next_item().map_err(|fault| unprocessable(&fault))?;
        let Some(item) = item else { break };
        if item.place.form != Form::Envelope {
            return Err(unprocessable(&"send {\"objects\": […]}"));
        }
        if count >= state.config.taxii.max_objects {
            return Err(unprocessable(&format!("send at most {} objects at once", state.config.taxii.max_objects)));
        }
        count += 1;
        if !take(item.offset..item.offset + item.text.len(), &item.place)? {
            return Ok(());
        }
    }
    // Only at the end is it known whether a `type` follows the objects, or a second document.
    if walk.values() != 1 || walk.container().form != Form::Envelope {
        return Err(unprocessable(&"send one {\"objects\": […]}"));
    }
    if count == 0 {
        return Err(unprocessable(&"it holds no objects"));
    }
    Ok(())
}

fn owned(taken: &Taken<'_>, context: &Context, class: ClassNo, body: Range<usize>) -> OwnedEntry {
    let entry = taken.entry(context.collection, class, &[]);
    OwnedEntry {
        collection: entry.collection,
        key: entry.key.to_owned(),
        kind: entry.kind.to_owned(),
        version: entry.version.map(|version| (version.micros, version.picos, version.text.to_owned())),
        dialect: entry.dialect,
        author: entry.author.map(str::to_owned),
        revoked: entry.revoked,
        class,
        references: taken.head.references.iter().map(|id| id.clone().into_owned()).collect(),
        body,
    }
}

/// What a status says of an object: what it says of itself.
pub(super) fn row(object: &[u8]) -> StatusRow {
    #[derive(serde::Deserialize)]
    struct Named<'t> {
        #[serde(borrow)]
        id: Option<std::borrow::Cow<'t, str>>,
        #[serde(borrow)]
        modified: Option<std::borrow::Cow<'t, str>>,
        #[serde(borrow)]
        created: Option<std::borrow::Cow<'t, str>>,
    }
    let named: Option<Named<'_>> = serde_json::from_slice(object).ok();
    let (id, version) = named.map_or((None, None), |named| (named.id, named.modified.or(named.created)));
    let text = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned).unwrap_or_default();
    StatusRow { id: text(id), version: text(version), message: None }
}

/// The row of an object that is refused: its first finding, with its place in the envelope, and how many there are.
fn failure(text: &[u8], place: &Place, findings: &[stix::validate::Finding]) -> StatusRow {
    let message = findings.first().map_or_else(
        || format!("{place}: it has no readable type and id"),
        |first| format!("{}: {} ({})", placed(place, &first.path), first.message, first.clause),
    );
    let more = findings.len().saturating_sub(1);
    let message = if more == 0 { message } else { format!("{message}; and {more} more findings") };
    StatusRow { message: Some(message), ..row(text) }
}

/// Writes what is good and makes the status resource, which is kept in the same commit.
async fn keep(state: &Arc<State>, envelope: Envelope, viewer: Viewer) -> Result<Vec<u8>, Refusal> {
    let id = receipt_id(state)?;
    let asked_at = format_micros(state.sources.now());
    let owner = viewer.name.clone().unwrap_or_default();
    let rows: Vec<Row> = envelope.entries.iter().map(Row::of).collect();
    let failures = envelope.failures;
    let make = move |answers: &[Appended]| {
        let successes = rows.iter().zip(answers).map(|(row, answer)| row.success(*answer));
        let status = Status::of(id.clone(), asked_at.clone(), successes.collect(), failures.clone());
        let body = serde_json::to_vec(&status).unwrap_or_default();
        Receipt { id: id.clone(), owner: owner.clone(), body }
    };
    let make = Arc::new(make);
    let kept = Arc::clone(&make);
    let work = Work {
        text: envelope.text,
        entries: envelope.entries,
        receipt: Some(Box::new(move |answers: &[Appended]| kept(answers))),
    };
    let answers = state.writer.write(work).await?;
    state.metrics.took(answers.len());
    Ok(make(&answers).body)
}

/// The id of a status resource.
pub(super) fn receipt_id(state: &State) -> Result<String, Refusal> {
    Ok(uuid::Builder::from_random_bytes(state.sources.bytes().map_err(Refusal::internal)?).into_uuid().to_string())
}

/// What a status says of an object that is kept.
struct Row {
    id: String,
    version: Option<String>,
}

impl Row {
    fn of(entry: &OwnedEntry) -> Self {
        Self { id: entry.key.clone(), version: entry.version.as_ref().map(|(_, _, text)| text.clone()) }
    }

    /// A version that contradicts a stored one is kept for the operator and answered like any other: the poster might
    /// not be somebody who may know of the one that is stored.
    fn success(&self, answer: Appended) -> StatusRow {
        let (Appended::Added(Seq(at))
        | Appended::Unchanged(Seq(at))
        | Appended::Conflict(Seq(at))
        | Appended::Quarantined(Seq(at))) = answer;
        StatusRow {
            id: self.id.clone(),
            version: self.version.clone().unwrap_or_else(|| format_micros(at)),
            message: None,
        }
    }
}
