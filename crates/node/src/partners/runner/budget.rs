//! What a link may still take or give: so many objects an hour, so many bytes a day.
//!
//! A budget fills up evenly and is never fuller than one hour's or day's worth. One page may overdraw it, since nobody knows
//! before how large it is; what was overdrawn has to fill up again before the next one.

use super::Job;
use crate::partners::state::quota_note;
use ledger::{Micros, Note, Register};
use serde::{Deserialize, Serialize};

const HOUR: Micros = 3_600 * 1_000_000;
const DAY: Micros = 24 * HOUR;

/// Both budgets of a link.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    note: String,
    objects: Option<Bucket>,
    bytes: Option<Bucket>,
}

/// As it is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Kept {
    objects: Option<Fill>,
    bytes: Option<Fill>,
}

/// How full a bucket was.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Fill {
    /// Below zero: overdrawn.
    left: i64,
    at: Micros,
}

/// Fills up evenly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Bucket {
    most: i64,
    span: Micros,
    fill: Fill,
}

impl Bucket {
    fn new(most: u64, span: Micros, kept: Option<Fill>) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
        // A new one is full. A clock that was set back fills nothing.
        let fill = kept.unwrap_or(Fill { left: most, at: Micros::MIN });
        Self { most, span, fill }
    }

    /// What is in it.
    fn left(&self, now: Micros) -> i64 {
        let since = i128::from(now).saturating_sub(i128::from(self.fill.at)).clamp(0, i128::from(self.span));
        let more = i128::from(self.most) * since / i128::from(self.span);
        let left = (i128::from(self.fill.left) + more).min(i128::from(self.most));
        i64::try_from(left).unwrap_or(i64::MIN)
    }

    fn spend(&mut self, amount: u64, now: Micros) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        // What was overdrawn is paid back within three spans: a single page cannot stop a link for ever.
        let left = self.left(now).saturating_sub(amount).max(self.most.saturating_mul(-2));
        self.fill = Fill { left, at: now };
    }

    /// When there is something in it again that is worth a round.
    fn again(&self, now: Micros) -> Micros {
        let missing = i128::from((self.most / 60).max(1)) - i128::from(self.left(now));
        let wait = missing.max(0) * i128::from(self.span) / i128::from(self.most) + 1;
        now.saturating_add(Micros::try_from(wait).unwrap_or(Micros::MAX))
    }
}

impl Budget {
    /// The budget of a link, as full as it is kept.
    pub(super) fn load(register: &dyn Register, job: &Job) -> ledger::Result<Self> {
        let note = quota_note(&job.name);
        let kept = register.note(&note)?;
        let kept: Kept = kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        let definition = &job.definition;
        Ok(Self {
            note,
            objects: definition.max_objects_per_hour.map(|most| Bucket::new(most, HOUR, kept.objects)),
            bytes: definition.max_bytes_per_day.map(|most| Bucket::new(most, DAY, kept.bytes)),
        })
    }

    /// How many objects may go; or when some may again.
    pub(super) fn left(&self, now: Micros) -> Result<u64, Micros> {
        let spent = |bucket: &Option<Bucket>| bucket.filter(|bucket| bucket.left(now) <= 0).map(|b| b.again(now));
        match spent(&self.objects).max(spent(&self.bytes)) {
            Some(again) => Err(again),
            None => Ok(self.objects.map_or(u64::MAX, |bucket| u64::try_from(bucket.left(now)).unwrap_or(1))),
        }
    }

    /// How many bytes may go.
    pub(super) fn bytes_left(&self, now: Micros) -> usize {
        self.bytes.map_or(usize::MAX, |bucket| usize::try_from(bucket.left(now)).unwrap_or(1).max(1))
    }

    /// How many objects may go once so many objects and bytes have gone; `None`: none.
    pub(super) fn left_behind(&self, objects: u64, bytes: u64, now: Micros) -> Option<u64> {
        let mut behind = self.clone();
        behind.take(objects, bytes, now);
        behind.left(now).ok()
    }

    fn take(&mut self, objects: u64, bytes: u64, now: Micros) {
        if let Some(bucket) = &mut self.objects {
            bucket.spend(objects, now);
        }
        if let Some(bucket) = &mut self.bytes {
            bucket.spend(bytes, now);
        }
    }

    /// Takes out what went, and keeps what is left.
    pub(super) fn spend(
        &mut self,
        register: &dyn Register,
        objects: u64,
        bytes: u64,
        now: Micros,
    ) -> ledger::Result<()> {
        let kept: Vec<_> = self.spent(objects, bytes, now).into_iter().collect();
        register.set_notes(&kept)
    }

    /// Takes out what went. What is left is to be kept so, in a note.
    pub(super) fn spent(&mut self, objects: u64, bytes: u64, now: Micros) -> Option<Note> {
        if self.objects.is_none() && self.bytes.is_none() {
            return None;
        }
        self.take(objects, bytes, now);
        let kept =
            Kept { objects: self.objects.map(|bucket| bucket.fill), bytes: self.bytes.map(|bucket| bucket.fill) };
        Some((self.note.clone(), serde_json::to_vec(&kept).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Micros = HOUR / 60;

    #[test]
    fn a_bucket_fills_up_evenly_and_no_further() {
        let mut bucket = Bucket::new(60, HOUR, None);
        assert_eq!(bucket.left(0), 60, "a new one is full");
        bucket.spend(60, 0);
        for (minutes, left) in [(0, 0), (1, 1), (30, 30), (60, 60), (600, 60)] {
            assert_eq!(bucket.left(minutes * MINUTE), left, "{minutes}");
        }
        assert_eq!(bucket.left(-HOUR), 0, "a clock that was set back");
        bucket.spend(90, 0);
        assert_eq!((bucket.left(0), bucket.left(90 * MINUTE)), (-90, -30), "no more than a span at once");
    }

    #[test]
    fn what_is_overdrawn_fills_up_first() {
        let mut bucket = Bucket::new(60, HOUR, None);
        bucket.spend(70, 0);
        let again = bucket.again(0);
        assert!(bucket.left(again) >= 1 && bucket.left(again - MINUTE) < 1, "{again}");
        bucket.spend(u64::MAX, 0);
        assert_eq!(bucket.left(0), -120, "not for ever");
    }

    #[test]
    fn any_order_of_spending_keeps_to_the_rate() {
        // Whatever is asked for, no hour gives more than what was in the bucket, what came in, and one page.
        let mut seed = 7_u64;
        for most in [1_u64, 10, 1_000] {
            let (mut bucket, mut now, mut given) = (Bucket::new(most, HOUR, None), 0, 0_u64);
            for _ in 0..500 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                now += Micros::try_from(seed >> 40).unwrap() * 10;
                let wanted = seed % most + 1;
                if bucket.left(now) > 0 {
                    bucket.spend(wanted, now);
                    given += wanted;
                }
            }
            let allowed = most + most * u64::try_from(now).unwrap() / u64::try_from(HOUR).unwrap() + most;
            assert!(given <= allowed, "{most}: {given} of {allowed}");
        }
    }
}
