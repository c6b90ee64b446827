//! `marsad doctor`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict, chain};
use crate::terminal::{Paint, say, say_json};
use node::doctor::{Finding, Health};

/// Looks for trouble: clock, disk, permissions, certificate, configuration, database, records kept aside.
///
/// Says for each what to do next. Exit code 1 if something is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad doctor\n  marsad doctor --json")]
pub(crate) struct Args {
    /// Print one JSON object: {"healthy","findings":[{"about","health","message","next"}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let home = place.home()?;
    let now = node::clock::now();
    let mut findings = node::doctor::surroundings(&home, now);
    let config = node::config::Config::load(Some(&home.config()), super::environment(), &place.set);
    match &config {
        Ok(_) => findings.push(Finding::good("configuration", "can be used")),
        Err(error) => {
            let next = "mend the file; `marsad config sample` shows every key";
            findings.push(Finding::bad("configuration", error, next));
        }
    }
    let config = config.unwrap_or_default();
    findings.extend(node::doctor::certificate(&home, &config, now));
    match ledger::sqlite::Book::open(&home.database(), now) {
        Ok(book) => findings.extend(node::doctor::book(&book, now)),
        Err(error) => {
            findings.push(Finding::bad("database", chain(&error), "restore a backup, or free what holds the file"));
        }
    }
    findings.push(node::doctor::audit(&home));
    findings.extend(node::doctor::syslog(&home, &config));
    let healthy = findings.iter().all(|finding| finding.health != Health::Bad);
    if args.json {
        say_json(&serde_json::json!({"healthy": healthy, "findings": findings}))?;
    } else {
        let paint = Paint::stdout();
        for finding in &findings {
            let mark = match finding.health {
                Health::Good => paint.green("good"),
                Health::Doubtful => paint.yellow("look"),
                Health::Bad => paint.red("bad "),
            };
            say(format!("{mark}  {}: {}", paint.bold(finding.about), finding.message))?;
            if let Some(next) = &finding.next {
                say(format!("      next: {next}"))?;
            }
        }
    }
    Ok(Verdict::good_if(healthy))
}
