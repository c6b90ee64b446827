//! One JSON object a claim and line. It holds rules in other languages as well: in `pattern`, named by `pattern_type`.

use super::{Put, Writes};
use crate::day::instant;
use crate::item::{About, Item, Language, Native};
use crate::sink::Sink;
use crate::text::json;
use crate::value::Value;
use std::io;

const FILE: &str = "marsad.jsonl";

pub(super) struct Jsonl;

impl Writes for Jsonl {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let mut line = String::with_capacity(256);
        member("{\"type\":", item.kind.name(), &mut line);
        member(",\"value\":", &value.text(), &mut line);
        if let Value::Domain { itself, subdomains, .. } = value {
            line.push_str(&format!(",\"itself\":{itself},\"subdomains\":{subdomains}"));
        }
        about(item.about, &mut line);
        sink.put(FILE, line.as_bytes())?;
        Ok(Put::Written)
    }

    fn native(&mut self, native: &Native<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let mut line = String::with_capacity(256 + native.text.len());
        let language = match native.language {
            Language::Sigma => "sigma",
            Language::Snort => "snort",
            Language::Suricata => "suricata",
            Language::Yara => "yara",
        };
        member("{\"pattern_type\":", language, &mut line);
        member(",\"pattern\":", native.text, &mut line);
        about(native.about, &mut line);
        sink.put(FILE, line.as_bytes())?;
        Ok(Put::Written)
    }
}

/// What is said of the indicator, and the end of the line.
fn about(about: &About<'_>, line: &mut String) {
    member(",\"id\":", about.id, line);
    for (name, text) in [(",\"name\":", about.name), (",\"source\":", about.source), (",\"tlp\":", about.tlp)] {
        if !text.is_empty() {
            member(name, text, line);
        }
    }
    if let Some(confidence) = about.confidence {
        line.push_str(&format!(",\"confidence\":{confidence}"));
    }
    member(",\"created\":", &instant(about.created), line);
    member(",\"modified\":", &instant(about.modified), line);
    member(",\"valid_from\":", &instant(about.valid_from), line);
    if let Some(until) = about.valid_until {
        member(",\"valid_until\":", &instant(until), line);
    }
    if let Some(reference) = about.reference {
        member(",\"reference\":", reference, line);
    }
    if !about.labels.is_empty() {
        for (place, label) in about.labels.iter().enumerate() {
            member(if place == 0 { ",\"labels\":[" } else { "," }, label, line);
        }
        line.push(']');
    }
    line.push_str("}\n");
}

fn member(name: &str, text: &str, line: &mut String) {
    line.push_str(name);
    json(text, line);
}
