//! `marsad unpack`.

use super::Opened;
use super::pack::tell;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict, chain};
use crate::terminal::{Unit, note, progress, say, say_json, visible};
use crate::when;
use ledger::CollectionNo;
use node::audit::{By, Event, Way};
use node::intake::{Classes, Context};
use node::partners::identity;
use node::partners::pack::{Checked, Error, Gathered, HELD, Inbox, Incomplete, Package, Taken, Taker, gather};
use node::partners::recalls::{Desk, Took};
use partner::key::KeyId;
use partner::package::order::Place as Order;
use partner::package::{Limits, Sender};
use serde_json::json;
use std::path::PathBuf;

/// Refusals that are shown.
const SHOWN: usize = 20;

/// Takes packages in that a partner made with `marsad pack`.
///
/// All of a package is judged before the first object is taken: that it is whole, from whom it says, for this node, in
/// time, and not taken before. What is missing of a series is said, and what came is taken. Parts may be given in any order
/// and at several times: they wait for the others.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad unpack /media/stick/*.marsad
  marsad unpack north.marsad.* --into partners
  marsad unpack --check north.marsad
  receive-from-the-diode | marsad unpack -")]
pub(crate) struct Args {
    /// Packages, or parts of them; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Our collection: alias or id
    #[arg(long, value_name = "ALIAS", default_value = super::init::MAIN)]
    into: String,
    /// Who gets what is marked TLP:RED: accounts and organisations [default: the first administrator]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    to: Vec<String>,
    /// Say what it is and whether it is whole; take nothing
    #[arg(long)]
    check: bool,
    /// Judge times as if it were then, on a machine without a clock
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print one JSON object for each package, or part or file that cannot be used
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let now = node::clock::now();
    let now = args.at.as_deref().map_or(Ok(now), |text| when::instant("--at", text, now))?;
    let opened = place.open()?;
    let collection = opened.collection(&args.into)?.no;
    let inbox = Inbox::open(opened.home.path())?;
    let mut files = Vec::new();
    for file in &args.files {
        if file.as_os_str() == "-" {
            files.push(inbox.keep(&mut std::io::stdin().lock(), opened.config.limits.max_unpacked_bytes)?);
        } else {
            files.push(file.clone());
        }
    }
    let outcome = Unpacking::new(&opened, args, collection, now).and_then(|unpacking| unpacking.all(&inbox, &files));
    inbox.drop_kept()?;
    outcome
}

struct Unpacking<'a> {
    opened: &'a Opened,
    args: &'a Args,
    collection: CollectionNo,
    now: i64,
    own: identity::Own,
    own_name: String,
    ring: std::sync::Arc<partner::trust::Keyring>,
    journal: ledger::sqlite::JournalFile,
}

impl<'a> Unpacking<'a> {
    fn new(opened: &'a Opened, args: &'a Args, collection: CollectionNo, now: i64) -> Result<Self, Failure> {
        let secret = opened.home.secret()?;
        let own = identity::own(&*opened.book, &secret)?;
        let ring = identity::keyring(&*opened.book, &secret)?;
        let (own_name, journal) = (opened.own_organisation()?, opened.audit()?);
        Ok(Self { opened, args, collection, now, own, own_name, ring, journal })
    }

    fn all(&self, inbox: &Inbox, files: &[PathBuf]) -> Outcome {
        let trust = |key: &KeyId| Sender::of(&self.ring, key, self.now);
        let Gathered { packages, incomplete, odd } = gather(inbox, files, &trust, !self.args.check)?;
        let mut good = odd.is_empty() && incomplete.is_empty();
        for (file, why) in &odd {
            self.odd(file, why)?;
        }
        let mut done: Vec<&Package> = Vec::new();
        for package in &packages {
            if let Some(first) = done.iter().find(|first| first.id == package.id) {
                let name =
                    |package: &Package| package.pieces.first().map(|piece| piece.path.clone()).unwrap_or_default();
                self.odd(&name(package), &format!("it is the same package as {}", name(first).display()))?;
                good = false;
                continue;
            }
            match self.one(inbox, package)? {
                Some(well) => {
                    done.push(package);
                    good &= well;
                }
                None => good = false,
            }
        }
        for package in &incomplete {
            self.incomplete(package)?;
        }
        Ok(Verdict::good_if(good))
    }

    /// A file that cannot be used.
    fn odd(&self, file: &std::path::Path, why: &str) -> Result<(), Failure> {
        let file = file.display().to_string();
        if !self.args.check {
            tell(self.opened, "", "package-refused", &file, false, why)?;
        }
        if self.args.json {
            return say_json(&json!({"file": file, "error": why}));
        }
        note(visible(&format!("refused {file}: {why}")));
        Ok(())
    }

