//! Acts of administration, from the command line and from the API: the one place where members, their credentials,
//! organisations, collections and what the sharing model rests on are changed.
//!
//! Every function takes the [`Actor`]. Whether it may is asked of [`policy::role`] alone; what may be changed is loaded by
//! one function, which gives an `Authorised` member and no name that somebody sent. Every act, done or refused, is given
//! to the [`Recorder`].
//!
//! INVARIANT: whoever may not know of a member gets the same answer for one that exists and for one that does not.

mod exchange;
mod grading;
mod groups;
mod links;
mod members;
mod node;
mod partners;
mod recalling;
mod restricting;
mod signing_in;

pub use exchange::{Grade, Retired, SeenPartner, said};
pub use grading::GradeObject;
pub use groups::{GroupChange, NewGroup, SeenGroup};
pub use links::{LinkSetting, NewLink, SeenLink};
pub use members::{NewAccount, NewKey};
pub use partners::{Terms, relation_named, relation_word};
pub use recalling::{Recalling, TakeBack};
pub use restricting::Restriction;

use crate::home::Secret;
use ledger::{Account, Micros, People};
use policy::role::{self, Act, Actor, Target, may};
use std::sync::Arc;

/// The note that names the organisation that owns the node: others may stand to it as `self`, too.
pub const OWN_ORGANISATION: &str = "own organisation";
/// The longest password, in bytes: hashing takes longer with every one.
const LONGEST_PASSWORD: usize = 1_024;

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Deed {
    AddAccount,
    SetRole,
    RemoveAccount,
    SetPassword,
    IssueToken,
    FirstSignIn,
    EnrolSecondFactor,
    ConfirmSecondFactor,
    RemoveSecondFactor,
    RenewRecoveryCodes,
    AddKey,
    RemoveKey,
    ListKeys,
    PinCertificate,
    RemoveCertificate,
    ListCertificates,
    Link,
    Unlink,
    ListLinks,
    EndSession,
    EndSessions,
    ListSessions,
    AddOrganisation,
    AddCollection,
    RemoveCollection,
    ListOrganisations,
    SetRelation,
    SetStanding,
    ListMarkings,
    ExplainMarking,
    AddGroup,
    ChangeGroup,
    RemoveGroup,
    Restrict,
    Recall,
    Explain,
    Trace,
    AddPartner,
    ConfirmPartner,
    GradePartner,
    GradeObject,
    RevokePartner,
    RemovePartner,
    ListPartners,
    AddLink,
    PauseLink,
    ResumeLink,
    RemoveLink,
    ListLinksOut,
    ShowCard,
    RotateCard,
    RevokeCard,
}

impl Deed {
    /// The name, for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddAccount => "add-account",
            Self::SetRole => "set-role",
            Self::RemoveAccount => "remove-account",
            Self::SetPassword => "set-password",
            Self::IssueToken => "issue-token",
            Self::FirstSignIn => "first-sign-in",
            Self::EnrolSecondFactor => "enrol-second-factor",
            Self::ConfirmSecondFactor => "confirm-second-factor",
            Self::RemoveSecondFactor => "remove-second-factor",
            Self::RenewRecoveryCodes => "renew-recovery-codes",
            Self::AddKey => "add-key",
            Self::RemoveKey => "remove-key",
            Self::ListKeys => "list-keys",
            Self::PinCertificate => "pin-certificate",
            Self::RemoveCertificate => "remove-certificate",
            Self::ListCertificates => "list-certificates",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::ListLinks => "list-links",
            Self::EndSession => "end-session",
            Self::EndSessions => "end-sessions",
            Self::ListSessions => "list-sessions",
            Self::AddOrganisation => "add-organisation",
            Self::AddCollection => "add-collection",
            Self::RemoveCollection => "remove-collection",
            Self::ListOrganisations => "list-organisations",
            Self::SetRelation => "set-relation",
            Self::SetStanding => "set-standing",
            Self::ListMarkings => "list-markings",
            Self::ExplainMarking => "explain-marking",
            Self::AddGroup => "add-group",
            Self::ChangeGroup => "change-group",
            Self::RemoveGroup => "remove-group",
            Self::Restrict => "restrict",
            Self::Recall => "recall",
            Self::Explain => "explain",
            Self::Trace => "trace",
            Self::AddPartner => "add-partner",
            Self::ConfirmPartner => "confirm-partner",
            Self::GradePartner => "grade-partner",
            Self::RevokePartner => "revoke-partner",
            Self::RemovePartner => "remove-partner",
            Self::GradeObject => "grade-object",
            Self::ListPartners => "list-partners",
            Self::AddLink => "add-link",
            Self::PauseLink => "pause-link",
            Self::ResumeLink => "resume-link",
            Self::RemoveLink => "remove-link",
            Self::ListLinksOut => "list-partner-links",
            Self::ShowCard => "show-card",
            Self::RotateCard => "rotate-card",
            Self::RevokeCard => "revoke-card",
        }
    }
}

