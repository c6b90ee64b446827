//! A file of `alert` rules, one or a few a claim: what Suricata and Snort 3 have in common beyond the parts of a rule.

use super::rule::{Numbering, tail, titled};
use super::{Put, Writes, head};
use crate::item::{Item, Language, Native};
use crate::native;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use std::io;

const FILE: &str = "marsad.rules";

/// Where a rule looks, what it looks at, and for what.
pub(super) struct Look {
    /// Tells the rules of one claim apart.
    pub(super) place: &'static str,
    /// Protocol, addresses and ports.
    pub(super) header: String,
    pub(super) conditions: String,
}

/// In what the two differ.
pub(super) struct Dialect {
    /// What the file says of itself.
    pub(super) title: &'static str,
    /// Partners' own rules that may stand in it.
    pub(super) language: Language,
    /// The rules of a claim.
    pub(super) looks: fn(&Item<'_>, &Value<'_>) -> Result<Vec<Look>, Reason>,
    /// A whole rule out of its message, its look and its tail.
    pub(super) rule: fn(&str, &Look, &str) -> String,
}

pub(super) struct Alerts {
    dialect: &'static Dialect,
    numbers: Numbering,
    seen: Seen,
}

impl Alerts {
    pub(super) fn begin(dialect: &'static Dialect, options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        sink.put(FILE, head("#", dialect.title, options).as_bytes())?;
        Ok(Self { dialect, numbers: Numbering::new(options), seen: Seen::default() })
    }
}

impl Writes for Alerts {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let looks = match (self.dialect.looks)(item, value) {
            Ok(looks) => looks,
            Err(reason) => return Ok(Put::Out(reason)),
        };
        if !self.seen.first(item.kind, value.reach(), &value.text()) {
            return Ok(Put::Merged);
        }
        let mut lines = format!("# {}\n", comment(item.about));
        for look in looks {
            let Some(number) = self.numbers.of(item, value, look.place) else { return Ok(Put::Out(Reason::NoNumber)) };
            let message = format!("{} in {}", titled(item, value), look.place);
            lines.push_str(&(self.dialect.rule)(&message, &look, &tail(item.about, number)));
        }
        sink.put(FILE, lines.as_bytes())?;
        Ok(Put::Written)
    }

    fn native(&mut self, native: &Native<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        if native.language != self.dialect.language {
            return Ok(Put::Out(Reason::OtherLanguage));
        }
        let numbers = &mut self.numbers;
        match native::rules(native, &mut |text| numbers.named(&[native.about.id, "native", text])) {
            Ok(lines) => {
                sink.put(FILE, format!("# {}\n{lines}", comment(native.about)).as_bytes())?;
                Ok(Put::Written)
            }
            Err(reason) => Ok(Put::Out(reason)),
        }
    }
}
