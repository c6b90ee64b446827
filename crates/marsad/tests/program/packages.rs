//! Packages over an air gap, between real nodes: what is in them, and what becomes of those that are bent, cut, doubled,
//! late, for others, or interrupted.

use super::node::Node;
use super::objects::{AMBER, CLEAR, GREEN, RED, tool};
use super::process::Ended;
use ledger::{CardState, Partner, PartnerKind, Partners as _, sqlite::Book};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

impl Node {
    fn book(&self) -> Book {
        Book::open(&self.home().join("marsad.db"), node::clock::now()).unwrap()
    }

    fn own(&self) -> node::partners::identity::Own {
        let secret = node::home::Home::open(&self.home()).unwrap().secret().unwrap();
        node::partners::identity::own(&self.book(), &secret).unwrap()
    }

    /// Takes another as a partner whose card was confirmed.
    fn knows(&self, other: &Self) {
        self.good(&["organisation", "add", &other.organisation, "--relation", "community"]);
        let (book, organisation) = (self.book(), other.organisation.clone());
        let terms = b"{}".to_vec();
        let partner = Partner { organisation: organisation.clone(), kind: PartnerKind::Node, terms, added: 0 };
        book.add_partner(&partner).unwrap();
        let card = other.own().card;
        let (serial, body) = (card.serial, card.text().to_vec());
        book.set_card(&ledger::Card { organisation, serial, state: CardState::Pinned, body, at: 0 }).unwrap();
    }

    /// Packs, and says what of it is printed.
    fn pack(&self, to: &str, file: &Path, flags: &[&str]) -> Value {
        let args = [&["pack", "--json", "--to", to, "-o", file.to_str().unwrap()], flags].concat();
        self.run(&args, "").lines().remove(0)
    }

    fn unpack(&self, files: &[&Path], flags: &[&str]) -> Ended {
        let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
        self.run(&[&["unpack", "--json"], &files[..], flags].concat(), "")
    }

