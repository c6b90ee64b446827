//! The fixed-width row of a record inside a leaf.

use crate::{ClassNo, Dialect, Seq, State};

/// Bytes of one head.
pub(super) const WIDTH: usize = 56;

/// What a page needs of a record without touching its body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    pub(super) seq: i64,
    /// Of the version; of unversioned records the seq.
    pub(super) micros: i64,
    pub(super) picos: u32,
    pub(super) class: u32,
    pub(super) kind: u32,
    /// Where the body lies in the leaf's bodies.
    pub(super) offset: u32,
    pub(super) length: u32,
    /// Where key and then version text lie in the leaf's names.
    pub(super) name: u32,
    pub(super) key_length: u16,
    /// 0: the time of addition is the version.
    pub(super) version_length: u16,
    pub(super) dialect: u8,
    pub(super) state: u8,
    /// Whether the collection held another version of the key when this was last written: only then is the index
    /// asked which version a viewer gets.
    pub(super) shared: bool,
    /// Whether the record refers to others: [`ALONE`], [`REFERS`], or 0 if it was written before that was noted.
    pub(super) refers: u8,
}

pub(super) const LIVE: u8 = 0;
pub(super) const CONFLICT: u8 = 1;
pub(super) const QUARANTINED: u8 = 2;
pub(super) const ERASED: u8 = 3;
pub(super) const TOMBSTONE: u8 = 4;

/// Refers to nothing.
pub(super) const ALONE: u8 = 1;
/// Refers to something.
pub(super) const REFERS: u8 = 2;

impl Head {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.seq.to_le_bytes());
        out.extend(self.micros.to_le_bytes());
        for field in [self.picos, self.class, self.kind, self.offset, self.length, self.name] {
            out.extend(field.to_le_bytes());
        }
        out.extend(self.key_length.to_le_bytes());
        out.extend(self.version_length.to_le_bytes());
        out.extend([self.dialect, self.state, u8::from(self.shared), self.refers]);
        out.extend([0; 8]);
    }

    pub(super) fn read(row: &[u8; WIDTH]) -> Self {
        let long = |at: usize| row.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, i64::from_le_bytes);
        let int = |at: usize| row.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
        let short = |at: usize| row.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes);
        Self {
            seq: long(0),
            micros: long(8),
            picos: int(16),
            class: int(20),
            kind: int(24),
            offset: int(28),
            length: int(32),
            name: int(36),
            key_length: short(40),
            version_length: short(42),
            dialect: row[44],
            state: row[45],
            shared: row[46] != 0,
            refers: row[47],
        }
    }

    pub(super) fn seq(&self) -> Seq {
        Seq(self.seq)
    }

    pub(super) fn class(&self) -> ClassNo {
        ClassNo(self.class)
    }

    pub(super) fn dialect(&self) -> Dialect {
        dialect(self.dialect)
    }

    pub(super) fn state(&self) -> State {
        match self.state {
            LIVE => State::Live,
            CONFLICT => State::Conflict,
            QUARANTINED => State::Quarantined,
            TOMBSTONE => State::Tombstone,
            _ => State::Erased,
        }
    }

    pub(super) fn end(&self) -> usize {
        self.offset as usize + self.length as usize
    }
}

pub(super) fn dialect(code: u8) -> Dialect {
    if code == Dialect::Stix20 as u8 { Dialect::Stix20 } else { Dialect::Stix21 }
}

/// The heads of a leaf.
pub(super) fn heads(blob: &[u8]) -> impl DoubleEndedIterator<Item = Head> + '_ {
    blob.as_chunks::<WIDTH>().0.iter().map(Head::read)
}
