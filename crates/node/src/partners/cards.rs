//! Cards of partners: which one counts, and what follows from a new one. Nothing is trusted at first sight: an offered card
//! counts for nothing until somebody has compared it by voice.

pub mod told;

use super::identity;
use ledger::{CardState, Micros, Partner, PartnerKind, Partners, Standing};
use partner::card::{Card, Unfollowed};
use partner::trust::CLOCKS_APART;
use partner::words;

/// What became of a card.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It waits until it is confirmed.
    Offered,
    /// It counts from now on: it was compared by voice.
    Pinned,
    /// It counts from now on in the place of one that counted, from which it follows.
    Followed,
    /// It says that the keys of the one that counted are not to be believed any more. Nothing of the partner counts now.
    Revoked,
    /// It counts already.
    Known,
}

/// Why a card was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It cannot be.
    #[error("{0}")]
    Because(String),
    /// The register refused.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// Our own card cannot be read.
    #[error(transparent)]
    Identity(#[from] identity::Error),
}

fn because<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Because(why.into()))
}

/// What would become of a card of an organisation. `compared`: the fingerprint that the partner's people said.
///
/// # Errors
/// [`Refused`].
pub fn judge<B: Partners + ?Sized>(
    book: &B,
    secret: &crate::home::Secret,
    organisation: &str,
    card: &Card,
    compared: Option<[u8; 16]>,
    now: Micros,
) -> Result<Taken, Refused> {
    if compared.is_some_and(|compared| compared != card.fingerprint()) {
        return because("the words or digits are those of another card: it was altered on the way, or is not theirs");
    }
    let cards = book.cards(organisation)?;
    let pinned = cards.iter().find(|kept| kept.state == CardState::Pinned).map(read).transpose()?;
    if let Some(pinned) = &pinned {
        match card.follows(pinned) {
            Ok(()) if card.revoked => return Ok(Taken::Revoked),
            Ok(()) => return may_count(book, secret, organisation, card, now).map(|()| Taken::Followed),
            Err(Unfollowed::Same) => return Ok(Taken::Known),
            // With another key, and compared by voice: they have lost the old one, or revoked it.
            Err(Unfollowed::Key) if compared.is_some() && card.serial > pinned.serial => {}
            Err(why) => return because(why.to_string()),
        }
    }
    let settled = |kept: &&ledger::Card| kept.state != CardState::Offered;
    if let Some(newest) = cards.iter().filter(settled).map(|kept| kept.serial).max()
        && card.serial <= newest
    {
        return because(format!("its serial is {}, and a card with {newest} was settled already", card.serial));
    }
    may_count(book, secret, organisation, card, now)?;
    Ok(if compared.is_some() { Taken::Pinned } else { Taken::Offered })
}

/// Takes a card of a partner: [`judge`], and does it.
///
/// # Errors
/// [`Refused`]; nothing was changed then.
pub fn take<B: Partners + ?Sized>(
    book: &B,
    secret: &crate::home::Secret,
    organisation: &str,
    card: &Card,
    compared: Option<[u8; 16]>,
    now: Micros,
) -> Result<Taken, Refused> {
    let taken = judge(book, secret, organisation, card, compared, now)?;
    match taken {
        Taken::Known => {}
        Taken::Offered => keep(book, organisation, card, CardState::Offered, now)?,
        Taken::Followed => pin(book, organisation, card, now)?,
        Taken::Pinned => {
            // Nothing leads from an old key to this one: the old one may be in other hands.
            let cards = book.cards(organisation)?;
            let counts = |kept: &ledger::Card| matches!(kept.state, CardState::Pinned | CardState::Replaced);
            revoke_all(book, &cards.into_iter().filter(counts).collect::<Vec<_>>(), now)?;
            pin(book, organisation, card, now)?;
        }
        Taken::Revoked => {
            revoke(book, organisation, now)?;
            keep(book, organisation, card, CardState::Revoked, now)?;
        }
    }
    Ok(taken)
}

/// The card of a partner that waits to be confirmed: the newest.
///
/// # Errors
/// [`Refused`].
pub fn offered<B: Partners + ?Sized>(book: &B, organisation: &str) -> Result<Option<Card>, Refused> {
    let cards = book.cards(organisation)?;
    cards.iter().find(|kept| kept.state == CardState::Offered).map(read).transpose()
}

/// No key of the partner counts any more, confirmed or offered.
///
/// # Errors
/// [`ledger::Error`].
pub fn revoke<B: Partners + ?Sized>(book: &B, organisation: &str, now: Micros) -> ledger::Result<()> {
    revoke_all(book, &book.cards(organisation)?, now)
}

