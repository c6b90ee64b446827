//! Entries as syslog messages (RFC 5424), framed for TLS (RFC 5425). Pure.

use ledger::journal::Line;
use serde_json::{Map, Value};

/// Under which our structured data stands (RFC 5424 §6.3.2). The number is the one that RFC 5612 sets aside for examples,
/// for want of one of our own.
pub(crate) const ELEMENT: &str = "marsad@32473";
/// `log audit` (RFC 5424 §6.2.1, table 1).
const FACILITY: u8 = 13;
/// Receivers should take messages of this size (RFC 5425 §4.3.1); longer ones are cut at the end of their text.
const MOST: usize = 8_192;

/// Where messages come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The machine's name.
    pub host: String,
    /// The process's number.
    pub process: u32,
}

/// What a message says.
pub(crate) struct Message<'a> {
    pub(crate) facility: u8,
    pub(crate) severity: u8,
    pub(crate) time: &'a str,
    pub(crate) host: &'a str,
    pub(crate) app: &'a str,
    pub(crate) process: &'a str,
    pub(crate) id: &'a str,
    pub(crate) data: &'a [(&'a str, Vec<(&'a str, String)>)],
    pub(crate) text: Option<&'a str>,
}

/// An entry as a message in its frame, `MSG-LEN SP SYSLOG-MSG` (RFC 5425 §4.3).
#[must_use]
pub fn message(line: &Line, origin: &Origin) -> Vec<u8> {
    let time = stix::timestamp::format_micros(line.time);
    let mut values = vec![("number", line.number.to_string()), ("chain", ledger::journal::hex(&line.chain))];
    let body = line.matter.kept().and_then(|matter| serde_json::from_slice::<Map<String, Value>>(&matter.body).ok());
    if let Some(matter) = line.matter.kept().filter(|matter| !matter.about.is_empty()) {
        values.push(("about", matter.about.clone()));
    }
    let names = ["way", "organisation", "request", "act", "done", "status", "count", "objects", "object", "for"];
    for name in names {
        match body.as_ref().and_then(|body| body.get(name)) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => values.push((name, text.clone())),
            Some(value) => values.push((name, value.to_string())),
        }
    }
    if let Some(person) = line.person.kept() {
        for (name, text) in [("who", &person.who), ("whom", &person.whom)] {
            if !text.is_empty() {
                values.push((name, text.clone()));
            }
        }
        let details = serde_json::from_slice::<Map<String, Value>>(&person.details).ok();
        if let Some(address) = details.as_ref().and_then(|details| details.get("address")).and_then(Value::as_str) {
            values.push(("address", address.to_owned()));
        }
    }
    // The numbers that were handed out are for the log itself: they would fill many messages.
    let text = body.map(|body| Value::Object(body).to_string());
    let message = Message {
        facility: FACILITY,
        severity: severity(&line.kind),
        time: &time,
        host: &origin.host,
        app: "marsad",
        process: &origin.process.to_string(),
        id: &line.kind,
        data: &[(ELEMENT, values)],
        text: text.as_deref(),
    };
    let bytes = message.encode(MOST);
    [format!("{} ", bytes.len()).as_bytes(), &bytes].concat()
}

/// How much it matters (RFC 5424 §6.2.1, table 2): 4 warning, 5 notice, 6 informational.
fn severity(kind: &str) -> u8 {
    match kind {
        "sign-in-refused" | "refused" => 4,
        "handed-over" | "signed-in" | "taken-in" => 6,
        _ => 5,
    }
}

impl Message<'_> {
    /// `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]` (RFC 5424 §6).
    pub(crate) fn encode(&self, most: usize) -> Vec<u8> {
        let mut out = format!("<{}>1 {}", u32::from(self.facility) * 8 + u32::from(self.severity), self.time);
        for (value, longest) in [(self.host, 255), (self.app, 48), (self.process, 128), (self.id, 32)] {
            out.push(' ');
            out.push_str(&printable(value, longest, &[]));
        }
        out.push(' ');
        if self.data.is_empty() {
            out.push('-');
        }
        for (id, values) in self.data {
            out.push('[');
            out.push_str(&printable(id, 32, &['=', ']', '"']));
            for (name, value) in values {
                out.push(' ');
                out.push_str(&printable(name, 32, &['=', ']', '"']));
                out.push_str("=\"");
                for c in value.chars() {
                    // §6.3.3: these three, and no other.
                    if matches!(c, '"' | '\\' | ']') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
            }
            out.push(']');
        }
        if let Some(text) = self.text {
            // §6.4: a text in UTF-8 begins with the byte order mark.
            out.push_str(" \u{feff}");
            out.push_str(text);
        }
        // Never in the middle of a character (§6.1); what is cut is the end of the text.
        let mut bytes = out.into_bytes();
        if bytes.len() > most && self.text.is_some() {
            let mut end = most;
            while end > 0 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
                end -= 1;
            }
            bytes.truncate(end);
        }
        bytes
    }
}

