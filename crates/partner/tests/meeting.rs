//! A meeting between known sets: it finds exactly what both hold, refuses what is hostile, and everything that was sent shows
//! nothing of the rest.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use curve25519_dalek::Scalar;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity as _;
use partner::meet::oprf::{self, Element, Key, Mode, PROOF, blind};
use partner::meet::{Answer, Answerer, Asker, Error, Kind, Met, PAGE, Tag, Value, bucket, pages};
use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Everything that one of the parties could hear.
#[derive(Clone, Default)]
struct Transcript {
    public: Element,
    blinded: Vec<Element>,
    evaluated: Vec<Element>,
    proofs: Vec<[u8; PROOF]>,
    tags: Vec<Tag>,
    echoes: Vec<Tag>,
}

impl Transcript {
    /// All of it, in the order in which it was sent.
    fn bytes(&self) -> Vec<u8> {
        let elements = [&[self.public][..], &self.blinded, &self.evaluated].concat();
        [elements.as_flattened(), self.proofs.as_flattened(), self.tags.as_flattened(), self.echoes.as_flattened()]
            .concat()
    }

    /// Every string of 16 bytes that begins an element, a scalar, a tag or an echo.
    fn heads(&self) -> HashSet<Tag> {
        let bytes = self.bytes();
        bytes.chunks_exact(16).map(|chunk| chunk.try_into().unwrap()).collect()
    }
}

struct Done {
    asker: Met,
    answerer: Vec<Value>,
    sent: Transcript,
}

fn meet(ours: Vec<Value>, theirs: Vec<Value>, chance: u8) -> Done {
    let mut asker = Asker::new(ours, &[chance; 32], TWO);
    let answerer = Answerer::new(theirs, asker.size(), &[chance ^ 0xff; 32], b"a meeting").unwrap();
    let mut sent = Transcript { public: *answerer.public(), ..Transcript::default() };
    for page in 0..pages(asker.size()) {
        let blinded = asker.page(page).unwrap();
        answerer.accept(page, &blinded).unwrap();
        let Answer { elements, proof } = answerer.evaluate(page, &blinded, TWO).unwrap();
        asker.take(page, &sent.public, &blinded, &elements, &proof).unwrap();
        sent.blinded.extend(blinded);
        sent.evaluated.extend(elements);
        sent.proofs.push(proof);
    }
    let offer = answerer.offer(TWO).unwrap();
    offer.tags().chunks(500).for_each(|tags| asker.compare(tags).unwrap());
    sent.tags = offer.tags().to_vec();
    let met = asker.finish();
    sent.echoes = met.echoes.clone();
    Done { answerer: answerer.finish(&offer, &met.echoes).unwrap(), asker: met, sent }
}

fn domains(names: impl IntoIterator<Item = String>) -> Vec<Value> {
    names.into_iter().map(|name| Value::of(Kind::Domain, &name).unwrap()).collect()
}

fn numbered(prefix: &str, count: usize) -> Vec<Value> {
    domains((0..count).map(|at| format!("{prefix}{at}.example")))
}

#[test]
fn both_learn_exactly_what_both_hold() {
    let both = numbered("both", 40);
    let with = |prefix: &str, count: usize| [numbered(prefix, count), both.clone()].concat();
    let twice = [both.clone(), both.clone(), numbered("a", 3)].concat();
    let as_hosts: Vec<Value> = vec![Value::of(Kind::Domain, "192.0.2.1").unwrap()];
    let as_addresses: Vec<Value> = vec![Value::of(Kind::Ipv4, "192.0.2.1").unwrap()];
    let table: Vec<(&str, Vec<Value>, Vec<Value>)> = vec![
        ("some", with("a", 900), with("b", 300)),
        ("all", both.clone(), both.clone()),
        ("none", numbered("a", 50), numbered("b", 50)),
        ("one", with("a", 10), both[..1].to_vec()),
        ("ours are none", Vec::new(), both.clone()),
        ("theirs are none", both.clone(), Vec::new()),
        ("nobody has any", Vec::new(), Vec::new()),
        ("twice", twice.clone(), twice),
        ("a subset", both.clone(), with("b", 1_000)),
        ("another kind", as_hosts, as_addresses),
        ("exactly a bucket", numbered("a", 1_024), numbered("a", 1_024)),
        ("one more than a bucket", numbered("a", 1_025), numbered("a", 1_025)),
    ];
    for (name, ours, theirs) in table {
        let set = |values: &[Value]| values.iter().cloned().collect::<BTreeSet<_>>();
        let wanted: Vec<Value> = set(&ours).intersection(&set(&theirs)).cloned().collect();
        let done = meet(ours, theirs, 3);
        assert_eq!(done.asker.values, wanted, "{name}: the asker");
        assert_eq!(done.answerer, wanted, "{name}: the answerer");
    }
}

