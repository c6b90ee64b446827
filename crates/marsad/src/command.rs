//! The commands, one a file, and what several of them need.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod card;
pub(crate) mod check;
pub(crate) mod collection;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod group;
pub(crate) mod hunt;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod link;
pub(crate) mod man;
pub(crate) mod marking;
pub(crate) mod organisation;
pub(crate) mod pack;
pub(crate) mod partner;
pub(crate) mod pattern;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod recall;
pub(crate) mod restore;
pub(crate) mod restrict;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod sources;
pub(crate) mod unpack;
pub(crate) mod validate;
pub(crate) mod watch;
pub(crate) mod who;
pub(crate) mod why;

use crate::cli::{Cli, Command, Place};
use crate::outcome::{Failure, Outcome};
use ledger::{Collection, Register as _};
use node::administration::Administration;
use node::config::Config;
use node::home::Home;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> Outcome {
    let place = &cli.place;
    match cli.command {
        Command::Init(args) => init::run(place, &args),
        Command::Serve(args) => serve::run(place, &args),
        Command::Demo(args) => demo::run(place, &args),
        Command::Import(args) => import::run(place, &args),
        Command::Export(args) => export::run(place, &args),
        Command::Pull(args) => pull::run(place, &args),
        Command::Push(args) => push::run(place, &args),
        Command::Pack(args) => pack::run(place, &args),
        Command::Unpack(args) => unpack::run(place, &args),
        Command::Validate(args) => validate::run(place, &args),
        Command::Pattern(args) => pattern::run(&args),
        Command::Watch(args) => watch::run(place, &args),
        Command::Collection(args) => collection::run(place, &args),
        Command::Account(args) => account::run(place, &args),
        Command::Organisation(args) => organisation::run(place, &args),
        Command::Key(args) => key::run(place, &args),
        Command::Group(args) => group::run(place, &args),
        Command::Hunt(args) => hunt::run(place, &args),
        Command::Marking(args) => marking::run(place, &args),
        Command::Card(args) => card::run(place, &args),
        Command::Partner(args) => partner::run(place, &args),
        Command::Link(args) => link::run(place, &args),
        Command::Why(args) => why::run(place, &args),
        Command::Who(args) => who::run(place, &args),
        Command::Sources(args) => sources::run(place, &args),
        Command::Restrict(args) => restrict::run(place, &args),
        Command::Rules(args) => rules::run(place, &args),
        Command::Recall(args) => recall::run(place, &args),
        Command::Erase(args) => erase::run(place, &args),
        Command::Audit(args) => audit::run(place, &args),
        Command::Backup(args) => backup::run(place, &args),
        Command::Restore(args) => restore::run(place, &args),
        Command::Check(args) => check::run(place, &args),
        Command::Doctor(args) => doctor::run(place, &args),
        Command::Config(args) => config::run(place, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// A node that exists, opened. Several processes may do so at once.
pub(crate) struct Opened {
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) book: Arc<ledger::sqlite::Book>,
}

impl Opened {
    /// What changes members, organisations and collections; whoever works here is the operator.
    pub(crate) fn administration(&self) -> Result<Administration, Failure> {
        let recorder = node::audit::AuditRecorder::new(Arc::new(self.audit()?));
        let administration =
            Administration::new(Arc::clone(&self.book) as _, self.home.secret()?, &self.config.accounts);
        Ok(administration.recorded_by(Arc::new(recorder)).recalled_by(Arc::new(self.office()?)))
    }

    /// Where what leaves our control is taken back.
    pub(crate) fn office(&self) -> Result<node::partners::recalls::Office, Failure> {
        let journal = Arc::new(self.audit()?);
        Ok(node::partners::recalls::Office::new(&self.book, journal, &self.config, self.home.secret()?))
    }

    /// The collection with this id or alias.
    pub(crate) fn collection(&self, name: &str) -> Result<Collection, Failure> {
        match self.book.collection(name)? {
            Some(collection) => Ok(collection),
            None => Err(Failure::could(format!(
                "there is no collection `{}`: `marsad collection list` shows what there is",
                crate::terminal::visible(name)
            ))),
        }
    }

    /// The door, for the decisions of a command.
    pub(crate) fn door(&self) -> node::door::Door {
        node::door::Door::over(&self.book, &self.config)
    }

    /// The audit log.
    pub(crate) fn audit(&self) -> Result<ledger::sqlite::JournalFile, Failure> {
        Ok(node::audit::open(&self.home)?)
    }

    /// Writes an event down, by whoever runs this command, before the command goes on.
    pub(crate) fn wrote_down(&self, event: &node::audit::Event) -> Result<(), Failure> {
        node::audit::write_now(&self.audit()?, event)?;
        Ok(())
    }

    /// Writes an act of administration down: what was done, to which thing or to which person. `details` name nobody.
    pub(crate) fn administered(
        &self,
        act: &'static str,
        about: &str,
        whom: Option<&str>,
        details: serde_json::Value,
    ) -> Result<(), Failure> {
        let details = match details {
            serde_json::Value::Object(details) => details,
            _ => serde_json::Map::new(),
        };
        self.wrote_down(&node::audit::Event::Administered {
            by: node::audit::operator(),
            act,
            about: about.to_owned(),
            whom: whom.map(str::to_owned),
            done: true,
            details,
        })
    }

    /// The name of the organisation that owns the node.
    pub(crate) fn own_organisation(&self) -> Result<String, Failure> {
        match self.book.note(node::administration::OWN_ORGANISATION)?.map(String::from_utf8) {
            Some(Ok(name)) => Ok(name),
            _ => Err(Failure::could("the node has no organisation of its own: restore it from a backup")),
        }
    }
}

impl Place {
    /// The node's directory, whether or not it exists.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        self.home.clone().or_else(|| node::home::default_path(|name| std::env::var_os(name))).ok_or_else(|| {
            Failure::Usage("where is the node? name its directory with --home DIR or MARSAD_HOME".to_owned())
        })
    }

    /// The node's directory.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        Ok(Home::open(&self.path()?)?)
    }

    /// The configuration in force: file, environment, `--set`, then `flags` of the command.
    pub(crate) fn config(&self, file: Option<&Path>, flags: &[String]) -> Result<Config, Failure> {
        let all: Vec<String> = self.set.iter().chain(flags).cloned().collect();
        Config::load(file, environment(), &all).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// The node, opened.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        let home = self.home()?;
        let config = self.config(Some(&home.config()), &[])?;
        let book = Arc::new(ledger::sqlite::Book::open(&home.database(), node::clock::now())?);
        Ok(Opened { home, config, book })
    }
}

