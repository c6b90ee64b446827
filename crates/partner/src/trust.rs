//! Whose signature counts: the keys on cards that were confirmed.

use crate::card::Card;
use crate::key::KeyId;
use crate::signature::VerifyKey;
use crate::signed::{Error, Unverified};
use std::collections::BTreeMap;

/// How far apart two clocks may be, in microseconds: a card that begins in a moment, or ended a moment ago, counts.
pub const CLOCKS_APART: i64 = 5 * 60 * 1_000_000;

/// How a card stands here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was confirmed, or follows from one that was.
    Pinned,
    /// A newer one took its place. What its key signed goes on to count.
    Replaced,
    /// Nothing that its key signed counts.
    Revoked,
}

/// The cards that count: our own, and those of partners.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    cards: Vec<Held>,
    own: Option<usize>,
    keys: BTreeMap<KeyId, Key>,
    identities: BTreeMap<String, Option<usize>>,
    nodes: BTreeMap<String, Option<usize>>,
    organisations: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Held {
    organisation: String,
    card: Card,
}

#[derive(Clone, Debug)]
enum Key {
    Counts(VerifyKey, usize),
    Revoked,
    /// Two organisations have it: nobody knows whose it is.
    Shared,
}

/// By whom something was signed.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'k> {
    /// The organisation, by its name here.
    pub organisation: &'k str,
    /// The card by which its key counts.
    pub card: &'k Card,
}

impl Keyring {
    /// The keyring of our own card (whose organisation has the same name here) and those of others, each with the name of the
    /// organisation here and how it stands. Offered cards have no place in it.
    #[must_use]
    pub fn new(own: Option<Card>, cards: Vec<(String, Card, Standing)>) -> Self {
        let mut ring = Self::default();
        if let Some(card) = own {
            let organisation = card.organisation.clone();
            ring.own = Some(ring.cards.len());
            ring.pin(organisation, card);
        }
        let (revoked, counting): (Vec<_>, Vec<_>) =
            cards.into_iter().partition(|(_, card, standing)| *standing == Standing::Revoked || card.revoked);
        // What is pinned first, so that a key is found on the newest card that speaks for it.
        let (pinned, replaced): (Vec<_>, Vec<_>) =
            counting.into_iter().partition(|(.., standing)| *standing == Standing::Pinned);
        for (organisation, card, _) in pinned {
            ring.pin(organisation, card);
        }
        for (organisation, card, _) in replaced {
            ring.add(organisation, card);
        }
        for (organisation, card, _) in revoked {
            ring.keys.insert(KeyId::of(&card.keys.sign), Key::Revoked);
            // Whose keys were all revoked is still who they are: what comes in their name must not pass as somebody's without
            // a card.
            ring.name(organisation, card);
        }
        ring
    }

    /// A card that speaks for its organisation.
    fn pin(&mut self, organisation: String, card: Card) {
        self.organisations.entry(organisation.to_lowercase()).or_insert(self.cards.len());
        self.add_keys(&organisation, &card);
        self.name(organisation, card);
    }

    /// A card that says who its organisation is.
    fn name(&mut self, organisation: String, card: Card) {
        let place = self.cards.len();
        self.cards.push(Held { organisation, card });
        let Some(Held { organisation, card }) = self.cards.last() else { return };
        let claim = |names: &mut BTreeMap<String, Option<usize>>, name: &str| {
            let slot = names.entry(name.to_owned()).or_insert(Some(place));
            // Two organisations that claim it: neither is believed.
            if slot
                .is_some_and(|other| self.cards.get(other).is_none_or(|held| !same(&held.organisation, organisation)))
            {
                *slot = None;
            }
        };
        card.identities.iter().for_each(|identity| claim(&mut self.identities, identity));
        claim(&mut self.nodes, card.node());
    }

    fn add(&mut self, organisation: String, card: Card) {
        self.add_keys(&organisation, &card);
        self.cards.push(Held { organisation, card });
    }

