//! The influence of one partner, over all its links and posts, held within what was agreed with it: [`super::quota`], kept in
//! the register.
//!
//! A page or a request may overdraw what is left, since nobody knows before how large it is; nothing is taken then until it
//! has filled up again. So nothing is lost: what does not fit comes later.

use super::Terms;
use super::quota::{self, Limits, Quota};
use ledger::{Micros, Partner, Register};

/// What a partner may still bring.
#[derive(Debug)]
pub struct Influence {
    note: String,
    quota: Quota,
}

impl Influence {
    /// What was agreed with a partner, less what it has brought.
    ///
    /// # Errors
    /// Those of the register.
    pub fn of(register: &dyn Register, partner: &Partner, now: Micros) -> ledger::Result<Self> {
        let terms = Terms::read(&partner.terms);
        let limits = Limits {
            objects_per_hour: terms.max_objects_per_hour,
            bytes_per_day: terms.max_bytes_per_day,
            ..Limits::default()
        };
        let note = quota::note(&partner.organisation);
        let state = quota::State::read(register.note(&note)?.as_deref(), now);
        Ok(Self { note, quota: Quota::new(limits, state) })
    }

    /// Whether anything is taken from it at all: asked before a page is fetched or a body is read.
    ///
    /// # Errors
    /// Why not.
    pub fn open(&self, now: Micros) -> Result<(), quota::Refusal> {
        self.quota.open(now)
    }

    /// How many objects may come now.
    #[must_use]
    pub fn left(&self, now: Micros) -> u64 {
        self.quota.left(now)
    }

    /// Takes what came out of what is left: the size of each object, and how many of them were refused. `Some`: that was one
    /// refusal too many, and nothing more is taken from it until then.
    ///
    /// # Errors
    /// Those of the register.
    pub fn spend(
        &mut self,
        register: &dyn Register,
        sizes: impl Iterator<Item = u64>,
        refused: u64,
        now: Micros,
    ) -> ledger::Result<Option<Micros>> {
        let mut objects = 0_u64;
        for size in sizes {
            objects += 1;
            // What does not fit any more has come all the same: what is left is used up.
            let _ = self.quota.take(size, now);
        }
        let mut pauses = None;
        for no in 0..objects {
            pauses = pauses.max(self.quota.judged(no < refused, now));
        }
        register.set_note(&self.note, Some(&self.quota.state().write()))?;
        Ok(pauses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::PartnerKind;
    use ledger::sqlite::Book;

    const HOUR: Micros = 3_600_000_000;

    #[test]
    fn what_came_is_kept_and_counts_over_all_ways() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::create(&directory.path().join("marsad.db")).unwrap();
        let terms = Terms { max_objects_per_hour: Some(10), ..Terms::default() };
        let north = Partner { organisation: "North".into(), kind: PartnerKind::Node, terms: terms.write(), added: 0 };
        let now = 100 * HOUR;
        let mut influence = Influence::of(&book, &north, now).unwrap();
        assert_eq!((influence.left(now), influence.open(now)), (10, Ok(())));
        assert_eq!(influence.spend(&book, std::iter::repeat_n(100, 25), 0, now).unwrap(), None, "one page too much");
        let again = Influence::of(&book, &north, now).unwrap();
        assert_eq!(again.left(now), 0);
        let refusal = again.open(now).unwrap_err();
        assert!(refusal.until().is_some_and(|until| until > now), "{refusal}");
        assert!(Influence::of(&book, &north, now + 2 * HOUR).unwrap().open(now + 2 * HOUR).is_ok());
        let south = Partner { organisation: "South".into(), ..north };
        assert_eq!(Influence::of(&book, &south, now).unwrap().left(now), 10, "partners do not share one");
    }

    #[test]
    fn whoever_brings_rubbish_pauses() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::create(&directory.path().join("marsad.db")).unwrap();
        let terms = Terms::default().write();
        let north = Partner { organisation: "North".into(), kind: PartnerKind::Node, terms, added: 0 };
        let now = 100 * HOUR;
        let mut influence = Influence::of(&book, &north, now).unwrap();
        let pauses = influence.spend(&book, std::iter::repeat_n(100, 1_000), 1_000, now).unwrap();
        assert!(pauses.is_some_and(|until| until > now));
        assert!(Influence::of(&book, &north, now).unwrap().open(now).is_err());
    }
}
