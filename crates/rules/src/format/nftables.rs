//! Sets of nftables (nft(8)): a script that fills one for IPv4 and one for IPv6, whose intervals do not overlap.

use super::{Put, Writes, head};
use crate::item::Item;
use crate::networks::Networks;
use crate::options::Options;
use crate::report::{Reason, Report};
use crate::sink::Sink;
use crate::text::quoted_comment;
use crate::value::Value;
use std::io;

const FILE: &str = "marsad.nft";
/// Bytes that a comment may have.
const COMMENT: usize = 127;
/// Elements that one command adds.
const CHUNK: usize = 1_000;

pub(super) struct Nftables {
    head: String,
    networks: Networks,
}

impl Nftables {
    pub(super) fn begin(options: &Options) -> Self {
        Self { head: head("#", "sets for `nft -f`", options), networks: Networks::default() }
    }
}

impl Writes for Nftables {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, _: &mut dyn Sink) -> io::Result<Put> {
        let Some(range) = value.range() else { return Ok(Put::Out(Reason::NoPlace)) };
        if range.1 == 0 {
            return Ok(Put::Out(Reason::TooBroad));
        }
        self.networks.add(item.kind, range, quoted_comment(item.about, COMMENT));
        Ok(Put::Written)
    }

    fn finish(&mut self, sink: &mut dyn Sink, report: &mut Report) -> io::Result<()> {
        let networks = std::mem::take(&mut self.networks).apart(report);
        let mut text = std::mem::take(&mut self.head);
        text.push_str("add table inet marsad\n");
        for (set, kind) in [("block4", "ipv4_addr"), ("block6", "ipv6_addr")] {
            text.push_str(&format!(
                "add set inet marsad {set} {{ type {kind}; flags interval; }}\nflush set inet marsad {set}\n"
            ));
        }
        sink.put(FILE, text.as_bytes())?;
        let middle = networks.partition_point(|(address, ..)| address.is_ipv4());
        let (four, six) = networks.split_at_checked(middle).unwrap_or_default();
        for (set, networks) in [("block4", four), ("block6", six)] {
            for chunk in networks.chunks(CHUNK) {
                text.clear();
                text.push_str(&format!("add element inet marsad {set} {{\n"));
                for (address, prefix, note) in chunk {
                    text.push_str(&format!("  {address}/{prefix} comment \"{note}\",\n"));
                }
                text.push_str("}\n");
                sink.put(FILE, text.as_bytes())?;
            }
        }
        Ok(())
    }
}
