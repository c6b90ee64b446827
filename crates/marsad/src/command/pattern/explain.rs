//! `marsad pattern explain`.

use super::faults;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{Paint, say, say_json, visible};

/// Says in words what a pattern looks for, and what of it data must have.
///
/// Exit code 1 if the pattern is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  marsad pattern explain \"[file:name = 'x.exe'] REPEATS 5 TIMES WITHIN 60 SECONDS\"")]
pub(super) struct Args {
    /// The pattern
    #[arg(allow_hyphen_values = true)]
    pattern: String,
    /// Print one JSON object: {"pattern","valid","errors","words","look_up","atoms":[[text]],"warnings"}
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let text = &args.pattern;
    let errors = pattern::check(text);
    let parsed = pattern::parse(text).ok().filter(|_| errors.is_empty());
    let words = parsed.as_ref().map(pattern::explain).unwrap_or_default();
    let look_up = parsed.as_ref().is_some_and(pattern::is_look_up);
    let warnings = parsed.as_ref().map(pattern::warnings).unwrap_or_default();
    let atoms: Vec<Vec<String>> = parsed
        .iter()
        .flat_map(pattern::atoms)
        .map(|leaf| leaf.alternatives.iter().map(ToString::to_string).collect())
        .collect();
    if args.json {
        say_json(&serde_json::json!({
            "pattern": text, "valid": errors.is_empty(), "errors": faults(&errors), "words": words,
            "look_up": look_up, "atoms": atoms, "warnings": faults(&warnings),
        }))?;
        return Ok(Verdict::good_if(errors.is_empty()));
    }
    let paint = Paint::stdout();
    for error in &errors {
        say(format!("{} at {}: {}", paint.red("invalid"), error.span.start, visible(&error.message)))?;
    }
    if !errors.is_empty() {
        return Ok(Verdict::Bad);
    }
    say(paint.bold("Looks for"))?;
    for line in words.lines() {
        say(format!("  {}", visible(line)))?;
    }
    say(paint.bold("Needs in the data"))?;
    for alternatives in &atoms {
        match alternatives.as_slice() {
            [] => say("  what no data can have")?,
            some => say(format!("  {}", visible(&some.join(", or "))))?,
        }
    }
    say(match look_up {
        true => "It is an exact look-up: one value decides.",
        false => "It is no exact look-up: data that have this are then judged by the whole pattern.",
    })?;
    for warning in &warnings {
        say(format!("{} at {}: {}", paint.yellow("warning"), warning.span.start, visible(&warning.message)))?;
    }
    Ok(Verdict::Good)
}
