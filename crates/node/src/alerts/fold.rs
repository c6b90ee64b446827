//! Hits folded into alerts, so that a noisy indicator makes one alert with a count.
//!
//! What is open lies in the register alone, behind [`AlertDesk`]: several watchers fold into the same alerts, and a process
//! that ends loses nothing. Memory is bounded by the hits that are handed in at once, and the number of open alerts by
//! [`Rules`]: of an indicator that is met about too many machines, further hits are counted in one alert for all others.

use super::alert::{Alert, Rules, State};
use super::hit::{By, Hit, entity};
use ledger::{AlertDesk, Micros, Telling};
use std::collections::HashMap;

/// Microseconds of a day.
const DAY: Micros = 86_400 * 1_000_000;
/// Alerts that are looked at in one go.
const MOST_DUE: usize = 200;

/// With what hits are folded.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'f> {
    /// When alerts are told, and their bounds.
    pub rules: &'f Rules,
    /// By what hits of one indicator are told apart.
    pub by: By,
    /// Where events name what they are about; empty: where sensors usually do.
    pub fields: &'f [String],
    /// The ways out by which alerts are told.
    pub ways: &'f [&'static str],
    /// A key from which ids of alerts are made, so that they tell nothing of what they are about.
    pub key: &'f [u8; 32],
}

/// What became of hits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Folded {
    /// Alerts that were opened, or opened anew.
    pub opened: u64,
    /// Hits that were counted in an alert.
    pub counted: u64,
    /// Of those, in one that stands for all others.
    pub others: u64,
    /// Hits that had been counted before.
    pub repeated: u64,
    /// Hits for which there was no place: too many alerts are open.
    pub beyond: u64,
    /// Notices for which there was no place in a queue.
    pub untold: u64,
}

/// What time brought.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ticked {
    /// Alerts that were closed.
    pub closed: u64,
    /// Notices that were made.
    pub told: u64,
    /// Notices for which there was no place in a queue.
    pub untold: u64,
    /// Alerts of which a sighting is to be written.
    pub sight: Vec<ledger::Alert>,
    /// Whether there may be more.
    pub more: bool,
}

/// An alert in the hand.
struct Held {
    row: ledger::Alert,
    alert: Alert,
}

