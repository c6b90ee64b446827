//! A node in a folder of its own, and the program at work on it.

use super::process::{Ended, Serving, good, marsad, run};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder with the home of a node, which goes with the value.
pub(crate) struct Node {
    folder: tempfile::TempDir,
    /// Whose node it is; nothing as long as there is none.
    pub(crate) organisation: String,
    by_flag: bool,
}

impl Node {
    /// A folder without a node.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), organisation: String::new(), by_flag: false }
    }

    /// A node of this organisation.
    pub(crate) fn new(organisation: &str) -> Self {
        Self::bare().made(organisation)
    }

    /// Makes the node.
    pub(crate) fn made(self, organisation: &str) -> Self {
        self.good(&["init", "--organisation", organisation]);
        Self { organisation: organisation.to_owned(), ..self }
    }

    /// Commands are told by a flag behind their own words which node is meant, as scripts do it; not by the environment.
    pub(crate) fn told_by_flag(self) -> Self {
        Self { by_flag: true, ..self }
    }

    /// Where the node lives.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// A place in the folder, beside the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as a word of a command.
    pub(crate) fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A file beside the home, as a word of a command.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.word(name)
    }

    /// What lies in the folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// A command on this node. What it writes without being told where falls into the folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = marsad(args);
        command.current_dir(self.folder.path()).env("TMPDIR", self.folder.path());
        if self.by_flag {
            command.arg("--home").arg(self.home());
        } else {
            command.env("MARSAD_HOME", self.home());
        }
        command
    }

    /// Runs a command with this on its standard input.
    pub(crate) fn run(&self, args: &[&str], input: impl AsRef<[u8]>) -> Ended {
        run(self.command(args), input)
    }

    /// Runs a command that must succeed; what it printed.
    pub(crate) fn good(&self, args: &[&str]) -> String {
        self.good_with(args, "")
    }

    /// The same, with this on its standard input.
    pub(crate) fn good_with(&self, args: &[&str], input: &str) -> String {
        good(self.command(args), input)
    }

    /// A command is refused with this exit code, and says why.
    pub(crate) fn refused(&self, args: &[&str], code: i32, why: &str) {
        let ended = self.run(args, "");
        assert_eq!(ended.code, code, "{args:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(why), "{args:?}: {}", ended.err);
    }

    /// What a command that must succeed says as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[args, &["--json"]].concat())).unwrap()
    }

    /// Takes objects in as the operator.
    pub(crate) fn import(&self, objects: &[String], flags: &[&str]) {
        self.good_with(&[&["import", "-"], flags].concat(), &format!("[{}]", objects.join(",")));
    }

    /// Entries of the audit log.
    pub(crate) fn entries(&self, flags: &[&str]) -> Vec<Value> {
        let ended = self.run(&[&["audit", "list", "--json"], flags].concat(), "");
        assert_eq!(ended.code, 0, "{flags:?}: {}{}", ended.out, ended.err);
        ended.lines()
    }

    /// Its card in a file, and what is said of it.
    pub(crate) fn card(&self, name: &str) -> (String, Value) {
        let path = self.word(name);
        let said = self.json(&["card", "show", "-o", &path]);
        (path, said)
    }

    /// Takes the card of another one, and lets it count.
    pub(crate) fn trusts(&self, other: &Self) {
        let (path, said) = other.card("card.json");
        self.good(&["partner", "add", &path, "--digits", said["digits"].as_str().unwrap()]);
    }

    /// Serves on loopback with these flags; `--plain-http` is one of them.
    pub(crate) fn serve(&self, flags: &[&str]) -> Serving {
        let words = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
        Serving::start(self.command(&words).stderr(Stdio::null()))
    }
}

impl Ended {
    /// Each line of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Serving {
    /// The whole answer to a request; each of the further headers ends its line.
    pub(crate) fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/taxii+json;version=2.1\r\n{headers}Connection: close\r\n\r\n",
            self.address()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}
