//! Folding beside an oracle that looks at every hit and every minute again.

use super::super::hit::tests::hit;
use super::*;
use ledger::{Alert as Row, Result};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const MINUTE: Micros = 60 * 1_000_000;

/// The register in memory.
#[derive(Default)]
struct Memory {
    wrong: RefCell<BTreeSet<String>>,
    rows: RefCell<BTreeMap<String, Row>>,
    tellings: RefCell<BTreeMap<(String, String), Telling>>,
}

impl AlertDesk for Memory {
    fn of_group(&self, group: &[u8; 32]) -> Result<Option<Row>> {
        Ok(self.rows.borrow().values().find(|row| row.open && row.group == *group).cloned())
    }

    fn alert(&self, id: &str) -> Result<Option<Row>> {
        Ok(self.rows.borrow().get(id).cloned())
    }

    fn open(&self, indicator: Option<&str>) -> Result<u64> {
        let of = |row: &&Row| row.open && indicator.is_none_or(|indicator| row.indicator == indicator);
        Ok(self.rows.borrow().values().filter(of).count() as u64)
    }

    fn of_object(&self, object: &str) -> Result<Vec<Row>> {
        Ok(self.rows.borrow().values().filter(|row| row.open && row.indicator == object).cloned().collect())
    }

    fn is_wrong(&self, object: &str) -> Result<bool> {
        Ok(self.wrong.borrow().contains(object))
    }

    fn judge(&self, object: &str, wrong: bool, _: Micros) -> Result<()> {
        match wrong {
            true => self.wrong.borrow_mut().insert(object.to_owned()),
            false => self.wrong.borrow_mut().remove(object),
        };
        Ok(())
    }

    fn due(&self, now: Micros, limit: usize) -> Result<Vec<Row>> {
        let rows = self.rows.borrow();
        let mut due: Vec<Row> =
            rows.values().filter(|row| row.open && row.due.is_some_and(|due| due <= now)).cloned().collect();
        due.sort_by_key(|row| row.due);
        due.truncate(limit);
        Ok(due)
    }

    fn put(&self, alert: &Row, _: Micros) -> Result<()> {
        let mut rows = self.rows.borrow_mut();
        assert!(!rows.values().any(|row| row.open && alert.open && row.group == alert.group && row.id != alert.id));
        rows.insert(alert.id.clone(), alert.clone());
        Ok(())
    }

    fn waiting(&self, way: &str) -> Result<u64> {
        Ok(self.tellings.borrow().keys().filter(|(of, _)| of == way).count() as u64)
    }

    fn tell(&self, telling: &Telling) -> Result<bool> {
        let place = (telling.way.clone(), telling.alert.clone());
        Ok(self.tellings.borrow_mut().insert(place, telling.clone()).is_some())
    }

    fn told(&self, way: &str, alert: &str, number: u64) -> Result<()> {
        let mut tellings = self.tellings.borrow_mut();
        let place = (way.to_owned(), alert.to_owned());
        if tellings.get(&place).is_some_and(|telling| telling.number <= number) {
            tellings.remove(&place);
        }
        Ok(())
    }

    fn again(&self, _: &Telling) -> Result<()> {
        Ok(())
    }

    fn forget(&self, _: Micros, _: u64) -> Result<u64> {
        Ok(0)
    }
}

impl Memory {
    fn alerts(&self) -> Vec<Alert> {
        self.rows.borrow().values().map(|row| Alert::read(&row.body).unwrap()).collect()
    }
}

fn folder(rules: &Rules) -> Folder<'_> {
    Folder { rules, by: By::Entity, fields: &[], ways: &["hook"], key: &[7; 32] }
}

