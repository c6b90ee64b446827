//! `marsad watch`: hits, exit codes, the summary, bad input, and folders that grow over rotations and restarts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const LIST: &str = "type,value,id\n\
    domain,evil.example.com,bad-domain\n\
    domain,.below.example.com,below\n\
    ipv4,203.0.113.7,\n\
    cidr,198.51.100.0/24,net\n\
    url,http://web.example.com/x,page\n\
    md5,9e107d9d372bb6826bd81d3542a419d6,file\n";

fn marsad() -> Command {
    let mut command = Command::cargo_bin("marsad").unwrap();
    command.env_remove("MARSAD_HOME").env_remove("NO_COLOR");
    command
}

fn file(directory: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

struct Watched {
    code: i32,
    /// `input's file name:line indicator type value field`
    hits: Vec<String>,
    lines: Vec<Value>,
    said: String,
}

fn brief(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap();
    let input = Path::new(text("input")).file_name().unwrap().to_str().unwrap().to_owned();
    format!("{input}:{} {} {} {} {}", line["line"], text("indicator"), text("type"), text("value"), text("field"))
}

fn watched(list: &Path, words: &[&str], inputs: &[&Path]) -> Watched {
    let output = marsad().arg("watch").arg("--indicators").arg(list).args(words).args(inputs).output().unwrap();
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Watched {
        code: output.status.code().unwrap(),
        hits: lines.iter().map(brief).collect(),
        lines,
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

fn gz(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

#[test]
fn every_format_is_told_by_itself_and_met() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", LIST);
    for (name, text, wanted) in [
        (
            "zeek.json",
            r#"{"ts":1700000000.5,"uid":"C1","id.orig_h":"10.0.0.5","id.resp_h":"10.0.0.1","query":"evil.example.com"}"#.to_owned(),
            vec!["zeek.json:1 bad-domain domain evil.example.com query"],
        ),
        (
            "zeek.tsv",
            "#separator \\x09\n#path\tdns\n#fields\tts\tquery\tid.orig_h\n#types\ttime\tstring\taddr\n1.5\ta.below.example.com\t203.0.113.7\n".to_owned(),
            vec!["zeek.tsv:5 below domain a.below.example.com query", "zeek.tsv:5 203.0.113.7 ipv4 203.0.113.7 id.orig_h"],
        ),
        (
            "eve.json",
            r#"{"timestamp":"2023-09-18T06:13:41.532140+0000","event_type":"flow","src_ip":"198.51.100.9","dest_ip":"10.0.0.1"}"#.to_owned(),
            vec!["eve.json:1 net cidr 198.51.100.9 src_ip"],
        ),
        (
            "lines.json",
            r#"{"@timestamp":"2026-01-01T00:00:00Z","url":{"full":"http://web.example.com/x?q=1"}}"#.to_owned(),
            vec!["lines.json:1 page url http://web.example.com/x?q=1 url.full"],
        ),
        ("table.csv", "ts,src_ip,md5\n1,203.0.113.7,9E107D9D372BB6826BD81D3542A419D6\n".to_owned(), vec![
            "table.csv:2 203.0.113.7 ipv4 203.0.113.7 src_ip",
            "table.csv:2 file md5 9E107D9D372BB6826BD81D3542A419D6 md5",
        ]),
        ("sys.log", "<34>1 2026-10-11T22:14:15Z h a - - - from 203.0.113.7 port 22\n".to_owned(), vec![
            "sys.log:1 203.0.113.7 ipv4 203.0.113.7 message",
        ]),
        ("notes.txt", "\nwe saw hxxp://web.example[.]com/x and 203.0.113.70\n".to_owned(), vec![
            "notes.txt:2 page url http://web.example.com/x text",
        ]),
    ] {
        let path = file(directory.path(), name, &text);
        let seen = watched(&list, &[], &[&path]);
        assert_eq!(seen.hits, wanted, "{name}: {}", seen.said);
        assert_eq!(seen.code, 0, "{name}: {}", seen.said);
        // The same packed, twice over and from standard input.
        let packed = file(directory.path(), name, gz(text.as_bytes()));
        assert_eq!(watched(&list, &[], &[&packed]).hits, wanted, "{name} in gzip");
        let packed = file(directory.path(), name, zstd::encode_all(text.as_bytes(), 1).unwrap());
        assert_eq!(watched(&list, &[], &[&packed]).hits, wanted, "{name} in Zstandard");
        let output = marsad().arg("watch").arg("--indicators").arg(&list).arg("-").write_stdin(text).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), wanted.len(), "{name} from stdin");
    }
}

#[test]
fn the_json_of_a_hit() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", LIST);
    let log = file(directory.path(), "a.json", r#"{"ts":1700000000.5,"uid":"C","id.orig_h":"203.0.113.7"}"#);
    let seen = watched(&list, &[], &[&log]);
    let keys: Vec<&str> = seen.lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["field", "indicator", "input", "line", "time", "type", "value"], "the contract with scripts");
    assert_eq!(seen.lines[0]["time"], "2023-11-14T22:13:20.5Z");
    assert_eq!(seen.lines[0]["input"], log.to_str().unwrap());
    for told in ["indicators: 6 taken, 0 refused", "1 Zeek JSON", "1 events", "hits: 1 of 1 indicators"] {
        assert!(seen.said.contains(told), "`{told}` in {}", seen.said);
    }
}

