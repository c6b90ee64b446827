//! Bundles: object by object, so that a large one costs no more memory than its text and one object's tape. STIX 2.1 §8.

use super::{Error, Sink, UpgradedBundle, object};
use crate::json::{self, ErrorKind, Kind, Limits, Tape};

/// Upgrades a bundle and every object in it.
///
/// `limits` hold for each object; the size of the whole is the caller's to bound. Members other than `spec_version`
/// and `objects` stay as they are, and so does the white space between objects.
///
/// # Errors
/// If the text is no bundle, or an object of it no JSON object with a `type`.
pub fn bundle(text: &[u8], limits: &Limits) -> Result<UpgradedBundle, Error> {
    let mut reader = Reader { text, at: 0, limits, tape: Tape::new(), names: Vec::new(), is_bundle: false };
    let mut sink = Sink { out: Vec::with_capacity(text.len() + text.len() / 32), ..Sink::default() };
    reader.bundle(&mut sink)?;
    Ok(UpgradedBundle { text: sink.out, objects: sink.ends.len(), notes: sink.notes })
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    limits: &'t Limits,
    tape: Tape,
    /// Members seen, so that a name cannot come twice.
    names: Vec<String>,
    is_bundle: bool,
}

impl Reader<'_> {
    fn bundle(&mut self, sink: &mut Sink) -> Result<(), Error> {
        self.expect(b'{').map_err(|_| Error::NotABundle)?;
        sink.out.extend_from_slice(self.text.get(..self.at).unwrap_or_default());
        let mut first = true;
        while self.next() != Some(b'}') {
            let before = self.at;
            if !self.names.is_empty() {
                self.expect(b',')?;
                self.white();
            }
            let start = self.at;
            let name = self.name()?;
            if name == "spec_version" {
                self.value(&name)?;
                continue;
            }
            // The first member that stays takes no comma; others take their own.
            let from = if first { start } else { before };
            let lead = self.text.get(from..start).filter(|lead| first || lead.contains(&b',')).unwrap_or(b",");
            sink.out.extend_from_slice(lead);
            first = false;
            if name == "objects" {
                sink.out.extend_from_slice(self.text.get(start..self.at).unwrap_or_default());
                self.objects(sink)?;
            } else {
                self.value(&name)?;
                sink.out.extend_from_slice(self.text.get(start..self.at).unwrap_or_default());
            }
        }
        self.close(sink);
        self.white();
        match self.text.get(self.at) {
            Some(_) => Err(self.error(ErrorKind::Trailing)),
            None if self.is_bundle => Ok(()),
            None => Err(Error::NotABundle),
        }
    }

    /// The list of objects: what stands between two of them also stands between an object and its observables.
    fn objects(&mut self, sink: &mut Sink) -> Result<(), Error> {
        let start = self.at;
        self.expect(b'[').map_err(|_| Error::NotABundle)?;
        self.white();
        sink.out.extend_from_slice(self.text.get(start..self.at).unwrap_or_default());
        sink.separator = b",".to_vec();
        while self.next() != Some(b']') {
            if !sink.ends.is_empty() {
                let start = self.at;
                self.expect(b',')?;
                self.white();
                sink.separator.clear();
                sink.separator.extend_from_slice(self.text.get(start..self.at).unwrap_or_default());
            }
            let (value, end) = self.tape.parse_at(self.text, self.at, self.limits).map_err(Error::Json)?;
            if value.kind() != Kind::Object {
                return Err(Error::NotABundle);
            }
            object::upgrade(&value, sink)?;
            self.at = end;
        }
        self.close(sink);
        Ok(())
    }

    /// The name of a member and the colon after it, up to its value.
    fn name(&mut self) -> Result<String, Error> {
        let (value, end) = self.tape.parse_at(self.text, self.at, self.limits).map_err(Error::Json)?;
        let name = value.as_str().map(String::from);
        let Some(name) = name else { return Err(self.error(ErrorKind::ExpectedKey)) };
        if self.names.contains(&name) {
            return Err(self.error(ErrorKind::DuplicateKey));
        }
        self.at = end;
        self.names.push(name.clone());
        self.expect(b':')?;
        self.white();
        Ok(name)
    }

    fn value(&mut self, name: &str) -> Result<(), Error> {
        let (value, end) = self.tape.parse_at(self.text, self.at, self.limits).map_err(Error::Json)?;
        if name == "type" {
            self.is_bundle = value.as_str().as_deref() == Some("bundle");
        }
        self.at = end;
        Ok(())
    }

    /// The next byte that is not white.
    fn next(&self) -> Option<u8> {
        self.text.get(self.after_white()).copied()
    }

    /// Copies the bracket that comes next, and the white space before it.
    fn close(&mut self, sink: &mut Sink) {
        let end = self.after_white() + 1;
        sink.out.extend_from_slice(self.text.get(self.at..end).unwrap_or_default());
        self.at = end;
    }

    fn after_white(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
    }

    fn white(&mut self) {
        self.at = self.after_white();
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        self.white();
        if self.text.get(self.at) != Some(&byte) {
            let kind = match byte {
                b':' => ErrorKind::ExpectedColon,
                b',' => ErrorKind::ExpectedCommaOrBrace,
                _ => ErrorKind::ExpectedValue,
            };
            return Err(self.error(kind));
        }
        self.at += 1;
        Ok(())
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::Json(json::Error { offset: self.at, kind })
    }
}
