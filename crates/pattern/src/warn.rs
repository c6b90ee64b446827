//! What is odd about a valid pattern: it parses, and yet it will not do what its author thinks (STIX 2.1 §9.2–9.7).

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operator,
    Pattern, Qualifier, QualifierKind, Step, StepKind,
};
use crate::atoms;
use crate::constant::{Constant, Value};
use crate::error::Error;
use crate::matcher::Matcher;
use crate::schema::{self, Kind, Property, UNOBSERVABLE};

/// What is odd about a pattern, in the order of its text; a pattern with warnings is valid all the same:
///
/// - types and properties that STIX 2.1 §6 does not define (custom ones that begin with `x-` or `x_` are not told),
/// - constants of a type that the property never has, lists without `[n]` or `[*]`,
/// - tests that can never hold: AND over different types, `NOT EXISTS`, START not before STOP,
/// - constants with which a pattern cannot be matched ([`Matcher::new`]).
#[must_use]
pub fn warnings(pattern: &Pattern) -> Vec<Error> {
    let mut warnings = Warnings(Vec::new());
    warnings.observation(&pattern.expression);
    if let Err(error) = Matcher::new(pattern) {
        warnings.0.push(error);
    }
    warnings.0.sort_by_key(|warning| warning.span.start);
    warnings.0
}

struct Warnings(Vec<Error>);

impl Warnings {
    /// Recurses as deep as the parser lets parentheses nest, as does `comparison`.
    fn observation(&mut self, expression: &ObservationExpression) {
        match &expression.kind {
            ObservationKind::Observation(comparison) => {
                self.comparison(comparison);
                if atoms::alternatives(comparison).is_empty() {
                    self.impossible(comparison);
                }
            }
            ObservationKind::Group(inner) => self.observation(inner),
            ObservationKind::And(operands) | ObservationKind::Or(operands) | ObservationKind::FollowedBy(operands) => {
                operands.iter().for_each(|operand| self.observation(operand));
            }
            ObservationKind::Qualified(inner, qualifiers) => {
                self.observation(inner);
                qualifiers.iter().for_each(|qualifier| self.qualifier(qualifier));
            }
        }
    }

    fn warn(&mut self, span: crate::ast::Span, message: impl Into<String>) {
        self.0.push(Error::new(span, message));
    }

    fn impossible(&mut self, comparison: &ComparisonExpression) {
        let message = match &comparison.kind {
            ComparisonKind::And(_) => "this can never hold: AND asks one object to be of different types",
            _ => "this can never hold",
        };
        self.warn(comparison.span, message);
    }

    fn qualifier(&mut self, qualifier: &Qualifier) {
        if let QualifierKind::StartStop { start, stop } = &qualifier.kind
            && let (Value::Timestamp(start), Value::Timestamp(stop)) = (&start.value, &stop.value)
            && start.micros.zip(stop.micros).is_some_and(|(start, stop)| start >= stop)
        {
            self.warn(qualifier.span, "nothing is observed then: START is not before STOP");
        }
    }

    fn comparison(&mut self, expression: &ComparisonExpression) {
        match &expression.kind {
            ComparisonKind::Comparison(comparison) => self.test(comparison),
            ComparisonKind::Exists { path, negated } => {
                self.path(path);
                if *negated {
                    self.warn(expression.span, "`NOT EXISTS` never holds: a property that is absent meets no test");
                }
            }
            ComparisonKind::Group(inner) => self.comparison(inner),
            ComparisonKind::And(operands) | ComparisonKind::Or(operands) => {
                operands.iter().for_each(|operand| self.comparison(operand));
            }
        }
    }

    fn test(&mut self, comparison: &Comparison) {
        let of_addresses = matches!(comparison.operator, Operator::IsSubset | Operator::IsSuperset);
        let property = self.path(&comparison.path);
        if let Some(property) = property {
            for constant in comparison.operand.constants() {
                self.constant(comparison, property, constant);
            }
        }
        let names_address = matches!(&*comparison.path.object_type, "ipv4-addr" | "ipv6-addr");
        let through_reference = comparison.path.steps.len() > 1;
        if of_addresses
            && !names_address
            && !through_reference
            && schema::TYPES.contains(&&*comparison.path.object_type)
        {
            let name = comparison.operator.symbol();
            self.warn(
                comparison.path.span,
                format!("`{name}` compares addresses: `ipv4-addr:value`, `ipv6-addr:value`"),
            );
        }
    }

