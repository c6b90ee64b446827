//! One list a kind: a value a line and nothing beside it. Which indicator each is from stands in a list of its own.

use super::{Put, Writes};
use crate::day::instant;
use crate::index;
use crate::item::Item;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::{inert, is_obeyed};
use crate::value::Value;
use observable::Kind;
use std::collections::BTreeSet;
use std::io;

/// One a kind, in the order of [`Kind::ALL`], and the list of sources.
pub(super) const FILES: &[&str] = &[
    "domain.txt",
    "ipv4.txt",
    "ipv6.txt",
    "cidr.txt",
    "url.txt",
    "md5.txt",
    "sha1.txt",
    "sha256.txt",
    "sha512.txt",
    "email.txt",
    "filename.txt",
    "ja3.txt",
    "ja3s.txt",
    "ja4.txt",
    "user-agent.txt",
    "certificate.txt",
    "certificate-serial.txt",
    "registry-key.txt",
    "mutex.txt",
    "account.txt",
    "mac.txt",
    "subject.txt",
    "as.txt",
    index::INDEX,
];

pub(super) struct Plain {
    head: String,
    begun: BTreeSet<&'static str>,
    seen: Seen,
}

impl Plain {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        index::begin(sink)?;
        let whom = if options.viewer.is_empty() { String::new() } else { format!(" for {}", inert(&options.viewer)) };
        let head = format!(
            "# Marsad: list{whom}, made {}\n# id, source and TLP of each: {}\n",
            instant(options.at),
            index::INDEX
        );
        Ok(Self { head, begun: BTreeSet::new(), seen: Seen::default() })
    }
}

impl Writes for Plain {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let found = FILES.iter().find(|file| file.strip_suffix(".txt") == Some(item.kind.name()));
        let Some(file) = found.copied() else { return Ok(Put::Out(Reason::NoPlace)) };
        if value.only_below() {
            return Ok(Put::Out(Reason::OnlyBelow));
        }
        let text = value.text();
        // A line that begins with `#` is none of the list, and blanks at the ends would be lost.
        if text.chars().any(is_obeyed) || text.starts_with('#') || text.trim() != text {
            return Ok(Put::Out(Reason::Unwritable));
        }
        if self.begun.insert(file) {
            sink.put(file, self.head.as_bytes())?;
        }
        let point = if value.subdomains() && item.kind == Kind::Domain { "." } else { "" };
        let entry = format!("{point}{text}");
        index::add(file, &entry, item.about, sink)?;
        if !self.seen.first(item.kind, value.reach(), &text) {
            return Ok(Put::Merged);
        }
        sink.put(file, format!("{entry}\n").as_bytes())?;
        Ok(Put::Written)
    }
}
