//! A reader of as much YAML as the Sigma rules have: documents of mappings and lists by indentation, words and double quotes.

use super::{Entry, entry};

/// Decodes a double-quoted scalar (YAML 1.2.2 §7.3.1), which is the whole of the text.
fn string(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect(text);
    let (mut out, mut chars) = (String::new(), inner.chars());
    while let Some(c) = chars.next() {
        assert!(c != '"' && !c.is_control(), "{text}");
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next().expect(text);
        let digits = match escape {
            '"' | '\\' => {
                out.push(escape);
                continue;
            }
            'u' => 4,
            'U' => 8,
            other => panic!("\\{other} in {text}"),
        };
        let number: String = chars.by_ref().take(digits).collect();
        out.push(char::from_u32(u32::from_str_radix(&number, 16).unwrap()).expect(text));
    }
    out
}

/// A value in which every wildcard is taken at its word.
fn plain(value: &str) -> String {
    let (mut out, mut chars) = (String::new(), value.chars());
    while let Some(c) = chars.next() {
        assert!(!matches!(c, '*' | '?'), "a wildcard in {value}");
        out.push(if c == '\\' { chars.next().expect(value) } else { c });
    }
    out
}

pub(crate) fn sigma(source: &str) -> Vec<Entry> {
    let mut documents: Vec<Vec<&str>> = Vec::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if line == "---" {
            documents.push(Vec::new());
        } else {
            documents.last_mut().expect("a document begins").push(line);
        }
    }
    let mut found = Vec::new();
    for document in documents {
        let (mut keys, mut section, mut first) = (Vec::new(), "", None);
        for line in &document {
            let depth = line.len() - line.trim_start().len();
            let (key, value) =
                line.trim_start().split_once(':').map(|(key, value)| (key, value.trim())).unwrap_or((line, ""));
            match depth {
                0 => {
                    keys.push(key);
                    section = key;
                    if !value.is_empty() {
                        string(value);
                    }
                }
                4 if section == "detection" => {
                    first.get_or_insert((key, plain(&string(value))));
                }
                2 if matches!(section, "references" | "tags") => {
                    drop(string(line.trim_start().strip_prefix("- ").expect(line)))
                }
                2 => assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || " _*".contains(c)), "{line}"),
                _ => panic!("{line}"),
            }
        }
        let mut once = keys.clone();
        once.dedup();
        assert_eq!(once, keys);
        for key in ["title", "id", "logsource", "detection", "level"] {
            assert!(keys.contains(&key), "{key} in {document:?}");
        }
        let (field, value) = first.expect("a selection");
        found.push(entry(field, value));
    }
    found
}