    /// Follows a path through the standard; what its end holds, where the standard says so.
    fn path(&mut self, path: &ObjectPath) -> Option<Property> {
        if !schema::TYPES.contains(&&*path.object_type) {
            if UNOBSERVABLE.contains(&&*path.object_type) {
                self.warn(
                    path.span,
                    format!("`{}` is no observable object: observed data never holds it", path.object_type),
                );
            } else if !path.object_type.starts_with("x-") {
                self.warn(path.span, format!("`{}` is no type of observable object in STIX 2.1", path.object_type));
            }
            return None;
        }
        let mut shape: &str = &path.object_type;
        let mut steps = path.steps.iter().peekable();
        loop {
            let step = steps.next()?;
            let StepKind::Property(name) = &step.kind else { return None };
            let Some(mut property) = schema::property(shape, name) else {
                if !name.starts_with("x_") {
                    self.warn(step.span, format!("`{shape}` has no property `{name}` in STIX 2.1"));
                }
                return None;
            };
            let index = steps.next_if(|step| !matches!(step.kind, StepKind::Property(_)));
            match (property.is_list, index) {
                (true, Some(_)) => property.is_list = false,
                (true, None) if steps.peek().is_some() => {
                    self.warn(step.span, format!("`{name}` is a list: its elements are `{name}[*]`"));
                    return None;
                }
                (false, Some(index)) => {
                    self.warn(index.span, format!("`{name}` is no list"));
                    return None;
                }
                _ => {}
            }
            if steps.peek().is_none() {
                return Some(property);
            }
            shape = match property.kind {
                Kind::Shape(shape) => shape,
                Kind::Hashes => return self.hash(steps.collect()),
                Kind::Extensions => self.extension(steps.next()?)?,
                Kind::Dictionary | Kind::Reference => return None,
                _ => {
                    self.warn(step.span, format!("`{name}` has no parts"));
                    return None;
                }
            };
        }
    }

    fn hash(&mut self, steps: Vec<&Step>) -> Option<Property> {
        match steps.as_slice() {
            [_] => Some(Property { kind: Kind::Text, is_list: false }),
            [_, further, ..] => {
                self.warn(further.span, "a hash has no parts");
                None
            }
            [] => None,
        }
    }

    /// The shape of an extension, if the standard defines it.
    fn extension(&mut self, step: &Step) -> Option<&'static str> {
        const KNOWN: [&str; 12] = [
            "archive-ext",
            "ntfs-ext",
            "pdf-ext",
            "raster-image-ext",
            "windows-pebinary-ext",
            "http-request-ext",
            "icmp-ext",
            "socket-ext",
            "tcp-ext",
            "windows-process-ext",
            "windows-service-ext",
            "unix-account-ext",
        ];
        let StepKind::Property(name) = &step.kind else { return None };
        KNOWN.into_iter().find(|known| known == &&**name)
    }

    fn constant(&mut self, comparison: &Comparison, property: Property, constant: &Constant) {
        // What never equals it still satisfies `!=`, on purpose or not.
        let message = match property {
            Property { is_list: true, .. } => "the property is a list: its elements are found with `[*]`".to_owned(),
            Property { kind: Kind::Reference, .. } => {
                "a reference stands for the object it names: compare one of that object's properties".to_owned()
            }
            Property { kind: Kind::Hashes | Kind::Dictionary | Kind::Extensions | Kind::Shape(_), .. } => {
                "the property has parts: name one of them".to_owned()
            }
            Property { kind, .. } if suits(kind, &constant.value, comparison.operator) => return,
            Property { kind, .. } => {
                format!("the property is {}: it never equals a {}", described(kind), constant.value.type_name())
            }
        };
        self.warn(constant.span, message);
    }
}

fn suits(kind: Kind, value: &Value, operator: Operator) -> bool {
    if matches!(operator, Operator::Like | Operator::Matches) {
        return !matches!(kind, Kind::Integer | Kind::Number | Kind::Boolean);
    }
    match value {
        Value::Boolean(_) => kind == Kind::Boolean,
        Value::Integer(_) | Value::Float(_) => matches!(kind, Kind::Integer | Kind::Number),
        Value::String(_) => matches!(kind, Kind::Text | Kind::Timestamp | Kind::Hex | Kind::Binary),
        Value::Binary(_) | Value::Hex(_) => matches!(kind, Kind::Text | Kind::Hex | Kind::Binary),
        Value::Timestamp(_) => kind == Kind::Timestamp,
    }
}

fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Timestamp => "a timestamp",
        Kind::Hex | Kind::Binary => "bytes",
        _ => "text",
    }
}
