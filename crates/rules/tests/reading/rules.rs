//! A reader of rules (Suricata user guide, "Rules Format"; Snort 3, "Rule Options").

use super::{Entry, entry};
use std::collections::BTreeMap;

/// A rule taken apart: the words before the options, the options in their order.
pub(crate) struct Rule {
    pub(crate) head: Vec<String>,
    pub(crate) options: Vec<(String, String)>,
}

impl Rule {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.options.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }
}

/// Reads one rule: options end at a `;` that is neither in quotes nor behind a backslash.
pub(crate) fn rule(line: &str) -> Rule {
    let (head, rest) = line.split_once('(').expect(line);
    let rest = rest.strip_suffix(')').expect(line).trim_end();
    let (mut options, mut option, mut quoted, mut chars) = (Vec::new(), String::new(), false, rest.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                option.push(c);
                option.push(chars.next().expect(line));
            }
            ';' if !quoted => {
                let text = std::mem::take(&mut option);
                let (name, value) = text.split_once(':').unwrap_or((&text, ""));
                options.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            c => {
                quoted ^= c == '"';
                option.push(c);
            }
        }
    }
    assert!(option.trim().is_empty() && !quoted, "{line}");
    let head = head.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(head[0], "alert", "{line}");
    let rule = Rule { head, options };
    assert!(rule.get("sid").parse::<u32>().unwrap() > 0 && rule.get("rev").parse::<u32>().unwrap() > 0, "{line}");
    let message = rule.get("msg");
    assert!(message.starts_with('"') && message.ends_with('"') && message.matches('"').count() == 2, "{line}");
    for pair in rule.get("metadata").split(',') {
        assert_eq!(pair.split_whitespace().count(), 2, "{line}");
    }
    rule
}

/// The bytes of a content.
fn bytes(content: &str) -> Vec<u8> {
    let inner = content.strip_prefix('"').expect(content).split('"').next().unwrap();
    let mut bytes = Vec::new();
    for (place, part) in inner.split('|').enumerate() {
        if place % 2 == 0 {
            bytes.extend_from_slice(part.as_bytes());
        } else {
            bytes.extend(part.split(' ').map(|hex| u8::from_str_radix(hex, 16).expect(content)));
        }
    }
    bytes
}

fn text(content: &str) -> String {
    String::from_utf8(bytes(content)).unwrap()
}

/// All rules, with numbers that occur once.
fn all(source: &str) -> Vec<Rule> {
    let rules: Vec<Rule> = source.lines().filter(|line| !line.starts_with('#')).map(rule).collect();
    let numbers: BTreeMap<&str, ()> = rules.iter().map(|rule| (rule.get("sid"), ())).collect();
    assert_eq!(numbers.len(), rules.len(), "numbers are unique");
    rules
}

/// What each Suricata rule looks for: the buffer that it names first, and the content.
pub(crate) fn suricata(source: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for rule in all(source) {
        let contents: Vec<String> =
            rule.options.iter().filter(|(name, _)| name == "content").map(|(_, content)| text(content)).collect();
        let size = rule.get("bsize");
        if let [content] = contents.as_slice() {
            assert!(size.is_empty() || size == content.len().to_string());
        }
        let buffer = rule.options.iter().map(|(name, _)| name.as_str()).find(|name| name.contains('.'));
        match (rule.head[1].as_str(), buffer) {
            ("ip", None) => found.push(entry("address", rule.head[5].trim_matches(['[', ']']))),
            (_, Some("http.host")) if contents.len() == 2 => {
                assert!(rule.options.iter().any(|(name, _)| name == "http.uri.raw"));
                found.push(entry("url", contents.concat()));
            }
            // One of the three rules of a name stands for it.
            (_, Some("tls.sni" | "http.host" | "smtp.rcpt_to")) => {}
            (_, Some(buffer)) => found.push(entry(buffer, contents.concat())),
            (protocol, None) => panic!("{protocol}"),
        }
    }
    found
}

/// What each Snort rule looks for.
pub(crate) fn snort(source: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for rule in all(source) {
        let contents: Vec<&(String, String)> = rule.options.iter().filter(|(name, _)| name == "content").collect();
        let field = rule.get("http_header");
        match (rule.head[1].as_str(), contents.as_slice()) {
            ("ip", []) => found.push(entry("address", rule.head[5].trim_matches(['[', ']']))),
            ("udp", [(_, content)]) => {
                let (mut labels, raw) = (Vec::new(), bytes(content));
                let mut rest = raw.as_slice();
                while let [length @ 1..=63, tail @ ..] = rest {
                    let (label, left) = tail.split_at(usize::from(*length));
                    labels.push(String::from_utf8(label.to_vec()).unwrap());
                    rest = left;
                }
                assert_eq!(rest, [0]);
                let below = if content.contains("offset") { "" } else { "." };
                found.push(entry("name", format!("{below}{}", labels.join("."))));
            }
            ("http", [(_, content)]) if field == "field user-agent" => found.push(entry("agent", text(content))),
            ("http", [_]) => assert_eq!(field, "field host"),
            ("tcp", [(_, host), (_, path)]) => found.push(entry("url", text(host) + &text(path))),
            other => panic!("{:?}", other.0),
        }
    }
    found
}
