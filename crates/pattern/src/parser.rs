//! From text to tree (published grammar; STIX 2.1 §9.3–9.7) with one token of look-ahead. Nothing recurses: open
//! parentheses wait on a stack whose height is bounded, and chains of AND, OR and FOLLOWEDBY are loops.

use std::borrow::Cow;

use base64::Engine as _;

use crate::ast::{Operator, Pattern, QualifierKind, Span};
use crate::build::{Build, FoundConstant, FoundOperand, FoundStep, Tree};
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
    match read(text, version, Tree) {
        Ok((expression, Tree)) => Ok(Pattern { expression }),
        Err(error) => Err(*error),
    }
}

/// Reads a pattern and hands its parts over; gives back what was made of the whole, and who made it.
pub(crate) fn read<'t, B: Build<'t>>(
    text: &'t str,
    version: Version,
    build: B,
) -> Result<(B::Observation, B), Box<Error>> {
    if text.len() > MAX_BYTES {
        return Err(Box::new(Error {
            span: MAX_BYTES..text.len(),
            message: format!("pattern has {} bytes: at most {MAX_BYTES} are read", text.len()),
        }));
    }
    let mut parser = Parser { text, lexer: Lexer::new(text), version, build };
    parser.lexer.take()?;
    let whole = parser.observations()?;
    Ok((whole, parser.build))
}

struct Parser<'t, B> {
    text: &'t str,
    lexer: Lexer<'t>,
    version: Version,
    build: B,
}

