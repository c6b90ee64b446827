//! `marsad rules`.

use super::Opened;
use super::export::Whole;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say_json, visible};
use ::rules::{Archive, Format, One, Options, Part, Sink};
use ledger::{Collection, Page, Register as _};
use node::audit::{By, Event, Given, HandOver, Way};
use node::rules::{Export, Summary};
use policy::Viewer;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Writes the indicators that a viewer may have in the language of other sensors.
///
/// Only what holds now is written: nothing that is revoked, expired or not valid yet, and nothing that is claimed too widely. A
/// pattern that says more than a list of values is left out, except by `stix`. What is left out, and why, is told at the end.
///
/// Some formats have several files: suricata-datasets, suricata-iprep, squid, postfix, plain. They go into a folder if --output
/// names one (or ends in `/`), else into one tar archive; --part writes one of them alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad rules --as zeek-intel -o /opt/zeek/share/marsad.intel
  marsad rules --as suricata --as-viewer 'CERT North' --min-confidence 70 -o north.rules
  marsad rules --as rpz --zone rpz.example.org --collection phishing > marsad.zone
  marsad rules --as squid -o /etc/squid/marsad/
  marsad rules --as plain --part domain.txt
  marsad rules --as nftables | nft -f -")]
pub(crate) struct Args {
    /// In which format
    #[arg(long = "as", value_name = "FORMAT", value_parser = formats())]
    format: String,
    /// For whom: an account or an organisation [default: the node's own organisation]
    #[arg(long, value_name = "NAME")]
    as_viewer: Option<String>,
    /// Write to this file, which appears when it is complete, or into this folder [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only indicators of which their source is at least so sure (0 to 100)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_confidence: Option<u8>,
    /// From where: alias or id [default: every collection]
    #[arg(long, value_name = "ALIAS")]
    collection: Option<String>,
    /// Of a format with several files, only this one
    #[arg(long, value_name = "FILE")]
    part: Option<String>,
    /// The numbers that rules of Suricata and Snort take
    #[arg(long, value_name = "FROM-TO", default_value = "1000000-1999999", value_parser = numbers)]
    numbers: RangeInclusive<u32>,
    /// The name of the response policy zone, which counts into the length of names
    #[arg(long, value_name = "NAME", default_value = "rpz.marsad")]
    zone: String,
    /// With --output: print the summary as JSON {"indicators","written","merged","narrowed","entries","left_out"}
    #[arg(long, requires = "output")]
    json: bool,
}

fn formats() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Format::ALL.map(Format::name))
}

fn numbers(text: &str) -> Result<RangeInclusive<u32>, String> {
    let both = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match both {
        Some((from, to)) if from > 0 && from <= to => Ok(from..=to),
        _ => Err("two numbers with `-` between them are expected, the smaller first: 1000000-1999999".to_owned()),
    }
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let format = Format::named(&args.format)
        .ok_or_else(|| Failure::Usage(format!("there is no format `{}`", visible(&args.format))))?;
    let part = args.part.as_deref().map(|part| named_part(format, part)).transpose()?;
    let opened = place.open()?;
    let collections = match &args.collection {
        Some(name) => vec![opened.collection(name)?],
        None => opened.book.collections()?,
    };
    let viewer = super::export::viewer(&opened, args.as_viewer.as_deref())?;
    let options = Options {
        at: node::clock::now(),
        viewer: viewer.organisation.clone().unwrap_or_default(),
        numbers: args.numbers.clone(),
        zone: args.zone.clone(),
    };
    let asked = Asked { opened: &opened, format, collections: &collections, viewer: &viewer, options: &options, args };
    let summary = match (&args.output, part) {
        (None, Some(part)) => asked.write(&mut Part::new(part, out()))?,
        (None, None) if !format.is_folder() => {
            let mut out = out();
            let summary = asked.write(&mut One::new(&mut out))?;
            out.flush()?;
            summary
        }
        (None, None) => {
            let mut archive = Archive::new();
            let summary = asked.write(&mut archive)?;
            let mut out = out();
            archive.finish(options.at, &mut out)?;
            out.flush()?;
            summary
        }
        (Some(path), None) if is_folder(path) => {
            let mut folder = Folder::at(path, format)?;
            let summary = asked.write(&mut folder)?;
            folder.finish()?;
            summary
        }
        (Some(path), part) => {
            let mut file = Whole::beside(path)?;
            let summary = match part {
                Some(part) => asked.write(&mut Part::new(part, &mut file.out))?,
                None if !format.is_folder() => asked.write(&mut One::new(&mut file.out))?,
                None => {
                    let mut archive = Archive::new();
                    let summary = asked.write(&mut archive)?;
                    archive.finish(options.at, &mut file.out)?;
                    summary
                }
            };
            file.finish()?;
            summary
        }
    };
    let (by, objects) = (node::audit::operator(), summary.report.written());
    opened.wrote_down(&Event::Exported { by, viewer: viewer.name, organisation: viewer.organisation, objects })?;
    if args.json {
        say_json(&as_json(&summary))?;
    } else {
        tell(&summary);
    }
    Ok(Verdict::Good)
}

