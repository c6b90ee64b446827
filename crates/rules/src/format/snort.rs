//! Snort 3: rules, and the block list of its reputation inspector.

use super::alerts::{Dialect, Look};
use super::rule::{MOST_CONTENT, content};
use super::{Put, Writes, head};
use crate::item::{Item, Language};
use crate::options::Options;
use crate::report::Reason;
use crate::seen::Seen;
use crate::sink::Sink;
use crate::text::comment;
use crate::value::Value;
use observable::Kind;
use std::io;

const LIST: &str = "marsad.blocklist";
/// Bytes before the first name in a message of the name system (RFC 1035 §4.1.1).
const DNS_HEADER: usize = 12;

pub(super) static DIALECT: Dialect = Dialect {
    title: "Snort 3 rules",
    language: Language::Snort,
    looks,
    rule: |message, look, tail| format!("alert {} ( msg:\"{message}\"; {}{tail} )\n", look.header, look.conditions),
};

/// The rules of a claim.
fn looks(item: &Item<'_>, value: &Value<'_>) -> Result<Vec<Look>, Reason> {
    let one = |place, header: String, conditions| Ok(vec![Look { place, header, conditions }]);
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
            one("traffic", format!("ip $HOME_NET any <> [{text}] any"), String::new())
        }
        (_, Value::Url(url)) if url.is_http() => {
            let port = url.port.map_or_else(|| "any".to_owned(), |port| port.to_string());
            let host = url.port.map_or_else(|| url.host.clone(), |port| format!("{}:{port}", url.host));
            let conditions = format!("{}{}", header("host", &host)?, exact("http_raw_uri", &url.path, "")?);
            one("request", format!("tcp $HOME_NET any -> any {port}"), conditions)
        }
        (Kind::UserAgent, Value::Text(text)) => one("user agent", "http".to_owned(), header("user-agent", text)?),
        _ => Err(Reason::NoPlace),
    }
}

/// A name is looked for in questions to the name system, as labels behind their lengths, and in requests.
fn domain(name: &str, below: bool) -> Result<Vec<Look>, Reason> {
    let mut labels = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        labels.push(u8::try_from(label.len()).map_err(|_| Reason::TooLong)?);
        labels.extend_from_slice(label.as_bytes());
    }
    labels.push(0);
    let place = if below { String::new() } else { format!(",offset {DNS_HEADER},depth {}", labels.len()) };
    let asked = format!("content:\"{}\",nocase,fast_pattern{place}; ", content(&labels));
    let header_of_query = "udp $HOME_NET any -> any 53".to_owned();
    let mut looks = vec![Look { place: "query", header: header_of_query, conditions: asked }];
    // Of the host of a request only the whole can be asked for without meaning its middle.
    if !below {
        looks.push(Look { place: "host", header: "http".to_owned(), conditions: header("host", name)? });
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
