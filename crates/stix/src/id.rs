//! Identifiers: `object-type--UUID`. STIX 2.1 §2.9.

use std::fmt;

use uuid::Uuid;

use crate::object_type;

/// Namespace of the deterministic identifiers of cyber-observables. STIX 2.1 §2.9.
///
/// No identifier that was made in another way may be a UUIDv5 of this namespace.
pub const SCO_NAMESPACE: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// Length of a UUID in its hyphenated text form.
const UUID_LENGTH: usize = 36;

/// A well-formed identifier that borrows its text: `object-type--UUID`. STIX 2.1 §2.9.
///
/// The grammar is that of the published schemas: a lower-case type of at least three characters, then a
/// UUID of RFC 4122 (variant `8`–`b`, version 1 to 5) whose digits may be of either case. Identifiers are
/// compared by their text: references resolve by exact match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<'t> {
    text: &'t str,
    type_length: usize,
}

impl<'t> Id<'t> {
    /// Reads an identifier without allocating.
    ///
    /// # Errors
    /// What is wrong with the text, in the order in which a reader would meet it.
    pub fn parse(text: &'t str) -> Result<Self, InvalidId> {
        let type_length = text.len().checked_sub(UUID_LENGTH + 2).ok_or(InvalidId::Shape)?;
        let (head, uuid) = text.split_at_checked(type_length + 2).ok_or(InvalidId::Shape)?;
        let object_type = head.strip_suffix("--").ok_or(InvalidId::Shape)?;
        check_type(object_type.as_bytes())?;
        check_uuid(uuid.as_bytes())?;
        Ok(Self { text, type_length })
    }

    /// The identifier as written.
    pub fn as_str(&self) -> &'t str {
        self.text
    }

    /// The part before `--`, which equals the `type` of the object.
    pub fn object_type(&self) -> &'t str {
        self.text.get(..self.type_length).unwrap_or_default()
    }

    /// The UUID as written, 36 characters.
    pub fn uuid_text(&self) -> &'t str {
        self.text.get(self.type_length + 2..).unwrap_or_default()
    }

    /// The UUID's value.
    pub fn uuid(&self) -> Uuid {
        // The text was checked on the way in, so the fallback is never taken.
        Uuid::try_parse(self.uuid_text()).unwrap_or_default()
    }

    /// Version of the UUID, 1 to 5: objects SHOULD have 4, cyber-observables 5. STIX 2.1 §2.9.
    pub fn uuid_version(&self) -> u8 {
        self.uuid_text().as_bytes().get(14).map_or(0, |digit| digit.wrapping_sub(b'0'))
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Why a text is no identifier. STIX 2.1 §2.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// Not a type, two hyphens and 36 characters of UUID.
    #[error("an identifier is an object type, `--` and a UUID of 36 characters")]
    Shape,
    /// The part before `--` cannot be an object type.
    #[error(
        "the part before `--` must be a lower-case object type of 3 to 250 characters `[a-z0-9-]` that begins with a letter and does not end in a hyphen"
    )]
    ObjectType,
    /// The part after `--` is not eight, four, four, four and twelve hexadecimal digits.
    #[error("the part after `--` must be a UUID: 8-4-4-4-12 hexadecimal digits")]
    Uuid,
    /// A UUID, but of a version that RFC 4122 does not define.
    #[error("the UUID must have version 1 to 5 (RFC 4122): the first digit of its third group")]
    Version,
    /// A UUID, but not of the variant of RFC 4122.
    #[error("the UUID must have the variant of RFC 4122: its fourth group begins with 8, 9, a or b")]
    Variant,
}

/// `[a-z][a-z0-9-]+[a-z0-9]`, at most 250 characters: `identifier.json` of the published schemas, §3.1.
fn check_type(bytes: &[u8]) -> Result<(), InvalidId> {
    let all = bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let ends = bytes.first().is_some_and(u8::is_ascii_lowercase) && bytes.last().is_some_and(|last| *last != b'-');
    if all && ends && (3..=250).contains(&bytes.len()) { Ok(()) } else { Err(InvalidId::ObjectType) }
}

/// 1 where a UUID has its hyphens.
const HYPHENS: [u8; UUID_LENGTH] = {
    let mut at = [0; UUID_LENGTH];
    (at[8], at[13], at[18], at[23]) = (1, 1, 1, 1);
    at
};

fn check_uuid(bytes: &[u8]) -> Result<(), InvalidId> {
    let bytes: &[u8; UUID_LENGTH] = bytes.try_into().map_err(|_| InvalidId::Shape)?;
    // No branch depends on a byte, so that the compiler may look at many at once.
    let mut bad = 0;
    for (byte, hyphen) in bytes.iter().zip(HYPHENS) {
        let digit = byte.wrapping_sub(b'0') < 10;
        let letter = (byte | 0x20).wrapping_sub(b'a') < 6;
        let good = (u8::from(digit | letter) & !hyphen) | (u8::from(*byte == b'-') & hyphen);
        bad |= good ^ 1;
    }
    if bad != 0 {
        return Err(InvalidId::Uuid);
    }
    if !matches!(bytes[14], b'1'..=b'5') {
        return Err(InvalidId::Version);
    }
    if !matches!(bytes[19], b'8' | b'9' | b'a' | b'b' | b'A' | b'B') {
        return Err(InvalidId::Variant);
    }
    Ok(())
}

