//! Partners, their cards and what was agreed with them; our own card.

use super::{Administration, AdministrationAct, Deed, Error, checked_name};
use crate::partners::Terms;
use crate::partners::cards::{self, Refused, Taken};
use crate::partners::identity::{self, Surroundings};
use ledger::{Micros, Partner, PartnerKind, Relation};
use partner::card::Card;
use partner::words;
use policy::role::{Act, Actor};

/// A partner, as it is shown.
#[derive(Clone, Debug)]
pub struct SeenPartner {
    /// Who, and what it runs.
    pub partner: Partner,
    /// What was agreed.
    pub terms: Terms,
    /// Its cards with how they stand, highest serial first.
    pub cards: Vec<(ledger::CardState, Card)>,
}

/// What is changed of what was agreed; what is `None` stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Grade {
    /// How reliable it is as a source, or that it was not judged.
    pub reliability: Option<Option<char>>,
    /// The highest confidence of its objects, or that there is none.
    pub confidence_ceiling: Option<Option<u8>>,
    /// Objects that are taken in an hour, or that there is no limit.
    pub max_objects_per_hour: Option<Option<u64>>,
    /// Bytes that are taken in a day, or that there is no limit.
    pub max_bytes_per_day: Option<Option<u64>>,
    /// Whether it may meet us blindly.
    pub meets: Option<bool>,
}

/// Our card, and the one that it took the place of.
#[derive(Clone, Debug)]
pub struct Retired {
    /// The card that counts.
    pub card: Card,
    /// For a revocation: the card that tells partners of it.
    pub revoked: Option<Card>,
}

impl Administration {
    /// Takes a card in. Without `compared` it is an offer, which counts for nothing, unless it follows from one that counts.
    /// Returns the name of the organisation here: `name`, or what the card says.
    ///
    /// # Errors
    /// [`Error`]; nothing was changed then.
    pub fn take_card(
        &self,
        actor: &Actor,
        text: &[u8],
        name: Option<&str>,
        relation: Relation,
        compared: Option<[u8; 16]>,
        now: Micros,
    ) -> Result<(String, Card, Taken), Error> {
        let deed = Deed::AddPartner;
        self.on_node(actor, Act::ManagePartners, deed, name.unwrap_or_default())?;
        let card = partner::card::read(text)
            .map_err(|error| self.partner_refused(actor, deed, name.unwrap_or_default(), &error.to_string()))?;
        let name = self.name_here(name.unwrap_or(&card.organisation))?;
        checked_name("organisation", &name)?;
        let partners = &*self.partners;
        let is_new = partners.partner(&name)?.is_none();
        let known = is_new && self.book.organisations()?.iter().any(|known| known.name == name);
        if is_new {
            // The card is looked at before anything is kept: what is refused leaves no partner behind.
            self.judge(actor, deed, &name, cards::judge(partners, &self.secret, &name, &card, compared, now))?;
            if !known {
                self.add_organisation(actor, &ledger::Organisation { name: name.clone(), relation })?;
            }
            cards::make_partner(partners, &name, PartnerKind::Node, now)?;
        }
        let taken = cards::take(partners, &self.secret, &name, &card, compared, now);
        let taken = self.judge(actor, deed, &name, taken)?;
        let what = match taken {
            Taken::Offered => "offered, not confirmed",
            Taken::Pinned => "confirmed",
            Taken::Followed => "follows from the one before",
            Taken::Revoked => "revokes all before",
            Taken::Known => "known already",
        };
        self.exchange_done(actor, deed, &name, &format!("{}: {what}", cards::told(&card)));
        Ok((name, card, taken))
    }

