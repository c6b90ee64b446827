//! What goes to the terminal: results on stdout, colours and progress only where a person looks.

use crate::outcome::Failure;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};

/// Writes one line to stdout.
pub(crate) fn say(line: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Writes one JSON value on a line to stdout.
pub(crate) fn say_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    say(serde_json::to_string(value)?)
}

/// A message for people. What it carries may come from strangers: see [`visible`].
pub(crate) fn note(message: impl std::fmt::Display) {
    // A terminal that has gone is no reason to fail.
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}

/// Text of strangers as it may stand in a message: control characters, escapes of terminals and marks that turn
/// the direction of writing are shown instead of obeyed.
pub(crate) fn visible(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Asks a person, if there is one to ask; a script has said what it wants.
pub(crate) fn confirmed(question: &str) -> Result<bool, Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(true);
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// How text for people is painted.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    colours: bool,
}

impl Paint {
    /// For stdout: colours on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colours: wanted && std::io::stdout().is_terminal() }
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A bar on stderr, where a person looks; nothing elsewhere. Without a total it shows what has been done.
pub(crate) fn progress(total: Option<u64>, unit: Unit) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(total, target);
    let template = match (unit, total) {
        (Unit::Bytes, Some(_)) => "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} {eta}",
        (Unit::Bytes, None) => "{spinner} {bytes} {bytes_per_sec} {msg}",
        (Unit::Things, Some(_)) => "{bar:30} {human_pos}/{human_len} {msg} {eta}",
        (Unit::Things, None) => "{spinner} {human_pos} {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// What a bar counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Bytes.
    Bytes,
    /// Records, pages.
    Things,
}

/// A list: an array of what is shown of each thing for machines, a table for people.
pub(crate) fn say_list<T, S: serde::Serialize, const N: usize>(
    json: bool,
    things: &[T],
    shown: impl Fn(&T) -> S,
    heads: [&str; N],
    row: impl Fn(&T) -> [String; N],
) -> Result<(), Failure> {
    if json {
        return say_json(&things.iter().map(shown).collect::<Vec<_>>());
    }
    say(table(&heads, &things.iter().map(|thing| row(thing).to_vec()).collect::<Vec<_>>()))
}

/// A table for people: columns as wide as they must be.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = heads.iter().map(|head| width(head)).collect();
    for row in rows {
        for (cell, most) in row.iter().zip(&mut widths) {
            *most = (*most).max(width(cell));
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, most)| format!("{cell}{}", " ".repeat(most - width(cell))));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut heads.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, expected) in [
            ("plain مرصد", "plain مرصد"),
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("evil\u{202e}gpj.exe", "evil\\u{202e}gpj.exe"),
            ("two\nlines", "two\\u{a}lines"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    #[test]
    fn tables_line_up() {
        let rows = [vec!["مرصد".to_owned(), "1".to_owned()], vec!["b".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["NAME", "N"], &rows), "NAME  N\nمرصد  1\nb     2");
        assert_eq!(table(&["NAME"], &[]), "NAME");
    }
}
