//! Any bytes: timestamps, ids and selectors are read or refused, and what is upgraded is JSON that stays as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stix::id::Id;
use stix::json::{Limits, Tape};
use stix::timestamp::{self, Timestamp};
use stix::{selector, upgrade};

const LIMITS: Limits = Limits { max_depth: 32, max_bytes: 1 << 16, max_values: 10_000 };

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        words(text);
    }
    if let Ok(upgraded) = upgrade::object(data) {
        for object in &upgraded.objects {
            let again = upgrade::object(object).expect("what is upgraded is an object");
            assert_eq!(again.objects, [object.as_slice()]);
        }
    }
    if let Ok(upgraded) = upgrade::bundle(data, &LIMITS) {
        Tape::new().parse(&upgraded.text, &Limits::default()).expect("what is upgraded is JSON");
    }
});

fn words(text: &str) {
    if let Ok(found) = Timestamp::parse(text) {
        assert_eq!(timestamp::parse_taxii(text), Ok(found.micros));
        let written = timestamp::format_micros(found.micros);
        assert!(Timestamp::parse(&written).is_ok_and(|again| again.micros == found.micros.min(timestamp::MAX_MICROS)));
    }
    if let Ok(id) = Id::parse(text) {
        assert_eq!(format!("{}--{}", id.object_type(), id.uuid_text()), text);
    }
    let _ = selector::is_well_formed(text);
    let _ = timestamp::parse_taxii(text);
}
