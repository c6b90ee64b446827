//! Which relationships the standard defines between which types. STIX 2.1 §5.1, Appendix B.

use crate::object_type;

/// What the standard says of a relationship type between two object types. STIX 2.1 §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Defined for this source and this target.
    Defined,
    /// One of the common types: `related-to` between any two, `derived-from` and `duplicate-of` between equals.
    Common,
    /// Not defined for this pair: allowed, but a defined type SHOULD be used.
    Undefined,
}

/// One line of the table: relationships of `kind` from `source` to one of `targets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Type of the object that `source_ref` names.
    pub source: &'static str,
    /// The `relationship_type`.
    pub kind: &'static str,
    /// Types that `target_ref` may name.
    pub targets: &'static [&'static str],
    /// Whether every cyber-observable is a target besides.
    pub any_sco: bool,
}

/// What the standard says of a relationship of type `kind` from a `source` object to a `target` object.
pub fn standing(source: &str, kind: &str, target: &str) -> Standing {
    let common = match kind {
        "related-to" => true,
        "derived-from" | "duplicate-of" => source == target,
        _ => false,
    };
    if common {
        return Standing::Common;
    }
    let row =
        TABLE.binary_search_by(|row| (row.source, row.kind).cmp(&(source, kind))).ok().and_then(|at| TABLE.get(at));
    match row {
        Some(row) if row.targets.contains(&target) || (row.any_sco && object_type::is_sco(target)) => Standing::Defined,
        _ => Standing::Undefined,
    }
}

