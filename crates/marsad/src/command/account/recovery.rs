//! `marsad account recovery`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json};
use policy::role::Actor;
use zeroize::Zeroizing;

/// Makes ten recovery codes: each signs in once, in place of the second factor. Earlier ones are void.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad account recovery amina")]
pub(super) struct Args {
    /// The member
    name: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let codes = place.open()?.administration()?.renew_recovery_codes(&Actor::Operator, &args.name)?;
    show(&codes, args.json)?;
    Ok(Verdict::Good)
}

pub(super) fn show(codes: &[Zeroizing<String>], json: bool) -> Result<(), Failure> {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    if json {
        return say_json(&serde_json::json!({"recovery": codes}));
    }
    note("recovery codes, shown this once; each opens once:");
    say(codes.join("\n"))
}
