//! `marsad pack`.

use super::Opened;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json, visible};
use crate::when;
use ledger::{Collection, Partners as _, Register as _, Run};
use node::accounts::{relation, who};
use node::audit::{By, Event, Given, HandOver, Way};
use node::partners::identity;
use node::partners::pack::{Made, Packer, Request, write_out};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// Writes a package for a partner: what it may have and has not been handed in a package before, signed and encrypted.
///
/// A package crosses an air gap: on a stick, or through a diode. It holds exactly what the policy releases to the one
/// partner for whom it is, and the recalls, receipts and notices that wait for it; several partners get a package each. Packages
/// are numbered: who unpacks notices what is missing, and takes nothing twice. A package that could not be written to its
/// end is gone on with by the same command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad pack --to 'CERT North' -o /media/stick/
  marsad pack --to 'CERT North,CERT South' --collection phishing
  marsad pack --to 'CERT North' -o north.marsad --split 100MB
  marsad pack --to 'CERT North' --diode -o - | send-through-the-diode")]
pub(crate) struct Args {
    /// For whom: organisations whose cards were confirmed
    #[arg(long, value_name = "NAME", required = true, num_args = 1.., value_delimiter = ',')]
    to: Vec<String>,
    /// From where: aliases or ids [default: every collection that the partner may read]
    #[arg(long, value_name = "ALIAS", num_args = 1.., value_delimiter = ',')]
    collection: Vec<String>,
    /// Write to this file, or to a file in this directory; `-` is standard output [default: a file in this directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Cut it into files of this size at most: 700MB, 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    split: Option<u64>,
    /// Everything again, in a new series, instead of what is new since the last package
    #[arg(long)]
    from_the_beginning: bool,
    /// It may be taken until then: a time from now (`30d`) or an instant [default: for ever]
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Ask for no answer: nothing comes back from there
    #[arg(long)]
    diode: bool,
    /// Print one JSON object for each partner
    #[arg(long)]
    json: bool,
}

/// A number of bytes: `100MB`, `4GiB`, `1000000`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase();
    let factor: u64 = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("a size is a number with kB, MB, GB, KiB, MiB or GiB behind it".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a size begins with a number".to_owned())?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(|| "this size is none".to_owned())
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let to_stdout = args.output.as_deref() == Some(Path::new("-"));
    if to_stdout && (args.json || args.split.is_some() || args.to.len() > 1) {
        let why = "standard output takes one package, whole: not with `--json`, `--split` or several partners";
        return Err(Failure::Usage(why.to_owned()));
    }
    if to_stdout && std::io::stdout().is_terminal() {
        return Err(Failure::Usage("a package is nothing for a terminal: name a file, or a pipe".to_owned()));
    }
    let directory = args.output.as_ref().is_some_and(|path| path.is_dir());
    if args.to.len() > 1 && args.output.is_some() && !directory {
        return Err(Failure::Usage("several partners get a file each: name a directory with `-o`".to_owned()));
    }
    let now = node::clock::now();
    let expires = args.expires.as_deref().map(|text| when::later("--expires", text, now)).transpose()?;
    let opened = place.open()?;
    let names = partners(&opened, &args.to)?;
    for name in &names {
        one(&opened, args, name, expires, now)?;
    }
    Ok(Verdict::Good)
}

/// The partners of these names, as the register spells them, each once.
fn partners(opened: &Opened, names: &[String]) -> Result<Vec<String>, Failure> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let Some(partner) = opened.book.partner(name.trim())? else {
            let name = visible(name);
            return Err(Failure::could(format!("`{name}` is no partner: `marsad partner list` shows who is")));
        };
        if !found.contains(&partner.organisation) {
            found.push(partner.organisation);
        }
    }
    Ok(found)
}

