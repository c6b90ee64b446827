//! `marsad account totp`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{note, say, say_json, visible};
use node::totp::Algorithm;
use policy::role::Actor;

/// A member's second factor: codes by time from an authenticator (RFC 6238).
///
/// `enrol` makes one and prints its address for the authenticator; with the first code it takes it into use and prints ten
/// recovery codes. `remove` takes it and the recovery codes out of use. With a second factor in use, a session asks for the
/// code, and HTTP Basic takes the password followed by the code, from one address. Keys are not affected.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account totp amina enrol | qrencode -t ansiutf8
  marsad account totp amina enrol --code 492039
  marsad account totp amina remove")]
pub(super) struct Args {
    /// The member
    name: String,
    /// What to do
    action: Action,
    /// The code that the authenticator shows now
    #[arg(long)]
    code: Option<String>,
    /// The hash; many authenticators know SHA1 alone
    #[arg(long, value_name = "HASH", default_value = "SHA1", value_parser = ["SHA1", "SHA256", "SHA512"])]
    algorithm: String,
    /// Digits of a code: 6 or 8
    #[arg(long, value_name = "N", default_value_t = 6)]
    digits: u8,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Action {
    /// Makes one, or takes it into use
    Enrol,
    /// Takes it out of use
    Remove,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let administration = place.open()?.administration()?;
    let name = args.name.as_str();
    match (args.action, &args.code) {
        (Action::Remove, _) => {
            administration.remove_second_factor(&Actor::Operator, name)?;
            note(format!("`{}` signs in without a second factor", visible(name)));
        }
        (Action::Enrol, Some(code)) => {
            let now = node::clock::now();
            let codes = administration.confirm_second_factor(&Actor::Operator, name, code, now)?;
            note(format!("`{}` signs in with a second factor from now on", visible(name)));
            super::recovery::show(&codes, args.json)?;
        }
        (Action::Enrol, None) => {
            let algorithm = Algorithm::named(&args.algorithm).unwrap_or(Algorithm::Sha1);
            let totp = administration.enrol_second_factor(&Actor::Operator, name, algorithm, args.digits)?;
            if args.json {
                say_json(&serde_json::json!({
                    "address": totp.address(name).as_str(), "secret": totp.typed().as_str(),
                }))?;
            } else {
                note("for the authenticator, shown this once:");
                say(totp.address(name).as_str())?;
                note("next: the same with --code and what the authenticator shows; until then nothing is asked for");
            }
        }
    }
    Ok(Verdict::Good)
}
