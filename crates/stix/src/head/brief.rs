//! A head without its text: for whoever keeps the text elsewhere and wants the head again without reading it anew.

use super::{Category, Granular, Head, SpecVersion};
use crate::timestamp::Timestamp;
use std::borrow::Cow;

/// A piece of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Piece {
    start: u32,
    length: u32,
}

/// Where in the text of an object its head stands.
#[derive(Clone, Debug)]
pub struct Brief {
    /// Bytes of the text.
    length: usize,
    object_type: Piece,
    id: Piece,
    category: Category,
    spec: SpecVersion,
    version: Option<(Piece, i64, u32)>,
    created_by_ref: Option<Piece>,
    marking_refs: Box<[Piece]>,
    granular: Box<[(Piece, bool)]>,
    references: Box<[Piece]>,
    revoked: bool,
}

impl Brief {
    /// Of a head that was taken of this text. `None`: some of it is written with escapes, or is no piece of the text.
    #[must_use]
    pub fn of(head: &Head<'_>, text: &[u8]) -> Option<Self> {
        let piece = |word: &Cow<'_, str>| match word {
            Cow::Borrowed(word) => piece_of(word, text),
            Cow::Owned(_) => None,
        };
        let pieces = |words: &[Cow<'_, str>]| words.iter().map(piece).collect::<Option<Box<[Piece]>>>();
        let version = head.version.as_ref().map(|at| Some((piece(&at.text)?, at.micros, at.picos)));
        Some(Self {
            length: text.len(),
            object_type: piece(&head.object_type)?,
            id: piece(&head.id)?,
            category: head.category,
            spec: head.spec,
            version: transposed(version)?,
            created_by_ref: transposed(head.created_by_ref.as_ref().map(piece))?,
            marking_refs: pieces(&head.marking_refs)?,
            granular: head
                .granular
                .iter()
                .map(|one| Some((piece(&one.marking)?, one.binding)))
                .collect::<Option<_>>()?,
            references: pieces(&head.references)?,
            revoked: head.revoked,
        })
    }

    /// The head again, of the same bytes: of others of that length it says something else, which nobody has checked. `None`: it
    /// cannot be the text that it was taken of.
    #[must_use]
    pub fn on<'t>(&self, text: &'t [u8]) -> Option<Head<'t>> {
        let text = simdutf8::basic::from_utf8(text).ok().filter(|text| text.len() == self.length)?;
        let word = |piece: &Piece| {
            let start = piece.start as usize;
            text.get(start..start + piece.length as usize).map(Cow::Borrowed)
        };
        let version = self.version.map(|(piece, micros, picos)| Some(Timestamp { text: word(&piece)?, micros, picos }));
        let granular =
            |(marking, binding): &(Piece, bool)| Some(Granular { marking: word(marking)?, binding: *binding });
        Some(Head {
            object_type: word(&self.object_type)?,
            id: word(&self.id)?,
            category: self.category,
            spec: self.spec,
            version: transposed(version)?,
            created_by_ref: transposed(self.created_by_ref.as_ref().map(word))?,
            marking_refs: self.marking_refs.iter().map(word).collect::<Option<_>>()?,
            granular: self.granular.iter().map(granular).collect::<Option<_>>()?,
            references: self.references.iter().map(word).collect::<Option<_>>()?,
            revoked: self.revoked,
        })
    }
}

/// Nothing stays nothing; something that cannot be had is a failure.
#[expect(clippy::option_option, reason = "whether there is something, and whether it can be had, are two questions")]
fn transposed<T>(found: Option<Option<T>>) -> Option<Option<T>> {
    match found {
        None => Some(None),
        Some(None) => None,
        found => found,
    }
}

/// Where a word stands that is borrowed from a text.
fn piece_of(word: &str, text: &[u8]) -> Option<Piece> {
    let start = (word.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let held = text.get(start..start.checked_add(word.len())?)?;
    // The same words in another place do not count: they may be another's.
    (held.as_ptr() == word.as_ptr())
        .then_some(Piece { start: u32::try_from(start).ok()?, length: u32::try_from(word.len()).ok()? })
}

#[cfg(test)]
mod tests {
    use super::Brief;
    use crate::validate::{Options, Validator};

    const OBJECTS: &[&str] = &[
        r#"{"type":"url","id":"url--3b8a1c6e-1f2d-5b5e-9c57-0a4d1c3e2f10","value":"http://example.com/"}"#,
        r#"{"type":"relationship","spec_version":"2.1","id":"relationship--00000000-0000-4000-8000-000000000001",
            "created":"2026-01-01T00:00:00.000Z","modified":"2026-01-02T00:00:00.123456Z","revoked":true,
            "created_by_ref":"identity--00000000-0000-4000-8000-000000000002","relationship_type":"uses",
            "source_ref":"tool--00000000-0000-4000-8000-000000000003",
            "target_ref":"tool--00000000-0000-4000-8000-000000000004",
            "object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
            "granular_markings":[{"marking_ref":"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            "selectors":["source_ref"]}]}"#,
    ];

    #[test]
    fn a_head_comes_again_as_it_was() {
        let mut validator = Validator::new(Options::default());
        for object in OBJECTS {
            let head = validator.object(object.as_bytes()).head.unwrap();
            let brief = Brief::of(&head, object.as_bytes()).unwrap();
            // The same text in another place.
            let moved = object.to_string();
            assert_eq!(format!("{:?}", brief.on(moved.as_bytes()).unwrap()), format!("{head:?}"));
            assert!(brief.on(b"{}").is_none());
            assert!(brief.on(&[0xff; 2_000]).is_none());
        }
    }

    #[test]
    fn what_is_not_written_there_as_it_reads_is_in_no_brief() {
        let mut validator = Validator::new(Options::default());
        let escaped = OBJECTS[1].replace("\"identity--", "\"\\u0069dentity--");
        let head = validator.object(escaped.as_bytes()).head.unwrap();
        assert!(head.created_by_ref.is_some() && Brief::of(&head, escaped.as_bytes()).is_none());
        let head = validator.object(OBJECTS[1].as_bytes()).head.unwrap();
        let other = OBJECTS[1].to_string();
        assert!(Brief::of(&head, other.as_bytes()).is_none(), "another text, with the same words");
    }
}
