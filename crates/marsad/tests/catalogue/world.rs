//! A node with partners, and the real binary on it.

use super::process::{Ended, Serving, good, marsad, run};
use super::wire::{Answer, Connection, Request};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
pub(crate) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(crate) const STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
pub(crate) const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

/// The members: name, role, organisation. The password of each is `NAME-password`.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("boss", "administrator", "Example CERT"),
    ("amina", "analyst", "Example CERT"),
    ("head", "administrator", "CERT North"),
    ("deputy", "administrator", "CERT North"),
    ("north", "analyst", "CERT North"),
    ("south", "analyst", "CERT South"),
];

/// A node of Example CERT, with two communities. It ends with the value.
pub(crate) struct World {
    folder: tempfile::TempDir,
    server: Option<Serving>,
    keys: Vec<(String, String)>,
}

/// The top of the source.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl World {
    /// A folder without a node.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: None, keys: Vec::new() }
    }

    /// A node with these of its members, each with a password and a key.
    pub(crate) fn with(members: &[&str]) -> Self {
        let mut world = Self::bare();
        world.good(&["init", "--organisation", "Example CERT"], "");
        for partner in ["CERT North", "CERT South"] {
            world.good(&["organisation", "add", partner, "--relation", "community"], "");
        }
        for (name, role, organisation) in MEMBERS.iter().filter(|(name, ..)| members.contains(name)) {
            let add = ["account", "add", name, "--role", role, "--organisation", organisation, "--password-stdin"];
            world.good(&add, &format!("{name}-password"));
            let key = world.good(&["key", "add", &format!("of-{name}"), "--account", name], "");
            world.keys.push(((*name).to_owned(), key));
        }
        world
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file beside the node.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = marsad(words);
        command.env("MARSAD_HOME", self.home()).env("TMPDIR", self.folder.path());
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, words: &[&str], input: &str) -> Ended {
        run(self.command(words), input)
    }

    /// Runs a command that must succeed; what it printed.
    pub(crate) fn good(&self, words: &[&str], input: &str) -> String {
        good(self.command(words), input).trim().to_owned()
    }

    /// What a command that must succeed says as JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[words, &["--json"]].concat(), "")).unwrap()
    }

    /// The lists of these things as they are, but for when keys were last used.
    pub(crate) fn lists(&self, things: &[&str]) -> Vec<Value> {
        let mut lists: Vec<Value> = things.iter().map(|thing| self.json(&[thing, "list"])).collect();
        for row in lists.iter_mut().flat_map(|list| list.as_array_mut().unwrap()) {
            row.as_object_mut().unwrap().remove("last_used");
        }
        lists
    }

    /// Takes objects in as the operator.
    pub(crate) fn import(&self, words: &[&str], objects: &[String]) {
        self.good(&[&["import"], words, &["-"]].concat(), &format!("[{}]", objects.join(",")));
    }

    /// What a viewer would be given as a file.
    pub(crate) fn export(&self, viewer: &str) -> String {
        self.good(&["export", "--as-viewer", viewer], "")
    }

    /// Serves on loopback. What it logs goes to `serve.log`.
    pub(crate) fn serve(&mut self, settings: &[&str]) {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        self.serve_with(&["--plain-http"].into_iter().chain(settings).collect::<Vec<_>>());
    }

    /// Serves over TLS, with a certificate that it makes for itself.
    pub(crate) fn serve_tls(&mut self) {
        self.serve_with(&[]);
    }

    fn serve_with(&mut self, words: &[&str]) {
        let log = std::fs::File::create(self.folder.path().join("serve.log")).unwrap();
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        self.server = Some(Serving::start(command.args(words).stderr(log)));
    }

    /// Ends the server, which writes down what is left to write.
    pub(crate) fn end(&mut self) -> String {
        assert_eq!(self.server.take().unwrap().end(), Some(0));
        std::fs::read_to_string(self.folder.path().join("serve.log")).unwrap()
    }

    pub(crate) fn address(&self) -> &str {
        self.server.as_ref().unwrap().address()
    }

    /// The `Authorization` of a member, by its key; nobody's is empty.
    pub(crate) fn who(&self, name: &str) -> String {
        let key = self.keys.iter().find(|(known, _)| known == name);
        key.map_or_else(String::new, |(_, key)| format!("Bearer {key}"))
    }

    /// One request on a connection of its own.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let mut connection = Connection::over(TcpStream::connect(self.address()).unwrap());
        connection.ask(&request.clone().with("Connection", "close")).expect("an answer")
    }

    /// A request without a body.
    pub(crate) fn ask(&self, name: &str, method: &str, path: &str) -> Answer {
        self.send(&Request::new(method, path).by(&self.who(name)))
    }

    pub(crate) fn get(&self, name: &str, path: &str) -> Answer {
        self.ask(name, "GET", path)
    }

    /// Adds objects over TAXII.
    pub(crate) fn post(&self, name: &str, collection: &str, objects: &[String]) -> Answer {
        let path = format!("/exchange/collections/{collection}/objects/");
        let body = format!(r#"{{"objects":[{}]}}"#, objects.join(","));
        self.send(&Request::new("POST", &path).by(&self.who(name)).carrying(body.as_bytes()))
    }

    /// A request of the API.
    pub(crate) fn api(&self, name: &str, method: &str, path: &str, body: &str) -> Answer {
        self.send(&json(Request::new(method, path).by(&self.who(name)), body))
    }

    /// The names of the objects that a member is given.
    pub(crate) fn names(&self, name: &str, path: &str) -> Vec<String> {
        let objects = self.get(name, path).list("objects");
        objects.iter().filter_map(|object| object["name"].as_str()).map(str::to_owned).collect()
    }

    /// Asks until it is so: a running node believes its register for a moment.
    pub(crate) fn soon(&self, what: &str, so: impl Fn(&Self) -> bool) {
        for _ in 0..500 {
            if so(self) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("it never came to be: {what}");
    }
}

/// With a body of JSON.
pub(crate) fn json(request: Request, body: &str) -> Request {
    request.carrying(body.as_bytes()).with("Content-Type", "application/json")
}

/// HTTP Basic.
pub(crate) fn basic(name: &str, password: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::from("Basic ");
    for three in format!("{name}:{password}").as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// `tool--…0007` for 7.
pub(crate) fn id(number: u32) -> String {
    format!("tool--00000000-0000-4000-8000-{number:012}")
}

/// A tool with its markings, in the version of a minute; `more` are further members, each with a comma behind it.
pub(crate) fn tool(number: u32, minute: u32, name: &str, markings: &[&str], more: &str) -> String {
    let markings = match markings {
        [] => String::new(),
        some => format!(r#""object_marking_refs":["{}"],"#, some.join(r#"",""#)),
    };
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:{minute:02}:00.000Z",{markings}{more}"name":"{name}"}}"#,
        id(number)
    )
}

/// A server on loopback that answers every request from its head, and keeps the heads. It ends with the test's process.
pub(crate) struct Stranger {
    pub(crate) address: String,
    heads: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Stranger {
    pub(crate) fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = std::sync::Arc::clone(&heads);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                // Kept first: whoever has the answer may look at once.
                let answer = answer(&head);
                kept.lock().unwrap().push(head);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, heads }
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}
