//! Why somebody sees an object or does not: the decision, every rule that took part, and what it rests on.

use crate::accounts::{viewer, who};
use crate::door::Door;
use crate::eyes::Eyes;
use ledger::{ClassNo, Collection, CollectionNo, Ledger, Lookup, Met, Register, Sees, Seq, Sight};
use policy::{Class, Code, Cuts, Decision, Gate, Micros, Outcome, Reason, Relation, Viewer, decide_of};

/// An answer about one viewer and one object.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Answer {
    /// `release`, `redact` or `withhold`.
    pub outcome: &'static str,
    /// Every rule that took part.
    pub reasons: Vec<Because>,
}

/// A rule that took part, for machines and people.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Because {
    /// The rule's name, which stays.
    pub rule: &'static str,
    /// The record, marking definition or group on which it rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<String>,
    /// In plain words.
    pub message: String,
}

impl From<Reason> for Because {
    fn from(reason: Reason) -> Self {
        Self { rule: reason.code.as_str(), rests_on: reason.rests_on, message: reason.message }
    }
}

/// Somebody, and what they see of an object.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Seer {
    /// The account; `None`: nobody in particular.
    pub account: Option<String>,
    /// The organisation; `None`: not signed in.
    pub organisation: Option<String>,
    /// `release` or `redact`.
    pub outcome: &'static str,
}

/// What a question about an object rests on.
pub struct Asking<'a> {
    /// The book.
    pub book: &'a dyn Ledger,
    /// The door.
    pub door: &'a Door,
    /// All collections of the node.
    pub collections: &'a [Collection],
    /// The instant for which it is asked.
    pub at: Micros,
}

/// Whoever asks, where that is not the operator. Nothing of an answer rests on what they may not see: it is given as over
/// the book that they see, and names nothing else.
pub struct Asker<'a> {
    /// Who.
    pub viewer: &'a Viewer,
    /// Whether they may read a collection.
    pub reads: &'a dyn Fn(CollectionNo) -> bool,
    /// Whether they are told of the sharing group with this id, and of who is in it.
    pub told_of: &'a dyn Fn(&str) -> bool,
}

/// What somebody sees of an object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// The versions, newest last; those beyond a thousand are left out, oldest first.
    pub places: Vec<(CollectionNo, Seq)>,
    /// Whether every one of them was made or brought in by their organisation.
    pub originated: bool,
}

/// Versions of an object that are told of at most.
const MOST_PLACES: usize = 1_000;

/// The book as somebody sees it.
struct Within<'a> {
    book: &'a dyn Lookup,
    eyes: &'a Eyes<'a>,
    reads: &'a dyn Fn(CollectionNo) -> bool,
}

impl Within<'_> {
    fn shows(&self, met: &Met<'_>) -> bool {
        (self.reads)(met.collection)
            && match self.eyes.class(met.class) {
                Sight::Nothing => false,
                Sight::Whole => true,
                Sight::Part | Sight::Ask => self.eyes.record(met, self.book, None),
            }
    }
}

impl Lookup for Within<'_> {
    fn versions(&self, key: &str, each: &mut dyn FnMut(&Met<'_>) -> bool) -> ledger::Result<()> {
        self.book.versions(key, &mut |met| !self.shows(met) || each(met))
    }

    fn places(&self, key: &str, each: &mut dyn FnMut(CollectionNo, ClassNo) -> bool) -> ledger::Result<()> {
        self.versions(key, &mut |met| each(met.collection, met.class))
    }
}

/// A version as it was found.
struct Found {
    collection: CollectionNo,
    decision: Decision,
    there: bool,
}

