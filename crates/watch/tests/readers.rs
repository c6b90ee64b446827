//! The readers of lines and tables: what each line gives, what is counted, and that no cut of the bytes matters.

#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;
use watch::read::{Csv, Fault, FieldMap, JsonLines, Lines, Octets, Plain, Reader, Syslog};

/// Line, time, and the fields as `name:Meaning=value`.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    line: u64,
    time: Option<String>,
    fields: Vec<String>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Feeds a reader blocks of whole lines, each at most so long unless a line is longer.
fn fed(reader: &mut dyn Reader, bytes: &[u8], block: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut sink = |event: &watch::Event<'_>| {
        // Details have tables of their own.
        let observable = event.fields.iter().filter(|f| !matches!(f.meaning, watch::Meaning::Detail(_)));
        let fields = observable.map(|f| format!("{}:{:?}={}", f.name, f.meaning, text(f.value))).collect();
        seen.push(Seen { line: event.line, time: event.time.map(text), fields });
    };
    let (mut rest, mut line) = (bytes, 1);
    while !rest.is_empty() {
        let mut end = block.min(rest.len());
        if reader.by_lines() {
            end = rest[end - 1..].iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| end + at);
        }
        reader.block(&rest[..end], line, &mut sink);
        line += rest[..end].iter().filter(|&&byte| byte == b'\n').count() as u64;
        rest = &rest[end..];
    }
    reader.end(&mut sink);
    seen
}

fn fields(reader: &mut dyn Reader, bytes: &str) -> Vec<String> {
    fed(reader, bytes.as_bytes(), 1 << 20).into_iter().flat_map(|seen| seen.fields).collect()
}

fn json() -> Lines<JsonLines> {
    Lines::new(JsonLines::new(FieldMap::default()))
}

fn syslog() -> Lines<Syslog> {
    Lines::new(Syslog::new(FieldMap::default()))
}

fn csv() -> Csv {
    Csv::new(FieldMap::default())
}

