//! A package cut into parts, each a file of its own: which part it is stands at its head, signed.

use super::block::{self, Block, Kind, exactly};
use super::chunks::Running;
use super::header::digest;
use super::{Error, PART, Trust};
use crate::key::{KeyId, Keys};
use crate::signed;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;

/// A package is cut into so many parts at most.
pub const MOST: u64 = 100_000;
/// A part is not smaller, so that its head stays small beside it.
pub const LEAST: u64 = 4 << 10;

/// What a part says of itself, in the order of the names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The SHA-256 of the bytes of the package in it (base64url).
    pub digest: String,
    /// Where they begin in the package.
    pub from: u64,
    /// Which part it is, from 1.
    pub index: u32,
    /// The key that signed it.
    pub key: KeyId,
    /// How many bytes.
    pub length: u64,
    /// How many parts there are.
    pub of: u32,
    /// The id of the package.
    pub package: String,
}

/// Where a package of so many bytes is cut: where each part begins and how long it is. `None`: into too many, or too
/// small, parts.
#[must_use]
pub fn cuts(bytes: u64, each: u64) -> Option<Vec<(u64, u64)>> {
    let count = if each < LEAST { None } else { Some(bytes.div_ceil(each).max(1)) }?;
    let cut = |index: u64| (index * each, each.min(bytes - index * each));
    (count <= MOST).then(|| (0..count).map(cut).collect())
}

/// The digest of a part's bytes, as they pass.
pub struct Digest(Running);

impl Default for Digest {
    fn default() -> Self {
        Self(Running::new())
    }
}

impl Digest {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.add(bytes);
    }

    /// Of how many.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// As a part's head writes it.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.value())
    }
}

impl Part {
    /// What stands before the bytes.
    #[must_use]
    pub fn head(&self, keys: &Keys) -> Vec<u8> {
        [PART, &block::sign(Kind::Part, self, keys).bytes()].concat()
    }

    /// Reads the head of a part that a key that counts has signed; its bytes follow in `from`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read(from: &mut impl Read, trust: &Trust<'_>) -> Result<Self, Error> {
        let mut magic = [0; PART.len()];
        exactly(from, &mut magic, "part").map_err(|_| Error::Foreign)?;
        if magic != PART {
            return Err(Error::Foreign);
        }
        let block = Block::read(Kind::Part, from)?;
        let part: Self = block.value()?;
        let untrusted = |source| Error::Signer { what: "part", source };
        let sender = trust(&part.key).map_err(untrusted)?;
        if KeyId::of(&sender.sign) != part.key {
            return Err(untrusted(signed::Error::Key(part.key)));
        }
        block.verify(&sender.sign)?;
        let name = part.package.strip_prefix("marsad-package--").and_then(|id| id.parse::<uuid::Uuid>().ok());
        let sound = name.is_some()
            && digest(&part.digest).is_some()
            && (1..=part.of).contains(&part.index)
            && u64::from(part.of) <= MOST
            && part.length > 0
            && part.from.checked_add(part.length).is_some();
        if sound { Ok(part) } else { Err(Error::form("part", "its numbers are none")) }
    }
}

/// The parts of one package that are there.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    found: BTreeMap<u32, Part>,
}

/// What is wrong with a part beside the others.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Odd {
    /// It is of another package.
    #[error("it is part {index} of the package {package}, another one")]
    Foreign {
        /// Which.
        package: String,
        /// Its number there.
        index: u32,
    },
    /// The same part is there already.
    #[error("part {0} of {1} is there twice")]
    Doubled(u32, u32),
    /// A part of this number is there already, and is another one.
    #[error("part {0} of {1} is there twice, and the two are not the same")]
    Contradicting(u32, u32),
}

impl Parts {
    /// Adds a part.
    ///
    /// # Errors
    /// [`Odd`]: it was not added.
    pub fn add(&mut self, part: Part) -> Result<(), Odd> {
        if let Some(first) = self.found.values().next()
            && (first.package != part.package || first.key != part.key)
        {
            return Err(Odd::Foreign { package: part.package, index: part.index });
        }
        let other_cut = self.found.values().next().is_some_and(|first| first.of != part.of);
        match self.found.get(&part.index) {
            Some(there) if *there == part => Err(Odd::Doubled(part.index, part.of)),
            Some(_) => Err(Odd::Contradicting(part.index, part.of)),
            None if other_cut => Err(Odd::Contradicting(part.index, part.of)),
            None => {
                self.found.insert(part.index, part);
                Ok(())
            }
        }
    }

    /// The numbers of the parts that are not there.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        let of = self.found.values().next().map_or(0, |first| first.of);
        (1..=of).filter(|index| !self.found.contains_key(index)).collect()
    }

    /// All of them in order, if nothing is missing and each begins where the one before ended.
    #[must_use]
    pub fn whole(&self) -> Option<Vec<&Part>> {
        let mut at = 0;
        let follows = |part: &&Part| {
            let follows = part.from == at;
            at = at.saturating_add(part.length);
            follows
        };
        let all: Vec<&Part> = self.found.values().collect();
        let complete = !all.is_empty() && self.missing().is_empty();
        (complete && all.iter().all(follows)).then_some(all)
    }
}
