//! Who somebody is, and whom they administer.

use super::wire::{Answer, Connection, Request};
use super::world::{World, basic, json};
use ledger::People as _;

const OBJECTS: &str = "/exchange/collections/main/objects/";

/// Flawed design: an administrator of one organisation reaches whoever has a higher role, by any of the member's things.
pub(crate) fn a07_no_administrator_reaches_above_itself() {
    let mut world = World::with(&["boss", "head", "deputy", "north"]);
    world.serve(&[]);
    let before = world.json(&["account", "list"]);
    let (role, password) = (r#"{"role":"administrator"}"#, r#"{"password":"correct horse battery"}"#);
    for (who, method, path, body, status) in [
        ("head", "PATCH", "/api/accounts/boss", r#"{"role":"reader"}"#, 404),
        ("head", "PATCH", "/api/accounts/boss", password, 404),
        ("head", "POST", "/api/accounts/boss/keys", r#"{"name":"mine"}"#, 404),
        ("head", "POST", "/api/accounts/boss/totp", "{}", 404),
        ("head", "POST", "/api/accounts/boss/recovery", r#"{"code":"000000"}"#, 404),
        ("head", "DELETE", "/api/accounts/boss/sessions", "", 404),
        ("head", "DELETE", "/api/accounts/boss", "", 404),
        // Its like, and itself.
        ("head", "PATCH", "/api/accounts/deputy", r#"{"role":"reader"}"#, 403),
        ("head", "PATCH", "/api/accounts/deputy", password, 403),
        ("head", "POST", "/api/accounts/deputy/keys", r#"{"name":"mine"}"#, 403),
        ("head", "DELETE", "/api/accounts/deputy", "", 403),
        ("head", "PATCH", "/api/accounts/head", role, 403),
        ("head", "PATCH", "/api/accounts/north", role, 403),
        ("head", "POST", "/api/accounts", r#"{"name":"x","role":"administrator"}"#, 403),
        ("head", "POST", "/api/accounts", r#"{"name":"x","role":"reader","organisation":"Example CERT"}"#, 403),
        ("north", "PATCH", "/api/accounts/north", role, 403),
        ("north", "PATCH", "/api/accounts/head", r#"{"role":"reader"}"#, 404),
        ("north", "POST", "/api/accounts", r#"{"name":"x","role":"reader"}"#, 403),
        ("", "PATCH", "/api/accounts/north", role, 401),
    ] {
        let answer = world.api(who, method, path, body);
        assert_eq!(answer.status, status, "{who} {method} {path} {body}: {}", answer.text());
    }
    assert_eq!(world.json(&["account", "list"]), before);
    // What is theirs to do is done.
    for (who, path) in [("head", "/api/accounts/north"), ("boss", "/api/accounts/head")] {
        assert_eq!(world.api(who, "PATCH", path, r#"{"role":"publisher"}"#).status, 204, "{who}");
    }
}

/// Flawed design: an empty password, an account without one, or a default of the program signs in.
pub(crate) fn a08_nothing_is_no_credential() {
    let mut world = World::with(&["boss"]);
    assert_eq!(world.json(&["account", "list"]).as_array().unwrap().len(), 2, "boss, and admin, whom `init` made");
    world.serve(&["accounts.attempts-per-minute=1000"]);
    let mut tries = vec!["Basic".to_owned(), "Basic Og==".into(), "Bearer".into(), "Bearer  ".into(), " ".into()];
    for name in ["admin", "boss", "root", ""] {
        // The last is what unknown names are compared with.
        tries.extend(["", " ", "admin", "password", "\0", "null", "nobody's password"].map(|word| basic(name, word)));
    }
    for credential in &tries {
        for path in [OBJECTS, "/api/session", "/api/accounts"] {
            let answer = world.send(&Request::new("GET", path).with("Authorization", credential));
            assert_eq!(answer.status, 401, "{credential} {path}");
        }
    }
    for (path, body, status) in [
        ("/api/session", r#"{"name":"admin","password":""}"#, 401),
        ("/api/session", r#"{"name":"admin","password":"nobody's password"}"#, 401),
        ("/api/session", r#"{"name":"","password":""}"#, 401),
        ("/api/session", r#"{"name":"admin","password":null}"#, 400),
        ("/api/session", r#"{"name":"admin"}"#, 400),
        ("/api/first-sign-in", r#"{"name":"boss","token":"","password":"correct horse battery"}"#, 401),
        ("/api/first-sign-in", r#"{"name":"admin","token":"","password":"correct horse battery"}"#, 401),
        ("/api/first-sign-in", r#"{"name":"admin","token":null,"password":"correct horse battery"}"#, 400),
    ] {
        assert_eq!(world.api("", "POST", path, body).status, status, "{path} {body}");
    }
    for least in ["0", "12"] {
        let least = format!("accounts.min-password-length={least}");
        assert_ne!(world.run(&["account", "password", "boss", "--password-stdin", "--set", &least], "").code, 0);
    }
    let signed_in = Request::new("GET", OBJECTS).with("Authorization", &basic("boss", "boss-password"));
    assert_eq!(world.send(&signed_in).status, 200);
}

/// Flawed design: whoever has a mail address at the provider becomes the member with that address.
pub(crate) fn a09_an_identity_is_issuer_and_subject() {
    let world = World::with(&["boss", "amina"]);
    world.good(&["account", "add", "karim@example.org", "--role", "administrator"], "");
    let link = |name, issuer, subject| {
        world.run(&["account", "link", name, "--issuer", issuer, "--subject", subject], "").code
    };
    assert_eq!(link("amina", "https://id.example", "7"), 0);
    assert_ne!(link("boss", "https://id.example", "7"), 0, "one identity is one member");
    let book = ledger::sqlite::Book::open(&world.home().join("marsad.db"), node::clock::now()).unwrap();
    for (issuer, subject, member) in [
        ("https://id.example", "7", Some("amina")),
        ("https://id.example/", "7", None),
        ("https://ID.example", "7", None),
        ("https://other.example", "7", None),
        ("https://id.example", "07", None),
        ("https://id.example", "amina", None),
        ("https://id.example", "karim@example.org", None),
        ("", "karim@example.org", None),
        ("", "", None),
    ] {
        let found = book.link(issuer, subject).unwrap().map(|link| link.account);
        assert_eq!(found.as_deref(), member, "{issuer} {subject}");
    }
}

/// A connection from another address of this machine.
fn from(address: &str, world: &World) -> Connection {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let socket = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        socket.connect(world.address().parse().unwrap()).await.unwrap().into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    Connection::over(socket)
}

/// Flawed design: guesses are counted by address, by method, by endpoint, or by the name as it is spelled.
pub(crate) fn a10_a_name_has_so_many_guesses_however_they_come() {
    let mut world = World::with(&["boss", "amina"]);
    world.serve(&["accounts.attempts-per-minute=4"]);
    let ask = |place: u8, request: &Request| -> Answer {
        from(&format!("127.0.0.{place}"), &world).ask(&request.clone().with("Connection", "close")).unwrap()
    };
    let by = |method: &str, name: &str, word: &str| {
        let path = if method == "DELETE" { format!("{OBJECTS}{}/", super::world::id(1)) } else { OBJECTS.to_owned() };
        Request::new(method, &path).by(&basic(name, word))
    };
    let session = |name: &str, word: &str| {
        json(Request::new("POST", "/api/session"), &format!(r#"{{"name":"{name}","password":"{word}"}}"#))
    };
    let token = r#"{"name":"bo\u200bss","token":"marsad_once_x","password":"correct horse battery"}"#;
    let token = json(Request::new("POST", "/api/first-sign-in"), token);
    for (place, request, status) in [
        (1, by("GET", "boss", "wrong"), 401),
        (2, by("HEAD", "BOSS", "wrong"), 401),
        (3, session(" Boss", "wrong"), 401),
        (4, token, 401),
        // Now the right one is not judged any more, wherever it comes from.
        (5, by("GET", "boss", "boss-password"), 429),
        (6, by("DELETE", "ＢＯＳＳ", "boss-password"), 429),
        (7, session("boss", "boss-password"), 429),
        // Nobody else pays for it, and a key is no guess.
        (8, by("GET", "amina", "amina-password"), 200),
        (9, Request::new("GET", OBJECTS).by(&world.who("boss")), 200),
    ] {
        let answer = ask(place, &request);
        assert_eq!(answer.status, status, "{place}: {}", answer.text());
    }
}

/// Flawed design: a header that a proxy would set is believed from anybody.
pub(crate) fn a11_headers_from_outside_give_nothing() {
    let mut world = World::with(&["boss", "head", "north"]);
    let bound = world.good(&["key", "add", "bound", "--account", "boss", "--from", "192.0.2.0/24"], "");
    world.import(&[], &[super::world::tool(1, 1, "open", &[super::world::GREEN], "")]);
    world.serve(&["accounts.attempts-per-minute=6", "public-url=https://cti.example.org"]);
    let claims = [
        ("X-Forwarded-User", "boss"),
        ("X-Remote-User", "boss"),
        ("Remote-User", "boss"),
        ("X-MISP-AUTH", "boss"),
        ("X-Marsad-Member", "boss"),
        ("X-Marsad-Role", "administrator"),
        ("X-SSL-Client-Verify", "SUCCESS"),
        ("X-SSL-Client-S-DN", "CN=boss"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Original-URL", "/api/accounts"),
        ("X-Rewrite-URL", "/api/accounts"),
        ("X-HTTP-Method-Override", "DELETE"),
    ];
    for (path, strangers) in [("/api/accounts", 401), (OBJECTS, 401), ("/health", 200), ("/metrics", 404)] {
        for who in ["", "north", "head"] {
            let plain = Request::new("GET", path).by(&world.who(who));
            let expected = world.send(&plain);
            let bytes = |answer: &Answer| {
                let id = answer.text().split("\"error_id\":\"").nth(1).map_or_else(String::new, |id| id[..16].into());
                answer.text().replace(&id, "")
            };
            for (name, value) in claims {
                let answer = world.send(&plain.clone().with(name, value));
                assert_eq!((answer.status, bytes(&answer)), (expected.status, bytes(&expected)), "{who} {path} {name}");
            }
            assert!(!who.is_empty() || expected.status == strangers, "{path}: {}", expected.status);
        }
    }
    assert_eq!(world.names("north", OBJECTS), ["open"], "nothing was deleted");
    assert_eq!(world.get("boss", "/metrics").status, 200);
    // An address is where the connection comes from: for a key that is bound to one, and for guesses.
    for header in ["X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"] {
        let request = Request::new("GET", OBJECTS).by(&format!("Bearer {bound}")).with(header, "192.0.2.7");
        assert_eq!(world.send(&request.with("Forwarded", "for=192.0.2.7")).status, 401, "{header}");
    }
    let guess = |turn: u8| {
        let request = Request::new("GET", OBJECTS).by(&basic(&format!("name{turn}"), "wrong"));
        world.send(&request.with("X-Forwarded-For", &format!("203.0.113.{turn}"))).status
    };
    assert_eq!([guess(1), guess(2), guess(3)], [401, 401, 429]);
}
