//! `marsad hunt`: what was planted is found, and nothing else; killed in the middle it goes on; what is new is searched for in
//! what is old.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A home in a directory of its own.
struct Node {
    directory: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let node = Self { directory: tempfile::tempdir().unwrap() };
        let (code, _, err) = node.run(&["init", "--organisation", "Example CERT"], "");
        assert_eq!(code, 0, "{err}");
        node
    }

    fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut command = Command::cargo_bin("marsad").unwrap();
        let output = command.args(args).env("MARSAD_HOME", self.home()).write_stdin(input).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn import(&self, objects: &[Value]) {
        let bundle = json!({"type": "bundle", "id": format!("bundle--{}", uuid(0)), "objects": objects}).to_string();
        let (code, out, err) = self.run(&["import", "--json", "-"], &bundle);
        assert_eq!(code, 0, "{out} {err}");
    }

    /// Hits by indicator and line, each with how often it was told.
    fn hunt(&self, flags: &[&str], input: &Path) -> (BTreeMap<(String, u64), u32>, Value) {
        let input = input.to_str().unwrap();
        let (code, out, err) = self.run(&[&["hunt", "--json", input], flags].concat(), "");
        assert_eq!(code, 0, "{err}");
        let mut hits = BTreeMap::new();
        let mut report = Value::Null;
        for line in out.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["report"].is_object() {
                report = line["report"].clone();
                continue;
            }
            let key = (line["indicator"].as_str().unwrap().to_owned(), line["line"].as_u64().unwrap());
            *hits.entry(key).or_insert(0) += 1;
        }
        (hits, report)
    }
}

fn uuid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn id(number: u32) -> String {
    format!("indicator--{}", uuid(number))
}

fn indicator(number: u32, pattern: &str, more: &Value) -> Value {
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": id(number), "created": "2026-01-01T00:00:00.000Z",
        "modified": format!("2026-01-01T00:00:00.{number:03}Z"), "pattern": pattern, "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn domain(number: u32, name: &str) -> Value {
    indicator(number, &format!("[domain-name:value = '{name}']"), &json!({}))
}

/// Zeek's dns.log with `lines` events, of which every one whose number has a name in `planted` asks for that name.
fn dns(lines: u32, planted: &[(u32, &str)]) -> String {
    let planted: BTreeMap<u32, &str> = planted.iter().copied().collect();
    let mut text = String::new();
    for line in 1..=lines {
        let host = format!("h{line}.harmless.example");
        let query = planted.get(&line).copied().unwrap_or(&host);
        let _ = writeln!(
            text,
            r#"{{"ts":{}.5,"uid":"C{line}","id.orig_h":"10.0.0.1","id.orig_p":5,"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","query":"{query}","rejected":false}}"#,
            1_767_225_600 + line,
        );
    }
    text
}

#[test]
fn what_was_planted_is_found_in_every_file_and_nothing_else() {
    let node = Node::new();
    node.import(&[
        domain(1, "bad.example"),
        indicator(2, "[ipv4-addr:value = '10.0.0.2'] AND [domain-name:value = 'x.example']", &json!({})),
        indicator(3, "[domain-name:value = 'over.example']", &json!({"valid_until": "2026-02-01T00:00:00Z"})),
        indicator(4, "[domain-name:value = 'revoked.example']", &json!({"revoked": true})),
    ]);
    let logs = node.directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let text = dns(50, &[(7, "bad.example"), (9, "notbad.example"), (11, "over.example"), (13, "revoked.example")]);
    std::fs::write(logs.join("dns.log"), text.trim_end()).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(dns(20, &[(3, "BAD.example"), (20, "bad.example")]).as_bytes()).unwrap();
    std::fs::write(logs.join("dns.old.gz"), packed.finish().unwrap()).unwrap();
    std::fs::write(logs.join("broken.log"), "{\"ts\":1,\"uid\":\"C\",\"query\":\"bad.exa\n").unwrap();
    let (hits, report) = node.hunt(&[], &logs);
    let wanted = [7, 3, 20].map(|line| ((id(1), line), 1));
    assert_eq!(hits, wanted.into_iter().collect());
    assert_eq!(
        (&report["hits"], &report["files"], &report["events"], &report["faults"]),
        (&json!(3), &json!(3), &json!(70), &json!(1))
    );
    let row = &report["indicators"][0];
    assert_eq!((&row["hits"], &row["source"]), (&json!(3), &json!("Example CERT")));
    assert_eq!((&row["first"], &row["last"]), (&json!("2026-01-01T00:00:03.5Z"), &json!("2026-01-01T00:00:20.5Z")));
    // From an instant on.
    let (hits, _) = node.hunt(&["--since", "2026-01-01T00:00:07Z"], &logs);
    assert_eq!(hits.into_keys().map(|(_, line)| line).collect::<Vec<_>>(), [7, 20]);
}

