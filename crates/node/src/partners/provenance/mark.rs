//! By what seals and statements are kept: marks of bodies.

use ledger::Mark;
use partner::key::KeyId;

/// The mark of a body: under it lie the author's verified seal and what sources said of it.
#[must_use]
pub fn of(body: &[u8]) -> Mark {
    cut(&blake3::hash(body))
}

/// Under which our own seal of a body lies. Other limits or another key make another seal.
#[must_use]
pub fn own(body: &[u8], handling: &[u8], key: &KeyId) -> Mark {
    further(b"own", &[handling, key.as_str().as_bytes()], body)
}

/// Under which the seal of an author lies whose card is not pinned: it is handed on, and blocks no better one.
#[must_use]
pub fn unproven(body: &[u8]) -> Mark {
    further(b"unproven", &[], body)
}

/// What no body can be mistaken for: bodies begin with a brace.
fn further(purpose: &[u8], words: &[&[u8]], body: &[u8]) -> Mark {
    let mut hash = blake3::Hasher::new();
    hash.update(purpose);
    for word in words {
        hash.update(&(word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    hash.update(b"\n");
    hash.update(body);
    cut(&hash.finalize())
}

fn cut(hash: &blake3::Hash) -> Mark {
    let mut mark = Mark::default();
    for (to, from) in mark.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_marks_of_its_own() {
        let (one, two) = (KeyId::of(&[1; 32]), KeyId::of(&[2; 32]));
        let body = br#"{"type":"tool"}"#;
        let marks = [of(body), unproven(body), own(body, b"", &one), own(body, b"{}", &one), own(body, b"", &two)];
        for (at, mark) in marks.iter().enumerate() {
            assert!(!marks[at + 1..].contains(mark), "{at}");
        }
        assert_eq!(own(body, b"{}", &one), marks[3]);
    }
}
