//! A response policy zone (draft-vixie-dnsop-dns-rpz): names that are answered as if they were not there, and answers that
//! hold certain addresses likewise. Owner names are relative to the zone.

use super::{Put, Writes, head};
use crate::item::Item;
use crate::number::revision;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use observable::Kind;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

const FILE: &str = "marsad.zone";
/// Octets that a name may have (RFC 1035 §2.3.4).
const MOST: usize = 255;
/// Last labels by which a trigger is told from a name.
const TRIGGERS: [&str; 5] = ["rpz-client-ip", "rpz-ip", "rpz-nsdname", "rpz-nsip", "rpz-passthru"];

pub(super) struct Rpz {
    /// Octets that the zone's own name takes, without the root.
    zone: usize,
    seen: Seen,
}

impl Rpz {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        let mut begin = head(";", "response policy zone", options);
        // The serial number is the time of the export, which grows.
        let serial = revision(options.at);
        let _ = write!(
            begin,
            "$TTL 300\n@ IN SOA localhost. root.localhost. {serial} 3600 600 604800 300\n@ IN NS localhost.\n"
        );
        sink.put(FILE, begin.as_bytes())?;
        Ok(Self { zone: octets(options.zone.trim_matches('.')), seen: Seen::default() })
    }

    /// The owner of the record; `None`: longer than a name may be.
    fn fits(&self, owner: &str) -> bool {
        octets(owner) + self.zone < MOST
    }
}

impl Writes for Rpz {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let (owner, itself, below) = match value {
            Value::Domain { name, itself, subdomains } => {
                if name.rsplit('.').next().is_some_and(|last| TRIGGERS.contains(&last)) {
                    return Ok(Put::Out(Reason::OtherTrigger));
                }
                (name.clone().into_owned(), *itself, *subdomains)
            }
            Value::Address(_) | Value::Network(..) => {
                let Some((address, prefix)) = value.range() else { return Ok(Put::Out(Reason::NoPlace)) };
                if prefix == 0 {
                    return Ok(Put::Out(Reason::TooBroad));
                }
                (trigger(address, prefix), true, false)
            }
            _ => return Ok(Put::Out(Reason::NoPlace)),
        };
        if !self.fits(&owner) || (below && !self.fits(&format!("*.{owner}"))) {
            return Ok(Put::Out(Reason::TooLong));
        }
        let (first, first_below) = (
            itself && self.seen.first(Kind::Domain, "", &owner),
            below && self.seen.first(Kind::Domain, "all", &owner),
        );
        let mut lines = String::new();
        let note = comment(item.about);
        if first {
            let _ = writeln!(lines, "{owner} CNAME . ; {note}");
        }
        if first_below {
            let _ = writeln!(lines, "*.{owner} CNAME . ; {note}");
        }
        sink.put(FILE, lines.as_bytes())?;
        Ok(if first || first_below { Put::Written } else { Put::Merged })
    }
}

/// Octets that a name takes without the root: each label and its length.
fn octets(name: &str) -> usize {
    if name.is_empty() { 0 } else { name.len() + 1 }
}

/// The owner name for an address in an answer: the length of the prefix, then the address from its end.
fn trigger(address: IpAddr, prefix: u8) -> String {
    let mut owner = prefix.to_string();
    match address {
        IpAddr::V4(address) => {
            for octet in address.octets().iter().rev() {
                let _ = write!(owner, ".{octet}");
            }
        }
        IpAddr::V6(address) => {
            for group in reversed(address) {
                owner.push('.');
                owner.push_str(&group);
            }
        }
    }
    owner.push_str(".rpz-ip");
    owner
}

/// The groups of an IPv6 address from its end, the first longest run of two or more zeros as `zz`.
fn reversed(address: Ipv6Addr) -> Vec<String> {
    let groups = address.segments();
    let (mut best, mut at) = ((0, 1), 0);
    while at < groups.len() {
        let run = groups.iter().skip(at).take_while(|group| **group == 0).count();
        if run > best.1 {
            best = (at, run);
        }
        at += run.max(1);
    }
    let (start, length) = if best.1 > 1 { best } else { (groups.len(), 0) };
    let mut texts: Vec<String> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        match place {
            _ if place == start => texts.push("zz".to_owned()),
            _ if place > start && place < start + length => {}
            _ => texts.push(format!("{group:x}")),
        }
    }
    texts.reverse();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_of_addresses() {
        for (address, prefix, expected) in [
            ("1.2.3.4", 32, "32.4.3.2.1.rpz-ip"),
            ("198.51.100.0", 24, "24.0.100.51.198.rpz-ip"),
            ("2001:db8::10", 128, "128.10.zz.db8.2001.rpz-ip"),
            ("2001:db8:0:1:1:1:1:1", 128, "128.1.1.1.1.1.0.db8.2001.rpz-ip"),
            ("2001:0:0:1::1", 128, "128.1.zz.1.0.0.2001.rpz-ip"),
            ("2001:db8:1:1::", 64, "64.zz.1.1.db8.2001.rpz-ip"),
            ("::1", 128, "128.1.zz.rpz-ip"),
        ] {
            assert_eq!(trigger(address.parse().unwrap(), prefix), expected);
        }
    }
}
