//! The search for observations that fulfil a shape: plans that can be decided outright are, the others by trying,
//! where each choice narrows the times that the others may have and the most narrowed is chosen next.

use super::compile::{Shape, Source};
use super::plan::{Plan, Planner};
use super::{Bound, Exhausted, Meter, window};
use crate::observed::Moment;

/// The observations by source.
pub(super) struct Field<'f> {
    moments: &'f [Moment],
    /// For each source the places of its observations, by their first instants.
    candidates: Vec<Vec<u32>>,
    /// For each source the longest time that an observation lasts.
    longest: Vec<i64>,
}

impl<'f> Field<'f> {
    fn new(sources: &[Source], moments: &'f [Moment], met: &[Vec<u32>]) -> Self {
        let moment = |place: &u32| moments.get(*place as usize);
        let candidates: Vec<Vec<u32>> = sources
            .iter()
            .map(|source| {
                let mut places: Vec<u32> = source
                    .members
                    .iter()
                    .flat_map(|member| {
                        let met = met.get(member.leaf).into_iter().flatten();
                        met.filter(|place| moment(place).is_some_and(|moment| member.window.admits(moment)))
                    })
                    .copied()
                    .collect();
                places.sort_by_key(|place| (moment(place).map(|moment| moment.first), *place));
                places.dedup();
                places
            })
            .collect();
        let length = |place: &u32| moment(place).map_or(0, |moment| moment.last.saturating_sub(moment.first));
        let longest = candidates.iter().map(|places| places.iter().map(length).max().unwrap_or(0)).collect();
        Self { moments, candidates, longest }
    }

    pub(super) fn candidates(&self, source: usize) -> &[u32] {
        self.candidates.get(source).map_or(&[], Vec::as_slice)
    }

    pub(super) fn moment(&self, place: u32) -> Moment {
        self.moments.get(place as usize).copied().unwrap_or(Moment { first: 0, last: 0, count: 0 })
    }

    fn capacity(&self) -> u64 {
        self.moments.iter().fold(0, |sum, moment| sum.saturating_add(moment.count))
    }

    /// The part of a source's candidates in which those are that end at `least_last` or later and begin at `most_first`
    /// or earlier.
    fn range(&self, source: usize, times: Times) -> std::ops::Range<usize> {
        let places = self.candidates(source);
        let longest = self.longest.get(source).copied().unwrap_or(0);
        let least_first = times.least_last.saturating_sub(longest);
        let start = places.partition_point(|place| self.moment(*place).first < least_first);
        let end = places.partition_point(|place| self.moment(*place).first <= times.most_first);
        start..end.max(start)
    }
}

/// When an observation may be.
#[derive(Clone, Copy)]
struct Times {
    least_last: i64,
    most_first: i64,
}

pub(super) fn bind(
    shape: &Shape,
    sources: &[Source],
    moments: &[Moment],
    met: &[Vec<u32>],
    meter: &Meter,
) -> Result<Option<Vec<Bound>>, Exhausted> {
    let field = Field::new(sources, moments, met);
    let has_any = |source| !field.candidates(source).is_empty();
    let plans = Planner { has_any: &has_any, capacity: field.capacity(), meter }.plans(shape)?;
    for plan in &plans {
        if let Some(chosen) = decide(plan, &field, meter)? {
            return Ok(Some(named(&chosen, sources, &field, met)));
        }
    }
    Ok(None)
}

fn decide(plan: &Plan, field: &Field<'_>, meter: &Meter) -> Result<Option<Vec<(usize, u32)>>, Exhausted> {
    match plan.bounds.as_slice() {
        [] => window::unbounded(plan, field, meter),
        [bound] if bound.a == bound.b && bound.a == (0..plan.items.len()) => {
            window::within(plan, bound.slack, field, meter)
        }
        // Without enough observations at any time there is nothing to try.
        _ if window::unbounded(plan, field, meter)?.is_none() => Ok(None),
        _ => Trial::new(plan, field, meter)?.run(),
    }
}

