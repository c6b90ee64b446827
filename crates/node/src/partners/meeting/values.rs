//! Which values of the book take part in a meeting: those of observables and of simple comparisons in patterns, of records for
//! which the policy says that they may be compared with that partner's.

use crate::door::Door;
use ledger::{ClassNo, Filter, Ledger, Register, Seq, Sight, Versions};
use partner::meet::{Kind, Value};
use pattern::{
    ComparisonExpression, ComparisonKind, ObservationExpression, ObservationKind, Operand, Operator, StepKind,
};
use policy::{Class, Classes as _, Comparing, Micros, Viewer};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Objects that are read at once …
const PAGE: usize = 5_000;
/// … or so many bytes, or one object.
const PAGE_BYTES: usize = 16 << 20;

/// Why the values could not be gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More than may take part.
    #[error("more than {0} values of ours would take part: name fewer types, or raise `meeting.max-values`")]
    TooMany(usize),
    /// The book.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// A page of the ledger is not what it must be.
    #[error("the ledger gave a page that cannot be split into objects: run `marsad check`")]
    Page,
}

/// What is gathered, and for whom.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The partner.
    pub viewer: &'a Viewer,
    /// Of these kinds.
    pub kinds: &'a [Kind],
    /// Of whose records.
    pub comparing: Comparing,
    /// When.
    pub at: Micros,
    /// So many at most.
    pub most: usize,
}

