//! Envelopes with seals in them, or with objects of which a seal is asked: sorted before they are judged.

use super::super::super::State;
use super::super::super::answer::Refusal;
use super::super::from_partner;
use super::{Envelope, INTAKE, each, failure, owned};
use crate::audit::{By, Event};
use crate::import::origin::Origins;
use crate::import::{Error, Listener, Options, Pages, Refusal as ImportRefusal};
use crate::intake::{Context, Intake, Taken};
use crate::packed::Budget;
use crate::partners::provenance::{Incoming, Proof, Refused, Sound, Strictness};
use ::taxii::resource::StatusRow;
use bytes::Bytes;
use ledger::Appended;
use partner::signed::{Kind, Unverified};
use partner::trust::Keyring;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use stix::split::Place;

/// Refusals of one request that are written down one by one.
const WRITTEN: usize = 20;

/// Whether a seal is asked of an object, or it is one itself.
pub(super) fn is_asked(taken: &Taken<'_>, context: &Context) -> bool {
    let asks = |identity: &str| context.makers.asks(identity, &context.owner);
    taken.head.created_by_ref.as_deref().is_some_and(asks) || Kind::of(&taken.head.object_type).is_some()
}

/// Judges an envelope on a thread that may wait for the ledger.
pub(super) fn judge_anew(
    state: &State,
    text: &Bytes,
    context: &Context,
    strictness: Strictness,
    sealed: bool,
) -> Result<Envelope, Refusal> {
    if !sealed {
        let number = |class: &policy::Class| Ok(Some(state.classes.number(&*state.book, class)?));
        match super::judge(state, text, context, &number)? {
            super::Judged::All(envelope) => return Ok(envelope),
            super::Judged::Sealed => {}
            super::Judged::Unnumbered => return Err(Refusal::internal("a policy class without a number")),
        }
    }
    let ring = state.rings.now().map_err(Refusal::internal)?;
    with_incoming(state, &ring, context, strictness, |incoming| {
        INTAKE.with_borrow_mut(|intake| {
            intake.limit(crate::intake::limits(&state.config.limits));
            sort(intake, state, text, context, incoming)
        })
    })
}

/// Sorts what the request brings, and judges what is sound of it. Seals, and what is said of the objects, are kept before
/// the objects are.
fn sort(
    intake: &mut Intake,
    state: &State,
    text: &Bytes,
    context: &Context,
    incoming: &Incoming<'_>,
) -> Result<Envelope, Refusal> {
    let (mut ranges, mut places) = (Vec::new(), Vec::new());
    each(state, text, &mut |range, place| {
        ranges.push(range);
        places.push(place.clone());
        Ok(true)
    })?;
    let bodies: Vec<Bytes> = ranges.iter().map(|range| text.slice(range.clone())).collect();
    let sorted = incoming.sort_all(&bodies)?;
    let mut envelope = Envelope { text: text.clone(), ..Envelope::default() };
    let mut origins = Origins::default();
    for sound in sorted.sound {
        // INVARIANT: what is sound is one of the bodies.
        let Some((range, place)) = found(&bodies, &ranges, &places, &sound.body) else { continue };
        match intake.take(&sound.body) {
            Ok(taken) => {
                let class = state.classes.number(&*state.book, &context.class(&taken, &sound.backing))?;
                origins.note(envelope.entries.len(), &taken, &sound);
                envelope.entries.push(owned(&taken, context, class, range));
            }
            Err(findings) => {
                envelope.failures.push(failure(&sound.body, place, &findings));
                continue;
            }
        }
        if matches!(sound.backing.proof, Proof::Verified(_)) {
            envelope.sealed.push((envelope.entries.len() - 1, sound));
        }
    }
    origins.keep(incoming, &context.owner)?;
    let mut refused = sorted.refused;
    if incoming.strictness == Strictness::Partner {
        refused.extend(from_partner::statements(state, incoming.from, incoming.now, &sorted.control)?);
    } else {
        let elsewhere = |(statement, _): (Unverified, Bytes)| Refused {
            id: statement.id.clone(),
            reason: "a statement about objects is taken from partners alone".to_owned(),
        };
        refused.extend(sorted.control.into_iter().map(elsewhere));
    }
    envelope.aside = aside(&bodies, &refused, &sorted.known);
    envelope.failures.extend(refused.iter().map(|refused| StatusRow {
        id: refused.id.clone(),
        version: String::new(),
        message: Some(refused.reason.clone()),
    }));
    envelope.refusals = refused;
    Ok(envelope)
}

