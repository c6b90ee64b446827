//! `marsad validate`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Paint, Unit, note, progress, visible};
use node::packed::{Budget, Source};
use node::validate_files::{Found, Judgement, judge};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use stix::validate::{Options, Severity};

/// Findings that people are shown of a file.
const SHOWN: usize = 200;

/// Checks files against the STIX standard. No node is needed.
///
/// A file is a bundle, a TAXII envelope, an object, a list of objects, or JSON lines; .gz, .zst and .zip are opened;
/// `-` is standard input. A broken MUST is an error, a broken SHOULD or best practice a warning. STIX 2.0 is recognised
/// and judged by its own rules. Exit code 1 if any file is invalid.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad validate report.json
  marsad validate --strict feed/*.json.gz
  marsad validate --codes report.json                    by which check each finding was made
  marsad validate --disable extensions-use report.json   … and without one of them
  curl -s https://example.org/bundle.json | marsad validate --json -")]
pub(crate) struct Args {
    /// The files; `-` is standard input
    #[arg(required = true)]
    file: Vec<std::ffi::OsString>,
    /// Warnings make a file invalid, too
    #[arg(long)]
    strict: bool,
    /// Print one JSON value a file: {"file","valid","objects","errors":[F],"warnings":[F]},
    /// F = {"object","path","clause","message"}; "left_out" counts findings beyond those that are listed
    #[arg(long)]
    json: bool,
    /// Name the check of each finding, as --disable and --enable take it; in JSON "code" and "number" of each F
    #[arg(long)]
    codes: bool,
    /// Judge by this edition of STIX, whatever the objects say
    #[arg(long, value_name = "EDITION")]
    stix_version: Option<Edition>,
    /// Best-practice checks not to make, by name, number or group, with commas; --codes shows the names
    #[arg(long, value_name = "CHECKS", value_delimiter = ',')]
    disable: Vec<String>,
    /// Best-practice checks to make, and no others unless --disable is given
    #[arg(long, value_name = "CHECKS", value_delimiter = ',')]
    enable: Vec<String>,
    /// Warn of types that the standard does not define
    #[arg(long)]
    strict_types: bool,
    /// Warn of properties that the standard does not define
    #[arg(long)]
    strict_properties: bool,
    /// Warn of relationships whose ends are not in the same file
    #[arg(long)]
    enforce_refs: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Edition {
    /// STIX 2.0
    #[value(name = "2.0")]
    V20,
    /// STIX 2.1
    #[value(name = "2.1")]
    V21,
}

impl Args {
    fn options(&self) -> Options {
        let mut options = Options::default();
        options.strict = self.strict;
        options.disabled.clone_from(&self.disable);
        options.enabled.clone_from(&self.enable);
        options.strict_types = self.strict_types;
        options.strict_properties = self.strict_properties;
        options.enforce_refs = self.enforce_refs;
        options.version = self.stix_version.map(|edition| match edition {
            Edition::V20 => stix::head::SpecVersion::V20,
            Edition::V21 => stix::head::SpecVersion::V21,
        });
        options
    }
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    // No node is needed: budgets come from the defaults, the environment and `--set`.
    let limits = place.config(None, &[])?.limits;
    let budget = Budget { max_bytes: limits.max_unpacked_bytes, max_ratio: limits.max_unpack_ratio };
    let sources: Vec<Source> = args.file.iter().map(|name| Source::named(name)).collect();
    let options = args.options();
    let read = AtomicU64::new(0);
    let bar = progress(sources.iter().map(Source::size).sum(), Unit::Bytes);
    let paint = Paint::stdout();
    let (mut valid, mut unread) = (true, 0);
    for source in &sources {
        let mut output_failed = false;
        let outcome = judge(source, &options, &budget, &read, &mut |judgement| {
            valid &= judgement.valid;
            bar.set_position(read.load(Ordering::Relaxed));
            let written = bar.suspend(|| {
                if args.json { print_json(judgement, args.codes) } else { print(judgement, args.codes, paint) }
            });
            output_failed = written.is_err();
            written
        });
        match outcome {
            Err(error) if output_failed => return Err(error.into()),
            Err(error) => {
                unread += 1;
                bar.suspend(|| note(format!("marsad: cannot read {}: {error}", visible(&source.name()))));
            }
            Ok(()) => {}
        }
    }
    bar.finish_and_clear();
    if unread > 0 {
        return Err(Failure::could(format!("{unread} of {} files could not be read", sources.len())));
    }
    Ok(Verdict::good_if(valid))
}

/// A finding as it is written.
#[derive(serde::Serialize)]
struct F<'a> {
    object: Option<&'a str>,
    path: &'a str,
    clause: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u16>,
}

impl<'a> F<'a> {
    fn of(found: &'a Found, codes: bool) -> Self {
        let Found { object, path, clause, message, .. } = found;
        let (code, number) = if codes { (Some(found.code), found.number) } else { (None, None) };
        Self { object: object.as_deref(), path, clause, message, code, number }
    }
}

fn print_json(judgement: &Judgement<'_>, codes: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write!(out, "{{\"file\":{}", serde_json::to_string(judgement.file)?)?;
    write!(out, ",\"valid\":{},\"objects\":{}", judgement.valid, judgement.objects)?;
    let mut left_out = judgement.errors + judgement.warnings;
    for (name, severity) in [("errors", Severity::Error), ("warnings", Severity::Warning)] {
        write!(out, ",\"{name}\":[")?;
        for (index, found) in judgement.findings(severity).enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            serde_json::to_writer(&mut out, &F::of(&found, codes))?;
            left_out = left_out.saturating_sub(1);
        }
        out.write_all(b"]")?;
    }
    if left_out > 0 {
        write!(out, ",\"left_out\":{left_out}")?;
    }
    out.write_all(b"}\n")?;
    out.flush()
}

fn print(judgement: &Judgement<'_>, codes: bool, paint: Paint) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let verdict = if judgement.valid { paint.green("valid") } else { paint.red("invalid") };
    let file = paint.bold(&visible(judgement.file));
    let counts = [
        counted(judgement.objects, "object"),
        counted(judgement.errors, "error"),
        counted(judgement.warnings, "warning"),
    ];
    writeln!(out, "{file}: {verdict} ({})", counts.join(", "))?;
    let mut last: Option<Option<String>> = None;
    let errors = judgement.findings(Severity::Error);
    for found in errors.chain(judgement.findings(Severity::Warning)).take(SHOWN) {
        if last.as_ref() != Some(&found.object) {
            writeln!(out, "  {}", visible(found.object.as_deref().unwrap_or("the document")))?;
        }
        write_found(&mut out, &found, codes, paint)?;
        last = Some(found.object);
    }
    let all = judgement.errors + judgement.warnings;
    if all > SHOWN {
        writeln!(out, "  … and {} more: --json shows more of them", all - SHOWN)?;
    }
    out.flush()
}

fn write_found(out: &mut impl Write, found: &Found, codes: bool, paint: Paint) -> io::Result<()> {
    let severity = match found.severity {
        Severity::Error => paint.red("error  "),
        Severity::Warning => paint.yellow("warning"),
    };
    let (path, message) = (visible(&found.path), visible(&found.message));
    write!(out, "    {severity}  {path}: {message}")?;
    if !found.clause.is_empty() {
        write!(out, " [{}]", found.clause)?;
    }
    match (codes, found.number) {
        (false, _) => writeln!(out),
        (true, None) => writeln!(out, " ({})", found.code),
        (true, Some(number)) => writeln!(out, " ({}, {number})", found.code),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