impl Folder<'_> {
    /// Counts hits in alerts, opens those that are missing, and lets notices wait.
    ///
    /// # Errors
    /// Those of the register: then nothing of it counts.
    pub fn fold(&self, desk: &dyn AlertDesk, hits: &[Hit], now: Micros) -> ledger::Result<Folded> {
        let mut folded = Folded::default();
        let mut held: HashMap<[u8; 32], Held> = HashMap::new();
        for hit in hits {
            let entity = entity(hit, self.by, self.fields);
            let Some((group, others)) = self.place(desk, hit, &entity, &mut held, &mut folded, now)? else {
                folded.beyond += 1;
                continue;
            };
            let Some(Held { alert, .. }) = held.get_mut(&group) else { continue };
            self.judge(desk, hit, alert)?;
            if alert.take(hit, self.rules) {
                folded.counted += 1;
                folded.others += u64::from(others);
            } else {
                folded.repeated += 1;
            }
        }
        // The order of a map is by chance; what is told first is not.
        let mut held: Vec<Held> = held.into_values().collect();
        held.sort_by(|a, b| a.row.id.cmp(&b.row.id));
        for mut held in held {
            if held.alert.is_to_be_told(self.rules, now) {
                folded.untold += self.tell(desk, &mut held, now)?;
            }
            self.put(desk, held, now)?;
        }
        Ok(folded)
    }

    /// Brings the alert of a hit into the hand; the group that it is of, and whether that stands for all others. `None`: too
    /// many are open.
    fn place(
        &self,
        desk: &dyn AlertDesk,
        hit: &Hit,
        entity: &str,
        held: &mut HashMap<[u8; 32], Held>,
        folded: &mut Folded,
        now: Micros,
    ) -> ledger::Result<Option<([u8; 32], bool)>> {
        let own = self.group(&hit.indicator, entity, false);
        if self.take_up(desk, own, held, now)? {
            return Ok(Some((own, false)));
        }
        if desk.open(Some(&hit.indicator))? < self.rules.entities && desk.open(None)? < self.rules.open {
            self.open(desk, own, Alert::new(&hit.indicator, entity, false), held, now)?;
            folded.opened += 1;
            return Ok(Some((own, false)));
        }
        let others = self.group(&hit.indicator, "", true);
        if self.take_up(desk, others, held, now)? {
            return Ok(Some((others, true)));
        }
        if desk.open(None)? >= self.rules.open {
            return Ok(None);
        }
        self.open(desk, others, Alert::new(&hit.indicator, "", true), held, now)?;
        folded.opened += 1;
        Ok(Some((others, true)))
    }

    /// Whether the open alert of a group is in the hand now.
    fn take_up(
        &self,
        desk: &dyn AlertDesk,
        group: [u8; 32],
        held: &mut HashMap<[u8; 32], Held>,
        now: Micros,
    ) -> ledger::Result<bool> {
        if held.contains_key(&group) {
            return Ok(true);
        }
        let Some(row) = desk.of_group(&group)? else { return Ok(false) };
        let Some(alert) = Alert::read(&row.body) else {
            // Nobody can count in it any more: it ends, and another begins.
            desk.put(&ledger::Alert { open: false, due: None, ..row }, now)?;
            return Ok(false);
        };
        if alert.is_over(self.rules, now) {
            self.close(desk, Held { row, alert }, now)?;
            return Ok(false);
        }
        held.insert(group, Held { row, alert });
        Ok(true)
    }

    /// Opens an alert. One that was opened on the same day is opened anew, so that there is one a day and its id says so
    /// whoever makes it.
    fn open(
        &self,
        desk: &dyn AlertDesk,
        group: [u8; 32],
        alert: Alert,
        held: &mut HashMap<[u8; 32], Held>,
        now: Micros,
    ) -> ledger::Result<()> {
        let id = self.id(&group, now);
        let before = desk.alert(&id)?.and_then(|row| Some((Alert::read(&row.body)?, row)));
        let one = match before {
            Some((mut alert, row)) => {
                alert.reopen();
                alert.arrived = now;
                Held { row: ledger::Alert { open: true, ..row }, alert }
            }
            None => {
                let (indicator, opened) = (alert.indicator.clone(), now);
                let row = ledger::Alert {
                    id,
                    group,
                    indicator,
                    open: true,
                    opened,
                    changed: now,
                    due: None,
                    body: Vec::new(),
                };
                Held { row, alert }
            }
        };
        // Kept at once, so that it is counted among the open ones.
        desk.put(&ledger::Alert { due: Some(now), body: one.alert.body(), ..one.row.clone() }, now)?;
        held.insert(group, one);
        Ok(())
    }

    /// An alert of a claim that our own organisation holds to be wrong is a false positive, whichever machine, day or version
    /// of the claim it is of, until the verdict is taken back: people answered so, or said so in the book.
    fn judge(&self, desk: &dyn AlertDesk, hit: &Hit, alert: &mut Alert) -> ledger::Result<()> {
        let answered = desk.is_wrong(&hit.indicator)?;
        let wrong = answered || hit.is_wrong == Some(true);
        match alert.state {
            State::New if wrong => alert.state = State::FalsePositive,
            // Whoever acknowledges it takes the word in the book back, which a hit of that moment need not have seen yet.
            State::Acknowledged if answered => alert.state = State::FalsePositive,
            // Of hits that others hand in it is not known what the book says.
            State::FalsePositive if !wrong && hit.is_wrong == Some(false) => alert.state = State::New,
            _ => {}
        }
        Ok(())
    }

    /// Keeps what was answered of a claim for all its alerts: those that are open are false positives from now on and wait to
    /// be told no longer, or are none any more.
    ///
    /// # Errors
    /// Those of the register.
    pub fn verdict(&self, desk: &dyn AlertDesk, indicator: &str, wrong: bool, now: Micros) -> ledger::Result<()> {
        desk.judge(indicator, wrong, now)?;
        for row in desk.of_object(indicator)? {
            let Some(mut alert) = Alert::read(&row.body) else { continue };
            alert.state = match alert.state {
                State::New | State::Acknowledged if wrong => State::FalsePositive,
                State::FalsePositive if !wrong => State::New,
                _ => continue,
            };
            for way in self.ways.iter().filter(|_| wrong) {
                desk.told(way, &row.id, alert.notices)?;
            }
            self.put(desk, Held { row, alert }, now)?;
        }
        Ok(())
    }

    /// Makes a notice and lets it wait for every way out. How many of them found no place.
    fn tell(&self, desk: &dyn AlertDesk, held: &mut Held, now: Micros) -> ledger::Result<u64> {
        let number = held.alert.tell(now);
        let mut untold = 0;
        for way in self.ways {
            let telling = Telling {
                way: (*way).to_owned(),
                alert: held.row.id.clone(),
                number,
                due: now,
                attempts: 0,
                since: now,
            };
            if !desk.tell(&telling)? && desk.waiting(way)? > self.rules.queue {
                desk.told(way, &held.row.id, number)?;
                untold += 1;
            }
        }
        Ok(untold)
    }

    fn put(&self, desk: &dyn AlertDesk, held: Held, now: Micros) -> ledger::Result<()> {
        let due = Some(held.alert.due(self.rules).max(now));
        desk.put(&ledger::Alert { due, body: held.alert.body(), ..held.row }, now)
    }

    fn close(&self, desk: &dyn AlertDesk, mut held: Held, now: Micros) -> ledger::Result<()> {
        if held.alert.state != State::FalsePositive {
            held.alert.state = State::Closed;
        }
        desk.put(&ledger::Alert { open: false, due: None, body: held.alert.body(), ..held.row }, now)
    }

    /// Closes alerts that are over, tells those that have grown, and finds those of which a sighting is to be written: at most
    /// some hundred at once.
    ///
    /// # Errors
    /// Those of the register: then nothing of it counts.
    pub fn tick(&self, desk: &dyn AlertDesk, now: Micros) -> ledger::Result<Ticked> {
        let mut ticked = Ticked::default();
        let due = desk.due(now, MOST_DUE)?;
        ticked.more = due.len() >= MOST_DUE;
        for row in due {
            let Some(alert) = Alert::read(&row.body) else {
                desk.put(&ledger::Alert { open: false, due: None, ..row }, now)?;
                continue;
            };
            let mut held = Held { row, alert };
            if held.alert.is_to_be_told(self.rules, now) {
                ticked.untold += self.tell(desk, &mut held, now)?;
                ticked.told += 1;
            }
            let sights = held.alert.is_to_be_sighted(self.rules, now);
            if sights {
                // Should it fail, it is tried again after a while.
                let row = ledger::Alert { body: held.alert.body(), ..held.row.clone() };
                ticked.sight.push(row);
            }
            if held.alert.is_over(self.rules, now) {
                self.close(desk, held, now)?;
                ticked.closed += 1;
            } else if sights {
                let due = Some(now.saturating_add(RETRY));
                desk.put(&ledger::Alert { due, body: held.alert.body(), ..held.row }, now)?;
            } else {
                self.put(desk, held, now)?;
            }
        }
        Ok(ticked)
    }

    /// A sighting was written of an alert, with this count.
    ///
    /// # Errors
    /// Those of the register.
    pub fn sighted(&self, desk: &dyn AlertDesk, id: &str, count: u64, now: Micros) -> ledger::Result<()> {
        let Some(row) = desk.alert(id)? else { return Ok(()) };
        let Some(mut alert) = Alert::read(&row.body) else { return Ok(()) };
        alert.sighted = Some((count, now));
        self.put(desk, Held { row, alert }, now)
    }

    /// What hits of one alert have in common.
    fn group(&self, indicator: &str, entity: &str, others: bool) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(self.key);
        hasher.update(&[u8::from(others)]);
        hasher.update(&(indicator.len() as u64).to_le_bytes());
        hasher.update(indicator.as_bytes());
        hasher.update(entity.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The id of the alert that is opened of a group on this day.
    fn id(&self, group: &[u8; 32], now: Micros) -> String {
        let mut hasher = blake3::Hasher::new_keyed(self.key);
        hasher.update(b"alert");
        hasher.update(group);
        hasher.update(&now.div_euclid(DAY).to_le_bytes());
        uuid_of(&hasher)
    }
}

/// How long after a sighting was begun it is begun again, if nothing was heard of it.
const RETRY: Micros = 60 * 1_000_000;

/// A UUID from a digest under a key. To whoever does not have the key it is a random one (version 4), which is what STIX asks
/// for in objects that are no observables (STIX 2.1 §2.9).
pub(super) fn uuid_of(hasher: &blake3::Hasher) -> String {
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests;
