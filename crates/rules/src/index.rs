//! A list beside files whose entries can hold nothing but the value: which indicator each of them is from.

use crate::item::About;
use crate::sink::Sink;
use crate::text::{inert, word};
use std::io;

/// The list.
pub(crate) const INDEX: &str = "index.csv";

/// Begins the list.
pub(crate) fn begin(sink: &mut dyn Sink) -> io::Result<()> {
    sink.put(INDEX, b"file,entry,id,source,tlp,confidence\n")
}

/// Adds an entry, as it stands in its file.
pub(crate) fn add(file: &str, entry: &str, about: &About<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let mut line = String::with_capacity(128);
    let confidence = about.confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
    for (place, cell) in
        [file, entry, &word(about.id), &inert(about.source), &word(about.tlp), &confidence].into_iter().enumerate()
    {
        if place > 0 {
            line.push(',');
        }
        cell_of(cell, &mut line);
    }
    line.push('\n');
    sink.put(INDEX, line.as_bytes())
}

/// A cell of a comma-separated list (RFC 4180 §2): in quotes if it needs them.
pub(crate) fn cell_of(cell: &str, line: &mut String) {
    if cell.contains([',', '"', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(cell);
    }
}
