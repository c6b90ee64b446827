//! Secrets: where they are not.

use super::wire::Request;
use super::world::{World, basic, json};
use std::os::unix::fs::PermissionsExt as _;

const OBJECTS: &str = "/exchange/collections/main/objects/";

/// Flawed design: passwords and keys are kept as they are, and come back in a list, a log, a backup or an error.
pub(crate) fn a24_no_secret_is_stored_logged_or_listed() {
    let mut world = World::with(&["boss", "amina"]);
    world.serve(&["log.level=trace"]);
    let begun = world.api("", "POST", "/api/session", r#"{"name":"boss","password":"boss-password"}"#);
    let cookie = begun.header("set-cookie").unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let csrf = begun.get("csrf").as_str().unwrap().to_owned();
    let by_session = Request::new("POST", "/api/accounts/boss/totp").with("Cookie", &format!("marsad={cookie}"));
    let factor = world.send(&json(by_session, "{}").with("X-Marsad-CSRF", &csrf));
    let totp = factor.get("secret").as_str().unwrap().replace(' ', "");
    let made = world.api("boss", "POST", "/api/accounts", r#"{"name":"karim","role":"reader"}"#);
    let token = made.get("token").as_str().unwrap().to_owned();
    let more = world.api("boss", "POST", "/api/accounts/amina/keys", r#"{"name":"more"}"#);
    let key = more.get("key").as_str().unwrap().to_owned();
    let typed = "typed-in-the-wrong-place";
    for header in [basic("amina", "amina-password"), basic("amina", typed), basic(typed, ""), format!("Bearer {typed}")]
    {
        world.send(&Request::new("GET", OBJECTS).with("Authorization", &header));
    }
    let shown: Vec<String> =
        ["/api/accounts", "/api/accounts/amina", "/api/accounts/amina/keys", "/api/accounts/boss/sessions"]
            .iter()
            .map(|path| world.get("boss", path).text())
            .collect();
    let mut places: Vec<(String, Vec<u8>)> = vec![("answers".into(), shown.concat().into_bytes())];
    places.push(("the log".into(), world.end().into_bytes()));
    for words in
        [&["account", "list", "--json"][..], &["key", "list", "--json"], &["config", "show"], &["audit", "export"]]
    {
        places.push((words.join(" "), world.good(words, "").into_bytes()));
    }
    places.push(("doctor".into(), world.run(&["doctor"], "").out.into_bytes()));
    for entry in std::fs::read_dir(world.home()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "secret" {
            places.push((path.display().to_string(), std::fs::read(path).unwrap()));
        }
    }
    assert!(places.iter().any(|(name, _)| name.ends_with("marsad.db")) && places.len() > 8);
    let own = ["boss", "amina"].map(|name| world.who(name).replace("Bearer ", ""));
    let mut secrets: Vec<Vec<u8>> = ["boss-password", "amina-password", typed, &cookie, &csrf, &totp, &token, &key]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    secrets.extend(own.map(String::into_bytes));
    secrets.push(basic("amina", "amina-password").into_bytes());
    secrets.push(std::fs::read(world.home().join("secret")).unwrap());
    for (place, bytes) in &places {
        for secret in &secrets {
            assert!(secret.len() >= 10, "{}", String::from_utf8_lossy(secret));
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{} is in {place}", String::from_utf8_lossy(secret));
        }
    }
    // What must hold the secret is closed to others.
    let backup = world.home().join("../backup.zip");
    world.good(&["backup", backup.to_str().unwrap()], "");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&backup), mode(&world.home()), mode(&world.home().join("secret"))), (0o600, 0o700, 0o600));
}

/// Flawed design: the program brings a secret along, or runs with one that an example told the operator to change.
pub(crate) fn a25_no_node_runs_with_a_secret_that_was_typed() {
    let (world, other) = (World::with(&["boss"]), World::with(&[]));
    let file = world.home().join("secret");
    let made = std::fs::read(&file).unwrap();
    assert_eq!(made.len(), 32);
    assert_ne!(made, std::fs::read(other.home().join("secret")).unwrap());
    let uses = || world.run(&["key", "add", &format!("k{}", node::clock::now()), "--account", "boss"], "");
    for secret in [
        &b""[..],
        b"secret",
        &[0; 32],
        &[1; 31],
        &[1; 33],
        b"change-me-change-me-change-me-cha",
        b"CHANGEME_CHANGEME_CHANGEME_CHANG",
    ] {
        std::fs::write(&file, secret).unwrap();
        let said = uses();
        assert!(said.code == 3 && said.err.contains("restore it from a backup"), "{secret:?}: {said:?}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(uses().code, 3, "it is not made anew: what rests on the old one would be void");
    std::fs::write(&file, made).unwrap();
    assert_eq!(uses().code, 0);
}
