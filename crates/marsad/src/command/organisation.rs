//! `marsad organisation`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{note, say, say_json, table, visible};
use ledger::{Organisation, Register as _};

/// Organisations, and how they stand to ours: which TLP colours they may see.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad organisation add 'CERT North' --relation community
  marsad organisation list")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    List(List),
}

/// Adds an organisation.
///
/// Its relation to ours decides what TLP means for it: `self` is our own people (up to AMBER+STRICT), `client`
/// receives services from us (up to AMBER), `community` shares goals and trust with us (up to GREEN), `public` is
/// anyone (CLEAR). RED is for the recipients that are named, whatever their relation.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad organisation add 'CERT North' --relation community
  marsad organisation add 'Port Authority' --relation client")]
struct Add {
    /// Its name
    name: String,
    /// How it stands to ours
    #[arg(long)]
    relation: Relation,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Relation {
    /// Our own people
    #[value(name = "self")]
    Own,
    /// Receives services from us
    Client,
    /// Shares goals and trust with us
    Community,
    /// Anyone
    Public,
}

/// Shows the organisations.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad organisation list\n  marsad organisation list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => run_add(place, add),
        Action::List(list) => run_list(place, list),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    let name = super::checked_name("organisation", &args.name)?;
    if name.contains(',') {
        // Lists of names are separated by commas.
        return Err(crate::outcome::Failure::Usage("an organisation's name cannot have a comma".to_owned()));
    }
    let relation = match args.relation {
        Relation::Own => ledger::Relation::Own,
        Relation::Client => ledger::Relation::Client,
        Relation::Community => ledger::Relation::Community,
        Relation::Public => ledger::Relation::Public,
    };
    place.open()?.book.add_organisation(&Organisation { name: name.to_owned(), relation })?;
    note(format!("added the organisation `{name}`"));
    Ok(Verdict::Good)
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let organisations = place.open()?.book.organisations()?;
    if args.json {
        let shown = |organisation: &Organisation| serde_json::json!({"name": organisation.name, "relation": spelled(organisation.relation)});
        say_json(&organisations.iter().map(shown).collect::<Vec<_>>())?;
    } else {
        let row =
            |organisation: &Organisation| vec![visible(&organisation.name), spelled(organisation.relation).to_owned()];
        say(table(&["NAME", "RELATION"], &organisations.iter().map(row).collect::<Vec<_>>()))?;
    }
    Ok(Verdict::Good)
}

/// As the command line writes a relation.
pub(crate) fn spelled(relation: ledger::Relation) -> &'static str {
    match relation {
        ledger::Relation::Own => "self",
        ledger::Relation::Client => "client",
        ledger::Relation::Community => "community",
        ledger::Relation::Public => "public",
    }
}