/// The values that take part, each once: of the newest version of each object whose class may be compared, in any
/// collection, unless it is revoked.
///
/// # Errors
/// [`Error`].
pub fn gather<B: Ledger + Register + ?Sized>(book: &B, door: &Door, wanted: &Wanted<'_>) -> Result<Vec<Value>, Error> {
    let organisations = book.organisations()?;
    let own = organisations.iter().find(|one| one.relation == ledger::Relation::Own).map_or("", |one| &one.name);
    let compared: RefCell<HashMap<ClassNo, bool>> = RefCell::default();
    let sees = |class: ClassNo| {
        let judge = || {
            let class = door.definition(class.0).and_then(|bytes| Class::from_definition(&bytes));
            class.is_some_and(|class| {
                policy::comparable(wanted.viewer, &class, wanted.at, door.rules(), door, own, wanted.comparing)
            })
        };
        *compared.borrow_mut().entry(class).or_insert_with(judge)
    };
    let mut found = HashSet::new();
    for collection in book.collections()? {
        let mut after: Option<Seq> = None;
        loop {
            let filter = Filter {
                collection: collection.no,
                after,
                keys: None,
                kinds: Some(TYPES.to_vec()),
                versions: Versions::last(),
                dialects: None,
                limit: PAGE,
                max_bytes: PAGE_BYTES,
            };
            let mut content = vec![b'['];
            let page = book.objects(&filter, &Compared(&sees), &mut content)?;
            content.push(b']');
            let objects: Vec<&RawValue> = serde_json::from_slice(&content).map_err(|_| Error::Page)?;
            for object in objects {
                let mut keep = |value: Value| {
                    if wanted.kinds.contains(&value.kind()) {
                        found.insert(value);
                    }
                };
                values_of(object.get().as_bytes(), &mut keep);
                if found.len() > wanted.most {
                    return Err(Error::TooMany(wanted.most));
                }
            }
            match page.last {
                Some(last) if page.more => after = Some(last),
                _ => break,
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Sees whole classes. A record that refers to what is hidden is not looked at further: nothing of it leaves, but the answer to
/// who names its value.
struct Compared<'a>(&'a dyn Fn(ClassNo) -> bool);

impl ledger::Sees for Compared<'_> {
    fn class(&self, class: ClassNo) -> Sight {
        if (self.0)(class) { Sight::Whole } else { Sight::Nothing }
    }

    fn record(&self, _: &ledger::Met<'_>, _: &dyn ledger::Lookup, _: Option<&mut Vec<u8>>) -> bool {
        false
    }
}

/// The types of objects that have such values.
const TYPES: &[&str] = &["indicator", "domain-name", "ipv4-addr", "ipv6-addr", "url", "email-addr", "file", "artifact"];

/// What is read of an object.
#[derive(Deserialize)]
struct Object<'o> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'o, str>,
    #[serde(default)]
    revoked: bool,
    #[serde(borrow, default)]
    value: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    pattern: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    pattern_type: Option<Cow<'o, str>>,
    #[serde(borrow, default)]
    hashes: Option<BTreeMap<Cow<'o, str>, Cow<'o, str>>>,
}

/// Shows the values of one object.
fn values_of(object: &[u8], keep: &mut dyn FnMut(Value)) {
    // What is not as these types must be has no values: it came in under other rules.
    let Ok(object) = serde_json::from_slice::<Object<'_>>(object) else { return };
    if object.revoked {
        return;
    }
    if object.kind == "indicator" {
        let stix = object.pattern_type.as_deref().is_none_or(|language| language == "stix");
        if let Some(pattern) = object.pattern.as_deref().filter(|_| stix).and_then(|text| pattern::parse(text).ok()) {
            of_observation(&pattern.expression, keep);
        }
    } else if let Some(kind) = of_type(&object.kind) {
        object.value.as_deref().and_then(|text| Value::of(kind, text)).into_iter().for_each(&mut *keep);
    }
    for (algorithm, hash) in object.hashes.unwrap_or_default() {
        let kind = Kind::of_hash(&algorithm);
        kind.and_then(|kind| Value::of(kind, &hash)).into_iter().for_each(&mut *keep);
    }
}

/// The kind of an observable's `value` (STIX 2.1 §6).
fn of_type(object_type: &str) -> Option<Kind> {
    Some(match object_type {
        "domain-name" => Kind::Domain,
        "ipv4-addr" => Kind::Ipv4,
        "ipv6-addr" => Kind::Ipv6,
        "url" => Kind::Url,
        "email-addr" => Kind::Email,
        _ => return None,
    })
}

fn of_observation(expression: &ObservationExpression, keep: &mut dyn FnMut(Value)) {
    match &expression.kind {
        ObservationKind::Observation(comparison) => of_comparison(comparison, keep),
        ObservationKind::Group(inner) | ObservationKind::Qualified(inner, _) => of_observation(inner, keep),
        ObservationKind::And(all) | ObservationKind::Or(all) | ObservationKind::FollowedBy(all) => {
            all.iter().for_each(|one| of_observation(one, keep));
        }
    }
}

fn of_comparison(expression: &ComparisonExpression, keep: &mut dyn FnMut(Value)) {
    match &expression.kind {
        ComparisonKind::Group(inner) => of_comparison(inner, keep),
        ComparisonKind::And(all) | ComparisonKind::Or(all) => all.iter().for_each(|one| of_comparison(one, keep)),
        ComparisonKind::Comparison(one) if !one.negated && matches!(one.operator, Operator::Equal | Operator::In) => {
            let names: Option<Vec<&str>> = one
                .path
                .steps
                .iter()
                .map(|step| match &step.kind {
                    StepKind::Property(name) => Some(&**name),
                    _ => None,
                })
                .collect();
            let kind = match (&*one.path.object_type, names.as_deref()) {
                (object_type, Some(["value"])) => of_type(object_type),
                ("file" | "artifact", Some(["hashes", algorithm])) => Kind::of_hash(algorithm),
                _ => None,
            };
            let Some(kind) = kind else { return };
            let constants = match &one.operand {
                Operand::Constant(constant) => std::slice::from_ref(constant),
                Operand::Set(constants) => constants,
            };
            for constant in constants {
                if let pattern::Value::String(text) = &constant.value {
                    Value::of(kind, text).into_iter().for_each(&mut *keep);
                }
            }
        }
        ComparisonKind::Comparison(_) | ComparisonKind::Exists { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(object: &str) -> Vec<String> {
        let mut found = Vec::new();
        values_of(object.as_bytes(), &mut |value| found.push(format!("{} {}", value.kind(), value.text())));
        found.sort();
        found
    }

    fn indicator(pattern: &str) -> String {
        serde_json::json!({"type": "indicator", "pattern": pattern, "pattern_type": "stix"}).to_string()
    }

    #[test]
    fn values_of_objects() {
        let sha = "ab".repeat(32);
        let table: Vec<(String, Vec<String>)> = vec![
            (r#"{"type":"domain-name","value":"Portal.Example"}"#.into(), vec!["domain portal.example".into()]),
            (r#"{"type":"domain-name","value":"not a domain"}"#.into(), vec![]),
            (r#"{"type":"ipv4-addr","value":"192.0.2.7"}"#.into(), vec!["ipv4 192.0.2.7".into()]),
            (r#"{"type":"ipv4-addr","value":"192.0.2.0/24"}"#.into(), vec![]),
            (
                r#"{"type":"url","value":"HTTP:\/\/Portal.Example\/A"}"#.into(),
                vec!["url http://portal.example/A".into()],
            ),
            (
                format!(
                    r#"{{"type":"file","name":"a","hashes":{{"SHA-256":"{}","x":"y","MD5":"zz"}}}}"#,
                    sha.to_uppercase()
                ),
                vec![format!("sha256 {sha}")],
            ),
            (r#"{"type":"x-own","value":"portal.example"}"#.into(), vec![]),
            (r#"{"type":"file","value":7}"#.into(), vec![]),
            (indicator("[domain-name:value = 'a.example']"), vec!["domain a.example".into()]),
            (
                indicator(
                    "[domain-name:value = 'a.example' OR ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')] AND [url:value = 'http://b.example/'] WITHIN 5 SECONDS",
                ),
                vec![
                    "domain a.example".into(),
                    "ipv4 192.0.2.1".into(),
                    "ipv4 192.0.2.2".into(),
                    "url http://b.example/".into(),
                ],
            ),
            (indicator(&format!("[file:hashes.'SHA-256' = '{sha}']")), vec![format!("sha256 {sha}")]),
            (indicator("[domain-name:value != 'a.example']"), vec![]),
            (indicator("[domain-name:value NOT = 'a.example']"), vec![]),
            (indicator("[domain-name:value LIKE 'a.%']"), vec![]),
            (indicator("[ipv4-addr:value ISSUBSET '192.0.2.1/32']"), vec![]),
            (indicator("[domain-name:resolves_to_refs[*].value = '192.0.2.1']"), vec![]),
            (indicator("[domain-name:value = "), vec![]),
            (r#"{"type":"indicator","revoked":true,"pattern":"[domain-name:value = 'a.example']"}"#.into(), vec![]),
            (
                r#"{"type":"indicator","pattern_type":"sigma","pattern":"[domain-name:value = 'a.example']"}"#.into(),
                vec![],
            ),
            // STIX 2.0 names no language.
            (
                r#"{"type":"indicator","pattern":"[domain-name:value = 'a.example']"}"#.into(),
                vec!["domain a.example".into()],
            ),
        ];
        for (object, wanted) in table {
            assert_eq!(of(&object), wanted, "{object}");
        }
    }
}
