//! Sets for iptables, as `ipset restore` reads them (ipset(8)): one for IPv4, one for IPv6.

use super::{Put, Writes, head};
use crate::item::Item;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::quoted_comment;
use crate::value::Value;
use observable::Kind;
use std::io;

const FILE: &str = "marsad.ipset";
/// Bytes that a comment may have.
const COMMENT: usize = 255;
/// Entries that a set may have; no room is taken for them before they come.
const MOST: u32 = 1 << 26;

pub(super) struct Ipset {
    seen: Seen,
}

impl Ipset {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        let mut begin = head("#", "sets for `ipset -exist restore`", options);
        for (name, family) in [("marsad4", "inet"), ("marsad6", "inet6")] {
            begin.push_str(&format!("create {name} hash:net family {family} maxelem {MOST} comment\nflush {name}\n"));
        }
        sink.put(FILE, begin.as_bytes())?;
        Ok(Self { seen: Seen::default() })
    }
}

impl Writes for Ipset {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let Some((address, prefix)) = value.range() else { return Ok(Put::Out(Reason::NoPlace)) };
        // A hash of networks holds none of length zero.
        if prefix == 0 {
            return Ok(Put::Out(Reason::TooBroad));
        }
        let entry = format!("{address}/{prefix}");
        if !self.seen.first(Kind::Cidr, "", &entry) {
            return Ok(Put::Merged);
        }
        let set = if address.is_ipv4() { "marsad4" } else { "marsad6" };
        let line = format!("add {set} {entry} comment \"{}\"\n", quoted_comment(item.about, COMMENT));
        sink.put(FILE, line.as_bytes())?;
        Ok(Put::Written)
    }
}
