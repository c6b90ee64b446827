//! Lists of indicators in files: CSV, or a STIX bundle.
//!
//! [`read`] puts the claims of a file into a [`Builder`](crate::set::Builder), each under the place of its indicator in
//! the file, so that ten million indicators need no memory beside the set. [`Names`] leads from there back to what was
//! written. What is wrong is counted, and the first reasons are told; the rest of the file counts.
//!
//! ```
//! use observable::Kind;
//! use watch::set::Builder;
//!
//! let file = "type,value,id\ndomain,.evil.example,first\nmd5,nonsense,second\n";
//! let mut builder = Builder::new([7; 32]);
//! let mut loaded = watch::list::read(std::io::Cursor::new(file), &mut builder).unwrap();
//! assert_eq!((loaded.report.taken, loaded.report.refused), (1, 1));
//! assert_eq!(loaded.report.first[0].to_string(), "line 3: not a value of kind `md5`");
//!
//! let mut found = Vec::new();
//! builder.build().value(Kind::Domain, b"www.evil.example", &mut Vec::new(), &mut found);
//! let indicator = loaded.names.indicator(found[0].name).unwrap().unwrap();
//! assert_eq!(indicator.label(), "first");
//! assert!(indicator.meets(Kind::Domain, b"www.evil.example"));
//! ```

mod blocks;
mod bundle;
mod csv;
mod names;
mod record;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use observable::Claim;
use thiserror::Error;

use crate::general::Patterns;
use crate::set::Builder;
use crate::warning::Warnings;

pub use bundle::General;
pub use names::{Indicator, Names};
pub use record::MAX_LINE;

/// How many reasons are told.
const TOLD: usize = 20;

/// A file of indicators, read.
#[derive(Debug)]
pub struct Loaded<R> {
    /// What was taken and what was not.
    pub report: Report,
    /// The way from a name in the set to the indicator.
    pub names: Names<R>,
    /// Indicators whose patterns say more than that one of some values is there.
    pub general: Vec<General>,
}

/// What became of the indicators in a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Indicators seen: lines of a list, objects of a bundle.
    pub indicators: u64,
    /// Claims that were taken; an indicator of a bundle may make several.
    pub taken: u64,
    /// General patterns that were put beside the set.
    pub patterns: u64,
    /// Indicators of a bundle that are revoked, and older versions of others: no claims of theirs count.
    pub withdrawn: u64,
    /// Lines, patterns and claims that were refused.
    pub refused: u64,
    /// The first of these, in the order of the file.
    pub first: Vec<Refusal>,
    /// Claims on what is well known and benign, which were not taken, by the first warning list that names it.
    pub benign: BTreeMap<Box<str>, u64>,
}

/// Something in a file that was refused.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Refusal {
    /// Its line, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl<R> Loaded<R> {
    /// Puts the general patterns beside a set that is being built of the rest; what cannot be met is refused.
    pub fn add_patterns(&mut self, patterns: &Patterns, into: &mut Builder) {
        for General { name, line, pattern, .. } in self.general.drain(..) {
            match patterns.add(name, &pattern, into) {
                Ok(()) => self.report.patterns += 1,
                Err(error) => self.report.refuse(line, format_args!("the pattern cannot be met: {error}")),
            }
        }
    }
}

impl Report {
    fn refuse(&mut self, line: u64, reason: impl fmt::Display) {
        self.refused += 1;
        if self.first.len() < TOLD {
            self.first.push(Refusal { line, reason: reason.to_string() });
        }
    }

    /// Whether a warning list names what is claimed; it is counted.
    fn is_benign(&mut self, claim: &Claim, warnings: &Warnings) -> bool {
        let Some(list) = warnings.benign(claim).first().copied() else { return false };
        match self.benign.get_mut(list) {
            Some(count) => *count += 1,
            None => drop(self.benign.insert(list.into(), 1)),
        }
        true
    }

    fn absorb(&mut self, other: Self) {
        self.indicators += other.indicators;
        self.taken += other.taken;
        self.patterns += other.patterns;
        self.withdrawn += other.withdrawn;
        self.refused += other.refused;
        self.first.extend(other.first);
        self.first.sort_unstable();
        self.first.truncate(TOLD);
        for (list, count) in other.benign {
            *self.benign.entry(list).or_default() += count;
        }
    }
}

/// Why a file gives no indicators at all.
#[derive(Debug, Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read the indicators")]
    Read(#[from] io::Error),
    /// A list without a first line that says which column is which.
    #[error("no list of indicators: the first line must be `type,value` or `type,value,id`, or the file a STIX bundle")]
    Header,
    /// A bundle that breaks off; what came before counts.
    #[error("cannot read the bundle to its end")]
    Bundle(#[source] stix::split::Fault),
}

/// Reads the indicators of a file: of a STIX bundle (or whatever else holds STIX objects) if it begins with a brace or a
/// bracket, else of a list (CSV, RFC 4180, a record a line). Memory is bounded but for the claims themselves and for
/// patterns that are general.
///
/// # Errors
///
/// When the source fails, or is neither of both.
pub fn read<R: Read + Seek>(source: R, into: &mut Builder) -> Result<Loaded<R>, Error> {
    read_without(source, into, None)
}

/// The same without claims on what warning lists name; [`Report::benign`] counts them.
///
/// # Errors
///
/// As [`read`].
pub fn read_without<R: Read + Seek>(
    mut source: R,
    into: &mut Builder,
    warnings: Option<&Warnings>,
) -> Result<Loaded<R>, Error> {
    source.seek(SeekFrom::Start(0))?;
    let mut head = [0; 64];
    let mut filled = 0;
    while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
        match source.read(room) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    source.seek(SeekFrom::Start(0))?;
    let head = head.get(..filled).unwrap_or_default();
    let head = head.strip_prefix(record::BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    if matches!(head.first(), Some(b'{' | b'[')) {
        let (report, general, superseded) = bundle::read(&mut source, into, warnings)?;
        return Ok(Loaded { report, names: Names::of_bundle(source, superseded), general });
    }
    let (report, columns) = csv::read(&mut source, into, warnings)?;
    Ok(Loaded { report, names: Names::of_list(source, columns), general: Vec::new() })
}

#[cfg(test)]
mod tests;
