//! `marsad account`.

mod certificate;
mod link;
mod recovery;
mod sessions;
mod totp;

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, say_list, visible};
use ledger::{Register as _, Role};
use node::administration::NewAccount;
use policy::role::Actor;
use std::io::Read as _;
use zeroize::Zeroizing;

/// Members: people who sign in with a name and a password, and machines that use their keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account add amina --role analyst
  marsad account password amina
  marsad account list --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Role(SetRole),
    Password(Password),
    Totp(totp::Args),
    Recovery(recovery::Args),
    Sessions(sessions::Args),
    Certificate(certificate::Args),
    Link(link::Args),
    Unlink(link::UnlinkArgs),
    Remove(Remove),
}

/// Gives a member another role.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad account role amina publisher")]
struct SetRole {
    /// The member
    name: String,
    /// What it may do from now on
    role: RoleName,
}

/// Adds a member. The password is made, and printed this once, or read from standard input.
///
/// A `reader` reads; an `analyst` also writes; a `publisher` also releases to others; a `partner-manager` also
/// manages partners; an `administrator` manages everything.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account add amina --role analyst
  marsad account add liaison --role reader --organisation 'CERT North'
  printf %s \"$PASSWORD\" | marsad account add amina --role analyst --password-stdin")]
struct Add {
    /// The name to sign in with
    name: String,
    /// What the member may do
    #[arg(long)]
    role: RoleName,
    /// The organisation it acts for [default: the node's own]
    #[arg(long, value_name = "ORG")]
    organisation: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Shows the members.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad account list\n  marsad account list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Sets a member's password: a new one is made and printed, or read from standard input.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account password amina
  printf %s \"$PASSWORD\" | marsad account password amina --password-stdin")]
struct Password {
    /// The member
    name: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Removes a member and its keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad account remove amina")]
struct Remove {
    /// The member
    name: String,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum RoleName {
    /// Reads
    Reader,
    /// Reads and writes
    Analyst,
    /// Releases to others
    Publisher,
    /// Manages partners
    PartnerManager,
    /// Manages everything
    Administrator,
}

impl RoleName {
    fn role(self) -> policy::role::Role {
        use policy::role::Role;
        match self {
            Self::Reader => Role::Reader,
            Self::Analyst => Role::Analyst,
            Self::Publisher => Role::Publisher,
            Self::PartnerManager => Role::PartnerManager,
            Self::Administrator => Role::Administrator,
        }
    }
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => run_add(place, add),
        Action::List(list) => run_list(place, list),
        Action::Role(role) => {
            place.open()?.administration()?.set_role(&Actor::Operator, &role.name, role.role.role())?;
            note(format!("`{}` is now a {}", visible(&role.name), role.role.role().name()));
            Ok(Verdict::Good)
        }
        Action::Password(password) => run_password(place, password),
        Action::Totp(args) => totp::run(place, args),
        Action::Recovery(args) => recovery::run(place, args),
        Action::Sessions(args) => sessions::run(place, args),
        Action::Certificate(args) => certificate::run(place, args),
        Action::Link(args) => link::run(place, args),
        Action::Unlink(args) => link::run_unlink(place, args),
        Action::Remove(remove) => run_remove(place, remove),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    checked_account(&args.name)?;
    let opened = place.open()?;
    let organisation = match &args.organisation {
        Some(name) => name.clone(),
        None => opened.own_organisation()?,
    };
    let chosen = Chosen::take(args.password_stdin)?;
    add(&opened, &args.name, args.role.role(), &organisation, &chosen.password)?;
    note(format!("added the account `{}` of {}", args.name, visible(&organisation)));
    if args.json {
        say_json(&serde_json::json!({"name": args.name, "password": chosen.to_show().map(|text| text.as_str())}))?;
    } else {
        chosen.show()?;
    }
    Ok(Verdict::Good)
}

/// Adds a member with a password.
pub(crate) fn add(
    opened: &super::Opened,
    name: &str,
    role: policy::role::Role,
    organisation: &str,
    password: &str,
) -> Result<(), Failure> {
    let new = NewAccount { name, organisation: Some(organisation), role, password: Some(password) };
    opened.administration()?.add_account(&Actor::Operator, &new, node::clock::now())?;
    Ok(())
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let accounts = place.open()?.book.accounts()?;
    let shown = |account: &ledger::Account| {
        serde_json::json!({
            "name": account.name,
            "role": spelled(account.role),
            "organisation": account.organisation.name,
            "relation": node::administration::relation_word(account.organisation.relation),
            "password": account.password.is_some(),
        })
    };
    let row = |account: &ledger::Account| {
        [
            visible(&account.name),
            spelled(account.role).to_owned(),
            visible(&account.organisation.name),
            if account.password.is_some() { "set" } else { "none yet" }.to_owned(),
        ]
    };
    say_list(args.json, &accounts, shown, ["NAME", "ROLE", "ORGANISATION", "PASSWORD"], row)?;
    Ok(Verdict::Good)
}

fn run_password(place: &Place, args: &Password) -> Outcome {
    let opened = place.open()?;
    let chosen = Chosen::take(args.password_stdin)?;
    opened.administration()?.set_password(&Actor::Operator, &args.name, &chosen.password)?;
    note(format!("set the password of `{}`", visible(&args.name)));
    chosen.show()?;
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, args: &Remove) -> Outcome {
    place.open()?.administration()?.remove_account(&Actor::Operator, &args.name)?;
    note(format!("removed the account `{}`", visible(&args.name)));
    Ok(Verdict::Good)
}

/// A password, and whether the person who asked knows it already.
struct Chosen {
    password: Zeroizing<String>,
    made: bool,
}

impl Chosen {
    fn take(from_stdin: bool) -> Result<Self, Failure> {
        if from_stdin {
            return Ok(Self { password: password_from_stdin()?, made: false });
        }
        Ok(Self { password: made_password()?, made: true })
    }

    fn to_show(&self) -> Option<&Zeroizing<String>> {
        self.made.then_some(&self.password)
    }

    fn show(&self) -> Result<(), Failure> {
        match self.to_show() {
            Some(password) => {
                note("the password, shown this once:");
                say(password.as_str())
            }
            None => Ok(()),
        }
    }
}

/// A random password that can be read out: about 119 bits, without letters that look alike.
pub(crate) fn made_password() -> Result<Zeroizing<String>, Failure> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = Zeroizing::new(node::chance::bytes::<24>()?);
    let mut password = Zeroizing::new(String::with_capacity(32));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 6 == 0 {
            password.push('-');
        }
        // 32 letters: every one is as likely.
        password.extend(LETTERS.get(usize::from(byte & 31)).map(|letter| char::from(*letter)));
    }
    Ok(password)
}

/// A password from standard input: the first line without its end.
pub(crate) fn password_from_stdin() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    std::io::stdin().lock().take(4096).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Usage("the password is not UTF-8".to_owned()))?;
    let line = text.split(['\r', '\n']).next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::Usage("there is no password on standard input".to_owned()));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// What a member's name may look like: it stands in HTTP Basic, where a colon ends it, and in lists.
pub(crate) fn checked_account(name: &str) -> Result<&str, Failure> {
    let name = super::checked_name("account", name)?;
    if name.contains([':', ',']) {
        return Err(Failure::Usage("an account's name cannot have a colon or a comma".to_owned()));
    }
    Ok(name)
}

/// As the command line writes a role.
pub(crate) fn spelled(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Analyst => "analyst",
        Role::Publisher => "publisher",
        Role::PartnerManager => "partner-manager",
        Role::Administrator => "administrator",
    }
}
