//! `marsad audit`.

use super::export::Whole;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json, table, visible};
use ledger::Micros;
use ledger::journal::{Erasing, Head, Journal as _, Line, Report, Scope, Verifier, Wanted, Which};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// Entries that a person is shown at once.
const SHOWN: usize = 1_000;

/// The audit log: who signed in, was given what, was refused what, changed what.
///
/// Its entries form a chain that shows every change made to it afterwards. What happened, and the names and addresses of
/// persons, can be erased each on its own, and the chain holds; that something was erased is an entry of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad audit verify
  marsad audit list --since 2026-11-01T00:00:00Z --who amina
  marsad audit export -o audit.jsonl")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Verify(Verify),
    List(List),
    Export(Export),
    Erase(Erase),
    Retain(Retain),
}

/// Reads the whole log and says whether it is what was written. Exit code 1 if it is not.
///
/// Changes, removals, insertions and another order are found by the chain; that the end was cut off, or an older copy put
/// in its place, by the anchor, a file that only this node can write. Whoever could change both, and the node's secret, is
/// found by a head that was noted elsewhere: this command prints it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad audit verify
  marsad audit verify --head 4711:9f2c…      as it was noted elsewhere
  marsad audit verify --file audit.jsonl     an export, without a node")]
struct Verify {
    /// Where the log is known to have ended once
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<String>,
    /// A file of `marsad audit export` in the place of this node's log; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print one JSON object: {"sound","entries","head","faults":[{"number","message"}]}
    #[arg(long)]
    json: bool,
}

/// Shows entries, oldest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad audit list --since 2d
  marsad audit list --kind sign-in-refused
  marsad audit list --who amina --json")]
struct List {
    /// Only from this instant on (`2026-11-01T00:00:00Z`), or so long ago (`90m`, `12h`, `7d`)
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// Only of this kind, such as handed-over, refused, administered, signed-in
    #[arg(long, value_name = "K")]
    kind: Option<String>,
    /// Only what this person did, or what was done to them
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Print one JSON object a line, as `export` does
    #[arg(long)]
    json: bool,
}

/// Writes the whole log as JSON lines, with what is needed to verify it elsewhere.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  marsad audit export -o audit.jsonl\n  marsad audit export | zstd > audit.jsonl.zst"
)]
struct Export {
    /// Write to this file, which appears when it is complete [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Erases the name and the addresses of a person from all entries. This cannot be taken back.
///
/// What happened stays; who had to do with it is gone. The erasure is an entry of its own, with the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad audit erase --who amina --reason 'request of 2026-11-20' --yes")]
struct Erase {
    /// The person
    #[arg(long, value_name = "NAME")]
    who: String,
    /// Why, without the name: it is kept
    #[arg(long, value_name = "R")]
    reason: String,
    /// Do not ask; without this the command asks, if there is a terminal to ask on
    #[arg(long)]
    yes: bool,
}

/// Erases what is older than `audit.retention-days` and `audit.personal-days` allow. The server does so by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad audit retain\n  marsad audit retain --set audit.personal-days=90")]
struct Retain {
    /// Print one JSON object: {"matters","persons"}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    match &args.action {
        Action::Verify(verify) => run_verify(place, verify),
        Action::List(list) => run_list(place, list),
        Action::Export(export) => run_export(place, export),
        Action::Erase(erase) => run_erase(place, erase),
        Action::Retain(retain) => run_retain(place, retain),
    }
}