/// Whether the identifier is of a standard cyber-observable. STIX 2.1 §6.
pub fn names_sco(id: &Id<'_>) -> bool {
    object_type::is_sco(id.object_type())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

    #[test]
    fn identifiers_by_the_grammar() {
        let long = "x".repeat(250);
        let too_long = "x".repeat(251);
        let cases: &[(&str, String, Result<(), InvalidId>)] = &[
            ("plain", format!("indicator--{GOOD}"), Ok(())),
            ("UUID in capitals", format!("indicator--{}", GOOD.to_uppercase()), Ok(())),
            ("custom type", format!("x-acme-thing--{GOOD}"), Ok(())),
            ("the schema tolerates a double hyphen", format!("x--acme--{GOOD}"), Ok(())),
            ("type of 250", format!("{long}--{GOOD}"), Ok(())),
            ("version 1", "file--8e2e2d2b-17d4-1cbf-938f-98ee46b3cd3f".into(), Ok(())),
            ("version 5", "file--8e2e2d2b-17d4-5cbf-a38f-98ee46b3cd3f".into(), Ok(())),
            ("empty", String::new(), Err(InvalidId::Shape)),
            ("UUID alone", GOOD.into(), Err(InvalidId::Shape)),
            ("no type", format!("--{GOOD}"), Err(InvalidId::ObjectType)),
            ("one hyphen", format!("indicator-{GOOD}"), Err(InvalidId::Shape)),
            ("three hyphens", format!("indicator---{GOOD}"), Err(InvalidId::ObjectType)),
            ("capital in the type", format!("Indicator--{GOOD}"), Err(InvalidId::ObjectType)),
            ("digit first", format!("1ndicator--{GOOD}"), Err(InvalidId::ObjectType)),
            ("underscore", format!("x_acme--{GOOD}"), Err(InvalidId::ObjectType)),
            ("type of two", format!("ab--{GOOD}"), Err(InvalidId::ObjectType)),
            ("type of 251", format!("{too_long}--{GOOD}"), Err(InvalidId::ObjectType)),
            ("not ASCII", format!("indicatör--{GOOD}"), Err(InvalidId::ObjectType)),
            ("a letter beyond f", "file--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3g".into(), Err(InvalidId::Uuid)),
            ("hyphens misplaced", "file--8e2e2d2b1-7d4-4cbf-938f-98ee46b3cd3f".into(), Err(InvalidId::Uuid)),
            ("UUID too short", "file--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3".into(), Err(InvalidId::Shape)),
            ("nil", "file--00000000-0000-0000-0000-000000000000".into(), Err(InvalidId::Version)),
            ("version 7", "file--8e2e2d2b-17d4-7cbf-938f-98ee46b3cd3f".into(), Err(InvalidId::Version)),
            ("variant of Microsoft", "file--8e2e2d2b-17d4-4cbf-c38f-98ee46b3cd3f".into(), Err(InvalidId::Variant)),
            ("cut inside a character", format!("é{}", &GOOD[1..]), Err(InvalidId::Shape)),
            ("a letter of two bytes in the UUID", format!("file--{}é", &GOOD[2..]), Err(InvalidId::Uuid)),
        ];
        for (name, text, expected) in cases {
            assert_eq!(Id::parse(text).map(|_| ()), *expected, "{name}: {text}");
        }
    }

    #[test]
    fn the_parts_of_an_identifier() {
        let text = format!("x-acme-thing--{GOOD}");
        let id = Id::parse(&text).unwrap();
        assert_eq!(id.object_type(), "x-acme-thing");
        assert_eq!(id.uuid_text(), GOOD);
        assert_eq!(id.uuid_version(), 4);
        assert_eq!(id.uuid(), Uuid::parse_str(GOOD).unwrap());
        assert_eq!(id.to_string(), text);
        assert!(!names_sco(&id));
        assert!(names_sco(&Id::parse("ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4").unwrap()));
    }

    #[test]
    fn the_namespace_is_that_of_the_standard() {
        assert_eq!(SCO_NAMESPACE.to_string(), "00abedb4-aa42-466c-9c01-fed23315a9b7");
    }

    /// The published regular expression, read slowly: one choice of `--` after another.
    fn oracle(text: &str) -> bool {
        text.match_indices("--").any(|(at, _)| {
            let (kind, rest) = (&text[..at], &text[at + 2..]);
            let groups: Vec<&str> = rest.split('-').collect();
            let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
            let last = kind.chars().last().unwrap_or('-');
            (3..=250).contains(&kind.len())
                && kind.starts_with(|c: char| c.is_ascii_lowercase())
                && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && last != '-'
                && lengths == [8, 4, 4, 4, 12]
                && groups.iter().all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
                && groups[2].starts_with(['1', '2', '3', '4', '5'])
                && groups[3].starts_with(['8', '9', 'a', 'b', 'A', 'B'])
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_published_expression(
            text in prop_oneof![
                "[a-z][a-z0-9-]{0,5}-?-?[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
                "[a-zA-Z0-9-]{0,4}--[0-9a-g]{7,9}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                ".{0,60}",
            ]
        ) {
            prop_assert_eq!(Id::parse(&text).is_ok(), oracle(&text), "{}", text);
        }
    }
}
