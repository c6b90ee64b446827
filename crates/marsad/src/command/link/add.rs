//! `marsad link add`.

use crate::cli::Place;
use crate::command::pull::SignIn;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say_json, visible};
use crate::when;
use node::administration::NewLink;
use node::partners::link::{Definition, Direction};
use policy::role::Actor;

/// Adds a link to a partner: a collection of theirs that is pulled, or one of ours that is pushed.
///
/// Without `--every` and `--at-once` it runs every five minutes. `--at-once` pulls as soon as the partner's node says that
/// there is something new, and pushes as soon as there is something new here.
#[derive(Debug, clap::Args)]
#[command(
    name = "add",
    group(clap::ArgGroup::new("way").required(true).args(["pull", "push"])),
    after_help = "\
Examples:
  marsad link add north --partner 'CERT North' --pull https://cti.north.example/taxii2/ --collection shared --at-once --key-stdin < key
  marsad link add out --partner 'CERT North' --push https://cti.north.example/taxii2/ --collection inbox --every 1h --ceiling green --user us --password-stdin < password
  marsad link add feed --partner 'Old Server' --pull https://old.example/api1/ --collection indicators --types indicator,malware --max-objects-per-hour 5000"
)]
pub(super) struct Args {
    /// Its name
    name: String,
    /// The partner (`marsad partner list`)
    #[arg(long, value_name = "ORG")]
    partner: String,
    /// Pull from this server: its address, discovery, API root or collection
    #[arg(long, value_name = "URL")]
    pull: Option<String>,
    /// Push to this server
    #[arg(long, value_name = "URL")]
    push: Option<String>,
    /// Their collection: id, alias or title
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// Our collection, into which is pulled: alias or id
    #[arg(long, value_name = "ALIAS", conflicts_with = "push", default_value = crate::command::init::MAIN)]
    into: String,
    /// Our collection, from which is pushed: alias or id
    #[arg(long, value_name = "ALIAS", conflicts_with = "pull", default_value = crate::command::init::MAIN)]
    from: String,
    /// Time between rounds, such as 30s, 5m, 1h
    #[arg(long, value_name = "SPAN")]
    every: Option<String>,
    /// A round begins as soon as there is something new
    #[arg(long)]
    at_once: bool,
    /// Only objects of these STIX types, separated by commas
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// Only objects of these versions of STIX: 2.0, 2.1
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    spec_versions: Vec<String>,
    /// Only what was added after this instant
    #[arg(long, value_name = "T")]
    added_after: Option<String>,
    /// Nothing that is marked more strictly goes over it: clear, green, amber, amber+strict, red
    #[arg(long, value_name = "TLP")]
    ceiling: Option<String>,
    /// Who gets what comes marked TLP:RED: accounts and organisations, separated by commas [default: it is refused]
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "push")]
    to: Vec<String>,
    /// Objects in an hour at most
    #[arg(long, value_name = "N")]
    max_objects_per_hour: Option<u64>,
    /// Bytes in a day at most
    #[arg(long, value_name = "N")]
    max_bytes_per_day: Option<u64>,
    /// Larger objects do not go over it
    #[arg(long, value_name = "N")]
    max_object_bytes: Option<u64>,
    #[command(flatten)]
    sign_in: SignIn,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let now = node::clock::now();
    let (direction, url, ours) = match (&args.pull, &args.push) {
        (Some(url), _) => (Direction::Pull, url, &args.into),
        (None, Some(url)) => (Direction::Push, url, &args.from),
        (None, None) => return Err(Failure::Usage("name --pull URL or --push URL".to_owned())),
    };
    let every = match &args.every {
        Some(text) => Some(seconds(text)?),
        None if args.at_once => None,
        None => Some(300),
    };
    let added_after = args.added_after.as_deref().map(|text| when::instant("--added-after", text, now)).transpose()?;
    let definition = Definition {
        every,
        at_once: args.at_once,
        types: args.types.clone(),
        spec_versions: args.spec_versions.clone(),
        added_after: added_after.map(stix::timestamp::format_micros),
        ceiling: args.ceiling.as_ref().map(|level| level.to_lowercase()),
        to: args.to.clone(),
        max_objects_per_hour: args.max_objects_per_hour,
        max_bytes_per_day: args.max_bytes_per_day,
        max_object_bytes: args.max_object_bytes,
        ..Definition::new(direction, url, &args.collection, ours)
    };
    let opened = place.open()?;
    let administration = opened.administration()?;
    let login = args.sign_in.login()?;
    if let Some(login) = &login {
        // What cannot be sent is told now, not in the first round.
        login.credentials()?;
    }
    node::egress::Egress::new(&opened.config, opened.home.path())?.to(url, None)?;
    let new = NewLink { name: &args.name, partner: &args.partner, definition, login };
    let link = administration.add_link(&Actor::Operator, new).map_err(crate::command::asked)?;
    note(format!("added the link `{}`: `marsad serve` runs it, `marsad link run` does so now", visible(&link.name)));
    if args.json {
        say_json(&super::status::shown(&link, now))?;
    }
    Ok(Verdict::Good)
}

/// A span in whole seconds.
fn seconds(text: &str) -> Result<u64, Failure> {
    let wrong = || Failure::Usage(format!("--every takes a span such as 30s, 5m or 1h, not `{}`", visible(text)));
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, wanted) in
            [("30s", Some(30)), ("5m", Some(300)), ("2h", Some(7_200)), ("1d", Some(86_400)), ("5", None), ("m", None)]
        {
            assert_eq!(seconds(text).ok(), wanted, "{text}");
        }
        assert!(seconds("99999999999999999999d").is_err() && seconds("9999999999999999d").is_err());
        assert!(seconds("-5m").is_err() && seconds("5 m").is_err() && seconds("").is_err());
    }
}
