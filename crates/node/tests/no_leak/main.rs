//! No answer tells of what its viewer may not see (law 1).
//!
//! For a random book, viewer and list of requests, three nodes are put up: one with the whole book; one with the records
//! that the viewer may not see left out; one in which those records say something else. Whatever the viewer asks, the
//! three answer byte for byte the same: status, headers, bodies, cursors, counts, order.
//!
//! `NO_LEAK_BOOKS` says how many books (300 unless it is said), `NO_LEAK_SEED` which; a failure names the seed and
//! shrinks to a few records. `flaws/` holds flaws that this test has to find; `scripts/seeded-flaws` plants them one by
//! one.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod ask;
mod bench;
mod case;
mod cast;
mod record;

use bench::Bench;
use case::Outcomes;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// What was met on the way: a test that never met anything hidden has shown nothing.
#[derive(Default)]
struct Met {
    books: u64,
    mixed: u64,
    shown: usize,
    hidden: usize,
    cut: usize,
    answers: BTreeMap<(&'static str, u16), u64>,
}

impl Met {
    fn note(&mut self, outcomes: &Outcomes) {
        self.books += 1;
        self.mixed += u64::from(outcomes.shown > 0 && outcomes.hidden > 0);
        self.shown += outcomes.shown;
        self.hidden += outcomes.hidden;
        self.cut += outcomes.cut;
        for exchange in &outcomes.exchanges {
            *self.answers.entry((exchange.pattern, exchange.status)).or_default() += 1;
        }
    }
}

#[test]
fn no_answer_tells_of_what_its_viewer_may_not_see() {
    let (books, seed) = (number("NO_LEAK_BOOKS", 300), number("NO_LEAK_SEED", 20_261_125));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4) as u64;
    let met = Mutex::new(Met::default());
    let run = |thread: u64| {
        let share = books / threads + u64::from(thread < books % threads);
        let config = Config {
            cases: u32::try_from(share).unwrap(),
            failure_persistence: None,
            max_shrink_iters: 4_000,
            max_shrink_time: u32::try_from(number("NO_LEAK_SHRINK_MS", 120_000)).unwrap(),
            ..Config::default()
        };
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&seed.to_le_bytes());
        entropy[8] = u8::try_from(thread).unwrap();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &entropy);
        let bench = RefCell::new(Bench::new());
        let (begun, found) = (Cell::new(0_u64), Cell::new(None));
        TestRunner::new_with_rng(config, rng)
            .run(&case::case(), |case| {
                begun.set(begun.get() + 1);
                // Until the case has gone through, it is the one that failed first; what follows shrinks it.
                let failed_before = found.get();
                found.set(failed_before.or(Some(begun.get())));
                let outcomes = case::hold(&mut bench.borrow_mut(), &case)?;
                found.set(failed_before);
                met.lock().unwrap().note(&outcomes);
                Ok(())
            })
            .map_err(|error| match error {
                TestError::Fail(why, case) => format!(
                    "{why}\n\nviewer {:?}, after {:?}\n{}\nfound in book {} of its thread, NO_LEAK_SEED={seed}",
                    cast::GUISES[case.guise],
                    cast::GUISES[case.before],
                    case.records.iter().map(|record| format!("{record:?}\n")).collect::<String>(),
                    found.get().unwrap_or_default()
                ),
                TestError::Abort(why) => why.to_string(),
            })
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        running.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect()
    });
    if let Some(why) = failed.first() {
        panic!("an answer tells of what its viewer may not see\n\n{why}");
    }
    report(&met.into_inner().unwrap());
}

/// Prints what was met and makes sure that it is enough to mean something.
fn report(met: &Met) {
    println!("{} books, {} with something shown and something hidden", met.books, met.mixed);
    println!("{} records shown, {} of them in part, {} hidden", met.shown, met.cut, met.hidden);
    for ((pattern, status), count) in &met.answers {
        println!("{count:>8}  {status:>3}  {pattern}");
    }
    if met.books < 200 {
        return;
    }
    assert!(met.mixed * 3 > met.books, "too few books hold something hidden beside something shown");
    for (pattern, _) in ask::ROUTES {
        assert!(met.answers.keys().any(|(asked, _)| asked == pattern), "{pattern} was never asked");
    }
    let taxii = ask::ROUTES.iter().map(|(pattern, _)| *pattern).filter(|pattern| pattern.contains("{root}"));
    for pattern in taxii {
        for status in [200, 401] {
            assert!(met.answers.contains_key(&(pattern, status)), "{pattern} was never answered {status}");
        }
    }
}

#[test]
fn every_endpoint_of_the_router_is_asked() {
    let routed: BTreeSet<&str> = node::http::PATTERNS.iter().copied().flatten().copied().collect();
    let asked: BTreeSet<&str> = ask::ROUTES.iter().map(|(pattern, _)| *pattern).collect();
    assert_eq!(routed, asked, "ask.rs: give every endpoint of the router a line in ROUTES");
}
