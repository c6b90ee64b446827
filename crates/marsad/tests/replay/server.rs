//! The real binary on a seeded home, and a plain HTTP client for it.

use super::exchange::Answer;
use super::process::{Serving, good, marsad};
use ledger::{Collection, CollectionNo, Dialect, Entry, Ledger, Receipt, Register, Submission, Version, Who};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whom the recorded member is replaced by: `replay` with the password `replay-password`.
pub(crate) const AUTHORIZATION: &str = "Basic cmVwbGF5OnJlcGxheS1wYXNzd29yZA==";

/// A home with the collections and objects of a recorded server.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    settings: Vec<String>,
}

/// One object to seed.
pub(crate) struct Seed {
    pub(crate) collection: String,
    pub(crate) body: serde_json::Value,
    pub(crate) dialect: Dialect,
    /// Whether everyone may see it.
    pub(crate) open: bool,
    /// When it was added, as a timestamp.
    pub(crate) added: String,
}

impl Home {
    /// Makes a home with one member.
    pub(crate) fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap(), settings: Vec::new() };
        good(home.command(&["init", "--organisation", "Replay"]), "");
        home.book().remove_collection("main").unwrap();
        let add = home.command(&["account", "add", "replay", "--role", "analyst", "--password-stdin"]);
        good(add, "replay-password");
        home
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = marsad(words);
        command.arg("--home").arg(self.path());
        command
    }

    /// Opens the book beside the server, as any command does.
    pub(crate) fn book(&self) -> ledger::sqlite::Book {
        ledger::sqlite::Book::open(&self.path().join("marsad.db"), node::clock::now()).unwrap()
    }

    /// Adds a collection under the recorded id.
    pub(crate) fn collection(&self, id: &str, alias: &str, title: &str, read: Who, write: Who) {
        let collection = Collection {
            no: CollectionNo(0),
            id: id.into(),
            alias: alias.into(),
            title: title.into(),
            description: None,
            read,
            write,
        };
        self.book().add_collection(&collection).unwrap();
    }

    /// Appends the objects at the recorded times, oldest first.
    pub(crate) fn seed(&self, mut seeds: Vec<Seed>) {
        let book = self.book();
        let own = policy::Class { owner: "Replay".into(), ..policy::Class::default() };
        let clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
        let open = policy::Class { markings: vec![clear.into()], ..own.clone() };
        let [own, open] = [own, open].map(|class| {
            book.class(&class.to_definition(), &[b"open".as_slice(), &class.to_definition()].concat()).unwrap()
        });
        seeds.sort_by(|a, b| a.added.cmp(&b.added));
        for seed in seeds {
            let text = seed.body.to_string();
            let member = |name: &str| seed.body.get(name).and_then(serde_json::Value::as_str);
            let version = member("modified").or(member("created"));
            let parsed = version.map(|text| stix::timestamp::Timestamp::parse(text).unwrap());
            let class = if seed.open { open } else { own };
            let entry = Entry {
                collection: book.collection(&seed.collection).unwrap().unwrap().no,
                key: member("id").unwrap(),
                kind: member("type").unwrap(),
                version: parsed.as_ref().map(|at| Version { micros: at.micros, picos: at.picos, text: &at.text }),
                dialect: seed.dialect,
                author: member("created_by_ref"),
                revoked: false,
                class,
                references: &[],
                body: text.as_bytes(),
            };
            let now = stix::timestamp::Timestamp::parse(&seed.added).unwrap().micros;
            book.append(&[Submission { entries: &[entry], receipt: None }], now, &|a, b| a == b).unwrap();
        }
    }

    /// Keeps a status resource for the member.
    pub(crate) fn status(&self, id: &str, body: &serde_json::Value) {
        let receipt = |_: &[ledger::Appended]| Receipt {
            id: id.into(),
            owner: "replay".into(),
            body: body.to_string().into_bytes(),
        };
        self.book().append(&[Submission { entries: &[], receipt: Some(&receipt) }], 1, &|a, b| a == b).unwrap();
    }

    /// A copy on which a test that writes may run.
    pub(crate) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.path(), &folder.path().join("home"));
        Self { folder, settings: self.settings.clone() }
    }

    /// Configures what is served.
    pub(crate) fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Serves it.
    pub(crate) fn serve(&self) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--plain-http"]);
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting])).stderr(Stdio::null());
        Server(Serving::start(&mut command))
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A running server; ends with the value.
pub(crate) struct Server(Serving);

impl Server {
    /// One request on a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.0.address()).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" || !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        // A server may answer and close before it has read a body that it refuses.
        let _ = stream.write_all(body);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        parse(&text)
    }
}

fn parse(text: &[u8]) -> Answer {
    let end = text.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8_lossy(&text[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|line| line.split_once(':')).map(|(k, v)| (k.to_owned(), v.trim().to_owned())).collect();
    Answer { status, headers, body: text[end + 4..].to_vec() }
}
