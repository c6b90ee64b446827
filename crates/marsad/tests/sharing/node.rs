//! A node with three organisations and members of every kind, served over loopback.

use super::process::{Serving, good, marsad};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

pub(crate) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(crate) const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
pub(crate) const OBJECTS: &str = "/exchange/collections/shared/objects/";

/// Who asks, in the order of the tables; the first has not signed in.
pub(crate) const ACTORS: [&str; 9] = [
    "",
    "reader@own",
    "publisher@own",
    "partner-manager@own",
    "administrator@own",
    "reader@north",
    "publisher@north",
    "partner-manager@north",
    "administrator@north",
];

pub(crate) struct Node {
    serving: Serving,
    folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// What is told, without the number of the request.
    pub(crate) fn told(&self) -> (u16, Value) {
        let mut json = self.json();
        if let Some(members) = json.as_object_mut() {
            members.remove("error_id");
        }
        (self.status, json)
    }
}

/// `tool--…0007`, as every other object of this number.
pub(crate) fn id(kind: &str, number: u32) -> String {
    format!("{kind}--00000000-0000-4000-8000-{number:012}")
}

pub(crate) fn object(kind: &str, number: u32, version: u32, marking: &str, more: &str) -> String {
    let id = id(kind, number);
    format!(
        r#"{{"type":"{kind}","spec_version":"2.1","id":"{id}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:{version:02}.000Z","object_marking_refs":["{marking}"]{more}}}"#
    )
}

pub(crate) fn tool(number: u32, version: u32, marking: &str) -> String {
    object("tool", number, version, marking, &format!(r#","name":"t{number}/{version}""#))
}

fn basic(name: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("{name}:{name}-password");
    let mut out = String::from("Basic ");
    for chunk in text.as_bytes().chunks(3) {
        let word = (0..3).fold(0_u32, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at) & 63) as usize];
            out.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

impl Node {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = |words: &[&str], input: &str| run(&folder, words, input);
        run(&["init", "--organisation", "Example CERT"], "");
        for name in ["CERT North", "CERT South"] {
            run(&["organisation", "add", name, "--relation", "community"], "");
        }
        let organisations = [("own", "Example CERT"), ("north", "CERT North"), ("south", "CERT South")];
        for account in ACTORS.iter().skip(1).chain(["reader@south"].iter()) {
            let (role, place) = account.split_once('@').unwrap();
            let organisation = organisations.iter().find(|(short, _)| *short == place).unwrap().1;
            let words = ["account", "add", account, "--role", role, "--organisation", organisation, "--password-stdin"];
            run(&words, &format!("{account}-password"));
        }
        run(&["collection", "add", "shared", "--read", "members", "--write", "members"], "");
        let serve = &["serve", "--listen", "127.0.0.1:0", "--plain-http"];
        let serving = Serving::start(command(&folder, serve).stderr(Stdio::null()));
        Self { serving, folder }
    }

    /// What its audit log says of administration, after it ended: a running node writes some moments later.
    pub(crate) fn administered(self) -> String {
        let Self { serving, folder } = self;
        assert_eq!(serving.end(), Some(0));
        run(&folder, &["audit", "list", "--kind", "administered", "--json"], "")
    }

    /// A command beside the running node, and what it printed.
    pub(crate) fn command(&self, words: &[&str], input: &str) -> String {
        run(&self.folder, words, input)
    }

    /// Objects that the node's own organisation brings in.
    pub(crate) fn import(&self, objects: &[String]) {
        self.command(&["import", "-", "--collection", "shared"], &format!("[{}]", objects.join(",")));
    }

    /// Objects that CERT North brings in.
    pub(crate) fn bring_north(&self, objects: &[String]) {
        let body = format!(r#"{{"objects":[{}]}}"#, objects.join(","));
        let headers = [("Content-Type", "application/taxii+json;version=2.1")];
        let answer = self.send("POST", OBJECTS, "publisher@north", &headers, &body);
        assert_eq!((answer.status, &answer.json()["failure_count"]), (202, &0.into()), "{}", answer.body);
    }

    /// A request with a body of JSON or, if that is empty, without one.
    pub(crate) fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Answer {
        let headers: &[_] = if body.is_empty() { &[] } else { &[("Content-Type", "application/json")] };
        self.send(method, path, who, headers, body)
    }

    pub(crate) fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(who, "GET", path, "")
    }

    /// The names of the objects that a reader is given in the shared collection.
    pub(crate) fn names(&self, who: &str) -> Vec<String> {
        let answer = self.get(who, OBJECTS);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let objects = answer.json()["objects"].as_array().cloned().unwrap_or_default();
        objects.iter().map(|object| object["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn send(&self, method: &str, path: &str, who: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", spaced(path));
        if !who.is_empty() {
            request += &format!("Authorization: {}\r\n", basic(who));
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(self.serving.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }
}

fn spaced(path: &str) -> String {
    path.replace(' ', "%20")
}

fn command(folder: &tempfile::TempDir, words: &[&str]) -> Command {
    let mut command = marsad(words);
    command.arg("--home").arg(folder.path().join("home")).args(["--set", "accounts.attempts-per-minute=1000"]);
    command
}

fn run(folder: &tempfile::TempDir, words: &[&str], input: &str) -> String {
    good(command(folder, words), input).trim().to_owned()
}