    /// The names of what the node's own organisation sees.
    fn names(&self) -> Vec<String> {
        let bundle: Value = serde_json::from_str(&self.good(&["export"])).unwrap();
        let objects = bundle["objects"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<String> = objects.iter().filter_map(|o| o["name"].as_str().map(str::to_owned)).collect();
        names.sort();
        names
    }
}

fn pair() -> (Node, Node) {
    let (north, south) = (Node::new("North"), Node::new("South"));
    north.knows(&south);
    south.knows(&north);
    (north, south)
}

fn one(ran: &Ended) -> Value {
    let mut all = ran.lines();
    assert_eq!(all.len(), 1, "{}{}", ran.out, ran.err);
    all.remove(0)
}

#[test]
fn each_partner_gets_what_the_policy_releases_to_it() {
    let (north, south) = pair();
    let third = Node::new("Third");
    third.knows(&north);
    north.knows(&third);
    north.good(&["group", "add", "with-south", "--members", "South"]);
    north.import(&[tool(1, CLEAR), tool(2, GREEN), tool(3, AMBER), tool(4, RED)], &[]);
    north.import(&[tool(5, RED)], &["--to", "South"]);
    north.import(&[tool(6, CLEAR)], &["--group", "with-south"]);
    north.import(&[tool(7, CLEAR)], &["--embargo", "5d"]);
    let out = north.path("stick");
    std::fs::create_dir(&out).unwrap();
    let ran = north.run(&["pack", "--json", "--to", "South,Third", "-o", out.to_str().unwrap()], "");
    let [for_south, for_third] = &ran.lines()[..] else { panic!("{}{}", ran.out, ran.err) };
    assert_eq!((&for_south["to"], &for_south["objects"]), (&"South".into(), &4.into()));
    assert_eq!((&for_third["to"], &for_third["objects"]), (&"Third".into(), &2.into()));
    let file = |packed: &Value| PathBuf::from(packed["files"][0].as_str().unwrap());
    // The names of the files tell nobody for whom they are, and what is in them nobody what.
    let bytes = std::fs::read(file(for_south)).unwrap();
    let says = |word: &[u8]| bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    assert!(!says(b"south") && !says(b"tool") && !file(for_south).to_str().unwrap().to_lowercase().contains("south"));
    let taken = one(&south.unpack(&[&file(for_south)], &["--to", "South"]));
    assert_eq!((&taken["added"], &taken["refused"], &taken["place"]), (&4.into(), &0.into(), &"first".into()));
    // What is confined to the group came with that limit, and so did the notice of what the group is.
    assert_eq!(south.names(), ["t00001", "t00002", "t00005", "t00006"]);
    assert_eq!(one(&third.unpack(&[&file(for_third)], &[]))["added"], 2);
    assert_eq!(third.names(), ["t00001", "t00002"]);
    // Each is for one of them.
    for (node, packed) in [(&south, for_third), (&third, for_south)] {
        let ran = node.unpack(&[&file(packed)], &[]);
        assert_eq!(ran.code, 1);
        assert!(one(&ran)["error"].as_str().unwrap().contains("not addressed to this node"), "{}", ran.out);
    }
    // What was handed over is written down.
    let given: Vec<(String, u64)> = north
        .entries(&["--kind", "handed-over"])
        .iter()
        .map(|entry| (entry.to_string(), entry.to_string().matches("package").count() as u64))
        .collect();
    assert_eq!(given.len(), 2, "{given:?}");
    assert!(given.iter().all(|(text, _)| text.contains("package")), "{given:?}");
    let passed: Vec<String> = north.entries(&["--kind", "partner"]).iter().map(ToString::to_string).collect();
    assert_eq!(passed.iter().filter(|entry| entry.contains("package-made")).count(), 2, "{passed:?}");
    let refused: Vec<String> = south.entries(&["--kind", "partner"]).iter().map(ToString::to_string).collect();
    let refused = refused.iter().filter(|entry| entry.contains("package-refused"));
    assert!(refused.clone().count() == 1 && refused.clone().all(|entry| entry.contains("not addressed to this node")));
    // No object is new; the notice of the group goes again until South has said that it came. Third is owed nothing.
    let ran = north.run(&["pack", "--json", "--to", "South"], "");
    assert_eq!((ran.code, &one(&ran)["objects"]), (0, &0.into()), "{}", ran.out);
    let ran = north.run(&["pack", "--json", "--to", "Third"], "");
    assert_eq!((ran.code, &one(&ran)["package"]), (0, &Value::Null), "{}", ran.out);
}

#[test]
fn what_is_bent_cut_old_or_out_of_time_is_refused_with_its_reason() {
    let (north, south) = pair();
    north.import(&(0..300).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    let file = north.path("one");
    let packed = north.pack("South", &file, &["--expires", "2d"]);
    assert_eq!((&packed["objects"], &packed["number"]), (&300.into(), &1.into()));
    let bytes = std::fs::read(&file).unwrap();
    let bent = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let (path, mut bytes) = (north.path(name), bytes.clone());
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let size = bytes.len();
    for (path, flags, reason) in [
        (bent("cut", &|bytes| bytes.truncate(size / 2)), &[][..], "is cut off"),
        (bent("short", &|bytes| bytes.truncate(size - 1)), &[], "is cut off"),
        (bent("long", &|bytes| bytes.push(0)), &[], "goes on behind its end"),
        (bent("middle", &|bytes| bytes[size / 2] ^= 1), &[], "was altered"),
        (
            bent("number", &|bytes| {
                let at = find(bytes, b"\"number\":1");
                bytes[at + 9] = b'2';
            }),
            &[],
            "signature does not fit",
        ),
        (bent("letter", &|bytes| *bytes = b"Dear South, ...".to_vec()), &[], "not a package"),
        (bent("nothing", &Vec::clear), &[], "not a package"),
        (file.clone(), &["--at", "2020-01-01T00:00:00Z"], "one of the two clocks is wrong"),
        (file.clone(), &["--at", "5d"], "was good until"),
    ] {
        for check in [&["--check"][..], &[]] {
            let ran = south.unpack(&[&path], &[flags, check].concat());
            let error = one(&ran)["error"].as_str().unwrap().to_owned();
            assert_eq!(ran.code, 1);
            assert!(error.contains(reason), "{error}: {reason}");
        }
    }
    assert!(south.names().is_empty());
    // What is wrong with one does not hold up the others; who looks takes nothing.
    let looked = south.unpack(&[&file], &["--check"]);
    assert_eq!((looked.code, &one(&looked)["objects"], &one(&looked)["from"]), (0, &300.into(), &"North".into()));
    assert!(south.names().is_empty());
    let ran = south.unpack(&[&north.path("cut"), &file], &[]);
    let all = ran.lines();
    assert_eq!((ran.code, all.len()), (1, 2), "{}", ran.out);
    assert_eq!(all.iter().filter(|line| line["added"] == 300).count(), 1, "{}", ran.out);
    // Two copies, of which the second is not needed.
    let ran = south.unpack(&[&file, &file], &[]);
    assert_eq!(ran.lines().len(), 2, "{}", ran.out);
    // Again, and out of order.
    let ran = south.unpack(&[&file], &[]);
    assert!(one(&ran)["error"].as_str().unwrap().contains("was taken before"), "{}", ran.out);
    let mut files = Vec::new();
    for number in 1_000..1_003 {
        north.import(&[tool(number, GREEN)], &[]);
        files.push(north.path(&number.to_string()));
        north.pack("South", files.last().unwrap(), &[]);
    }
    let ran = south.unpack(&[&files[2]], &[]);
    assert_eq!((ran.code, &one(&ran)["place"]), (0, &serde_json::json!({"gap": [2, 3]})), "{}", ran.out);
    // Given together they are taken in their order.
    let ran = south.unpack(&[&files[1], &files[0]], &[]);
    let numbers: Vec<Value> = ran.lines().iter().map(|line| line["number"].clone()).collect();
    assert_eq!((ran.code, numbers), (0, vec![2.into(), 3.into()]));
    assert_eq!(south.names().len(), 303);
    let told: Vec<String> = south.entries(&["--kind", "partner"]).iter().map(ToString::to_string).collect();
    for reason in ["was altered", "have not come", "was taken before", "was good until", "comes late"] {
        assert!(told.iter().any(|entry| entry.contains(reason)), "{reason}");
    }
}

fn find(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).position(|window| window == word).unwrap()
}

#[test]
fn parts_come_in_any_order_and_at_several_times() {
    let (north, south) = pair();
    north.import(&(0..400).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    let packed = north.pack("South", &north.path("cut"), &["--split", "6KB"]);
    let files: Vec<PathBuf> =
        packed["files"].as_array().unwrap().iter().map(|file| PathBuf::from(file.as_str().unwrap())).collect();
    assert!(files.len() > 3, "{packed}");
    let (first, rest) = (&files[2], [&files[..2], &files[3..]].concat());
    let ran = south.unpack(&[first], &[]);
    let missing: Vec<u64> =
        one(&ran)["missing_parts"].as_array().unwrap().iter().map(|part| part.as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=files.len() as u64).filter(|part| *part != 3).collect();
    assert_eq!((ran.code, missing), (1, expected));
    // It waits there: it may go meanwhile. A part of another package does not disturb.
    std::fs::remove_file(first).unwrap();
    north.import(&(500..900).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    let other = north.pack("South", &north.path("other"), &["--split", "6KB"]);
    let foreign = PathBuf::from(other["files"][1].as_str().unwrap());
    let mut rest: Vec<&Path> = rest.iter().rev().map(PathBuf::as_path).collect();
    rest.push(&foreign);
    let ran = south.unpack(&rest, &[]);
    let all = ran.lines();
    assert_eq!((ran.code, all.len()), (1, 2), "{}{}", ran.out, ran.err);
    assert!(all.iter().any(|line| line["added"] == 400) && all.iter().any(|line| line["package"] == other["package"]));
    assert_eq!(south.names().len(), 400);
}

#[test]
fn over_pipes_and_back() {
    let (north, south) = pair();
    north.import(&[tool(1, GREEN)], &[]);
    let through = |from: &Node, to: &Node, flags: &[&str]| {
        let packed = from.command(&[&["pack", "--to", &to.organisation, "-o", "-"], flags].concat()).output().unwrap();
        let ran = to.run(&["unpack", "--json", "-"], &packed.stdout);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(
            std::fs::read_dir(to.home().join("inbox")).unwrap().next().is_none(),
            "what came through a pipe is gone"
        );
        one(&ran)
    };
    assert_eq!(through(&north, &south, &[])["added"], 1);
    // The answer is reason enough for a package.
    let back = through(&south, &north, &["--diode"]);
    assert_eq!((&back["added"], &back["arrived"]), (&0.into(), &serde_json::json!([1])));
    // To a diode nothing is answered.
    north.import(&[tool(2, GREEN)], &[]);
    assert_eq!(through(&north, &south, &["--diode"])["added"], 1);
    let ran = south.run(&["pack", "--json", "--to", "North"], "");
    // South has North's objects now, and hands none of them back.
    assert_eq!((ran.code, &one(&ran)["objects"]), (0, &0.into()), "{}", ran.out);
}

#[test]
fn wrong_calls() {
    let (north, south) = pair();
    north.import(&[tool(1, GREEN)], &[]);
    for (node, args, code, said) in [
        (&north, &["pack"][..], 2, "--to"),
        (&north, &["pack", "--to", "Nobody"], 3, "is no partner"),
        (&north, &["pack", "--to", "South", "--split", "1"], 3, "cannot be cut"),
        (&north, &["pack", "--to", "South", "--split", "large"], 2, "a size"),
        (&north, &["pack", "--to", "South", "--json", "-o", "-"], 2, "standard output"),
        (&north, &["pack", "--to", "South", "--expires", "2001-01-01T00:00:00Z"], 2, "in the past"),
        (&north, &["pack", "--to", "South", "--collection", "none"], 3, "no collection"),
        (&south, &["unpack"], 2, "FILE"),
        (&south, &["unpack", "x", "--into", "none"], 3, "no collection"),
        (&south, &["unpack", "/nowhere"], 1, "cannot read"),
        (&south, &["unpack", "."], 1, "no file"),
    ] {
        let ran = node.run(args, "");
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    // What could not be cut is written whole by the next call; something else is not overwritten.
    std::fs::write(north.path("letter"), "Dear South").unwrap();
    let ran = north.run(&["pack", "--to", "South", "-o", north.path("letter").to_str().unwrap()], "");
    assert!(ran.code == 3 && ran.err.contains("something else"), "{}", ran.err);
    let packed = north.pack("South", &north.path("one"), &[]);
    assert_eq!((&packed["resumed"], &packed["number"]), (&true.into(), &1.into()));
    assert_eq!(one(&south.unpack(&[&north.path("one")], &[]))["added"], 1);
}

#[test]
fn on_a_full_disk_nothing_is_lost() {
    let (north, south) = pair();
    north.import(&(0..1_500).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    // Where the package should go there is no room.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status =
        north.command(&["pack", "--to", "South", "-o", "-"]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(3));
    let file = north.path("one");
    let packed = north.pack("South", &file, &[]);
    assert_eq!((&packed["number"], &packed["resumed"], &packed["objects"]), (&1.into(), &true.into(), &1_500.into()));
    // Nor where it should be taken in: files may not grow.
    let limited = |node: &Node, args: &str| {
        let program = Path::new(env!("CARGO_BIN_EXE_marsad"));
        let script = format!("trap '' XFSZ; ulimit -f 700; exec {} {args}", program.display());
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("MARSAD_HOME", node.home()).env("USER", "operator");
        shell.output().unwrap()
    };
    let ran = limited(&south, &format!("unpack {}", file.display()));
    assert_eq!(ran.status.code(), Some(3), "{}", String::from_utf8_lossy(&ran.stderr));
    let ran = south.unpack(&[&file], &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let taken = one(&ran);
    let sum = taken["added"].as_u64().unwrap() + taken["unchanged"].as_u64().unwrap();
    assert_eq!((sum, &taken["place"]), (1_500, &"first".into()));
    assert_eq!(south.names().len(), 1_500);
    // The outbox: nothing was begun that cannot be ended, and the number is not used up.
    north.import(&(5_000..6_500).map(|number| tool(number, GREEN)).collect::<Vec<_>>(), &[]);
    let ran = limited(&north, "pack --to South -o /tmp/never-written.marsad");
    let code = ran.status.code();
    assert!(code == Some(3) || code == Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let _ = std::fs::remove_file("/tmp/never-written.marsad");
}

/// Killed at any moment, and begun again until it ends: everything arrives, once, and nothing else.
#[test]
fn killed_in_the_middle_it_is_gone_on_with() {
    let (north, south) = pair();
    const COUNT: u32 = 4_000;
    let objects: Vec<String> =
        (0..COUNT).map(|number| tool(number, if number % 10 == 0 { AMBER } else { GREEN })).collect();
    north.import(&objects, &[]);
    let file = north.path("one");
    let kill_after = |mut command: Command, wait: u64| {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        let _ = child.wait();
    };
    for wait in [20, 150, 300, 600] {
        kill_after(north.command(&["pack", "--to", "South", "-o", file.to_str().unwrap(), "--split", "50KB"]), wait);
    }
    let files = |name: &str| -> Vec<PathBuf> {
        let mut found = north.files();
        found.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name));
        found.sort();
        found
    };
    // One of the attempts may have come to its end: then there is nothing left to pack.
    let packed = north.run(&["pack", "--json", "--to", "South", "-o", file.to_str().unwrap(), "--split", "50KB"], "");
    assert_eq!(packed.code, 0, "{}{}", packed.out, packed.err);
    let parts = files("one.");
    let parts: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    for wait in [20, 200, 400, 800] {
        let mut command = south.command(&["unpack"]);
        command.args(&parts);
        kill_after(command, wait);
    }
    let ran = south.unpack(&parts, &[]);
    let last = one(&ran);
    let again = last["error"].as_str().is_some_and(|error| error.contains("was taken before"));
    let sum = last["added"].as_u64().unwrap_or(0) + last["unchanged"].as_u64().unwrap_or(0);
    assert!(again || sum == u64::from(COUNT) * 9 / 10, "{}{}", ran.out, ran.err);
    let names = south.names();
    let expected: Vec<String> =
        (0..COUNT).filter(|number| number % 10 != 0).map(|number| format!("t{number:05}")).collect();
    assert_eq!(names, expected);
    let ran = south.unpack(&parts, &[]);
    assert!(one(&ran)["error"].as_str().unwrap().contains("was taken before"), "{}", ran.out);
    assert!(!south.good(&["check"]).is_empty());
}
