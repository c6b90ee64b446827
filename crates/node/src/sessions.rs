//! Sessions: a random secret in a cookie, of which the register keeps a keyed hash.

use crate::chance;
use crate::home::Secret;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ledger::{Micros, People, Session};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

const DIGEST: &str = "marsad 2026-11 session digest";
const CSRF: &str = "marsad 2026-11 session csrf token";
/// Sessions of one member at once; the oldest ends when there would be more.
const MOST: usize = 100;
/// Letters of a cookie: 256 bits.
const LETTERS: usize = 43;

/// Opens, finds and ends sessions.
pub struct Sessions {
    book: Arc<dyn People>,
    digest_key: [u8; 32],
    csrf_key: [u8; 32],
    idle: Micros,
    longest: Micros,
}

/// A session that was just opened. Its cookie is shown this once.
pub struct Begun {
    /// For the cookie.
    pub cookie: Zeroizing<String>,
    /// Must come with whatever changes something.
    pub csrf: String,
    /// When it ends at the latest.
    pub ends: Micros,
}

/// Why no session could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no randomness.
    #[error(transparent)]
    Chance(#[from] chance::NoChance),
    /// The register refused.
    #[error(transparent)]
    Register(#[from] ledger::Error),
}

impl Sessions {
    /// With the node's limits.
    #[must_use]
    pub fn new(book: Arc<dyn People>, secret: &Secret, config: &crate::config::Accounts) -> Self {
        let minutes = |n: u64| i64::try_from(n.saturating_mul(60_000_000)).unwrap_or(i64::MAX);
        Self {
            book,
            digest_key: secret.key_for(DIGEST),
            csrf_key: secret.key_for(CSRF),
            idle: minutes(config.session_idle_minutes),
            longest: minutes(config.session_hours.saturating_mul(60)),
        }
    }

    /// Opens a session of a member that has signed in.
    ///
    /// # Errors
    /// [`Error`].
    pub fn begin(&self, account: &str, from: IpAddr, now: Micros) -> Result<Begun, Error> {
        let cookie = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*Zeroizing::new(chance::bytes::<32>()?)));
        for old in self.book.sessions(account)?.iter().skip(MOST - 1) {
            self.book.end_session(&old.digest)?;
        }
        let ends = now.saturating_add(self.longest);
        self.book.add_session(&Session {
            digest: self.digest(&cookie),
            account: account.to_owned(),
            address: from.to_canonical().to_string(),
            made: now,
            seen: now,
            ends,
        })?;
        Ok(Begun { csrf: self.csrf(&cookie), cookie, ends })
    }

    /// The session that a cookie stands for, if it has not ended.
    ///
    /// # Errors
    /// [`ledger::Error::Storage`].
    pub fn find(&self, cookie: &str, now: Micros) -> ledger::Result<Option<Session>> {
        if cookie.len() != LETTERS {
            return Ok(None);
        }
        self.alive(&self.digest(cookie), now)
    }

    /// The session with this digest, if it has not ended.
    ///
    /// # Errors
    /// [`ledger::Error::Storage`].
    pub fn alive(&self, digest: &[u8; 32], now: Micros) -> ledger::Result<Option<Session>> {
        let found = self.book.session(digest)?;
        Ok(found.filter(|session| now < session.ends && now <= session.seen.saturating_add(self.idle)))
    }

    /// Whether its use should be noted: not with every request.
    #[must_use]
    pub fn should_note(&self, session: &Session, now: Micros) -> bool {
        now.saturating_sub(session.seen) > (self.idle / 10).min(60_000_000)
    }

    /// What must come with whatever changes something.
    #[must_use]
    pub fn csrf(&self, cookie: &str) -> String {
        blake3::keyed_hash(&self.csrf_key, cookie.as_bytes()).to_hex().to_string()
    }

    /// Whether that came.
    #[must_use]
    pub fn is_csrf(&self, cookie: &str, sent: &str) -> bool {
        self.csrf(cookie).as_bytes().ct_eq(sent.as_bytes()).into()
    }

    /// Drops the sessions that have ended. Returns how many.
    ///
    /// # Errors
    /// [`ledger::Error::Storage`].
    pub fn sweep(&self, now: Micros) -> ledger::Result<u64> {
        self.book.expire_sessions(now.saturating_sub(self.idle), now)
    }

    fn digest(&self, cookie: &str) -> [u8; 32] {
        *blake3::keyed_hash(&self.digest_key, cookie.as_bytes()).as_bytes()
    }
}

