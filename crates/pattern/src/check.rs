//! What a validator asks of a pattern beyond the grammar, looked at while it is read: no tree is built.

use crate::ast::{Operator, QualifierKind, Span};
use crate::build::{Build, FoundConstant, FoundOperand, FoundStep};
use crate::constant::Type;
use crate::error::Error;
use crate::parser::read;

/// The STIX version whose patterns are meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// STIX 2.0, part 5.
    V20,
    /// STIX 2.1 §9.
    V21,
}

/// All that is wrong with a pattern of STIX 2.1, in the order of its text; empty when it is valid. One that leaves the
/// grammar has one fault, the first. Beyond the grammar: hash values must have the form of their algorithm
/// (STIX 2.1 §10.7), a bracketed expression takes one qualifier of each kind (§9.5.1), and a set holds one type (§9.2).
#[must_use]
pub fn check(text: &str) -> Vec<Error> {
    check_version(text, Version::V21)
}

/// As [`check`], for a given version; 2.0 lets qualifiers of one kind follow each other.
#[must_use]
pub fn check_version(text: &str, version: Version) -> Vec<Error> {
    match read(text, version, Findings::new(version)) {
        Ok(((), findings)) => findings.errors,
        Err(error) => vec![*error],
    }
}

/// Looks at the parts of a pattern as they are read and keeps none of them.
struct Findings {
    version: Version,
    errors: Vec<Error>,
    /// Of the path at hand: whether `hashes` is in it, and the algorithm that the last name behind it is.
    hashes: bool,
    algorithm: Option<Algorithm>,
    /// Of the constants beside it: the type of the first and whether one of another type was told of.
    first: Option<Type>,
    mixed: bool,
    /// How many errors there were before the comparison at hand.
    before: usize,
}

impl Findings {
    fn new(version: Version) -> Self {
        Self { version, errors: Vec::new(), hashes: false, algorithm: None, first: None, mixed: false, before: 0 }
    }

    /// A set holds constants of one type; the first of another is told, before what is wrong with any as a hash.
    fn same_type(&mut self, found: Type, span: Span) {
        let Some(first) = self.first else {
            self.first = Some(found);
            return;
        };
        if !self.mixed && !first.same_kind(found) {
            self.mixed = true;
            let message = format!("a set holds constants of one type: {} after {}", found.name(), first.name());
            self.errors.insert(self.before, Error::new(span, message));
        }
    }

    fn hash(&mut self, text: &str, span: Span) {
        let Some(algorithm) = self.algorithm else { return };
        if !algorithm.accepts(text) {
            let Algorithm { name, form, .. } = algorithm;
            let shown: String = text.chars().take(140).collect();
            self.errors.push(Error::new(span, format!("`{}` is not a {name} hash: {form}", shown.escape_debug())));
        }
    }
}

impl<'t> Build<'t> for Findings {
    type Path = ();
    type Constant = ();
    type Comparison = ();
    /// The kinds that were seen, a bit each.
    type Qualifiers = u8;
    type Observation = ();

    fn path(&mut self, _: &'t str, _: Span) {
        (self.hashes, self.algorithm) = (false, None);
        (self.first, self.mixed) = (None, false);
        self.before = self.errors.len();
    }

    fn step(&mut self, (): &mut (), step: FoundStep<'t>, _: Span) {
        let FoundStep::Property(name) = step else { return };
        if self.hashes {
            self.algorithm = Algorithm::named(&name);
        } else {
            self.hashes = name == "hashes";
        }
    }

    fn end_path(&mut self, (): &mut (), _: Span) {}

    fn constant(&mut self, operator: Operator, constant: FoundConstant<'t>, span: Span) {
        match constant {
            FoundConstant::String(text) => {
                self.same_type(Type::String, span);
                // The operand of these is a form that hashes have, not a hash.
                if !matches!(operator, Operator::Like | Operator::Matches) {
                    self.hash(&text, span);
                }
            }
            FoundConstant::Other(value) => self.same_type(value.type_of(), span),
        }
    }

