//! Who we are to partners: our keys, sealed in the register, our card, and the ring of all cards that count here.
//!
//! Keys and card stand in one note, so that they change together. They are made at the first use.

use crate::certificate;
use crate::chance;
use crate::home::Secret;
use crate::sealed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::{CardState, Micros, Partners, Standing};
use partner::card::{self, Card, Draft};
use partner::key::Keys;
use partner::trust::{self, Keyring};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The note that holds our keys and our card.
const NOTE: &str = "own keys and card";
/// What our seed is sealed for.
const PURPOSE: &str = "marsad 2026-11 own keys";
/// For whom: there is one owner.
const OWNER: &str = "own";

/// Why there are no keys, no card or no ring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The register refused.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The system gives no random bytes.
    #[error(transparent)]
    Chance(#[from] chance::NoChance),
    /// The keys cannot be sealed.
    #[error(transparent)]
    Sealed(#[from] sealed::NotSealed),
    /// The node belongs to nobody.
    #[error("the node has no organisation of its own: restore it from a backup")]
    NoOrganisation,
    /// The keys are there and cannot be opened.
    #[error("the node's keys were sealed with another secret: restore `secret` and database from the same backup")]
    Locked,
    /// What is kept is not what was written.
    #[error("{0} in the register is damaged: restore it from a backup")]
    Damaged(String),
    /// The card cannot say this.
    #[error("the card would be none: {0}")]
    Card(#[from] card::Error),
    /// Another process changed them again and again.
    #[error("the node's keys are being changed by somebody else: try again")]
    Busy,
}

/// Our keys, and the card that names them.
#[derive(Debug)]
pub struct Own {
    /// The keys.
    pub keys: Keys,
    /// The card.
    pub card: Card,
    /// Cards of keys of ours that are not to be believed any more, oldest first. They say so themselves.
    pub revoked: Vec<Card>,
}

/// Where we are reached, as our card says it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Surroundings {
    /// The addresses of our TAXII server.
    pub addresses: Vec<String>,
    /// The SHA-256 of the certificate that it shows, in hex.
    pub certificates: Vec<String>,
}

impl Surroundings {
    /// What the configuration says: `public-url`, and the certificate if there is one.
    #[must_use]
    pub fn of(home: &crate::home::Home, config: &crate::config::Config) -> Self {
        let url = config.server.public_url.trim_end_matches('/');
        let addresses = if url.is_empty() { Vec::new() } else { vec![format!("{url}/taxii2/")] };
        let shown = std::fs::read(home.resolve(&config.tls.certificate)).ok();
        let shown = shown.and_then(|bytes| certificate::ClientCertificate::read_file(&bytes));
        let certificates = shown.map(|shown| certificate::spelled(&shown.fingerprint)).into_iter().collect();
        Self { addresses, certificates }
    }
}

/// As they are kept.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    seed: String,
    card: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    revoked: Vec<String>,
}

/// As they are changed.
struct Held {
    seed: Zeroizing<[u8; 32]>,
    card: Card,
    revoked: Vec<Card>,
}

impl Held {
    fn own(self) -> Own {
        Own { keys: Keys::of(&self.seed), card: self.card, revoked: self.revoked }
    }
}

/// Our keys and card; made now if there are none.
///
/// # Errors
/// [`Error`].
pub fn own<B: Partners + ?Sized>(book: &B, secret: &Secret) -> Result<Own, Error> {
    match load(book, secret)?.1 {
        Some(held) => Ok(held.own()),
        None => Ok(own_at(book, secret, None, crate::clock::now())?.0),
    }
}

/// Our keys and a card that says where we are reached now: made, or written anew under the same keys. `true`: it changed.
/// `here` is `None`: the addresses stay.
///
/// # Errors
/// [`Error`].
pub fn own_at<B: Partners + ?Sized>(
    book: &B,
    secret: &Secret,
    here: Option<&Surroundings>,
    now: Micros,
) -> Result<(Own, bool), Error> {
    let mut changed = false;
    let own = change(book, secret, |held| {
        let draft = draft(book, here, held.as_ref(), now)?;
        changed = held.as_ref().is_none_or(|Held { card, .. }| {
            (&card.organisation, &card.identities, &card.addresses, &card.certificates)
                != (&draft.organisation, &draft.identities, &draft.addresses, &draft.certificates)
        });
        match held {
            Some(held) if !changed => Ok(held),
            Some(Held { seed, card, revoked }) => {
                let keys = Keys::of(&seed);
                let card = card::read(&card::issue(&draft, &keys, Some((&card, &keys))))?;
                Ok(Held { seed, card, revoked })
            }
            None => first(&draft),
        }
    })?;
    Ok((own, changed))
}

