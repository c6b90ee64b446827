//! Data about persons in objects: which kinds there are, where they stand, and by what they are masked.
//!
//! Some places are made for them: an e-mail address, the name of an individual, who is on an account. Elsewhere they stand
//! in running text, in Arabic, French, Spanish, English or any other language: e-mail addresses (also those made harmless,
//! `user[at]example[.]org`), telephone numbers in the international form, or in Arabic digits, or after a word for a
//! telephone; account numbers and payment cards that pass their check digits; passport numbers beside a word for a
//! passport. Names are found only in places made for them.
//!
//! ```
//! use stix::personal::{Kind, kinds_of};
//! let found = kinds_of(br#"{"type": "tool", "description": "ask jo@example.org"}"#);
//! assert!(found.maskable.contains(Kind::Email) && found.fixed.is_empty());
//! ```

mod email;
mod number;
mod places;
mod text;
mod words;

use std::fmt;
use std::str::FromStr;

use std::cell::RefCell;

use crate::json::{Limits, Tape, Value};
use crate::redact::Places;
use crate::validate::judged_by;

pub(crate) use places::visit;
pub(crate) use text::{Find, scan};

/// A kind of data about persons.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Kind {
    /// An e-mail address.
    Email = 0,
    /// A telephone number.
    Phone = 1,
    /// A person's name.
    Name = 2,
    /// The number of a passport.
    Passport = 3,
    /// A person's account: on a machine or a service, at a bank, of a payment card.
    Account = 4,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Email, Self::Phone, Self::Name, Self::Passport, Self::Account];

    /// Its name in files and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Name => "name",
            Self::Passport => "passport",
            Self::Account => "account",
        }
    }

    /// What stands in the place of masked data: nothing of the data, its length included, is kept.
    #[must_use]
    pub const fn mask(self) -> &'static str {
        match self {
            Self::Email => "[e-mail]",
            Self::Phone => "[phone]",
            Self::Name => "[name]",
            Self::Passport => "[passport]",
            Self::Account => "[account]",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A name that is not one of a [`Kind`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a kind of personal data is one of `email`, `phone`, `name`, `passport`, `account`")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(UnknownKind)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self((1 << Kind::ALL.len()) - 1);

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it has this kind.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 == 1
    }

    /// Adds a kind.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    /// The kinds of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds in their order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }

    /// One bit a kind, to be stored: the numbers of kinds do not change.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From stored bits; those of no kind are left out.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> Self {
        let mut all = Self::NONE;
        kinds.into_iter().for_each(|kind| all.insert(kind));
        all
    }
}

/// What is done with data of a kind.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Treatment {
    /// It is given as it is.
    #[default]
    Give,
    /// It is masked; where that cannot be, the object is withheld.
    Mask,
    /// The object is withheld.
    Withhold,
}

/// The kinds that an object holds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Personal {
    /// Where a mask can stand in their place.
    pub maskable: Kinds,
    /// Where a mask would make it invalid or another object: what its id is made from, patterns, URLs, names of members.
    pub fixed: Kinds,
}

impl Personal {
    /// Of what is not understood.
    const UNKNOWN: Self = Self { maskable: Kinds::NONE, fixed: Kinds::ALL };
}

/// The kinds that the object holds. Of what cannot be read, or is no object, everything must be feared.
#[must_use]
pub fn kinds_of(object: &[u8]) -> Personal {
    thread_local! {
        /// Objects are judged by the thousand: each thread keeps the memory of one.
        static TAPE: RefCell<Tape> = RefCell::new(Tape::new());
    }
    TAPE.with_borrow_mut(|tape| kinds_by(tape, object))
}

fn kinds_by(tape: &mut Tape, object: &[u8]) -> Personal {
    let limits = Limits { max_depth: Limits::DEEPEST, max_bytes: usize::MAX, max_values: usize::MAX };
    tape.parse(object, &limits).map_or(Personal::UNKNOWN, kinds_in)
}

/// The kinds that an object holds which has been parsed. Of what is no object everything must be feared.
#[must_use]
pub fn kinds_in(object: Value<'_>) -> Personal {
    let Some((shape, version)) = judged_by(object) else { return Personal::UNKNOWN };
    let mut personal = Personal::default();
    visit(object, shape, version, &Places::new(), &mut |_, fixed, finds| {
        let kinds = if fixed { &mut personal.fixed } else { &mut personal.maskable };
        finds.iter().for_each(|find| kinds.insert(find.kind));
    });
    personal
}

#[cfg(test)]
mod tests;
