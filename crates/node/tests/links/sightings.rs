//! Sightings go back to whose claim was met exactly when the settings and the policy let them.

use crate::site::{CLEAR, GREEN, Site, Wire};
use ledger::{Alerts as _, Ledger as _, Partners as _, Register as _};
use node::alerts::hit::Hit;
use node::config::Config;
use node::partners::link::Direction;
use observable::Kind;
use serde_json::Value;

const INDICATOR: &str = "indicator--00000000-0000-4000-8000-000000000001";
const EVENT: &str =
    r#"{"id.orig_h":"10.0.0.7","id.resp_h":"198.51.100.9","id.resp_p":53,"proto":"udp","query":"bad.example"}"#;

fn indicator(author: &str, marking: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{INDICATOR}","created_by_ref":"{author}","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","name":"Beacon","pattern":"[domain-name:value = 'bad.example']","pattern_type":"stix","confidence":80,"valid_from":"2020-01-01T00:00:00Z","object_marking_refs":["{marking}"]}}"#
    )
}

fn hit(line: u64) -> Hit {
    Hit {
        indicator: INDICATOR.into(),
        kind: Kind::Domain,
        value: "bad.example".into(),
        field: "query".into(),
        met: Vec::new(),
        input: "dns.log".into(),
        line,
        place: line,
        time: None,
        raw: EVENT.into(),
        is_wrong: None,
        received: node::clock::now(),
    }
}

fn config(text: &str) -> Config {
    Config::from_toml(&format!("watch.sightings-collection = \"shared\"\n{text}")).unwrap()
}

/// Everything in the site's collection, whoever may see it.
fn bodies(site: &Site) -> Vec<Value> {
    let filter = ledger::Filter {
        collection: site.collection.no,
        after: None,
        keys: None,
        kinds: None,
        versions: ledger::Versions::All,
        dialects: None,
        limit: 1_000,
        max_bytes: 1 << 20,
    };
    let mut content = vec![b'['];
    site.book.objects(&filter, &|_: ledger::ClassNo| true, &mut content).unwrap();
    content.push(b']');
    serde_json::from_slice(&content).unwrap()
}

fn of_kind<'b>(bodies: &'b [Value], kind: &str) -> Vec<&'b Value> {
    bodies.iter().filter(|body| body["type"] == kind).collect()
}

/// A site that watches, one whose claims it watches for, and a wire each way; the claim has arrived.
async fn watching(settings: &str, marking: &str) -> (Site, Site, Wire) {
    let (watcher, source, _, to_watcher) = watching_both(settings, marking).await;
    (watcher, source, to_watcher)
}

