//! `marsad pattern match`.

use super::{each_line, open};
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Paint, note, say, say_json, visible};
use pattern::{Matcher, Observed, Version, View};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Matches patterns with observed data (STIX 2.1 §9).
///
/// Exit code 0 if the pattern matches, 1 if not. With --cases: 1 if a line cannot be read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "\
Examples:
  marsad pattern match --pattern \"[ipv4-addr:value ISSUBSET '198.51.100.0/24']\" --observed bundle.json
  marsad pattern match --cases cases.jsonl",
    group(clap::ArgGroup::new("task").required(true).args(["cases", "pattern"]))
)]
pub(super) struct Args {
    /// JSON lines {"id","pattern","observed":[…]}; `-` is standard input. For each, in order,
    /// {"id","match":true|false|null,"error"} is printed; "stix_version" may say "2.0" or "2.1"
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// One pattern
    #[arg(long, requires = "observed", allow_hyphen_values = true, value_name = "P")]
    pattern: Option<String>,
    /// A bundle, or JSON lines of observed data; `-` is standard input
    #[arg(long, conflicts_with = "cases", value_name = "FILE")]
    observed: Option<PathBuf>,
    /// Print one JSON object: {"matched":bool,"observed":[ids]}
    #[arg(long, conflicts_with = "cases")]
    json: bool,
}

/// A case is no longer than this.
const MAX_CASE: u64 = 256 << 20;

/// Observed data of one call, read at once.
const MAX_OBSERVED: u64 = 2 << 30;

pub(super) fn run(args: &Args) -> Outcome {
    match (&args.cases, &args.pattern, &args.observed) {
        (Some(path), ..) => cases(path),
        (None, Some(pattern), Some(path)) => one(pattern, path, args.json),
        _ => Err(Failure::Usage("name --cases, or --pattern and --observed".to_owned())),
    }
}

fn cases(path: &Path) -> Outcome {
    let mut readable = true;
    each_line(path, MAX_CASE, &mut |number, line| {
        let (id, verdict) = match read_case(line) {
            Ok(case) => (case.get("id").cloned().unwrap_or(Value::Null), judge(&case)),
            Err(message) => {
                readable = false;
                (Value::Null, Err(format!("line {number}: {message}")))
            }
        };
        say_json(&match verdict {
            Ok(matched) => json!({"id": id, "match": matched, "error": null}),
            Err(message) => json!({"id": id, "match": null, "error": message}),
        })
    })?;
    Ok(Verdict::good_if(readable))
}

fn read_case(line: &[u8]) -> Result<Value, String> {
    let case: Value = serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}"))?;
    let has = |name: &str, right: fn(&Value) -> bool| case.get(name).is_some_and(right);
    match () {
        () if !case.is_object() => Err("not a JSON object".to_owned()),
        () if !has("pattern", Value::is_string) => Err("no text `pattern`".to_owned()),
        () if !has("observed", Value::is_array) => Err("no list `observed`".to_owned()),
        () => Ok(case),
    }
}

fn judge(case: &Value) -> Result<bool, String> {
    let text = case.get("pattern").and_then(Value::as_str).unwrap_or_default();
    let version = case.get("stix_version").and_then(Value::as_str);
    let pattern = parse(text, version).map_err(|error| error.to_string())?;
    let matcher = Matcher::new(&pattern).map_err(|error| error.to_string())?;
    let documents = case.get("observed").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let observed = Observed::read(documents, view).map_err(|error| error.to_string())?;
    let outcome = matcher.find(&observed).map_err(|error| error.to_string())?;
    match outcome.unreadable {
        Some(unreadable) => Err(unreadable.to_string()),
        None => Ok(outcome.binding.is_some()),
    }
}

/// By the version that is named; by 2.1 otherwise, and by 2.0 what is right only there.
fn parse(text: &str, version: Option<&str>) -> Result<pattern::Pattern, pattern::Error> {
    match version {
        Some("2.0") => pattern::parse_version(text, Version::V20),
        Some(_) => pattern::parse(text),
        None => pattern::parse(text).or_else(|error| pattern::parse_version(text, Version::V20).map_err(|_| error)),
    }
}

fn one(text: &str, path: &Path, json: bool) -> Outcome {
    let wrong = |error: pattern::Error| Failure::Usage(format!("pattern: {}", visible(&error.to_string())));
    let matcher = Matcher::new(&parse(text, None).map_err(wrong)?).map_err(wrong)?;
    let documents = documents(path)?;
    let at = |message: String| Failure::could(format!("{}: {message}", path.display()));
    let observed = Observed::read(&documents, view).map_err(|error| at(error.to_string()))?;
    let outcome = matcher.find(&observed).map_err(|error| at(error.to_string()))?;
    if let Some(unreadable) = &outcome.unreadable {
        note(format!("marsad: warning: {}; it counts as unequal", visible(&unreadable.to_string())));
    }
    let ids: Vec<&str> = outcome
        .observations()
        .into_iter()
        .filter_map(|place| observed.observations().get(place))
        .map(|observation| &*observation.id)
        .collect();
    if json {
        say_json(&json!({"matched": outcome.matched(), "observed": ids}))?;
    } else if outcome.matched() {
        say(Paint::stdout().green("matched"))?;
        ids.iter().try_for_each(|id| say(format!("  {}", visible(id))))?;
    } else {
        say(Paint::stdout().red("not matched"))?;
    }
    Ok(Verdict::good_if(outcome.matched()))
}

/// All JSON values in a file, one after the other; of a list its elements.
fn documents(path: &Path) -> Result<Vec<Value>, Failure> {
    let mut text = Vec::new();
    open(path)?.take(MAX_OBSERVED).read_to_end(&mut text).map_err(|error| Failure::file("read", path, &error))?;
    if text.len() as u64 == MAX_OBSERVED {
        return Err(Failure::could(format!("{}: observed data of 2 GiB or more is not read at once", path.display())));
    }
    let mut documents = Vec::new();
    for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
        match value.map_err(|error| Failure::could(format!("{}: not JSON: {error}", path.display())))? {
            Value::Array(list) => documents.extend(list),
            value => documents.push(value),
        }
    }
    if documents.is_empty() {
        return Err(Failure::could(format!("{}: no observed data in it", path.display())));
    }
    Ok(documents)
}

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
