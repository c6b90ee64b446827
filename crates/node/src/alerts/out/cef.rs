//! A notice in the Common Event Format (ArcSight CEF, revision 25). Pure.

use super::Notice;
use crate::alerts::words::plain;

/// `CEF:Version|Vendor|Product|Version|Class|Name|Severity|Extension`.
#[must_use]
pub fn line(notice: &Notice) -> String {
    let name = notice.name.as_deref().unwrap_or("indicator met");
    let severity = if notice.others { 8 } else { 7 };
    let mut out = format!(
        "CEF:0|Marsad|Marsad|{}|indicator-hit|{}|{severity}|",
        env!("CARGO_PKG_VERSION"),
        header(&plain(name, 512))
    );
    let (kind, value) = notice.value();
    let mut words: Vec<(&str, String)> = vec![
        ("externalId", notice.id()),
        ("rt", (notice.last_seen / 1_000).to_string()),
        ("start", (notice.first_seen / 1_000).to_string()),
        ("end", (notice.last_seen / 1_000).to_string()),
        ("cnt", notice.count.to_string()),
        ("cs1Label", "indicator".into()),
        ("cs1", notice.indicator.clone()),
        ("cs2Label", kind.to_owned()),
        ("cs2", value.to_owned()),
        ("cs3Label", "marking".into()),
        ("cs3", notice.tlp.clone().unwrap_or_default()),
        ("cs4Label", "state".into()),
        ("cs4", notice.state.to_owned()),
        ("cs5Label", "input".into()),
        ("cs5", notice.input.clone()),
    ];
    if notice.entity.parse::<std::net::IpAddr>().is_ok() {
        words.push(("src", notice.entity.clone()));
    } else if !notice.entity.is_empty() {
        words.push(("shost", notice.entity.clone()));
    }
    let place = match kind {
        "domain" => Some("dhost"),
        "ipv4" | "ipv6" | "cidr" => Some("dst"),
        "url" => Some("request"),
        "md5" | "sha1" | "sha256" | "sha512" => Some("fileHash"),
        "filename" => Some("fname"),
        "user-agent" => Some("requestClientApplication"),
        _ => None,
    };
    words.extend(place.map(|place| (place, value.to_owned())));
    words.retain(|(_, text)| !text.is_empty());
    let words: Vec<String> =
        words.iter().map(|(key, text)| format!("{key}={}", extension(&plain(text, 1_000)))).collect();
    out.push_str(&words.join(" "));
    out
}

/// In the header a bar and a backslash are escaped; there are no line breaks in it.
fn header(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|")
}

/// In the extension an equals sign and a backslash are.
fn extension(text: &str) -> String {
    text.replace('\\', "\\\\").replace('=', "\\=")
}

#[cfg(test)]
mod tests {
    use super::super::tests::notice;
    use super::*;

    #[test]
    fn table() {
        let version = env!("CARGO_PKG_VERSION");
        let begin = format!("CEF:0|Marsad|Marsad|{version}|indicator-hit|");
        let long = "n".repeat(600);
        for (name, value, entity, expected) in [
            (
                "Beacon",
                "bad.example",
                "10.0.0.7",
                ["Beacon|7|", "cs2=bad.example ", " src=10.0.0.7 ", " dhost=bad.example"],
            ),
            (r"a|b\c=d", "x=y", "PC 7", [r"a\|b\\c=d|7|", r"cs2=x\=y ", " shost=PC 7 ", r"dhost=x\=y"]),
            ("a\r\nCEF:0|x", "x\ny", "", ["a  CEF:0\\|x|7|", "cs2=x y ", " cs5=dns.log ", "dhost=x y"]),
            ("\u{202e}evil", "ضض", "h|1", ["\u{fffd}evil|7|", "cs2=ضض ", " shost=h|1 ", "dhost=ضض"]),
            (&long, "v", "e", ["n…|7|", "cs2=v ", " shost=e ", "dhost=v"]),
        ] {
            let values = vec![("domain".to_owned(), value.to_owned())];
            let notice = Notice { name: Some(name.into()), values, entity: entity.into(), ..notice() };
            let line = line(&notice);
            assert!(line.starts_with(&begin) && !line.contains(['\r', '\n']), "{line}");
            for part in expected {
                assert!(line.contains(part), "{part:?} is not in {line}");
            }
            // Seven bars that count, whatever stands between them.
            let mut bars = 0;
            let mut escaped = false;
            for c in line.split_once(" rt=").map_or(line.as_str(), |(head, _)| head).chars() {
                bars += usize::from(c == '|' && !escaped);
                escaped = c == '\\' && !escaped;
            }
            assert_eq!(bars, 7, "{line}");
        }
    }
}
