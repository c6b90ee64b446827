//! Lists for Suricata with the rules that load them: datasets of text in base64, lists of digests of files.
//!
//! `marsad.rules` is for Suricata 7 and later. Names with all that is below them stand in `marsad-below.rules`, a rule each, and, for
//! Suricata 9 and later, in a dataset loaded by `marsad-below-9.rules`: load one of the two.

use super::rule::{Numbering, content, tail, titled};
use super::suricata::colons;
use super::{Put, Writes, head};
use crate::index;
use crate::item::Item;
use crate::number::revision;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use observable::Kind;
use std::collections::BTreeSet;
use std::io;

const RULES: &str = "marsad.rules";
const BELOW: &str = "marsad-below.rules";
const BELOW_9: &str = "marsad-below-9.rules";
const BELOW_LIST: &str = "marsad-below.lst";

pub(super) const FILES: &[&str] = &[
    RULES,
    BELOW,
    BELOW_9,
    BELOW_LIST,
    "marsad-domains.lst",
    "marsad-addresses.lst",
    "marsad-user-agents.lst",
    "marsad-file-names.lst",
    "marsad-ja3.lst",
    "marsad-ja3s.lst",
    "marsad-ja4.lst",
    "marsad-certificates.lst",
    "marsad-serials.lst",
    "marsad-mailboxes.lst",
    "marsad-md5.lst",
    "marsad-sha1.lst",
    "marsad-sha256.lst",
    index::INDEX,
];

/// A list, and where the rules that load it look.
struct List {
    file: &'static str,
    name: &'static str,
    /// Header and buffer of each rule.
    rules: &'static [(&'static str, &'static str)],
    entries: Entries,
}

/// How an entry is written.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Entries {
    /// Bytes, in base64.
    Base64,
    /// An address.
    Address,
    /// The digest of a file: not a dataset, but the keyword that is the buffer.
    Digest,
}

const ANY: &str = "any any -> any any";
const FILES_OF: &[&str] = &["http", "smtp", "ftp-data", "smb", "nfs"];

const LISTS: [(Kind, List); 13] = [
    (Kind::Domain, list("marsad-domains.lst", "marsad-domains", DOMAIN_RULES, Entries::Base64)),
    (Kind::Ipv4, list("marsad-addresses.lst", "marsad-addresses", ADDRESS_RULES, Entries::Address)),
    (Kind::Ipv6, list("marsad-addresses.lst", "marsad-addresses", ADDRESS_RULES, Entries::Address)),
    (
        Kind::UserAgent,
        list("marsad-user-agents.lst", "marsad-user-agents", &[("http", "http.user_agent;")], Entries::Base64),
    ),
    (Kind::FileName, list("marsad-file-names.lst", "marsad-file-names", &[("http", "file.name;")], Entries::Base64)),
    (Kind::Ja3, list("marsad-ja3.lst", "marsad-ja3", &[("tls", "ja3.hash;")], Entries::Base64)),
    (Kind::Ja3s, list("marsad-ja3s.lst", "marsad-ja3s", &[("tls", "ja3s.hash;")], Entries::Base64)),
    (Kind::Ja4, list("marsad-ja4.lst", "marsad-ja4", &[("tls", "requires:feature ja4; ja4.hash;")], Entries::Base64)),
    (Kind::Email, list("marsad-mailboxes.lst", "marsad-mailboxes", MAIL_RULES, Entries::Base64)),
    (
        Kind::CertificateSerial,
        list("marsad-serials.lst", "marsad-serials", &[("tls", "tls.cert_serial;")], Entries::Base64),
    ),
    (Kind::Md5, list("marsad-md5.lst", "marsad-md5", &[], Entries::Digest)),
    (Kind::Sha1, list("marsad-sha1.lst", "marsad-sha1", &[], Entries::Digest)),
    (Kind::Sha256, list("marsad-sha256.lst", "marsad-sha256", &[], Entries::Digest)),
];

const CERTIFICATES: List =
    list("marsad-certificates.lst", "marsad-certificates", &[("tls", "tls.cert_fingerprint;")], Entries::Base64);

const DOMAIN_RULES: &[(&str, &str)] =
    &[("dns", "dns.query; to_lowercase;"), ("tls", "tls.sni; to_lowercase;"), ("http", "http.host;")];
const ADDRESS_RULES: &[(&str, &str)] = &[("ip", "ip.src;"), ("ip", "ip.dst;")];
const MAIL_RULES: &[(&str, &str)] = &[
    ("smtp", "requires:version >= 8.0.0; smtp.mail_from; to_lowercase;"),
    ("smtp", "requires:version >= 8.0.0; smtp.rcpt_to; to_lowercase;"),
];

const fn list(
    file: &'static str,
    name: &'static str,
    rules: &'static [(&'static str, &'static str)],
    entries: Entries,
) -> List {
    List { file, name, rules, entries }
}

pub(super) struct Datasets {
    head: String,
    revision: u32,
    numbers: Numbering,
    seen: Seen,
    begun: BTreeSet<&'static str>,
}

