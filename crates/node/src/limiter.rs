//! A limit on wrong credentials, by name and by address, over every way of signing in.
//!
//! Nothing that was counted is forgotten before its window is over, however many addresses there are: when the table is
//! full, further names and addresses share the counters of a small second one.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Names and addresses that are counted each on its own.
const MOST: usize = 100_000;
/// Counters that the others share.
const SHARED: u64 = 1_024;
/// How many times as much a site (an IPv6 /48) may try as one of its networks.
const SITE: u32 = 16;
/// How often the counters whose windows are over are dropped from a full table.
const SWEEP: Duration = Duration::from_secs(1);

/// Whose attempts are counted.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Subject {
    /// A name in its [canonical] form, whether or not there is such a member.
    Name(String),
    /// An IPv4 address, or the /64 of an IPv6 address: one host has all of it.
    Address(IpAddr),
    /// The /48 of an IPv6 address: one customer has all of it.
    Site(IpAddr),
    /// Whatever came when the table was full.
    Shared(u64),
}

/// Counts attempts in windows by a monotonic clock.
pub struct Limiter {
    most: u32,
    window: Duration,
    counted: Mutex<Counted>,
    hasher: RandomState,
}

struct Counted {
    table: HashMap<Subject, (u32, Instant)>,
    swept: Option<Instant>,
}

/// Too many attempts: how long to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooMany(pub Duration);

impl Limiter {
    /// With so many wrong attempts a minute.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self::within(most, Duration::from_secs(60))
    }

    /// With so many wrong attempts in a window.
    #[must_use]
    pub fn within(most: u32, window: Duration) -> Self {
        let counted = Mutex::new(Counted { table: HashMap::new(), swept: None });
        Self { most, window, counted, hasher: RandomState::new() }
    }

    /// Counts an attempt before it is judged, so that parallel guesses are all counted.
    ///
    /// # Errors
    /// [`TooMany`] if the name or the address has used its attempts up; the attempt must then not be judged.
    pub fn attempt(&self, name: Option<&str>, address: IpAddr, now: Instant) -> Result<(), TooMany> {
        self.count(subjects(name, Some(address)), now)
    }

    /// Counts an attempt on a name, wherever it comes from.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn attempt_on(&self, name: &str, now: Instant) -> Result<(), TooMany> {
        self.count(subjects(Some(name), None), now)
    }

    /// Takes an attempt back that turned out right.
    pub fn was_right(&self, name: Option<&str>, address: IpAddr) {
        self.take_back(subjects(name, Some(address)));
    }

    /// Takes an attempt on a name back that turned out right.
    pub fn was_right_on(&self, name: &str) {
        self.take_back(subjects(Some(name), None));
    }

    fn count(&self, subjects: Vec<Subject>, now: Instant) -> Result<(), TooMany> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.table.len() >= MOST && counted.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEP) {
            counted.table.retain(|_, (_, since)| now.duration_since(*since) < self.window);
            counted.swept = Some(now);
        }
        let mut places = Vec::with_capacity(subjects.len());
        let mut room = MOST.saturating_sub(counted.table.len());
        for subject in subjects {
            let most = self.most_of(&subject);
            let held = counted.table.contains_key(&subject);
            let place = if held || room > 0 { subject } else { self.shared(&subject) };
            room = room.saturating_sub(usize::from(!held));
            if let Some((count, since)) = counted.table.get(&place) {
                let age = now.duration_since(*since);
                if age < self.window && *count >= most {
                    return Err(TooMany(self.window - age));
                }
            }
            places.push(place);
        }
        for place in places {
            let entry = counted.table.entry(place).or_insert((0, now));
            if now.duration_since(entry.1) >= self.window {
                *entry = (0, now);
            }
            entry.0 += 1;
        }
        Ok(())
    }

    fn take_back(&self, subjects: Vec<Subject>) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in subjects {
            let shared = self.shared(&subject);
            let place = if counted.table.contains_key(&subject) { subject } else { shared };
            if let Some((count, _)) = counted.table.get_mut(&place) {
                *count = count.saturating_sub(1);
            }
        }
    }

    fn most_of(&self, subject: &Subject) -> u32 {
        if matches!(subject, Subject::Site(_)) { self.most.saturating_mul(SITE) } else { self.most }
    }

    fn shared(&self, subject: &Subject) -> Subject {
        Subject::Shared(self.hasher.hash_one(subject) % SHARED)
    }
}

