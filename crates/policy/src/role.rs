//! Who may do what: roles as a lattice, decided here and nowhere else.
//!
//! `reader < analyst < publisher < partner-manager < administrator`. A role may do what the ones below it may. Members are
//! administered by administrators of their own organisation, and only those of a strictly lower role; an administrator of
//! the organisation that owns the node stands above the members of every other one. Whoever works at the machine itself is
//! the [`Actor::Operator`].
//!
//! ```
//! use policy::role::{Act, Actor, Member, Role, Target, may};
//! let member = |name: &str, role| Member { name: name.into(), organisation: "Port CSIRT".into(), own: false, role };
//! let (lina, omar) = (member("lina", Role::Administrator), member("omar", Role::Reader));
//! assert!(may(&Actor::Member(lina.clone()), Act::SetRole(Role::Analyst), &Target::Member(&omar)));
//! assert!(!may(&Actor::Member(lina.clone()), Act::SetRole(Role::Administrator), &Target::Member(&omar)));
//! assert!(!may(&Actor::Member(omar), Act::See, &Target::Member(&lina)));
//! ```

/// What a member may do, lowest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and writes.
    Analyst,
    /// Releases to others.
    Publisher,
    /// Manages organisations and partners.
    PartnerManager,
    /// Manages everything.
    Administrator,
}

/// Every role, lowest first.
pub const ROLES: [Role; 5] = [Role::Reader, Role::Analyst, Role::Publisher, Role::PartnerManager, Role::Administrator];

impl Role {
    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Analyst => "analyst",
            Self::Publisher => "publisher",
            Self::PartnerManager => "partner-manager",
            Self::Administrator => "administrator",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ROLES.into_iter().find(|role| role.name() == name)
    }
}

/// A member, as far as roles go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Its account.
    pub name: String,
    /// The organisation it acts for.
    pub organisation: String,
    /// Whether that organisation owns the node.
    pub own: bool,
    /// What it may do.
    pub role: Role,
}

/// Who acts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Actor {
    /// Whoever works at the node's machine with its command line.
    Operator,
    /// Somebody who signed in.
    Member(Member),
    /// Somebody who did not.
    Stranger,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Act {
    /// Reads records (which ones is the policy's business).
    Read,
    /// Writes records.
    Write,
    /// Releases records to others.
    Release,
    /// Manages organisations and partners.
    ManagePartners,
    /// Manages collections.
    ManageCollections,
    /// Learns that a member exists, and of what kind it is.
    See,
    /// Adds a member.
    Add,
    /// Gives a member another role.
    SetRole(Role),
    /// Removes a member.
    Remove,
    /// Sets a password.
    SetPassword,
    /// Takes a second factor into use, or makes recovery codes: who does it holds the secret.
    EnrolSecondFactor,
    /// Takes a second factor out of use.
    RemoveSecondFactor,
    /// Lists, makes and removes keys.
    ManageKeys,
    /// Lists, pins and removes client certificates.
    ManageCertificates,
    /// Binds a member to an identity at a provider: who does it can then sign in as the member.
    Link,
    /// Takes such a binding back.
    Unlink,
    /// Lists and ends sessions.
    ManageSessions,
    /// Sees the alerts of the watch (of which indicators is the policy's business).
    SeeAlerts,
    /// Answers alerts, and brings hits in.
    AnswerAlerts,
    /// Learns who could see an object, and to whom it was handed.
    Trace,
    /// Learns why somebody sees an object or does not.
    Explain,
    /// Narrows who may see an object that is stored.
    Restrict,
    /// Learns that a sharing group exists, who runs it and when it is open.
    SeeGroup,
    /// Learns which organisations are in a sharing group.
    SeeGroupMembers,
    /// Changes or removes a sharing group.
    ManageGroup,
}

/// On what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target<'a> {
    /// The records of the book.
    Records,
    /// The node: its organisations, partners and collections.
    Node,
    /// A place for a new member.
    Place {
        /// Of which organisation.
        organisation: &'a str,
        /// With which role.
        role: Role,
    },
    /// A member.
    Member(&'a Member),
    /// Somebody who looks at records: an account, an organisation, or nobody in particular.
    Viewer {
        /// The account or, for any member of it, the organisation.
        name: Option<&'a str>,
        /// Of which organisation.
        organisation: Option<&'a str>,
    },
    /// An object that the actor sees.
    Object {
        /// Whether the actor's organisation brought in or made every version of it that the actor sees.
        originated: bool,
    },
    /// A sharing group.
    Group {
        /// The organisation that runs it.
        owner: &'a str,
        /// Whether the actor's organisation is in it.
        within: bool,
        /// Whether only its owner is told who is in it.
        hidden: bool,
    },
}

