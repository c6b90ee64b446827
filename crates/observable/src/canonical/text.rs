//! Names and other text.

use super::mail::lower_into;

/// Text without blanks around it; none if nothing is left. It is compared as it was written.
#[must_use]
pub fn plain(raw: &[u8]) -> Option<&[u8]> {
    Some(raw.trim_ascii()).filter(|text| !text.is_empty())
}

/// The name of a file without its folder: what stands behind the last slash of either kind. It is compared as it was
/// written.
#[must_use]
pub fn file_name(raw: &[u8]) -> Option<&[u8]> {
    let start = raw.iter().rposition(|byte| matches!(byte, b'/' | b'\\')).map_or(0, |slash| slash + 1);
    plain(raw.get(start..)?)
}

/// What a client says that it is, without blanks around it (RFC 9110 §10.1.5). It is compared as it was written.
#[must_use]
pub fn user_agent(raw: &[u8]) -> Option<&[u8]> {
    plain(raw)
}

/// A fingerprint of the JA4 family in lower case: letters, digits and underscores.
#[must_use]
pub fn ja4<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let text = plain(raw)?;
    let parts = text.split(|&byte| byte == b'_');
    let shaped = text.len() <= 128
        && parts.clone().count() >= 2
        && parts.into_iter().all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric));
    if !shaped {
        return None;
    }
    if !text.iter().any(u8::is_ascii_uppercase) {
        return Some(text);
    }
    scratch.clear();
    lower_into(text, scratch);
    Some(scratch)
}

/// The number of an autonomous system (RFC 6793), `AS` before it or not.
#[must_use]
pub fn autonomous_system(raw: &[u8]) -> Option<u32> {
    let text = raw.trim_ascii();
    let digits = match text {
        [b'A' | b'a', b'S' | b's', digits @ ..] => digits,
        _ => text,
    };
    if digits.is_empty() || digits.len() > 10 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    u32::try_from(number).ok()
}

/// The roots of the registry as they are written, and their names in lower case. The longest come first: one may begin
/// another.
const ROOTS: [(&str, &str); 14] = [
    ("\\registry\\machine", "hkey_local_machine"),
    ("\\registry\\user", "hkey_users"),
    ("hkey_local_machine", "hkey_local_machine"),
    ("hkey_current_user", "hkey_current_user"),
    ("hkey_classes_root", "hkey_classes_root"),
    ("hkey_users", "hkey_users"),
    ("hkey_current_config", "hkey_current_config"),
    ("hkey_performance_data", "hkey_performance_data"),
    ("hklm", "hkey_local_machine"),
    ("hkcu", "hkey_current_user"),
    ("hkcr", "hkey_classes_root"),
    ("hku", "hkey_users"),
    ("hkcc", "hkey_current_config"),
    ("hkpd", "hkey_performance_data"),
];

/// A key of the Windows registry: in lower case, the abbreviation of its root written out (`HKLM`, `HKLM:`,
/// `\REGISTRY\MACHINE`, `Computer\HKEY_…`), one backslash between names and none at the end.
#[must_use]
pub fn registry_key<'a>(raw: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let text = plain(raw)?;
    let mut lower = Vec::with_capacity(text.len());
    lower_into(text, &mut lower);
    lower.dedup_by(|next, before| *next == b'\\' && *before == b'\\');
    let path = match lower.strip_prefix(b"computer\\") {
        Some(rest) if rest.starts_with(b"hkey_") => rest,
        _ => lower.as_slice(),
    };
    let end = path.iter().rposition(|byte| *byte != b'\\' && !byte.is_ascii_whitespace())?;
    let path = path.get(..=end)?;
    scratch.clear();
    match ROOTS.iter().find_map(|(written, name)| Some((root(path, written.as_bytes())?, name))) {
        Some((rest, name)) => {
            scratch.extend_from_slice(name.as_bytes());
            scratch.extend_from_slice(rest);
        }
        None => scratch.extend_from_slice(path),
    }
    Some(scratch)
}

/// What follows the root: nothing, or a backslash and more. A drive of PowerShell has a colon behind its name.
fn root<'a>(path: &'a [u8], written: &[u8]) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(written)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    (rest.is_empty() || rest.first() == Some(&b'\\')).then_some(rest)
}
