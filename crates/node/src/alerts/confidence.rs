//! How sure a claim is, once those who met it have said what they think of it. Pure.
//!
//! What people call a false positive becomes a STIX `opinion` of their organisation on the indicator, "strongly-disagree": this is
//! also what MISP's false-positive sighting (type 1) is translated to. A sighting with a count of 0 was not taken for it, since
//! that says that something was not seen (STIX 2.1 §5.2), which is another thing.
//!
//! One organisation has one voice, and a bounded one: a strong "no" of ours leaves a quarter of the confidence, one of a partner
//! a half. Agreement outweighs disagreement and never lifts a claim above what its author says. Who is not known as ours, a
//! client or of the community has none.

use std::collections::{BTreeMap, HashMap};

/// How sure a claim is taken to be that does not say so.
pub const UNSAID: u8 = 50;
/// Opinions on one object that are kept: one an organisation.
const MOST_VOICES: usize = 1_000;
/// Objects on which there are opinions that are kept.
const MOST_OBJECTS: usize = 1_000_000;
/// Objects of one opinion that are looked at.
const MOST_OF_ONE: usize = 100;

/// What an organisation thinks of a claim (STIX 2.1 §10.13).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Opinion {
    /// It is wrong.
    StronglyDisagree,
    /// It may well be wrong.
    Disagree,
    /// Neither.
    Neutral,
    /// It may well be right.
    Agree,
    /// It is right.
    StronglyAgree,
}

impl Opinion {
    /// By the standard's word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "strongly-disagree" => Self::StronglyDisagree,
            "disagree" => Self::Disagree,
            "neutral" => Self::Neutral,
            "agree" => Self::Agree,
            "strongly-agree" => Self::StronglyAgree,
            _ => return None,
        })
    }

    /// The standard's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::StronglyDisagree => "strongly-disagree",
            Self::Disagree => "disagree",
            Self::Neutral => "neutral",
            Self::Agree => "agree",
            Self::StronglyAgree => "strongly-agree",
        }
    }

    /// In quarters of a halving.
    fn weight(self) -> i32 {
        match self {
            Self::StronglyDisagree => -4,
            Self::Disagree => -2,
            Self::Neutral => 0,
            Self::Agree => 2,
            Self::StronglyAgree => 4,
        }
    }
}

/// How much an organisation's voice counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Trust {
    /// Not at all.
    None,
    /// As a client's, or that of somebody of the community.
    Partner,
    /// As our own.
    Own,
}

/// An organisation's voice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Voice {
    /// Whose.
    pub organisation: String,
    /// How much it counts.
    pub trust: Trust,
    /// What it says.
    pub opinion: Opinion,
}

