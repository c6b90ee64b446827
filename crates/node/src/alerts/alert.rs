//! One alert: what its hits have in common, how many there were, a few of them as evidence, and when it is told again. Pure:
//! time is an argument.

use super::hit::{Hit, MOST_RAW, cut};
use ::watch::general::Witness;
use ledger::Micros;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The longest pause between two notices of one alert.
const LONGEST: Micros = 86_400 * 1_000_000;
/// Events that are remembered, so that one that is read again is not counted again.
const REMEMBERED: usize = 64;
/// Different values that are kept: an indicator may claim several.
const MOST_VALUES: usize = 8;

/// When alerts are told, and how much of them is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The pause before an alert whose count grew is told again; each further one is twice as long, up to a day.
    pub again: Micros,
    /// An alert without hits for so long is closed.
    pub quiet: Micros,
    /// Events that are kept of an alert.
    pub samples: usize,
    /// Open alerts of one indicator; the hits of others are counted in one further alert.
    pub entities: u64,
    /// Open alerts of all indicators.
    pub open: u64,
    /// What may wait to be told by one way out.
    pub queue: u64,
    /// How often a sighting whose count grew is written anew; `None`: there are no sightings.
    pub sight: Option<Micros>,
}

impl Default for Rules {
    fn default() -> Self {
        let minute = 60 * 1_000_000;
        Self {
            again: 10 * minute,
            quiet: 60 * minute,
            samples: 5,
            entities: 100,
            open: 100_000,
            queue: 10_000,
            sight: None,
        }
    }
}

/// What people think of an alert.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has looked at it.
    #[default]
    New,
    /// Somebody sees to it: further hits are counted and not told.
    Acknowledged,
    /// Our organisation holds the claim to be wrong: further hits are counted, and neither told nor sighted.
    FalsePositive,
    /// Somebody closed it, or nothing was met for long.
    Closed,
}

impl State {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::FalsePositive => "false-positive",
            Self::Closed => "closed",
        }
    }
}

/// An event that is kept as evidence.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Sample {
    /// When it happened, as far as is known.
    pub time: Micros,
    /// Where it came from.
    pub input: String,
    /// The number of its line there.
    pub line: u64,
    /// Where in the event the value stood.
    pub field: String,
    /// The event, cut.
    pub raw: String,
}

/// A value that was met.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Value {
    /// What kind of value, by name.
    pub kind: String,
    /// As it stood in the event.
    pub value: String,
    /// Whether only our own sensors show it: the claim names it neither by itself nor by what is around it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
}

/// What somebody said of an alert.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Answered {
    /// Who.
    pub by: String,
    /// When.
    pub at: Micros,
    /// In their own words.
    pub note: String,
}

/// What is kept of an alert, beside what the register knows of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Alert {
    /// The indicator that was met.
    pub indicator: String,
    /// Whom the hits are about, beside it.
    pub entity: String,
    /// Whether it stands for all whom there were too many of to have alerts of their own.
    pub others: bool,
    /// What was met.
    pub values: Vec<Value>,
    /// How many hits there were.
    pub count: u64,
    /// When the first of them happened …
    pub first_seen: Micros,
    /// … and the last.
    pub last_seen: Micros,
    /// When the last one came in.
    pub arrived: Micros,
    /// The first events, and the last one.
    pub samples: Vec<Sample>,
    /// What people think of it.
    pub state: State,
    /// What somebody said of it last.
    pub answered: Option<Answered>,
    /// Notices that were made of it.
    pub notices: u64,
    /// When it was told last, with how many hits, and how often since it was opened.
    pub told: Told,
    /// The count in the sighting that was written last, and when that was.
    pub sighted: Option<(u64, Micros)>,
    /// The events that were counted last.
    recent: VecDeque<u64>,
}

/// How far an alert was told.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Told {
    /// When last.
    pub at: Micros,
    /// With how many hits.
    pub count: u64,
    /// How often since it was opened (anew).
    pub times: u32,
}

impl Alert {
    /// An alert without hits.
    #[must_use]
    pub fn new(indicator: &str, entity: &str, others: bool) -> Self {
        Self {
            indicator: indicator.to_owned(),
            entity: entity.to_owned(),
            others,
            first_seen: Micros::MAX,
            last_seen: Micros::MIN,
            ..Self::default()
        }
    }

    /// From what was kept; `None`: a newer version wrote it, or it is damaged.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// To be kept.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        // A struct of plain values always serialises.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Counts a hit. `false`: it was counted before.
    pub fn take(&mut self, hit: &Hit, rules: &Rules) -> bool {
        let digest = hit.digest();
        if self.recent.contains(&digest) {
            return false;
        }
        self.recent.push_back(digest);
        while self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
        self.count = self.count.saturating_add(1);
        self.first_seen = self.first_seen.min(hit.seen());
        self.last_seen = self.last_seen.max(hit.seen());
        self.arrived = self.arrived.max(hit.received);
        self.note(hit);
        let sample = Sample {
            time: hit.seen(),
            input: hit.input.clone(),
            line: hit.line,
            field: hit.field.clone(),
            raw: cut(hit.raw.clone(), MOST_RAW),
        };
        if self.samples.len() >= rules.samples.max(1) {
            self.samples.pop();
        }
        self.samples.push(sample);
        true
    }