/// Tells by which leaf each observation was chosen.
fn named(chosen: &[(usize, u32)], sources: &[Source], field: &Field<'_>, met: &[Vec<u32>]) -> Vec<Bound> {
    let leaf = |source: usize, place: u32| {
        let members = &sources.get(source)?.members;
        let by = members.iter().find(|member| {
            let met = met.get(member.leaf).is_some_and(|met| met.binary_search(&place).is_ok());
            met && member.window.admits(&field.moment(place))
        })?;
        Some(Bound { leaf: by.leaf, observation: place as usize })
    };
    let mut bound: Vec<Bound> = chosen.iter().filter_map(|(source, place)| leaf(*source, *place)).collect();
    bound.sort_unstable();
    bound.dedup();
    bound
}

/// One observation to be found.
struct Slot {
    source: usize,
    /// The slot before it asks for the same: this one takes the same place in the list of candidates or a later one.
    follows: bool,
    /// Which bounds concern it, as what must not come after (`a`) or not before (`b`).
    limits_a: Vec<usize>,
    limits_b: Vec<usize>,
}

/// What a bound says as far as slots are filled.
#[derive(Clone, Copy)]
struct Sides {
    latest_first: i64,
    earliest_last: i64,
    slack: i64,
}

struct Trial<'t> {
    field: &'t Field<'t>,
    meter: &'t Meter,
    slots: Vec<Slot>,
    sides: Vec<Sides>,
    /// For each slot its place in the list of its source's candidates.
    filled: Vec<Option<usize>>,
    used: std::collections::HashMap<u32, u64>,
}

/// A choice made: which slot, what remains to try for it, and what the bounds were before.
struct Choice {
    slot: usize,
    range: std::ops::Range<usize>,
    sides: Vec<(usize, Sides)>,
}

/// Slots that can be filled by trying.
const MAX_SLOTS: u64 = 5_000;

impl<'t> Trial<'t> {
    fn new(plan: &Plan, field: &'t Field<'t>, meter: &'t Meter) -> Result<Self, Exhausted> {
        if plan.demand() > MAX_SLOTS {
            return Err(Exhausted);
        }
        let mut slots = Vec::new();
        for (number, item) in plan.items.iter().enumerate() {
            meter.charge(plan.bounds.len() / 8 + 1)?;
            let concerned = |side: &dyn Fn(&super::plan::Bound) -> bool| -> Vec<usize> {
                plan.bounds.iter().enumerate().filter(|(_, bound)| side(bound)).map(|(place, _)| place).collect()
            };
            let limits_a = concerned(&|bound| bound.a.contains(&number));
            let limits_b = concerned(&|bound| bound.b.contains(&number));
            for copy in 0..item.count {
                meter.charge(limits_a.len() + limits_b.len() + 1)?;
                slots.push(Slot {
                    source: item.source,
                    follows: copy > 0,
                    limits_a: limits_a.clone(),
                    limits_b: limits_b.clone(),
                });
            }
        }
        let open =
            |bound: &super::plan::Bound| Sides { latest_first: i64::MIN, earliest_last: i64::MAX, slack: bound.slack };
        let sides = plan.bounds.iter().map(open).collect();
        let filled = vec![None; slots.len()];
        Ok(Self { field, meter, slots, sides, filled, used: std::collections::HashMap::new() })
    }

    fn run(mut self) -> Result<Option<Vec<(usize, u32)>>, Exhausted> {
        let mut choices: Vec<Choice> = Vec::new();
        let mut next = self.most_narrowed()?;
        loop {
            let Some((slot, range)) = next else {
                let chosen = self.slots.iter().zip(&self.filled).filter_map(|(slot, place)| {
                    let place = self.field.candidates(slot.source).get((*place)?)?;
                    Some((slot.source, *place))
                });
                return Ok(Some(chosen.collect()));
            };
            choices.push(Choice { slot, range, sides: Vec::new() });
            next = loop {
                let Some(choice) = choices.last_mut() else { return Ok(None) };
                self.undo(choice);
                if !self.fill(choice)? {
                    choices.pop();
                    continue;
                }
                match self.most_narrowed()? {
                    Some((_, range)) if range.is_empty() => {}
                    found => break found,
                }
            };
        }
    }

    fn slot(&self, number: usize) -> Option<&Slot> {
        self.slots.get(number)
    }

