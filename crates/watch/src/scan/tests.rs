//! Lines read by steps that were learned, beside the same lines walked one by one as if none were known.

use proptest::prelude::*;

use super::parts::MOST_URLS;
use super::trail::Trails;
use super::{EVE, Format, Report, Scan, ZEEK};
use crate::Meaning;

#[test]
fn every_key_is_found_and_nothing_like_it() {
    for keys in [&*ZEEK, &*EVE] {
        for (node, key, target) in keys.all() {
            let found = |node, text: &str| keys.find(node, text.as_bytes(), 0, text.len());
            assert_eq!(found(node, key), target, "{key}");
            let padded = format!("{key}\":\"and more behind it");
            assert_eq!(keys.find(node, padded.as_bytes(), 0, key.len()), target, "{key}");
            let known = |node, text: &str| keys.all().any(|(n, k, _)| (n, k) == (node, text));
            let (shorter, longer) = (&key[..key.len() - 1], format!("{key}s"));
            for (node, other) in [(node, shorter), (node, &longer), (node + 1, key)] {
                assert!(known(node, other) || found(node, other) == super::keys::Target::NONE, "{other}");
            }
        }
    }
}

/// All that is known of a line.
#[derive(Debug, PartialEq)]
struct Line {
    number: u64,
    raw: Vec<u8>,
    time: Option<Vec<u8>>,
    values: Vec<(u16, Option<Meaning>, Vec<u8>)>,
}

/// What a scan shows of a log that comes in pieces of this size.
fn read(mut scan: Scan, log: &[u8], size: usize) -> (Vec<Line>, Report) {
    let mut lines = Vec::new();
    let mut each = |text: &[u8], scan: &mut Scan| {
        scan.lines(text, &mut |window| {
            for (place, row) in window.rows() {
                let values =
                    window.seen(place).iter().map(|seen| (seen.field, seen.meaning, window.text(*seen).to_vec()));
                lines.push(Line {
                    number: row.number,
                    raw: window.raw(row).to_vec(),
                    time: window.time(row).map(<[u8]>::to_vec),
                    values: values.collect(),
                });
            }
        });
    };
    for piece in log.chunks(size.max(1)) {
        scan.feed(piece, &mut each);
    }
    scan.finish(&mut each);
    (lines, scan.report)
}

/// The same, of a scan that learns nothing.
fn walked(format: Format, log: &[u8]) -> (Vec<Line>, Report) {
    let mut scan = Scan::new(format);
    scan.trails.wait = u32::MAX;
    read(scan, log, usize::MAX)
}

fn same(format: Format, log: &[u8], size: usize) {
    assert_eq!(read(Scan::new(format), log, size), walked(format, log), "{}", String::from_utf8_lossy(log));
}

/// Whether a line is read by steps once another has been.
fn follows(format: Format, line: &str, next: &str) -> bool {
    let mut scan = Scan::new(format);
    scan.feed(format!("{line}\n").as_bytes(), &mut |text, scan| scan.lines(text, &mut |_| ()));
    assert_eq!(scan.report.broken, 0, "{line}");
    let followed = scan.trails.follow(format!("{next}\n").as_bytes(), 0, &mut scan.lines);
    same(format, format!("{line}\n{line}\n{next}\n{next}\n").as_bytes(), usize::MAX);
    followed.is_some_and(|followed| followed.end == next.len())
}

#[test]
fn lines_that_are_made_alike_are_followed() {
    let line = r#"{"ts":1.5,"uid":"Cx","id.orig_h":"192.0.2.1","tags":[],"answers":["a.example","b.example","c"],"TTLs":[1.0,2.0,3.0],"AA":false}"#;
    for next in [
        line,
        r#"{"ts":99999999999999999999999999999999.5,"uid":"","id.orig_h":"2001:db8::1","tags":[],"answers":["","c"],"TTLs":[0,0],"AA":null}"#,
        r#"{"ts":null,"uid":"\"\\\u0041","id.orig_h":"x\u0041y","tags":[],"answers":["é","\n","more","than","two"],"TTLs":[1,2,3,4],"AA":true}"#,
        r#"{"ts":1,"uid":"{\"ts\":1,","id.orig_h":"[]{}:,","tags":[],"answers":["0123456789abcdef0123456789abcde","0123456789abcdef0123456789abcdef and more"],"TTLs":[1,2],"AA":x}"#,
    ] {
        assert!(follows(Format::ZeekJson, line, next), "{next}");
    }
    let line = r#"{"timestamp":"2026","dns":{"queries":[{"rrname":"a.example","rrtype":"A"}],"id":7},"flow":{"src_ip":"192.0.2.1","unknown":{"a":[[1,"x"],[{}]]}}}"#;
    assert!(follows(Format::Eve, line, &line.replace("a.example", "b.example").replace("[[1,", "[[22,")));
    let spaced = line.replace(':', ": ").replace(',', ",\t ") + " \r";
    assert!(follows(Format::Eve, &spaced, &spaced));
}

