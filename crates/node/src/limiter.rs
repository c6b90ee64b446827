//! A limit on wrong credentials, by name and by address, over every way of signing in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Names and addresses that are counted at once. Beyond it the oldest windows are dropped first.
const MOST: usize = 100_000;
const WINDOW: Duration = Duration::from_secs(60);

/// Whose attempts are counted.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Subject {
    /// A name without regard to case, whether or not there is such a member.
    Name(String),
    /// An IPv4 address, or the /64 of an IPv6 address: one host has all of it.
    Address(IpAddr),
}

/// Counts attempts in windows of a minute by the monotonic clock.
pub struct Limiter {
    most: u32,
    counted: Mutex<HashMap<Subject, (u32, Instant)>>,
}

/// Too many attempts: how long to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooMany(pub Duration);

impl Limiter {
    /// With so many wrong attempts a minute.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most, counted: Mutex::new(HashMap::new()) }
    }

    /// Counts an attempt before it is judged, so that parallel guesses are all counted.
    ///
    /// # Errors
    /// [`TooMany`] if the name or the address has used its attempts up; the attempt must then not be judged.
    pub fn attempt(&self, name: Option<&str>, address: IpAddr, now: Instant) -> Result<(), TooMany> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST {
            counted.retain(|_, (_, since)| now.duration_since(*since) < WINDOW);
            if counted.len() >= MOST {
                return Err(TooMany(WINDOW));
            }
        }
        let subjects = subjects(name, address);
        for subject in &subjects {
            if let Some((count, since)) = counted.get(subject) {
                let age = now.duration_since(*since);
                if age < WINDOW && *count >= self.most {
                    return Err(TooMany(WINDOW - age));
                }
            }
        }
        for subject in subjects {
            let entry = counted.entry(subject).or_insert((0, now));
            if now.duration_since(entry.1) >= WINDOW {
                *entry = (0, now);
            }
            entry.0 += 1;
        }
        Ok(())
    }

    /// Takes an attempt back that turned out right.
    pub fn was_right(&self, name: Option<&str>, address: IpAddr) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in subjects(name, address) {
            if let Some((count, _)) = counted.get_mut(&subject) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

fn subjects(name: Option<&str>, address: IpAddr) -> Vec<Subject> {
    let address = match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    };
    let name = name.map(|name| Subject::Name(name.chars().take(128).collect::<String>().to_lowercase()));
    name.into_iter().chain([Subject::Address(address)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
