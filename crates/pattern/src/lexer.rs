//! The words of a pattern (STIX 2.1 §9.2, §9.7 and the published grammar), one at a time, over the author's bytes.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::ast::{Operator, Span};
use crate::error::Error;

/// Reserved words; none may stand unquoted as a property (published grammar). `true`, `false` and LAST are reserved too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keyword {
    And,
    Or,
    Not,
    FollowedBy,
    Like,
    Matches,
    IsSuperset,
    IsSubset,
    Exists,
    Last,
    In,
    Start,
    Stop,
    Seconds,
    Within,
    Repeats,
    Times,
    True,
    False,
}

impl Keyword {
    fn of(word: &str) -> Option<Self> {
        // Most words are names in lower case: spare them the comparisons.
        if !matches!(word.bytes().next(), Some(b'A'..=b'Z' | b't' | b'f')) {
            return None;
        }
        Some(match word {
            "AND" => Self::And,
            "OR" => Self::Or,
            "NOT" => Self::Not,
            "FOLLOWEDBY" => Self::FollowedBy,
            "LIKE" => Self::Like,
            "MATCHES" => Self::Matches,
            "ISSUPERSET" => Self::IsSuperset,
            "ISSUBSET" => Self::IsSubset,
            "EXISTS" => Self::Exists,
            "LAST" => Self::Last,
            "IN" => Self::In,
            "START" => Self::Start,
            "STOP" => Self::Stop,
            "SECONDS" => Self::Seconds,
            "WITHIN" => Self::Within,
            "REPEATS" => Self::Repeats,
            "TIMES" => Self::Times,
            "true" => Self::True,
            "false" => Self::False,
            _ => return None,
        })
    }
}

/// A token. Literals hold what stands between their quotes, still to be decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'t> {
    LeftBracket,
    RightBracket,
    LeftParenthesis,
    RightParenthesis,
    Colon,
    Dot,
    Comma,
    Star,
    /// One of `= == != <> < <= > >=`.
    Comparison(Operator),
    Keyword(Keyword),
    /// Letters, digits and `_`.
    Identifier(&'t str),
    /// The same with a `-` in it: an object type only.
    HyphenatedIdentifier(&'t str),
    String(Quoted<'t>),
    Hex(&'t str),
    Binary(&'t str),
    Timestamp(&'t str),
    Integer(i64),
    Float(f64),
    End,
}

impl Token<'_> {
    /// Whether it is this mark or keyword; of tokens with a content only the kind is compared.
    #[inline]
    pub(crate) fn is(&self, other: Token<'_>) -> bool {
        match (self, other) {
            (Self::Keyword(keyword), Token::Keyword(other)) => *keyword == other,
            (Self::Comparison(operator), Token::Comparison(other)) => *operator == other,
            (token, other) => std::mem::discriminant(token) == std::mem::discriminant(&other),
        }
    }
}

/// The inside of a string literal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'t> {
    raw: &'t str,
    escapes: bool,
}

impl<'t> Quoted<'t> {
    /// The text with `\'` and `\\` undone.
    pub(crate) fn text(self) -> Cow<'t, str> {
        if !self.escapes {
            return Cow::Borrowed(self.raw);
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut escaped = false;
        for character in self.raw.chars() {
            if character == '\\' && !escaped {
                escaped = true;
            } else {
                escaped = false;
                text.push(character);
            }
        }
        Cow::Owned(text)
    }
}

/// Whether a property name may stand without quotes.
pub(crate) fn is_plain_property(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && Keyword::of(name).is_none()
}

/// The largest whole number a pattern may hold, 2^53 − 1 (STIX 2.1 §9.2).
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// What a byte is within a word.
const PART: u8 = 1;
const HYPHEN: u8 = 2;

/// Letters, digits and `_` are parts of words, as is `-`, of which an object type alone may have some.
static IN_WORD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "the compiler runs it: an index outside would not compile")]
        #[expect(clippy::cast_possible_truncation, reason = "below 128")]
        {
            table[byte] = match byte as u8 {
                b'-' => HYPHEN,
                b'_' => PART,
                letter if letter.is_ascii_alphanumeric() => PART,
                _ => 0,
            };
        }
        byte += 1;
    }
    table
};

