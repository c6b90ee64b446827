//! From the bytes of one object to an entry of the ledger: checked, with its head taken out and its class known.
//!
//! [`Intake::take`] and [`Context::class`] are pure functions, apart from the memory that the first reuses;
//! [`Classes`] asks the ledger for the number of a policy class once and remembers it.

use crate::partners::makers::Makers;
use crate::partners::provenance::Backing;
use ledger::{ClassNo, CollectionNo, Dialect, Entry, Ledger, Partners, Version};
use policy::{Author, Class, Handling};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stix::head::{Head, SpecVersion};
use stix::json::Limits;
use stix::marking::Tlp;
use stix::personal::{Kinds, Personal};
use stix::validate::{Finding, Options, Severity, Validator};

/// Who brings objects in, for whom, and where to.
#[derive(Clone, Debug)]
pub struct Context {
    /// The collection that they are added to.
    pub collection: CollectionNo,
    /// The organisation that owns the records: that of the member who brings them.
    pub owner: String,
    /// The member who brings them: the recipient of RED objects where none is named.
    pub member: Option<String>,
    /// The recipients that were named.
    pub recipients: Vec<String>,
    /// Limits that are set beside the markings.
    pub handling: Handling,
    /// Which organisation signs with which STIX identity, and of whom a proof is asked.
    pub makers: Arc<Makers>,
}

/// Checks objects. One a thread: it keeps the validator's memory.
pub struct Intake {
    validator: Validator,
}

/// An object that was accepted.
#[derive(Clone, Debug)]
pub struct Taken<'t> {
    /// What the ledger and the policy want to know of it.
    pub head: Head<'t>,
    /// How it is written.
    pub dialect: Dialect,
    /// Its bytes.
    pub body: &'t [u8],
    /// The kinds of data about persons in it.
    pub personal: Personal,
}

/// What was taken of an object, apart from its bytes.
#[derive(Clone, Debug)]
pub struct Brief {
    head: stix::head::Brief,
    dialect: Dialect,
    personal: Personal,
}

impl Brief {
    /// What was taken, beside the bytes of which it was taken: whoever calls has seen that they are the same. `None`: these
    /// cannot be them.
    #[must_use]
    pub fn on<'t>(&self, body: &'t [u8]) -> Option<Taken<'t>> {
        Some(Taken { head: self.head.on(body)?, dialect: self.dialect, body, personal: self.personal })
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self::new()
    }
}

impl Intake {
    /// With the checks that intake makes: errors refuse, warnings pass.
    #[must_use]
    pub fn new() -> Self {
        Self { validator: Validator::new(Options::default()) }
    }

    /// Reads objects within these limits from now on.
    pub fn limit(&mut self, limits: Limits) {
        self.validator.limit(limits);
    }

    /// Checks one object that was not looked at before, and shows it to `look`, which says whether it is to be checked at all.
    /// What is taken of it can be put beside its bytes again; `None`: [`Self::take`] says what is wrong with it, if anything is.
    pub fn glance(&mut self, body: &[u8], look: impl FnOnce(stix::json::Value<'_>) -> bool) -> Option<Brief> {
        let mut personal = Personal::default();
        let checked = self.validator.object_shown(body, |value| {
            let wanted = look(value);
            if wanted {
                personal = stix::personal::kinds_in(value);
            }
            wanted
        })?;
        let head = checked.head.as_ref().filter(|_| checked.errors() == 0)?;
        Some(Brief { dialect: dialect(head.spec), head: stix::head::Brief::of(head, body)?, personal })
    }

    /// Checks one object: its bytes without white space around them.
    ///
    /// # Errors
    /// The findings that refuse it, at least one.
    pub fn take<'t>(&mut self, body: &'t [u8]) -> Result<Taken<'t>, Vec<Finding>> {
        let checked = self.validator.object(body);
        if checked.errors() == 0 {
            match checked.head {
                Some(head) => {
                    let personal = stix::personal::kinds_of(body);
                    return Ok(Taken { dialect: dialect(head.spec), head, body, personal });
                }
                // INVARIANT: the validator finds an error in what has no readable type and id.
                None => return Err(Vec::new()),
            }
        }
        Err(checked.findings().into_iter().filter(|finding| finding.severity == Severity::Error).collect())
    }
}

fn dialect(spec: SpecVersion) -> Dialect {
    match spec {
        SpecVersion::V20 => Dialect::Stix20,
        SpecVersion::V21 => Dialect::Stix21,
    }
}

