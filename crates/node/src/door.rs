//! The door of this node: the policy's gate over the book's classes, and the facts on which its decisions rest.

use crate::config;
use crate::known::{self, Known, Snapshot};
use crate::meaning;
use ledger::{ClassNo, Ledger, Page};
use policy::{Class, Classed, Classes, Facts, Gate, Group, Meaning, Micros, Relation, Rules, Tlp, Treatment, Viewer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the node believes what it knows of a marking: a definition may arrive at any time.
const BELIEVED: Duration = Duration::from_secs(1);
/// Markings that are remembered at most.
const MOST: usize = 10_000;

/// A marking definition, and the organisation of whose records is asked, in lower case.
type Asked = (String, String);

/// What the policy needs to know of the book and the register.
pub struct Door {
    book: Arc<dyn Ledger>,
    known: Arc<Known>,
    rules: Rules,
    references: config::HiddenReferences,
    personal: Vec<(Relation, Vec<(String, Treatment)>)>,
    meanings: Mutex<HashMap<Asked, (Meaning, Instant)>>,
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

    /// Looks at the register as it is now, and not as it was a moment ago: what follows rests on a change just made.
    ///
    /// # Errors
    /// Those of the register.
    pub fn afresh(&self) -> ledger::Result<()> {
        self.known.asked_again().map(drop)
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

    /// What the object of a marking definition says of an organisation's records.
    fn read_meaning(&self, id: &str, owner: &str, own: Option<&str>) -> Meaning {
        let known = || self.meanings.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (id.to_owned(), owner.to_lowercase());
        if let Some((meaning, since)) = known().get(&asked)
            && since.elapsed() < BELIEVED
        {
            return meaning.clone();
        }
        let definition = self.definition_for(id, owner, own).ok().flatten();
        let meaning = definition.map_or(Meaning::Unknown, |body| meaning::of_object(&body));
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(asked, (meaning.clone(), Instant::now()));
        meaning
    }

    /// The object of a marking definition that may speak of an organisation's records: the first that the node's own
    /// organisation brought in, or else the first that the same organisation did. Whoever else may write to a collection
    /// would explain other people's markings away.
    fn definition_for(&self, id: &str, owner: &str, own: Option<&str>) -> ledger::Result<Option<Vec<u8>>> {
        let mut found = Vec::new();
        self.book.look(&mut |shelf| {
            // A failure is noted by the book and fails the whole look.
            let _ = shelf.versions(id, &mut |met| {
                found.push((met.seq, met.class, met.body.to_vec()));
                true
            });
        })?;
        found.sort_by_key(|(seq, ..)| *seq);
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let mut of_owner = None;
        for (_, class, body) in found {
            let class = self.book.class_definition(class)?.and_then(|bytes| Class::from_definition(&bytes));
            match class {
                Some(class) if own.is_some_and(|own| same(own, &class.owner)) => return Ok(Some(body)),
                Some(class) if of_owner.is_none() && same(owner, &class.owner) => of_owner = Some(body),
                _ => {}
            }
        }
        Ok(of_owner)
    }
}

impl Classes for Door {
    fn definition(&self, class: policy::ClassNo) -> Option<Arc<[u8]>> {
        // A store that cannot answer has no definition: withheld.
        self.book.class_definition(ClassNo(class)).ok().flatten()
    }
}

impl Facts for Door {
    fn meaning(&self, id: &str, owner: &str) -> Meaning {
        let Some(snapshot) = self.snapshot() else { return Meaning::Unknown };
        // The operator's word goes before what the definition says.
        let said = snapshot.meaning(id).cloned();
        said.unwrap_or_else(|| self.read_meaning(id, owner, snapshot.own_organisation()))
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
            since: group.since,
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