fn run_verify(place: &Place, args: &Verify) -> Outcome {
    let noted = args.head.as_deref().map(str::parse::<Head>).transpose();
    let noted = noted.map_err(|error| Failure::Usage(format!("--head: {error}")))?;
    let report = match &args.file {
        Some(path) => verify_file(path, noted)?,
        None => {
            let bar = progress(Some(0), Unit::Things);
            let journal = node::audit::open(&place.home()?)?;
            let report = journal.verify(noted, &mut |done, total| {
                bar.set_length(total);
                bar.set_position(done);
            })?;
            bar.finish_and_clear();
            report
        }
    };
    let Report { entries, head, faults } = report;
    if args.json {
        let shown =
            |fault: &ledger::journal::Fault| serde_json::json!({"number": fault.number, "message": fault.to_string()});
        let listed: Vec<_> = faults.iter().map(shown).collect();
        let head = head.to_string();
        say_json(&serde_json::json!({"sound": faults.is_empty(), "entries": entries, "head": head, "faults": listed}))?;
    } else if faults.is_empty() {
        say(format!("sound: {entries} entries, head {head}"))?;
    } else {
        for fault in &faults {
            say(fault)?;
        }
        note(format!(
            "{} faults: keep a copy of the node's directory, and compare with an export or a backup",
            faults.len()
        ));
    }
    Ok(Verdict::good_if(faults.is_empty()))
}

fn verify_file(path: &std::path::Path, noted: Option<Head>) -> Result<Report, Failure> {
    let reader: Box<dyn BufRead> = if path == std::path::Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| Failure::file("read", path, &error))?;
        Box::new(BufReader::with_capacity(1 << 20, file))
    };
    let mut verifier = Verifier::new();
    noted.into_iter().for_each(|noted| verifier.expect(noted));
    for (place, text) in (1..).zip(reader.lines()) {
        let text = text.map_err(|error| Failure::file("read", path, &error))?;
        let line =
            Line::from_json(&text).map_err(|error| Failure::could(format!("{}:{place}: {error}", path.display())))?;
        verifier.take(&line);
    }
    Ok(verifier.finish())
}

fn run_list(place: &Place, args: &List) -> Outcome {
    let now = node::clock::now();
    let since = args.since.as_deref().map(|text| begin(text, now)).transpose()?;
    if let Some(kind) = &args.kind
        && kind != ledger::journal::ERASED
        && !node::audit::KINDS.contains(&kind.as_str())
    {
        let kinds = node::audit::KINDS.join(", ");
        return Err(Failure::Usage(format!("`{}` is no kind: there are {kinds}, audit-erased", visible(kind))));
    }
    let journal = node::audit::open(&place.home()?)?;
    let wanted = Wanted {
        since,
        kind: args.kind.as_deref(),
        person: args.who.as_deref(),
        limit: if args.json { 0 } else { SHOWN + 1 },
        ..Wanted::default()
    };
    if args.json {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        written(&journal, &wanted, &mut out)?;
        return Ok(Verdict::Good);
    }
    let mut rows = Vec::new();
    journal.read(&wanted, &mut |line| rows.push(row(&line)))?;
    let more = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    say(table(&["NUMBER", "TIME", "KIND", "WHO", "WHOM", "ABOUT", "WHAT"], &rows))?;
    if more {
        note(format!("only the first {SHOWN}: narrow it down, or take --json"));
    }
    Ok(Verdict::Good)
}

/// An entry for people. What it carries may come from strangers.
fn row(line: &Line) -> Vec<String> {
    let person = line.person.kept();
    let name = |of: fn(&ledger::journal::Person) -> &String| match person {
        Some(person) if of(person).is_empty() => "-".to_owned(),
        Some(person) => visible(of(person)),
        None => "(erased)".to_owned(),
    };
    let (about, what) = match line.matter.kept() {
        Some(matter) => (visible(&matter.about), visible(&String::from_utf8_lossy(&matter.body))),
        None => ("(erased)".to_owned(), String::new()),
    };
    let what = if what.chars().count() > 120 { what.chars().take(119).chain(['…']).collect() } else { what };
    vec![
        line.number.to_string(),
        stix::timestamp::format_micros(line.time),
        visible(&line.kind),
        name(|person| &person.who),
        name(|person| &person.whom),
        about,
        what,
    ]
}

