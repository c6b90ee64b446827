//! What a validator asks of a pattern beyond the grammar.

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Operator, Qualifier,
    StepKind,
};
use crate::constant::{Constant, Value};
use crate::error::Error;
use crate::parser::parse_version;

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
    let pattern = match parse_version(text, version) {
        Ok(pattern) => pattern,
        Err(error) => return vec![error],
    };
    let mut findings = Findings { version, errors: Vec::new() };
    findings.observation(&pattern.expression);
    findings.errors
}

struct Findings {
    version: Version,
    errors: Vec<Error>,
}

impl Findings {
    fn observation(&mut self, expression: &ObservationExpression) {
        match &expression.kind {
            ObservationKind::Observation(comparison) => self.comparison(comparison),
            ObservationKind::Group(inner) => self.observation(inner),
            ObservationKind::And(operands) | ObservationKind::Or(operands) | ObservationKind::FollowedBy(operands) => {
                operands.iter().for_each(|operand| self.observation(operand));
            }
            ObservationKind::Qualified(inner, qualifiers) => {
                self.observation(inner);
                let bracketed = matches!(inner.kind, ObservationKind::Observation(_));
                if bracketed && self.version == Version::V21 {
                    self.repeated(qualifiers);
                }
            }
        }
    }

    /// The published validator asks this of bracketed expressions alone, and patterns in use rely on it.
    fn repeated(&mut self, qualifiers: &[Qualifier]) {
        let kind = |qualifier: &Qualifier| std::mem::discriminant(&qualifier.kind);
        for (index, qualifier) in qualifiers.iter().enumerate() {
            if qualifiers.iter().take(index).any(|earlier| kind(earlier) == kind(qualifier)) {
                let name = qualifier.kind.name();
                self.errors.push(Error::new(qualifier.span, format!("`{name}` qualifies the same expression twice")));
            }
        }
    }

    fn comparison(&mut self, expression: &ComparisonExpression) {
        match &expression.kind {
            ComparisonKind::Comparison(comparison) => {
                self.set(comparison);
                self.hashes(comparison);
            }
            ComparisonKind::Exists { .. } => {}
            ComparisonKind::Group(inner) => self.comparison(inner),
            ComparisonKind::And(operands) | ComparisonKind::Or(operands) => {
                operands.iter().for_each(|operand| self.comparison(operand));
            }
        }
    }

    fn set(&mut self, comparison: &Comparison) {
        let constants = comparison.operand.constants();
        let Some(first) = constants.first() else { return };
        if let Some(other) = constants.iter().find(|other| !first.value.same_kind(&other.value)) {
            let message = format!(
                "a set holds constants of one type: {} after {}",
                other.value.type_name(),
                first.value.type_name()
            );
            self.errors.push(Error::new(other.span, message));
        }
    }

    fn hashes(&mut self, comparison: &Comparison) {
        // The operand of these is a form that hashes have, not a hash.
        if matches!(comparison.operator, Operator::Like | Operator::Matches) {
            return;
        }
        let mut names = comparison.path.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Property(name) => Some(name),
            _ => None,
        });
        if !names.by_ref().any(|name| **name == *"hashes") {
            return;
        }
        let Some(algorithm) = names.next_back().and_then(|name| Algorithm::named(name)) else { return };
        for constant in comparison.operand.constants() {
            self.hash(constant, algorithm);
        }
    }

    fn hash(&mut self, constant: &Constant, algorithm: Algorithm) {
        let Value::String(text) = &constant.value else { return };
        if !algorithm.accepts(text) {
            let Algorithm { name, form, .. } = algorithm;
            let shown: String = text.chars().take(140).collect();
            self.errors
                .push(Error::new(constant.span, format!("`{}` is not a {name} hash: {form}", shown.escape_debug())));
        }
    }
}

/// A hash algorithm whose values have a known form: those of hash-algorithm-ov (STIX 2.1 §10.7) and their near kin.
#[derive(Clone, Copy)]
struct Algorithm {
    name: &'static str,
    /// Hexadecimal digits of a value; 0 for ssdeep, which is 1 to 128 characters of its own.
    digits: usize,
    form: &'static str,
}

macro_rules! hexadecimal {
    ($($name:literal $digits:literal),+) => {
        [$(Algorithm {
            name: $name,
            digits: $digits,
            form: concat!($digits, " hexadecimal digits are expected"),
        }),+]
    };
}

const HEXADECIMAL: [Algorithm; 12] = hexadecimal![
    "MD5" 32, "SHA-1" 40, "SHA-224" 56, "SHA-256" 64, "SHA-384" 96, "SHA-512" 128,
    "SHA3-224" 56, "SHA3-256" 64, "SHA3-384" 96, "SHA3-512" 128, "RIPEMD-160" 40, "WHIRLPOOL" 128
];

const SSDEEP: Algorithm =
    Algorithm { name: "SSDEEP", digits: 0, form: "1 to 128 letters, digits, `/`, `+`, `:` or `.` are expected" };

impl Algorithm {
    /// Known by its name in any case and with or without hyphens: data in use write `sha256`.
    fn named(name: &str) -> Option<Self> {
        let letters = |text: &'static str| text.bytes().filter(|byte| *byte != b'-');
        let wanted = || name.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_uppercase());
        HEXADECIMAL.into_iter().chain([SSDEEP]).find(|algorithm| letters(algorithm.name).eq(wanted()))
    }

    fn accepts(self, text: &str) -> bool {
        if self.digits == 0 {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"/+:.".contains(&byte);
            return (1..=128).contains(&text.len()) && text.bytes().all(known);
        }
        text.len() == self.digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}