/// Reads with one token of look-ahead.
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// The token not yet taken, where it stands, and where the one before it stood; `End` from the end on.
    pub(crate) token: Token<'t>,
    pub(crate) span: Span,
    pub(crate) before: Span,
}

impl<'t> Lexer<'t> {
    /// Stands before the first token once [`take`](Self::take) was called. The text must be shorter than 4 GiB; the
    /// parser's limit is far below.
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, token: Token::End, span: Span::default(), before: Span::default() }
    }

    /// Takes the token: the next one stands there then.
    pub(crate) fn take(&mut self) -> Result<(), Box<Error>> {
        self.before = self.span;
        let mut first = self.byte(0);
        if first == Some(b' ') {
            self.at += 1;
            first = self.byte(0);
        }
        if matches!(first, Some(b'\t'..=b' ' | b'/' | 0x80..)) {
            self.skip_blanks()?;
            first = self.byte(0);
        }
        let start = self.at;
        self.token = match first {
            None => Token::End,
            Some(b'[') => self.advance(1, Token::LeftBracket),
            Some(b']') => self.advance(1, Token::RightBracket),
            Some(b'(') => self.advance(1, Token::LeftParenthesis),
            Some(b')') => self.advance(1, Token::RightParenthesis),
            Some(b':') => self.advance(1, Token::Colon),
            Some(b',') => self.advance(1, Token::Comma),
            Some(b'*') => self.advance(1, Token::Star),
            Some(b'=' | b'!' | b'<' | b'>') => self.comparison()?,
            Some(b'\'') => Token::String(self.string()?),
            Some(b'.') if !self.byte(1).is_some_and(|b| b.is_ascii_digit()) => self.advance(1, Token::Dot),
            Some(b'0'..=b'9' | b'.' | b'+' | b'-') => self.number()?,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word()?,
            Some(_) => return Err(self.stranger()),
        };
        self.span = span(start, self.at);
        Ok(())
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize, token: Token<'t>) -> Token<'t> {
        self.at += bytes;
        token
    }

    /// Unicode White_Space and the grammar's two kinds of comment.
    #[cold]
    fn skip_blanks(&mut self) -> Result<(), Box<Error>> {
        loop {
            match self.byte(0) {
                Some(b' ' | b'\t'..=b'\r') => self.at += 1,
                Some(b'/') if self.byte(1) == Some(b'*') => {
                    let inside = self.text.get(self.at + 2..).unwrap_or_default();
                    let length = inside.find("*/").ok_or_else(|| {
                        Error::boxed(span(self.at, self.at + 2), "comment has no end: `*/` is missing")
                    })?;
                    self.at += length + 4;
                }
                Some(b'/') if self.byte(1) == Some(b'/') => {
                    self.at += self.rest().find(['\n', '\r']).unwrap_or(self.rest().len());
                }
                Some(0x80..) => match self.rest().chars().next() {
                    Some(character) if character.is_whitespace() => self.at += character.len_utf8(),
                    _ => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn comparison(&mut self) -> Result<Token<'t>, Box<Error>> {
        let (length, operator) = match (self.byte(0), self.byte(1)) {
            (Some(b'='), Some(b'=')) => (2, Operator::Equal),
            (Some(b'='), _) => (1, Operator::Equal),
            (Some(b'!'), Some(b'=')) | (Some(b'<'), Some(b'>')) => (2, Operator::NotEqual),
            (Some(b'<'), Some(b'=')) => (2, Operator::LessOrEqual),
            (Some(b'<'), _) => (1, Operator::Less),
            (Some(b'>'), Some(b'=')) => (2, Operator::GreaterOrEqual),
            (Some(b'>'), _) => (1, Operator::Greater),
            _ => return Err(self.stranger()),
        };
        Ok(self.advance(length, Token::Comparison(operator)))
    }

    /// A word, or a literal that a letter begins: `h'…'`, `b'…'`, `t'…'`.
    fn word(&mut self) -> Result<Token<'t>, Box<Error>> {
        let rest = self.rest();
        let mut kinds = 0;
        let part = |byte: u8| IN_WORD.get(usize::from(byte)).copied().unwrap_or_default();
        let length = rest.bytes().map(part).take_while(|part| *part != 0).inspect(|part| kinds |= part).count();
        let word = rest.get(..length).unwrap_or_default();
        if length == 1 && self.byte(1) == Some(b'\'') && matches!(word, "h" | "b" | "t") {
            return self.prefixed(word);
        }
        self.at += length;
        Ok(match Keyword::of(word) {
            Some(keyword) => Token::Keyword(keyword),
            None if kinds & HYPHEN != 0 => Token::HyphenatedIdentifier(word),
            None => Token::Identifier(word),
        })
    }

    fn prefixed(&mut self, letter: &str) -> Result<Token<'t>, Box<Error>> {
        let inside = self.text.get(self.at + 2..).unwrap_or_default();
        let length = memchr(b'\'', inside.as_bytes())
            .ok_or_else(|| Error::boxed(span(self.at, self.at + 2), "constant has no closing quote"))?;
        let text = inside.get(..length).unwrap_or_default();
        Ok(self.advance(
            length + 3,
            match letter {
                "h" => Token::Hex(text),
                "b" => Token::Binary(text),
                _ => Token::Timestamp(text),
            },
        ))
    }

    fn string(&mut self) -> Result<Quoted<'t>, Box<Error>> {
        let start = self.at;
        let inside = self.text.get(start + 1..).unwrap_or_default();
        let mut length = 0;
        let mut escapes = false;
        loop {
            let rest = inside.as_bytes().get(length..).unwrap_or_default();
            let Some(offset) = memchr2(b'\'', b'\\', rest) else {
                return Err(Error::boxed(span(start, start + 1), "string has no closing quote"));
            };
            length += offset;
            match (rest.get(offset), rest.get(offset + 1)) {
                (Some(b'\''), _) => {
                    self.at = start + length + 2;
                    return Ok(Quoted { raw: inside.get(..length).unwrap_or_default(), escapes });
                }
                (_, Some(b'\'' | b'\\')) => {
                    escapes = true;
                    length += 2;
                }
                _ => {
                    let at = start + 1 + length;
                    return Err(Error::boxed(
                        span(at, at + 1),
                        "a backslash in a string is written twice: only `\\'` and `\\\\` are escapes",
                    ));
                }
            }
        }
    }

    fn number(&mut self) -> Result<Token<'t>, Box<Error>> {
        let start = self.at;
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let whole = digits(sign);
        let point = sign + whole;
        let fraction = if bytes.get(point) == Some(&b'.') { digits(point + 1) } else { 0 };
        if fraction > 0 {
            self.at += point + 1 + fraction;
            let text = rest.get(..point + 1 + fraction).unwrap_or_default();
            return match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Token::Float(value)),
                _ => Err(Error::boxed(span(start, self.at), "number is too large")),
            };
        }
        let error = |end: usize, message: &str| Err(Error::boxed(span(start, start + end), message));
        if whole == 0 {
            return error(sign.max(1), "digits must follow the sign");
        }
        if bytes.get(point) == Some(&b'.') {
            return error(point + 1, "digits must follow the decimal point");
        }
        if whole > 1 && bytes.get(sign) == Some(&b'0') {
            return error(point, "a whole number has no leading zeros");
        }
        self.at += point;
        match rest.get(..point).unwrap_or_default().parse::<i64>() {
            Ok(value) if value.abs() <= MAX_INTEGER => Ok(Token::Integer(value)),
            _ => error(point, "whole number is beyond 2^53 - 1"),
        }
    }

    /// The error for a character that begins no token.
    fn stranger(&self) -> Box<Error> {
        let character = self.rest().chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        let span = span(self.at, self.at + character.len_utf8());
        match character {
            '"' => Error::boxed(span, "strings stand in single quotes"),
            '!' => Error::boxed(span, "`!` must be followed by `=`"),
            _ => Error::boxed(span, format!("unexpected character `{}`", character.escape_debug())),
        }
    }
}

/// Offsets fit: the parser refuses texts above its limit first.
fn span(start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: offset(start), end: offset(end) }
}
