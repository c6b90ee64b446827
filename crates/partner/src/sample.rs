//! Organisations for tests: each has a number, from which its keys, its card and its identity follow.

use crate::card::{Card, Draft, issue, read};
use crate::key::Keys;
use crate::trust::{Keyring, Standing};

pub(crate) const NOW: i64 = 1_790_000_000_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000;

pub(crate) fn keys(number: u8) -> Keys {
    Keys::of(&[number; 32])
}

pub(crate) fn identity(number: u8) -> String {
    format!("identity--00000000-0000-4000-8000-0000000000{number:02x}")
}

pub(crate) fn draft(number: u8) -> Draft {
    Draft {
        serial: 1,
        organisation: format!("Organisation {number}"),
        identities: vec![identity(number)],
        addresses: vec![format!("https://node{number}.example/taxii2/")],
        certificates: vec!["0f".repeat(32)],
        from: NOW - HOUR,
        until: None,
        revoked: false,
    }
}

pub(crate) fn card(number: u8) -> Card {
    read(&issue(&draft(number), &keys(number), None)).unwrap()
}

/// Our own card is that of 1; 2 and 3 are partners by the names `two` and `three`.
pub(crate) fn ring() -> Keyring {
    let pinned = |name: &str, number| (name.to_owned(), card(number), Standing::Pinned);
    Keyring::new(Some(card(1)), vec![pinned("two", 2), pinned("three", 3)])
}
