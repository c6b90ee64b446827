//! Reading of the published files that some tests compare with; they are no part of the project.

use std::{io::Read, path::PathBuf};

use crate::timestamp::Timestamp;

/// Where the file would be, seen from the project's root.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name)
}

/// The file's bytes; None, with the reason printed, when it is absent.
pub(crate) fn bytes(name: &str) -> Option<Vec<u8>> {
    match std::fs::read(path(name)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            println!("skipped: the published file {name} is not here ({error})");
            None
        }
    }
}

/// The file as JSON.
pub(crate) fn json(name: &str) -> Option<serde_json::Value> {
    bytes(name).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

/// A gzipped file of one JSON value a line.
pub(crate) fn cases(name: &str) -> Option<Vec<serde_json::Value>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes(name)?.as_slice()).read_to_string(&mut text).unwrap();
    let mut cases: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    cases.iter_mut().for_each(restore_timestamps);
    Some(cases)
}

/// Some recorders printed timestamps as their language does: `2016-12-21 19:00:00+00:00`. Writes them as in STIX.
fn restore_timestamps(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            let printed = text.strip_suffix("+00:00").unwrap_or(text);
            let stix = format!("{}Z", printed.replacen(' ', "T", 1));
            if text.get(10..11) == Some(" ") && Timestamp::parse(&stix).is_ok() {
                let short = if printed.contains('.') { printed.trim_end_matches('0') } else { printed };
                *text = format!("{}Z", short.replacen(' ', "T", 1));
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(restore_timestamps),
        serde_json::Value::Object(members) => members.values_mut().for_each(restore_timestamps),
        _ => {}
    }
}