impl Asking<'_> {
    /// Why the viewer sees the newest version of the object that they may see or, if there is none, why they do not see
    /// the newest that there is. `None`: the object is not in the book.
    ///
    /// # Errors
    /// Those of the book.
    pub fn why(&self, viewer: &Viewer, object: &str) -> ledger::Result<Option<Answer>> {
        let mut answer = Ok(None);
        self.book.look(&mut |book| {
            answer = self.found(viewer, object, book).map(|found| found.map(answered));
        })?;
        answer
    }

    /// The same for somebody who asks. `None`: they see no version of the object.
    ///
    /// # Errors
    /// Those of the book.
    pub fn why_to(&self, asker: &Asker<'_>, viewer: &Viewer, object: &str) -> ledger::Result<Option<Answer>> {
        let gate = self.door.gate(asker.viewer.clone(), self.at);
        let mut answer = Ok(None);
        self.book.look(&mut |book| {
            let eyes = Eyes::new(&gate, self.door.references(), asker.reads);
            let within = Within { book, eyes: &eyes, reads: asker.reads };
            answer = self.found(viewer, object, &within).map(|found| {
                found.map(|mut decision| {
                    decision.reasons.iter_mut().for_each(|reason| untold(reason, asker, &within));
                    answered(decision)
                })
            });
        })?;
        answer
    }

    /// What somebody sees of an object. `None`: nothing.
    ///
    /// # Errors
    /// Those of the book.
    pub fn seen(&self, asker: &Asker<'_>, object: &str) -> ledger::Result<Option<Seen>> {
        let gate = self.door.gate(asker.viewer.clone(), self.at);
        let organisation = asker.viewer.organisation.as_deref();
        let mut seen = Seen { originated: true, ..Seen::default() };
        self.book.look(&mut |book| {
            let eyes = Eyes::new(&gate, self.door.references(), asker.reads);
            let within = Within { book, eyes: &eyes, reads: asker.reads };
            // A failure is noted by the book and fails the whole look.
            let _ = within.versions(object, &mut |met| {
                let class = self.class(met.class);
                let of = |organisation| class.is_some_and(|class| class.originated_by(organisation));
                seen.originated &= organisation.is_some_and(of);
                seen.places.push((met.collection, met.seq));
                true
            });
        })?;
        seen.places.sort_by_key(|(_, seq)| *seq);
        seen.places.drain(..seen.places.len().saturating_sub(MOST_PLACES));
        Ok(if seen.places.is_empty() { None } else { Some(seen) })
    }

    /// The decision about the newest version that the viewer sees or, without one, about the newest that there is.
    fn found(&self, viewer: &Viewer, object: &str, book: &dyn Lookup) -> ledger::Result<Option<Decision>> {
        let gate = self.door.gate(viewer.clone(), self.at);
        let reads = |no: CollectionNo| self.reads(viewer, no);
        let eyes = Eyes::new(&gate, self.door.references(), &reads);
        let mut found = Vec::new();
        book.versions(object, &mut |met| {
            found.push((met.seq, self.judge(&gate, &eyes, met, book)));
            true
        })?;
        found.sort_by_key(|(seq, found)| (found.there, *seq));
        let Some((_, Found { collection, mut decision, there })) = found.pop() else { return Ok(None) };
        if !self.reads(viewer, collection) {
            let message = "no collection that holds it is this viewer's to read".to_owned();
            decision.reasons.push(Reason { code: Code::CollectionWithholds, rests_on: None, message });
        }
        if !there {
            decision.outcome = Outcome::Withhold;
        }
        Ok(Some(decision))
    }

    fn class(&self, number: ClassNo) -> Option<Class> {
        let definition = self.book.class_definition(number).ok().flatten();
        definition.and_then(|bytes| Class::from_definition(&bytes))
    }

    fn judge(&self, gate: &Gate<'_>, eyes: &Eyes<'_>, met: &Met<'_>, book: &dyn ledger::Lookup) -> Found {
        let mut decision = match self.class(met.class) {
            Some(class) => {
                let (viewer, added) = (gate.viewer(), met.seq.0);
                decide_of(viewer, &class, added, self.at, self.door.rules(), self.door)
            }
            None => unreadable(),
        };
        let sees = match eyes.class(met.class) {
            Sight::Nothing => false,
            Sight::Whole => true,
            Sight::Part | Sight::Ask => {
                let (there, changed, reasons) = eyes.explain(met, book);
                if there && changed && decision.outcome == Outcome::Release {
                    if reasons.is_empty() {
                        let message = "it refers to what is not there for this viewer; the reference is taken out";
                        let code = Code::ReferenceRemoved;
                        decision.reasons.push(Reason { code, rests_on: None, message: message.to_owned() });
                    }
                    decision.outcome = Outcome::Redact(Cuts::default());
                }
                decision.reasons.extend(reasons);
                there
            }
        };
        Found { collection: met.collection, decision, there: sees && self.reads(gate.viewer(), met.collection) }
    }

    fn reads(&self, viewer: &Viewer, no: CollectionNo) -> bool {
        self.collections.iter().any(|collection| collection.no == no && policy::may(viewer, &who(&collection.read)))
    }

    /// Everyone who sees the object: strangers, the organisations, the accounts. An organisation stands for any member of
    /// it; an account is named where it sees more or less than that.
    ///
    /// # Errors
    /// Those of the book and the register.
    pub fn seers(&self, register: &dyn Register, object: &str) -> ledger::Result<Vec<Seer>> {
        self.each_seer(register, &|viewer| self.why(viewer, object))
    }

    /// The same for somebody who asks, as far as what they see tells.
    ///
    /// # Errors
    /// Those of the book and the register.
    pub fn seers_to(&self, asker: &Asker<'_>, register: &dyn Register, object: &str) -> ledger::Result<Vec<Seer>> {
        self.each_seer(register, &|viewer| self.why_to(asker, viewer, object))
    }

    fn each_seer(
        &self,
        register: &dyn Register,
        why: &dyn Fn(&Viewer) -> ledger::Result<Option<Answer>>,
    ) -> ledger::Result<Vec<Seer>> {
        let mut seers = Vec::new();
        let mut ask = |viewer: Viewer, account: Option<String>, beside: Option<&'static str>| -> ledger::Result<_> {
            let outcome = why(&viewer)?.map_or("withhold", |answer| answer.outcome);
            if outcome != "withhold" && beside != Some(outcome) {
                seers.push(Seer { account, organisation: viewer.organisation, outcome });
            }
            Ok(outcome)
        };
        ask(Viewer::anonymous(), None, None)?;
        let accounts = register.accounts()?;
        for organisation in register.organisations()? {
            let anyone = member_of(&organisation);
            let outcome = ask(anyone, None, None)?;
            for account in accounts.iter().filter(|account| account.organisation.name == organisation.name) {
                ask(viewer(account), Some(account.name.clone()), Some(outcome))?;
            }
        }
        Ok(seers)
    }
}

