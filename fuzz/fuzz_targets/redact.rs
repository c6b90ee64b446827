//! Any object under any rules: what is redacted is an object of the same id, marked as partial, of which nothing more is taken.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stix::json::{Limits, Tape};
use stix::personal::{Kind, Kinds, Treatment, kinds_of};
use stix::redact::{Fate, Redacted, Rules, is_partial, redact};

/// Rules by chance: a byte says what is done with persons, which references are hidden, which markings withheld.
struct Chance(u8);

impl Rules for Chance {
    fn marking_withheld(&self, marking: &str) -> bool {
        self.0 & 1 == 0 || marking.len() % 2 == 0
    }

    fn reference(&self, id: &str) -> Fate {
        let last = id.bytes().last().unwrap_or_default();
        match last % 4 {
            0 if self.0 & 2 == 0 => Fate::Goes,
            1 if self.0 & 2 == 0 => Fate::GoesIfItCan,
            _ => Fate::Stays,
        }
    }

    fn personal(&self, kind: Kind) -> Treatment {
        match self.0 >> 2 & 3 {
            0 => Treatment::Give,
            1 if kind == Kind::Phone => Treatment::Withhold,
            _ => Treatment::Mask,
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, object)) = data.split_first() else { return };
    let rules = Chance(*first);
    let mut out = Vec::new();
    match redact(object, &rules, &mut out) {
        Redacted::Withheld => return assert!(out.is_empty()),
        Redacted::Whole => assert_eq!(out, object),
        Redacted::Part => {}
    }
    let (mut tape, mut before) = (Tape::new(), Tape::new());
    let limits = Limits { max_depth: Limits::DEEPEST, max_bytes: usize::MAX, max_values: usize::MAX };
    let left = tape.parse(&out, &limits).expect("what is left is JSON");
    let whole = before.parse(object, &limits).expect("what was redacted is JSON");
    for name in ["type", "id", "created", "modified"] {
        assert_eq!(left.get(name).map(|value| value.text()), whole.get(name).map(|value| value.text()), "{name}");
    }
    assert!(out == object || is_partial(left));
    let mut again = Vec::new();
    assert_eq!(redact(&out, &rules, &mut again), Redacted::Whole);
    assert_eq!(again, out);
    if *first >> 2 & 3 > 1 {
        let personal = kinds_of(&out);
        assert_eq!(personal.maskable.union(personal.fixed), Kinds::NONE);
    }
});
