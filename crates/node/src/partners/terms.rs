//! What was agreed with a partner, as it is kept beside its name.

use serde::{Deserialize, Serialize};

/// What was agreed with a partner. What is `None` is not limited.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Terms {
    /// How reliable it is as a source: A to F (Admiralty).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<char>,
    /// The highest confidence (STIX 2.1 §3.2) with which its objects count here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence_ceiling: Option<u8>,
    /// Objects that are taken from it in an hour at most, over all its links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_objects_per_hour: Option<u64>,
    /// Bytes that are taken from it in a day at most, over all its links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes_per_day: Option<u64>,
    /// Whether it may meet us blindly, to find what both hold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub meets: bool,
}

impl Terms {
    /// The terms of a partner, as they are kept. What cannot be read is the strictest that there is: nothing is taken.
    #[must_use]
    pub fn read(kept: &[u8]) -> Self {
        // A struct is also read from a list, which nobody writes.
        let read =
            serde_json::from_slice::<serde_json::Map<_, _>>(kept).and_then(|kept| serde_json::from_value(kept.into()));
        read.unwrap_or(Self {
            reliability: None,
            confidence_ceiling: Some(0),
            max_objects_per_hour: Some(0),
            max_bytes_per_day: Some(0),
            meets: false,
        })
    }

    /// As they are kept.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        // Numbers and a letter are JSON; were it not so, what is read back is the strictest.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What is wrong with them.
    ///
    /// # Errors
    /// In words for people.
    pub fn check(&self) -> Result<(), String> {
        if self.reliability.is_some_and(|letter| !('A'..='F').contains(&letter)) {
            return Err("a reliability is a letter from A to F".to_owned());
        }
        if self.confidence_ceiling.is_some_and(|ceiling| ceiling > 100) {
            return Err("a confidence is a number from 0 to 100 (STIX 2.1 §3.2)".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_cannot_be_read_takes_nothing() {
        let all = Terms {
            reliability: Some('B'),
            confidence_ceiling: Some(60),
            max_objects_per_hour: Some(5),
            max_bytes_per_day: Some(7),
            meets: true,
        };
        for terms in [all, Terms::default()] {
            assert_eq!(Terms::read(&terms.write()), terms);
        }
        assert_eq!(Terms::default().write(), b"{}");
        for damaged in [&b""[..], b"[]", b"{\"reliability\":5}"] {
            let terms = Terms::read(damaged);
            assert_eq!((terms.max_objects_per_hour, terms.confidence_ceiling, terms.meets), (Some(0), Some(0), false));
        }
        // A newer Marsad may have written more.
        assert_eq!(Terms::read(b"{\"reliability\":\"C\",\"more\":1}").reliability, Some('C'));
    }

    #[test]
    fn what_is_no_grade_is_refused() {
        for (terms, good) in [
            (Terms { reliability: Some('F'), confidence_ceiling: Some(100), ..Terms::default() }, true),
            (Terms { reliability: Some('G'), ..Terms::default() }, false),
            (Terms { reliability: Some('a'), ..Terms::default() }, false),
            (Terms { confidence_ceiling: Some(101), ..Terms::default() }, false),
        ] {
            assert_eq!(terms.check().is_ok(), good, "{terms:?}");
        }
    }
}
