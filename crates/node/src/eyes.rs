//! What a viewer sees of single records: references followed, parts taken out.
//!
//! The gate decides by class. Where that is not enough (a record refers to others, or holds parts that this viewer may
//! not have), the ledger shows the record and [`Eyes`] answers: is it there for this viewer, and what of it?
//!
//! A record is there if the references without which it would not stand go to what is there. That is a question about
//! the whole reachable book, with cycles: [`Eyes::target`] answers it for everything reachable at once, from the
//! assumption that all of it is there, taking away what is not until nothing changes.

use crate::config::HiddenReferences;
use ledger::{ClassNo, CollectionNo, Lookup, Met, Sees, Sight};
use policy::{Class, Code, Cuts, Gate, Reason, View};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use stix::personal::{self, Treatment};
use stix::redact::{Fate, Redacted, Rules, redact};

/// Objects that one answer follows references to at most; what lies beyond is not there.
const MOST: usize = 100_000;

/// A viewer's eyes, for one answer.
pub struct Eyes<'e> {
    gate: &'e Gate<'e>,
    references: HiddenReferences,
    /// Whether the viewer may read a collection.
    reads: &'e dyn Fn(CollectionNo) -> bool,
    settled: RefCell<HashMap<String, Target>>,
}

/// What an object that is referred to is for the viewer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    /// There.
    Visible,
    /// In the book, and not there for this viewer.
    Hidden,
    /// Not in the book.
    Absent,
}

/// A version of an object that must be looked at.
struct Asked {
    cuts: Rc<Cuts>,
    class: Rc<Class>,
    body: Vec<u8>,
}

/// An object whose visibility hangs on its references.
struct Node {
    asked: Vec<Asked>,
    there: bool,
}

impl<'e> Eyes<'e> {
    /// Of the gate's viewer, who may read the collections for which `reads` says so.
    pub fn new(gate: &'e Gate<'e>, references: HiddenReferences, reads: &'e dyn Fn(CollectionNo) -> bool) -> Self {
        Self { gate, references, reads, settled: RefCell::default() }
    }

    /// Judges one body: what is left of it goes to `out`. `of` says what its references are to the viewer.
    fn judge(&self, asked: (&Cuts, &Class), body: &[u8], out: &mut Vec<u8>, of: &dyn Fn(&str) -> Target) -> bool {
        let (cuts, class) = asked;
        let start = out.len();
        let own = self.gate.viewer().is_of(&class.owner);
        let withholds = self.references == HiddenReferences::Withhold;
        let cutting = Cutting { cuts, own, withholds, of, hidden: RefCell::new(false) };
        let left = redact(body, &cutting, out);
        if left == Redacted::Withheld || cutting.hidden.into_inner() {
            out.truncate(start);
            return false;
        }
        true
    }

    /// What the object with this id is to the viewer.
    fn target(&self, id: &str, book: &dyn Lookup) -> Target {
        if let Some(target) = self.settled.borrow().get(id) {
            return *target;
        }
        self.settle(id, book);
        self.settled.borrow().get(id).copied().unwrap_or(Target::Hidden)
    }

    /// Settles an object and everything that it reaches.
    fn settle(&self, id: &str, book: &dyn Lookup) {
        let mut nodes: HashMap<String, Node> = HashMap::new();
        let mut waiting = vec![id.to_owned()];
        while let Some(id) = waiting.pop() {
            if nodes.contains_key(&id) || self.settled.borrow().contains_key(&id) {
                continue;
            }
            match self.at_first_sight(&id, book, nodes.len()) {
                Ok(target) => {
                    self.settled.borrow_mut().insert(id, target);
                }
                Err(node) => {
                    let seen = RefCell::new(Vec::new());
                    let look = |id: &str| {
                        seen.borrow_mut().push(id.to_owned());
                        Target::Visible
                    };
                    for asked in &node.asked {
                        self.judge((&asked.cuts, &asked.class), &asked.body, &mut Vec::new(), &look);
                    }
                    waiting.append(&mut seen.into_inner());
                    nodes.insert(id, node);
                }
            }
        }
        while self.take_away(&mut nodes) {}
        let mut settled = self.settled.borrow_mut();
        for (id, node) in nodes {
            settled.insert(id, if node.there { Target::Visible } else { Target::Hidden });
        }
    }

    /// Takes away what cannot be there, as things stand; whether anything was.
    fn take_away(&self, nodes: &mut HashMap<String, Node>) -> bool {
        let stands = |node: &Node| {
            let of = |id: &str| match nodes.get(id) {
                Some(node) if node.there => Target::Visible,
                Some(_) => Target::Hidden,
                None => self.settled.borrow().get(id).copied().unwrap_or(Target::Hidden),
            };
            let there = |asked: &Asked| self.judge((&asked.cuts, &asked.class), &asked.body, &mut Vec::new(), &of);
            node.asked.iter().any(there)
        };
        let falling = nodes.iter().filter(|(_, node)| node.there && !stands(node)).map(|(id, _)| id.clone());
        let falling: Vec<String> = falling.collect();
        for id in &falling {
            if let Some(node) = nodes.get_mut(id) {
                node.there = false;
            }
        }
        !falling.is_empty()
    }

