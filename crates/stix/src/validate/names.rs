//! Grammar of names. STIX 2.1 §3.1, §11.

use crate::schema::Version;

/// A property's name: `[a-z0-9_]`, 3 to 250 characters, in 2.1 a letter first. STIX 2.1 §3.1.
pub(super) fn is_property(name: &str, version: Version) -> bool {
    let bytes = name.as_bytes();
    let letter_first = version == Version::V20 || bytes.first().is_some_and(u8::is_ascii_lowercase);
    letter_first
        && (3..=250).contains(&bytes.len())
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// A key of a dictionary: `[A-Za-z0-9_-]`, at most 250 characters (2.0: 3 to 256). STIX 2.1 §2.3.
pub(super) fn is_key(name: &str, version: Version) -> bool {
    let length = match version {
        Version::V21 => name.len() <= 250,
        Version::V20 => (3..=256).contains(&name.len()),
    };
    length && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A key of `extensions` that is neither predefined nor an extension definition: `…-ext`. STIX 2.1 §11.3.
pub(super) fn is_custom_extension(name: &str) -> bool {
    let Some(stem) = name.strip_suffix("-ext") else { return false };
    stem.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && stem.split('-').all(|part| !part.is_empty())
        && stem.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// `x-SOURCE-NAME` or `x_source_name`: after the `x`, two parts that are not empty. STIX 2.1 §11.
pub(super) fn has_source_prefix(name: &str, separator: u8) -> bool {
    let bytes = name.as_bytes();
    let [b'x', first, rest @ ..] = bytes else { return false };
    *first == separator && rest.iter().enumerate().any(|(at, byte)| *byte == separator && at > 0 && at + 1 < rest.len())
}

/// A selector: names and `[index]` steps joined by dots. STIX 2.1 §7.2.3.
pub(super) fn is_selector(text: &str) -> bool {
    let mut steps = text.split('.');
    let first = steps.next().unwrap_or_default();
    let word = |step: &str| step.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if text == "id" {
        return true;
    }
    word(first)
        && (3..=250).contains(&first.len())
        && steps.all(|step| index(step).is_some() || (word(step) && (1..=250).contains(&step.len())))
}

/// The number of a step `[n]`.
pub(super) fn index(step: &str) -> Option<usize> {
    let digits = step.strip_prefix('[')?.strip_suffix(']')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(usize::MAX))
}

/// Lower case without underscores and spaces, as vocabularies and kill chains advise. STIX 2.1 §2.11, §2.12.
pub(super) fn is_plain_term(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'0'..=b'9')) {
        return true;
    }
    !text.chars().any(|letter| letter == '_' || letter == ' ' || letter.is_uppercase())
}
