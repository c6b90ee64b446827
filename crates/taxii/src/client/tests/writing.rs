use super::*;

fn found(max_content_length: Option<u64>) -> Found {
    let collection = serde_json::from_str(r#"{"id":"c","title":"C","can_read":true,"can_write":true}"#).unwrap();
    Found {
        api_root: address("https://a.example/api/"),
        max_content_length,
        collection,
        objects: address("https://a.example/api/collections/c/objects/"),
    }
}

fn objects(count: usize) -> Vec<Bytes> {
    (0..count).map(|n| Bytes::from(format!(r#"{{"id":"tool--{n}"}}"#))).collect()
}

fn ids(request: &Request<Bytes>) -> Vec<String> {
    assert_eq!(request.headers()[CONTENT_TYPE], media::TAXII);
    let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
    body["objects"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

fn status(id: &str, total: usize, failed: usize, pending: usize) -> String {
    let failures: Vec<String> =
        (0..failed).map(|n| format!(r#"{{"id":"tool--{n}","version":"v","message":"no\u001b[2J"}}"#)).collect();
    let state = if pending > 0 { "pending" } else { "complete" };
    format!(
        r#"{{"id":"{id}","status":"{state}","total_count":{total},"success_count":{},"failure_count":{failed},
            "failures":[{}],"pending_count":{pending}}}"#,
        total - failed - pending,
        failures.join(",")
    )
}

#[test]
fn envelopes_are_as_large_as_the_server_takes() {
    // An object is 16 bytes; three with commas and the frame are 64.
    let client = client(|request| Ok(answer(202, status("s", ids(request).len(), 0, 0))));
    let pushed = now(client.push(&found(Some(64)), &objects(7))).unwrap();
    assert_eq!(pushed, Pushed { accepted: 7, ..Pushed::default() });
    assert_eq!(client.transport().asked.lock().unwrap().len(), 3);
}

#[test]
fn an_object_that_is_too_large_is_refused_here() {
    let client = client(|request| Ok(answer(202, status("s", ids(request).len(), 0, 0))));
    let mut objects = objects(2);
    objects.insert(1, Bytes::from(format!(r#"{{"id":"tool--large","x":"{}"}}"#, "x".repeat(100))));
    let pushed = now(client.push(&found(Some(61)), &objects)).unwrap();
    assert_eq!(pushed.accepted, 2);
    assert_eq!(pushed.refused.len(), 1);
    assert_eq!(pushed.refused[0].id.as_deref(), Some("tool--large"));
    assert!(pushed.refused[0].message.contains("61 bytes"));
}

#[test]
fn one_bad_object_does_not_take_the_others_with_it() {
    for refusal in [413, 422] {
        let client = client(move |request| {
            let ids = ids(request);
            let bad = ids.iter().any(|id| id == "tool--5");
            Ok(if bad { answer(refusal, r#"{"title":"not this"}"#) } else { answer(202, status("s", ids.len(), 0, 0)) })
        });
        let pushed = now(client.push(&found(None), &objects(16))).unwrap();
        assert_eq!((pushed.accepted, pushed.refused.len()), (15, 1), "{refusal}");
        assert_eq!(pushed.refused[0].id.as_deref(), Some("tool--5"));
        assert!(pushed.refused[0].message.contains("not this"));
    }
}

#[test]
fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    let client = client(|_| Ok(answer(422, "{}")));
    let pushed = now(client.push(&found(None), &objects(1_000))).unwrap();
    assert_eq!((pushed.accepted, pushed.refused.len()), (0, 1_000));
}

#[test]
fn a_pending_status_is_asked_for_until_it_is_complete() {
    let mut polls = 0;
    let client = client(move |request| {
        if request.method() == Method::POST {
            return Ok(answer(202, status("5f1d", 4, 0, 4)));
        }
        assert_eq!(request.uri().path(), "/api/status/5f1d/");
        polls += 1;
        Ok(answer(200, if polls < 3 { status("5f1d", 4, 0, 2) } else { status("5f1d", 4, 1, 0) }))
    });
    let pushed = now(client.push(&found(None), &objects(4))).unwrap();
    assert_eq!((pushed.accepted, pushed.pending), (3, 0));
    let refused = Refusal { id: Some("tool--0".into()), version: Some("v".into()), message: "no [2J".into() };
    assert_eq!(pushed.refused, [refused]);
    let waits: Vec<u128> = client.transport().waits.lock().unwrap().iter().map(Duration::as_millis).collect();
    assert_eq!(waits, [500, 1_000, 2_000]);
}

#[test]
fn patience_ends() {
    let client = client(|request| {
        let code = if request.method() == Method::POST { 202 } else { 200 };
        Ok(answer(code, status("5f1d", 4, 0, 1)))
    });
    let pushed = now(client.push(&found(None), &objects(4))).unwrap();
    assert_eq!((pushed.accepted, pushed.pending), (3, 1));
    let waited: Duration = client.transport().waits.lock().unwrap().iter().sum();
    assert!(waited >= Duration::from_secs(600) && waited < Duration::from_secs(660), "{waited:?}");
}

#[test]
fn answers_that_are_none() {
    for (code, body, wanted) in [
        (403, r#"{"title":"read only"}"#, "403 Forbidden (“read only”)"),
        (404, "", "404 Not Found"),
        (200, "{}", "answered 200 OK: this is not what TAXII 2.1 has it answer"),
        (202, "", "cannot be read"),
        (
            202,
            r#"{"id":"..","status":"pending","total_count":4,"success_count":0,"failure_count":0,"pending_count":4}"#,
            "status without an id",
        ),
    ] {
        let client = client(move |_| Ok(answer(code, body)));
        let error = now(client.push(&found(None), &objects(4))).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

/// Whatever a server answers to being asked to delete is an answer, but for "later".
#[test]
fn deleting_is_answered() {
    let table = [
        (200, "", None),
        (403, r#"{"title":"No","description":"not\u001b yours"}"#, Some("No: not  yours")),
        (404, "<html>", None),
        (405, "", None),
    ];
    for (status, body, said) in table {
        let client = client(move |_| Ok(answer(status, body)));
        let deleted = now(client.delete(&found(None), "tool--1", &[])).unwrap();
        assert_eq!((deleted.status.as_u16(), deleted.said.as_deref()), (status, said));
        assert_eq!(*client.transport().asked.lock().unwrap(), ["DELETE /api/collections/c/objects/tool--1/"]);
    }
    let client = super::client(|_| Ok(answer(200, "")));
    let versions = ["2024-01-01T00:00:00.000Z".to_owned(), "2025-01-01T00:00:00.000Z".to_owned()];
    now(client.delete(&found(None), "tool--../x", &versions)).unwrap();
    let asked = client.transport().asked.lock().unwrap().remove(0);
    assert!(asked.starts_with("DELETE /api/collections/c/objects/tool--..%2Fx/?match%5Bversion%5D=2024"), "{asked}");
    assert!(now(client.delete(&found(None), "..", &[])).is_err(), "an id leads nowhere else");
    let busy = super::client(|_| Ok(answer(503, "")));
    assert!(matches!(now(busy.delete(&found(None), "tool--1", &[])), Err(Error::Busy { .. })));
}
