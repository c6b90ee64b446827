//! The real binary on a home of its own, over loopback.

use super::process::{Serving, good, marsad};
use super::wire::{Answer, Connection, Request};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// `analyst` with the password `analyst-password`: reads and writes what members may.
pub(crate) const ANALYST: &str = "Basic YW5hbHlzdDphbmFseXN0LXBhc3N3b3Jk";
/// `second`, another analyst.
pub(crate) const SECOND: &str = "Basic c2Vjb25kOnNlY29uZC1wYXNzd29yZA==";
/// `reader`, whose role never writes.
pub(crate) const READER: &str = "Basic cmVhZGVyOnJlYWRlci1wYXNzd29yZA==";
/// `keeper`, who alone may do what members may not.
pub(crate) const KEEPER: &str = "Basic a2VlcGVyOmtlZXBlci1wYXNzd29yZA==";

/// The collections: name, who reads, who writes.
const COLLECTIONS: &[(&str, &str, &str)] = &[
    ("both", "members", "members"),
    ("readable", "members", "keeper"),
    ("writable", "keeper", "members"),
    ("hidden", "keeper", "keeper"),
    ("empty", "members", "members"),
];

/// A running node; ends with the value.
pub(crate) struct Node {
    serving: Serving,
    folder: tempfile::TempDir,
}

fn command(folder: &tempfile::TempDir, words: &[&str]) -> Command {
    let mut command = marsad(words);
    command.arg("--home").arg(folder.path().join("home"));
    command
}

fn run(folder: &tempfile::TempDir, words: &[&str], input: &str) -> String {
    good(command(folder, words), input).trim().to_owned()
}

impl Node {
    /// A node with the members and collections above, and these settings.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(&folder, &["init", "--organisation", "Example CERT"], "");
        for (name, role) in [("analyst", "analyst"), ("second", "analyst"), ("reader", "reader"), ("keeper", "analyst")]
        {
            run(&folder, &["account", "add", name, "--role", role, "--password-stdin"], &format!("{name}-password"));
        }
        for (name, read, write) in COLLECTIONS {
            run(&folder, &["collection", "add", name, "--read", read, "--write", write], "");
        }
        let mut command = command(&folder, &["serve", "--listen", "127.0.0.1:0", "--plain-http"]);
        command.args(settings.iter().flat_map(|setting| ["--set", setting])).stderr(Stdio::null());
        Self { serving: Serving::start(&mut command), folder }
    }

    /// A command beside the running node, and what it printed.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        run(&self.folder, words, "")
    }

    pub(crate) fn address(&self) -> &str {
        self.serving.address()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::over(TcpStream::connect(self.address()).unwrap())
    }

    /// One request on a connection of its own. Whatever is refused must tell nothing of the node.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let answer = self.connect().ask(&request.clone().with("Connection", "close")).expect("an answer");
        self.tells_nothing(&answer);
        answer
    }

    /// A GET by the analyst.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&Request::new("GET", path).by(ANALYST))
    }

    /// A POST by the analyst.
    pub(crate) fn post(&self, collection: &str, body: &str) -> Answer {
        let path = format!("/exchange/collections/{collection}/objects/");
        self.send(&Request::new("POST", &path).by(ANALYST).carrying(body.as_bytes()))
    }

    /// Adds objects, all of which are taken.
    pub(crate) fn add(&self, collection: &str, objects: &[String]) {
        let answer = self.post(collection, &super::objects::envelope(objects));
        assert_eq!((answer.status, answer.get("failure_count")), (202, 0.into()), "{}", answer.text());
    }

    /// Serves on, as if nothing had been.
    pub(crate) fn still_serves(&self) {
        assert_eq!(self.get("/taxii2/").status, 200);
    }

    /// What is said to whoever is refused: the status, nothing of what the node is made of and where it lies.
    pub(crate) fn tells_nothing(&self, answer: &Answer) {
        let text = answer.text().to_lowercase();
        if answer.status < 400 {
            return;
        }
        let home = self.folder.path().to_str().unwrap().to_lowercase();
        for word in ["sqlite", "sql", "panic", "thread", ".rs", ".db", "src/", "rust", "::", "/home", &home] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        if !text.is_empty() {
            assert_eq!(answer.header("content-type"), Some(super::TAXII));
            assert_eq!(answer.get("http_status"), answer.status.to_string());
        }
    }
}
