//! Queries: paging and the match filters (TAXII 2.1 §3.3–§3.5).

/// Where a query was asked: it decides which filters mean something (§5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// `objects/` and `manifest/`: every filter.
    Objects,
    /// `objects/{id}/`: `version` and `spec_version`.
    Object,
    /// `objects/{id}/versions/`: `spec_version`.
    Versions,
    /// Everything else: no filters.
    Other,
}

/// Values of one filter at most, so that a request's work is bounded.
pub const MAX_VALUES: usize = 1_000;

/// What was asked. `None` means that the parameter was not given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query {
    /// Only what was added after this instant (microseconds since 1970).
    pub added_after: Option<i64>,
    /// At most so many; at least 1.
    pub limit: Option<u64>,
    /// The cursor, not yet opened.
    pub next: Option<String>,
    /// `match[id]`.
    pub ids: Option<Vec<String>>,
    /// `match[type]`.
    pub types: Option<Vec<String>>,
    /// `match[version]`.
    pub versions: Option<Versions>,
    /// `match[spec_version]`.
    pub spec_versions: Option<Vec<String>>,
}

/// `match[version]` (§3.4.1.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Versions {
    /// `all`.
    All,
    /// The union of what is named.
    Some {
        /// `first`.
        first: bool,
        /// `last`.
        last: bool,
        /// Exact instants: (microseconds since 1970, picoseconds beyond).
        at: Vec<(i64, u32)>,
    },
}

/// Why a query is 400. Says what was wrong with the request, nothing of the server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{parameter}: {message}")]
pub struct BadQuery {
    /// The parameter.
    pub parameter: String,
    /// What is wrong with it, and what it takes.
    pub message: &'static str,
}

/// Reads the part of an address behind `?`.
///
/// Unknown parameters are ignored (§3.4.1); so are filters that mean nothing at this endpoint, after they have been read:
/// malformed is malformed anywhere.
///
/// # Errors
/// [`BadQuery`]: a parameter that is given twice, or that is not of its form.
pub fn parse(raw: &str, endpoint: Endpoint) -> Result<Query, BadQuery> {
    let mut query = Query::default();
    let mut given: Vec<&'static str> = Vec::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(|| bad("query", "a parameter's name is not UTF-8"))?;
        let Some(name) = NAMES.iter().find(|known| **known == name) else { continue };
        let value = decode(value).ok_or_else(|| bad(name, "the value is not UTF-8"))?;
        if given.contains(name) {
            return Err(bad(name, "given more than once: name the values in one parameter, separated by commas"));
        }
        given.push(name);
        query.set(name, &value)?;
    }
    query.keep_for(endpoint);
    Ok(query)
}

const NAMES: [&str; 7] =
    ["added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]"];

impl Query {
    fn set(&mut self, name: &str, value: &str) -> Result<(), BadQuery> {
        match name {
            "added_after" => {
                // §2 wants six digits of a second and `Z`; the standard's own examples have fewer digits, so any number is
                // read, but an offset is not a TAXII timestamp.
                let at = stix::timestamp::Timestamp::parse(value);
                let at = at.map_err(|_| bad(name, "takes one timestamp such as 2026-11-23T12:00:00.000000Z"))?;
                self.added_after = Some(at.micros);
            }
            "limit" => {
                let limit = value.parse::<u64>().ok().filter(|limit| *limit > 0 && !value.starts_with('+'));
                self.limit = Some(limit.ok_or_else(|| bad(name, "takes a whole number of at least 1"))?);
            }
            "next" => self.next = Some(value.to_owned()),
            "match[id]" => self.ids = Some(list(name, value)?),
            "match[type]" => self.types = Some(list(name, value)?),
            "match[spec_version]" => self.spec_versions = Some(list(name, value)?),
            _ => self.versions = Some(versions(name, value)?),
        }
        Ok(())
    }

    fn keep_for(&mut self, endpoint: Endpoint) {
        if endpoint != Endpoint::Objects {
            self.ids = None;
            self.types = None;
        }
        if matches!(endpoint, Endpoint::Versions | Endpoint::Other) {
            self.versions = None;
        }
        if endpoint == Endpoint::Other {
            *self = Self::default();
        }
    }

    /// The filters in one spelling, whatever the order in which they were given: what a cursor is bound to. Paging
    /// parameters are no part of it.
    #[must_use]
    pub fn filters(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        for (name, values) in [("id", &self.ids), ("type", &self.types), ("spec", &self.spec_versions)] {
            let mut values = values.clone().unwrap_or_default();
            values.sort_unstable();
            values.dedup();
            let _ = write!(out, "{name}={}:{values:?};", values.len());
        }
        let mut versions = self.versions.clone();
        if let Some(Versions::Some { at, .. }) = &mut versions {
            at.sort_unstable();
            at.dedup();
        }
        let _ = write!(out, "version={versions:?}");
        out
    }
}

fn list(name: &str, value: &str) -> Result<Vec<String>, BadQuery> {
    let values: Vec<String> = value.split(',').map(str::to_owned).collect();
    if values.iter().any(String::is_empty) {
        return Err(bad(name, "takes values separated by commas, none of them empty"));
    }
    if values.len() > MAX_VALUES {
        return Err(bad(name, "takes at most 1000 values: ask in several requests"));
    }
    Ok(values)
}