#[test]
fn what_is_new_is_searched_for_in_what_is_old() {
    let node = Node::new();
    node.import(&[domain(1, "one.example")]);
    let log = node.directory.path().join("dns.log");
    let text = dns(100, &[(10, "one.example"), (20, "two.example")]);
    std::fs::write(&log, &text).unwrap();
    let lines = |hits: BTreeMap<(String, u64), u32>| {
        let mut lines: Vec<u64> = hits.into_keys().map(|(_, line)| line).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(lines(node.hunt(&[], &log).0), [10]);
    let (hits, report) = node.hunt(&["--new-only"], &log);
    assert_eq!((lines(hits), &report["bytes"]), (vec![], &json!(0)), "nothing is new: nothing is read");
    node.import(&[domain(2, "two.example")]);
    assert_eq!(lines(node.hunt(&["--new-only"], &log).0), [20]);
    // It grows, under another name: what came is searched for everything.
    let grown = dns(200, &[(10, "one.example"), (20, "two.example"), (150, "one.example"), (160, "two.example")]);
    let renamed = node.directory.path().join("dns.log.1");
    std::fs::rename(&log, &renamed).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(&renamed).unwrap();
    file.write_all(&grown.as_bytes()[text.len()..]).unwrap();
    assert_eq!(lines(node.hunt(&["--new-only"], &renamed).0), [150, 160]);
    assert_eq!(lines(node.hunt(&[], &renamed).0), [10, 20, 150, 160], "as if it had never been searched");
}

#[test]
fn a_hunt_that_was_killed_goes_on_and_tells_everything_once() {
    let node = Node::new();
    // The three files show every event once each.
    node.import(&[
        domain(1, "bad.example"),
        indicator(2, "[domain-name:value = 'bad.example'] REPEATS 3 TIMES WITHIN 5 SECONDS", &json!({})),
    ]);
    let logs = node.directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let planted: Vec<(u32, &str)> = (1..=400).map(|number| (number * 997, "bad.example")).collect();
    let text = dns(400_000, &planted);
    for name in ["a.log", "b.log", "c.log"] {
        std::fs::write(logs.join(name), &text).unwrap();
    }
    let state = node.home().join("hunts");
    let kept = || {
        let entries = std::fs::read_dir(&state).ok()?;
        let hunts = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "json") && !path.ends_with("searched.json"));
        hunts.max().and_then(|path| std::fs::read(path).ok())
    };
    let mut killed = 0;
    for round in 0..4_u64 {
        let before = kept();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("marsad"))
            .args(["hunt", logs.to_str().unwrap()])
            .env("MARSAD_HOME", node.home())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        // Until it has kept something more, and then at a moment of its own.
        while kept() == before && child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(round * 37));
        child.kill().unwrap();
        if child.wait().unwrap().code().is_none() {
            killed += 1;
        }
    }
    if killed == 0 {
        eprintln!("skipped: the hunts were at their end before they could be killed");
    }
    // What comes to stand before all others meanwhile is searched like them, and makes nothing be told again.
    std::fs::write(logs.join("0.log"), dns(10, &[])).unwrap();
    let (hits, report) = node.hunt(&[], &logs);
    let (mut hits, mut together) = (hits, BTreeMap::new());
    hits.retain(|(indicator, line), count| {
        let is_simple = *indicator == id(1);
        if !is_simple {
            together.insert(*line, *count);
        }
        is_simple
    });
    assert_eq!(together, planted.iter().map(|(line, _)| (u64::from(*line), 1)).collect(), "over all files, once");
    // Three files with the same lines.
    assert!(hits.values().all(|count| *count == 3), "{:?}", hits.iter().find(|(_, count)| **count != 3));
    assert_eq!(
        hits.into_keys().map(|(_, line)| line).collect::<Vec<_>>(),
        planted.iter().map(|(line, _)| u64::from(*line)).collect::<Vec<_>>()
    );
    assert_eq!((&report["hits"], &report["events"]), (&json!(1_600), &json!(1_200_010)));
    assert!(kept().is_none(), "nothing is left of a hunt at its end");
}

