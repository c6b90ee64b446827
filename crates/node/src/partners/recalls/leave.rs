//! Taking back what an organisation was given by a sharing group that it has left.

use super::copies::{Copy, Place};
use super::{Desk, Made, judge};
use crate::audit::{self, By};
use crate::upkeep::{each_class, keys_of};
use partner::recall::{Act, Recall};
use partner::signed;
use policy::{Micros, Outcome};
use std::collections::BTreeSet;

impl Desk<'_> {
    /// Takes back from an organisation what is confined to a group, was handed to it, and is not to be seen by it any more.
    /// What was taken back already is passed over.
    ///
    /// # Errors
    /// Those of the ledger. What was recalled until then is recalled.
    pub fn left(&self, group: &str, organisation: &str, by: &By) -> ledger::Result<Made> {
        let mut made = Made::default();
        let Some(viewer) = self.viewer(organisation)? else { return Ok(made) };
        let mut numbers = BTreeSet::new();
        each_class(self.book, &mut |number, class| {
            if self.is_within(&class, group) && self.decision(&viewer, &class).outcome == Outcome::Withhold {
                numbers.insert(number);
            }
            Ok(())
        })?;
        if numbers.is_empty() {
            return Ok(made);
        }
        for object in keys_of(self.book, &numbers)? {
            let ours = self.copies(&object)?.into_iter().filter(|copy| self.ours(copy));
            let (gone, left): (Vec<Copy>, Vec<Copy>) = ours.partition(|copy| numbers.contains(&copy.number));
            if let Some(since) = self.handed_to(&gone, organisation)?
                && !self.is_taken_back(&object, organisation, since)?
            {
                let one = self.take_back(&object, &gone, left.is_empty(), organisation, by)?;
                made.recalls.extend(one.recalls);
                made.told.extend(one.told);
            }
        }
        Ok(made)
    }

    /// When copies were handed to an organisation last.
    fn handed_to(&self, copies: &[Copy], organisation: &str) -> ledger::Result<Option<Micros>> {
        if !self.recipients(copies)?.organisations.iter().any(|name| judge::same(name, organisation)) {
            return Ok(None);
        }
        let places: Vec<Place> = copies.iter().map(|copy| copy.place).collect();
        let handed = audit::handed_over(self.journal, &places)?.into_iter();
        let to = handed.filter(|one| one.organisation.as_deref().is_some_and(|name| judge::same(name, organisation)));
        // Of what the audit log has erased since, no time is known.
        Ok(Some(to.map(|one| one.when).max().unwrap_or(Micros::MIN)))
    }

    /// Whether an object was taken back from an organisation since then.
    fn is_taken_back(&self, object: &str, organisation: &str, since: Micros) -> ledger::Result<bool> {
        for kept in self.book.recalls_of(object)?.into_iter().filter(|kept| kept.from.is_none() && kept.at > since) {
            let recall = signed::read(&kept.body).ok().and_then(|statement| Recall::read(&statement).ok());
            let takes = recall.is_some_and(|recall| matches!(recall.act, Act::Untag | Act::Delete));
            if takes && self.book.deliveries(&kept.id)?.iter().any(|one| judge::same(&one.organisation, organisation)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
