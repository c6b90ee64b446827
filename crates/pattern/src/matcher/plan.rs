//! Ways to fulfil a pattern. A plan has no alternatives left: so many observations of each source, and which of them may
//! not come after which. START and STOP are in the sources; FOLLOWEDBY and WITHIN are one kind of bound.

use std::ops::Range;

use super::compile::Shape;
use super::{Exhausted, Meter};

/// One way.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) bounds: Vec<Bound>,
}

/// So many observations of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) source: usize,
    pub(super) count: u64,
}

/// The latest first instant of the items `a` may be at most `slack` microseconds after the earliest last one of `b`.
/// FOLLOWEDBY is that of its two sides without slack; WITHIN that of all its items with themselves: a window of that
/// length then touches them all.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) a: Range<usize>,
    pub(super) b: Range<usize>,
    pub(super) slack: i64,
}

/// Ways that are tried, and items that they have together.
const MAX_PLANS: usize = 2_000;
const MAX_ITEMS: usize = 50_000;

impl Plan {
    /// How many observations it binds.
    pub(super) fn demand(&self) -> u64 {
        self.items.iter().fold(0, |sum, item| sum.saturating_add(item.count))
    }

    fn append(&mut self, other: &Self) {
        let offset = self.items.len();
        let moved = |range: &Range<usize>| range.start + offset..range.end + offset;
        self.items.extend(&other.items);
        let bound = |bound: &Bound| Bound { a: moved(&bound.a), b: moved(&bound.b), slack: bound.slack };
        self.bounds.extend(other.bounds.iter().map(bound));
    }

    /// Several times over; without bounds that is more of the same items.
    fn repeated(&self, times: u64) -> Result<Self, Exhausted> {
        if self.bounds.is_empty() {
            let more = |item: &Item| Item { count: item.count.saturating_mul(times), ..*item };
            return Ok(Self { items: self.items.iter().map(more).collect(), bounds: Vec::new() });
        }
        let times = usize::try_from(times).map_err(|_| Exhausted)?;
        if times.saturating_mul(self.items.len()) > MAX_ITEMS {
            return Err(Exhausted);
        }
        let mut all = Self::default();
        (0..times).for_each(|_| all.append(self));
        Ok(all)
    }
}

/// Makes the plans of a shape.
pub(super) struct Planner<'p> {
    /// Which sources have any observation.
    pub(super) has_any: &'p dyn Fn(usize) -> bool,
    /// How many times all observations together can be used.
    pub(super) capacity: u64,
    pub(super) meter: &'p Meter,
}

impl Planner<'_> {
    /// All ways for which there may be enough observations.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn plans(&self, shape: &Shape) -> Result<Vec<Plan>, Exhausted> {
        self.meter.charge(1)?;
        let plans = match shape {
            Shape::Never => Vec::new(),
            Shape::Leaf(source) if (self.has_any)(*source) => {
                vec![Plan { items: vec![Item { source: *source, count: 1 }], bounds: Vec::new() }]
            }
            Shape::Leaf(_) => Vec::new(),
            Shape::Or(operands) => {
                let mut all = Vec::new();
                for operand in operands {
                    all.extend(self.plans(operand)?);
                    bounded(&all)?;
                }
                all
            }
            Shape::And(operands) => self.joined(operands, false)?,
            Shape::FollowedBy(operands) => self.joined(operands, true)?,
            Shape::Repeats(inner, times) => self.repeated(self.plans(inner)?, *times)?,
            Shape::Within(inner, slack) => {
                let mut plans = self.plans(inner)?;
                for plan in plans.iter_mut().filter(|plan| plan.demand() > 1) {
                    let all = 0..plan.items.len();
                    plan.bounds.push(Bound { a: all.clone(), b: all, slack: *slack });
                }
                plans
            }
        };
        bounded(&plans)?;
        Ok(plans)
    }

    fn is_possible(&self, plan: &Plan) -> bool {
        plan.demand() <= self.capacity
    }

    fn joined(&self, operands: &[Shape], in_order: bool) -> Result<Vec<Plan>, Exhausted> {
        // An operand that cannot be met spares the work for the others.
        let mut choices = Vec::with_capacity(operands.len());
        for operand in operands {
            let plans = self.plans(operand)?;
            if plans.is_empty() {
                return Ok(plans);
            }
            choices.push(plans);
        }
        let mut all = vec![Plan::default()];
        for plans in choices {
            // Without a choice the way goes on where it is.
            if let ([only], [next]) = (all.as_mut_slice(), plans.as_slice()) {
                self.meter.charge(next.items.len() + next.bounds.len() + 1)?;
                let before = only.items.len();
                only.append(next);
                if in_order && before > 0 {
                    only.bounds.push(Bound { a: 0..before, b: before..only.items.len(), slack: 0 });
                }
                if only.items.len() > MAX_ITEMS {
                    return Err(Exhausted);
                }
                if !self.is_possible(only) {
                    return Ok(Vec::new());
                }
                continue;
            }
            let mut longer = Vec::new();
            for plan in &all {
                for next in &plans {
                    let mut both = plan.clone();
                    self.meter.charge(both.items.len() + both.bounds.len() + 1)?;
                    both.append(next);
                    let before = plan.items.len();
                    if in_order && before > 0 {
                        both.bounds.push(Bound { a: 0..before, b: before..both.items.len(), slack: 0 });
                    }
                    if self.is_possible(&both) {
                        longer.push(both);
                    }
                }
                bounded(&longer)?;
            }
            all = longer;
        }
        Ok(all)
    }

    fn repeated(&self, plans: Vec<Plan>, times: u64) -> Result<Vec<Plan>, Exhausted> {
        let mut done: Vec<(Plan, u64)> = vec![(Plan::default(), times)];
        let last = plans.len().saturating_sub(1);
        for (number, plan) in plans.iter().enumerate() {
            let mut next = Vec::new();
            for (sofar, left) in &done {
                let least = if number == last { *left } else { 0 };
                for count in least..=*left {
                    let mut more = sofar.clone();
                    if count > 0 {
                        // More copies only ask for more.
                        if plan.demand().saturating_mul(count) > self.capacity {
                            break;
                        }
                        self.meter.charge(plan.items.len() + more.items.len() + 1)?;
                        more.append(&plan.repeated(count)?);
                    }
                    if self.is_possible(&more) {
                        next.push((more, left - count));
                    }
                    if next.len() > MAX_PLANS {
                        return Err(Exhausted);
                    }
                }
            }
            done = next;
        }
        Ok(done.into_iter().filter(|(_, left)| *left == 0).map(|(plan, _)| plan).collect())
    }
}

fn bounded(plans: &[Plan]) -> Result<(), Exhausted> {
    let items = plans.iter().map(|plan| plan.items.len() + plan.bounds.len()).sum::<usize>();
    if plans.len() > MAX_PLANS || items > MAX_ITEMS { Err(Exhausted) } else { Ok(()) }
}
