//! How members sign in beside a password: second factors, sessions, client certificates, identities at a provider.

use crate::{Micros, Register, Result, Role};

/// A second factor by time (RFC 6238).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecondFactor {
    /// The hash that it is made with.
    pub algorithm: String,
    /// How many digits a code has.
    pub digits: u8,
    /// The shared secret, sealed by the node.
    pub sealed: Vec<u8>,
    /// Whether a first code has been shown: before that it is not asked for.
    pub confirmed: bool,
}

/// A session. The secret that its owner holds is never kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// A keyed hash of the secret.
    pub digest: [u8; 32],
    /// The member that signed in.
    pub account: String,
    /// Where from, for people.
    pub address: String,
    /// When.
    pub made: Micros,
    /// When it was used last, roughly.
    pub seen: Micros,
    /// When it ends, whether or not it is used.
    pub ends: Micros,
}

/// A client certificate that is pinned to a member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// SHA-256 of the certificate in DER.
    pub fingerprint: [u8; 32],
    /// The member.
    pub account: String,
    /// When the certificate itself ends.
    pub ends: Micros,
    /// When it was pinned.
    pub added: Micros,
}

/// An identity at a provider that is bound to a member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The provider.
    pub issuer: String,
    /// Its name for the member, which it never gives to another.
    pub subject: String,
    /// The member.
    pub account: String,
    /// When it was made.
    pub made: Micros,
}

/// The register's part about signing in. Every change is durable on return. What says who may sign in changes the
/// register's generation; what is merely used (a code, a session, a key) does not.
pub trait People: Register {
    /// Gives a member another role.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn set_role(&self, name: &str, role: Role) -> Result<()>;
    /// A member's second factor, confirmed or not.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn second_factor(&self, account: &str) -> Result<Option<SecondFactor>>;
    /// Sets a second factor in place of one that was not confirmed.
    /// # Errors
    /// [`crate::Error::Missing`]; [`crate::Error::Exists`] if there is a confirmed one.
    fn set_second_factor(&self, account: &str, factor: &SecondFactor) -> Result<()>;
    /// Takes an unconfirmed second factor into use by its first code, with recovery codes. `false`: there is none.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn confirm_second_factor(&self, account: &str, step: i64, recovery: &[[u8; 32]]) -> Result<bool>;
    /// Removes a second factor and its recovery codes.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_second_factor(&self, account: &str) -> Result<()>;
    /// Uses the code of a time step up. `false`: that code or a later one has been used.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn use_step(&self, account: &str, step: i64) -> Result<bool>;
    /// Puts new recovery codes in the place of all earlier ones.
    /// # Errors
    /// [`crate::Error::Missing`] if the member has no confirmed second factor.
    fn set_recovery_codes(&self, account: &str, digests: &[[u8; 32]]) -> Result<()>;
    /// How many recovery codes are left.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn recovery_codes(&self, account: &str) -> Result<u64>;
    /// Uses a recovery code up. `false`: there is no such code.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn use_recovery_code(&self, account: &str, digest: &[u8; 32]) -> Result<bool>;
    /// Adds a session.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn add_session(&self, session: &Session) -> Result<()>;
    /// The session with this digest, whether or not it has ended.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn session(&self, digest: &[u8; 32]) -> Result<Option<Session>>;
    /// A member's sessions, newest first.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn sessions(&self, account: &str) -> Result<Vec<Session>>;
    /// Notes that a session was used.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn session_used(&self, digest: &[u8; 32], now: Micros) -> Result<()>;
    /// Ends one session. `false`: there is none.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn end_session(&self, digest: &[u8; 32]) -> Result<bool>;
    /// Ends every session of a member. Returns how many.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn end_sessions(&self, account: &str) -> Result<u64>;
    /// Drops the sessions that ended before `now` or were last used before `idle`. Returns how many.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn expire_sessions(&self, idle: Micros, now: Micros) -> Result<u64>;
    /// Pins a client certificate.
    /// # Errors
    /// [`crate::Error::Exists`] if it is pinned already, [`crate::Error::Missing`].
    fn add_certificate(&self, certificate: &Certificate) -> Result<()>;
    /// All pinned certificates.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn certificates(&self) -> Result<Vec<Certificate>>;
    /// Removes a member's certificate.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_certificate(&self, account: &str, fingerprint: &[u8; 32]) -> Result<()>;
    /// Binds an identity to a member.
    /// # Errors
    /// [`crate::Error::Exists`] if the identity is bound already, [`crate::Error::Missing`].
    fn add_link(&self, link: &Link) -> Result<()>;
    /// The member to whom an identity is bound.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn link(&self, issuer: &str, subject: &str) -> Result<Option<Link>>;
    /// The identities of a member.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn links(&self, account: &str) -> Result<Vec<Link>>;
    /// Removes an identity of a member.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_link(&self, account: &str, issuer: &str, subject: &str) -> Result<()>;
    /// Removes a key of this member, and of no other.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_key_of(&self, account: &str, key: &str) -> Result<()>;
    /// Notes that a key was used.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn key_used(&self, key: &str, now: Micros) -> Result<()>;
}
