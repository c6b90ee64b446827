//! Requests: every endpoint of the router, by every method, with every query, in the words of a case that know nothing of
//! a particular book, so that the same request goes to two nodes.

use crate::bench::{self, Bench, Node};
use crate::cast::{COLLECTIONS, GROUPS, Guise};
use crate::record::{self, KINDS, Record};
use axum::body::Body;
use http::{Method, Request};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// One request, or a walk through pages.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// Which endpoint: a place in [`ROUTES`].
    pub(crate) route: usize,
    pub(crate) method: usize,
    /// A collection; one beyond the last is none that exists.
    pub(crate) collection: usize,
    pub(crate) by_alias: bool,
    /// Kind and slot; a slot beyond those in use is an object that nobody has.
    pub(crate) object: (u8, u8),
    pub(crate) query: Query,
    pub(crate) pages: Pages,
    pub(crate) accept: u8,
    /// What a POST brings: objects that are new.
    pub(crate) brings: Vec<Record>,
}

/// How reading goes on behind the first page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pages {
    One,
    Next,
    AddedAfter,
}

/// The query, each part of which may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    limit: Option<u8>,
    /// A record of the case and microseconds to the side.
    after: Option<(usize, i64)>,
    ids: Option<Vec<(u8, u8)>>,
    types: Option<Vec<u8>>,
    versions: Option<Vec<u8>>,
    specs: Option<u8>,
    /// A cursor that was given for something else, or by nobody.
    cursor: Option<bool>,
    odd: Option<u8>,
}

const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS, Method::PUT];

type Address = fn(&Ask, &Memory) -> String;

/// Every endpoint with how it is addressed. A test holds this list against the router's own.
pub(crate) const ROUTES: &[(&str, Address)] = &[
    ("/{root}/collections/{id}/objects/", |ask, _| format!("{}objects/", below(ask))),
    ("/{root}/collections/{id}/manifest/", |ask, _| format!("{}manifest/", below(ask))),
    ("/{root}/collections/{id}/objects/{object}/", |ask, _| format!("{}objects/{}/", below(ask), ask.object())),
    ("/{root}/collections/{id}/objects/{object}/versions/", |ask, _| {
        format!("{}objects/{}/versions/", below(ask), ask.object())
    }),
    ("/api/why", |ask, _| format!("/api/why?object={}{}", ask.object(), ask.viewer())),
    ("/api/who", |ask, _| format!("/api/who?object={}", ask.object())),
    ("/{root}/collections/{id}/", |ask, _| below(ask)),
    ("/{root}/collections/", |_, _| "/exchange/collections/".to_owned()),
    ("/{root}/status/{id}/", |_, memory| format!("/exchange/status/{}/", memory.status)),
    ("/{root}/", |_, _| "/exchange/".to_owned()),
    ("/taxii2/", |_, _| "/taxii2/".to_owned()),
    ("/health", |_, _| "/health".to_owned()),
    ("/ready", |_, _| "/ready".to_owned()),
    ("/metrics", |_, _| "/metrics".to_owned()),
    ("/api/first-sign-in", |_, _| "/api/first-sign-in".to_owned()),
    ("/api/session", |_, _| "/api/session".to_owned()),
    ("/api/accounts", |_, _| "/api/accounts".to_owned()),
    ("/api/accounts/{name}", |ask, _| format!("/api/accounts/{}", ask.member())),
    ("/api/accounts/{name}/keys", |ask, _| format!("/api/accounts/{}/keys", ask.member())),
    ("/api/accounts/{name}/keys/{key}", |ask, _| format!("/api/accounts/{}/keys/one", ask.member())),
    ("/api/accounts/{name}/sessions", |ask, _| format!("/api/accounts/{}/sessions", ask.member())),
    ("/api/accounts/{name}/sessions/{session}", |ask, _| format!("/api/accounts/{}/sessions/one", ask.member())),
    ("/api/accounts/{name}/totp", |ask, _| format!("/api/accounts/{}/totp", ask.member())),
    ("/api/accounts/{name}/recovery", |ask, _| format!("/api/accounts/{}/recovery", ask.member())),
    ("/api/oidc/start", |_, _| "/api/oidc/start".to_owned()),
    ("/api/oidc/callback", |_, _| "/api/oidc/callback".to_owned()),
    ("/api/oidc/link", |_, _| "/api/oidc/link".to_owned()),
    ("/api/groups", |_, _| "/api/groups".to_owned()),
    ("/api/groups/{id}", |ask, _| format!("/api/groups/{}", GROUPS[usize::from(ask.object.1) % GROUPS.len()])),
    ("/api/organisations", |_, _| "/api/organisations".to_owned()),
    ("/api/organisations/{name}", |_, _| "/api/organisations/North".to_owned()),
    ("/api/markings", |_, _| "/api/markings".to_owned()),
    ("/api/markings/{id}", |ask, _| format!("/api/markings/{}", ask.object())),
    ("/api/objects/{id}/restrict", |ask, _| format!("/api/objects/{}/restrict", ask.object())),
    ("/api/objects/{id}/recall", |ask, _| format!("/api/objects/{}/recall", ask.object())),
    ("/api/meetings", |_, _| "/api/meetings".to_owned()),
    ("/api/links/cards", |_, _| "/api/links/cards".to_owned()),
    ("/api/meetings/{id}/elements/{page}", |_, _| "/api/meetings/one/elements/0".to_owned()),
    ("/api/meetings/{id}/tags/{page}", |_, _| "/api/meetings/one/tags/0".to_owned()),
    ("/api/meetings/{id}/echoes", |_, _| "/api/meetings/one/echoes".to_owned()),
    ("/api/links/notices", |ask, _| {
        format!(
            "/api/links/notices?once=true&added_after={}",
            stix::timestamp::format_micros(bench::added_at(usize::from(ask.object.1)))
        )
    }),
    ("/api/alerts", |_, _| "/api/alerts".to_owned()),
    ("/api/alerts/{id}", |_, _| "/api/alerts/5e57c739-391a-4eb3-b6be-7d15ca92d5ed".to_owned()),
    ("/api/alerts/stream", |_, _| "/api/alerts/stream?once=true".to_owned()),
    ("unknown", |ask, _| format!("/exchange/{}/", ask.object())),
];

