//! Any query at any endpoint: read or refused, and what it says of itself does not depend on how it was spelt.

#![no_main]

use libfuzzer_sys::fuzz_target;
use taxii::query::{Endpoint, MAX_VALUES, parse};

const ENDPOINTS: [Endpoint; 4] = [Endpoint::Objects, Endpoint::Object, Endpoint::Versions, Endpoint::Other];

fuzz_target!(|data: &[u8]| {
    let Ok(raw) = std::str::from_utf8(data) else { return };
    let read = ENDPOINTS.map(|endpoint| parse(raw, endpoint));
    // What is malformed is malformed anywhere.
    assert!(read.iter().all(|query| query.is_ok() == read[0].is_ok()));
    let Ok(query) = &read[0] else { return };
    assert_ne!(query.limit, Some(0));
    for list in [&query.ids, &query.types, &query.spec_versions].into_iter().flatten() {
        assert!(!list.is_empty() && list.len() <= MAX_VALUES && list.iter().all(|value| !value.is_empty()));
    }
    // The order of parameters does not matter.
    let turned: Vec<&str> = raw.split('&').rev().collect();
    let turned = parse(&turned.join("&"), Endpoint::Objects).expect("the same parameters");
    assert_eq!((&turned, turned.filters()), (query, query.filters()));
});
