//! Findings as people and programs read them: path, clause, message.

use super::note::Note;
use super::{Code, Severity, message};
use crate::json::{self, Kind as Json, Limits, Tape, Value};

/// One thing that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// Which rule.
    pub code: Code,
    /// The id of the object, where it has one that can be read.
    pub object: Option<String>,
    /// Where: a JSON path, `$.objects[3].external_references[0].url`.
    pub path: String,
    /// Where the standard says so: `STIX 2.1 §2.9`.
    pub clause: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// The fault of a text that could not be read as JSON: its offset counts from the start of the text that was judged.
    pub fault: Option<json::Error>,
}

/// Makes the notes of one object readable: parses it again and looks for the places.
pub(super) fn of_object(text: &[u8], path: &str, notes: &[Note], fatal: Option<json::Error>) -> Vec<Finding> {
    if let Some(error) = fatal {
        return vec![of_fatal(error, path, error.to_string())];
    }
    if notes.is_empty() {
        return Vec::new();
    }
    let limits = Limits { max_bytes: usize::MAX, max_depth: 1024, max_values: usize::MAX };
    let mut tape = Tape::new();
    let Ok((root, _)) = tape.parse_at(text, 0, &limits) else { return Vec::new() };
    let object = root.get("id").and_then(|id| id.as_str()).map(|id| id.into_owned());
    notes
        .iter()
        .map(|note| {
            let (place, value) = locate(root, root.span().start + note.at as usize, path);
            Finding {
                severity: note.code.severity(),
                code: note.code,
                object: object.clone(),
                path: place,
                clause: note.clause,
                message: message::of(note, value),
                fault: None,
            }
        })
        .collect()
}

/// A text that could not be read.
pub(super) fn of_fatal(error: json::Error, path: &str, message: String) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::Json,
        object: None,
        path: path.to_owned(),
        clause: Code::Json.clause(),
        message,
        fault: Some(error),
    }
}

/// The path to the value that starts at an offset, and the value.
fn locate<'t>(root: Value<'t>, at: usize, path: &str) -> (String, Value<'t>) {
    let mut path = path.to_owned();
    let mut here = root;
    while here.span().start != at {
        let next = match here.kind() {
            Json::Object => here.entries().find(|(_, value)| value.span().contains(&at)).map(|(key, value)| {
                push_name(&mut path, &key.as_str());
                value
            }),
            Json::Array => {
                here.items().enumerate().find(|(_, value)| value.span().contains(&at)).map(|(index, value)| {
                    path.push_str(&format!("[{index}]"));
                    value
                })
            }
            _ => None,
        };
        match next {
            Some(value) => here = value,
            None => break,
        }
    }
    (path, here)
}

/// Adds a member's name: plain names after a dot, others in brackets and quotes.
fn push_name(path: &mut String, name: &str) {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if plain {
        path.push('.');
        path.push_str(name);
    } else {
        path.push_str(&format!("[{}]", quoted(name)));
    }
}

/// A name in quotes, with what would break out of them escaped.
fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('\'');
    for letter in name.chars() {
        match letter {
            '\'' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            control if control.is_control() => out.push_str(&control.escape_unicode().to_string()),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}
