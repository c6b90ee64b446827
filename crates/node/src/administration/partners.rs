//! How organisations stand to the node's own, and what markings mean here.

use super::{Administration, AdministrationAct, Deed, Error};
use crate::{config, meaning};
use ledger::{Organisation, Relation, Standing};
use policy::role::{Act, Actor};

/// What an organisation signs with and what it gets; what is `None` stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Terms {
    /// The STIX identities by which it signs what it makes.
    pub identities: Option<Vec<String>>,
    /// The strictest marking that it is ever given, or that there is none.
    pub ceiling: Option<Option<String>>,
    /// Its own rules about data of persons.
    pub personal: Option<Vec<String>>,
}

impl Terms {
    fn check(&self) -> Result<(), Error> {
        for id in self.identities.iter().flatten() {
            if !stix::id::Id::parse(id).is_ok_and(|id| id.object_type() == "identity") {
                return Err(Error::Invalid(format!("`{id}` is no id of a STIX identity")));
            }
        }
        if let Some(Some(ceiling)) = &self.ceiling
            && meaning::tlp(ceiling).is_none()
        {
            return Err(Error::Invalid(format!("`{ceiling}` is no TLP level")));
        }
        match self.personal.iter().flatten().find(|rule| !config::is_treatment(rule)) {
            Some(rule) => Err(Error::Invalid(format!("`{rule}` must be {}", config::PERSONAL_RULE))),
            None => Ok(()),
        }
    }

    fn over(&self, held: &Standing) -> Standing {
        let mut standing = held.clone();
        if let Some(identities) = &self.identities {
            standing.identities.clone_from(identities);
            standing.identities.sort();
            standing.identities.dedup();
        }
        if let Some(ceiling) = &self.ceiling {
            standing.ceiling = ceiling.as_ref().map(|word| word.to_lowercase());
        }
        if let Some(rules) = &self.personal {
            standing.personal.clone_from(rules);
        }
        standing
    }
}

