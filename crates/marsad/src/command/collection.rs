//! `marsad collection`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, say_list};
use ledger::{Collection, CollectionNo, Register as _, Who};
use policy::role::Actor;
use serde_json::json;

/// TAXII collections: named selections of objects, with who may read and write them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad collection add open --title 'For everyone' --read anyone
  marsad collection list
  marsad collection remove phishing")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Remove(Remove),
}

/// Makes a collection and prints its id. Its alias works wherever the id does.
///
/// WHO is `anyone` (without signing in), `members` (everyone with an account, the default), or names of accounts
/// and organisations, separated by commas. What a reader is given of a collection is a further question, which
/// the markings of each object decide.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad collection add phishing
  marsad collection add open --title 'For everyone' --read anyone
  marsad collection add from-north --read members --write 'CERT North'")]
struct Add {
    /// Lower-case letters, digits, `-`, `_` and `.`
    alias: String,
    /// For people [default: the alias]
    #[arg(long, value_name = "T")]
    title: Option<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who may read
    #[arg(long, value_name = "WHO", default_value = "members")]
    read: String,
    /// Who may write
    #[arg(long, value_name = "WHO", default_value = "members")]
    write: String,
    /// The collection's UUID, where it must be a certain one [default: a random one]
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Shows the collections.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad collection list\n  marsad collection list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Removes a collection and erases what is in it. This cannot be taken back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad collection remove phishing\n  marsad collection remove phishing --yes")]
struct Remove {
    /// Alias or id
    alias: String,
    /// Do not ask; without this the command asks, if there is a terminal to ask on
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => run_add(place, add),
        Action::List(list) => run_list(place, list),
        Action::Remove(remove) => run_remove(place, remove),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    let alias = checked_alias(&args.alias)?;
    let id = match &args.id {
        None => new_id()?,
        Some(id) => checked_id(id)?,
    };
    let opened = place.open()?;
    let (read, write) = (who(&opened, &args.read)?, who(&opened, &args.write)?);
    let collection = opened.administration()?.add_collection(
        &Actor::Operator,
        &Collection {
            no: CollectionNo(0),
            id,
            alias: alias.to_owned(),
            title: args.title.clone().unwrap_or_else(|| alias.to_owned()),
            description: args.description.clone(),
            read,
            write,
        },
    )?;
    if args.json { say_json(&shown(&collection)) } else { say(&collection.id) }?;
    Ok(Verdict::Good)
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let collections = place.open()?.book.collections()?;
    let row = |collection: &Collection| {
        [
            collection.alias.clone(),
            collection.id.clone(),
            spelled(&collection.read),
            spelled(&collection.write),
            crate::terminal::visible(&collection.title),
        ]
    };
    say_list(args.json, &collections, shown, ["ALIAS", "ID", "READ", "WRITE", "TITLE"], row)?;
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, args: &Remove) -> Outcome {
    let opened = place.open()?;
    let collection = opened.collection(&args.alias)?;
    if !args.yes && !crate::terminal::confirmed(&format!("erase everything in `{}` for ever?", collection.alias))? {
        return Err(Failure::could("nothing was removed"));
    }
    opened.administration()?.remove_collection(&Actor::Operator, &collection.id)?;
    note(format!("removed the collection `{}`", collection.alias));
    Ok(Verdict::Good)
}

/// A random UUID (version 4) in lower case.
pub(crate) fn new_id() -> Result<String, Failure> {
    Ok(uuid::Builder::from_random_bytes(node::chance::bytes()?).into_uuid().to_string())
}

fn checked_id(id: &str) -> Result<String, Failure> {
    match uuid::Uuid::try_parse(id) {
        // Other spellings (braces, no hyphens) would not be found again in a URL.
        Ok(uuid) if uuid.hyphenated().to_string().eq_ignore_ascii_case(id) => Ok(uuid.to_string()),
        _ => Err(Failure::Usage(format!("`{}` is not a UUID", crate::terminal::visible(id)))),
    }
}

/// An alias stands in URLs, and must not be taken for an id.
fn checked_alias(alias: &str) -> Result<&str, Failure> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let begins = alias.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !begins || alias.len() > 100 || !alias.bytes().all(fits) || uuid::Uuid::try_parse(alias).is_ok() {
        return Err(Failure::Usage(format!(
            "the alias `{}` must be at most 100 lower-case letters, digits, `-`, `_` and `.`, must begin with a \
             letter or digit, and must not look like an id",
            crate::terminal::visible(alias)
        )));
    }
    Ok(alias)
}

/// Reads WHO. Every name must belong to an account or an organisation: a name that is misspelt would give nobody
/// the right, or the wrong one later.
fn who(opened: &super::Opened, text: &str) -> Result<Who, Failure> {
    match text.trim() {
        "anyone" => return Ok(Who::Anyone),
        "members" => return Ok(Who::Members),
        "nobody" => return Ok(Who::Named(Vec::new())),
        _ => {}
    }
    let names = super::named(opened, text)?;
    if names.is_empty() {
        return Err(Failure::Usage("WHO is empty: say anyone, members, nobody or names".to_owned()));
    }
    Ok(Who::Named(names))
}

fn spelled(who: &Who) -> String {
    match who {
        Who::Anyone => "anyone".to_owned(),
        Who::Members => "members".to_owned(),
        Who::Named(names) if names.is_empty() => "nobody".to_owned(),
        Who::Named(names) => names.join(","),
    }
}

fn shown(collection: &Collection) -> serde_json::Value {
    let who = |who: &Who| match who {
        Who::Anyone => json!("anyone"),
        Who::Members => json!("members"),
        Who::Named(names) => json!(names),
    };
    json!({
        "id": collection.id,
        "alias": collection.alias,
        "title": collection.title,
        "description": collection.description,
        "read": who(&collection.read),
        "write": who(&collection.write),
    })
}
