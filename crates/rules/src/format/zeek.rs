//! A file of Zeek's intelligence framework: tab separated, one item a line, a source of its own for each indicator.

use super::{Put, Writes};
use crate::item::Item;
use crate::report::Reason;
use crate::sink::Sink;
use crate::text::{inert, is_obeyed};
use crate::value::Value;
use observable::Kind;
use std::fmt::Write as _;
use std::io;

const FILE: &str = "marsad.intel";

pub(super) struct Intel {
    line: String,
}

impl Intel {
    pub(super) fn begin(sink: &mut dyn Sink) -> io::Result<Self> {
        sink.put(FILE, b"#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n")?;
        Ok(Self { line: String::new() })
    }
}

impl Writes for Intel {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let kind = match (item.kind, value) {
            (Kind::Ipv4 | Kind::Ipv6, _) => "Intel::ADDR",
            (Kind::Cidr, _) => "Intel::SUBNET",
            (Kind::Domain, _) => "Intel::DOMAIN",
            (Kind::Url, _) => "Intel::URL",
            (Kind::Email, _) => "Intel::EMAIL",
            (Kind::UserAgent, _) => "Intel::SOFTWARE",
            (Kind::Account, _) => "Intel::USER_NAME",
            (Kind::FileName, _) => "Intel::FILE_NAME",
            (Kind::Md5 | Kind::Sha1 | Kind::Sha256, _) => "Intel::FILE_HASH",
            (Kind::Certificate, Value::Hex(digest)) if digest.len() == 40 => "Intel::CERT_HASH",
            _ => return Ok(Put::Out(Reason::NoPlace)),
        };
        if value.only_below() {
            return Ok(Put::Out(Reason::OnlyBelow));
        }
        let about = item.about;
        self.line.clear();
        match value {
            Value::Url(url) => field(&url.bare(), &mut self.line),
            value => field(&value.text(), &mut self.line),
        }
        self.line.push('\t');
        self.line.push_str(kind);
        self.line.push('\t');
        // What a source says of an indicator is kept under the source's name: one of its own for each indicator.
        field(
            &format!("{} ({})", inert(if about.source.is_empty() { "unknown" } else { about.source }), about.id),
            &mut self.line,
        );
        self.line.push('\t');
        let mut words = about.tlp.to_owned();
        if let Some(confidence) = about.confidence {
            let _ = write!(words, " confidence {confidence}");
        }
        if !about.name.is_empty() {
            let _ = write!(words, ": {}", inert(about.name));
        }
        field(&words, &mut self.line);
        self.line.push('\t');
        match about.reference {
            Some(reference) => field(&inert(reference), &mut self.line),
            None => self.line.push('-'),
        }
        self.line.push('\n');
        sink.put(FILE, self.line.as_bytes())?;
        Ok(if value.subdomains() { Put::Narrowed } else { Put::Written })
    }
}

/// A field as Zeek writes and reads it: what would be a separator, an end of line or the sign for nothing is `\xHH`.
fn field(text: &str, line: &mut String) {
    let whole = matches!(text, "-" | "(empty)");
    if text.is_empty() {
        line.push_str("(empty)");
        return;
    }
    for (place, c) in text.chars().enumerate() {
        if c == '\\' || is_obeyed(c) || (place == 0 && (whole || c == '#')) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(line, "\\x{byte:02x}");
            }
        } else {
            line.push(c);
        }
    }
}
