//! Any pattern and any observed data, a line between them: matching neither panics nor runs on, a normal form says what
//! its pattern says, and what was bound meets a leaf.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pattern::{Matcher, Observed, View, atoms, explain, normal, parse, warnings};
use serde_json::Value;

fn view(value: &Value) -> View<'_, Value> {
    match value {
        Value::Null => View::Null,
        Value::Bool(value) => View::Boolean(*value),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => View::Integer(integer),
            None => View::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => View::Text(text),
        Value::Array(list) => View::List(list),
        Value::Object(object) => View::Object(object.iter().map(|(name, value)| (name.as_str(), value)).collect()),
    }
}

fuzz_target!(|text: &str| {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(pattern) = parse(first) else { return };
    for warning in warnings(&pattern) {
        assert!(first.get(warning.span.clone()).is_some(), "{warning:?}");
    }
    let _ = explain(&pattern);
    let form = normal(&pattern);
    assert_eq!(parse(&form.to_string()).as_ref(), Ok(&form));
    let Ok(matcher) = Matcher::new(&pattern) else { return };
    assert_eq!(atoms(&pattern).len(), matcher.leaves());
    let documents: Vec<Value> = serde_json::Deserializer::from_str(rest).into_iter().map_while(Result::ok).collect();
    let Ok(observed) = Observed::read(&documents, view) else { return };
    let Ok(outcome) = matcher.find_within(&observed, 200_000) else { return };
    for bound in outcome.binding.iter().flatten() {
        let observation = &observed.observations()[bound.observation];
        assert_ne!(matcher.meets(bound.leaf, &observed, observation), Ok(false));
    }
});