#[test]
fn lines_that_are_made_otherwise_are_walked() {
    let line = r#"{"ts":1.5,"query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#;
    for next in [
        r#"{"ts":1.5,"query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}"#,
        r#"{"ts":1.5,"query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}}"#,
        r#"{"ts":1.5,"query":"a.example","answers":["b.example"},"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":1.5,"query":"a.example","answers":["b.example"],"id":{"orig_p":"192.0.2.1"}}"#,
        r#"{"ts":1.5,"query":"a.example","answers":[["b.example"]],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":,"query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts"::,"query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":"1","query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":1 5,"query":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":1,"query":"a.\qexample","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":1,"query":"a.example\","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        "{\"ts\":1,\"query\":\"a.\\\texample\",\"answers\":[\"b.example\"],\"id\":{\"orig_h\":\"192.0.2.1\"}}",
        "{\"ts\":1,\"query\":\"a.\u{1}example\",\"answers\":[\"b.example\"],\"id\":{\"orig_h\":\"192.0.2.1\"}}",
        r#"{"ts":1.5,"quer":"a.example","answers":["b.example"],"id":{"orig_h":"192.0.2.1"}}"#,
        r#"{"ts":1.5,"query":"a.example","id":{"orig_h":"192.0.2.1"},"answers":["b.example"]}"#,
    ] {
        assert!(!follows(Format::ZeekJson, line, next), "{next}");
    }
    // A backslash at the end of a line takes nothing of the next.
    for end in ["\n", "\r\n", "\r", "\u{1f}"] {
        let cut = line.replace("a.example", &format!("a.\\{end}example"));
        same(Format::ZeekJson, format!("{line}\n{cut}\n{line}\n").as_bytes(), usize::MAX);
        assert!(!follows(Format::ZeekJson, line, &cut), "{cut}");
    }
}

