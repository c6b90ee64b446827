//! `marsad demo`.

use super::{Opened, account, import, init, serve};
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say};
use ledger::{Collection, CollectionNo, Organisation, Relation, Who};
use node::config::Config;
use node::home::Home;
use node::import::{Error, Listener, Refusal};
use node::intake::Context;
use node::packed::Source;
use node::sample::{PARTS, Part};
use policy::role::{self, Actor};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A temporary node with sample data, served on loopback over plain HTTP, to look around.
///
/// Three fictional organisations have written about one campaign, in four languages, with markings of every colour. The
/// demonstration says how to sign in as a member of each, and what to try. Ctrl-C ends it, and removes everything.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad demo\n  marsad demo --listen 127.0.0.1:8080")]
pub(crate) struct Args {
    /// Loopback address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: String,
}

/// How the organisations of the sample stand to the first one, whose node this is.
const RELATIONS: [Relation; 3] = [Relation::Own, Relation::Community, Relation::Client];

/// A member of the demonstration.
struct Member {
    name: &'static str,
    organisation: &'static str,
    relation: Relation,
    password: zeroize::Zeroizing<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let flags = ["plain-http=true".to_owned(), format!("listen={}", args.listen), "log.level=warn".to_owned()];
    let config = place.config(None, &flags)?;
    let temporary = Temporary::new()?;
    let own = PARTS.first().ok_or_else(|| Failure::could("this program was built without a sample"))?;
    init::make(&temporary.path, own.organisation, "admin")?;
    let opened = open(&temporary, config)?;
    let mut members = Vec::new();
    let mut count = 0;
    for (part, relation) in PARTS.iter().zip(RELATIONS) {
        members.push(add_member(&opened, part, relation)?);
        count += load(&opened, part)?;
    }
    let Opened { home, config, book } = opened;
    serve::log(&config);
    serve::until_told(&home, config, book, |url| {
        // A terminal that has gone is no reason to end.
        let _ = show(url, count, &members);
    })?;
    drop(temporary);
    note("the demonstration is over, and everything in it is gone");
    Ok(Verdict::Good)
}

fn open(temporary: &Temporary, config: Config) -> Result<Opened, Failure> {
    let home = Home::open(&temporary.path)?;
    let book = Arc::new(ledger::sqlite::Book::open(&home.database(), node::clock::now())?);
    Ok(Opened { home, config, book })
}

/// The organisation (our own is there already) and a member of it, named after its collection.
fn add_member(opened: &Opened, part: &Part, relation: Relation) -> Result<Member, Failure> {
    let (name, organisation) = (part.alias, part.organisation);
    if relation != Relation::Own {
        opened
            .administration()?
            .add_organisation(&Actor::Operator, &Organisation { name: organisation.to_owned(), relation })?;
    }
    let password = account::made_password()?;
    account::add(opened, name, role::Role::Analyst, organisation, &password)?;
    Ok(Member { name, organisation, relation, password })
}

/// A collection that everybody may read, with what its organisation has written.
fn load(opened: &Opened, part: &Part) -> Result<u64, Failure> {
    let collection = opened.administration()?.add_collection(
        &Actor::Operator,
        &Collection {
            no: CollectionNo(0),
            id: super::collection::new_id()?,
            alias: part.alias.to_owned(),
            title: part.organisation.to_owned(),
            description: None,
            read: Who::Anyone,
            write: Who::Named(vec![part.organisation.to_owned()]),
        },
    )?;
    let context = Context {
        member: Some(part.alias.to_owned()),
        ..Context::new(collection.no, part.organisation.to_owned(), &*opened.book)?
    };
    let options = import::with(opened, context, false, true);
    let mut strict = Strict(None);
    let source = Source::Embedded { name: part.alias, bytes: part.bundle };
    let counts = node::import::run(&*opened.book, &[source], &options, &AtomicU64::new(0), &mut strict)?;
    match strict.0 {
        Some(message) => Err(Failure::could(format!("the sample cannot be loaded: {message}"))),
        None => Ok(counts.added),
    }
}

/// Remembers the first thing that went wrong.
struct Strict(Option<String>);

impl Listener for Strict {
    fn refused(&mut self, refusal: Refusal) {
        self.0.get_or_insert(format!("{}: {}: {}", refusal.file, refusal.path, refusal.message));
    }

    fn unreadable(&mut self, error: Error) {
        self.0.get_or_insert(error.to_string());
    }
}

fn show(url: &str, count: u64, members: &[Member]) -> Result<(), Failure> {
    let root = url.trim_end_matches('/');
    say(format!("listening on {url}"))?;
    say(format!(
        "\nA node of {} with {count} objects. Sign in as:\n",
        members.first().map_or("", |own| own.organisation)
    ))?;
    for member in members {
        let standing = match member.relation {
            Relation::Own => "the node's own organisation: sees up to AMBER+STRICT",
            Relation::Client => "a client: sees up to AMBER",
            Relation::Community => "of the community: sees up to GREEN",
            Relation::Public => "anyone: sees CLEAR",
        };
        say(format!("  {:14} {}   {}, {standing}", member.name, member.password.as_str(), member.organisation))?;
    }
    say("\nTry:\n")?;
    let accept = "-H 'Accept: application/taxii+json;version=2.1'";
    if let (Some(own), Some(other)) = (members.first(), members.get(1)) {
        let objects = format!("{root}/exchange/collections/{}/objects/", own.name);
        say(format!("  curl {accept} {root}/taxii2/"))?;
        say(format!("  curl {accept} -u {}:{} '{objects}?limit=3'", own.name, own.password.as_str()))?;
        say(format!(
            "  curl {accept} -u {}:{} '{objects}?match\\[type\\]=indicator'",
            other.name,
            other.password.as_str()
        ))?;
    }
    say("\nThe third shows fewer indicators than its own organisation sees. Ctrl-C ends it and removes everything.")
}

/// A directory that goes with the demonstration.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn new() -> Result<Self, Failure> {
        let random = u128::from_le_bytes(node::chance::bytes()?);
        Ok(Self { path: std::env::temp_dir().join(format!("marsad-demo-{random:032x}")) })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            note(format!("{} could not be removed: {error}", self.path.display()));
        }
    }
}
