//! Asks the book, at the moment of the match, whether an indicator stands and means the value that was met.

use super::names::Uuid;
use super::object::{Object, Said, micros};
use super::{Error, Followed, Shared, holds, read};
use crate::eyes::Eyes;
use crate::watch::hits::Indicator;
use crate::{door::Selected, export};
use ::watch::standing::{Claimed, Standing};
use ledger::{ClassNo, Filter, Ledger as _, Micros, Seq, Versions};
use observable::{Claim, Kind};
use policy::{Class, Classes as _, Facts as _, Meaning, Tlp};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long what the book said of an indicator is believed.
const BELIEVED: Duration = Duration::from_millis(250);
/// Indicators of which it is remembered.
const MOST: usize = 20_000;

/// What the book said of an indicator: itself and its claims, or that it is not there for us.
type Stands = Option<(Arc<Indicator>, Arc<[Claim]>)>;

/// What the book said lately.
#[derive(Debug, Default)]
pub(super) struct Cache(HashMap<u64, (Instant, Stands)>, HashMap<Uuid, u64>);

impl Cache {
    /// Forgets what was said of these.
    pub(super) fn forget(&mut self, keys: &[Uuid]) {
        for key in keys {
            if let Some(name) = self.1.remove(key) {
                self.0.remove(&name);
            }
        }
    }

    /// Forgets everything: what it was said by may have changed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
        self.1.clear();
    }

    fn get(&self, name: u64) -> Option<Stands> {
        self.0.get(&name).filter(|(since, _)| since.elapsed() < BELIEVED).map(|(_, stands)| stands.clone())
    }

    fn put(&mut self, name: u64, uuid: Option<Uuid>, stands: Stands) {
        if self.0.len() >= MOST {
            self.clear();
        }
        self.0.insert(name, (Instant::now(), stands));
        if let Some(uuid) = uuid {
            self.1.insert(uuid, name);
        }
    }
}

impl Followed {
    /// The indicator of this name, if it stands at this instant and means this value: it is there for our own organisation, it
    /// is not revoked, and its window is open. What a pattern was met by as a whole is not looked at again.
    ///
    /// # Errors
    /// [`Error`]: the book cannot be asked, so that nothing is known.
    pub fn confirm(&self, name: u64, kind: Kind, value: &[u8], at: Micros) -> Result<Option<Arc<Indicator>>, Error> {
        if kind == Kind::Pattern {
            return self.standing(name, at);
        }
        let Some((indicator, claims)) = self.shared.stands(name)? else { return Ok(None) };
        let standing = self.shared.standing(indicator, at);
        Ok(standing.filter(|_| claims.iter().any(|claim| holds::holds(claim, kind, value))))
    }

    /// The indicator of this name, if it stands at this instant: for a pattern that was met as a whole.
    ///
    /// # Errors
    /// [`Error`].
    pub fn standing(&self, name: u64, at: Micros) -> Result<Option<Arc<Indicator>>, Error> {
        let stands = self.shared.stands(name)?;
        Ok(stands.and_then(|(indicator, _)| self.shared.standing(indicator, at)))
    }
}

/// The newest version of an object that was found so far.
struct Newest {
    order: (i64, u32),
    revoked: bool,
    seq: Seq,
    class: ClassNo,
    body: Vec<u8>,
}

impl Shared {
    /// The indicator, if its window is open and it has not decayed; with what is left of its score.
    fn standing(&self, indicator: Arc<Indicator>, at: Micros) -> Option<Arc<Indicator>> {
        let claimed = Claimed {
            valid_from: indicator.valid_from,
            valid_until: indicator.valid_until,
            revoked: false,
            confidence: indicator.score.or(indicator.confidence),
            refreshed: micros(Some(&indicator.modified)),
        };
        match claimed.standing(at, self.settings.decay.as_ref()) {
            Standing::Live { score: Some(score) } => {
                // From 0 to 100, by the model's own bounds.
                let score = Some(score.clamp(0.0, 100.0) as u8);
                let unchanged = indicator.score == score;
                Some(if unchanged { indicator } else { Arc::new(Indicator { score, ..(*indicator).clone() }) })
            }
            Standing::Live { score: None } => Some(indicator),
            Standing::NotYet | Standing::Expired | Standing::Revoked | Standing::Decayed { .. } => None,
        }
    }