/// Whatever part of a load it falls into, the byte that an escape is of counts.
#[test]
fn what_is_escaped_is_utf_8_or_the_line_is_not() {
    let line = r#"{"ts":1,"note":"x","query":"a.example"}"#;
    for length in 0..70 {
        let (head, tail) = (format!(r#"{{"ts":1,"note":"{}\"#, "n".repeat(length)), r#"y","query":"a.example"}"#);
        let bent = [line.as_bytes(), b"\n", head.as_bytes(), b"\xFF", tail.as_bytes(), b"\n"].concat();
        same(Format::ZeekJson, &bent, usize::MAX);
        let (lines, report) = read(Scan::new(Format::ZeekJson), &bent, usize::MAX);
        assert_eq!((lines.len(), report.broken), (1, 1), "{length}");
    }
}

/// Types that follow names which cannot be taken are of nothing.
#[test]
fn a_header_that_is_broken_leaves_nothing_of_the_one_before() {
    let names: Vec<String> = (0..200).map(|no| format!("x{no}")).chain(["id.orig_h".to_owned()]).collect();
    let row = "v\t".repeat(200) + "192.0.2.1\n";
    let log = format!("#fields\t{}\n{row}#fields\t\t\n#types\t{}\n{row}", names.join("\t"), "addr\t".repeat(201));
    let (lines, report) = read(Scan::new(Format::ZeekTsv), log.as_bytes(), usize::MAX);
    assert_eq!(lines.len(), 1);
    assert!(report.broken > 0);
}

/// A line that was made to be slow: each path with each host would be thousands of URLs.
#[test]
fn urls_of_one_line_are_bounded() {
    let of = |key: &str, value: &str| format!(r#","{key}":"{value}""#);
    let line =
        format!(r#"{{"ts":1,"uid":"C1"{}{}}}"#, of("host", "a.example").repeat(200), of("uri", "/x").repeat(200));
    let (lines, _) = read(Scan::new(Format::ZeekJson), format!("{line}\n").as_bytes(), usize::MAX);
    let urls = lines[0].values.iter().filter(|(_, meaning, _)| *meaning == Some(Meaning::Url)).count();
    assert_eq!(urls, MOST_URLS * MOST_URLS);
}

#[test]
fn a_key_of_any_length_is_compared_whole() {
    for length in (1..70).chain([300, 600]) {
        let key = "k".repeat(length);
        let line = format!(r#"{{"ts":1,"{key}":"x","query":"a.example"}}"#);
        assert_eq!(follows(Format::ZeekJson, &line, &line), length < 500, "{length}");
        for at in [0, length / 2, length - 1] {
            let mut other = key.clone();
            other.replace_range(at..=at, "j");
            assert!(!follows(Format::ZeekJson, &line, &line.replace(&key, &other)), "{length} {at}");
        }
    }
}

#[test]
fn what_one_nested_line_taught_holds_for_no_deeper_one() {
    let nested =
        |deep: usize| format!("{}\"query\":\"a.example\"{}", r#"{"a":"#.repeat(deep) + "{", "}".repeat(deep + 1));
    let mut log = String::new();
    for deep in (0..40).chain([31, 30, 32, 31, 29]) {
        log +=
            &(nested(deep) + "\n" + &"[".repeat(deep) + "\n{\"tags\":" + &"[".repeat(deep) + &"]".repeat(deep) + "}\n");
    }
    same(Format::ZeekJson, log.as_bytes(), usize::MAX);
    same(Format::Eve, log.as_bytes(), 100);
}

/// More keys and orders of keys than are kept: they are forgotten, and lines read all the same.
#[test]
fn a_log_without_order_is_read_in_bounded_memory() {
    let line = |number: usize| {
        let keys =
            (0..40).map(|key| format!("\"k{}\":\"v\",\"l{key}\":{{\"m{number}\":[1]}}", number * 7919 + key * 31));
        format!("{{\"ts\":1,{},\"query\":\"n{number}.example\"}}\n", keys.collect::<Vec<_>>().join(","))
    };
    let log = (0..600).map(line).collect::<String>();
    let mut scan = Scan::new(Format::ZeekJson);
    let mut kept = Vec::new();
    for piece in log.as_bytes().chunks(4096) {
        scan.feed(piece, &mut |text, scan| scan.lines(text, &mut |_| ()));
        let Trails { steps, others, known, places, inner, .. } = &scan.trails;
        assert!([steps.len(), others.len(), known.len(), places.len(), inner.len()].iter().all(|kept| *kept <= 2048));
        kept.push(steps.len());
    }
    assert!(kept.windows(2).any(|pair| pair[1] < pair[0]), "all was forgotten at least once");
    assert!(kept.windows(2).filter(|pair| pair[0] != pair[1]).count() < kept.len() / 2, "little is learned in vain");
    same(Format::ZeekJson, log.as_bytes(), usize::MAX);
    // What is known does not count if it comes to nothing, and what comes of it does again.
    let alike = r#"{"ts":1,"query":"a.example"}"#.to_owned() + "\n";
    for _ in 0..1000 {
        scan.feed(alike.as_bytes(), &mut |text, scan| scan.lines(text, &mut |_| ()));
    }
    assert_eq!(scan.trails.vain, 0);
    assert!(scan.trails.follow(alike.as_bytes(), 0, &mut scan.lines).is_some());
}

/// A piece of a line.
fn value() -> BoxedStrategy<Vec<u8>> {
    let text = prop_oneof![
        4 => "[a-z0-9.:/@-]{0,70}".prop_map(String::into_bytes),
        2 => proptest::sample::select(vec![
            &br"\n"[..], br#"\""#, br"\\", br"a\u00e9", br"\ud83d\ude00", br"\q", br"\", br"http:\/\/a.example\/b", "é".as_bytes(),
            b"\xFF", b"\x01", b"\t", b"SSH-2.0", b"{", b"]", b",\"query\":\"", b"/a/b", b"Intel::ADDR",
        ]).prop_map(<[u8]>::to_vec),
    ];
    let text = proptest::collection::vec(text, 1..3).prop_map(|parts| [b"\"", &*parts.concat(), b"\""].concat());
    let plain = proptest::sample::select(vec![
        &b"1"[..],
        b"-0.5e-3",
        b"1e+5",
        b"true",
        b"null",
        b"1700000000.123456",
        b"123456789012345678901234567890123456",
        b"{}",
        b"[]",
        b"",
        b":1",
        b"1:2",
        b"x_y",
        b"1 ",
        b"n",
        b"\xC3\xA9",
        b"`",
        b"/",
    ]);
    prop_oneof![6 => text, 3 => plain.prop_map(<[u8]>::to_vec)].boxed()
}

/// Keys of both formats, some with the beginning of others.
const KEYS: &[&str] = &[
    "ts",
    "timestamp",
    "id",
    "id.orig_h",
    "id.orig_p",
    "id.orig",
    "id.resp_h",
    "id.resp_p",
    "query",
    "quer",
    "query2",
    "host",
    "uri",
    "answers",
    "cipher",
    "subject",
    "_path",
    "name",
    "\\u0074s",
    "é",
    "a key that is longer than all that is compared at once",
    "dns",
    "queries",
    "rrname",
    "http",
    "hostname",
    "url",
    "xff",
    "proxied",
    "seen.indicator",
    "seen.indicator_type",
    "orig_h",
    "",
];

/// A member of an object: `#` stands where a value comes.
fn member(depth: u32) -> BoxedStrategy<Vec<u8>> {
    let inner = if depth == 0 {
        Just(b"#".to_vec()).boxed()
    } else {
        let list = proptest::collection::vec(Just(b"#".to_vec()), 0..4)
            .prop_map(|all| [b"[", &*all.join(&b","[..]), b"]"].concat());
        let object = proptest::collection::vec(member(depth - 1), 0..4)
            .prop_map(|all| [b"{", &*all.join(&b","[..]), b"}"].concat());
        let both = object.clone().prop_map(|object| [b"[", &*object, b",[#],", &*object, b"]"].concat());
        prop_oneof![6 => Just(b"#".to_vec()), 1 => list, 1 => object, 1 => both].boxed()
    };
    let blank = proptest::sample::select(vec!["", "", "", "", "", " ", "\t"]);
    (proptest::sample::select(KEYS), blank, inner)
        .prop_map(|(key, blank, inner)| [format!("{blank}\"{key}\"{blank}:{blank}").as_bytes(), &inner].concat())
        .boxed()
}

/// How a line differs from its shape: in the order and number of its members, or in a byte.
#[derive(Clone, Debug)]
enum Change {
    None,
    Swap(usize, usize),
    Drop(usize),
    Double(usize),
    Cut(usize),
    Byte(usize, u8),
    Insert(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let byte = proptest::sample::select(b"\"\\{}[]:, \t\r\n\x00\x7F\xC3ax1".to_vec());
    prop_oneof![
        8 => Just(Change::None),
        1 => (0..9_usize, 0..9_usize).prop_map(|(one, other)| Change::Swap(one, other)),
        1 => (0..9_usize).prop_map(Change::Drop),
        1 => (0..9_usize).prop_map(Change::Double),
        1 => (0..400_usize).prop_map(Change::Cut),
        2 => (0..400_usize, byte.clone()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        2 => (0..400_usize, byte).prop_map(|(at, byte)| Change::Insert(at, byte)),
    ]
}

fn line(shape: &[Vec<u8>], values: &[Vec<u8>], change: &Change) -> Vec<u8> {
    let mut members = shape.to_vec();
    match *change {
        Change::Swap(one, other) if one < members.len() && other < members.len() => members.swap(one, other),
        Change::Drop(at) if at < members.len() => drop(members.remove(at)),
        Change::Double(at) if at < members.len() => members.insert(at / 2, members[at].clone()),
        _ => {}
    }
    let mut line = Vec::new();
    let mut values = values.iter().cycle();
    for byte in [b"{", &*members.join(&b","[..]), b"}"].concat() {
        match (byte, values.next().filter(|_| byte == b'#')) {
            (b'#', Some(value)) => line.extend_from_slice(value),
            _ => line.push(byte),
        }
    }
    match *change {
        Change::Cut(at) => line.truncate(at),
        Change::Byte(at, byte) => line.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
        Change::Insert(at, byte) => line.insert(at.min(line.len()), byte),
        _ => {}
    }
    line
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Few shapes, and lines of each with other values, most of them as they should be and some not.
    #[test]
    fn steps_lead_where_the_walk_does(
        shapes in proptest::collection::vec(proptest::collection::vec(member(2), 0..7), 1..4),
        lines in proptest::collection::vec((0..4_usize, proptest::collection::vec(value(), 1..9), change()), 1..40),
        size in prop_oneof![Just(usize::MAX), 1..900_usize],
        end in proptest::sample::select(vec!["\n", "\n", "\r\n", " \n"]),
    ) {
        let lines = lines.iter().map(|(shape, values, change)| line(&shapes[shape % shapes.len()], values, change));
        let log = lines.flat_map(|line| [line, end.into()].concat()).collect::<Vec<u8>>();
        for format in [Format::ZeekJson, Format::Eve] {
            same(format, &log, size);
        }
    }
}
