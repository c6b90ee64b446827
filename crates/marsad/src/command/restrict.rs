//! `marsad restrict`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, visible};
use crate::when;
use node::administration::{Error, Restriction};
use node::narrow::Narrowing;
use policy::role::Actor;
use policy::{Audience, Handling, Tlp};

/// Narrows who may see an object that is stored. It acts at once, on every version in every collection.
///
/// What an object's own markings say stays in force: a restriction only ever takes away.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad restrict indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --tlp amber+strict
  marsad restrict indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --group summit-2027
  marsad restrict indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --tlp red --to amina,liaison
  marsad restrict indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f --embargo 7d")]
#[command(group = clap::ArgGroup::new("limit").required(true).multiple(true))]
pub(crate) struct Args {
    /// The object's id
    object: String,
    /// A TLP level beside its own: `green`, `amber`, `amber+strict` or `red`
    #[arg(long, value_name = "TLP", group = "limit")]
    tlp: Option<String>,
    /// For whom it is, where the level is `red`: accounts and organisations
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "tlp")]
    to: Vec<String>,
    /// Confine it to a sharing group
    #[arg(long, value_name = "GROUP", group = "limit")]
    group: Vec<String>,
    /// Confine it to a circle: `organisation`, `community`, `connected` or `all`
    #[arg(long, value_name = "CIRCLE", group = "limit")]
    audience: Option<String>,
    /// Release it from then on: after so long (`12h`) or at an instant
    #[arg(long, value_name = "T", group = "limit")]
    embargo: Option<String>,
    /// Release it no longer from then on: after so long (`90d`) or at an instant
    #[arg(long, value_name = "T", group = "limit")]
    expires: Option<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let narrowing = narrowing(&opened, args)?;
    let restriction = Restriction { object: &args.object, originated: false, narrowing: &narrowing };
    let (classes, now) = (node::intake::Classes::default(), node::clock::now());
    let administration = opened.administration()?;
    let changed = match administration.restrict(&Actor::Operator, (&*opened.book, &classes), &restriction, now) {
        Err(Error::Unknown { .. }) => return Err(super::no_object(&args.object)),
        done => done.map_err(super::asked)?,
    };
    note(format!("restricted {changed} versions of {}", visible(&args.object)));
    Ok(Verdict::Good)
}

fn narrowing(opened: &super::Opened, args: &Args) -> Result<Narrowing, Failure> {
    let now = node::clock::now();
    let wrong = |what: &str, word: &str| Failure::Usage(format!("`{}` is no {what}", visible(word)));
    let tlp = match &args.tlp {
        Some(word) => Some(node::meaning::tlp(word).ok_or_else(|| wrong("TLP level", word))?),
        None => None,
    };
    if tlp != Some(Tlp::Red) && !args.to.is_empty() {
        return Err(Failure::Usage("--to names the recipients of what is RED: say --tlp red".to_owned()));
    }
    let mut audience = Vec::new();
    for name in &args.group {
        audience.push(Audience::Group(super::group::find(opened, name)?.id));
    }
    if let Some(word) = &args.audience {
        audience.push(node::meaning::circle(word).ok_or_else(|| wrong("circle", word))?);
    }
    let handling = Handling {
        audience,
        embargo: args.embargo.as_deref().map(|text| when::instant("--embargo", text, now)).transpose()?,
        expires: args.expires.as_deref().map(|text| when::instant("--expires", text, now)).transpose()?,
    };
    Ok(Narrowing { tlp, recipients: super::named(opened, &args.to.join(","))?, handling })
}
