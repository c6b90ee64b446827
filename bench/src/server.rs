//! The real binary on a home of its own.

use crate::corpus::{self, Size};
use crate::{clock, row, table};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A home, its server, and how to sign in.
pub struct Node {
    pub home: PathBuf,
    pub address: String,
    pub authorization: String,
    pub child: Option<Child>,
}

/// A collection as the register wants it.
pub fn collection(alias: &str) -> ledger::Collection {
    ledger::Collection {
        no: ledger::CollectionNo(0), id: "7f1e6a1c-3f0b-4d2a-8a64-0f6f2f6f9a11".into(), alias: alias.into(), title: alias.into(),
        description: None, read: ledger::Who::Members, write: ledger::Who::Members,
    }
}

pub fn binary() -> String {
    std::env::var("MARSAD_BIN").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/marsad").into())
}

/// Runs a command of the binary to its end.
pub fn command(home: &Path, words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(binary())
        .args(words)
        .arg("--home")
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary under test: build it, or set MARSAD_BIN");
    let _ = child.stdin.take().expect("stdin").write_all(input);
    let out = child.wait_with_output().expect("ends");
    assert!(out.status.success(), "{words:?} failed");
    out.stdout
}

impl Node {
    /// Loads a collection through the binary's own import, as JSON lines on standard input.
    pub fn import(&self, collection: &str, objects: impl Iterator<Item = Vec<u8>>) {
        let mut child = Command::new(binary())
            .args(["import", "-", "--collection", collection, "--home"])
            .arg(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("imports");
        let mut input = std::io::BufWriter::with_capacity(1 << 20, child.stdin.take().expect("stdin"));
        for object in objects {
            input.write_all(&object).expect("write");
            input.write_all(b"\n").expect("write");
        }
        drop(input);
        assert!(child.wait().expect("ends").success(), "import failed");
    }

    /// A further member, of an organisation of this relation to ours; how it signs in.
    pub fn partner(&self, name: &str, relation: &str) -> String {
        // An account and an organisation of one name would be taken for each other.
        let organisation = format!("{name} CERT");
        command(&self.home, &["organisation", "add", &organisation, "--relation", relation], b"");
        let account = ["account", "add", name, "--role", "reader", "--organisation", &organisation, "--password-stdin"];
        command(&self.home, &account, b"a long enough password");
        format!("Bearer {}", self.key(name))
    }

    fn key(&self, account: &str) -> String {
        let key = command(&self.home, &["key", "add", account, "--account", account], b"");
        String::from_utf8_lossy(&key).split_whitespace().last().expect("a key").to_owned()
    }

    /// A new home with one member and the collection `bench`.
    pub fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("marsad-bench-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&home);
        command(&home, &["init", "--organisation", "Bench CERT"], b"");
        command(&home, &["account", "add", "bench", "--role", "analyst", "--password-stdin"], b"a long enough password");
        command(&home, &["collection", "add", "bench"], b"");
        let mut node = Self { home, address: String::new(), authorization: String::new(), child: None };
        node.authorization = format!("Bearer {}", node.key("bench"));
        node
    }

    /// Starts the server; how long until it listens, and until the first answer.
    pub fn start(&mut self, preload: Option<&str>) -> (Duration, Duration) {
        let begin = Instant::now();
        let mut program = Command::new(binary());
        program.args(["serve", "--listen", "127.0.0.1:0", "--plain-http", "--home"]).arg(&self.home);
        if let Some(library) = preload {
            program.env("LD_PRELOAD", library);
        }
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("an address");
        let listening = begin.elapsed();
        self.address = line.trim().rsplit("//").next().unwrap_or_default().trim_end_matches('/').to_owned();
        self.child = Some(child);
        let mut wire = crate::wire::Wire::connect(&self.address).expect("connects");
        wire.send(&crate::wire::get("/exchange/collections/bench/objects/?limit=1000", &self.authorization)).expect("answers");
        assert_eq!(wire.status, 200, "{}", String::from_utf8_lossy(&wire.body));
        (listening, begin.elapsed())
    }

    /// Resident and peak memory of the server in MB.
    pub fn memory(&self) -> (f64, f64) {
        let pid = self.child.as_ref().map_or(0, Child::id);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let of = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
        };
        (of("VmRSS"), of("VmHWM"))
    }

    /// Processor time of the server's thread of this name so far, while it runs.
    pub fn thread(&self, name: &str) -> Duration {
        let pid = self.child.as_ref().map_or(0, Child::id);
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let named = tasks.filter(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
        });
        named.map(|task| clock::scheduled(&task.path().join("schedstat"))).sum()
    }

    /// Processor time of the server so far.
    pub fn processor(&self) -> Duration {
        self.child.as_ref().map_or(Duration::ZERO, |child| clock::processor(&child.id().to_string()))
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// `marsad import` of ATT&CK Enterprise, whole process: decompressed, upgraded, validated, durable, indexed, served.
pub fn import(_: Size) {
    let Some(path) = corpus::enterprise_20() else {
        eprintln!("ATT&CK is not beside this checkout: left out");
        return;
    };
    let (_, upgraded) = corpus::enterprise();
    let plain = std::env::temp_dir().join(format!("marsad-bench-{}-21.json", std::process::id()));
    std::fs::write(&plain, &upgraded).expect("write");
    let mut rows = vec![row!["input", "seconds, median of 5", "min", "max", "limit"]];
    for (what, path) in [("STIX 2.0, zstd (upgraded)", &path), ("STIX 2.1, plain", &plain)] {
        let mut times: Vec<Duration> = (0..5)
            .map(|_| {
                let mut node = Node::new("import");
                let begin = Instant::now();
                command(&node.home, &["import", path.to_str().expect("path"), "--collection", "bench"], b"");
                let took = begin.elapsed();
                node.start(None);
                took
            })
            .collect();
        times.sort();
        let show = |time: Duration| format!("{:.2}", time.as_secs_f64());
        rows.push(row![what, show(times[2]), show(times[0]), show(times[4]), "under 1 s"]);
    }
    let _ = std::fs::remove_file(plain);
    table::print("`marsad import` of ATT&CK Enterprise (24,771 objects), whole process, then served", &rows);
}