    fn incomplete(&self, package: &Incomplete) -> Result<(), Failure> {
        let Incomplete { id, missing, of } = package;
        if self.args.json {
            return say_json(&json!({"package": id, "missing_parts": missing, "of": of}));
        }
        let list: Vec<String> = missing.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = if missing.len() > SHOWN { ", …" } else { "" };
        let wait = if self.args.check { "" } else { ": what came waits for it" };
        note(format!("{id}: part {}{more} of {of} is missing{wait}", list.join(", ")));
        Ok(())
    }

    /// Judges a package, and takes it in. Returns whether all was well; `None`: it was refused.
    fn one(&self, inbox: &Inbox, package: &Package) -> Result<Option<bool>, Failure> {
        let limits = &self.opened.config.limits;
        let object = node::intake::limits(limits);
        let taker = Taker {
            book: &*self.opened.book,
            keys: &self.own.keys,
            ring: &self.ring,
            own: &self.own_name,
            limits: Limits {
                object: object.max_bytes.max(partner::signed::LIMITS.max_bytes),
                bytes: limits.max_unpacked_bytes,
                ratio: limits.max_unpack_ratio,
                ..Limits::default()
            },
            object,
            hold: HELD,
            now: self.now,
        };
        let bar = progress(None, Unit::Things);
        let checked = taker.check(package, &mut |count| bar.set_position(count));
        let checked = match checked {
            Ok(checked) => checked,
            Err(Error::Package(error)) => {
                bar.finish_and_clear();
                self.refused(package, &chain(&error))?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        self.place(&checked)?;
        if self.args.check {
            bar.finish_and_clear();
            return self.checked(&checked).map(Some);
        }
        let (whole, order) = (checked.whole.clone(), checked.place.clone());
        let sender = whole.sender.organisation.as_str();
        let options = super::import::with(self.opened, self.context(sender)?, false, false);
        let classes = Classes::default();
        let door = self.opened.door();
        let desk = Desk {
            book: &*self.opened.book,
            journal: &self.journal,
            door: &door,
            classes: &classes,
            keys: &self.own.keys,
            ring: &self.ring,
            own: &self.own_name,
            now: self.now,
        };
        let mut control = |from: &str, statements: &[(partner::signed::Unverified, bytes::Bytes)]| {
            let mut refused = 0;
            for (statement, text) in statements {
                refused += u64::from(!matches!(desk.take_in(statement, text, from)?, Took::Done));
            }
            Ok(refused)
        };
        let taken = taker.take(package, checked, &options, &mut control, &mut |counts| {
            bar.set_position(counts.added + counts.unchanged)
        });
        bar.finish_and_clear();
        let taken = taken?;
        inbox.forget(&package.id)?;
        self.wrote_down(sender, &package.id, whole.header.number, &taken)?;
        self.taken(package, &whole, &order, &taken).map(Some)
    }

    /// Whose the objects become, and who gets what is for named recipients.
    fn context(&self, sender: &str) -> Result<Context, Failure> {
        let context = Context::new(self.collection, sender.to_owned(), &*self.opened.book)?;
        let recipients = super::named(self.opened, &self.args.to.join(","))?;
        Ok(Context { member: super::import::first_administrator(self.opened)?, recipients, ..context })
    }

    fn refused(&self, package: &Package, reason: &str) -> Result<(), Failure> {
        let header = &package.header;
        if !self.args.check {
            let sender = Sender::of(&self.ring, &header.key, self.now).map(|sender| sender.organisation);
            let about = format!("{}, number {}", package.id, header.number);
            tell(self.opened, &sender.unwrap_or_default(), "package-refused", &about, false, reason)?;
        }
        if self.args.json {
            return say_json(&json!({"package": package.id, "number": header.number, "error": reason}));
        }
        note(visible(&format!("refused {}, number {}: {reason}", package.id, header.number)));
        Ok(())
    }

    /// Says what is odd about the place of a package in its series.
    fn place(&self, checked: &Checked) -> Result<(), Failure> {
        let number = checked.whole.header.number;
        let sender = &checked.whole.sender.organisation;
        let message = match &checked.place {
            Order::Next | Order::First => return Ok(()),
            Order::Gap(one, other) if one == other => format!("package {one} of this series has not come"),
            Order::Gap(from, to) => format!("packages {from} to {to} of this series have not come"),
            Order::Late => format!("package {number} comes late: later ones were taken before it"),
            Order::Broken => format!("package {number} follows another one than the one that was taken before it"),
        };
        if !self.args.check {
            let about = format!("{}, number {number}", checked.whole.header.id);
            tell(self.opened, sender, "package-gap", &about, true, &message)?;
        }
        if !self.args.json {
            note(format!("note: {}: {message}", visible(sender)));
        }
        Ok(())
    }

    /// Says what a package is, without taking it.
    fn checked(&self, checked: &Checked) -> Result<bool, Failure> {
        let Checked { whole, place, sound, known, refused, refusals, .. } = checked;
        let header = &whole.header;
        if self.args.json {
            let refused: Vec<_> =
                refused.iter().map(|refused| json!({"object": refused.id, "reason": refused.reason})).collect();
            say_json(&json!({
                "package": header.id, "from": whole.sender.organisation, "number": header.number, "place": place,
                "created": when::spelled(header.created), "expires": header.expires.map(when::spelled),
                "objects": sound, "known": known, "statements": whole.mail, "refused": refusals, "refusals": refused,
                "answer": header.answer,
            }))?;
        } else {
            self.show(refused.iter().map(|refused| (refused.id.as_str(), refused.reason.as_str())));
            let from = visible(&whole.sender.organisation);
            let (number, created) = (header.number, when::spelled(header.created));
            say(format!(
                "package {number} of {from}, made {created}: whole; {sound} objects can be taken, {known} are known here, {refusals} are refused; {} statements",
                whole.mail
            ))?;
        }
        Ok(*refusals == 0)
    }

    fn show<'s>(&self, refused: impl ExactSizeIterator<Item = (&'s str, &'s str)>) {
        let many = refused.len();
        for (id, reason) in refused.take(SHOWN) {
            note(visible(&format!("refused {id}: {reason}")));
        }
        if many > SHOWN {
            note("further refusals are counted, not shown");
        }
    }

    /// Into the audit log: what was taken, what was refused, what was answered.
    fn wrote_down(&self, sender: &str, id: &str, number: u64, taken: &Taken) -> Result<(), Failure> {
        let counts = taken.counts;
        let by = By { way: Way::Package, who: None, organisation: Some(sender.to_owned()), address: None };
        self.opened.wrote_down(&Event::TakenIn {
            by,
            collection: self.collection,
            request: id.to_owned(),
            objects: counts.added + counts.unchanged + counts.conflicts,
            refused: counts.refused,
        })?;
        tell(self.opened, sender, "package-taken", &format!("{id}, number {number}"), true, "")?;
        for refused in taken.refused.iter().take(SHOWN) {
            tell(self.opened, sender, "object-refused", &refused.id, false, &refused.reason)?;
        }
        let more = usize::try_from(counts.refused).unwrap_or(usize::MAX).saturating_sub(taken.refused.len().min(SHOWN));
        if more > 0 {
            tell(self.opened, sender, "object-refused", id, false, &format!("and {more} more"))?;
        }
        for (object, versions) in &taken.gave_way {
            tell(self.opened, sender, "unsealed-gave-way", object, true, &format!("{versions} versions"))?;
        }
        for answer in &taken.answered {
            let about = format!("{}, number {}", answer.package, answer.number);
            let said = format!("taken {}, refused {}", answer.taken, answer.refused);
            tell(self.opened, sender, "package-answered", &about, true, &said)?;
        }
        Ok(())
    }

    fn taken(
        &self,
        package: &Package,
        whole: &partner::package::Whole,
        place: &Order,
        taken: &Taken,
    ) -> Result<bool, Failure> {
        let counts = taken.counts;
        let (number, from) = (whole.header.number, &whole.sender.organisation);
        let arrived: Vec<u64> = taken.answered.iter().map(|answer| answer.number).collect();
        if self.args.json {
            let refused: Vec<_> =
                taken.refused.iter().map(|refused| json!({"object": refused.id, "reason": refused.reason})).collect();
            say_json(&json!({
                "package": package.id, "from": from, "number": number, "place": place, "added": counts.added,
                "unchanged": counts.unchanged, "refused": counts.refused, "conflicts": counts.conflicts,
                "known": taken.known, "statements": taken.statements, "statements_refused": taken.statements_refused,
                "arrived": arrived, "refusals": refused,
            }))?;
        } else {
            self.show(taken.refused.iter().map(|refused| (refused.id.as_str(), refused.reason.as_str())));
            for number in &arrived {
                note(format!("{} says that package {number} has arrived", visible(from)));
            }
            if taken.statements_refused > 0 {
                note(format!("{} statements were refused: `marsad audit list`", taken.statements_refused));
            }
            say(format!(
                "package {number} of {}: added {}, unchanged {}, refused {}, statements {}",
                visible(from),
                counts.added,
                counts.unchanged,
                counts.refused,
                taken.statements
            ))?;
        }
        Ok(counts.refused == 0 && counts.conflicts == 0 && taken.statements_refused == 0)
    }
}
