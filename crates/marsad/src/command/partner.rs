//! `marsad partner`.

mod meet;

use super::card::{described, shown};
use super::organisation::Relation;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{confirmed, note, say, say_json, say_list, visible};
use crate::when;
use ledger::{CardState, PartnerKind};
use node::administration::{Grade, SeenPartner, said};
use node::partners::cards::Taken;
use policy::role::Actor;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;

/// Partners: organisations whose nodes or servers we exchange with.
///
/// A partner gives us the file of its card by any road. It counts for nothing until somebody has compared its words or digits
/// with what the partner's people say over the telephone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad partner add their-card.json
  marsad partner confirm 'CERT North' --words 'acorn actor album …'
  marsad partner list
  marsad partner meet 'CERT North'")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    Confirm(Confirm),
    List(List),
    Show(Show),
    Grade(GradeArgs),
    Meet(meet::Args),
    Revoke(Revoke),
    Remove(Remove),
}

/// Adds a partner by its card, or takes a newer card of one.
///
/// Without words or digits the card is an offer, which counts for nothing until `marsad partner confirm`. A newer card of a
/// partner whose keys we believe follows without a call; one that revokes them acts at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad partner add their-card.json
  marsad partner add their-card.json --name 'CERT North' --digits '01234 05678 …'
  marsad partner add --foreign 'Old TAXII Server' --relation public")]
struct Add {
    /// The file of the card; `-` reads standard input
    #[arg(value_name = "CARD", required_unless_present = "foreign", conflicts_with = "foreign")]
    card: Option<PathBuf>,
    /// A partner without a card: a TAXII server of another make, by this name
    #[arg(long, value_name = "NAME")]
    foreign: Option<String>,
    /// The organisation by its name here [default: as the card says]
    #[arg(long, value_name = "ORG", conflicts_with = "foreign")]
    name: Option<String>,
    /// How it stands to ours, where it is not known yet: what TLP means for it (`marsad organisation add --help`)
    #[arg(long, value_enum, default_value = "community")]
    relation: Relation,
    #[command(flatten)]
    compared: Compared,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the partner's people said.
#[derive(Debug, clap::Args)]
struct Compared {
    /// The words of the card, as the partner's people said them
    #[arg(long, value_name = "WORDS", conflicts_with = "digits")]
    words: Option<String>,
    /// The digits of the card, as the partner's people said them; European or Arabic
    #[arg(long, value_name = "DIGITS")]
    digits: Option<String>,
}

/// Lets an offered card count, by the words or digits that the partner's people said. Without either they are asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad partner confirm 'CERT North' --words 'acorn actor album …'
  marsad partner confirm 'CERT North' --digits '01234 05678 …'")]
struct Confirm {
    /// The partner
    name: String,
    #[command(flatten)]
    compared: Compared,
}

/// Shows the partners.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad partner list\n  marsad partner list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Shows one partner: its cards, and what was agreed with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad partner show 'CERT North'\n  marsad partner show 'CERT North' --json")]
struct Show {
    /// The partner
    name: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Says how reliable a partner is as a source, and how much it may bring. `none` takes a limit back.
#[derive(Debug, clap::Args)]
#[command(
    name = "grade",
    after_help = "\
Examples:
  marsad partner grade 'CERT North' --reliability B --confidence-ceiling 70
  marsad partner grade 'CERT North' --max-objects-per-hour 5000 --max-bytes-per-day none"
)]
struct GradeArgs {
    /// The partner
    name: String,
    /// How reliable it is as a source (Admiralty): A reliable … E unreliable, F cannot be judged
    #[arg(long, value_name = "A-F")]
    reliability: Option<String>,
    /// The highest confidence with which its objects count here
    #[arg(long, value_name = "0-100")]
    confidence_ceiling: Option<String>,
    /// Objects that are taken from it in an hour, over all links
    #[arg(long, value_name = "N")]
    max_objects_per_hour: Option<String>,
    /// Bytes that are taken from it in a day, over all links
    #[arg(long, value_name = "N")]
    max_bytes_per_day: Option<String>,
    /// Whether it may meet us blindly, to find what both hold
    #[arg(long, value_name = "BOOL")]
    meets: Option<bool>,
    /// Print what was agreed as one JSON object
    #[arg(long)]
    json: bool,
}

/// Believes no key of a partner any more. A new card of it must be compared by voice.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad partner revoke 'CERT North'")]
struct Revoke {
    /// The partner
    name: String,
}

/// Ends a partnership: its cards, its links and what waits for it are gone. What it brought stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad partner remove 'CERT North'")]
struct Remove {
    /// The partner
    name: String,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Add(add) => run_add(place, add),
        Action::Confirm(confirm) => run_confirm(place, confirm),
        Action::List(list) => run_list(place, list),
        Action::Show(show) => run_show(place, show),
        Action::Grade(grade) => run_grade(place, grade),
        Action::Meet(meet) => meet::run(place, meet),
        Action::Revoke(revoke) => run_revoke(place, revoke),
        Action::Remove(remove) => run_remove(place, remove),
    }
}