/// PRINTUSASCII without what would end it, cut to the length that is allowed; `-` where nothing is left (§6).
fn printable(text: &str, longest: usize, but: &[char]) -> String {
    let fits = |c: &char| c.is_ascii_graphic() && !but.contains(c);
    let kept: String = text.chars().filter(fits).take(longest).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{By, Event, Given, HandOver, Way};
    use ledger::journal::{Head, Part};
    use ledger::{CollectionNo, Run, Seq};

    const BOM: &str = "\u{feff}";

    fn line(event: &Event) -> Line {
        let entry = event.entry(1_764_000_000_000_001, [3; 16]);
        Line {
            number: 7,
            time: entry.time,
            kind: entry.kind.into_owned(),
            chain: Head::default().chain,
            matter: Part::Kept(entry.matter),
            person: Part::Kept(entry.person),
        }
    }

    #[test]
    fn table() {
        let nothing = || Message {
            facility: 4,
            severity: 2,
            time: "2003-10-11T22:14:15.003Z",
            host: "mymachine.example.com",
            app: "su",
            process: "",
            id: "ID47",
            data: &[],
            text: None,
        };
        let event = (
            "exampleSDID@32473",
            vec![("iut", "3".into()), ("eventSource", "Application".into()), ("eventID", "1011".into())],
        );
        let priority = ("examplePriority@32473", vec![("class", "high".to_owned())]);
        let escaped = ("x@1", vec![("v", r#"a"b\c]d[=ض"#.to_owned())]);
        let (one, two, three) = ([event.clone()], [event, priority], [escaped]);
        let long = "h".repeat(300);
        for (clause, message, expected) in [
            (
                "RFC 5424 §6.5 example 1",
                Message { text: Some("'su root' failed for lonvick on /dev/pts/8"), ..nothing() },
                format!("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - {BOM}'su root' failed for lonvick on /dev/pts/8"),
            ),
            (
                "RFC 5424 §6.5 example 3",
                Message {
                    facility: 20,
                    severity: 5,
                    app: "evntslog",
                    data: &one,
                    text: Some("An application event log entry..."),
                    ..nothing()
                },
                format!("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] {BOM}An application event log entry..."),
            ),
            (
                "RFC 5424 §6.5 example 4",
                Message { facility: 20, severity: 5, app: "evntslog", data: &two, ..nothing() },
                "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]".to_owned(),
            ),
            (
                "RFC 5424 §6.3.3: escapes",
                Message { data: &three, ..nothing() },
                r#"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 [x@1 v="a\"b\\c\]d[=ض"]"#.to_owned(),
            ),
            (
                "RFC 5424 §6: header fields are printable ASCII of a certain length",
                Message { facility: 0, severity: 0, host: &long, app: "a b\u{7}é", process: "ض", id: "", ..nothing() },
                format!("<0>1 2003-10-11T22:14:15.003Z {} ab - - -", "h".repeat(255)),
            ),
        ] {
            assert_eq!(String::from_utf8(message.encode(MOST)).unwrap(), expected, "{clause}");
        }
        // §6.1: cut at a character.
        let whole = Message { text: Some("ضضضض"), ..nothing() };
        let length = whole.encode(MOST).len();
        for most in length - 7..=length {
            let cut = whole.encode(most);
            assert!(cut.len() <= most && cut.len() + 1 >= most && String::from_utf8(cut).is_ok(), "{most}");
        }
    }

    #[test]
    fn entries_are_framed_by_their_length_in_octets() {
        let by = By {
            way: Way::Taxii,
            who: Some("أمينة".to_owned()),
            organisation: Some("CERT ] North".to_owned()),
            address: Some([192, 0, 2, 1].into()),
        };
        let given = Given::of(&[Run { first: Seq(5), count: 2 }]);
        let request = "r1".to_owned();
        let event = HandOver { by: by.clone(), collection: CollectionNo(3), what: "objects", request, given };
        let origin = Origin { host: "node".to_owned(), process: 42 };
        let bytes = message(&line(&Event::HandedOver(event)), &origin);
        let chain = "0".repeat(64);
        let text = format!(
            "<110>1 2025-11-24T16:00:00.000001Z node marsad 42 handed-over [marsad@32473 number=\"7\" chain=\"{chain}\" about=\"3\" way=\"taxii\" organisation=\"CERT \\] North\" request=\"r1\" count=\"2\" who=\"أمينة\" address=\"192.0.2.1\"] {BOM}{{\"count\":2,\"organisation\":\"CERT ] North\",\"request\":\"r1\",\"way\":\"taxii\",\"what\":\"objects\"}}"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), format!("{} {text}", text.len()));
        let refused = message(&line(&Event::SignInRefused { by, count: 3 }), &origin);
        assert!(String::from_utf8(refused).unwrap().contains(" <108>1 "[1..].trim_end()), "a warning");
        let mut erased = line(&Event::Erased {
            by: By { way: Way::Cli, who: None, organisation: None, address: None },
            collection: CollectionNo(1),
            object: "tool--1".to_owned(),
            versions: 1,
            reason: String::new(),
        });
        erased.matter = Part::Erased([0; 32]);
        erased.person = Part::Erased([0; 32]);
        let bytes = message(&erased, &origin);
        assert!(String::from_utf8(bytes).unwrap().ends_with(&format!("number=\"7\" chain=\"{chain}\"]")));
    }
}
