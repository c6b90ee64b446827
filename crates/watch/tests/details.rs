//! What readers know beside observables is in the observation that general patterns are run on: ports, protocols, methods,
//! ends of connections, of CSV, syslog and captures. Tables by field.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/packets.rs"]
mod packets;

use std::sync::Arc;

use packets::pcap;
use pattern::parse;
use watch::general::Patterns;
use watch::read::{Capture, Csv, FieldMap, JsonLines, Lines, Reader, Syslog};
use watch::{Builder, Detail, Meaning, Watcher};

fn watcher(text: &str) -> Watcher {
    let (mut builder, patterns) = (Builder::new([3; 32]), Arc::new(Patterns::default()));
    patterns.add(0, &parse(text).unwrap(), &mut builder).unwrap();
    Watcher::new(Arc::new(builder.build())).with_patterns(patterns)
}

/// Whether a pattern is met by an input, and the values and fields by which.
fn met(text: &str, mut reader: Box<dyn Reader>, input: &[u8]) -> Option<(String, String)> {
    let (mut watcher, mut found) = (watcher(text), Vec::new());
    watcher.next("input", 1_000_000);
    let mut each = |event: &watch::Event<'_>| {
        watcher.event(event, &mut |hit| found.push((hit.value.to_string(), hit.field.to_owned())));
    };
    reader.block(input, 1, &mut each);
    reader.end(&mut each);
    assert!(reader.faults().none(), "{:?}", reader.faults());
    found.into_iter().next()
}

fn csv() -> Box<dyn Reader> {
    Box::new(Csv::new(FieldMap::default()))
}

fn syslog() -> Box<dyn Reader> {
    Box::new(Lines::new(Syslog::new(FieldMap::default())))
}

/// Pattern after `network-traffic:`, and the field by which it is met; none where it is not.
type Rows = [(&'static str, Option<&'static str>)];

fn check(what: &str, make: fn() -> Box<dyn Reader>, input: &str, rows: &Rows) {
    for (atom, expected) in rows {
        let found = met(&format!("[network-traffic:{atom}]"), make(), input.as_bytes());
        assert_eq!(found.as_ref().map(|(_, field)| field.as_str()), *expected, "{what}: {atom}: {found:?}");
    }
}