    fn comparison(&mut self, _: ((), bool, Operator), _: FoundOperand<()>, _: Span) {}

    fn exists(&mut self, (): (), _: bool, _: Span) {}

    fn comparison_group(&mut self, (): (), _: Span) {}

    fn observation(&mut self, (): (), _: Span) {}

    fn observation_group(&mut self, (): (), _: Span) {}

    /// The published validator asks this of bracketed expressions alone, and patterns in use rely on it.
    fn qualifier(&mut self, seen: &mut u8, kind: QualifierKind, span: Span, bracketed: bool) {
        let bit = match kind {
            QualifierKind::StartStop { .. } => 1,
            QualifierKind::Within { .. } => 2,
            QualifierKind::Repeats { .. } => 4,
        };
        if *seen & bit != 0 && bracketed && self.version == Version::V21 {
            let name = kind.name();
            self.errors.push(Error::new(span, format!("`{name}` qualifies the same expression twice")));
        }
        *seen |= bit;
    }

    fn qualified(&mut self, (): (), _: u8, _: Span) {}
}

/// A hash algorithm whose values have a known form: those of hash-algorithm-ov (STIX 2.1 §10.7) and their near kin.
#[derive(Clone, Copy)]
struct Algorithm {
    name: &'static str,
    /// The name without hyphens.
    bare: &'static [u8],
    /// Hexadecimal digits of a value; 0 for ssdeep, which is 1 to 128 characters of its own.
    digits: usize,
    form: &'static str,
}

/// Letters of the longest name, hyphens left out.
const LONGEST_NAME: usize = 9;

macro_rules! hexadecimal {
    ($($name:literal $bare:literal $digits:literal),+) => {
        [$(Algorithm {
            name: $name,
            bare: $bare,
            digits: $digits,
            form: concat!($digits, " hexadecimal digits are expected"),
        }),+]
    };
}

static HEXADECIMAL: [Algorithm; 12] = hexadecimal![
    "MD5" b"MD5" 32, "SHA-1" b"SHA1" 40, "SHA-224" b"SHA224" 56, "SHA-256" b"SHA256" 64, "SHA-384" b"SHA384" 96,
    "SHA-512" b"SHA512" 128, "SHA3-224" b"SHA3224" 56, "SHA3-256" b"SHA3256" 64, "SHA3-384" b"SHA3384" 96,
    "SHA3-512" b"SHA3512" 128, "RIPEMD-160" b"RIPEMD160" 40, "WHIRLPOOL" b"WHIRLPOOL" 128
];

static SSDEEP: Algorithm = Algorithm {
    name: "SSDEEP",
    bare: b"SSDEEP",
    digits: 0,
    form: "1 to 128 letters, digits, `/`, `+`, `:` or `.` are expected",
};

impl Algorithm {
    /// Known by its name in any case and with or without hyphens: data in use write `sha256`.
    fn named(name: &str) -> Option<Self> {
        let mut letters = name.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_uppercase());
        let mut bare = [0; LONGEST_NAME];
        let length = bare.iter_mut().zip(letters.by_ref()).map(|(bare, letter)| *bare = letter).count();
        if letters.next().is_some() {
            return None;
        }
        let bare = bare.get(..length)?;
        HEXADECIMAL.iter().chain([&SSDEEP]).find(|algorithm| algorithm.bare == bare).copied()
    }

    fn accepts(self, text: &str) -> bool {
        if self.digits == 0 {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"/+:.".contains(&byte);
            return (1..=128).contains(&text.len()) && text.bytes().all(known);
        }
        // All of them, without a way out: so the compiler makes it many bytes at once.
        text.len() == self.digits && text.bytes().fold(true, |all, byte| all & byte.is_ascii_hexdigit())
    }
}
