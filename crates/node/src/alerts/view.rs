//! What a viewer may see of an alert: nothing without its indicator, and personal data as the rules about it say.

use super::out::Indicator;
use crate::door::{Door, Selected};
use crate::eyes::Eyes;
use ledger::{CollectionNo, Ledger, Micros, Page, Sees as _, Seq, Sight};
use policy::{Facts as _, Viewer};
use serde_json::json;
use stix::marking::tlp_of;
use stix::personal;
use stix::redact::{Fate, Redacted, Rules, redact};

/// Somebody who looks at alerts.
pub struct Looker<'l> {
    /// The book.
    pub book: &'l dyn Ledger,
    /// The door.
    pub door: &'l Door,
    /// Who.
    pub viewer: &'l Viewer,
    /// Whether they may read a collection.
    pub reads: &'l dyn Fn(CollectionNo) -> bool,
    /// When.
    pub at: Micros,
}

impl Looker<'_> {
    /// What they see of an indicator; `None`: nothing, or there is none.
    ///
    /// # Errors
    /// Those of the book.
    pub fn indicator(&self, id: &str) -> ledger::Result<Option<Indicator>> {
        let gate = self.door.gate(self.viewer.clone(), self.at);
        let eyes = Eyes::new(&gate, self.door.references(), self.reads);
        let mut newest: Option<(Seq, ledger::ClassNo, Vec<u8>)> = None;
        self.book.look(&mut |book| {
            // A failure is noted by the book and fails the whole look.
            let _ = book.versions(id, &mut |met| {
                if !(self.reads)(met.collection) || newest.as_ref().is_some_and(|(seq, ..)| *seq > met.seq) {
                    return true;
                }
                let mut body = Vec::new();
                let there = match eyes.class(met.class) {
                    Sight::Nothing => false,
                    Sight::Whole => {
                        body.extend_from_slice(met.body);
                        true
                    }
                    Sight::Part | Sight::Ask => eyes.record(met, book, Some(&mut body)),
                };
                if there {
                    newest = Some((met.seq, met.class, body));
                }
                true
            });
        })?;
        let Some((seq, class, body)) = newest else { return Ok(None) };
        let page = Page { count: 1, first: Some(seq), last: Some(seq), classes: vec![class], ..Page::default() };
        // What the gate does not let go is not there.
        let released = gate.admit(Selected { page, content: body }).ok();
        Ok(released.map(|released| said(&released.as_inner().content)))
    }

    /// A text of ours as they may have it: data about persons masked; `None`: it is withheld.
    #[must_use]
    pub fn text(&self, text: &str) -> Option<String> {
        let note = json!({
            "type": "note", "spec_version": "2.1", "id": "note--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
            "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "content": text,
            "object_refs": ["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"],
        });
        let (note, mut out) = (note.to_string(), Vec::new());
        match redact(note.as_bytes(), self, &mut out) {
            Redacted::Whole => Some(text.to_owned()),
            Redacted::Withheld => None,
            Redacted::Part => {
                let masked: serde_json::Value = serde_json::from_slice(&out).ok()?;
                masked.get("content")?.as_str().map(str::to_owned)
            }
        }
    }
}

impl Rules for Looker<'_> {
    fn marking_withheld(&self, _: &str) -> bool {
        false
    }

    fn reference(&self, _: &str) -> Fate {
        Fate::Stays
    }

    fn personal(&self, kind: personal::Kind) -> personal::Treatment {
        self.door.treatment(self.viewer, kind.as_str())
    }
}

fn said(body: &[u8]) -> Indicator {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Said {
        name: Option<String>,
        object_marking_refs: Vec<String>,
    }
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let strictest = said.object_marking_refs.iter().filter_map(|id| tlp_of(id)).max();
    Indicator { name: said.name, tlp: strictest.map(|tlp| tlp.label().to_owned()) }
}
