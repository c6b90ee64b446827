//! `marsad partner meet`.

use crate::cli::Place;
use crate::command::Opened;
use crate::command::pull::{runtime, secret};
use crate::outcome::{Failure, Outcome, Verdict, chain};
use crate::terminal::{Unit, note, progress, say, say_json, table, visible};
use ledger::Partners as _;
use node::audit::Event;
use node::egress::{Credentials, Egress, Session};
use node::partners::identity;
use node::partners::link::{Definition, Login};
use node::partners::meeting::guest::{Meet, Progress, meet};
use node::partners::meeting::{self, Common, Standing, standing, values};
use policy::Viewer;

/// Finds out which indicator values both we and a partner hold, without either learning anything else of the other's.
///
/// Our values are those of indicators and observables that `meeting.values` lets take part. The partner learns which of its
/// values we hold too, and about how many ours are; so do we. Every meeting counts against `meeting.meetings-per-day` and
/// `meeting.values-per-day`, here and there. The way there is that of a link to the partner, or the one that is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad partner meet 'CERT North'
  marsad partner meet 'CERT North' --types domain,ipv4,ipv6 --json
  marsad partner meet 'CERT North' --url https://cti.example.org --key-stdin < key
  marsad partner meet 'CERT North' --last          what came of the last one, whoever began it")]
pub(crate) struct Args {
    /// The partner's organisation
    name: String,
    /// Only values of these types: domain, ipv4, ipv6, url, email, md5, sha1, sha256, sha512. The partner is told which
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// Go the way of this link, where there are several
    #[arg(long, value_name = "LINK", conflicts_with = "url")]
    link: Option<String>,
    /// The address of the partner's node
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Sign in there with this name and a password
    #[arg(long, value_name = "NAME", requires = "password_stdin", requires = "url", conflicts_with = "key_stdin")]
    user: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "user")]
    password_stdin: bool,
    /// Read a key to sign in with from standard input
    #[arg(long, requires = "url")]
    key_stdin: bool,
    /// Show what came of the last meeting instead, also of one that the partner began
    #[arg(long, conflicts_with_all = ["types", "link", "url"])]
    last: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let partner = opened.book.partner(&args.name)?.ok_or_else(|| {
        let name = visible(&args.name);
        Failure::could(format!("`{name}` is no partner: `marsad partner list` shows which there are"))
    })?;
    if args.last {
        let outcome = meeting::last(&*opened.book, &partner.organisation)?;
        let name = visible(&partner.organisation);
        return show(args, &outcome.ok_or_else(|| Failure::could(format!("there was no meeting with `{name}` yet")))?);
    }
    let kinds = meeting::kinds(&args.types)
        .map_err(|name| Failure::Usage(format!("`{}` is no type of value: see --help", visible(&name))))?;
    let viewer = match standing(&*opened.book, &partner.organisation)? {
        Standing::Meets(viewer) => viewer,
        Standing::Partner => {
            return Err(Failure::could("we do not meet with this partner: its terms must say so"));
        }
        Standing::Stranger => {
            return Err(Failure::could("this partner runs no Marsad node, or its card is not confirmed"));
        }
    };
    let (origin, session) = way(&opened, &partner.organisation, args)?;
    let config = &opened.config.meeting;
    let (now, count) = (node::clock::now(), |number: u64| usize::try_from(number).unwrap_or(usize::MAX));
    let wanted = values::Wanted {
        viewer: &viewer,
        kinds: &kinds,
        comparing: config.values.into(),
        at: now,
        most: count(config.max_values),
    };
    let values = values::gather(&*opened.book, &opened.door(), &wanted)?;
    let seed = zeroize::Zeroizing::new(node::chance::bytes::<32>()?);
    let bar = progress(None, Unit::Things);
    let mut step = |at: Progress| {
        bar.set_length(at.of as u64);
        bar.set_position(at.done as u64);
    };
    let mut spend = |theirs: usize| {
        meeting::budget::spend(&*opened.book, &partner.organisation, theirs as u64, node::clock::now(), config)
    };
    let secret = opened.home.secret()?;
    let (own, ring) = (identity::own(&*opened.book, &secret)?, identity::keyring(&*opened.book, &secret)?);
    let job = Meet {
        origin: &origin,
        partner: &partner.organisation,
        keys: &own.keys,
        ring: &ring,
        nonce: node::chance::bytes()?,
        kinds: &kinds,
        values,
        seed: &seed,
        threads: meeting::threads(),
        most: count(config.values_per_day),
    };
    let met = runtime()?.block_on(meet(&session, job, &mut spend, &mut step));
    bar.finish_and_clear();
    let met = match met {
        Ok(met) => met,
        Err(error) => {
            tell(&opened, &viewer, Some(&chain(&error)))?;
            return Err(error.into());
        }
    };
    let outcome = meeting::Outcome {
        at: node::clock::now(),
        began: true,
        ours: met.ours as u64,
        theirs: met.theirs as u64,
        both: met.both.iter().map(Common::from).collect(),
    };
    meeting::keep(&*opened.book, &partner.organisation, &outcome)?;
    tell(&opened, &viewer, None)?;
    show(args, &outcome)
}

