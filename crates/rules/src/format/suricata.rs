//! Suricata rules, one or a few a claim. Digests of files need lists beside the rules: see `suricata_datasets`.

use super::alerts::{Dialect, Look};
use super::rule::{MOST_CONTENT, content};
use crate::item::{Item, Language};
use crate::report::Reason;
use crate::value::{Url, Value};
use observable::Kind;

pub(super) static DIALECT: Dialect = Dialect {
    title: "Suricata rules",
    language: Language::Suricata,
    looks,
    rule: |message, look, tail| format!("alert {} (msg:\"{message}\"; {} {tail})\n", look.header, look.conditions),
};

/// The rules of a claim.
fn looks(item: &Item<'_>, value: &Value<'_>) -> Result<Vec<Look>, Reason> {
    let one = |place, header: &str, conditions| Ok(vec![Look { place, header: header.to_owned(), conditions }]);
    match (item.kind, value) {
        (_, Value::Domain { name, .. }) => Ok(domain(name, value)),
        (_, Value::Address(_) | Value::Network(..)) => {
            let Some((address, prefix)) = value.range().filter(|(_, prefix)| *prefix > 0) else {
                return Err(Reason::TooBroad);
            };
            let text = if value.range().map(|(_, whole)| whole) == Some(if address.is_ipv4() { 32 } else { 128 }) {
                address.to_string()
            } else {
                format!("{address}/{prefix}")
            };
            one("traffic", &format!("ip $HOME_NET any <> [{text}] any"), String::new())
        }
        (_, Value::Url(url)) => requested(url),
        (Kind::UserAgent, Value::Text(text)) => {
            one("user agent", "http $HOME_NET any -> any any", exact("http.user_agent", text.as_bytes(), "")?)
        }
        (Kind::FileName, Value::Text(text)) => {
            one("file name", "http any any -> any any", exact("file.name", text.as_bytes(), " nocase;")?)
        }
        (Kind::Ja3, Value::Hex(digest)) => {
            one("client hello", "tls $HOME_NET any -> any any", exact("ja3.hash", digest.as_bytes(), "")?)
        }
        (Kind::Ja3s, Value::Hex(digest)) => {
            one("server hello", "tls any any -> $HOME_NET any", exact("ja3s.hash", digest.as_bytes(), "")?)
        }
        (Kind::Ja4, Value::Text(text)) => {
            // A Suricata that does not know JA4 passes this rule over.
            let conditions = format!("requires:feature ja4; {}", exact("ja4.hash", text.as_bytes(), "")?);
            one("client hello", "tls $HOME_NET any -> any any", conditions)
        }
        (Kind::Certificate, Value::Hex(digest)) if digest.len() == 40 => {
            let conditions = exact("tls.cert_fingerprint", colons(digest).as_bytes(), "")?;
            one("certificate", "tls any any -> $HOME_NET any", conditions)
        }
        (Kind::CertificateSerial, Value::Hex(serial)) => {
            let conditions = exact("tls.cert_serial", colons(serial).to_ascii_uppercase().as_bytes(), "")?;
            one("certificate", "tls any any -> $HOME_NET any", conditions)
        }
        (Kind::Email, Value::Text(text)) => {
            let conditions = |buffer| -> Result<String, Reason> {
                Ok(format!("requires:version >= 8.0.0; {}", exact(buffer, text.as_bytes(), " nocase;")?))
            };
            Ok(vec![
                Look {
                    place: "sender",
                    header: "smtp any any -> any any".to_owned(),
                    conditions: conditions("smtp.mail_from")?,
                },
                Look {
                    place: "recipient",
                    header: "smtp any any -> any any".to_owned(),
                    conditions: conditions("smtp.rcpt_to")?,
                },
            ])
        }
        _ => Err(Reason::NoPlace),
    }
}

/// A name is looked for where it is asked for, where a connection is encrypted to it, and where something is fetched from it.
fn domain(name: &str, value: &Value<'_>) -> Vec<Look> {
    let buffers = [
        ("query", "dns $HOME_NET any -> any any", "dns.query", " nocase;"),
        ("server name", "tls $HOME_NET any -> any any", "tls.sni", " nocase;"),
        // This buffer is in lower case, and no rule on it may ask for either case.
        ("host", "http $HOME_NET any -> any any", "http.host", ""),
    ];
    let look = |(place, header, buffer, case): (_, &str, _, _)| {
        let conditions = if value.subdomains() {
            // With a point before it, a name ends as a name below it does.
            let dotprefix = if value.only_below() { "" } else { " dotprefix;" };
            format!("{buffer};{dotprefix} content:\".{}\";{case} endswith;", content(name.as_bytes()))
        } else {
            format!("{buffer}; content:\"{}\";{case} bsize:{};", content(name.as_bytes()), name.len())
        };
        Look { place, header: header.to_owned(), conditions }
    };
    buffers.into_iter().map(look).collect()
}

/// A URL, host and path exactly; for https where the traffic is decrypted on its way.
fn requested(url: &Url) -> Result<Vec<Look>, Reason> {
    if !url.is_http() {
        return Err(Reason::NoPlace);
    }
    let port = url.port.map_or_else(|| "any".to_owned(), |port| port.to_string());
    let host = url.host.trim_matches(['[', ']']);
    let conditions =
        format!("{} {}", exact("http.host", host.as_bytes(), "")?, exact("http.uri.raw", url.path.as_bytes(), "")?);
    Ok(vec![Look { place: "request", header: format!("http $HOME_NET any -> any {port}"), conditions }])
}

/// A buffer that holds exactly these bytes.
fn exact(buffer: &str, bytes: &[u8], case: &str) -> Result<String, Reason> {
    if bytes.len() > MOST_CONTENT {
        return Err(Reason::TooLong);
    }
    Ok(format!("{buffer}; content:\"{}\";{case} bsize:{};", content(bytes), bytes.len()))
}

/// Hexadecimal digits with colons between the bytes.
pub(super) fn colons(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 3 / 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 2 == 0 {
            text.push(':');
        }
        text.push(digit);
    }
    text
}