fn run_add(place: &Place, args: &Add) -> Outcome {
    let (now, relation) = (node::clock::now(), args.relation.relation());
    let compared = args.compared.fingerprint()?;
    let administration = place.open()?.administration()?;
    if let Some(name) = &args.foreign {
        if compared.is_some() {
            return Err(Failure::Usage("a partner without a card has no words or digits".to_owned()));
        }
        let name = administration.add_foreign(&Actor::Operator, name, relation, now).map_err(super::asked)?;
        note(format!("added the partner `{}`, which has no card", visible(&name)));
        if args.json {
            say_json(&json!({"partner": name, "card": null}))?;
        }
        return Ok(Verdict::Good);
    }
    let text = read_card(args.card.as_deref())?;
    let taken = administration.take_card(&Actor::Operator, &text, args.name.as_deref(), relation, compared, now);
    let (name, card, taken) = taken.map_err(super::asked)?;
    if args.json {
        say_json(&json!({"partner": name, "card": described(&card), "state": state_after(taken)}))?;
    }
    let name = visible(&name);
    note(match taken {
        Taken::Offered => format!(
            "took the card of `{name}`. It counts for nothing yet: call them, let them read their words to you, and give them to \
             `marsad partner confirm '{name}'`"
        ),
        Taken::Pinned => format!("the card of `{name}` counts from now on"),
        Taken::Followed => format!("the card of `{name}` follows from the one before, and counts from now on"),
        Taken::Revoked => {
            format!("`{name}` has revoked its keys: nothing of it counts until a new card was compared by voice")
        }
        Taken::Known => format!("the card of `{name}` counts already"),
    });
    Ok(Verdict::Good)
}

fn run_confirm(place: &Place, args: &Confirm) -> Outcome {
    let opened = place.open()?;
    let compared = match args.compared.fingerprint()? {
        Some(compared) => compared,
        None => asked_for()?,
    };
    let card = opened
        .administration()?
        .confirm_card(&Actor::Operator, &args.name, compared, node::clock::now())
        .map_err(super::asked)?;
    note(format!("the card of `{}` counts from now on", visible(&args.name)));
    say(shown(&card))?;
    Ok(Verdict::Good)
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let partners = place.open()?.administration()?.exchange_partners(&Actor::Operator).map_err(super::asked)?;
    let row = |seen: &SeenPartner| {
        let dash = || "-".to_owned();
        [
            visible(&seen.partner.organisation),
            kind_word(seen.partner.kind).to_owned(),
            card_word(seen).to_owned(),
            seen.terms.reliability.map_or_else(dash, String::from),
            seen.terms.confidence_ceiling.map_or_else(dash, |ceiling| ceiling.to_string()),
            when::spelled(seen.partner.added),
        ]
    };
    let heads = ["NAME", "KIND", "CARD", "RELIABILITY", "CONFIDENCE", "SINCE"];
    say_list(args.json, &partners, summary, heads, row)?;
    Ok(Verdict::Good)
}

fn run_show(place: &Place, args: &Show) -> Outcome {
    let administration = place.open()?.administration()?;
    let seen = administration.exchange_partner(&Actor::Operator, &args.name).map_err(super::asked)?;
    if args.json {
        let mut shown = summary(&seen);
        let card = |(state, card): &(CardState, partner::card::Card)| {
            let mut card = described(card);
            if let Some(card) = card.as_object_mut() {
                card.insert("state".to_owned(), state_word(*state).into());
            }
            card
        };
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("cards".to_owned(), seen.cards.iter().map(card).collect());
        }
        say_json(&shown)?;
        return Ok(Verdict::Good);
    }
    let limit = |limit: Option<String>| limit.unwrap_or_else(|| "-".to_owned());
    let terms = &seen.terms;
    for (name, value) in [
        ("partner", visible(&seen.partner.organisation)),
        ("kind", kind_word(seen.partner.kind).to_owned()),
        ("since", when::spelled(seen.partner.added)),
        ("reliability", limit(terms.reliability.map(String::from))),
        ("confidence", limit(terms.confidence_ceiling.map(|ceiling| format!("at most {ceiling}")))),
        ("objects", limit(terms.max_objects_per_hour.map(|most| format!("at most {most} an hour")))),
        ("bytes", limit(terms.max_bytes_per_day.map(|most| format!("at most {most} a day")))),
        ("meets", if terms.meets { "yes" } else { "no" }.to_owned()),
    ] {
        say(format!("{name:<13} {value}"))?;
    }
    for (state, card) in &seen.cards {
        // The words of an offer are what is to be asked for, not what is to be agreed to.
        say(match state {
            CardState::Offered => format!("\ncard {}, offered: not confirmed, counts for nothing", card.serial),
            _ => format!("\ncard {}, {}\n{}", card.serial, state_word(*state), shown(card)),
        })?;
    }
    Ok(Verdict::Good)
}

