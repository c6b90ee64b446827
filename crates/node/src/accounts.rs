//! Who is asking: HTTP Basic with a password or a key, a Bearer key, a bare key, a session or a client certificate, to a
//! member.
//!
//! What can be checked without a costly hash and cannot be guessed (a key, a session, a certificate, a credential that was
//! right a moment ago) is looked up first and is not limited: whoever guesses at a member's password does not keep the
//! member itself out. Everything else is counted before it is judged.

use crate::administration;
use crate::certificate::ClientCertificate;
use crate::credentials;
use crate::home::Secret;
use crate::known::{Known, Snapshot};
use crate::limiter::{Limiter, TooMany};
use crate::network::Network;
use crate::second_factor;
use crate::sessions::Sessions;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::{Account, Micros, People, Relation, Role, SecondFactor, Who};
use policy::Viewer;
use policy::role::Actor;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Right credentials that are remembered at most.
const MOST: usize = 10_000;
/// Credentials that are judged side by side.
const TURNS: usize = 64;
/// A credential longer than this is nobody's.
const LONGEST: usize = 4_096;
/// Codes of a second factor that may be wrong before a member has to wait, and how long. A code can be guessed much
/// more easily than a password: so few leave a guesser who has the password a chance of 0.2 % a day.
const WRONG_CODES: (u32, Duration) = (5, Duration::from_secs(900));
/// How exactly the last use of a key is noted.
const KEY_USE: Micros = 3_600_000_000;
/// Compared with when there is no such member, so that a wrong name costs what a wrong password costs.
static NOBODY: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| credentials::hash_password("nobody's password").unwrap_or_default());

/// A member, or a stranger, and what they may do.
#[derive(Clone, Debug)]
pub struct Identity {
    /// As the policy sees them.
    pub viewer: Viewer,
    /// `None`: not signed in.
    pub role: Option<Role>,
    /// What the key may be used for; a password may everything.
    pub reads: bool,
    /// See `reads`. Readers never write.
    pub writes: bool,
    /// As roles see them.
    pub actor: Actor,
    /// How they signed in.
    pub how: How,
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// Not at all.
    Not,
    /// With name and password.
    Password,
    /// With a key that may whatever its member may.
    Key,
    /// With a key that may less: it administers nothing.
    LimitedKey,
    /// With a session, by its digest.
    Session([u8; 32]),
    /// With a client certificate.
    Certificate,
}

impl Identity {
    /// Somebody who has not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        let (actor, how) = (Actor::Stranger, How::Not);
        Self { viewer: Viewer::anonymous(), role: None, reads: true, writes: true, actor, how }
    }

    fn of(account: &Account, own: bool, scope: &[String], how: How) -> Self {
        let allows = |word: &str| scope.is_empty() || scope.iter().any(|given| given == word);
        Self {
            viewer: viewer(account),
            role: Some(account.role),
            reads: allows("read"),
            writes: allows("write") && account.role > Role::Reader,
            actor: Actor::Member(administration::member(account, own)),
            how,
        }
    }

    /// Who acts when this identity administers: a limited key acts for nobody.
    #[must_use]
    pub fn administrator(&self) -> Actor {
        if self.how == How::LimitedKey { Actor::Stranger } else { self.actor.clone() }
    }
}

/// A member as the policy sees it.
#[must_use]
pub fn viewer(account: &Account) -> Viewer {
    Viewer {
        name: Some(account.name.clone()),
        organisation: Some(account.organisation.name.clone()),
        relation: relation(account.organisation.relation),
    }
}

/// The policy's word for a relation.
#[must_use]
pub fn relation(relation: Relation) -> policy::Relation {
    match relation {
        Relation::Own => policy::Relation::Own,
        Relation::Client => policy::Relation::Client,
        Relation::Community => policy::Relation::Community,
        Relation::Public => policy::Relation::Public,
    }
}

/// The policy's words for who may read or write a collection.
#[must_use]
pub fn who(who: &Who) -> policy::Who {
    match who {
        Who::Anyone => policy::Who::Anyone,
        Who::Members => policy::Who::Members,
        Who::Named(names) => policy::Who::Named(names.clone()),
    }
}

