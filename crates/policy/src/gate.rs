//! The door: a viewer's decisions, remembered by class, and the type that only they make.

use crate::{Class, Cuts, Decision, Facts, Micros, Outcome, Rules, Viewer, decide, decide_of};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A policy class's number in the store.
pub type ClassNo = u32;

/// Decisions are remembered for classes with numbers below this; a store with more is asked anew for the others.
const MOST: usize = 1 << 20;

/// Where the definitions of classes are.
pub trait Classes {
    /// The definition of a class; `None`: there is none, or it could not be read, which withholds.
    fn definition(&self, class: ClassNo) -> Option<std::sync::Arc<[u8]>>;
}

/// Something that is made of records and knows of which classes.
pub trait Classed {
    /// Every class of the records in it.
    fn classes(&self) -> impl Iterator<Item = ClassNo>;
}

/// What its viewer may have. Serialisers for viewers accept nothing else, and only [`Gate::admit`] makes it.
///
/// ```compile_fail
/// let forged = policy::Released("secret"); // the field is private
/// ```
#[derive(Debug)]
pub struct Released<T>(T);

impl<T> Released<T> {
    /// What is released.
    pub fn as_inner(&self) -> &T {
        &self.0
    }

    /// Takes it out, to be written to the viewer.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Something was about to leave that its viewer may not see: a query forgot to ask. Nothing of it was released.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "records of policy class {0} were selected for a viewer who may not see them: nothing was released; report this as a defect"
)]
pub struct Leak(pub ClassNo);

/// How much a viewer sees of the records of a class.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum View {
    /// None of them, and not that there are any.
    Nothing,
    /// Each, as it is.
    Whole,
    /// Each must be looked at: parts are cut from it, or its references must be followed.
    Look(Rc<Cuts>, Rc<Class>),
    /// It depends on when each was added: [`Gate::view_of`] tells. The instants on which it turns, sorted.
    Dated(Rc<Class>, Rc<Vec<Micros>>),
}

/// The decisions for one viewer at one instant, made once a class.
pub struct Gate<'g> {
    viewer: Viewer,
    at: Micros,
    rules: Rules,
    classes: &'g dyn Classes,
    facts: &'g dyn Facts,
    made: RefCell<Vec<Option<View>>>,
    /// Of classes for which it depends on when a record was added: by class and by how many of the turns it has passed.
    dated: RefCell<HashMap<(ClassNo, usize), View>>,
}

impl<'g> Gate<'g> {
    /// A door for a viewer at an instant.
    pub fn new(viewer: Viewer, at: Micros, rules: Rules, classes: &'g dyn Classes, facts: &'g dyn Facts) -> Self {
        Self { viewer, at, rules, classes, facts, made: RefCell::default(), dated: RefCell::default() }
    }

    /// For whom.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// How much the viewer sees of records of the class. Fails closed: no definition, not seen.
    #[must_use]
    pub fn view(&self, class: ClassNo) -> View {
        let place = class as usize;
        if let Some(Some(view)) = self.made.borrow().get(place) {
            return view.clone();
        }
        let view = self.decided(class);
        if place < MOST {
            let mut made = self.made.borrow_mut();
            if made.len() <= place {
                made.resize(place + 1, None);
            }
            if let Some(slot) = made.get_mut(place) {
                *slot = Some(view.clone());
            }
        }
        view
    }

    /// How much the viewer sees of records of the class that were added at an instant: never [`View::Dated`], and never
    /// [`View::Whole`] where it depends on the instant, since what such a record refers to may have been added before.
    #[must_use]
    pub fn view_of(&self, class: ClassNo, added: Micros) -> View {
        let (definition, turns) = match self.view(class) {
            View::Dated(definition, turns) => (definition, turns),
            view => return view,
        };
        let passed = turns.iter().filter(|turn| **turn <= added).count();
        if let Some(view) = self.dated.borrow().get(&(class, passed)) {
            return view.clone();
        }
        let decision = decide_of(&self.viewer, &definition, added, self.at, &self.rules, self.facts);
        let view = cuts(decision).map_or(View::Nothing, |cuts| View::Look(Rc::new(cuts), definition));
        self.dated.borrow_mut().insert((class, passed), view.clone());
        view
    }

    /// Whether the viewer's organisation brought records of the class in.
    #[must_use]
    pub fn is_own(&self, class: ClassNo) -> bool {
        let definition = self.classes.definition(class).and_then(|bytes| Class::from_definition(&bytes));
        definition.is_some_and(|class| self.viewer.is_of(&class.owner))
    }

    /// Whether the viewer may see anything of records of the class.
    fn sees(&self, class: ClassNo) -> bool {
        if let Some(Some(view)) = self.made.borrow().get(class as usize) {
            return *view != View::Nothing;
        }
        self.view(class) != View::Nothing
    }

    fn decided(&self, class: ClassNo) -> View {
        let definition = self.classes.definition(class).and_then(|bytes| Class::from_definition(&bytes));
        let Some(class) = definition else { return View::Nothing };
        let mut decision = decide(&self.viewer, &class, self.at, &self.rules, self.facts);
        let turns = std::mem::take(&mut decision.turns);
        // Who may not have what is added now may have nothing that was added before.
        let Some(cuts) = cuts(decision) else { return View::Nothing };
        if !turns.is_empty() {
            return View::Dated(Rc::new(class), Rc::new(turns));
        }
        if class.open || !cuts.is_empty() { View::Look(Rc::new(cuts), Rc::new(class)) } else { View::Whole }
    }

    /// Lets something through if every record in it may be seen.
    ///
    /// # Errors
    /// [`Leak`] if a class in it may not be seen: a defect of the caller, and nothing has left.
    pub fn admit<T: Classed>(&self, value: T) -> Result<Released<T>, Leak> {
        let hidden = value.classes().find(|class| !self.sees(*class));
        match hidden {
            Some(class) => Err(Leak(class)),
            None => Ok(Released(value)),
        }
    }
}

/// What is taken out of what a decision lets go; `None`: it lets nothing go.
fn cuts(decision: Decision) -> Option<Cuts> {
    match decision.outcome {
        Outcome::Withhold => None,
        Outcome::Release => Some(Cuts::default()),
        Outcome::Redact(cuts) => Some(cuts),
    }
}
