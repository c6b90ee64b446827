//! Strangers' text, made such that it means nothing to whoever reads the file.

use crate::item::About;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A name or source is written up to so many characters.
const MOST: usize = 120;

/// Whether a character is obeyed rather than shown: controls, ends of lines and paragraphs, marks that turn the direction of
/// writing, invisible ones that hide text.
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text of strangers on one line: what would be obeyed is shown as its number, and too much of it is cut.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    let short = text.len() <= MOST || text.chars().count() <= MOST;
    if short && !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(4 * MOST));
    for (count, c) in text.chars().enumerate() {
        if count == MOST {
            shown.push('…');
            break;
        }
        if is_obeyed(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Text as one word of letters, digits and a few marks, where a format knows neither quotes nor escapes.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | ':' | '/' | '@');
    text.chars().take(MOST).map(|c| if plain(c) { c } else { '_' }).collect()
}

/// What stands behind an entry in a comment: id, TLP, confidence, source, name; on one line.
pub(crate) fn comment(about: &About<'_>) -> String {
    let mut text = format!("{} {}", word(about.id), word(about.tlp));
    if let Some(confidence) = about.confidence {
        let _ = write!(text, " confidence {confidence}");
    }
    if !about.source.is_empty() {
        let _ = write!(text, " from {}", inert(about.source));
    }
    if !about.name.is_empty() {
        let _ = write!(text, ": {}", inert(about.name));
    }
    text
}

/// The same where the comment stands in double quotes that know no escape, and may have so many bytes.
pub(crate) fn quoted_comment(about: &About<'_>, most: usize) -> String {
    let mut text = comment(about);
    if text.contains(['"', '\\']) {
        text = text.replace('"', "'").replace('\\', "/");
    }
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
    }
    text
}

/// A string in JSON (RFC 8259 §7), which YAML reads as well (YAML 1.2.2 §7.3.1): whatever could be obeyed or is not printable
/// is escaped.
pub(crate) fn json(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if is_obeyed(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A double-quoted string in YAML 1.1 and 1.2: like [`json`], but what lies beyond 16 bits is one escape there.
pub(crate) fn yaml(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_obeyed(c) || matches!(u32::from(c), number if number & 0xfffe == 0xfffe) => {
                let number = u32::from(c);
                let _ = if number > 0xffff { write!(out, "\\U{number:08x}") } else { write!(out, "\\u{number:04x}") };
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
