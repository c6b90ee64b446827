//! From a place in the file to the indicator that stands there.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use observable::{Claim, Kind};
use stix::json::Limits;

use super::bundle::Object;
use super::record::{Columns, MAX_LINE};

/// The way from a name in the set to the indicator, by reading the file again at that place. The file has to stay as it
/// was: what cannot be read as an indicator any more is none.
#[derive(Debug)]
pub struct Names<R> {
    source: R,
    form: Form,
}

#[derive(Debug)]
enum Form {
    List(Columns),
    /// With the places of objects that count no longer, in order.
    Bundle(Vec<u64>),
}

/// An indicator as its file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// Its id, where the file gives one.
    pub id: Option<Box<str>>,
    /// The values that it names; none if its pattern is general.
    pub claims: Vec<Claim>,
    /// The value as a list writes it: with a point before a domain whose subdomains are meant.
    written: Box<str>,
    /// From when on it holds, in microseconds since 1970 (STIX 2.1 §4.7).
    pub valid_from: Option<i64>,
    /// Until when it holds, in microseconds since 1970; that instant not included.
    pub valid_until: Option<i64>,
    /// How sure its author is, from 0 to 100 (STIX 2.1 Appendix A).
    pub confidence: Option<u8>,
}

impl Indicator {
    /// Its id where there is one, else its value as it was written.
    #[must_use]
    pub fn label(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.written)
    }

    /// Whether it names this value, compared by what was written: what confirms a hit.
    #[must_use]
    pub fn meets(&self, kind: Kind, value: &[u8]) -> bool {
        self.claims.iter().any(|claim| claim.meets(kind, value))
    }
}

impl<R: Read + Seek> Names<R> {
    pub(super) fn of_list(source: R, columns: Columns) -> Self {
        Self { source, form: Form::List(columns) }
    }

    pub(super) fn of_bundle(source: R, superseded: Vec<u64>) -> Self {
        Self { source, form: Form::Bundle(superseded) }
    }

    /// The indicator at a place; `None` if there is none, or a newer version of it is in the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn indicator(&mut self, name: u64) -> io::Result<Option<Indicator>> {
        match &self.form {
            Form::List(columns) => {
                let columns = *columns;
                let line = self.line(name)?;
                Ok(of_line(&line, columns))
            }
            Form::Bundle(superseded) if superseded.binary_search(&name).is_ok() => Ok(None),
            Form::Bundle(_) => {
                self.source.seek(SeekFrom::Start(name))?;
                let text = BufReader::new((&mut self.source).take(Limits::default().max_bytes as u64));
                let mut objects = serde_json::Deserializer::from_reader(text).into_iter::<Object>();
                Ok(objects.next().and_then(Result::ok).and_then(of_object))
            }
        }
    }

    fn line(&mut self, place: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.source.seek(SeekFrom::Start(place))?;
        let mut wanted = 512;
        while line.len() <= MAX_LINE {
            let before = line.len();
            let read = (&mut self.source).take(wanted).read_to_end(&mut line)?;
            if let Some(end) = line.get(before..).and_then(|new| memchr::memchr(b'\n', new)) {
                line.truncate(before + end);
                break;
            }
            if (read as u64) < wanted {
                break;
            }
            wanted *= 2;
        }
        Ok(line)
    }
}

fn of_line(line: &[u8], columns: Columns) -> Option<Indicator> {
    let record = columns.record(line).ok()??;
    let value = std::str::from_utf8(&record.value).ok()?;
    let claim = Claim {
        kind: record.kind,
        value: value.into(),
        itself: record.reach.itself,
        subdomains: record.reach.subdomains,
    };
    Some(Indicator {
        id: record.id.map(|id| String::from_utf8_lossy(&id).into()),
        claims: vec![claim],
        written: format!("{}{value}", record.mark).into(),
        valid_from: None,
        valid_until: None,
        confidence: None,
    })
}

fn of_object(object: Object) -> Option<Indicator> {
    if object.revoked == Some(true) {
        return None;
    }
    let pattern = object.pattern()?.ok()?;
    let (valid_from, valid_until) = object.window();
    Some(Indicator {
        claims: observable::claims(&pattern).unwrap_or_default(),
        written: pattern.to_string().into(),
        id: object.id,
        valid_from,
        valid_until,
        confidence: object.confidence.filter(|confidence| *confidence <= 100),
    })
}
