//! Quotas, by table and against slow oracles.

use super::*;
use proptest::prelude::*;

/// 2026-11-25T12:00:00Z.
const NOON: Micros = 1_795_608_000 * 1_000_000;

fn quota(limits: Limits) -> Quota {
    Quota::new(limits, State::default())
}

#[test]
fn an_hours_objects_come_at_once_or_evenly() {
    let mut quota = quota(Limits { objects_per_hour: Some(60), ..Limits::default() });
    for _ in 0..60 {
        quota.take(1, NOON).unwrap();
    }
    assert_eq!((quota.left(NOON), quota.left(NOON + 30 * MINUTE), quota.left(NOON + 5 * HOUR)), (0, 30, 60));
    let refused = quota.take(1, NOON).unwrap_err();
    assert_eq!(refused, Refusal::Objects { most: 60, until: NOON + MINUTE });
    assert_eq!(
        refused.to_string(),
        "it has brought its 60 objects of this hour: more from 2026-11-25T12:01:00.000000Z on"
    );
    assert_eq!(quota.open(NOON), Err(refused));
    quota.take(1, NOON + MINUTE).unwrap();
    quota.take(1, NOON + MINUTE).unwrap_err();
    // A clock that is set back fills nothing, and goes on filling from there.
    assert_eq!(quota.left(NOON - HOUR), 0);
    quota.take(1, NOON - DAY).unwrap_err();
    assert_eq!(quota.left(NOON + HOUR), 59);
}

#[test]
fn a_days_bytes_and_the_largest_object() {
    let mut quota = quota(Limits { bytes_per_day: Some(86_400), largest_object: Some(50_000), ..Limits::default() });
    assert_eq!(quota.take(50_001, NOON), Err(Refusal::Large { bytes: 50_001, most: 50_000 }));
    quota.take(50_000, NOON).unwrap();
    let until = NOON + 13_600 * 1_000_000;
    assert_eq!(quota.take(50_000, NOON), Err(Refusal::Bytes { most: 86_400, until }));
    quota.take(36_400, NOON).unwrap();
    assert_eq!(quota.open(NOON), Err(Refusal::Bytes { most: 86_400, until: NOON + 1_000_000 }));
    assert_eq!(quota.open(NOON + 1_000_000), Ok(()));
    // What is larger than a whole day's bytes never fits, and says so.
    let mut narrow = Quota::new(Limits { bytes_per_day: Some(10), ..Limits::default() }, State::default());
    let large = narrow.take(11, NOON).unwrap_err();
    assert_eq!((large.until(), large.to_string().contains("11 bytes")), (None, true), "{large}");
    // Nothing at all.
    let mut closed = Quota::new(Limits { objects_per_hour: Some(0), ..Limits::default() }, State::default());
    assert!(closed.open(NOON).is_err() && closed.take(1, NOON + DAY).is_err() && closed.left(NOON) == 0);
    let mut open = Quota::new(Limits::default(), State::default());
    for _ in 0..1_000 {
        open.take(u64::MAX, NOON).unwrap();
    }
    assert_eq!((open.left(NOON), open.state()), (u64::MAX, &State::default()), "what is not limited is not counted");
}

#[test]
fn what_is_refused_uses_nothing_up() {
    let limits =
        Limits { objects_per_hour: Some(2), bytes_per_day: Some(10), largest_object: Some(8), ..Limits::default() };
    let mut quota = quota(limits);
    quota.take(9, NOON).unwrap_err();
    quota.take(8, NOON).unwrap();
    quota.take(3, NOON).unwrap_err();
    assert_eq!(quota.left(NOON), 1);
    quota.take(2, NOON).unwrap();
}

