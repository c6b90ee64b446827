//! A pattern as text again: one blank between tokens, names quoted only where the grammar asks for it, and always a
//! text that parses to an equal tree.

use std::fmt::{self, Display, Formatter, Write as _};

use base64::Engine as _;

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operand,
    Pattern, Qualifier, QualifierKind, StepKind,
};
use crate::constant::{BASE64, Constant, Value};
use crate::lexer::is_plain_property;

impl Display for Pattern {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(out)
    }
}

impl Display for ObservationExpression {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ObservationKind::Observation(comparison) => write!(out, "[{comparison}]"),
            ObservationKind::Group(inner) => write!(out, "({inner})"),
            ObservationKind::And(operands) => joined(out, operands, " AND "),
            ObservationKind::Or(operands) => joined(out, operands, " OR "),
            ObservationKind::FollowedBy(operands) => joined(out, operands, " FOLLOWEDBY "),
            ObservationKind::Qualified(inner, qualifiers) => {
                inner.fmt(out)?;
                qualifiers.iter().try_for_each(|qualifier| write!(out, " {qualifier}"))
            }
        }
    }
}

impl Display for Qualifier {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            QualifierKind::StartStop { start, stop } => write!(out, "START {start} STOP {stop}"),
            QualifierKind::Within { seconds } => write!(out, "WITHIN {seconds} SECONDS"),
            QualifierKind::Repeats { times } => write!(out, "REPEATS {times} TIMES"),
        }
    }
}

impl Display for ComparisonExpression {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ComparisonKind::Comparison(comparison) => comparison.fmt(out),
            ComparisonKind::Exists { path, negated } => {
                write!(out, "{}EXISTS {path}", if *negated { "NOT " } else { "" })
            }
            ComparisonKind::Group(inner) => write!(out, "({inner})"),
            ComparisonKind::And(operands) => joined(out, operands, " AND "),
            ComparisonKind::Or(operands) => joined(out, operands, " OR "),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let not = if self.negated { " NOT" } else { "" };
        write!(out, "{}{not} {} ", self.path, self.operator.symbol())?;
        match &self.operand {
            Operand::Constant(constant) => constant.fmt(out),
            Operand::Set(constants) => {
                out.write_char('(')?;
                joined(out, constants, ", ")?;
                out.write_char(')')
            }
        }
    }
}

impl Display for ObjectPath {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(&self.object_type)?;
        let mut before = ':';
        for step in &self.steps {
            match &step.kind {
                StepKind::Property(name) if is_plain_property(name) => write!(out, "{before}{name}")?,
                StepKind::Property(name) => {
                    out.write_char(before)?;
                    quoted(out, name)?;
                }
                StepKind::Index(index) => write!(out, "[{index}]")?,
                StepKind::Any => out.write_str("[*]")?,
            }
            before = '.';
        }
        Ok(())
    }
}

impl Display for Constant {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Boolean(value) => value.fmt(out),
            Value::Integer(value) => value.fmt(out),
            Value::Float(value) => {
                // Rust writes every digit and no exponent, but no point behind a whole number.
                let text = value.to_string();
                let point = if text.contains('.') { "" } else { ".0" };
                write!(out, "{text}{point}")
            }
            Value::String(text) => quoted(out, text),
            Value::Binary(bytes) => write!(out, "b'{}'", BASE64.encode(bytes)),
            Value::Hex(bytes) => {
                out.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
                out.write_char('\'')
            }
            Value::Timestamp(timestamp) => write!(out, "t'{}'", timestamp.text),
        }
    }
}

fn joined(out: &mut Formatter<'_>, items: &[impl Display], between: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(between)?;
        }
        item.fmt(out)?;
    }
    Ok(())
}

fn quoted(out: &mut Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('\'')?;
    for part in text.split_inclusive(['\'', '\\']) {
        match part.strip_suffix(['\'', '\\']) {
            Some(plain) => write!(out, "{plain}\\{}", part.get(plain.len()..).unwrap_or_default())?,
            None => out.write_str(part)?,
        }
    }
    out.write_char('\'')
}
