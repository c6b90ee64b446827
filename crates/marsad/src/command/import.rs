//! `marsad import`.

use super::Opened;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict, chain};
use crate::terminal::{Unit, note, progress, say, say_json, visible};
use crate::when;
use indicatif::ProgressBar;
use ledger::{Register as _, Role};
use node::import::{Counts, Error, Listener, Options, Refusal};
use node::intake::Context;
use node::packed::{Budget, Source};
use node::partners::provenance::{Incoming, Strictness};
use partner::trust::Keyring;
use policy::{Audience, Handling};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Refusals that `--json` carries; all are counted.
const LISTED: usize = 1_000;
/// Refusals that are written to standard error.
const TOLD: u64 = 10_000;

/// Takes files in: STIX 2.1 and 2.0 bundles, TAXII envelopes, lists, objects or JSON lines.
///
/// .gz, .zst and .zip are opened; `-` is standard input. Every object is checked; what breaks a MUST of the standard is
/// refused, with file, object, path and clause on standard error (the first 10,000), and everything else is kept. STIX 2.0 is upgraded to
/// 2.1. What is there already is counted as unchanged. Each batch is on disk before it is counted: an import that was
/// interrupted is simply repeated. Objects of partners are the partners' only with their seals, which may stand in the same file;
/// without one they are a stranger's. Exit code 1 if something was refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad import report.json
  marsad import --collection attack enterprise-attack.json.zst
  curl -s https://example.org/bundle.json | marsad import --collection feeds -
  marsad import --to amina,'CERT North' red.json      RED objects in it are for these
  marsad import --group summit-2027 --expires 30d summit.json
  marsad import --all-or-nothing --json *.json")]
pub(crate) struct Args {
    /// The files; `-` is standard input
    #[arg(required = true)]
    file: Vec<std::ffi::OsString>,
    /// Where to: alias or id
    #[arg(long, value_name = "ALIAS", default_value = super::init::MAIN)]
    collection: String,
    /// What the files are
    #[arg(long = "as", value_name = "FORMAT", default_value = "auto")]
    format: Format,
    /// Members and organisations for whom the objects are, where they are marked RED [default: the importing member]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    to: Vec<String>,
    /// Confine the objects to a sharing group, beside what their markings say
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Confine them to a circle: our own `organisation`, the `community`, `connected` communities, or `all`
    #[arg(long, value_name = "CIRCLE")]
    audience: Option<Circle>,
    /// Release them from then on: after so long (`12h`) or at an instant
    #[arg(long, value_name = "T")]
    embargo: Option<String>,
    /// Release them no longer from then on: after so long (`90d`) or at an instant
    #[arg(long, value_name = "T")]
    expires: Option<String>,
    /// The member who imports [default: the first administrator]
    #[arg(long, value_name = "NAME")]
    member: Option<String>,
    /// Take everything or, if anything is refused, nothing
    #[arg(long)]
    all_or_nothing: bool,
    /// Keep STIX 2.0 objects as they are, instead of upgrading them
    #[arg(long = "keep-2.0")]
    keep_20: bool,
    /// Print one JSON object at the end: {"added","unchanged","refused","conflicts","refusals":[…]}
    #[arg(long)]
    json: bool,
}

