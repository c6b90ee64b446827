//! `labels` of STIX 2.0, which also said of what type a thing is. STIX 2.1 §3.2, §4.

use super::{Fate, Sink};
use crate::{
    json::{Key, Kind, Value},
    rewrite::{self, Rewriter},
};

/// What becomes of the labels of one object.
pub(super) struct Labels<'t> {
    /// The property that takes the types: `malware_types`.
    target: &'static str,
    /// Each label, where it goes, and how many went there before it.
    placed: Vec<(Value<'t>, Place, usize)>,
    counts: [usize; 3],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It says of what type the thing is.
    Types,
    /// It is a label like any other.
    Labels,
    /// It repeats the object's type, because STIX 2.0 demanded some label.
    Nowhere,
}

impl Place {
    fn count(self, [types, labels, nowhere]: &mut [usize; 3]) -> &mut usize {
        match self {
            Self::Types => types,
            Self::Labels => labels,
            Self::Nowhere => nowhere,
        }
    }
}

impl<'t> Labels<'t> {
    /// The labels of an object whose type has a property for them; `None` for other types and malformed lists.
    pub(super) fn of(object_type: &str, labels: &Value<'t>) -> Option<Self> {
        let target = match object_type {
            "indicator" => "indicator_types",
            "malware" => "malware_types",
            "report" => "report_types",
            "threat-actor" => "threat_actor_types",
            "tool" => "tool_types",
            _ => return None,
        };
        if labels.is_empty() || labels.items().any(|label| label.kind() != Kind::String) {
            return None;
        }
        let place = |label: &Value<'t>| match label.as_str().unwrap_or_default() {
            text if text == object_type => Place::Nowhere,
            text if is_term(&text) => Place::Types,
            _ => Place::Labels,
        };
        let mut counts = [0; 3];
        let placed = labels.items().map(|label| {
            let place = place(&label);
            let count = place.count(&mut counts);
            *count += 1;
            (label, place, *count - 1)
        });
        Some(Self { target, placed: placed.collect(), counts })
    }

    fn count(&self, place: Place) -> usize {
        *place.count(&mut self.counts.clone())
    }

    /// Writes the one or two lists in the place of `labels`.
    pub(super) fn write(&self, rewriter: &mut Rewriter<'_, '_>, key: &Key<'_>, value: &Value<'_>) {
        let (types, rest) = (self.count(Place::Types), self.count(Place::Labels));
        if types == self.placed.len() {
            rewriter.rename(key, value, self.target);
        } else if rest == self.placed.len() {
            rewriter.keep(key, value);
        } else {
            rewriter.drop(value);
            if types > 0 {
                rewriter.add(self.target, |out| self.list(Place::Types, out));
            }
            if rest > 0 {
                rewriter.add("labels", |out| self.list(Place::Labels, out));
            }
        }
    }

    fn list(&self, place: Place, out: &mut Vec<u8>) {
        rewrite::write_all(out, self.placed.iter().filter(|(_, other, _)| *other == place), |out, (label, ..)| {
            out.extend_from_slice(label.text());
        });
    }

    /// Where a selector into `labels` points now: to one property, to both or nowhere.
    pub(super) fn repoint(&self, selector: &str) -> Option<Vec<String>> {
        let index = selector.strip_prefix("labels")?;
        if index.is_empty() {
            let targets = [(Place::Types, self.target), (Place::Labels, "labels")];
            return Some(
                targets.into_iter().filter(|(place, _)| self.count(*place) > 0).map(|(_, name)| name.into()).collect(),
            );
        }
        let index: usize = index.strip_prefix(".[")?.strip_suffix(']')?.parse().ok()?;
        let (_, place, at) = self.placed.get(index)?;
        Some(match place {
            Place::Types => vec![format!("{}.[{at}]", self.target)],
            Place::Labels => vec![format!("labels.[{at}]")],
            Place::Nowhere => Vec::new(),
        })
    }

    pub(super) fn note(&self, id: &str, sink: &mut Sink) {
        if self.count(Place::Nowhere) > 0 {
            sink.note(
                id,
                "labels",
                Fate::Dropped,
                "the label that repeats the object's type: STIX 2.1 demands no label",
            );
        }
        let rest = self.count(Place::Labels);
        if rest > 0 {
            let detail =
                format!("{rest} that cannot be terms of a vocabulary stay labels, the others are `{}`", self.target);
            sink.note(id, "labels", Fate::Kept, detail);
        }
    }
}

/// Whether a label has the form of a vocabulary's term: lower case with hyphens (§2.12).
fn is_term(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