    /// What can be said of an object without following its references; else the versions to look at.
    fn at_first_sight(&self, id: &str, book: &dyn Lookup, followed: usize) -> Result<Target, Node> {
        let (mut target, mut asks) = (Target::Absent, false);
        let looked = book.places(id, &mut |collection, class| {
            if target == Target::Absent {
                target = Target::Hidden;
            }
            if (self.reads)(collection) {
                match self.gate.view(class.0) {
                    View::Nothing => {}
                    View::Whole => target = Target::Visible,
                    View::Look(..) | View::Dated(..) => asks = true,
                }
            }
            target != Target::Visible
        });
        // A book that cannot be read fails the whole answer.
        if looked.is_err() || target != Target::Hidden || !asks || followed >= MOST {
            return Ok(target);
        }
        let mut asked = Vec::new();
        let _ = book.versions(id, &mut |met| {
            if (self.reads)(met.collection)
                && let Some((cuts, class)) = self.asks(met)
            {
                asked.push(Asked { cuts, class, body: met.body.to_vec() });
            }
            true
        });
        Err(Node { asked, there: true })
    }

    /// Why a record that must be looked at is there or not, whether it is given otherwise than it is stored, and which
    /// references had a part in that.
    pub fn explain(&self, met: &Met<'_>, book: &dyn Lookup) -> (bool, bool, Vec<Reason>) {
        let Some((cuts, class)) = self.asks(met) else { return (false, false, Vec::new()) };
        let seen = RefCell::new(Vec::new());
        let of = |id: &str| {
            let target = self.target(id, book);
            seen.borrow_mut().push((id.to_owned(), target));
            target
        };
        let mut out = Vec::new();
        let there = self.judge((&cuts, &class), met.body, &mut out, &of);
        let mut seen = seen.into_inner();
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        seen.dedup();
        let reason = |id: String| match there {
            true => Reason {
                code: Code::ReferenceRemoved,
                rests_on: Some(id),
                message: "it refers to what this viewer may not see; the reference is taken out".to_owned(),
            },
            false => Reason {
                code: Code::ReferenceWithholds,
                rests_on: Some(id),
                message: "it does not stand without what this viewer may not see".to_owned(),
            },
        };
        let hidden = seen.into_iter().filter(|(_, target)| *target == Target::Hidden);
        (there, there && out != met.body, hidden.map(|(id, _)| reason(id)).collect())
    }

    /// What is to be cut from a record, if it may be there and must be looked at.
    fn asks(&self, met: &Met<'_>) -> Option<(Rc<Cuts>, Rc<Class>)> {
        match self.gate.view_of(met.class.0, met.seq.0) {
            View::Nothing | View::Whole | View::Dated(..) => None,
            View::Look(cuts, class) => Some((cuts, class)),
        }
    }
}

impl Sees for Eyes<'_> {
    fn class(&self, class: ClassNo) -> Sight {
        match self.gate.view(class.0) {
            View::Nothing => Sight::Nothing,
            View::Whole => Sight::Whole,
            // Whether anything is left of a record is known when it has been looked at.
            View::Look(..) | View::Dated(..) => Sight::Ask,
        }
    }

    fn record(&self, met: &Met<'_>, book: &dyn Lookup, out: Option<&mut Vec<u8>>) -> bool {
        let Some((cuts, class)) = self.asks(met) else { return false };
        let of = |id: &str| self.target(id, book);
        match out {
            Some(out) => self.judge((&cuts, &class), met.body, out, &of),
            None => self.judge((&cuts, &class), met.body, &mut Vec::new(), &of),
        }
    }
}

/// What goes from one body.
struct Cutting<'c> {
    cuts: &'c Cuts,
    /// Whether the viewer's organisation brought the record in. It knows its references, and finds all of them again: were
    /// one to what is hidden treated otherwise than one to nothing, it could ask for anything by bringing a reference to it.
    own: bool,
    /// Whether a hidden reference withholds the record and an absent one stays, since the node is set so.
    withholds: bool,
    of: &'c dyn Fn(&str) -> Target,
    /// Whether a reference was met that withholds the record.
    hidden: RefCell<bool>,
}

impl Rules for Cutting<'_> {
    fn marking_withheld(&self, marking: &str) -> bool {
        self.cuts.markings.iter().any(|withheld| withheld == marking)
    }

    fn reference(&self, id: &str) -> Fate {
        if self.own {
            return Fate::Stays;
        }
        match ((self.of)(id), self.withholds) {
            (Target::Visible, _) | (Target::Absent, true) => Fate::Stays,
            (Target::Hidden, true) => {
                self.hidden.replace(true);
                Fate::Stays
            }
            (Target::Hidden, false) => Fate::Goes,
            // Who may not see an object and who could not, since there is none, are told the same.
            (Target::Absent, false) => Fate::GoesIfItCan,
        }
    }

    fn personal(&self, kind: personal::Kind) -> Treatment {
        if self.cuts.masked.iter().any(|masked| masked == kind.as_str()) { Treatment::Mask } else { Treatment::Give }
    }
}
