//! Lists for Squid, with the configuration that names them. Of names and networks none covers another: Squid complains.

use super::{Put, Writes, head};
use crate::item::Item;
use crate::networks::{Names, Networks};
use crate::options::Options;
use crate::report::{Reason, Report};
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use std::io;

const CONFIG: &str = "marsad.conf";
const DOMAINS: &str = "marsad-domains.acl";
const ADDRESSES: &str = "marsad-addresses.acl";
const URLS: &str = "marsad-urls.acl";

pub(super) const FILES: &[&str] = &[CONFIG, DOMAINS, ADDRESSES, URLS];

pub(super) struct Squid {
    head: String,
    names: Names,
    networks: Networks,
    urls: bool,
    seen: Seen,
}

impl Squid {
    pub(super) fn begin(options: &Options) -> Self {
        let (names, networks) = (Names::default(), Networks::default());
        Self { head: head("#", "lists for Squid", options), names, networks, urls: false, seen: Seen::default() }
    }
}

impl Writes for Squid {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        match value {
            // Squid means the name itself as well.
            Value::Domain { itself: false, .. } => return Ok(Put::Out(Reason::OnlyBelow)),
            Value::Domain { name, subdomains, .. } => self.names.add(name, *subdomains, comment(item.about)),
            Value::Address(_) | Value::Network(..) => match value.range() {
                Some(range) if range.1 > 0 => self.networks.add(item.kind, range, comment(item.about)),
                _ => return Ok(Put::Out(Reason::TooBroad)),
            },
            Value::Url(url) => {
                let whole = url.whole();
                if !self.seen.first(item.kind, "", &whole) {
                    return Ok(Put::Merged);
                }
                let begin = if std::mem::replace(&mut self.urls, true) { "" } else { &self.head };
                let lines = format!("{begin}# {}\n^{}$\n", comment(item.about), exactly(&whole));
                sink.put(URLS, lines.as_bytes())?;
            }
            _ => return Ok(Put::Out(Reason::NoPlace)),
        }
        Ok(Put::Written)
    }

    fn finish(&mut self, sink: &mut dyn Sink, report: &mut Report) -> io::Result<()> {
        let names = std::mem::take(&mut self.names).apart(report);
        let networks = std::mem::take(&mut self.networks).apart(report);
        let mut config = self.head.clone();
        config.push_str(
            "# the lists belong into /etc/squid/marsad; then for instance: http_access deny marsad_domains\n",
        );
        let lists = [
            (!names.is_empty(), "marsad_domains dstdomain", DOMAINS),
            (!networks.is_empty(), "marsad_addresses dst", ADDRESSES),
            (self.urls, "marsad_urls url_regex", URLS),
        ];
        for (_, acl, file) in lists.into_iter().filter(|(any, ..)| *any) {
            config.push_str(&format!("acl {acl} \"/etc/squid/marsad/{file}\"\n"));
        }
        sink.put(CONFIG, config.as_bytes())?;
        for (place, (name, below, note)) in names.into_iter().enumerate() {
            let begin = if place == 0 { self.head.as_str() } else { "" };
            let point = if below { "." } else { "" };
            sink.put(DOMAINS, format!("{begin}# {note}\n{point}{name}\n").as_bytes())?;
        }
        for (place, (address, prefix, note)) in networks.into_iter().enumerate() {
            let begin = if place == 0 { self.head.as_str() } else { "" };
            sink.put(ADDRESSES, format!("{begin}# {note}\n{address}/{prefix}\n").as_bytes())?;
        }
        Ok(())
    }
}

/// A regular expression (POSIX.2 extended) that matches exactly this text of printable ASCII.
pub(super) fn exactly(text: &str) -> String {
    let mut expression = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' | '^' | '/' => expression.extend(['\\', c]),
            c if c.is_ascii_alphanumeric() => expression.push(c),
            // Not behind a backslash: what follows one may have a meaning of its own.
            c => expression.extend(['[', c, ']']),
        }
    }
    expression
}
