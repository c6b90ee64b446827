//! The decision.

use crate::{
    Audience, Author, Class, Code, Facts, Group, Handling, Meaning, Micros, Reason, Relation, Tlp, Treatment, Viewer,
};
use std::cell::RefCell;

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

/// What is taken out of a record before its viewer gets it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cuts {
    /// What these granular markings select.
    pub markings: Vec<String>,
    /// The kinds of personal data that are masked.
    pub masked: Vec<String>,
}

impl Cuts {
    /// Whether nothing is taken out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.markings.is_empty() && self.masked.is_empty()
    }
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Hand it on as it is.
    Release,
    /// Hand it on without the selected parts.
    Redact(Cuts),
    /// Not at all, and without a word that it exists.
    Withhold,
}

impl Outcome {
    /// The name, for machines.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Redact(_) => "redact",
            Self::Withhold => "withhold",
        }
    }
}

/// What to do, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// What to do.
    pub outcome: Outcome,
    /// Every rule that took part, in the order in which it did.
    pub reasons: Vec<Reason>,
    /// Where the decision turns on when a record was added: of one that was added before such an instant the viewer may have
    /// the same or less than of one that was added from it on. Sorted; mostly there is none.
    pub turns: Vec<Micros>,
}

/// Decides whether the viewer may have records of the class at an instant. Total: withholding beats releasing, what is
/// not understood withholds. Of an [open](Class::open) class it says what holds for all its records; the references of
/// each are judged beside it. Where [`Decision::turns`] is not empty, it speaks of what is added now.
#[must_use]
pub fn decide(viewer: &Viewer, class: &Class, at: Micros, rules: &Rules, facts: &dyn Facts) -> Decision {
    decide_of(viewer, class, Micros::MAX, at, rules, facts)
}

/// The same of records that were added at an instant. A decision is the same for all that were added between two of its
/// [turns](Decision::turns).
#[must_use]
pub fn decide_of(
    viewer: &Viewer,
    class: &Class,
    added: Micros,
    at: Micros,
    rules: &Rules,
    facts: &dyn Facts,
) -> Decision {
    let originator = viewer.organisation.as_deref().is_some_and(|organisation| class.originated_by(organisation));
    let turns = RefCell::default();
    let mut case = Case { viewer, class, added, at, rules, facts, originator, turns: &turns, reasons: Vec::new() };
    // Every rule is asked, so that the reasons are whole.
    let released = [case.whole(), case.bound(), case.persons_fixed()].iter().all(|released| *released);
    let (markings, parts) = (case.parts(), case.persons());
    let outcome = match parts {
        Some(masked) if released => {
            let cuts = Cuts { markings, masked };
            if cuts.is_empty() { Outcome::Release } else { Outcome::Redact(cuts) }
        }
        _ => Outcome::Withhold,
    };
    let reasons = case.reasons;
    let mut turns = turns.into_inner();
    turns.sort_unstable();
    turns.dedup();
    Decision { outcome, reasons, turns }
}

struct Case<'a> {
    viewer: &'a Viewer,
    class: &'a Class,
    /// When the records in question were added.
    added: Micros,
    at: Micros,
    rules: &'a Rules,
    facts: &'a dyn Facts,
    /// Whether the viewer's organisation made the record or brought it in.
    originator: bool,
    /// The instants of addition on which something turned.
    turns: &'a RefCell<Vec<Micros>>,
    reasons: Vec<Reason>,
}

