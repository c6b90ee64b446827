//! As much of Thrift's compact protocol as it takes to see what a Parquet file declares before anything believes it.

use super::Broken;

/// The deepest nesting that is followed.
const DEEPEST: usize = 24;

/// A field of a struct as it was met: its number and type.
pub(super) struct Met {
    pub(super) id: i64,
    pub(super) kind: u8,
}

pub(super) const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;

/// Reads from bytes that may say anything.
pub(super) struct Thrift<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Thrift<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let byte = *self.bytes.get(self.at).ok_or(Broken::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken::Thrift)
    }

    /// A signed number: zigzag, as all of them are.
    pub(super) fn number(&mut self) -> Result<i64, Broken> {
        let raw = self.varint()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// The next field of a struct; `None` at its end. `last` is the number of the one before.
    pub(super) fn field(&mut self, last: &mut i64) -> Result<Option<Met>, Broken> {
        let byte = self.byte()?;
        let kind = byte & 0x0f;
        if kind == 0 {
            return Ok(None);
        }
        let delta = i64::from(byte >> 4);
        *last = if delta == 0 { self.number()? } else { last.checked_add(delta).ok_or(Broken::Thrift)? };
        Ok(Some(Met { id: *last, kind }))
    }

    /// The type of a list's elements, and how many there are said to be.
    pub(super) fn list(&mut self) -> Result<(u8, usize), Broken> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        let count = usize::try_from(count).map_err(|_| Broken::Thrift)?;
        // Each takes a byte at least.
        if count > self.bytes.len().saturating_sub(self.at) {
            return Err(Broken::Short);
        }
        Ok((byte & 0x0f, count))
    }

    /// Passes over a value of this type, which is in a field.
    pub(super) fn skip(&mut self, kind: u8) -> Result<(), Broken> {
        self.pass(kind, 0)
    }

    fn pass(&mut self, kind: u8, depth: usize) -> Result<(), Broken> {
        if depth > DEEPEST {
            return Err(Broken::Deep);
        }
        match kind {
            1 | 2 => Ok(()),
            3 => self.byte().map(drop),
            4..=6 => self.varint().map(drop),
            7 => self.jump(8),
            8 => {
                let length = self.varint()?;
                self.jump(length)
            }
            9 | 10 => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.element(kind, depth + 1))
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.element(kinds >> 4, depth + 1)?;
                    self.element(kinds & 0x0f, depth + 1)?;
                }
                Ok(())
            }
            12 => {
                let mut last = 0;
                while let Some(met) = self.field(&mut last)? {
                    self.pass(met.kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(Broken::Thrift),
        }
    }

    /// In lists a truth value takes a byte.
    fn element(&mut self, kind: u8, depth: usize) -> Result<(), Broken> {
        if matches!(kind, 1 | 2) { self.byte().map(drop) } else { self.pass(kind, depth) }
    }

    fn jump(&mut self, length: u64) -> Result<(), Broken> {
        let length = usize::try_from(length).map_err(|_| Broken::Short)?;
        let after = self.at.checked_add(length).filter(|after| *after <= self.bytes.len()).ok_or(Broken::Short)?;
        self.at = after;
        Ok(())
    }
}
