//! The door of this node: the policy's gate over the book's classes, and the facts on which its decisions rest.

use crate::config;
use crate::known::{self, Known, Snapshot};
use crate::meaning;
use ledger::{ClassNo, Ledger, Page};
use policy::{Classed, Classes, Facts, Gate, Group, Meaning, Micros, Relation, Rules, Tlp, Treatment, Viewer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the node believes that it does not know a marking: a definition may arrive at any time.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);
/// Markings that are remembered at most.
const MOST: usize = 10_000;

/// What the policy needs to know of the book and the register.
pub struct Door {
    book: Arc<dyn Ledger>,
    known: Arc<Known>,
    rules: Rules,
    references: config::HiddenReferences,
    personal: Vec<(Relation, Vec<(String, Treatment)>)>,
    meanings: Mutex<HashMap<String, (Meaning, Instant)>>,
}

impl Door {
    /// Over a book and its register, under the node's rules.
    #[must_use]
    pub fn new(book: Arc<dyn Ledger>, known: Arc<Known>, config: &config::Config) -> Self {
        let rules = |rules: &[String]| rules.iter().map(|rule| known::treatment(rule)).collect();
        Self {
            book,
            known,
            rules: Rules { default_marking: config.policy.default_marking.into() },
            references: config.policy.hidden_references,
            personal: vec![
                (Relation::Own, rules(&config.personal.own)),
                (Relation::Client, rules(&config.personal.client)),
                (Relation::Community, rules(&config.personal.community)),
                (Relation::Public, rules(&config.personal.public)),
            ],
            meanings: Mutex::new(HashMap::new()),
        }
    }

    /// Over a book that is also the register, for a command.
    #[must_use]
    pub fn over(book: &Arc<ledger::sqlite::Book>, config: &config::Config) -> Self {
        Self::new(Arc::clone(book) as _, Arc::new(Known::new(Arc::clone(book) as _)), config)
    }

    /// The gate for one viewer and one answer, at an instant.
    #[must_use]
    pub fn gate(&self, viewer: Viewer, at: Micros) -> Gate<'_> {
        Gate::new(viewer, at, self.rules, self, self)
    }

    /// What becomes of a reference to what its viewer may not see.
    #[must_use]
    pub fn references(&self) -> config::HiddenReferences {
        self.references
    }

    /// The node's own settings.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The register; `None` if it cannot be read, which withholds.
    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.known.now().ok()
    }

    /// What the object of a marking definition says.
    fn read_meaning(&self, id: &str) -> Meaning {
        let known = || self.meanings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((meaning, since)) = known().get(id)
            && (*meaning != Meaning::Unknown || since.elapsed() < UNKNOWN_FOR)
        {
            return meaning.clone();
        }
        let meaning = match self.book.first_accepted(id) {
            Ok(Some(body)) => meaning::of_object(&body),
            _ => Meaning::Unknown,
        };
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id.to_owned(), (meaning.clone(), Instant::now()));
        meaning
    }
}

impl Classes for Door {
    fn definition(&self, class: policy::ClassNo) -> Option<Arc<[u8]>> {
        // A store that cannot answer has no definition: withheld.
        self.book.class_definition(ClassNo(class)).ok().flatten()
    }
}

impl Facts for Door {
    fn meaning(&self, id: &str) -> Meaning {
        let Some(snapshot) = self.snapshot() else { return Meaning::Unknown };
        // The operator's word goes before what the definition says.
        snapshot.meaning(id).cloned().unwrap_or_else(|| self.read_meaning(id))
    }

    fn group(&self, id: &str) -> Option<Group> {
        let snapshot = self.snapshot()?;
        let group = snapshot.group(id)?.clone();
        Some(Group {
            id: group.id,
            name: group.name,
            owner: group.owner,
            members: group.members,
            from: group.from,
            until: group.until,
            hidden: group.hidden,
        })
    }

    fn ceiling(&self, organisation: &str) -> Option<Tlp> {
        self.snapshot().map_or(Some(Tlp::Clear), |snapshot| snapshot.ceiling(organisation))
    }

    fn treatment(&self, viewer: &Viewer, kind: &str) -> Treatment {
        let Some(snapshot) = self.snapshot() else { return Treatment::Withhold };
        let own = viewer.organisation.as_deref().and_then(|name| snapshot.treatment(name, kind));
        own.unwrap_or_else(|| {
            let rules = self.personal.iter().find(|(relation, _)| *relation == viewer.relation);
            let rule = rules.and_then(|(_, rules)| rules.iter().find(|(of, _)| of == kind));
            rule.map_or(Treatment::Give, |(_, treatment)| *treatment)
        })
    }
}

/// What a query of the ledger gave, with the classes that are in it: what the gate looks at again before it lets go.
#[derive(Debug)]
pub struct Selected<T> {
    /// What the ledger says of the page.
    pub page: Page,
    /// The bytes or rows.
    pub content: T,
}

impl<T> Classed for Selected<T> {
    fn classes(&self) -> impl Iterator<Item = policy::ClassNo> {
        self.page.classes.iter().map(|class| class.0)
    }
}
