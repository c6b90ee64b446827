//! What comes in: names, texts, and what grows when it is opened.

use super::wire::Request;
use super::world::{GREEN, Stranger, World, basic, root, tool};
use std::io::Write as _;

const OBJECTS: &str = "/exchange/collections/main/objects/";

/// A zip file with one entry, which is stored as it is.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(content);
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes().to_vec();
    let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes().to_vec();
    let common = [
        [20, 0, 0, 0, 0, 0, 0, 0, 33, 0].to_vec(),
        sum.sum().to_le_bytes().to_vec(),
        long(content.len()),
        long(content.len()),
        short(name.len()),
        short(0),
    ]
    .concat();
    let entry = [b"PK\x03\x04".to_vec(), common.clone(), name.as_bytes().to_vec(), content.to_vec()].concat();
    let listed = [b"PK\x01\x02\x14\x00".to_vec(), common, vec![0; 14], name.as_bytes().to_vec()].concat();
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\x00\x01\x00".to_vec(), long(listed.len()), long(entry.len()), short(0)].concat();
    [entry, listed, end].concat()
}

/// Flawed design: a name from outside becomes a part of a path.
pub(crate) fn a15_names_from_outside_are_no_paths() {
    let mut world = World::with(&["boss"]);
    for name in ["../x", "x/../../y", "/etc/passwd", "..", "a/b", "a\\b"] {
        assert_ne!(world.run(&["collection", "add", name], "").code, 0, "{name}");
        assert_eq!(world.run(&["export", "--collection", name], "").code, 3, "{name}");
    }
    assert_ne!(world.run(&["account", "add", "../x", "--role", "reader"], "").code, 0);
    // What a packed file calls its parts is nowhere on the disk.
    let absolute = world.home().join("evil-of-zip.json").to_str().unwrap().to_owned();
    for (number, name) in ["../evil-of-zip.json", "../../evil-of-zip.json", &absolute, "config.toml"].iter().enumerate()
    {
        let number = u32::try_from(number).unwrap();
        let packed = world.file("packed.zip", zip(name, tool(number, 1, "in a zip", &[GREEN], "").as_bytes()));
        let said = world.run(&["import", &packed], "");
        assert!(said.code == 0 && said.out.contains("added 1"), "{name}: {said:?}");
    }
    let here = std::env::current_dir().unwrap();
    for folder in [world.home(), world.home().join(".."), world.home().join("../.."), here, root(), root().join("..")] {
        assert!(!folder.join("evil-of-zip.json").exists(), "{}", folder.display());
    }
    assert_eq!(world.run(&["config", "check"], "").code, 0, "nor was a file of the node replaced");
    assert_ne!(world.run(&["restore", &world.file("x.zip", zip("../secret", b"x")), "--home", &absolute], "").code, 0);
    // Nor does an object's id lead anywhere.
    let id = tool(9, 1, "x", &[GREEN], "").replace("tool--00000000", "tool--../../00000000");
    assert_eq!(world.run(&["import", "-"], &id).code, 1);
    world.serve(&[]);
    let secret = std::fs::read(world.home().join("config.toml")).unwrap();
    let start = String::from_utf8_lossy(&secret[..40]).into_owned();
    for path in [
        "/../config.toml",
        "/..%2fconfig.toml",
        "/%2e%2e/config.toml",
        "/exchange/../../config.toml",
        "/exchange/collections/..%2f..%2fconfig.toml/",
        "/exchange/collections/main/objects/..%2f..%2f..%2fconfig.toml/",
        "/exchange/status/..%2fconfig.toml/",
        "/api/accounts/..%2f..%2fconfig.toml",
        "/exchange/collections/main%00/objects/",
        "/exchange/collections/file:%2f%2f%2fetc%2fpasswd/",
    ] {
        let answer = world.get("boss", path);
        assert!(answer.status == 404 && !answer.text().contains(&start), "{path}: {}", answer.text());
    }
}

/// Text that a terminal, a log or a reader of right-to-left text would obey.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{202e}evil\nFAKE line\r\u{9b}2J";

