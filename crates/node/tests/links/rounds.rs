//! Rounds of links.

use crate::site::{CLEAR, COLLECTION, GREEN, Site, Wire, id, small, tool};
use http::Response;
use ledger::{Ledger as _, Partners as _, Register as _};
use node::partners::link::{Definition, Direction};
use node::partners::runner::{Bounds, Error, Held, Job};
use node::partners::{Terms, identity, mailbox};
use partner::recall::{Act, Recall};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Two sites that trust each other; the wires from each to the other.
fn friends() -> (Site, Site, Wire, Wire) {
    let (one, two) = (Site::new("One"), Site::new("Two"));
    let (to_two, to_one) = (two.trusts(&one), one.trusts(&two));
    let wires = (Wire::to(&two, &to_two), Wire::to(&one, &to_one));
    (one, two, wires.0, wires.1)
}

fn made_by(site: &Site, numbers: std::ops::Range<u32>) -> Vec<String> {
    let author = site.identity();
    numbers.map(|n| tool(n, &author, GREEN)).collect()
}

fn with(job: &Job, change: impl FnOnce(&mut Definition)) -> Job {
    let mut job = job.clone();
    change(&mut job.definition);
    job
}

/// Whether every body of the site's collection has a seal.
fn sealed(site: &Site) -> bool {
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
    let bodies: Vec<&serde_json::value::RawValue> = serde_json::from_slice(&content).unwrap();
    let marks: Vec<_> = bodies.iter().map(|body| node::partners::provenance::mark::of(body.get().as_bytes())).collect();
    site.book.seals(&marks).unwrap().iter().all(Option::is_some)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_arrives_once_and_sealed() {
    let (one, two, wire, _) = friends();
    two.makes(&made_by(&two, 0..8));
    let job = one.job(&two, Direction::Pull);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.added, round.refused, round.objects), (8, 0, 8), "{round:?} {:?}", one.told());
    assert!(round.pages >= 3 && round.held.is_none() && round.warnings.is_empty(), "{round:?}");
    assert!(one.records() == 8 && sealed(&one));
    let again = one.round(&wire, &job).await.unwrap();
    assert_eq!((again.objects, one.records()), (0, 8), "{again:?}");
    two.makes(&made_by(&two, 8..9));
    assert_eq!(one.round(&wire, &job).await.unwrap().added, 1);
    assert!(one.holds(&id(8)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_arrives_once_and_sealed() {
    let (one, two, wire, _) = friends();
    one.makes(&made_by(&one, 0..8));
    let job = one.job(&two, Direction::Push);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.added, round.refused, round.objects, round.pending), (8, 0, 8, 0), "{round:?} {:?}", one.told());
    assert!(two.records() == 8 && sealed(&two));
    assert_eq!(one.round(&wire, &job).await.unwrap().objects, 0);
    one.makes(&made_by(&one, 8..9));
    assert_eq!(one.round(&wire, &job).await.unwrap().added, 1);
    assert_eq!(two.records(), 9);
}