/// Observations of one pattern in several logs of the same hour, whatever the names of the files: only what happened within
/// its time counts.
#[test]
fn patterns_over_several_files_are_judged_in_the_order_of_time() {
    let node = Node::new();
    node.import(&[
        indicator(
            1,
            "([domain-name:value = 'bad.example'] FOLLOWEDBY [network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]) WITHIN 5 SECONDS",
            &json!({}),
        ),
        indicator(2, "[domain-name:value = 'bad.example'] REPEATS 3 TIMES WITHIN 60 SECONDS", &json!({})),
        domain(3, "bad.example"),
    ]);
    let logs = node.directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let (mut first, mut second, mut third) = (String::new(), String::new(), String::new());
    // Each machine asks at second 20·n and connects some seconds later; every third one too late, every fourth before it asked.
    for n in 0..300_u32 {
        let (asks, host) = (1_767_225_600 + 20 * n, format!("10.0.{}.{}", n / 200, n % 200 + 1));
        let connects = match n {
            n if n % 4 == 0 => asks - 3,
            n if n % 3 == 0 => asks + 9,
            _ => asks + 4,
        };
        let log = if n % 2 == 0 { &mut second } else { &mut third };
        let _ = writeln!(
            log,
            r#"{{"ts":{asks}.5,"uid":"C{n}","id.orig_h":"{host}","id.resp_h":"10.0.9.9","id.resp_p":53,"query":"bad.example"}}"#
        );
        let _ = writeln!(
            first,
            r#"{{"ts":{connects}.5,"uid":"D{n}","id.orig_h":"{host}","id.resp_h":"203.0.113.7","id.resp_p":4444,"proto":"tcp"}}"#
        );
    }
    // One machine asks three times within a minute, over three files.
    for (log, second) in [(&mut third, 0), (&mut first, 50), (&mut second, 25)] {
        let _ = writeln!(
            log,
            r#"{{"ts":{}.5,"uid":"E","id.orig_h":"10.1.1.1","id.resp_h":"10.0.9.9","id.resp_p":53,"query":"bad.example"}}"#,
            1_767_235_600 + second
        );
    }
    for (name, text) in [("a-conn.log", &first), ("b-dns.log", &second), ("c-dns.log", &third)] {
        std::fs::write(logs.join(name), text).unwrap();
    }
    let hits = |flags: &[&str]| {
        let (code, out, err) = node.run(&[&["hunt", logs.to_str().unwrap()], flags].concat(), "");
        assert_eq!(code, 0, "{err}");
        let mut hits: Vec<(String, String, u64)> = Vec::new();
        for line in out.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let input = Path::new(line["input"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
            hits.push((line["indicator"].as_str().unwrap().to_owned(), input, line["line"].as_u64().unwrap()));
        }
        hits.sort();
        hits
    };
    let all = hits(&[]);
    let of = |number: u32| {
        all.iter()
            .filter(move |(indicator, ..)| *indicator == id(number))
            .map(|(_, input, line)| (input.as_str(), *line))
    };
    // The connection is the last of the two: its line is told.
    let wanted: Vec<(&str, u64)> =
        (0..300).filter(|n| n % 4 != 0 && n % 3 != 0).map(|n| ("a-conn.log", u64::from(n as u32) + 1)).collect();
    assert_eq!(of(1).collect::<Vec<_>>(), wanted);
    assert_eq!(of(2).collect::<Vec<_>>(), [("a-conn.log", 301)]);
    assert_eq!(of(3).count(), 303);
    // Named the other way round, the same connections are told.
    for (before, now) in [("a-conn.log", "z-conn.log"), ("c-dns.log", "a-dns.log")] {
        std::fs::rename(logs.join(before), logs.join(now)).unwrap();
    }
    let again = hits(&["--since", "2026-01-01T00:00:00Z"]);
    let lines = |hits: &[(String, String, u64)]| {
        hits.iter().filter(|(indicator, ..)| *indicator == id(1)).map(|(.., line)| *line).collect::<Vec<_>>()
    };
    assert_eq!(lines(&again), lines(&all));
}

/// A line that came later and tells of something earlier: what it makes true was not told before, though the line that is told
/// was there.
#[test]
fn what_an_old_line_completes_with_a_new_one_is_new() {
    let node = Node::new();
    let pattern = "([domain-name:value = 'bad.example'] FOLLOWEDBY [network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]) WITHIN 5 SECONDS";
    node.import(&[indicator(1, pattern, &json!({}))]);
    let log = node.directory.path().join("mixed.log");
    let connects = r#"{"ts":1767225604.5,"uid":"D","id.orig_h":"10.0.0.1","id.resp_h":"203.0.113.7","id.resp_p":4444,"proto":"tcp"}"#;
    let asks = r#"{"ts":1767225601.5,"uid":"C","id.orig_h":"10.0.0.1","id.resp_h":"10.0.9.9","id.resp_p":53,"query":"bad.example"}"#;
    std::fs::write(&log, format!("{connects}\n")).unwrap();
    assert_eq!(node.hunt(&[], &log).0, BTreeMap::new());
    std::fs::write(&log, format!("{connects}\n{asks}\n")).unwrap();
    let told = BTreeMap::from([((id(1), 1), 1)]);
    assert_eq!(node.hunt(&["--new-only"], &log).0, told);
    assert_eq!(node.hunt(&["--new-only"], &log).0, BTreeMap::new(), "once");
}

/// The same answer of `watch` with a bundle, `watch` with the node's set and `hunt`: a pattern that is met by benign values
/// alone makes no hit.
#[test]
fn warning_lists_silence_patterns_everywhere_alike() {
    let node = Node::new();
    let with = |name: &str| {
        format!("[domain-name:value = '{name}' AND domain-name:resolves_to_refs[*].value = '203.0.113.7']")
    };
    let objects = [
        indicator(1, "[domain-name:value LIKE '%.good.example' AND domain-name:value != 'x.good.example']", &json!({})),
        indicator(2, &with("www.good.example"), &json!({})),
        indicator(3, "[domain-name:value = 'www.good.example'] REPEATS 2 TIMES", &json!({})),
        indicator(4, "[network-traffic:dst_port = 53 AND network-traffic:protocols[*] = 'udp']", &json!({})),
        domain(5, "www.good.example"),
    ];
    node.import(&objects);
    let directory = node.directory.path();
    let log = directory.join("dns.log");
    let line = r#"{"ts":1767225601.5,"uid":"C","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","query":"www.good.example","answers":["203.0.113.7"]}"#;
    std::fs::write(&log, format!("{line}\n{line}\n")).unwrap();
    let list = directory.join("list.json");
    std::fs::write(
        &list,
        r#"{"name":"good","type":"hostname","matching_attributes":["domain"],"list":["good.example"]}"#,
    )
    .unwrap();
    let bundle = directory.join("bundle.json");
    std::fs::write(
        &bundle,
        json!({"type": "bundle", "id": format!("bundle--{}", uuid(0)), "objects": objects}).to_string(),
    )
    .unwrap();
    let (log, list, bundle) = (log.to_str().unwrap(), list.to_str().unwrap(), bundle.to_str().unwrap());
    let met = |args: &[&str]| {
        let (code, out, err) = node.run(args, "");
        assert_eq!(code, 0, "{err}");
        let of = |line: &str| serde_json::from_str::<Value>(line).unwrap()["indicator"].as_str().map(str::to_owned);
        let mut found: Vec<String> = out.lines().filter_map(of).collect();
        found.sort();
        found.dedup();
        found
    };
    let all = [vec!["watch", "--indicators", bundle, log], vec!["watch", log], vec!["hunt", "--json", log]];
    for args in &all {
        assert_eq!(met(args), [1, 2, 3, 4, 5].map(id), "{args:?}");
    }
    std::fs::write(node.home().join("config.toml"), format!("watch.warning-lists = [{list:?}]\n")).unwrap();
    let told = [vec!["watch", "--indicators", bundle, "--warning-lists", list, log], all[1].clone(), all[2].clone()];
    for args in &told {
        assert_eq!(met(args), [2, 4].map(id), "{args:?}");
    }
    let (_, _, err) = node.run(&told[0], "");
    assert!(err.contains("not told: 3 matches of patterns by what is well known and benign alone (good: 3)"), "{err}");
}

#[test]
fn wrong_use_is_said() {
    let node = Node::new();
    let log = node.directory.path().join("x.log");
    std::fs::write(&log, "nothing\n").unwrap();
    let log = log.to_str().unwrap();
    for (args, code, message) in [
        (vec!["hunt", "/nowhere/at/all"], 3, "cannot read"),
        (vec!["hunt", log, "--since", "tomorrow"], 2, "--since"),
        (vec!["hunt", log, "--format", "morse"], 2, "no format"),
    ] {
        let (got, _, err) = node.run(&args, "");
        assert!(got == code && err.contains(message), "{args:?}: {got} {err}");
    }
    // An empty book finds nothing.
    let (hits, report) = node.hunt(&[], Path::new(log));
    assert_eq!((hits.len(), &report["files"]), (0, &json!(1)));
}
