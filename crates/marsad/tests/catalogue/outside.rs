//! What leaves the process: programs that it starts (none), and connections that it makes.

use super::TAXII;
use super::world::{Stranger, World, root};
use std::path::{Path, PathBuf};

/// The program's own source: not its tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The files that hold one of these words.
fn holding(words: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(root().join("crates")).unwrap() {
        sources(&folder.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 200, "the source is not where it is looked for");
    let holds = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        words.iter().any(|word| text.contains(word))
    };
    let mut named: Vec<String> = files
        .iter()
        .filter(holds)
        .map(|path| path.strip_prefix(root().join("crates")).unwrap().to_str().unwrap().to_owned())
        .collect();
    named.sort();
    named
}

fn no_key_speaks_of(words: &[&str]) {
    for key in node::config::keys() {
        let spoken = key.path.split(['.', '-']).any(|part| words.contains(&part));
        assert!(!spoken, "{}", key.path);
    }
}

/// Flawed design: a setting, a feed or an upload names a command, a script or a library that the server then runs.
pub(crate) fn a14_nothing_starts_a_program() {
    let starting =
        ["process::Command", "Command::new", "libloading", "dlopen", "exec::", "posix_spawn", "include_str!(env"];
    assert_eq!(holding(&starting), [""; 0]);
    no_key_speaks_of(&["command", "exec", "script", "hook", "plugin", "module", "library", "shell", "template"]);
    assert!(!holding(&["tokio::spawn"]).is_empty(), "the scan finds what is there");
}

/// Flawed design: the fetcher follows wherever it is sent, into the operator's own network, and takes its credential along.
pub(crate) fn a16_redirects_lead_nowhere_inside_and_carry_no_credential() {
    let world = World::with(&[]);
    let inside = Stranger::start(|_| "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
    let to = format!("http://{}/taxii2/", inside.address);
    let moved = move |_: &str| {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    let named = Stranger::start(moved);
    let url = format!("http://{}/taxii2/", named.address);
    let pull = |allow: &str| {
        let words = ["pull", &url, "--collection", "x", "--user", "amina", "--password-stdin", "--set", allow];
        world.run(&words, "a-long-password")
    };
    assert_eq!(pull("egress.allow=").code, 3);
    assert_eq!(inside.heads(), [""; 0], "nobody led it there");
    assert!(named.heads().iter().all(|head| head.to_lowercase().contains("authorization: basic")));
    // Where the operator says that it may go, it goes without what it signs in with elsewhere.
    assert_eq!(pull("egress.allow=127.0.0.1").code, 3);
    assert!(!inside.heads().is_empty());
    assert!(!inside.heads().iter().any(|head| head.to_lowercase().contains("authorization")), "{:?}", inside.heads());
    // Nor does a discovery lead inside.
    let body =
        r#"{"title":"t","api_roots":["https://169.254.169.254/latest/","https://localhost:1/","https://10.0.0.1/"]}"#;
    let discovery = Stranger::start(move |_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {TAXII}\r\nContent-Length: {}", body.len());
        format!("{head}\r\nConnection: close\r\n\r\n{body}")
    });
    let said = world.run(&["pull", &format!("http://{}/taxii2/", discovery.address), "--collection", "x"], "");
    assert!(said.code == 3 && said.err.contains("egress.allow"), "{}", said.err);
}

/// Flawed design: a switch turns the verification of certificates off, and is on somewhere.
pub(crate) fn a17_certificates_are_always_verified() {
    // The module of rustls for verifiers of one's own: that of client certificates, which takes those that are pinned.
    let own = ["node/src/http/client_certificates.rs", "node/src/http/tls.rs"];
    assert_eq!(holding(&["::danger::", "dangerous()", "danger_accept"]), own);
    assert_eq!(holding(&["ServerCertVerifier", "danger_accept", "dangerous()", "SslVerify"]), [""; 0]);
    no_key_speaks_of(&["verify", "insecure", "skip", "unsafe", "trust"]);
    let mut world = World::with(&["north"]);
    world.serve_tls();
    let url = format!("https://{}/taxii2/", world.address());
    let key = world.who("north").replace("Bearer ", "");
    let other = World::with(&[]);
    let pull =
        |more: &[&str]| other.run(&[&["pull", &url, "--collection", "main", "--key-stdin"], more].concat(), &key);
    let said = pull(&[]);
    assert!(said.code == 3 && said.err.contains("certificate"), "{}", said.err);
    let authority = format!("egress.authorities={}", world.home().join("tls/certificate.pem").display());
    let said = pull(&["--set", &authority]);
    assert_eq!(said.code, 0, "with its own authority it is verified: {}", said.err);
}
