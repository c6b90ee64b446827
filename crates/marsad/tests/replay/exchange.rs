//! One recorded request with its answer, and how two answers are compared.

use serde_json::Value;
use std::io::Read;

/// A recorded exchange.
#[derive(serde::Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) test: String,
    pub(crate) method: String,
    pub(crate) url: String,
    req_headers: std::collections::BTreeMap<String, String>,
    pub(crate) req_body: String,
    pub(crate) status: u16,
    res_headers: std::collections::BTreeMap<String, String>,
    body: Option<String>,
}

/// What our server gave.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Case {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.res_headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body.as_deref().unwrap_or_default()).unwrap_or(Value::Null)
    }

    /// The request's headers, with the recorded member replaced by ours.
    pub(crate) fn headers(&self, authorization: &str) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = self.req_headers.clone().into_iter().collect();
        for (name, value) in &mut headers {
            if name.eq_ignore_ascii_case("authorization") {
                authorization.clone_into(value);
            }
        }
        headers
    }
}

/// The body of a POST. The recordings lack them; the answers name what was in it, so an envelope of such objects is made.
pub(crate) fn envelope(case: &Case) -> Vec<u8> {
    if !case.req_body.is_empty() || case.status != 202 {
        return case.req_body.clone().into_bytes();
    }
    let rows = case.json().get("successes").and_then(Value::as_array).cloned().unwrap_or_default();
    let objects: Vec<Value> = rows.iter().enumerate().map(|(n, row)| object(case, n, row)).collect();
    serde_json::json!({ "objects": objects }).to_string().into_bytes()
}

/// A valid object with the id and version of a status row.
fn object(case: &Case, n: usize, row: &Value) -> Value {
    let id = row["id"].as_str().unwrap();
    let kind = id.split("--").next().unwrap();
    let mut object = serde_json::json!({"type": kind, "id": id, "spec_version": "2.1"});
    let mut set = |name: &str, value: Value| {
        object.as_object_mut().unwrap().insert(name.into(), value);
    };
    if kind == "artifact" {
        set("payload_bin", "aGVsbG8=".into());
        return object;
    }
    set("created", "2014-01-27T13:49:53.935Z".into());
    set("modified", row["version"].clone());
    match kind {
        "relationship" => {
            set("relationship_type", "indicates".into());
            set("source_ref", "indicator--cd981c25-8042-4166-8945-51178443bdac".into());
            set("target_ref", "malware--c0931cc6-c75e-47e5-9036-78fabc95d4ec".into());
        }
        "indicator" => {
            set("pattern", "[file:name = 'x']".into());
            set("pattern_type", "stix".into());
            set("valid_from", "2014-01-27T13:49:53.935Z".into());
        }
        _ => set("name", "Replayed".into()),
    }
    if case.test.contains("spec_version") && n == 0 {
        object.as_object_mut().unwrap().remove("spec_version");
        if kind == "indicator" {
            object.as_object_mut().unwrap().remove("pattern_type");
            object["labels"] = serde_json::json!(["malicious-activity"]);
        }
    }
    object
}

/// Times as far as they can be equal: records that were added at one instant there have microseconds of their own here.
pub(crate) fn to_milliseconds(text: &str) -> &str {
    text.get(..23).unwrap_or(text)
}

/// Reads a file of cases, gzipped JSON lines.
pub(crate) fn read(path: &std::path::Path) -> Vec<Case> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Splits cases into the tests they belong to, in file order.
pub(crate) fn tests(cases: Vec<Case>) -> Vec<Vec<Case>> {
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for case in cases {
        match groups.last_mut() {
            Some(group) if group[0].test == case.test => group.push(case),
            _ => groups.push(vec![case]),
        }
    }
    groups
}

/// Compares what the standard fixes in a body: ids and their order, versions, `more`, counts of a status.
pub(crate) fn bodies_differ(case: &Case, answer: &Answer, own_times: bool) -> Vec<String> {
    let (theirs, ours) = (case.json(), answer.json());
    let mut found = Vec::new();
    let mut compare = |what: &str, ours: Value, theirs: Value| {
        if ours != theirs {
            found.push(format!("{what} {ours} instead of {theirs}"));
        }
    };
    let more = |body: &Value| Value::Bool(body.get("more").and_then(Value::as_bool).unwrap_or(false));
    compare("more", more(&ours), more(&theirs));
    for list in ["objects", "collections"] {
        compare(list, ids(&ours, list, own_times), ids(&theirs, list, own_times));
    }
    if own_times {
        compare(
            "versions",
            ours.get("versions").cloned().unwrap_or_default(),
            theirs.get("versions").cloned().unwrap_or_default(),
        );
    }
    for count in ["status", "total_count", "success_count", "failure_count", "pending_count"] {
        compare(count, ours.get(count).cloned().unwrap_or_default(), theirs.get(count).cloned().unwrap_or_default());
    }
    found
}

/// Ids in order, with version and time of addition where the rows are a manifest's.
fn ids(body: &Value, list: &str, own_times: bool) -> Value {
    let rows = body.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut out = Vec::new();
    for row in rows {
        let mut kept = vec![row.get("id").cloned().unwrap_or_default()];
        if own_times && row.get("date_added").is_some() {
            kept.extend([
                row.get("version").cloned().unwrap_or_default(),
                to_milliseconds(row.get("date_added").and_then(Value::as_str).unwrap_or_default()).into(),
            ]);
        } else if own_times && list == "objects" {
            kept.push(row.get("modified").cloned().unwrap_or_default());
        }
        out.push(Value::Array(kept));
    }
    Value::Array(out)
}
