//! Names of object types: their grammar (STIX 2.1 §3.1) and the standard ones by class (§4–§7).

/// STIX Domain Objects. STIX 2.1 §4.
pub const SDO_TYPES: [&str; 19] = [
    "attack-pattern",
    "campaign",
    "course-of-action",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "report",
    "threat-actor",
    "tool",
    "vulnerability",
];

/// STIX Relationship Objects. STIX 2.1 §5.
pub const SRO_TYPES: [&str; 2] = ["relationship", "sighting"];

/// STIX Cyber-observable Objects. STIX 2.1 §6.
pub const SCO_TYPES: [&str; 18] = [
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// STIX Meta Objects. STIX 2.1 §7.
pub const SMO_TYPES: [&str; 3] = ["extension-definition", "language-content", "marking-definition"];

/// Whether `name` is a standard STIX Domain Object.
pub fn is_sdo(name: &str) -> bool {
    SDO_TYPES.contains(&name)
}

/// Whether `name` is a standard STIX Relationship Object.
pub fn is_sro(name: &str) -> bool {
    SRO_TYPES.contains(&name)
}

/// Whether `name` is a standard STIX Cyber-observable Object.
pub fn is_sco(name: &str) -> bool {
    SCO_TYPES.contains(&name)
}

/// Whether `name` is a standard STIX Meta Object.
pub fn is_smo(name: &str) -> bool {
    SMO_TYPES.contains(&name)
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
    fn standard_names_are_well_formed_sorted_and_in_one_class() {
        let classes: [&[&str]; 4] = [&SDO_TYPES, &SRO_TYPES, &SCO_TYPES, &SMO_TYPES];
        for class in classes {
            assert!(class.is_sorted(), "{class:?}");
            for name in class {
                assert!(is_well_formed(name), "{name}");
                let count = [is_sdo(name), is_sro(name), is_sco(name), is_smo(name)].iter().filter(|yes| **yes).count();
                assert_eq!(count, 1, "{name}");
            }
        }
        assert!(!is_sdo("bundle") && !is_sco("bundle") && !is_smo("bundle"), "a bundle is no STIX Object: §8");
    }
}