fn of(indicator: u8, entity: u32, line: u64, at: Micros) -> Hit {
    hit(&format!("indicator--{indicator}"), &format!(r#"{{"src_ip":"h{entity}"}}"#), line, at)
}

/// What is to be seen of an alert: how many hits, and in which minutes it was told.
type Seen = BTreeMap<(u8, u32, Micros), (u64, Vec<Micros>)>;

/// Minute after minute, over all hits: no state but a list of episodes.
fn oracle(hits: &[(Micros, u8, u32)], rules: &Rules, until: Micros) -> Seen {
    let mut seen = Seen::new();
    let groups: BTreeSet<(u8, u32)> = hits.iter().map(|(_, indicator, entity)| (*indicator, *entity)).collect();
    for (indicator, entity) in groups {
        let times: Vec<Micros> =
            hits.iter().filter(|(_, i, e)| (*i, *e) == (indicator, entity)).map(|(minute, ..)| *minute).collect();
        // Episodes are parted by quiet.
        let mut episodes: Vec<Vec<Micros>> = Vec::new();
        for time in times {
            match episodes.last_mut() {
                Some(episode) if (time - episode.last().unwrap()) * MINUTE < rules.quiet => episode.push(time),
                _ => episodes.push(vec![time]),
            }
        }
        for episode in episodes {
            let (first, last) = (episode[0], *episode.last().unwrap());
            let day = (first * MINUTE).div_euclid(DAY);
            let (count, told) = seen.entry((indicator, entity, day)).or_default();
            *count += episode.len() as u64;
            let (mut next, mut wait, mut before) = (first, rules.again / MINUTE, 0);
            for minute in first..=until.min(last + rules.quiet / MINUTE) {
                let by_now = episode.iter().filter(|time| **time <= minute).count();
                // Ticks come after the hits of their minute.
                if minute >= next && by_now > before {
                    told.push(minute);
                    (next, wait, before) = (minute + wait, (wait * 2).min(DAY / MINUTE), by_now);
                }
            }
        }
    }
    seen
}

proptest! {
    #[test]
    fn agrees_with_the_oracle(
        mut hits in proptest::collection::vec((0_i64..3_000, 0_u8..2, 0_u32..3), 1..60),
        again in 1_i64..30,
        quiet in 1_i64..200,
    ) {
        hits.sort();
        let rules = Rules { again: again * MINUTE, quiet: quiet * MINUTE, ..Rules::default() };
        let (memory, folder) = (Memory::default(), folder(&rules));
        let until = 3_200;
        let mut told: BTreeMap<String, Vec<Micros>> = BTreeMap::new();
        let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
        let mut left = hits.iter().enumerate().peekable();
        for minute in 0..=until {
            let mut batch = Vec::new();
            while let Some((line, (_, indicator, entity))) = left.next_if(|(_, (at, ..))| *at == minute) {
                batch.push(of(*indicator, *entity, line as u64, minute * MINUTE));
            }
            folder.fold(&memory, &batch, minute * MINUTE).unwrap();
            folder.tick(&memory, minute * MINUTE).unwrap();
            for ((_, alert), telling) in memory.tellings.take() {
                prop_assert_eq!(telling.number, numbers.get(&alert).copied().unwrap_or_default() + 1);
                numbers.insert(alert.clone(), telling.number);
                told.entry(alert).or_default().push(minute);
            }
        }
        let mut seen = Seen::new();
        for row in memory.rows.borrow().values() {
            let alert = Alert::read(&row.body).unwrap();
            prop_assert!(!row.open);
            let number = |text: &str| text.rsplit(['h', '-']).next().unwrap().parse::<u32>().unwrap();
            let place = (number(&alert.indicator) as u8, number(&alert.entity), row.opened.div_euclid(DAY));
            seen.insert(place, (alert.count, told.remove(&row.id).unwrap_or_default()));
        }
        prop_assert_eq!(seen, oracle(&hits, &rules, until));
    }

    /// However many hits, machines and indicators a hostile sensor thinks of: alerts are bounded, every hit is counted once or
    /// said to be left out, and reading all of it again counts nothing that is remembered.
    #[test]
    fn bounded(hits in proptest::collection::vec((0_u8..6, 0_u32..40), 1..200), entities in 1_u64..5, open in 1_u64..12) {
        let rules = Rules { entities, open, queue: 3, ..Rules::default() };
        let (memory, folder) = (Memory::default(), folder(&rules));
        let hits: Vec<Hit> = hits.iter().enumerate().map(|(n, (i, e))| of(*i, *e, n as u64, 5)).collect();
        let mut all = Folded::default();
        for batch in hits.chunks(7) {
            let folded = folder.fold(&memory, batch, 5).unwrap();
            all.counted += folded.counted;
            all.beyond += folded.beyond;
            all.repeated += folded.repeated;
        }
        let alerts = memory.alerts();
        prop_assert!(alerts.len() as u64 <= open);
        for indicator in 0..6 {
            let of_it = alerts.iter().filter(|alert| alert.indicator == format!("indicator--{indicator}")).count();
            prop_assert!(of_it as u64 <= entities + 1);
        }
        prop_assert!(memory.waiting("hook").unwrap() <= 3);
        prop_assert_eq!(alerts.iter().map(|alert| alert.count).sum::<u64>(), all.counted);
        prop_assert_eq!((all.counted + all.beyond, all.repeated), (hits.len() as u64, 0));
    }
}

#[test]
fn a_sensor_that_sends_the_same_for_ever_makes_one_alert() {
    let rules = Rules::default();
    let (memory, folder) = (Memory::default(), folder(&rules));
    let mut told = 0;
    for minute in 0..1_430 {
        let now = minute * MINUTE;
        let hits: Vec<Hit> = (0..70).map(|line| of(1, 1, (minute * 70 + line) as u64, now)).collect();
        folder.fold(&memory, &hits, now).unwrap();
        folder.tick(&memory, now).unwrap();
        told += memory.tellings.take().len();
    }
    let alerts = memory.alerts();
    assert_eq!((alerts.len(), alerts[0].count, alerts[0].samples.len(), told), (1, 100_100, 5, 8));
    assert!(alerts[0].body().len() < 8_000);
}

#[test]
fn two_watchers_make_one_alert_of_what_both_saw() {
    let rules = Rules::default();
    let (memory, folder) = (Memory::default(), folder(&rules));
    let hits: Vec<Hit> = (0..50).map(|line| of(1, 1, line, 5)).collect();
    assert_eq!(folder.fold(&memory, &hits, 5).unwrap().counted, 50);
    let again = folder.fold(&memory, &hits, 6).unwrap();
    assert_eq!((again.counted, again.repeated, again.opened), (0, 50, 0));
    let apart = Memory::default();
    folder.fold(&apart, &hits[..1], 7).unwrap();
    let id = |memory: &Memory| memory.rows.borrow().keys().next().cloned();
    assert_eq!(id(&memory), id(&apart), "and the same id where they do not know of each other");
    assert_ne!(id(&memory), {
        let other = Memory::default();
        Folder { key: &[8; 32], ..folder }.fold(&other, &hits[..1], 7).unwrap();
        id(&other)
    });
}

#[test]
fn sightings_grow_with_the_count_and_not_too_often() {
    let rules = Rules { sight: Some(15 * MINUTE), quiet: 60 * MINUTE, ..Rules::default() };
    let (memory, folder) = (Memory::default(), folder(&rules));
    let mut sighted = Vec::new();
    let mut tick = |minute: Micros, works: bool| {
        let now = minute * MINUTE;
        for row in folder.tick(&memory, now).unwrap().sight {
            let count = Alert::read(&row.body).unwrap().count;
            if works {
                folder.sighted(&memory, &row.id, count, now).unwrap();
            }
            sighted.push((minute, count, row.open));
        }
    };
    for minute in 0..20 {
        folder.fold(&memory, &[of(1, 1, minute as u64, minute * MINUTE)], minute * MINUTE).unwrap();
        tick(minute, minute != 15);
    }
    for minute in 20..200 {
        tick(minute, true);
    }
    // What failed is tried again, and what came since is in the last one.
    assert_eq!(sighted, [(0, 1, true), (15, 16, true), (16, 17, true), (31, 20, true)]);
}

/// Answered once, it holds for every alert of the claim, until it is taken back.
#[test]
fn a_false_positive_is_a_verdict_on_the_claim() {
    let rules = Rules { sight: Some(15 * MINUTE), quiet: 60 * MINUTE, ..Rules::default() };
    let (memory, folder) = (Memory::default(), folder(&rules));
    let states = |indicator: u8| {
        let mut of_it = memory.alerts();
        of_it.retain(|alert| alert.indicator == format!("indicator--{indicator}"));
        of_it.sort_by_key(|alert| alert.arrived);
        of_it.into_iter().map(|alert| (alert.state, alert.count)).collect::<Vec<_>>()
    };
    let wrong = State::FalsePositive;
    folder.fold(&memory, &[of(1, 1, 1, 1), of(1, 2, 2, 2), of(2, 1, 3, 3)], 3).unwrap();
    assert_eq!(memory.tellings.borrow().len(), 3);
    folder.verdict(&memory, "indicator--1", true, 4).unwrap();
    // At once: what waits is let go of, for every machine, and other claims are as they were.
    assert_eq!((states(1), states(2)), (vec![(wrong, 1), (wrong, 1)], vec![(State::New, 1)]));
    assert_eq!(memory.tellings.take().len(), 1);
    // Another machine, the same day, the day after, and when all was quiet for a month: counted, neither told nor sighted.
    for (line, at) in [(4, MINUTE), (5, 2 * MINUTE), (6, 90 * MINUTE), (7, DAY), (8, 40 * DAY)] {
        let entity = if line == 4 { 3 } else { 1 };
        folder.fold(&memory, &[of(1, entity, line, at)], at).unwrap();
        let sighted = folder.tick(&memory, at).unwrap().sight;
        assert!(sighted.iter().all(|row| row.indicator != "indicator--1"), "{line}");
    }
    assert!(states(1).iter().all(|(state, _)| *state == wrong), "{:?}", states(1));
    assert_eq!(states(1).iter().map(|(_, count)| count).sum::<u64>(), 7);
    assert_eq!(memory.tellings.take(), BTreeMap::new());
    // Taken back: the open ones are told again, and so is what comes.
    let now = 40 * DAY + MINUTE;
    folder.verdict(&memory, "indicator--1", false, now).unwrap();
    folder.fold(&memory, &[of(1, 4, 9, now)], now).unwrap();
    folder.tick(&memory, now).unwrap();
    assert_eq!(states(1).iter().filter(|(state, _)| *state == State::New).count(), 2);
    assert_eq!(memory.tellings.take().len(), 2);
}

/// What the book says of the claim counts as an answer does, as long as it says so.
#[test]
fn an_opinion_of_ours_in_the_book_is_a_verdict_too() {
    let rules = Rules::default();
    let (memory, folder) = (Memory::default(), folder(&rules));
    for (line, is_wrong, expected) in [
        (1, Some(true), State::FalsePositive),
        (2, None, State::FalsePositive),
        (3, Some(false), State::New),
        (4, None, State::New),
        (5, Some(true), State::FalsePositive),
    ] {
        let now = line as Micros * MINUTE;
        folder.fold(&memory, &[Hit { is_wrong, ..of(1, 1, line, now) }], now).unwrap();
        assert_eq!((memory.alerts()[0].state, memory.alerts()[0].count), (expected, line), "{line}");
        assert_eq!(memory.tellings.take().len(), usize::from(line == 3), "{line}");
    }
    // Somebody acknowledges the alert, and a hit comes that was looked up before the book said so.
    let (id, mut row) = memory.rows.borrow().iter().map(|(id, row)| (id.clone(), row.clone())).next().unwrap();
    let mut alert = Alert::read(&row.body).unwrap();
    alert.state = State::Acknowledged;
    row.body = alert.body();
    memory.rows.borrow_mut().insert(id, row);
    folder.fold(&memory, &[Hit { is_wrong: Some(true), ..of(1, 1, 6, 6 * MINUTE) }], 6 * MINUTE).unwrap();
    assert_eq!(memory.alerts()[0].state, State::Acknowledged);
}
