//! Observed data from serde_json.

use pattern::View;
use serde_json::Value;

/// One look at a value.
pub(crate) fn view(value: &Value) -> View<'_, Value> {
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