    /// Keeps what was met: the value of a claim, and of a pattern that says more the values that took part.
    fn note(&mut self, hit: &Hit) {
        let whole = || Value { kind: hit.kind.name().to_owned(), value: hit.value.clone(), ours: false };
        let part = |met: &Witness| Value {
            kind: met.kind.name().to_owned(),
            value: met.value.clone().into(),
            ours: !met.is_named,
        };
        let values = if hit.met.is_empty() { vec![whole()] } else { hit.met.iter().map(part).collect() };
        for value in values {
            if self.values.len() < MOST_VALUES && !self.values.contains(&value) {
                self.values.push(value);
            }
        }
    }

    /// Opens it anew: it is told at once, and goes on with its count. Of a claim that is wrong nothing is told.
    pub fn reopen(&mut self) {
        if self.state != State::FalsePositive {
            self.state = State::New;
        }
        self.told.times = 0;
    }

    /// Whether a notice is to be made of it.
    #[must_use]
    pub fn is_to_be_told(&self, rules: &Rules, now: Micros) -> bool {
        self.tells_at(rules).is_some_and(|at| at <= now)
    }

    /// When the next notice is made, as things stand; `None`: not before something happens.
    fn tells_at(&self, rules: &Rules) -> Option<Micros> {
        if self.state != State::New || self.count <= self.told.count {
            return None;
        }
        match self.told.times {
            0 => Some(Micros::MIN),
            times => Some(self.told.at.saturating_add(pause(rules.again, times))),
        }
    }

    /// A notice was made of it; its number.
    pub fn tell(&mut self, now: Micros) -> u64 {
        self.notices = self.notices.saturating_add(1);
        self.told = Told { at: now, count: self.count, times: self.told.times.saturating_add(1) };
        self.notices
    }

    /// Whether a sighting is to be written of it, or written anew.
    #[must_use]
    pub fn is_to_be_sighted(&self, rules: &Rules, now: Micros) -> bool {
        self.sights_at(rules).is_some_and(|at| at <= now)
    }

    fn sights_at(&self, rules: &Rules) -> Option<Micros> {
        let every = rules.sight.filter(|_| self.state != State::FalsePositive)?;
        match self.sighted {
            None => Some(Micros::MIN),
            Some((count, at)) if count < self.count => Some(at.saturating_add(every)),
            Some(_) => None,
        }
    }

    /// Whether nothing was met for long.
    #[must_use]
    pub fn is_over(&self, rules: &Rules, now: Micros) -> bool {
        now >= self.ends_at(rules)
    }

    fn ends_at(&self, rules: &Rules) -> Micros {
        self.arrived.saturating_add(rules.quiet)
    }

    /// When it has to be looked at again.
    #[must_use]
    pub fn due(&self, rules: &Rules) -> Micros {
        let next = [self.tells_at(rules), self.sights_at(rules)];
        next.into_iter().flatten().min().unwrap_or(Micros::MAX).min(self.ends_at(rules))
    }
}

/// The pause after the n-th notice.
fn pause(again: Micros, times: u32) -> Micros {
    let doubled = 1_i64.checked_shl(times.saturating_sub(1)).filter(|factor| *factor > 0);
    doubled.map_or(LONGEST, |factor| again.max(1).saturating_mul(factor)).min(LONGEST.max(again))
}

#[cfg(test)]
mod tests {
    use super::super::hit::tests::hit;
    use super::*;

    const MINUTE: Micros = 60 * 1_000_000;

    #[test]
    fn pauses_grow_up_to_a_day() {
        let minutes: Vec<_> = (1..=10).map(|times| pause(10 * MINUTE, times) / MINUTE).collect();
        assert_eq!(minutes, [10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
        assert_eq!(pause(10 * MINUTE, u32::MAX), LONGEST);
        assert_eq!(pause(2 * LONGEST, 1), 2 * LONGEST, "who asks for longer pauses gets them");
    }

    #[test]
    fn the_first_events_and_the_last_one_are_kept() {
        let rules = Rules { samples: 3, ..Rules::default() };
        let mut alert = Alert::new("indicator--1", "a", false);
        for line in 1..=1_000 {
            assert!(alert.take(&hit("indicator--1", "{}", line, 5), &rules));
        }
        assert_eq!(alert.samples.iter().map(|sample| sample.line).collect::<Vec<_>>(), [1, 2, 1_000]);
        assert!(!alert.take(&hit("indicator--1", "{}", 1_000, 9), &rules), "read again");
        assert!(!alert.take(&hit("indicator--1", "{}", 940, 9), &rules));
        assert_eq!((alert.count, alert.values.len(), alert.arrived), (1_000, 1, 5));
        assert!(alert.body().len() < 4_000, "{}", alert.body().len());
        assert_eq!(Alert::read(&alert.body()), Some(alert));
    }
}
