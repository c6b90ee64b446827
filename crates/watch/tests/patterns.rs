//! Three ways to say whether a pattern meets a value: the pattern's own matcher over an observed object, a comparison
//! with each claim of the pattern, and the compiled set.

use observable::Kind;
use pattern::{Data, Matcher, Moment, Object, Observed};
use proptest::prelude::*;
use watch::Builder;

/// What is observed: the type of object, the property, the kind, and a value in its canonical form, in which the letters of
/// the standard (equality of text) and the meaning agree.
type Seen = (&'static str, &'static str, Kind, String);

fn domain() -> impl Strategy<Value = String> {
    "([ab]\\.){0,2}[ab]\\.(example|test)"
}

fn address() -> impl Strategy<Value = String> {
    "203\\.0\\.11[23]\\.[0-9]"
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        domain().prop_map(|value| ("domain-name", "value", Kind::Domain, value)),
        address().prop_map(|value| ("ipv4-addr", "value", Kind::Ipv4, value)),
        "http://[ab]\\.test/[ab]".prop_map(|value| ("url", "value", Kind::Url, value)),
        "[ab]\\.exe".prop_map(|value| ("file", "name", Kind::FileName, value)),
        "[ab]@[ab]\\.test".prop_map(|value| ("email-addr", "value", Kind::Email, value)),
        "[ab]{1,2}".prop_map(|value| ("mutex", "name", Kind::Mutex, value)),
    ]
}

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => seen().prop_map(|(object, property, _, value)| format!("{object}:{property} = '{value}'")),
        1 => domain().prop_map(|value| format!("domain-name:value LIKE '%.{value}'")),
        1 => (domain(), domain()).prop_map(|(one, two)| format!("domain-name:value IN ('{one}', '{two}')")),
        1 => (address(), 16_u8..=32).prop_map(|(value, length)| format!("ipv4-addr:value ISSUBSET '{value}/{length}'")),
    ]
}

/// Atoms joined by OR within an observation and between observations.
fn pattern_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::collection::vec(atom(), 1..4), 1..3).prop_map(|observations| {
        let one = |atoms: &Vec<String>| format!("[{}]", atoms.join(" OR "));
        observations.iter().map(one).collect::<Vec<_>>().join(" OR ")
    })
}

fn observed((object_type, property, _, value): &Seen) -> Observed<'_> {
    let mut observed = Observed::new();
    let properties = Data::Object(vec![((*property).into(), Data::Text(value.as_str().into()))]);
    let object = observed.add_object(Object { id: "0".into(), object_type: (*object_type).into(), properties });
    observed.add_observation("a line", Moment::at(0), vec![object]);
    observed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_set_meets_what_its_patterns_match(
        texts in proptest::collection::vec(pattern_text(), 1..6),
        seen in proptest::collection::vec(seen(), 1..20),
    ) {
        let mut builder = Builder::new([1; 32]);
        let (mut matchers, mut claims) = (Vec::new(), Vec::new());
        for (name, text) in (0..).zip(&texts) {
            let pattern = pattern::parse(text).unwrap();
            let said = observable::claims(&pattern).unwrap();
            for claim in &said {
                // A network wider than is taken is in no generated pattern, and every name has two labels.
                builder.add(claim, name).unwrap();
            }
            matchers.push(Matcher::new(&pattern).unwrap());
            claims.push(said);
        }
        let set = builder.build();
        for seen in &seen {
            let (_, _, kind, value) = seen;
            let observed = observed(seen);
            let mut found = Vec::new();
            set.value(*kind, value.as_bytes(), &mut Vec::new(), &mut found);
            for (name, (matcher, claims)) in matchers.iter().zip(&claims).enumerate() {
                let matched = matcher.find(&observed).unwrap().matched();
                let plain = claims.iter().any(|claim| claim.meets(*kind, value.as_bytes()));
                let compiled = found.iter().any(|found| found.name == name as u64);
                prop_assert_eq!((plain, compiled), (matched, matched), "{} and {}", &texts[name], value);
            }
        }
    }
}
