//! `marsad account link` and `unlink`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{note, visible};
use policy::role::Actor;

/// Binds a member to an identity at a provider (OpenID Connect), by which it signs in from then on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account link amina --issuer https://id.example.org --subject 248289761001")]
pub(super) struct Args {
    /// The member
    name: String,
    #[command(flatten)]
    identity: Identity,
}

/// Takes the binding to an identity back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account unlink amina --issuer https://id.example.org --subject 248289761001")]
pub(super) struct UnlinkArgs {
    /// The member
    name: String,
    #[command(flatten)]
    identity: Identity,
}

#[derive(Debug, clap::Args)]
struct Identity {
    /// The provider, letter by letter as in `oidc.issuer`
    #[arg(long, value_name = "I")]
    issuer: String,
    /// The provider's own name for the member: `sub`, never a mail address
    #[arg(long, value_name = "S")]
    subject: String,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let Identity { issuer, subject } = &args.identity;
    let administration = place.open()?.administration()?;
    administration.link(&Actor::Operator, &args.name, issuer, subject, node::clock::now())?;
    note(format!("bound `{}` to an identity at {}", visible(&args.name), visible(issuer)));
    Ok(Verdict::Good)
}

pub(super) fn run_unlink(place: &Place, args: &UnlinkArgs) -> Outcome {
    let Identity { issuer, subject } = &args.identity;
    place.open()?.administration()?.unlink(&Actor::Operator, &args.name, issuer, subject)?;
    note(format!("took back an identity of `{}`", visible(&args.name)));
    Ok(Verdict::Good)
}
