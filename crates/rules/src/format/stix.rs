//! A STIX bundle (STIX 2.1 §8) of the indicators, each as its reader may have it, byte for byte.

use super::{Put, Writes};
use crate::item::{About, Item};
use crate::options::Options;
use crate::report::{Reason, Report};
use crate::seen::short;
use crate::sink::Sink;
use crate::value::Value;
use std::io;

const FILE: &str = "marsad.json";

pub(super) struct Stix {
    /// What the bundle's id follows from: what it holds, for whom and when.
    digest: blake3::Hasher,
    any: bool,
}

impl Stix {
    pub(super) fn begin(options: &Options) -> Self {
        let mut digest = blake3::Hasher::new();
        digest.update(&options.at.to_le_bytes()).update(options.viewer.as_bytes());
        Self { digest, any: false }
    }
}

impl Writes for Stix {
    fn item(&mut self, _: &Item<'_>, _: &Value<'_>, _: &mut dyn Sink) -> io::Result<Put> {
        Ok(Put::Out(Reason::NoPlace))
    }

    fn object(&mut self, about: &About<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        if about.object.is_empty() {
            return Ok(Put::Out(Reason::NoPlace));
        }
        sink.put(FILE, if self.any { b"," } else { b"{\"type\":\"bundle\",\"objects\":[" })?;
        sink.put(FILE, about.object)?;
        self.digest.update(about.object);
        self.any = true;
        Ok(Put::Written)
    }

    fn finish(&mut self, sink: &mut dyn Sink, _: &mut Report) -> io::Result<()> {
        let begin = if self.any { "]," } else { "{\"type\":\"bundle\"," };
        sink.put(FILE, format!("{begin}\"id\":\"bundle--{}\"}}\n", uuid(short(&self.digest))).as_bytes())
    }
}

/// A UUID of version 8 (RFC 9562 §5.8), which says nothing of how its bits were found.
pub(super) fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}