/// The same, with the wire to the source as well.
async fn watching_both(settings: &str, marking: &str) -> (Site, Site, Wire, Wire) {
    let (watcher, source) = (Site::with("Watcher", config(settings)), Site::new("Source"));
    let (to_source, to_watcher) = (source.trusts(&watcher), watcher.trusts(&source));
    let (to_source, to_watcher) = (Wire::to(&source, &to_source), Wire::to(&watcher, &to_watcher));
    source.makes(&[indicator(&source.identity(), marking)]);
    let round = watcher.round(&to_source, &watcher.job(&source, Direction::Pull)).await.unwrap();
    assert_eq!((round.added, round.refused), (1, 0), "{round:?}");
    (watcher, source, to_source, to_watcher)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sighting_goes_back_exactly_when_it_may() {
    for (settings, marking, written, goes) in [
        ("watch.sightings = \"source\"\ndefault-marking = \"green\"", GREEN, true, true),
        ("watch.sightings = \"source\"\ndefault-marking = \"clear\"", CLEAR, true, true),
        // Ours is stricter than the claim's: the community does not get it.
        ("watch.sightings = \"source\"\ndefault-marking = \"amber\"", GREEN, true, false),
        ("watch.sightings = \"own\"\ndefault-marking = \"green\"", GREEN, true, false),
        ("watch.sightings = \"none\"\ndefault-marking = \"green\"", GREEN, false, false),
        (
            "watch.sightings = \"source\"\nwatch.sightings-anonymous = true\ndefault-marking = \"green\"",
            GREEN,
            true,
            true,
        ),
    ] {
        let (watcher, source, wire) = watching(settings, marking).await;
        let desk = watcher.state.alerts();
        desk.take((1..=7).map(hit).collect(), node::clock::now()).unwrap();
        desk.tick(node::clock::now()).unwrap();
        desk.tick(node::clock::now()).unwrap();
        let here = bodies(&watcher);
        assert_eq!(of_kind(&here, "sighting").len(), usize::from(written), "{settings}");
        let round = source.round(&wire, &source.job(&watcher, Direction::Pull)).await.unwrap();
        assert_eq!(round.refused, 0, "{settings}: {round:?} {:?}", source.told());
        let there = bodies(&source);
        let sightings = of_kind(&there, "sighting");
        assert_eq!(sightings.len(), usize::from(goes), "{settings}: {there:?}");
        // Which machine of ours it was stays here in every case.
        let text = Value::from(there.clone()).to_string();
        assert!(!text.contains("10.0.0.7") && !text.contains("dns.log"), "{settings}: {text}");
        let Some(sighting) = sightings.first() else {
            assert!(of_kind(&there, "observed-data").is_empty(), "{settings}");
            continue;
        };
        assert_eq!((&sighting["count"], &sighting["sighting_of_ref"]), (&Value::from(7), &Value::from(INDICATOR)));
        let observed = of_kind(&there, "observed-data");
        assert_eq!(observed[0]["object_refs"].as_array().map(Vec::len), Some(1), "{observed:?}");
        assert_eq!(of_kind(&there, "domain-name")[0]["value"], "bad.example");
        let ours = watcher.identity();
        if settings.contains("anonymous") {
            assert!(!text.contains(&ours) && sighting.get("where_sighted_refs").is_none(), "{text}");
            let mark = node::partners::provenance::mark::of(sighting.to_string().as_bytes());
            assert_eq!(source.book.seals(&[mark]).unwrap(), [None]);
        } else {
            assert_eq!(sighting["where_sighted_refs"], serde_json::json!([ours]), "{text}");
            assert_eq!(of_kind(&there, "identity")[0]["name"], "Watcher");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_second_watcher_write_further_versions_of_one_sighting() {
    let settings = "watch.sightings = \"source\"\nwatch.sightings-minutes = 1\ndefault-marking = \"green\"";
    let (watcher, _, _) = watching(settings, GREEN).await;
    let now = node::clock::now();
    watcher.state.alerts().take(vec![hit(1)], now).unwrap();
    watcher.state.alerts().tick(now).unwrap();
    // Another process over the same book, which reads the first event again and a second one.
    let other = node::alerts::desk::Desk::new(&watcher.book, &watcher.config, &watcher.secret);
    let folded = other.take(vec![hit(1), hit(2)], now + 1).unwrap();
    assert_eq!((folded.counted, folded.repeated, folded.opened), (1, 1, 0));
    other.tick(now + 30_000_000).unwrap();
    assert_eq!(of_kind(&bodies(&watcher), "sighting").len(), 1, "not before its minute");
    other.tick(now + 61_000_000).unwrap();
    let bodies = bodies(&watcher);
    let sightings = of_kind(&bodies, "sighting");
    assert_eq!(sightings.iter().map(|one| one["count"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert!(sightings[0]["id"] == sightings[1]["id"] && sightings[0]["created"] == sightings[1]["created"]);
    assert_eq!((of_kind(&bodies, "identity").len(), of_kind(&bodies, "domain-name").len()), (1, 1));
    assert!(watcher.book.check(&mut |_, _| {}).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_positive_is_one_opinion_that_goes_where_the_claim_came_from() {
    let settings = "watch.sightings = \"source\"\ndefault-marking = \"green\"";
    let (watcher, source, to_source, wire) = watching_both(settings, GREEN).await;
    let (desk, now) = (watcher.state.alerts(), node::clock::now());
    desk.take(vec![hit(1)], now).unwrap();
    let mut id = String::new();
    watcher
        .book
        .alerts(&ledger::Alerted::Changed(0), &mut |alert| {
            id = alert.id;
            true
        })
        .unwrap();
    use node::alerts::desk::Answer::{Acknowledge, FalsePositive};
    assert!(desk.answer("none", FalsePositive, ("noor", ""), now).unwrap().is_none());
    desk.answer(&id, FalsePositive, ("noor", "our own scanner"), now).unwrap().unwrap();
    desk.answer(&id, FalsePositive, ("sami", "again"), now + 5_000_000).unwrap().unwrap();
    desk.tick(now + 6_000_000).unwrap();
    let here = bodies(&watcher);
    assert_eq!(of_kind(&here, "sighting").len(), 0, "what is wrong is not sighted");
    let opinions = of_kind(&here, "opinion");
    assert!(opinions.len() == 2 && opinions[0]["id"] == opinions[1]["id"], "{opinions:?}");
    assert!(opinions.iter().all(|one| one["opinion"] == "strongly-disagree" && !one.to_string().contains("noor")));
    source.round(&wire, &source.job(&watcher, Direction::Pull)).await.unwrap();
    let there = bodies(&source);
    let opinion = *of_kind(&there, "opinion").last().unwrap();
    assert_eq!(opinion["created_by_ref"], watcher.identity());

    // There it is the voice of the watcher's organisation: the claim is half as sure, and with it what is met.
    let followed = |site: &Site, least_confidence| {
        let settings = node::watch::book::Settings { least_confidence, ..node::watch::book::Settings::default() };
        let door = node::door::Door::over(&site.book, &site.config);
        node::watch::Followed::still(std::sync::Arc::clone(&site.book), door, settings, &mut |_| {}).unwrap()
    };
    for (least, met) in [(0, true), (40, true), (41, false)] {
        let followed = followed(&source, least);
        assert_eq!(followed.now().set.len(), usize::from(met), "{least}");
    }
    // Here it is ours.
    for (least, met) in [(0, true), (20, true), (21, false)] {
        assert_eq!(followed(&watcher, least).now().set.len(), usize::from(met), "{least}");
    }
    let live = followed(&watcher, 50);
    assert_eq!(live.now().set.len(), 0);

    // Nothing is told of the claim from now on: of another machine, by another process, of a new version.
    let newer = indicator(&source.identity(), GREEN).replace("\"modified\":\"2020-01-01", "\"modified\":\"2021-01-01");
    source.makes(&[newer]);
    watcher.round(&to_source, &watcher.job(&source, Direction::Pull)).await.unwrap();
    let still = followed(&watcher, 0);
    let met = still.confirm(0, Kind::Domain, b"bad.example", node::clock::now()).unwrap().unwrap();
    assert!(met.is_wrong && met.modified.starts_with("2021"), "{met:?}");
    let other = node::alerts::desk::Desk::new(&watcher.book, &watcher.config, &watcher.secret);
    let elsewhere = Hit { raw: EVENT.replace("10.0.0.7", "10.0.0.8"), received: now + 8_000_000, ..hit(9) };
    assert_eq!(other.take(vec![elsewhere], now + 8_000_000).unwrap().opened, 1);
    other.tick(now + 9_000_000).unwrap();
    let states = || {
        let mut states = Vec::new();
        let each = &mut |row: ledger::Alert| {
            states.push(node::alerts::alert::Alert::read(&row.body).unwrap().state.name());
            true
        };
        watcher.book.alerts(&ledger::Alerted::Changed(0), each).unwrap();
        states.sort_unstable();
        states
    };
    assert_eq!(states(), ["false-positive"; 2]);
    assert_eq!(of_kind(&bodies(&watcher), "sighting").len(), 0);

    // Whoever thinks better of it takes the word back.
    desk.answer(&id, Acknowledge, ("noor", ""), now + 10_000_000).unwrap().unwrap();
    assert_eq!(of_kind(&bodies(&watcher), "opinion").last().unwrap()["opinion"], "neutral");
    live.catch_up().unwrap();
    assert_eq!(live.now().set.len(), 1, "and it is met again");
    assert!(!live.confirm(0, Kind::Domain, b"bad.example", node::clock::now()).unwrap().unwrap().is_wrong);
    assert_eq!(states(), ["acknowledged", "new"], "and told of again");
    assert_eq!(watcher.book.collections().unwrap().len(), 1);
}
