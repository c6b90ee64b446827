//! Maps for Postfix: senders (access(5)), clients (cidr_table(5)), subjects and attachments (header_checks(5)).
//!
//! What is answered to a sender says nothing of the indicator: that would tell it to whom it is aimed at.

use super::squid::exactly;
use super::{Put, Writes, head};
use crate::item::Item;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use observable::Kind;
use std::collections::BTreeSet;
use std::io;

const ACCESS: &str = "marsad-access";
const CLIENTS: &str = "marsad-clients.cidr";
const HEADERS: &str = "marsad-headers.regexp";
const ATTACHMENTS: &str = "marsad-attachments.regexp";

pub(super) const FILES: &[&str] = &[ACCESS, CLIENTS, HEADERS, ATTACHMENTS];

pub(super) struct Postfix {
    head: String,
    begun: BTreeSet<&'static str>,
    seen: Seen,
}

impl Postfix {
    pub(super) fn begin(options: &Options) -> Self {
        let mut head = head("#", "map for Postfix", options);
        head.push_str("# check_sender_access hash:marsad-access, check_client_access cidr:marsad-clients.cidr,\n");
        head.push_str(
            "# header_checks = regexp:marsad-headers.regexp, mime_header_checks = regexp:marsad-attachments.regexp\n",
        );
        Self { head, begun: BTreeSet::new(), seen: Seen::default() }
    }
}

impl Writes for Postfix {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let (file, keys) = match (item.kind, value) {
            (_, Value::Domain { name, subdomains: false, .. }) => (ACCESS, vec![name.to_string()]),
            // Which of the two counts for the names below is a setting of Postfix.
            (_, Value::Domain { name, itself: false, .. }) => (ACCESS, vec![format!(".{name}")]),
            (_, Value::Domain { name, subdomains: true, .. }) => (ACCESS, vec![name.to_string(), format!(".{name}")]),
            (_, Value::Address(_) | Value::Network(..)) => match value.range() {
                Some((address, prefix)) if prefix > 0 => (CLIENTS, vec![format!("{address}/{prefix}")]),
                _ => return Ok(Put::Out(Reason::TooBroad)),
            },
            (Kind::Email, Value::Text(text)) => {
                // A key ends at the first blank, and a line that begins with `#` is none.
                if !text.is_ascii() || text.starts_with('#') {
                    return Ok(Put::Out(Reason::Unwritable));
                }
                (ACCESS, vec![text.to_ascii_lowercase()])
            }
            (Kind::Subject, Value::Text(text)) if printable(text) => {
                (HEADERS, vec![format!("/^Subject:[ ]*{}[ ]*$/", exactly(text))])
            }
            (Kind::FileName, Value::Text(text)) if printable(text) => {
                let name = exactly(text);
                (
                    ATTACHMENTS,
                    vec![format!("/^Content-(Type|Disposition):.*name[ ]*=[ ]*(\"{name}\"|{name}[ ]*(;|$))/")],
                )
            }
            (Kind::Subject | Kind::FileName, _) => return Ok(Put::Out(Reason::Unwritable)),
            _ => return Ok(Put::Out(Reason::NoPlace)),
        };
        let mut lines = String::new();
        for key in keys {
            if self.seen.first(item.kind, "", &key) {
                lines.push_str(&format!("{key} REJECT\n"));
            }
        }
        if lines.is_empty() {
            return Ok(Put::Merged);
        }
        let begin = if self.begun.insert(file) { self.head.as_str() } else { "" };
        sink.put(file, format!("{begin}# {}\n{lines}", comment(item.about)).as_bytes())?;
        Ok(Put::Written)
    }
}

/// Whether a header can hold it as it is: printable ASCII. Everything else is encoded there (RFC 2047).
fn printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && text.trim() == text && text.len() <= 500
}
