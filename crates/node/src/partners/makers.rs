//! Whose an object is that names an identity: what was declared of identities here, and what must be proven.

use ledger::{CardState, Partners};
use partner::seal::Verified;
use policy::Author;
use std::collections::{BTreeMap, BTreeSet};

/// Which organisation signs with which STIX identity, and of whom a proof is asked.
///
/// INVARIANT: of an organisation that has ever shown us a card that was confirmed, [`Makers::author`] calls nothing its own
/// without a proof, but what its own members bring in if it is the node's own organisation.
#[derive(Clone, Debug, Default)]
pub struct Makers {
    /// Identities by which organisations were declared to sign.
    declared: BTreeMap<String, String>,
    /// Identities on cards: a declaration counts for nothing there.
    on_cards: BTreeSet<String>,
    /// Organisations with such cards, in lower case.
    carded: BTreeSet<String>,
    /// The node's own organisation, in lower case.
    own: Option<String>,
}

impl Makers {
    /// As the register says.
    ///
    /// # Errors
    /// Those of the register.
    pub fn read(register: &dyn Partners) -> ledger::Result<Self> {
        let mut makers = Self::declared(crate::known::makers(&register.standings()?));
        let own = register.note(crate::administration::OWN_ORGANISATION)?;
        makers.own = own.and_then(|name| String::from_utf8(name).ok()).map(|name| name.to_lowercase());
        // A card that was revoked or replaced asks for proofs all the same: nobody may speak for whom it was.
        for kept in register.all_cards()?.iter().filter(|card| card.state != CardState::Offered) {
            makers.carded.insert(kept.organisation.to_lowercase());
            if let Ok(card) = partner::card::read(&kept.body) {
                makers.on_cards.extend(card.identities);
            }
        }
        Ok(makers)
    }

    /// Identities that were declared, where nobody has a card.
    #[must_use]
    pub fn declared(declared: BTreeMap<String, String>) -> Self {
        Self { declared, ..Self::default() }
    }

    /// Who made an object that names this identity, as against `owner` who brings it in; with the proof of that, if there
    /// is one.
    #[must_use]
    pub fn author(&self, identity: Option<&str>, owner: &str, proof: Option<&Verified>) -> Author {
        self.made_by(identity, owner, proof.map(Verified::organisation))
    }

    fn made_by(&self, identity: Option<&str>, owner: &str, proven: Option<&str>) -> Author {
        let as_seen_by = |maker: &str| match same(maker, owner) {
            true => Author::Owner,
            false => Author::Organisation(maker.to_owned()),
        };
        if let Some(proven) = proven {
            return as_seen_by(proven);
        }
        let Some(identity) = identity else { return Author::Owner };
        match self.declared.get(identity) {
            Some(maker) if self.is_own(maker) && same(maker, owner) => Author::Owner,
            Some(maker) if !self.is_own(maker) && !self.needs_proof(identity, maker) => as_seen_by(maker),
            // Without cards of others, members of all organisations of this node say what they are.
            Some(maker) if self.is_own(maker) && self.carded.is_empty() => as_seen_by(maker),
            _ => Author::Foreign,
        }
    }

    /// Whether an object that names this identity has to be proven to be whose it says, if `owner` brings it in.
    #[must_use]
    pub fn asks(&self, identity: &str, owner: &str) -> bool {
        if self.carded.is_empty() {
            return false;
        }
        match self.declared.get(identity) {
            Some(maker) if self.is_own(maker) => !same(maker, owner),
            Some(maker) => self.needs_proof(identity, maker),
            None => self.on_cards.contains(&identity.to_ascii_lowercase()),
        }
    }

    /// Whether a card of anybody is known: there are seals then.
    #[must_use]
    pub fn know_cards(&self) -> bool {
        !self.carded.is_empty()
    }

    fn needs_proof(&self, identity: &str, maker: &str) -> bool {
        !self.carded.is_empty()
            && (self.carded.contains(&maker.to_lowercase()) || self.on_cards.contains(&identity.to_ascii_lowercase()))
    }

    fn is_own(&self, organisation: &str) -> bool {
        self.own.as_ref().is_some_and(|own| *own == organisation.to_lowercase())
    }
}

fn same(one: &str, two: &str) -> bool {
    one == two || one.to_lowercase() == two.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_whom_a_card_is_known_a_proof_is_asked() {
        let declared =
            [("identity--u", "Us"), ("identity--a", "Alpha"), ("identity--b", "Beta"), ("identity--x", "Beta")];
        let declared = declared.map(|(identity, name)| (identity.to_owned(), name.to_owned()));
        let makers = Makers {
            declared: declared.into(),
            on_cards: ["identity--a", "identity--x"].map(str::to_owned).into(),
            carded: ["alpha".to_owned()].into(),
            own: Some("us".to_owned()),
        };
        let organisation = |name: &str| Author::Organisation(name.to_owned());
        for (identity, owner, proven, expected) in [
            // What the node's own members bring in its name needs no proof; what others bring in it does.
            (Some("identity--u"), "Us", None, Author::Owner),
            (Some("identity--u"), "Beta", None, Author::Foreign),
            (Some("identity--u"), "Beta", Some("Us"), organisation("Us")),
            // Nobody says without a proof that it is of whom a card is known, not even the one who is.
            (Some("identity--a"), "Us", None, Author::Foreign),
            (Some("identity--a"), "Alpha", None, Author::Foreign),
            (Some("identity--a"), "ALPHA", Some("Alpha"), Author::Owner),
            (Some("identity--a"), "Us", Some("Alpha"), organisation("Alpha")),
            // An identity on somebody's card cannot be declared to be another's.
            (Some("identity--x"), "Beta", None, Author::Foreign),
            // Of whom no card is known counts what was declared.
            (Some("identity--b"), "beta", None, Author::Owner),
            (Some("identity--b"), "Us", None, organisation("Beta")),
            (Some("identity--nobody"), "Us", None, Author::Foreign),
            // Who brings what names nobody stands for it, unless somebody proves that it is theirs.
            (None, "Alpha", None, Author::Owner),
            (None, "Us", Some("Alpha"), organisation("Alpha")),
        ] {
            assert_eq!(makers.made_by(identity, owner, proven), expected, "{identity:?} {owner} {proven:?}");
        }
    }
}
