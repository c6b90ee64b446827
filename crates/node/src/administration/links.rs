//! Links to partners.

use super::{Administration, AdministrationAct, Deed, Error, checked_name};
use crate::partners::link::{Definition, Direction, Login};
use crate::partners::state::{self, State};
use ledger::PartnerKind;
use ledger::partners::Link;
use policy::role::{Act, Actor};

/// Links that a node has at most.
const MOST: usize = 500;

/// A link that is to be made.
#[derive(Debug)]
pub struct NewLink<'a> {
    /// Its name.
    pub name: &'a str,
    /// The partner.
    pub partner: &'a str,
    /// What it does; `ours` may be an alias.
    pub definition: Definition,
    /// What it signs in with.
    pub login: Option<Login>,
}

/// A link, as it is shown: never what it signs in with.
#[derive(Clone, Debug)]
pub struct SeenLink {
    /// Its name.
    pub name: String,
    /// The partner.
    pub partner: String,
    /// Whether it rests.
    pub paused: bool,
    /// Whether it signs in.
    pub signs_in: bool,
    /// What it does; `None`: it cannot be understood.
    pub definition: Option<Definition>,
    /// How it stands.
    pub state: State,
}

/// Whether a link rests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkSetting {
    /// It rests.
    Paused,
    /// It runs.
    Running,
}

impl Administration {
    /// Adds a link.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_link(&self, actor: &Actor, new: NewLink<'_>) -> Result<SeenLink, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::AddLink, new.name)?;
        checked_name("link", new.name)?;
        let unknown = |what, name: &str| Error::Unknown { what, name: name.to_owned() };
        let partner = self.partners.partner(new.partner)?.ok_or_else(|| unknown("partner", new.partner))?;
        let ours = &new.definition.ours;
        let ours = self.book.collection(ours)?.ok_or_else(|| unknown("collection", ours))?;
        let definition = Definition { ours: ours.id, ..new.definition };
        definition.check().map_err(|bad| Error::Invalid(bad.to_string()))?;
        self.recipients(&definition.to)?;
        if definition.at_once && definition.direction == Direction::Pull && partner.kind == PartnerKind::Foreign {
            let why = "a server of another make does not say that it has something new: pull it on a schedule";
            return Err(Error::Invalid(why.to_owned()));
        }
        if self.partners.links()?.len() >= MOST {
            return Err(Error::Invalid(format!("a node has at most {MOST} links")));
        }
        let seal = |login: &Login| login.seal(&self.secret, new.name, &definition.url);
        let secret = new.login.as_ref().map(seal).transpose();
        let secret = secret.map_err(|error| Error::Invalid(error.to_string()))?;
        let link = Link {
            name: new.name.to_owned(),
            organisation: partner.organisation,
            definition: definition.write(),
            secret,
            paused: false,
        };
        match self.partners.add_link(&link) {
            Err(ledger::Error::Exists { name, .. }) => return Err(Error::Taken { what: "link", name }),
            done => done?,
        }
        // One of this name that was removed has left nothing.
        state::forget(&*self.partners, &link.name)?;
        let detail = format!("{} {} {}", definition.direction.name(), link.organisation, definition.url);
        self.link_done(actor, Deed::AddLink, &link.name, Some(&detail));
        self.seen_link(&link)
    }

    /// Every link.
    ///
    /// # Errors
    /// [`Error`].
    pub fn exchange_links(&self, actor: &Actor) -> Result<Vec<SeenLink>, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ListLinksOut, "")?;
        self.partners.links()?.iter().map(|link| self.seen_link(link)).collect()
    }

    /// One link.
    ///
    /// # Errors
    /// [`Error`].
    pub fn exchange_link(&self, actor: &Actor, name: &str) -> Result<SeenLink, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::ListLinksOut, name)?;
        self.seen_link(&self.found(name)?)
    }

    /// Lets a link rest or run.
    ///
    /// # Errors
    /// [`Error`].
    pub fn set_link(&self, actor: &Actor, name: &str, setting: LinkSetting) -> Result<SeenLink, Error> {
        let deed = if setting == LinkSetting::Paused { Deed::PauseLink } else { Deed::ResumeLink };
        self.on_node(actor, Act::ManagePartners, deed, name)?;
        let link = Link { paused: setting == LinkSetting::Paused, ..self.found(name)? };
        self.partners.change_link(&link)?;
        if setting == LinkSetting::Running {
            // Whoever resumes it does not wait for what was planned after an error.
            let mut kept = state::state(&*self.partners, &link.name)?;
            (kept.failures, kept.next) = (0, Some(0));
            state::keep_state(&*self.partners, &link.name, &kept)?;
        }
        self.link_done(actor, deed, &link.name, None);
        self.seen_link(&link)
    }

    /// Removes a link; what came over it stays.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_link(&self, actor: &Actor, name: &str) -> Result<String, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::RemoveLink, name)?;
        let link = self.found(name)?;
        self.partners.remove_link(&link.name)?;
        state::forget(&*self.partners, &link.name)?;
        self.link_done(actor, Deed::RemoveLink, &link.name, None);
        Ok(link.name)
    }

    fn found(&self, name: &str) -> Result<Link, Error> {
        self.partners.link(name)?.ok_or_else(|| Error::Unknown { what: "link", name: name.to_owned() })
    }

    /// Accounts and organisations that are known here.
    fn recipients(&self, names: &[String]) -> Result<(), Error> {
        let accounts = self.book.accounts()?.into_iter().map(|account| account.name);
        let known: Vec<String> = accounts
            .chain(self.book.organisations()?.into_iter().map(|one| one.name))
            .map(|n| n.to_lowercase())
            .collect();
        match names.iter().find(|name| !known.contains(&name.to_lowercase())) {
            Some(name) => {
                Err(Error::Invalid(format!("`{name}` is neither an account nor an organisation of this node")))
            }
            None => Ok(()),
        }
    }

    fn seen_link(&self, link: &Link) -> Result<SeenLink, Error> {
        Ok(SeenLink {
            name: link.name.clone(),
            partner: link.organisation.clone(),
            paused: link.paused,
            signs_in: link.secret.is_some(),
            definition: Definition::read(&link.definition).ok(),
            state: state::state(&*self.partners, &link.name)?,
        })
    }

    fn link_done(&self, actor: &Actor, deed: Deed, subject: &str, detail: Option<&str>) {
        self.record(&AdministrationAct { actor, deed, subject, organisation: None, detail, done: true });
    }
}
