//! Any text: the pattern parser neither panics nor points outside the text, and what it prints parses to the same tree.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pattern::{Version, check, check_version, parse, parse_version};

fuzz_target!(|text: &str| {
    for version in [Version::V20, Version::V21] {
        for error in check_version(text, version) {
            assert!(text.get(error.span.clone()).is_some(), "{error:?}");
        }
        let Ok(pattern) = parse_version(text, version) else { continue };
        let printed = pattern.to_string();
        assert_eq!(parse(&printed).as_ref(), Ok(&pattern));
        assert_eq!(parse(&printed).expect("just parsed").to_string(), printed);
    }
    // A fault of the grammar is the only one that is told.
    if let Err(error) = parse(text) {
        assert_eq!(check(text), [error]);
    }
});
