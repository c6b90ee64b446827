//! `marsad hunt`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say_json, table, visible};
use indicatif::ProgressBar;
use node::watch::book::Followed;
use node::watch::hunt::{self, Report, Request};
use node::watch::runner;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// Indicators that the report shows to people.
const ROWS: usize = 20;

/// Searches past logs for the indicators of the book.
///
/// Hits go to standard output, one JSON object a line, and a report to standard error. A hunt that was ended in the middle goes
/// on where it was when it is asked for again: its hits until there come first. It runs beside a serving node.
///
/// Patterns that need several events are judged at the end, over all inputs together in the order of time; of events that meet
/// a part of one, four million are kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad hunt /var/log/zeek
  marsad hunt --since 2026-09-01 archive/*.json.gz > hits.jsonl
  marsad hunt --new-only /var/log/zeek     what is new in the book, in what was searched before
  marsad hunt --json eve.json              the report too, as the last line")]
pub(crate) struct Args {
    /// Files and folders; .gz and .zst are opened
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Only events from then on: so long ago (`30d`), a day, or an RFC 3339 timestamp
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// In files that an earlier hunt searched to their end, only what was added to the book since
    #[arg(long)]
    new_only: bool,
    /// How the inputs are written: auto, zeek, eve, jsonl, csv, syslog or text
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: String,
    /// Ends the output with the report as a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    if node::watch::seer::format(&args.format).is_none() {
        return Err(Failure::Usage(format!("`{}` is no format of logs", visible(&args.format))));
    }
    let now = node::clock::now();
    let since = args.since.as_deref().map(|text| crate::when::ago("--since", text, now)).transpose()?;
    let inputs =
        args.inputs.iter().map(|path| std::fs::canonicalize(path).map_err(|error| Failure::file("read", path, &error)));
    let mut inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    inputs.sort();
    inputs.dedup();
    let request = Request { inputs, since, new_only: args.new_only, format: args.format.clone() };
    let opened = place.open()?;
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut teller = Teller(progress(Some(0), Unit::Bytes));
    let settings = runner::settings(&opened.home, &opened.config.watch);
    let settings = settings.map_err(|error| Failure::could(error.to_string()))?;
    let mut sets = |since| {
        let (book, settings) = (Arc::clone(&opened.book), settings.clone());
        Followed::added_since(book, opened.door(), settings, since, &mut |_| {})
    };
    let report = hunt::run(&opened.home, request, &mut sets, &mut out, &mut teller);
    teller.0.finish_and_clear();
    let report = report.map_err(|error| Failure::could(error.to_string()))?;
    out.flush()?;
    drop(out);
    tell(&report, args.json)?;
    Ok(Verdict::good_if(report.unread == 0))
}

fn tell(report: &Report, json: bool) -> Result<(), Failure> {
    let Report { files, bytes, events, faults, hits, .. } = report;
    note(format!("{hits} hits in {events} events of {files} files ({bytes} bytes), {faults} broken lines"));
    if report.unread > 0 {
        note(format!("{} files could not be read", report.unread));
    }
    let rows = report.indicators.iter().take(ROWS).map(|row| {
        let time = |time: &Option<String>| time.as_deref().map_or_else(|| "-".to_owned(), visible);
        let source = visible(&row.source);
        vec![
            row.hits.to_string(),
            row.indicator.clone(),
            visible(&row.value),
            source,
            time(&row.first),
            time(&row.last),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        note(table(&["HITS", "INDICATOR", "VALUE", "SOURCE", "FIRST", "LAST"], &rows));
    }
    if report.indicators.len() > ROWS {
        note(format!("and {} more indicators", report.indicators.len() - ROWS));
    }
    if json {
        say_json(&serde_json::json!({ "report": report }))?;
    }
    Ok(())
}

/// A bar where a person looks.
struct Teller(ProgressBar);

impl hunt::Teller for Teller {
    fn total(&mut self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn done(&mut self, bytes: u64) {
        self.0.set_position(bytes);
    }

    fn note(&mut self, message: String) {
        self.0.suspend(|| note(visible(&message)));
    }
}
