//! `marsad key`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, say_list, visible};
use crate::when;
use ledger::{Register as _, Role};
use node::administration::NewKey;
use node::network::Network;
use policy::role::Actor;

/// API keys: by one a machine acts for a member, without knowing its password.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad key add firewall --account amina --scope read --expires 90d
  marsad key list
  marsad key remove firewall")]
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

/// Makes a key and prints it, this once. Only a hash of it is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad key add firewall --account amina --scope read
  marsad key add nightly-push --account amina --expires 90d
  marsad key add sensor --account amina --from 192.0.2.0/24,2001:db8:7::/48
  curl -H \"Authorization: Bearer $KEY\" https://cti.example.org/taxii2/")]
struct Add {
    /// The key's name
    name: String,
    /// The member it acts for [default: the administrator, if there is only one]
    #[arg(long, value_name = "A")]
    account: Option<String>,
    /// What it may do: `read`, `write` or both with a comma [default: whatever the member may]
    #[arg(long, value_name = "S", value_delimiter = ',')]
    scope: Vec<Scope>,
    /// When it ends: after so long (`90d`, `12h`, `30m`), or at an instant (`2027-01-31T00:00:00Z`) [default: never]
    #[arg(long, value_name = "T")]
    expires: Option<String>,
    /// From where it works: networks or addresses with commas [default: from anywhere]
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    from: Vec<Network>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Scope {
    /// Reads
    Read,
    /// Writes
    Write,
}

/// Shows the keys, without their secrets, which nobody has.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad key list\n  marsad key list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Removes a key. It is refused from then on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad key remove firewall")]
struct Remove {
    /// The key's name
    name: String,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => run_add(place, add),
        Action::List(list) => run_list(place, list),
        Action::Remove(remove) => run_remove(place, remove),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    let name = super::checked_name("key", &args.name)?;
    let now = node::clock::now();
    let expires = args.expires.as_deref().map(|text| when::later("--expires", text, now)).transpose()?;
    let opened = place.open()?;
    let account = owner(&opened, args.account.as_deref())?;
    let scope = args.scope.iter().map(|scope| spelled(*scope).to_owned()).collect();
    let wanted = NewKey { name, scope, networks: args.from.clone(), expires };
    let (_, secret) = opened.administration()?.add_key(&Actor::Operator, &account, &wanted, now)?;
    note(format!("added the key `{}` of `{}`", visible(name), visible(&account)));
    if args.json {
        say_json(&serde_json::json!({
            "name": name, "account": account, "key": secret.as_str(), "expires": expires.map(when::spelled),
        }))?;
    } else {
        note("the key, shown this once:");
        say(secret.as_str())?;
    }
    Ok(Verdict::Good)
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let keys = place.open()?.book.keys()?;
    let shown = |key: &ledger::Key| {
        serde_json::json!({
            "name": key.name, "account": key.account, "scope": key.scope,
            "from": key.networks, "expires": key.expires.map(when::spelled), "created": when::spelled(key.created),
            "last_used": key.last_used.map(when::spelled),
        })
    };
    let never = |at: Option<i64>| at.map_or_else(|| "never".to_owned(), when::spelled);
    let row = |key: &ledger::Key| {
        [
            visible(&key.name),
            visible(&key.account),
            if key.scope.is_empty() { "all".to_owned() } else { key.scope.join(",") },
            if key.networks.is_empty() { "anywhere".to_owned() } else { key.networks.join(",") },
            never(key.expires),
            never(key.last_used),
        ]
    };
    say_list(args.json, &keys, shown, ["NAME", "ACCOUNT", "SCOPE", "FROM", "EXPIRES", "LAST USED"], row)?;
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, args: &Remove) -> Outcome {
    let administration = place.open()?.administration()?;
    let owner = administration.owner_of_key(&Actor::Operator, &args.name)?;
    administration.remove_key(&Actor::Operator, &owner, &args.name)?;
    note(format!("removed the key `{}`", visible(&args.name)));
    Ok(Verdict::Good)
}

fn owner(opened: &super::Opened, named: Option<&str>) -> Result<String, Failure> {
    match named {
        Some(name) => match opened.book.account(name)? {
            Some(account) => Ok(account.name),
            None => Err(Failure::could(format!("there is no account `{}`", visible(name)))),
        },
        None => {
            let accounts = opened.book.accounts()?;
            let mut administrators = accounts.into_iter().filter(|account| account.role == Role::Administrator);
            match (administrators.next(), administrators.next()) {
                (Some(only), None) => Ok(only.name),
                _ => Err(Failure::Usage("for whom is the key? name a member with --account".to_owned())),
            }
        }
    }
}

fn spelled(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
    }
}
