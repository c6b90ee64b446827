//! `marsad check`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json};
use ledger::Ledger as _;

/// Reads the whole database and the audit log, and compares each with itself. Exit code 1 if something is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad check\n  marsad check --json")]
pub(crate) struct Args {
    /// Print one JSON object: {"sound","records","faults":[{"place","message"}]}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let bar = progress(Some(0), Unit::Things);
    let faults = opened.book.check(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let mut faults = faults;
    match node::audit::faults(&opened.home) {
        Ok(found) => faults.extend(found),
        // Reading goes on when the disk is full; the engine of the audit log wants some room even to read.
        Err(error @ node::audit::Error::Ledger(ledger::Error::Full { .. })) => {
            note(format!("the audit log was not checked: {}", crate::terminal::visible(&error.to_string())));
        }
        Err(error) => return Err(error.into()),
    }
    let records = opened.book.statistics()?.records;
    if args.json {
        let shown = |fault: &ledger::Fault| serde_json::json!({"place": fault.place, "message": fault.message});
        let listed: Vec<_> = faults.iter().map(shown).collect();
        say_json(&serde_json::json!({"sound": faults.is_empty(), "records": records, "faults": listed}))?;
    } else {
        for fault in &faults {
            say(format!("{}: {}", fault.place, fault.message))?;
        }
        match faults.len() {
            0 => say(format!("sound: {records} records"))?,
            count => note(format!("{count} faults: stop the node, keep a copy of its directory, restore a backup")),
        }
    }
    Ok(Verdict::good_if(faults.is_empty()))
}
