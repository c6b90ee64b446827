//! Patterns at random.

use proptest::collection::vec;
use proptest::prelude::*;

fn test() -> impl Strategy<Value = String> {
    let operator = prop_oneof![Just("="), Just("!="), Just("NOT ="), Just("NOT !="), Just("<"), Just("NOT <")];
    prop_oneof![
        4 => ("[ab]:(c|d|e\\[\\*\\])", operator, 1..4).prop_map(|(path, operator, value)| format!("{path} {operator} {value}")),
        1 => ("[ab]:(c|d|e\\[\\*\\])", any::<bool>(), vec(1..4, 0..3)).prop_map(|(path, negated, values)| {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{path} {}IN ({})", if negated { "NOT " } else { "" }, values.join(", "))
        }),
        1 => "EXISTS [ab]:(c|d)",
    ]
}

fn joined(
    inner: impl Strategy<Value = String> + Clone + 'static,
    words: &'static [&'static str],
) -> BoxedStrategy<String> {
    (vec(inner, 2..4), proptest::sample::select(words))
        .prop_map(move |(parts, word)| {
            let parts: Vec<String> = parts.into_iter().map(|part| format!("({part})")).collect();
            parts.join(word)
        })
        .boxed()
}

/// A pattern of few names and values, so that parts meet.
pub(crate) fn pattern_text() -> impl Strategy<Value = String> {
    let comparison = test().prop_recursive(3, 8, 3, |inner| joined(inner, &[" AND ", " OR "]));
    comparison.prop_map(|text| format!("[{text}]")).prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            joined(inner.clone(), &[" AND ", " OR ", " FOLLOWEDBY "]),
            (inner.clone(), 1..3).prop_map(|(text, times)| format!("({text}) REPEATS {times} TIMES")),
            (inner, 1..3).prop_map(|(text, seconds)| format!("({text}) WITHIN {seconds} SECONDS")),
        ]
    })
}
