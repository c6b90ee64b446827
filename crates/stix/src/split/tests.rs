use std::io::{self, Read};

use proptest::prelude::*;

use super::*;
use crate::json::{self, ErrorKind, Limits, Tape};

const TIGHT: Limits = Limits { max_depth: 4, max_bytes: 100, max_values: 1000 };

/// Gives at most so many bytes at a time, in turns.
struct Chunks<'t> {
    text: &'t [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(room.len());
        self.turn += 1;
        self.text.read(&mut room[..size])
    }
}

/// All that comes of a document.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// Place, text, offset, line.
    items: Vec<(String, String, u64, u64)>,
    container: Container,
    fault: Option<Fault>,
}

fn streamed(text: &[u8], sizes: &[usize], limits: Limits) -> Outcome {
    let mut splitter = Splitter::new(Chunks { text, sizes: sizes.to_vec(), turn: 0 }, limits);
    let mut items = Vec::new();
    let fault = loop {
        match splitter.next_item() {
            Ok(Some(item)) => {
                assert_eq!(&text[item.offset as usize..][..item.text.len()], item.text);
                let text = String::from_utf8_lossy(item.text).into_owned();
                items.push((item.place.to_string(), text, item.offset, item.line));
            }
            Ok(None) => break None,
            Err(Error::Document(fault)) => break Some(fault),
            Err(Error::Read(error)) => panic!("{error}"),
        }
    };
    assert!(matches!(splitter.next_item(), Ok(None)));
    Outcome { items, container: splitter.container().clone(), fault }
}

fn walked(text: &[u8], limits: Limits) -> Outcome {
    let mut walk = Walk::new(text, limits);
    let mut items = Vec::new();
    let fault = loop {
        match walk.next_item() {
            Ok(Some(item)) => {
                let line = json::position(text, item.offset).0 as u64;
                // An error may differ: here more text follows.
                let alone = json::Tape::new().parse(item.text, &limits).map(|value| value.text().to_vec());
                assert_eq!(item.value.map(|value| value.text().to_vec()).ok(), alone.ok(), "{:?}", item.text);
                let text = String::from_utf8_lossy(item.text).into_owned();
                items.push((item.place.to_string(), text, item.offset as u64, line));
            }
            Ok(None) => break None,
            Err(fault) => break Some(fault),
        }
    };
    assert!(matches!(walk.next_item(), Ok(None)));
    Outcome { items, container: walk.container().clone(), fault }
}

fn iterated(text: &[u8]) -> Outcome {
    let mut found = objects(text);
    let mut outcome = Outcome { items: Vec::new(), container: Container::default(), fault: None };
    for item in &mut found {
        match item {
            Ok(item) => {
                let text = String::from_utf8_lossy(item.text).into_owned();
                outcome.items.push((item.place.to_string(), text, item.offset, item.line));
            }
            Err(fault) => outcome.fault = Some(fault),
        }
    }
    outcome.container = found.container().clone();
    outcome
}

/// The outcome, which must not depend on how the document is read. Walking tells more of an object that is not well
/// nested, so only the kind of reading on a stream is compared for those.
#[track_caller]
fn split(text: &[u8]) -> Outcome {
    let outcome = streamed(text, &[usize::MAX], TIGHT);
    assert_eq!(streamed(text, &[1], TIGHT), outcome, "byte by byte: {:?}", String::from_utf8_lossy(text));
    let in_memory = walked(text, TIGHT);
    assert_eq!(in_memory.items, outcome.items, "in memory: {:?}", String::from_utf8_lossy(text));
    assert_eq!(in_memory.container, outcome.container);
    assert_eq!(in_memory.fault.is_some(), outcome.fault.is_some());
    outcome
}

#[track_caller]
fn good(text: &str, expected: &[(&str, &str)]) -> Container {
    let outcome = split(text.as_bytes());
    assert_eq!(outcome.fault, None, "{text}");
    let items: Vec<_> = outcome.items.iter().map(|item| (item.0.as_str(), item.1.as_str())).collect();
    assert_eq!(items, expected, "{text}");
    outcome.container
}

#[track_caller]
fn bad(text: impl AsRef<[u8]>, items: usize, offset: u64, kind: FaultKind) {
    let outcome = split(text.as_ref());
    let fault = outcome.fault.map(|fault| (fault.offset, fault.kind));
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    assert_eq!((outcome.items.len(), fault), (items, Some((offset, kind))), "{shown}");
}

fn json_fault(kind: ErrorKind) -> FaultKind {
    FaultKind::Json(kind)
}

