//! Who is given what of the book: by every way of reading, and whatever is written beside what is hidden.

use super::TAXII;
use super::wire::{Answer, Request};
use super::world::{CLEAR, GREEN, RED, STRICT, World, id, json, tool};
use serde_json::Value;

const MAIN: &str = "/exchange/collections/main";
const OBJECTS: &str = "/exchange/collections/main/objects/";
const MAKER: &str = r#""created_by_ref":"identity--00000000-0000-4000-8000-00000000000a","#;
const OTHER: &str = r#""created_by_ref":"identity--00000000-0000-4000-8000-00000000000b","#;

/// Flawed design: who may see is decided when a request comes in, from fields that the client sends beside the record.
pub(crate) fn a01_policy_is_judged_on_the_stored_record() {
    let mut world = World::with(&["amina", "north", "south"]);
    world.serve(&[]);
    let claims = r#""x_distribution":"3","x_sharing_group_id":"0","x_recipients":["south","CERT South"],"#;
    let unknown = "marking-definition--00000000-0000-4000-8000-000000000001";
    let sent = [tool(1, 1, "red", &[RED], claims), tool(2, 1, "unknown", &[CLEAR, unknown], claims)];
    let body = format!(r#"{{"objects":[{}]}}"#, sent.join(","));
    let request = Request::new("POST", &format!("{OBJECTS}?distribution=3&to=south&tlp=clear"));
    let request = request.by(&world.who("north")).carrying(body.as_bytes());
    let answer = world.send(&request.with("X-Marsad-To", "south").with("X-Distribution", "3"));
    assert_eq!((answer.status, answer.get("success_count")), (202, 2.into()), "{}", answer.text());
    assert_eq!(world.names("north", OBJECTS), ["red"], "its bringer is its recipient");
    for other in ["south", "amina"] {
        assert_eq!(world.names(other, OBJECTS), [""; 0], "{other}");
    }
    // What is stored is judged anew whenever it is read.
    world.import(&[], &[tool(3, 1, "green", &[GREEN], "")]);
    assert_eq!(world.names("south", OBJECTS), ["green"]);
    world.good(&["organisation", "set", "CERT South", "--relation", "public"], "");
    assert!(!world.export("south").contains("green"));
    world.soon("green is not for the public", |world| world.names("south", OBJECTS).is_empty());
    assert_eq!(world.names("north", OBJECTS), ["red", "green"]);
}

/// Flawed design: each way of reading has a check of its own, and one of them has none.
pub(crate) fn a05_no_way_of_reading_gives_what_is_hidden() {
    let mut world = World::with(&["boss", "head", "north"]);
    world.good(&["group", "add", "room", "--members", "CERT South"], "");
    world.good(&["collection", "add", "vault", "--read", "boss", "--write", "boss"], "");
    world.good(&["collection", "add", "inbox", "--read", "boss", "--write", "boss"], "");
    world.import(&[], &[tool(1, 1, "open", &[GREEN], ""), tool(2, 1, "sesame", &[STRICT], "")]);
    world.import(&["--group", "room"], &[tool(3, 1, "sesame", &[GREEN], "")]);
    world.import(&["--collection", "vault"], &[tool(4, 1, "sesame", &[GREEN], "")]);
    world.serve(&["metrics.access=administrator"]);
    let hidden: Vec<String> = (2..5).map(id).collect();
    let silent = |what: &str, text: &str| {
        assert!(!text.contains("sesame") && !hidden.iter().any(|id| text.contains(id.as_str())), "{what}: {text}");
    };
    let mut paths: Vec<String> = ["/taxii2/", "/exchange/", "/exchange/collections/", "/api/accounts", "/metrics", "/"]
        .map(str::to_owned)
        .to_vec();
    for collection in ["main", "vault", "inbox"] {
        let place = format!("/exchange/collections/{collection}/");
        for query in ["", "?match[version]=all", "?match[type]=tool", "?limit=1", "?match[spec_version]=2.0,2.1"] {
            paths.extend(["objects/", "manifest/"].map(|list| format!("{place}{list}{query}")));
        }
        for id in &hidden {
            paths.extend(["", "versions/", "?match[version]=all"].map(|end| format!("{place}objects/{id}/{end}")));
            paths.extend(["objects", "manifest"].map(|list| format!("{place}{list}/?match[id]={id}")));
        }
    }
    for who in ["head", "north", ""] {
        for path in &paths {
            silent(&format!("{who} {path}"), &world.get(who, path).text());
        }
    }
    assert_eq!(world.names("north", OBJECTS), ["open"]);
    let page = world.get("north", &format!("{OBJECTS}?limit=1"));
    assert_eq!(page.get("more"), Value::Null, "nor is there more of what is hidden");
    // Figures of the whole book are for those who own it.
    assert_eq!(["head", "north", ""].map(|who| world.get(who, "/metrics").status), [404; 3]);
    assert_eq!(world.get("boss", "/metrics").status, 200);
    // What leaves as a file or for another server, and what is said of who may see.
    for viewer in ["north", "head", "CERT North"] {
        silent(viewer, &world.export(viewer));
        let said = world.run(&["why", viewer, &hidden[0]], "");
        assert_eq!(said.code, 1, "{}", said.out);
    }
    assert!(!world.json(&["who", &hidden[0]])["could"].to_string().contains("North"));
    let key = world.who("boss").replace("Bearer ", "");
    let url = format!("http://{}/taxii2/", world.address());
    world.good(&["push", &url, "--collection", "inbox", "--as-viewer", "CERT North", "--key-stdin"], &key);
    assert_eq!(world.names("boss", "/exchange/collections/inbox/objects/"), ["open"]);
    // All of it is there for somebody.
    assert_eq!(
        world.names("boss", OBJECTS).len() + world.names("boss", "/exchange/collections/vault/objects/").len(),
        4
    );
}

/// What of an answer could tell two things apart.
fn shape(answer: &Answer) -> (u16, Vec<Option<String>>, String) {
    let headers = ["content-type", "content-length", "allow", "location", "etag", "last-modified", "retry-after"];
    let more = ["www-authenticate", "x-taxii-date-added-first", "x-taxii-date-added-last", "vary"];
    let headers = headers.iter().chain(&more).map(|name| answer.header(name).map(str::to_owned)).collect();
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.remove("error_id");
    }
    (answer.status, headers, body.to_string())
}

