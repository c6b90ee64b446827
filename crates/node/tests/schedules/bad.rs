//! What partners bring that is not to be believed, and partners that do not let one be: each is refused with a reason in the
//! audit log, and the rest of the exchange goes on.

use crate::dice::Dice;
use crate::oracle::Way;
use crate::record::Made;
use crate::round::{Moved, Round};
use crate::wire::Net;
use crate::world::{BEGIN, Bench, Node};
use ledger::Ledger as _;
use ledger::journal::{Journal as _, Part, Wanted};
use node::intake::{Classes, Context, Intake};
use node::partners::provenance::Backing;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const HOUR: i64 = 3_600_000_000;

/// Three nodes: the last pulls from the other two.
struct Scene {
    bench: Bench,
    net: Arc<Net>,
    nodes: Vec<Node>,
}

impl Scene {
    fn new(skews: [i64; 3]) -> Self {
        let bench = Bench::new();
        let clock = Arc::new(AtomicI64::new(BEGIN));
        let nodes: Vec<Node> = (0..3).map(|no| bench.node(no, &clock, skews[no], &[true; 5])).collect();
        let states = nodes.iter().map(|node| Arc::clone(&node.state)).collect();
        let net = Net::new(Dice::new(1), clock, states, None);
        Self { bench, net, nodes }
    }

    /// An organisation makes an object that everybody may have, dated so.
    fn makes(&self, of: usize, no: usize, at: i64) -> String {
        let node = &self.nodes[of];
        let made = Made::plain(of, no, at);
        let context =
            Context::new(node.kept.collection.no, crate::world::ORGANISATIONS[of].into(), node.book()).unwrap();
        let mut intake = Intake::new();
        let taken = intake.take(&made.body).unwrap();
        let class = Classes::default().number(node.book(), &context.class(&taken, Backing::none())).unwrap();
        let entry = taken.entry(context.collection, class, &[]);
        let submission = ledger::Submission { entries: &[entry], receipt: None };
        node.book().append(&[submission], node.now(), &stix::equivalent).unwrap();
        made.id
    }

    fn way(from: usize) -> Way {
        Way { from, to: 2, pushed: false, types: Vec::new(), to_members: false, most: None }
    }

    /// One round of the link from a node.
    fn round(&self, way: &Way) -> Result<Moved, String> {
        let mut round = Round::begin(&self.net, &self.nodes[2], way.from, way);
        loop {
            self.net.clock.fetch_add(1_000, Ordering::SeqCst);
            if let Some(done) = round.step(&self.bench.runtime) {
                return done;
            }
        }
    }

    fn holds(&self, id: &str) -> bool {
        self.nodes[2].holds().keys().any(|(key, _)| key == id)
    }

    /// What the audit log of the taker says of something.
    fn told(&self, about: &str) -> Vec<String> {
        let mut told = Vec::new();
        let wanted = Wanted { limit: 10_000, ..Wanted::default() };
        let journal = &self.nodes[2].kept.journal;
        journal
            .read(&wanted, &mut |line| {
                if let Part::Kept(matter) = &line.matter
                    && matter.about.contains(about)
                {
                    told.push(format!("{} {}", line.kind, String::from_utf8_lossy(&matter.body)));
                }
            })
            .unwrap();
        told
    }
}

#[test]
fn what_is_dated_ahead_of_our_clock_is_refused_until_it_is_not_and_the_rest_is_taken() {
    let year_2099 = 4_070_908_800_000_000;
    for (what, skews, ahead) in [
        ("2099", [0, 0, 0], year_2099),
        ("a clock that is three hours ahead", [3 * HOUR, 0, 0], BEGIN + 3 * HOUR),
        ("a taker whose clock is three hours behind", [0, 0, -3 * HOUR], BEGIN),
    ] {
        let scene = Scene::new(skews);
        let refused = scene.makes(0, 1, ahead);
        let taken = scene.makes(0, 2, BEGIN - 24 * HOUR);
        let others = scene.makes(1, 3, BEGIN - 24 * HOUR);
        let moved = scene.round(&Scene::way(0)).unwrap();
        assert_eq!((moved.objects, moved.refused), (2, 1), "{what}");
        scene.round(&Scene::way(1)).unwrap();
        assert_eq!([&refused, &taken, &others].map(|id| scene.holds(id)), [false, true, true], "{what}");
        let told = scene.told(&refused);
        assert!(
            told.iter().any(|line| line.contains("object-refused") && line.contains("after our clock")),
            "{told:?}"
        );
        assert!(scene.told(&taken).is_empty(), "{what}");
        // It is asked for again when it will do, and not before.
        let later = |by: i64| {
            scene.net.clock.fetch_add(by, Ordering::SeqCst);
            scene.round(&Scene::way(0)).unwrap().objects
        };
        assert_eq!([later(HOUR), later(HOUR)], [0, 0], "{what}");
        let wanted = if what == "2099" { 0 } else { 2 };
        assert_eq!([later(HOUR), later(24 * HOUR)], [wanted, 0], "{what}");
        assert_eq!(scene.holds(&refused), what != "2099", "{what}");
    }
}

#[test]
fn clocks_that_are_minutes_apart_keep_nothing_back() {
    let scene = Scene::new([8 * 60_000_000, 0, 0]);
    let taken = scene.makes(0, 1, scene.nodes[0].now());
    assert_eq!(scene.round(&Scene::way(0)).unwrap().refused, 0);
    assert!(scene.holds(&taken));
}

#[test]
fn a_partner_that_floods_uses_up_its_own_budget_and_nobody_elses() {
    let scene = Scene::new([0, 0, 0]);
    let flood: Vec<String> = (0..40).map(|no| scene.makes(0, no, BEGIN - HOUR)).collect();
    let other = scene.makes(1, 99, BEGIN - HOUR);
    let limited = Way { most: Some(6), ..Scene::way(0) };
    let held = |scene: &Scene| flood.iter().filter(|id| scene.holds(id)).count();
    let moved = scene.round(&limited).unwrap();
    assert!(moved.held && held(&scene) <= 6, "{moved:?}, {}", held(&scene));
    let before = held(&scene);
    assert!(scene.round(&limited).unwrap().held && held(&scene) == before, "a spent budget gives nothing more");
    assert_eq!(scene.round(&Scene::way(1)).unwrap().objects, 1);
    assert!(scene.holds(&other), "another partner is not held up");
    // Nothing is lost: it comes hour by hour.
    for hour in 1..=8 {
        scene.net.clock.fetch_add(HOUR, Ordering::SeqCst);
        scene.round(&limited).unwrap();
        assert!(held(&scene) <= 6 * (hour + 1) + 3, "{} in {hour} hours", held(&scene));
    }
    assert_eq!(held(&scene), flood.len());
}

#[test]
fn a_partner_that_answers_slowly_for_ever_ends_its_round_alone() {
    let scene = Scene::new([0, 0, 0]);
    let slow = scene.makes(0, 1, BEGIN - HOUR);
    let other = scene.makes(1, 2, BEGIN - HOUR);
    scene.net.slow(Some(0));
    assert!(scene.round(&Scene::way(0)).is_err());
    scene.round(&Scene::way(1)).unwrap();
    assert_eq!((scene.holds(&slow), scene.holds(&other)), (false, true));
    scene.net.slow(None);
    scene.round(&Scene::way(0)).unwrap();
    assert!(scene.holds(&slow), "it goes on where it stopped");
}
