//! Plans that are decided without search: those without bounds, and those with one WITHIN around everything.

use std::collections::HashMap;

use super::flow::{Demands, flow};
use super::plan::Plan;
use super::search::Field;
use super::{Exhausted, Meter};

/// The sources of a plan, and the observations of the field by which of them they meet.
struct Kinds {
    /// The different sources of the plan, and how many of each are asked for.
    sources: Vec<usize>,
    wanted: Vec<u64>,
    /// For each source of the above, the kinds that meet it.
    kinds: Vec<Vec<usize>>,
    /// The observations that meet any source, with their kinds.
    members: Vec<(u32, usize)>,
}

impl Kinds {
    fn new(plan: &Plan, field: &Field<'_>, meter: &Meter) -> Result<Self, Exhausted> {
        let mut wanted: std::collections::BTreeMap<usize, u64> = std::collections::BTreeMap::new();
        for item in &plan.items {
            let sum = wanted.entry(item.source).or_default();
            *sum = sum.saturating_add(item.count);
        }
        let (sources, wanted): (Vec<usize>, Vec<u64>) = wanted.into_iter().unzip();
        if let [only] = sources.as_slice() {
            let members = field.candidates(*only).iter().map(|place| (*place, 0)).collect();
            return Ok(Self { sources, wanted, kinds: vec![vec![0]], members });
        }
        let mut meets: HashMap<u32, Vec<u32>> = HashMap::new();
        for (number, source) in (0_u32..).zip(&sources) {
            meter.charge(field.candidates(*source).len() / 8 + 1)?;
            for place in field.candidates(*source) {
                meets.entry(*place).or_default().push(number);
            }
        }
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut kinds = vec![Vec::new(); sources.len()];
        let mut members = Vec::with_capacity(meets.len());
        for (place, met) in meets {
            let next = known.len();
            let kind = match known.get(&met) {
                Some(kind) => *kind,
                None => {
                    for number in &met {
                        if let Some(kinds) = kinds.get_mut(*number as usize) {
                            kinds.push(next);
                        }
                    }
                    known.insert(met, next);
                    next
                }
            };
            members.push((place, kind));
        }
        members.sort_unstable();
        Ok(Self { sources, wanted, kinds, members })
    }

    fn count(&self) -> usize {
        self.kinds.iter().flatten().max().map_or(0, |most| most + 1)
    }

    /// The observations that a flow over these members chooses, with their sources.
    fn choose(
        &self,
        field: &Field<'_>,
        admitted: &dyn Fn(u32) -> bool,
        meter: &Meter,
    ) -> Result<Option<Vec<(usize, u32)>>, Exhausted> {
        let mut capacity = vec![0_u64; self.count()];
        for (place, kind) in self.members.iter().filter(|(place, _)| admitted(*place)) {
            if let Some(sum) = capacity.get_mut(*kind) {
                *sum = sum.saturating_add(field.moment(*place).count);
            }
        }
        let demands = Demands { wanted: &self.wanted, kinds: &self.kinds, capacity: &capacity };
        let Some(shares) = flow(&demands, meter)? else { return Ok(None) };
        // Hand out the observations of each kind in turn.
        let mut shelves: Vec<Vec<(u32, u64)>> = vec![Vec::new(); capacity.len()];
        for (place, kind) in self.members.iter().rev().filter(|(place, _)| admitted(*place)) {
            if let Some(shelf) = shelves.get_mut(*kind) {
                shelf.push((*place, field.moment(*place).count));
            }
        }
        let mut chosen = Vec::new();
        for (source, kind, mut count) in shares {
            let (Some(shelf), Some(source)) = (shelves.get_mut(kind), self.sources.get(source)) else { continue };
            while count > 0
                && let Some((place, left)) = shelf.last_mut()
            {
                chosen.push((*source, *place));
                let used = count.min(*left);
                count -= used;
                *left -= used;
                if *left == 0 {
                    shelf.pop();
                }
            }
        }
        Ok(Some(chosen))
    }
}

/// Decides a plan as if it had no bounds: what it chooses, as sources and observations.
pub(super) fn unbounded(plan: &Plan, field: &Field<'_>, meter: &Meter) -> Result<Option<Vec<(usize, u32)>>, Exhausted> {
    Kinds::new(plan, field, meter)?.choose(field, &|_| true, meter)
}

/// Decides a plan whose one bound is a window of `slack` microseconds around everything. The window that touches most
/// begins at the end of some observation: each is tried, in order, and what it touches is kept up to date.
pub(super) fn within(
    plan: &Plan,
    slack: i64,
    field: &Field<'_>,
    meter: &Meter,
) -> Result<Option<Vec<(usize, u32)>>, Exhausted> {
    let kinds = Kinds::new(plan, field, meter)?;
    let mut by_first = kinds.members.clone();
    by_first.sort_by_key(|(place, _)| field.moment(*place).first);
    let mut by_last = kinds.members.clone();
    by_last.sort_by_key(|(place, _)| field.moment(*place).last);
    let mut capacity = vec![0_u64; kinds.count()];
    let mut entering = by_first.iter().peekable();
    for (place, kind) in &by_last {
        let begin = field.moment(*place).last;
        let end = begin.saturating_add(slack);
        while let Some((next, kind)) = entering.next_if(|(next, _)| field.moment(*next).first <= end) {
            if let Some(sum) = capacity.get_mut(*kind) {
                *sum = sum.saturating_add(field.moment(*next).count);
            }
        }
        meter.charge(1)?;
        let enough = |(wanted, kinds): (&u64, &Vec<usize>)| {
            let sum = kinds.iter().filter_map(|kind| capacity.get(*kind));
            sum.fold(0_u64, |all, one| all.saturating_add(*one)) >= *wanted
        };
        if kinds.wanted.iter().zip(&kinds.kinds).all(enough) {
            let demands = Demands { wanted: &kinds.wanted, kinds: &kinds.kinds, capacity: &capacity };
            if flow(&demands, meter)?.is_some() {
                let touched = |place: u32| {
                    let moment = field.moment(place);
                    moment.last >= begin && moment.first <= end
                };
                return kinds.choose(field, &touched, meter);
            }
        }
        // It ends here: later windows do not touch it.
        if let Some(sum) = capacity.get_mut(*kind) {
            *sum = sum.saturating_sub(field.moment(*place).count);
        }
    }
    Ok(None)
}