/// Whether the actor may do this. What is not named is refused.
#[must_use]
pub fn may(actor: &Actor, act: Act, target: &Target<'_>) -> bool {
    match actor {
        Actor::Stranger => false,
        Actor::Operator => fits(act, target),
        Actor::Member(actor) => match *target {
            Target::Records => fits(act, target) && actor.role >= lowest(act),
            Target::Node => fits(act, target) && actor.own && actor.role >= lowest(act),
            Target::Place { organisation, role } => {
                act == Act::Add && administers(actor, organisation) && grants(actor, role)
            }
            Target::Member(member) => fits(act, target) && may_on(actor, act, member),
            Target::Viewer { name, organisation } => fits(act, target) && explains(actor, name, organisation),
            Target::Object { originated } => {
                fits(act, target) && actor.role >= lowest(act) && (actor.own || originated)
            }
            Target::Group { owner, within, hidden } => fits(act, target) && on_group(actor, act, owner, within, hidden),
        },
    }
}

/// Whether an act makes sense on a target at all.
fn fits(act: Act, target: &Target<'_>) -> bool {
    match target {
        Target::Records => matches!(act, Act::Read | Act::Write | Act::Release),
        Target::Node => matches!(
            act,
            Act::ManagePartners | Act::ManageCollections | Act::Trace | Act::SeeAlerts | Act::AnswerAlerts
        ),
        Target::Place { .. } => act == Act::Add,
        Target::Member(_) => matches!(
            act,
            Act::See
                | Act::SetRole(_)
                | Act::Remove
                | Act::SetPassword
                | Act::EnrolSecondFactor
                | Act::RemoveSecondFactor
                | Act::ManageKeys
                | Act::ManageCertificates
                | Act::Link
                | Act::Unlink
                | Act::ManageSessions
        ),
        Target::Viewer { .. } => act == Act::Explain,
        Target::Object { .. } => act == Act::Restrict,
        Target::Group { .. } => matches!(act, Act::SeeGroup | Act::SeeGroupMembers | Act::ManageGroup),
    }
}

/// The lowest role that may do it.
fn lowest(act: Act) -> Role {
    match act {
        Act::Read | Act::SeeAlerts => Role::Reader,
        Act::Write | Act::AnswerAlerts => Role::Analyst,
        Act::Release | Act::Trace | Act::Restrict => Role::Publisher,
        Act::ManagePartners => Role::PartnerManager,
        _ => Role::Administrator,
    }
}

fn may_on(actor: &Member, act: Act, member: &Member) -> bool {
    let itself = same(&actor.name, &member.name);
    match act {
        Act::See => itself || administers(actor, &member.organisation),
        Act::EnrolSecondFactor | Act::Link => itself,
        Act::SetRole(role) => !itself && above(actor, member) && grants(actor, role),
        Act::Remove => !itself && above(actor, member),
        _ => itself || above(actor, member),
    }
}

/// Whether the actor may be told what decides about a viewer: everybody about themselves, the owner's publishers about
/// everybody, whoever manages partners of another organisation about its members.
fn explains(actor: &Member, name: Option<&str>, organisation: Option<&str>) -> bool {
    let itself = name.is_some_and(|name| same(&actor.name, name));
    let colleague = organisation.is_some_and(|organisation| same(&actor.organisation, organisation));
    itself || (actor.own && actor.role >= Role::Publisher) || (colleague && actor.role >= lowest(Act::ManagePartners))
}

/// Whether the actor may do this to a sharing group. Only the node's own organisation gives a group to another.
fn on_group(actor: &Member, act: Act, owner: &str, within: bool, hidden: bool) -> bool {
    let (runs, manages) = (same(&actor.organisation, owner), actor.role >= lowest(Act::ManagePartners));
    let told = runs || (actor.own && manages);
    match act {
        Act::SeeGroup => told || within,
        Act::SeeGroupMembers => told || (within && !hidden),
        _ => told && manages,
    }
}

/// Whether the members of an organisation are the actor's business.
fn administers(actor: &Member, organisation: &str) -> bool {
    actor.role == Role::Administrator && (actor.own || same(&actor.organisation, organisation))
}

/// Strictly higher in the lattice; the owner's administrators are above everybody of other organisations.
fn above(actor: &Member, member: &Member) -> bool {
    administers(actor, &member.organisation) && (member.role < actor.role || (actor.own && !member.own))
}

/// Only the owner's administrators make others like themselves.
fn grants(actor: &Member, role: Role) -> bool {
    role < actor.role || (actor.own && actor.role == Role::Administrator)
}

fn same(a: &str, b: &str) -> bool {
    !a.is_empty() && a.to_lowercase() == b.to_lowercase()
}
