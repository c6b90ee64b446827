//! Syslog: RFC 5424, the older RFC 3164, bare lines as files on disk have them, and messages counted in octets (RFC 6587).

use super::gather::Gather;
use super::{Fault, Faults, FieldMap, Line, Reader, Sink, cef, json, key_value, names};
use crate::Meaning;

/// The longest message that is counted in octets.
const LONGEST_MESSAGE: usize = 1 << 20;
/// The most parameters of structured data in one message.
const MOST_PARAMETERS: usize = 1024;

/// Lines of syslog. A message in CEF, LEEF or JSON is read as such, any other as text.
#[derive(Debug, Default)]
pub struct Syslog {
    map: FieldMap,
    gather: Gather,
    scratch: Vec<u8>,
    path: String,
}

impl Syslog {
    /// A reader with this map, for the keys of CEF, LEEF, JSON and structured data.
    #[must_use]
    pub fn new(map: FieldMap) -> Self {
        Self { map, ..Self::default() }
    }

    /// The envelope; what is left is the message.
    fn envelope<'l>(&mut self, line: &'l [u8]) -> Result<&'l [u8], Fault> {
        let Some(rest) = line.strip_prefix(b"<") else { return Ok(self.bare(line)) };
        let Some(end) = rest.iter().take(4).position(|&byte| byte == b'>') else { return Err(Fault::Broken) };
        let priority = rest.get(..end).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u8>().ok());
        // RFC 5424 §6.2.1: at most 191.
        if priority.is_none_or(|priority| priority > 191) {
            return Err(Fault::Broken);
        }
        let rest = rest.get(end + 1..).unwrap_or_default();
        match rest.strip_prefix(b"1 ") {
            Some(rest) => self.rfc5424(rest),
            None => Ok(self.bare(rest)),
        }
    }

    /// `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID SD [MSG]`: RFC 5424 §6.
    fn rfc5424<'l>(&mut self, text: &'l [u8]) -> Result<&'l [u8], Fault> {
        let mut rest = text;
        for index in 0..5 {
            let (word, after) = word(rest);
            if word.is_empty() {
                return Err(Fault::Broken);
            }
            match index {
                0 if word != b"-" => self.gather.time(word),
                1 if word != b"-" => self.gather.push("hostname", Meaning::Host, word),
                _ => {}
            }
            rest = after;
        }
        let rest = match rest.strip_prefix(b"-") {
            Some(rest) => rest,
            None => self.structured(rest).ok_or(Fault::Broken)?,
        };
        let message = rest.strip_prefix(b" ").unwrap_or(rest);
        Ok(message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message))
    }

    /// `[id name="value" …]…`: RFC 5424 §6.3.
    fn structured<'l>(&mut self, text: &'l [u8]) -> Option<&'l [u8]> {
        let mut rest = text;
        let mut parameters = 0;
        if !rest.starts_with(b"[") {
            return None;
        }
        while let Some(element) = rest.strip_prefix(b"[") {
            let end = element.iter().position(|&byte| byte == b' ' || byte == b']')?;
            let id = std::str::from_utf8(element.get(..end)?).ok()?;
            rest = element.get(end..)?;
            while let Some(parameter) = rest.strip_prefix(b" ") {
                let parameter = parameter.trim_ascii_start();
                let equals = memchr::memchr(b'=', parameter)?;
                let name = std::str::from_utf8(parameter.get(..equals)?).ok()?;
                let quoted = parameter.get(equals + 1..)?.strip_prefix(b"\"")?;
                rest = self.parameter(quoted)?;
                parameters += 1;
                if parameters > MOST_PARAMETERS {
                    return None;
                }
                self.path.clear();
                self.path.push_str(id);
                self.path.push('.');
                self.path.push_str(name);
                self.gather.add(&self.path, self.map.get(&self.path), &self.scratch);
            }
            rest = rest.strip_prefix(b"]")?;
        }
        Some(rest)
    }

    /// Reads a quoted value into the scratch; what is behind its quote.
    fn parameter<'l>(&mut self, text: &'l [u8]) -> Option<&'l [u8]> {
        self.scratch.clear();
        let mut at = 0;
        loop {
            match text.get(at)? {
                b'"' => return text.get(at + 1..),
                b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\\' | b']')) => {
                    self.scratch.push(*text.get(at + 1)?);
                    at += 2;
                }
                &byte => {
                    self.scratch.push(byte);
                    at += 1;
                }
            }
        }
    }

    /// `Mmm dd hh:mm:ss host tag: text` of RFC 3164 §4.1, or an instant in its place; neither where there is none.
    fn bare<'l>(&mut self, text: &'l [u8]) -> &'l [u8] {
        let Some(length) = stamp(text) else { return text };
        self.gather.time(text.get(..length).unwrap_or_default());
        let rest = text.get(length..).unwrap_or_default().trim_ascii_start();
        let (host, after) = word(rest);
        // Without a host the tag comes next, with its colon.
        if host.is_empty() || host.ends_with(b":") || host.ends_with(b"]") || host.starts_with(b"CEF") {
            return rest;
        }
        self.gather.push("hostname", Meaning::Host, host);
        after
    }

    fn message(&mut self, message: &[u8]) {
        if cef::fields(message, &self.map, &mut self.scratch, &mut self.gather) {
            return;
        }
        if let Some(at) = memchr::memchr(b'{', message)
            && message.trim_ascii_end().ends_with(b"}")
        {
            self.path.clear();
            let object = message.get(at..).unwrap_or_default();
            if json::fields(object, &self.map, &mut self.path, &mut self.gather).is_ok() {
                return self.gather.text("message", message.get(..at).unwrap_or_default());
            }
        }
        self.gather.text("message", message);
        key_value::text_pairs(message, &mut |key, value| {
            let Ok(key) = std::str::from_utf8(key) else { return };
            if let Some(detail) = names::detail(key).or_else(|| names::end(key)) {
                self.gather.push(key, Meaning::Detail(detail), value);
            }
        });
    }
}

