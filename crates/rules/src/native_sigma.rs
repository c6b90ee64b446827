//! Sigma rules that partners wrote, passed on in their own text, among other documents of one stream.
//!
//! A document that is no YAML ends the stream for its reader, so only text of a plain form is passed on: mappings and lists by
//! indentation, scalars on one line or in blocks, no anchors, tags, directives or flow. It is read line by line; what it says
//! stays untouched.

use crate::report::Reason;
use crate::text::is_obeyed;
use std::collections::HashSet;

/// Bytes that a rule may have.
const MOST: usize = 64 << 10;
/// How deep it may be nested.
const DEEPEST: usize = 32;
/// Without these it is no rule (Sigma 2.1.0, "Rules").
const WANTED: [&str; 3] = ["title", "logsource", "detection"];

/// A block that is open: where it stands, and what it is.
struct Block<'t> {
    indent: usize,
    /// The keys of a mapping so far; `None`: a list.
    keys: Option<HashSet<&'t str>>,
}

/// Reads a document.
struct Reader<'t> {
    blocks: Vec<Block<'t>>,
    /// The line before ended such that a block may follow.
    opens: bool,
    /// Lines that stand further in than this are text.
    text_below: Option<usize>,
}

/// The text of a rule, if it is of the plain form.
///
/// # Errors
/// Why it is not passed on.
pub(crate) fn rule(text: &str) -> Result<String, Reason> {
    if text.len() > MOST {
        return Err(Reason::TooLong);
    }
    let mut reader = Reader { blocks: Vec::new(), opens: true, text_below: None };
    let (mut out, mut begun) = (String::with_capacity(text.len() + 1), false);
    for line in text.lines() {
        let line = line.trim_end();
        if line.chars().any(is_obeyed) {
            return Err(Reason::BadRule);
        }
        if line == "---" && !begun {
            continue;
        }
        begun |= !line.is_empty() && !line.starts_with('#');
        reader.line(line).ok_or(Reason::BadRule)?;
        out.push_str(line);
        out.push('\n');
    }
    let top = reader.blocks.first().and_then(|block| block.keys.as_ref()).ok_or(Reason::BadRule)?;
    if WANTED.iter().all(|key| top.contains(key)) { Ok(out) } else { Err(Reason::BadRule) }
}

impl<'t> Reader<'t> {
    /// Takes a line. `None`: it is not of the plain form.
    fn line(&mut self, line: &'t str) -> Option<()> {
        let rest = line.trim_start_matches(' ');
        let indent = line.len() - rest.len();
        if rest.is_empty() {
            return Some(());
        }
        if let Some(parent) = self.text_below {
            if indent > parent {
                return Some(());
            }
            self.text_below = None;
        }
        if rest.starts_with('#') {
            return Some(());
        }
        if line.starts_with("---") || line.starts_with("...") {
            return None;
        }
        self.entry(indent, rest)
    }

    /// An element of a list or a member of a mapping that begins at a column.
    fn entry(&mut self, indent: usize, rest: &'t str) -> Option<()> {
        let element = rest.strip_prefix('-').filter(|left| left.is_empty() || left.starts_with(' '));
        self.place(indent, element.is_some())?;
        let Some(element) = element else { return self.member(indent, rest) };
        let inner = element.trim_start_matches(' ');
        if inner.is_empty() {
            self.opens = true;
            return Some(());
        }
        // A mapping may begin behind the dash; its members stand below each other.
        if key(inner).is_some() {
            self.opens = true;
            return self.entry(indent + (rest.len() - inner.len()), inner);
        }
        self.scalar(indent, inner)
    }

    /// A member of a mapping.
    fn member(&mut self, indent: usize, rest: &'t str) -> Option<()> {
        let (name, value) = key(rest)?;
        let keys = self.blocks.last_mut()?.keys.as_mut()?;
        if !keys.insert(name) {
            return None;
        }
        self.scalar(indent, value)
    }

    /// Finds or opens the block to which an entry belongs.
    fn place(&mut self, indent: usize, list: bool) -> Option<()> {
        let opens = std::mem::take(&mut self.opens);
        while self.blocks.last().is_some_and(|block| block.indent > indent) {
            self.blocks.pop();
        }
        // A list may stand as far in as the member that holds it.
        if !list && self.blocks.last().is_some_and(|block| block.indent == indent && block.keys.is_none()) {
            self.blocks.pop();
        }
        let fits = |block: &Block<'_>| block.indent == indent && block.keys.is_none() == list;
        if self.blocks.last().is_some_and(fits) {
            return Some(());
        }
        let further = self
            .blocks
            .last()
            .is_none_or(|block| indent > block.indent || (list && indent == block.indent && block.keys.is_some()));
        if !opens || !further || self.blocks.len() == DEEPEST || (self.blocks.is_empty() && indent > 0) {
            return None;
        }
        self.blocks.push(Block { indent, keys: if list { None } else { Some(HashSet::new()) } });
        Some(())
    }

    /// What stands behind a key or a dash.
    fn scalar(&mut self, indent: usize, value: &str) -> Option<()> {
        match value.chars().next() {
            None => self.opens = true,
            Some('#') => return None,
            Some('|' | '>') => {
                if !matches!(value.get(1..), Some("" | "-" | "+")) {
                    return None;
                }
                self.text_below = Some(indent);
            }
            Some('"') => double(value)?,
            Some('\'') => single(value)?,
            Some(_) if value == "[]" || value == "{}" => {}
            Some(_) => plain(value)?,
        }
        Some(())
    }
}