impl Administration {
    /// Every organisation with what it is to the sharing model.
    ///
    /// # Errors
    /// [`Error`].
    pub fn organisations(&self, actor: &Actor) -> Result<Vec<(Organisation, Standing)>, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ListOrganisations, "")?;
        let standings = self.book.standings()?;
        let with = |organisation: Organisation| {
            let standing = held(&standings, &organisation.name);
            (organisation, standing)
        };
        Ok(self.book.organisations()?.into_iter().map(with).collect())
    }

    /// Adds an organisation with its terms; both or neither.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_partner(&self, actor: &Actor, organisation: &Organisation, terms: &Terms) -> Result<Standing, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::AddOrganisation, &organisation.name)?;
        terms.check()?;
        let standings = self.book.standings()?;
        let standing = terms.over(&held(&standings, &organisation.name));
        unsigned_by_others(&standings, &standing)?;
        self.add_organisation(actor, organisation)?;
        self.keep_standing(actor, &standings, &standing)?;
        Ok(standing)
    }

    /// Changes how an organisation stands to the node's own. It acts at once on everything that is stored.
    ///
    /// # Errors
    /// [`Error`]; nothing was changed then.
    pub fn change_partner(
        &self,
        actor: &Actor,
        name: &str,
        relation: Option<Relation>,
        terms: &Terms,
    ) -> Result<(Organisation, Standing), Error> {
        let deed = if relation.is_some() { Deed::SetRelation } else { Deed::SetStanding };
        self.on_node(actor, Act::ManagePartners, deed, name)?;
        terms.check()?;
        let lower = name.trim().to_lowercase();
        let found = self.book.organisations()?.into_iter().find(|known| known.name.to_lowercase() == lower);
        let mut organisation = found.ok_or_else(|| Error::Unknown { what: "organisation", name: name.to_owned() })?;
        let standings = self.book.standings()?;
        let standing = terms.over(&held(&standings, &organisation.name));
        unsigned_by_others(&standings, &standing)?;
        self.keep_standing(actor, &standings, &standing)?;
        if let Some(relation) = relation {
            self.book.set_relation(&organisation.name, relation)?;
            organisation.relation = relation;
            self.partner_done(actor, Deed::SetRelation, &organisation.name, Some(relation_word(relation)));
        }
        Ok((organisation, standing))
    }

    fn keep_standing(&self, actor: &Actor, standings: &[Standing], standing: &Standing) -> Result<(), Error> {
        if *standing == held(standings, &standing.organisation) {
            return Ok(());
        }
        match self.book.set_standing(standing) {
            Err(ledger::Error::Exists { .. }) => return Err(signed(&standing.identities.join(", "))),
            done => done?,
        }
        let list = |words: &[String]| if words.is_empty() { "-".to_owned() } else { words.join(", ") };
        let ceiling = standing.ceiling.as_deref().unwrap_or("-");
        let (identities, personal) = (list(&standing.identities), list(&standing.personal));
        let told = format!("identities: {identities}; ceiling: {ceiling}; personal: {personal}");
        self.partner_done(actor, Deed::SetStanding, &standing.organisation, Some(&told));
        Ok(())
    }

    /// The markings whose meaning was said, and what they mean.
    ///
    /// # Errors
    /// [`Error`].
    pub fn markings(&self, actor: &Actor) -> Result<Vec<(String, String)>, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ListMarkings, "")?;
        Ok(self.book.meanings()?)
    }

    /// Says what a marking definition means here; `group:NAME` may name a sharing group. Returns the meaning as it is kept.
    ///
    /// # Errors
    /// [`Error`].
    pub fn explain_marking(&self, actor: &Actor, id: &str, word: &str) -> Result<String, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ExplainMarking, id)?;
        explainable(id)?;
        let kept = match word.split_once(':') {
            Some(("group", name)) => match self.group(actor, name) {
                Ok(seen) => format!("group:{}", seen.group.id),
                Err(Error::Unknown { .. }) => {
                    return Err(Error::Invalid(format!("there is no sharing group `{name}`")));
                }
                Err(error) => return Err(error),
            },
            _ => word.to_owned(),
        };
        if meaning::of_word(&kept).is_none() {
            let help = "tlp:LEVEL, pap:LEVEL, statement, group:NAME, audience:CIRCLE or withhold";
            return Err(Error::Invalid(format!("`{word}` is no meaning: it is {help}")));
        }
        self.book.set_meaning(id, Some(&kept))?;
        self.partner_done(actor, Deed::ExplainMarking, id, Some(&kept));
        Ok(kept)
    }

    /// Takes back what was said of a marking; whether anything was.
    ///
    /// # Errors
    /// [`Error`].
    pub fn unexplain_marking(&self, actor: &Actor, id: &str) -> Result<bool, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ExplainMarking, id)?;
        explainable(id)?;
        let said = self.book.meanings()?.iter().any(|(known, _)| known == id);
        if said {
            self.book.set_meaning(id, None)?;
            self.partner_done(actor, Deed::ExplainMarking, id, None);
        }
        Ok(said)
    }

    fn partner_done(&self, actor: &Actor, deed: Deed, subject: &str, detail: Option<&str>) {
        self.record(&AdministrationAct { actor, deed, subject, organisation: None, detail, done: true });
    }
}

fn held(standings: &[Standing], name: &str) -> Standing {
    let held = standings.iter().find(|held| held.organisation.to_lowercase() == name.to_lowercase()).cloned();
    held.unwrap_or_else(|| Standing { organisation: name.to_owned(), ..Standing::default() })
}

/// An identity is one organisation's.
fn unsigned_by_others(standings: &[Standing], standing: &Standing) -> Result<(), Error> {
    let lower = standing.organisation.to_lowercase();
    let others = || standings.iter().filter(|other| other.organisation.to_lowercase() != lower);
    match standing.identities.iter().find(|id| others().any(|other| other.identities.contains(id))) {
        Some(id) => Err(signed(id)),
        None => Ok(()),
    }
}

fn signed(id: &str) -> Error {
    Error::Invalid(format!("another organisation signs with `{id}`"))
}

/// The id of a marking definition that is open to interpretation: what TLP's own mean is fixed.
fn explainable(id: &str) -> Result<(), Error> {
    if !stix::id::Id::parse(id).is_ok_and(|id| id.object_type() == "marking-definition") {
        return Err(Error::Invalid(format!("`{id}` is no id of a marking definition")));
    }
    if stix::marking::tlp_of(id).is_some() {
        return Err(Error::Invalid(format!("{id} is a TLP marking: its meaning is fixed (STIX 2.1 §7.2.1.4)")));
    }
    Ok(())
}

/// As people write a relation.
#[must_use]
pub fn relation_word(relation: Relation) -> &'static str {
    match relation {
        Relation::Own => "self",
        Relation::Client => "client",
        Relation::Community => "community",
        Relation::Public => "public",
    }
}

/// The relation of this name.
#[must_use]
pub fn relation_named(word: &str) -> Option<Relation> {
    let all = [Relation::Own, Relation::Client, Relation::Community, Relation::Public];
    all.into_iter().find(|relation| relation_word(*relation) == word)
}
