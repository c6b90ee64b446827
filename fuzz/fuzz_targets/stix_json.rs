//! Any bytes: the tape, both splitters and the canonical form neither panic nor contradict each other.

#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use stix::json::{Kind, Limits, Tape, Value};
use stix::split::{Splitter, Walk};
use stix::{canonical, equivalent};

const LIMITS: Limits = Limits { max_depth: 32, max_bytes: 4096, max_values: 1000 };

fuzz_target!(|data: &[u8]| {
    // The first byte chooses how the rest arrives.
    let Some((seed, text)) = data.split_first() else { return };
    value(text);
    documents(text, *seed);
});

/// What the tape accepts, serde_json accepts too, and its canonical form says the same and is its own.
fn value(text: &[u8]) {
    let mut tape = Tape::new();
    let Ok(value) = tape.parse(text, &LIMITS) else { return };
    assert!(serde_json::from_slice::<serde_json::Value>(text).is_ok());
    visit(value, 0);
    let mut canonical = Vec::new();
    canonical::write(value, &mut canonical);
    let mut again = Vec::new();
    let mut other = Tape::new();
    let wide = Limits { max_bytes: 1 << 20, ..LIMITS };
    canonical::write(other.parse(&canonical, &wide).expect("canonical JSON is JSON"), &mut again);
    assert_eq!(canonical, again);
    assert!(equivalent(text, &canonical));
}

/// Reads everything there is to read.
fn visit(value: Value<'_>, depth: usize) {
    assert!(depth <= LIMITS.max_depth);
    assert!(!value.text().is_empty());
    match value.kind() {
        Kind::Null => {}
        Kind::Bool => assert!(value.as_bool().is_some()),
        Kind::Integer | Kind::Float => assert!(value.as_f64().is_some_and(f64::is_finite)),
        Kind::String => assert!(value.as_str().is_some()),
        Kind::Array => {
            assert_eq!(value.items().count(), value.len());
            value.items().for_each(|item| visit(item, depth + 1));
        }
        Kind::Object => {
            assert_eq!(value.entries().count(), value.len());
            for (name, member) in value.entries() {
                assert_eq!(value.get(&name.as_str()).map(|found| found.span()), Some(member.span()));
                visit(member, depth + 1);
            }
        }
    }
}

/// A document gives the same objects in whatever pieces it arrives, and in memory.
fn documents(text: &[u8], seed: u8) {
    let whole = objects(Splitter::new(text, LIMITS));
    let pieces = objects(Splitter::new(Pieces { text, seed }, LIMITS));
    assert_eq!(whole, pieces);
    let mut walk = Walk::new(text, LIMITS);
    let mut found = Vec::new();
    let ended = loop {
        match walk.next_item() {
            Ok(Some(item)) => found.push((item.offset as u64, item.text.to_vec())),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert_eq!((found, ended), whole);
}

fn objects<R: Read>(mut splitter: Splitter<R>) -> (Vec<(u64, Vec<u8>)>, bool) {
    let mut found = Vec::new();
    loop {
        match splitter.next_item() {
            Ok(Some(item)) => found.push((item.offset, item.text.to_vec())),
            Ok(None) => return (found, true),
            Err(_) => return (found, false),
        }
    }
}

/// Gives a text in pieces of odd sizes.
struct Pieces<'t> {
    text: &'t [u8],
    seed: u8,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.seed = self.seed.wrapping_mul(29).wrapping_add(7);
        let most = room.len().min(1 + usize::from(self.seed));
        self.text.read(&mut room[..most])
    }
}