/// Key and value of a member: `name: value`, `name:`. Names are those of fields with modifiers, and need no quotes.
fn key(text: &str) -> Option<(&str, &str)> {
    let (name, value) = match text.split_once(": ") {
        Some((name, value)) => (name, value.trim()),
        None => (text.strip_suffix(':')?, ""),
    };
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '|' | '/' | '$' | '@' | ' ');
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    let sound = first && name.len() < 200 && name.chars().all(sound) && !name.ends_with(' ');
    (sound && plain(name).is_some()).then_some((name, value))
}

/// A scalar in double quotes, and nothing behind it.
fn double(text: &str) -> Option<()> {
    let mut chars = text.strip_prefix('"')?.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return chars.next().is_none().then_some(()),
            '\\' => match chars.next()? {
                '"' | '\\' | '/' | 'n' | 't' | 'r' | '0' => {}
                'x' => digits(&mut chars, 2)?,
                'u' => digits(&mut chars, 4)?,
                _ => return None,
            },
            _ => {}
        }
    }
    None
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize) -> Option<()> {
    let text: String = chars.take(count).collect();
    // Half of a pair is no character.
    let number = u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == count && !text.starts_with('+'))?;
    char::from_u32(number).map(drop)
}

/// A scalar in single quotes, in which two of them stand for one.
fn single(text: &str) -> Option<()> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'').filter(|_| text.len() > 1)?;
    (!inner.replace("''", "").contains('\'')).then_some(())
}

/// A scalar without quotes: it begins with nothing that YAML gives a meaning to, and holds neither `: ` nor ` #`.
fn plain(text: &str) -> Option<()> {
    let first = text.chars().next()?;
    let begins =
        first.is_alphanumeric() || matches!(first, '.' | '/' | '\\' | '_' | '(' | '$' | '+' | ';' | '<' | '~' | '^');
    let minus = first == '-' && text.chars().nth(1).is_some_and(char::is_alphanumeric);
    let sound = !text.contains(": ") && !text.contains(" #") && !text.ends_with(':');
    // Years and times would be read as such, and refused if there is no such day.
    let date = text.len() > 7
        && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && text.as_bytes().get(4) == Some(&b'-');
    let day = |text: &str| {
        let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok());
        text.len() == 10
            && matches!(number(0, 4), Some(1970..=2100))
            && matches!(number(5, 7), Some(1..=12))
            && matches!(number(8, 10), Some(1..=28))
    };
    ((begins || minus) && sound && !is_odd_number(text) && (!date || day(text))).then_some(())
}

/// What is taken for a number by its beginning and then is none, or is too long for one.
fn is_odd_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let based = digits.get(..2).is_some_and(|base| matches!(base, "0x" | "0b" | "0o"));
    number && ((based && text.contains('_')) || digits.starts_with("._") || text.len() > 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "title: A rule\nlogsource:\n    category: dns\ndetection:\n    sel:\n        query|endswith:\n            - '.evil.example'\n            - \"b\\\\c\"\n    condition: sel\n";

    #[test]
    fn plain_rules_are_passed_on_as_they_are() {
        for text in [
            SOUND.to_owned(),
            format!("---\n{SOUND}"),
            format!("# a remark\n{SOUND}"),
            format!("description: |\n  any: text {{ [\n   'goes\n{SOUND}"),
            format!("tags:\n- attack.t1059\n- tlp.green\n{SOUND}"),
            format!("related:\n  - id: x\n    type: derived\n  - id: y\n    type: similar\n{SOUND}"),
            format!("date: 2026-03-01\nlevel: high\nstatus: test\n{SOUND}"),
            SOUND.replace('\n', "\r\n"),
        ] {
            let passed = rule(&text).expect(&text);
            assert_eq!(passed, text.replace('\r', "").replace("---\n", ""));
        }
    }

    #[test]
    fn what_could_end_the_stream_is_refused() {
        for text in [
            "",
            "title: x\n",
            "just words",
            &format!("{SOUND}---\ntitle: another\n"),
            &format!("{SOUND}...\n"),
            &format!("%YAML 1.2\n{SOUND}"),
            &format!("{SOUND}x: &a y\n"),
            &format!("{SOUND}x: *a\n"),
            &format!("{SOUND}x: !!python/object/apply:os.system ['id']\n"),
            &format!("{SOUND}x: [1, 2\n"),
            &format!("{SOUND}x: {{\n"),
            &format!("{SOUND}x: \"open\n"),
            &format!("{SOUND}x: 'open\n"),
            &format!("{SOUND}x: 'a' b\n"),
            &format!("{SOUND}x: \"\\q\"\n"),
            &format!("{SOUND}x: \"\\ud800\"\n"),
            &format!("{SOUND}title: twice\n"),
            &format!("{SOUND}\tx: y\n"),
            &format!("{SOUND}x: a: b\n"),
            &format!("{SOUND} x: y\n"),
            &format!("{SOUND}x: y\n  z: w\n"),
            &format!("{SOUND}- x\n"),
            &format!("{SOUND}x:\n  - a\n  b: c\n"),
            &format!("{SOUND}x: 2026-13-45\n"),
            &format!("{SOUND}x: =\n"),
            &format!("{SOUND}x: 0x_\n"),
            &format!("{SOUND}x: {}\n", "9".repeat(5_000)),
            &format!("{SOUND}2026-13-45: x\n"),
            &format!("{SOUND}? x\n: y\n"),
            &format!("{SOUND}<<: x\n"),
            &format!("{SOUND}x: \u{202e}y\n"),
        ] {
            assert!(rule(text).is_err(), "{text}");
        }
        assert_eq!(rule(&"x".repeat(70_000)), Err(Reason::TooLong));
    }
}