/// MISP's distribution levels 0 to 3; level 4 is `--group`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Circle {
    /// 0: our own organisation
    #[value(alias = "0")]
    Organisation,
    /// 1: our own organisation, clients and community
    #[value(alias = "1")]
    Community,
    /// 2: everyone with an account
    #[value(alias = "2")]
    Connected,
    /// 3: everyone
    #[value(alias = "3")]
    All,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Format {
    /// Told by its content
    Auto,
    /// STIX 2.1 or 2.0
    Stix,
    /// Not supported by this version
    Misp,
    /// Not supported by this version
    Csv,
    /// Not supported by this version
    Text,
    /// Not supported by this version
    Report,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    if !matches!(args.format, Format::Auto | Format::Stix) {
        let format = format!("{:?}", args.format).to_lowercase();
        return Err(Failure::Usage(format!("`--as {format}` is not supported by this version: it imports STIX")));
    }
    let sources: Vec<Source> = args.file.iter().map(|name| Source::named(name)).collect();
    if sources.iter().filter(|source| **source == Source::Stdin).count() > 1 {
        return Err(Failure::Usage("standard input can be read only once".to_owned()));
    }
    let opened = place.open()?;
    let options = options(&opened, args)?;
    let read = AtomicU64::new(0);
    let bar = progress(sources.iter().map(Source::size).sum(), Unit::Bytes);
    let mut told = Told {
        bar: &bar,
        listed: Vec::new(),
        left_out: 0,
        told: 0,
        unread: Vec::new(),
        keep: args.json,
        counts: Counts::default(),
        revoked: Vec::new(),
        gave_way: Vec::new(),
    };
    let (ring, own) = (ring(&opened, &options.context)?, opened.own_organisation()?);
    let incoming = ring.as_deref().map(|ring| Incoming {
        book: &*opened.book,
        partners: &*opened.book,
        ring,
        from: &options.context.owner,
        own: &own,
        strictness: Strictness::Member,
        limits: options.limits,
        now: node::clock::now(),
    });
    let import = || node::import::run_sealed(&*opened.book, &sources, &options, incoming.as_ref(), &read, &mut told);
    let outcome = watched(&bar, &read, import);
    bar.finish_and_clear();
    for (object, versions) in std::mem::take(&mut told.gave_way) {
        note(format!("{} gave way to what its author sealed ({versions} versions)", visible(&object)));
        opened.wrote_down(&node::audit::Event::Partner {
            by: node::audit::operator(),
            partner: options.context.owner.clone(),
            act: "unsealed-gave-way",
            about: object,
            done: true,
            reason: format!("{versions} versions"),
        })?;
    }
    let counts = outcome.as_ref().map_or(told.counts, |counts| *counts);
    let written = opened.wrote_down(&node::audit::Event::TakenIn {
        by: node::audit::operator(),
        collection: options.context.collection,
        request: String::new(),
        objects: counts.added + counts.unchanged + counts.conflicts,
        refused: counts.refused,
    });
    let revoked = tell_revoked(&opened, &told.revoked);
    match outcome {
        Ok(counts) => {
            let ended = told.end(args, counts);
            written?;
            revoked?;
            ended
        }
        Err(error) => {
            if written.is_err() {
                note("what was kept of this import could not be written down in the audit log");
            }
            // What was on disk before it stopped stays there.
            told.unread.push(visible(&chain(&error)));
            told.write(args, told.counts)?;
            Err(error.into())
        }
    }
}

/// Whose seals count, if any card is known: files may hold seals, and objects of which one is asked.
fn ring(opened: &Opened, context: &Context) -> Result<Option<Arc<Keyring>>, Failure> {
    if !context.makers.know_cards() {
        return Ok(None);
    }
    Ok(Some(node::partners::identity::keyring(&*opened.book, &opened.home.secret()?)?))
}

fn options(opened: &Opened, args: &Args) -> Result<Options, Failure> {
    let collection = opened.collection(&args.collection)?;
    let (owner, member) = match &args.member {
        Some(name) => match opened.book.account(name)? {
            Some(account) => (account.organisation.name, Some(account.name)),
            None => return Err(Failure::could(format!("there is no account `{}`", visible(name)))),
        },
        None => (opened.own_organisation()?, first_administrator(opened)?),
    };
    let recipients = super::named(opened, &args.to.join(","))?;
    let handling = handling(opened, args)?;
    let context = Context { member, recipients, handling, ..Context::new(collection.no, owner, &*opened.book)? };
    Ok(with(opened, context, args.keep_20, args.all_or_nothing))
}

/// The limits that the flags set beside the markings.
fn handling(opened: &Opened, args: &Args) -> Result<Handling, Failure> {
    let now = node::clock::now();
    let mut audience = Vec::new();
    for name in &args.group {
        audience.push(Audience::Group(super::group::find(opened, name)?.id));
    }
    audience.extend(args.audience.map(|circle| match circle {
        Circle::Organisation => Audience::Organisation,
        Circle::Community => Audience::Community,
        Circle::Connected => Audience::Connected,
        Circle::All => Audience::All,
    }));
    Ok(Handling {
        audience,
        embargo: args.embargo.as_deref().map(|text| when::instant("--embargo", text, now)).transpose()?,
        expires: args.expires.as_deref().map(|text| when::later("--expires", text, now)).transpose()?,
    })
}

/// Options for an import, with the node's budgets.
pub(crate) fn with(opened: &Opened, context: Context, keep_20: bool, all_or_nothing: bool) -> Options {
    let limits = &opened.config.limits;
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Options {
        context,
        keep_20,
        all_or_nothing,
        budget: Budget { max_bytes: limits.max_unpacked_bytes, max_ratio: limits.max_unpack_ratio },
        limits: stix::json::Limits {
            max_depth: size(limits.max_depth),
            max_bytes: size(limits.max_object_bytes),
            max_values: size(limits.max_values),
        },
    }
}

