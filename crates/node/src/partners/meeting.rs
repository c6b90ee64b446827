//! The blind meeting between this node and a partner's: what [`partner::meet`] says, over HTTP.
//!
//! Whose values take part is the policy's to say ([`values`]), how many a partner may name in a day is counted ([`budget`]),
//! whoever begins asks as the [`guest`] of the other, who answers as [`host`].
//!
//! On the wire, all below `/api/`, for members of an organisation whose card is pinned and whose terms say that it meets:
//!
//! | request | is |
//! |---|---|
//! | `POST meetings` | begins: the [`Hello`](partner::meet::hello::Hello) of the one who asks is answered by a [`Welcome`](partner::meet::hello::Welcome), each signed |
//! | `PUT meetings/{id}/elements/{page}` | blinded elements, 32 bytes each: the evaluated ones, then 64 bytes of proof |
//! | `GET meetings/{id}/tags/{page}` | tags, 16 bytes each, once all elements were evaluated |
//! | `PUT meetings/{id}/echoes` | echoes, 16 bytes each: `{"both"}`, and the meeting is over |
//!
//! A page can be sent again after a broken connection: the same page is answered with the same bytes, another one in its place
//! is refused. A meeting lives in memory; it ends with the node, or after `meeting.minutes`.

pub mod budget;
pub mod guest;
pub mod host;
pub mod values;

use ledger::{CardState, Micros, PartnerKind, Partners, Register};
use partner::meet::{Kind, Value};
use policy::Viewer;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// Tags of a page: a megabyte.
pub const TAGS: usize = 65_536;

/// Threads for the work of a meeting.
#[must_use]
pub fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Whether we meet with an organisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is no partner with a pinned card.
    Stranger,
    /// It is, and its terms do not say that it meets.
    Partner,
    /// It meets.
    Meets(Viewer),
}

/// Whether we meet with the organisation of this name. What cannot be read meets with nobody.
///
/// # Errors
/// [`ledger::Error`].
pub fn standing<B: Partners + ?Sized>(book: &B, organisation: &str) -> ledger::Result<Standing> {
    let Some(partner) = book.partner(organisation)?.filter(|partner| partner.kind == PartnerKind::Node) else {
        return Ok(Standing::Stranger);
    };
    let pinned = book.cards(&partner.organisation)?.iter().any(|card| card.state == CardState::Pinned);
    let known = Register::organisations(book)?.into_iter().find(|known| known.name == partner.organisation);
    let (true, Some(known)) = (pinned, known) else { return Ok(Standing::Stranger) };
    if !super::Terms::read(&partner.terms).meets {
        return Ok(Standing::Partner);
    }
    // The partner as a whole, whichever of its members asks: both directions look at the same values.
    Ok(Standing::Meets(Viewer {
        name: Some(known.name.clone()),
        organisation: Some(known.name),
        relation: crate::accounts::relation(known.relation),
    }))
}

/// A value that both hold, as it is written down.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// In its one form.
    pub value: String,
}

impl From<&Value> for Common {
    fn from(value: &Value) -> Self {
        Self { kind: value.kind().as_str().to_owned(), value: value.text().to_owned() }
    }
}

/// What came of the last meeting with a partner.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// When it ended.
    pub at: Micros,
    /// Whether we began it.
    pub began: bool,
    /// How many of our values took part.
    pub ours: u64,
    /// The size that the partner showed: a bucket.
    pub theirs: u64,
    /// What both hold, sorted.
    pub both: Vec<Common>,
}

fn note(organisation: &str) -> String {
    format!("meeting outcome {}", organisation.to_lowercase())
}

/// Keeps what came of a meeting, in the place of the one before.
///
/// # Errors
/// [`ledger::Error`].
pub fn keep<B: Register + ?Sized>(book: &B, organisation: &str, outcome: &Outcome) -> ledger::Result<()> {
    let text = serde_json::to_vec(outcome).unwrap_or_default();
    book.set_note(&note(organisation), Some(&text))
}

/// What came of the last meeting with an organisation.
///
/// # Errors
/// [`ledger::Error`].
pub fn last<B: Register + ?Sized>(book: &B, organisation: &str) -> ledger::Result<Option<Outcome>> {
    Ok(book.note(&note(organisation))?.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// The kinds of these names; none: all.
///
/// # Errors
/// The name that is none.
pub fn kinds(names: &[String]) -> Result<Vec<Kind>, String> {
    if names.is_empty() {
        return Ok(Kind::ALL.to_vec());
    }
    let mut kinds =
        names.iter().map(|name| Kind::of(name).ok_or_else(|| name.clone())).collect::<Result<Vec<_>, _>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}
