//! A hosts file (hosts(5)): names that lead nowhere. It knows no names below a name.

use super::{Put, Writes, head};
use crate::item::Item;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use observable::Kind;
use std::io;

const FILE: &str = "marsad.hosts";

pub(super) struct Hosts {
    seen: Seen,
}

impl Hosts {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        sink.put(FILE, head("#", "hosts file", options).as_bytes())?;
        Ok(Self { seen: Seen::default() })
    }
}

impl Writes for Hosts {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let Value::Domain { name, itself, subdomains } = value else { return Ok(Put::Out(Reason::NoPlace)) };
        if !itself {
            return Ok(Put::Out(Reason::OnlyBelow));
        }
        if !self.seen.first(Kind::Domain, "", name) {
            return Ok(Put::Merged);
        }
        sink.put(FILE, format!("0.0.0.0 {name} # {}\n", comment(item.about)).as_bytes())?;
        Ok(if *subdomains { Put::Narrowed } else { Put::Written })
    }
}
