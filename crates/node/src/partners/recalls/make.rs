//! Making recalls of what is our own organisation's.

use super::copies::{Copy, Place};
use super::{Desk, judge, recipients};
use crate::audit::By;
use crate::narrow::Narrowing;
use partner::recall::{Act, MOST_VERSIONS, Recall};
use partner::signed;
use policy::{Audience, Class, Decision, Outcome, Tlp, Viewer};
use std::collections::BTreeSet;
use stix::timestamp::format_micros;

/// What was made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Made {
    /// The ids of the recalls; none: it was handed to nobody, or is not ours to recall.
    pub recalls: Vec<String>,
    /// Who is told.
    pub told: BTreeSet<String>,
    /// Whether somebody got it of whom nobody knows who it was.
    pub unknown: bool,
}

impl Made {
    fn add(&mut self, recall: String, to: BTreeSet<String>) {
        self.recalls.push(recall);
        self.told.extend(to);
    }
}

impl Desk<'_> {
    /// Recalls what is about to be erased: of these places, the versions that lie nowhere else. Of what is others' to recall
    /// it is kept to whom it was handed.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn erasing(&self, object: &str, places: &[Place], by: &By) -> ledger::Result<Made> {
        let (gone, left): (Vec<Copy>, Vec<Copy>) =
            self.copies(object)?.into_iter().partition(|copy| places.contains(&copy.place));
        let (ours, others): (Vec<Copy>, Vec<Copy>) = gone.into_iter().partition(|copy| self.ours(copy));
        if !others.is_empty() {
            let handed = self.recipients(&others)?;
            recipients::keep_of_erased(self.book, object, &handed.organisations)?;
        }
        let stays = |copy: &Copy| left.iter().any(|other| other.version == copy.version && self.ours(other));
        let ours: Vec<Copy> = ours.into_iter().filter(|copy| !stays(copy)).collect();
        let whole = !left.iter().any(|copy| self.ours(copy));
        self.recall(object, &ours, whole, by)
    }

    /// Recalls an object that is not here any more, whoever may have got it: for the operator, who read the whole book for
    /// where it lay.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn erased_before(&self, object: &str, places: &[Place], by: &By) -> ledger::Result<Made> {
        let handed = recipients::handed(self.journal, self.book, places)?;
        let mut to = handed.organisations;
        to.retain(|organisation| !self.is_own(organisation));
        let mut made = Made { unknown: handed.unknown, ..Made::default() };
        if !to.is_empty() {
            let recall = Recall {
                object: object.to_owned(),
                versions: None,
                act: Act::Delete,
                tlp: None,
                handling: None,
                at: format_micros(self.now),
            };
            made.add(self.make(&recall, &to, by)?, to);
        }
        Ok(made)
    }

    /// Tells everybody who was given an object that its author has revoked it.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn revoked(&self, object: &str, by: &By) -> ledger::Result<Made> {
        let ours: Vec<Copy> = self.copies(object)?.into_iter().filter(|copy| self.ours(copy)).collect();
        if !ours.iter().any(|copy| copy.revoked) {
            return Ok(Made::default());
        }
        let handed = self.recipients(&ours)?;
        let (mut to, mut made) = (handed.organisations, Made { unknown: handed.unknown, ..Made::default() });
        // Nobody is told twice.
        for kept in self.book.recalls_of(object)?.into_iter().filter(|kept| kept.from.is_none()) {
            let recall = signed::read(&kept.body).ok().and_then(|statement| Recall::read(&statement).ok());
            if recall.is_some_and(|recall| recall.act == Act::Revoke) {
                let told = self.book.deliveries(&kept.id)?;
                to.retain(|name| !told.iter().any(|one| judge::same(&one.organisation, name)));
            }
        }
        if let Some(recall) = self.word(object, &ours, true, Act::Revoke)
            && !to.is_empty()
        {
            made.add(self.make(&recall, &to, by)?, to);
        }
        Ok(made)
    }

    /// Recalls what is about to be narrowed: who may go on seeing it is told to narrow it as well, who may not has to give
    /// it up.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn narrowing(
        &self,
        object: &str,
        narrowing: &Narrowing,
        of: &dyn Fn(&Class) -> bool,
        by: &By,
    ) -> ledger::Result<Made> {
        let narrowed = |class: &Class| {
            let marking = narrowing.tlp.map(Tlp::id);
            Class { open: false, ..class.clone() }.narrowed(marking, &narrowing.recipients, &narrowing.handling)
        };
        let all = self.copies(object)?;
        let changes =
            |copy: &Copy| of(&copy.class) && narrowed(&copy.class) != Class { open: false, ..copy.class.clone() };
        let (changed, left): (Vec<Copy>, Vec<Copy>) =
            all.into_iter().filter(|copy| self.ours(copy)).partition(|copy| changes(copy));
        let handed = self.recipients(&changed)?;
        let mut made = Made { unknown: handed.unknown, ..Made::default() };
        let whole = left.is_empty();
        // An end or a beginning that is told is kept there as well as here: nobody has to give anything up for that.
        let lasting = |class: &Class| {
            let mut class = narrowed(class);
            (class.handling.embargo, class.handling.expires) = (None, None);
            class
        };
        let (mut may, mut named, mut may_not) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for organisation in handed.organisations {
            let sees = self.viewer(&organisation)?.is_some_and(|viewer| {
                changed.iter().all(|copy| self.decision(&viewer, &lasting(&copy.class)).outcome != Outcome::Withhold)
            });
            match sees {
                true if narrowing.tlp == Some(Tlp::Red) => named.insert(organisation),
                true => may.insert(organisation),
                false => may_not.insert(organisation),
            };
        }
        let handling =
            (!narrowing.handling.is_none()).then(|| serde_json::to_value(&narrowing.handling).unwrap_or_default());
        let marking = |tlp: Option<Tlp>| tlp.map(|tlp| tlp.id().to_owned());
        // Whom RED names is a matter of each node. Those who are named here may not hand it further.
        for (to, tlp) in [(may, narrowing.tlp), (named, Some(Tlp::AmberStrict))] {
            if let Some(recall) = self.word(object, &changed, whole, Act::Narrow)
                && !to.is_empty()
            {
                let recall = Recall { tlp: marking(tlp), handling: handling.clone(), ..recall };
                made.add(self.make(&recall, &to, by)?, to);
            }
        }
        if let Some(recall) = self.word(object, &changed, whole, Act::Untag)
            && !may_not.is_empty()
        {
            made.add(self.make(&recall, &may_not, by)?, may_not);
        }
        Ok(made)
    }

    /// Takes versions of an object back from one organisation.
    pub(super) fn take_back(
        &self,
        object: &str,
        copies: &[Copy],
        whole: bool,
        from: &str,
        by: &By,
    ) -> ledger::Result<Made> {
        let mut made = Made::default();
        let to = BTreeSet::from([from.to_owned()]);
        if let Some(recall) = self.word(object, copies, whole, Act::Untag) {
            made.add(self.make(&recall, &to, by)?, to);
        }
        Ok(made)
    }

    fn recall(&self, object: &str, copies: &[Copy], whole: bool, by: &By) -> ledger::Result<Made> {
        let handed = self.recipients(copies)?;
        let mut made = Made { unknown: handed.unknown, ..Made::default() };
        if let Some(recall) = self.word(object, copies, whole, Act::Delete)
            && !handed.organisations.is_empty()
        {
            made.add(self.make(&recall, &handed.organisations, by)?, handed.organisations);
        }
        Ok(made)
    }

    /// To whom copies were handed, our own organisation left out.
    pub(super) fn recipients(&self, copies: &[Copy]) -> ledger::Result<recipients::Recipients> {
        let places: Vec<Place> = copies.iter().map(|copy| copy.place).collect();
        if places.is_empty() {
            return Ok(recipients::Recipients::default());
        }
        let mut handed = recipients::handed(self.journal, self.book, &places)?;
        handed.organisations.retain(|organisation| !self.is_own(organisation));
        Ok(handed)
    }

    /// What is said of these versions. `whole`: there are no others. `None`: of these nothing can be said without taking
    /// others along.
    fn word(&self, object: &str, copies: &[Copy], whole: bool, act: Act) -> Option<Recall> {
        let newest = copies.iter().filter_map(Copy::at).max();
        // A version that is dated ahead of the recall would not be meant by it.
        let all = whole && newest.is_none_or(|newest| newest <= self.now);
        let named: BTreeSet<String> = copies.iter().filter_map(|copy| copy.version.clone()).collect();
        let versions = match all {
            true => None,
            false if named.is_empty() => return None,
            false => Some(named.into_iter().take(MOST_VERSIONS).collect()),
        };
        if copies.is_empty() {
            return None;
        }
        let at = format_micros(self.now);
        Some(Recall { object: object.to_owned(), versions, act, tlp: None, handling: None, at })
    }

    /// Signs and sends.
    pub(super) fn make(&self, recall: &Recall, to: &BTreeSet<String>, by: &By) -> ledger::Result<String> {
        let body = recall.sign(self.keys);
        let id = self.send(recall, &body, None, to)?;
        self.note_sent(by, "recall-made", recall, to)?;
        Ok(id)
    }

    /// Any member of an organisation.
    pub(super) fn viewer(&self, organisation: &str) -> ledger::Result<Option<Viewer>> {
        let known = self.book.organisations()?;
        Ok(known.iter().find(|known| judge::same(&known.name, organisation)).map(crate::why::member_of))
    }

    pub(super) fn decision(&self, viewer: &Viewer, class: &Class) -> Decision {
        policy::decide(viewer, class, self.now, self.door.rules(), self.door)
    }

    /// Whether a class is confined to a sharing group, by a limit or by a marking.
    pub(super) fn is_within(&self, class: &Class, group: &str) -> bool {
        use policy::{Facts as _, Meaning};
        let is = |circle: &Audience| matches!(circle, Audience::Group(id) if id == group);
        let of_markings = || {
            class.markings.iter().chain(&class.granular).chain(&class.binding).any(|id| {
                let meaning = self.door.meaning(id, &class.owner);
                matches!(meaning, Meaning::Handling(_, limit) if limit.audience.iter().any(is))
            })
        };
        class.handling.audience.iter().any(is) || of_markings()
    }
}