fn harmless(what: &str, text: &str) {
    let obeyed =
        |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    assert!(!text.contains(obeyed), "{what}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with("FAKE")), "{what}: {text:?}");
}

/// Flawed design: text of partners is put into terminals, logs and pages as it came.
pub(crate) fn a18_text_of_partners_steers_no_terminal_log_or_browser() {
    let mut world = World::with(&["boss", "north"]);
    let escaped = serde_json::to_string(HOSTILE).unwrap();
    let inner = escaped.trim_matches('"');
    // What is refused is told with its id, its type and its value.
    let table = [
        tool(1, 1, "x", &[], "").replace("tool--0", &format!("tool--{inner}")),
        tool(1, 1, "x", &[], "").replace("\"tool\"", &escaped),
        tool(1, 1, "x", &[], "").replace("2024-01-01T00:01", inner),
        tool(1, 1, "x", &[], &format!("{escaped}:1,{escaped}:2,")),
        format!("[{escaped}"),
    ];
    for object in &table {
        for words in [&["import", "-"][..], &["validate", "-"], &["validate", "--strict", "-"]] {
            let said = world.run(words, object);
            assert_ne!(said.code, 0, "{words:?} {object}");
            harmless(object, &format!("{}{}", said.out, said.err));
        }
    }
    // What is taken is listed.
    world.run(&["collection", "add", "odd", "--title", HOSTILE, "--description", HOSTILE], "");
    world.run(&["organisation", "add", HOSTILE, "--relation", "public"], "");
    world.run(&["account", "add", HOSTILE, "--role", "reader"], "");
    world.run(&["group", "add", HOSTILE], "");
    for words in [
        &["collection", "list"][..],
        &["organisation", "list"],
        &["account", "list"],
        &["group", "list"],
        &["audit", "list"],
        &["why", HOSTILE, "x"],
        &["why", "boss", HOSTILE],
        &["export", "--as-viewer", HOSTILE],
        &["group", "remove", HOSTILE],
        &["pattern", "check", HOSTILE],
    ] {
        let said = world.run(words, "");
        harmless(&format!("{words:?}"), &format!("{}{}", said.out, said.err));
    }
    // What another server says is told.
    let body = format!(r#"{{"title":{escaped},"description":{escaped},"http_status":"400"}}"#);
    let answer = format!(
        "HTTP/1.1 400 Bad\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        super::TAXII,
        body.len()
    );
    let stranger = Stranger::start(move |_| answer.clone());
    let said = world.run(&["pull", &format!("http://{}/taxii2/", stranger.address), "--collection", "x"], "");
    assert_eq!(said.code, 3);
    harmless("pull", &format!("{}{}", said.out, said.err));

    world.serve(&["log.level=debug"]);
    let named = tool(2, 1, inner, &[GREEN], "");
    assert_eq!(world.post("north", "main", &[named]).get("success_count"), 1);
    for request in [
        Request::new("GET", "/exchange/collections/%1b%5d0;x%0aFAKE%e2%80%ae/objects/").by(&world.who("north")),
        Request::new("GET", "/api/accounts/%0aFAKE%1b").by(&world.who("north")),
        Request::new("GET", "/%0aFAKE%1b/"),
        Request::new("GET", OBJECTS).by(&world.who("north")).with("User-Agent", "\u{202e}x").with("X-A", "\u{9b}2J"),
        Request::new("GET", OBJECTS).by(&basic(HOSTILE, HOSTILE)),
        Request::new("GET", OBJECTS).by(&world.who("north")),
        Request::new("POST", OBJECTS).by(&world.who("north")).carrying(format!("{{{escaped}:1}}").as_bytes()),
    ] {
        // Whatever a browser makes of an answer, it is data.
        let answer = world.send(&request);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        let kind = answer.header("content-type").unwrap();
        assert!(kind.starts_with("application/") && kind.contains("json"), "{kind}");
    }
    harmless("the log", &world.end());
}

/// Flawed design: what is sent is unpacked, or walked, to its end before anybody asks how large it is.
pub(crate) fn a22_what_grows_too_far_is_refused() {
    let mut world = World::with(&["boss"]);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        packer.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bomb = packer.finish().unwrap();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let object = tool(1, 1, "x", &[], &format!(r#""x_deep":{},"#, &deep));
    let digits = tool(1, 1, "x", &[], &format!(r#""x_number":{},"#, "9".repeat(2_000_000)));
    let files = [("bomb.json.gz", bomb.clone()), ("deep.json", object.into()), ("digits.json", digits.clone().into())];
    for (name, content) in files {
        let file = world.file(name, content);
        let said = world.run(&["import", &file, "--set", "limits.max-unpacked-bytes=10000000"], "");
        assert_ne!(said.code, 0, "{name}: {}", said.out);
    }
    // Alternatives that a backtracking engine would try for ever are read in one go.
    let pattern = format!("[file:name MATCHES '{}a{}$']", "(".repeat(60), "+)+".repeat(60));
    world.run(&["pattern", "check", &pattern], "");
    world.serve(&[]);
    let request = |body: &[u8]| Request::new("POST", OBJECTS).by(&world.who("boss")).carrying(body);
    let packed = world.send(&request(&bomb).with("Content-Encoding", "gzip"));
    assert_eq!(packed.status, 413, "{}", packed.text());
    for body in [deep, format!(r#"{{"objects":{}}}"#, "[".repeat(100_000)), format!(r#"{{"objects":[{digits}]}}"#)] {
        let answer = world.send(&request(body.as_bytes()));
        let refused = [400, 413, 422].contains(&answer.status) || answer.get("failure_count") == 1;
        assert!(refused, "{}: {}", answer.status, answer.text());
    }
    assert_eq!(world.get("boss", OBJECTS).text(), "{}");
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for engine in ["fancy-regex", "pcre2", "onig", "regress"] {
        assert!(!lock.contains(&format!("name = \"{engine}\"")), "{engine} may run for ever");
    }
}

/// A bundle of STIX 2.0, whose observables are numbered within their object.
fn old_bundle(number: u32, address: &str) -> String {
    format!(
        r#"{{"type":"bundle","id":"bundle--00000000-0000-4000-8000-{number:012}","spec_version":"2.0","objects":[{{"type":"observed-data","id":"observed-data--00000000-0000-4000-8000-{number:012}","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","first_observed":"2020-01-01T00:00:00Z","last_observed":"2020-01-01T00:00:00Z","number_observed":1,"objects":{{"0":{{"type":"ipv4-addr","value":"{address}"}},"1":{{"type":"network-traffic","dst_ref":"0","protocols":["tcp"]}}}}}}]}}"#
    )
}

/// Flawed design: the converter keeps what it saw of one document for the next, which may be another organisation's.
pub(crate) fn a27_a_document_leaves_nothing_to_the_next() {
    let objects = |world: &World| {
        let bundle: serde_json::Value = serde_json::from_str(&world.good(&["export"], "")).unwrap();
        let mut objects: Vec<String> = bundle["objects"].as_array().unwrap().iter().map(ToString::to_string).collect();
        objects.sort();
        objects
    };
    let (first, second) = (old_bundle(1, "198.51.100.7"), old_bundle(2, "203.0.113.9"));
    let broken =
        first.replace("\"dst_ref\":\"0\"", "\"dst_ref\":\"7\"").replace("8000-000000000001", "8000-000000000003");
    let (alone, between) = (World::with(&[]), World::with(&[]));
    alone.good(&["import", &alone.file("b.json", &second)], "");
    let alone = objects(&alone);
    assert_eq!(alone.len(), 3, "{alone:?}");
    let files =
        [("a.json", &first), ("c.json", &broken), ("b.json", &second)].map(|(name, text)| between.file(name, text));
    between.run(&["import", &files[0], &files[1], &files[2]], "");
    let together = objects(&between);
    assert!(alone.iter().all(|object| together.contains(object)), "{alone:?} {together:?}");
    assert!(alone.iter().all(|object| !object.contains("198.51.100.7")), "{alone:?}");
}
