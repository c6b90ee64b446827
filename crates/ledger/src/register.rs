//! The register: organisations, members, keys, collections and status resources.

use crate::{CollectionNo, Micros, Result};

/// How an organisation stands to the node's own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Relation {
    /// The node's own organisation.
    Own,
    /// Receives security services from us.
    Client,
    /// Shares goals and trust with us.
    Community,
    /// Anyone.
    Public,
}

/// An organisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Organisation {
    /// Its name, unique without regard to case.
    pub name: String,
    /// How it stands to ours.
    pub relation: Relation,
}

/// What a member may do, lowest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and writes.
    Analyst,
    /// Releases to others.
    Publisher,
    /// Manages partners.
    PartnerManager,
    /// Manages everything.
    Administrator,
}

/// A member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Its name, unique without regard to case.
    pub name: String,
    /// The organisation it acts for.
    pub organisation: Organisation,
    /// What it may do.
    pub role: Role,
    /// The password in PHC form; `None` until one is set.
    pub password: Option<String>,
    /// When it was made.
    pub created: Micros,
}

/// A key by which a machine acts for a member. The secret itself is never kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    /// Its name, unique.
    pub name: String,
    /// The member it acts for.
    pub account: String,
    /// A keyed hash of the secret.
    pub digest: [u8; 32],
    /// `read`, `write`; empty: whatever the member may.
    pub scope: Vec<String>,
    /// The networks from which it works (`192.0.2.0/24`); empty: from anywhere.
    pub networks: Vec<String>,
    /// When it ends; `None`: never.
    pub expires: Option<Micros>,
    /// When it was made.
    pub created: Micros,
    /// When it was used last, to the hour; `None`: never.
    pub last_used: Option<Micros>,
}

/// Who may read or write a collection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Who {
    /// Without signing in.
    Anyone,
    /// Every member.
    Members,
    /// The named accounts and organisations; empty: nobody.
    Named(Vec<String>),
}

/// A collection (TAXII 2.1 §5.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collection {
    /// Its number in the book.
    pub no: CollectionNo,
    /// UUIDv4 in lower case.
    pub id: String,
    /// Works wherever the id does.
    pub alias: String,
    /// For people.
    pub title: String,
    /// For people.
    pub description: Option<String>,
    /// Who may read.
    pub read: Who,
    /// Who may write.
    pub write: Who,
}

/// A small named value: its name, and what it is.
pub type Note = (String, Vec<u8>);

/// The register. Every change is durable on return. Names are compared without regard to case.
pub trait Register: crate::Sharing + Send + Sync {
    /// Adds an organisation.
    /// # Errors
    /// [`crate::Error::Exists`] if the name is taken.
    fn add_organisation(&self, organisation: &Organisation) -> Result<()>;
    /// All organisations by name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn organisations(&self) -> Result<Vec<Organisation>>;
    /// Adds a member of an organisation that exists.
    /// # Errors
    /// [`crate::Error::Exists`], [`crate::Error::Missing`].
    fn add_account(&self, account: &Account) -> Result<()>;
    /// All members by name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn accounts(&self) -> Result<Vec<Account>>;
    /// One member.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn account(&self, name: &str) -> Result<Option<Account>>;
    /// Sets a member's password (PHC form), and ends its sessions.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn set_password(&self, name: &str, phc: &str) -> Result<()>;
    /// Removes a member and its keys.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_account(&self, name: &str) -> Result<()>;
    /// Adds a key.
    /// # Errors
    /// [`crate::Error::Exists`], [`crate::Error::Missing`].
    fn add_key(&self, key: &Key) -> Result<()>;
    /// All keys by name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn keys(&self) -> Result<Vec<Key>>;
    /// The key with this digest.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn key(&self, digest: &[u8; 32]) -> Result<Option<Key>>;
    /// Removes a key.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_key(&self, name: &str) -> Result<()>;
    /// Adds a collection; `no` of the argument is ignored, the answer carries it.
    /// # Errors
    /// [`crate::Error::Exists`] if id or alias is taken.
    fn add_collection(&self, collection: &Collection) -> Result<Collection>;
    /// All collections in the order in which they were made.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn collections(&self) -> Result<Vec<Collection>>;
    /// The collection with this id or alias.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn collection(&self, id_or_alias: &str) -> Result<Option<Collection>>;
    /// Removes a collection and erases what is in it.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_collection(&self, id_or_alias: &str) -> Result<()>;
    /// A status resource, for the member that asked for it.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn status(&self, id: &str, owner: &str) -> Result<Option<Vec<u8>>>;
    /// Drops status resources older than `before`. Returns how many.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn expire_statuses(&self, before: Micros) -> Result<u64>;
    /// A number that changes with every change of organisations, accounts, keys and collections, by whatever
    /// process, so that what was remembered of them can be dropped.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn generation(&self) -> Result<u64>;
    /// A small named value (one-time tokens, positions of pulls).
    /// # Errors
    /// [`crate::Error::Storage`].
    fn note(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// Sets (`Some`) or removes (`None`) a small named value.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn set_note(&self, name: &str, value: Option<&[u8]>) -> Result<()>;
    /// Sets several small named values in one commit.
    /// # Errors
    /// [`crate::Error::Storage`]; none is set then.
    fn set_notes(&self, notes: &[Note]) -> Result<()>;
    /// The same, if the value is the expected one; whether it was. Of several processes that expect the same, one sets it.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn swap_note(&self, name: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<bool>;
}