impl Line for Syslog {
    fn line(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.gather.clear();
        let message = self.envelope(line);
        // What is broken may still hold something.
        self.message(message.unwrap_or(line));
        self.gather.emit(number, line, sink);
        message.map(|_| ())
    }
}

/// The first word, and what is behind the blank after it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default())
}

/// How long the instant at the beginning is, if there is one: `Nov  5 12:00:00` (with a year in some), or RFC 3339.
fn stamp(text: &[u8]) -> Option<usize> {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let clock = |at: usize| {
        let time = text.get(at..at + 8)?;
        matches!(time, [_, _, b':', _, _, b':', _, _]).then_some(at + 8)
    };
    if MONTHS.iter().any(|month| text.starts_with(month)) {
        // `Nov  5 12:00:00` or `Nov 05 2026 12:00:00`.
        return clock(7).or_else(|| clock(12));
    }
    let digits = text.get(..10)?;
    let day = matches!(digits, [a, b, c, d, b'-', _, _, b'-', _, _] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()));
    let separated = matches!(text.get(10), Some(b'T' | b't' | b' '));
    (day && separated && clock(11).is_some()).then(|| word(text.get(11..).unwrap_or_default()).0.len() + 11)
}

/// Whether a line is one of syslog: it has a priority or an instant before it, or CEF or LEEF within.
pub(crate) fn looks_like_syslog(line: &[u8]) -> bool {
    let priority = line.strip_prefix(b"<").is_some_and(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (1..=3).contains(&digits) && rest.get(digits) == Some(&b'>')
    });
    let mark = |mark: &[u8]| memchr::memmem::find(line, mark).is_some();
    priority || stamp(line).is_some() || mark(b"CEF:0|") || mark(b"CEF:1|") || mark(b"LEEF:1.0|") || mark(b"LEEF:2.0|")
}

/// Messages counted in octets: `LEN SP MSG`, over the ends of lines. RFC 6587 §3.4.1.
#[derive(Debug, Default)]
pub struct Octets {
    syslog: Syslog,
    kept: Vec<u8>,
    number: u64,
    faults: Faults,
}

impl Octets {
    /// A reader with this map.
    #[must_use]
    pub fn new(map: FieldMap) -> Self {
        Self { syslog: Syslog::new(map), ..Self::default() }
    }

    /// Reads the whole messages at the beginning; how many bytes they are.
    fn messages(&mut self, bytes: &[u8], ended: bool, sink: &mut Sink<'_>) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match counted(rest) {
                Counted::Message { begin, end } if end <= rest.len() => {
                    self.message(rest.get(begin..end).unwrap_or_default(), sink);
                    at += end;
                }
                Counted::Message { .. } | Counted::Short if !ended => break,
                Counted::Message { .. } | Counted::Short => {
                    self.number += 1;
                    self.faults.add(Fault::Cut, self.number);
                    return bytes.len();
                }
                Counted::Gap => at += 1,
                // The count is lost: the next line may begin with one.
                Counted::Wrong => {
                    let Some(end) = memchr::memchr(b'\n', rest) else {
                        if !ended && rest.len() <= LONGEST_MESSAGE {
                            break;
                        }
                        self.message(rest, sink);
                        return bytes.len();
                    };
                    self.message(rest.get(..end).unwrap_or_default(), sink);
                    self.faults.add(Fault::Broken, self.number);
                    at += end + 1;
                }
            }
        }
        at
    }

    fn message(&mut self, message: &[u8], sink: &mut Sink<'_>) {
        self.number += 1;
        if let Err(fault) = self.syslog.line(message.trim_ascii_end(), self.number, sink) {
            self.faults.add(fault, self.number);
        }
    }
}

enum Counted {
    Message { begin: usize, end: usize },
    Short,
    Gap,
    Wrong,
}

fn counted(rest: &[u8]) -> Counted {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return if matches!(rest.first(), Some(b'\n' | b'\r' | b' ')) { Counted::Gap } else { Counted::Wrong };
    }
    match rest.get(digits) {
        None if digits <= 7 => return Counted::Short,
        Some(b' ') if digits <= 7 => {}
        _ => return Counted::Wrong,
    }
    let count = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
    match count {
        Some(count) if (1..=LONGEST_MESSAGE).contains(&count) => {
            Counted::Message { begin: digits + 1, end: digits + 1 + count }
        }
        _ => Counted::Wrong,
    }
}

impl Reader for Octets {
    fn block(&mut self, bytes: &[u8], _: u64, sink: &mut Sink<'_>) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let read = self.messages(&kept, false, sink);
        kept.drain(..read);
        self.kept = kept;
    }

    fn end(&mut self, sink: &mut Sink<'_>) {
        let kept = std::mem::take(&mut self.kept);
        self.messages(&kept, true, sink);
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn by_lines(&self) -> bool {
        false
    }

    fn pending(&self) -> usize {
        self.kept.len()
    }
}