impl<'t, B: Build<'t>> Parser<'t, B> {
    fn take(&mut self) -> Result<(), Box<Error>> {
        self.lexer.take()
    }

    fn take_if(&mut self, token: Token<'_>) -> Result<bool, Box<Error>> {
        let same = self.lexer.token.is(token);
        if same {
            self.take()?;
        }
        Ok(same)
    }

    fn take_keyword(&mut self, keyword: Keyword) -> Result<bool, Box<Error>> {
        self.take_if(Token::Keyword(keyword))
    }

    fn expect(&mut self, token: Token<'_>, expected: &str) -> Result<(), Box<Error>> {
        if self.take_if(token)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Box<Error> {
        let span = self.lexer.span;
        let found = match self.text.get(span.start as usize..span.end as usize) {
            Some(text) if !text.is_empty() => {
                let mut shown: String = text.chars().take(40).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                format!("`{}`", shown.escape_debug())
            }
            _ => "the end".to_owned(),
        };
        Error::boxed(span, format!("expected {expected}, found {found}"))
    }

    /// Takes a `(` below `depth` others.
    fn enter(&mut self, depth: usize) -> Result<(), Box<Error>> {
        if depth >= MAX_DEPTH {
            return Err(Error::boxed(self.lexer.span, format!("parentheses nest deeper than {MAX_DEPTH}")));
        }
        self.take()
    }

    /// Observation expressions (STIX 2.1 §9.5).
    fn observations(&mut self) -> Result<B::Observation, Box<Error>> {
        let mut outer = Vec::new();
        let mut chain = Chain::new(self.lexer.span);
        loop {
            let start = self.lexer.span;
            let mut operand = if self.take_if(Token::LeftBracket)? {
                let comparison = self.comparisons(outer.len())?;
                self.build.observation(comparison, start.to(self.lexer.before))
            } else if self.lexer.token.is(Token::LeftParenthesis) {
                self.enter(outer.len())?;
                outer.push(std::mem::replace(&mut chain, Chain::new(start)));
                continue;
            } else {
                return Err(self.unexpected("`[` or `(`"));
            };
            let mut bracketed = true;
            loop {
                operand = self.qualified(operand, bracketed)?;
                match (self.lexer.token, outer.is_empty()) {
                    (Token::Keyword(Keyword::And), _) => chain.put(operand, 0),
                    (Token::Keyword(Keyword::Or), _) => chain.put(operand, 1),
                    (Token::Keyword(Keyword::FollowedBy), _) => chain.put(operand, 2),
                    (Token::RightParenthesis, false) => {
                        let inner = chain.finish(operand);
                        self.take()?;
                        let span = chain.start.to(self.lexer.before);
                        operand = self.build.observation_group(inner, span);
                        bracketed = false;
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

    fn qualified(&mut self, inner: B::Observation, bracketed: bool) -> Result<B::Observation, Box<Error>> {
        let mut start = self.lexer.span;
        let Some(mut kind) = self.qualifier()? else { return Ok(inner) };
        let mut qualifiers = B::Qualifiers::default();
        loop {
            self.build.qualifier(&mut qualifiers, kind, start.to(self.lexer.before), bracketed);
            start = self.lexer.span;
            match self.qualifier()? {
                Some(another) => kind = another,
                None => return Ok(self.build.qualified(inner, qualifiers, self.lexer.before)),
            }
        }
    }

    /// STIX 2.1 §9.5.1.
    fn qualifier(&mut self) -> Result<Option<QualifierKind>, Box<Error>> {
        let kind = match self.lexer.token {
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
        Ok(Some(kind))
    }

    fn instant(&mut self) -> Result<Constant, Box<Error>> {
        let span = self.lexer.span;
        let timestamp = match self.lexer.token {
            Token::Timestamp(text) => Timestamp::parse(text),
            Token::String(text) if self.version == Version::V20 => Timestamp::parse(&text.text()),
            _ => return Err(self.unexpected("a timestamp as in `t'2026-01-31T00:00:00Z'`")),
        };
        let value = Value::Timestamp(timestamp.ok_or_else(|| malformed_timestamp(span))?);
        self.take()?;
        Ok(Constant { value, span })
    }

    fn window(&mut self) -> Result<Constant, Box<Error>> {
        let span = self.lexer.span;
        let value = match self.lexer.token {
            Token::Integer(seconds) if seconds > 0 => Value::Integer(seconds),
            Token::Float(seconds) if seconds > 0.0 => Value::Float(seconds),
            _ => return Err(self.unexpected("a number of seconds greater than zero")),
        };
        self.take()?;
        Ok(Constant { value, span })
    }

    fn repetitions(&mut self) -> Result<u64, Box<Error>> {
        match self.lexer.token {
            Token::Integer(times @ 1..) => {
                self.take()?;
                Ok(times.unsigned_abs())
            }
            _ => Err(self.unexpected("a whole number greater than zero")),
        }
    }

    /// Comparison expressions (STIX 2.1 §9.6) up to and with the `]`, below `depth` open parentheses.
    fn comparisons(&mut self, depth: usize) -> Result<B::Comparison, Box<Error>> {
        let mut outer = Vec::new();
        let mut chain = Chain::new(self.lexer.span);
        loop {
            let start = self.lexer.span;
            if self.lexer.token.is(Token::LeftParenthesis) {
                self.enter(depth + outer.len())?;
                outer.push(std::mem::replace(&mut chain, Chain::new(start)));
                continue;
            }
            let mut operand = self.test()?;
            loop {
                match (self.lexer.token, outer.is_empty()) {
                    (Token::Keyword(Keyword::And), _) => chain.put(operand, 0),
                    (Token::Keyword(Keyword::Or), _) => chain.put(operand, 1),
                    (Token::RightParenthesis, false) => {
                        let inner = chain.finish(operand);
                        self.take()?;
                        let span = chain.start.to(self.lexer.before);
                        operand = self.build.comparison_group(inner, span);
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

    fn test(&mut self) -> Result<B::Comparison, Box<Error>> {
        let exists = matches!(self.lexer.token, Token::Keyword(Keyword::Not | Keyword::Exists));
        if !exists || self.version == Version::V20 {
            return self.comparison();
        }
        let start = self.lexer.span;
        let negated = self.take_keyword(Keyword::Not)?;
        self.expect(Token::Keyword(Keyword::Exists), "`EXISTS` (any other `NOT` stands between path and operator)")?;
        let path = self.path()?;
        Ok(self.build.exists(path, negated, start.to(self.lexer.before)))
    }

    fn comparison(&mut self) -> Result<B::Comparison, Box<Error>> {
        let start = self.lexer.span;
        let path = self.path()?;
        let negated = self.take_keyword(Keyword::Not)?;
        let operator = match self.lexer.token {
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
            Operator::Equal | Operator::NotEqual => FoundOperand::One(self.constant(operator, "a constant")?),
            Operator::In => FoundOperand::Set(self.set()?),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                match self.lexer.token {
                    Token::Keyword(_) => return Err(self.unexpected("a constant that has an order")),
                    _ => FoundOperand::One(self.constant(operator, "a constant that has an order")?),
                }
            }
            Operator::Like | Operator::Matches | Operator::IsSubset | Operator::IsSuperset => match self.lexer.token {
                Token::String(_) => FoundOperand::One(self.constant(operator, "a string")?),
                _ => return Err(self.unexpected("a string in single quotes")),
            },
        };
        Ok(self.build.comparison((path, negated, operator), operand, start.to(self.lexer.before)))
    }

    fn set(&mut self) -> Result<Vec<B::Constant>, Box<Error>> {
        self.expect(Token::LeftParenthesis, "`(`")?;
        let mut constants = Vec::new();
        if self.take_if(Token::RightParenthesis)? {
            return Ok(constants);
        }
        loop {
            constants.push(self.constant(Operator::In, "a constant")?);
            if !self.take_if(Token::Comma)? {
                self.expect(Token::RightParenthesis, "`,` or `)`")?;
                return Ok(constants);
            }
        }
    }

    /// STIX 2.1 §9.2.
    fn constant(&mut self, operator: Operator, expected: &str) -> Result<B::Constant, Box<Error>> {
        let span = self.lexer.span;
        let value = match self.lexer.token {
            Token::String(text) => {
                let text = FoundConstant::String(text.text());
                self.take()?;
                return Ok(self.build.constant(operator, text, span));
            }
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
        Ok(self.build.constant(operator, FoundConstant::Other(value), span))
    }

    /// Object paths (STIX 2.1 §9.7).
    fn path(&mut self) -> Result<B::Path, Box<Error>> {
        let start = self.lexer.span;
        let (Token::Identifier(object_type) | Token::HyphenatedIdentifier(object_type)) = self.lexer.token else {
            return Err(self.unexpected("an object type, as in `file:name`"));
        };
        self.take()?;
        self.expect(Token::Colon, "`:` between object type and property")?;
        let mut path = self.build.path(object_type, start);
        self.property(&mut path)?;
        loop {
            if self.take_if(Token::Dot)? {
                self.property(&mut path)?;
            } else if self.lexer.token.is(Token::LeftBracket) {
                self.element(&mut path)?;
            } else {
                self.build.end_path(&mut path, start.to(self.lexer.before));
                return Ok(path);
            }
        }
    }

    fn property(&mut self, path: &mut B::Path) -> Result<(), Box<Error>> {
        let span = self.lexer.span;
        let name = match self.lexer.token {
            Token::Identifier(name) => Cow::Borrowed(name),
            Token::String(text) => text.text(),
            Token::HyphenatedIdentifier(_) => {
                return Err(Error::boxed(span, "a property with a hyphen stands in single quotes"));
            }
            Token::Keyword(_) => {
                return Err(Error::boxed(span, "a property named as a keyword stands in single quotes"));
            }
            _ => return Err(self.unexpected("a property")),
        };
        self.take()?;
        self.build.step(path, FoundStep::Property(name), span);
        Ok(())
    }

    fn element(&mut self, path: &mut B::Path) -> Result<(), Box<Error>> {
        let start = self.lexer.span;
        self.take()?;
        let step = match self.lexer.token {
            Token::Star => FoundStep::Any,
            Token::Integer(index @ 0..) => FoundStep::Index(index.unsigned_abs()),
            _ => return Err(self.unexpected("`*` or a whole number from 0")),
        };
        self.take()?;
        self.expect(Token::RightBracket, "`]`")?;
        self.build.step(path, step, start.to(self.lexer.before));
        Ok(())
    }
}

fn decode_hex(text: &str, span: Span) -> Result<Box<[u8]>, Box<Error>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(|| Error::boxed(span, "hex constant must have an even number of hexadecimal digits"))
}

/// Line feeds inside are supported, as the text asks (STIX 2.1 §9.2).
fn decode_binary(text: &str, span: Span) -> Result<Box<[u8]>, Box<Error>> {
    let decoded =
        if text.contains(['\n', '\r']) { BASE64.decode(text.replace(['\n', '\r'], "")) } else { BASE64.decode(text) };
    match decoded {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes.into()),
        _ => Err(Error::boxed(span, "binary constant must be base64 with padding, and not empty")),
    }
}

#[cold]
fn malformed_timestamp(span: Span) -> Box<Error> {
    Error::boxed(span, "timestamp must be of the form `YYYY-MM-DDTHH:MM:SS[.f]Z`, each field in its range")
}