fn out() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 20, io::stdout().lock())
}

/// A path that is a folder, or is written as one.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn named_part(format: Format, part: &str) -> Result<&'static str, Failure> {
    let found = format.files().iter().copied().find(|file| *file == part);
    found.ok_or_else(|| {
        let files = format.files().join(", ");
        Failure::Usage(format!("`{}` is no file of `{}`: it has {files}", visible(part), format.name()))
    })
}

/// What was asked for.
struct Asked<'a> {
    opened: &'a Opened,
    format: Format,
    collections: &'a [Collection],
    viewer: &'a Viewer,
    options: &'a Options,
    args: &'a Args,
}

impl Asked<'_> {
    fn write(&self, sink: &mut dyn Sink) -> Result<Summary, Failure> {
        let journal = self.opened.audit()?;
        let (who, organisation) = (self.viewer.name.clone(), self.viewer.organisation.clone());
        let by = By { way: Way::Export, who, organisation, address: None };
        let mut witness = |collection: &Collection, page: &Page| {
            let (by, given, request) = (by.clone(), Given::of(&page.given), String::new());
            let given = HandOver { by, collection: collection.no, what: "rules", request, given };
            node::audit::write_now(&journal, &Event::HandedOver(given)).map(drop)
        };
        let export = Export {
            collections: self.collections,
            viewer: self.viewer.clone(),
            at: self.options.at,
            min_confidence: self.args.min_confidence,
            format: self.format,
            options: self.options,
            witness: &mut witness,
        };
        let bar = progress(None, Unit::Things);
        let mut tell = |count| bar.set_position(count);
        let summary = node::rules::write(&*self.opened.book, &self.opened.door(), export, sink, &mut tell)?;
        bar.finish_and_clear();
        Ok(summary)
    }
}

/// A folder whose files appear when all of them are complete.
struct Folder {
    paths: Vec<(&'static str, PathBuf)>,
    files: BTreeMap<&'static str, BufWriter<std::fs::File>>,
    partial: PathBuf,
}

impl Folder {
    fn at(path: &Path, format: Format) -> Result<Self, Failure> {
        std::fs::create_dir_all(path).map_err(|error| Failure::file("make", path, &error))?;
        let partial = path.join(format!(".{}.partial", std::process::id()));
        std::fs::create_dir(&partial).map_err(|error| Failure::file("make", &partial, &error))?;
        let paths = format.files().iter().map(|file| (*file, path.join(file))).collect();
        Ok(Self { paths, files: BTreeMap::new(), partial })
    }

    /// Puts all files in their places; one of an earlier export that has no entries now goes.
    fn finish(mut self) -> Result<(), Failure> {
        for (file, path) in &self.paths {
            let done = match self.files.remove(file) {
                Some(out) => out
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    .and_then(|file| file.sync_all())
                    .and_then(|()| std::fs::rename(self.partial.join(file), path)),
                None => std::fs::remove_file(path)
                    .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }),
            };
            done.map_err(|error| Failure::file("write", path, &error))?;
        }
        Ok(())
    }
}

impl Sink for Folder {
    fn put(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        if let Some(out) = self.files.get_mut(file) {
            return out.write_all(bytes);
        }
        use std::os::unix::fs::OpenOptionsExt as _;
        let opened =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.partial.join(file))?;
        self.files.entry(file).or_insert(BufWriter::with_capacity(1 << 16, opened)).write_all(bytes)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a hidden folder that its owner can remove.
        let _ = std::fs::remove_dir_all(&self.partial);
    }
}

fn tell(summary: &Summary) {
    let report = &summary.report;
    note(format!("{} indicators, {} entries written", summary.indicators, report.written()));
    for (kind, count) in report.entries.iter().filter(|(_, count)| **count > 0) {
        note(format!("  {count} {kind}"));
    }
    for (count, words) in [
        (report.natives, "rules in their own text"),
        (report.objects, "objects"),
        (report.merged, "claims whose value is covered by another entry"),
        (report.narrowed, "entries without the names below, which the format does not know"),
    ] {
        if count > 0 {
            note(format!("  {count} {words}"));
        }
    }
    for (reason, left) in &report.left_out {
        let first = left.first.first().map(|id| format!(", such as {}", visible(id))).unwrap_or_default();
        note(format!("left out: {} {}{first}", left.count, reason.words()));
    }
}

fn as_json(summary: &Summary) -> Value {
    let report = &summary.report;
    let entries: Map<String, Value> =
        report.entries.iter().map(|(kind, count)| (kind.name().to_owned(), (*count).into())).collect();
    let left: Map<String, Value> = report
        .left_out
        .iter()
        .map(|(reason, left)| (reason.code().to_owned(), json!({"count": left.count, "first": left.first})))
        .collect();
    json!({
        "indicators": summary.indicators,
        "written": report.written(),
        "natives": report.natives,
        "objects": report.objects,
        "merged": report.merged,
        "narrowed": report.narrowed,
        "entries": entries,
        "left_out": left,
    })
}
