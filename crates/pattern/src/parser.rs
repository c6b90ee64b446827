//! From text to tree (published grammar; STIX 2.1 §9.3–9.7) with one token of look-ahead. Nothing recurses: open
//! parentheses wait on a stack whose height is bounded, and chains of AND, OR and FOLLOWEDBY are loops.

use base64::Engine as _;

use crate::ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operand,
    Operator, Pattern, Qualifier, QualifierKind, Span, Step, StepKind,
};
use crate::chain::Chain;
use crate::check::Version;
use crate::constant::{BASE64, Constant, Timestamp, Value};
use crate::error::Error;
use crate::lexer::{Keyword, Lexer, Token};

/// The longest pattern that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// How deep parentheses may nest, those around observations and those within brackets together.
pub const MAX_DEPTH: usize = 256;

/// Reads a pattern of STIX 2.1.
///
/// # Errors
/// The first place where the text leaves the grammar (STIX 2.1 §9), or a limit that it passes: [`MAX_BYTES`],
/// [`MAX_DEPTH`].
pub fn parse(text: &str) -> Result<Pattern, Error> {
    parse_version(text, Version::V21)
}

/// Reads a pattern of the given version: 2.0 knows no EXISTS, and writes START and STOP with `t'…'` or plain strings.
///
/// # Errors
/// As [`parse`].
pub fn parse_version(text: &str, version: Version) -> Result<Pattern, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error {
            span: MAX_BYTES..text.len(),
            message: format!("pattern has {} bytes: at most {MAX_BYTES} are read", text.len()),
        });
    }
    let expression = Parser::new(text, version)?.observations()?;
    Ok(Pattern { expression })
}

struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    version: Version,
    /// The token not yet taken, where it stands, and where the one before it stood.
    token: Token<'t>,
    span: Span,
    before: Span,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, version: Version) -> Result<Self, Error> {
        let mut lexer = Lexer::new(text);
        let (token, span) = lexer.next()?;
        Ok(Self { text, lexer, version, token, span, before: Span::default() })
    }

    fn take(&mut self) -> Result<(), Error> {
        self.before = self.span;
        (self.token, self.span) = self.lexer.next()?;
        Ok(())
    }

    fn take_if(&mut self, token: Token<'_>) -> Result<bool, Error> {
        let same = self.token == token;
        if same {
            self.take()?;
        }
        Ok(same)
    }

    fn take_keyword(&mut self, keyword: Keyword) -> Result<bool, Error> {
        self.take_if(Token::Keyword(keyword))
    }

    fn expect(&mut self, token: Token<'_>, expected: &str) -> Result<(), Error> {
        if self.take_if(token)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &str) -> Error {
        let found = match self.text.get(self.span.start as usize..self.span.end as usize) {
            Some(text) if !text.is_empty() => {
                let mut shown: String = text.chars().take(40).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                format!("`{}`", shown.escape_debug())
            }
            _ => "the end".to_owned(),
        };
        Error::new(self.span, format!("expected {expected}, found {found}"))
    }

    /// Takes a `(` below `depth` others.
    fn enter(&mut self, depth: usize) -> Result<(), Error> {
        if depth >= MAX_DEPTH {
            return Err(Error::new(self.span, format!("parentheses nest deeper than {MAX_DEPTH}")));
        }
        self.take()
    }

    /// Observation expressions (STIX 2.1 §9.5).
    fn observations(&mut self) -> Result<ObservationExpression, Error> {
        let mut outer = Vec::new();
        let mut chain = Chain::new(self.span);
        loop {
            let start = self.span;
            let mut operand = if self.take_if(Token::LeftBracket)? {
                let comparison = self.comparisons(outer.len())?;
                let kind = ObservationKind::Observation(comparison);
                ObservationExpression { kind, span: start.to(self.before) }
            } else if self.token == Token::LeftParenthesis {
                self.enter(outer.len())?;
                outer.push(std::mem::replace(&mut chain, Chain::new(start)));
                continue;
            } else {
                return Err(self.unexpected("`[` or `(`"));
            };
            loop {
                operand = self.qualified(operand)?;
                match (self.token, outer.is_empty()) {
                    (Token::Keyword(Keyword::And), _) => chain.put(operand, 0),
                    (Token::Keyword(Keyword::Or), _) => chain.put(operand, 1),
                    (Token::Keyword(Keyword::FollowedBy), _) => chain.put(operand, 2),
                    (Token::RightParenthesis, false) => {
                        let inner = chain.finish(operand);
                        self.take()?;
                        let span = chain.start.to(self.before);
                        operand = ObservationExpression { kind: ObservationKind::Group(Box::new(inner)), span };
                        chain = outer.pop().unwrap_or(Chain::new(span));
                        continue;
                    }
                    (Token::End, true) => return Ok(chain.finish(operand)),
                    (_, true) => return Err(self.unexpected("`AND`, `OR`, `FOLLOWEDBY`, a qualifier or the end")),
                    (_, false) => return Err(self.unexpected("`AND`, `OR`, `FOLLOWEDBY`, a qualifier or `)`")),
                }
                self.take()?;
                break;
            }
        }
    }

    fn qualified(&mut self, inner: ObservationExpression) -> Result<ObservationExpression, Error> {
        let mut qualifiers = Vec::new();
        while let Some(qualifier) = self.qualifier()? {
            qualifiers.push(qualifier);
        }
        if qualifiers.is_empty() {
            return Ok(inner);
        }
        let span = inner.span.to(self.before);
        Ok(ObservationExpression { kind: ObservationKind::Qualified(Box::new(inner), qualifiers), span })
    }

    /// STIX 2.1 §9.5.1.
    fn qualifier(&mut self) -> Result<Option<Qualifier>, Error> {
        let start = self.span;
        let kind = match self.token {
            Token::Keyword(Keyword::Start) => {
                self.take()?;
                let start = self.instant()?;
                self.expect(Token::Keyword(Keyword::Stop), "`STOP`")?;
                QualifierKind::StartStop { start, stop: self.instant()? }
            }
            Token::Keyword(Keyword::Within) => {
                self.take()?;
                let seconds = self.window()?;
                self.expect(Token::Keyword(Keyword::Seconds), "`SECONDS`")?;
                QualifierKind::Within { seconds }
            }
            Token::Keyword(Keyword::Repeats) => {
                self.take()?;
                let times = self.repetitions()?;
                self.expect(Token::Keyword(Keyword::Times), "`TIMES`")?;
                QualifierKind::Repeats { times }
            }
            _ => return Ok(None),
        };
        Ok(Some(Qualifier { kind, span: start.to(self.before) }))
    }

    fn instant(&mut self) -> Result<Constant, Error> {
        let span = self.span;
        let timestamp = match self.token {
            Token::Timestamp(text) => Timestamp::parse(text),
            Token::String(text) if self.version == Version::V20 => Timestamp::parse(&text.text()),
            _ => return Err(self.unexpected("a timestamp as in `t'2026-01-31T00:00:00Z'`")),
        };
        let value = Value::Timestamp(timestamp.ok_or_else(|| malformed_timestamp(span))?);
        self.take()?;
        Ok(Constant { value, span })
    }

    fn window(&mut self) -> Result<Constant, Error> {
        let span = self.span;
        let value = match self.token {
            Token::Integer(seconds) if seconds > 0 => Value::Integer(seconds),
            Token::Float(seconds) if seconds > 0.0 => Value::Float(seconds),
            _ => return Err(self.unexpected("a number of seconds greater than zero")),
        };
        self.take()?;
        Ok(Constant { value, span })
    }

    fn repetitions(&mut self) -> Result<u64, Error> {
        match self.token {
            Token::Integer(times @ 1..) => {
                self.take()?;
                Ok(times.unsigned_abs())
            }
            _ => Err(self.unexpected("a whole number greater than zero")),
        }
    }

    /// Comparison expressions (STIX 2.1 §9.6) up to and with the `]`, below `depth` open parentheses.
    fn comparisons(&mut self, depth: usize) -> Result<ComparisonExpression, Error> {
        let mut outer = Vec::new();
        let mut chain = Chain::new(self.span);
        loop {
            let start = self.span;
            if self.token == Token::LeftParenthesis {
                self.enter(depth + outer.len())?;
                outer.push(std::mem::replace(&mut chain, Chain::new(start)));
                continue;
            }
            let kind = self.test()?;
            let mut operand = ComparisonExpression { kind, span: start.to(self.before) };
            loop {
                match (self.token, outer.is_empty()) {
                    (Token::Keyword(Keyword::And), _) => chain.put(operand, 0),
                    (Token::Keyword(Keyword::Or), _) => chain.put(operand, 1),
                    (Token::RightParenthesis, false) => {
                        let inner = chain.finish(operand);
                        self.take()?;
                        let span = chain.start.to(self.before);
                        operand = ComparisonExpression { kind: ComparisonKind::Group(Box::new(inner)), span };
                        chain = outer.pop().unwrap_or(Chain::new(span));
                        continue;
                    }
                    (Token::RightBracket, true) => {
                        self.take()?;
                        return Ok(chain.finish(operand));
                    }
                    (_, true) => return Err(self.unexpected("`AND`, `OR` or `]`")),
                    (_, false) => return Err(self.unexpected("`AND`, `OR` or `)`")),
                }
                self.take()?;
                break;
            }
        }
    }

    fn test(&mut self) -> Result<ComparisonKind, Error> {
        let exists = matches!(self.token, Token::Keyword(Keyword::Not | Keyword::Exists));
        if !exists || self.version == Version::V20 {
            return Ok(ComparisonKind::Comparison(self.comparison()?));
        }
        let negated = self.take_keyword(Keyword::Not)?;
        self.expect(Token::Keyword(Keyword::Exists), "`EXISTS` (any other `NOT` stands between path and operator)")?;
        Ok(ComparisonKind::Exists { path: self.path()?, negated })
    }

    fn comparison(&mut self) -> Result<Comparison, Error> {
        let path = self.path()?;
        let negated = self.take_keyword(Keyword::Not)?;
        let operator = match self.token {
            Token::Comparison(operator) => operator,
            Token::Keyword(Keyword::In) => Operator::In,
            Token::Keyword(Keyword::Like) => Operator::Like,
            Token::Keyword(Keyword::Matches) => Operator::Matches,
            Token::Keyword(Keyword::IsSubset) => Operator::IsSubset,
            Token::Keyword(Keyword::IsSuperset) => Operator::IsSuperset,
            _ if negated => return Err(self.unexpected("a comparison operator")),
            _ => return Err(self.unexpected("a step of the path or a comparison operator")),
        };
        self.take()?;
        let operand = match operator {
            Operator::Equal | Operator::NotEqual => Operand::Constant(self.constant("a constant")?),
            Operator::In => Operand::Set(self.set()?),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => match self.token {
                Token::Keyword(_) => return Err(self.unexpected("a constant that has an order")),
                _ => Operand::Constant(self.constant("a constant that has an order")?),
            },
            Operator::Like | Operator::Matches | Operator::IsSubset | Operator::IsSuperset => match self.token {
                Token::String(_) => Operand::Constant(self.constant("a string")?),
                _ => return Err(self.unexpected("a string in single quotes")),
            },
        };
        Ok(Comparison { path, negated, operator, operand })
    }

    fn set(&mut self) -> Result<Vec<Constant>, Error> {
        self.expect(Token::LeftParenthesis, "`(`")?;
        let mut constants = Vec::new();
        if self.take_if(Token::RightParenthesis)? {
            return Ok(constants);
        }
        loop {
            constants.push(self.constant("a constant")?);
            if !self.take_if(Token::Comma)? {
                self.expect(Token::RightParenthesis, "`,` or `)`")?;
                return Ok(constants);
            }
        }
    }

    /// STIX 2.1 §9.2.
    fn constant(&mut self, expected: &str) -> Result<Constant, Error> {
        let span = self.span;
        let value = match self.token {
            Token::String(text) => Value::String(text.text().into()),
            Token::Integer(value) => Value::Integer(value),
            Token::Float(value) => Value::Float(value),
            Token::Keyword(Keyword::True) => Value::Boolean(true),
            Token::Keyword(Keyword::False) => Value::Boolean(false),
            Token::Hex(text) => Value::Hex(decode_hex(text, span)?),
            Token::Binary(text) => Value::Binary(decode_binary(text, span)?),
            Token::Timestamp(text) => {
                Value::Timestamp(Timestamp::parse(text).ok_or_else(|| malformed_timestamp(span))?)
            }
            _ => return Err(self.unexpected(expected)),
        };
        self.take()?;
        Ok(Constant { value, span })
    }

    // Object paths (STIX 2.1 §9.7).

    fn path(&mut self) -> Result<ObjectPath, Error> {
        let start = self.span;
        let (Token::Identifier(object_type) | Token::HyphenatedIdentifier(object_type)) = self.token else {
            return Err(self.unexpected("an object type, as in `file:name`"));
        };
        self.take()?;
        self.expect(Token::Colon, "`:` between object type and property")?;
        // Most paths have one to three steps.
        let mut steps = Vec::with_capacity(3);
        steps.push(self.property()?);
        loop {
            if self.take_if(Token::Dot)? {
                steps.push(self.property()?);
            } else if self.token == Token::LeftBracket {
                steps.push(self.element()?);
            } else {
                return Ok(ObjectPath { object_type: object_type.into(), steps, span: start.to(self.before) });
            }
        }
    }

    fn property(&mut self) -> Result<Step, Error> {
        let span = self.span;
        let name = match self.token {
            Token::Identifier(name) => name.into(),
            Token::String(text) => text.text().into(),
            Token::HyphenatedIdentifier(_) => {
                return Err(Error::new(span, "a property with a hyphen stands in single quotes"));
            }
            Token::Keyword(_) => {
                return Err(Error::new(span, "a property named as a keyword stands in single quotes"));
            }
            _ => return Err(self.unexpected("a property")),
        };
        self.take()?;
        Ok(Step { kind: StepKind::Property(name), span })
    }

    fn element(&mut self) -> Result<Step, Error> {
        let start = self.span;
        self.take()?;
        let kind = match self.token {
            Token::Star => StepKind::Any,
            Token::Integer(index @ 0..) => StepKind::Index(index.unsigned_abs()),
            _ => return Err(self.unexpected("`*` or a whole number from 0")),
        };
        self.take()?;
        self.expect(Token::RightBracket, "`]`")?;
        Ok(Step { kind, span: start.to(self.before) })
    }
}

fn decode_hex(text: &str, span: Span) -> Result<Box<[u8]>, Error> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(|| Error::new(span, "hex constant must have an even number of hexadecimal digits"))
}

/// Line feeds inside are supported, as the text asks (STIX 2.1 §9.2).
fn decode_binary(text: &str, span: Span) -> Result<Box<[u8]>, Error> {
    let decoded =
        if text.contains(['\n', '\r']) { BASE64.decode(text.replace(['\n', '\r'], "")) } else { BASE64.decode(text) };
    match decoded {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes.into()),
        _ => Err(Error::new(span, "binary constant must be base64 with padding, and not empty")),
    }
}

fn malformed_timestamp(span: Span) -> Error {
    Error::new(span, "timestamp must be of the form `YYYY-MM-DDTHH:MM:SS[.f]Z`, each field in its range")
}