/// Where the object lies and ever lay, erased versions included: by reading the whole book, for the operator's own
/// questions. `progress` is told how many records were read.
///
/// # Errors
/// Those of the book.
pub fn places(
    book: &dyn Ledger,
    object: &str,
    progress: &mut dyn FnMut(u64),
) -> ledger::Result<Vec<(CollectionNo, Seq)>> {
    let (mut places, mut read, mut after) = (Vec::new(), 0, Some(Seq(i64::MIN)));
    while let Some(from) = after {
        after = book.follow(from, 5_000, &mut |record| {
            read += 1;
            if record.key == object {
                places.push((record.collection, record.seq));
            }
        })?;
        progress(read);
    }
    Ok(places)
}

/// A member of an organisation, nobody in particular.
#[must_use]
pub fn member_of(organisation: &ledger::Organisation) -> Viewer {
    Viewer {
        name: Some(organisation.name.clone()),
        organisation: Some(organisation.name.clone()),
        relation: crate::accounts::relation(organisation.relation),
    }
}

/// Who a word means: `anyone` (a stranger), an account, or an organisation.
///
/// # Errors
/// Those of the register. `Ok(None)`: nobody.
pub fn named(register: &dyn Register, word: &str) -> ledger::Result<Option<Viewer>> {
    if word == "anyone" {
        return Ok(Some(Viewer { name: None, organisation: None, relation: Relation::Public }));
    }
    crate::export::viewer(register, word)
}

fn answered(decision: Decision) -> Answer {
    let reasons = decision.reasons.into_iter().map(Because::from).collect();
    Answer { outcome: decision.outcome.as_str(), reasons }
}

/// Takes out of a reason what whoever asks is not told of: a group whose members they may not know, and an object that they
/// do not see.
fn untold(reason: &mut Reason, asker: &Asker<'_>, within: &Within<'_>) {
    let Some(id) = reason.rests_on.as_deref() else { return };
    let words = match reason.code {
        Code::GroupMember => Some("the viewer's organisation is in the sharing group"),
        Code::NotGroupMember => Some("the viewer's organisation is not in the sharing group"),
        Code::GroupJoinedLater => Some("the viewer's organisation joined the sharing group later"),
        Code::GroupClosed => Some("the sharing group is not open, or not known here"),
        _ => None,
    };
    let told = match words {
        Some(_) => (asker.told_of)(id),
        None => stix::marking::tlp_of(id).is_some() || there(within, id),
    };
    if !told {
        reason.rests_on = None;
        if let Some(words) = words {
            words.clone_into(&mut reason.message);
        }
    }
}

fn there(book: &dyn Lookup, id: &str) -> bool {
    let mut there = false;
    // A failure is noted by the book and fails the whole look.
    let _ = book.versions(id, &mut |_| {
        there = true;
        false
    });
    there
}

fn unreadable() -> Decision {
    let message = "its policy class cannot be read".to_owned();
    let reasons = vec![Reason { code: Code::UnknownMarking, rests_on: None, message }];
    Decision { outcome: Outcome::Withhold, reasons, turns: Vec::new() }
}
