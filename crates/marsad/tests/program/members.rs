//! `marsad init`, `account`, `organisation`, `key`, `collection`, `doctor`: exit codes, both streams, shapes of the JSON.

use super::node::Node;
use super::process::Ended;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

fn bare() -> Node {
    Node::bare().told_by_flag()
}

fn fresh() -> Node {
    bare().made("Example CERT")
}

#[test]
fn a_node_is_made_once_and_its_token_shown_once() {
    let node = bare();
    let Ended { code, out, err } = node.run(&["init", "--organisation", "Example CERT", "--admin", "amina"], "");
    assert_eq!(code, 0, "{err}");
    let token = out.trim();
    assert!(token.len() > 40 && !token.contains(char::is_whitespace), "{out}");
    assert!(!err.contains(token), "the token is on standard output alone");
    let mode = |name: &str| node.home().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("secret"), mode("tls")), (0o700, 0o600, 0o700));
    let database = std::fs::read(node.home().join("marsad.db")).unwrap();
    assert!(!database.windows(token.len()).any(|window| window == token.as_bytes()), "only its hash is kept");

    assert_eq!(node.run(&["init", "--organisation", "Other"], "").code, 3);
    let foreign = bare();
    std::fs::create_dir(foreign.home()).unwrap();
    std::fs::write(foreign.home().join("holiday.jpg"), "").unwrap();
    assert_eq!(foreign.run(&["init", "--organisation", "Other"], "").code, 3);
    assert_eq!(std::fs::read_dir(foreign.home()).unwrap().count(), 1, "nothing was added");
    for organisation in ["", " padded", "a\u{202e}b"] {
        let node = bare();
        assert_eq!(node.run(&["init", "--organisation", organisation], "").code, 2, "{organisation:?}");
        assert!(!node.home().exists());
    }
    assert_eq!(bare().run(&["init"], "").code, 2);
    let made = bare().json(&["init", "--organisation", "X"]);
    assert_eq!((&made["administrator"], &made["collection"]), (&json!("admin"), &json!("main")));
}

#[test]
fn accounts() {
    let node = fresh();
    let Ended { code, out: password, .. } = node.run(&["account", "add", "amina", "--role", "analyst"], "");
    assert_eq!(code, 0);
    assert_eq!(password.lines().count(), 1);
    let Ended { code, out, .. } =
        node.run(&["account", "add", "omar", "--role", "partner-manager", "--password-stdin"], "correct horse\n");
    assert_eq!((code, out.as_str()), (0, ""), "a password that was given is not printed");
    let listed = node.json(&["account", "list"]);
    let row = |name, role, password| json!({"name": name, "role": role, "organisation": "Example CERT", "relation": "self", "password": password});
    assert_eq!(
        listed,
        json!([
            row("admin", "administrator", false),
            row("amina", "analyst", true),
            row("omar", "partner-manager", true)
        ])
    );
    for (args, input, expected) in [
        (&["account", "add", "amina", "--role", "reader"][..], "", 3),
        (&["account", "add", "AMINA", "--role", "reader"], "", 3),
        (&["account", "add", "x", "--role", "emperor"], "", 2),
        (&["account", "add", "a:b", "--role", "reader"], "", 2),
        (&["account", "add", "x", "--role", "reader", "--password-stdin"], "", 2),
        (&["account", "add", "x", "--role", "reader", "--organisation", "nobody"], "", 3),
        (&["account", "add", "x", "--role", "reader", "--password-stdin"], "elevenchars", 3),
        (&["account", "password", "amina", "--password-stdin"], "too short", 3),
        (&["account", "role", "amina", "publisher"], "", 0),
        (&["account", "role", "amina", "emperor"], "", 2),
        (&["account", "role", "nobody", "reader"], "", 3),
        (&["account", "role", "admin", "reader"], "", 3),
        (&["account", "recovery", "amina"], "", 3),
        (&["account", "totp", "amina", "remove"], "", 3),
        (&["account", "totp", "amina", "enrol", "--digits", "7"], "", 3),
        (&["account", "totp", "amina", "enrol", "--algorithm", "MD5"], "", 2),
        (&["account", "totp", "amina", "enrol", "--code", "123456"], "", 3),
        (&["account", "totp", "nobody", "enrol"], "", 3),
        (&["account", "totp", "amina", "enrol"], "", 0),
        (&["account", "sessions", "amina", "end"], "", 0),
        (&["account", "sessions", "amina", "end", "0123456789abcdef"], "", 3),
        (&["account", "sessions", "nobody", "list"], "", 3),
        (&["account", "certificate", "amina", "add", "/dev/null"], "", 3),
        (&["account", "certificate", "amina", "remove", "xyz"], "", 2),
        (&["account", "certificate", "amina", "list"], "", 0),
        (&["account", "link", "amina", "--issuer", "https://id.example", "--subject", "7"], "", 0),
        (&["account", "link", "omar", "--issuer", "https://id.example", "--subject", "7"], "", 3),
        (&["account", "link", "omar", "--issuer", "https://id.example", "--subject", ""], "", 3),
        (&["account", "unlink", "omar", "--issuer", "https://id.example", "--subject", "7"], "", 3),
        (&["account", "unlink", "amina", "--issuer", "https://id.example", "--subject", "7"], "", 0),
        (&["account", "password", "nobody"], "", 3),
        (&["account", "password", "amina", "--password-stdin"], "another long password", 0),
        (&["account", "remove", "nobody"], "", 3),
        (&["account", "remove", "admin"], "", 3),
        (&["account", "remove", "omar"], "", 0),
    ] {
        assert_eq!(node.run(args, input).code, expected, "{args:?}");
    }
}

