//! Readers of lists and zones.

use super::{Entry, Files, entry};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The lines that are no comment.
fn lines<'t>(text: &'t str, mark: &'static str) -> impl Iterator<Item = &'t str> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line ends");
    text.lines().filter(move |line| !line.starts_with(mark))
}

/// RFC 4180, quotes and all.
pub(crate) fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the last row ends");
    rows
}

pub(crate) fn csv(text: &str) -> Vec<Entry> {
    let mut rows = cells(text).into_iter();
    assert_eq!(rows.next().unwrap(), ["type", "value", "id"]);
    rows.map(|row| match <[String; 3]>::try_from(row) {
        Ok([kind, value, _]) => entry(&kind, value),
        Err(row) => panic!("{row:?}"),
    })
    .collect()
}

pub(crate) fn jsonl(text: &str) -> Vec<Entry> {
    let read = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect(line);
        let point = if value["subdomains"] == true { "." } else { "" };
        entry(value["type"].as_str().unwrap(), format!("{point}{}", value["value"].as_str().unwrap()))
    };
    text.lines().map(read).collect()
}

pub(crate) fn hosts(text: &str) -> Vec<Entry> {
    lines(text, "#")
        .map(|line| {
            let fields: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
            assert_eq!((fields[0], fields.len()), ("0.0.0.0", 2), "{line}");
            entry("domain", fields[1])
        })
        .collect()
}

pub(crate) fn zeek(text: &str) -> Vec<Entry> {
    let mut all = text.lines();
    assert_eq!(all.next(), Some("#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url"));
    all.map(|line| {
        assert!(!line.starts_with('#'), "{line}");
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), 5, "{line}");
        assert!(fields.iter().all(|field| !field.is_empty()), "{line}");
        let kind = fields[1].strip_prefix("Intel::").expect(line);
        entry(kind, unescaped(fields[0]))
    })
    .collect()
}

/// `\xHH` as Zeek reads it.
fn unescaped(field: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), field.as_bytes());
    while let [first, tail @ ..] = rest {
        if *first == b'\\' {
            let text = std::str::from_utf8(&tail[1..3]).unwrap();
            assert_eq!(tail[0], b'x');
            bytes.push(u8::from_str_radix(text, 16).unwrap());
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn rpz(text: &str) -> Vec<Entry> {
    let mut all = lines(text, ";");
    assert_eq!(all.next(), Some("$TTL 300"));
    assert!(all.next().unwrap().starts_with("@ IN SOA localhost. root.localhost. "));
    assert_eq!(all.next(), Some("@ IN NS localhost."));
    all.map(|line| {
        let fields: Vec<&str> = line.split(';').next().unwrap().split_whitespace().collect();
        assert_eq!((fields.len(), fields[1], fields[2]), (3, "CNAME", "."), "{line}");
        assert!(!line.starts_with([' ', '\t', '@', '$']), "{line}");
        match fields[0].strip_suffix(".rpz-ip") {
            Some(trigger) => entry("address", network_of(trigger)),
            None => entry("name", fields[0]),
        }
    })
    .collect()
}

/// The network of an `rpz-ip` trigger.
fn network_of(trigger: &str) -> String {
    let mut labels: Vec<&str> = trigger.split('.').collect();
    let prefix = labels.remove(0);
    labels.reverse();
    if labels.len() == 4 && !labels.contains(&"zz") && labels.iter().all(|label| label.parse::<u8>().is_ok()) {
        return format!("{}/{prefix}", labels.join("."));
    }
    let zeros = labels.iter().position(|label| *label == "zz");
    let text = match zeros {
        Some(at) => format!("{}::{}", labels[..at].join(":"), labels[at + 1..].join(":")),
        None => labels.join(":"),
    };
    let address: std::net::Ipv6Addr = text.parse().expect(trigger);
    format!("{address}/{prefix}")
}

pub(crate) fn ipset(text: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for line in lines(text, "#") {
        let words = quoted_words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["create", "marsad4" | "marsad6", "hash:net", "family", "inet" | "inet6", "maxelem", _, "comment"] => {}
            ["flush", "marsad4" | "marsad6"] => {}
            ["add", set, value, "comment", comment] => {
                assert_eq!(*set == "marsad6", value.contains(':'));
                assert!(comment.len() <= 255);
                found.push(entry("address", *value));
            }
            _ => panic!("{line}"),
        }
    }
    found
}

/// Words, of which one in quotes may hold blanks; a quote ends at the next one.
fn quoted_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    assert_eq!(line.matches('"').count() % 2, 0, "{line}");
    words
}

pub(crate) fn nftables(text: &str) -> Vec<Entry> {
    let mut all = lines(text, "#");
    assert_eq!(all.next(), Some("add table inet marsad"));
    for set in ["block4 { type ipv4_addr; flags interval; }", "block6 { type ipv6_addr; flags interval; }"] {
        assert_eq!(all.next(), Some(format!("add set inet marsad {set}").as_str()));
        assert!(all.next().unwrap().starts_with("flush set inet marsad block"));
    }
    let (mut found, mut set) = (Vec::new(), None);
    for line in all {
        match (set, line) {
            (None, "add element inet marsad block4 {") => set = Some(false),
            (None, "add element inet marsad block6 {") => set = Some(true),
            (Some(_), "}") => set = None,
            (Some(six), _) => {
                let line = line.strip_prefix("  ").and_then(|line| line.strip_suffix(',')).expect(line);
                let words = quoted_words(line);
                assert_eq!((words.len(), words[1].as_str()), (3, "comment"), "{line}");
                assert!(words[2].len() < 128 && six == words[0].contains(':'), "{line}");
                found.push(entry("address", words[0].clone()));
            }
            (None, _) => panic!("{line}"),
        }
    }
    assert_eq!(set, None);
    found
}

