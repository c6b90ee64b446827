//! How often we meet with a partner, and how many of its values ours are compared with: each could be a guess.
//!
//! Counted over the last 24 hours, in both roles together, in the register: also over restarts and other processes. A meeting
//! spends its whole size when it begins, whether it ends or not.

use crate::config;
use ledger::{Micros, Register};
use serde::{Deserialize, Serialize};

/// How long a meeting counts.
const DAY: Micros = 24 * 3_600 * 1_000_000;
/// How often the note is tried to be changed while others change it.
const TRIES: usize = 16;

/// A meeting that counts.
#[derive(Clone, Copy, Deserialize, Serialize)]
struct Spent {
    at: Micros,
    values: u64,
}

/// Why there is no meeting now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It would be one too many.
    #[error("{had} meetings within 24 hours, and `meeting.meetings-per-day` is {most}")]
    Meetings {
        /// How many there were.
        had: u64,
        /// How many there may be.
        most: u64,
    },
    /// It would compare too many values.
    #[error("{values} values more than {had} within 24 hours, and `meeting.values-per-day` is {most}")]
    Values {
        /// How many it has.
        values: u64,
        /// How many there were.
        had: u64,
        /// How many there may be.
        most: u64,
    },
    /// The register.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// Spends what a meeting with a partner takes that shows this size, if it is there.
///
/// # Errors
/// [`Error`]; then nothing was spent.
pub fn spend<B: Register + ?Sized>(
    book: &B,
    organisation: &str,
    values: u64,
    now: Micros,
    config: &config::Meeting,
) -> Result<(), Error> {
    let name = format!("meeting budget {}", organisation.to_lowercase());
    for _ in 0..TRIES {
        let kept = book.note(&name)?;
        // A note that cannot be read has spent everything: it is mended by a day's wait, not by whoever damaged it.
        let mut spent: Vec<Spent> = match &kept {
            None => Vec::new(),
            Some(text) => {
                serde_json::from_slice(text).unwrap_or_else(|_| vec![Spent { at: now, values: config.values_per_day }])
            }
        };
        // What lies ahead of the clock counts: a clock that was set back gives nothing back.
        spent.retain(|one| one.at > now.saturating_sub(DAY));
        let (meetings, had) = (spent.len() as u64, spent.iter().map(|one| one.values).sum::<u64>());
        if meetings >= config.meetings_per_day {
            return Err(Error::Meetings { had: meetings, most: config.meetings_per_day });
        }
        if had.saturating_add(values) > config.values_per_day {
            return Err(Error::Values { values, had, most: config.values_per_day });
        }
        spent.push(Spent { at: now, values });
        let text = serde_json::to_vec(&spent).unwrap_or_default();
        if book.swap_note(&name, kept.as_deref(), Some(&text))? {
            return Ok(());
        }
    }
    Err(Error::Meetings { had: config.meetings_per_day, most: config.meetings_per_day })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_holds_what_it_holds() {
        let directory = tempfile::tempdir().unwrap();
        let book = ledger::sqlite::Book::create(&directory.path().join("book.db")).unwrap();
        let config = config::Meeting { meetings_per_day: 3, values_per_day: 5_000, ..config::Meeting::default() };
        let spend = |who: &str, values, now| spend(&book, who, values, now, &config);
        assert!(matches!(spend("Port", 5_001, 0), Err(Error::Values { had: 0, .. })));
        assert!(spend("Port", 2_000, 0).is_ok());
        assert!(spend("port", 3_000, 1).is_ok());
        assert!(matches!(spend("Port", 1, 2), Err(Error::Values { had: 5_000, .. })));
        // Another's is another's.
        assert!(spend("North", 1_024, 2).is_ok());
        // A refusal spends nothing; after a day the first does not count any more.
        assert!(spend("Port", 2_001, DAY).is_err());
        assert!(spend("Port", 1_999, DAY).is_ok());
        assert!(spend("Port", 1, DAY).is_ok());
        assert!(matches!(spend("Port", 0, DAY), Err(Error::Meetings { had: 3, most: 3 })));
        // A clock that was set back gives nothing back.
        assert!(spend("Port", 1, 0).is_err());
        assert!(matches!(spend("Port", u64::MAX, 3 * DAY), Err(Error::Values { .. })));
        // What cannot be read has spent everything.
        book.set_note("meeting budget east", Some(b"{")).unwrap();
        assert!(spend("East", 1, 0).is_err());
    }
}