#[test]
fn more_than_a_page() {
    // The second page holds what no chance put on the first: the places are shuffled, so some of these lie on either.
    let ours = numbered("a", PAGE + 1);
    assert_eq!(pages(bucket(ours.len())), 2);
    let theirs: Vec<Value> = ours.iter().step_by(3_001).cloned().collect();
    let done = meet(ours, theirs.clone(), 9);
    let sorted: Vec<Value> = theirs.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(done.asker.values, sorted);
    assert_eq!(done.answerer, sorted);
}

#[test]
fn buckets_grow_by_a_third_or_a_half() {
    let table = [
        (0, 1_024),
        (1, 1_024),
        (1_024, 1_024),
        (1_025, 1_536),
        (1_536, 1_536),
        (1_537, 2_048),
        (2_049, 3_072),
        (1_000_000, 1 << 20),
        ((1 << 20) + 1, 3 << 19),
    ];
    for (count, wanted) in table {
        assert_eq!(bucket(count), wanted, "{count}");
        assert_eq!(bucket(wanted), wanted, "{count}: not stable");
    }
}

#[test]
fn hostile_steps_are_refused() {
    let values = numbered("a", 20);
    let asker = Asker::new(values.clone(), &[1; 32], TWO);
    let answerer = Answerer::new(values.clone(), asker.size(), &[2; 32], b"m").unwrap();
    assert_eq!(Answerer::new(Vec::new(), 1_000, &[2; 32], b"m").err(), Some(Error::Count(1_000, 1_024)));
    let blinded = asker.page(0).unwrap();

    // Wrong lengths, pages that are not there, a page that was never accepted.
    assert_eq!(answerer.accept(0, &blinded[1..]), Err(Error::Page(0)));
    assert_eq!(answerer.accept(0, &[&blinded[..], &blinded[..1]].concat()), Err(Error::Page(0)));
    assert_eq!(answerer.accept(1, &blinded), Err(Error::Page(1)));
    assert_eq!(answerer.accept(usize::MAX, &blinded), Err(Error::Page(usize::MAX)));
    assert_eq!(answerer.evaluate(0, &blinded, TWO), Err(Error::Page(0)));

    // The same page again is the same answer, another in its place is a guess too many.
    answerer.accept(0, &blinded).unwrap();
    let answer = answerer.evaluate(0, &blinded, TWO).unwrap();
    answerer.accept(0, &blinded).unwrap();
    assert_eq!(answerer.evaluate(0, &blinded, TWO).unwrap(), answer);
    let mut other = blinded.clone();
    other.swap(0, 1);
    assert_eq!(answerer.accept(0, &other), Err(Error::Again(0)));
    assert_eq!(answerer.evaluate(0, &other, TWO), Err(Error::Page(0)));

    // Tags are not looked at before all is evaluated: nothing that was found can lead to a question.
    let public = *answerer.public();
    let mut early = Asker::new(values.clone(), &[1; 32], TWO);
    assert_eq!(early.compare(&[[0; 16]]), Err(Error::Early(1)));
    early.take(0, &public, &blinded, &answer.elements, &answer.proof).unwrap();
    assert_eq!(early.take(0, &public, &blinded, &answer.elements, &answer.proof), Err(Error::Page(0)));

    // One element with another key, and elements that are none.
    let mut cheated = answer.elements.clone();
    cheated[5] = Key::derive(Mode::Voprf, &[3; 32], b"m").unwrap().evaluate(&blinded[5..6], TWO).unwrap().elements()[0];
    let mut asker = Asker::new(values.clone(), &[1; 32], TWO);
    let got = asker.take(0, &public, &blinded, &cheated, &answer.proof);
    assert_eq!(got, Err(Error::Function(oprf::Error::Proof)));
    cheated[5] = [0; 32];
    let got = asker.take(0, &public, &blinded, &cheated, &answer.proof);
    assert_eq!(got, Err(Error::Function(oprf::Error::Element(5))));
    let got = asker.take(0, &public, &blinded, &answer.elements[1..], &answer.proof);
    assert!(matches!(got, Err(Error::Function(oprf::Error::Count(..)))), "{got:?}");

    // Echoes: of what was never asked for, of more than there is, before the pages are there.
    let offer = answerer.offer(TWO).unwrap();
    assert_eq!(answerer.finish(&offer, &[[7; 16]]), Err(Error::Echo));
    // A tag is no echo: hearing the tags is not enough to claim their values.
    for tag in offer.tags() {
        assert_eq!(answerer.finish(&offer, &[*tag]), Err(Error::Echo));
    }
    assert_eq!(answerer.finish(&offer, &[[7; 16]; 21]), Err(Error::Count(21, 20)));
    let waiting = Answerer::new(values, 1_024, &[2; 32], b"m").unwrap();
    assert_eq!(waiting.finish(&offer, &[]), Err(Error::Early(1)));
}

