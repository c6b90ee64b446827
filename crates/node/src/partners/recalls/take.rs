//! Taking in what partners say: recalls, and what became of ours.

use super::copies::{Copy, Place};
use super::judge::{self, Case, Effect};
use super::{Desk, recipients};
use crate::partners::notices;
use ledger::{ClassNo, Place as Lies, Scope};
use partner::notice::GroupNotice;
use partner::recall::Recall;
use partner::receipt::{Downstream, Outcome, Receipt};
use partner::signed::{Kind, Unverified};
use policy::{Class, Handling, Tlp};
use std::collections::{BTreeSet, HashMap};
use stix::timestamp::format_micros;

/// What became of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Took {
    /// It was heeded, or says what is known.
    Done,
    /// It was refused; why stands in the audit log.
    Refused(String),
}

/// What a recall finds here.
struct Found {
    /// The versions that it means and that obey it, each with what becomes of it.
    meant: Vec<(Copy, Effect)>,
    /// Whether there is any version that obeys its signer.
    obeyed: bool,
    /// Whether there is any version at all.
    any: bool,
}

impl Desk<'_> {
    /// Takes in a recall, a receipt or a notice of a group that a partner brought, `body` as it came. What is refused is
    /// written down with the reason.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn take_in(&self, statement: &Unverified, body: &[u8], from: &str) -> ledger::Result<Took> {
        let verdict = match statement.verify(self.ring, self.now) {
            Err(error) => Err(error.to_string()),
            Ok(signer) => match statement.kind {
                Kind::Recall => return self.take_recall(statement, body, signer.organisation, from),
                Kind::Receipt => match Receipt::read(statement) {
                    Ok(receipt) => self.take_receipt(&receipt, signer.organisation, from)?,
                    Err(error) => Err(error.to_string()),
                },
                Kind::Group => match GroupNotice::read(statement) {
                    Ok(notice) => notices::take(self, &notice, signer.organisation)?,
                    Err(error) => Err(error.to_string()),
                },
                Kind::Seal | Kind::Envelope => Err("it belongs to objects, and came without any".to_owned()),
            },
        };
        match verdict {
            Ok(()) => Ok(Took::Done),
            Err(reason) => self.refuse(statement, from, &reason),
        }
    }

    /// Writes down that a statement was refused; whoever brought a recall is told.
    fn refuse(&self, statement: &Unverified, from: &str, reason: &str) -> ledger::Result<Took> {
        let act = match statement.kind {
            Kind::Recall => "recall-refused",
            Kind::Receipt => "receipt-refused",
            Kind::Group => "notice-refused",
            Kind::Seal | Kind::Envelope => "statement-refused",
        };
        let about = statement.object.get("object_ref").and_then(serde_json::Value::as_str).unwrap_or(&statement.id);
        self.note(&self.by(), from, act, &super::delivery::shown(about), false, reason)?;
        if statement.kind == Kind::Recall {
            self.receipt(&statement.id, from, Outcome::Refused, Some(reason.to_owned()), Downstream::default())?;
        }
        Ok(Took::Refused(reason.to_owned()))
    }

    fn take_recall(&self, statement: &Unverified, body: &[u8], signer: &str, from: &str) -> ledger::Result<Took> {
        let recall = match Recall::read(statement) {
            Ok(recall) => recall,
            Err(error) => return self.refuse(statement, from, &error.to_string()),
        };
        if judge::is_ahead(&recall.at, self.now) {
            return self.refuse(statement, from, "it is dated more than ten minutes after our clock");
        }
        let id = &statement.id;
        if let Some(kept) = self.book.recall(id)? {
            // Our own has come round.
            let Some(first) = kept.from else { return Ok(Took::Done) };
            // What came over a relay may not have held for us; from its signer it does.
            let anew = judge::same(signer, from) && !judge::same(&first, signer);
            if let Some(told) = self.told(id)?.filter(|told| told.direct || !anew) {
                let outcome = Outcome::of(&told.outcome).unwrap_or(Outcome::Done);
                // Whoever brought it first is told of those behind us, so that nobody is counted twice.
                let downstream = match judge::same(&first, from) {
                    true => self.downstream(id)?,
                    false => Downstream::default(),
                };
                self.receipt(id, from, outcome, told.reason, downstream)?;
                return Ok(Took::Done);
            }
            // The node ended before it was done.
        }
        let found = self.find(&recall, signer, from)?;
        if found.any && !found.obeyed {
            let reason = format!("`{signer}` neither made the object nor brought it");
            return self.refuse(statement, from, &reason);
        }
        let passed_on = self.told(id)?.is_some();
        if !passed_on {
            self.pass_on(&recall, (id, body), &found, (signer, from))?;
        }
        let (changed, stand) = self.apply(&recall, &found)?;
        let (outcome, reason) = match (found.any, stand) {
            (false, _) => (Outcome::Unknown, None),
            (true, true) if changed == 0 => (Outcome::Done, Some("nothing had to be changed".to_owned())),
            _ => (Outcome::Done, None),
        };
        let told = format!("{} by {signer}; {changed} versions", recall.act.name());
        self.note(&self.by(), from, "recall-obeyed", &recall.object, true, &told)?;
        self.answer(id, from, outcome, reason, judge::same(signer, from))?;
        Ok(Took::Done)
    }

    /// What of an object obeys a recall, and what that does to it.
    fn find(&self, recall: &Recall, signer: &str, from: &str) -> ledger::Result<Found> {
        let copies = self.copies(&recall.object)?;
        let carded = |organisation: &str| self.is_carded(organisation);
        let any = !copies.is_empty();
        let obeying: Vec<Copy> = copies.into_iter().filter(|copy| judge::obeys(signer, &copy.class, &carded)).collect();
        let groups = self.book.groups()?;
        let within = |id: &str| {
            let group = groups.iter().find(|group| group.id == id);
            group.is_some_and(|group| std::iter::once(&group.owner).chain(&group.members).any(|name| self.is_own(name)))
        };
        let revoked_here = obeying.iter().any(|copy| copy.revoked);
        let mut meant = Vec::new();
        for copy in obeying.iter().filter(|copy| judge::means(recall, copy.version.as_deref())) {
            let said = self.book.statements(&copy.mark)?;
            let case = Case {
                given_by_signer: judge::same(&copy.class.owner, signer)
                    || said.iter().any(|said| judge::same(&said.source, signer)),
                told_by_signer: judge::same(signer, from),
                is_revoked: copy.revoked,
                revoked_here,
                within: &within,
            };
            meant.push((copy.clone(), judge::effect(recall, case)));
        }
        Ok(Found { meant, obeyed: !obeying.is_empty(), any })
    }

    /// Writes a recall down and tells those to whom we handed the object: in the words of its signer, or, where the signer
    /// only brought it to us, in our own, since it is we who brought it to them.
    fn pass_on(
        &self,
        recall: &Recall,
        (id, body): (&str, &[u8]),
        found: &Found,
        (signer, from): (&str, &str),
    ) -> ledger::Result<()> {
        let stands_for = |copy: &Copy| judge::author_of(&copy.class).is_some_and(|author| judge::same(author, signer));
        let (made, brought): (Vec<&Copy>, Vec<&Copy>) =
            found.meant.iter().map(|(copy, _)| copy).partition(|copy| stands_for(copy));
        let others = |copies: Vec<&Copy>| -> ledger::Result<BTreeSet<String>> {
            let copies: Vec<Copy> = copies.into_iter().cloned().collect();
            let mut to = self.recipients(&copies)?.organisations;
            to.retain(|organisation| !judge::same(organisation, signer) && !judge::same(organisation, from));
            Ok(to)
        };
        let mut to = others(made)?;
        let erased = recipients::of_erased(self.book, &recall.object)?;
        to.extend(erased.into_iter().filter(|name| !judge::same(name, signer) && !judge::same(name, from)));
        let ours = others(brought)?;
        if self.book.recall(id)?.is_none() {
            self.send(recall, body, Some(from), &to)?;
            if !to.is_empty() {
                self.note_sent(&self.by(), "recall-passed-on", recall, &to)?;
            }
        }
        if !ours.is_empty() {
            let own = Recall { at: format_micros(self.now), ..recall.clone() };
            let own = self.make(&own, &ours, &self.by())?;
            self.stands_instead(&own, id)?;
        }
        Ok(())
    }

    /// Does what a recall says. Returns how many versions were changed, and whether one was left as it is.
    fn apply(&self, recall: &Recall, found: &Found) -> ledger::Result<(u64, bool)> {
        let erased: Vec<Place> =
            found.meant.iter().filter(|(_, effect)| *effect == Effect::Erase).map(|(copy, _)| copy.place).collect();
        let mut changed = 0;
        if !erased.is_empty() {
            let scope = Scope { key: Some(&recall.object), ..Scope::default() };
            changed += self.book.erase(&scope, &mut |met| erased.contains(&(met.collection, met.seq)), self.now)?;
        }
        let mut narrowed: HashMap<Place, ClassNo> = HashMap::new();
        for (copy, effect) in &found.meant {
            if let Effect::Narrow(marking, limits) = effect {
                let class = self.narrowed(&copy.class, marking.as_deref(), limits);
                narrowed.insert(copy.place, self.classes.number(self.book, &class)?);
            }
        }
        if !narrowed.is_empty() {
            let mut to = |met: &ledger::Met<'_>| narrowed.get(&(met.collection, met.seq)).copied();
            changed += self.book.reclass(&recall.object, &mut to, Lies::Kept, self.now)?;
        }
        Ok((changed, found.meant.iter().any(|(_, effect)| *effect == Effect::Stand)))
    }

    /// A class narrowed as its author says. What is RED is for those who were given it: our own organisation.
    fn narrowed(&self, class: &Class, marking: Option<&str>, limits: &Handling) -> Class {
        let red = marking.and_then(stix::marking::tlp_of) == Some(Tlp::Red);
        let recipients = if red { vec![self.own.to_owned()] } else { Vec::new() };
        Class { open: false, ..class.clone() }.narrowed(marking, &recipients, limits)
    }
}