/// Writes down that we met, or why not.
fn tell(opened: &Opened, partner: &Viewer, refused: Option<&str>) -> Result<(), Failure> {
    opened.wrote_down(&Event::Partner {
        by: node::audit::operator(),
        partner: partner.organisation.clone().unwrap_or_default(),
        act: "meeting-ended",
        about: String::new(),
        done: refused.is_none(),
        reason: refused.unwrap_or_default().to_owned(),
    })
}

/// The partner's node, and the way there.
fn way(opened: &Opened, organisation: &str, args: &Args) -> Result<(String, Session), Failure> {
    let egress = Egress::new(&opened.config, opened.home.path())?;
    let (url, credentials) = match &args.url {
        Some(url) => {
            let credentials = match (&args.user, args.key_stdin) {
                (Some(name), _) => Some(Credentials::basic(name, secret()?)?),
                (None, true) => Some(Credentials::key(secret()?)?),
                (None, false) => None,
            };
            (url.clone(), credentials)
        }
        None => by_link(opened, organisation, args.link.as_deref())?,
    };
    let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let session = egress.to(&origin, credentials)?;
    Ok((origin, session))
}

/// Where a link to the partner leads, and what it signs in with.
fn by_link(opened: &Opened, organisation: &str, named: Option<&str>) -> Result<(String, Option<Credentials>), Failure> {
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let links = opened.book.links()?;
    let mut fitting = links
        .into_iter()
        .filter(|link| same(&link.organisation, organisation) && named.is_none_or(|name| same(&link.name, name)));
    let link = fitting.next().ok_or_else(|| {
        Failure::could("no such link leads to this partner: name its address with --url, or add a link")
    })?;
    let definition = Definition::read(&link.definition)?;
    let login = match &link.secret {
        None => None,
        Some(sealed) => {
            let login = Login::open(&opened.home.secret()?, &link.name, &definition.url, sealed);
            let login =
                login.ok_or_else(|| Failure::could("what the link signs in with cannot be opened: set it anew"))?;
            Some(login.credentials()?)
        }
    };
    Ok((definition.url, login))
}

fn show(args: &Args, outcome: &meeting::Outcome) -> Outcome {
    let at = crate::when::spelled(outcome.at);
    if args.json {
        say_json(&serde_json::json!({
            "at": at, "began": outcome.began, "ours": outcome.ours, "theirs": outcome.theirs, "both": outcome.both,
        }))?;
        return Ok(Verdict::Good);
    }
    if !outcome.both.is_empty() {
        let rows: Vec<Vec<String>> =
            outcome.both.iter().map(|one| vec![one.kind.clone(), visible(&one.value)]).collect();
        say(table(&["TYPE", "VALUE"], &rows))?;
    }
    note(format!(
        "{} of our {} values are held by both; of theirs there are {} at most ({at})",
        outcome.both.len(),
        outcome.ours,
        outcome.theirs
    ));
    Ok(Verdict::Good)
}
