//! `marsad serve` and `marsad demo`: ready line, commands beside a running node, a clean end.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const TOOL: &str = r#"{"type":"tool","spec_version":"2.1","id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","name":"VNC"}"#;

/// A command that runs until it is told to end; killed if the test fails before.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    address: String,
}

impl Running {
    fn start(args: &[&str], home: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_marsad"))
            .args(args)
            .env("MARSAD_HOME", home)
            .env("TMPDIR", home.parent().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on http://").unwrap_or_else(|| unreachable!("{line}"));
        let address = url.trim().trim_end_matches('/').to_owned();
        Self { child, out, address }
    }

    fn get(&self, path: &str, authorization: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/taxii+json;version=2.1\r\n{authorization}Connection: close\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Tells it to end and gives its exit code and what it still said.
    fn end(mut self) -> (Option<i32>, String) {
        assert!(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (code, rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn marsad(home: &Path, args: &[&str], input: &str) -> (i32, String) {
    let mut command = assert_cmd::Command::cargo_bin("marsad").unwrap();
    let output = command.args(args).env("MARSAD_HOME", home).write_stdin(input).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn commands_work_beside_a_running_node() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    assert_eq!(marsad(&home, &["init", "--organisation", "Example CERT"], "").0, 0);
    let node = Running::start(&["serve", "--listen", "127.0.0.1:0", "--plain-http"], &home);
    assert!(node.get("/taxii2/", "").starts_with("HTTP/1.1 "));

    // What a command changes, the running node knows.
    assert_eq!(marsad(&home, &["collection", "add", "open", "--read", "anyone"], "").0, 0);
    let marked = TOOL.replace(
        r#","name""#,
        r#","object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],"name""#,
    );
    let (code, out) = marsad(&home, &["import", "--collection", "open", "-"], &marked);
    assert_eq!((code, out.as_str()), (0, "added 1, unchanged 0, refused 0\n"));
    let answer = node.get("/exchange/collections/open/objects/", "");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(&marked), "{answer}");

    // Unmarked objects are AMBER, and members must sign in.
    assert_eq!(marsad(&home, &["import", "-"], TOOL).0, 0);
    assert!(node.get("/exchange/collections/main/objects/", "").starts_with("HTTP/1.1 40"));
    let (code, key) = marsad(&home, &["key", "add", "machine"], "");
    assert_eq!(code, 0);
    let answer = node.get("/exchange/collections/main/objects/", &format!("Authorization: Bearer {}\r\n", key.trim()));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(TOOL), "{answer}");

    let backup = directory.path().join("backup.zip");
    assert_eq!(marsad(&home, &["backup", backup.to_str().unwrap()], "").0, 0);
    assert_eq!(marsad(&home, &["check"], "").0, 0);
    assert_eq!(node.end().0, Some(0));
    assert_eq!(marsad(&home, &["check"], "").0, 0);
}

#[test]
fn plain_http_stays_on_loopback() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    assert_eq!(marsad(&home, &["serve"], "").0, 3, "there is no node");
    assert_eq!(marsad(&home, &["init", "--organisation", "Example CERT"], "").0, 0);
    assert_eq!(marsad(&home, &["serve", "--listen", "0.0.0.0:0", "--plain-http"], "").0, 2);
    assert_eq!(marsad(&home, &["serve", "--listen", "nowhere"], "").0, 2);
    std::fs::write(home.join("config.toml"), "taxii.frobnicate = 1\n").unwrap();
    assert_eq!(marsad(&home, &["serve"], "").0, 2, "unknown keys are refused");
}

#[test]
fn the_demonstration_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let node = Running::start(&["demo"], &directory.path().join("home"));
    assert!(node.get("/taxii2/", "").starts_with("HTTP/1.1 "));
    let left = || directory.path().read_dir().unwrap().count();
    assert_eq!(left(), 1);
    let (code, rest) = node.end();
    assert_eq!(code, Some(0));
    assert_eq!(rest.lines().filter(|line| line.starts_with("  curl ")).count(), 3, "{rest}");
    assert_eq!(left(), 0);
}