#[test]
fn never_a_piece_of_another_value() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", LIST);
    let text = "notevil.example.com evil.example.com.org x.evil.example.com below.example.comx 1203.0.113.7 203.0.113.77 \
                203.0.113.7.1 x9e107d9d372bb6826bd81d3542a419d6 http://web.example.com/xy\n";
    let log = file(directory.path(), "notes.txt", text);
    assert_eq!(watched(&list, &["--format", "text"], &[&log]).hits, Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_counted_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", LIST);
    let hit = r#"{"src_ip":"203.0.113.7"}"#;
    let mut long = format!("{hit}\n").into_bytes();
    long.resize(long.len() + (100 << 20), b'x');
    long.extend_from_slice(format!("\n{{\"half\":\n{hit}\n").as_bytes());
    let log = file(directory.path(), "long.json", &long);
    let seen = watched(&list, &[], &[&log]);
    assert_eq!(seen.hits.len(), 2, "{}", seen.said);
    assert!(seen.hits[1].starts_with("long.json:4 "), "{:?}", seen.hits);
    assert_eq!(seen.code, 1);
    for told in ["1 line longer than is read (first: 2)", "1 broken line (first: 3)"] {
        assert!(seen.said.contains(told), "`{told}` in {}", seen.said);
    }

    let text = format!("{hit}\n").repeat(100_000);
    let mut cut = gz(text.as_bytes());
    cut.truncate(cut.len() / 2);
    let log = file(directory.path(), "cut.json.gz", &cut);
    let seen = watched(&list, &["--most", "10"], &[&log]);
    assert_eq!((seen.code, seen.hits.len()), (1, 10), "{}", seen.said);
    assert!(seen.said.contains("is cut or broken") && seen.said.contains("only counted"), "{}", seen.said);

    let log = file(directory.path(), "a.parquet", b"PAR1 203.0.113.7 PAR1");
    let seen = watched(&list, &[], &[&log]);
    assert_eq!((seen.code, seen.hits.len()), (3, 0), "what cannot be read is not taken for text: {}", seen.said);

    // Inputs that are not there do not keep the others from being read.
    let missing = directory.path().join("missing");
    let good = file(directory.path(), "good.json", hit);
    let seen = watched(&list, &[], &[&missing, &good]);
    assert_eq!((seen.code, seen.hits.len()), (3, 1), "{}", seen.said);
}

#[test]
fn refused_claims_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", "type,value\ndomain,com\ncidr,0.0.0.0/0\nipv4,203.0.113.7\n");
    let log = file(directory.path(), "a.txt", "203.0.113.7 and com\n");
    let seen = watched(&list, &[], &[&log]);
    assert_eq!((seen.code, seen.hits.len()), (1, 1), "{}", seen.said);
    assert!(seen.said.contains("2 refused") && seen.said.contains("line 2"), "{}", seen.said);
}

#[test]
fn wrong_use() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", LIST);
    for words in
        [vec!["watch", "x"], vec!["watch"], vec!["watch", "--indicators", list.to_str().unwrap(), "--follow", "-"]]
    {
        let output = marsad().args(&words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
    let map = file(directory.path(), "map", "a = nothing");
    let words = ["watch", "--indicators", list.to_str().unwrap(), "--field-map", map.to_str().unwrap(), "-"];
    let output = marsad().args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("line 1 of the field map"));
}

