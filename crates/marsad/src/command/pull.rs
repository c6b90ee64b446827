//! `marsad pull`.

use super::import::with;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json, visible};
use node::egress::{Credentials, Egress, Session};
use node::import::{Error, Listener, Refusal};
use node::intake::Context;
use node::link::{Pull, Pulled, Remote};
use node::partners::link::Login;
use std::io::Read as _;
use taxii::client::{Address, Client, Limits, Selection};

/// Reads what is new in a collection of another TAXII 2.1 server into one of ours.
///
/// The next pull goes on where this one ended, also after it was interrupted; what is there already stays unchanged.
/// The server may be any: one that pages by `next`, or by the date of addition.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad pull https://cti.example.org/taxii2/ --collection indicators --user amina --password-stdin < password
  marsad pull https://cti.example.org/api1/ --collection 91a7b528-80eb-42ed-a74d-c6fbd5a26116 --key-stdin < key
  marsad pull https://cti.example.org/taxii2/ --collection indicators --into partners --from-the-beginning")]
pub(crate) struct Args {
    #[command(flatten)]
    theirs: Theirs,
    /// Our collection: alias or id
    #[arg(long, value_name = "ALIAS", default_value = super::init::MAIN)]
    into: String,
    /// Read everything again instead of what is new
    #[arg(long)]
    from_the_beginning: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// The other side of a link.
#[derive(Debug, clap::Args)]
pub(crate) struct Theirs {
    /// The server, its discovery, an API root or a collection
    pub(super) url: String,
    /// Their collection: id, alias or title
    #[arg(long, value_name = "NAME")]
    pub(super) collection: String,
    #[command(flatten)]
    sign_in: SignIn,
}

/// What we sign in with at the other side.
#[derive(Debug, clap::Args)]
pub(super) struct SignIn {
    /// Sign in with this name and a password
    #[arg(long, value_name = "NAME", conflicts_with_all = ["key", "key_stdin"], requires = "password_stdin")]
    user: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "user")]
    password_stdin: bool,
    /// Sign in with this key; others on this machine can see it, `--key-stdin` hides it
    #[arg(long, value_name = "KEY", conflicts_with = "key_stdin")]
    key: Option<String>,
    /// Read the key from standard input
    #[arg(long)]
    key_stdin: bool,
}

impl SignIn {
    /// What it is, if there is anything; it is read once.
    pub(super) fn login(&self) -> Result<Option<Login>, Failure> {
        let login = match (&self.user, &self.key) {
            (Some(name), _) => Login::Basic { name: name.clone(), password: secret()? },
            (None, Some(key)) => Login::Key(key.clone().into()),
            (None, None) if self.key_stdin => Login::Key(secret()?),
            (None, None) => return Ok(None),
        };
        Ok(Some(login))
    }

    fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        Ok(self.login()?.map(|login| login.credentials()).transpose()?)
    }
}

impl Theirs {
    /// The way there, signed in.
    pub(super) fn session(&self, egress: &Egress) -> Result<Session, Failure> {
        Ok(egress.to(&self.url, self.sign_in.credentials()?)?)
    }

    pub(super) fn address(&self) -> Result<Address, Failure> {
        self.url.parse().map_err(|error| Failure::Usage(format!("{}: {error}", visible(&self.url))))
    }
}

/// The client of a link, which reads no more of an answer than the way out lets in.
pub(super) fn client(session: Session, egress: &Egress) -> Client<Session> {
    Client::new(session, Limits { max_answer_bytes: egress.max_answer_bytes(), ..Limits::default() })
}

/// One line of standard input.
pub(super) fn secret() -> Result<zeroize::Zeroizing<String>, Failure> {
    let mut text = zeroize::Zeroizing::new(String::new());
    std::io::stdin().take(4096).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|error| Failure::could(format!("cannot start threads: {error}")))
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let egress = Egress::new(&opened.config, opened.home.path())?;
    let ours = opened.collection(&args.into)?;
    let context = Context::new(ours.no, opened.own_organisation()?, &*opened.book)?;
    let options = with(&opened, context, false, false);
    let address = args.theirs.address()?;
    let job = Pull {
        from: Remote { address: &address, collection: &args.theirs.collection },
        selection: Selection { versions: Some("all".to_owned()), ..Selection::default() },
        into: &ours,
        options: &options,
        again: args.from_the_beginning,
    };
    let client = client(args.theirs.session(&egress)?, &egress);
    let bar = progress(None, Unit::Things);
    let mut told = Told(0);
    let mut tell = |pulled: &Pulled| bar.set_position(pulled.received);
    let pulled = runtime()?.block_on(node::link::pull(&client, &*opened.book, &job, &mut told, &mut tell))?;
    bar.finish_and_clear();
    for warning in &pulled.warnings {
        note(format!("note: {warning}"));
    }
    let counts = pulled.counts;
    opened.wrote_down(&node::audit::Event::TakenIn {
        by: node::audit::operator(),
        collection: ours.no,
        request: String::new(),
        objects: counts.added + counts.unchanged + counts.conflicts,
        refused: counts.refused,
    })?;
    if args.json {
        say_json(&serde_json::json!({
            "added": counts.added, "unchanged": counts.unchanged, "refused": counts.refused,
            "conflicts": counts.conflicts, "pages": pulled.pages,
        }))?;
    } else {
        say(format!("added {}, unchanged {}, refused {}", counts.added, counts.unchanged, counts.refused))?;
    }
    Ok(Verdict::good_if(counts.refused == 0 && counts.conflicts == 0))
}

/// Tells of the first refusals, and how many more there were.
struct Told(u64);

impl Listener for Told {
    fn refused(&mut self, refusal: Refusal) {
        self.0 += 1;
        if self.0 <= 100 {
            let object = refusal.object.as_deref().unwrap_or("(no id)");
            let line = format!("refused {object}: {}: {} [{}]", refusal.path, refusal.message, refusal.clause);
            note(visible(&line));
        } else if self.0 == 101 {
            note("further refusals are counted, not shown");
        }
    }

    fn unreadable(&mut self, error: Error) {
        note(visible(&format!("marsad: {}", crate::outcome::chain(&error))));
    }
}
