//! Files judged without a node.
//!
//! A document of ordinary size is judged as a whole, with what its objects say of each other. One that is larger
//! than [`WHOLE`] is judged object by object as it is read, so that memory stays bounded.

use crate::packed::{Budget, Source};
use std::io::{self, Read};
use std::sync::atomic::AtomicU64;
use stix::json::Limits;
use stix::split::{self, Splitter};
use stix::validate::{Code, Finding, Options, Severity, Validator};

/// Documents up to this size are judged as a whole.
pub const WHOLE: usize = 128 << 20;
/// Findings of a larger document that are kept, of each severity; all are counted.
const KEPT: usize = 10_000;

/// One thing that was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The object's id, where it has one that can be read.
    pub object: Option<String>,
    /// Where: a JSON path from the document's root.
    pub path: String,
    /// The rule: `STIX 2.1 §2.9`.
    pub clause: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The rule's stable name.
    pub code: &'static str,
    /// The number of the OASIS validator's check, where it has one.
    pub number: Option<u16>,
    /// Error or warning.
    pub severity: Severity,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        Self {
            object: finding.object,
            path: finding.path,
            clause: finding.clause.to_owned(),
            message: finding.message,
            code: finding.code.name(),
            number: finding.code.number(),
            severity: finding.severity,
        }
    }
}

impl Found {
    /// A document that cannot be read to its end.
    fn unreadable(code: &'static str, clause: &str, message: String) -> Self {
        let (path, clause) = ("$".to_owned(), clause.to_owned());
        Self { object: None, path, clause, message, code, number: None, severity: Severity::Error }
    }
}

/// What was found in one document.
pub struct Judgement<'a> {
    /// The file; for an entry of a zip `file!entry`.
    pub file: &'a str,
    /// Whether nothing makes it invalid.
    pub valid: bool,
    /// Objects in it; a bundle is none.
    pub objects: usize,
    /// How many errors.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
    findings: Findings<'a>,
}

enum Findings<'a> {
    Report(&'a stix::validate::Report<'a>),
    Kept(&'a [Found]),
}

impl Judgement<'_> {
    /// The findings of one severity, in the order of the document; of a very large document the first ones.
    pub fn findings(&self, severity: Severity) -> Box<dyn Iterator<Item = Found> + '_> {
        match &self.findings {
            Findings::Report(report) => {
                Box::new(report.findings().filter(move |finding| finding.severity == severity).map(Found::from))
            }
            Findings::Kept(kept) => Box::new(kept.iter().filter(move |found| found.severity == severity).cloned()),
        }
    }
}