fn run_grade(place: &Place, args: &GradeArgs) -> Outcome {
    let grade = Grade {
        reliability: limit("--reliability", args.reliability.as_ref(), |text| text.to_uppercase().parse().ok())?,
        confidence_ceiling: limit("--confidence-ceiling", args.confidence_ceiling.as_ref(), |text| text.parse().ok())?,
        max_objects_per_hour: limit("--max-objects-per-hour", args.max_objects_per_hour.as_ref(), |text| {
            text.parse().ok()
        })?,
        max_bytes_per_day: limit("--max-bytes-per-day", args.max_bytes_per_day.as_ref(), |text| text.parse().ok())?,
        meets: args.meets,
    };
    let administration = place.open()?.administration()?;
    let terms = administration.grade_partner(&Actor::Operator, &args.name, &grade).map_err(super::asked)?;
    if args.json {
        say_json(&terms)?;
    }
    note(format!("this holds for `{}` from now on", visible(&args.name)));
    Ok(Verdict::Good)
}

fn run_revoke(place: &Place, args: &Revoke) -> Outcome {
    let administration = place.open()?.administration()?;
    let name = administration.revoke_partner(&Actor::Operator, &args.name, node::clock::now()).map_err(super::asked)?;
    note(format!("no key of `{}` is believed any more", visible(&name)));
    Ok(Verdict::Good)
}

fn run_remove(place: &Place, args: &Remove) -> Outcome {
    let administration = place.open()?.administration()?;
    let seen = administration.exchange_partner(&Actor::Operator, &args.name).map_err(super::asked)?;
    let name = visible(&seen.partner.organisation);
    if !confirmed(&format!("End the partnership with `{name}`? Its cards and links are forgotten."))? {
        return Ok(Verdict::Bad);
    }
    administration.remove_partner(&Actor::Operator, &args.name).map_err(super::asked)?;
    note(format!("`{name}` is no partner any more"));
    Ok(Verdict::Good)
}

impl Compared {
    fn fingerprint(&self) -> Result<Option<[u8; 16]>, Failure> {
        said(self.words.as_deref(), self.digits.as_deref()).map_err(super::asked)
    }
}

/// Words or digits from whoever sits there.
fn asked_for() -> Result<[u8; 16], Failure> {
    note("the words or digits of the card, as the partner's people say them:");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let is_words = line.chars().any(|c| c.is_ascii_alphabetic());
    let heard = if is_words { said(Some(&line), None) } else { said(None, Some(&line)) };
    heard.map_err(super::asked)?.ok_or_else(|| Failure::Usage("nothing was said".to_owned()))
}

/// A card's file, of which no more is read than a card may be long.
fn read_card(path: Option<&std::path::Path>) -> Result<Vec<u8>, Failure> {
    let path = path.unwrap_or_else(|| std::path::Path::new("-"));
    let most = partner::card::LIMITS.max_bytes as u64 + 1;
    let mut text = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut text))
    };
    read.map_err(|error| Failure::file("read", path, &error))?;
    Ok(text)
}

/// A limit that is set, taken back (`none`) or left.
fn limit<T>(
    flag: &str,
    text: Option<&String>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<Option<T>>, Failure> {
    match text.map(String::as_str) {
        None => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(text) => match read(text) {
            Some(value) => Ok(Some(Some(value))),
            None => Err(Failure::Usage(format!("{flag} cannot be `{}`", visible(text)))),
        },
    }
}

fn summary(seen: &SeenPartner) -> Value {
    json!({
        "name": seen.partner.organisation,
        "kind": kind_word(seen.partner.kind),
        "card": card_word(seen),
        "terms": seen.terms,
        "since": when::spelled(seen.partner.added),
    })
}

fn kind_word(kind: PartnerKind) -> &'static str {
    match kind {
        PartnerKind::Node => "node",
        PartnerKind::Foreign => "foreign",
    }
}

/// How its cards stand, in a word: what counts, else what waits, else what counted.
fn card_word(seen: &SeenPartner) -> &'static str {
    let order = [CardState::Pinned, CardState::Offered, CardState::Revoked, CardState::Replaced];
    let best = order.into_iter().find(|wanted| seen.cards.iter().any(|(state, _)| state == wanted));
    best.map_or("none", state_word)
}

fn state_word(state: CardState) -> &'static str {
    match state {
        CardState::Offered => "offered",
        CardState::Pinned => "confirmed",
        CardState::Replaced => "replaced",
        CardState::Revoked => "revoked",
    }
}

fn state_after(taken: Taken) -> &'static str {
    match taken {
        Taken::Offered => "offered",
        Taken::Pinned | Taken::Followed | Taken::Known => "confirmed",
        Taken::Revoked => "revoked",
    }
}