#[test]
fn a_field_map_says_what_is_what() {
    let directory = tempfile::tempdir().unwrap();
    let list = file(directory.path(), "list.csv", LIST);
    let map = file(directory.path(), "map", "peer = host\n* = ignore\n");
    let log = file(directory.path(), "a.json", r#"{"peer":"evil.example.com:443","src_ip":"203.0.113.7"}"#);
    let seen = watched(&list, &["--field-map", map.to_str().unwrap()], &[&log]);
    assert_eq!(seen.hits, ["a.json:1 bad-domain domain evil.example.com:443 peer"]);
}

#[test]
fn patterns_of_a_bundle_are_met_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let indicator = |number: u8, pattern: &str| {
        format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-00000000000{number}",
            "created":"2023-01-01T00:00:00Z","modified":"2023-01-01T00:00:00Z","valid_from":"2023-01-01T00:00:00Z",
            "pattern_type":"stix","pattern":"{pattern}"}}"#
        )
    };
    let indicators = [
        indicator(1, "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]"),
        indicator(
            2,
            "([domain-name:value = 'evil.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.7']) WITHIN 60 SECONDS",
        ),
        indicator(3, "[domain-name:value = 'evil.example']"),
        indicator(4, "[url:value LIKE '%/gate.php']"),
        indicator(5, "[url:value MATCHES '(?=x)']"),
        indicator(6, "[ipv4-addr:value = '203.0.113.7' AND network-traffic:dst_port = 1]"),
    ];
    let bundle = format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, indicators.join(","));
    let bundle = file(directory.path(), "bundle.json", bundle);
    let dns = file(
        directory.path(),
        "a-dns.log",
        r#"{"ts":1700000000.5,"uid":"C1","id.orig_h":"10.0.0.5","id.resp_h":"10.0.0.1","query":"evil.example"}"#,
    );
    let conn = file(
        directory.path(),
        "b-conn.log",
        "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\n#types\ttime\taddr\taddr\tport\n\
         1700000001.5\t10.0.0.6\t203.0.113.7\t443\n1700000002.5\t10.0.0.5\t203.0.113.7\t4444\n",
    );
    let http = file(
        directory.path(),
        "c-eve.json",
        r#"{"timestamp":"2023-11-14T23:13:20.5+0000","event_type":"http","src_ip":"10.0.0.5","dest_ip":"192.0.2.1","http":{"hostname":"portal.example","url":"/gate.php","http_method":"POST"}}"#,
    );
    let seen = watched(&bundle, &[], &[&dns, &conn, &http]);
    let id = |number: u8| format!("indicator--00000000-0000-4000-8000-00000000000{number}");
    let wanted = [
        format!("a-dns.log:1 {} domain evil.example query", id(3)),
        format!("b-conn.log:6 {} pattern 203.0.113.7 id.resp_h", id(1)),
        format!("b-conn.log:6 {} pattern evil.example 203.0.113.7 query id.resp_h", id(2)),
        format!("c-eve.json:1 {} pattern http://portal.example/gate.php http.url", id(4)),
    ];
    assert_eq!(seen.hits, wanted, "{}", seen.said);
    assert_eq!(seen.lines[2]["time"], "2023-11-14T22:13:22.5Z", "of the line that completed it");
    assert_eq!(seen.code, 1, "one of them is refused");
    for told in ["beside them: 4 patterns, 1 of them tested on every event", "1 refused", "the pattern cannot be met"] {
        assert!(seen.said.contains(told), "`{told}` in {}", seen.said);
    }
}

/// A watch that follows a folder.
struct Following {
    child: Child,
    out: PathBuf,
}

