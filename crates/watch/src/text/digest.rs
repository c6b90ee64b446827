//! Digests: told apart by their length.

/// The length in bytes of the digest that so many hexadecimal digits are, if it is one: MD5, SHA-1, SHA-224, SHA-256,
/// SHA-384, SHA-512 (`spec`: FIPS 180-4 §1, RFC 1321).
#[must_use]
pub fn digest_length(digits: usize) -> Option<usize> {
    matches!(digits, 32 | 40 | 56 | 64 | 96 | 128).then_some(digits / 2)
}

/// Whether this is a digest in hexadecimal digits.
pub(super) fn is_digest(word: &[u8]) -> bool {
    digest_length(word.len()).is_some() && word.iter().all(u8::is_ascii_hexdigit)
}

/// How many pairs of digits this is, if it is pairs with colons between them.
pub(super) fn pairs(word: &[u8]) -> Option<usize> {
    let mut count = 0;
    for pair in word.split(|&byte| byte == b':' || byte == b'-') {
        if pair.len() != 2 || !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Whether this is a JA4 fingerprint: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn is_ja4(word: &[u8]) -> bool {
    let mut parts = word.split(|&byte| byte == b'_');
    let (Some(head), Some(ciphers), Some(extensions), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let hash = |part: &[u8]| part.len() == 12 && part.iter().all(u8::is_ascii_hexdigit);
    let [b't' | b'q' | b'd', _, _, b'd' | b'i', counts @ ..] = head else { return false };
    let numbered = counts.get(..4).is_some_and(|counts| counts.iter().all(u8::is_ascii_digit));
    counts.len() == 6 && numbered && hash(ciphers) && hash(extensions)
}