/// Why a credential was not accepted. Strangers are told no more than this.
#[derive(Debug)]
pub enum Refusal {
    /// It is nobody's.
    Wrong,
    /// The password is right, and the code of the second factor is missing.
    Code,
    /// There were too many wrong ones; how long to wait.
    TooMany(Duration),
    /// The register cannot be asked.
    Broken(ledger::Error),
}

impl From<ledger::Error> for Refusal {
    fn from(error: ledger::Error) -> Self {
        Self::Broken(error)
    }
}

/// Checks credentials, and remembers those that were right.
pub struct Accounts {
    known: Arc<Known>,
    book: Arc<dyn People>,
    sessions: Sessions,
    secret: Secret,
    memory_key: [u8; 32],
    memory: Mutex<HashMap<[u8; 32], Remembered>>,
    remember: Duration,
    limiter: Limiter,
    codes: Limiter,
    hashes: AtomicU64,
    hashing: Semaphore,
    /// One judge at a time for one credential: a crowd that signs in with the same one is judged once.
    turns: Vec<tokio::sync::Mutex<()>>,
}

struct Remembered {
    identity: Identity,
    generation: u64,
    until: Instant,
    expires: Option<Micros>,
    /// The address alone from which it was right; a code is not for others.
    address: Option<IpAddr>,
    /// Where it may come from; empty: anywhere.
    networks: Arc<[Network]>,
}

/// A credential that was right.
struct Right {
    identity: Identity,
    expires: Option<Micros>,
    with_code: bool,
    networks: Arc<[Network]>,
}

/// A credential as it was sent.
enum Credential {
    Password { name: String, password: Zeroizing<String> },
    Key(Zeroizing<String>),
}

