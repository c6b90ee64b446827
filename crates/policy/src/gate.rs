//! The door: a viewer's decisions, remembered by class, and the type that only they make.

use crate::{Class, Markings, Outcome, Rules, Viewer, decide};
use std::cell::RefCell;
use std::collections::HashMap;

/// A policy class's number in the store.
pub type ClassNo = u32;

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

/// The decisions for one viewer, made once a class.
pub struct Gate<'g> {
    viewer: Viewer,
    rules: Rules,
    classes: &'g dyn Classes,
    markings: &'g dyn Markings,
    made: RefCell<HashMap<ClassNo, bool>>,
}

impl<'g> Gate<'g> {
    /// A door for a viewer.
    pub fn new(viewer: Viewer, rules: Rules, classes: &'g dyn Classes, markings: &'g dyn Markings) -> Self {
        Self { viewer, rules, classes, markings, made: RefCell::default() }
    }

    /// For whom.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Whether the viewer may see records of the class. Fails closed: no definition, not seen; a decision to redact is
    /// not a release.
    #[must_use]
    pub fn sees(&self, class: ClassNo) -> bool {
        if let Some(sees) = self.made.borrow().get(&class) {
            return *sees;
        }
        let definition = self.classes.definition(class).and_then(|bytes| Class::from_definition(&bytes));
        let sees = definition
            .is_some_and(|class| decide(&self.viewer, &class, &self.rules, self.markings).outcome == Outcome::Release);
        self.made.borrow_mut().insert(class, sees);
        sees
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
