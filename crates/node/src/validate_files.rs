//! Files judged without a node.
//!
//! A document of ordinary size is judged as a whole, with what its objects say of each other. One that is larger
//! than [`WHOLE`] is judged object by object as it is read, so that memory stays bounded.

use crate::packed::{Budget, Source};
use std::io::{self, Read};
use std::sync::atomic::AtomicU64;
use stix::validate::{Finding, Options, Severity, Validator};

/// Documents up to this size are judged as a whole.
pub const WHOLE: usize = 256 << 20;

/// One thing that was found.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// Error or warning.
    #[serde(skip)]
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
            Ok(_) if text.len() > WHOLE => Err(io::ErrorKind::FileTooLarge.into()),
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