fn versions(name: &str, value: &str) -> Result<Versions, BadQuery> {
    let values = list(name, value)?;
    if values.iter().any(|value| value == "all") {
        let alone = values.len() == 1;
        return if alone { Ok(Versions::All) } else { Err(bad(name, "`all` stands alone")) };
    }
    let (mut first, mut last, mut at) = (false, false, Vec::new());
    for value in &values {
        let seen = match value.as_str() {
            "first" => std::mem::replace(&mut first, true),
            "last" => std::mem::replace(&mut last, true),
            text => {
                let parsed = stix::timestamp::Timestamp::parse(text);
                let parsed = parsed.map_err(|_| bad(name, "takes `all`, or `first`, `last` and timestamps"))?;
                at.push((parsed.micros, parsed.picos));
                false
            }
        };
        if seen {
            return Err(bad(name, "a keyword is given twice"));
        }
    }
    Ok(Versions::Some { first, last, at })
}

fn bad(parameter: &str, message: &'static str) -> BadQuery {
    BadQuery { parameter: parameter.to_owned(), message }
}

/// Undoes percent-encoding; `+` is a plus sign, as in an address, since timestamps and cursors never hold spaces.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let value = digit()? * 16 + digit()?;
        out.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// TAXII 2.1 §3.4: what is asked, and what it must give (`Err`: the parameter at fault).
    #[test]
    fn table() {
        let some = |first, last, at: &[(i64, u32)]| Some(Versions::Some { first, last, at: at.to_vec() });
        let ids = |list: &[&str]| Some(list.iter().map(|id| (*id).to_owned()).collect());
        let none = Query::default;
        let table: Vec<(&str, Result<Query, &str>)> = vec![
            ("", Ok(none())),
            ("&&", Ok(none())),
            ("limit=1", Ok(Query { limit: Some(1), ..none() })),
            ("limit=0", Err("limit")),
            ("limit=-1", Err("limit")),
            ("limit=%2B1", Err("limit")),
            ("limit=x", Err("limit")),
            ("limit=", Err("limit")),
            ("limit", Err("limit")),
            ("limit=1&limit=1", Err("limit")),
            ("limit=1&%6cimit=2", Err("limit")),
            ("limit=99999999999999999999999", Err("limit")),
            ("added_after=1970-01-01T00:00:01Z", Ok(Query { added_after: Some(1_000_000), ..none() })),
            ("added_after=1970-01-01T00%3A00%3A01.5Z", Ok(Query { added_after: Some(1_500_000), ..none() })),
            ("added_after=1970-01-01T00:00:01%2B00:00", Err("added_after")),
            ("added_after=1970-02-30T00:00:01Z", Err("added_after")),
            ("added_after=yesterday", Err("added_after")),
            (
                "next=abc&added_after=1970-01-01T00:00:01Z",
                Ok(Query { next: Some("abc".into()), added_after: Some(1_000_000), ..none() }),
            ),
            ("match[id]=a,b", Ok(Query { ids: ids(&["a", "b"]), ..none() })),
            ("match%5Bid%5D=a%2Cb", Ok(Query { ids: ids(&["a", "b"]), ..none() })),
            ("match[id]=a&match%5bid%5d=b", Err("match[id]")),
            ("match[id]=", Err("match[id]")),
            ("match[id]=a,,b", Err("match[id]")),
            ("match[type]=never-heard-of", Ok(Query { types: ids(&["never-heard-of"]), ..none() })),
            ("match[version]=all", Ok(Query { versions: Some(Versions::All), ..none() })),
            ("match[version]=all,last", Err("match[version]")),
            ("match[version]=first,last", Ok(Query { versions: some(true, true, &[]), ..none() })),
            ("match[version]=last,last", Err("match[version]")),
            (
                "match[version]=last,1970-01-01T00:00:00.1Z",
                Ok(Query { versions: some(false, true, &[(100_000, 0)]), ..none() }),
            ),
            ("match[version]=newest", Err("match[version]")),
            ("match[spec_version]=2.0,2.1", Ok(Query { spec_versions: ids(&["2.0", "2.1"]), ..none() })),
            ("match[colour]=red", Ok(none())),
            ("%ff=1", Err("query")),
            ("next=%zz", Err("next")),
        ];
        for (text, wanted) in table {
            let got = parse(text, Endpoint::Objects).map_err(|bad| bad.parameter);
            assert_eq!(got, wanted.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn filters_of_other_endpoints_are_read_and_dropped() {
        let raw = "match[id]=a&match[type]=b&match[version]=all&match[spec_version]=2.1&limit=3";
        let object = parse(raw, Endpoint::Object).unwrap();
        assert_eq!(
            (object.ids, object.types, object.versions, object.limit),
            (None, None, Some(Versions::All), Some(3))
        );
        let versions = parse(raw, Endpoint::Versions).unwrap();
        assert_eq!((versions.versions, versions.spec_versions.is_some()), (None, true));
        assert!(parse("match[version]=all,all", Endpoint::Versions).is_err());
    }

    proptest! {
        /// Never panics, and percent-encoding every byte changes nothing.
        #[test]
        fn encoding_is_undone(raw in "(limit|next|match\\[id\\]|added_after|x)=[a-z0-9,:.-]{0,12}(&(limit|next)=[0-9]{1,3})?") {
            let encoded: String = raw.split('&').map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                let hex = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
                format!("{}={}", hex(name), hex(value))
            }).collect::<Vec<_>>().join("&");
            prop_assert_eq!(parse(&raw, Endpoint::Objects), parse(&encoded, Endpoint::Objects));
        }

        #[test]
        fn anything_is_an_answer(raw in ".*") {
            let _ = parse(&raw, Endpoint::Objects);
        }
    }
}
