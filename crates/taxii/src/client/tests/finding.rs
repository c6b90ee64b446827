use super::*;

const COLLECTIONS: &str = r#"{"collections":[
    {"id":"91a7b528-80eb-42ed-a74d-c6fbd5a26116","title":"High Value","alias":"high","can_read":true,"can_write":false},
    {"id":"52892447-4d7e-4f70-b94d-d7f22742ff63","title":"Twins","can_read":true,"can_write":false},
    {"id":"472c94ae-3113-4e3e-a4dd-a9f4ac7471d4","title":"twins","can_read":true,"can_write":true}]}"#;

fn server(request: &Request<Bytes>) -> Result<Response<Bytes>, Failure> {
    Ok(match request.uri().to_string().as_str() {
        "https://a.example/taxii2/" => {
            answer(200, r#"{"title":"A","default":"https://a.example/two/","api_roots":["/one/","/two/","/old/"]}"#)
        }
        "https://a.example/one/" => answer(403, r#"{"title":"not for you"}"#),
        "https://a.example/two/" => {
            answer(200, r#"{"title":"2","versions":["application/taxii+json;version=2.1"],"max_content_length":1000}"#)
        }
        "https://a.example/old/" => answer(200, r#"{"title":"o","versions":["taxii-2.0"],"max_content_length":1}"#),
        "https://a.example/two/collections/" => answer(200, COLLECTIONS),
        "https://a.example/evil/" => answer(200, r#"{"title":"x","api_roots":["//b.example/"]}"#),
        "https://a.example/html/" => {
            Response::builder().header(CONTENT_TYPE, "text/html").body(Bytes::from_static(b"<html>")).unwrap()
        }
        "https://a.example/torn/" => answer(200, r#"{"title":"x","api_ro"#),
        "https://a.example/large/" => answer(200, vec![b' '; 20_000]),
        "https://a.example/closed/" => answer(401, "\u{1b}[2J"),
        _ => answer(404, r#"{"title":"no \u202esuch page"}"#),
    })
}

#[test]
fn table() {
    let high = "/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/";
    for (from, name, wanted) in [
        ("https://a.example", "high", Ok(high)),
        ("https://a.example/taxii2/", "91A7B528-80eb-42ed-a74d-c6fbd5a26116", Ok(high)),
        ("https://a.example/two/", "high value", Ok(high)),
        ("https://a.example/two/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/", "high", Ok(high)),
        ("https://a.example/two/", "HIGH", Err("it shows: high (High Value)")),
        ("https://a.example/two/", "twins", Err("name one by its id: 52892447-4d7e-4f70-b94d-d7f22742ff63, 472c94ae")),
        ("https://a.example", "nothing", Err("no collection `nothing` at https://a.example/taxii2/; it shows: high")),
        ("https://a.example/old/", "high", Err("it speaks taxii-2.0, and not TAXII 2.1")),
        ("https://a.example/evil/", "high", Err("names an API root `//b.example/`")),
        ("https://a.example/html/", "high", Err("calls itself text/html")),
        ("https://a.example/torn/", "high", Err("cannot be read")),
        ("https://a.example/large/", "high", Err("no answer from https://a.example/large/")),
        ("https://a.example/closed/", "high", Err("answered 401 Unauthorized: check the credentials")),
        ("https://a.example/gone/", "high", Err("404 Not Found (“no  such page”): check the address")),
    ] {
        let client = client(server);
        let found = now(client.find(&address(from), name));
        match (found, wanted) {
            (Ok(found), Ok(path)) => {
                assert_eq!(found.objects.path(), path, "{from} {name}");
                assert_eq!((found.api_root.path(), found.max_content_length), ("/two/", Some(1_000)));
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{from} {name}: {error}"),
            (found, _) => panic!("{from} {name}: {found:?}"),
        }
    }
}

#[test]
fn the_default_api_root_comes_first() {
    let client = client(server);
    now(client.find(&address("https://a.example"), "high")).unwrap();
    assert_eq!(*client.transport().asked.lock().unwrap(), ["GET /taxii2/", "GET /two/", "GET /two/collections/"]);
}

#[test]
fn a_busy_server_is_waited_for_and_not_for_ever() {
    for (answers, hint, waits, wanted) in [
        (2, None, &[1, 2][..], Ok(())),
        (1, Some("30"), &[30], Ok(())),
        (1, Some("Mon, 23 Nov 2026 12:00:09 GMT"), &[9], Ok(())),
        (1, Some("86400"), &[], Err("429 Too Many Requests) and asks to wait 86400 s")),
        (99, None, &[1, 2, 4, 8, 16, 32], Err("try again later")),
    ] {
        let mut left = answers;
        let client = client(move |request| {
            left -= 1;
            if left < 0 {
                return server(request);
            }
            let mut busy = answer(429, "");
            if let Some(hint) = hint {
                busy.headers_mut().insert(RETRY_AFTER, hint.parse().unwrap());
            }
            Ok(busy)
        });
        let found = now(client.find(&address("https://a.example/two/"), "high"));
        let seconds: Vec<u64> = client.transport().waits.lock().unwrap().iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, waits, "{hint:?}");
        match wanted {
            Ok(()) => assert!(found.is_ok()),
            Err(part) => assert!(found.unwrap_err().to_string().contains(part)),
        }
    }
}

#[test]
fn failures_that_may_pass_are_tried_again_and_others_are_not() {
    for (cause, tries) in [(Cause::Interrupted, 7), (Cause::Forbidden, 1), (Cause::TooLarge, 1), (Cause::Slow, 1)] {
        let client = client(move |_| Err(Failure::new(cause, "no")));
        assert!(now(client.find(&address("https://a.example/two/"), "high")).is_err());
        assert_eq!(client.transport().asked.lock().unwrap().len(), tries, "{cause:?}");
    }
}