    /// Adds a partner that has no card: a TAXII server of another make.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_foreign(&self, actor: &Actor, name: &str, relation: Relation, now: Micros) -> Result<String, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::AddPartner, name)?;
        let name = self.name_here(name)?;
        checked_name("organisation", &name)?;
        if self.partners.partner(&name)?.is_some() {
            return Err(Error::Taken { what: "partner", name });
        }
        if super::own_organisation(&*self.book)?.is_some_and(|own| own == name) {
            return Err(self.partner_refused(actor, Deed::AddPartner, &name, "it is our own organisation"));
        }
        if !self.book.organisations()?.iter().any(|known| known.name == name) {
            self.add_organisation(actor, &ledger::Organisation { name: name.clone(), relation })?;
        }
        cards::make_partner(&*self.partners, &name, PartnerKind::Foreign, now)?;
        self.exchange_done(actor, Deed::AddPartner, &name, "a server of another make, without a card");
        Ok(name)
    }

    /// Confirms the card that a partner offered: these are the words or digits that its people said.
    ///
    /// # Errors
    /// [`Error`]; nothing was changed then.
    pub fn confirm_card(&self, actor: &Actor, name: &str, compared: [u8; 16], now: Micros) -> Result<Card, Error> {
        let deed = Deed::ConfirmPartner;
        let partner = self.partner_for(actor, deed, name)?;
        let offered = cards::offered(&*self.partners, &partner.organisation);
        let offered = self.judge(actor, deed, &partner.organisation, offered)?;
        let Some(card) = offered else {
            return Err(self.partner_refused(
                actor,
                deed,
                &partner.organisation,
                "no card of it waits to be confirmed",
            ));
        };
        let taken = cards::take(&*self.partners, &self.secret, &partner.organisation, &card, Some(compared), now);
        self.judge(actor, deed, &partner.organisation, taken)?;
        self.exchange_done(actor, deed, &partner.organisation, &cards::told(&card));
        Ok(card)
    }

    /// Changes what was agreed with a partner.
    ///
    /// # Errors
    /// [`Error`].
    pub fn grade_partner(&self, actor: &Actor, name: &str, grade: &Grade) -> Result<Terms, Error> {
        let partner = self.partner_for(actor, Deed::GradePartner, name)?;
        let mut terms = Terms::read(&partner.terms);
        terms.reliability = grade.reliability.unwrap_or(terms.reliability);
        terms.confidence_ceiling = grade.confidence_ceiling.unwrap_or(terms.confidence_ceiling);
        terms.max_objects_per_hour = grade.max_objects_per_hour.unwrap_or(terms.max_objects_per_hour);
        terms.max_bytes_per_day = grade.max_bytes_per_day.unwrap_or(terms.max_bytes_per_day);
        terms.meets = grade.meets.unwrap_or(terms.meets);
        terms.check().map_err(Error::Invalid)?;
        let (kept, organisation) = (terms.write(), partner.organisation.clone());
        if kept != partner.terms {
            let detail = String::from_utf8_lossy(&kept).into_owned();
            self.partners.change_partner(&Partner { terms: kept, ..partner })?;
            self.exchange_done(actor, Deed::GradePartner, &organisation, &detail);
        }
        Ok(terms)
    }

    /// Believes no key of a partner any more. It stays a partner; a new card of it must be compared by voice.
    ///
    /// # Errors
    /// [`Error`].
    pub fn revoke_partner(&self, actor: &Actor, name: &str, now: Micros) -> Result<String, Error> {
        let partner = self.partner_for(actor, Deed::RevokePartner, name)?;
        cards::revoke(&*self.partners, &partner.organisation, now)?;
        self.exchange_done(actor, Deed::RevokePartner, &partner.organisation, "all its cards");
        Ok(partner.organisation)
    }

    /// Ends a partnership: cards, links and what waits are gone. The organisation, its members and what it brought stay.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_partner(&self, actor: &Actor, name: &str) -> Result<String, Error> {
        let partner = self.partner_for(actor, Deed::RemovePartner, name)?;
        self.partners.remove_partner(&partner.organisation)?;
        self.exchange_done(actor, Deed::RemovePartner, &partner.organisation, "");
        Ok(partner.organisation)
    }

    /// The partners by name.
    ///
    /// # Errors
    /// [`Error`].
    pub fn exchange_partners(&self, actor: &Actor) -> Result<Vec<SeenPartner>, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ListPartners, "")?;
        self.partners.partners()?.into_iter().map(|partner| self.seen(partner)).collect()
    }

    /// One partner.
    ///
    /// # Errors
    /// [`Error`].
    pub fn exchange_partner(&self, actor: &Actor, name: &str) -> Result<SeenPartner, Error> {
        let partner = self.partner_for(actor, Deed::ListPartners, name)?;
        self.seen(partner)
    }

    /// Our card. It is made at the first use, and written anew where we are reached otherwise than it says (`true`).
    ///
    /// # Errors
    /// [`Error`].
    pub fn own_card(&self, actor: &Actor, here: &Surroundings, now: Micros) -> Result<(Card, bool), Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ShowCard, "")?;
        let (own, changed) = identity::own_at(&*self.partners, &self.secret, Some(here), now)?;
        if changed {
            self.exchange_done(actor, Deed::ShowCard, "", &format!("{}: written anew", cards::told(&own.card)));
        }
        Ok((own.card, changed))
    }

    /// Takes new keys into use; partners follow the new card without a call.
    ///
    /// # Errors
    /// [`Error`].
    pub fn rotate_card(&self, actor: &Actor, here: &Surroundings, now: Micros) -> Result<Retired, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::RotateCard, "")?;
        let own = identity::rotate(&*self.partners, &self.secret, here, now)?;
        self.exchange_done(actor, Deed::RotateCard, "", &cards::told(&own.card));
        Ok(Retired { card: own.card, revoked: None })
    }

    /// Takes our keys back and new ones into use; partners must compare the new card by voice.
    ///
    /// # Errors
    /// [`Error`].
    pub fn revoke_card(&self, actor: &Actor, here: &Surroundings, now: Micros) -> Result<Retired, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::RevokeCard, "")?;
        let own = identity::revoke(&*self.partners, &self.secret, here, now)?;
        self.exchange_done(actor, Deed::RevokeCard, "", &cards::told(&own.card));
        Ok(Retired { card: own.card, revoked: own.revoked.last().cloned() })
    }

    fn seen(&self, partner: Partner) -> Result<SeenPartner, Error> {
        let read = |kept: ledger::Card| {
            let damaged = |_| identity::Error::Damaged(format!("a card of {}", kept.organisation));
            Ok((kept.state, partner::card::read(&kept.body).map_err(damaged)?))
        };
        let cards = self.partners.cards(&partner.organisation)?.into_iter().map(read).collect::<Result<_, Error>>()?;
        Ok(SeenPartner { terms: Terms::read(&partner.terms), partner, cards })
    }

    /// The partner that the actor may change.
    fn partner_for(&self, actor: &Actor, deed: Deed, name: &str) -> Result<Partner, Error> {
        self.on_node(actor, Act::ManagePartners, deed, name)?;
        let found = self.partners.partner(name.trim())?;
        found.ok_or_else(|| Error::Unknown { what: "partner", name: name.to_owned() })
    }

    /// The organisation as it is written here, where it is known.
    fn name_here(&self, name: &str) -> Result<String, Error> {
        let lower = name.to_lowercase();
        let found = self.book.organisations()?.into_iter().find(|known| known.name.to_lowercase() == lower);
        Ok(found.map_or_else(|| name.to_owned(), |known| known.name))
    }

    fn judge<T>(&self, actor: &Actor, deed: Deed, name: &str, verdict: Result<T, Refused>) -> Result<T, Error> {
        verdict.map_err(|refused| match refused {
            Refused::Because(why) => self.partner_refused(actor, deed, name, &why),
            Refused::Ledger(error) => Error::Register(error),
            Refused::Identity(error) => Error::Identity(error),
        })
    }

    fn partner_refused(&self, actor: &Actor, deed: Deed, subject: &str, why: &str) -> Error {
        self.record(&AdministrationAct { actor, deed, subject, organisation: None, detail: Some(why), done: false });
        Error::NotTaken(why.to_owned())
    }

    fn exchange_done(&self, actor: &Actor, deed: Deed, subject: &str, detail: &str) {
        self.record(&AdministrationAct { actor, deed, subject, organisation: None, detail: Some(detail), done: true });
    }
}

/// The fingerprint that somebody said, in words or in digits.
///
/// # Errors
/// [`Error::Invalid`]: what is wrong with it.
pub fn said(words_said: Option<&str>, digits: Option<&str>) -> Result<Option<[u8; 16]>, Error> {
    let read = match (words_said, digits) {
        (Some(words_said), _) => Some(words::hear(words_said)),
        (None, Some(digits)) => Some(words::read_digits(digits)),
        (None, None) => None,
    };
    read.transpose().map_err(|error| Error::Invalid(error.to_string()))
}
