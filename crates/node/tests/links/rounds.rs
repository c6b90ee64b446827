//! Rounds of one link.

use crate::site::{GREEN, Site, Wire, id, tool};
use node::partners::link::Direction;

/// Two sites that trust each other; the wire from the first to the second.
fn friends() -> (Site, Site, Wire) {
    let (one, two) = (Site::new("One"), Site::new("Two"));
    let key = two.trusts(&one);
    one.trusts(&two);
    let wire = Wire::to(&two, &key);
    (one, two, wire)
}

fn made_by(site: &Site, numbers: std::ops::Range<u32>) -> Vec<String> {
    let author = site.identity();
    numbers.map(|n| tool(n, &author, GREEN)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_arrives_once() {
    let (one, two, wire) = friends();
    two.makes(&made_by(&two, 0..8));
    let job = one.job(&two, Direction::Pull);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.added, round.refused, round.objects), (8, 0, 8), "{round:?} {:?}", one.told());
    assert!(round.pages >= 3 && round.held.is_none() && round.warnings.is_empty(), "{round:?}");
    assert_eq!(one.records(), 8);
    let again = one.round(&wire, &job).await.unwrap();
    assert_eq!((again.objects, one.records()), (0, 8), "{again:?}");
    two.makes(&made_by(&two, 8..9));
    assert_eq!(one.round(&wire, &job).await.unwrap().added, 1);
    assert!(one.holds(&id(8)));
}