/// How sure a claim is (0 to 100) under these voices. Of one that does not say how sure it is, [`UNSAID`] is taken.
///
/// An organisation with several voices has the most disagreeing of them. Never more than the claim's own confidence.
#[must_use]
pub fn effective(confidence: Option<u8>, voices: &[Voice]) -> u8 {
    let confidence = confidence.unwrap_or(UNSAID).min(100);
    let mut each: BTreeMap<String, i32> = BTreeMap::new();
    for voice in voices {
        let weight = match voice.trust {
            Trust::None => continue,
            Trust::Partner => voice.opinion.weight(),
            Trust::Own => voice.opinion.weight() * 2,
        };
        let held = each.entry(voice.organisation.to_lowercase()).or_insert(weight);
        *held = weight.min(*held);
    }
    let quarters = each.values().fold(0_i32, |sum, weight| sum.saturating_add(*weight)).clamp(-64, 0);
    let factor = (f64::from(quarters) / 4.0).exp2();
    // Rounded down: what is left of a claim is never more than its share.
    let left = (f64::from(confidence) * factor).floor().clamp(0.0, 100.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let left = left as u8;
    left
}

/// The opinions that are in the book, by what they are about. Memory: bounded by the number of objects and organisations.
#[derive(Debug, Default)]
pub struct Voices {
    /// Object, then organisation in lower case: the version of its opinion, and what it says.
    of: HashMap<String, BTreeMap<String, (i64, Opinion)>>,
    /// By organisation and the opinion's id: about what it was, so that a newer version takes back what an older one said.
    by_id: HashMap<(String, String), Vec<String>>,
}

impl Voices {
    /// Takes a record of the book; `organisation` is who made it, proven as its policy class says. Returns the objects whose
    /// voices changed. What is no opinion, or nobody's, changes nothing.
    pub fn take(&mut self, kind: &str, body: &[u8], organisation: Option<&str>) -> Vec<String> {
        let (Some(organisation), "opinion") = (organisation, kind) else { return Vec::new() };
        let Some(said) = read(body) else { return Vec::new() };
        let organisation = organisation.to_lowercase();
        let mut changed = Vec::new();
        let place = (organisation.clone(), said.id.clone());
        let before = self.by_id.get(&place).cloned();
        for object in before.into_iter().flatten().filter(|object| said.revoked || !said.about.contains(object)) {
            if let Some(voices) = self.of.get_mut(&object)
                && voices.get(&organisation).is_some_and(|(at, _)| *at <= said.at)
            {
                voices.remove(&organisation);
                changed.push(object);
            }
        }
        if said.revoked {
            self.by_id.remove(&place);
            return changed;
        }
        for object in &said.about {
            if !self.of.contains_key(object) && self.of.len() >= MOST_OBJECTS {
                continue;
            }
            let voices = self.of.entry(object.clone()).or_default();
            match voices.get(&organisation) {
                Some((at, _)) if *at > said.at => continue,
                None if voices.len() >= MOST_VOICES => continue,
                _ => {}
            }
            let same =
                voices.insert(organisation.clone(), (said.at, said.opinion)).is_some_and(|(_, o)| o == said.opinion);
            if !same {
                changed.push(object.clone());
            }
        }
        if self.by_id.len() < MOST_OBJECTS || self.by_id.contains_key(&place) {
            self.by_id.insert(place, said.about);
        }
        changed
    }

    /// Forgets what an opinion said that is erased; the objects whose voices changed.
    pub fn forget(&mut self, opinion: &str) -> Vec<String> {
        let gone: Vec<_> = self.by_id.keys().filter(|(_, id)| id == opinion).cloned().collect();
        let mut changed = Vec::new();
        for place in gone {
            for object in self.by_id.remove(&place).into_iter().flatten() {
                if let Some(voices) = self.of.get_mut(&object)
                    && voices.remove(&place.0).is_some()
                {
                    changed.push(object);
                }
            }
        }
        changed
    }

    /// Whether anybody says anything of an object.
    #[must_use]
    pub fn any(&self, object: &str) -> bool {
        self.of.get(object).is_some_and(|voices| !voices.is_empty())
    }

    /// The voices on an object; `trust` says how much an organisation (in lower case) counts.
    #[must_use]
    pub fn on(&self, object: &str, trust: &dyn Fn(&str) -> Trust) -> Vec<Voice> {
        let voices = self.of.get(object).into_iter().flatten();
        let voice = |(organisation, (_, opinion)): (&String, &(i64, Opinion))| Voice {
            organisation: organisation.clone(),
            trust: trust(organisation),
            opinion: *opinion,
        };
        voices.map(voice).collect()
    }
}

/// What an opinion says.
struct Said {
    id: String,
    at: i64,
    opinion: Opinion,
    about: Vec<String>,
    revoked: bool,
}

fn read(body: &[u8]) -> Option<Said> {
    #[derive(serde::Deserialize)]
    struct Sent {
        id: String,
        modified: String,
        opinion: String,
        #[serde(default)]
        object_refs: Vec<String>,
        #[serde(default)]
        revoked: bool,
    }
    let mut sent: Sent = serde_json::from_slice(body).ok()?;
    sent.object_refs.truncate(MOST_OF_ONE);
    Some(Said {
        at: stix::timestamp::Timestamp::parse(&sent.modified).ok()?.micros,
        opinion: Opinion::named(&sent.opinion)?,
        about: sent.object_refs,
        id: sent.id,
        revoked: sent.revoked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn voice(organisation: &str, trust: Trust, opinion: Opinion) -> Voice {
        Voice { organisation: organisation.into(), trust, opinion }
    }

    #[test]
    fn table() {
        use Opinion::{Agree, Disagree, Neutral, StronglyAgree, StronglyDisagree};
        let (own, partner, nobody) = (Trust::Own, Trust::Partner, Trust::None);
        for (confidence, voices, expected) in [
            (Some(80), vec![], 80),
            (None, vec![], 50),
            (Some(80), vec![voice("us", own, StronglyDisagree)], 20),
            (Some(80), vec![voice("b", partner, StronglyDisagree)], 40),
            (Some(80), vec![voice("b", partner, StronglyDisagree), voice("B", partner, StronglyDisagree)], 40),
            (Some(80), vec![voice("b", partner, StronglyDisagree), voice("c", partner, StronglyDisagree)], 20),
            (Some(80), vec![voice("b", partner, Disagree)], 56),
            (Some(80), vec![voice("b", partner, StronglyDisagree), voice("c", partner, StronglyAgree)], 80),
            (Some(80), vec![voice("b", partner, StronglyDisagree), voice("c", partner, Agree)], 56),
            (Some(80), vec![voice("c", own, StronglyAgree), voice("d", partner, Agree)], 80),
            (Some(80), vec![voice("b", nobody, StronglyDisagree)], 80),
            (Some(80), vec![voice("b", partner, Neutral)], 80),
            (Some(0), vec![voice("b", partner, StronglyAgree)], 0),
            (Some(255), vec![], 100),
        ] {
            assert_eq!(effective(confidence, &voices), expected, "{confidence:?} {voices:?}");
        }
    }

    fn any_voice() -> impl Strategy<Value = Voice> {
        let opinions =
            [Opinion::StronglyDisagree, Opinion::Disagree, Opinion::Neutral, Opinion::Agree, Opinion::StronglyAgree];
        let trusts = [Trust::None, Trust::Partner, Trust::Own];
        (0_u8..4, proptest::sample::select(trusts.to_vec()), proptest::sample::select(opinions.to_vec()))
            .prop_map(|(name, trust, opinion)| voice(&format!("o{name}"), trust, opinion))
    }

    proptest! {
        #[test]
        fn one_organisation_has_one_bounded_voice(
            confidence in 0_u8..=100, voices in proptest::collection::vec(any_voice(), 0..8), more in any_voice(), copies in 1_usize..50,
        ) {
            let before = effective(Some(confidence), &voices);
            prop_assert!(before <= confidence);
            let mut turned = voices.clone();
            turned.reverse();
            prop_assert_eq!(effective(Some(confidence), &turned), before);
            // Whoever says a thing fifty times has said it once.
            let mut once = voices.clone();
            once.push(more.clone());
            let mut often = voices.clone();
            often.extend(std::iter::repeat_n(more.clone(), copies));
            prop_assert_eq!(effective(Some(confidence), &once), effective(Some(confidence), &often));
            // An organisation alone never takes more than its share, whatever it says.
            if more.trust == Trust::Partner {
                prop_assert!(effective(Some(confidence), &[more]) >= confidence / 2);
            }
        }
    }

    #[test]
    fn voices_follow_the_book() {
        let opinion = |id: u8, modified: u8, word: &str, about: &[&str], revoked: bool| {
            serde_json::json!({"type": "opinion", "id": format!("opinion--{id}"), "modified": format!("2026-01-01T00:00:{modified:02}Z"),
                "opinion": word, "object_refs": about, "revoked": revoked}).to_string().into_bytes()
        };
        let mut voices = Voices::default();
        let on = |voices: &Voices| {
            let mut said: Vec<_> =
                voices.on("i", &|_| Trust::Partner).into_iter().map(|v| (v.organisation, v.opinion)).collect();
            said.sort();
            said
        };
        assert_eq!(voices.take("opinion", &opinion(1, 1, "disagree", &["i", "j"], false), Some("North")), ["i", "j"]);
        assert!(voices.take("opinion", &opinion(1, 1, "disagree", &["i"], false), None).is_empty(), "nobody's");
        assert!(voices.take("note", &opinion(1, 1, "disagree", &["i"], false), Some("x")).is_empty());
        assert!(voices.take("opinion", b"{}", Some("x")).is_empty());
        assert!(voices.take("opinion", &opinion(9, 1, "odd", &["i"], false), Some("x")).is_empty());
        assert_eq!(on(&voices), [("north".into(), Opinion::Disagree)]);
        // Another opinion of the same organisation, and an older one of its first: one voice.
        assert_eq!(voices.take("opinion", &opinion(2, 3, "agree", &["i"], false), Some("NORTH")), ["i"]);
        assert_eq!(voices.take("opinion", &opinion(1, 2, "strongly-disagree", &["i"], false), Some("North")), ["j"]);
        assert_eq!(on(&voices), [("north".into(), Opinion::Agree)]);
        // Nobody takes another's opinion back.
        assert!(voices.take("opinion", &opinion(2, 5, "agree", &["i"], true), Some("South")).is_empty());
        assert_eq!(voices.take("opinion", &opinion(2, 5, "agree", &["i"], true), Some("north")), ["i"]);
        assert_eq!(on(&voices), []);
        // What is erased counts no more.
        voices.take("opinion", &opinion(3, 6, "disagree", &["i"], false), Some("East"));
        assert!(voices.any("i") && voices.forget("opinion--7").is_empty());
        assert_eq!(voices.forget("opinion--3"), ["i"]);
        assert!(!voices.any("i") && !voices.any("none"));
    }
}