/// Whichever request is lost, or its answer: the next round goes on, and everything is there once.
#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_breaks_off_anywhere_is_gone_on_with() {
    for direction in [Direction::Pull, Direction::Push] {
        for arrives in [false, true] {
            for broken in 0.. {
                let (one, two, wire, _) = friends();
                let (from, to) = if direction == Direction::Pull { (&two, &one) } else { (&one, &two) };
                from.makes(&made_by(from, 0..7));
                let job = one.job(&two, direction);
                wire.breaks_at(broken, arrives);
                let first = one.round(&wire, &job).await;
                if wire.asked() <= broken {
                    assert!(broken > 4, "there was so much to ask");
                    break;
                }
                let error = first.unwrap_err();
                assert!(error.error.story().contains("the line is cut"), "{}", error.error.story());
                wire.breaks_at(u64::MAX, false);
                let second = one.round(&wire, &job).await.unwrap();
                assert_eq!((second.refused, second.conflicts), (0, 0), "{second:?}");
                assert_eq!(to.records(), 7, "{direction:?} broken at {broken}, arrives: {arrives}");
                assert!(sealed(to));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_used_up_leaves_the_rest_for_later() {
    let (one, two, wire, _) = friends();
    two.makes(&made_by(&two, 0..20));
    let job = with(&one.job(&two, Direction::Pull), |it| it.max_objects_per_hour = Some(5));
    let round = one.round(&wire, &job).await.unwrap();
    let Some(Held::Budget(again)) = round.held else { panic!("{round:?}") };
    assert!((5..8).contains(&one.records()), "no more than a page beyond it: {}", one.records());
    assert!(again > node::clock::now());
    let before = one.records();
    assert_eq!(one.round(&wire, &job).await.unwrap().objects, 0, "not yet");
    for _ in 0..10 {
        wire.later(Duration::from_secs(3_600));
        one.round(&wire, &job).await.unwrap();
    }
    assert!(before < 20 && one.records() == 20);

    // The same for what goes out.
    let job = with(&two.job(&one, Direction::Push), |it| it.max_bytes_per_day = Some(1_000));
    let three = Site::new("Three");
    let key = three.trusts(&two);
    two.trusts(&three);
    let wire = Wire::to(&three, &key);
    let job = Job { partner: two.book.partner("Three").unwrap().unwrap(), ..job };
    let round = two.round(&wire, &job).await.unwrap();
    assert!(matches!(round.held, Some(Held::Budget(_))) && three.records() < 20, "{round:?}");
    for _ in 0..30 {
        wire.later(Duration::from_secs(86_400));
        two.round(&wire, &job).await.unwrap();
    }
    assert_eq!(three.records(), 20);
}

/// The page that is asked for while the one before it is taken in.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_ahead_counts_for_nothing_before_its_turn() {
    let (one, two, wire, _) = friends();
    two.makes(&made_by(&two, 0..8));
    let pages = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&pages);
    wire.plays(move |request| {
        let is_page = request.uri().path().ends_with(&format!("{COLLECTION}/objects/"));
        counts.fetch_add(u64::from(is_page), Ordering::SeqCst);
        None
    });
    let job = one.job(&two, Direction::Pull);
    let round = one.round_while(&wire, &job, &small(), |_| false).await.unwrap();
    assert_eq!((round.held, round.pages, round.objects, one.records()), (Some(Held::Time), 1, 3, 3), "{round:?}");
    assert!(matches!(pages.swap(0, Ordering::SeqCst), 1 | 2));
    let rest = one.round(&wire, &job).await.unwrap();
    assert_eq!((rest.added, rest.unchanged, one.records()), (5, 0, 8), "{rest:?}");
    // Where a budget ends with a page nothing more is asked for.
    for (agreed, most) in [(None, Some(3)), (Some(3), None)] {
        let (one, two, wire, _) = friends();
        two.makes(&made_by(&two, 0..8));
        let partner = one.book.partner("Two").unwrap().unwrap();
        let terms = Terms { max_objects_per_hour: agreed, ..Terms::default() };
        one.book.change_partner(&ledger::Partner { terms: terms.write(), ..partner }).unwrap();
        let pages = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&pages);
        wire.plays(move |request| {
            let is_page = request.uri().path().ends_with(&format!("{COLLECTION}/objects/"));
            counts.fetch_add(u64::from(is_page), Ordering::SeqCst);
            None
        });
        let job = with(&one.job(&two, Direction::Pull), |it| it.max_objects_per_hour = most);
        let round = one.round(&wire, &job).await.unwrap();
        assert!(matches!(round.held, Some(Held::Budget(_))), "{round:?}");
        assert_eq!((one.records(), pages.load(Ordering::SeqCst)), (3, 1), "{round:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_agreed_with_a_partner_bounds_it_however_it_brings_it() {
    let (one, two, to_two, to_one) = friends();
    let partner = one.book.partner("Two").unwrap().unwrap();
    let terms = Terms { max_objects_per_hour: Some(4), ..Terms::default() };
    one.book.change_partner(&ledger::Partner { terms: terms.write(), ..partner }).unwrap();
    two.makes(&made_by(&two, 0..12));
    let job = one.job(&two, Direction::Pull);
    let round = one.round(&to_two, &job).await.unwrap();
    assert!(matches!(round.held, Some(Held::Budget(_))), "{round:?}");
    let taken = one.records();
    assert!((4..7).contains(&taken), "{taken}");
    // It is told to wait when it pushes.
    let push = two.job(&one, Direction::Push);
    let broken = two.round(&to_one, &push).await.unwrap_err();
    let wait = broken.error.wait().unwrap();
    assert!(wait > Duration::from_secs(60), "{wait:?} {}", broken.error.story());
    assert_eq!(one.records(), taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn ceilings_and_filters_hold_in_both_directions() {
    let (one, two, to_two, to_one) = friends();
    let author = two.identity();
    let malware =
        tool(3, &author, CLEAR).replace("tool", "malware").replace(r#""name""#, r#""is_family":false,"name""#);
    let large = tool(4, &author, CLEAR).replace("tool 4", &"x".repeat(5_000));
    two.makes(&[tool(0, &author, CLEAR), tool(1, &author, GREEN), malware, large, tool(5, &author, CLEAR)]);
    let ids = |site: &Site| -> Vec<u32> {
        let ids = (0..6).filter(|n| site.holds(&id(*n)) || site.holds(&id(*n).replace("tool", "malware")));
        ids.collect()
    };
    let pull = with(&one.job(&two, Direction::Pull), |it| {
        it.ceiling = Some("clear".into());
        it.types = vec!["tool".into()];
        it.max_object_bytes = Some(4_000);
    });
    let round = one.round(&to_two, &pull).await.unwrap();
    assert_eq!((ids(&one), round.refused), (vec![0, 5], 2), "{round:?}");
    let told = one.told().join("\n");
    assert!(told.contains("more strictly than the link takes") && told.contains("bytes, and the link takes"), "{told}");

    let three = Site::new("Three");
    let to_three = Wire::to(&three, &three.trusts(&two));
    two.trusts(&three);
    let push = with(&two.job(&three, Direction::Push), |it| {
        it.ceiling = Some("clear".into());
        it.types = vec!["tool".into()];
        it.max_object_bytes = Some(4_000);
    });
    two.round(&to_three, &push).await.unwrap();
    assert_eq!(ids(&three), [0, 5]);
    // What was there before an instant stays there.
    let four = Site::new("Four");
    let to_four = Wire::to(&four, &four.trusts(&two));
    two.trusts(&four);
    let now = stix::timestamp::format_micros(node::clock::now());
    two.makes(&made_by(&two, 6..7));
    let push = with(&two.job(&four, Direction::Push), |it| it.added_after = Some(now));
    two.round(&to_four, &push).await.unwrap();
    assert!(four.records() == 1 && four.holds(&id(6)));
    drop(to_one);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_red_goes_to_whom_the_link_names() {
    const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let (one, two, wire, _) = friends();
    // A server of another make shows what it likes.
    let object = tool(0, "identity--00000000-0000-4000-8000-00000000abcd", RED);
    wire.plays(move |request| {
        let shows = request.uri().path().ends_with("/objects/") && !request.uri().path().contains(mailbox::ID);
        let answer = Response::builder().status(200).header("content-type", taxii::media::TAXII);
        shows.then(|| answer.body(format!(r#"{{"objects":[{object}]}}"#).into()).unwrap())
    });
    let job = one.job(&two, Direction::Pull);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.refused, one.records()), (1, 0), "{round:?}");
    let job = with(&job, |it| (it.to, it.types) = (vec!["One".into()], vec!["tool".into()]));
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.refused, one.records()), (0, 1), "{round:?} {:?}", one.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_answer_rightly_is_told_in_words() {
    let (one, two, wire, _) = friends();
    let job = one.job(&two, Direction::Pull);
    let wrong = Wire::to(&two, "marsad_nobody");
    let broken = one.round(&wrong, &job).await.unwrap_err();
    assert!(broken.error.story().contains("401") && broken.error.story().contains("credentials"), "{}", broken.error);
    for (status, header, wait) in [(429, "120", Some(120)), (503, "7", Some(7)), (500, "1", None)] {
        wire.plays(move |_| {
            let answer = Response::builder().status(status).header("retry-after", header);
            Some(answer.body("".into()).unwrap())
        });
        let broken = one.round(&wire, &job).await.unwrap_err();
        assert_eq!(broken.error.wait(), wait.map(Duration::from_secs), "{status} {}", broken.error.story());
    }
    wire.plays(|_| None);
    let nowhere = with(&job, |it| it.theirs = "nothing".into());
    let broken = one.round(&wire, &nowhere).await.unwrap_err();
    assert!(broken.error.story().contains("nothing"), "{}", broken.error.story());
    let gone = with(&job, |it| it.ours = "00000000-0000-4000-8000-000000000000".into());
    assert!(matches!(one.round(&wire, &gone).await.unwrap_err().error, Error::Collection(_)));
    let bad = with(&job, |it| it.ceiling = Some("purple".into()));
    assert!(matches!(one.round(&wire, &bad).await.unwrap_err().error, Error::Definition(_)));
}

/// A round that takes too long ends behind its page, and the next one goes on there.
#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_answers_slowly_for_ever_is_left_and_come_back_to() {
    let (one, two, wire, _) = friends();
    two.makes(&made_by(&two, 0..9));
    let job = one.job(&two, Direction::Pull);
    let slow = wire.clone();
    wire.plays(move |request| {
        if request.uri().path().ends_with("/objects/") && !request.uri().path().contains(mailbox::ID) {
            slow.later(Duration::from_secs(60));
        }
        None
    });
    let bounds = Bounds { round: Duration::from_secs(90), ..small() };
    let round = one.round_within(&wire, &job, &bounds).await.unwrap();
    assert_eq!((round.held, one.records()), (Some(Held::Time), 6), "{round:?}");
    let mut rounds = 1;
    while one.round_within(&wire, &job, &bounds).await.unwrap().held.is_some() {
        rounds += 1;
        assert!(rounds < 10);
    }
    assert_eq!(one.records(), 9);
}

/// Whoever lies about who made something is refused, and the rest goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_altered_on_the_way_is_refused_and_the_rest_is_kept() {
    let (one, two, wire, _) = friends();
    two.makes(&made_by(&two, 0..3));
    let job = one.job(&two, Direction::Pull);
    let honest = wire.clone();
    let page = {
        // What the server would say, bent.
        use taxii::client::Transport as _;
        let request =
            http::Request::get("https://other.example/exchange/collections/shared/objects/?match[version]=all");
        let request = request.header("accept", taxii::media::TAXII).body(bytes::Bytes::new()).unwrap();
        let answer = honest.send(request).await.unwrap();
        String::from_utf8(answer.body().to_vec()).unwrap().replace("tool 1", "tool one")
    };
    assert!(page.contains("tool one") && page.contains("marsad-seal"));
    wire.plays(move |request| {
        let shows = request.uri().path().ends_with("/objects/") && !request.uri().path().contains(mailbox::ID);
        let answer = Response::builder().status(200).header("content-type", taxii::media::TAXII);
        shows.then(|| answer.body(page.clone().into()).unwrap())
    });
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.added, round.refused), (2, 1), "{round:?}");
    assert!(!one.holds(&id(1)) && one.told().join("\n").contains("no seal of its author"), "{:?}", one.told());
}

/// Three nodes in a ring, each pulling from the next and pushing to it: everything is everywhere once, and then it is quiet.
#[tokio::test(flavor = "multi_thread")]
async fn a_ring_comes_to_rest() {
    let sites = [Site::new("One"), Site::new("Two"), Site::new("Three")];
    let mut links = Vec::new();
    for (at, site) in sites.iter().enumerate() {
        let next = &sites[(at + 1) % 3];
        let wire = Wire::to(next, &next.trusts(site));
        links.push((at, (at + 1) % 3, wire));
    }
    for (at, next, wire) in &links {
        // Each knows both others' cards, so that what comes round is whose it says.
        for other in &sites {
            if sites[*at].name != other.name && sites[*at].book.partner(&other.name).unwrap().is_none() {
                sites[*at].trusts(other);
            }
        }
        let _ = (next, wire);
    }
    for (n, site) in (0_u32..).zip(&sites) {
        site.makes(&made_by(site, n * 5..n * 5 + 5));
    }
    let mut moved = Vec::new();
    for _ in 0..6 {
        let mut objects = 0;
        for (at, next, wire) in &links {
            for direction in [Direction::Pull, Direction::Push] {
                let round = sites[*at].round(wire, &sites[*at].job(&sites[*next], direction)).await.unwrap();
                assert_eq!((round.refused, round.conflicts), (0, 0), "{direction:?} {round:?} {:?}", sites[*at].told());
                objects += round.added;
            }
        }
        moved.push(objects);
    }
    assert!(sites.iter().all(|site| site.records() == 15), "{moved:?}");
    assert_eq!(moved[3..], [0, 0, 0], "{moved:?}");
    // Quiet: nothing is even sent.
    for (at, next, wire) in &links {
        for direction in [Direction::Pull, Direction::Push] {
            let round = sites[*at].round(wire, &sites[*at].job(&sites[*next], direction)).await.unwrap();
            assert_eq!((round.objects, round.mail_in, round.mail_out), (0, 0, 0), "{round:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_goes_through_the_mailbox_and_its_receipt_comes_back() {
    let (one, two, wire, _) = friends();
    two.makes(&made_by(&two, 0..2));
    let job = one.job(&two, Direction::Pull);
    one.round(&wire, &job).await.unwrap();
    assert_eq!(one.records(), 2);
    recall(&two, 0, "One");
    assert_eq!(two.book.mail("One", i64::MIN, 10).unwrap().len(), 1);
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.mail_in, round.mail_out, one.records()), (1, 1, 1), "{round:?} {:?}", one.told());
    assert!(!one.holds(&id(0)));
    // The receipt has arrived; what was taken does not wait any more.
    let recalls = two.book.recalls_of(&id(0)).unwrap();
    let deliveries = two.book.deliveries(&recalls[0].id).unwrap();
    assert_eq!(deliveries[0].state, ledger::DeliveryState::Confirmed, "{deliveries:?}");
    let round = one.round(&wire, &job).await.unwrap();
    assert_eq!((round.mail_in, round.mail_out), (0, 0), "{round:?}");
    assert!(two.book.mail("One", i64::MIN, 10).unwrap().is_empty());
}

/// Recalls an object that the site made from an organisation that it was handed to.
fn recall(site: &Site, n: u32, from: &str) {
    let own = identity::own(&*site.book, &site.secret).unwrap();
    let now = node::clock::now();
    let at = stix::timestamp::format_micros(now);
    let recall = Recall { object: id(n), versions: None, act: Act::Delete, tlp: None, handling: None, at };
    let body = recall.sign(&own.keys);
    let statement = partner::signed::read(&body).unwrap();
    let kept = ledger::Recall { id: statement.id.clone(), object: id(n), at: now, body: body.clone(), from: None };
    let delivery = ledger::Delivery {
        recall: statement.id.clone(),
        organisation: from.into(),
        state: ledger::DeliveryState::Waiting,
        attempts: 0,
        last: None,
        answer: String::new(),
    };
    site.book.add_recall(&kept, &[delivery]).unwrap();
    site.book.post(from, &[(statement.id.as_str(), body.as_slice())], now).unwrap();
}

/// What a mailbox says to whom.
#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_there_for_partners_alone() {
    use taxii::client::Transport as _;
    let (one, two, wire, _) = friends();
    two.book.post("One", &[("marsad-recall--1", br#"{"id":"marsad-recall--1"}"#.as_slice())], 5).unwrap();
    let organisation = ledger::Organisation { name: "Guests".into(), relation: ledger::Relation::Community };
    two.book.add_organisation(&organisation).unwrap();
    let guest = Wire::plain(&two, &two.account("Guests"));
    let ask = async |wire: &Wire, path: &str| {
        let request = http::Request::get(format!("https://other.example{path}")).header("accept", taxii::media::TAXII);
        let answer = wire.send(request.body(bytes::Bytes::new()).unwrap()).await.unwrap();
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        // Every answer has its own id.
        let text = text.split(r#""error_id""#).next().unwrap_or_default().to_owned();
        (answer.status().as_u16(), text)
    };
    let unknown = "00000000-0000-4000-8000-000000000000";
    for place in ["", "objects/", "manifest/", "objects/marsad-recall--1/", "objects/marsad-recall--1/versions/"] {
        let at = |id: &str| format!("/exchange/collections/{id}/{place}");
        assert_eq!(ask(&guest, &at(mailbox::ID)).await, ask(&guest, &at(unknown)).await, "{place}");
        let (status, text) = ask(&wire, &at(mailbox::ID)).await;
        assert_eq!(status, 200, "{place} {text}");
    }
    let (_, listed) = ask(&guest, "/exchange/collections/").await;
    assert!(!listed.contains(mailbox::ID));
    let (_, listed) = ask(&wire, "/exchange/collections/").await;
    assert!(listed.contains(mailbox::ID));
    let (_, notices) = ask(&wire, "/api/links/notices?once=true").await;
    assert!(notices.contains(mailbox::ID), "{notices}");
    assert_eq!(ask(&guest, "/api/links/notices").await.0, 404);
    drop(one);
}