#[test]
fn json_by_the_standards_by_name_and_by_content() {
    for (line, wanted) in [
        // ECS, nested and with points in the names.
        (r#"{"dns":{"question":{"name":"evil.com"}}}"#, vec!["dns.question.name:Host=evil.com"]),
        (r#"{"dns.question.name":"evil.com"}"#, vec!["dns.question.name:Host=evil.com"]),
        (
            r#"{"url":{"full":"http://evil.com/x","path":"/x.com"}}"#,
            vec!["url.full:Url=http://evil.com/x", "url.full:Host=evil.com"],
        ),
        (
            r#"{"dns":{"answers":[{"data":"1.2.3.4"},{"data":"v.com"}]}}"#,
            vec!["dns.answers.data:Answer=1.2.3.4", "dns.answers.data:Answer=v.com"],
        ),
        (
            r#"{"tls":{"client":{"ja3":"d41d8cd98f00b204e9800998ecf8427e"}}}"#,
            vec!["tls.client.ja3:Ja3=d41d8cd98f00b204e9800998ecf8427e"],
        ),
        // OCSF.
        (r#"{"query":{"hostname":"evil.com"}}"#, vec!["query.hostname:Host=evil.com"]),
        (r#"{"src_endpoint":{"ip":"1.2.3.4"}}"#, vec!["src_endpoint.ip:Address=1.2.3.4"]),
        (
            r#"{"file":{"hashes":[{"algorithm_id":1,"value":"d41d8cd98f00b204e9800998ecf8427e"}]}}"#,
            vec!["file.hashes.value:Digest=d41d8cd98f00b204e9800998ecf8427e"],
        ),
        // By name.
        (r#"{"src_ip":"1.2.3.4","UserAgent":"curl/8"}"#, vec!["src_ip:Address=1.2.3.4", "UserAgent:UserAgent=curl/8"]),
        // A name that misleads.
        (r#"{"host":"web 1.2.3.4"}"#, vec!["host:Host=web 1.2.3.4"]),
        (r#"{"src":"evil.com"}"#, vec!["src:Address=evil.com", "src:Host=evil.com"]),
        // By content.
        (r#"{"msg":"saw evil[.]com at 1.2.3.4"}"#, vec!["msg:Host=evil.com", "msg:Address=1.2.3.4"]),
        (
            r#"{"Hashes":"MD5=d41d8cd98f00b204e9800998ecf8427e"}"#,
            vec!["Hashes:Digest=d41d8cd98f00b204e9800998ecf8427e"],
        ),
        // Escapes.
        (r#"{"domain":"evil\u002ecom"}"#, vec!["domain:Host=evil.com"]),
        (r#"{"d\u006fmain":"evil.com"}"#, vec!["domain:Host=evil.com"]),
        (r#"[{"ip":"1.2.3.4"},{"ip":"5.6.7.8"}]"#, vec!["ip:Address=1.2.3.4", "ip:Address=5.6.7.8"]),
        (r#"{"n":1,"b":true,"z":null,"e":""}"#, vec![]),
    ] {
        let mut reader = json();
        assert_eq!(fields(&mut reader, line), wanted, "{line}");
        assert!(reader.faults().none(), "{line}");
    }
}

#[test]
fn json_that_is_none_is_counted_and_the_next_line_read() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (line, fault) in [
        (r#"{"ip":"1.2.3.4""#, Fault::Broken),
        (r#"{"ip":"1.2.3.4"} x"#, Fault::Broken),
        ("ip 1.2.3.4", Fault::Broken),
        ("\"1.2.3.4\"", Fault::Broken),
        ("{\u{0}}", Fault::Broken),
        (&deep, Fault::Broken),
        (r#"{"ip":"\ud800"}"#, Fault::Broken),
    ] {
        let mut reader = json();
        let seen = fed(&mut reader, format!("{line}\n{{\"ip\":\"5.6.7.8\"}}\r\n").as_bytes(), 1 << 20);
        assert_eq!(seen.len(), 1, "{line}");
        assert_eq!(seen[0].line, 2);
        assert_eq!(reader.faults().of(fault), 1, "{line}");
        assert_eq!(reader.faults().places(), [(fault, 1)]);
    }
    let mut reader = json();
    let seen = fed(&mut reader, b"{\"ip\":\"1.2.3.4\",\"x\":\"\xff\"}", 1 << 20);
    assert_eq!(seen[0].fields, ["ip:Address=1.2.3.4"], "bytes that are no UTF-8 spoil a value only");
    let many = format!("{{\"ip\":[{}\"1.2.3.4\"]}}", "\"1.2.3.4\",".repeat(100_001));
    assert_eq!(fields(&mut reader, &many).len(), 100_000);
    assert_eq!(reader.faults().of(Fault::TooMuch), 1);
}

#[test]
fn a_map_of_ones_own() {
    let map = FieldMap::parse("a.machine = host\nwhen = time\nblob = ignore\nasnum = as").unwrap();
    let mut reader = Lines::new(JsonLines::new(map));
    let line = br#"{"a":{"machine":"printer"},"when":17.5,"blob":"1.2.3.4","asnum":64500,"ip":"5.6.7.8"}"#;
    let seen = fed(&mut reader, line, 1 << 20);
    assert_eq!(seen[0].time.as_deref(), Some("17.5"));
    assert_eq!(seen[0].fields, ["a.machine:Host=printer", "asnum:AutonomousSystem=64500", "ip:Address=5.6.7.8"]);
}

#[test]
fn csv_tables() {
    for (table, wanted) in [
        ("ts,src_ip\n1,1.2.3.4\n", vec!["src_ip:Address=1.2.3.4"]),
        ("\u{feff}src_ip,ts\r\n1.2.3.4,1\r\n", vec!["src_ip:Address=1.2.3.4"]),
        ("a;src_ip\n1,5;1.2.3.4", vec!["src_ip:Address=1.2.3.4"]),
        ("a\tsrc_ip\nx\t1.2.3.4", vec!["src_ip:Address=1.2.3.4"]),
        ("a|src_ip\nx|1.2.3.4", vec!["src_ip:Address=1.2.3.4"]),
        ("src_ip\n1.2.3.4\n\n5.6.7.8", vec!["src_ip:Address=1.2.3.4", "src_ip:Address=5.6.7.8"]),
        ("\"src_ip\",\"x,y\"\n\"1.2.3.4\",\"a,b\"", vec!["src_ip:Address=1.2.3.4"]),
        ("note,ip\n\"one\n \"\"two\"\" evil.com\",1.2.3.4", vec!["note:Host=evil.com", "ip:Address=1.2.3.4"]),
        // The header once more, as in joined files.
        ("ip,ts\n1.2.3.4,1\nip,ts\n5.6.7.8,2", vec!["ip:Address=1.2.3.4", "ip:Address=5.6.7.8"]),
    ] {
        let mut reader = csv();
        assert_eq!(fields(&mut reader, table), wanted, "{table}");
        assert!(reader.faults().none(), "{table}");
    }
}

#[test]
fn csv_that_is_broken() {
    let mut reader = csv();
    let table = "ts,ip\n1,1.2.3.4,extra\n5.6.7.8\n\"a\"b,9.9.9.9\nip,host,ts\n7.7.7.7,evil.com,1\n2,\"open 8.8.8.8\n";
    let seen = fed(&mut reader, table.as_bytes(), 1 << 20);
    let lines: Vec<(u64, &str)> = seen.iter().map(|seen| (seen.line, seen.fields[0].as_str())).collect();
    assert_eq!(
        lines,
        [
            (2, "text:Address=1.2.3.4"),
            (3, "text:Address=5.6.7.8"),
            (4, "text:Address=9.9.9.9"),
            (6, "ip:Address=7.7.7.7"),
            (7, "text:Address=8.8.8.8"),
        ]
    );
    assert_eq!(seen[3].time.as_deref(), Some("1"));
    for (fault, count) in [(Fault::Columns, 2), (Fault::Broken, 1), (Fault::Header, 1), (Fault::Cut, 1)] {
        assert_eq!(reader.faults().of(fault), count, "{fault:?}");
    }
}

#[test]
fn a_quote_that_never_closes_costs_its_line_alone() {
    let mut table = String::from("note,ip\n\"open,1.1.1.1\n");
    for _ in 0..100_000 {
        table.push_str("x,1.2.3.4 and more\n");
    }
    let mut reader = csv();
    let seen = fed(&mut reader, table.as_bytes(), 1 << 16);
    assert_eq!(seen.len(), 100_001);
    assert_eq!(reader.faults().of(Fault::Broken), 1);
    assert_eq!(reader.pending(), 0);
}

#[test]
fn what_a_csv_needs_to_go_on() {
    let mut first = csv();
    let table = b"ts,ip\n1,1.2.3.4\n2,\"5.6.\n7.8\"\n";
    let half = 24;
    first.block(&table[..half], 1, &mut |_| {});
    assert_eq!(&table[half - first.pending()..half], b"2,\"5.6.\n");
    let mut second = csv();
    second.block(first.header(), 0, &mut |_| {});
    assert_eq!(fields(&mut second, "3,9.9.9.9\n"), ["ip:Address=9.9.9.9"]);
}

#[test]
fn syslog_envelopes() {
    for (line, time, wanted) in [
        (
            r#"<34>1 2026-10-11T22:14:15.003Z gw.evil.com su - ID47 - failed from 1.2.3.4"#,
            Some("2026-10-11T22:14:15.003Z"),
            vec!["hostname:Host=gw.evil.com", "message:Address=1.2.3.4"],
        ),
        (
            r#"<165>1 2026-10-11T22:14:15Z h e - I [x@1 src_ip="1.2.3.4" q="a\"b\]c\\ evil.com"][y z="1"] text"#,
            Some("2026-10-11T22:14:15Z"),
            vec!["hostname:Host=h", "x@1.src_ip:Address=1.2.3.4", "x@1.q:Host=evil.com"],
        ),
        ("<0>1 - - - - - -", None, vec![]),
        ("<34>1 - - - - - - \u{feff}evil.com", None, vec!["message:Host=evil.com"]),
        (
            "<34>Oct 11 22:14:15 mymachine su[7]: lonvick at 1.2.3.4",
            Some("Oct 11 22:14:15"),
            vec!["hostname:Host=mymachine", "message:Address=1.2.3.4"],
        ),
        (
            "Oct  1 22:14:15 fw kernel: SRC=1.2.3.4 DST=5.6.7.8",
            Some("Oct  1 22:14:15"),
            vec!["hostname:Host=fw", "message:Address=1.2.3.4", "message:Address=5.6.7.8"],
        ),
        (
            "2026-10-11T22:14:15+02:00 fw x: evil.com",
            Some("2026-10-11T22:14:15+02:00"),
            vec!["hostname:Host=fw", "message:Host=evil.com"],
        ),
        ("<13>su: evil.com", None, vec!["message:Host=evil.com"]),
        (
            r#"<13>Oct 11 22:14:15 h app: @cee: {"src_ip":"1.2.3.4"}"#,
            Some("Oct 11 22:14:15"),
            vec!["hostname:Host=h", "src_ip:Address=1.2.3.4"],
        ),
        (
            "<13>Oct 11 22:14:15 h app: {not json} 1.2.3.4 }",
            Some("Oct 11 22:14:15"),
            vec!["hostname:Host=h", "message:Address=1.2.3.4"],
        ),
    ] {
        let mut reader = syslog();
        let seen = fed(&mut reader, line.as_bytes(), 1 << 20);
        let (fields, at) = seen.first().map_or((vec![], None), |seen| (seen.fields.clone(), seen.time.clone()));
        assert_eq!(fields, wanted, "{line}");
        if !wanted.is_empty() {
            assert_eq!(at.as_deref(), time, "{line}");
        }
        assert!(reader.faults().none(), "{line}");
    }
    for line in ["<192>1 - - - - - - 1.2.3.4", "<x>1.2.3.4", "<34>1 - - 1.2.3.4", "<34>1 - - - - - [x y=1.2.3.4] "] {
        let mut reader = syslog();
        assert!(fields(&mut reader, line).contains(&"message:Address=1.2.3.4".to_owned()), "{line}");
        assert_eq!(reader.faults().of(Fault::Broken), 1, "{line}");
    }
}

#[test]
fn cef_and_leef_within() {
    for (line, wanted) in [
        (
            r"<13>Oct 11 22:14:15 h CEF:0|a\|b|p|1|100|x=y|5|request=http://h.com/?a\=b msg=two words cs1Label=Rule cs1=R src=1.2.3.4",
            vec!["hostname:Host=h", "request:Url=http://h.com/?a=b", "request:Host=h.com", "src:Address=1.2.3.4"],
        ),
        (
            "CEF:0|v|p|1|1|n|5|fileHash=d41d8cd98f00b204e9800998ecf8427e dhost=evil.com requestClientApplication=curl/8 x",
            vec![
                "fileHash:Digest=d41d8cd98f00b204e9800998ecf8427e",
                "dhost:Host=evil.com",
                "requestClientApplication:UserAgent=curl/8 x",
            ],
        ),
        ("CEF:0|v|p|1|1|n|5|", vec![]),
        ("CEF:x|v 1.2.3.4", vec!["message:Address=1.2.3.4"]),
        (
            "LEEF:1.0|v|p|1|e|src=1.2.3.4\tusrName=bob\tdomain=evil.com",
            vec!["src:Address=1.2.3.4", "usrName:Account=bob", "domain:Host=evil.com"],
        ),
        (
            "LEEF:2.0|v|p|1|e|^|src=1.2.3.4^url=http://e.com/",
            vec!["src:Address=1.2.3.4", "url:Url=http://e.com/", "url:Host=e.com"],
        ),
        ("LEEF:2.0|v|p|1|e|x5e|src=1.2.3.4^dst=5.6.7.8", vec!["src:Address=1.2.3.4", "dst:Address=5.6.7.8"]),
        ("LEEF:2.0|v|p|1|e|src=1.2.3.4", vec!["src:Address=1.2.3.4"]),
    ] {
        let mut reader = syslog();
        assert_eq!(fields(&mut reader, line), wanted, "{line}");
    }
}

#[test]
fn messages_counted_in_octets() {
    let one = "<34>1 - h - - - - two\nlines 1.2.3.4";
    let two = "<34>1 - h - - - - evil.com";
    let stream = format!("{} {one}{} {two}", one.len(), two.len());
    let wanted = ["hostname:Host=h", "message:Address=1.2.3.4", "hostname:Host=h", "message:Host=evil.com"];
    for block in [1, 7, 1000] {
        let mut reader = Octets::new(FieldMap::default());
        let seen = fed(&mut reader, stream.as_bytes(), block);
        let all: Vec<String> = seen.into_iter().flat_map(|seen| seen.fields).collect();
        assert_eq!(all, wanted, "blocks of {block}");
        assert!(reader.faults().none());
    }
    let mut reader = Octets::new(FieldMap::default());
    let seen = fed(&mut reader, format!("nonsense\n{} {two}99 cut", two.len()).as_bytes(), 10);
    assert_eq!(seen.len(), 1);
    assert_eq!((reader.faults().of(Fault::Broken), reader.faults().of(Fault::Cut)), (1, 1));
}

#[test]
fn plain_lines() {
    let mut reader = Lines::new(Plain::new());
    let log = b"10.0.0.1 - - [x] \"GET http://evil.com/a HTTP/1.1\" 200\r\nnothing\nevil.com";
    let seen = fed(&mut reader, log, 1 << 20);
    assert_eq!((seen[0].line, seen[1].line), (1, 3));
    assert_eq!(seen[0].fields, ["text:Address=10.0.0.1", "text:Url=http://evil.com/a", "text:Host=evil.com"]);
}

/// Text that is likely to hold something for each format.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\"\"",
        ",",
        ":",
        "\n",
        "\r\n",
        "\\",
        "ip",
        "src_ip",
        "1.2.3.4",
        "evil.com",
        "<34>",
        "1 ",
        "- ",
        "CEF:0|",
        "|",
        "=",
        "src=",
        " ",
        "LEEF:2.0|",
        "12 ",
        "\u{feff}",
        "\u{0}",
        "é",
        "Oct 11 22:14:15 ",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn no_cut_of_the_bytes_matters(bytes in hostile(), block in 1_usize..40) {
        let whole = 1 << 20;
        let make: [fn() -> Box<dyn Reader>; 5] = [
            || Box::new(json()),
            || Box::new(csv()),
            || Box::new(syslog()),
            || Box::new(Octets::new(FieldMap::default())),
            || Box::new(Lines::new(Plain::new())),
        ];
        for make in make {
            let (mut one, mut other) = (make(), make());
            prop_assert_eq!(fed(&mut *one, &bytes, whole), fed(&mut *other, &bytes, block));
            prop_assert_eq!(one.faults(), other.faults());
        }
    }
}
