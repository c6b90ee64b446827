//! Whatever goes wrong between nodes, what they hold in the end is what the policy lets them have, once.
//!
//! A schedule puts up two to five real nodes (book, audit log, router) in some topology and lets things happen in an order
//! that follows from one number: objects are made, changed, ended and taken back; rounds of links overlap; requests are lost,
//! cut, done twice, done again much later; nodes part, die in the middle and come again from their files; clocks are hours
//! apart; a relay may lie. Then nothing goes wrong any more and rounds follow each other until they move nothing. Every
//! node then holds what a slow oracle says, nothing twice, and nothing aside.
//!
//! `LINKS_SCHEDULES` says how many schedules (80 unless it is said), `LINKS_SEED` where to begin, `LINKS_STEPS` how much
//! happens in each. A failure names its seed: `LINKS_ONLY=SEED` plays that schedule alone.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bad;
mod dice;
mod oracle;
mod record;
mod relay;
mod round;
mod schedule;
mod told;
mod wire;
mod world;

use schedule::Met;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn every_node_holds_what_it_may_whatever_goes_wrong_on_the_way() {
    let (count, seed) = (number("LINKS_SCHEDULES", 80), number("LINKS_SEED", 20_261_125));
    let steps = usize::try_from(number("LINKS_STEPS", 120)).unwrap();
    let only = std::env::var("LINKS_ONLY").ok().map(|text| text.parse::<u64>().unwrap());
    let (seed, count) = only.map_or((seed, count), |only| (only, 1));
    if only.is_some() {
        let _ = tracing::subscriber::set_global_default(told::Told);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let (next, met, failed) = (AtomicU64::new(0), Mutex::new(Met::default()), Mutex::new(Vec::new()));
    let run = || {
        let bench = world::Bench::new();
        loop {
            let no = next.fetch_add(1, Ordering::SeqCst);
            if no >= count || !failed.lock().unwrap().is_empty() {
                return;
            }
            let held = catch_unwind(AssertUnwindSafe(|| schedule::hold(&bench, seed + no, steps)));
            let held = held.unwrap_or_else(|_| Err("the schedule panics, see above".to_owned()));
            match held {
                Ok(here) => met.lock().unwrap().add(here),
                Err(why) => failed.lock().unwrap().push(format!("{why}\n\nLINKS_ONLY={} plays it again", seed + no)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
    if let Some(why) = failed.into_inner().unwrap().first() {
        panic!("{why}");
    }
    report(&met.into_inner().unwrap());
}

/// Prints what was met and makes sure that it is enough to mean something.
fn report(met: &Met) {
    println!("{} schedules {:?}", met.schedules, met.shapes);
    println!("{} objects made, {} copies at others, {} kept back", met.objects, met.copies, met.kept_back);
    println!("{} rounds, {} of them broken off; {} kills; {:?}", met.rounds, met.broken, met.kills, met.faults);
    println!("{} recalls, {} times confirmed, {} times in a bringer's words", met.recalls, met.confirmed, met.instead);
    println!("spoilt on the way: {:?}", met.spoilt);
    if met.schedules < 200 {
        return;
    }
    assert!(
        met.copies > met.schedules && met.kept_back > met.schedules,
        "too little is shared, or too little kept back"
    );
    assert!(met.broken > met.schedules / 4 && met.kills > met.schedules, "too little goes wrong");
    assert!(met.instead > 5, "everybody always knew the author of what was recalled");
    assert_eq!(met.faults.len(), 6 + 1, "a kind of fault never came about");
    assert_eq!(met.shapes.len(), 5, "a shape never came about");
}
