//! Members, their roles, passwords and keys.

use super::{Administration, Authorised, Deed, Error, checked_end, checked_name, kept_role, own_organisation};
use crate::credentials;
use crate::network::Network;
use ledger::{Account, Key, Micros, Role};
use policy::role::{self, Act, Actor, Target, may};
use zeroize::Zeroizing;

/// A member to be made. Does not print: it may hold a password.
pub struct NewAccount<'a> {
    /// Its name.
    pub name: &'a str,
    /// `None`: the actor's own organisation, for the operator the node's.
    pub organisation: Option<&'a str>,
    /// What it may do.
    pub role: role::Role,
    /// `None`: it sets its own, with a one-time token.
    pub password: Option<&'a str>,
}

/// A key to be made.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// Its name.
    pub name: &'a str,
    /// `read`, `write`; empty: whatever the member may.
    pub scope: Vec<String>,
    /// From where it works; empty: from anywhere.
    pub networks: Vec<Network>,
    /// When it ends.
    pub expires: Option<Micros>,
}

impl Administration {
    /// The members that the actor may know of, by name.
    ///
    /// # Errors
    /// [`Error::Register`].
    pub fn accounts(&self, actor: &Actor) -> Result<Vec<Account>, Error> {
        let mut seen = Vec::new();
        for account in self.book.accounts()? {
            if self.may_see(actor, &account)? {
                seen.push(account);
            }
        }
        Ok(seen)
    }

    /// One member.
    ///
    /// # Errors
    /// [`Error::Unknown`], also for one that the actor may not know of.
    pub fn account(&self, actor: &Actor, name: &str) -> Result<Account, Error> {
        let unknown = || Error::Unknown { what: "account", name: name.to_owned() };
        let account = self.book.account(name)?.ok_or_else(unknown)?;
        if self.may_see(actor, &account)? { Ok(account) } else { Err(unknown()) }
    }

    /// Makes a member. Never changes one that exists.
    ///
    /// # Errors
    /// [`Error::Refused`], also where the name is that of a member of whom the actor may not know; [`Error::Taken`];
    /// [`Error::Invalid`].
    pub fn add_account(&self, actor: &Actor, new: &NewAccount<'_>, now: Micros) -> Result<Account, Error> {
        checked_name("account", new.name)?;
        let wanted = match (new.organisation, actor) {
            (Some(name), _) => name.to_owned(),
            (None, Actor::Member(member)) => member.organisation.clone(),
            (None, _) => own_organisation(&*self.book)?.unwrap_or_default(),
        };
        let role = new.role;
        if !may(actor, Act::Add, &Target::Place { organisation: &wanted, role }) {
            return Err(self.refused(actor, Deed::AddAccount, new.name));
        }
        let organisations = self.book.organisations()?;
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let Some(organisation) = organisations.iter().find(|known| same(&known.name, &wanted)).cloned() else {
            return Err(Error::Unknown { what: "organisation", name: wanted });
        };
        if let Some(password) = new.password {
            self.checked_password(password)?;
        }
        let taken = || Error::Taken { what: "account", name: new.name.to_owned() };
        if let Some(held) = self.book.accounts()?.into_iter().find(|held| same(&held.name, new.name)) {
            let known = self.may_see(actor, &held)?;
            return Err(if known { taken() } else { self.refused(actor, Deed::AddAccount, new.name) });
        }
        // Lists of recipients and readers name accounts and organisations alike: nobody takes the name of another
        // organisation, but where the operator wants it.
        let others = organisations.iter().filter(|known| known.name != organisation.name);
        if *actor != Actor::Operator && others.into_iter().any(|known| same(&known.name, new.name)) {
            return Err(self.refused(actor, Deed::AddAccount, new.name));
        }
        let account = Account {
            name: new.name.to_owned(),
            organisation,
            role: kept_role(role),
            password: new.password.map(credentials::hash_password).transpose()?,
            created: now,
        };
        match self.book.add_account(&account) {
            Err(ledger::Error::Exists { .. }) => return Err(self.refused(actor, Deed::AddAccount, new.name)),
            done => done?,
        }
        self.done(actor, Deed::AddAccount, &account, Some(role.name()));
        Ok(account)
    }

