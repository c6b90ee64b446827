//! Organisations and collections.

use super::{Administration, AdministrationAct, Deed, Error, checked_name};
use ledger::{Collection, Organisation};
use policy::role::{Act, Actor};

impl Administration {
    /// Adds an organisation.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_organisation(&self, actor: &Actor, organisation: &Organisation) -> Result<(), Error> {
        let name = organisation.name.as_str();
        self.on_node(actor, Act::ManagePartners, Deed::AddOrganisation, name)?;
        checked_name("organisation", name)?;
        // Lists of recipients and readers name accounts and organisations alike.
        let operator = *actor == Actor::Operator;
        if !operator && self.book.accounts()?.iter().any(|account| account.name.to_lowercase() == name.to_lowercase()) {
            return Err(Error::Invalid(format!("`{name}` is the name of an account: take another one")));
        }
        match self.book.add_organisation(organisation) {
            Err(ledger::Error::Exists { what, name }) => return Err(Error::Taken { what, name }),
            done => done?,
        }
        self.on_node_done(actor, Deed::AddOrganisation, name);
        Ok(())
    }

    /// Adds a collection.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_collection(&self, actor: &Actor, collection: &Collection) -> Result<Collection, Error> {
        self.on_node(actor, Act::ManageCollections, Deed::AddCollection, &collection.alias)?;
        let made = match self.book.add_collection(collection) {
            Err(ledger::Error::Exists { what, name }) => return Err(Error::Taken { what, name }),
            done => done?,
        };
        self.on_node_done(actor, Deed::AddCollection, &made.alias);
        Ok(made)
    }

    /// Removes a collection and erases what is in it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_collection(&self, actor: &Actor, id_or_alias: &str) -> Result<(), Error> {
        self.on_node(actor, Act::ManageCollections, Deed::RemoveCollection, id_or_alias)?;
        match self.book.remove_collection(id_or_alias) {
            Err(ledger::Error::Missing { what, name }) => return Err(Error::Unknown { what, name }),
            done => done?,
        }
        self.on_node_done(actor, Deed::RemoveCollection, id_or_alias);
        Ok(())
    }

    fn on_node_done(&self, actor: &Actor, deed: Deed, subject: &str) {
        self.record(&AdministrationAct { actor, deed, subject, organisation: None, detail: None, done: true });
    }
}