    /// A card by whose keys statements count.
    fn add_keys(&mut self, organisation: &str, card: &Card) {
        let place = self.cards.len();
        for bytes in card.former.iter().chain([&card.keys.sign]) {
            let Some(point) = VerifyKey::of(bytes) else { continue };
            let id = KeyId::of(bytes);
            match self.keys.get(&id) {
                None => {
                    self.keys.insert(id, Key::Counts(point, place));
                }
                Some(Key::Counts(_, other)) if self.is_other(*other, organisation) => {
                    self.keys.insert(id, Key::Shared);
                }
                Some(_) => {}
            }
        }
    }

    fn is_other(&self, place: usize, organisation: &str) -> bool {
        self.cards.get(place).is_none_or(|held| !same(&held.organisation, organisation))
    }

    /// Whose key this is, if it counts at `now`.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Lapsed`].
    pub fn signer(&self, key: &KeyId, now: i64) -> Result<Signer<'_>, Error> {
        Ok(self.find(key, now)?.0)
    }

    pub(crate) fn find(&self, key: &KeyId, now: i64) -> Result<(Signer<'_>, &VerifyKey), Error> {
        let lapsed = |why| Error::Lapsed { key: key.clone(), why };
        let (point, place) = match self.keys.get(key) {
            Some(Key::Counts(point, place)) => (point, place),
            Some(Key::Revoked) => return Err(lapsed("which was revoked")),
            Some(Key::Shared) => return Err(lapsed("which is on the cards of two organisations")),
            None => return Err(Error::Key(key.clone())),
        };
        let held = self.cards.get(*place).ok_or_else(|| Error::Key(key.clone()))?;
        if now.saturating_add(CLOCKS_APART) < held.card.from {
            return Err(lapsed("whose card does not count yet"));
        }
        if held.card.until.is_some_and(|until| until <= now.saturating_sub(CLOCKS_APART)) {
            return Err(lapsed("whose card has expired"));
        }
        Ok((Signer { organisation: &held.organisation, card: &held.card }, point))
    }

    /// Whose card names this STIX identity, by the organisation's name here. One whose cards were revoked is named as well:
    /// nothing verifies in its name.
    #[must_use]
    pub fn organisation_of(&self, identity: &str) -> Option<&str> {
        self.named(self.identities.get(identity)?.as_ref())
    }

    /// Whose node has this id on the wire.
    #[must_use]
    pub fn organisation_of_node(&self, node: &str) -> Option<&str> {
        self.named(self.nodes.get(node)?.as_ref())
    }

    fn named(&self, place: Option<&usize>) -> Option<&str> {
        self.cards.get(*place?).map(|held| held.organisation.as_str())
    }

    /// Whether any card that counts names this identity, even where two do and it is nobody's.
    #[must_use]
    pub fn knows(&self, identity: &str) -> bool {
        self.identities.contains_key(identity)
    }

    /// The pinned card of an organisation, whatever the time.
    #[must_use]
    pub fn card(&self, organisation: &str) -> Option<&Card> {
        let place = self.organisations.get(&organisation.to_lowercase())?;
        self.cards.get(*place).map(|held| &held.card)
    }

    /// Our own card.
    #[must_use]
    pub fn own(&self) -> Option<&Card> {
        self.cards.get(self.own?).map(|held| &held.card)
    }

    /// Whether more cards of an organisation are known than the one that is pinned: some of its keys may count no more.
    #[must_use]
    pub fn has_changed(&self, organisation: &str) -> bool {
        self.cards.iter().filter(|held| same(&held.organisation, organisation)).nth(1).is_some()
    }

    /// The organisations with a pinned card, our own included.
    pub fn organisations(&self) -> impl Iterator<Item = &str> {
        self.organisations.values().filter_map(|place| self.named(Some(place)))
    }
}

fn same(one: &str, two: &str) -> bool {
    one.to_lowercase() == two.to_lowercase()
}

impl Unverified {
    /// By whom the statement was signed.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Lapsed`], [`Error::Signature`].
    pub fn verify<'k>(&self, ring: &'k Keyring, now: i64) -> Result<Signer<'k>, Error> {
        let (signer, key) = ring.find(&self.key, now)?;
        if key.verify(&self.message, &self.signature) { Ok(signer) } else { Err(Error::Signature) }
    }
}

#[cfg(test)]
mod tests;
