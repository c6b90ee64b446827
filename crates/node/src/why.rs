//! Why somebody sees an object or does not: the decision, every rule that took part, and what it rests on.

use crate::accounts::{viewer, who};
use crate::door::Door;
use crate::eyes::Eyes;
use ledger::{Collection, CollectionNo, Ledger, Met, Register, Sees, Seq, Sight};
use policy::{Class, Code, Cuts, Decision, Gate, Micros, Outcome, Reason, Relation, Viewer, decide};

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
        let gate = self.door.gate(viewer.clone(), self.at);
        let reads = |no: CollectionNo| self.reads(viewer, no);
        let eyes = Eyes::new(&gate, self.door.references(), &reads);
        let mut found = Vec::new();
        self.book.look(&mut |book| {
            // A failure is noted by the book and fails the whole look.
            let _ = book.versions(object, &mut |met| {
                found.push((met.seq, self.judge(&gate, &eyes, met, book)));
                true
            });
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
        let reasons = decision.reasons.into_iter().map(Because::from).collect();
        Ok(Some(Answer { outcome: decision.outcome.as_str(), reasons }))
    }

    /// Where the live versions of the object lie, whoever may see them: for the operator's own questions.
    ///
    /// # Errors
    /// Those of the book.
    pub fn places(&self, object: &str) -> ledger::Result<Vec<(CollectionNo, Seq)>> {
        let mut places = Vec::new();
        self.book.look(&mut |book| {
            let _ = book.versions(object, &mut |met| {
                places.push((met.collection, met.seq));
                true
            });
        })?;
        Ok(places)
    }

    fn judge(&self, gate: &Gate<'_>, eyes: &Eyes<'_>, met: &Met<'_>, book: &dyn ledger::Lookup) -> Found {
        let definition = self.book.class_definition(met.class).ok().flatten();
        let class = definition.and_then(|bytes| Class::from_definition(&bytes));
        let mut decision = match class {
            Some(class) => decide(gate.viewer(), &class, self.at, self.door.rules(), self.door),
            None => unreadable(),
        };
        let sees = match eyes.class(met.class) {
            Sight::Nothing => false,
            Sight::Whole => true,
            Sight::Part | Sight::Ask => {
                let (there, changed, reasons) = eyes.explain(met, book);
                decision.reasons.extend(reasons);
                if there && changed && decision.outcome == Outcome::Release {
                    decision.outcome = Outcome::Redact(Cuts::default());
                }
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
        let mut seers = Vec::new();
        let mut ask = |viewer: Viewer, account: Option<String>, beside: Option<&'static str>| -> ledger::Result<_> {
            let outcome = self.why(&viewer, object)?.map_or("withhold", |answer| answer.outcome);
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

fn unreadable() -> Decision {
    let message = "its policy class cannot be read".to_owned();
    let reasons = vec![Reason { code: Code::UnknownMarking, rests_on: None, message }];
    Decision { outcome: Outcome::Withhold, reasons }
}