impl Following {
    fn start(directory: &Path, logs: &Path) -> Self {
        let out = directory.join("hits");
        let hits = std::fs::OpenOptions::new().create(true).append(true).open(&out).unwrap();
        let child = std::process::Command::new(assert_cmd::cargo::cargo_bin("marsad"))
            .args(["watch", "--follow", "--indicators"])
            .arg(directory.join("list.csv"))
            .arg("--state")
            .arg(directory.join("state"))
            .arg(logs)
            .stdout(hits)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, out }
    }

    /// The values of the hits, in their order, as soon as there are so many of them.
    fn values(&self, wanted: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(&self.out).unwrap_or_default();
            let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let values: Vec<String> = whole.map(|line| line["value"].as_str().unwrap().to_owned()).collect();
            if values.len() >= wanted || started.elapsed() > Duration::from_secs(30) {
                return values;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&mut self, name: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn line(number: u32) -> String {
    format!("{{\"ts\":{number}.5,\"uid\":\"C\",\"id.orig_h\":\"198.51.100.{number}\"}}\n")
}

#[test]
fn a_folder_is_followed_over_rotation_and_restart() {
    let directory = tempfile::tempdir().unwrap();
    file(directory.path(), "list.csv", LIST);
    let logs = directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let log = logs.join("conn.log");
    let mut number = 0;
    let mut more = |path: &Path, count: u32| {
        for _ in 0..count {
            number += 1;
            append(path, &line(number));
        }
        number as usize
    };
    let all = |count: usize| -> Vec<String> { (1..=count).map(|number| format!("198.51.100.{number}")).collect() };

    let there = more(&log, 3);
    let mut watch = Following::start(directory.path(), &logs);
    assert_eq!(watch.values(there), all(there), "what was there");
    let there = more(&log, 2);
    assert_eq!(watch.values(there), all(there), "what was added");

    // Half a line waits.
    let whole = line(6);
    append(&log, &whole[..20]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(watch.values(0), all(5));
    append(&log, &whole[20..]);
    assert_eq!(watch.values(6), all(6));
    number = 6;

    // Rotated by rename: the writer still adds to the old file, then begins a new one.
    std::fs::rename(&log, logs.join("conn.log.1")).unwrap();
    let mut more = |path: &Path, count: u32| {
        for _ in 0..count {
            number += 1;
            append(path, &line(number));
        }
        number as usize
    };
    let there = more(&logs.join("conn.log.1"), 1);
    assert_eq!(watch.values(there), all(there));
    let there = more(&log, 2);
    assert_eq!(watch.values(there), all(there), "a new file of the same name");

    // Ended in good order: nothing is read twice, and what comes meanwhile is not lost.
    assert_eq!(watch.signal("-TERM"), Some(0));
    let there = more(&log, 2);
    let mut watch = Following::start(directory.path(), &logs);
    assert_eq!(watch.values(there), all(there), "resumed");

    // Packed while we are away.
    assert_eq!(watch.signal("-INT"), Some(0));
    let there = more(&log, 1);
    std::fs::write(logs.join("conn.log.2.gz"), gz(&std::fs::read(logs.join("conn.log.1")).unwrap())).unwrap();
    std::fs::remove_file(logs.join("conn.log.1")).unwrap();
    let mut watch = Following::start(directory.path(), &logs);
    assert_eq!(watch.values(there), all(there));
    // Killed: what was read in the last moments may come again, and nothing is lost.
    let there = more(&log, 3);
    assert_eq!(watch.values(there), all(there));
    watch.signal("-KILL");
    let there = more(&log, 2);
    let mut watch = Following::start(directory.path(), &logs);
    std::thread::sleep(Duration::from_millis(200));
    let mut values = watch.values(there);
    let last = format!("198.51.100.{there}");
    let started = Instant::now();
    while values.last() != Some(&last) && started.elapsed() < Duration::from_secs(30) {
        values = watch.values(there);
    }
    assert!(values.len() <= there + 3, "only what the state did not know yet: {values:?}");
    let mut once = values.clone();
    once.sort_by_key(|value| value.rsplit('.').next().unwrap().parse::<u32>().unwrap());
    once.dedup();
    assert_eq!(once, all(there), "nothing is lost");
    assert_eq!(watch.signal("-TERM"), Some(0));
}

#[test]
fn a_file_that_is_copied_and_cut_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    file(directory.path(), "list.csv", LIST);
    let logs = directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let log = logs.join("a.log");
    // Longer than the mark by which a copy is known.
    let padding = "x".repeat(5000);
    append(&log, &format!("{padding}\n198.51.100.1\n"));
    let mut watch = Following::start(directory.path(), &logs);
    assert_eq!(watch.values(1).len(), 1);
    std::fs::copy(&log, logs.join("a.log.1")).unwrap();
    // A line between the copy and the cut would be lost by whoever rotates, not by us.
    std::fs::File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
    append(&log, "198.51.100.2\n");
    assert_eq!(watch.values(2), ["198.51.100.1", "198.51.100.2"]);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(watch.values(0).len(), 2, "the copy is not read again");
    // A file that vanishes is read to its end.
    append(&log, "198.51.100.3\n");
    std::fs::remove_file(&log).unwrap();
    assert_eq!(watch.values(3).len(), 3);
    assert_eq!(watch.signal("-TERM"), Some(0));
}
