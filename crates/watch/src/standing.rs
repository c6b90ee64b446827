//! Whether a claim still counts at the moment at which it is met.
//!
//! ```
//! use watch::standing::{Claimed, Decay, Standing};
//!
//! const DAY: i64 = 86_400 * 1_000_000;
//! let decay = Decay::new(120.0, 2.0, 30.0, 80.0).unwrap();
//! let claimed = Claimed { valid_from: Some(0), ..Claimed::default() };
//! assert_eq!(claimed.standing(30 * DAY, Some(&decay)), Standing::Live { score: Some(40.0) });
//! assert_eq!(claimed.standing(-1, Some(&decay)), Standing::NotYet);
//! assert!(matches!(claimed.standing(60 * DAY, Some(&decay)), Standing::Decayed { .. }));
//! ```

use serde::Deserialize;
use thiserror::Error;

/// Microseconds of a day.
const DAY: f64 = 86_400.0 * 1_000_000.0;

/// What is known of a claim's time. All instants are microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Claimed {
    /// From when on it holds (STIX 2.1 §4.7, `valid_from`).
    pub valid_from: Option<i64>,
    /// From when on it holds no longer (STIX 2.1 §4.7, `valid_until`).
    pub valid_until: Option<i64>,
    /// Whether its author took it back (STIX 2.1 §3.2, `revoked`).
    pub revoked: bool,
    /// How sure its author is, from 0 to 100 (STIX 2.1 §3.2): where it begins to decay.
    pub confidence: Option<u8>,
    /// When it was last seen to hold: its last sighting, else its last change. If nothing is known, it decays from
    /// `valid_from` on.
    pub refreshed: Option<i64>,
}

/// How a claim stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// It counts.
    Live {
        /// What is left of its score, where it decays.
        score: Option<f64>,
    },
    /// It does not hold yet.
    NotYet,
    /// It holds no longer.
    Expired,
    /// Its author took it back.
    Revoked,
    /// It is too long since it was last seen to hold.
    Decayed {
        /// What is left of its score, below the threshold.
        score: f64,
    },
}

impl Standing {
    /// Whether it counts.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

impl Claimed {
    /// How the claim stands at this moment. What was taken back counts for no moment; of the rest the window decides
    /// first, then the decay.
    #[must_use]
    pub fn standing(&self, now: i64, decay: Option<&Decay>) -> Standing {
        if self.revoked {
            return Standing::Revoked;
        }
        if self.valid_until.is_some_and(|until| now >= until) {
            return Standing::Expired;
        }
        if self.valid_from.is_some_and(|from| now < from) {
            return Standing::NotYet;
        }
        let (Some(decay), Some(since)) = (decay, self.refreshed.or(self.valid_from)) else {
            return Standing::Live { score: None };
        };
        let base = self.confidence.map_or(decay.base, |confidence| f64::from(confidence.min(100)));
        let score = decay.score(base, now.saturating_sub(since));
        if score < decay.threshold { Standing::Decayed { score } } else { Standing::Live { score: Some(score) } }
    }
}

/// How a score decays with time: the polynomial of MISP's decaying models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    lifetime: f64,
    speed: f64,
    threshold: f64,
    base: f64,
}

/// Why a model is none.
#[derive(Debug, Error)]
pub enum InvalidDecay {
    /// A number is out of its range.
    #[error("`{0}` of a decaying model is out of its range")]
    Range(&'static str),
    /// The file is no model.
    #[error("not a decaying model")]
    Form(#[from] serde_json::Error),
    /// It decays by another formula.
    #[error("the formula of a decaying model must be `Polynomial`")]
    Formula,
}

/// A model's file (github.com/MISP/misp-decaying-models).
#[derive(Deserialize)]
struct Model {
    formula: String,
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    lifetime: f64,
    decay_speed: f64,
    threshold: f64,
    default_base_score: f64,
}

impl Decay {
    /// A decay to nothing within `lifetime` days, the faster at first the greater `speed`; below `threshold` a claim counts
    /// no longer; `base` is where one begins that says nothing of its confidence.
    ///
    /// # Errors
    ///
    /// Which number is out of its range: the first two above 0, the others from 0 to 100.
    pub fn new(lifetime: f64, speed: f64, threshold: f64, base: f64) -> Result<Self, InvalidDecay> {
        for (name, number) in [("lifetime", lifetime), ("decay_speed", speed)] {
            if !(number.is_finite() && number > 0.0) {
                return Err(InvalidDecay::Range(name));
            }
        }
        for (name, number) in [("threshold", threshold), ("default_base_score", base)] {
            if !(0.0..=100.0).contains(&number) {
                return Err(InvalidDecay::Range(name));
            }
        }
        Ok(Self { lifetime, speed, threshold, base })
    }

    /// The decay that a file of MISP's models says.
    ///
    /// # Errors
    ///
    /// When it is no model, one with another formula, or a number is out of its range.
    pub fn read(model: &[u8]) -> Result<Self, InvalidDecay> {
        let Model { formula, parameters } = serde_json::from_slice(model)?;
        if !formula.eq_ignore_ascii_case("polynomial") {
            return Err(InvalidDecay::Formula);
        }
        Self::new(parameters.lifetime, parameters.decay_speed, parameters.threshold, parameters.default_base_score)
    }

    /// What is left of a base after some microseconds: `base · (1 − (t / lifetime)^(1 / speed))`, never below 0.
    #[must_use]
    pub fn score(&self, base: f64, elapsed: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a score needs no microseconds")]
        let days = elapsed.max(0) as f64 / DAY;
        (base * (1.0 - (days / self.lifetime).powf(1.0 / self.speed))).max(0.0)
    }
}

#[cfg(test)]
mod tests;
