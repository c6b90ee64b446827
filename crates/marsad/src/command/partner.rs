//! `marsad partner`.

mod meet;

use crate::cli::Place;
use crate::outcome::Outcome;

/// Partners: organisations with whose nodes this one exchanges.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad partner meet 'CERT North'")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Meet(meet::Args),
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Meet(args) => meet::run(place, args),
    }
}
