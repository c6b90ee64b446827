//! Reading a collection to its end, page by page (TAXII 2.1 §3.5, §5.4).
//!
//! Both of the standard's ways are gone: by `next` where the server gives one, else by `added_after` with the date of the
//! last object. Servers that read `added_after` as "at or after" are tolerated: what the page before had is dropped.
//! A server that leads in circles is left, with the position that was reached.

use super::{Address, Cause, Client, Error, Transport, expect, fingerprint, text};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use stix::timestamp::Timestamp;

/// Pages in a row without a new object that are believed to lead somewhere.
const MAX_EMPTY: u32 = 16;
/// Bytes of a `next` that is repeated to the server.
const MAX_NEXT: usize = 4_096;
/// A date of addition further in the future than this is not believed: everything that is really added until then
/// would be passed over.
const MAX_AHEAD: i64 = 86_400_000_000;

/// Which objects are wanted; asked of the server in every request (§3.4.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// `match[type]`; empty: all.
    pub types: Vec<String>,
    /// `match[version]`; `None`: the server's default, the newest of each object.
    pub versions: Option<String>,
    /// `match[spec_version]`; empty: the server's default.
    pub spec_versions: Vec<String>,
}

/// Where a reading stands: to be kept once the page that came with it is kept, and given to the next reading.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// What `added_after` asks for, in the server's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_after: Option<String>,
    /// The server's cursor in an unfinished reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The latest date of addition that was read: where it goes on when the server has forgotten its cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The objects as the server wrote them, in its order, without those that were read already.
    pub objects: Vec<Bytes>,
    /// How many were read already.
    pub repeated: usize,
    /// Where the reading stands when these objects are kept.
    pub position: Position,
    /// What is odd about the server, for its operator.
    pub warning: Option<&'static str>,
}

/// A reading of one collection.
pub struct Pull<'c, T> {
    client: &'c Client<T>,
    objects: Address,
    selection: Vec<(&'static str, String)>,
    position: Position,
    /// The position is one of an earlier reading, and its cursor has not been used yet.
    resumed: bool,
    done: bool,
    limit: u64,
    pages: u64,
    empty: u32,
    /// Every cursor, and every page that came by one.
    met: HashSet<[u8; 16]>,
    /// The objects of the last date of addition, as far as we can tell: those of the page before.
    seen: HashSet<[u8; 16]>,
}

impl<T: Transport> Client<T> {
    /// Reads the collection whose objects are at this address, from a position on; the default position is the
    /// beginning.
    #[must_use]
    pub fn pull(&self, objects: &Address, selection: &Selection, from: Position) -> Pull<'_, T> {
        let mut asked = Vec::new();
        if !selection.types.is_empty() {
            asked.push(("match[type]", selection.types.join(",")));
        }
        if let Some(versions) = &selection.versions {
            asked.push(("match[version]", versions.clone()));
        }
        if !selection.spec_versions.is_empty() {
            asked.push(("match[spec_version]", selection.spec_versions.join(",")));
        }
        Pull {
            client: self,
            objects: objects.clone(),
            selection: asked,
            resumed: from.next.is_some(),
            position: from,
            done: false,
            limit: self.limits.page_size.max(1),
            pages: 0,
            empty: 0,
            met: HashSet::new(),
            seen: HashSet::new(),
        }
    }
}

/// An envelope (§3.7) whose objects are not looked into.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    more: bool,
    #[serde(borrow, default)]
    next: Option<&'a RawValue>,
    #[serde(borrow, default)]
    objects: Vec<&'a RawValue>,
}

impl Envelope<'_> {
    /// The cursor; some servers write it as a number.
    fn next(&self) -> Option<String> {
        let raw = self.next?.get();
        let text = if raw.starts_with('"') { serde_json::from_str(raw).ok()? } else { raw.to_owned() };
        (!text.is_empty() && text != "null").then_some(text)
    }
}

