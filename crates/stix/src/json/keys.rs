//! Duplicate names of an object's members, RFC 7493 §2.3.

use std::borrow::Cow;

use super::error::{Error, ErrorKind};
use super::string::unescape;
use super::value::{Kind, Node};

/// Refuses the object if two names of `keys` (their nodes) are the same once escapes are resolved.
///
/// Names are sorted rather than hashed: n log n comparisons whatever an attacker writes.
pub(super) fn refuse_duplicates(text: &[u8], keys: &[Node]) -> Result<(), Error> {
    let mut names: Vec<(Cow<'_, [u8]>, u32)> = keys.iter().map(|key| (name(text, key), key.start)).collect();
    names.sort_unstable();
    let again = names.iter().zip(names.iter().skip(1)).filter(|(one, two)| one.0 == two.0).map(|(_, two)| two.1).min();
    match again {
        Some(offset) => Err(Error::new(offset as usize, ErrorKind::DuplicateKey)),
        None => Ok(()),
    }
}

/// The bytes of a member's name, escapes resolved. Text that is not UTF-8 is refused elsewhere.
fn name<'t>(text: &'t [u8], key: &Node) -> Cow<'t, [u8]> {
    debug_assert_eq!(key.kind, Kind::String);
    let raw = text.get(key.start as usize + 1..key.end as usize - 1).unwrap_or_default();
    if key.detail == 0 {
        return Cow::Borrowed(raw);
    }
    match std::str::from_utf8(raw) {
        Ok(raw) => Cow::Owned(unescape(raw).into_owned().into_bytes()),
        Err(_) => Cow::Borrowed(raw),
    }
}
