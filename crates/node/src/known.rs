//! What the node remembers of its register, so that a request need not read it.
//!
//! A snapshot is used for a moment and then compared with the register's generation, which any process changes with any
//! change: a key that another command removed stops working within that moment. A name that the snapshot does not hold
//! is looked up afresh, so that what another command added works at once.

use crate::meaning;
use crate::partners::makers::Makers;
use ledger::{Account, CardState, Collection, Group, Key, Partners, People};
use policy::{Meaning, Tlp, Treatment};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long a snapshot is used without asking whether it still holds.
const MOMENT: Duration = Duration::from_millis(50);

/// Accounts, keys, collections and what the sharing model rests on, at one moment.
pub struct Snapshot {
    /// Changes with every change.
    pub generation: u64,
    /// In the order in which they were made.
    pub collections: Vec<Collection>,
    /// Who signs with which STIX identity (`created_by_ref`), and of whom a proof is asked.
    pub makers: Arc<Makers>,
    /// By name.
    pub groups: Vec<Group>,
    accounts: Vec<Account>,
    keys: HashMap<[u8; 32], Key>,
    certificates: HashMap<[u8; 32], String>,
    own_organisation: Option<String>,
    standings: HashMap<String, Standing>,
    meanings: HashMap<String, Meaning>,
    /// Organisations with a pinned card, in lower case.
    partners: HashSet<String>,
}

/// What an organisation may get, beside what its relation says.
#[derive(Clone, Debug, Default)]
struct Standing {
    ceiling: Option<Tlp>,
    personal: Vec<(String, Treatment)>,
}

impl Standing {
    /// A word that is not understood gives nothing.
    fn read(standing: &ledger::Standing) -> Self {
        Self {
            ceiling: standing.ceiling.as_deref().map(|name| meaning::tlp(name).unwrap_or(Tlp::Clear)),
            personal: standing.personal.iter().map(|rule| treatment(rule)).collect(),
        }
    }
}

/// Which organisation signs with which STIX identity.
#[must_use]
pub fn makers(standings: &[ledger::Standing]) -> BTreeMap<String, String> {
    let signs = |standing: &ledger::Standing| {
        let organisation = standing.organisation.clone();
        standing.identities.clone().into_iter().map(move |identity| (identity, organisation.clone()))
    };
    standings.iter().flat_map(signs).collect()
}

/// A rule about data of persons: `kind=give|mask|withhold`. A treatment that is not understood withholds.
#[must_use]
pub fn treatment(rule: &str) -> (String, Treatment) {
    let (kind, word) = rule.split_once('=').unwrap_or((rule, ""));
    let treatment = match word.trim() {
        "give" => Treatment::Give,
        "mask" => Treatment::Mask,
        _ => Treatment::Withhold,
    };
    (kind.trim().to_owned(), treatment)
}

impl Snapshot {
    /// The collection with this id or alias.
    #[must_use]
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        let by_id = self.collections.iter().find(|c| c.id.eq_ignore_ascii_case(name));
        by_id.or_else(|| self.collections.iter().find(|c| c.alias.to_lowercase() == name.to_lowercase()))
    }

    /// The organisation that owns the node.
    #[must_use]
    pub fn own_organisation(&self) -> Option<&str> {
        self.own_organisation.as_deref()
    }

    /// The member of this name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name.to_lowercase() == name.to_lowercase())
    }

    /// The sharing group with this UUID.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// The strictest level that an organisation is ever given; `None`: no ceiling.
    #[must_use]
    pub fn ceiling(&self, organisation: &str) -> Option<Tlp> {
        self.standing(organisation).and_then(|standing| standing.ceiling)
    }

    /// What an organisation's own rule says of a kind of data of persons; `None`: it has none.
    #[must_use]
    pub fn treatment(&self, organisation: &str, kind: &str) -> Option<Treatment> {
        let rules = &self.standing(organisation)?.personal;
        rules.iter().find(|(of, _)| of == kind).map(|(_, treatment)| *treatment)
    }

    /// Whether an organisation is a partner whose card was confirmed.
    #[must_use]
    pub fn is_partner(&self, organisation: &str) -> bool {
        !self.partners.is_empty() && self.partners.contains(&organisation.to_lowercase())
    }

    /// What the operator says that a marking means; a word that is not understood withholds.
    #[must_use]
    pub fn meaning(&self, marking: &str) -> Option<&Meaning> {
        self.meanings.get(marking)
    }

    fn standing(&self, organisation: &str) -> Option<&Standing> {
        if self.standings.is_empty() { None } else { self.standings.get(&organisation.to_lowercase()) }
    }

    /// The key with this digest.
    #[must_use]
    pub fn key(&self, digest: &[u8; 32]) -> Option<&Key> {
        // The digest is keyed and the key random: an equal prefix tells a guesser nothing.
        self.keys.get(digest)
    }

    /// The member to whom a certificate with this fingerprint is pinned.
    #[must_use]
    pub fn certificate(&self, fingerprint: &[u8; 32]) -> Option<&Account> {
        self.account(self.certificates.get(fingerprint)?)
    }

    /// Whether this member acts for the organisation that owns the node.
    #[must_use]
    pub fn is_own(&self, account: &Account) -> bool {
        let own = self.own_organisation.as_ref();
        own.is_some_and(|own| own.to_lowercase() == account.organisation.name.to_lowercase())
    }
}