fn one(opened: &Opened, args: &Args, to: &str, expires: Option<i64>, now: i64) -> Result<(), Failure> {
    let organisation = opened.book.organisations()?.into_iter().find(|o| o.name.to_lowercase() == to.to_lowercase());
    let gone = || Failure::could(format!("there is no organisation `{}`", visible(to)));
    let organisation = organisation.ok_or_else(gone)?;
    let relation = relation(organisation.relation);
    let name = Some(organisation.name.clone());
    let viewer = policy::Viewer { name: name.clone(), relation, organisation: name };
    let collections: Vec<Collection> = if args.collection.is_empty() {
        let all = opened.book.collections()?.into_iter();
        all.filter(|collection| policy::may(&viewer, &who(&collection.read))).collect()
    } else {
        args.collection.iter().map(|name| opened.collection(name)).collect::<Result<_, _>>()?
    };
    let secret = opened.home.secret()?;
    let own = identity::own(&*opened.book, &secret)?;
    let ring = identity::keyring(&*opened.book, &secret)?;
    let (door, own_name) = (opened.door(), opened.own_organisation()?);
    let packer = Packer {
        book: &*opened.book,
        door: &door,
        keys: &own.keys,
        ring: &ring,
        own: &own_name,
        limits: node::intake::limits(&opened.config.limits),
        home: opened.home.path(),
    };
    let request = Request {
        to: &organisation.name,
        relation,
        collections: &collections,
        again: args.from_the_beginning,
        expires,
        answer: !args.diode,
        now,
    };
    let journal = opened.audit()?;
    let by = By { way: Way::Package, who: None, organisation: Some(organisation.name.clone()), address: None };
    let mut witness = |package: &str, collection: &Collection, runs: &[Run]| {
        let (by, request, given) = (by.clone(), package.to_owned(), Given::of(runs));
        let event = Event::HandedOver(HandOver { by, collection: collection.no, what: "package", request, given });
        node::audit::write_now(&journal, &event).map(drop)
    };
    let bar = progress(None, Unit::Things);
    let made = packer.make(&request, &mut witness, &mut |count| bar.set_position(count));
    bar.finish_and_clear();
    let Some(made) = made? else { return nothing(args, to) };
    // What goes out is in the audit log before it does.
    let about = format!("{}, number {}", made.id, made.number);
    tell(opened, to, if made.resumed { "package-resumed" } else { "package-made" }, &about, true, "")?;
    let files = put(args, &made, &own.keys)?;
    packer.handed_over(&organisation.name, now)?;
    told(args, to, &made, &files)
}

/// Writes down what passed between us and a partner, or was refused.
pub(super) fn tell(
    opened: &Opened,
    partner: &str,
    act: &'static str,
    about: &str,
    done: bool,
    reason: &str,
) -> Result<(), Failure> {
    let cut = |text: &str| text.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
    let (partner, about, reason) = (partner.to_owned(), cut(about), cut(reason));
    opened.wrote_down(&Event::Partner { by: node::audit::operator(), partner, act, about, done, reason })
}

/// Writes the package where it was asked for.
fn put(args: &Args, made: &Made, keys: &partner::key::Keys) -> Result<Vec<PathBuf>, Failure> {
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from("."));
    if output == Path::new("-") {
        let mut package = std::fs::File::open(&made.file).map_err(|error| Failure::file("read", &made.file, &error))?;
        let mut out = std::io::stdout().lock();
        std::io::copy(&mut package, &mut out)?;
        out.flush()?;
        return Ok(vec![output]);
    }
    // The name of a file says as little as the package: not for whom it is.
    let short: String = made.id.trim_start_matches("marsad-package--").chars().take(8).collect();
    let file = if output.is_dir() { output.join(format!("package-{short}.marsad")) } else { output };
    let bar = progress(Some(made.bytes), Unit::Bytes);
    let written = write_out(&made.file, &made.id, keys, &file, args.split, &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    Ok(written?)
}

fn nothing(args: &Args, to: &str) -> Result<(), Failure> {
    if args.json {
        return say_json(&serde_json::json!({"to": to, "package": null, "objects": 0, "statements": 0, "files": []}));
    }
    let line = format!("nothing is new for {}: no package was made", visible(to));
    if args.output.as_deref() == Some(Path::new("-")) {
        note(line);
        return Ok(());
    }
    say(line)
}

fn told(args: &Args, to: &str, made: &Made, files: &[PathBuf]) -> Result<(), Failure> {
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let Made { id, number, bytes, objects, mail, resumed, .. } = made;
    if args.json {
        return say_json(&serde_json::json!({
            "to": to, "package": id, "number": number, "objects": objects, "statements": mail, "bytes": bytes,
            "resumed": resumed, "files": names,
        }));
    }
    if *resumed {
        note(format!("package {number} had been made before, and was written to its end now"));
    }
    let to = visible(to);
    let line = format!("packed {objects} objects and {mail} statements for {to}: package {number}, {bytes} bytes");
    if names == ["-"] {
        note(line);
        return Ok(());
    }
    say(line)?;
    names.iter().try_for_each(|name| say(visible(name)))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("100MB", Some(100_000_000)),
            ("700m", Some(700_000_000)),
            ("4GiB", Some(4 << 30)),
            ("64KiB", Some(64 << 10)),
            ("5000", Some(5_000)),
            ("0", None),
            ("MB", None),
            ("1.5GB", None),
            ("-1", None),
            ("99999999999999999999", None),
            ("99999999999GB", None),
            ("3 elephants", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }
}
