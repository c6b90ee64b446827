//! By what seals and statements are kept: marks of bodies.

use ledger::Mark;

/// The mark of a body: under it lie the author's verified seal and what sources said of it.
#[must_use]
pub fn of(body: &[u8]) -> Mark {
    cut(&blake3::hash(body))
}

/// Under which the seal of an author lies whose card is not pinned: it is handed on, and blocks no better one.
#[must_use]
pub fn unproven(body: &[u8]) -> Mark {
    let mut hash = blake3::Hasher::new();
    // What no body can be mistaken for: bodies begin with a brace.
    hash.update(b"unproven\n");
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
        let body = br#"{"type":"tool"}"#;
        assert_ne!(of(body), unproven(body));
    }
}
