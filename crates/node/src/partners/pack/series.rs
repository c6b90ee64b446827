//! What is remembered of the packages that went to a partner and came from one. Notes of the register.

use super::Error;
use ledger::{Micros, Register};
use partner::package::order::Memory;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Packages that wait for an answer, at most; the oldest are given up.
const UNANSWERED: usize = 256;
/// Answers that go with every package, at most.
const ANSWERS: usize = 64;

/// The packages that went to a partner.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sending {
    /// The id of the series.
    pub series: String,
    /// The number of the last package.
    pub number: u64,
    /// Its digest.
    pub digest: Option<[u8; 32]>,
    /// How far each collection was handed over, by its id.
    pub positions: BTreeMap<String, i64>,
    /// One that was made, and is not written out to its end.
    pub pending: Option<Pending>,
    /// Those that wait for an answer, oldest first.
    pub unanswered: Vec<Unanswered>,
}

/// A package in the outbox.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pending {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u64,
    /// Its digest.
    pub digest: [u8; 32],
    /// Its bytes.
    pub bytes: u64,
    /// How many objects of ours.
    pub objects: u64,
    /// How many statements.
    pub mail: u64,
    /// From where each collection was packed, and up to where.
    pub spans: BTreeMap<String, (Option<i64>, i64)>,
    /// A digest of what was released, as it was released.
    pub released: [u8; 32],
    /// Up to which place the mail is in it.
    pub mail_upto: Option<i64>,
    /// For which key it is sealed.
    pub key: String,
    /// With which key of ours it is signed.
    pub signer: String,
    /// When it was made.
    pub created: Micros,
    /// Until when it is good.
    pub expires: Option<Micros>,
    /// Whether an answer is waited for.
    pub answer: bool,
    /// Whether it begins from the beginning.
    pub again: bool,
    /// It may not go out any more.
    #[serde(default)]
    pub void: bool,
}

/// A package of which nobody has said that it arrived.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unanswered {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u64,
    /// When it was made.
    pub created: Micros,
    /// Up to which place the mail was in it.
    pub mail_upto: Option<i64>,
}

/// What came of a package, as its receiver says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The package.
    pub package: String,
    /// Its number.
    pub number: u64,
    /// Objects that were taken in, or were there.
    pub taken: u64,
    /// Objects that were refused.
    pub refused: u64,
    /// When, in microseconds since 1970.
    pub at: Micros,
}

/// The packages that came from a partner.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Receiving {
    /// Which came.
    pub memory: Memory,
    /// What became of the last of them: goes with every package the other way.
    pub answers: Vec<Answer>,
    /// Whether the last answer has gone.
    pub answered: bool,
}

fn read<T: Default + serde::de::DeserializeOwned>(book: &dyn Register, name: &str) -> Result<T, Error> {
    match book.note(name)? {
        None => Ok(T::default()),
        // What cannot be read must not be taken for nothing: packages would be taken twice.
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| Error::Note(name.to_owned(), error)),
    }
}

fn write(book: &dyn Register, name: &str, value: &impl Serialize) -> Result<(), Error> {
    let bytes = serde_json::to_vec(value).map_err(|error| Error::Note(name.to_owned(), error))?;
    Ok(book.set_note(name, Some(&bytes))?)
}

/// What went to an organisation.
///
/// # Errors
/// [`Error::Ledger`], [`Error::Note`].
pub fn sending(book: &dyn Register, organisation: &str) -> Result<Sending, Error> {
    read(book, &format!("pack {}", organisation.to_lowercase()))
}

/// What came from an organisation.
///
/// # Errors
/// [`Error::Ledger`], [`Error::Note`].
pub fn receiving(book: &dyn Register, organisation: &str) -> Result<Receiving, Error> {
    read(book, &format!("unpack {}", organisation.to_lowercase()))
}

/// The next package for an organisation begins from the beginning, in the same series: what it may have now lies behind the
/// places up to which it was handed everything.
///
/// # Errors
/// [`Error::Ledger`], [`Error::Note`].
pub fn pack_again(book: &dyn Register, organisation: &str) -> Result<(), Error> {
    let mut sending = sending(book, organisation)?;
    if sending.positions.is_empty() && sending.pending.is_none() {
        return Ok(());
    }
    if let Some(pending) = &mut sending.pending {
        pending.void = true;
    }
    sending.positions.clear();
    sending.keep(book, organisation)
}

impl Sending {
    pub(super) fn keep(&self, book: &dyn Register, organisation: &str) -> Result<(), Error> {
        write(book, &format!("pack {}", organisation.to_lowercase()), self)
    }

    /// The pending package is given up: its number is used, and what was in it is packed again.
    pub(super) fn give_up(&mut self) {
        if let Some(pending) = self.pending.take() {
            (self.number, self.digest) = (pending.number, Some(pending.digest));
        }
    }

    /// The pending package is where it should be.
    pub(super) fn hand_over(&mut self) -> Option<Pending> {
        let pending = self.pending.take()?;
        (self.number, self.digest) = (pending.number, Some(pending.digest));
        for (collection, (_, upto)) in &pending.spans {
            self.positions.insert(collection.clone(), *upto);
        }
        if pending.answer {
            let Pending { id, number, created, mail_upto, .. } = pending.clone();
            self.unanswered.push(Unanswered { id, number, created, mail_upto });
            let many = self.unanswered.len().saturating_sub(UNANSWERED);
            self.unanswered.drain(..many);
        }
        Some(pending)
    }
}

impl Receiving {
    pub(super) fn keep(&self, book: &dyn Register, organisation: &str) -> Result<(), Error> {
        write(book, &format!("unpack {}", organisation.to_lowercase()), self)
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.answers.push(answer);
        let many = self.answers.len().saturating_sub(ANSWERS);
        self.answers.drain(..many);
        self.answered = false;
    }
}
