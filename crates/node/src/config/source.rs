//! Where values come from: the file, the environment, flags; and what is said when one is wrong.

use super::setting::Written;
use super::{Config, keys};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// `path:line:column`, `environment variable NAME` or `--set KEY`; empty where it concerns several.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// The configuration cannot be used.
#[derive(Debug)]
pub struct Error {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match problem.place.as_str() {
                "" => f.write_str(&problem.message)?,
                place => write!(f, "{place}: {}", problem.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Reads a TOML text into `config`. `name` is what problems call the file.
pub(super) fn read_toml(config: &mut Config, name: &str, text: &str, problems: &mut Vec<Problem>) {
    match DeTable::parse(text) {
        Ok(table) => Reader { config, name, text, problems }.table("", table.get_ref()),
        Err(error) => {
            let place = place(name, text, error.span().map_or(0, |span| span.start));
            problems.push(Problem { place, message: format!("not TOML: {}", error.message()) });
        }
    }
}

/// Reads the variables that belong to keys. Others that begin with `MARSAD_` are left alone.
pub(super) fn read_environment(
    config: &mut Config,
    variables: impl Iterator<Item = (String, String)>,
    problems: &mut Vec<Problem>,
) {
    let keys = keys();
    for (name, value) in variables {
        if let Some(key) = keys.iter().find(|key| key.variable() == name)
            && let Err(message) = config.write(&key.path, &Written::Plain(&value))
        {
            problems.push(Problem { place: format!("environment variable {name}"), message });
        }
    }
}

/// Reads `key=value` as flags give it.
pub(super) fn read_flag(config: &mut Config, flag: &str, problems: &mut Vec<Problem>) {
    let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
    let written = if flag.contains('=') {
        config.write(&spelled(key.trim()), &Written::Plain(value.trim()))
    } else {
        Err(format!("`{flag}` is not of the form key=value"))
    };
    if let Err(message) = written {
        problems.push(Problem { place: format!("--set {key}"), message });
    }
}

/// Reads the file if there is one.
pub(super) fn read_file(config: &mut Config, path: &Path, problems: &mut Vec<Problem>) {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => read_toml(config, &name, &text, problems),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => problems.push(Problem { place: name, message: format!("cannot be read: {error}") }),
    }
}

/// What to say of a key that does not exist.
pub(super) fn unknown(path: &str) -> String {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let nearest = keys()
        .into_iter()
        .map(|key| {
            // A key that was written without its section is as near as a key can be.
            let whole = distance(path, &key.path);
            let tail = distance(&last(path), &last(&key.path));
            (whole.min(tail + 1), key.path)
        })
        .min();
    match nearest {
        Some((distance, key)) if distance <= 2 + path.len() / 5 => {
            format!("unknown key `{path}`: did you mean `{key}`?")
        }
        _ => format!("unknown key `{path}`: `marsad config sample` lists every key"),
    }
}

/// Both `page_size` and `page-size` are understood.
fn spelled(path: &str) -> String {
    path.replace('_', "-")
}

struct Reader<'a> {
    config: &'a mut Config,
    name: &'a str,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = format!("{prefix}{}", spelled(key.get_ref()));
            if let DeValue::Table(inner) = value.get_ref() {
                self.table(&format!("{path}."), inner);
                continue;
            }
            let written = match value.get_ref() {
                DeValue::String(text) => Some(Written::Text(text)),
                DeValue::Boolean(value) => Some(Written::Bool(*value)),
                DeValue::Integer(integer) => {
                    i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Written::Integer)
                }
                DeValue::Array(items) => {
                    items.iter().map(|item| item.get_ref().as_str()).collect::<Option<_>>().map(Written::List)
                }
                _ => None,
            };
            let outcome = match &written {
                Some(written) => self.config.write(&path, written),
                None => Err(match keys().iter().find(|key| key.path == path) {
                    Some(key) => format!("`{path}` must be {}", key.expected),
                    None => unknown(&path),
                }),
            };
            if let Err(message) = outcome {
                let place = place(self.name, self.text, key.span().start);
                self.problems.push(Problem { place, message });
            }
        }
    }
}

/// `name:line:column`, both counted from 1, columns in characters.
fn place(name: &str, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{name}:{line}:{column}")
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let next = if x == y { diagonal } else { 1 + diagonal.min(*cell).min(left) };
            diagonal = *cell;
            *cell = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "abc", 3), ("page", "page", 0), ("pgae", "page", 2), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}
