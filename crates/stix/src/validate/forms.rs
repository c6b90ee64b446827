//! Forms of strings that the standard takes from elsewhere, decided byte by byte.

/// IPv4 address or CIDR block. STIX 2.1 §6.8.
pub(super) fn is_ipv4(text: &str) -> bool {
    let (address, bits) = split_cidr(text);
    bits.is_none_or(|bits| is_number(bits, 32)) && is_dotted(address)
}

/// IPv6 address or CIDR block. STIX 2.1 §6.9.
pub(super) fn is_ipv6(text: &str) -> bool {
    let (address, bits) = split_cidr(text);
    let address = address.split_once('%').map_or(address, |(address, _zone)| address);
    bits.is_none_or(|bits| is_number(bits, 128)) && address.parse::<std::net::Ipv6Addr>().is_ok()
}

fn split_cidr(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)))
}

fn is_dotted(text: &str) -> bool {
    let mut parts = 0;
    text.split('.').all(|part| {
        parts += 1;
        is_number(part, 255)
    }) && parts == 4
}

/// A decimal number without leading zeros, at most `most`.
fn is_number(text: &str, most: u16) -> bool {
    let plain = text == "0" || (!text.starts_with('0') && (1..=3).contains(&text.len()));
    plain && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|number| number <= most)
}

/// `d2:fb:49:24:37:18`. STIX 2.1 §6.10.
pub(super) fn is_mac(text: &str) -> bool {
    text.len() == 17
        && text.bytes().enumerate().all(|(at, byte)| match at % 3 {
            2 => byte == b':',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// `local@host.domain`: the part of RFC 5322 that mail in use has, the local part also beyond ASCII (RFC 6531).
/// STIX 2.1 §6.5.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom =
        |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(letter) || !letter.is_ascii();
    let Some((first, rest)) = domain.split_once('.') else { return false };
    let host = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || !letter.is_ascii();
    !local.is_empty()
        && local.chars().all(|letter| atom(letter) && !letter.is_whitespace() && !letter.is_control())
        && !first.is_empty()
        && first.chars().all(host)
        && !rest.is_empty()
        && rest.chars().all(|letter| host(letter) || letter == '.')
}

/// A domain name: letters, digits and hyphens in labels of 1 to 63, at most 253 in all, other scripts as RFC 5890 has
/// them. STIX 2.1 §6.4.
pub(super) fn is_domain(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    !name.is_empty() && name.len() <= 253 * 4 && name.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).all(is_label)
}

fn is_label(label: &str) -> bool {
    let letters = label.chars().all(|letter| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => true,
        '\u{200c}' | '\u{200d}' | '\u{b7}' | '\u{30fb}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' => true,
        other => !other.is_ascii() && !other.is_control() && !other.is_whitespace() && !is_symbol(other),
    });
    letters && (1..=63).contains(&label.chars().count()) && !label.starts_with('-') && !label.ends_with('-')
}

/// Signs beyond ASCII that are no letters: general punctuation, arrows, box drawing, pictures, private use.
fn is_symbol(letter: char) -> bool {
    matches!(letter, '\u{80}'..='\u{b6}' | '\u{b8}'..='\u{bf}' | '\u{2000}'..='\u{200b}' | '\u{200e}'..='\u{2bff}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' | '\u{1f000}'..='\u{1faff}')
}

/// A URI with a scheme, RFC 3986: only its characters, escapes of two digits. STIX 2.1 §2.5, §6.15.
pub(super) fn is_uri(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(colon) = bytes.iter().position(|byte| *byte == b':') else { return false };
    let (scheme, rest) = bytes.split_at(colon);
    let scheme_ok = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let Some(rest) = rest.get(1..).filter(|_| scheme_ok) else { return false };
    let Some(authority) = rest.strip_prefix(b"//") else { return is_tail(rest) };
    let end = authority.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(authority.len());
    let (authority, tail) = authority.split_at(end);
    is_authority(authority) && is_tail(tail)
}

/// Path, query and fragment.
fn is_tail(tail: &[u8]) -> bool {
    if tail.iter().all(|byte| class(*byte) & (URI | COLON_AT | SLASH_QUESTION) != 0) {
        return true;
    }
    let mut rest = tail.splitn(2, |byte| *byte == b'#');
    rest.all(|part| are_uri_bytes(part, URI | COLON_AT | SLASH_QUESTION))
}

fn is_authority(text: &[u8]) -> bool {
    let at = text.iter().rposition(|byte| *byte == b'@');
    let (user, host) = match at {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (&[][..], text),
    };
    let user_ok = user.split(|byte| *byte == b':').all(|part| are_uri_bytes(part, URI));
    if let Some(literal) = host.strip_prefix(b"[") {
        let Some(end) = literal.iter().position(|byte| *byte == b']') else { return false };
        let (literal, port) = literal.split_at(end);
        let address = std::str::from_utf8(literal).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok());
        return user_ok && (address || literal.starts_with(b"v")) && is_port(port.get(1..).unwrap_or_default());
    }
    let end = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
    let (name, port) = host.split_at(end);
    user_ok && are_uri_bytes(name, URI) && is_port(port)
}

fn is_port(text: &[u8]) -> bool {
    text.is_empty() || text.strip_prefix(b":").is_some_and(|port| port.iter().all(u8::is_ascii_digit))
}

/// Whether all bytes are of these classes, escapes of two digits besides.
fn are_uri_bytes(text: &[u8], classes: u8) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let escape = *byte == b'%'
            && bytes.next().is_some_and(u8::is_ascii_hexdigit)
            && bytes.next().is_some_and(u8::is_ascii_hexdigit);
        if !escape && class(*byte) & classes == 0 {
            return false;
        }
    }
    true
}

