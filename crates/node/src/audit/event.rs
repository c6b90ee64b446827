//! What can be said in the audit log, and how it becomes an entry.

use super::Given;
use ledger::journal::{Entry, Matter, Person};
use ledger::{CollectionNo, Micros};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// Over which way something was done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The TAXII server.
    Taxii,
    /// The node's own API.
    Api,
    /// A command on the node's machine.
    Cli,
    /// A file that was written for somebody.
    Export,
    /// A link to a partner.
    Link,
    /// A package that is carried over an air gap.
    Package,
}

impl Way {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Taxii => "taxii",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Export => "export",
            Self::Link => "link",
            Self::Package => "package",
        }
    }
}

/// Who did something, and from where.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct By {
    /// Over which way.
    pub way: Way,
    /// Who; `None`: not signed in, or not known.
    pub who: Option<String>,
    /// For which organisation they acted.
    pub organisation: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
}

/// Records that were handed on to somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HandOver {
    /// To whom.
    pub by: By,
    /// Out of which collection.
    pub collection: CollectionNo,
    /// What was given of them: `objects`, `manifest`, `versions`, `bundle`.
    pub what: &'static str,
    /// In answer to which request; empty: to none.
    pub request: String,
    /// Exactly which records.
    pub given: Given,
}

/// Something that is written down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Somebody signed in.
    SignedIn {
        /// Who.
        by: By,
    },
    /// Somebody did not get in.
    SignInRefused {
        /// Which member they claimed to be, where there is such a member, and from where.
        by: By,
        /// How often within the minute.
        count: u64,
    },
    /// Records were handed on.
    HandedOver(HandOver),
    /// Somebody asked for something that exists and may not have it.
    Refused {
        /// Who.
        by: By,
        /// What it was.
        about: String,
        /// How they were answered (HTTP).
        status: u16,
        /// How often within the minute.
        count: u64,
    },
    /// Somebody changed the node.
    Administered {
        /// Who.
        by: By,
        /// What was done, such as `account-added`.
        act: &'static str,
        /// What it was done to, where that is no person.
        about: String,
        /// The person to whom it was done.
        whom: Option<String>,
        /// Whether it was done, or refused.
        done: bool,
        /// The rest, without names of persons.
        details: Map<String, Value>,
    },
    /// Somebody brought objects in.
    TakenIn {
        /// Who.
        by: By,
        /// Into which collection.
        collection: CollectionNo,
        /// In which request; empty: in none.
        request: String,
        /// How many were added or were there already.
        objects: u64,
        /// How many were refused.
        refused: u64,
    },
    /// Records were erased.
    Erased {
        /// By whom.
        by: By,
        /// Out of which collection.
        collection: CollectionNo,
        /// Which object.
        object: String,
        /// How many of its versions.
        versions: u64,
        /// Why, where somebody said.
        reason: String,
    },
    /// A file was written for a viewer.
    Exported {
        /// By whom.
        by: By,
        /// For whom: a member, or nobody in particular.
        viewer: Option<String>,
        /// For which organisation.
        organisation: Option<String>,
        /// How many objects.
        objects: u64,
    },
    /// What decides who sees what was changed.
    PolicyChanged {
        /// By whom.
        by: By,
        /// What was changed.
        about: String,
        /// How it was.
        from: Value,
        /// How it is.
        to: Value,
    },
    /// Something passed between this node and a partner, or was refused.
    Partner {
        /// Who did it: the node itself, a partner, or a person.
        by: By,
        /// The partner: the name of its organisation here.
        partner: String,
        /// What was done, such as `card-pinned`.
        act: &'static str,
        /// What it was done to: an object, a link, a package.
        about: String,
        /// Whether it was done, or refused.
        done: bool,
        /// Why it was refused; empty: there is nothing to say.
        reason: String,
    },
}

/// The kinds, as the log writes them.
pub const KINDS: [&str; 10] = [
    "signed-in",
    "sign-in-refused",
    "handed-over",
    "refused",
    "administered",
    "taken-in",
    "erased",
    "exported",
    "policy-changed",
    "partner",
];