/// A generator that has nothing to do with the one under test.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(step).flatten().take(count).collect()
}

/// How far the frequencies of bytes are from equal: 255 is expected, 400 is met once in a hundred million times.
fn chi_square(bytes: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = bytes.len() as f64 / 256.0;
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

/// The bytes of an element without the first and the last, of which an encoding fixes bits (it is even, and below 2^255).
fn middles(elements: &[Element]) -> Vec<u8> {
    elements.iter().flat_map(|element| element[1..31].to_vec()).collect()
}

#[test]
fn what_is_sent_looks_like_chance() {
    let done = meet(numbered("a", 3_000), numbered("b", 3_000), 21);
    let parts = [
        ("blinded", middles(&done.sent.blinded)),
        ("evaluated", middles(&done.sent.evaluated)),
        ("tags", done.sent.tags.as_flattened().to_vec()),
    ];
    for (name, bytes) in &parts {
        let found = chi_square(bytes);
        assert!(found < 400.0, "{name}: {found}");
        assert!(chi_square(&noise(bytes.len())) < 400.0, "the test itself");
    }
    // The test finds what is not chance: the values in the clear.
    let clear: Vec<u8> = numbered("a", 3_000).iter().flat_map(|value| value.text().bytes()).collect();
    assert!(chi_square(&clear) > 10_000.0);

    let points = |elements: &[Element]| {
        elements.iter().all(|element| {
            let point = CompressedRistretto(*element).decompress();
            point.is_some_and(|point| !point.is_identity())
        })
    };
    assert!(points(&done.sent.blinded) && points(&done.sent.evaluated));
    let all: Vec<&Element> = done.sent.blinded.iter().chain(&done.sent.evaluated).collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "an element was sent twice");
    assert_eq!(done.sent.tags.iter().collect::<HashSet<_>>().len(), done.sent.tags.len(), "a tag was sent twice");
}

/// What somebody can compute who knows every value that either party might hold, and everything that was sent, but no key
/// and no blind: all that could be recognised in what was sent.
fn computable(candidates: &[Value], sent: &Transcript) -> HashSet<Tag> {
    let inputs: Vec<Vec<u8>> = candidates
        .iter()
        .flat_map(|value| {
            let kind = value.kind().as_str().as_bytes();
            let text = value.text().as_bytes();
            [[b"marsad meeting 1\n", kind, b"\n", text].concat(), text.to_vec()]
        })
        .collect();
    let scalars = {
        let public = Scalar::from_bytes_mod_order(sent.public);
        let proofs = sent.proofs.iter().flat_map(|proof| proof.chunks(32).map(|part| part.try_into().unwrap()));
        let proofs = proofs.map(Scalar::from_bytes_mod_order);
        [Scalar::ONE, -Scalar::ONE, Scalar::from(2_u8), Scalar::ONE.div_by_2(), public].into_iter().chain(proofs)
    };
    let mut found = HashSet::new();
    let mut keep = |bytes: &[u8]| found.extend(bytes.chunks_exact(16).map(|chunk| <Tag>::try_from(chunk).unwrap()));
    for mode in [Mode::Oprf, Mode::Voprf] {
        for scalar in scalars.clone() {
            let points = blind(mode, &inputs, &|_| scalar, TWO).unwrap();
            points.iter().for_each(|point| keep(point));
        }
    }
    for input in &inputs {
        use sha2::Digest as _;
        keep(&sha2::Sha256::digest(input));
        keep(&sha2::Sha512::digest(input));
    }
    // Every key that was sent or can be made of what is known without chance.
    for seed in [sent.public, [0; 32]] {
        let key = Key::derive(Mode::Voprf, &seed, b"a meeting").unwrap();
        key.function(&inputs, TWO).unwrap().iter().for_each(|output| keep(output));
    }
    found
}

