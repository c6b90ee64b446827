//! Addresses of mailboxes.

use std::net::IpAddr;

use super::{address, domain};

/// The longest address that is one here: 64 bytes before the sign are the rule (RFC 5321 §4.5.3.1), more are seen.
pub const MAX_EMAIL: usize = 512;

/// The addr-spec of a mailbox (RFC 5322 §3.4.1), all in lower case and the domain as [`domain`] has it. It is taken out
/// of `Name <local@domain>`. The local part is compared without regard to case: RFC 5321 §2.4 leaves that to its domain,
/// and in practice nobody makes a difference.
#[must_use]
pub fn email<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let spec = addr_spec(raw)?;
    if spec.len() > MAX_EMAIL {
        return None;
    }
    let sign = spec.iter().rposition(|&byte| byte == b'@')?;
    let (local, host) = (spec.get(..sign)?, spec.get(sign + 1..)?);
    if !is_local(local) {
        return None;
    }
    if let Some(inner) = host.strip_prefix(b"[") {
        let literal = literal(inner.strip_suffix(b"]")?)?;
        scratch.clear();
        lower_into(local, scratch);
        scratch.push(b'@');
        scratch.extend_from_slice(literal.as_bytes());
        return Some(scratch);
    }
    let mut name = Vec::new();
    let canonical = domain(host, &mut name)?;
    let same = local.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if same && std::ptr::eq(canonical, host) {
        return Some(spec);
    }
    scratch.clear();
    lower_into(local, scratch);
    scratch.push(b'@');
    scratch.extend_from_slice(canonical);
    Some(scratch)
}

/// An address in the place of a domain (RFC 5321 §4.1.3), in lower case.
fn literal(inner: &[u8]) -> Option<String> {
    let tagged = inner.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"IPv6:"));
    let inner = if tagged { inner.get(5..)? } else { inner };
    if inner.first() == Some(&b'[') {
        return None;
    }
    Some(match address(inner)? {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[ipv6:{address}]"),
    })
}

/// What stands in the last pair of angle brackets, or all of it, without blanks around it.
fn addr_spec(raw: &[u8]) -> Option<&[u8]> {
    let raw = raw.trim_ascii();
    match raw.strip_suffix(b">") {
        Some(open) => {
            let start = open.iter().rposition(|&byte| byte == b'<')?;
            Some(open.get(start + 1..)?.trim_ascii())
        }
        None => Some(raw),
    }
}

/// Atoms with points between, or a quoted string; without controls, and without blanks outside quotes.
fn is_local(local: &[u8]) -> bool {
    if let [b'"', inner @ .., b'"'] = local {
        return !inner.is_empty() && !inner.iter().any(u8::is_ascii_control);
    }
    !local.is_empty()
        && std::str::from_utf8(local).is_ok()
        && local.iter().all(|byte| !byte.is_ascii_control() && !b" ()<>[]:;@\\,\"".contains(byte))
}

/// Lower case, letter by letter; bytes that are no UTF-8 stay.
pub(super) fn lower_into(text: &[u8], into: &mut Vec<u8>) {
    if text.is_ascii() {
        into.extend(text.iter().map(u8::to_ascii_lowercase));
        return;
    }
    for chunk in text.utf8_chunks() {
        let mut letters = [0; 4];
        for letter in chunk.valid().chars().flat_map(char::to_lowercase) {
            into.extend_from_slice(letter.encode_utf8(&mut letters).as_bytes());
        }
        into.extend_from_slice(chunk.invalid());
    }
}
