//! The part of the register on which the sharing model rests: groups, what an organisation may get, what markings mean.

use crate::{Micros, Relation, Result};

/// A sharing group: organisations, with an owner and a window in time. It holds organisations alone, never groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// UUIDv4 in lower case.
    pub id: String,
    /// Unique without regard to case.
    pub name: String,
    /// The organisation that runs it; always a member.
    pub owner: String,
    /// The other organisations in it.
    pub members: Vec<String>,
    /// Whether only its owner is told who is in it.
    pub hidden: bool,
    /// It is open from then on.
    pub from: Option<Micros>,
    /// It is closed from then on.
    pub until: Option<Micros>,
    /// Whether an organisation that comes in receives what was shared with the group before.
    pub backfill: bool,
    /// What becomes of what was shared with it at an organisation that leaves.
    pub on_leave: OnLeave,
    /// The members that came while there was no back-fill, each with the first sequence number that it sees by the group.
    /// The register sets it; what is given is not looked at.
    pub since: Vec<(String, Micros)>,
}

/// What becomes of what was shared with a group at an organisation that leaves it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum OnLeave {
    /// It keeps what it has, and gets nothing more.
    #[default]
    Keep,
    /// What it was given by the group is recalled.
    Recall,
}

/// What an organisation is to the sharing model beside its relation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// The organisation.
    pub organisation: String,
    /// The STIX identities by which it signs what it makes (`created_by_ref`).
    pub identities: Vec<String>,
    /// The strictest marking that it is ever given, in the words of the caller; `None`: no ceiling.
    pub ceiling: Option<String>,
    /// Its own rules about data of persons, `kind=treatment` in the words of the caller; they go before the node's.
    pub personal: Vec<String>,
}

/// Groups, standings and meanings. Every change is durable on return and changes the register's generation.
pub trait Sharing: Send + Sync {
    /// Adds a group whose organisations exist.
    /// # Errors
    /// [`crate::Error::Exists`] if id or name is taken; [`crate::Error::Missing`] if an organisation is not there.
    fn add_group(&self, group: &Group) -> Result<()>;
    /// All groups by name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn groups(&self) -> Result<Vec<Group>>;
    /// Replaces a group of the same id. An organisation that was not in it sees by it, unless there is
    /// [back-fill](Group::backfill), only what gets a sequence number from then on; those that were in it keep what they had.
    /// # Errors
    /// [`crate::Error::Missing`], also if an organisation is not there; [`crate::Error::Exists`] if the name is taken.
    fn change_group(&self, group: &Group) -> Result<()>;
    /// Removes a group. What is confined to it is then seen by its originators alone.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_group(&self, id: &str) -> Result<()>;
    /// Changes how an organisation stands to the node's own.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn set_relation(&self, organisation: &str, relation: Relation) -> Result<()>;
    /// All standings that were ever set.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn standings(&self) -> Result<Vec<Standing>>;
    /// Sets an organisation's standing.
    /// # Errors
    /// [`crate::Error::Missing`] if the organisation is not there; [`crate::Error::Exists`] if another one has one of the
    /// identities.
    fn set_standing(&self, standing: &Standing) -> Result<()>;
    /// Marking definitions whose meaning the operator has said: (id, meaning in the words of the caller).
    /// # Errors
    /// [`crate::Error::Storage`].
    fn meanings(&self) -> Result<Vec<(String, String)>>;
    /// Says (`Some`) or takes back (`None`) what a marking definition means.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn set_meaning(&self, marking: &str, meaning: Option<&str>) -> Result<()>;
}