#[test]
fn columns_of_tables() {
    let table = "time,src_ip,src_port,dst_ip,dst_port,proto,service,bytes_out,bytes_in,method,uri_path\n\
        2026-01-01T00:00:00Z,10.0.0.5,50123,203.0.113.7,4444,TCP,ssl,500,70,POST,/gate.php\n";
    check(
        "csv",
        csv,
        table,
        &[
            ("src_port = 50123", Some("src_port")),
            ("dst_port = 4444", Some("dst_port")),
            ("dst_port = 50123", None),
            ("dst_port > 4443", Some("dst_port")),
            ("protocols[*] = 'tcp'", Some("proto")),
            ("protocols[*] = 'SSL'", Some("service")),
            ("protocols[*] = 'udp'", None),
            ("src_byte_count = 500", Some("bytes_out")),
            ("dst_byte_count = 70", Some("bytes_in")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:dst_port = 4444", Some("src_ip")),
            ("dst_ref.value = '10.0.0.5' AND network-traffic:dst_port = 4444", None),
            ("dst_ref.value = '203.0.113.7' AND network-traffic:src_port = 50123", Some("dst_ip")),
            ("extensions.'http-request-ext'.request_method = 'post'", Some("method")),
            ("extensions.'http-request-ext'.request_value = '/gate.php'", Some("uri_path")),
        ],
    );
    // As Sysmon's events are exported, a flow exporter's numbers for protocols, and ECS in columns.
    let sysmon = "UtcTime;SourceIp;SourcePort;DestinationIp;DestinationPort;Protocol\n2026-01-01 00:00:00;10.0.0.5;1;203.0.113.7;443;tcp\n";
    check(
        "sysmon",
        csv,
        sysmon,
        &[
            ("dst_port = 443", Some("DestinationPort")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:src_port = 1", Some("SourceIp")),
            ("dst_ref.value = '203.0.113.7' AND network-traffic:protocols[*] = 'tcp'", Some("DestinationIp")),
        ],
    );
    let flows = "srcaddr\tdstaddr\tsrcport\tdstport\tprotocol\tsrc_pkts\n10.0.0.5\t203.0.113.7\t9\t53\t17\t3\n";
    check(
        "flows",
        csv,
        flows,
        &[
            ("protocols[*] = 'udp'", Some("protocol")),
            ("dst_port = 53", Some("dstport")),
            ("src_packets = 3", Some("src_pkts")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:dst_port = 53", Some("srcaddr")),
        ],
    );
    let ecs = "source.ip,source.port,destination.ip,destination.port,network.transport,http.request.method\n\
        10.0.0.5,7,203.0.113.7,8,udp,GET\n";
    check(
        "ecs",
        csv,
        ecs,
        &[
            ("src_port = 7", Some("source.port")),
            ("dst_port = 8", Some("destination.port")),
            ("protocols[*] = 'udp'", Some("network.transport")),
            (METHOD_GET, Some("http.request.method")),
        ],
    );
    // What is no number is no port, and what is no method of HTTP none.
    let odd = "src_ip,dst_port,method\n10.0.0.5,https,password\n";
    check("odd", csv, odd, &[("dst_port > 0", None), (METHOD_LIKE, None)]);
}

const METHOD_GET: &str = "extensions.'http-request-ext'.request_method = 'get'";
const METHOD_LIKE: &str = "extensions.'http-request-ext'.request_method LIKE '%'";

#[test]
fn a_field_map_names_columns_of_ones_own() {
    let map = || {
        FieldMap::parse("a = address\nb = destination-port\nc = protocol\nd = method\ne = source-port\n* = ignore")
            .unwrap()
    };
    let table = "a,b,c,d,e,dport\n203.0.113.7,4444,tcp,PUT,5,9\n";
    for (text, expected) in [
        ("[network-traffic:dst_port = 4444]", true),
        ("[network-traffic:src_port = 5]", true),
        ("[network-traffic:dst_port = 9]", false),
        ("[network-traffic:protocols[*] = 'tcp']", true),
        ("[network-traffic:extensions.'http-request-ext'.request_method = 'put']", true),
    ] {
        let found = met(text, Box::new(Csv::new(map())), table.as_bytes());
        assert_eq!(found.is_some(), expected, "{text}");
    }
}

#[test]
fn syslog_cef_and_leef() {
    let cef = "<134>Jan  1 00:00:00 fw CEF:0|V|P|1|100|Blocked|5|src=10.0.0.5 spt=50123 dst=203.0.113.7 dpt=4444 proto=TCP app=HTTP \
        requestMethod=POST request=http://evil.example/gate.php in=70 out=500\n";
    check(
        "cef",
        syslog,
        cef,
        &[
            ("src_port = 50123", Some("spt")),
            ("dst_port = 4444", Some("dpt")),
            ("protocols[*] = 'tcp'", Some("proto")),
            ("protocols[*] = 'http'", Some("app")),
            ("src_byte_count = 500", Some("out")),
            ("dst_byte_count = 70", Some("in")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:dst_port = 4444", Some("src")),
            ("dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444", Some("dst")),
            ("dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 50123", None),
            (
                "extensions.'http-request-ext'.request_method = 'POST' AND network-traffic:dst_port = 4444",
                Some("requestMethod"),
            ),
        ],
    );
    let leef = "LEEF:1.0|V|P|1|100|src=10.0.0.5\tsrcPort=50123\tdst=203.0.113.7\tdstPort=4444\tproto=UDP\tsrcBytes=9\n";
    check(
        "leef",
        syslog,
        leef,
        &[
            ("src_port = 50123", Some("srcPort")),
            ("dst_port = 4444", Some("dstPort")),
            ("protocols[*] = 'udp'", Some("proto")),
            ("src_byte_count = 9", Some("srcBytes")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:dst_ref.value = '203.0.113.7'", Some("src")),
        ],
    );
    // Pairs in text, as firewalls write them (FortiGate, netfilter), with and without quotes; and structured data.
    let pairs = "<134>Jan  1 00:00:00 fw date=2026-01-01 srcip=10.0.0.5 srcport=50123 dstip=203.0.113.7 dstport=4444 proto=6 service=\"HTTPS\"\n";
    check(
        "pairs",
        syslog,
        pairs,
        &[
            ("src_port = 50123", Some("srcport")),
            ("dst_port = 4444", Some("dstport")),
            ("protocols[*] = 'tcp'", Some("proto")),
            ("protocols[*] = 'https'", Some("service")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:dst_port = 4444", Some("message")),
            ("dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444", Some("message")),
        ],
    );
    let netfilter = "Jan  1 00:00:00 gw kernel: [1.2] DROP IN=eth0 OUT= SRC=10.0.0.5 DST=203.0.113.7 LEN=60 PROTO=TCP SPT=50123 DPT=4444\n";
    check(
        "netfilter",
        syslog,
        netfilter,
        &[
            ("src_port = 50123", Some("SPT")),
            ("dst_port = 4444", Some("DPT")),
            ("protocols[*] = 'tcp'", Some("PROTO")),
            ("src_ref.value = '10.0.0.5' AND network-traffic:dst_ref.value = '203.0.113.7'", Some("message")),
        ],
    );
    let structured = "<134>1 2026-01-01T00:00:00Z fw app - - [flow@1 src_ip=\"10.0.0.5\" src_port=\"5\" dst_port=\"4444\" proto=\"tcp\"] x\n";
    check(
        "structured",
        syslog,
        structured,
        &[
            ("src_port = 5", Some("flow@1.src_port")),
            ("dst_port = 4444", Some("flow@1.dst_port")),
            ("protocols[*] = 'tcp'", Some("flow@1.proto")),
        ],
    );
}

#[test]
fn json_by_other_names() {
    let make = || Box::new(Lines::new(JsonLines::new(FieldMap::default()))) as Box<dyn Reader>;
    let line = r#"{"Image":"x.exe","SourceIp":"10.0.0.5","SourcePort":"7","DestinationIp":"203.0.113.7","DestinationPort":443,"Protocol":"tcp"}"#;
    check(
        "json",
        make,
        line,
        &[
            ("src_port = 7", Some("SourcePort")),
            ("dst_port = 443", Some("DestinationPort")),
            ("protocols[*] = 'tcp'", Some("Protocol")),
            ("dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443", Some("DestinationIp")),
        ],
    );
}

fn tcp(from: (u8, u16), to: (u8, u16), sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    body.extend_from_slice(&sequence.to_be_bytes());
    body.extend_from_slice(&[0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    body.extend_from_slice(payload);
    ip(from.0, to.0, 6, &body)
}

fn udp(from: (u8, u16), to: (u8, u16), payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len() as u16).to_be_bytes();
    let body = [&from.1.to_be_bytes()[..], &to.1.to_be_bytes(), &length, &[0, 0], payload].concat();
    ip(from.0, to.0, 17, &body)
}

fn ip(from: u8, to: u8, protocol: u8, body: &[u8]) -> Vec<u8> {
    let length = (20 + body.len() as u16).to_be_bytes();
    let head = [0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, from, 192, 0, 2, to];
    [&[2; 12][..], &[8, 0], &head, body].concat()
}

/// The type of link of these packets.
const ETHERNET: u32 = 1;

/// A question to the name system, or its answer with an address.
fn dns(name: &str, answer: bool) -> Vec<u8> {
    let mut message = vec![0, 1, if answer { 0x81 } else { 1 }, 0, 0, 1, 0, u8::from(answer), 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    if answer {
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 198, 51, 100, 9]);
    }
    message
}

#[test]
fn captures() {
    let request = b"POST /gate.php HTTP/1.1\r\nHost: evil.example\r\nUser-Agent: Evil/1.0\r\nContent-Length: 0\r\n\r\n";
    let http = pcap(
        ETHERNET,
        &[
            tcp((5, 50_123), (7, 8_080), 9, 2, b""),
            tcp((7, 8_080), (5, 50_123), 99, 18, b""),
            tcp((5, 50_123), (7, 8_080), 10, 24, request),
        ],
    );
    let names = pcap(
        ETHERNET,
        &[
            udp((5, 40_000), (1, 53), &dns("www.evil.example", false)),
            udp((1, 53), (5, 40_000), &dns("www.evil.example", true)),
        ],
    );
    // A capture that began behind the question, and one behind the first packet.
    let answer = pcap(ETHERNET, &[udp((1, 53), (5, 40_000), &dns("www.evil.example", true))]);
    let late = pcap(ETHERNET, &[tcp((5, 50_123), (7, 80), 10, 24, request)]);
    let answered = [tcp((7, 8_080), (5, 50_123), 99, 18, b""), tcp((5, 50_123), (7, 8_080), 10, 24, request)];
    let answered = pcap(ETHERNET, &answered);
    let rows: &[(&str, &[u8], &str, bool)] = &[
        ("answered", &answered, "dst_port = 8080", true),
        ("answered", &answered, "dst_port = 50123", false),
        ("http", &http, "src_port = 50123", true),
        ("http", &http, "dst_port = 8080", true),
        ("http", &http, "dst_port = 50123", false),
        ("http", &http, "protocols[*] = 'tcp'", true),
        ("http", &http, "protocols[*] = 'http'", true),
        ("http", &http, "protocols[*] = 'udp'", false),
        ("http", &http, "src_ref.value = '192.0.2.5' AND network-traffic:dst_port = 8080", true),
        ("http", &http, "src_ref.value = '192.0.2.7' AND network-traffic:dst_port = 8080", false),
        (
            "http",
            &http,
            "dst_ref.value = '192.0.2.7' AND network-traffic:extensions.'http-request-ext'.request_method = 'post'",
            true,
        ),
        (
            "http",
            &http,
            "dst_ref.value = '192.0.2.7' AND network-traffic:extensions.'http-request-ext'.request_method = 'get'",
            false,
        ),
        (
            "http",
            &http,
            "dst_port = 8080 AND network-traffic:extensions.'http-request-ext'.request_value = '/gate.php'",
            true,
        ),
        (
            "http",
            &http,
            "extensions.'http-request-ext'.request_header.Host = 'evil.example' AND network-traffic:dst_port = 8080",
            true,
        ),
        (
            "http",
            &http,
            "extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/1.0' AND network-traffic:src_port = 50123",
            true,
        ),
        ("http", &http, "extensions.'http-request-ext'.request_version = 'http/1.1'", true),
        (
            "late",
            &late,
            "dst_port = 80 AND network-traffic:extensions.'http-request-ext'.request_method = 'post'",
            true,
        ),
        ("dns", &names, "protocols[*] = 'dns' AND network-traffic:dst_port = 53", true),
        ("dns", &names, "src_ref.value = '192.0.2.5' AND network-traffic:protocols[*] = 'dns'", true),
        ("dns", &names, "src_port = 53", false),
        ("answer", &answer, "dst_port = 53 AND network-traffic:src_ref.value = '192.0.2.5'", true),
        ("answer", &answer, "src_port = 53", false),
    ];
    for (what, capture, atom, expected) in rows {
        let found = met(&format!("[network-traffic:{atom}]"), Box::new(Capture::new()), capture);
        assert_eq!(found.is_some(), *expected, "{what}: {atom}: {found:?}");
    }
    let resolves =
        "[domain-name:value = 'www.evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.9']";
    assert!(met(resolves, Box::new(Capture::new()), &names).is_some());
    // One host over several events of a capture.
    let both = pcap(
        ETHERNET,
        &[
            udp((5, 40_000), (1, 53), &dns("www.evil.example", false)),
            tcp((5, 50_123), (7, 8_080), 9, 2, b""),
            tcp((5, 50_123), (7, 8_080), 10, 24, request),
        ],
    );
    let then = "[domain-name:value = 'www.evil.example'] FOLLOWEDBY [network-traffic:dst_ref.value = '192.0.2.7' AND network-traffic:extensions.'http-request-ext'.request_method = 'post']";
    assert!(met(then, Box::new(Capture::new()), &both).is_some());
}

/// An address that was told once is not met a second time by a claim on it, and a row of details alone is no event.
#[test]
fn claims_are_met_as_before() {
    let mut builder = Builder::new([3; 32]);
    builder.add(&observable::Claim::new(observable::Kind::Ipv4, "192.0.2.7"), 1).unwrap();
    let mut watcher = Watcher::new(Arc::new(builder.build()));
    let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let capture = pcap(ETHERNET, &[tcp((5, 50_123), (7, 80), 9, 2, b""), tcp((5, 50_123), (7, 80), 10, 24, request)]);
    let (mut reader, mut hits, mut events) = (Capture::new(), 0, 0);
    let mut details = Vec::new();
    reader.block(&capture, 1, &mut |event| {
        events += 1;
        details.extend(
            event
                .fields
                .iter()
                .filter(|field| matches!(field.meaning, Meaning::Detail(Detail::Source)))
                .map(|field| field.value.to_vec()),
        );
        watcher.event(event, &mut |_| hits += 1);
    });
    assert_eq!((hits, events, details), (1, 2, vec![b"192.0.2.5".to_vec(); 2]));
    let (mut table, mut events) = (csv(), 0);
    table.block(b"dst_port,proto\n443,tcp\n", 1, &mut |_| events += 1);
    assert_eq!(events, 0);
}
