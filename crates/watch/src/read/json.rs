//! JSON lines: one object a line, its fields by the map, by their names, or by what stands in them.

use super::gather::Gather;
use super::{Fault, FieldMap, Line, Sink};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The deepest nesting that is read; `serde_json` itself stops at 128.
const DEEPEST: usize = 64;
/// The longest path of names that is kept.
const LONGEST_PATH: usize = 1024;

/// Lines of JSON objects, or of arrays of them.
#[derive(Debug, Default)]
pub struct JsonLines {
    map: FieldMap,
    gather: Gather,
    path: String,
}

impl JsonLines {
    /// A reader with this map.
    #[must_use]
    pub fn new(map: FieldMap) -> Self {
        Self { map, ..Self::default() }
    }
}

impl Line for JsonLines {
    fn line(&mut self, line: &[u8], number: u64, sink: &mut Sink<'_>) -> Result<(), Fault> {
        self.gather.clear();
        self.path.clear();
        fields(line, &self.map, &mut self.path, &mut self.gather)?;
        self.gather.emit(number, line, sink);
        if self.gather.overflowed { Err(Fault::TooMuch) } else { Ok(()) }
    }
}

/// Adds the fields of a JSON object, or of an array of them, below a path.
pub(super) fn fields(json: &[u8], map: &FieldMap, path: &mut String, gather: &mut Gather) -> Result<(), Fault> {
    match json.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => {}
        _ => return Err(Fault::Broken),
    }
    // Bytes that are no UTF-8 spoil a value, not the event.
    let text = match std::str::from_utf8(json) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(json),
    };
    let start = path.len();
    let mut reader = serde_json::Deserializer::from_str(&text);
    let walk = Walk { map, path, gather, depth: 0 };
    let done = walk.deserialize(&mut reader).and_then(|()| reader.end());
    path.truncate(start);
    done.map_err(|_| Fault::Broken)
}

/// Walks over a value; `path` is where it stands.
struct Walk<'w> {
    map: &'w FieldMap,
    path: &'w mut String,
    gather: &'w mut Gather,
    depth: usize,
}

impl Walk<'_> {
    fn value(&mut self, value: &[u8]) {
        self.gather.add(self.path, self.map.get(self.path), value);
    }

    /// Numbers count where the map or the name says what they are.
    fn number(&mut self, number: &dyn fmt::Display) {
        if self.map.knows(self.path) {
            self.value(number.to_string().as_bytes());
        }
    }

    fn deeper<E: serde::de::Error>(&mut self) -> Result<Walk<'_>, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Walk { map: self.map, path: self.path, gather: self.gather, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.number(&number);
        Ok(())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.number(&number);
        Ok(())
    }

    fn visit_f64<E>(mut self, number: f64) -> Result<(), E> {
        self.number(&number);
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.value(text.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        let start = self.path.len();
        while let Some(key) = object.next_key::<Key<'de>>()? {
            if start > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key.0);
            if self.path.len() > LONGEST_PATH {
                return Err(A::Error::custom("the path of names is too long"));
            }
            object.next_value_seed(self.deeper()?)?;
            self.path.truncate(start);
        }
        Ok(())
    }
}

/// A name that is copied only if it has escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
