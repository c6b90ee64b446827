//! What one partner may bring, whichever way.

use crate::site::{COLLECTION, GREEN, Site, Wire, id, tool};
use bytes::Bytes;
use http::Response;
use ledger::Partners as _;
use node::partners::Terms;
use node::partners::link::Direction;
use node::partners::runner::Held;
use std::time::Duration;

/// Two sites that trust each other; the wire from the first to the second.
fn friends() -> (Site, Site, Wire) {
    let (one, two) = (Site::new("One"), Site::new("Two"));
    let key = two.trusts(&one);
    one.trusts(&two);
    let wire = Wire::to(&two, &key);
    (one, two, wire)
}

/// A site takes no more than so many objects in an hour from another one; `None`: any number.
fn limits(site: &Site, other: &Site, most: Option<u64>) {
    let partner = site.book.partner(&other.name).unwrap().unwrap();
    let terms = Terms { max_objects_per_hour: most, ..Terms::read(&partner.terms) };
    site.book.change_partner(&ledger::Partner { terms: terms.write(), ..partner }).unwrap();
}

fn made_by(site: &Site, numbers: std::ops::Range<u32>) -> Vec<String> {
    let author = site.identity();
    numbers.map(|n| tool(n, &author, GREEN)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_stays_within_the_quota_and_nothing_is_lost() {
    let (one, two, wire) = friends();
    limits(&one, &two, Some(6));
    two.makes(&made_by(&two, 0..14));
    let job = one.job(&two, Direction::Pull);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.added, one.records()), (6, 6), "{round:?}");
    assert!(matches!(round.held, Some(Held::Budget(_))), "{round:?}");
    // A second link of the same partner has no quota of its own.
    let second = node::partners::runner::Job { name: "another".into(), ..job.clone() };
    assert_eq!(one.round(&wire, &second).await.unwrap().added, 0);
    for (minutes, records) in [(30, 9), (60, 14), (60, 14)] {
        wire.later(Duration::from_secs(60 * minutes));
        one.round(&wire, &job).await.unwrap();
        assert_eq!(one.records(), records, "after {minutes} more minutes");
    }
    assert!((0..14).all(|n| one.holds(&id(n))));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pushes_too_much_waits_and_loses_nothing() {
    let (one, two, wire) = friends();
    limits(&two, &one, Some(3));
    one.makes(&made_by(&one, 0..7));
    let job = one.job(&two, Direction::Push);
    let broken = one.round(&wire, &job).await.unwrap_err();
    assert_eq!((broken.done.added, two.records()), (3, 3), "{broken:?}");
    // Three objects are an hour's worth.
    let wait = broken.error.wait().unwrap();
    assert!((3500..=3601).contains(&wait.as_secs()), "{wait:?}");
    // What a running node tells is written down a moment later.
    let told = || two.told().join("\n");
    for _ in 0..500 {
        if told().contains("quota-reached") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(told().contains("quota-reached") && told().contains("its 3 objects of this hour"), "{}", told());
    limits(&two, &one, None);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.refused, two.records()), (0, 7), "{round:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brings_rubbish_pauses() {
    let (one, two, wire) = friends();
    two.makes(&made_by(&two, 0..2));
    let author = two.identity();
    let rubbish = move |n: u32| tool(n, &author, GREEN).replace("2020-01-01", "2099-01-01");
    let mut pages = 0;
    wire.plays(move |request| {
        let objects = request.method() == "GET" && request.uri().path().ends_with(&format!("{COLLECTION}/objects/"));
        objects.then(|| {
            pages += 1;
            let page: Vec<String> = (0..60).map(|n| rubbish(100 * pages + n)).collect();
            let body = format!(r#"{{"more":true,"next":"{pages}","objects":[{}]}}"#, page.join(","));
            let answer = Response::builder().header("content-type", "application/taxii+json;version=2.1");
            answer.body(Bytes::from(body)).unwrap()
        })
    });
    let job = one.job(&two, Direction::Pull);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.added, round.refused, round.pages, one.records()), (0, 60, 1, 0), "{round:?}");
    assert!(matches!(round.held, Some(Held::Budget(_))), "{round:?}");
    let told = one.told().join("\n");
    assert!(told.contains("partner-pauses"), "{told}");
    // It does not ask again before the pause is over, and is stopped earlier then.
    wire.later(Duration::from_secs(4 * 60));
    assert_eq!(one.round(&wire, &job).await.unwrap().pages, 0);
    wire.later(Duration::from_secs(61));
    assert_eq!(one.round(&wire, &job).await.unwrap().pages, 1);
    // Whoever is good again is taken as before.
    wire.plays(|_| None);
    wire.later(Duration::from_secs(11 * 60));
    let again = node::partners::runner::Job { name: "anew".into(), ..job };
    assert_eq!(one.round(&wire, &again).await.unwrap().added, 2);
}