/// STIX 2.1 §8, STIX 2.0 Part 1 §5.
#[test]
fn bundles() {
    let container = good(
        r#"{"type":"bundle","id":"bundle--1","spec_version":"2.0","objects":[{"a":1}, {"b":[2]}]}"#,
        &[("$.objects[0]", r#"{"a":1}"#), ("$.objects[1]", r#"{"b":[2]}"#)],
    );
    assert_eq!((container.form, container.id.as_deref()), (Form::Bundle, Some("bundle--1")));
    assert_eq!(container.spec_version.as_deref(), Some("2.0"));
    let container = good(r#" { "objects" : [ ] , "id" : "bundle--2", "type" : "bundle" } "#, &[]);
    assert_eq!((container.form, container.id.as_deref()), (Form::Bundle, Some("bundle--2")));
    assert_eq!(good(r#"{"type":"bundle","id":"bundle--3"}"#, &[]).id.as_deref(), Some("bundle--3"));
    let late = good(r#"{"objects":[{}],"type":"bundle","id":"b"}"#, &[("$.objects[0]", "{}")]);
    assert_eq!((late.form, late.id.as_deref()), (Form::Bundle, Some("b")));
    good(r#"{"type":"bundle","\u006fbjects":[{}]}"#, &[("$.objects[0]", "{}")]);
    good("\u{feff}{\"type\":\"bundle\",\"objects\":[{}]}", &[("$.objects[0]", "{}")]);
    bad(r#"{"type":"bundle","objects":{}}"#, 0, 27, FaultKind::ObjectsNotAList);
    bad(r#"{"type":"bundle","objects":[{}],"objects":[{}]}"#, 1, 32, json_fault(ErrorKind::DuplicateKey));
    bad(r#"{"id":1,"id":2,"objects":[{}]}"#, 0, 8, json_fault(ErrorKind::DuplicateKey));
    bad(r#"{"id":1,"objects":[{}],"id":2}"#, 1, 23, json_fault(ErrorKind::DuplicateKey));
    bad(r#"{"objects":[{}],"type":"report"}"#, 1, 23, FaultKind::NotABundle);
    bad(r#"{"id":nil,"objects":[{}]}"#, 0, 6, json_fault(ErrorKind::ExpectedValue));
    bad(r#"{"objects":[{}],"id":nil}"#, 1, 21, json_fault(ErrorKind::ExpectedValue));
}

/// TAXII 2.1 §3.7.
#[test]
fn envelopes() {
    let container = good(r#"{"more":true,"next":"a","objects":[{"a":1}]}"#, &[("$.objects[0]", r#"{"a":1}"#)]);
    assert_eq!((container.form, container.more, container.next.as_deref()), (Form::Envelope, Some(true), Some("a")));
    let container = good(r#"{"objects":[{}],"more":false}"#, &[("$.objects[0]", "{}")]);
    assert_eq!((container.form, container.more), (Form::Envelope, Some(false)));
    assert_eq!(good("{}", &[]).form, Form::Envelope);
    assert_eq!(good(r#"{"more":false}"#, &[]).more, Some(false));
}

#[test]
fn lists_bare_objects_and_lines() {
    assert_eq!(good("[{},\n{\"a\":1}\n]", &[("$[0]", "{}"), ("$[1]", r#"{"a":1}"#)]).form, Form::List);
    good("[]", &[]);
    good(r#"{"type":"tool"}"#, &[("$", r#"{"type":"tool"}"#)]);
    good(" {\"a\":1}\n{\"b\":2}{\"c\":3} ", &[("$", r#"{"a":1}"#), ("$[1]", r#"{"b":2}"#), ("$[2]", r#"{"c":3}"#)]);
    good(
        "[{\"a\":1}]\n{\"b\":2}[{\"c\":3}]",
        &[("$[0]", r#"{"a":1}"#), ("$[1]", r#"{"b":2}"#), ("$[0]", r#"{"c":3}"#)],
    );
    // `objects` of observed data in STIX 2.0 is no list, and a custom list of that name makes no bundle.
    let text = r#"{"type":"observed-data","objects":{"0":{"a":"}"}}}"#;
    good(text, &[("$", text)]);
    let text = r#"{"type":"x-box","objects":[{"a":1}]}"#;
    good(text, &[("$", text)]);
    bad("", 0, 0, json_fault(ErrorKind::Empty));
    bad(" \n", 0, 2, json_fault(ErrorKind::Empty));
    bad("not JSON", 0, 0, FaultKind::NoContainer);
    bad("12", 0, 0, FaultKind::NoContainer);
    bad("{\"a\":1}\n]", 1, 8, FaultKind::NoContainer);
    bad(b"\xef\xbb", 0, 0, FaultKind::NoContainer);
    bad("  \u{feff}{}", 0, 2, FaultKind::NoContainer);
    bad("{\"a\":1}\u{feff}{}", 1, 7, FaultKind::NoContainer);
}

/// What is well nested is for others to judge; the rest ends the document, after the objects before it.
#[test]
fn bad_objects() {
    good("[{\"a\" 1},{\"a\":}]", &[("$[0]", "{\"a\" 1}"), ("$[1]", "{\"a\":}")]);
    good(
        "[1,\"]\",tru,{\"a\":\"\\\"}]\"},[]]",
        &[("$[0]", "1"), ("$[1]", "\"]\""), ("$[2]", "tru"), ("$[3]", "{\"a\":\"\\\"}]\"}"), ("$[4]", "[]")],
    );
    good(
        "[{\"a\":1,\"a\":2},{\"b\":\"\t\"},{}]",
        &[("$[0]", "{\"a\":1,\"a\":2}"), ("$[1]", "{\"b\":\"\t\"}"), ("$[2]", "{}")],
    );
    good("{\"a\":\"\t\"}{}{\"a\":1}", &[("$", "{\"a\":\"\t\"}"), ("$[2]", "{\"a\":1}")]);
    bad("[{},{\"a\":[1}]", 1, 11, json_fault(ErrorKind::ExpectedCommaOrBracket));
    bad("[{},{\"a\":{1]", 1, 11, json_fault(ErrorKind::ExpectedCommaOrBrace));
    bad("[{},{\"a\":1", 1, 10, json_fault(ErrorKind::Truncated));
    bad("[{},", 1, 4, json_fault(ErrorKind::Truncated));
    bad("[{} {}]", 1, 4, json_fault(ErrorKind::ExpectedCommaOrBracket));
    bad("[{},]", 1, 4, json_fault(ErrorKind::ExpectedValue));
    bad("[,{}]", 0, 1, json_fault(ErrorKind::ExpectedValue));
    bad("[{}}", 1, 3, json_fault(ErrorKind::ExpectedCommaOrBracket));
    bad("{\"a\" 1}", 0, 5, json_fault(ErrorKind::ExpectedColon));
    bad("{1:2}", 0, 1, json_fault(ErrorKind::ExpectedKey));
    bad("{\"a\":1,}", 0, 7, json_fault(ErrorKind::ExpectedKey));
    bad("{\"a\":1 2}", 0, 7, json_fault(ErrorKind::ExpectedCommaOrBrace));
    bad("{\"objects\":[{}]", 1, 15, json_fault(ErrorKind::Truncated));
    bad("{\"objects\":[{}] 1}", 1, 16, json_fault(ErrorKind::ExpectedCommaOrBrace));
}

#[test]
fn limits() {
    good(r#"[{"a":[[[1]]]}]"#, &[("$[0]", r#"{"a":[[[1]]]}"#)]);
    good(r#"{"a":[[[1]]]}"#, &[("$", r#"{"a":[[[1]]]}"#)]);
    bad(r#"[{},{"a":[[[[1]]]]}]"#, 1, 12, json_fault(ErrorKind::Depth(4)));
    bad(r#"{"a":[[[[1]]]]}"#, 0, 8, json_fault(ErrorKind::Depth(3)));
    let large = |length: usize| format!("{{\"a\":\"{}\"}}", "a".repeat(length - 8));
    good(&format!("[{}]", large(100)), &[("$[0]", &large(100))]);
    good(&large(100), &[("$", &large(100))]);
    bad(format!("[{{}},{}]", large(101)), 1, 104, json_fault(ErrorKind::Bytes(100)));
    bad(large(101), 0, 100, json_fault(ErrorKind::Bytes(100)));
    bad(format!("[{}]", "9".repeat(101)), 0, 101, json_fault(ErrorKind::Bytes(100)));
    bad(format!("{{\"{}\":1}}", "a".repeat(101)), 0, 100, json_fault(ErrorKind::Bytes(100)));
}

/// Gives the same bytes for ever, and counts them.
struct Endless {
    pattern: &'static [u8],
    given: usize,
}

impl Read for Endless {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        for (slot, byte) in room.iter_mut().zip(self.pattern.iter().cycle().skip(self.given % self.pattern.len())) {
            *slot = *byte;
        }
        self.given += room.len();
        Ok(room.len())
    }
}

#[test]
fn endless_documents_are_refused_in_time() {
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    for (pattern, offset, kind) in
        [(b"[".as_slice(), 65, ErrorKind::Depth(64)), (b"{\"a\":", 320, ErrorKind::Depth(63))]
    {
        let mut splitter = Splitter::new(Endless { pattern, given: 0 }, limits);
        let Err(Error::Document(fault)) = splitter.next_item() else { panic!("{pattern:?} went on") };
        assert_eq!((fault.offset, fault.kind), (offset, FaultKind::Json(kind)));
        assert!(splitter.source.given <= 1 << 20);
    }
    for start in ["[\"", "{\"", "{\"a\":\"", "[1", "[{\"a\":\"", "{\"objects\":[\"", "{ ", "{\"objects\":[],\"a\":["] {
        let filler = if start == "{ " { b" " } else { b"1" };
        let source = start.as_bytes().chain(Endless { pattern: filler, given: 0 });
        let mut splitter = Splitter::new(source, limits);
        let Err(Error::Document(fault)) = splitter.next_item() else { panic!("{start:?} went on") };
        assert_eq!(fault.kind, FaultKind::Json(ErrorKind::Bytes(1 << 20)), "{start}");
        assert!(splitter.buffer.len() <= 3 << 20);
    }
}

#[test]
fn lines_and_columns_are_those_of_the_document() {
    let text = "[\n {\"a\": \"é\"},\n\n  {}, \"é\" ?]";
    for sizes in [[1], [7], [usize::MAX]] {
        let outcome = streamed(text.as_bytes(), &sizes, TIGHT);
        assert_eq!(outcome.items.iter().map(|item| item.3).collect::<Vec<_>>(), [2, 4, 4]);
        let fault = outcome.fault.map(|fault| (fault.line, fault.column));
        assert_eq!(fault, Some((4, 11)));
    }
}

/// Objects are judged one by one, and their faults told from the start of the document.
#[test]
fn faults_of_objects_are_placed_in_the_document() {
    for (text, wanted) in [
        ("[{\"é\": 1}, {\"a\": ?}]", (18, 1, 18)),
        ("[\n {},\n  {\"a\":\n ?}]", (16, 4, 2)),
        ("{\"z\":1}\n{\"a\": ?}", (14, 2, 7)),
    ] {
        let mut splitter = Splitter::new(text.as_bytes(), TIGHT);
        assert!(matches!(splitter.next_item(), Ok(Some(_))));
        let item = splitter.next_item().unwrap().unwrap();
        let error = Tape::new().parse(item.text, &TIGHT).map(|_| ()).unwrap_err();
        let fault = item.fault(error);
        assert_eq!((fault.offset, fault.line, fault.column), wanted, "{text}");
        assert_eq!(text.as_bytes().get(usize::try_from(fault.offset).unwrap()), Some(&b'?'));
    }
    let place = |index| Place { form: Form::Bare, index }.to_string();
    assert_eq!((place(0), place(1)), ("$".to_owned(), "$[1]".to_owned()));
}

#[test]
fn a_source_that_fails_says_so() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let mut splitter = Splitter::new(b"[{},".chain(Failing), TIGHT);
    assert!(matches!(splitter.next_item(), Ok(Some(_))));
    assert!(matches!(splitter.next_item(), Err(Error::Read(_))));
    assert!(matches!(splitter.next_item(), Ok(None)));
}

fn object() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("1".to_owned()),
        "\"[a-z{}\\[\\],:]{0,90}\"",
        Just(r#""\\\"\\""#.to_owned()),
        Just("[1,[2],{\"x\":{}}]".to_owned()),
        Just("tru".to_owned()),
        Just("\"\\".to_owned()),
        Just("]".to_owned()),
    ];
    let name = prop::sample::select(vec!["a", "b", "objects", "type", "id"]);
    prop::collection::vec((name, value), 0..4).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", members.join(",\n"))
    })
}

fn document() -> impl Strategy<Value = String> {
    let objects = || prop::collection::vec(object(), 0..6);
    prop_oneof![
        objects().prop_map(|objects| format!("[{}]", objects.join(",\n "))),
        objects().prop_map(|objects| objects.join("\n")),
        (objects(), object()).prop_map(|(objects, more)| {
            format!("{{\"type\":\"bundle\",\"x\":{more},\"objects\":[{}],\"y\":1}}", objects.join(" ,"))
        }),
        (objects(), object()).prop_map(|(objects, more)| format!("{{\"objects\":[{}]}}{more}", objects.join(" ,"))),
        "[\\[\\]{}:,\"a1 \\\\\n]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunks_give_the_same(text in document(), sizes in prop::collection::vec(1..200_usize, 1..6)) {
        let limits = Limits { max_depth: 5, max_bytes: 150, max_values: 1000 };
        let whole = streamed(text.as_bytes(), &[usize::MAX], limits);
        prop_assert_eq!(streamed(text.as_bytes(), &sizes, limits), whole);
    }

    #[test]
    fn iterating_gives_the_same(text in document()) {
        prop_assert_eq!(iterated(text.as_bytes()), streamed(text.as_bytes(), &[usize::MAX], Limits::default()));
    }

    #[test]
    fn walking_gives_the_same(text in document()) {
        let limits = Limits { max_depth: 5, max_bytes: 1500, max_values: 1000 };
        let whole = streamed(text.as_bytes(), &[usize::MAX], limits);
        let walk = walked(text.as_bytes(), limits);
        prop_assert_eq!(walk.fault.is_some(), whole.fault.is_some());
        prop_assert_eq!(walk.items, whole.items);
    }
}