/// Makes an organisation that exists a partner, if it is none.
///
/// # Errors
/// [`ledger::Error`].
pub fn make_partner<B: Partners + ?Sized>(
    book: &B,
    organisation: &str,
    kind: PartnerKind,
    now: Micros,
) -> ledger::Result<()> {
    if book.partner(organisation)?.is_some() {
        return Ok(());
    }
    let (organisation, terms) = (organisation.to_owned(), super::Terms::default().write());
    book.add_partner(&Partner { organisation, kind, terms, added: now })
}

/// How a fingerprint is told in the audit log: its digits.
#[must_use]
pub fn told(card: &Card) -> String {
    format!("card {} ({})", card.serial, words::digits(&card.fingerprint()))
}

fn read(kept: &ledger::Card) -> Result<Card, Refused> {
    let read = partner::card::read(&kept.body);
    Ok(read.map_err(|_| identity::Error::Damaged(format!("a card of {}", kept.organisation)))?)
}

/// Whether the card may be one that counts at all: in its time, of nobody else.
fn may_count<B: Partners + ?Sized>(
    book: &B,
    secret: &crate::home::Secret,
    organisation: &str,
    card: &Card,
    now: Micros,
) -> Result<(), Refused> {
    if card.revoked {
        return because("it says that its keys are not to be believed any more");
    }
    let lower = organisation.to_lowercase();
    let own = identity::own(book, secret)?.card;
    if own.organisation.to_lowercase() == lower || own.keys.sign == card.keys.sign {
        return because("it is our own card");
    }
    if card.until.is_some_and(|until| until <= now.saturating_sub(CLOCKS_APART)) {
        return because("it has expired");
    }
    if now.saturating_add(CLOCKS_APART) < card.from {
        return because("it does not count yet: are both clocks right?");
    }
    let mut taken: Vec<String> = own.identities;
    let standings = book.standings()?;
    let others = standings.into_iter().filter(|standing| standing.organisation.to_lowercase() != lower);
    taken.extend(others.flat_map(|standing| standing.identities));
    for kept in book.all_cards()? {
        if kept.organisation.to_lowercase() != lower && kept.state != CardState::Offered {
            let other = read(&kept)?;
            if other.keys.sign == card.keys.sign || other.former.contains(&card.keys.sign) {
                return because("its key is on the card of another organisation");
            }
            taken.extend(other.identities);
        }
    }
    match card.identities.iter().find(|id| taken.contains(id)) {
        Some(id) => because(format!("it claims `{id}`, by which another organisation signs")),
        None => Ok(()),
    }
}

fn keep<B: Partners + ?Sized>(
    book: &B,
    organisation: &str,
    card: &Card,
    state: CardState,
    at: Micros,
) -> ledger::Result<()> {
    let (organisation, body) = (organisation.to_owned(), card.text().to_vec());
    book.set_card(&ledger::Card { organisation, serial: card.serial, state, body, at })
}

/// Lets a card count, and its identities be those by which the organisation signs.
fn pin<B: Partners + ?Sized>(book: &B, organisation: &str, card: &Card, now: Micros) -> Result<(), Refused> {
    let standings = book.standings()?;
    let lower = organisation.to_lowercase();
    let held = standings.into_iter().find(|standing| standing.organisation.to_lowercase() == lower);
    let mut standing =
        held.unwrap_or_else(|| Standing { organisation: organisation.to_owned(), ..Standing::default() });
    let new = card.identities.iter().filter(|id| !standing.identities.contains(id)).cloned().collect::<Vec<_>>();
    if !new.is_empty() {
        standing.identities.extend(new);
        standing.identities.sort();
        book.set_standing(&standing)?;
    }
    if let Some(partner) = book.partner(organisation)?
        && partner.kind != PartnerKind::Node
    {
        book.change_partner(&Partner { kind: PartnerKind::Node, ..partner })?;
    }
    keep(book, organisation, card, CardState::Pinned, now)?;
    Ok(())
}

fn revoke_all<B: Partners + ?Sized>(book: &B, cards: &[ledger::Card], now: Micros) -> ledger::Result<()> {
    // The one that counts last: were this cut short, it would still be seen that something is to be done.
    let order = |kept: &&ledger::Card| kept.state == CardState::Pinned;
    let (last, others): (Vec<_>, Vec<_>) = cards.iter().partition(order);
    for kept in others.into_iter().chain(last).filter(|kept| kept.state != CardState::Revoked) {
        book.set_card(&ledger::Card { state: CardState::Revoked, at: now, ..kept.clone() })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