impl<T: Transport> Pull<'_, T> {
    /// The next page; it may be empty. `None`: everything has been read.
    ///
    /// # Errors
    /// [`Error`]. What came before stands: a new reading from its position goes on behind it.
    pub async fn next_page(&mut self) -> Result<Option<Page>, Error> {
        if self.done {
            return Ok(None);
        }
        self.pages += 1;
        if self.pages > self.client.limits.max_pages {
            return Err(self.protocol("it gives more pages than are read at once"));
        }
        let answer = self.ask().await?;
        let envelope: Envelope<'_> = super::read(&self.objects, answer.body())?;
        let keys: Vec<[u8; 16]> = envelope.objects.iter().map(|object| key(object.get())).collect();
        let (mut objects, mut fresh) = (Vec::with_capacity(keys.len()), HashSet::new());
        for (object, key) in envelope.objects.iter().zip(&keys) {
            if !self.seen.contains(key) && fresh.insert(*key) {
                objects.push(answer.body().slice_ref(object.get().as_bytes()));
            }
        }
        self.empty = if objects.is_empty() { self.empty + 1 } else { 0 };
        let warning = self.advance(&envelope, &keys, !objects.is_empty(), &answer)?;
        let repeated = keys.len() - objects.len();
        Ok(Some(Page { objects, repeated, position: self.position.clone(), warning }))
    }

    /// Asks for so many objects a page from now on, at least one. A server that pages by date may need a larger page to get on,
    /// and is then asked for one.
    pub fn at_most(&mut self, objects: u64) {
        self.limit = objects.clamp(1, self.client.limits.max_page_size.max(1));
    }

    /// Whether the last page was the last.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    async fn ask(&mut self) -> Result<Response<Bytes>, Error> {
        loop {
            let limit = self.limit.to_string();
            let mut parameters: Vec<(&str, &str)> = vec![("limit", &limit)];
            parameters.extend(self.selection.iter().map(|(name, value)| (*name, value.as_str())));
            parameters.extend(self.position.added_after.as_deref().map(|after| ("added_after", after)));
            parameters.extend(self.position.next.as_deref().map(|next| ("next", next)));
            let outcome = self.client.get(&self.objects.asking(&parameters)).await;
            let too_much = match &outcome {
                Ok(answer) => answer.status() == StatusCode::PAYLOAD_TOO_LARGE,
                Err(Error::Unreached { source, .. }) => matches!(source.cause, Cause::TooLarge | Cause::Slow),
                Err(_) => false,
            };
            if too_much && self.limit > 1 {
                self.limit = (self.limit / 4).max(1);
                continue;
            }
            let answer = outcome?;
            if self.resumed && answer.status().is_client_error() && is_forgotten(answer.status()) {
                // The server does not know its cursor any more: on from the last date.
                self.position.added_after = self.position.last.take().or(self.position.added_after.take());
                self.position.next = None;
                self.resumed = false;
                continue;
            }
            expect(&self.objects, &answer, StatusCode::OK)?;
            self.resumed = false;
            return Ok(answer);
        }
    }

    /// Moves the position behind the page.
    fn advance(
        &mut self,
        envelope: &Envelope<'_>,
        keys: &[[u8; 16]],
        fresh: bool,
        answer: &Response<Bytes>,
    ) -> Result<Option<&'static str>, Error> {
        let (last, mut warning) = self.last_added(answer);
        let next = envelope.next().filter(|_| envelope.more);
        if envelope.more && self.empty > MAX_EMPTY {
            return Err(self.protocol("page after page it has nothing new, and says that there is more"));
        }
        if let Some(next) = next {
            self.by_cursor(next, keys, last)?;
        } else if !envelope.more {
            self.finish(last);
        } else if keys.is_empty() {
            warning = Some("the server says that there is more, gives nothing, and does not say where to go on");
            self.finish(last);
        } else {
            self.by_date(last, keys, fresh)?;
        }
        Ok(warning)
    }

    fn by_cursor(&mut self, next: String, keys: &[[u8; 16]], last: Option<String>) -> Result<(), Error> {
        if next.len() > MAX_NEXT {
            return Err(self.protocol("its `next` is longer than fits into an address"));
        }
        // What has no version may stand in the order more than once with the same content, and so may a page of it; a
        // server that goes on then gives a later date.
        let mut page: Vec<&[u8]> = keys.iter().map(<[u8; 16]>::as_slice).collect();
        page.extend(last.as_deref().map(str::as_bytes));
        if !self.met.insert(fingerprint(&[b"next", next.as_bytes()])) {
            return Err(self.protocol("it leads in a circle: the same `next` came twice"));
        }
        if !keys.is_empty() && !self.met.insert(fingerprint(&page)) {
            return Err(self.protocol("it leads in a circle: the same page came twice"));
        }
        self.position.last = later(self.position.last.take(), last);
        self.position.next = Some(next);
        Ok(())
    }

    fn by_date(&mut self, last: Option<String>, keys: &[[u8; 16]], fresh: bool) -> Result<(), Error> {
        let Some(last) = last else {
            return Err(self.protocol("it says that there is more, but neither `next` nor X-TAXII-Date-Added-Last"));
        };
        match self.position.added_after.as_deref().map(|before| order(&last, before)) {
            None | Some(std::cmp::Ordering::Greater) => {
                self.seen = keys.iter().copied().collect();
                self.position = Position { added_after: Some(last.clone()), next: None, last: Some(last) };
                Ok(())
            }
            Some(std::cmp::Ordering::Less) => Err(self.protocol("its dates of addition go backwards")),
            Some(std::cmp::Ordering::Equal) => {
                // It reads `added_after` as "at or after", and a page full of objects has one date: only a larger page
                // leads beyond it.
                self.seen.extend(keys);
                let larger = self.limit.saturating_mul(4).min(self.client.limits.max_page_size);
                if larger <= self.limit || (!fresh && self.empty > 3) {
                    return Err(self.protocol(
                        "it cannot be read to its end: more objects have one date of addition than it puts on a page, \
                         and it gives no `next`",
                    ));
                }
                self.limit = larger;
                Ok(())
            }
        }
    }

    fn finish(&mut self, last: Option<String>) {
        let reached = later(self.position.last.take(), last);
        let reached = later(self.position.added_after.take(), reached);
        self.position = Position { added_after: reached.clone(), next: None, last: reached };
        self.done = true;
    }

    /// The date of the page's last object (§3.3), where it can be believed.
    fn last_added(&self, answer: &Response<Bytes>) -> (Option<String>, Option<&'static str>) {
        let Some(written) = text(answer.headers(), "x-taxii-date-added-last") else { return (None, None) };
        match Timestamp::parse(written) {
            Err(_) => (None, Some("the server's X-TAXII-Date-Added-Last is not a timestamp")),
            Ok(at) if at.micros > self.client.transport.now().saturating_add(MAX_AHEAD) => {
                (None, Some("the server's X-TAXII-Date-Added-Last lies in the future, and is not believed"))
            }
            Ok(_) => (Some(written.to_owned()), None),
        }
    }

    fn protocol(&self, what: &str) -> Error {
        Error::protocol(&self.objects, what)
    }
}

/// What servers answer to a cursor that they do not know any more.
fn is_forgotten(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// Orders two dates by the instant. Both have been read before; what a kept position holds may not.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    match (Timestamp::parse(a), Timestamp::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => std::cmp::Ordering::Greater,
        _ => std::cmp::Ordering::Less,
    }
}

fn later(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if order(&b, &a).is_gt() { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// What tells an object from others: its id and version, or its content where it has no version.
fn key(object: &str) -> [u8; 16] {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
        #[serde(borrow, default)]
        modified: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        created: Option<Cow<'a, str>>,
    }
    match serde_json::from_str::<Head<'_>>(object) {
        Ok(Head { id, modified: Some(version), .. } | Head { id, created: Some(version), .. }) => {
            fingerprint(&[b"version", id.as_bytes(), version.as_bytes()])
        }
        Ok(Head { id, .. }) => fingerprint(&[b"content", id.as_bytes(), object.as_bytes()]),
        Err(_) => fingerprint(&[b"content", object.as_bytes()]),
    }
}
