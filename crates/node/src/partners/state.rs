//! How a link stands, kept as notes of the register: its position, its figures, and which process runs it.

use ledger::{Micros, Note, Register};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use taxii::client::Position;

/// How long a lease holds without being renewed: the longest silence of a round, and some.
pub const LEASE: Micros = 15 * 60 * 1_000_000;
/// Characters of an error that are kept.
const LONGEST_ERROR: usize = 500;

/// What people and metrics are shown of a link.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct State {
    /// When the last round began.
    pub last_round: Option<Micros>,
    /// When the last round that came to its end ended.
    pub last_good: Option<Micros>,
    /// What went wrong in the last round.
    pub last_error: Option<String>,
    /// Rounds in a row in which something did.
    pub failures: u32,
    /// When the next one is due; `None`: nobody has planned it.
    pub next: Option<Micros>,
    /// Everything that was there until then has been taken or given.
    pub as_of: Option<Micros>,
    /// Rounds so far.
    pub rounds: u64,
    /// Objects that were taken in or handed on.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were refused, here or there.
    pub refused: u64,
    /// Signed statements that came.
    pub mail_in: u64,
    /// Signed statements that went.
    pub mail_out: u64,
    /// Signed statements that wait for the partner.
    pub mail_waiting: u64,
}

impl State {
    /// How old what has not been taken or given can be, as far as is known.
    #[must_use]
    pub fn lag(&self, now: Micros) -> Option<Micros> {
        self.as_of.map(|as_of| now.saturating_sub(as_of).max(0))
    }

    /// An error in words, cut to what is kept.
    pub fn failed(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(why.chars().filter(|c| !c.is_control()).take(LONGEST_ERROR).collect());
    }
}

/// How far a link has come.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Reached {
    /// Of which definition.
    pub of: String,
    /// In their collection.
    pub pulled: Option<Position>,
    /// In ours.
    pub pushed: Option<i64>,
    /// What was dated ahead of our clock is asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// Where a link goes back to, as something there was dated ahead of our clock, by a day at most.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Again {
    /// When.
    pub at: Micros,
    /// In their collection.
    pub from: Position,
}

/// So long a link does not go back twice.
const SELDOM: Micros = 10 * 60 * 1_000_000;

impl Reached {
    /// Something behind this position will do from then on. What is behind an earlier one is asked for on the same way.
    pub fn come_again(&mut self, from: Position, at: Micros, now: Micros) {
        let at = at.max(now.saturating_add(SELDOM));
        let again = self.again.get_or_insert(Again { at, from });
        again.at = again.at.min(at);
    }

    /// Goes back, if it is time to.
    pub fn go_back(&mut self, now: Micros) {
        if let Some(again) = self.again.take_if(|again| again.at <= now) {
            self.pulled = Some(again.from);
        }
    }
}

fn note(name: &str, what: &str) -> String {
    format!("link {what} of {}", name.to_lowercase())
}

fn read<T: DeserializeOwned + Default>(register: &dyn Register, name: &str, what: &str) -> ledger::Result<T> {
    // What cannot be read is nothing: the link begins anew, and what comes twice is known.
    let kept = register.note(&note(name, what))?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

fn write(register: &dyn Register, name: &str, what: &str, value: &impl Serialize) -> ledger::Result<()> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    register.set_note(&note(name, what), Some(&text))
}

/// How a link stands.
///
/// # Errors
/// Those of the register.
pub fn state(register: &dyn Register, name: &str) -> ledger::Result<State> {
    read(register, name, "state")
}

/// Keeps how a link stands.
///
/// # Errors
/// Those of the register.
pub fn keep_state(register: &dyn Register, name: &str, state: &State) -> ledger::Result<()> {
    write(register, name, "state", state)
}

/// How far a link with this definition has come.
///
/// # Errors
/// Those of the register.
pub fn reached(register: &dyn Register, name: &str, fingerprint: &str) -> ledger::Result<Reached> {
    let reached: Reached = read(register, name, "position")?;
    Ok(if reached.of == fingerprint { reached } else { Reached { of: fingerprint.to_owned(), ..Reached::default() } })
}

