//! A node that does not hand on what it got: on the wire to and from it, objects of others are altered, loosed from their
//! markings or their seals. What it does to an object depends on the object alone, not on when it comes by.

use crate::dice::fixed;
use crate::record::Made;
use crate::world::identity;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// What is done to an object on its way.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Spoil {
    /// Its words are others.
    Words,
    /// Its markings are looser.
    Marking,
    /// Its seal is gone.
    Seal,
}

impl Spoil {
    /// Whether whoever knows the author's key does not take it.
    #[must_use]
    pub(crate) fn is_refused(self) -> bool {
        matches!(self, Self::Words | Self::Marking | Self::Seal)
    }
}

/// The relay that lies.
pub(crate) struct Relay {
    pub(crate) node: usize,
    pub(crate) seed: u64,
    pub(crate) spoilt: Mutex<BTreeMap<Spoil, u64>>,
}

impl Relay {
    pub(crate) fn new(node: usize, seed: u64) -> Self {
        Self { node, seed, spoilt: Mutex::default() }
    }

    /// What it does to a version of an object that it hands to a node.
    pub(crate) fn spoils(&self, to: usize, made: &Made) -> Option<Spoil> {
        if made.author == self.node || !made.is_signed() { None } else { self.does(to, &made.id, &made.version) }
    }

    fn does(&self, to: usize, id: &str, version: &str) -> Option<Spoil> {
        match fixed(&[&to.to_string(), id, version], self.seed) % 6 {
            0 => Some(Spoil::Words),
            1 => Some(Spoil::Marking),
            2 => Some(Spoil::Seal),
            _ => None,
        }
    }

    pub(crate) fn alters_answer(&self, to: usize, answer: Response<Bytes>) -> Response<Bytes> {
        let (parts, body) = answer.into_parts();
        let body = if parts.status.is_success() { self.alters(to, body, true) } else { body };
        Response::from_parts(parts, body)
    }

    pub(crate) fn alters_request(&self, to: usize, request: Request<Bytes>) -> Request<Bytes> {
        let (parts, body) = request.into_parts();
        Request::from_parts(parts, self.alters(to, body, false))
    }

    /// `fewer`: seals may be left out; else, where whoever sends counts what it sent, they are broken.
    fn alters(&self, to: usize, body: Bytes, fewer: bool) -> Bytes {
        let Ok(mut envelope) = serde_json::from_slice::<Value>(&body) else { return body };
        let Some(objects) = envelope.get_mut("objects").and_then(Value::as_array_mut) else { return body };
        let (mut altered, mut unsealed) = (false, Vec::new());
        for object in objects.iter_mut() {
            let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
            let (id, version, author) = (text("id"), text("modified"), text("created_by_ref"));
            if version.is_empty() || author.is_empty() || author == identity(self.node) {
                continue;
            }
            let Some(spoil) = self.does(to, &id, &version) else { continue };
            *self.spoilt.lock().unwrap().entry(spoil).or_default() += 1;
            altered = true;
            match spoil {
                Spoil::Words => object["name"] = "harmless".into(),
                Spoil::Marking if object.get("object_marking_refs").is_some() => {
                    object.as_object_mut().unwrap().remove("object_marking_refs");
                }
                Spoil::Marking => object["object_marking_refs"] = json!([stix::marking::Tlp::Clear.id()]),
                Spoil::Seal => unsealed.push((id, version)),
            }
        }
        if !altered {
            return body;
        }
        let is_unsealed = |object: &Value| {
            let of = |(id, version): &(String, String)| object["object_ref"] == **id && object["modified"] == **version;
            object["type"] == "marsad-seal" && unsealed.iter().any(of)
        };
        if fewer {
            objects.retain(|object| !is_unsealed(object));
        }
        for seal in objects.iter_mut().filter(|object| is_unsealed(object)) {
            seal["signature"] = "A".repeat(86).into();
        }
        Bytes::from(envelope.to_string())
    }
}