/// Who gets what is for named recipients where nobody is named.
pub(crate) fn first_administrator(opened: &Opened) -> Result<Option<String>, Failure> {
    let administrators = opened.book.accounts()?.into_iter().filter(|account| account.role == Role::Administrator);
    Ok(administrators.min_by_key(|account| account.created).map(|account| account.name))
}

/// Runs something long while the bar follows the count.
fn watched<T>(bar: &ProgressBar, read: &AtomicU64, work: impl FnOnce() -> T) -> T {
    let (done, end) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        if !bar.is_hidden() {
            // It ends when the sender is dropped.
            scope.spawn(move || {
                while end.recv_timeout(Duration::from_millis(100)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    bar.set_position(read.load(Ordering::Relaxed));
                }
            });
        }
        let outcome = work();
        drop(done);
        outcome
    })
}

/// Whoever was given an object is told that it is revoked, though its last version may not go to them.
fn tell_revoked(opened: &super::Opened, objects: &[String]) -> Result<(), Failure> {
    if objects.is_empty() {
        return Ok(());
    }
    let (office, by) = (opened.office()?, node::audit::operator());
    for object in objects {
        office.at(node::clock::now(), |desk| desk.revoked(object, &by))?;
    }
    Ok(())
}

/// What was told while the import went on.
struct Told<'a> {
    bar: &'a ProgressBar,
    listed: Vec<Refusal>,
    left_out: u64,
    told: u64,
    unread: Vec<String>,
    keep: bool,
    counts: Counts,
    revoked: Vec<String>,
    gave_way: Vec<(String, u64)>,
}

impl Listener for Told<'_> {
    fn refused(&mut self, refusal: Refusal) {
        let object = refusal.object.as_deref().unwrap_or("(no id)");
        let line = format!("refused {}: {object}: {}: {}", refusal.file, refusal.path, refusal.message);
        let line = if refusal.clause.is_empty() { line } else { format!("{line} [{}]", refusal.clause) };
        self.told += 1;
        if self.told <= TOLD {
            self.bar.suspend(|| note(visible(&line)));
        }
        if !self.keep {
        } else if self.listed.len() < LISTED {
            self.listed.push(refusal);
        } else {
            self.left_out += 1;
        }
    }

    fn unreadable(&mut self, error: Error) {
        let message = visible(&chain(&error));
        self.bar.suspend(|| note(format!("marsad: {message}")));
        self.unread.push(message);
    }

    fn revoked(&mut self, object: &str) {
        self.revoked.push(object.to_owned());
    }

    fn counted(&mut self, counts: Counts) {
        self.counts = counts;
    }

    fn gave_way(&mut self, object: &str, versions: u64) {
        self.gave_way.push((object.to_owned(), versions));
    }
}

impl Told<'_> {
    /// Writes what became of the objects.
    fn write(&self, args: &Args, counts: Counts) -> Result<(), Failure> {
        let Counts { added, unchanged, refused, conflicts, upgraded } = counts;
        if self.told > TOLD {
            note(format!("… and {} more refusals: `marsad validate` lists what is wrong", self.told - TOLD));
        }
        if args.json {
            say_json(&serde_json::json!({
                "added": added, "unchanged": unchanged, "refused": refused, "conflicts": conflicts,
                "upgraded": upgraded, "unreadable": self.unread, "refusals": self.listed,
                "refusals_left_out": self.left_out,
            }))?;
        } else {
            let mut line = format!("added {added}, unchanged {unchanged}, refused {refused}");
            if conflicts > 0 {
                line.push_str(&format!(", conflicts {conflicts} (kept aside, served to nobody: `marsad doctor`)"));
            }
            if upgraded > 0 {
                line.push_str(&format!(", upgraded from STIX 2.0 {upgraded}"));
            }
            say(line)?;
        }
        Ok(())
    }

    fn end(self, args: &Args, counts: Counts) -> Outcome {
        self.write(args, counts)?;
        let Counts { refused, conflicts, .. } = counts;
        if args.all_or_nothing && (refused > 0 || !self.unread.is_empty()) {
            note("nothing was taken, as not everything could be");
        }
        match self.unread.len() {
            0 => Ok(Verdict::good_if(refused == 0 && conflicts == 0)),
            count => Err(Failure::could(format!("{count} files could not be read to their end"))),
        }
    }
}
