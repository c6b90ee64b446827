//! Who may see what: a pure, total function with reasons, and the one door.
//!
//! A [`Viewer`] asks for records of a [`Class`]; [`decide`] answers with a [`Decision`] and every rule that took part.
//! What serialisers for viewers accept is [`Released`], which only [`Gate::admit`] makes.
//!
//! ```
//! use policy::{Class, Meaning, Outcome, Relation, Rules, Viewer, decide};
//! let partner = Viewer { name: Some("lina".into()), organisation: Some("Port CSIRT".into()), relation: Relation::Community };
//! let green = Class { markings: vec!["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb".into()], ..Class::default() };
//! let decision = decide(&partner, &green, 0, &Rules::default(), &|_: &str| Meaning::Unknown);
//! assert_eq!(decision.outcome, Outcome::Release);
//! ```
//!
//! INVARIANT: nothing here reads a clock, a file or a socket; an input that is not understood withholds.

#![forbid(unsafe_code)]

mod class;
mod collection;
mod compare;
mod decide;
mod fact;
mod gate;
mod reason;
pub mod role;

pub use class::{Audience, Author, Class, Handling, Micros};
pub use collection::{Who, may};
pub use compare::{Comparing, comparable};
pub use decide::{Cuts, Decision, Outcome, Rules, decide, decide_of};
pub use fact::{Facts, Group, Meaning, Pap};
pub use gate::{ClassNo, Classed, Classes, Gate, Leak, Released, View};
pub use reason::{Code, Reason};
pub use stix::marking::Tlp;
pub use stix::personal::Treatment;

/// How a viewer's organisation stands to the node's own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Relation {
    /// It is the node's own.
    Own,
    /// It receives security services from us.
    Client,
    /// It shares goals and trust with us.
    Community,
    /// Anyone, signed in or not.
    Public,
}

/// Who would receive: a member, with the organisation it acts for, or nobody known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Viewer {
    /// The account; `None`: not signed in.
    pub name: Option<String>,
    /// The account's organisation.
    pub organisation: Option<String>,
    /// How that organisation stands to ours; of a stranger [`Relation::Public`].
    pub relation: Relation,
}

impl Viewer {
    /// Somebody who has not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { name: None, organisation: None, relation: Relation::Public }
    }

    /// Whether this viewer acts for the organisation of that name, without regard to case. An empty name is nobody's.
    #[must_use]
    pub fn is_of(&self, organisation: &str) -> bool {
        let own = self.organisation.as_deref().filter(|own| !own.is_empty());
        own.is_some_and(|own| own.to_lowercase() == organisation.to_lowercase())
    }

    /// Whether a name in a list means this viewer: its account or its organisation, without regard to case. An empty name
    /// is nobody's.
    #[must_use]
    pub fn is_named(&self, names: &[String]) -> bool {
        let own = |name: &Option<String>| {
            let own = name.as_deref().filter(|own| !own.is_empty()).map(str::to_lowercase);
            own.is_some_and(|own| names.iter().any(|name| own == name.to_lowercase()))
        };
        own(&self.name) || own(&self.organisation)
    }
}
