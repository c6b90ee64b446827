//! `marsad init`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json};
use ledger::{Account, Collection, CollectionNo, Organisation, Register as _, Relation, Role, Who};
use node::home::{Home, Secret};

/// The collection that every node has, and that `import` takes when none is named.
pub(crate) const MAIN: &str = "main";

/// Makes a node: its directory, configuration, secret and database.
///
/// The directory is closed to other users. The node gets its own organisation, an administrator without a
/// password, and the collection `main`, which its members may read and write. On standard output there is one
/// line: the administrator's one-time token. It is shown this once, and is what the first sign-in is done with.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad init --organisation 'Example CERT'
  marsad init --home /srv/marsad --organisation 'Example CERT' --admin amina
  marsad init --organisation 'Example CERT' --json")]
pub(crate) struct Args {
    /// The organisation that owns the node
    #[arg(long, value_name = "NAME")]
    organisation: String,
    /// The first administrator
    #[arg(long, value_name = "NAME", default_value = "admin")]
    admin: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let path = place.path()?;
    let token = make(&path, &args.organisation, &args.admin)?;
    note(format!("made a node for {} in {}", args.organisation, path.display()));
    if args.json {
        say_json(&serde_json::json!({
            "home": path.display().to_string(),
            "organisation": args.organisation,
            "administrator": args.admin,
            "collection": MAIN,
            "token": token.as_str(),
        }))?;
    } else {
        note(format!("the one-time token of the administrator `{}`, shown this once:", args.admin));
        say(token.as_str())?;
        note("next: `marsad account password` sets a password here and now; `marsad serve` starts the node");
    }
    Ok(Verdict::Good)
}

/// Makes a node and gives its administrator's one-time token.
pub(crate) fn make(
    path: &std::path::Path,
    organisation: &str,
    admin: &str,
) -> Result<zeroize::Zeroizing<String>, Failure> {
    super::checked_name("organisation", organisation)?;
    super::account::checked_account(admin)?;
    let secret = Secret::new(node::chance::bytes()?);
    let home = Home::prepare(path, &node::config::sample())?;
    match fill(&home, &secret, organisation, admin) {
        Ok(token) => Ok(token),
        Err(failure) => {
            home.discard();
            Err(failure)
        }
    }
}

fn fill(home: &Home, secret: &Secret, organisation: &str, admin: &str) -> Result<zeroize::Zeroizing<String>, Failure> {
    let now = node::clock::now();
    let book = ledger::sqlite::Book::create(&home.database())?;
    let organisation = Organisation { name: organisation.to_owned(), relation: Relation::Own };
    book.add_organisation(&organisation)?;
    book.set_note(node::administration::OWN_ORGANISATION, Some(organisation.name.as_bytes()))?;
    book.add_account(&Account {
        name: admin.to_owned(),
        organisation,
        role: Role::Administrator,
        password: None,
        created: now,
    })?;
    book.add_collection(&Collection {
        no: CollectionNo(0),
        id: super::collection::new_id()?,
        alias: MAIN.to_owned(),
        title: "Main".to_owned(),
        description: Some("What this node takes in, where nothing else is said".to_owned()),
        read: Who::Members,
        write: Who::Members,
    })?;
    let token = node::credentials::issue_token(&book, secret, admin)?;
    drop(book);
    home.seal(secret)?;
    Ok(token)
}
