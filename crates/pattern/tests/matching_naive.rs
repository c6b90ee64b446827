//! The search against a matcher that tries everything: the meaning of STIX 2.1 §9.5 written down as it stands, over sets
//! of bindings. Few observations, every shape of pattern.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use pattern::{
    Data, Matcher, Moment, Object, ObservationExpression, ObservationKind, Observed, QualifierKind, Value, parse,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// One of the times that an observation can be used.
type Instance = (usize, u64);

/// All ways to bind an expression, each a list of instances.
fn bindings(expression: &ObservationExpression, moments: &[(Moment, u8)]) -> Vec<Vec<Instance>> {
    let disjoint = |a: &[Instance], b: &[Instance]| a.iter().all(|one| !b.contains(one));
    let times = |binding: &[Instance]| {
        let moments: Vec<Moment> = binding.iter().map(|(place, _)| moments[*place].0).collect();
        let latest_first = moments.iter().map(|moment| moment.first).max().unwrap();
        (latest_first, moments.iter().map(|moment| moment.last).min().unwrap())
    };
    let product = |operands: &[ObservationExpression], ordered: bool| {
        let mut all = vec![Vec::new()];
        for operand in operands {
            let next = bindings(operand, moments);
            let mut longer = Vec::new();
            for a in &all {
                for b in &next {
                    let in_order = !ordered || a.is_empty() || times(a).0 <= times(b).1;
                    if disjoint(a, b) && in_order {
                        longer.push([a.as_slice(), b].concat());
                    }
                }
            }
            all = longer;
        }
        all
    };
    match &expression.kind {
        ObservationKind::Observation(comparison) => {
            let text = comparison.to_string();
            let wanted: u8 = text.rsplit(' ').next().unwrap().parse().unwrap();
            let met = moments.iter().enumerate().filter(|(_, (_, bits))| bits & wanted != 0);
            met.flat_map(|(place, (moment, _))| (0..moment.count).map(move |time| vec![(place, time)])).collect()
        }
        ObservationKind::Group(inner) => bindings(inner, moments),
        ObservationKind::Or(operands) => operands.iter().flat_map(|operand| bindings(operand, moments)).collect(),
        ObservationKind::And(operands) => product(operands, false),
        ObservationKind::FollowedBy(operands) => product(operands, true),
        ObservationKind::Qualified(inner, qualifiers) => {
            let mut all = bindings(inner, moments);
            for qualifier in qualifiers {
                all = match &qualifier.kind {
                    QualifierKind::Repeats { times } => {
                        let mut longer = vec![Vec::new()];
                        for _ in 0..*times {
                            let pairs = longer.iter().flat_map(|a| all.iter().map(move |b| (a, b)));
                            longer = pairs
                                .filter(|(a, b)| disjoint(a, b))
                                .map(|(a, b)| [a.as_slice(), b].concat())
                                .collect();
                        }
                        longer
                    }
                    QualifierKind::Within { seconds } => {
                        let Value::Integer(seconds) = seconds.value else { panic!("whole seconds") };
                        all.into_iter()
                            .filter(|binding| times(binding).0 <= times(binding).1 + seconds * 1_000_000)
                            .collect()
                    }
                    QualifierKind::StartStop { start, stop } => {
                        let micros = |value: &Value| match value {
                            Value::Timestamp(timestamp) => timestamp.micros.unwrap(),
                            _ => panic!("a timestamp"),
                        };
                        let (start, stop) = (micros(&start.value), micros(&stop.value));
                        let within = |(place, _): &Instance| {
                            let moment = moments[*place].0;
                            start < stop && moment.last >= start && moment.first < stop
                        };
                        all.into_iter().filter(|binding| binding.iter().all(within)).collect()
                    }
                };
            }
            all
        }
    }
}

fn observed(moments: &[(Moment, u8)]) -> Observed<'static> {
    let mut observed = Observed::new();
    for (moment, bits) in moments {
        // One list element for each bit that is set, so that `IN` of a bit is a leaf.
        let set =
            (0..3).map(|bit| 1 << bit).filter(|bit| bits & bit != 0).map(|bit: u8| Data::Integer(bit.into())).collect();
        let properties = Data::Object(vec![("b".into(), Data::List(set))]);
        let place = observed.add_object(Object { id: "0".into(), object_type: "a".into(), properties });
        observed.add_observation("", *moment, vec![place]);
    }
    observed
}

fn moments() -> impl proptest::strategy::Strategy<Value = Vec<(Moment, u8)>> {
    let moment =
        (0_i64..6, prop_oneof![3 => Just(0_i64), 1 => 0..4_i64], prop_oneof![4 => Just(1_u64), 1 => Just(2)], 0_u8..8)
            .prop_map(|(first, lasts, count, bits)| {
                let moment = Moment { first: first * 1_000_000, last: (first + lasts) * 1_000_000, count };
                (moment, bits)
            });
    vec(moment, 0..5)
}

fn expression() -> impl proptest::strategy::Strategy<Value = String> {
    let leaf = prop_oneof![Just("[a:b[*] = 1]"), Just("[a:b[*] = 2]"), Just("[a:b[*] = 4]")].prop_map(str::to_owned);
    leaf.prop_recursive(3, 5, 3, |inner| {
        let grouped = inner
            .prop_map(|text| if text.contains(' ') && !text.starts_with('(') { format!("({text})") } else { text });
        let joined = |word: &'static str| move |parts: Vec<String>| parts.join(word);
        prop_oneof![
            vec(grouped.clone(), 2..4).prop_map(joined(" AND ")),
            vec(grouped.clone(), 2..4).prop_map(joined(" OR ")),
            vec(grouped.clone(), 2..4).prop_map(joined(" FOLLOWEDBY ")),
            (grouped.clone(), 1..5).prop_map(|(text, seconds)| format!("({text}) WITHIN {seconds} SECONDS")),
            (grouped.clone(), 1..4).prop_map(|(text, times)| format!("({text}) REPEATS {times} TIMES")),
            (grouped, 0..5, 0..6).prop_map(|(text, start, stop)| format!(
                "({text}) START t'1970-01-01T00:00:0{start}Z' STOP t'1970-01-01T00:00:0{stop}Z'"
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_search_finds_what_trying_everything_finds(text in expression(), moments in moments()) {
        let pattern = parse(&text).unwrap();
        let matcher = Matcher::new(&pattern).unwrap();
        let outcome = matcher.find(&observed(&moments)).unwrap();
        let all = bindings(&pattern.expression, &moments);
        prop_assert_eq!(outcome.matched(), !all.is_empty(), "{}", text);
        // What is bound is one of the ways, as far as places tell.
        if outcome.matched() {
            let places = outcome.observations();
            let is = all.iter().any(|binding| {
                let mut own: Vec<usize> = binding.iter().map(|(place, _)| *place).collect();
                own.sort_unstable();
                own.dedup();
                own == places
            });
            prop_assert!(is, "{} by {:?}", text, places);
        }
    }
}