#[test]
fn nothing_outside_of_what_both_hold_is_recognised() {
    let both = numbered("both", 10);
    let (ours, theirs) = (numbered("a", 60), numbered("b", 60));
    let done = meet([ours.clone(), both.clone()].concat(), [theirs.clone(), both.clone()].concat(), 77);
    let candidates = [ours.clone(), theirs.clone(), both.clone()].concat();
    let known = computable(&candidates, &done.sent);
    assert!(known.len() > 10_000, "the distinguisher looks at too little");
    assert_eq!(done.sent.heads().intersection(&known).count(), 0);
    // It would see a party that forgot to blind: the points themselves, and tags that are plain hashes.
    let inputs: Vec<Vec<u8>> =
        ours.iter().map(|value| [b"marsad meeting 1\ndomain\n", value.text().as_bytes()].concat()).collect();
    let naked = blind(Mode::Voprf, &inputs, &|_| Scalar::ONE, TWO).unwrap();
    let careless = Transcript { blinded: naked, ..done.sent.clone() };
    assert!(careless.heads().intersection(&known).count() >= ours.len());

    // The asker itself, who knows what each of its elements became, recognises no tag but those of what both hold.
    assert_eq!(done.asker.values, both.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    assert_eq!(done.sent.echoes.len(), both.len());
    // The differences and ratios of what was sent lead nowhere either: no evaluated element is a sum of two others' …
    let point = |element: &Element| CompressedRistretto(*element).decompress().unwrap();
    let sums: HashSet<Element> = done.sent.blinded[..40]
        .iter()
        .flat_map(|a| done.sent.blinded[..40].iter().map(move |b| (a, b)))
        .map(|(a, b): (&Element, &Element)| (point(a) - point(b)).compress().to_bytes())
        .collect();
    let hashed: HashSet<Element> = blind(Mode::Voprf, &inputs, &|_| Scalar::ONE, TWO).unwrap().into_iter().collect();
    assert!(sums.is_disjoint(&hashed));
}

/// Two worlds with the same chance, the same intersection and as many other values, which are different ones.
#[test]
fn other_values_leave_the_same_shape() {
    let both = numbered("both", 25);
    let world = |a: &str, count: usize, b: &str| {
        meet([numbered(a, count), both.clone()].concat(), [numbered(b, 700), both.clone()].concat(), 5)
    };
    let (one, two) = (world("a", 500, "b"), world("longer-name-", 501, "x"));
    let shape = |sent: &Transcript| {
        (sent.blinded.len(), sent.evaluated.len(), sent.proofs.len(), sent.tags.len(), sent.echoes.len())
    };
    assert_eq!(shape(&one.sent), shape(&two.sent));
    assert_eq!(one.sent.bytes().len(), two.sent.bytes().len());
    assert_eq!(one.asker.values, two.asker.values);
    // With perfect blinding each world explains the elements of the other: a blinded element is r·H(x) for every x. What
    // differs, differs as chance does: half of the bits.
    let bits = |a: &[u8], b: &[u8]| -> u32 { a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum() };
    let (a, b) = (middles(&one.sent.blinded), middles(&two.sent.blinded));
    let share = f64::from(bits(&a, &b)) / (a.len() as f64 * 8.0);
    // Fillers are drawn by place, so those that stand at the same places in both worlds are the same points.
    assert!((0.05..0.51).contains(&share), "{share}");
    assert!(chi_square(&a) < 400.0 && chi_square(&b) < 400.0);
}

#[test]
fn order_shows_nothing() {
    // Values in the order of the book, reversed, and sorted another way: what is sent is the same.
    let values = numbered("a", 300);
    let reversed: Vec<Value> = values.iter().rev().cloned().collect();
    let theirs = numbered("b", 100);
    let one = meet(values.clone(), theirs.clone(), 6).sent.bytes();
    assert_eq!(one, meet(reversed, theirs, 6).sent.bytes());
    // And the places are not those of the sorted values: where the real ones stand among the fillers, rank by rank.
    let asker = |chance| Asker::new(values.clone(), &[chance; 32], TWO).page(0).unwrap();
    let (first, second) = (asker(1), asker(2));
    assert!(first.iter().zip(&second).all(|(a, b)| a != b));
    // Tags and echoes are sorted, which is an order that follows from them alone.
    let done = meet(values.clone(), values, 8);
    assert!(done.sent.tags.is_sorted() && done.sent.echoes.is_sorted());
}