/// Where in the request a body lies: it is a slice of it.
fn found<'p>(
    bodies: &[Bytes],
    ranges: &[Range<usize>],
    places: &'p [Place],
    body: &Bytes,
) -> Option<(Range<usize>, &'p Place)> {
    // Slices of one text follow each other in memory.
    let at = bodies.binary_search_by_key(&body.as_ptr(), |body| body.as_ptr()).ok()?;
    Some((ranges.get(at)?.clone(), places.get(at)?))
}

/// The rows of what was taken and is not kept among the objects: statements, and objects that were here before.
fn aside(bodies: &[Bytes], refused: &[Refused], known: &[String]) -> Vec<StatusRow> {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(rename = "type")]
        kind: String,
        id: String,
        modified: Option<String>,
    }
    let refused: HashSet<&str> = refused.iter().map(|refused| refused.id.as_str()).collect();
    let known: HashSet<&str> = known.iter().map(String::as_str).collect();
    let named = bodies.iter().filter_map(|body| serde_json::from_slice::<Named>(body).ok());
    let aside = named.filter(|named| {
        known.contains(named.id.as_str()) || (Kind::of(&named.kind).is_some() && !refused.contains(named.id.as_str()))
    });
    aside.map(|named| StatusRow { id: named.id, version: named.modified.unwrap_or_default(), message: None }).collect()
}

/// What its author sealed and what was kept aside prevails over what only goes by the author's name. Returns what gave way.
pub(super) async fn prevail(
    state: &Arc<State>,
    sealed: Vec<(usize, Sound)>,
    answers: &[Appended],
    context: Context,
    strictness: Strictness,
) -> Result<Vec<(String, u64)>, Refusal> {
    let is_aside =
        |place: &usize| matches!(answers.get(*place), Some(Appended::Conflict(_) | Appended::Quarantined(_)));
    let aside: Vec<Sound> = sealed.into_iter().filter(|(place, _)| is_aside(place)).map(|(_, sound)| sound).collect();
    if aside.is_empty() {
        return Ok(Vec::new());
    }
    let again = move |state: &State| {
        let ring = state.rings.now().map_err(Refusal::internal)?;
        let limits = &state.config.limits;
        let options = Options {
            context: context.clone(),
            keep_20: true,
            all_or_nothing: false,
            budget: Budget { max_bytes: limits.max_unpacked_bytes, max_ratio: limits.max_unpack_ratio },
            limits: crate::intake::limits(limits),
        };
        let mut told = Told::default();
        with_incoming(state, &ring, &context, strictness, |incoming| {
            let mut pages = Pages::new(&*state.book, &options);
            pages.take_sound("request", &aside, incoming, &mut told).map_err(Refusal::internal)
        })?;
        Ok(told.0)
    };
    state.read(again).await
}

/// Writes down what was refused and what gave way.
pub(super) async fn write_down(
    state: &Arc<State>,
    by: &By,
    refused: Vec<Refused>,
    gave_way: Vec<(String, u64)>,
) -> Result<(), crate::audit::Ended> {
    let event = |act, about: String, done, reason: String| Event::Partner {
        by: by.clone(),
        partner: by.organisation.clone().unwrap_or_default(),
        act,
        about,
        done,
        reason,
    };
    let more = refused.len().saturating_sub(WRITTEN);
    for Refused { id, reason } in refused.into_iter().take(WRITTEN) {
        state.audit.tell(event("object-refused", id, false, reason)).await?;
    }
    if more > 0 {
        let reason = format!("and {more} more in this request");
        state.audit.tell(event("object-refused", "request".to_owned(), false, reason)).await?;
    }
    for (object, versions) in gave_way {
        state.audit.tell(event("unsealed-gave-way", object, true, format!("{versions} versions"))).await?;
    }
    Ok(())
}

fn with_incoming<T>(
    state: &State,
    ring: &Keyring,
    context: &Context,
    strictness: Strictness,
    work: impl FnOnce(&Incoming<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let known = state.known.now()?;
    work(&Incoming {
        book: &*state.book,
        partners: &*state.book,
        ring,
        from: &context.owner,
        own: known.own_organisation().unwrap_or_default(),
        strictness,
        limits: crate::intake::limits(&state.config.limits),
        now: state.sources.now(),
    })
}

/// What gave way.
#[derive(Default)]
struct Told(Vec<(String, u64)>);

impl Listener for Told {
    fn refused(&mut self, _: ImportRefusal) {}

    fn unreadable(&mut self, _: Error) {}

    fn gave_way(&mut self, object: &str, versions: u64) {
        self.0.push((object.to_owned(), versions));
    }
}