    /// Gives a member another role.
    ///
    /// # Errors
    /// [`Error`].
    pub fn set_role(&self, actor: &Actor, name: &str, role: role::Role) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::SetRole(role), Deed::SetRole, name)?;
        if role != role::Role::Administrator {
            self.keep_an_administrator(&account)?;
        }
        self.book.set_role(&account.name, kept_role(role))?;
        self.done(actor, Deed::SetRole, &account, Some(role.name()));
        Ok(())
    }

    /// Removes a member and everything that it signs in with.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_account(&self, actor: &Actor, name: &str) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::Remove, Deed::RemoveAccount, name)?;
        self.keep_an_administrator(&account)?;
        self.book.remove_account(&account.name)?;
        credentials::void_token(&*self.book, &account.name)?;
        self.done(actor, Deed::RemoveAccount, &account, None);
        Ok(())
    }

    /// Sets a member's password. Its sessions end.
    ///
    /// # Errors
    /// [`Error`].
    pub fn set_password(&self, actor: &Actor, name: &str, password: &str) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::SetPassword, Deed::SetPassword, name)?;
        self.checked_password(password)?;
        self.book.set_password(&account.name, &credentials::hash_password(password)?)?;
        credentials::void_token(&*self.book, &account.name)?;
        self.done(actor, Deed::SetPassword, &account, None);
        Ok(())
    }

    /// Makes a one-time token with which a member sets its own password.
    ///
    /// # Errors
    /// [`Error`].
    pub fn issue_token(&self, actor: &Actor, name: &str) -> Result<Zeroizing<String>, Error> {
        let Authorised(account) = self.authorised(actor, Act::SetPassword, Deed::IssueToken, name)?;
        let token = credentials::issue_token(&*self.book, &self.secret, &account.name)?;
        self.done(actor, Deed::IssueToken, &account, None);
        Ok(token)
    }

    /// Sets the password of the member to whom a one-time token was given. The token is void from then on. `false`: it
    /// is not that member's.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the password; the token stays good then.
    pub fn first_sign_in(&self, name: &str, token: &str, password: &str) -> Result<bool, Error> {
        self.checked_password(password)?;
        if !credentials::redeem_token(&*self.book, &self.secret, name, token)? {
            return Ok(false);
        }
        let Some(account) = self.book.account(name)? else { return Ok(false) };
        self.book.set_password(&account.name, &credentials::hash_password(password)?)?;
        let actor = Actor::Member(self.member(&account)?);
        self.done(&actor, Deed::FirstSignIn, &account, None);
        Ok(true)
    }

    /// A member's keys, without their secrets, which nobody has.
    ///
    /// # Errors
    /// [`Error`].
    pub fn keys(&self, actor: &Actor, name: &str) -> Result<Vec<Key>, Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageKeys, Deed::ListKeys, name)?;
        let mut keys = self.book.keys()?;
        keys.retain(|key| key.account.to_lowercase() == account.name.to_lowercase());
        Ok(keys)
    }

    /// Makes a key by which a machine acts for a member: with its rights, or with fewer.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_key(
        &self,
        actor: &Actor,
        name: &str,
        new: &NewKey<'_>,
        now: Micros,
    ) -> Result<(Key, Zeroizing<String>), Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageKeys, Deed::AddKey, name)?;
        checked_name("key", new.name)?;
        checked_end(new.expires, now)?;
        let mut scope = new.scope.clone();
        scope.sort_unstable();
        scope.dedup();
        if let Some(word) = scope.iter().find(|word| !matches!(word.as_str(), "read" | "write")) {
            return Err(Error::Invalid(format!("a key's scope is `read`, `write` or both, not `{word}`")));
        }
        let issued = credentials::issue_key(&self.secret)?;
        let key = Key {
            name: new.name.to_owned(),
            account: account.name.clone(),
            digest: issued.digest,
            scope,
            networks: new.networks.iter().map(ToString::to_string).collect(),
            expires: new.expires,
            created: now,
            last_used: None,
        };
        match self.book.add_key(&key) {
            Err(ledger::Error::Exists { .. }) => return Err(self.key_taken(actor, new.name)?),
            done => done?,
        }
        self.done(actor, Deed::AddKey, &account, Some(&key.name));
        Ok((key, issued.key))
    }

    /// Removes a key of a member.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_key(&self, actor: &Actor, name: &str, key: &str) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageKeys, Deed::RemoveKey, name)?;
        match self.book.remove_key_of(&account.name, key) {
            Err(ledger::Error::Missing { .. }) => Err(Error::Unknown { what: "key", name: key.to_owned() }),
            done => {
                done?;
                self.done(actor, Deed::RemoveKey, &account, Some(key));
                Ok(())
            }
        }
    }

    /// The member whose key this is.
    ///
    /// # Errors
    /// [`Error::Unknown`], also for a key that the actor may not know of.
    pub fn owner_of_key(&self, actor: &Actor, key: &str) -> Result<String, Error> {
        let found = self.book.keys()?.into_iter().find(|held| held.name.to_lowercase() == key.to_lowercase());
        let unknown = || Error::Unknown { what: "key", name: key.to_owned() };
        let account = self.book.account(&found.ok_or_else(unknown)?.account)?.ok_or_else(unknown)?;
        if self.may_see(actor, &account)? { Ok(account.name) } else { Err(unknown()) }
    }

    fn key_taken(&self, actor: &Actor, key: &str) -> Result<Error, Error> {
        match self.owner_of_key(actor, key) {
            Ok(_) => Ok(Error::Taken { what: "key", name: key.to_owned() }),
            Err(Error::Unknown { .. }) => Ok(self.refused(actor, Deed::AddKey, key)),
            Err(error) => Err(error),
        }
    }

    /// A node without an administrator of its own could not be administered by anybody.
    fn keep_an_administrator(&self, leaving: &Account) -> Result<(), Error> {
        if leaving.role != Role::Administrator || !self.member(leaving)?.own {
            return Ok(());
        }
        for account in self.book.accounts()? {
            let other = account.name != leaving.name && account.role == Role::Administrator;
            if other && self.member(&account)?.own {
                return Ok(());
            }
        }
        Err(Error::Invalid(format!("`{}` is the only administrator: add another one first", leaving.name)))
    }
}