/// An act of administration, as it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct AdministrationAct<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Did what.
    pub deed: Deed,
    /// To which member, organisation, collection, group, marking or object.
    pub subject: &'a str,
    /// The subject's organisation, where it has one.
    pub organisation: Option<&'a str>,
    /// What of it: a role, the name of a key, why it was refused. Never a secret.
    pub detail: Option<&'a str>,
    /// `false`: the actor may not, and nothing was changed.
    pub done: bool,
}

/// Told of every act of administration.
pub trait Recorder: Send + Sync {
    /// Called after a change is durable, and for every attempt that was refused.
    fn record(&self, act: &AdministrationAct<'_>);
}

/// Records nothing.
struct Nowhere;

impl Recorder for Nowhere {
    fn record(&self, _: &AdministrationAct<'_>) {}
}

/// Why an act of administration was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such thing, or none that the actor may know of.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Under which name.
        name: String,
    },
    /// The actor may not do this.
    #[error("this is not yours to do")]
    Refused,
    /// The name is taken, and the actor may know that.
    #[error("the {what} `{name}` exists already")]
    Taken {
        /// What.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What is asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The code is not the one that is asked for, or was used before.
    #[error("the code is wrong, or was used before")]
    Code,
    /// A credential could not be made.
    #[error(transparent)]
    Credential(#[from] crate::credentials::Error),
    /// A second factor could not be made.
    #[error(transparent)]
    SecondFactor(#[from] crate::second_factor::Error),
    /// The register refused.
    #[error(transparent)]
    Register(#[from] ledger::Error),
    /// A card, or what is asked of a partner, is refused.
    #[error("{0}")]
    NotTaken(String),
    /// Our own keys or card cannot be used.
    #[error(transparent)]
    Identity(#[from] crate::partners::identity::Error),
}

/// What keeps members and partners.
pub trait Keeper: People + ledger::Partners {}

impl<T: People + ledger::Partners + ?Sized> Keeper for T {}

/// A member on whom the actor may do what it asked for. Only [`Administration::authorised`] makes one.
struct Authorised(Account);

/// Does acts of administration.
pub struct Administration {
    book: Arc<dyn People>,
    partners: Arc<dyn ledger::Partners>,
    secret: Secret,
    min_password: u64,
    recorder: Arc<dyn Recorder>,
    taker: Option<Arc<dyn crate::partners::recalls::TakesBack>>,
}

impl Administration {
    /// Over the register. Nothing is recorded until [`Self::recorded_by`] says where.
    #[must_use]
    pub fn new(book: Arc<dyn Keeper>, secret: Secret, config: &crate::config::Accounts) -> Self {
        let partners: Arc<dyn ledger::Partners> = Arc::<dyn Keeper>::clone(&book);
        let (min_password, recorder) = (config.min_password_length, Arc::new(Nowhere));
        Self { book, partners, secret, min_password, recorder, taker: None }
    }

    /// The same, with every act recorded.
    #[must_use]
    pub fn recorded_by(self, recorder: Arc<dyn Recorder>) -> Self {
        Self { recorder, ..self }
    }

    /// The same, with what leaves our control taken back from those to whom it was handed.
    #[must_use]
    pub fn recalled_by(self, taker: Arc<dyn crate::partners::recalls::TakesBack>) -> Self {
        Self { taker: Some(taker), ..self }
    }

    /// The one place that every act goes through when it is over.
    fn record(&self, act: &AdministrationAct<'_>) {
        self.recorder.record(act);
    }

    fn done(&self, actor: &Actor, deed: Deed, on: &Account, detail: Option<&str>) {
        let organisation = Some(on.organisation.name.as_str());
        self.record(&AdministrationAct { actor, deed, subject: &on.name, organisation, detail, done: true });
    }

    fn refused(&self, actor: &Actor, deed: Deed, subject: &str) -> Error {
        self.record(&AdministrationAct { actor, deed, subject, organisation: None, detail: None, done: false });
        Error::Refused
    }

    /// Loads a member and asks whether the actor may do this to it.
    fn authorised(&self, actor: &Actor, act: Act, deed: Deed, name: &str) -> Result<Authorised, Error> {
        let unknown = || Error::Unknown { what: "account", name: name.to_owned() };
        let account = self.book.account(name)?.ok_or_else(unknown)?;
        let member = self.member(&account)?;
        if !may(actor, Act::See, &Target::Member(&member)) {
            self.refused(actor, deed, name);
            return Err(unknown());
        }
        if !may(actor, act, &Target::Member(&member)) {
            return Err(self.refused(actor, deed, name));
        }
        Ok(Authorised(account))
    }

    /// Whether the actor may know of this member.
    fn may_see(&self, actor: &Actor, account: &Account) -> Result<bool, Error> {
        Ok(may(actor, Act::See, &Target::Member(&self.member(account)?)))
    }

    fn on_node(&self, actor: &Actor, act: Act, deed: Deed, subject: &str) -> Result<(), Error> {
        if may(actor, act, &Target::Node) { Ok(()) } else { Err(self.refused(actor, deed, subject)) }
    }

    fn member(&self, account: &Account) -> Result<role::Member, Error> {
        let own = own_organisation(&*self.book)?;
        let own = own.is_some_and(|own| own.to_lowercase() == account.organisation.name.to_lowercase());
        Ok(member(account, own))
    }

    /// A password that may be set.
    fn checked_password(&self, password: &str) -> Result<(), Error> {
        if (password.chars().count() as u64) < self.min_password.max(1) {
            return Err(Error::Invalid(format!(
                "the password is too short: take at least {} characters",
                self.min_password.max(1)
            )));
        }
        if password.len() > LONGEST_PASSWORD {
            return Err(Error::Invalid(format!("the password is longer than {LONGEST_PASSWORD} bytes")));
        }
        Ok(())
    }
}

/// The organisation that owns the node.
///
/// # Errors
/// [`ledger::Error::Storage`].
pub fn own_organisation(book: &dyn People) -> ledger::Result<Option<String>> {
    Ok(book.note(OWN_ORGANISATION)?.and_then(|name| String::from_utf8(name).ok()))
}

/// A member as roles see it.
#[must_use]
pub fn member(account: &Account, own: bool) -> role::Member {
    role::Member {
        name: account.name.clone(),
        organisation: account.organisation.name.clone(),
        own,
        role: role_of(account.role),
    }
}

/// The policy's word for a role.
#[must_use]
pub fn role_of(role: ledger::Role) -> role::Role {
    match role {
        ledger::Role::Reader => role::Role::Reader,
        ledger::Role::Analyst => role::Role::Analyst,
        ledger::Role::Publisher => role::Role::Publisher,
        ledger::Role::PartnerManager => role::Role::PartnerManager,
        ledger::Role::Administrator => role::Role::Administrator,
    }
}

/// The register's word for a role.
#[must_use]
pub fn kept_role(role: role::Role) -> ledger::Role {
    match role {
        role::Role::Reader => ledger::Role::Reader,
        role::Role::Analyst => ledger::Role::Analyst,
        role::Role::Publisher => ledger::Role::Publisher,
        role::Role::PartnerManager => ledger::Role::PartnerManager,
        role::Role::Administrator => ledger::Role::Administrator,
    }
}

/// What a name of a member, a key or an organisation may look like: it stands in HTTP Basic, where a colon ends it, in
/// addresses, and in lists with commas.
fn checked_name(what: &'static str, name: &str) -> Result<(), Error> {
    let wrong = |why: &str| Err(Error::Invalid(format!("the name of the {what} {why}")));
    if name.is_empty() || name.trim() != name {
        return wrong("is empty, or begins or ends with white space");
    }
    if name.chars().count() > 200 {
        return wrong("is longer than 200 characters");
    }
    // Joiners are letters of Persian names.
    if name.chars().any(|c| c.is_control() || (crate::limiter::is_unseen(c) && !matches!(c, '\u{200c}' | '\u{200d}'))) {
        return wrong("has characters that cannot be seen");
    }
    if what != "organisation" && name.contains([':', '/']) || name.contains(',') {
        return wrong("has a colon, a slash or a comma");
    }
    Ok(())
}

/// A time in the future, or none.
fn checked_end(expires: Option<Micros>, now: Micros) -> Result<(), Error> {
    if expires.is_some_and(|expires| expires <= now) {
        return Err(Error::Invalid("the end is in the past".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
