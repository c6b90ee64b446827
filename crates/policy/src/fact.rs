//! What the policy must be told of the world: what markings mean, who is in which group, what an organisation may get.

use crate::{Handling, Micros, Tlp, Treatment, Viewer};

/// What a marking definition says, as far as this node can tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// A TLP level, of either generation.
    Tlp(Tlp),
    /// Words for people (copyright, terms of use): limits what may be done, not who may see (STIX 2.1 §7.2.1.3).
    Statement,
    /// What may be done with it (PAP): limits actions, not who may see.
    Pap(Pap),
    /// A limit beside TLP: a circle of viewers, an embargo, an end. With a level where the definition names one (IEP 2.0).
    Handling(Option<Tlp>, Handling),
    /// Not known here, or of a kind that is not understood.
    Unknown,
}

/// What a recipient may do with a record (PAP, MISP taxonomy v3), the freest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Pap {
    /// Anything.
    Clear,
    /// Active actions.
    Green,
    /// Passive checks at third parties.
    Amber,
    /// Nothing that could be noticed.
    Red,
}

/// A sharing group: organisations, with an owner and a window in time. Groups do not hold groups.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Group {
    /// Its UUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// The organisation that runs it; always a member.
    pub owner: String,
    /// The other organisations in it.
    pub members: Vec<String>,
    /// It is open from then on.
    pub from: Option<Micros>,
    /// It is closed from then on.
    pub until: Option<Micros>,
    /// Whether only its owner is told who is in it.
    pub hidden: bool,
    /// The members that came later and are not given what was shared before: they see by the group what was added from
    /// then on.
    pub since: Vec<(String, Micros)>,
}

impl Group {
    /// Whether an organisation is in it, whatever the time.
    #[must_use]
    pub fn holds(&self, organisation: &str) -> bool {
        let organisation = organisation.to_lowercase();
        let is = |name: &String| !name.is_empty() && name.to_lowercase() == organisation;
        is(&self.owner) || self.members.iter().any(is)
    }

    /// From when on what is added goes to a member; `None`: everything does. The owner is never a newcomer.
    #[must_use]
    pub fn since(&self, organisation: &str) -> Option<Micros> {
        let organisation = organisation.to_lowercase();
        let newcomer = self.owner.to_lowercase() != organisation;
        let of = self.since.iter().filter(|(member, _)| newcomer && member.to_lowercase() == organisation);
        of.map(|(_, since)| *since).max()
    }

    /// Whether it is open at an instant.
    #[must_use]
    pub fn is_open(&self, at: Micros) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// Answers what a decision rests on. What cannot be answered is `None` or [`Meaning::Unknown`], and withholds.
pub trait Facts {
    /// What the marking definition with this id says of records that `owner` brought in: not what just anybody says that
    /// it says. The predefined TLP ids need not be known: [`crate::decide`] knows them.
    fn meaning(&self, id: &str, owner: &str) -> Meaning;

    /// The sharing group of this UUID.
    fn group(&self, id: &str) -> Option<Group>;

    /// The strictest level that an organisation is ever given, whatever else allows it; `None`: no ceiling.
    fn ceiling(&self, organisation: &str) -> Option<Tlp>;

    /// What this viewer gets of a kind of personal data.
    fn treatment(&self, viewer: &Viewer, kind: &str) -> Treatment;
}

/// Facts of a world without groups, ceilings and rules about personal data.
impl<F: Fn(&str) -> Meaning> Facts for F {
    fn meaning(&self, id: &str, _: &str) -> Meaning {
        self(id)
    }

    fn group(&self, _: &str) -> Option<Group> {
        None
    }

    fn ceiling(&self, _: &str) -> Option<Tlp> {
        None
    }

    fn treatment(&self, _: &Viewer, _: &str) -> Treatment {
        Treatment::Give
    }
}