impl Accounts {
    /// Over the register, with the node's limits.
    #[must_use]
    pub fn new(known: Arc<Known>, book: Arc<dyn People>, secret: Secret, config: &crate::config::Accounts) -> Self {
        Self {
            sessions: Sessions::new(Arc::clone(&book), &secret, config),
            known,
            book,
            memory_key: secret.key_for("marsad 2026-11 remembered credential"),
            secret,
            memory: Mutex::new(HashMap::new()),
            remember: Duration::from_secs(config.remember_seconds),
            limiter: Limiter::new(u32::try_from(config.attempts_per_minute).unwrap_or(u32::MAX)),
            codes: Limiter::within(WRONG_CODES.0, WRONG_CODES.1),
            hashes: AtomicU64::new(0),
            hashing: Semaphore::new(usize::try_from(config.parallel_checks).unwrap_or(1).max(1)),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::new(())).collect(),
        }
    }

    /// The sessions of members.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// How many passwords were hashed to be compared.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// Who sent this `Authorization` header; a request without one is anonymous.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn identify(&self, header: Option<&str>, from: IpAddr, now: Micros) -> Result<Identity, Refusal> {
        self.identify_at(header, from, now, Instant::now()).await
    }

    /// The same, with the monotonic clock as an argument.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn identify_at(
        &self,
        header: Option<&str>,
        from: IpAddr,
        now: Micros,
        instant: Instant,
    ) -> Result<Identity, Refusal> {
        let Some(header) = header else { return Ok(Identity::anonymous()) };
        if header.len() > LONGEST {
            return Err(Refusal::Wrong);
        }
        let mark = *blake3::keyed_hash(&self.memory_key, header.as_bytes()).as_bytes();
        if let Some(identity) = self.remembered(&mark, from, now, instant)? {
            return Ok(identity);
        }
        let turn = self.turns.get(usize::from(mark[0]) % TURNS);
        let _turn = match turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        if let Some(identity) = self.remembered(&mark, from, now, instant)? {
            return Ok(identity);
        }
        let snapshot = self.known.asked_again()?;
        let right = match read(header) {
            None => return Err(self.wrong(None, from, instant)),
            Some(Credential::Key(key)) => match self.key(&snapshot, &key, None, from, now) {
                Some(right) => right,
                None => return Err(self.wrong(None, from, instant)),
            },
            Some(Credential::Password { name, password }) => {
                match self.key(&snapshot, &password, Some(&name), from, now) {
                    Some(right) => right,
                    None => self.basic(&snapshot, &name, password, from, now, instant).await?,
                }
            }
        };
        self.remember(
            mark,
            Remembered {
                identity: right.identity.clone(),
                generation: snapshot.generation,
                until: instant + self.remember,
                expires: right.expires,
                address: right.with_code.then(|| from.to_canonical()),
                networks: right.networks,
            },
        );
        Ok(right.identity)
    }

    /// Who holds the session of this cookie; `None`: nobody does any more.
    ///
    /// # Errors
    /// [`Refusal::Broken`].
    pub fn identify_session(&self, cookie: &str, now: Micros) -> Result<Option<Identity>, Refusal> {
        let Some(session) = self.sessions.find(cookie, now)? else { return Ok(None) };
        let snapshot = self.fresh(&session.account)?;
        let Some(account) = snapshot.account(&session.account) else { return Ok(None) };
        if self.sessions.should_note(&session, now) {
            let book = Arc::clone(&self.book);
            // Nobody waits for it.
            tokio::task::spawn_blocking(move || {
                if let Err(error) = book.session_used(&session.digest, now) {
                    tracing::warn!(%error, "the use of a session could not be noted");
                }
            });
        }
        Ok(Some(Identity::of(account, snapshot.is_own(account), &[], How::Session(session.digest))))
    }

    /// To whom a client certificate is pinned, whose holder has shown that it has the key; `None`: to nobody. There is
    /// nothing to guess at and nothing to count.
    ///
    /// # Errors
    /// [`Refusal::Broken`].
    pub fn identify_certificate(
        &self,
        certificate: &ClientCertificate,
        now: Micros,
    ) -> Result<Option<Identity>, Refusal> {
        if !certificate.holds(now) {
            return Ok(None);
        }
        let snapshot = self.known.now()?;
        let account = snapshot.certificate(&certificate.fingerprint);
        Ok(account.map(|account| Identity::of(account, snapshot.is_own(account), &[], How::Certificate)))
    }

    /// Judges what a person signs in with to begin a session.
    ///
    /// # Errors
    /// [`Refusal::Code`] when nothing but the code is missing.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Zeroizing<String>,
        code: Option<&str>,
        from: IpAddr,
        now: Micros,
    ) -> Result<Account, Refusal> {
        let instant = Instant::now();
        if password.len() > LONGEST || name.len() > LONGEST {
            return Err(Refusal::Wrong);
        }
        self.count_at(name, from, instant)?;
        let (account, factor) = self.account(name)?;
        let account = self.with_password(account, password).await?;
        if let Some(factor) = factor {
            let code = code.filter(|code| !code.is_empty()).ok_or(Refusal::Code)?;
            self.check_code(&account, &factor, code, true, now, instant)?;
        }
        self.limiter.was_right(Some(name), from);
        Ok(account)
    }

    /// Whether this is the member's password now: asked again before it is changed.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn confirm(&self, name: &str, password: Zeroizing<String>, from: IpAddr) -> Result<(), Refusal> {
        self.count(name, from)?;
        let (account, _) = self.account(name)?;
        self.with_password(account, password).await?;
        self.was_right(name, from);
        Ok(())
    }

    /// Whether this is a code, or a recovery code, of the member's second factor. It is used up.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::Wrong`] also if there is no second factor.
    pub fn confirm_code(&self, name: &str, code: &str, now: Micros) -> Result<(), Refusal> {
        match self.account(name)? {
            (Some(account), Some(factor)) => self.check_code(&account, &factor, code, true, now, Instant::now()),
            _ => Err(Refusal::Wrong),
        }
    }

    /// Counts an attempt to use a one-time token, a first code, or an answer from elsewhere, like any other credential.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn count(&self, name: &str, from: IpAddr) -> Result<(), Refusal> {
        self.count_at(name, from, Instant::now())
    }

    /// Counts an attempt that names nobody.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn count_from(&self, from: IpAddr) -> Result<(), Refusal> {
        self.limiter.attempt(None, from, Instant::now()).map_err(|TooMany(wait)| Refusal::TooMany(wait))
    }

    /// Takes such an attempt back that turned out right.
    pub fn was_right(&self, name: &str, from: IpAddr) {
        self.limiter.was_right(Some(name), from);
    }

    /// Takes an attempt back that named nobody.
    pub fn was_right_from(&self, from: IpAddr) {
        self.limiter.was_right(None, from);
    }

    fn count_at(&self, name: &str, from: IpAddr, instant: Instant) -> Result<(), Refusal> {
        self.limiter.attempt(Some(name), from, instant).map_err(|TooMany(wait)| Refusal::TooMany(wait))
    }

    /// Counts what is wrong already.
    fn wrong(&self, name: Option<&str>, from: IpAddr, instant: Instant) -> Refusal {
        match self.limiter.attempt(name, from, instant) {
            Ok(()) => Refusal::Wrong,
            Err(TooMany(wait)) => Refusal::TooMany(wait),
        }
    }

    fn remembered(
        &self,
        mark: &[u8; 32],
        from: IpAddr,
        now: Micros,
        instant: Instant,
    ) -> Result<Option<Identity>, Refusal> {
        let generation = self.known.now()?.generation;
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(memory.get(mark).and_then(|held| {
            let valid = held.generation == generation
                && instant < held.until
                && held.expires.is_none_or(|expires| now < expires)
                && held.address.is_none_or(|address| address == from.to_canonical())
                && allowed(&held.networks, from);
            valid.then(|| held.identity.clone())
        }))
    }

    fn remember(&self, mark: [u8; 32], held: Remembered) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= MOST {
            memory.clear();
        }
        memory.insert(mark, held);
    }

    /// A name with a password; for a member with a second factor, the password followed by its code.
    async fn basic(
        &self,
        snapshot: &Snapshot,
        name: &str,
        password: Zeroizing<String>,
        from: IpAddr,
        now: Micros,
        instant: Instant,
    ) -> Result<Right, Refusal> {
        self.count_at(name, from, instant)?;
        let (account, factor) = self.account(name)?;
        let code = factor.as_ref().and_then(|factor| split_code(&password, factor.digits));
        let with_code = factor.is_some();
        let (password, code) = match (with_code, code) {
            (true, Some((password, code))) => (Zeroizing::new(password.to_owned()), Some(code.to_owned())),
            (_, _) => (password, None),
        };
        let account = self.with_password(account, password).await?;
        if let Some(factor) = &factor {
            self.check_code(&account, factor, code.as_deref().ok_or(Refusal::Wrong)?, false, now, instant)?;
        }
        self.limiter.was_right(Some(name), from);
        let identity = Identity::of(&account, snapshot.is_own(&account), &[], How::Password);
        Ok(Right { identity, expires: None, with_code, networks: Arc::new([]) })
    }

    /// A member, and its second factor if that is in use.
    fn account(&self, name: &str) -> Result<(Option<Account>, Option<SecondFactor>), Refusal> {
        let Some(account) = self.book.account(name)? else { return Ok((None, None)) };
        let factor = self.book.second_factor(&account.name)?.filter(|factor| factor.confirmed);
        Ok((Some(account), factor))
    }

    /// The member, if this is its password. Nobody's costs as much as somebody's.
    async fn with_password(&self, account: Option<Account>, password: Zeroizing<String>) -> Result<Account, Refusal> {
        let kept = account.as_ref().and_then(|account| account.password.clone());
        let right = self.is_password(password, kept.clone().unwrap_or_else(|| NOBODY.clone())).await;
        match account {
            Some(account) if right && kept.is_some() => Ok(account),
            _ => Err(Refusal::Wrong),
        }
    }

    /// Uses a code up, or where they are taken a recovery code.
    fn check_code(
        &self,
        account: &Account,
        factor: &SecondFactor,
        code: &str,
        recovery: bool,
        now: Micros,
        instant: Instant,
    ) -> Result<(), Refusal> {
        let name = account.name.as_str();
        self.codes.attempt_on(name, instant).map_err(|TooMany(wait)| Refusal::TooMany(wait))?;
        let totp = second_factor::open(&self.secret, name, factor).ok_or(Refusal::Wrong)?;
        let mut right = match totp.step_of(code.trim(), now) {
            Some(step) => self.book.use_step(name, step)?,
            None => false,
        };
        if !right && recovery {
            let digest = second_factor::recovery_digest(&self.secret, name, code);
            right = self.book.use_recovery_code(name, &digest)?;
        }
        if !right {
            return Err(Refusal::Wrong);
        }
        self.codes.was_right_on(name);
        Ok(())
    }

    /// Hashes away from the threads that serve, and only so many at once.
    async fn is_password(&self, password: Zeroizing<String>, kept: String) -> bool {
        let Ok(_permit) = self.hashing.acquire().await else { return false };
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let right = tokio::task::spawn_blocking(move || credentials::is_password(&password, &kept)).await;
        right.unwrap_or(false)
    }

    fn key(&self, snapshot: &Snapshot, key: &str, name: Option<&str>, from: IpAddr, now: Micros) -> Option<Right> {
        let digest = credentials::key_digest(&self.secret, key);
        let found = snapshot.key(&digest).filter(|key| key.expires.is_none_or(|expires| now < expires))?;
        if name.is_some_and(|name| name.to_lowercase() != found.account.to_lowercase()) {
            return None;
        }
        // What cannot be read is nowhere.
        let networks: Arc<[Network]> =
            found.networks.iter().map(|network| network.parse()).collect::<Result<Vec<_>, _>>().ok()?.into();
        let account = snapshot.account(&found.account)?;
        if !allowed(&networks, from) {
            return None;
        }
        if found.last_used.is_none_or(|used| now.saturating_sub(used) >= KEY_USE) {
            self.note_use(found.name.clone(), now);
        }
        let whole = found.scope.is_empty() && found.expires.is_none() && networks.is_empty();
        let how = if whole { How::Key } else { How::LimitedKey };
        let identity = Identity::of(account, snapshot.is_own(account), &found.scope, how);
        Some(Right { identity, expires: found.expires, with_code: false, networks })
    }

    /// Nobody waits for it.
    fn note_use(&self, key: String, now: Micros) {
        let book = Arc::clone(&self.book);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = book.key_used(&key, now) {
                tracing::warn!(%error, "the use of a key could not be noted");
            }
        });
    }

    /// A snapshot that knows this member, if anybody does.
    fn fresh(&self, account: &str) -> Result<Arc<Snapshot>, Refusal> {
        let snapshot = self.known.now()?;
        if snapshot.account(account).is_some() { Ok(snapshot) } else { Ok(self.known.asked_again()?) }
    }
}

/// Whether a credential that is bound to networks may come from there.
fn allowed(networks: &[Network], from: IpAddr) -> bool {
    networks.is_empty() || networks.iter().any(|network| network.contains(from))
}

/// A password and the code that follows it.
fn split_code(password: &str, digits: u8) -> Option<(&str, &str)> {
    let (password, code) = password.split_at_checked(password.len().checked_sub(usize::from(digits))?)?;
    let whole = !password.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    whole.then_some((password, code))
}

/// Reads an `Authorization` header. Empty names, passwords and keys are nobody's.
fn read(header: &str) -> Option<Credential> {
    let (scheme, rest) = header.split_once(' ').unwrap_or(("", header));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        let bytes = Zeroizing::new(STANDARD.decode(rest).ok()?);
        let (name, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        let whole = !name.is_empty() && !password.is_empty();
        return whole.then(|| Credential::Password { name: name.to_owned(), password: password.to_owned().into() });
    }
    let key = scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer");
    (key && !rest.is_empty()).then(|| Credential::Key(rest.to_owned().into()))
}

#[cfg(test)]
mod tests;