/// One spelling of a name for all that anybody could take for it: trimmed, in lower case, full-width letters as narrow ones,
/// without what cannot be seen. Whatever finds one account is one name here.
#[must_use]
pub fn canonical(name: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    let lower: String = name.trim().chars().take(256).collect::<String>().to_lowercase();
    lower
        .chars()
        .filter(|c| !c.is_control() && !is_unseen(*c))
        .map(narrow)
        .take(128)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Whether a character leaves no mark: soft hyphens, joiners, marks that turn the direction of writing.
pub(crate) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn subjects(name: Option<&str>, address: Option<IpAddr>) -> Vec<Subject> {
    let mut subjects = Vec::with_capacity(3);
    subjects.extend(name.map(|name| Subject::Name(canonical(name))));
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let network = |bits: u32| IpAddr::V6((u128::from(address) >> bits << bits).into());
            subjects.extend([Subject::Address(network(64)), Subject::Site(network(80))]);
        }
        Some(v4) => subjects.push(Subject::Address(v4)),
        None => {}
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const WINDOW: Duration = Duration::from_secs(60);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn names_and_addresses_run_out_each_on_its_own() {
        let (limiter, start) = (Limiter::new(3), Instant::now());
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..3 {
            assert!(limiter.attempt(Some("Amina"), one, start).is_ok());
        }
        assert!(limiter.attempt(Some("amina"), other, start).is_err(), "the name, from another address");
        assert!(limiter.attempt(Some(" ＡＭＩＮＡ\u{200b} "), other, start).is_err(), "the name, in other clothes");
        assert!(
            limiter.attempt(Some("karim"), address("::ffff:192.0.2.1"), start).is_err(),
            "the address, in other clothes"
        );
        assert!(limiter.attempt(Some("karim"), other, start).is_ok());
        assert!(limiter.attempt(Some("amina"), one, start + WINDOW).is_ok(), "a minute later");
    }

    #[test]
    fn a_right_attempt_costs_nothing() {
        let (limiter, now, one) = (Limiter::new(2), Instant::now(), address("2001:db8::1"));
        for _ in 0..50 {
            assert!(limiter.attempt(Some("amina"), one, now).is_ok());
            limiter.was_right(Some("amina"), one);
        }
        assert!(limiter.attempt(None, address("2001:db8::2"), now).is_ok());
        assert!(limiter.attempt(None, address("2001:db8::3"), now).is_ok());
        assert!(limiter.attempt(None, address("2001:db8::ffff"), now).is_err(), "one network is one guesser");
    }

    #[test]
    fn a_site_is_bounded_as_well() {
        let (limiter, now) = (Limiter::new(2), Instant::now());
        let from = |network: u128| IpAddr::V6(Ipv6Addr::from((0x2001_0db8_0001_u128 << 80) | (network << 64)));
        let let_through = (0..60_000).filter(|n| limiter.attempt(None, from(*n), now).is_ok()).count();
        assert_eq!(let_through, 2 * SITE as usize);
        assert!(limiter.attempt(None, address("2001:db8:2::1"), now).is_ok(), "another site");
    }

    /// Whoever has more addresses than there are counters is counted all the same, and makes nobody's count forgotten.
    #[test]
    fn a_full_table_forgets_nothing_and_grows_no_further() {
        let (limiter, now) = (Limiter::new(2), Instant::now());
        for _ in 0..2 {
            assert!(limiter.attempt(Some("amina"), address("192.0.2.1"), now).is_ok());
        }
        let from = |n: u32| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n));
        let all = MOST as u32 * 2;
        let let_through = (0..all).filter(|n| limiter.attempt(None, from(*n), now).is_ok()).count();
        assert!(let_through <= MOST + 2 * SHARED as usize, "{let_through}");
        assert!(limiter.counted.lock().unwrap().table.len() <= MOST + SHARED as usize);
        for n in [0, 7, MOST as u32 - 10] {
            assert!(limiter.attempt(None, from(n), now).is_ok(), "its second");
            assert!(limiter.attempt(None, from(n), now).is_err(), "{n} was not forgotten");
        }
        assert!(limiter.attempt(Some("amina"), address("203.0.113.1"), now).is_err());
        assert!(limiter.attempt(Some("amina"), address("203.0.113.1"), now + WINDOW).is_ok());
    }

    #[test]
    fn one_name_in_many_spellings() {
        for (name, expected) in [
            ("amina", "amina"),
            ("  Amina\t", "amina"),
            ("ＡＭＩＮＡ", "amina"),
            ("a\u{200b}mi\u{2060}na", "amina"),
            ("\u{202e}amina", "amina"),
            ("ÉLAN", "élan"),
            ("\u{212a}arim", "karim"),
            ("\u{3000}", ""),
        ] {
            assert_eq!(canonical(name), expected, "{name:?}");
        }
        assert_eq!(canonical(&"x".repeat(10_000)).len(), 128);
    }
}