/// How often each of them is asked: what shows records is asked most.
fn route() -> impl Strategy<Value = usize> {
    prop_oneof![12 => 0_usize..1, 6 => 1_usize..2, 5 => 2_usize..3, 4 => 3_usize..4, 4 => 4_usize..6, 6 => 6_usize..10, 10 => 6..ROUTES.len()]
}

/// What was learned from earlier answers.
pub(crate) struct Memory {
    status: String,
    cursor: String,
}

impl Default for Memory {
    fn default() -> Self {
        Self { status: "00000000-0000-4000-8000-000000000000".into(), cursor: "AQAAAAAAAAAAAA".into() }
    }
}

/// A request in words, and the whole answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Exchange {
    pub(crate) asked: String,
    pub(crate) pattern: &'static str,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

fn below(ask: &Ask) -> String {
    if ask.collection == COLLECTIONS && !ask.by_alias {
        // The mailbox: a collection for partners, and for everybody else one that does not exist.
        return format!("/exchange/collections/{}/", node::partners::mailbox::ID);
    }
    let aliases = ["open", "members", "named", "box", "wall", "nowhere"];
    let name = if ask.by_alias {
        aliases[ask.collection].to_owned()
    } else {
        format!("c011ec70-0000-4000-8000-00000000000{}", ask.collection)
    };
    format!("/exchange/collections/{name}/")
}

pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    let method = prop_oneof![20 => 0_usize..1, 2 => 1_usize..2, 3 => 2_usize..3, 1 => 3_usize..4, 1 => 4_usize..6];
    let object = (0_u8..11, prop_oneof![6 => 0..record::SLOTS, 1 => 7_u8..8]);
    let collection = prop_oneof![12 => prop::sample::select(&[0_usize, 0, 1, 1, 2, 3, 4][..]), 1 => Just(COLLECTIONS)];
    let pages = prop_oneof![2 => Just(Pages::One), 2 => Just(Pages::Next), 1 => Just(Pages::AddedAfter)];
    let brings = prop::collection::vec(record::record(), 1..3);
    (route(), method, collection, any::<bool>(), object, query(), pages, 0_u8..24, brings).prop_map(
        |(route, method, collection, by_alias, object, query, pages, accept, brings)| Ask {
            route,
            method,
            collection,
            by_alias,
            object,
            query,
            pages,
            accept,
            brings,
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    use prop::option::weighted;
    let object = || (0_u8..11, 0..record::SLOTS);
    (
        weighted(0.6, 1_u8..6),
        weighted(0.35, (0_usize..15, -1_i64..2)),
        weighted(0.2, prop::collection::vec(object(), 1..4)),
        weighted(0.2, prop::collection::vec(0_u8..12, 1..3)),
        weighted(0.5, prop::collection::vec(0_u8..8, 1..3)),
        weighted(0.2, 0_u8..4),
        weighted(0.05, any::<bool>()),
        weighted(0.03, 0_u8..4),
    )
        .prop_map(|(limit, after, ids, types, versions, specs, cursor, odd)| Query {
            limit,
            after,
            ids,
            types,
            versions,
            specs,
            cursor,
            odd,
        })
}

/// The plainest page of a collection, read to its end.
pub(crate) fn walk(collection: usize) -> Ask {
    let query = Query { limit: Some(2), versions: Some(vec![0]), ..Query::default() };
    let brings = Vec::new();
    Ask {
        route: 0,
        method: 0,
        collection,
        by_alias: false,
        object: (0, 0),
        query,
        pages: Pages::Next,
        accept: 0,
        brings,
    }
}

/// When each record was added that the node lists to somebody, in whichever collection and version.
pub(crate) fn listed(bench: &Bench, node: &mut Node, guise: &Guise) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    for collection in 0..COLLECTIONS {
        let query = Query { limit: None, versions: Some(vec![0]), specs: Some(2), ..Query::default() };
        let manifest = ROUTES.iter().position(|(pattern, _)| pattern.ends_with("/manifest/")).unwrap();
        let ask = Ask { route: manifest, query, ..walk(collection) };
        for exchange in ask.put(bench, node, guise, 0, &mut Memory::default()) {
            let body = exchange.answer.split_once("\n\n").map_or("", |(_, body)| body);
            let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            let rows = body["objects"].as_array().into_iter().flatten();
            found.extend(
                rows.map(|row| stix::timestamp::Timestamp::parse(row["date_added"].as_str().unwrap()).unwrap().micros),
            );
        }
    }
    found
}

impl Query {
    fn text(&self, memory: &Memory) -> String {
        let mut parts = Vec::new();
        if let Some(limit) = self.limit {
            parts.push(format!("limit={limit}"));
        }
        if let Some((no, aside)) = self.after {
            parts.push(format!("added_after={}", stix::timestamp::format_micros(bench::added_at(no) + aside)));
        }
        if let Some(ids) = &self.ids {
            let ids: Vec<_> = ids.iter().map(|(kind, slot)| record::id(KINDS[usize::from(*kind)], *slot)).collect();
            parts.push(format!("match[id]={}", ids.join(",")));
        }
        if let Some(types) = &self.types {
            let types: Vec<_> = types.iter().map(|kind| KINDS[usize::from(*kind)].name()).collect();
            parts.push(format!("match[type]={}", types.join(",")));
        }
        if let Some(versions) = &self.versions {
            let words = ["all", "first", "last", "", "", "", "", ""];
            let words = versions.iter().map(|no| match *no {
                0..3 => words[usize::from(*no)].to_owned(),
                3..6 => format!("2025-01-0{}T00:00:00.000Z", no - 2),
                _ => stix::timestamp::format_micros(bench::added_at(usize::from(no - 6) * 3)),
            });
            let words: Vec<String> = words.collect();
            parts.push(format!("match[version]={}", words.join(",")));
        }
        if let Some(specs) = self.specs {
            parts.push(format!("match[spec_version]={}", ["2.0", "2.1", "2.0,2.1", "3.0"][usize::from(specs)]));
        }
        if let Some(seen) = self.cursor {
            parts.push(format!("next={}", if seen { memory.cursor.as_str() } else { "bm9ib2R5" }));
        }
        if let Some(odd) = self.odd {
            parts.push(["limit=0", "added_after=yesterday", "match[version]=", "unknown=1"][usize::from(odd)].into());
        }
        parts.join("&")
    }
}

impl Ask {
    /// The same about the object of a record, in its collection.
    pub(crate) fn about(self, record: &Record) -> Self {
        let kind = KINDS.iter().position(|kind| *kind == record.kind).unwrap();
        let object = (u8::try_from(kind).unwrap(), record.slot);
        Self { collection: usize::from(record.collection), object, ..self }
    }

    fn object(&self) -> String {
        record::id(KINDS[usize::from(self.object.0)], self.object.1)
    }

