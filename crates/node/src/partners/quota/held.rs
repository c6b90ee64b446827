//! A partner's quota, as it is kept in the register for all of its links and for what it posts.

use super::{Limits, Quota, State, note};
use crate::partners::Terms;
use ledger::{Micros, Note, Partners};

/// The quota of one partner.
#[derive(Clone, Debug)]
pub struct Held {
    note: String,
    limits: Limits,
    quota: Quota,
}

impl Held {
    /// As it is kept; an organisation with which nothing was agreed brings what it likes.
    ///
    /// # Errors
    /// Those of the register.
    pub fn load(partners: &dyn Partners, organisation: &str, now: Micros) -> ledger::Result<Self> {
        let terms = partners.partner(organisation)?.map(|partner| Terms::read(&partner.terms));
        let (limits, note) = (Limits::of(&terms.unwrap_or_default()), note(organisation));
        let state = State::read(partners.note(&note)?.as_deref(), now);
        Ok(Self { note, quota: Quota::new(limits.clone(), state), limits })
    }

    /// What may come.
    #[must_use]
    pub fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Takes out what was brought, objects and bytes, notes of how many objects it was refused, and keeps that. `Some`: the
    /// partner pauses until then.
    ///
    /// # Errors
    /// Those of the register.
    pub fn brought(
        &mut self,
        partners: &dyn Partners,
        (objects, bytes): (u64, u64),
        refused: u64,
        now: Micros,
    ) -> ledger::Result<Option<Micros>> {
        let (pause, note) = self.brings(partners, (objects, bytes), refused, now)?;
        let notes: Vec<_> = note.into_iter().collect();
        partners.set_notes(&notes)?;
        Ok(pause)
    }

    /// The same, but that what is left is still to be kept, in a note.
    ///
    /// # Errors
    /// Those of the register.
    pub fn brings(
        &mut self,
        partners: &dyn Partners,
        (objects, bytes): (u64, u64),
        refused: u64,
        now: Micros,
    ) -> ledger::Result<(Option<Micros>, Option<Note>)> {
        // Another link of the same partner may have brought something meanwhile.
        let kept = partners.note(&self.note)?;
        let mut quota = Quota::new(self.limits.clone(), State::read(kept.as_deref(), now));
        quota.took(objects, bytes, now);
        let mut pause = None;
        // What was good counts first: the order on a page says nothing.
        for no in 0..objects.max(refused) {
            let bad = no >= objects.saturating_sub(refused);
            pause = pause.or(quota.judged(bad, now));
        }
        let text = quota.state().write();
        self.quota = quota;
        let changed = kept.as_deref() != Some(&*text);
        Ok((pause, changed.then(|| (self.note.clone(), text))))
    }
}