fn run_export(place: &Place, args: &Export) -> Outcome {
    let journal = node::audit::open(&place.home()?)?;
    let count = match &args.output {
        None => written(&journal, &Wanted::default(), &mut std::io::BufWriter::new(std::io::stdout().lock()))?,
        Some(path) => {
            let mut file = Whole::beside(path)?;
            let count = written(&journal, &Wanted::default(), &mut file.out)?;
            file.finish()?;
            count
        }
    };
    note(format!("wrote {count} entries"));
    Ok(Verdict::Good)
}

/// Writes entries as JSON lines, and returns how many.
fn written(
    journal: &ledger::sqlite::JournalFile,
    wanted: &Wanted<'_>,
    out: &mut dyn std::io::Write,
) -> Result<u64, Failure> {
    let (mut count, mut failed) = (0, None);
    journal.read(wanted, &mut |line| {
        if failed.is_some() {
            return;
        }
        let text = line.to_json(stix::timestamp::format_micros(line.time)).map_err(Failure::from);
        match text.and_then(|text| Ok(writeln!(out, "{text}")?)) {
            Ok(()) => count += 1,
            Err(failure) => failed = Some(failure),
        }
    })?;
    match failed {
        Some(failure) => Err(failure),
        None => {
            out.flush()?;
            Ok(count)
        }
    }
}

fn run_erase(place: &Place, args: &Erase) -> Outcome {
    if args.who.is_empty() || args.reason.trim().is_empty() {
        return Err(Failure::Usage("say who, and for what reason".to_owned()));
    }
    if args.reason.to_lowercase().contains(&args.who.to_lowercase()) {
        return Err(Failure::Usage("the reason is kept: it cannot hold the name that is to be erased".to_owned()));
    }
    let journal = node::audit::open(&place.home()?)?;
    let question = format!("erase `{}` from the audit log for ever?", visible(&args.who));
    if !args.yes && !crate::terminal::confirmed(&question)? {
        return Err(Failure::could("nothing was erased"));
    }
    let by = node::audit::operator();
    let mut salt = || node::chance::bytes().unwrap_or_default();
    let mut erasing = Erasing {
        now: node::clock::now(),
        who: by.who.as_deref().unwrap_or_default(),
        reason: &args.reason,
        salt: &mut salt,
    };
    let count = journal.erase(Which::Person, Scope::Person(&args.who), &mut erasing)?;
    note(format!("erased the person from {count} entries"));
    Ok(Verdict::Good)
}

fn run_retain(place: &Place, args: &Retain) -> Outcome {
    let opened = place.open()?;
    let by = node::audit::operator();
    let who = by.who.as_deref().unwrap_or_default();
    let done = node::audit::retain(&opened.audit()?, &*opened.book, &opened.config.audit, who, node::clock::now())?;
    if args.json {
        say_json(&serde_json::json!({"matters": done.matters, "persons": done.persons}))?;
    } else {
        say(format!("erased what happened of {}, who had to do with it of {} entries", done.matters, done.persons))?;
    }
    Ok(Verdict::Good)
}

/// The instant that `--since` means.
fn begin(text: &str, now: Micros) -> Result<Micros, Failure> {
    let wrong = || {
        let text = visible(text);
        Failure::Usage(format!(
            "--since `{text}` is neither so long ago (`7d`) nor an instant (`2026-11-01T00:00:00Z`)"
        ))
    };
    let units: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    match units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds))) {
        Some((count, seconds)) => {
            let count: u32 = count.parse().map_err(|_| wrong())?;
            Ok(now.saturating_sub(i64::from(count).saturating_mul(seconds * 1_000_000)))
        }
        None => Ok(stix::timestamp::Timestamp::parse(text).map_err(|_| wrong())?.micros),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        const DAY: i64 = 86_400_000_000;
        for (text, expected) in [
            ("1d", Some(9 * DAY)),
            ("12h", Some(10 * DAY - DAY / 2)),
            ("0s", Some(10 * DAY)),
            ("1970-01-02T00:00:00Z", Some(DAY)),
            ("-1d", None),
            ("d", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(begin(text, 10 * DAY).ok(), expected, "{text}");
        }
    }
}