/// The defined relationships, sorted by source and kind. STIX 2.1 Appendix B.
pub const TABLE: [Row; 63] = [
    Row { source: "attack-pattern", kind: "delivers", targets: &["malware"], any_sco: false },
    Row {
        source: "attack-pattern",
        kind: "targets",
        targets: &["identity", "location", "vulnerability"],
        any_sco: false,
    },
    Row { source: "attack-pattern", kind: "uses", targets: &["malware", "tool"], any_sco: false },
    Row { source: "campaign", kind: "attributed-to", targets: &["intrusion-set", "threat-actor"], any_sco: false },
    Row { source: "campaign", kind: "compromises", targets: &["infrastructure"], any_sco: false },
    Row { source: "campaign", kind: "originates-from", targets: &["location"], any_sco: false },
    Row { source: "campaign", kind: "targets", targets: &["identity", "location", "vulnerability"], any_sco: false },
    Row {
        source: "campaign",
        kind: "uses",
        targets: &["attack-pattern", "infrastructure", "malware", "tool"],
        any_sco: false,
    },
    Row { source: "course-of-action", kind: "investigates", targets: &["indicator"], any_sco: false },
    Row {
        source: "course-of-action",
        kind: "mitigates",
        targets: &["attack-pattern", "indicator", "malware", "tool", "vulnerability"],
        any_sco: false,
    },
    Row { source: "course-of-action", kind: "remediates", targets: &["malware", "vulnerability"], any_sco: false },
    Row {
        source: "domain-name",
        kind: "resolves-to",
        targets: &["domain-name", "ipv4-addr", "ipv6-addr"],
        any_sco: false,
    },
    Row { source: "identity", kind: "located-at", targets: &["location"], any_sco: false },
    Row { source: "indicator", kind: "based-on", targets: &["observed-data"], any_sco: false },
    Row {
        source: "indicator",
        kind: "indicates",
        targets: &["attack-pattern", "campaign", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool"],
        any_sco: false,
    },
    Row {
        source: "infrastructure",
        kind: "communicates-with",
        targets: &["infrastructure", "ipv4-addr", "ipv6-addr", "domain-name", "url"],
        any_sco: false,
    },
    Row { source: "infrastructure", kind: "consists-of", targets: &["infrastructure", "observed-data"], any_sco: true },
    Row { source: "infrastructure", kind: "controls", targets: &["infrastructure", "malware"], any_sco: false },
    Row { source: "infrastructure", kind: "delivers", targets: &["malware"], any_sco: false },
    Row { source: "infrastructure", kind: "has", targets: &["vulnerability"], any_sco: false },
    Row { source: "infrastructure", kind: "hosts", targets: &["malware", "tool"], any_sco: false },
    Row { source: "infrastructure", kind: "located-at", targets: &["location"], any_sco: false },
    Row { source: "infrastructure", kind: "uses", targets: &["infrastructure"], any_sco: false },
    Row { source: "intrusion-set", kind: "attributed-to", targets: &["threat-actor"], any_sco: false },
    Row { source: "intrusion-set", kind: "compromises", targets: &["infrastructure"], any_sco: false },
    Row { source: "intrusion-set", kind: "hosts", targets: &["infrastructure"], any_sco: false },
    Row { source: "intrusion-set", kind: "originates-from", targets: &["location"], any_sco: false },
    Row { source: "intrusion-set", kind: "owns", targets: &["infrastructure"], any_sco: false },
    Row {
        source: "intrusion-set",
        kind: "targets",
        targets: &["identity", "location", "vulnerability"],
        any_sco: false,
    },
    Row {
        source: "intrusion-set",
        kind: "uses",
        targets: &["attack-pattern", "infrastructure", "malware", "tool"],
        any_sco: false,
    },
    Row { source: "ipv4-addr", kind: "belongs-to", targets: &["autonomous-system"], any_sco: false },
    Row { source: "ipv4-addr", kind: "resolves-to", targets: &["mac-addr"], any_sco: false },
    Row { source: "ipv6-addr", kind: "belongs-to", targets: &["autonomous-system"], any_sco: false },
    Row { source: "ipv6-addr", kind: "resolves-to", targets: &["mac-addr"], any_sco: false },
    Row { source: "malware", kind: "authored-by", targets: &["threat-actor", "intrusion-set"], any_sco: false },
    Row { source: "malware", kind: "beacons-to", targets: &["infrastructure"], any_sco: false },
    Row {
        source: "malware",
        kind: "communicates-with",
        targets: &["ipv4-addr", "ipv6-addr", "domain-name", "url"],
        any_sco: false,
    },
    Row { source: "malware", kind: "controls", targets: &["malware"], any_sco: false },
    Row { source: "malware", kind: "downloads", targets: &["malware", "tool", "file"], any_sco: false },
    Row { source: "malware", kind: "drops", targets: &["malware", "tool", "file"], any_sco: false },
    Row { source: "malware", kind: "exfiltrates-to", targets: &["infrastructure"], any_sco: false },
    Row { source: "malware", kind: "exploits", targets: &["vulnerability"], any_sco: false },
    Row { source: "malware", kind: "originates-from", targets: &["location"], any_sco: false },
    Row {
        source: "malware",
        kind: "targets",
        targets: &["identity", "infrastructure", "location", "vulnerability"],
        any_sco: false,
    },
    Row {
        source: "malware",
        kind: "uses",
        targets: &["attack-pattern", "infrastructure", "malware", "tool"],
        any_sco: false,
    },
    Row { source: "malware", kind: "variant-of", targets: &["malware"], any_sco: false },
    Row { source: "malware-analysis", kind: "av-analysis-of", targets: &["malware"], any_sco: false },
    Row { source: "malware-analysis", kind: "characterizes", targets: &["malware"], any_sco: false },
    Row { source: "malware-analysis", kind: "dynamic-analysis-of", targets: &["malware"], any_sco: false },
    Row { source: "malware-analysis", kind: "static-analysis-of", targets: &["malware"], any_sco: false },
    Row { source: "threat-actor", kind: "attributed-to", targets: &["identity"], any_sco: false },
    Row { source: "threat-actor", kind: "compromises", targets: &["infrastructure"], any_sco: false },
    Row { source: "threat-actor", kind: "hosts", targets: &["infrastructure"], any_sco: false },
    Row { source: "threat-actor", kind: "impersonates", targets: &["identity"], any_sco: false },
    Row { source: "threat-actor", kind: "located-at", targets: &["location"], any_sco: false },
    Row { source: "threat-actor", kind: "owns", targets: &["infrastructure"], any_sco: false },
    Row {
        source: "threat-actor",
        kind: "targets",
        targets: &["identity", "location", "vulnerability"],
        any_sco: false,
    },
    Row {
        source: "threat-actor",
        kind: "uses",
        targets: &["attack-pattern", "infrastructure", "malware", "tool"],
        any_sco: false,
    },
    Row { source: "tool", kind: "delivers", targets: &["malware"], any_sco: false },
    Row { source: "tool", kind: "drops", targets: &["malware"], any_sco: false },
    Row { source: "tool", kind: "has", targets: &["vulnerability"], any_sco: false },
    Row {
        source: "tool",
        kind: "targets",
        targets: &["identity", "infrastructure", "location", "vulnerability"],
        any_sco: false,
    },
    Row { source: "tool", kind: "uses", targets: &["infrastructure"], any_sco: false },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_without_repetition_and_names_known_types() {
        assert!(TABLE.is_sorted_by(|a, b| (a.source, a.kind) < (b.source, b.kind)));
        for row in TABLE {
            for name in row.targets.iter().chain([&row.source]) {
                assert!(object_type::is_sdo(name) || object_type::is_sco(name), "{name}");
            }
        }
    }

    #[test]
    fn standing_by_appendix_b() {
        use Standing::{Common, Defined, Undefined};
        let cases = [
            ("indicator", "indicates", "malware", Defined),
            ("indicator", "based-on", "observed-data", Defined),
            ("intrusion-set", "uses", "attack-pattern", Defined),
            ("ipv6-addr", "belongs-to", "autonomous-system", Defined),
            ("infrastructure", "consists-of", "file", Defined),
            ("infrastructure", "consists-of", "observed-data", Defined),
            ("infrastructure", "consists-of", "malware", Undefined),
            ("malware", "downloads", "file", Defined),
            ("threat-actor", "impersonates", "identity", Defined),
            ("malware-analysis", "av-analysis-of", "malware", Defined),
            ("indicator", "related-to", "x-acme-thing", Common),
            ("malware", "derived-from", "malware", Common),
            ("malware", "derived-from", "tool", Undefined),
            ("report", "duplicate-of", "report", Common),
            ("malware", "indicates", "indicator", Undefined),
            ("tool", "uses", "malware", Undefined),
            ("x-acme-thing", "uses", "malware", Undefined),
            ("attack-pattern", "subtechnique-of", "attack-pattern", Undefined),
            ("", "", "", Undefined),
        ];
        for (source, kind, target, expected) in cases {
            assert_eq!(standing(source, kind, target), expected, "{source} {kind} {target}");
        }
    }
}
