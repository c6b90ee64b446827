//! LIKE (STIX 2.1 §9.6.1): the whole text, `%` for any run of characters and `_` for one, also over line ends.

use memchr::memmem;

/// A compiled operand of LIKE.
#[derive(Debug, PartialEq)]
pub(super) struct Like {
    /// What stands between the `%`; one part if there are none.
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
enum Part {
    Text(Box<str>),
    /// With `_` for any one character.
    Holes(Box<[Option<char>]>),
}

impl Like {
    /// The operand must be in NFC, as must the text.
    pub(super) fn new(operand: &str) -> Self {
        let part = |text: &str| match text.contains('_') {
            true => Part::Holes(text.chars().map(|character| (character != '_').then_some(character)).collect()),
            false => Part::Text(text.into()),
        };
        Self { parts: operand.split('%').map(part).collect() }
    }

    /// How many steps a text of this length may take.
    pub(super) fn steps(&self, length: usize) -> usize {
        let of = |part: &Part| match part {
            Part::Text(_) => 0,
            Part::Holes(holes) => holes.len(),
        };
        // Each place of the text is where one part is tried, except that parts may be tried at several in turn.
        length.saturating_mul(self.parts.iter().map(of).max().unwrap_or(0)) / 16
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| only.prefix(text) == Some(text.len()));
        };
        let Some(length) = first.prefix(text) else { return false };
        let rest = text.get(length..).unwrap_or_default();
        let Some(length) = last.suffix(rest) else { return false };
        let mut rest = rest.get(..rest.len() - length).unwrap_or_default();
        // Taking each part as early as possible leaves most for the parts behind it.
        for part in middle {
            let Some(end) = part.find(rest) else { return false };
            rest = rest.get(end..).unwrap_or_default();
        }
        true
    }
}

impl Part {
    /// Its length in bytes at the start of the text, if it stands there.
    fn prefix(&self, text: &str) -> Option<usize> {
        match self {
            Self::Text(part) => text.starts_with(&**part).then_some(part.len()),
            Self::Holes(holes) => prefix(holes, text.chars()),
        }
    }

    /// Its length in bytes at the end of the text.
    fn suffix(&self, text: &str) -> Option<usize> {
        match self {
            Self::Text(part) => text.ends_with(&**part).then_some(part.len()),
            Self::Holes(holes) => {
                let mut characters = text.chars().rev();
                let mut length = 0;
                for hole in holes.iter().rev() {
                    let character = characters.next()?;
                    if hole.is_some_and(|wanted| wanted != character) {
                        return None;
                    }
                    length += character.len_utf8();
                }
                Some(length)
            }
        }
    }

    /// Where it ends in the text, the first time it stands there.
    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Self::Text(part) => memmem::find(text.as_bytes(), part.as_bytes()).map(|at| at + part.len()),
            Self::Holes(holes) => {
                let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                starts.into_iter().find_map(|at| Some(at + prefix(holes, text.get(at..)?.chars())?))
            }
        }
    }
}

fn prefix(holes: &[Option<char>], mut characters: std::str::Chars<'_>) -> Option<usize> {
    let mut length = 0;
    for hole in holes {
        let character = characters.next()?;
        if hole.is_some_and(|wanted| wanted != character) {
            return None;
        }
        length += character.len_utf8();
    }
    Some(length)
}