/// Takes new keys into use. The new card says that they follow from the old ones, which are forgotten.
///
/// # Errors
/// [`Error`].
pub fn rotate<B: Partners + ?Sized>(book: &B, secret: &Secret, here: &Surroundings, now: Micros) -> Result<Own, Error> {
    change(book, secret, |held| {
        let draft = draft(book, Some(here), held.as_ref(), now)?;
        let Some(held) = held else { return first(&draft) };
        let (seed, old) = (Zeroizing::new(chance::bytes()?), Keys::of(&held.seed));
        let card = card::read(&card::issue(&draft, &Keys::of(&seed), Some((&held.card, &old))))?;
        Ok(Held { seed, card, revoked: held.revoked })
    })
}

/// Says that our keys are not to be believed any more, and takes new ones into use that do not follow from them: partners
/// must compare the new card by voice. The last of [`Own::revoked`] is the card that tells them of it.
///
/// # Errors
/// [`Error`].
pub fn revoke<B: Partners + ?Sized>(book: &B, secret: &Secret, here: &Surroundings, now: Micros) -> Result<Own, Error> {
    change(book, secret, |held| {
        let draft = draft(book, Some(here), held.as_ref(), now)?;
        let Some(held) = held else { return first(&draft) };
        let old = Keys::of(&held.seed);
        let last = Draft { revoked: true, ..draft.clone() };
        let last = card::read(&card::issue(&last, &old, Some((&held.card, &old))))?;
        let held_anew = first(&Draft { serial: draft.serial.saturating_add(1), ..draft })?;
        let mut revoked = held.revoked;
        revoked.push(last);
        Ok(Held { revoked, ..held_anew })
    })
}

/// The ring of the cards that count: ours, and those of partners that were confirmed.
///
/// # Errors
/// [`Error`].
pub fn keyring<B: Partners + ?Sized>(book: &B, secret: &Secret) -> Result<Arc<Keyring>, Error> {
    let own = own(book, secret)?;
    let mut cards = Vec::new();
    let written =
        book.partners()?.into_iter().map(|partner| (partner.organisation.to_lowercase(), partner.organisation));
    let written: HashMap<String, String> = written.collect();
    for kept in book.all_cards()? {
        let standing = match kept.state {
            CardState::Offered => continue,
            CardState::Pinned => trust::Standing::Pinned,
            CardState::Replaced => trust::Standing::Replaced,
            CardState::Revoked => trust::Standing::Revoked,
        };
        let card = card::read(&kept.body).map_err(|_| Error::Damaged(format!("a card of {}", kept.organisation)))?;
        let name = written.get(&kept.organisation.to_lowercase()).cloned();
        cards.push((name.unwrap_or(kept.organisation), card, standing));
    }
    let organisation = own.card.organisation.clone();
    cards.extend(own.revoked.into_iter().map(|card| (organisation.clone(), card, trust::Standing::Revoked)));
    Ok(Arc::new(Keyring::new(Some(own.card), cards)))
}

/// The ring, read again when something that it rests on has changed.
pub struct Rings {
    book: Arc<dyn Partners>,
    secret: Secret,
    held: Mutex<Option<HeldRing>>,
}

/// A ring, and what it was read of.
struct HeldRing {
    generation: u64,
    note: Option<Vec<u8>>,
    ring: Arc<Keyring>,
}

impl Rings {
    /// Over the register.
    #[must_use]
    pub fn new(book: Arc<dyn Partners>, secret: Secret) -> Self {
        Self { book, secret, held: Mutex::new(None) }
    }

    /// The ring as it is.
    ///
    /// # Errors
    /// [`Error`].
    pub fn now(&self) -> Result<Arc<Keyring>, Error> {
        if self.book.note(NOTE)?.is_none() {
            own(&*self.book, &self.secret)?;
        }
        // Read before the rest: a change in between makes the next comparison fail.
        let (generation, note) = (self.book.generation()?, self.book.note(NOTE)?);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = &*held
            && held.generation == generation
            && held.note == note
        {
            return Ok(Arc::clone(&held.ring));
        }
        let ring = keyring(&*self.book, &self.secret)?;
        *held = Some(HeldRing { generation, note, ring: Arc::clone(&ring) });
        Ok(ring)
    }
}

