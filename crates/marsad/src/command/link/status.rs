//! `marsad link list` and `marsad link status`.

use crate::cli::Place;
use crate::outcome::{Outcome, Verdict};
use crate::terminal::{say, say_json, say_list, table, visible};
use crate::when;
use node::administration::SeenLink;
use policy::role::Actor;
use serde_json::{Value, json};

/// Shows the links and what they do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad link list\n  marsad link list --json")]
pub(super) struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Shows how links stand: their lag, volume, last error and next round.
///
/// The lag is how old what has not been taken or given can be, as far as is known here.
#[derive(Debug, clap::Args)]
#[command(
    name = "status",
    after_help = "Examples:\n  marsad link status\n  marsad link status north\n  marsad link status --json"
)]
pub(super) struct Args {
    /// The link [default: all]
    name: Option<String>,
    /// Print a JSON array, or one JSON object for one link
    #[arg(long)]
    json: bool,
}

pub(super) fn run_list(place: &Place, args: &List) -> Outcome {
    let now = node::clock::now();
    let links = place.open()?.administration()?.exchange_links(&Actor::Operator).map_err(crate::command::asked)?;
    let row = |link: &SeenLink| {
        let [way, server, theirs, runs] = match &link.definition {
            None => ["?"; 4].map(str::to_owned),
            Some(it) => {
                let every = it.every.map(|every| format!("every {every} s"));
                let at_once = it.at_once.then(|| "at once".to_owned());
                let runs: Vec<String> = every.into_iter().chain(at_once).collect();
                let runs = if runs.is_empty() { "by hand".to_owned() } else { runs.join(", ") };
                let runs = if link.paused { "rests".to_owned() } else { runs };
                [it.direction.name().to_owned(), visible(&it.url), visible(&it.theirs), runs]
            }
        };
        [visible(&link.name), visible(&link.partner), way, server, theirs, runs]
    };
    let heads = ["NAME", "PARTNER", "WAY", "SERVER", "COLLECTION", "RUNS"];
    say_list(args.json, &links, |link| shown(link, now), heads, row)?;
    Ok(Verdict::Good)
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let now = node::clock::now();
    let administration = place.open()?.administration()?;
    let links = match &args.name {
        Some(name) => vec![administration.exchange_link(&Actor::Operator, name).map_err(crate::command::asked)?],
        None => administration.exchange_links(&Actor::Operator).map_err(crate::command::asked)?,
    };
    let good = links.iter().all(|link| link.state.failures == 0);
    if args.json {
        let all: Vec<Value> = links.iter().map(|link| shown(link, now)).collect();
        match (&args.name, all.first()) {
            (Some(_), Some(one)) => say_json(one)?,
            _ => say_json(&all)?,
        }
        return Ok(Verdict::good_if(good));
    }
    let row = |link: &SeenLink| {
        let state = &link.state;
        let span =
            |micros: Option<i64>| micros.map_or_else(|| "-".to_owned(), |micros| format!("{} s", micros / 1_000_000));
        let at = |at: Option<i64>| at.map_or_else(|| "-".to_owned(), when::spelled);
        vec![
            visible(&link.name),
            if link.paused { "rests".to_owned() } else { at(state.last_round) },
            span(state.lag(now)),
            state.objects.to_string(),
            state.refused.to_string(),
            state.mail_waiting.to_string(),
            at(state.next.filter(|_| !link.paused)),
            state.last_error.as_deref().map_or_else(|| "-".to_owned(), visible),
        ]
    };
    let heads = ["NAME", "LAST ROUND", "LAG", "OBJECTS", "REFUSED", "WAITING", "NEXT", "LAST ERROR"];
    say(table(&heads, &links.iter().map(row).collect::<Vec<_>>()))?;
    Ok(Verdict::good_if(good))
}

/// A link for machines.
pub(super) fn shown(link: &SeenLink, now: i64) -> Value {
    let state = &link.state;
    json!({
        "name": link.name, "partner": link.partner, "paused": link.paused, "signs_in": link.signs_in,
        "definition": link.definition,
        "last_round": state.last_round.map(when::spelled), "last_good": state.last_good.map(when::spelled),
        "last_error": state.last_error, "failures": state.failures,
        "next": state.next.filter(|_| !link.paused).map(when::spelled),
        "lag_seconds": state.lag(now).map(|lag| lag / 1_000_000),
        "rounds": state.rounds, "objects": state.objects, "bytes": state.bytes, "refused": state.refused,
        "statements_in": state.mail_in, "statements_out": state.mail_out, "statements_waiting": state.mail_waiting,
    })
}
