//! `marsad organisation`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say_list, visible};
use ledger::{Organisation, Register as _, Sharing as _};
use node::administration::relation_word;
use policy::role::Actor;

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
    Set(Set),
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
    #[command(flatten)]
    terms: Terms,
}

/// Changes how an organisation stands to ours. It acts at once on everything that is stored.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad organisation set 'CERT North' --relation client
  marsad organisation set 'CERT North' --identity identity--733c5838-34d9-4fbf-949c-62aba761184c --ceiling green
  marsad organisation set 'CERT North' --personal email=mask,passport=withhold")]
struct Set {
    /// Its name
    name: String,
    /// How it stands to ours
    #[arg(long)]
    relation: Option<Relation>,
    #[command(flatten)]
    terms: Terms,
}

/// What an organisation signs with, and what it gets.
#[derive(Debug, clap::Args)]
struct Terms {
    /// The STIX identities by which it signs what it makes: it always sees those objects, but for RED ones that are not for it
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    identity: Option<Vec<String>>,
    /// The strictest marking that it is ever given: `clear`, `green`, `amber`, `amber+strict`; `none` takes it back
    #[arg(long, value_name = "TLP")]
    ceiling: Option<String>,
    /// Its own rules about data of persons, before those of the configuration: `email=mask`, `passport=withhold`, …; `none`
    /// takes them back
    #[arg(long, value_name = "KIND=TREATMENT", value_delimiter = ',')]
    personal: Option<Vec<String>>,
}

/// How an organisation stands to ours.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Relation {
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
        Action::Set(set) => run_set(place, set),
        Action::List(list) => run_list(place, list),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    let name = super::checked_name("organisation", &args.name)?;
    if name.contains(',') {
        // Lists of names are separated by commas.
        return Err(Failure::Usage("an organisation's name cannot have a comma".to_owned()));
    }
    let organisation = Organisation { name: name.to_owned(), relation: args.relation.relation() };
    let administration = place.open()?.administration()?;
    administration.add_partner(&Actor::Operator, &organisation, &args.terms.terms()).map_err(super::asked)?;
    note(format!("added the organisation `{name}`"));
    Ok(Verdict::Good)
}

fn run_set(place: &Place, args: &Set) -> Outcome {
    let (relation, terms) = (args.relation.map(Relation::relation), args.terms.terms());
    let administration = place.open()?.administration()?;
    let (organisation, _) =
        administration.change_partner(&Actor::Operator, &args.name, relation, &terms).map_err(super::asked)?;
    note(format!("changed the organisation `{}`", visible(&organisation.name)));
    Ok(Verdict::Good)
}

impl Relation {
    pub(super) fn relation(self) -> ledger::Relation {
        match self {
            Self::Own => ledger::Relation::Own,
            Self::Client => ledger::Relation::Client,
            Self::Community => ledger::Relation::Community,
            Self::Public => ledger::Relation::Public,
        }
    }
}

impl Terms {
    /// As they are kept: `none` takes back what was said before.
    fn terms(&self) -> node::administration::Terms {
        let some = |rules: &Vec<String>| rules.iter().filter(|rule| *rule != "none").cloned().collect();
        node::administration::Terms {
            identities: self.identity.clone(),
            ceiling: self.ceiling.clone().map(|word| Some(word).filter(|word| word != "none")),
            personal: self.personal.as_ref().map(some),
        }
    }
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let opened = place.open()?;
    let (organisations, standings) = (opened.book.organisations()?, opened.book.standings()?);
    let standing =
        |name: &str| standings.iter().find(|standing| standing.organisation.to_lowercase() == name.to_lowercase());
    let shown = |organisation: &Organisation| {
        let standing = standing(&organisation.name).cloned().unwrap_or_default();
        serde_json::json!({
            "name": organisation.name, "relation": relation_word(organisation.relation), "identities": standing.identities,
            "ceiling": standing.ceiling, "personal": standing.personal,
        })
    };
    let row = |organisation: &Organisation| {
        let standing = standing(&organisation.name).cloned().unwrap_or_default();
        let rules = standing.personal.iter().map(|rule| visible(rule)).collect::<Vec<_>>().join(", ");
        let ceiling = standing.ceiling.map_or_else(|| "-".to_owned(), |ceiling| visible(&ceiling));
        [visible(&organisation.name), relation_word(organisation.relation).to_owned(), ceiling, rules]
    };
    say_list(args.json, &organisations, shown, ["NAME", "RELATION", "CEILING", "PERSONAL"], row)?;
    Ok(Verdict::Good)
}