/// Flawed design: 403 for what is there and 404 for what is not, or a write that says "it exists already".
pub(crate) fn a06_hidden_looks_as_absent() {
    let mut world = World::with(&["boss", "head", "north"]);
    world.good(&["collection", "add", "vault", "--read", "boss", "--write", "boss"], "");
    world.import(&[], &[tool(1, 1, "open", &[GREEN], ""), tool(2, 1, "sesame", &[STRICT], "")]);
    world.serve(&[]);
    let made = world.post("boss", "vault", &[tool(3, 1, "sesame", &[GREEN], "")]);
    let status = made.get("id").as_str().unwrap().to_owned();
    let none = "00000000-0000-4000-8000-000000000000";
    let body = format!(r#"{{"objects":[{}]}}"#, tool(3, 2, "x", &[GREEN], ""));
    for (there, absent) in [
        (format!("{OBJECTS}{}/", id(2)), format!("{OBJECTS}{}/", id(9))),
        (format!("{OBJECTS}{}/versions/", id(2)), format!("{OBJECTS}{}/versions/", id(9))),
        (format!("{OBJECTS}{}/?match[version]=all", id(2)), format!("{OBJECTS}{}/?match[version]=all", id(9))),
        (format!("{OBJECTS}?match[id]={}", id(2)), format!("{OBJECTS}?match[id]={}", id(9))),
        (format!("{MAIN}/manifest/?match[id]={}", id(2)), format!("{MAIN}/manifest/?match[id]={}", id(9))),
        ("/exchange/collections/vault/".into(), "/exchange/collections/fault/".into()),
        ("/exchange/collections/vault/objects/".into(), "/exchange/collections/fault/objects/".into()),
        (format!("/exchange/status/{status}/"), format!("/exchange/status/{none}/")),
        ("/api/accounts/boss".into(), "/api/accounts/loss".into()),
        ("/api/accounts/boss/keys".into(), "/api/accounts/loss/keys".into()),
        ("/api/accounts/boss/keys/of-boss".into(), "/api/accounts/boss/keys/of-loss".into()),
        ("/api/accounts/boss/sessions".into(), "/api/accounts/loss/sessions".into()),
    ] {
        for who in ["north", "head", ""] {
            for method in ["GET", "HEAD", "DELETE", "POST", "PATCH"] {
                if method == "POST" && there.starts_with(&format!("{OBJECTS}?")) {
                    continue; // adds to what is open to it
                }
                let taxii = there.starts_with("/exchange");
                let ask = |path: &str| {
                    let request = Request::new(method, path).by(&world.who(who));
                    shape(&world.send(&match method {
                        "POST" | "PATCH" if taxii => request.carrying(body.as_bytes()),
                        "POST" => json(request, r#"{"name":"fresh"}"#),
                        "PATCH" => json(request, r#"{"role":"reader"}"#),
                        _ => request,
                    }))
                };
                assert_eq!(ask(&there), ask(&absent), "{who} {method} {there}");
            }
        }
    }
    // A version that contradicts a hidden one is taken like any other, and changes nothing.
    let row = |number| {
        let answer = world.post("north", "main", &[tool(number, 1, "mine", &[GREEN], "")]);
        let mut said = answer.json();
        for unlike in ["id", "request_timestamp"] {
            said.as_object_mut().unwrap().remove(unlike);
        }
        (answer.status, said.to_string().replace(&id(number), "ID"))
    };
    assert_eq!(row(2), row(8));
    assert_eq!(world.names("boss", OBJECTS), ["open", "sesame", "mine"]);
}

/// Flawed design: what becomes of a reference that one wrote oneself says whether there is something at its end.
pub(crate) fn a06_a_reference_finds_nothing_out() {
    let mut world = World::with(&["north", "south"]);
    world.good(&["collection", "add", "theirs", "--write", "north"], "");
    let (there, absent) = (9, 8);
    world.import(&[], &[tool(there, 1, "sesame", &[STRICT], "")]);
    let note = |number: u32, about: u32| {
        format!(
            r#"{{"type":"note","spec_version":"2.1","id":"note--00000000-0000-4000-8000-{number:012}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","object_marking_refs":["{GREEN}"],"content":"x","object_refs":["{}"]}}"#,
            id(about)
        )
    };
    let uses = |number: u32, about: u32| {
        format!(
            r#"{{"type":"relationship","spec_version":"2.1","id":"relationship--00000000-0000-4000-8000-{number:012}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","object_marking_refs":["{GREEN}"],"relationship_type":"related-to","source_ref":"{0}","target_ref":"{0}"}}"#,
            id(about)
        )
    };
    for settings in [&[][..], &["hidden-references=withhold"]] {
        world.serve(settings);
        let sent = [note(1, there), note(2, absent), uses(3, there), uses(4, absent)];
        assert_eq!(world.post("north", "theirs", &sent).get("success_count"), 4);
        let path = "/exchange/collections/theirs/objects/";
        let got = world.get("north", path).list("objects");
        let expected: Vec<Value> = sent.iter().map(|object| serde_json::from_str(object).unwrap()).collect();
        assert_eq!(got, expected, "who brought them gets them as they were, whatever they refer to");
        assert!(!world.get("south", path).text().contains(&id(there)), "nobody else is told");
        world.end();
    }
}

/// Flawed design: whoever knows an object's id may write its next version, and revoke it.
pub(crate) fn a28_only_its_author_revokes_an_object() {
    let mut world = World::with(&["amina", "north", "south"]);
    world.serve(&[]);
    assert_eq!(world.post("amina", "main", &[tool(1, 1, "true", &[GREEN], MAKER)]).get("success_count"), 1);
    for (minute, author) in [(5, OTHER), (6, "")] {
        let forged = tool(1, minute, "false", &[GREEN], &format!(r#"{author}"revoked":true,"#));
        assert_eq!(world.post("north", "main", &[forged]).status, 202);
    }
    for who in ["amina", "north", "south"] {
        assert_eq!(world.names(who, &format!("{OBJECTS}?match[version]=all")), ["true"], "{who}");
    }
    // Its author does.
    let ended = tool(1, 3, "ended", &[GREEN], &format!(r#"{MAKER}"revoked":true,"#));
    world.post("amina", "main", &[ended]);
    assert_eq!(world.names("south", OBJECTS), ["ended"]);
}

/// Flawed design: the order of the book follows times that its writers claim, so that a record of 2099 hides what follows.
pub(crate) fn a28_times_in_the_future_move_no_order() {
    let mut world = World::with(&["north", "south"]);
    world.serve(&[]);
    let future = tool(1, 1, "future", &[GREEN], "").replace("\"modified\":\"2024", "\"modified\":\"2099");
    assert_eq!(world.post("north", "main", &[future]).get("success_count"), 1);
    let page = world.get("south", OBJECTS);
    let added = page.header("x-taxii-date-added-last").unwrap().to_owned();
    assert!(added.as_str() < "2099", "{added}");
    world.post("north", "main", &[tool(2, 1, "next", &[GREEN], "")]);
    assert_eq!(world.names("south", &format!("{OBJECTS}?added_after={added}")), ["next"]);
    let rows = world.get("south", &format!("{MAIN}/manifest/")).list("objects");
    assert!(rows.iter().all(|row| row["date_added"].as_str().unwrap() < "2099"), "{rows:?}");
}

/// Flawed design: the last copy that comes in wins, so that a relay that drops a marking widens what everyone holds.
pub(crate) fn a29_markings_are_not_dropped_by_adding_again() {
    let mut world = World::with(&["boss", "north"]);
    let (kept, bare) = (tool(1, 1, "kept", &[STRICT], MAKER), tool(1, 1, "kept", &[], MAKER));
    let wide = tool(2, 1, "wide", &[GREEN], MAKER);
    world.import(&[], &[kept.clone(), wide.clone()]);
    world.serve(&[]);
    // The same version without its marking, by a partner and by the operator; a next version by somebody else.
    let next = tool(1, 9, "kept", &[CLEAR], OTHER);
    for dropped in [bare.clone(), bare.replace(MAKER, &format!(r#"{MAKER}"object_marking_refs":["{CLEAR}"],"#)), next] {
        assert_eq!(world.post("north", "main", std::slice::from_ref(&dropped)).status, 202);
        assert_eq!(world.run(&["import", "-"], &dropped).code, 1, "kept aside");
    }
    assert_eq!(world.names("north", OBJECTS), ["wide"]);
    assert_eq!(world.get("boss", &format!("{OBJECTS}{}/?match[version]=all", id(1))).text().matches(STRICT).count(), 1);
    // What TLP means is nobody's to say.
    let definition = format!(
        r#"{{"type":"marking-definition","spec_version":"2.1","id":"{STRICT}","created":"2024-01-01T00:00:00.000Z","definition_type":"statement","definition":{{"statement":"for everyone"}}}}"#
    );
    world.post("north", "main", &[definition]);
    assert_eq!(world.names("north", OBJECTS), ["wide"]);
    // Nor is a restriction taken back by bringing the same again.
    world.good(&["restrict", &id(2), "--tlp", "amber+strict"], "");
    world.soon("wide is restricted", |world| world.names("north", OBJECTS).is_empty());
    world.post("north", "main", std::slice::from_ref(&wide));
    world.good(&["import", "-"], &wide);
    assert_eq!(world.names("north", &format!("{OBJECTS}?match[version]=all")), [""; 0]);
    assert!(!world.export("north").contains("wide"));
    assert_eq!(world.names("boss", OBJECTS), ["kept", "wide"]);
}

/// Flawed design: what a marking means is taken from whoever says it first.
pub(crate) fn a29_nobody_explains_the_markings_of_others() {
    let mut world = World::with(&["boss", "north", "south"]);
    let marking = "marking-definition--00000000-0000-4000-8000-000000000001";
    let definition = |tlp: &str, created: &str| {
        format!(
            r#"{{"type":"marking-definition","spec_version":"2.1","id":"{marking}","created":"{created}","object_marking_refs":["{CLEAR}"],"extensions":{{"extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a":{{"extension_type":"property-extension","tlp":"{tlp}","start_date":"2020-01-01T00:00:00Z"}}}}}}"#
        )
    };
    world.import(&[], &[tool(1, 1, "ours", &[marking], "")]);
    world.serve(&[]);
    world.post(
        "north",
        "main",
        &[definition("clear", "2020-01-01T00:00:00.000Z"), tool(2, 1, "theirs", &[marking], "")],
    );
    // Of what they bring themselves they may say it.
    world.soon("theirs is explained", |world| world.names("south", OBJECTS).contains(&"theirs".to_owned()));
    assert_eq!(world.names("south", OBJECTS), ["theirs"]);
    assert!(!world.export("south").contains("ours"));
    assert_eq!(world.run(&["why", "south", &id(1)], "").code, 1);
    // The word of whoever owns the node goes for everything.
    world.import(&[], &[definition("amber+strict", "2021-01-01T00:00:00.000Z")]);
    assert!(!world.export("south").contains("theirs"));
    world.soon("theirs is explained anew", |world| world.names("south", OBJECTS).is_empty());
    assert!(world.export("boss").contains("ours"));
}

/// Flawed design: rights are copied to the records, or to a cursor, when they are written.
pub(crate) fn a30_who_leaves_a_group_sees_nothing_at_once() {
    let mut world = World::with(&["north", "south"]);
    world.good(&["group", "add", "room", "--members", "CERT North,CERT South"], "");
    let objects: Vec<String> = (1..4).map(|number| tool(number, 1, "within", &[STRICT], "")).collect();
    world.import(&["--group", "room"], &objects);
    world.serve(&[]);
    let page = world.get("north", &format!("{OBJECTS}?limit=1"));
    let next = format!("{OBJECTS}?limit=1&next={}", page.get("next").as_str().unwrap());
    assert_eq!(world.names("north", &next), ["within"]);
    world.good(&["group", "change", "room", "--remove", "CERT North"], "");
    assert!(!world.export("north").contains("within"));
    assert_eq!(world.run(&["why", "north", &id(1)], "").code, 1);
    world.soon("north has left", |world| world.names("north", OBJECTS).is_empty());
    assert_eq!(world.names("north", &next), [""; 0], "nor by a cursor of before");
    assert_eq!(world.get("north", &format!("{OBJECTS}{}/", id(1))).status, 404);
    assert_eq!(world.names("south", OBJECTS).len(), 3);
    // A key that is taken back opens nothing any more.
    world.good(&["key", "remove", "of-south"], "");
    let ask = Request::new("GET", OBJECTS).by(&world.who("south")).with("Accept", TAXII);
    world.soon("the key is gone", |world| world.send(&ask).status == 401);
}