    fn times(&self, slot: &Slot) -> Times {
        let mut times = Times { least_last: i64::MIN, most_first: i64::MAX };
        for side in slot.limits_b.iter().filter_map(|bound| self.sides.get(*bound)) {
            if side.latest_first > i64::MIN {
                times.least_last = times.least_last.max(side.latest_first.saturating_sub(side.slack));
            }
        }
        for side in slot.limits_a.iter().filter_map(|bound| self.sides.get(*bound)) {
            if side.earliest_last < i64::MAX {
                times.most_first = times.most_first.min(side.earliest_last.saturating_add(side.slack));
            }
        }
        times
    }

    /// The open slot with the fewest candidates, and where they are; none when all are filled.
    fn most_narrowed(&self) -> Result<Option<(usize, std::ops::Range<usize>)>, Exhausted> {
        let mut best: Option<(usize, std::ops::Range<usize>)> = None;
        let mut before: Option<usize> = None;
        for (number, slot) in self.slots.iter().enumerate() {
            let place = self.filled.get(number).copied().flatten();
            let least = std::mem::replace(&mut before, place);
            if place.is_some() {
                continue;
            }
            // Of slots that ask for the same the first open one stands for all.
            if slot.follows && least.is_none() {
                continue;
            }
            self.meter.charge(1 + slot.limits_a.len() + slot.limits_b.len())?;
            let mut range = self.field.range(slot.source, self.times(slot));
            if slot.follows {
                range.start = range.start.max(least.unwrap_or(0)).min(range.end);
            }
            if best.as_ref().is_none_or(|(_, fewest)| range.len() < fewest.len()) {
                let empty = range.is_empty();
                best = Some((number, range));
                if empty {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// Takes the next candidate that fits; false when there is none.
    fn fill(&mut self, choice: &mut Choice) -> Result<bool, Exhausted> {
        let Some(slot) = self.slot(choice.slot) else { return Ok(false) };
        let (source, times) = (slot.source, self.times(slot));
        // What must come early is tried early first, what must come late is tried late first.
        let late = slot.limits_b.len() > slot.limits_a.len() && !self.has_siblings(choice.slot);
        while !choice.range.is_empty() {
            self.meter.charge(1)?;
            let at = if late { choice.range.next_back() } else { choice.range.next() };
            let Some(at) = at else { break };
            let Some(place) = self.field.candidates(source).get(at).copied() else { break };
            let moment = self.field.moment(place);
            let used = self.used.get(&place).copied().unwrap_or(0);
            if moment.last < times.least_last || moment.first > times.most_first || used >= moment.count {
                continue;
            }
            self.used.insert(place, used + 1);
            if let Some(filled) = self.filled.get_mut(choice.slot) {
                *filled = Some(at);
            }
            self.narrow(choice, moment);
            return Ok(true);
        }
        Ok(false)
    }

    fn has_siblings(&self, slot: usize) -> bool {
        let follows = |number: usize| self.slot(number).is_some_and(|slot| slot.follows);
        follows(slot) || follows(slot + 1)
    }

    fn narrow(&mut self, choice: &mut Choice, moment: Moment) {
        let Some(slot) = self.slots.get(choice.slot) else { return };
        for bound in &slot.limits_a {
            if let Some(side) = self.sides.get_mut(*bound) {
                choice.sides.push((*bound, *side));
                side.latest_first = side.latest_first.max(moment.first);
            }
        }
        for bound in &slot.limits_b {
            if let Some(side) = self.sides.get_mut(*bound) {
                choice.sides.push((*bound, *side));
                side.earliest_last = side.earliest_last.min(moment.last);
            }
        }
    }

    /// Empties the slot of a choice, if it was filled.
    fn undo(&mut self, choice: &mut Choice) {
        for (bound, before) in choice.sides.drain(..).rev() {
            if let Some(side) = self.sides.get_mut(bound) {
                *side = before;
            }
        }
        let Some(at) = self.filled.get_mut(choice.slot).and_then(Option::take) else { return };
        let Some(source) = self.slot(choice.slot).map(|slot| slot.source) else { return };
        if let Some(place) = self.field.candidates(source).get(at)
            && let Some(used) = self.used.get_mut(place)
        {
            *used = used.saturating_sub(1);
        }
    }
}