/// Keeps how far a link has come.
///
/// # Errors
/// Those of the register.
pub fn keep_reached(register: &dyn Register, name: &str, reached: &Reached) -> ledger::Result<()> {
    register.set_notes(&[reached_note(name, reached)])
}

/// The note by which a link's position is kept, and what it says.
#[must_use]
pub fn reached_note(name: &str, reached: &Reached) -> Note {
    (note(name, "position"), serde_json::to_vec(reached).unwrap_or_default())
}

/// Forgets everything of a link.
///
/// # Errors
/// Those of the register.
pub fn forget(register: &dyn Register, name: &str) -> ledger::Result<()> {
    for what in ["state", "position", "lease", "quota"] {
        register.set_note(&note(name, what), None)?;
    }
    Ok(())
}

/// The note in which the budget of a link is kept.
#[must_use]
pub fn quota_note(name: &str) -> String {
    note(name, "quota")
}

/// What this process calls itself when it holds a lease; `word` is random. It says which process it is, so that a lease of
/// one that was killed is not waited for.
#[must_use]
pub fn holder(word: u128) -> String {
    let own = std::process::id();
    format!("{own}.{}.{word:032x}", begun(own).unwrap_or_default())
}

/// Whether a holder was a process of this machine and runs no more. What cannot be known is no.
fn has_died(holder: &str) -> bool {
    let mut parts = holder.split('.');
    let (process, since) = (parts.next().and_then(|number| number.parse().ok()), parts.next());
    match (process, since) {
        (Some(process), Some(since)) if !since.is_empty() && begun(std::process::id()).is_some() => {
            begun(process).as_deref() != Some(since)
        }
        _ => false,
    }
}

/// When a process began, as Linux counts: numbers of processes are used again, with another beginning.
fn begun(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(19).map(str::to_owned)
}

/// The right to run a link: of all processes one has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lease {
    holder: String,
    until: Micros,
}

impl Lease {
    /// Takes it for a holder, which is a random word. `None`: another one has it.
    ///
    /// # Errors
    /// Those of the register.
    pub fn take(register: &dyn Register, name: &str, holder: &str, now: Micros) -> ledger::Result<Option<Self>> {
        let lease = Self { holder: holder.to_owned(), until: now.saturating_add(LEASE) };
        let held = register.note(&note(name, "lease"))?;
        let other: Option<Self> = held.as_deref().and_then(|text| serde_json::from_slice(text).ok());
        // One that ends later than any could was made by a clock that was ahead.
        let holds = |other: &Self| {
            let until = other.until > now && other.until <= now.saturating_add(LEASE.saturating_mul(2));
            other.holder != holder && until && !has_died(&other.holder)
        };
        if other.as_ref().is_some_and(holds) {
            return Ok(None);
        }
        let swapped = register.swap_note(&note(name, "lease"), held.as_deref(), Some(&lease.text()))?;
        Ok(swapped.then_some(lease))
    }

    /// Holds it for longer. `false`: it was lost, and another one may have it.
    ///
    /// # Errors
    /// Those of the register.
    pub fn renew(&mut self, register: &dyn Register, name: &str, now: Micros) -> ledger::Result<bool> {
        if self.until.saturating_sub(now) > LEASE / 2 {
            return Ok(true);
        }
        let longer = Self { until: now.saturating_add(LEASE), ..self.clone() };
        let swapped = register.swap_note(&note(name, "lease"), Some(&self.text()), Some(&longer.text()))?;
        if swapped {
            *self = longer;
        }
        Ok(swapped)
    }

    /// Gives it back.
    ///
    /// # Errors
    /// Those of the register.
    pub fn give_back(self, register: &dyn Register, name: &str) -> ledger::Result<()> {
        register.swap_note(&note(name, "lease"), Some(&self.text()), None).map(drop)
    }

    fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::sqlite::Book;

    fn book() -> (tempfile::TempDir, Book) {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::create(&directory.path().join("marsad.db")).unwrap();
        (directory, book)
    }