    /// A member, or nobody.
    fn member(&self) -> &'static str {
        ["amal", "noor", "nobody"][usize::from(self.object.1).min(2)]
    }

    /// About whom `why` is asked: oneself, or somebody else.
    fn viewer(&self) -> &'static str {
        ["", "&viewer=amal", "&viewer=noor", "&viewer=anyone"][usize::from(self.object.0) % 4]
    }

    /// Members and sessions are no records: of them it is only asked what is read, since what they are given is random.
    fn method(&self) -> Method {
        let members = self.pattern().starts_with("/api/") && self.pattern() != "/api/first-sign-in";
        match &METHODS[self.method] {
            &Method::POST | &Method::DELETE if members => Method::GET,
            method => method.clone(),
        }
    }

    fn pattern(&self) -> &'static str {
        ROUTES[self.route].0
    }

    /// Asks a node and writes down what it says. `no` is the request's place in the case: what it brings is named after
    /// it, so that it is new.
    pub(crate) fn put(
        &self,
        bench: &Bench,
        node: &mut Node,
        guise: &Guise,
        no: usize,
        memory: &mut Memory,
    ) -> Vec<Exchange> {
        let body = match (self.pattern(), &self.method()) {
            ("/{root}/collections/{id}/objects/", &Method::POST) => {
                let objects = self.brings.iter().zip(0_u8..).map(|(record, at)| {
                    let slot = 100 + u8::try_from(no).unwrap() * 4 + at;
                    Record { slot, ..record.clone() }.body()
                });
                json!({"objects": objects.collect::<Vec<_>>()}).to_string()
            }
            ("/api/first-sign-in", &Method::POST) => {
                json!({"name": "noor", "token": "marsad_once_wrong", "password": "a long enough one"}).to_string()
            }
            _ => String::new(),
        };
        self.walk(bench, node, guise, memory, body)
    }

    /// Brings objects that the node may hold already, then asks what became of them.
    pub(crate) fn clash(
        bench: &Bench,
        node: &mut Node,
        guise: &Guise,
        collection: usize,
        objects: &[Record],
    ) -> Vec<Exchange> {
        let mut memory = Memory::default();
        let objects: Vec<_> = objects.iter().map(Record::body).collect();
        let post = Self { method: 2, query: Query::default(), ..walk(collection) };
        let mut out = post.walk(bench, node, guise, &mut memory, json!({"objects": objects}).to_string());
        let status = ROUTES.iter().position(|(pattern, _)| *pattern == "/{root}/status/{id}/").unwrap();
        let status = Self { route: status, method: 0, ..post };
        out.extend(status.walk(bench, node, guise, &mut memory, String::new()));
        out
    }

    fn walk(&self, bench: &Bench, node: &mut Node, guise: &Guise, memory: &mut Memory, body: String) -> Vec<Exchange> {
        let mut out = Vec::new();
        let mut query = self.query.text(memory);
        for _ in 0..30 {
            let path = ROUTES[self.route].1(self, memory);
            let method = self.method();
            let address = if query.is_empty() || path.contains('?') { path } else { format!("{path}?{query}") };
            let asked = format!("{method} {address}");
            let mut request = Request::builder().method(method).uri(address.replace('[', "%5B").replace(']', "%5D"));
            request = request.header("host", "node.example").header("content-type", taxii::media::TAXII);
            if self.accept % 3 == 1 {
                // Heeded of partners alone.
                request = request.header(node::partners::mailbox::LINK, "1");
            }
            if self.accept == 23 {
                request = request.header("accept", "text/html");
            }
            if let Some(authorization) = guise.authorization() {
                request = request.header("authorization", authorization);
            }
            let answer = bench.ask(node, request.body(Body::from(body.clone())).unwrap());
            let mut text = format!("{}\n", answer.status());
            for (name, value) in answer.headers() {
                text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(answer.body()));
            let status = answer.status().as_u16();
            out.push(Exchange { asked, pattern: self.pattern(), status, answer: text });
            let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            if status == 202 {
                memory.status = body["id"].as_str().unwrap().to_owned();
            }
            let Some(next) = body["next"].as_str() else { break };
            memory.cursor = next.to_owned();
            let last = answer.headers().get("x-taxii-date-added-last").and_then(|value| value.to_str().ok());
            let without = |name: &str| -> Vec<String> {
                query.split('&').filter(|part| !part.starts_with(name) && !part.is_empty()).map(str::to_owned).collect()
            };
            query = match (self.pages, last) {
                (Pages::Next, _) => [without("next="), vec![format!("next={next}")]].concat().join("&"),
                (Pages::AddedAfter, Some(last)) => {
                    [without("added_after="), vec![format!("added_after={last}")]].concat().join("&")
                }
                _ => break,
            };
        }
        out
    }
}