impl Datasets {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        index::begin(sink)?;
        let head = head("#", "Suricata datasets", options) + "# which indicator an entry is from: index.csv\n";
        sink.put(RULES, head.as_bytes())?;
        let (numbers, revision) = (Numbering::new(options), revision(options.at));
        Ok(Self { head, revision, numbers, seen: Seen::default(), begun: BTreeSet::new() })
    }

    /// A name with all below it: a rule of its own, and an entry of the dataset that knows names below.
    fn below(&mut self, item: &Item<'_>, value: &Value<'_>, name: &str, sink: &mut dyn Sink) -> io::Result<Put> {
        let mut lines = if self.begun.contains(BELOW) { String::new() } else { self.head.clone() };
        lines.push_str(&format!("# {}\n", comment(item.about)));
        for (header, buffer, case) in
            [("dns", "dns.query", " nocase;"), ("tls", "tls.sni", " nocase;"), ("http", "http.host", "")]
        {
            let Some(number) = self.numbers.of(item, value, header) else { return Ok(Put::Out(Reason::NoNumber)) };
            let (title, tail) = (titled(item, value), tail(item.about, number));
            let conditions = format!("{buffer}; dotprefix; content:\".{}\";{case} endswith;", content(name.as_bytes()));
            lines.push_str(&format!("alert {header} {ANY} (msg:\"{title}\"; {conditions} {tail})\n"));
        }
        if self.begun.insert(BELOW) {
            let mut all = self.head.clone();
            for (header, buffer) in DOMAIN_RULES {
                let conditions = format!(
                    "{buffer} dotprefix; dataset:isset,marsad-below,type string,match subdomain,load {BELOW_LIST};"
                );
                let Some(rule) = self.rule(header, &conditions, "marsad-below") else {
                    return Ok(Put::Out(Reason::NoNumber));
                };
                all.push_str(&rule);
            }
            sink.put(BELOW_9, all.as_bytes())?;
        }
        sink.put(BELOW, lines.as_bytes())?;
        let entry = STANDARD.encode(format!(".{name}"));
        sink.put(BELOW_LIST, format!("{entry}\n").as_bytes())?;
        index::add(BELOW_LIST, &entry, item.about, sink)?;
        Ok(Put::Written)
    }

    /// A rule that asks a whole list.
    fn rule(&mut self, header: &str, conditions: &str, name: &str) -> Option<String> {
        let number = self.numbers.named(&["list", name, header, conditions])?;
        let (revision, words) = (self.revision, "metadata:marsad_list");
        Some(format!(
            "alert {header} {ANY} (msg:\"Marsad list {name}\"; {conditions} {words} {name}; sid:{number}; rev:{revision};)\n"
        ))
    }

    /// The rules that load a list.
    fn load(&mut self, list: &List) -> Option<String> {
        let (file, name) = (list.file, list.name);
        let mut rules = String::new();
        match list.entries {
            Entries::Digest => {
                let keyword = format!("file{}", name.trim_start_matches("marsad-"));
                for header in FILES_OF {
                    rules.push_str(&self.rule(header, &format!("{keyword}:{file};"), name)?);
                }
            }
            Entries::Base64 | Entries::Address => {
                let kind = if list.entries == Entries::Address { "ip" } else { "string" };
                for (header, buffer) in list.rules {
                    let conditions = format!("{buffer} dataset:isset,{name},type {kind},load {file};");
                    rules.push_str(&self.rule(header, &conditions, name)?);
                }
            }
        }
        Some(rules)
    }
}

impl Writes for Datasets {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let found = LISTS.into_iter().find(|(kind, _)| *kind == item.kind).map(|(_, list)| list);
        let list = match (found, value) {
            (Some(list), _) => list,
            (None, Value::Hex(digest)) if item.kind == Kind::Certificate && digest.len() == 40 => CERTIFICATES,
            _ => return Ok(Put::Out(Reason::NoPlace)),
        };
        if value.only_below() {
            return Ok(Put::Out(Reason::OnlyBelow));
        }
        if !self.seen.first(item.kind, value.reach(), &value.text()) {
            return Ok(Put::Merged);
        }
        if let Value::Domain { name, subdomains: true, .. } = value {
            return self.below(item, value, name, sink);
        }
        let plain = match (item.kind, value) {
            (Kind::Certificate, Value::Hex(digits)) => colons(digits),
            (Kind::CertificateSerial, Value::Hex(digits)) => colons(digits).to_ascii_uppercase(),
            (Kind::Email, value) => value.text().to_lowercase(),
            (_, value) => value.text().into_owned(),
        };
        let (entry, note) = match list.entries {
            Entries::Base64 => (STANDARD.encode(&plain), String::new()),
            Entries::Address => (plain, String::new()),
            // Behind the digest the rest of the line is free.
            Entries::Digest => (plain, format!("  {}", comment(item.about))),
        };
        if !self.begun.contains(list.file) {
            let Some(rules) = self.load(&list) else { return Ok(Put::Out(Reason::NoNumber)) };
            sink.put(RULES, rules.as_bytes())?;
            self.begun.insert(list.file);
        }
        sink.put(list.file, format!("{entry}{note}\n").as_bytes())?;
        index::add(list.file, &entry, item.about, sink)?;
        Ok(Put::Written)
    }
}
