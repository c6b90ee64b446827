//! Indicators' patterns: the language is the `pattern` crate's, what its names may be is said here. STIX 2.1 §4.7, §9.

use pattern::{ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, StepKind};

use super::walk::Walk;
use super::{Code, names};
use crate::json::Value;
use crate::schema::{Category, Version, contained20, find};

impl<'t> Walk<'_, 't> {
    /// Checks a pattern in the STIX language.
    pub(super) fn pattern(&mut self, value: Value<'t>, text: &str) {
        if !faults(text, self.version).is_empty() {
            return self.pen.note(Code::Pattern, value, if self.version == Version::V20 { "2.0" } else { "" });
        }
        let Ok(parsed) = pattern::parse_version(text, language(self.version)) else { return };
        let mut paths = Vec::new();
        of_observation(&parsed.expression, &mut paths);
        for path in paths {
            self.pattern_path(value, path);
        }
    }

    /// The names at the start of a path: an object's type and its property.
    fn pattern_path(&mut self, value: Value<'t>, path: &ObjectPath) {
        let object_type = path.object_type.as_ref();
        let shape = match self.version {
            Version::V21 => find(Version::V21, object_type).filter(|shape| shape.category == Category::Sco),
            Version::V20 => contained20(object_type),
        };
        let (strict, lax) = (self.pen.checks.wants(Code::CustomPrefix), self.pen.checks.wants(Code::CustomPrefixLax));
        if shape.is_none() {
            if !is_type(object_type) {
                self.pen.note(Code::PatternName, value, "a type must be 3 to 250 of a-z, 0-9 and hyphens");
            } else if strict && !names::has_source_prefix(object_type, b'-') {
                self.pen.note(Code::PatternName, value, "a custom type should begin with `x-source-`");
            } else if lax && !object_type.starts_with("x-") {
                self.pen.note(Code::PatternName, value, "a custom type should begin with `x-`");
            }
            self.pen.note(Code::TypesStrict, value, "");
        }
        let Some(StepKind::Property(name)) = path.steps.first().map(|step| &step.kind) else { return };
        if shape.is_some_and(|shape| shape.property(name).is_some()) {
            return;
        }
        if !names::is_property(name, Version::V20) {
            return self.pen.note(Code::PatternName, value, "a property must be 3 to 250 of a-z, 0-9 and `_`");
        }
        let Some(shape) = shape else { return };
        if strict && !names::has_source_prefix(name, b'_') {
            self.pen.note(Code::PatternName, value, "a custom property should begin with `x_source_`");
        } else if lax && !name.starts_with("x_") {
            self.pen.note(Code::PatternName, value, "a custom property should begin with `x_`");
        }
        self.pen.note(Code::PropertiesStrict, value, shape.name);
    }
}

/// What is wrong with the text of a pattern, for the walk and again for the message.
pub(super) fn faults(text: &str, version: Version) -> Vec<pattern::Error> {
    pattern::check_version(text, language(version))
}

fn language(version: Version) -> pattern::Version {
    match version {
        Version::V20 => pattern::Version::V20,
        Version::V21 => pattern::Version::V21,
    }
}

fn is_type(name: &str) -> bool {
    (3..=250).contains(&name.len())
        && name.split('-').all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        && !name.contains("--")
}

fn of_observation<'p>(expression: &'p ObservationExpression, paths: &mut Vec<&'p ObjectPath>) {
    match &expression.kind {
        ObservationKind::Observation(comparison) => of_comparison(comparison, paths),
        ObservationKind::Group(inner) | ObservationKind::Qualified(inner, _) => of_observation(inner, paths),
        ObservationKind::And(all) | ObservationKind::Or(all) | ObservationKind::FollowedBy(all) => {
            all.iter().for_each(|one| of_observation(one, paths));
        }
    }
}

fn of_comparison<'p>(expression: &'p ComparisonExpression, paths: &mut Vec<&'p ObjectPath>) {
    match &expression.kind {
        ComparisonKind::Comparison(comparison) => paths.push(&comparison.path),
        ComparisonKind::Exists { path, .. } => paths.push(path),
        ComparisonKind::Group(inner) => of_comparison(inner, paths),
        ComparisonKind::And(all) | ComparisonKind::Or(all) => all.iter().for_each(|one| of_comparison(one, paths)),
    }
}
