//! Suricata IP reputation: the categories, the addresses with their scores, the rule that asks for them.

use super::rule::Numbering;
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
use std::io;

const CATEGORIES: &str = "marsad-categories.txt";
const LIST: &str = "marsad-reputation.list";
const RULES: &str = "marsad.rules";

pub(super) const FILES: &[&str] = &[CATEGORIES, LIST, RULES];

pub(super) struct Iprep {
    seen: Seen,
}

impl Iprep {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        let head = head("#", "Suricata IP reputation", options);
        sink.put(CATEGORIES, b"1,marsad,Indicators of partners and our own\n")?;
        sink.put(LIST, head.as_bytes())?;
        let number = Numbering::new(options).named(&["list", "iprep"]).unwrap_or(*options.numbers.start());
        let rule = format!(
            "alert ip any any -> any any (msg:\"Marsad list of addresses\"; iprep:any,marsad,>,0; metadata:marsad_list iprep; sid:{number}; rev:{};)\n",
            revision(options.at)
        );
        sink.put(RULES, (head + &rule).as_bytes())?;
        Ok(Self { seen: Seen::default() })
    }
}

impl Writes for Iprep {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let Some((address, prefix)) = value.range() else { return Ok(Put::Out(Reason::NoPlace)) };
        if prefix == 0 {
            return Ok(Put::Out(Reason::TooBroad));
        }
        let text = if matches!(value, Value::Address(_)) { address.to_string() } else { format!("{address}/{prefix}") };
        if !self.seen.first(Kind::Cidr, "", &text) {
            return Ok(Put::Merged);
        }
        sink.put(LIST, format!("# {}\n{text},1,{}\n", comment(item.about), score(item.about.confidence)).as_bytes())?;
        Ok(Put::Written)
    }
}

/// Confidence of 0 to 100 as a score of 1 to 127; 64 where nothing is said.
fn score(confidence: Option<u8>) -> u32 {
    confidence.map_or(64, |confidence| 1 + u32::from(confidence.min(100)) * 126 / 100)
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn scores() {
        for (confidence, expected) in [(None, 64), (Some(0), 1), (Some(50), 64), (Some(100), 127), (Some(255), 127)] {
            assert_eq!(score(confidence), expected);
        }
    }
}