/// What the note says, and what it means.
fn load<B: Partners + ?Sized>(book: &B, secret: &Secret) -> Result<(Option<Vec<u8>>, Option<Held>), Error> {
    let Some(note) = book.note(NOTE)? else { return Ok((None, None)) };
    let damaged = || Error::Damaged("our own card".to_owned());
    let kept: Kept = serde_json::from_slice(&note).map_err(|_| damaged())?;
    let sealed = STANDARD.decode(&kept.seed).map_err(|_| damaged())?;
    let seed = sealed::open(secret, PURPOSE, OWNER, &sealed).ok_or(Error::Locked)?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(seed.as_slice()).map_err(|_| damaged())?);
    let read = |text: &String| card::read(text.as_bytes()).map_err(|_| damaged());
    let held =
        Held { seed, card: read(&kept.card)?, revoked: kept.revoked.iter().map(read).collect::<Result<_, _>>()? };
    Ok((Some(note), Some(held)))
}

/// Changes what is kept; another process that changes it at the same time is not overwritten.
fn change<B: Partners + ?Sized>(
    book: &B,
    secret: &Secret,
    mut to: impl FnMut(Option<Held>) -> Result<Held, Error>,
) -> Result<Own, Error> {
    for _ in 0..10 {
        let (note, held) = load(book, secret)?;
        let held = to(held)?;
        let text = |card: &Card| String::from_utf8_lossy(card.text()).into_owned();
        let kept = Kept {
            seed: STANDARD.encode(sealed::seal(secret, PURPOSE, OWNER, &*held.seed)?),
            card: text(&held.card),
            revoked: held.revoked.iter().map(text).collect(),
        };
        let unchanged = note.as_deref().and_then(|note| serde_json::from_slice::<Kept>(note).ok());
        if unchanged.is_some_and(|old| old.card == kept.card && old.revoked == kept.revoked) {
            return Ok(held.own());
        }
        let kept = serde_json::to_vec(&kept).map_err(|_| Error::Damaged("our own card".to_owned()))?;
        if book.swap_note(NOTE, note.as_deref(), Some(&kept))? {
            return Ok(held.own());
        }
    }
    Err(Error::Busy)
}

fn first(draft: &Draft) -> Result<Held, Error> {
    let seed = Zeroizing::new(chance::bytes()?);
    let card = card::read(&card::issue(draft, &Keys::of(&seed), None))?;
    Ok(Held { seed, card, revoked: Vec::new() })
}

/// What our next card says. Serial numbers are seconds, so that a node that was set up anew is not taken for an older one.
fn draft<B: Partners + ?Sized>(
    book: &B,
    here: Option<&Surroundings>,
    held: Option<&Held>,
    now: Micros,
) -> Result<Draft, Error> {
    let organisation = book.note(crate::administration::OWN_ORGANISATION)?;
    let organisation = organisation.and_then(|name| String::from_utf8(name).ok()).ok_or(Error::NoOrganisation)?;
    let before = held.map(|held| &held.card);
    let seconds = u64::try_from(now.div_euclid(1_000_000)).unwrap_or_default();
    let kept = before.map(|card| (card.addresses.clone(), card.certificates.clone())).unwrap_or_default();
    let (addresses, certificates) = here.map_or(kept, |here| (here.addresses.clone(), here.certificates.clone()));
    Ok(Draft {
        serial: before.map_or(1, |card| card.serial.saturating_add(1)).max(seconds),
        identities: identities(book, &organisation, before)?,
        organisation,
        addresses,
        certificates,
        from: now,
        until: None,
        revoked: false,
    })
}

/// The node's id and then the other identities by which our organisation signs. One that is made now is declared.
fn identities<B: Partners + ?Sized>(book: &B, own: &str, before: Option<&Card>) -> Result<Vec<String>, Error> {
    let standings = book.standings()?;
    let standing = standings.into_iter().find(|held| held.organisation.to_lowercase() == own.to_lowercase());
    let mut standing = standing.unwrap_or_else(|| Standing { organisation: own.to_owned(), ..Standing::default() });
    let node = match (before, standing.identities.first()) {
        (Some(card), _) => card.node().to_owned(),
        (None, Some(declared)) => declared.clone(),
        (None, None) => format!("identity--{}", uuid::Builder::from_random_bytes(chance::bytes()?).into_uuid()),
    };
    if !standing.identities.contains(&node) {
        standing.identities.push(node.clone());
        standing.identities.sort();
        book.set_standing(&standing)?;
    }
    let others = standing.identities.into_iter().filter(|id| *id != node).take(31);
    Ok(std::iter::once(node.clone()).chain(others).collect())
}

#[cfg(test)]
mod tests;
