//! Snort 3: rules, and the block list of its reputation inspector.

use super::rule::{MOST_CONTENT, Numbering, content, tail, titled};
use super::{Put, Writes, head};
use crate::item::{Item, Language, Native};
use crate::native;
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use observable::Kind;
use std::io;

const RULES: &str = "marsad.rules";
const LIST: &str = "marsad.blocklist";
/// Bytes before the first name in a message of the name system (RFC 1035 §4.1.1).
const DNS_HEADER: usize = 12;

pub(super) struct Snort {
    numbers: Numbering,
    seen: Seen,
}

impl Snort {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        sink.put(RULES, head("#", "Snort 3 rules", options).as_bytes())?;
        Ok(Self { numbers: Numbering::new(options), seen: Seen::default() })
    }
}

impl Writes for Snort {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let looks = match looks(item, value) {
            Ok(looks) => looks,
            Err(reason) => return Ok(Put::Out(reason)),
        };
        if !self.seen.first(item.kind, value.reach(), &value.text()) {
            return Ok(Put::Merged);
        }
        let mut lines = format!("# {}\n", comment(item.about));
        for (place, header, conditions) in looks {
            let Some(number) = self.numbers.of(item, value, place) else { return Ok(Put::Out(Reason::NoNumber)) };
            let (title, tail) = (titled(item, value), tail(item.about, number));
            lines.push_str(&format!("alert {header} ( msg:\"{title} in {place}\"; {conditions}{tail} )\n"));
        }
        sink.put(RULES, lines.as_bytes())?;
        Ok(Put::Written)
    }

    fn native(&mut self, native: &Native<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        if native.language != Language::Snort {
            return Ok(Put::Out(Reason::OtherLanguage));
        }
        let numbers = &mut self.numbers;
        match native::rules(native, &mut |text| numbers.named(&[native.about.id, "native", text])) {
            Ok(lines) => {
                sink.put(RULES, format!("# {}\n{lines}", comment(native.about)).as_bytes())?;
                Ok(Put::Written)
            }
            Err(reason) => Ok(Put::Out(reason)),
        }
    }
}

/// The rules of a claim: what tells them apart, header, conditions.
fn looks(item: &Item<'_>, value: &Value<'_>) -> Result<Vec<(&'static str, String, String)>, Reason> {
    match (item.kind, value) {
        // A label in the middle of a name is told by its length, but not that another stands before it.
        (_, Value::Domain { itself: false, .. }) => Err(Reason::OnlyBelow),
        (_, Value::Domain { name, subdomains, .. }) => domain(name, *subdomains),
        (_, Value::Address(_) | Value::Network(..)) => {
            let Some((address, prefix)) = value.range().filter(|(_, prefix)| *prefix > 0) else {
                return Err(Reason::TooBroad);
            };
            let whole = prefix == if address.is_ipv4() { 32 } else { 128 };
            let text = if whole { address.to_string() } else { format!("{address}/{prefix}") };
            Ok(vec![("traffic", format!("ip $HOME_NET any <> [{text}] any"), String::new())])
        }
        (_, Value::Url(url)) if url.is_http() => {
            let port = url.port.map_or_else(|| "any".to_owned(), |port| port.to_string());
            let host = url.port.map_or_else(|| url.host.clone(), |port| format!("{}:{port}", url.host));
            let conditions = format!("{}{}", header("host", &host)?, exact("http_raw_uri", &url.path, "")?);
            Ok(vec![("request", format!("tcp $HOME_NET any -> any {port}"), conditions)])
        }
        (Kind::UserAgent, Value::Text(text)) => {
            Ok(vec![("user agent", "http".to_owned(), header("user-agent", text)?)])
        }
        _ => Err(Reason::NoPlace),
    }
}

/// A name is looked for in questions to the name system, as labels behind their lengths, and in requests.
fn domain(name: &str, below: bool) -> Result<Vec<(&'static str, String, String)>, Reason> {
    let mut labels = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        labels.push(u8::try_from(label.len()).map_err(|_| Reason::TooLong)?);
        labels.extend_from_slice(label.as_bytes());
    }
    labels.push(0);
    let place = if below { String::new() } else { format!(",offset {DNS_HEADER},depth {}", labels.len()) };
    let asked = format!("content:\"{}\",nocase,fast_pattern{place}; ", content(&labels));
    let mut looks = vec![("query", "udp $HOME_NET any -> any 53".to_owned(), asked)];
    // Of the host of a request only the whole can be asked for without meaning its middle.
    if !below {
        looks.push(("host", "http".to_owned(), header("host", name)?));
    }
    Ok(looks)
}

fn header(field: &str, value: &str) -> Result<String, Reason> {
    exact(&format!("http_header:field {field}"), value, ",nocase")
}

fn exact(buffer: &str, value: &str, case: &str) -> Result<String, Reason> {
    if value.len() > MOST_CONTENT {
        return Err(Reason::TooLong);
    }
    Ok(format!("{buffer}; bufferlen:{}; content:\"{}\"{case}; ", value.len(), content(value.as_bytes())))
}

/// The block list: an address or network a line, a comment behind it.
pub(super) struct Reputation {
    seen: Seen,
}

impl Reputation {
    pub(super) fn begin(options: &Options, sink: &mut dyn Sink) -> io::Result<Self> {
        sink.put(LIST, head("#", "block list for Snort 3's reputation inspector", options).as_bytes())?;
        Ok(Self { seen: Seen::default() })
    }
}

impl Writes for Reputation {
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put> {
        let Some((address, prefix)) = value.range() else { return Ok(Put::Out(Reason::NoPlace)) };
        if prefix == 0 {
            return Ok(Put::Out(Reason::TooBroad));
        }
        let text = if matches!(value, Value::Address(_)) { address.to_string() } else { format!("{address}/{prefix}") };
        if !self.seen.first(Kind::Cidr, "", &text) {
            return Ok(Put::Merged);
        }
        sink.put(LIST, format!("{text} # {}\n", comment(item.about)).as_bytes())?;
        Ok(Put::Written)
    }
}
