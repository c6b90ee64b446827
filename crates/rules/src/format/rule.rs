//! What rules of Suricata and Snort 3 have in common: contents, messages, numbers.

use crate::day::day;
use crate::item::{About, Item};
use crate::number::{Numbers, revision};
use crate::options::Options;
use crate::text::{inert, word};
use crate::value::Value;
use std::fmt::Write as _;

/// Bytes that one content may have.
pub(super) const MOST_CONTENT: usize = 255;

/// Bytes as the text of a `content`: what is not a letter, a digit or a harmless mark is written in hexadecimal between bars.
pub(super) fn content(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut hex = false;
    for byte in bytes {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'-' | b'_' | b'/' | b'=' | b'&' | b'?' | b'%' | b'+' | b'@' | b'~');
        if plain == hex {
            text.push('|');
            hex = !hex;
        } else if hex {
            text.push(' ');
        }
        if plain {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "{byte:02x}");
        }
    }
    if hex {
        text.push('|');
    }
    text
}

/// Strangers' text as it may stand in the quotes of a message. The three characters that have a meaning there have look-alikes
/// that have none.
pub(super) fn message(text: &str) -> String {
    inert(text).replace(';', ",").replace('"', "'").replace('\\', "/")
}

/// The first words of a rule's message.
pub(super) fn titled(item: &Item<'_>, value: &Value<'_>) -> String {
    let name = if item.about.name.is_empty() { String::new() } else { format!(" ({})", item.about.name) };
    message(&format!("Marsad {} {}", item.kind.name(), short(&value.text()))) + &message(&name)
}

fn short(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(60).chain(['…']).collect() }
}

/// What follows the conditions of a rule: where it is from, its number and version.
pub(super) fn tail(about: &About<'_>, number: u32) -> String {
    let mut text = String::new();
    if let Some(reference) = about.reference.and_then(reference) {
        let _ = write!(text, "reference:url,{reference}; ");
    }
    let _ = write!(text, "metadata:{}; sid:{number}; rev:{};", metadata(about), revision(about.modified));
    text
}

/// Where a rule is from, as words behind keys.
pub(super) fn metadata(about: &About<'_>) -> String {
    let mut text = format!("marsad_id {}, tlp {}", some(&word(about.id)), some(&word(about.tlp)));
    if let Some(confidence) = about.confidence {
        let _ = write!(text, ", confidence {confidence}");
    }
    if !about.source.is_empty() {
        let _ = write!(text, ", source {}", word(about.source));
    }
    let under = |micros| day(micros).replace('-', "_");
    let _ = write!(text, ", created_at {}, updated_at {}", under(about.created), under(about.modified));
    text
}

fn some(word: &str) -> &str {
    if word.is_empty() { "unknown" } else { word }
}

/// A reference without its scheme, if it has nothing that a rule would read.
fn reference(text: &str) -> Option<&str> {
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./_-~%?=&#:@+".contains(&byte);
    ((1..=200).contains(&bare.len()) && bare.bytes().all(plain)).then_some(bare)
}

/// Gives rules their numbers.
pub(super) struct Numbering(Numbers);

impl Numbering {
    pub(super) fn new(options: &Options) -> Self {
        Self(Numbers::new(options.numbers.clone()))
    }

    /// Of the rule that looks for a claim in one place.
    pub(super) fn of(&mut self, item: &Item<'_>, value: &Value<'_>, place: &str) -> Option<u32> {
        self.0.of(&[item.about.id, item.kind.name(), value.reach(), &value.text(), place])
    }

    /// Of a rule that is told by words of our own.
    pub(super) fn named(&mut self, words: &[&str]) -> Option<u32> {
        self.0.of(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents() {
        for (bytes, expected) in [
            (&b"evil.example"[..], "evil.example"),
            (b"a;b", "a|3b|b"),
            (b"\"\\|:", "|22 5c 7c 3a|"),
            (b"x ", "x|20|"),
            ("é".as_bytes(), "|c3 a9|"),
            (b"", ""),
        ] {
            assert_eq!(content(bytes), expected);
        }
    }

    #[test]
    fn messages_end_nothing() {
        assert_eq!(message("a\"; sid:1; \\\nb"), "a', sid:1, //u{a}b");
    }

    #[test]
    fn references_that_a_rule_would_read_are_left_out() {
        assert_eq!(reference("https://example.org/i/1"), Some("example.org/i/1"));
        for text in [
            "https://example.org/;sid:1",
            "ftp://example.org/",
            "https://a b",
            "https://a\"",
            "https://a,b",
            "https://",
        ] {
            assert_eq!(reference(text), None, "{text}");
        }
    }
}