impl Taken<'_> {
    /// The entry for the ledger; `references` are those of the head.
    #[must_use]
    pub fn entry<'e>(&'e self, collection: CollectionNo, class: ClassNo, references: &'e [&'e str]) -> Entry<'e> {
        Entry {
            collection,
            key: &self.head.id,
            kind: &self.head.object_type,
            version: self.head.version.as_ref().map(|version| Version {
                micros: version.micros,
                picos: version.picos,
                text: &version.text,
            }),
            dialect: self.dialect,
            author: self.head.created_by_ref.as_deref(),
            revoked: self.head.revoked,
            class,
            references,
            body: self.body,
        }
    }
}

impl Context {
    /// Objects of an organisation for a collection, without a recipient or a limit; the register tells who signs how.
    ///
    /// # Errors
    /// Those of the register.
    pub fn new(collection: CollectionNo, owner: String, register: &dyn Partners) -> ledger::Result<Self> {
        let makers = Arc::new(Makers::read(register)?);
        Ok(Self { collection, owner, member: None, recipients: Vec::new(), handling: Handling::default(), makers })
    }

    /// The policy class of an object that this context brings; `backing` is what stands behind it. Of an author with a card
    /// nothing is the author's without a proof.
    ///
    /// The member who brings an object is its recipient only where a recipient could matter: it is marked RED, or
    /// carries no TLP and may so be RED by default. Everything else would only multiply classes.
    #[must_use]
    pub fn class(&self, taken: &Taken<'_>, backing: &Backing) -> Class {
        let head = &taken.head;
        let markings = sorted(head.marking_refs.iter());
        let parts = |binding: bool| {
            let ids = head.granular.iter().filter(move |granular| granular.binding == binding);
            sorted(ids.map(|granular| &granular.marking))
        };
        let (granular, binding) = (parts(false), parts(true));
        let recipients = if self.recipients.is_empty() {
            let tlp = |ids: &[String]| ids.iter().filter_map(|id| stix::marking::tlp_of(id)).max();
            let may_be_red = match (tlp(&markings), tlp(&granular).max(tlp(&binding))) {
                (None, _) | (_, Some(Tlp::Red)) => true,
                (strictest, _) => strictest == Some(Tlp::Red),
            };
            self.member.iter().filter(|_| may_be_red).cloned().collect()
        } else {
            let mut named = self.recipients.clone();
            named.sort_unstable();
            named.dedup();
            named
        };
        let author = self.author(taken, backing);
        let (owner, handling) = (self.owner.clone(), self.handling.and(&backing.handling));
        let class = Class {
            markings,
            granular,
            binding,
            recipients,
            owner,
            author,
            handling,
            personal: names(taken.personal.maskable),
            personal_fixed: names(taken.personal.fixed),
            open: false,
        };
        match &backing.marking {
            Some(marking) => {
                let recipients: Vec<String> = self.recipients.iter().chain(&self.member).cloned().collect();
                class.narrowed(Some(marking), &recipients, &Handling::default())
            }
            None => class,
        }
    }

    /// Who made an object.
    pub(crate) fn author(&self, taken: &Taken<'_>, backing: &Backing) -> Author {
        let head = &taken.head;
        self.makers.author(head.created_by_ref.as_deref(), &self.owner, backing.proof_of(&head.id))
    }
}

/// The budget of one object, as the configuration has it.
#[must_use]
pub fn limits(config: &crate::config::Limits) -> Limits {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Limits {
        max_depth: size(config.max_depth),
        max_bytes: size(config.max_object_bytes),
        max_values: size(config.max_values),
    }
}

/// The references of a stored record, as its head had them when it was taken.
#[must_use]
pub fn references(met: &ledger::Met<'_>) -> Vec<String> {
    stix::head::references_of(met.body)
}

fn names(kinds: Kinds) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

fn sorted<'a>(ids: impl Iterator<Item = &'a std::borrow::Cow<'a, str>>) -> Vec<String> {
    let mut ids: Vec<String> = ids.map(|id| id.clone().into_owned()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The numbers of policy classes that are known already.
#[derive(Default)]
pub struct Classes {
    known: Mutex<HashMap<Vec<u8>, ClassNo>>,
}

impl Classes {
    /// The number of a class; the ledger makes it if it is new.
    ///
    /// # Errors
    /// Those of [`Ledger::class`].
    pub fn number(&self, book: &dyn Ledger, class: &Class) -> ledger::Result<ClassNo> {
        let definition = class.to_definition();
        if let Some(number) = self.known().get(&definition) {
            return Ok(*number);
        }
        let number = book.class(&definition, &class.opened().to_definition())?;
        self.known().insert(definition, number);
        Ok(number)
    }

    /// The number of a class that was asked for before: never waits for the ledger.
    pub fn remembered(&self, class: &Class) -> Option<ClassNo> {
        self.known().get(&class.to_definition()).copied()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Vec<u8>, ClassNo>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