    fn stands(&self, name: u64) -> Result<Stands, Error> {
        let held = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).get(name);
        if let Some(stands) = held {
            return Ok(stands);
        }
        let id = self.names.read().unwrap_or_else(PoisonError::into_inner).id(name);
        let Some(id) = id else { return Ok(None) };
        let stands = self.asked(&id)?.map(|(indicator, claims)| (Arc::new(indicator), claims.into()));
        let uuid = super::names::uuid_of(&id);
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).put(name, uuid, stands.clone());
        Ok(stands)
    }

    /// What the book says of an indicator now.
    fn asked(&self, id: &str) -> Result<Option<(Indicator, Vec<Claim>)>, Error> {
        let gate = self.door.gate(self.viewer.clone(), self.at());
        let collections = export::readable(&*self.book, &self.viewer)?;
        let reads = |no| collections.contains(&no);
        let mut best: Option<Newest> = None;
        for collection in &collections {
            let eyes = Eyes::new(&gate, self.door.references(), &reads);
            let filter = Filter {
                collection: *collection,
                after: None,
                keys: Some(vec![id]),
                kinds: Some(vec!["indicator"]),
                versions: Versions::last(),
                dialects: None,
                limit: 1,
                max_bytes: usize::MAX >> 1,
            };
            let mut content = Vec::new();
            let page = self.book.objects(&filter, &eyes, &mut content)?;
            let (Some(seq), Some(class)) = (page.last, page.classes.first().copied()) else { continue };
            let body = gate.admit(Selected { page, content })?.into_inner().content;
            let Some(object) = Object::read(&body) else { continue };
            let (order, revoked) = (object.order(), object.revoked);
            if best.as_ref().is_none_or(|held| !held.revoked && (revoked || held.order < order)) {
                best = Some(Newest { order, revoked, seq, class, body });
            }
        }
        let Some(Newest { revoked: false, seq, class, body, .. }) = best else { return Ok(None) };
        let Some(object) = Object::read(&body).filter(|object| read::is_sure(self, object)) else {
            return Ok(None);
        };
        let claims = match object.said() {
            Said::Claims(claims) => claims,
            Said::More(_) => Vec::new(),
            Said::Nothing(_) => return Ok(None),
        };
        Ok(Some((self.indicator(&object, seq, class), claims)))
    }

    fn indicator(&self, object: &Object<'_>, seq: Seq, class: ClassNo) -> Indicator {
        let class = self.door.definition(class.0).and_then(|bytes| Class::from_definition(&bytes)).unwrap_or_default();
        let level = |id: &String| {
            stix::marking::tlp_of(id).or_else(|| match self.door.meaning(id, &class.owner) {
                Meaning::Tlp(tlp) => Some(tlp),
                Meaning::Handling(tlp, _) => tlp,
                _ => None,
            })
        };
        let levels = class.markings.iter().chain(&class.binding).filter_map(level);
        let tlp: Tlp = levels.max().unwrap_or(self.door.rules().default_marking);
        Indicator {
            id: object.id.clone().into_owned(),
            modified: object.version().to_owned(),
            seq,
            source: class.owner,
            author: object.created_by_ref.as_deref().map(str::to_owned),
            name: object.name.as_deref().map(str::to_owned),
            confidence: object.confidence,
            score: super::voices::score(self, object),
            is_wrong: super::voices::is_wrong(self, object),
            tlp,
            markings: object.object_marking_refs.clone(),
            valid_from: micros(object.valid_from.as_deref()).or_else(|| object.created()),
            valid_until: micros(object.valid_until.as_deref()),
            pattern: object.pattern.as_deref().unwrap_or_default().to_owned(),
        }
    }
}
