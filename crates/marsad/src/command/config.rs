//! `marsad config`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json};
use std::path::PathBuf;

/// The configuration: one TOML file in the node's directory; every key is also a variable and a flag.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad config sample > config.toml
  marsad config check new-config.toml
  marsad config show")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Check(Check),
    Sample(Sample),
    Show(Show),
}

/// Says whether a configuration can be used: file, environment and `--set` together.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad config check
  marsad config check new-config.toml
  marsad config check --set taxii.page-size=500 --json")]
struct Check {
    /// The file [default: config.toml of the node]
    file: Option<PathBuf>,
    /// Print one JSON object: {"valid","problems":[{"place","message"}]}
    #[arg(long)]
    json: bool,
}

/// Prints a file with every key, what it does, and its default.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad config sample > config.toml")]
struct Sample {}

/// Prints every key with the value that is in force.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad config show\n  marsad config show --set log.format=json --json")]
struct Show {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Check(check) => run_check(place, check),
        Action::Sample(Sample {}) => {
            say(node::config::sample().trim_end())?;
            Ok(Verdict::Good)
        }
        Action::Show(show) => run_show(place, show),
    }
}

fn run_check(place: &Place, args: &Check) -> Outcome {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => place.home()?.config(),
    };
    if !file.is_file() {
        return Err(Failure::could(format!("there is no file {}", file.display())));
    }
    let loaded = node::config::Config::load(Some(&file), super::environment(), &place.set);
    let problems = loaded.err().map(|error| error.problems).unwrap_or_default();
    if args.json {
        let shown =
            |problem: &node::config::Problem| serde_json::json!({"place": problem.place, "message": problem.message});
        let problems: Vec<_> = problems.iter().map(shown).collect();
        say_json(&serde_json::json!({"valid": problems.is_empty(), "problems": problems}))?;
    } else if problems.is_empty() {
        note(format!("{} can be used", file.display()));
    } else {
        say(node::config::Error { problems: problems.clone() })?;
    }
    Ok(Verdict::good_if(problems.is_empty()))
}

fn run_show(place: &Place, args: &Show) -> Outcome {
    let file = place.home()?.config();
    let config = place.config(Some(&file), &[])?;
    if args.json {
        let mut values = serde_json::Map::new();
        for (key, value) in config.values() {
            let parsed: toml::Table = toml::from_str(&format!("value = {value}"))?;
            values.insert(key, serde_json::to_value(parsed.get("value"))?);
        }
        say_json(&values)?;
    } else {
        for (key, value) in config.values() {
            say(format!("{key} = {value}"))?;
        }
    }
    Ok(Verdict::Good)
}
