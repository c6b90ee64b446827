//! Sigma rules (specification 2.1.0): a YAML document a claim, every string of it in double quotes.

use super::stix::uuid;
use super::{Put, Writes};
use crate::day::{day, instant};
use crate::item::{About, Item, Language, Native};
use crate::native_sigma;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::{Seen, short};
use crate::sink::Sink;
use crate::text::{comment, inert, yaml};
use crate::value::Value;
use observable::Kind;
use std::io;

const FILE: &str = "marsad.yml";
/// Characters that a title may have.
const TITLE: usize = 256;

/// Where a rule looks, and for what: lines of the `logsource`, then fields with a value for each.
type Look = (&'static [(&'static str, &'static str)], Vec<(&'static str, String)>);

pub(super) struct Sigma {
    seen: Seen,
}

impl Sigma {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        let whom = if options.viewer.is_empty() { String::new() } else { format!(" for {}", inert(&options.viewer)) };
        sink.put(FILE, format!("# Marsad: Sigma rules{whom}, made {}\n", instant(options.at)).as_bytes())?;
        Ok(Self { seen: Seen::default() })
    }
}

impl Writes for Sigma {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let Some((source, selections)) = look(item, value) else { return Ok(Put::Out(Reason::NoPlace)) };
        if !self.seen.first(item.kind, value.reach(), &value.text()) {
            return Ok(Put::Merged);
        }
        let mut text = String::with_capacity(1_024);
        let about = item.about;
        text.push_str("---\n");
        let title = format!(
            "Marsad: {} {}",
            item.kind.name(),
            inert(if about.name.is_empty() { about.id } else { about.name })
        );
        pair("title", &title.chars().take(TITLE).collect::<String>(), &mut text);
        pair("id", &identity(item, value), &mut text);
        pair("status", "experimental", &mut text);
        pair("description", &described(about), &mut text);
        if let Some(reference) = about.reference {
            text.push_str("references:\n  - ");
            yaml(reference, &mut text);
            text.push('\n');
        }
        pair("author", if about.source.is_empty() { "unknown" } else { about.source }, &mut text);
        pair("date", &day(about.created), &mut text);
        pair("modified", &day(about.modified.max(about.created)), &mut text);
        if let Some(tag) = tlp(about.tlp) {
            text.push_str(&format!("tags:\n  - \"tlp.{tag}\"\n"));
        }
        text.push_str("logsource:\n");
        for (key, word) in source {
            text.push_str(&format!("  {key}: {word}\n"));
        }
        text.push_str("detection:\n");
        for (place, (field, pattern)) in selections.iter().enumerate() {
            text.push_str(&format!("  selection{place}:\n    {field}: "));
            yaml(pattern, &mut text);
            text.push('\n');
        }
        text.push_str("  condition: 1 of selection*\n");
        pair("level", level(about.confidence), &mut text);
        sink.put(FILE, text.as_bytes())?;
        Ok(Put::Written)
    }

    fn native(&mut self, native: &Native<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        if native.language != Language::Sigma {
            return Ok(Put::Out(Reason::OtherLanguage));
        }
        match native_sigma::rule(native.text) {
            Ok(text) => {
                sink.put(FILE, format!("---\n# {}\n{text}", comment(native.about)).as_bytes())?;
                Ok(Put::Written)
            }
            Err(reason) => Ok(Put::Out(reason)),
        }
    }
}

/// Where a claim is looked for.
fn look(item: &Item<'_>, value: &Value<'_>) -> Option<Look> {
    const PROXY: &[(&str, &str)] = &[("category", "proxy")];
    const FIREWALL: &[(&str, &str)] = &[("category", "firewall")];
    const PROCESS: &[(&str, &str)] = &[("category", "process_creation"), ("product", "windows")];
    let plain = escaped(&value.text());
    Some(match (item.kind, value) {
        (_, Value::Domain { itself, subdomains, .. }) => {
            let mut selections = Vec::new();
            if *itself {
                selections.push(("query", plain.clone()));
            }
            if *subdomains {
                selections.push(("query|endswith", format!(".{plain}")));
            }
            (&[("category", "dns")], selections)
        }
        (_, Value::Address(_)) => (FIREWALL, vec![("dst_ip", plain.clone()), ("src_ip", plain)]),
        (_, Value::Network(..)) => (FIREWALL, vec![("dst_ip|cidr", plain.clone()), ("src_ip|cidr", plain)]),
        (_, Value::Url(_)) => (PROXY, vec![("c-uri", plain)]),
        (Kind::UserAgent, _) => (PROXY, vec![("c-useragent", plain)]),
        (Kind::Md5, _) => (PROCESS, vec![("Hashes|contains", format!("MD5={plain}"))]),
        (Kind::Sha1, _) => (PROCESS, vec![("Hashes|contains", format!("SHA1={plain}"))]),
        (Kind::Sha256, _) => (PROCESS, vec![("Hashes|contains", format!("SHA256={plain}"))]),
        (Kind::FileName, _) => (
            &[("category", "file_event"), ("product", "windows")],
            vec![("TargetFilename|endswith", format!("\\\\{plain}"))],
        ),
        (Kind::RegistryKey, _) => {
            (&[("category", "registry_event"), ("product", "windows")], vec![("TargetObject", plain)])
        }
        _ => return None,
    })
}

/// A value in which nothing is a wildcard: `*`, `?` and `\` stand for themselves.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The same UUID for the same claim in every export.
fn identity(item: &Item<'_>, value: &Value<'_>) -> String {
    let mut digest = blake3::Hasher::new();
    for part in [item.about.id, item.kind.name(), value.reach(), &value.text()] {
        digest.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    uuid(short(&digest))
}

fn described(about: &About<'_>) -> String {
    let confidence = about.confidence.map(|confidence| format!(", confidence {confidence}")).unwrap_or_default();
    format!("{}, {}{confidence}, valid from {}", about.id, about.tlp, instant(about.valid_from))
}

fn level(confidence: Option<u8>) -> &'static str {
    match confidence {
        Some(0..30) => "low",
        Some(70..) => "high",
        _ => "medium",
    }
}

/// The label of the Traffic Light Protocol as Sigma's tags have it.
fn tlp(label: &str) -> Option<&'static str> {
    match label {
        "TLP:CLEAR" => Some("clear"),
        "TLP:GREEN" => Some("green"),
        "TLP:AMBER" => Some("amber"),
        "TLP:AMBER+STRICT" => Some("amber-strict"),
        "TLP:RED" => Some("red"),
        _ => None,
    }
}

fn pair(key: &str, value: &str, text: &mut String) {
    text.push_str(key);
    text.push_str(": ");
    yaml(value, text);
    text.push('\n');
}