impl Case<'_> {
    /// Judges the markings and limits of the whole record. Each must let the viewer have it, so a further one never widens.
    fn whole(&mut self) -> bool {
        let (mut levels, mut limits) = (Vec::new(), vec![(None, self.class.handling.clone())]);
        let mut released = true;
        for id in &self.class.markings {
            match self.meaning(id) {
                Meaning::Tlp(tlp) => levels.push((tlp, Some(id.as_str()))),
                Meaning::Statement => {
                    self.say(Code::Statement, Some(id), "a statement limits what may be done, not who may see".into());
                }
                Meaning::Pap(_) => {
                    let words = "permissible actions limit what may be done, not who may see";
                    self.say(Code::PermittedActions, Some(id), words.into());
                }
                Meaning::Handling(tlp, limit) => {
                    levels.extend(tlp.map(|tlp| (tlp, Some(id.as_str()))));
                    limits.push((Some(id.as_str()), limit));
                }
                Meaning::Unknown => {
                    released = false;
                    self.say(Code::UnknownMarking, Some(id), "what this marking means is not known here".into());
                }
            }
        }
        let mut grouped = false;
        for (id, limit) in &limits {
            released &= self.limit(limit, *id);
            // Only who made a record may hand it further than its marking says (TLP 2.0 §3): by a marking in it, or as
            // the one who brings it in.
            let may_widen = id.is_some() || self.class.author == Author::Owner;
            grouped |= may_widen && limit.audience.iter().any(|circle| matches!(circle, Audience::Group(_)));
        }
        if levels.is_empty() {
            let tlp = self.rules.default_marking;
            self.say(Code::DefaultMarking, None, format!("no TLP marking: treated as {}", label(tlp)));
            levels.push((tlp, None));
        }
        for (tlp, id) in levels {
            released &= self.level(tlp, id, grouped);
        }
        released
    }

    /// What a TLP level means to the viewer (FIRST TLP 2.0 §2). A group stands in the place of the relation: who is not
    /// in it was kept out by the limit already.
    fn level(&mut self, tlp: Tlp, id: Option<&str>, grouped: bool) -> bool {
        let (code, released, words) = self.judge_level(tlp, grouped);
        self.say(code, id, format!("{}: {words} ({})", label(tlp), relation(self.viewer.relation)));
        released
    }

    fn judge_level(&self, tlp: Tlp, grouped: bool) -> (Code, bool, &'static str) {
        let ceiling = self.viewer.organisation.as_deref().and_then(|name| self.facts.ceiling(name));
        if ceiling.is_some_and(|ceiling| ceiling < tlp) && !self.originator {
            return (Code::AboveCeiling, false, "stricter than what the viewer's organisation is ever given");
        }
        if tlp == Tlp::Red {
            return match self.viewer.is_named(&self.class.recipients) {
                true => (Code::RecipientNamed, true, "the viewer is one of the recipients"),
                false => (Code::RecipientNotNamed, false, "the viewer is none of the recipients"),
            };
        }
        if self.originator {
            return (Code::Originator, true, "the viewer's organisation made it or brought it in");
        }
        let goes = grouped
            || match tlp {
                Tlp::Clear => true,
                Tlp::Green => self.viewer.relation != Relation::Public,
                Tlp::Amber => matches!(self.viewer.relation, Relation::Own | Relation::Client),
                Tlp::AmberStrict | Tlp::Red => self.viewer.relation == Relation::Own,
            };
        match (goes, grouped) {
            (true, true) => (Code::MarkingReleases, true, "it goes to the sharing group"),
            (true, false) => (Code::MarkingReleases, true, "it goes to viewers of this relation"),
            (false, _) => (Code::MarkingWithholds, false, "it does not go to viewers of this relation"),
        }
    }

    /// Judges a limit beside the markings.
    fn limit(&mut self, limit: &Handling, id: Option<&str>) -> bool {
        let mut released = true;
        for circle in &limit.audience {
            released &= self.circle(circle, id);
        }
        if limit.embargo.is_some_and(|until| self.at < until) {
            released &= self.originator;
            self.say(Code::Embargo, id, "it is not released yet, but to its originator".into());
        }
        if limit.expires.is_some_and(|from| from <= self.at) {
            released &= self.originator;
            self.say(Code::Expired, id, "it is no longer released, but to its originator".into());
        }
        released
    }

    fn circle(&mut self, circle: &Audience, id: Option<&str>) -> bool {
        let relation = self.viewer.relation;
        let known = self.viewer.name.is_some();
        let (within, circle) = match circle {
            Audience::Group(group) => return self.group(group),
            Audience::Organisation => (false, "its own organisation"),
            Audience::Community => (known && relation != Relation::Public, "this community"),
            Audience::Connected => (known, "this and connected communities"),
            Audience::All => (true, "everyone"),
        };
        match within || self.originator {
            true => self.say(Code::AudienceReleases, id, format!("confined to {circle}, where the viewer is")),
            false => self.say(Code::AudienceWithholds, id, format!("confined to {circle}, where the viewer is not")),
        }
        within || self.originator
    }

    fn group(&mut self, id: &str) -> bool {
        let group = self.facts.group(id);
        let name = |group: &Group| format!("the sharing group `{}`", group.name);
        let (code, within, words) = match group {
            None => (Code::GroupClosed, false, "the sharing group is not known here".to_owned()),
            Some(group) if !group.is_open(self.at) => {
                (Code::GroupClosed, false, format!("{} is not open", name(&group)))
            }
            Some(group) if self.viewer.organisation.as_deref().is_some_and(|own| group.holds(own)) => {
                match self.viewer.organisation.as_deref().and_then(|own| group.since(own)) {
                    Some(since) if self.came_before(since) => (
                        Code::GroupJoinedLater,
                        false,
                        format!("the viewer's organisation joined {} later", name(&group)),
                    ),
                    _ => (Code::GroupMember, true, format!("the viewer's organisation is in {}", name(&group))),
                }
            }
            Some(group) => {
                (Code::NotGroupMember, false, format!("the viewer's organisation is not in {}", name(&group)))
            }
        };
        self.say(code, Some(id), words);
        if !within && self.originator {
            self.say(Code::Originator, None, "the viewer's organisation made it or brought it in".into());
        }
        within || self.originator
    }

    /// Whether the records were added before an instant, on which something turns. An originator's rights do not.
    fn came_before(&self, since: Micros) -> bool {
        if !self.originator {
            self.turns.borrow_mut().push(since);
        }
        self.added < since
    }

    /// Judges the markings of parts without which the record would not stand: what keeps one of them keeps all.
    fn bound(&mut self) -> bool {
        let mut released = true;
        for id in &self.class.binding {
            if !self.part(id) {
                released = false;
                let words = "a part without which it would not stand is marked so that this viewer may not have it";
                self.say(Code::BindingPartWithheld, Some(id), words.into());
            }
        }
        released
    }

    /// The markings of parts that are taken out.
    fn parts(&mut self) -> Vec<String> {
        let hidden: Vec<String> = self.class.granular.iter().filter(|id| !self.part(id)).cloned().collect();
        for id in &hidden {
            self.say(Code::PartWithheld, Some(id), "a part of it is marked so that this viewer may not have it".into());
        }
        hidden
    }

    /// Whether the marking of a part lets the viewer have the part.
    fn part(&self, id: &str) -> bool {
        let (tlp, limit) = match self.meaning(id) {
            Meaning::Tlp(tlp) => (Some(tlp), Handling::default()),
            Meaning::Handling(tlp, limit) => (tlp, limit),
            Meaning::Statement | Meaning::Pap(_) => return true,
            Meaning::Unknown => return false,
        };
        // What is said of a part is said once, by the caller.
        let mut aside = Case { reasons: Vec::new(), ..*self };
        let grouped = limit.audience.iter().any(|circle| matches!(circle, Audience::Group(_)));
        aside.limit(&limit, None) && tlp.is_none_or(|tlp| aside.judge_level(tlp, grouped).1)
    }

    /// Whether the data about persons without which the record would not stand may be had as they are.
    fn persons_fixed(&mut self) -> bool {
        let mut released = true;
        for kind in &self.class.personal_fixed {
            if self.treatment(kind) != Treatment::Give {
                released = false;
                let words = format!("it rests on data about a person ({kind}), which this viewer does not get");
                self.say(Code::PersonalWithheld, None, words);
            }
        }
        released
    }

    /// The kinds of data about persons that are masked; `None`: one of them withholds the record.
    fn persons(&mut self) -> Option<Vec<String>> {
        let (mut masked, mut released) = (Vec::new(), true);
        for kind in &self.class.personal {
            match self.treatment(kind) {
                Treatment::Give => {}
                Treatment::Mask => {
                    self.say(
                        Code::PersonalMasked,
                        None,
                        format!("data about a person ({kind}) is masked for this viewer"),
                    );
                    masked.push(kind.clone());
                }
                Treatment::Withhold => {
                    released = false;
                    let words = format!("it holds data about a person ({kind}), which this viewer does not get");
                    self.say(Code::PersonalWithheld, None, words);
                }
            }
        }
        released.then_some(masked)
    }

    fn treatment(&self, kind: &str) -> Treatment {
        if self.originator { Treatment::Give } else { self.facts.treatment(self.viewer, kind) }
    }

    fn meaning(&self, id: &str) -> Meaning {
        stix::marking::tlp_of(id).map_or_else(|| self.facts.meaning(id, &self.class.owner), Meaning::Tlp)
    }

    fn say(&mut self, code: Code, rests_on: Option<&str>, message: String) {
        self.reasons.push(Reason { code, rests_on: rests_on.map(str::to_owned), message });
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
