//! The blind meeting: both parties in this process, on two threads, without the wire between them.

use crate::corpus::Size;
use crate::{row, table};
use partner::meet::oprf::{Key, Mode};
use partner::meet::{Answerer, Asker, Kind, PAGE, Value, pages};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// What two cores may take for a million values with a million.
const AIM: Duration = Duration::from_secs(300);
/// The word that holds a meeting of a million values with a million.
pub const MILLION: &str = "meeting-million";
const THREADS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// How the last column comes about.
const NOTE: &str = "Both parties do their work here, one after the other, each on two threads. A million with a million is the measured \
time a place of the bucket, times 1,048,576. Beside it: a multiplication of one point, and what four for each value would take on \
both threads if nothing else were to do.";

/// How long each part took.
#[derive(Default)]
struct Parts {
    blind: Duration,
    evaluate: Duration,
    finalize: Duration,
    offer: Duration,
    compare: Duration,
}

pub fn run(size: Size) {
    measure(if size == Size::Quick { 8_000 } else { 64_000 });
}

/// The whole size, some minutes long.
pub fn million() {
    measure(1_000_000);
}

fn measure(count: usize) {
    let start = Instant::now();
    let (parts, places) = meet(count);
    let all = start.elapsed();
    let million = all.mul_f64((1 << 20) as f64 / places as f64);
    let each = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e6 / places as f64);
    let limit = multiplication() * 4 * (1 << 20) / 2;
    let head = row![
        "values", "blind µs", "evaluate, prove µs", "verify, unblind µs", "tags µs", "compare µs", "s", "**s a million with a million**",
        "four multiplications", "aim"
    ];
    let line = row![
        format!("{count} with {count}"), each(parts.blind), each(parts.evaluate), each(parts.finalize), each(parts.offer),
        each(parts.compare), format!("{:.1}", all.as_secs_f64()), format!("{:.0}", million.as_secs_f64()),
        format!("{:.0} s", limit.as_secs_f64()), format!("under {} s", AIM.as_secs())
    ];
    table::print("A blind meeting", &[head, line]);
    println!("\n{NOTE}");
}

/// A meeting of two sets, of which half is in both.
fn meet(count: usize) -> (Parts, usize) {
    let mut parts = Parts::default();
    let mut asker = Asker::new(values(0, count), &[1; 32], THREADS);
    let answerer = Answerer::new(values(count / 2, count), asker.size(), &[2; 32], b"bench").expect("a bucket");
    let public = *answerer.public();
    for page in 0..pages(asker.size()) {
        let blinded = timed(&mut parts.blind, || asker.page(page).expect("a page"));
        answerer.accept(page, &blinded).expect("a page");
        let answer = timed(&mut parts.evaluate, || answerer.evaluate(page, &blinded, THREADS).expect("an answer"));
        timed(&mut parts.finalize, || {
            asker.take(page, &public, &blinded, &answer.elements, &answer.proof).expect("a true answer");
        });
    }
    let offer = timed(&mut parts.offer, || answerer.offer(THREADS).expect("an offer"));
    let places = asker.size();
    let both = timed(&mut parts.compare, || {
        offer.tags().chunks(PAGE).for_each(|tags| asker.compare(tags).expect("all pages"));
        let met = asker.finish();
        let both = answerer.finish(&offer, &met.echoes).expect("true echoes");
        assert_eq!(both, met.values, "both learn the same");
        both.len()
    });
    assert_eq!(both, count - count / 2, "the intersection");
    (parts, places)
}

/// Names of domains, from a number on.
fn values(from: usize, count: usize) -> Vec<Value> {
    let value = |at: usize| Value::of(Kind::Domain, &format!("host-{at}.portal.example")).expect("a domain");
    (from..from + count).map(value).collect()
}

/// The time of one multiplication on one thread.
fn multiplication() -> Duration {
    let key = Key::derive(Mode::Voprf, &[3; 32], b"bench").expect("a key");
    let elements = partner::meet::oprf::random_elements(&partner::meet::chance::Chance::new(&[4; 32], "bench"), 0, 4_000);
    let start = Instant::now();
    std::hint::black_box(key.evaluate(&elements, NonZeroUsize::MIN).expect("elements"));
    start.elapsed() / 4_000
}

fn timed<T>(total: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    *total += start.elapsed();
    done
}