#[test]
fn the_future_is_refused_with_both_times() {
    let limits = Limits::default();
    for (created, modified, property) in [
        (None, None, None),
        (Some(NOON), Some(NOON + 10 * MINUTE), None),
        (Some(NOON - DAY), Some(NOON + 10 * MINUTE + 1), Some("modified")),
        (Some(NOON + DAY), Some(NOON + DAY), Some("modified")),
        (Some(NOON + DAY), None, Some("created")),
        (Some(NOON + DAY), Some(NOON), Some("created")),
        (Some(Micros::MAX), Some(Micros::MIN), Some("created")),
        (Some(Micros::MIN), Some(Micros::MIN), None),
    ] {
        let found = in_time(created, modified, limits.ahead, NOON);
        let found = found.err().map(|refusal| match refusal {
            Refusal::Ahead { property, .. } => property,
            other => unreachable!("{other}"),
        });
        assert_eq!(found, property, "{created:?} {modified:?}");
    }
    let quota = quota(Limits { ahead: 3 * HOUR, ..limits });
    assert_eq!(quota.in_time(Some(NOON), Some(NOON + 3 * HOUR), NOON), Ok(()));
    let refused = quota.in_time(None, Some(NOON + 4 * HOUR), NOON).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "its `modified` is 2026-11-25T16:00:00.000000Z, more than 180 minutes after our clock, which says 2026-11-25T12:00:00.000000Z"
    );
    let until = refused.until().unwrap();
    assert_eq!(quota.in_time(None, Some(NOON + 4 * HOUR), until), Ok(()), "it may come again then");
}

#[test]
fn a_ceiling_lowers_and_never_lifts() {
    for (claimed, ceiling, expected) in [
        (None, None, None),
        (None, Some(40), None),
        (Some(90), None, Some(90)),
        (Some(90), Some(40), Some(40)),
        (Some(30), Some(40), Some(30)),
        (Some(30), Some(0), Some(0)),
        (Some(255), None, Some(100)),
        (Some(255), Some(200), Some(100)),
    ] {
        assert_eq!(confidence(claimed, ceiling), expected, "{claimed:?} under {ceiling:?}");
    }
}

#[test]
fn who_is_mostly_refused_pauses_longer_and_longer() {
    let mut quota = quota(Limits::default());
    let mut now = NOON;
    for no in 1..50 {
        assert_eq!(quota.judged(true, now), None, "{no} are too few to judge by");
    }
    assert_eq!(quota.judged(true, now), Some(now + 5 * MINUTE));
    assert_eq!(quota.take(1, now), Err(Refusal::Pause { until: now + 5 * MINUTE }));
    assert_eq!((0..1_000).find_map(|_| quota.judged(true, now)), None, "the rest of its page");
    assert_eq!(quota.open(now + 5 * MINUTE - 1), Err(Refusal::Pause { until: now + 5 * MINUTE }));
    assert_eq!(quota.open(now + 5 * MINUTE), Ok(()));
    // Ten bad ones are enough from then on, and the pauses double up to a day.
    for minutes in [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440] {
        now += DAY;
        assert_eq!((0..9).find_map(|_| quota.judged(true, now)), None);
        assert_eq!(quota.judged(true, now), Some(now + minutes * MINUTE));
    }
    assert_eq!(quota.state().refused.pauses(), 11);
    // Who is good for long enough begins anew.
    now += DAY;
    for _ in 0..50 {
        quota.judged(false, now);
    }
    assert_eq!(quota.state().refused.pauses(), 0);
    // A clock that jumped ahead and back again does not stop it for years.
    let mut jumped = Quota::new(Limits::default(), State::default());
    for _ in 0..50 {
        jumped.judged(true, now + 3000 * DAY);
    }
    assert!(jumped.open(now + 3000 * DAY).is_err());
    assert_eq!(jumped.open(now), Ok(()));
}

#[test]
fn what_counts_is_what_came_last() {
    let never = |percent: u8| {
        let mut quota = Quota::new(Limits { refused_percent: percent, ..Limits::default() }, State::default());
        (0..10_000).find_map(|_| quota.judged(true, NOON))
    };
    assert_eq!((never(100), never(0).is_some()), (None, true));
    // Half is not more than half.
    let mut quota = quota(Limits::default());
    assert_eq!((0..10_000).find_map(|no| quota.judged(no % 2 == 0 && no > 0, NOON)), None);
    // Years of good service do not pay for a flood.
    for _ in 0..1_000_000 {
        quota.judged(false, NOON);
    }
    let stopped = (0..1_000).position(|_| quota.judged(true, NOON).is_some());
    assert!(stopped.is_some_and(|after| after < 500), "{stopped:?}");
}