    #[test]
    fn one_process_runs_a_link() {
        let (_directory, book) = book();
        let mut one = Lease::take(&book, "North", "one", 0).unwrap().unwrap();
        assert_eq!(Lease::take(&book, "north", "two", LEASE - 1).unwrap(), None);
        assert!(Lease::take(&book, "south", "two", 0).unwrap().is_some(), "links are independent");
        assert!(one.renew(&book, "north", LEASE - 1).unwrap());
        assert_eq!(Lease::take(&book, "north", "two", LEASE + 1).unwrap(), None);
        // A process that died is not waited for longer than its lease.
        let two = Lease::take(&book, "north", "two", 2 * LEASE).unwrap().unwrap();
        assert!(!one.renew(&book, "north", 2 * LEASE).unwrap(), "it was lost");
        one.give_back(&book, "north").unwrap();
        assert_eq!(Lease::take(&book, "north", "three", 2 * LEASE).unwrap(), None, "what was lost is not given back");
        two.give_back(&book, "north").unwrap();
        let ahead = Lease { holder: "four".into(), until: i64::MAX };
        book.set_note("link lease of north", Some(&ahead.text())).unwrap();
        assert!(Lease::take(&book, "north", "three", 2 * LEASE).unwrap().is_some(), "a clock was ahead");
    }

    #[test]
    fn the_lease_of_a_process_that_was_killed_is_free() {
        let (_directory, book) = book();
        let Some(since) = begun(std::process::id()) else {
            println!("skipped: this system does not say when a process began");
            return;
        };
        // Beyond the largest number that Linux gives to a process.
        let dead = format!("{}.{since}.0", 1 << 30);
        let other_life = format!("{}.{since}9.0", std::process::id());
        for (held_by, free) in
            [(dead.as_str(), true), (other_life.as_str(), true), (holder(1).as_str(), false), ("a word", false)]
        {
            let lease = Lease { holder: held_by.to_owned(), until: LEASE };
            book.set_note("link lease of north", Some(&lease.text())).unwrap();
            assert_eq!(Lease::take(&book, "north", &holder(2), 1).unwrap().is_some(), free, "{held_by}");
        }
    }

    #[test]
    fn a_position_is_of_its_definition() {
        let (_directory, book) = book();
        let mut at = reached(&book, "north", "a").unwrap();
        at.pushed = Some(7);
        keep_reached(&book, "north", &at).unwrap();
        assert_eq!(reached(&book, "North", "a").unwrap(), at);
        assert_eq!(reached(&book, "north", "b").unwrap().pushed, None);
        book.set_note("link position of north", Some(b"nonsense")).unwrap();
        assert_eq!(reached(&book, "north", "a").unwrap().pushed, None);
        keep_state(&book, "north", &State { rounds: 3, ..State::default() }).unwrap();
        forget(&book, "north").unwrap();
        assert_eq!(state(&book, "north").unwrap(), State::default());
    }

    #[test]
    fn a_link_goes_back_to_the_earliest_place_when_it_is_time() {
        let place = |last: &str| Position { last: Some(last.to_owned()), ..Position::default() };
        let mut reached = Reached { pulled: Some(place("z")), ..Reached::default() };
        reached.come_again(place("a"), SELDOM * 9, 0);
        reached.come_again(place("b"), SELDOM * 3, 0);
        reached.come_again(place("c"), SELDOM * 5, 0);
        reached.go_back(SELDOM * 3 - 1);
        assert_eq!(reached.pulled, Some(place("z")));
        reached.go_back(SELDOM * 3);
        assert_eq!((reached.pulled.clone(), reached.again.clone()), (Some(place("a")), None));
        reached.come_again(place("a"), 1, SELDOM);
        assert_eq!(reached.again.map(|again| again.at), Some(SELDOM * 2), "not at once");
    }

    #[test]
    fn errors_are_cut_and_counted() {
        let mut state = State::default();
        state.failed(&format!("a\u{1b}b{}", "x".repeat(1_000)));
        state.failed("short");
        assert_eq!((state.failures, state.last_error.as_deref()), (2, Some("short")));
        state.failed(&"x".repeat(1_000));
        assert_eq!(state.last_error.map(|error| error.len()), Some(500));
        assert_eq!(State { as_of: Some(5), ..State::default() }.lag(9), Some(4));
        assert_eq!(State { as_of: Some(9), ..State::default() }.lag(5), Some(0));
    }
}
