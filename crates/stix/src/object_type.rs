//! Names of object types: their grammar (STIX 2.1 §3.1) and the standard ones by class (§4–§7).

use crate::schema::{Category, Version, find};

/// Whether `name` is a standard STIX Domain Object. STIX 2.1 §4.
pub fn is_sdo(name: &str) -> bool {
    is(name, |category| category == Category::Sdo)
}

/// Whether `name` is a standard STIX Relationship Object. STIX 2.1 §5.
pub fn is_sro(name: &str) -> bool {
    is(name, |category| category == Category::Sro)
}

/// Whether `name` is a standard STIX Cyber-observable Object. STIX 2.1 §6.
pub fn is_sco(name: &str) -> bool {
    is(name, |category| category == Category::Sco)
}

/// Whether `name` is a standard STIX Meta Object. STIX 2.1 §7.
pub fn is_smo(name: &str) -> bool {
    is(name, |category| matches!(category, Category::Language | Category::Marking | Category::Extension))
}

fn is(name: &str, class: impl FnOnce(Category) -> bool) -> bool {
    find(Version::V21, name).is_some_and(|shape| class(shape.category))
}

/// Whether `name` may name an object type: 3 to 250 of `[a-z0-9-]`, a letter first, no two hyphens
/// in a row. STIX 2.1 §3.1, §7.3.1.
///
/// One hyphen at the end is tolerated, as the published schemas do; the reserved name `action`
/// (§3.8) is well formed and refused elsewhere.
pub fn is_well_formed(name: &str) -> bool {
    let bytes = name.as_bytes();
    (3..=250).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !bytes.windows(2).any(|pair| pair == b"--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar_of_type_names() {
        let longest = format!("x{}", "a".repeat(249));
        let valid = ["indicator", "x-acme-thing", "abc", "a1-2b", "x509-certificate", "abc-", longest.as_str()];
        for name in valid {
            assert!(is_well_formed(name), "{name} is well formed");
        }
        let too_long = format!("{longest}a");
        let invalid = ["", "ab", "Indicator", "1abc", "-abc", "a--b", "x_acme", "x acme", "abcé", too_long.as_str()];
        for name in invalid {
            assert!(!is_well_formed(name), "{name} is not well formed");
        }
    }

    #[test]
    fn each_standard_type_is_of_one_class() {
        let rows = [
            ("indicator", [true, false, false, false]),
            ("malware-analysis", [true, false, false, false]),
            ("relationship", [false, true, false, false]),
            ("sighting", [false, true, false, false]),
            ("file", [false, false, true, false]),
            ("x509-certificate", [false, false, true, false]),
            ("marking-definition", [false, false, false, true]),
            ("language-content", [false, false, false, true]),
            ("extension-definition", [false, false, false, true]),
            // A bundle is no STIX object: §8.
            ("bundle", [false; 4]),
            ("x-acme-thing", [false; 4]),
            ("", [false; 4]),
        ];
        for (name, classes) in rows {
            assert_eq!([is_sdo(name), is_sro(name), is_sco(name), is_smo(name)], classes, "{name}");
        }
    }
}
