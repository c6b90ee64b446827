//! What STIX 2.0 says otherwise.

/// Whether STIX 2.0 defines a relationship between two types. STIX 2.0 part 2, Appendix B.
pub(super) fn is_defined(source: &str, kind: &str, target: &str) -> bool {
    let targets: &[&str] = match (source, kind) {
        ("attack-pattern" | "campaign" | "intrusion-set" | "malware" | "threat-actor" | "tool", "targets") => {
            &["identity", "vulnerability"]
        }
        ("attack-pattern", "uses") => &["malware", "tool"],
        ("campaign" | "intrusion-set" | "threat-actor", "uses") => &["attack-pattern", "malware", "tool"],
        ("campaign", "attributed-to") => &["intrusion-set", "threat-actor"],
        ("course-of-action", "mitigates") => &["attack-pattern", "malware", "tool", "vulnerability"],
        ("indicator", "indicates") => {
            &["attack-pattern", "campaign", "intrusion-set", "malware", "threat-actor", "tool"]
        }
        ("intrusion-set", "attributed-to") => &["threat-actor"],
        ("malware", "uses") => &["tool"],
        ("malware", "variant-of") => &["malware"],
        ("threat-actor", "attributed-to" | "impersonates") => &["identity"],
        _ => &[],
    };
    targets.contains(&target)
}