/// What an act of administration refused: what cannot be is a wrong call.
pub(crate) fn asked(error: node::administration::Error) -> Failure {
    match error {
        node::administration::Error::Invalid(why) => Failure::Usage(crate::terminal::visible(&why)),
        error => error.into(),
    }
}

/// The object is not in the book.
pub(crate) fn no_object(id: &str) -> Failure {
    Failure::could(format!("there is no object `{}` here", crate::terminal::visible(id)))
}

/// A name of a thing that people make: what it may look like, so that it can stand in URLs, lists and messages.
pub(crate) fn checked_name<'a>(what: &str, name: &'a str) -> Result<&'a str, Failure> {
    let wrong = |why: &str| Err(Failure::Usage(format!("the {what} `{}` {why}", crate::terminal::visible(name))));
    if name.is_empty() || name.trim() != name {
        return wrong("is empty, or begins or ends with white space");
    }
    if name.chars().count() > 200 {
        return wrong("is longer than 200 characters");
    }
    if crate::terminal::visible(name) != name {
        return wrong("has characters that cannot be seen");
    }
    Ok(name)
}

/// Names of accounts and organisations, separated by commas, as the register spells them.
pub(crate) fn named(opened: &Opened, text: &str) -> Result<Vec<String>, Failure> {
    let accounts = opened.book.accounts()?.into_iter().map(|account| account.name);
    let known: Vec<String> = accounts.chain(opened.book.organisations()?.into_iter().map(|o| o.name)).collect();
    let mut names = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let lower = name.to_lowercase();
        let Some(found) = known.iter().find(|known| known.to_lowercase() == lower) else {
            let name = crate::terminal::visible(name);
            return Err(Failure::could(format!("`{name}` is neither an account nor an organisation of this node")));
        };
        names.push(found.clone());
    }
    Ok(names)
}

/// The environment, as far as it is text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