pub(crate) fn reputation(text: &str) -> Vec<Entry> {
    lines(text, "#")
        .map(|line| {
            assert!(line.len() <= 8_192);
            entry("address", line.split('#').next().unwrap().trim())
        })
        .collect()
}

pub(crate) fn iprep(files: &Files) -> Vec<Entry> {
    assert_eq!(files.text("marsad-categories.txt"), "1,marsad,Indicators of partners and our own\n");
    let rules: Vec<&str> = lines(files.text("marsad.rules"), "#").collect();
    assert!(rules.len() == 1 && rules[0].contains("iprep:any,marsad,>,0;"), "{rules:?}");
    lines(files.text("marsad-reputation.list"), "#")
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let score: u32 = fields[2].parse().unwrap();
            assert!(fields.len() == 3 && fields[1] == "1" && (1..=127).contains(&score), "{line}");
            entry("address", fields[0])
        })
        .collect()
}

pub(crate) fn squid(files: &Files) -> Vec<Entry> {
    let mut found = Vec::new();
    for line in lines(files.text("marsad.conf"), "#") {
        assert!(line.starts_with("acl marsad_") && line.matches('"').count() == 2, "{line}");
    }
    found.extend(lines(files.text("marsad-domains.acl"), "#").map(|line| entry("domain", line)));
    found.extend(lines(files.text("marsad-addresses.acl"), "#").map(|line| entry("address", line)));
    for line in lines(files.text("marsad-urls.acl"), "#") {
        let inner = line.strip_prefix('^').and_then(|line| line.strip_suffix('$')).expect(line);
        found.push(entry("url", plain_of(inner)));
    }
    assert!(found.iter().all(|found| !found.value.contains(char::is_whitespace)));
    found
}

pub(crate) fn postfix(files: &Files) -> Vec<Entry> {
    let mut found = Vec::new();
    for file in ["marsad-access", "marsad-clients.cidr"] {
        for line in lines(files.text(file), "#") {
            let (key, action) = line.split_once(' ').unwrap();
            assert_eq!(action, "REJECT", "{line}");
            found.push(entry(file, key));
        }
    }
    for line in lines(files.text("marsad-headers.regexp"), "#") {
        let inner =
            line.strip_prefix("/^Subject:[ ]*").and_then(|line| line.strip_suffix("[ ]*$/ REJECT")).expect(line);
        found.push(entry("subject", plain_of(inner)));
    }
    for line in lines(files.text("marsad-attachments.regexp"), "#") {
        let inner = line.strip_prefix("/^Content-(Type|Disposition):.*name[ ]*=[ ]*(\"").expect(line);
        let inner = inner.strip_suffix("[ ]*(;|$))/ REJECT").expect(line);
        // The name stands there twice: in quotes, and without.
        let length = (inner.len() - 2) / 2;
        assert_eq!(&inner[..length], &inner[length + 2..], "{line}");
        assert_eq!(&inner[length..length + 2], "\"|", "{line}");
        found.push(entry("file", plain_of(&inner[..length])));
    }
    found
}

/// The text that a regular expression without any operator matches: characters alone, in brackets, behind backslashes.
fn plain_of(expression: &str) -> String {
    let (mut plain, mut chars) = (String::new(), expression.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().unwrap();
                assert!(matches!(next, '\\' | '^' | '/'), "{expression}");
                plain.push(next);
            }
            '[' => {
                plain.push(chars.next().unwrap());
                assert_eq!(chars.next(), Some(']'), "{expression}");
            }
            c => {
                assert!(c.is_ascii_alphanumeric(), "{expression}");
                plain.push(c);
            }
        }
    }
    plain
}

pub(crate) fn plain(files: &Files) -> Vec<Entry> {
    let mut found = Vec::new();
    for file in files.0.keys().filter(|file| file.ends_with(".txt")) {
        found.extend(lines(files.text(file), "#").map(|line| entry(file.strip_suffix(".txt").unwrap(), line)));
    }
    indexed(files, &found.iter().map(|found| (format!("{}.txt", found.kind), found.value.clone())).collect::<Vec<_>>());
    found
}

/// Every entry of a list stands in the index.
fn indexed(files: &Files, entries: &[(String, String)]) {
    let rows = cells(files.text("index.csv"));
    assert_eq!(rows[0], ["file", "entry", "id", "source", "tlp", "confidence"]);
    for (file, value) in entries {
        assert!(rows.iter().any(|row| row[0] == *file && row[1] == *value), "{file} {value}");
    }
}

/// Lists of datasets and digests; names with all below them from their rules, which say the same as their list.
pub(crate) fn datasets(files: &Files) -> Vec<Entry> {
    let (mut found, mut all) = (Vec::new(), Vec::new());
    for file in files.0.keys().filter(|file| file.ends_with(".lst")) {
        let name = file.strip_prefix("marsad-").and_then(|name| name.strip_suffix(".lst")).unwrap();
        let loads = if name == "below" { "marsad-below-9.rules" } else { "marsad.rules" };
        assert!(files.text(loads).contains(*file), "{file} is loaded");
        for line in files.text(file).lines() {
            let line = match name {
                "md5" | "sha1" | "sha256" => line.split("  ").next().unwrap(),
                _ => line,
            };
            all.push(((*file).to_owned(), line.to_owned()));
            found.push(match name {
                "md5" | "sha1" | "sha256" | "addresses" => entry(name, line),
                _ => entry(name, String::from_utf8(STANDARD.decode(line).expect(line)).unwrap()),
            });
        }
    }
    indexed(files, &all);
    for file in ["marsad.rules", "marsad-below.rules", "marsad-below-9.rules"] {
        lines(files.text(file), "#").for_each(|line| drop(super::rules::rule(line)));
    }
    found
}
