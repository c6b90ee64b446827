//! `marsad card`.

use super::Opened;
use super::export::Whole;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{confirmed, note, say, say_json, visible};
use crate::when;
use node::partners::identity::Surroundings;
use partner::card::Card;
use partner::words;
use policy::role::Actor;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Our own card: who we are to partners, by which keys we sign, where we are reached.
///
/// Give its file to a partner by any road (mail, chat, a USB stick), and then read its words to them over the telephone: they
/// count it only after that (`marsad partner confirm`). Keys and card are made at the first use.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad card show
  marsad card show -o our-card.json --qr")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Show(Show),
    Rotate(Rotate),
    Revoke(Revoke),
}

/// Shows our card with the words and digits by which it is compared.
///
/// The card says `public-url` and the certificate in `tls.certificate`. Where they have changed it is written anew
/// under the same keys, which partners follow without a call.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad card show
  marsad card show -o our-card.json
  marsad card show --qr
  marsad card show --json")]
struct Show {
    /// Draw a code that a telephone reads: fingerprint and address, nothing secret
    #[arg(long, conflicts_with = "json")]
    qr: bool,
    /// Write the card to this file, for partners
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Takes new keys into use. Partners follow the new card without a call.
///
/// Do it from time to time, or when somebody leaves who could read the node's directory. If a key may be in other hands, use
/// `marsad card revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad card rotate -o our-card.json")]
struct Rotate {
    /// Write the new card to this file, for partners
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Takes our keys back: they may be in other hands. New ones are made, which partners must compare by voice.
///
/// Partners that get the file stop believing the old keys at once. Then give them the new card (`marsad card show -o FILE`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad card revoke -o revocation.json
  marsad card show -o our-new-card.json")]
struct Revoke {
    /// Write the card that tells partners of it to this file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    match &args.action {
        Action::Show(show) => run_show(&opened, show),
        Action::Rotate(rotate) => run_rotate(&opened, rotate),
        Action::Revoke(revoke) => run_revoke(&opened, revoke),
    }
}

fn run_show(opened: &Opened, args: &Show) -> Outcome {
    let (card, changed) =
        opened.administration()?.own_card(&Actor::Operator, &here(opened), node::clock::now()).map_err(super::asked)?;
    if changed {
        note("the card was written anew: give it to your partners, who follow it without a call");
    }
    write(args.output.as_deref(), &card)?;
    if args.json {
        say_json(&described(&card))?;
        return Ok(Verdict::Good);
    }
    say(shown(&card))?;
    if args.qr {
        say(code(&card)?)?;
    }
    if card.addresses.is_empty() {
        note("the card names no address: set `public-url` if partners are to reach this node");
    }
    Ok(Verdict::Good)
}

fn run_rotate(opened: &Opened, args: &Rotate) -> Outcome {
    let administration = opened.administration()?;
    let made = administration.rotate_card(&Actor::Operator, &here(opened), node::clock::now()).map_err(super::asked)?;
    write(args.output.as_deref(), &made.card)?;
    if args.json {
        say_json(&described(&made.card))?;
    } else {
        say(shown(&made.card))?;
    }
    note("new keys are in use: give the card to your partners, who follow it without a call");
    Ok(Verdict::Good)
}

fn run_revoke(opened: &Opened, args: &Revoke) -> Outcome {
    if !confirmed("Take our keys back? Partners believe nothing of us until they have compared the new card by voice.")?
    {
        return Ok(Verdict::Bad);
    }
    let administration = opened.administration()?;
    let made = administration.revoke_card(&Actor::Operator, &here(opened), node::clock::now()).map_err(super::asked)?;
    if let Some(revoked) = &made.revoked {
        write(Some(&args.output), revoked)?;
        note(format!("{} tells partners of it: give it to them now", args.output.display()));
    }
    if args.json {
        say_json(&described(&made.card))?;
    } else {
        say(shown(&made.card))?;
    }
    Ok(Verdict::Good)
}

fn here(opened: &Opened) -> Surroundings {
    Surroundings::of(&opened.home, &opened.config)
}

/// Writes a card to a file, whole or not at all.
fn write(path: Option<&Path>, card: &Card) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let document: Value = serde_json::from_slice(card.text())?;
    let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
    let mut file = Whole::beside(path)?;
    file.out.write_all(text.as_bytes()).map_err(|error| Failure::file("write", path, &error))?;
    file.finish()
}

/// A card as people read it.
pub(super) fn shown(card: &Card) -> String {
    let fingerprint = card.fingerprint();
    let mut lines = vec![
        ("organisation", visible(&card.organisation)),
        ("serial", card.serial.to_string()),
        ("from", when::spelled(card.from)),
    ];
    lines.extend(card.until.map(|until| ("until", when::spelled(until))));
    lines.extend(card.identities.iter().map(|identity| ("identity", identity.clone())));
    lines.extend(card.addresses.iter().map(|address| ("address", address.clone())));
    lines.extend(card.certificates.iter().map(|certificate| ("certificate", certificate.clone())));
    lines.push(("key", card.keys.id().to_string()));
    if card.revoked {
        lines.push(("revoked", "its keys are not to be believed any more".to_owned()));
    }
    lines.extend([("words", words::say(&fingerprint)), ("digits", words::digits(&fingerprint))]);
    lines.iter().map(|(name, value)| format!("{name:<13} {value}")).collect::<Vec<_>>().join("\n")
}

/// A card for machines.
pub(super) fn described(card: &Card) -> Value {
    let fingerprint = card.fingerprint();
    json!({
        "organisation": card.organisation,
        "serial": card.serial,
        "identities": card.identities,
        "addresses": card.addresses,
        "certificates": card.certificates,
        "key": card.keys.id().as_str(),
        "from": when::spelled(card.from),
        "until": card.until.map(when::spelled),
        "revoked": card.revoked,
        "words": words::say(&fingerprint),
        "digits": words::digits(&fingerprint),
        "card": serde_json::from_slice::<Value>(card.text()).unwrap_or_default(),
    })
}

/// What the code says: the digits, and where we are reached.
fn coded(card: &Card) -> String {
    let digits = words::digits(&card.fingerprint()).replace(' ', "-");
    let address = card.addresses.first().map(|address| format!("\n{address}")).unwrap_or_default();
    format!("MARSAD CARD\n{digits}{address}")
}

/// The code in half blocks, light on dark: as terminals mostly are, and telephones read it on light ones as well.
fn code(card: &Card) -> Result<String, Failure> {
    let code = QrCode::new(coded(card)).map_err(|error| Failure::could(format!("no code can be drawn: {error}")))?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

#[cfg(test)]
mod tests;