#[test]
fn organisations_keys_and_collections() {
    let node = fresh();
    for relation in ["self", "client", "community", "public"] {
        assert_eq!(node.run(&["organisation", "add", relation, "--relation", relation], "").code, 0, "{relation}");
    }
    assert_eq!(node.run(&["organisation", "add", "X", "--relation", "friend"], "").code, 2);
    assert_eq!(node.run(&["organisation", "add", "SELF", "--relation", "client"], "").code, 3);
    assert_eq!(node.json(&["organisation", "list"]).as_array().unwrap().len(), 5);
    // Another organisation may stand to ours as `self`; ours stays the owner.
    assert_eq!(node.run(&["account", "add", "amina", "--role", "reader"], "").code, 0);
    assert_eq!(node.json(&["account", "list"])[1]["organisation"], "Example CERT");

    let Ended { code, out: key, .. } =
        node.run(&["key", "add", "machine", "--scope", "write,read", "--expires", "90d"], "");
    assert_eq!((code, key.lines().count()), (0, 1));
    let listed = node.json(&["key", "list"]);
    assert_eq!((&listed[0]["account"], &listed[0]["scope"]), (&json!("admin"), &json!(["read", "write"])));
    assert!(!listed.to_string().contains(key.trim()), "the secret is nowhere");
    let Ended { code, .. } = node.run(&["key", "add", "bound", "--from", "192.0.2.0/24,::ffff:198.51.100.7"], "");
    let listed = node.json(&["key", "list"]);
    assert_eq!((code, &listed[0]["from"]), (0, &json!(["192.0.2.0/24", "198.51.100.7/32"])));
    for (args, expected) in [
        (&["key", "add", "machine"][..], 3),
        (&["key", "add", "other", "--account", "nobody"], 3),
        (&["key", "add", "other", "--scope", "everything"], 2),
        (&["key", "add", "other", "--expires", "yesterday"], 2),
        (&["key", "add", "other", "--from", "192.0.2.7/24"], 2),
        (&["key", "add", "other", "--from", "example.org"], 2),
        (&["key", "remove", "bound"], 0),
        (&["key", "remove", "nothing"], 3),
        (&["key", "remove", "machine"], 0),
        (&["collection", "add", "phishing", "--read", "anyone", "--write", "Client,AMINA"], 0),
        (&["collection", "add", "phishing"], 3),
        (&["collection", "add", "UPPER"], 2),
        (&["collection", "add", "a/b"], 2),
        (&["collection", "add", "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"], 2),
        (&["collection", "add", "x", "--id", "no-uuid"], 2),
        (&["collection", "add", "x", "--read", "stranger"], 3),
        (&["collection", "add", "fixed", "--id", "91A7B528-80EB-42ED-A74D-C6FBD5A26116"], 0),
        (&["collection", "remove", "nothing"], 3),
    ] {
        assert_eq!(node.run(args, "").code, expected, "{args:?}");
    }
    let listed = node.json(&["collection", "list"]);
    assert_eq!((&listed[1]["read"], &listed[1]["write"]), (&json!("anyone"), &json!(["client", "amina"])));
    assert_eq!(listed[2]["id"], "91a7b528-80eb-42ed-a74d-c6fbd5a26116");
    assert_eq!(node.run(&["collection", "remove", "phishing"], "").code, 0);
    assert_eq!(node.json(&["collection", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let node = fresh();
    assert_eq!(node.json(&["doctor"])["healthy"], json!(true));
    let secret = node.home().join("secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(node.home().join("config.toml"), "frobnicate = 1\n").unwrap();
    let Ended { code, out, .. } = node.run(&["doctor", "--json"], "");
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &value["healthy"]), (1, &json!(false)));
    let bad: Vec<&str> = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["health"] == "bad")
        .map(|finding| finding["about"].as_str().unwrap())
        .collect();
    assert_eq!(bad, ["permissions", "configuration"]);
    assert!(value["findings"].as_array().unwrap().iter().all(|f| f["health"] == "good" || f["next"].is_string()));
    // Commands that need the configuration refuse it, too.
    assert_eq!(node.run(&["collection", "list"], "").code, 2);
}
