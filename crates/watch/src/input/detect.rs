//! Which format an input is in, by its first bytes.

use crate::read::FieldMap;
use std::collections::BTreeMap;

/// How many bytes are looked at.
pub const HEAD: usize = 1 << 16;

/// A format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Zeek's tables with a header of `#` lines.
    ZeekTsv,
    /// Zeek's JSON lines.
    ZeekJson,
    /// Suricata's EVE JSON lines.
    Eve,
    /// Any other JSON lines.
    JsonLines,
    /// A table with a header.
    Csv,
    /// Lines of syslog.
    Syslog,
    /// Syslog messages counted in octets.
    SyslogOctets,
    /// Lines of text.
    Text,
    /// A capture of packets: pcap or pcapng.
    Pcap,
    /// Parquet, which is no stream: see `read::Parquet` (with the feature `parquet`).
    Parquet,
}

impl Format {
    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ZeekTsv => "Zeek TSV",
            Self::ZeekJson => "Zeek JSON",
            Self::Eve => "EVE",
            Self::JsonLines => "JSON lines",
            Self::Csv => "CSV",
            Self::Syslog => "syslog",
            Self::SyslogOctets => "syslog counted in octets",
            Self::Text => "text",
            Self::Pcap => "packets",
            Self::Parquet => "Parquet",
        }
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Whatever it is.
    Auto,
    /// Zeek, in either form.
    Zeek,
    /// This format; syslog with or without counts.
    Only(Format),
}

/// Whether so much of the beginning suffices to tell the format, while more may still come.
#[must_use]
pub fn enough(head: &[u8]) -> bool {
    head.len() >= HEAD || magic(head).is_some() || memchr::memchr(b'\n', head).is_some()
}

/// The format of an input with these first bytes, unpacked. What is nothing else is text.
#[must_use]
pub fn detect(head: &[u8], wanted: Wanted) -> Format {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match wanted {
        Wanted::Only(Format::Syslog) if counted(head) => Format::SyslogOctets,
        Wanted::Only(format) => format,
        Wanted::Zeek if first(head).starts_with(b"{") => Format::ZeekJson,
        Wanted::Zeek => Format::ZeekTsv,
        Wanted::Auto => magic(head).unwrap_or_else(|| by_lines(head)),
    }
}

fn magic(head: &[u8]) -> Option<Format> {
    match head.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xd4, 0xc3, 0xb2, 0xa1] | [0xa1, 0xb2, 0x3c, 0x4d] | [0x4d, 0x3c, 0xb2, 0xa1] => {
            Some(Format::Pcap)
        }
        [0x0a, 0x0d, 0x0d, 0x0a] => Some(Format::Pcap),
        b"PAR1" => Some(Format::Parquet),
        _ => None,
    }
}

fn by_lines(head: &[u8]) -> Format {
    let first = first(head);
    if [&b"#separator"[..], b"#fields", b"#set_separator", b"#path"].iter().any(|mark| first.starts_with(mark)) {
        return Format::ZeekTsv;
    }
    match first.first() {
        Some(b'{') => return json(first),
        Some(b'[') if first.starts_with(b"[{") => return Format::JsonLines,
        _ => {}
    }
    if counted(head) {
        return Format::SyslogOctets;
    }
    if crate::read::looks_like_syslog(first) {
        return Format::Syslog;
    }
    if table(head, first) { Format::Csv } else { Format::Text }
}

/// The first line that is not blank.
fn first(head: &[u8]) -> &[u8] {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Whose JSON it is: EVE has `event_type`, Zeek `ts` and an id of its own.
fn json(line: &[u8]) -> Format {
    let Ok(object) = serde_json::from_slice::<BTreeMap<String, serde::de::IgnoredAny>>(line) else {
        return Format::JsonLines;
    };
    let has = |name: &str| object.contains_key(name);
    if has("event_type") && has("timestamp") {
        return Format::Eve;
    }
    let own = ["uid", "fuid", "_path", "id.orig_h", "fingerprint", "certificate.subject", "uids", "note"];
    if has("ts") && own.into_iter().any(has) { Format::ZeekJson } else { Format::JsonLines }
}

/// Whether it begins with a message counted in octets: `LEN <PRI>`.
fn counted(head: &[u8]) -> bool {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=7).contains(&digits) && head.get(digits..digits + 2) == Some(b" <")
}

/// Whether the first line is the header of a table: two columns or more, one of which is known by its name, and as many
/// in the next line.
fn table(head: &[u8], first: &[u8]) -> bool {
    let separator = crate::read::separator(first);
    let columns = |line: &[u8]| memchr::memchr_iter(separator, line).count();
    let count = columns(first);
    if count == 0 {
        return false;
    }
    let map = FieldMap::default();
    let mut known = false;
    for cell in first.split(|&byte| byte == separator) {
        let Ok(cell) = std::str::from_utf8(cell) else { return false };
        let cell = cell.trim().trim_matches('"');
        let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '@' | '(' | ')' | '/' | ':');
        if cell.is_empty() || cell.len() > 64 || !cell.chars().all(name) || cell.starts_with(|c: char| c.is_numeric()) {
            return false;
        }
        known |= map.knows(cell);
    }
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).skip(1);
    // The last line of the head may be half of one.
    known && lines.next().is_none_or(|second| columns(second) >= count || memchr::memchr(b'"', second).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for (head, wanted) in [
            (&b"#separator \\x09\n#fields\tts\n"[..], Format::ZeekTsv),
            (br#"{"ts":1700000000.5,"uid":"C1","id.orig_h":"10.0.0.5"}"#, Format::ZeekJson),
            (br#"{"ts":1.5,"fuid":"F1","md5":"x"}"#, Format::ZeekJson),
            (br#"{"timestamp":"2023","event_type":"dns","src_ip":"1.2.3.4"}"#, Format::Eve),
            (br#"{"timestamp":"2023","src_ip":"1.2.3.4"}"#, Format::JsonLines),
            (br#"{"half":"#, Format::JsonLines),
            (b"\xef\xbb\xbf\n{\"a\":1}\n", Format::JsonLines),
            (br#"[{"a":1}]"#, Format::JsonLines),
            (b"ts,src_ip,dst_ip\n1,1.2.3.4,5.6.7.8\n", Format::Csv),
            (b"\"Date\";\"Source IP\"\n1;2", Format::Csv),
            (b"a,b\n1,2", Format::Text),
            (b"Dear all, the url is below\nx", Format::Text),
            (b"<34>1 2026-10-11T22:14:15.003Z h a - - - x", Format::Syslog),
            (b"<34>Oct 11 22:14:15 h su: x", Format::Syslog),
            (b"Oct 11 22:14:15 h su: x", Format::Syslog),
            (b"CEF:0|a|b|c|1|n|5|src=1.2.3.4", Format::Syslog),
            (b"39 <34>1 - - - - - -\n", Format::SyslogOctets),
            (b"1.2.3.4 - - [x] GET", Format::Text),
            (b"", Format::Text),
            (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", Format::Pcap),
            (b"\x0a\x0d\x0d\x0a\0\0\0\x1c", Format::Pcap),
            (b"PAR1\x15", Format::Parquet),
        ] {
            assert_eq!(detect(head, Wanted::Auto), wanted, "{}", String::from_utf8_lossy(head));
        }
        assert_eq!(detect(b"39 <34>1", Wanted::Only(Format::Syslog)), Format::SyslogOctets);
        assert_eq!(detect(b"{", Wanted::Zeek), Format::ZeekJson);
        assert_eq!(detect(b"{", Wanted::Only(Format::Text)), Format::Text);
    }
}
