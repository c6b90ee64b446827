//! Who is asking: HTTP Basic with a password or a key, a Bearer key, or a bare key, to a member.

use crate::credentials;
use crate::home::Secret;
use crate::known::Known;
use crate::limiter::{Limiter, TooMany};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::{Account, Micros, Register, Relation, Role, Who};
use policy::Viewer;
use std::collections::HashMap;
use std::net::IpAddr;
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
    /// Whether the credential was judged for this very request, and not remembered from an earlier one.
    pub fresh: bool,
}

impl Identity {
    /// Somebody who has not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { viewer: Viewer::anonymous(), role: None, reads: true, writes: true, fresh: false }
    }

    fn of(account: &Account, scope: &[String]) -> Self {
        let allows = |word: &str| scope.is_empty() || scope.iter().any(|given| given == word);
        Self {
            viewer: viewer(account),
            role: Some(account.role),
            reads: allows("read"),
            writes: allows("write") && account.role > Role::Reader,
            fresh: false,
        }
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
    book: Arc<dyn Register>,
    secret: Secret,
    memory_key: [u8; 32],
    memory: Mutex<HashMap<[u8; 32], Remembered>>,
    remember: Duration,
    limiter: Limiter,
    hashing: Semaphore,
    /// One judge at a time for one credential: a crowd that signs in with the same one is judged once.
    turns: Vec<tokio::sync::Mutex<()>>,
}

struct Remembered {
    identity: Identity,
    generation: u64,
    until: Instant,
    expires: Option<Micros>,
}

/// A credential as it was sent.
enum Credential {
    Password { name: String, password: Zeroizing<String> },
    Key(Zeroizing<String>),
}

impl Accounts {
    /// Over the register, with the node's limits.
    #[must_use]
    pub fn new(known: Arc<Known>, book: Arc<dyn Register>, secret: Secret, config: &crate::config::Accounts) -> Self {
        Self {
            known,
            book,
            memory_key: secret.key_for("marsad 2026-11 remembered credential"),
            secret,
            memory: Mutex::new(HashMap::new()),
            remember: Duration::from_secs(config.remember_seconds),
            limiter: Limiter::new(u32::try_from(config.attempts_per_minute).unwrap_or(u32::MAX)),
            hashing: Semaphore::new(usize::try_from(config.parallel_checks).unwrap_or(1).max(1)),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::new(())).collect(),
        }
    }

    /// Who sent this `Authorization` header; a request without one is anonymous.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn identify(&self, header: Option<&str>, from: IpAddr, now: Micros) -> Result<Identity, Refusal> {
        let Some(header) = header else { return Ok(Identity::anonymous()) };
        if header.len() > LONGEST {
            return Err(Refusal::Wrong);
        }
        let mark = *blake3::keyed_hash(&self.memory_key, header.as_bytes()).as_bytes();
        if let Some(identity) = self.remembered(&mark, now)? {
            return Ok(identity);
        }
        let turn = self.turns.get(usize::from(mark[0]) % TURNS);
        let _turn = match turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        if let Some(identity) = self.remembered(&mark, now)? {
            return Ok(identity);
        }
        let credential = read(header).ok_or(Refusal::Wrong)?;
        let name = match &credential {
            Credential::Password { name, .. } => Some(name.clone()),
            Credential::Key(_) => None,
        };
        let counted = self.limiter.attempt(name.as_deref(), from, Instant::now());
        counted.map_err(|TooMany(wait)| Refusal::TooMany(wait))?;
        let snapshot = self.known.asked_again()?;
        let (identity, expires) = self.judge(credential, now).await?;
        self.limiter.was_right(name.as_deref(), from);
        self.remember(
            mark,
            Remembered {
                identity: identity.clone(),
                generation: snapshot.generation,
                until: Instant::now() + self.remember,
                expires,
            },
        );
        Ok(Identity { fresh: true, ..identity })
    }

    /// Counts an attempt to use a one-time token, like any other credential.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn count(&self, name: &str, from: IpAddr) -> Result<(), Refusal> {
        self.limiter.attempt(Some(name), from, Instant::now()).map_err(|TooMany(wait)| Refusal::TooMany(wait))
    }

    /// Takes such an attempt back that turned out right.
    pub fn was_right(&self, name: &str, from: IpAddr) {
        self.limiter.was_right(Some(name), from);
    }

    fn remembered(&self, mark: &[u8; 32], now: Micros) -> Result<Option<Identity>, Refusal> {
        let generation = self.known.now()?.generation;
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(memory.get(mark).and_then(|held| {
            let valid = held.generation == generation
                && Instant::now() < held.until
                && held.expires.is_none_or(|expires| now < expires);
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

    async fn judge(&self, credential: Credential, now: Micros) -> Result<(Identity, Option<Micros>), Refusal> {
        match credential {
            Credential::Key(key) => self.key(&key, None, now),
            Credential::Password { name, password } => {
                if let Ok(found) = self.key(&password, Some(&name), now) {
                    return Ok(found);
                }
                let account = self.book.account(&name)?;
                let kept = account.as_ref().and_then(|account| account.password.clone());
                if !self.is_password(password, kept.clone().unwrap_or_else(|| NOBODY.clone())).await {
                    return Err(Refusal::Wrong);
                }
                match account {
                    Some(account) if kept.is_some() => Ok((Identity::of(&account, &[]), None)),
                    _ => Err(Refusal::Wrong),
                }
            }
        }
    }

    /// Hashes away from the threads that serve, and only so many at once.
    async fn is_password(&self, password: Zeroizing<String>, kept: String) -> bool {
        let Ok(_permit) = self.hashing.acquire().await else { return false };
        let right = tokio::task::spawn_blocking(move || credentials::is_password(&password, &kept)).await;
        right.unwrap_or(false)
    }

    fn key(&self, key: &str, name: Option<&str>, now: Micros) -> Result<(Identity, Option<Micros>), Refusal> {
        let digest = credentials::key_digest(&self.secret, key);
        let snapshot = self.known.asked_again()?;
        let found = snapshot.key(&digest).filter(|key| key.expires.is_none_or(|expires| now < expires));
        let found = found.ok_or(Refusal::Wrong)?;
        if name.is_some_and(|name| name.to_lowercase() != found.account.to_lowercase()) {
            return Err(Refusal::Wrong);
        }
        let account = snapshot.account(&found.account).ok_or(Refusal::Wrong)?;
        Ok((Identity::of(account, &found.scope), found.expires))
    }
}

/// The name that a header claims, whether or not the rest is right.
#[must_use]
pub fn claimed(header: &str) -> Option<String> {
    match read(header)? {
        Credential::Password { name, .. } if header.len() <= LONGEST => Some(name),
        _ => None,
    }
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