/// Unreserved characters and sub-delimiters, RFC 3986 §2.2 and §2.3.
const URI: u8 = 1;
/// `:` and `@`
const COLON_AT: u8 = 2;
/// `/` and `?`
const SLASH_QUESTION: u8 = 4;

static CLASSES: [u8; 256] = classes();

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES.get(byte as usize).copied().unwrap_or_default()
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; a byte is below 256")]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {
                URI
            }
            b':' | b'@' => COLON_AT,
            b'/' | b'?' => SLASH_QUESTION,
            other if other.is_ascii_alphanumeric() => URI,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// A well-formed language tag. RFC 5646 §2.1.
pub(super) fn is_language(text: &str) -> bool {
    let mut tags = text.split('-').peekable();
    let language = tags.next().unwrap_or_default();
    let alpha = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let digits = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_digit());
    let word = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if language.eq_ignore_ascii_case("x") || language.eq_ignore_ascii_case("i") {
        let mut count = 0;
        return tags.all(|tag| {
            count += 1;
            word(tag) && (1..=8).contains(&tag.len())
        }) && count > 0;
    }
    if !(2..=8).contains(&language.len()) || !alpha(language) {
        return false;
    }
    if language.len() <= 3 {
        for _ in 0..3 {
            let _ = tags.next_if(|tag| tag.len() == 3 && alpha(tag));
        }
    }
    let _ = tags.next_if(|tag| tag.len() == 4 && alpha(tag));
    let _ = tags.next_if(|tag| (tag.len() == 2 && alpha(tag)) || (tag.len() == 3 && digits(tag)));
    while tags
        .next_if(|tag| {
            word(tag)
                && ((5..=8).contains(&tag.len())
                    || (tag.len() == 4 && tag.starts_with(|first: char| first.is_ascii_digit())))
        })
        .is_some()
    {}
    extensions_follow(tags)
}

/// Extensions and private use: single letters, each with what belongs to it.
fn extensions_follow<'t>(mut tags: impl Iterator<Item = &'t str>) -> bool {
    let Some(mut single) = tags.next() else { return true };
    loop {
        if single.len() != 1 || !single.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return false;
        }
        let private = single.eq_ignore_ascii_case("x");
        let mut count = 0;
        loop {
            let Some(tag) = tags.next() else { return count > 0 };
            if tag.is_empty() || tag.len() > 8 || !tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return false;
            }
            if tag.len() == 1 && !private {
                single = tag;
                break;
            }
            count += 1;
        }
        if count == 0 {
            return false;
        }
    }
}

/// A CPE 2.3 name: `cpe:2.3:` part and ten attributes, each a word with escapes, `*` or `-`. STIX 2.1 §6.14.
pub(super) fn is_cpe(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("cpe:2.3:") else { return false };
    let mut attributes = 0;
    let mut length = 0;
    let mut bytes = rest.bytes();
    let mut good = true;
    while let Some(byte) = bytes.next() {
        match byte {
            b':' => {
                good &= length > 0;
                attributes += 1;
                length = 0;
                continue;
            }
            b'\\' => good &= bytes.next().is_some_and(|escaped| escaped.is_ascii_punctuation()),
            b'*' | b'?' | b'-' | b'.' | b'_' => {}
            other => good &= other.is_ascii_alphanumeric(),
        }
        length += 1;
    }
    good && length > 0 && attributes == 10 && matches!(rest.as_bytes(), [b'a' | b'o' | b'h' | b'*' | b'-', b':', ..])
}

/// Whether base64 is well formed: groups of four, padding only at the end. STIX 2.1 §2.1.
pub(super) fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let body = match bytes {
        [body @ .., b'=', b'='] | [body @ .., b'='] => body,
        body => body,
    };
    !bytes.is_empty()
        && bytes.len().is_multiple_of(4)
        && body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// Whether a string is an even number of hexadecimal digits, at least two. STIX 2.1 §2.8.
pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a value has the form of the hash called `name`; names that are not standard have any. STIX 2.1 §2.7.
pub(super) fn is_hash(name: &str, value: &str, older: bool) -> bool {
    let hex = |length: usize| value.len() == length && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name {
        "MD5" => hex(32),
        "SHA-1" => hex(40),
        "SHA-256" | "SHA3-256" => hex(64),
        "SHA-512" | "SHA3-512" => hex(128),
        "SSDEEP" if !older => is_fuzzy(value),
        "TLSH" if !older => value.len() == 70 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "ssdeep" if older => is_fuzzy(value),
        "RIPEMD-160" if older => hex(40),
        "SHA-224" | "SHA3-224" if older => hex(56),
        "SHA-384" | "SHA3-384" if older => hex(96),
        "WHIRLPOOL" if older => hex(128),
        _ => true,
    }
}

fn is_fuzzy(value: &str) -> bool {
    (1..=128).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b':' | b'.'))
}

/// Whether a registry key begins with its hive spelled out. STIX 2.1 §6.17.
pub(super) fn is_registry_key(text: &str) -> bool {
    let hive = text.split('\\').next().unwrap_or_default();
    !["HKLM", "HKCC", "HKCR", "HKCU", "HKU"].iter().any(|short| hive.eq_ignore_ascii_case(short))
}

/// `CVE-YYYY-NNNN`, as external references name vulnerabilities. STIX 2.1 §4.19.
pub(super) fn is_cve(text: &str) -> bool {
    let Some((year, number)) = text.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')) else { return false };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    year.len() == 4
        && digits(year)
        && digits(number)
        && (number.len() == 4 || (number.len() > 4 && !number.starts_with('0')))
}

/// `CAPEC-N`, as external references name attack patterns. STIX 2.1 §4.1.
pub(super) fn is_capec(text: &str) -> bool {
    text.strip_prefix("CAPEC-")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
