//! A small reader for each format, by the rules of that format: what it reads must be exactly the entries.

pub(crate) mod lists;
pub(crate) mod rules;
pub(crate) mod yaml;

use rules_crate::{Format, Sink};
use std::collections::BTreeMap;
use std::io;

pub(crate) use ::rules as rules_crate;

/// The files of an export.
#[derive(Default)]
pub(crate) struct Files(pub(crate) BTreeMap<&'static str, Vec<u8>>);

impl Sink for Files {
    fn put(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        self.0.entry(file).or_default().extend_from_slice(bytes);
        Ok(())
    }
}

impl Files {
    /// A file's text; empty where there is none.
    pub(crate) fn text(&self, file: &str) -> &str {
        self.0.get(file).map_or("", |bytes| std::str::from_utf8(bytes).expect("files are UTF-8"))
    }
}

/// One entry as a sensor reads it: what kind of thing, and the value.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Entry {
    pub(crate) kind: String,
    pub(crate) value: String,
}

pub(crate) fn entry(kind: &str, value: impl Into<String>) -> Entry {
    Entry { kind: kind.to_owned(), value: value.into() }
}

/// Reads an export back.
pub(crate) fn read(format: Format, files: &Files) -> Vec<Entry> {
    match format {
        Format::Suricata => rules::suricata(files.text("marsad.rules")),
        Format::Snort3 => rules::snort(files.text("marsad.rules")),
        Format::SuricataDatasets => lists::datasets(files),
        Format::SuricataIprep => lists::iprep(files),
        Format::Snort3Reputation => lists::reputation(files.text("marsad.blocklist")),
        Format::ZeekIntel => lists::zeek(files.text("marsad.intel")),
        Format::Sigma => yaml::sigma(files.text("marsad.yml")),
        Format::Rpz => lists::rpz(files.text("marsad.zone")),
        Format::Hosts => lists::hosts(files.text("marsad.hosts")),
        Format::Nftables => lists::nftables(files.text("marsad.nft")),
        Format::Iptables => lists::ipset(files.text("marsad.ipset")),
        Format::Squid => lists::squid(files),
        Format::Postfix => lists::postfix(files),
        Format::Csv => lists::csv(files.text("marsad.csv")),
        Format::Jsonl => lists::jsonl(files.text("marsad.jsonl")),
        Format::Stix => Vec::new(),
        Format::Plain => lists::plain(files),
    }
}
