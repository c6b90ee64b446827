//! `marsad sources`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, table, visible};
use crate::when;
use ledger::{CollectionNo, Register as _};
use node::administration::{Error, GradeObject, own_organisation};
use node::partners::admiralty;
use node::partners::sources::{Source, Version, of};
use policy::role::Actor;
use serde_json::json;

/// Shows what every source says of an object, version by version.
///
/// GRADE is the Admiralty scale: how reliable the source is (A to F, `marsad partner grade`), and how credible the object is
/// (1 to 6). CONFIDENCE is what counts here: what is claimed, and never more than was agreed for the source.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  marsad sources indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f
  marsad sources indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --json
  marsad sources grade indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --credibility 3"
)]
pub(crate) struct Args {
    /// The object's id
    #[arg(required = true)]
    object: Option<String>,
    /// Print a JSON array: [{"version","collections","confidence","sources":[{"organisation","reliability","credibility",…}]}]
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Grade(Grade),
}

/// Says how credible we hold an object. It counts here before what others claim, and is kept as our own statement.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad sources grade indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --credibility 2
  marsad sources grade indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --credibility 5 --source 'CERT North'

The scale:
  1 confirmed by other sources  2 probably true  3 possibly true
  4 doubtful                    5 improbable     6 truth cannot be judged")]
struct Grade {
    /// The object's id
    object: String,
    /// Its credibility
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=6))]
    credibility: u8,
    /// Only the versions that this organisation brought in or said something of [default: all]
    #[arg(long, value_name = "ORG")]
    source: Option<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match (&args.action, &args.object) {
        (Some(Action::Grade(grade)), _) => run_grade(place, grade),
        (None, Some(object)) => run_show(place, object, args.json),
        (None, None) => Err(Failure::Usage("name an object by its id".to_owned())),
    }
}

fn run_show(place: &Place, object: &str, as_json: bool) -> Outcome {
    let opened = place.open()?;
    let own = own_organisation(&*opened.book)?;
    let versions = of(&*opened.book, &*opened.book, own.as_deref(), object)?;
    if versions.is_empty() {
        return Err(super::no_object(object));
    }
    let collections = opened.book.collections()?;
    let alias = |no: &CollectionNo| {
        let found = collections.iter().find(|collection| collection.no == *no);
        found.map_or_else(|| "-".to_owned(), |collection| collection.alias.clone())
    };
    if as_json {
        let shown = |version: &Version| {
            json!({
                "version": version.version, "confidence": version.confidence,
                "collections": version.collections.iter().map(alias).collect::<Vec<_>>(),
                "sources": version.sources.iter().map(shown).collect::<Vec<_>>(),
            })
        };
        say_json(&versions.iter().map(shown).collect::<Vec<_>>())?;
        return Ok(Verdict::Good);
    }
    for version in &versions {
        let places: Vec<String> = version.collections.iter().map(|no| visible(&alias(no))).collect();
        let name = version.version.as_deref().map_or_else(|| "the only version".to_owned(), visible);
        say(format!("{name} in {}: confidence {}", places.join(", "), number(version.confidence)))?;
        let rows: Vec<Vec<String>> = version.sources.iter().map(row).collect();
        let heads = ["  SOURCE", "GRADE", "CLAIMED", "CONFIDENCE", "BY WAY OF", "FIRST SEEN", "LAST SEEN"];
        say(table(&heads, &rows))?;
    }
    Ok(Verdict::Good)
}

fn run_grade(place: &Place, args: &Grade) -> Outcome {
    let opened = place.open()?;
    let grade = GradeObject { object: &args.object, credibility: args.credibility, source: args.source.as_deref() };
    let graded =
        match opened.administration()?.grade_object(&Actor::Operator, &*opened.book, &grade, node::clock::now()) {
            Err(Error::Unknown { what: "object", .. }) => return Err(super::no_object(&args.object)),
            done => done.map_err(super::asked)?,
        };
    let word = admiralty::credibility_word(args.credibility).unwrap_or_default();
    note(format!("graded {graded} versions of {}: {}, {word}", visible(&args.object), args.credibility));
    Ok(Verdict::Good)
}

fn number(value: Option<u8>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn row(source: &Source) -> Vec<String> {
    let ours = if source.ours { " (us)" } else { "" };
    let letter = source.reliability.map_or_else(|| "-".to_owned(), |letter| visible(&letter.to_string()));
    let path: Vec<String> = source.path.iter().map(|node| visible(node)).collect();
    vec![
        format!("  {}{ours}", visible(&source.organisation)),
        format!("{letter}{}", number(source.credibility)),
        number(source.claimed),
        number(source.confidence),
        if path.is_empty() { "-".to_owned() } else { path.join(" > ") },
        when::spelled(source.first),
        when::spelled(source.last),
    ]
}

fn shown(source: &Source) -> serde_json::Value {
    json!({
        "organisation": source.organisation, "ours": source.ours, "reliability": source.reliability,
        "credibility": source.credibility, "claimed": source.claimed, "confidence": source.confidence,
        "path": source.path, "first": when::spelled(source.first), "last": when::spelled(source.last),
    })
}
