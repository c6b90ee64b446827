//! A signed piece in the clear: length, canonical JSON, signature.

use super::Error;
use crate::key::{Keys, SIGNATURE};
use crate::signature::VerifyKey;
use crate::signed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read};

/// What a block is: no two kinds can be taken for each other, nor for anything else that the key signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Header,
    Trailer,
    Part,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Trailer => "trailer",
            Self::Part => "part",
        }
    }

    /// Before what is signed.
    fn domain(self) -> &'static [u8] {
        match self {
            Self::Header => b"marsad-package 1\n",
            Self::Trailer => b"marsad-package-end 1\n",
            Self::Part => b"marsad-package-part 1\n",
        }
    }

    fn longest(self) -> usize {
        match self {
            Self::Header => 64 << 10,
            Self::Trailer | Self::Part => 4 << 10,
        }
    }
}

/// A block as it was read: nothing of it is known to be true.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Block {
    kind: Kind,
    pub(super) text: Vec<u8>,
    signature: [u8; SIGNATURE],
}

/// A block for `what`, whose fields are in the order of their names.
pub(super) fn sign<T: Serialize>(kind: Kind, what: &T, keys: &Keys) -> Block {
    let text = serde_json::to_vec(what).unwrap_or_default();
    let signature = keys.sign(&message(kind, &text));
    Block { kind, text, signature }
}

fn message(kind: Kind, text: &[u8]) -> Vec<u8> {
    [kind.domain(), text].concat()
}

impl Block {
    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], &self.text, &self.signature].concat()
    }

    /// Reads one.
    pub(super) fn read(kind: Kind, from: &mut impl Read) -> Result<Self, Error> {
        let mut length = [0; 4];
        exactly(from, &mut length, kind.name())?;
        let length = u32::from_be_bytes(length) as usize;
        if length > kind.longest() {
            return Err(Error::form(kind.name(), format!("it has {length} bytes, the most is {}", kind.longest())));
        }
        let mut text = vec![0; length];
        exactly(from, &mut text, kind.name())?;
        let mut signature = [0; SIGNATURE];
        exactly(from, &mut signature, kind.name())?;
        Ok(Self { kind, text, signature })
    }

    /// What it says. One content has one spelling.
    pub(super) fn value<T: DeserializeOwned + Serialize>(&self) -> Result<T, Error> {
        let wrong = |message: String| Error::form(self.kind.name(), message);
        let value: T = serde_json::from_slice(&self.text).map_err(|error| wrong(error.to_string()))?;
        let spelled = serde_json::to_vec(&value).unwrap_or_default();
        if spelled != self.text { Err(wrong("it is not in its canonical form".to_owned())) } else { Ok(value) }
    }

    /// Whether this key signed it.
    pub(super) fn verify(&self, key: &[u8; 32]) -> Result<(), Error> {
        let signs = VerifyKey::of(key).is_some_and(|key| key.verify(&message(self.kind, &self.text), &self.signature));
        if signs { Ok(()) } else { Err(Error::Signer { what: self.kind.name(), source: signed::Error::Signature }) }
    }
}

/// Fills the buffer; what ends before is cut off in `what`.
pub(super) fn exactly(from: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<(), Error> {
    from.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Cut(what),
        _ => Error::unwrapped(error),
    })
}