/// Everything that is registered.
pub trait Registry: People + Partners {}

impl<T: People + Partners + ?Sized> Registry for T {}

/// The snapshot in use.
pub struct Known {
    book: Arc<dyn Registry>,
    held: RwLock<Held>,
}

#[derive(Clone, Default)]
struct Held {
    snapshot: Option<Arc<Snapshot>>,
    /// When it was last compared with the register; `None`: it has to be before it is used.
    compared: Option<Instant>,
    /// How often it was put in doubt.
    doubts: u64,
}

impl Known {
    /// Over a register.
    #[must_use]
    pub fn new(book: Arc<dyn Registry>) -> Self {
        Self { book, held: RwLock::default() }
    }

    /// The register as it was at most a moment ago.
    ///
    /// # Errors
    /// [`ledger::Error::Storage`].
    pub fn now(&self) -> ledger::Result<Arc<Snapshot>> {
        let held = self.held();
        match (&held.snapshot, held.compared) {
            (Some(snapshot), Some(since)) if since.elapsed() < MOMENT => Ok(Arc::clone(snapshot)),
            _ => self.afresh(held),
        }
    }

    /// The register as it is.
    ///
    /// # Errors
    /// [`ledger::Error::Storage`].
    pub fn asked_again(&self) -> ledger::Result<Arc<Snapshot>> {
        self.afresh(self.held())
    }

    /// Whoever asks next gets the register as it is: something in it may just have been changed by this process.
    pub fn doubt(&self) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.compared = None;
        held.doubts += 1;
    }

    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn afresh(&self, before: Held) -> ledger::Result<Arc<Snapshot>> {
        // Read before the rest: a change in between makes the next comparison fail, not this snapshot pass for newer.
        let generation = self.book.generation()?;
        let snapshot = match before.snapshot {
            Some(snapshot) if snapshot.generation == generation => snapshot,
            _ => Arc::new(self.read(generation)?),
        };
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // What was read while it was put in doubt may be from before the change.
        held.compared = (held.doubts == before.doubts).then(Instant::now);
        held.snapshot = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    fn read(&self, generation: u64) -> ledger::Result<Snapshot> {
        let standings = self.book.standings()?;
        let meanings = self.book.meanings()?.into_iter();
        let pinned = self.book.all_cards()?.into_iter().filter(|card| card.state == CardState::Pinned);
        Ok(Snapshot {
            generation,
            collections: self.book.collections()?,
            makers: Arc::new(Makers::read(&*self.book)?),
            groups: self.book.groups()?,
            accounts: self.book.accounts()?,
            keys: self.book.keys()?.into_iter().map(|key| (key.digest, key)).collect(),
            certificates: self.book.certificates()?.into_iter().map(|c| (c.fingerprint, c.account)).collect(),
            own_organisation: crate::administration::own_organisation(&*self.book)?,
            standings: standings.iter().map(|one| (one.organisation.to_lowercase(), Standing::read(one))).collect(),
            meanings: meanings
                .map(|(marking, word)| (marking, meaning::of_word(&word).unwrap_or(Meaning::Unknown)))
                .collect(),
            partners: pinned.map(|card| card.organisation.to_lowercase()).collect(),
        })
    }
}
