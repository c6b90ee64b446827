//! The set beside a scan over the claims.

use observable::{Claim, Kind};

use super::*;

fn built(claims: &[Claim]) -> Set {
    let mut builder = Builder::new([1; 32]);
    for (name, claim) in claims.iter().enumerate() {
        builder.add(claim, name as u64).unwrap();
    }
    builder.build()
}

fn names(set: &Set, kind: Kind, value: &str) -> Vec<u64> {
    let mut found = Vec::new();
    set.value(kind, value.as_bytes(), &mut Vec::new(), &mut found);
    let mut names: Vec<u64> = found.iter().map(|found| found.name).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_domain_is_met_as_far_as_the_claim_goes() {
    let set = built(&[
        Claim::new(Kind::Domain, "evil.example"),
        Claim::with_subdomains("evil.example"),
        Claim::below("evil.example"),
        Claim::with_subdomains("a.b.evil.example"),
    ]);
    assert_eq!(names(&set, Kind::Domain, "EVIL.example."), [0, 1]);
    assert_eq!(names(&set, Kind::Domain, "b.evil.example"), [1, 2]);
    assert_eq!(names(&set, Kind::Domain, "x.a.b.evil.example"), [1, 2, 3]);
    assert!(names(&set, Kind::Domain, "notevil.example").is_empty(), "never a part of a label");
    assert!(names(&set, Kind::Domain, "evil.example.org").is_empty());
    assert!(names(&set, Kind::Url, "evil.example").is_empty(), "another kind");
}
