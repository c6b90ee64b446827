//! The decision.

use crate::{Class, Relation, Tlp, Viewer};

/// What a marking definition says, as far as this node can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// One of the predefined TLP markings, of either generation.
    Tlp(Tlp),
    /// Words for people (copyright, terms of use): limits what may be done, not who may see (STIX 2.1 §7.2.1.3).
    Statement,
    /// Not known here, or of a kind that is not understood.
    Unknown,
}

/// Looks marking definitions up.
pub trait Markings {
    /// What the definition with this id says. The predefined TLP ids need not be known: [`decide`] knows them.
    fn meaning(&self, id: &str) -> Meaning;
}

impl<F: Fn(&str) -> Meaning> Markings for F {
    fn meaning(&self, id: &str) -> Meaning {
        self(id)
    }
}

/// The node's own settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// What a record without a TLP marking is treated as; missing is not CLEAR.
    pub default_marking: Tlp,
}

impl Default for Rules {
    fn default() -> Self {
        Self { default_marking: Tlp::Amber }
    }
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Hand it on as it is.
    Release,
    /// Hand it on without the selected parts.
    Redact(Vec<String>),
    /// Not at all, and without a word that it exists.
    Withhold,
}

/// A rule that took part, by a name that stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// The marking lets this viewer have it.
    MarkingReleases,
    /// The marking keeps it from this viewer.
    MarkingWithholds,
    /// TLP:RED, and the viewer is addressed.
    RecipientNamed,
    /// TLP:RED, and the viewer is not addressed.
    RecipientNotNamed,
    /// No TLP marking: the default applies.
    DefaultMarking,
    /// A marking whose meaning is not known here.
    UnknownMarking,
    /// A statement: no limit on who may see.
    Statement,
    /// A part of the record is marked so that this viewer may not have it.
    PartWithheld,
}

impl Code {
    /// The name, for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MarkingReleases => "marking-releases",
            Self::MarkingWithholds => "marking-withholds",
            Self::RecipientNamed => "recipient-named",
            Self::RecipientNotNamed => "recipient-not-named",
            Self::DefaultMarking => "default-marking",
            Self::UnknownMarking => "unknown-marking",
            Self::Statement => "statement",
            Self::PartWithheld => "part-withheld",
        }
    }
}

/// Why: a rule, and the marking on which it rests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The rule.
    pub code: Code,
    /// The marking definition, where one took part.
    pub marking: Option<String>,
    /// In plain words.
    pub message: String,
}

/// What to do, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// What to do.
    pub outcome: Outcome,
    /// Every rule that took part, in the order in which it did.
    pub reasons: Vec<Reason>,
}

/// Decides whether the viewer may have records of the class. Total: withholding beats releasing, what is not
/// understood withholds.
#[must_use]
pub fn decide(viewer: &Viewer, class: &Class, rules: &Rules, markings: &dyn Markings) -> Decision {
    let mut case = Case { viewer, class, markings, reasons: Vec::new() };
    let mut released = case.whole(&class.markings, rules);
    for id in &class.granular {
        if !case.part(id) {
            released = false;
        }
    }
    let outcome = if released { Outcome::Release } else { Outcome::Withhold };
    Decision { outcome, reasons: case.reasons }
}

struct Case<'a> {
    viewer: &'a Viewer,
    class: &'a Class,
    markings: &'a dyn Markings,
    reasons: Vec<Reason>,
}

impl Case<'_> {
    /// Judges the markings of the whole record. Each must let the viewer have it, so a further marking never widens.
    fn whole(&mut self, ids: &[String], rules: &Rules) -> bool {
        let (mut released, mut levels) = (true, 0);
        for id in ids {
            match self.meaning(id) {
                Meaning::Tlp(tlp) => {
                    levels += 1;
                    released &= self.tlp(tlp, Some(id));
                }
                Meaning::Statement => {
                    self.say(Code::Statement, Some(id), "a statement limits what may be done, not who may see".into());
                }
                Meaning::Unknown => {
                    released = false;
                    self.say(Code::UnknownMarking, Some(id), "what this marking means is not known here".into());
                }
            }
        }
        if levels == 0 {
            let tlp = rules.default_marking;
            self.say(Code::DefaultMarking, None, format!("no TLP marking: treated as {}", label(tlp)));
            released &= self.tlp(tlp, None);
        }
        released
    }

    /// Judges a marking of a part: what keeps a part from the viewer keeps the whole record.
    fn part(&mut self, id: &String) -> bool {
        let released = match self.meaning(id) {
            Meaning::Tlp(tlp) => self.releases(tlp),
            Meaning::Statement => true,
            Meaning::Unknown => false,
        };
        if !released {
            self.say(Code::PartWithheld, Some(id), "a part of it is marked so that this viewer may not have it".into());
        }
        released
    }

    fn meaning(&self, id: &str) -> Meaning {
        stix::marking::tlp_of(id).map_or_else(|| self.markings.meaning(id), Meaning::Tlp)
    }

    fn tlp(&mut self, tlp: Tlp, id: Option<&String>) -> bool {
        let released = self.releases(tlp);
        let (code, word) = match (tlp, released) {
            (Tlp::Red, true) => (Code::RecipientNamed, "the viewer is one of the recipients"),
            (Tlp::Red, false) => (Code::RecipientNotNamed, "the viewer is none of the recipients"),
            (_, true) => (Code::MarkingReleases, "it goes to viewers of this relation"),
            (_, false) => (Code::MarkingWithholds, "it does not go to viewers of this relation"),
        };
        self.say(code, id, format!("{}: {word} ({})", label(tlp), relation(self.viewer.relation)));
        released
    }

    /// What a TLP level means to the viewer where nothing else is said (FIRST TLP 2.0 §2).
    fn releases(&self, tlp: Tlp) -> bool {
        match tlp {
            Tlp::Clear => true,
            Tlp::Green => self.viewer.relation != Relation::Public,
            Tlp::Amber => matches!(self.viewer.relation, Relation::Own | Relation::Client),
            Tlp::AmberStrict => self.viewer.relation == Relation::Own,
            Tlp::Red => self.viewer.is_named(&self.class.recipients),
        }
    }

    fn say(&mut self, code: Code, marking: Option<&String>, message: String) {
        self.reasons.push(Reason { code, marking: marking.cloned(), message });
    }
}

/// The label as FIRST writes it (TLP 2.0 §1): never translated, never with a space.
fn label(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "TLP:CLEAR",
        Tlp::Green => "TLP:GREEN",
        Tlp::Amber => "TLP:AMBER",
        Tlp::AmberStrict => "TLP:AMBER+STRICT",
        Tlp::Red => "TLP:RED",
    }
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Own => "own organisation",
        Relation::Client => "client",
        Relation::Community => "community",
        Relation::Public => "public",
    }
}
