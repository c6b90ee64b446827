//! The list that `marsad watch --indicators` reads: `type,value,id`, a domain with a leading point meaning the names below too.

use super::{Put, Writes};
use crate::index::cell_of;
use crate::item::Item;
use crate::report::Reason;
use crate::sink::Sink;
use crate::text::word;
use crate::value::Value;
use std::io;

const FILE: &str = "marsad.csv";

pub(super) struct Csv {
    line: String,
}

impl Csv {
    pub(super) fn begin(sink: &mut dyn Sink) -> io::Result<Self> {
        sink.put(FILE, b"type,value,id\n")?;
        Ok(Self { line: String::new() })
    }
}

impl Writes for Csv {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        if value.only_below() {
            return Ok(Put::Out(Reason::OnlyBelow));
        }
        let text = value.text();
        // Whoever reads the list line by line must not be given half a value.
        if text.chars().any(char::is_control) {
            return Ok(Put::Out(Reason::Unwritable));
        }
        self.line.clear();
        self.line.push_str(item.kind.name());
        self.line.push(',');
        if value.subdomains() {
            self.line.push('.');
        }
        cell_of(&text, &mut self.line);
        self.line.push(',');
        self.line.push_str(&word(item.about.id));
        self.line.push('\n');
        sink.put(FILE, self.line.as_bytes())?;
        Ok(Put::Written)
    }
}
