//! Cards told over a link: each side tells the other its own, so that a change of keys, and a revocation, arrives without
//! anybody carrying files. What is told counts by what is on it, never by the road: the same [`super::take`] judges it.

use super::{Refused, Taken, take};
use crate::home::Secret;
use crate::partners::identity::{self, Own};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use ledger::{CardState, Micros, Partners};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use taxii::client::Transport;

/// Where a node is told, and tells.
pub const PATH: &str = "/api/links/cards";
/// Bytes of what is told at once.
pub const LARGEST: u64 = 256 << 10;
/// Cards that are told at once.
const MOST: usize = 4;
/// How long it is not told again, in microseconds, if nothing has changed.
const APART: Micros = 10 * 60 * 1_000_000;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Told {
    cards: Vec<Box<RawValue>>,
}

/// One card that was told, and what became of it.
#[derive(Debug)]
pub struct Heard {
    /// Which card.
    pub about: String,
    /// What became of it.
    pub taken: Result<Taken, Refused>,
}

impl Heard {
    /// How it is written down: about what, whether it was done, why not. `None`: nothing has changed.
    #[must_use]
    pub fn told(&self) -> Option<(&str, bool, String)> {
        match &self.taken {
            Ok(Taken::Known) => None,
            Ok(_) => Some((&self.about, true, String::new())),
            Err(refused) => Some((&self.about, false, refused.to_string())),
        }
    }
}

/// What we tell: the last card of ours that takes keys back, and the one that counts.
#[must_use]
pub fn ours(own: &Own) -> Vec<u8> {
    let cards = own.revoked.last().into_iter().chain([&own.card]);
    let raw = |card: &partner::card::Card| {
        String::from_utf8(card.text().to_vec()).ok().and_then(|text| RawValue::from_string(text).ok())
    };
    // Cards are JSON; were one not, nothing of it would be told.
    serde_json::to_vec(&Told { cards: cards.filter_map(raw).collect() }).unwrap_or_default()
}

/// Takes what a partner told. Of whoever has no confirmed card nothing is heard: that is for voices.
///
/// # Errors
/// [`Refused`]: it is not what is told here, or the register refused.
pub fn hear<B: Partners + ?Sized>(
    book: &B,
    secret: &Secret,
    organisation: &str,
    told: &[u8],
    now: Micros,
) -> Result<Vec<Heard>, Refused> {
    let told: Told =
        serde_json::from_slice(told).map_err(|_| Refused::Because("what was told are no cards".to_owned()))?;
    if told.cards.len() > MOST {
        return Err(Refused::Because(format!("more than {MOST} cards were told at once")));
    }
    let mut heard = Vec::new();
    for text in &told.cards {
        if !is_confirmed(book, organisation)? {
            break;
        }
        let (about, taken) = match partner::card::read(text.get().as_bytes()) {
            Ok(card) if is_old(book, organisation, &card)? => continue,
            Ok(card) => (super::told(&card), take(book, secret, organisation, &card, None, now)),
            Err(error) => ("a card".to_owned(), Err(Refused::Because(error.to_string()))),
        };
        match taken {
            Err(Refused::Ledger(error)) => return Err(error.into()),
            Err(Refused::Identity(error)) => return Err(error.into()),
            taken => heard.push(Heard { about, taken }),
        }
    }
    Ok(heard)
}

/// Tells a partner's node our cards and takes theirs, if it is time to. `url`: any address at its origin.
///
/// # Errors
/// In words for the log: it is no reason not to go on.
pub async fn exchange<B: Partners + ?Sized, T: Transport>(
    book: &B,
    secret: &Secret,
    organisation: &str,
    transport: &T,
    address: &str,
) -> Result<Vec<Heard>, String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let now = transport.now();
    let (own, note) = (identity::own(book, secret).map_err(|error| words(&error))?, note(organisation));
    let kept = book.note(&note).map_err(|error| words(&error))?;
    let kept: Option<(u64, Micros)> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
    let is_new = kept.is_none_or(|(serial, at)| serial != own.card.serial || now < at || now >= at + APART);
    if !is_new || !is_confirmed(book, organisation).map_err(|error| words(&error))? {
        return Ok(Vec::new());
    }
    let request = Request::builder()
        .method(Method::POST)
        .uri(address)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(ours(&own)))
        .map_err(|error| words(&error))?;
    let answer = transport.send(request).await;
    // Whatever came of it, it is not tried in every round.
    let kept = serde_json::to_vec(&(own.card.serial, now)).unwrap_or_default();
    book.set_note(&note, Some(&kept)).map_err(|error| words(&error))?;
    let answer = answer.map_err(|failure| failure.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the partner's node answers {} when it is told our card", answer.status()));
    }
    if answer.body().len() as u64 > LARGEST {
        return Err("the partner's node tells more than cards".to_owned());
    }
    hear(book, secret, organisation, answer.body(), now).map_err(|error| words(&error))
}

fn note(organisation: &str) -> String {
    format!("cards told to {}", organisation.to_lowercase())
}

fn is_confirmed<B: Partners + ?Sized>(book: &B, organisation: &str) -> ledger::Result<bool> {
    Ok(book.cards(organisation)?.iter().any(|kept| kept.state == CardState::Pinned))
}

/// Whether a card is one that was settled here before, and says nothing new: an older one is told again and again.
fn is_old<B: Partners + ?Sized>(book: &B, organisation: &str, card: &partner::card::Card) -> ledger::Result<bool> {
    let cards = book.cards(organisation)?;
    let same = |kept: &&ledger::Card| kept.serial == card.serial && kept.body == card.text();
    let Some(kept) = cards.iter().find(same) else {
        // The end of keys that we never knew, or that are long gone, told by whoever has others now.
        let newer = cards.iter().any(|kept| kept.state == CardState::Pinned && kept.serial > card.serial);
        return Ok(card.revoked && newer);
    };
    Ok(kept.state != CardState::Offered)
}

#[cfg(test)]
mod tests;
