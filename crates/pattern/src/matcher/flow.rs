//! Whether so many observations of each of several sources can be had at once, none used more often than it was
//! observed: a flow from sources to *kinds* of observation, where two are of one kind if they meet the same sources.

use super::{Exhausted, Meter};

/// What is asked of the flow.
pub(super) struct Demands<'f> {
    /// How many observations of each source.
    pub(super) wanted: &'f [u64],
    /// For each source, the kinds that meet it.
    pub(super) kinds: &'f [Vec<usize>],
    /// How often the observations of each kind can be used.
    pub(super) capacity: &'f [u64],
}

/// How many observations of each kind go to each source: `(source, kind, count)`, counts above 0.
pub(super) type Shares = Vec<(usize, usize, u64)>;

/// The largest table of sources and kinds.
const MAX_CELLS: usize = 4_000_000;

/// None if it cannot be.
///
/// # Errors
/// When the budget is used up or there are too many kinds.
pub(super) fn flow(demands: &Demands<'_>, meter: &Meter) -> Result<Option<Shares>, Exhausted> {
    let (sources, kinds) = (demands.wanted.len(), demands.capacity.len());
    let cells = sources.saturating_mul(kinds);
    if cells > MAX_CELLS {
        return Err(Exhausted);
    }
    meter.charge(cells / 64 + sources + 1)?;
    let mut state = State { demands, meter, kinds, given: vec![0; cells], left: demands.capacity.to_vec() };
    for (source, wanted) in demands.wanted.iter().enumerate() {
        let mut missing = *wanted;
        while missing > 0 {
            let more = state.augment(source, missing)?;
            if more == 0 {
                return Ok(None);
            }
            missing -= more.min(missing);
        }
    }
    let shares = state.given.iter().enumerate().filter(|(_, count)| **count > 0);
    Ok(Some(shares.map(|(cell, count)| (cell / kinds, cell % kinds, *count)).collect()))
}

struct State<'f> {
    demands: &'f Demands<'f>,
    meter: &'f Meter,
    kinds: usize,
    given: Vec<u64>,
    left: Vec<u64>,
}

impl State<'_> {
    fn given(&mut self, source: usize, kind: usize) -> Option<&mut u64> {
        self.given.get_mut(source * self.kinds + kind)
    }

    /// Finds more for a source, taking from others what they can replace; how much, 0 if nothing.
    fn augment(&mut self, source: usize, missing: u64) -> Result<u64, Exhausted> {
        // Breadth first over sources; a source is entered by a kind that is taken from it.
        let mut entered: Vec<Option<(usize, usize)>> = vec![None; self.demands.wanted.len()];
        let mut seen_kind = vec![false; self.kinds];
        let mut queue = std::collections::VecDeque::from([source]);
        while let Some(at) = queue.pop_front() {
            for kind in self.demands.kinds.get(at).into_iter().flatten().copied() {
                self.meter.charge(1)?;
                if seen_kind.get(kind).copied().unwrap_or(true) {
                    continue;
                }
                if let Some(seen) = seen_kind.get_mut(kind) {
                    *seen = true;
                }
                let free = self.left.get(kind).copied().unwrap_or(0);
                if free > 0 {
                    return Ok(self.shift(source, at, kind, missing.min(free), &entered));
                }
                self.meter.charge(self.demands.wanted.len() / 8 + 1)?;
                for other in 0..self.demands.wanted.len() {
                    let has = self.given(other, kind).is_some_and(|given| *given > 0);
                    if has
                        && other != source
                        && let Some(place @ None) = entered.get_mut(other)
                    {
                        *place = Some((at, kind));
                        queue.push_back(other);
                    }
                }
            }
        }
        Ok(0)
    }

    /// Gives `kind` to `at`, which gives up what it was entered by, and so back to the source.
    fn shift(&mut self, source: usize, at: usize, kind: usize, most: u64, entered: &[Option<(usize, usize)>]) -> u64 {
        let mut way = vec![(at, kind)];
        let mut amount = most;
        let mut place = at;
        while place != source {
            let Some((from, by)) = entered.get(place).copied().flatten() else { return 0 };
            amount = amount.min(self.given(place, by).map_or(0, |given| *given));
            way.push((from, by));
            place = from;
        }
        if let Some(left) = self.left.get_mut(kind) {
            *left -= amount;
        }
        for (step, (taker, kind)) in way.iter().enumerate() {
            if let Some(given) = self.given(*taker, *kind) {
                *given += amount;
            }
            // The taker before this one gave that kind up.
            if let Some((giver, _)) = step.checked_sub(1).and_then(|step| way.get(step))
                && let Some(given) = self.given(*giver, *kind)
            {
                *given -= amount;
            }
        }
        amount
    }
}