#[test]
fn a_state_is_kept_and_a_damaged_one_is_used_up() {
    let limits = Limits { objects_per_hour: Some(60), bytes_per_day: Some(1_000), ..Limits::default() };
    let mut quota = quota(limits.clone());
    for _ in 0..30 {
        quota.take(10, NOON).unwrap();
        quota.judged(true, NOON);
    }
    let kept = quota.state().write();
    let again = Quota::new(limits.clone(), State::read(Some(&kept), NOON));
    assert_eq!(again, quota);
    // The limit changes, what was used stays used: half of it.
    let wider = Quota::new(Limits { objects_per_hour: Some(600), ..limits.clone() }, State::read(Some(&kept), NOON));
    assert_eq!(wider.left(NOON), 300);
    assert_eq!(State::read(None, NOON), State::default());
    for damaged in [&b""[..], b"7", b"{\"objects\":1}", b"{\"objects\":{\"empty\":-1,\"at\":0}}", &kept[1..]] {
        let damaged = Quota::new(limits.clone(), State::read(Some(damaged), NOON));
        assert!(damaged.open(NOON).is_err() && damaged.open(NOON + DAY).is_ok());
    }
    assert_ne!(note("North"), note("South"));
    assert_eq!(note("CERT North"), note("cert NORTH"));
}

#[test]
fn a_page_is_taken_whole_or_not_yet() {
    let mut quota = quota(Limits { objects_per_hour: Some(60), bytes_per_day: Some(86_400), ..Limits::default() });
    assert_eq!(quota.room(60, 86_400, NOON), Ok(()));
    quota.took(30, 0, NOON);
    let until = NOON + 15 * MINUTE;
    assert_eq!(quota.room(45, 0, NOON), Err(Refusal::Objects { most: 60, until }));
    assert_eq!((quota.room(30, 0, NOON), quota.room(45, 0, until)), (Ok(()), Ok(())));
    // More than ever fits waits until nothing is used, and what was overdrawn is paid back: five hours, and one to be full.
    let full = NOON + 30 * MINUTE;
    assert_eq!(quota.room(360, 0, NOON), Err(Refusal::Objects { most: 60, until: full }));
    assert_eq!(quota.room(360, 0, full), Ok(()));
    quota.took(360, 0, full);
    assert_eq!(quota.open(full), Err(Refusal::Objects { most: 60, until: full + 5 * HOUR + MINUTE }));
    assert_eq!(quota.room(360, 0, full), Err(Refusal::Objects { most: 60, until: full + 6 * HOUR }));
    assert_eq!(quota.left(full + 5 * HOUR + 30 * MINUTE), 30);
    quota.took(0, 2 * 86_400, full);
    assert_eq!(quota.room(1, 1, full + 6 * HOUR), Err(Refusal::Bytes { most: 86_400, until: full + DAY + 1_000_000 }));
    // However much it was, it is over within thirty spans.
    quota.took(u64::MAX, u64::MAX, full);
    assert_eq!(quota.room(1, 1, full + 30 * DAY), Ok(()));
}

/// Two who keep the quota of one partner at once: what either brought counts.
#[test]
fn what_is_held_counts_for_every_link() {
    use ledger::{Organisation, Partner, PartnerKind, Partners as _, Register as _, Relation};
    let folder = tempfile::tempdir().unwrap();
    let book = ledger::sqlite::Book::create(&folder.path().join("book.db")).unwrap();
    for name in ["North", "South"] {
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
    }
    let terms = crate::partners::Terms { max_objects_per_hour: Some(60), ..Default::default() };
    let kind = PartnerKind::Node;
    book.add_partner(&Partner { organisation: "North".into(), kind, terms: terms.write(), added: 0 }).unwrap();
    let held = |name: &str| Held::load(&book, name, NOON).unwrap();
    let (mut one, mut two) = (held("North"), held("NORTH"));
    assert_eq!(one.brought(&book, (20, 100), 0, NOON).unwrap(), None);
    assert_eq!(two.brought(&book, (20, 100), 20, NOON).unwrap(), None);
    assert_eq!((one.quota().left(NOON), two.quota().left(NOON), held("north").quota().left(NOON)), (40, 20, 20));
    assert_eq!(one.brought(&book, (30, 100), 30, NOON).unwrap(), Some(NOON + 5 * MINUTE), "most of it was refused");
    assert!(matches!(held("North").quota().open(NOON), Err(Refusal::Pause { .. })));
    assert_eq!(held("South").quota().open(NOON), Ok(()), "each has its own");
    // Whoever is no partner any more is not limited, but what was refused of it counts.
    assert_eq!(held("South").brought(&book, (100_000, 0), 40, NOON).unwrap(), None);
}

