//! What was read and what was not, on stderr.

use super::hits::Hits;
use crate::terminal::{note, visible};
use indicatif::{HumanBytes, HumanCount};
use std::collections::BTreeMap;
use watch::input::Format;
use watch::list::Report;
use watch::read::{Fault, Faults};

/// How many inputs with faults are told by name.
const MOST_NAMED: usize = 20;

/// Counts for the end.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) indicators: Report,
    pub(super) indicator_file: String,
    pub(super) inputs: u64,
    pub(super) bytes: u64,
    pub(super) events: u64,
    pub(super) unread: u64,
    /// Archives that end too early.
    pub(super) cut: u64,
    formats: BTreeMap<&'static str, u64>,
    faults: Faults,
    broken: u64,
    /// Sentences on single inputs.
    named: Vec<String>,
}

impl Summary {
    /// An input is in this format.
    pub(super) fn format(&mut self, format: Format) {
        *self.formats.entry(format.name()).or_default() += 1;
    }

    /// What a reader could not read.
    pub(super) fn cut_lines(&mut self, input: &str, faults: &Faults) {
        if faults.none() {
            return;
        }
        self.faults.merge(faults);
        let told =
            Fault::ALL.into_iter().filter(|&fault| faults.of(fault) > 0).map(|fault| fault.said(faults.of(fault)));
        let told: Vec<String> = told.collect();
        let first = faults.places().first().map_or(String::new(), |(_, line)| format!(" (first: {line})"));
        self.name(format!("{}: {}{first}", visible(input), told.join(", ")));
    }

    /// What the fast way could not read.
    pub(super) fn scanned(&mut self, input: &str, report: &watch::scan::Report) {
        if report.broken == 0 {
            return;
        }
        self.broken += report.broken;
        let first =
            report.faults.first().map_or(String::new(), |(line, fault)| format!(" (first: line {line}, {fault})"));
        self.name(format!("{}: {}{first}", visible(input), Fault::Broken.said(report.broken)));
    }

    fn name(&mut self, sentence: String) {
        if self.named.len() < MOST_NAMED {
            self.named.push(sentence);
        }
    }

    /// Whether nothing was refused and everything could be read.
    pub(super) fn flawless(&self) -> bool {
        self.indicators.refused == 0 && self.faults.none() && self.broken == 0 && self.cut == 0
    }

    /// Tells it.
    pub(super) fn tell(&self, hits: &Hits) {
        let Report { taken, patterns, refused, withdrawn, first, .. } = &self.indicators;
        note(format!(
            "indicators: {} taken, {} refused, {} withdrawn",
            HumanCount(*taken),
            HumanCount(*refused),
            HumanCount(*withdrawn)
        ));
        for refusal in first {
            note(format!("  refused: {}, {}", self.indicator_file, visible(&refusal.to_string())));
        }
        if u64::try_from(first.len()).is_ok_and(|shown| shown < *refused) {
            note(format!("  … and {} more", HumanCount(refused - first.len() as u64)));
        }
        let benign: u64 = self.indicators.benign.values().sum();
        if benign > 0 {
            let lists = self.indicators.benign.iter().map(|(list, count)| format!("{}: {count}", visible(list)));
            let lists = lists.collect::<Vec<_>>().join("; ");
            note(format!("  not looked for: {} claims on what is well known and benign ({lists})", HumanCount(benign)));
        }
        if *patterns > 0 {
            tell_patterns(*patterns, hits.patterns());
        }
        let formats: Vec<String> = self.formats.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let formats = if formats.is_empty() { String::new() } else { format!(" ({})", formats.join(", ")) };
        note(format!(
            "read: {} inputs{formats}, {} ({} bytes), {} events",
            HumanCount(self.inputs),
            HumanBytes(self.bytes),
            HumanCount(self.bytes),
            HumanCount(self.events)
        ));
        for sentence in &self.named {
            note(format!("  not read: {sentence}"));
        }
        let kept = if hits.held_back > 0 {
            format!(", {} of them only counted", HumanCount(hits.held_back))
        } else {
            String::new()
        };
        note(format!("hits: {} of {} indicators{kept}", HumanCount(hits.all), HumanCount(hits.indicators() as u64)));
    }
}

/// What became of patterns that no single value meets.
fn tell_patterns(count: u64, patterns: &watch::general::Patterns) {
    let everywhere = match patterns.everywhere() as u64 {
        0 => String::new(),
        everywhere => format!(", {} of them tested on every event", HumanCount(everywhere)),
    };
    note(format!("  beside them: {} patterns{everywhere}", HumanCount(count)));
    let benign = patterns.benign();
    if !benign.is_empty() {
        let lists = benign.iter().map(|(list, count)| format!("{}: {count}", visible(list)));
        let (count, lists) = (benign.values().sum(), lists.collect::<Vec<_>>().join("; "));
        note(format!(
            "  not told: {} matches of patterns by what is well known and benign alone ({lists})",
            HumanCount(count)
        ));
    }
    let report = patterns.report();
    for (count, what) in [
        (report.dropped, "events were let go that a pattern could still have used"),
        (report.forgotten, "times it was forgotten what a pattern had seen of an address"),
        (report.exhausted, "searches took too long"),
    ] {
        if count > 0 {
            note(format!("  to keep within bounds: {} {what}", HumanCount(count)));
        }
    }
}
