//! E-mail addresses in text, plain or made harmless: `user@example.org`, `user[at]example[.]org`, `user%40example.org`.

use super::Kind;
use super::text::Find;

/// The address around an at sign, or around what may be one, and where to go on. What lies before `done` is taken.
pub(super) fn at(text: &str, trigger: usize, done: usize) -> (Option<Find>, usize) {
    let Some((sign, after)) = sign(text, trigger) else { return (None, trigger + 1) };
    let Some(start) = local(text, sign, done) else { return (None, after) };
    match domain(text, after) {
        Some(end) => (Some(Find { kind: Kind::Email, range: start..end }), end),
        None => (None, after),
    }
}

/// Where the sign between name and domain starts and ends.
fn sign(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    if rest.starts_with('@') {
        return Some((at, at + 1));
    }
    if rest.starts_with("%40") {
        return Some((at, at + 3));
    }
    let inner = bracketed(rest, &["at", "@", "arroba", "arobase"])?;
    let before = if text.get(..at)?.ends_with(' ') { at - 1 } else { at };
    let end = at + inner;
    let after = if text.get(end..)?.starts_with(' ') { end + 1 } else { end };
    Some((before, after))
}

/// The length of `[word]`, in any brackets, at the start of the text.
fn bracketed(text: &str, words: &[&str]) -> Option<usize> {
    let inner = text.strip_prefix(['[', '(', '{'])?;
    let trimmed = inner.trim_start_matches(' ');
    let word =
        words.iter().find(|word| trimmed.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))?;
    let rest = trimmed.get(word.len()..)?.trim_start_matches(' ');
    let rest = rest.strip_prefix([']', ')', '}'])?;
    let length = text.len() - rest.len();
    (length <= 16).then_some(length)
}

/// The longest name or label that is looked at, in bytes.
const LONGEST: usize = 128;

/// Where the name before the sign starts.
fn local(text: &str, sign: usize, done: usize) -> Option<usize> {
    let before = text.get(done..sign)?;
    let mut start = sign;
    for (at, letter) in before.char_indices().rev() {
        let good =
            letter.is_alphanumeric() || matches!(letter, '.' | '_' | '+' | '-') || is_defanged_dot(before, at, letter);
        if !good || sign - (done + at) > LONGEST {
            break;
        }
        start = done + at;
    }
    let name = text.get(start..sign)?;
    let trimmed = name.trim_start_matches(['.', '-', '[', ']', '(', ')']);
    (trimmed.chars().any(char::is_alphanumeric)).then(|| sign - trimmed.len())
}

/// Whether the letter is a bracket of `[.]`.
fn is_defanged_dot(text: &str, at: usize, letter: char) -> bool {
    match letter {
        ']' | ')' => text.get(..at).is_some_and(|before| before.ends_with("[.") || before.ends_with("(.")),
        '[' | '(' => text.get(at + 1..).is_some_and(|after| after.starts_with(".]") || after.starts_with(".)")),
        _ => false,
    }
}

/// Where the domain that starts here ends: two labels or more, the last one without digits.
fn domain(text: &str, start: usize) -> Option<usize> {
    let mut at = start;
    let mut end = None;
    for number in 0..16 {
        let rest = text.get(at..)?;
        let stop = rest
            .char_indices()
            .find(|(at, letter)| !(letter.is_alphanumeric() || *letter == '-') || *at > LONGEST)
            .map_or(rest.len(), |(at, _)| at);
        let label = rest.get(..stop)?.trim_end_matches('-');
        if label.is_empty() || label.starts_with('-') {
            break;
        }
        let top = label.chars().count() > 1 && !label.chars().any(char::is_numeric) || label.starts_with("xn--");
        if number > 0 && top {
            end = Some(at + label.len());
        }
        let rest = rest.get(stop..)?;
        let dot = match rest.starts_with('.') {
            true => 1,
            false => {
                let space = usize::from(rest.starts_with(' '));
                match bracketed(rest.get(space..)?, &["dot", ".", "punto", "point"]) {
                    Some(length) => {
                        let after = space + length;
                        after + usize::from(space == 1 && rest.get(after..)?.starts_with(' '))
                    }
                    None => break,
                }
            }
        };
        at += stop + dot;
    }
    end
}