/// Judges every document of a source and calls `each` with the outcome. `read` counts packed bytes for progress.
///
/// # Errors
/// When the source cannot be opened or read, or `each` fails. What is wrong with the packing is a finding.
pub fn judge(
    source: &Source,
    options: &Options,
    budget: &Budget,
    read: &AtomicU64,
    each: &mut dyn FnMut(&Judgement<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut validator = Validator::new(options.clone());
    let mut broken = None;
    let outcome = source.each(budget, read, &mut |name, reader| {
        let mut text = Vec::new();
        match (&mut *reader).take(WHOLE as u64 + 1).read_to_end(&mut text) {
            Ok(_) if text.len() > WHOLE => streamed(name, text, reader, options, each),
            Ok(_) => {
                let report = validator.document(&text);
                each(&Judgement {
                    file: name,
                    valid: report.valid(),
                    objects: report.objects(),
                    errors: report.errors(),
                    warnings: report.warnings(),
                    findings: Findings::Report(&report),
                })
            }
            Err(error) => {
                broken = (error.kind() == io::ErrorKind::InvalidData).then(|| (name.to_owned(), error.to_string()));
                Err(error)
            }
        }
    });
    match (outcome, broken) {
        (Err(_), Some((file, message))) => each(&badly_packed(&file, &[Found::unreadable("packing", "", message)])),
        // A zip whose table of contents is broken has no document at all.
        (Err(error), None) if error.kind() == io::ErrorKind::InvalidData => {
            each(&badly_packed(&source.name(), &[Found::unreadable("packing", "", error.to_string())]))
        }
        (outcome, _) => outcome,
    }
}

fn badly_packed<'a>(file: &'a str, findings: &'a [Found]) -> Judgement<'a> {
    Judgement { file, valid: false, objects: 0, errors: 1, warnings: 0, findings: Findings::Kept(findings) }
}

/// Judges a document object by object. What objects say of each other is not looked at.
fn streamed(
    file: &str,
    head: Vec<u8>,
    rest: &mut dyn Read,
    options: &Options,
    each: &mut dyn FnMut(&Judgement<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut validator = Validator::new(options.clone());
    let mut splitter = Splitter::new(io::Cursor::new(head).chain(rest), Limits::default());
    let (mut objects, mut errors, mut warnings) = (0, 0, 0);
    let (mut kept, mut room) = (Vec::new(), [KEPT; 2]);
    loop {
        let item = match splitter.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(split::Error::Read(error)) => return Err(error),
            Err(split::Error::Document(fault)) => {
                errors += 1;
                kept.push(Found::unreadable(Code::Json.name(), Code::Json.clause(), fault.to_string()));
                break;
            }
        };
        let checked = validator.object(item.text);
        objects += 1;
        errors += checked.errors();
        warnings += checked.warnings();
        let [errors_left, warnings_left] = room;
        if (checked.errors() > 0 && errors_left > 0) || (checked.warnings() > 0 && warnings_left > 0) {
            for finding in checked.findings() {
                let [errors_left, warnings_left] = &mut room;
                let left = if finding.severity == Severity::Error { errors_left } else { warnings_left };
                if *left > 0 {
                    *left -= 1;
                    let path = placed(&item.place, &finding.path);
                    let fault = finding.fault.map(|error| item.fault(error).to_string());
                    let found = Found::from(finding);
                    kept.push(Found { path, message: fault.unwrap_or(found.message), ..found });
                }
            }
        }
    }
    let valid = errors == 0 && (!options.strict || warnings == 0);
    each(&Judgement { file, valid, objects, errors, warnings, findings: Findings::Kept(&kept) })
}

/// The path from the document's root of what stands at `path` in the object at `place`.
pub(crate) fn placed(place: &split::Place, path: &str) -> String {
    format!("{place}{}", path.strip_prefix('$').unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"type":"url","spec_version":"2.1","id":"url--5f7a6c5e-6a4b-5d84-9d8a-2a1a52f6a3f1","value":"http://a.example/"}"#;

    /// Whatever the size of a document, the same is found in it.
    #[test]
    fn a_stream_is_judged_like_a_whole() {
        let wrong = GOOD.replace("\"value\"", "\"values\"");
        for (text, objects, valid) in [
            (format!("[{GOOD},{wrong}]"), 2, false),
            (format!("{{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{GOOD},{wrong}]}}"), 2, false),
            (format!("{GOOD}\n{GOOD}\n"), 2, true),
            (format!("[{GOOD},"), 1, false),
        ] {
            let mut found = Vec::new();
            let mut rest = &text.as_bytes()[10..];
            streamed("f", text.as_bytes()[..10].to_vec(), &mut rest, &Options::default(), &mut |judgement| {
                assert_eq!((judgement.objects, judgement.valid), (objects, valid), "{text}");
                found = judgement.findings(Severity::Error).filter(|found| found.path.contains(".objects[")).collect();
                Ok(())
            })
            .unwrap();
            let mut validator = Validator::new(Options::default());
            let report = validator.document(text.as_bytes());
            let whole: Vec<Found> = report.findings().map(Found::from).collect();
            assert_eq!((report.objects(), report.valid()), (objects, valid), "{text}");
            assert!(found.iter().all(|found| whole.contains(found)), "{found:?}\n{whole:?}");
        }
    }
}