/// What people and the API call a session by: it opens nothing.
#[must_use]
pub fn name_of(session: &Session) -> String {
    session.digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{Account, Organisation, Register as _, Relation, Role};

    const MINUTE: Micros = 60_000_000;

    #[test]
    fn sessions_end_when_idle_and_when_their_time_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let book = Arc::new(ledger::sqlite::Book::create(&directory.path().join("marsad.db")).unwrap());
        let organisation = Organisation { name: "CERT North".into(), relation: Relation::Own };
        book.add_organisation(&organisation).unwrap();
        let role = Role::Reader;
        book.add_account(&Account { name: "noor".into(), organisation, role, password: None, created: 0 }).unwrap();
        let config = crate::config::Accounts {
            session_idle_minutes: 30,
            session_hours: 2,
            ..crate::config::Accounts::default()
        };
        let sessions = Sessions::new(Arc::clone(&book) as _, &Secret::new([1; 32]), &config);
        let other = Sessions::new(Arc::clone(&book) as _, &Secret::new([2; 32]), &config);
        let from = "::ffff:192.0.2.1".parse().unwrap();
        let begun = sessions.begin("noor", from, 0).unwrap();
        let alive = |now| sessions.find(&begun.cookie, now).unwrap();
        assert_eq!(alive(0).map(|session| session.address), Some("192.0.2.1".into()));
        assert!(alive(30 * MINUTE).is_some() && alive(30 * MINUTE + 1).is_none(), "idle");
        let found = alive(20 * MINUTE).unwrap();
        assert!(sessions.should_note(&found, 2 * MINUTE) && !sessions.should_note(&found, MINUTE));
        for minute in [25, 50, 75, 100] {
            book.session_used(&found.digest, minute * MINUTE).unwrap();
        }
        assert!(alive(120 * MINUTE - 1).is_some() && alive(120 * MINUTE).is_none(), "over, though it was used");
        assert!(other.find(&begun.cookie, 0).unwrap().is_none(), "another node's");
        for wrong in ["", "x", &begun.cookie[1..], &begun.cookie.to_uppercase()] {
            assert!(sessions.find(wrong, 0).unwrap().is_none(), "{wrong}");
        }
        let database = std::fs::read(directory.path().join("marsad.db-wal")).unwrap();
        assert!(!database.windows(20).any(|window| window == &begun.cookie.as_bytes()[..20]), "only its hash is kept");
        assert!(sessions.is_csrf(&begun.cookie, &begun.csrf));
        let second = sessions.begin("noor", from, 0).unwrap();
        for wrong in ["", &begun.cookie, &second.csrf, &begun.csrf[1..]] {
            assert!(!sessions.is_csrf(&begun.cookie, wrong), "{wrong}");
        }
        assert_eq!(sessions.sweep(29 * MINUTE).unwrap(), 0);
        assert_eq!(sessions.sweep(31 * MINUTE).unwrap(), 1, "the second was never used");
    }

    #[test]
    fn a_member_has_so_many_sessions_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let book = Arc::new(ledger::sqlite::Book::create(&directory.path().join("marsad.db")).unwrap());
        let organisation = Organisation { name: "CERT North".into(), relation: Relation::Own };
        book.add_organisation(&organisation).unwrap();
        let role = Role::Reader;
        book.add_account(&Account { name: "noor".into(), organisation, role, password: None, created: 0 }).unwrap();
        let config = crate::config::Accounts::default();
        let sessions = Sessions::new(Arc::clone(&book) as _, &Secret::new([1; 32]), &config);
        let from = "192.0.2.1".parse().unwrap();
        let begun: Vec<Begun> = (0..MOST as i64 + 2).map(|now| sessions.begin("noor", from, now).unwrap()).collect();
        assert_eq!(book.sessions("noor").unwrap().len(), MOST);
        let alive = |n: usize| sessions.find(&begun[n].cookie, 200).unwrap().is_some();
        assert_eq!([alive(0), alive(1), alive(2), alive(MOST + 1)], [false, false, true, true], "the oldest ended");
    }
}
