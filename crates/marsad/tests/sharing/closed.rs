//! What is sent is read as closed, whole and on purpose.

use super::node::{GREEN, Node, id, tool};

#[test]
fn inputs_are_closed() {
    let node = Node::start();
    node.import(&[tool(1, 1, GREEN)]);
    let group = node.command(&["group", "add", "one", "--until", "2030-01-01T00:00:00Z"], "");
    let of_group = format!("/api/groups/{group}");
    let restrict = format!("/api/objects/{}/restrict", id("tool", 1));
    let marking = "/api/markings/marking-definition--5f8a2c1e-91f0-4c7d-a7e4-0d6f6b1c2a3b".to_owned();
    let tlp = format!("/api/markings/{GREEN}");
    let (groups, organisations) = ("/api/groups".to_owned(), "/api/organisations".to_owned());
    let north = "/api/organisations/CERT North".to_owned();
    let identity = r#"["identity--733c5838-34d9-4fbf-949c-62aba761184c"]"#;
    let why = |query: &str| format!("/api/why?{query}");
    let signs = format!(r#"{{"identities":{identity}}}"#);
    let signs_too = format!(r#"{{"name":"late","relation":"client","identities":{identity}}}"#);
    let table: [(&str, &String, &str, u16); 41] = [
        ("POST", &groups, r#"{"name":"x","id":"00000000-0000-4000-8000-000000000000"}"#, 400),
        ("POST", &groups, "[]", 400),
        ("POST", &groups, r#"{"name":""}"#, 422),
        ("POST", &groups, r#"{"name":"a/b"}"#, 422),
        ("POST", &groups, r#"{"name":"one"}"#, 409),
        ("POST", &groups, r#"{"name":"ONE"}"#, 409),
        ("POST", &groups, r#"{"name":"x","members":["one"]}"#, 422),
        ("POST", &groups, r#"{"name":"x","members":["nobody"]}"#, 422),
        ("POST", &groups, r#"{"name":"x","owner":"nobody"}"#, 422),
        ("POST", &groups, r#"{"name":"x","from":"2027-01-01T00:00:00Z","until":"2027-01-01T00:00:00Z"}"#, 422),
        ("POST", &groups, r#"{"name":"x","from":"soon"}"#, 422),
        ("PATCH", &of_group, r#"{"from":"2031-01-01T00:00:00Z"}"#, 422),
        ("PATCH", &of_group, r#"{"from":"2031-01-01T00:00:00Z","until":null}"#, 200),
        ("PATCH", &of_group, r#"{"until":"2030-01-01T00:00:00Z"}"#, 422),
        ("PATCH", &of_group, r#"{"add":["one"]}"#, 422),
        ("PATCH", &of_group, r#"{"colour":"red"}"#, 400),
        ("PUT", &of_group, "{}", 405),
        ("POST", &organisations, r#"{"name":"x","relation":"friend"}"#, 422),
        ("POST", &organisations, r#"{"name":"CERT NORTH","relation":"client"}"#, 409),
        ("POST", &organisations, r#"{"name":"x"}"#, 400),
        ("PATCH", &north, r#"{"ceiling":"yellow"}"#, 422),
        ("PATCH", &north, r#"{"personal":["email=eat"]}"#, 422),
        ("PATCH", &north, r#"{"identities":["tool--1"]}"#, 422),
        ("PATCH", &north, &signs, 200),
        // One organisation's identity; nothing of what is refused is left.
        ("POST", &organisations, &signs_too, 422),
        ("POST", &organisations, r#"{"name":"late","relation":"client"}"#, 201),
        ("PATCH", &north, r#"{"name":"x"}"#, 400),
        ("PUT", &marking, r#"{"meaning":"anything"}"#, 422),
        ("PUT", &marking, r#"{"meaning":"group:none"}"#, 422),
        ("PUT", &marking, r#"{"meaning":"group:one"}"#, 200),
        ("PUT", &tlp, r#"{"meaning":"statement"}"#, 422),
        ("POST", &restrict, "{}", 422),
        ("POST", &restrict, r#"{"tlp":"yellow"}"#, 422),
        ("POST", &restrict, r#"{"tlp":"green","to":["reader@own"]}"#, 422),
        ("POST", &restrict, r#"{"tlp":"red","to":["nobody"]}"#, 422),
        ("POST", &restrict, r#"{"group":"none"}"#, 422),
        ("POST", &restrict, r#"{"embargo":"7d"}"#, 422),
        ("POST", &restrict, r#"{"audience":"community","owner":"x"}"#, 400),
        ("GET", &why(""), "", 400),
        ("GET", &why(&format!("object={0}&object={0}", id("tool", 1))), "", 400),
        ("GET", &why(&format!("object={}&at=now", id("tool", 1))), "", 400),
    ];
    for (method, path, body, status) in table {
        let answer = node.ask("partner-manager@own", method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
    }
    assert_eq!(node.names("reader@north"), ["t1/1"], "nothing was narrowed");
}

/// A browser is made to send by other sites: not JSON, and not the token of its session.
#[test]
fn a_session_needs_its_token_and_a_body_its_type() {
    let node = Node::start();
    let text = [("Content-Type", "text/plain")];
    let answer = node.send("POST", "/api/groups", "partner-manager@own", &text, r#"{"name":"x"}"#);
    assert_eq!(answer.status, 415, "{}", answer.body);
    let signed = r#"{"name":"partner-manager@own","password":"partner-manager@own-password"}"#;
    let answer = node.ask("", "POST", "/api/session", signed);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
    let line = answer.head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).unwrap();
    let cookie = line.split_once(':').unwrap().1.trim().split(';').next().unwrap().to_owned();
    let with = |token: &str, name: &str| {
        let headers = [("Content-Type", "application/json"), ("Cookie", &cookie), ("X-Marsad-CSRF", token)];
        node.send("POST", "/api/groups", "", &headers, &format!(r#"{{"name":"{name}"}}"#)).status
    };
    assert_eq!((with("", "a"), with("wrong", "b"), with(&csrf, "c")), (403, 403, 201));
    let groups = node.get("partner-manager@own", "/api/groups").json();
    assert_eq!(groups["groups"].as_array().unwrap().len(), 1);
}
