//! CEF and LEEF, wherever they stand in a line. `spec`: telemetry formats §10.

use super::gather::Gather;
use super::map::Use;
use super::{FieldMap, key_value};
use crate::{Detail, Meaning};
use memchr::memmem;

/// Keys of CEF whose names do not tell. Labels of custom fields (`cs1Label`) are passed over.
const CEF: &[(&str, Use)] = &[
    ("c6a1", Use::Is(Meaning::Address)),
    ("c6a2", Use::Is(Meaning::Address)),
    ("c6a3", Use::Is(Meaning::Address)),
    ("c6a4", Use::Is(Meaning::Address)),
    ("dvc", Use::Is(Meaning::Address)),
    ("sourceTranslatedAddress", Use::Is(Meaning::Address)),
    ("destinationTranslatedAddress", Use::Is(Meaning::Address)),
    ("dvchost", Use::Is(Meaning::Host)),
    ("sntdom", Use::Is(Meaning::Host)),
    ("dntdom", Use::Is(Meaning::Host)),
    ("destinationDnsDomain", Use::Is(Meaning::Host)),
    ("sourceDnsDomain", Use::Is(Meaning::Host)),
    ("request", Use::Is(Meaning::Url)),
    ("requestClientApplication", Use::Is(Meaning::UserAgent)),
    ("requestContext", Use::Is(Meaning::Url)),
    ("oldFileHash", Use::Is(Meaning::Digest)),
    ("oldFileName", Use::Is(Meaning::FileName)),
    ("oldFilePath", Use::Is(Meaning::FileName)),
    ("suser", Use::Is(Meaning::Account)),
    ("duser", Use::Is(Meaning::Account)),
    ("sproc", Use::Is(Meaning::FileName)),
    ("dproc", Use::Is(Meaning::FileName)),
    ("deviceProcessName", Use::Is(Meaning::FileName)),
    ("smac", Use::Is(Meaning::Mac)),
    ("dmac", Use::Is(Meaning::Mac)),
    ("in", Use::Is(Meaning::Detail(Detail::DestinationBytes))),
    ("out", Use::Is(Meaning::Detail(Detail::SourceBytes))),
    ("rt", Use::Time),
    ("deviceReceiptTime", Use::Time),
    ("start", Use::Time),
    ("end", Use::Ignore),
];

/// Keys of LEEF whose names do not tell.
const LEEF: &[(&str, Use)] = &[
    ("srcPreNAT", Use::Is(Meaning::Address)),
    ("dstPreNAT", Use::Is(Meaning::Address)),
    ("srcPostNAT", Use::Is(Meaning::Address)),
    ("dstPostNAT", Use::Is(Meaning::Address)),
    ("identSrc", Use::Is(Meaning::Address)),
    ("vSrc", Use::Is(Meaning::Address)),
    ("identHostName", Use::Is(Meaning::Host)),
    ("srcMAC", Use::Is(Meaning::Mac)),
    ("dstMAC", Use::Is(Meaning::Mac)),
    ("usrName", Use::Is(Meaning::Account)),
    ("resource", Use::Is(Meaning::Text)),
    ("devTime", Use::Time),
];

/// Adds the fields of a CEF or LEEF message in this text; `false` if there is none.
pub(super) fn fields(text: &[u8], map: &FieldMap, scratch: &mut Vec<u8>, gather: &mut Gather) -> bool {
    for (mark, read) in [(&b"CEF:"[..], cef as Reads), (b"LEEF:", leef)] {
        if let Some(at) = memmem::find(text, mark) {
            // What comes before is the envelope of a relay; it has been read where it is syslog.
            if read(text.get(at + mark.len()..).unwrap_or_default(), map, scratch, gather).is_some() {
                return true;
            }
        }
    }
    false
}

type Reads = fn(&[u8], &FieldMap, &mut Vec<u8>, &mut Gather) -> Option<()>;

/// `0|Vendor|Product|Version|SignatureID|Name|Severity|extension`.
fn cef(text: &[u8], map: &FieldMap, scratch: &mut Vec<u8>, gather: &mut Gather) -> Option<()> {
    let mut rest = text;
    for part in 0..7 {
        let end = unescaped_bar(rest)?;
        if part == 0 && !rest.get(..end)?.iter().all(u8::is_ascii_digit) {
            return None;
        }
        if part == 5 {
            gather.text("name", rest.get(..end)?);
        }
        rest = rest.get(end + 1..)?;
    }
    key_value::cef_pairs(rest, &mut |key, value| {
        let Ok(key) = std::str::from_utf8(key) else { return };
        if key.ends_with("Label") {
            return;
        }
        key_value::unescape(value, scratch);
        gather.add(key, told(key, CEF, map), scratch);
    });
    Some(())
}

fn unescaped_bar(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|&byte| {
        let found = byte == b'|' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// `1.0|Vendor|Product|Version|EventID|attributes`, or `2.0|…|EventID|delimiter|attributes`.
fn leef(text: &[u8], map: &FieldMap, _: &mut Vec<u8>, gather: &mut Gather) -> Option<()> {
    let (version, mut rest) = part(text)?;
    for _ in 0..4 {
        rest = part(rest)?.1;
    }
    let mut delimiter = b'\t';
    if version.starts_with(b"2") {
        // A delimiter of its own may be left out: the first attribute is no delimiter.
        if let Some((told, after)) = part(rest)
            && let Some(told) = delimiter_of(told)
        {
            (delimiter, rest) = (told, after);
        }
    } else if !version.starts_with(b"1") {
        return None;
    }
    for attribute in rest.split(|&byte| byte == delimiter) {
        let Some(at) = memchr::memchr(b'=', attribute) else { continue };
        let Ok(key) = std::str::from_utf8(attribute.get(..at)?) else { continue };
        gather.add(key.trim(), told(key.trim(), LEEF, map), attribute.get(at + 1..)?.trim_ascii());
    }
    Some(())
}

fn part(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'|', text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// A character, or its number in hexadecimal: `0x09`, `x09`; a tab if it is empty.
fn delimiter_of(told: &[u8]) -> Option<u8> {
    match told {
        [] => Some(b'\t'),
        [one] => Some(*one),
        _ => {
            let digits = told.strip_prefix(b"0x").or_else(|| told.strip_prefix(b"x"))?;
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        }
    }
}

fn told(key: &str, table: &[(&str, Use)], map: &FieldMap) -> Option<Use> {
    map.get(key).or_else(|| table.iter().find(|(known, _)| *known == key).map(|(_, meant)| *meant))
}