impl Event {
    /// Its kind, as the log writes it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignedIn { .. } => "signed-in",
            Self::SignInRefused { .. } => "sign-in-refused",
            Self::HandedOver(_) => "handed-over",
            Self::Refused { .. } => "refused",
            Self::Administered { .. } => "administered",
            Self::TakenIn { .. } => "taken-in",
            Self::Erased { .. } => "erased",
            Self::Exported { .. } => "exported",
            Self::PolicyChanged { .. } => "policy-changed",
            Self::Partner { .. } => "partner",
        }
    }

    /// As an entry of the journal.
    #[must_use]
    pub fn entry(&self, time: Micros, salt: [u8; 16]) -> Entry {
        let (by, about, span, mut body) = match self {
            Self::SignedIn { by } => (by, String::new(), None, Map::new()),
            Self::SignInRefused { by, count } => (by, String::new(), None, map(json!({"count": count}))),
            Self::HandedOver(given) => return handed_over(given, time, salt),
            Self::Refused { by, about, status, count } => {
                (by, about.clone(), None, map(json!({"status": status, "count": count})))
            }
            Self::Administered { by, act, about, done, details, .. } => {
                let mut body = map(json!({"act": act, "done": done}));
                if !details.is_empty() {
                    body.insert("details".to_owned(), Value::Object(details.clone()));
                }
                (by, about.clone(), None, body)
            }
            Self::TakenIn { by, collection, request, objects, refused } => {
                let body = json!({"request": request, "objects": objects, "refused": refused});
                (by, collection.0.to_string(), None, map(body))
            }
            Self::Erased { by, collection, object, versions, reason } => {
                let body = json!({"object": object, "versions": versions, "reason": reason});
                (by, collection.0.to_string(), None, map(body))
            }
            Self::Exported { by, organisation, objects, .. } => {
                (by, String::new(), None, map(json!({"for": organisation, "objects": objects})))
            }
            Self::PolicyChanged { by, about, from, to } => {
                (by, about.clone(), None, map(json!({"from": from, "to": to})))
            }
            Self::Partner { by, partner, act, about, done, reason } => {
                let mut body = map(json!({"partner": partner, "act": act, "done": done}));
                if !reason.is_empty() {
                    body.insert("reason".to_owned(), reason.as_str().into());
                }
                (by, about.clone(), None, body)
            }
        };
        let whom = match self {
            Self::Administered { whom, .. } => whom.clone(),
            Self::Exported { viewer, .. } => viewer.clone(),
            _ => None,
        };
        body.insert("way".to_owned(), by.way.name().into());
        if let Some(organisation) = &by.organisation {
            body.insert("organisation".to_owned(), organisation.as_str().into());
        }
        Entry {
            time,
            kind: self.kind().into(),
            matter: Matter { about, span, body: Value::Object(body).to_string().into_bytes(), packed: Vec::new() },
            person: Person { whom: whom.unwrap_or_default(), ..person(by, salt) },
        }
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn person(by: &By, salt: [u8; 16]) -> Person {
    let details = by.address.map(|address| format!(r#"{{"address":"{}"}}"#, address.to_canonical()).into_bytes());
    Person { salt, who: by.who.clone().unwrap_or_default(), whom: String::new(), details: details.unwrap_or_default() }
}

/// What a hand-over says, in the order in which it is written, beside the numbers.
#[derive(serde::Deserialize, serde::Serialize)]
pub(super) struct GivenBody<'a> {
    pub(super) way: &'a str,
    pub(super) what: &'a str,
    pub(super) count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organisation: Option<std::borrow::Cow<'a, str>>,
    pub(super) request: std::borrow::Cow<'a, str>,
}

/// The one that is written for every page: straight, without a tree of values.
fn handed_over(hand_over: &HandOver, time: Micros, salt: [u8; 16]) -> Entry {
    let HandOver { by, collection, what, request, given } = hand_over;
    let body = GivenBody {
        way: by.way.name(),
        what,
        count: given.count(),
        organisation: by.organisation.as_deref().map(Into::into),
        request: request.into(),
    };
    Entry {
        time,
        kind: "handed-over".into(),
        matter: Matter {
            about: collection.0.to_string(),
            span: given.span(),
            body: serde_json::to_vec(&body).unwrap_or_default(),
            packed: given.packed().to_vec(),
        },
        person: person(by, salt),
    }
}
