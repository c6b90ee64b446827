//! Taking in what partners say: recalls, and what became of ours.

use super::copies::{Copy, Place};
use super::judge::{self, Case, Effect};
use super::{Desk, recipients};
use crate::partners::notices;
use ledger::{ClassNo, Place as Lies, Recall as Kept, Scope};
use partner::notice::GroupNotice;
use partner::recall::{Act, Recall};
use partner::receipt::{Downstream, Outcome, Receipt};
use partner::signed::{self, Kind, Unverified};
use policy::{Class, Handling, Tlp};
use std::collections::{BTreeSet, HashMap};

/// What is dated further ahead is refused for good.
const DAY: ledger::Micros = 24 * 3_600 * 1_000_000;

/// Recalls of one object by signers who are not known here that are kept: more are a flood.
const MOST_UNPROVEN: usize = 4;

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
    /// Whether its signer brought one that somebody else had brought before: that copy is not the signer's.
    beside: bool,
}

impl Desk<'_> {
    /// Takes in a recall, a receipt or a notice of a group that a partner brought, `body` as it came. What is refused is
    /// written down with the reason.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn take_in(&self, statement: &Unverified, body: &[u8], from: &str) -> ledger::Result<Took> {
        let verdict = match statement.verify(self.ring, self.now) {
            Err(error) => {
                if matches!(error, signed::Error::Key(_)) && statement.kind == Kind::Recall {
                    self.keep_unproven(statement, body, from)?;
                }
                Err(error.to_string())
            }
            Ok(signer) => match statement.kind {
                Kind::Recall => {
                    return self
                        .proven_since(statement, from)
                        .and_then(|()| self.take_recall(statement, body, signer.organisation, from));
                }
                Kind::Receipt => match Receipt::read(statement) {
                    Ok(receipt) => self.take_receipt(&receipt, signer.organisation, from)?,
                    Err(error) => Err(error.to_string()),
                },
                Kind::Group => match GroupNotice::read(statement) {
                    Ok(notice) => notices::take(self, &notice, signer.organisation)?,
                    Err(error) => Err(error.to_string()),
                },
                Kind::Seal | Kind::Seals | Kind::Envelope => {
                    Err("it belongs to objects, and came without any".to_owned())
                }
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
            Kind::Seal | Kind::Seals | Kind::Envelope => "statement-refused",
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
            let reason = "it is dated more than ten minutes after our clock";
            if judge::is_ahead(&recall.at, self.now.saturating_add(DAY)) {
                return self.refuse(statement, from, reason);
            }
            // Whoever hears nothing says it again, and by then it may do.
            self.note(&self.by(), from, "recall-refused", &recall.object, false, reason)?;
            return Ok(Took::Refused(reason.to_owned()));
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
        if found.any && !found.obeyed && !found.beside {
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
            (true, _) if !found.obeyed => (Outcome::Done, Some("what is here of it came from others".to_owned())),
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
        let (obeying, others): (Vec<Copy>, Vec<Copy>) =
            copies.into_iter().partition(|copy| judge::obeys(signer, &copy.class, &carded));
        let mut beside = false;
        let proven = |copy: &Copy| copy.names_author && judge::author_of(&copy.class).is_some_and(carded);
        for copy in others.iter().filter(|copy| !proven(copy)) {
            beside |= self.book.statements(&copy.mark)?.iter().any(|said| judge::same(&said.source, signer));
        }
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
        Ok(Found { meant, obeyed: !obeying.is_empty(), any, beside })
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
        // The author's own words first: whoever knows the author heeds no others. Whoever refuses them is told in ours.
        let words = match judge::same(signer, from) {
            true => self.unproven(&recall.object, from)?,
            false => Vec::new(),
        };
        let all: BTreeSet<String> = ours.union(&to).cloned().collect();
        for (kept, word) in &words {
            self.stands_instead(&kept.id, id)?;
            self.send(word, &kept.body, kept.from.as_deref(), &all)?;
            if !all.is_empty() {
                self.note_sent(&self.by(), "recall-passed-on", word, &all)?;
            }
        }
        self.send(recall, body, Some(from), &to)?;
        if !to.is_empty() {
            self.note_sent(&self.by(), "recall-passed-on", recall, &to)?;
        }
        if words.is_empty() {
            let keep = !found.meant.iter().any(|(_, effect)| *effect == Effect::Erase);
            self.say_ourselves(id, recall, &ours, keep)?;
        }
        Ok(())
    }

    /// Says in our own words what somebody else said of an object that we brought to these. Who may not go on seeing a narrowed
    /// one has to give it up. `keep`: we keep it ourselves.
    fn say_ourselves(&self, root: &str, recall: &Recall, to: &BTreeSet<String>, keep: bool) -> ledger::Result<()> {
        let (mut same, mut less) = (BTreeSet::new(), BTreeSet::new());
        for organisation in to {
            let may = recall.act != Act::Narrow || (keep && self.may_keep(recall, organisation)?);
            if may {
                same.insert(organisation.clone())
            } else {
                less.insert(organisation.clone())
            };
        }
        let untag = Recall { act: Act::Untag, tlp: None, handling: None, ..recall.clone() };
        for (recall, to) in [(recall, same), (&untag, less)] {
            if !to.is_empty() {
                // Dated as what it stands for: it means the same versions, and said again it is the same statement.
                let body = recall.sign(self.keys);
                let id = signed::read(&body).map(|statement| statement.id.clone()).unwrap_or_default();
                self.stands_instead(&id, root)?;
                self.send(recall, &body, None, &to)?;
                self.note_sent(&self.by(), "recall-made", recall, &to)?;
            }
        }
        Ok(())
    }

    /// Whether an organisation may go on seeing what is here of an object, narrowed.
    fn may_keep(&self, recall: &Recall, organisation: &str) -> ledger::Result<bool> {
        let Some(viewer) = self.viewer(organisation)? else { return Ok(false) };
        let limits = recall.handling.clone().map(serde_json::from_value::<Handling>).transpose();
        let Ok(limits) = limits else { return Ok(false) };
        let limits = limits.unwrap_or_default();
        let mut copies = self.copies(&recall.object)?;
        copies.retain(|copy| judge::means(recall, copy.version.as_deref()));
        Ok(!copies.is_empty()
            && copies.iter().all(|copy| {
                let mut class = self.narrowed(&copy.class, recall.tlp.as_deref(), &limits);
                // An end or a beginning is kept there as well as here.
                (class.handling.embargo, class.handling.expires) = (None, None);
                self.decision(&viewer, &class).outcome != policy::Outcome::Withhold
            }))
    }

    /// A partner refused a recall that we passed on: it may not know its signer. What it has from us it gives up on our own
    /// word. Whether there was anything to say.
    pub(super) fn say_instead(&self, recall: &str, organisation: &str) -> ledger::Result<bool> {
        // What was our own word stays refused.
        if self.book.recall(recall)?.is_none_or(|kept| kept.from.is_none()) {
            return Ok(false);
        }
        let root = self.stands_behind(recall)?.unwrap_or_else(|| recall.to_owned());
        let Some(kept) = self.book.recall(&root)? else { return Ok(false) };
        let said = signed::read(&kept.body).ok().and_then(|statement| Recall::read(&statement).ok());
        let Some(said) = said else { return Ok(false) };
        self.say_ourselves(&root, &said, &BTreeSet::from([organisation.to_owned()]), true)?;
        Ok(true)
    }

    /// Keeps a recall by somebody who is not known here, if it speaks of what its bringer brought here: those to whom we handed
    /// that on may know him. Nothing obeys it here before its signer's card is pinned; what its bringer says itself counts.
    fn keep_unproven(&self, statement: &Unverified, body: &[u8], from: &str) -> ledger::Result<()> {
        let Ok(recall) = Recall::read(statement) else { return Ok(()) };
        if self.book.recall(&statement.id)?.is_some() || self.unproven(&recall.object, from)?.len() >= MOST_UNPROVEN {
            return Ok(());
        }
        let carded = |organisation: &str| self.is_carded(organisation);
        let brought = |copy: &Copy| judge::obeys(from, &copy.class, &carded);
        if self.copies(&recall.object)?.iter().any(brought)
            || !recipients::of_erased(self.book, &recall.object)?.is_empty()
        {
            self.send(&recall, body, Some(from), &BTreeSet::new())?;
        }
        Ok(())
    }

    /// The recalls of an object that a partner brought and that were not obeyed, as their signers were not known.
    fn unproven(&self, object: &str, from: &str) -> ledger::Result<Vec<(Kept, Recall)>> {
        let mut found = Vec::new();
        for kept in self.book.recalls_of(object)? {
            let brought = kept.from.as_deref().is_some_and(|bringer| judge::same(bringer, from));
            if !brought || self.told(&kept.id)?.is_some() {
                continue;
            }
            let Ok(statement) = signed::read(&kept.body) else { continue };
            if matches!(statement.verify(self.ring, self.now), Err(signed::Error::Key(_)))
                && let Ok(recall) = Recall::read(&statement)
            {
                found.push((kept, recall));
            }
        }
        Ok(found)
    }

    /// Takes in what was kept of the same object until its signer was known, if by now he is.
    fn proven_since(&self, statement: &Unverified, from: &str) -> ledger::Result<()> {
        let Some(object) = statement.object.get("object_ref").and_then(serde_json::Value::as_str) else {
            return Ok(());
        };
        for kept in self.book.recalls_of(object)? {
            let Some(bringer) = kept.from.as_deref().filter(|_| kept.id != statement.id) else { continue };
            if !judge::same(bringer, from) || self.told(&kept.id)?.is_some() {
                continue;
            }
            if let Ok(earlier) = signed::read(&kept.body)
                && let Ok(signer) = earlier.verify(self.ring, self.now)
            {
                self.take_recall(&earlier, &kept.body, signer.organisation, bringer)?;
            }
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