proptest! {
    /// In no stretch of time comes more than what fits at once and what fills up meanwhile; and what fits by that is taken.
    #[test]
    fn a_bucket_is_never_overdrawn_and_never_stingy(
        most in 1_u64..50,
        calls in prop::collection::vec((0_i64..3 * HOUR / 10, 1_u64..20), 1..60),
    ) {
        let mut bucket = Bucket::default();
        let (mut now, mut taken) = (NOON, Vec::<(Micros, u64)>::new());
        // What is in it, exactly: in parts of an hour's microseconds.
        let whole = i128::from(most) * i128::from(HOUR);
        let (mut exact, mut at) = (whole, now);
        for (wait, amount) in calls {
            now += wait;
            exact = whole.min(exact + i128::from(now - at) * i128::from(most));
            at = now;
            let price = i128::from(amount) * i128::from(HOUR);
            match bucket.fits(amount, most, HOUR, now) {
                Ok(()) => {
                    prop_assert!(exact >= price, "overdrawn");
                    bucket.take(amount, most, HOUR, now);
                    exact -= price;
                    taken.push((now, amount));
                }
                Err(until) if amount <= most => {
                    // Rounding costs less than a microsecond for each that was taken.
                    let slack = i128::from(most) * (taken.len() as i128 + 1);
                    prop_assert!(exact < price + slack, "stingy");
                    prop_assert!(until > now && bucket.fits(amount, most, HOUR, until).is_ok());
                    prop_assert!(bucket.fits(amount, most, HOUR, until - 2).is_err(), "later than need be");
                }
                Err(until) => prop_assert!(until > now),
            }
            prop_assert!(bucket.left(most, HOUR, now) <= most);
        }
        for (first, (start, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for (end, amount) in &taken[first..] {
                sum += i128::from(*amount);
                let allowed = i128::from(most) * i128::from(HOUR) + i128::from(end - start) * i128::from(most);
                prop_assert!(sum * i128::from(HOUR) <= allowed);
            }
        }
    }

    /// Nothing that is kept, however wrong, breaks the arithmetic.
    #[test]
    fn no_number_breaks_it(
        empty in any::<u64>(), at in any::<i64>(), now in any::<i64>(), most in any::<u64>(), amount in any::<u64>(),
        counts in any::<[u32; 3]>(), until in any::<Option<i64>>(),
    ) {
        let [good, refused, pauses] = counts;
        let until = until.map_or_else(String::new, |until| format!(r#","until":{until}"#));
        let kept = format!(
            r#"{{"objects":{{"empty":{empty},"at":{at}}},"bytes":{{"empty":{empty},"at":{at}}},
            "refused":{{"good":{good},"refused":{refused},"pauses":{pauses}{until}}}}}"#
        );
        let limits = Limits { objects_per_hour: Some(most), bytes_per_day: Some(most), ..Limits::default() };
        let mut quota = Quota::new(limits, State::read(Some(kept.as_bytes()), now));
        prop_assert!(quota.left(now) <= most);
        let _ = (quota.open(now), quota.take(amount, now), quota.judged(true, now), quota.judged(false, now));
        let _ = quota.in_time(Some(at), Some(now), at);
        prop_assert_eq!(State::read(Some(&quota.state().write()), now), quota.state().clone());
    }
}
