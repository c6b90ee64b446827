//! General patterns met by telemetry: what the set's candidates, the index and the states answer is what matching every
//! pattern with every event answers; and a table of patterns and lines of logs.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use observable::Kind;
use pattern::{Matcher, Observed, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use watch::general::{Patterns, Witness, show};
use watch::scan::{Format, Scan};
use watch::warning::Collector;
use watch::{Builder, Event, Field, Meaning, Watcher};

/// A watcher for patterns, each named by its place.
fn watcher(texts: &[String]) -> (Watcher, Arc<Patterns>) {
    watcher_with(Patterns::default(), texts)
}

fn watcher_with(patterns: Patterns, texts: &[String]) -> (Watcher, Arc<Patterns>) {
    let mut builder = Builder::new([3; 32]);
    let patterns = Arc::new(patterns);
    for (name, text) in (0..).zip(texts) {
        patterns.add(name, &parse(text).unwrap(), &mut builder).unwrap();
    }
    (Watcher::new(Arc::new(builder.build())).with_patterns(Arc::clone(&patterns)), patterns)
}

/// Hits of a log: line, pattern, values, fields.
fn hits(watcher: &mut Watcher, format: Format, log: &str) -> Vec<(u64, u64, String, String)> {
    let (mut scan, mut hits) = (Scan::new(format), Vec::new());
    watcher.next("input", 1_000_000);
    let mut sink = |hit: &watch::Hit<'_>| {
        assert_eq!(hit.kind.name(), "pattern");
        hits.push((hit.line, hit.name, hit.value.to_string(), hit.field.to_owned()));
    };
    watcher.block(&mut scan, log.as_bytes(), &mut sink);
    watcher.finish(&mut scan, &mut sink);
    assert_eq!(scan.report().broken, 0, "{:?}", scan.report());
    hits
}

const CONN: &str = r##"{"ts":1700000000.5,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":50123,"id.resp_h":"203.0.113.7","id.resp_p":4444,"proto":"tcp","service":"ssl","orig_bytes":500}"##;
const DNS: &str = r##"{"ts":1700000001.5,"uid":"C2","id.orig_h":"10.0.0.5","id.orig_p":50124,"id.resp_h":"10.0.0.1","id.resp_p":53,"proto":"udp","query":"WWW.Evil.example","answers":["198.51.100.9","cname.evil.example"]}"##;
const HTTP: &str = r##"{"ts":1700000002.5,"uid":"C3","id.orig_h":"10.0.0.5","id.resp_h":"203.0.113.7","id.resp_p":80,"method":"POST","host":"evil.example","uri":"/gate.php","version":"1.1","user_agent":"Evil/1.0"}"##;
const SSL: &str = r##"{"ts":1700000003.5,"uid":"C4","id.orig_h":"10.0.0.5","id.resp_h":"203.0.113.7","id.resp_p":443,"version":"TLSv12","cipher":"x","server_name":"sni.evil.example","established":true}"##;
const FILES: &str = r##"{"ts":1700000004.5,"fuid":"F1","id.orig_h":"10.0.0.5","id.resp_h":"203.0.113.7","mime_type":"application/x-dosexec","filename":"a/evil.exe","total_bytes":1234,"md5":"9E107D9D372BB6826BD81D3542A419D6"}"##;
const SMTP: &str = r##"{"ts":1700000005.5,"uid":"C5","id.orig_h":"10.0.0.5","mailfrom":"Bad@Evil.example","rcptto":["you@us.example"],"from":"Bad <bad@evil.example>","to":["<you@us.example>"],"subject":"Invoice","msg_id":"x","last_reply":"250"}"##;
const EVE: &str = r##"{"timestamp":"2023-11-14T22:13:20.500000+0000","event_type":"http","src_ip":"10.0.0.5","src_port":50000,"dest_ip":"203.0.113.7","dest_port":8080,"proto":"TCP","http":{"hostname":"evil.example","url":"/gate.php","http_user_agent":"Evil/1.0","http_method":"POST","protocol":"HTTP/1.1"}}"##;
const EVE_FILE: &str = r##"{"timestamp":"2023-11-14T22:13:20.500000+0000","event_type":"fileinfo","src_ip":"10.0.0.5","dest_ip":"203.0.113.7","proto":"TCP","fileinfo":{"filename":"/evil.exe","md5":"9e107d9d372bb6826bd81d3542a419d6","size":1234}}"##;
const EVE_DNS: &str = r##"{"timestamp":"2023-11-14T22:13:20.500000+0000","event_type":"dns","src_ip":"10.0.0.5","dest_ip":"10.0.0.1","dns":{"version":3,"queries":[{"rrname":"www.evil.example"}],"answers":[{"rrname":"www.evil.example","rdata":"198.51.100.9"}]}}"##;
const TSV: &str = "#separator \\x09\n#path\tdns\n#fields\tts\tid.orig_h\tid.resp_p\tquery\n#types\ttime\taddr\tport\tstring\n1.5\t10.0.0.5\t53\tevil.example\n#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\n#types\ttime\taddr\taddr\tport\n2.5\t10.0.0.5\t203.0.113.7\t4444\n";

/// A pattern, a log, and the values and fields that it is met by.
type Row = (&'static str, Format, &'static str, Option<(&'static str, &'static str)>);

#[test]
fn patterns_and_lines() {
    let (json, eve, tsv) = (Format::ZeekJson, Format::Eve, Format::ZeekTsv);
    let rows: &[Row] = &[
        // connections
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]",
            json,
            CONN,
            Some(("203.0.113.7", "id.resp_h")),
        ),
        ("[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443]", json, CONN, None),
        ("[network-traffic:src_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]", json, CONN, None),
        (
            "[network-traffic:dst_ref.value ISSUBSET '203.0.113.0/24' AND network-traffic:protocols[*] = 'TCP']",
            json,
            CONN,
            Some(("203.0.113.7", "id.resp_h")),
        ),
        ("[network-traffic:dst_port = 4444]", json, CONN, Some(("4444", "id.resp_p"))),
        ("[network-traffic:dst_port = 4444]", tsv, TSV, Some(("4444", "id.resp_p"))),
        (
            "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:src_byte_count > 499]",
            json,
            CONN,
            Some(("203.0.113.7", "id.resp_h")),
        ),
        // names
        (
            "[domain-name:value = 'WWW.evil.example.' AND domain-name:resolves_to_refs[*].value = '198.51.100.9']",
            json,
            DNS,
            Some(("WWW.Evil.example", "query")),
        ),
        ("[domain-name:resolves_to_refs[*].value = '198.51.100.9']", json, DNS, Some(("198.51.100.9", "answers"))),
        (
            "[domain-name:resolves_to_refs[*].value ISSUBSET '198.51.100.0/24']",
            eve,
            EVE_DNS,
            Some(("198.51.100.9", "dns.answers.rdata")),
        ),
        (
            "[domain-name:value = 'www.evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.8']",
            json,
            DNS,
            None,
        ),
        // Of a test that is no look-up all values are told that it was put to.
        (
            "[domain-name:value LIKE '%.EVIL.example' AND domain-name:value != 'www.evil.example']",
            json,
            DNS,
            Some(("WWW.Evil.example cname.evil.example", "query answers")),
        ),
        ("[domain-name:value = 'sni.evil.example'] AND [domain-name:value = 'x.example']", json, SSL, None),
        ("[domain-name:value MATCHES '^sni\\\\.'] ", json, SSL, Some(("sni.evil.example", "server_name"))),
        (
            "[domain-name:value = 'evil.example'] FOLLOWEDBY [network-traffic:dst_port = 4444 AND network-traffic:dst_ref.value = '203.0.113.7']",
            tsv,
            TSV,
            Some(("evil.example 203.0.113.7", "query id.resp_h")),
        ),
        // requests
        (
            "[network-traffic:extensions.'http-request-ext'.request_method = 'POST' AND network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/1.0']",
            json,
            HTTP,
            Some(("Evil/1.0", "user_agent")),
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_value = '/gate.php' AND network-traffic:extensions.'http-request-ext'.request_header.Host[0] = 'EVIL.example']",
            eve,
            EVE,
            Some(("evil.example", "http.hostname")),
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_method = 'get' AND network-traffic:dst_ref.value = '203.0.113.7']",
            eve,
            EVE,
            None,
        ),
        (
            "[url:value = 'HTTP://evil.example/gate.php' AND url:value LIKE '%gate%']",
            json,
            HTTP,
            Some(("evil.example/gate.php", "uri")),
        ),
        ("[url:value = 'http://evil.example/gate.php'] AND [domain-name:value = 'other.example']", eve, EVE, None),
        // files, mail
        (
            "[file:hashes.md5 = '9e107d9d372bb6826bd81d3542a419d6' AND file:size = 1234]",
            json,
            FILES,
            Some(("9E107D9D372BB6826BD81D3542A419D6", "md5")),
        ),
        (
            "[file:hashes.MD5 = '9E107D9D372BB6826BD81D3542A419D6' AND file:name = 'evil.exe']",
            eve,
            EVE_FILE,
            Some(("9e107d9d372bb6826bd81d3542a419d6", "fileinfo.md5")),
        ),
        ("[file:name = 'evil.exe' AND file:size > 9999]", json, FILES, None),
        (
            "[file:mime_type = 'application/x-dosexec' AND file:name = 'evil.exe']",
            json,
            FILES,
            Some(("a/evil.exe", "filename")),
        ),
        (
            "[email-message:from_ref.value = 'bad@evil.example' AND email-message:subject LIKE 'Inv%']",
            json,
            SMTP,
            Some(("Bad@Evil.example", "mailfrom")),
        ),
        ("[email-message:to_refs[*].value = 'you@us.example' AND email-message:subject = 'Other']", json, SMTP, None),
        // time
        (
            "[ipv4-addr:value = '203.0.113.7'] START t'2023-11-14T22:13:20Z' STOP t'2023-11-14T22:13:21Z'",
            json,
            CONN,
            Some(("203.0.113.7", "id.resp_h")),
        ),
        (
            "[ipv4-addr:value = '203.0.113.7'] START t'2023-11-14T22:13:21Z' STOP t'2023-11-14T22:13:22Z'",
            json,
            CONN,
            None,
        ),
    ];
    let mut wrong = Vec::new();
    for (text, format, log, wanted) in rows {
        let (mut watcher, _) = watcher(&[(*text).to_owned()]);
        let found = hits(&mut watcher, *format, log);
        let found: Vec<_> = found.iter().map(|(_, _, value, field)| (value.as_str(), field.as_str())).collect();
        if found != wanted.iter().copied().collect::<Vec<_>>() {
            wrong.push(format!("{text}: {found:?}, not {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Patterns that warning lists silence, and those that they do not: all observable values that took part must be on one.
#[test]
fn what_is_well_known_and_benign_makes_no_hit() {
    let mut lists = Collector::new([5; 32]);
    for list in [
        r#"{"name":"hosts","type":"hostname","matching_attributes":["domain","url"],"list":["evil.example"]}"#,
        r#"{"name":"nets","type":"cidr","matching_attributes":["ip-dst"],"list":["203.0.113.0/24"]}"#,
        r#"{"name":"digests","type":"string","matching_attributes":["md5"],"list":["9e107d9d372bb6826bd81d3542a419d6"]}"#,
    ] {
        lists.add(list.as_bytes()).unwrap();
    }
    let warnings = Arc::new(lists.build());
    // A pattern, a log, how many hits there are without lists, and the lists that silence them all.
    let rows: &[(&str, Format, &str, usize, &[&str])] = &[
        (
            "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 4444]",
            Format::ZeekJson,
            CONN,
            1,
            &["nets"],
        ),
        ("[network-traffic:dst_port = 4444]", Format::ZeekJson, CONN, 1, &[]),
        (
            "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:src_ref.value = '10.0.0.5']",
            Format::ZeekJson,
            CONN,
            1,
            &[],
        ),
        // Each comparison counts, not only the one by which the pattern was found.
        (
            "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/1.0']",
            Format::ZeekJson,
            HTTP,
            1,
            &[],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.Host = 'evil.example' AND network-traffic:src_ref.value NOT ISSUBSET '192.168.0.0/16']",
            Format::ZeekJson,
            HTTP,
            1,
            &[],
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.Host = 'evil.example' AND network-traffic:dst_ref.value = '203.0.113.7']",
            Format::ZeekJson,
            HTTP,
            1,
            &["hosts"],
        ),
        (
            "[domain-name:value LIKE 'www.%' AND EXISTS domain-name:resolves_to_refs]",
            Format::ZeekJson,
            DNS,
            1,
            &["hosts"],
        ),
        (
            "[domain-name:value = 'www.evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.9']",
            Format::ZeekJson,
            DNS,
            1,
            &[],
        ),
        ("[url:value MATCHES 'gate']", Format::ZeekJson, HTTP, 1, &["hosts"]),
        (
            "[file:hashes.MD5 = '9E107D9D372BB6826BD81D3542A419D6' AND file:size = 1234]",
            Format::ZeekJson,
            FILES,
            1,
            &["digests"],
        ),
        (
            "[file:hashes.MD5 = '9e107d9d372bb6826bd81d3542a419d6' AND file:name = 'evil.exe']",
            Format::Eve,
            EVE_FILE,
            1,
            &[],
        ),
        (
            "[domain-name:value = 'evil.example'] FOLLOWEDBY [network-traffic:dst_ref.value = '203.0.113.7']",
            Format::ZeekTsv,
            TSV,
            1,
            &["hosts"],
        ),
        (
            "[domain-name:value = 'evil.example'] FOLLOWEDBY [network-traffic:dst_port = 4444]",
            Format::ZeekTsv,
            TSV,
            1,
            &["hosts"],
        ),
        (
            "[domain-name:value = 'evil.example'] FOLLOWEDBY [network-traffic:src_ref.value = '10.0.0.5']",
            Format::ZeekTsv,
            TSV,
            1,
            &[],
        ),
    ];
    for (text, format, log, all, silent) in rows {
        let (mut plain, _) = watcher(&[(*text).to_owned()]);
        assert_eq!(hits(&mut plain, *format, log).len(), *all, "{text}");
        let lists = Some(Arc::clone(&warnings));
        let (mut warned, patterns) = watcher_with(Patterns::default().with_warnings(lists), &[(*text).to_owned()]);
        let told = hits(&mut warned, *format, log).len();
        let by: Vec<(Box<str>, u64)> = patterns.benign().into_iter().collect();
        let expected: Vec<(Box<str>, u64)> = silent.iter().map(|list| ((*list).into(), 1)).collect();
        assert_eq!((told, by), (all - silent.len(), expected), "{text}");
        assert_eq!(patterns.report().benign, silent.len() as u64);
    }
}

/// The values that took part, with their kinds, and whether the pattern itself names them.
#[test]
fn the_values_that_took_part_come_with_a_hit() {
    type Row = (&'static str, &'static str, &'static [(Kind, &'static str, bool)]);
    let rows: &[Row] = &[
        (
            "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:src_ref.value LIKE '10.%' AND network-traffic:dst_port = 4444]",
            CONN,
            &[(Kind::Ipv4, "203.0.113.7", true), (Kind::Ipv4, "10.0.0.5", false)],
        ),
        (
            "[network-traffic:dst_ref.value ISSUBSET '203.0.113.0/24' AND network-traffic:dst_port = 4444]",
            CONN,
            &[(Kind::Ipv4, "203.0.113.7", true)],
        ),
        // So wide that no claim says it.
        (
            "[network-traffic:src_ref.value ISSUBSET '0.0.0.0/0' AND network-traffic:dst_port = 4444]",
            CONN,
            &[(Kind::Ipv4, "10.0.0.5", false)],
        ),
        (
            "[domain-name:value LIKE '%.evil.example' AND domain-name:value != 'cname.evil.example' AND EXISTS domain-name:resolves_to_refs]",
            DNS,
            &[(Kind::Domain, "WWW.Evil.example", true)],
        ),
        ("[domain-name:value MATCHES '^www' ]", DNS, &[(Kind::Domain, "WWW.Evil.example", false)]),
        ("[network-traffic:dst_port = 4444]", CONN, &[]),
        (
            "[file:hashes.MD5 = '9e107d9d372bb6826bd81d3542a419d6' AND file:name IN ('a.exe', 'evil.exe')]",
            FILES,
            &[(Kind::Md5, "9E107D9D372BB6826BD81D3542A419D6", true), (Kind::FileName, "a/evil.exe", true)],
        ),
        (
            "[email-message:from_ref.value = 'bad@evil.example' AND email-message:subject LIKE 'Inv%']",
            SMTP,
            &[(Kind::Email, "Bad@Evil.example", true), (Kind::Subject, "Invoice", false)],
        ),
    ];
    for (text, log, expected) in rows {
        let (mut watcher, _) = watcher(&[(*text).to_owned()]);
        let (mut scan, mut found) = (Scan::new(Format::ZeekJson), Vec::new());
        let mut sink = |hit: &watch::Hit<'_>| found.push(hit.met.to_vec());
        watcher.block(&mut scan, log.as_bytes(), &mut sink);
        watcher.finish(&mut scan, &mut sink);
        let witness = |(kind, value, is_named): &(Kind, &str, bool)| Witness {
            kind: *kind,
            value: (*value).into(),
            is_named: *is_named,
        };
        assert_eq!(found, [expected.iter().map(witness).collect::<Vec<_>>()], "{text}");
    }
}

#[test]
fn who_was_seen_is_the_source_over_all_inputs() {
    let text =
        "([domain-name:value = 'www.evil.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.7']) WITHIN 5 SECONDS";
    let (mut one, patterns) = watcher(&[text.to_owned()]);
    let mut other = Watcher::new(Arc::clone(one.set())).with_patterns(patterns);
    assert_eq!(hits(&mut one, Format::ZeekJson, DNS), []);
    let elsewhere = HTTP.replace("10.0.0.5", "10.0.0.6");
    assert_eq!(hits(&mut other, Format::ZeekJson, &elsewhere), [], "another client");
    let late = HTTP.replace("1700000002.5", "1700000009.5");
    assert_eq!(hits(&mut other, Format::ZeekJson, &late), [], "seven seconds later");
    assert_eq!(hits(&mut other, Format::ZeekJson, DNS), []);
    let wanted = (1, 0, "WWW.Evil.example 203.0.113.7".to_owned(), "query id.resp_h".to_owned());
    assert_eq!(hits(&mut one, Format::ZeekJson, HTTP), [wanted], "in another input");
}

#[test]
fn only_what_no_set_can_tell_is_tested_on_every_event() {
    let texts = [
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 1]",
            0,
        ),
        ("[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']", 0),
        ("[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value LIKE '%b%']", 1),
        ("[network-traffic:dst_port = 4444]", 1),
        ("[ipv4-addr:value ISSUBSET '0.0.0.0/0' AND ipv4-addr:value != '10.0.0.1']", 1),
        ("[domain-name:value = 'com' AND domain-name:value != 'x']", 1),
        ("[file:name = 'x' AND url:value = 'y']", 0),
    ];
    for (text, everywhere) in texts {
        let (_, patterns) = watcher(&[text.to_owned()]);
        assert_eq!(patterns.everywhere(), everywhere, "{text}");
        assert!(patterns.remove(0));
        assert_eq!((patterns.everywhere(), patterns.claims(), patterns.report().patterns), (0, 0, 0), "{text}");
    }
}

#[test]
fn patterns_come_and_go_and_the_others_remember() {
    let text =
        |name: &str| format!("[domain-name:value = '{name}.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.7']");
    let (mut watcher, patterns) = watcher(&[text("www.evil")]);
    assert_eq!(hits(&mut watcher, Format::ZeekJson, DNS), []);
    for number in 0..5_000 {
        let mut additions = watcher.set().additions();
        patterns.add(1, &parse(&text(&format!("n{number}"))).unwrap(), &mut additions).unwrap();
    }
    assert!(patterns.remove(1) && !patterns.remove(1));
    assert_eq!((patterns.report().patterns, patterns.report().leaves < 5_000), (1, true));
    assert_eq!(hits(&mut watcher, Format::ZeekJson, HTTP).len(), 1);
}

#[test]
fn hostile_patterns_and_lines_are_bounded() {
    let (patterns, mut builder) = (Patterns::default(), Builder::new([3; 32]));
    for text in ["[a:b MATCHES '(?=x)']", "[a:b ISSUBSET 'x']", "[url:value MATCHES '(a{1000}){1000}']"] {
        assert!(patterns.add(7, &parse(text).unwrap(), &mut builder).is_err(), "{text}");
    }
    assert_eq!((patterns.report().patterns, patterns.everywhere(), builder.len()), (0, 0, 0));
    let (mut watcher, patterns) = watcher(&["[domain-name:value = 'evil.example'] REPEATS 1000 TIMES".to_owned()]);
    let line = DNS.replace("WWW.Evil", "evil");
    let log: String = std::iter::repeat_n(format!("{line}\n"), 10_000).collect();
    assert_eq!(hits(&mut watcher, Format::ZeekJson, &log).len(), 10);
    assert_eq!((patterns.report().states, patterns.report().exhausted), (1, 0));
}

/// A line of Zeek: entity, second, name, answer, address, port, digest.
#[derive(Clone, Debug)]
struct Line {
    entity: Option<&'static str>,
    pause: i64,
    query: Option<&'static str>,
    answers: Vec<&'static str>,
    address: Option<&'static str>,
    port: u16,
    digest: Option<&'static str>,
}

const NAMES: [&str; 4] = ["a.example", "b.example", "x.c.example", "c.example"];
const ADDRESSES: [&str; 4] = ["203.0.113.1", "203.0.113.200", "198.51.100.1", "192.0.2.1"];
const DIGESTS: [&str; 2] = ["9e107d9d372bb6826bd81d3542a419d6", "e4d909c290d0fb1ca068ffaddf22cbd0"];

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(proptest::sample::select(of))
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (
        some(&["10.0.0.1", "10.0.0.2"]),
        0..3_i64,
        some(&NAMES),
        vec(proptest::sample::select(&ADDRESSES[..]), 0..3),
        some(&ADDRESSES),
        prop_oneof![Just(53_u16), Just(443)],
        some(&DIGESTS),
    );
    let line = line.prop_map(|(entity, pause, query, answers, address, port, digest)| Line {
        entity,
        pause,
        query,
        answers,
        address,
        port,
        digest,
    });
    vec(line, 0..12)
}

fn atom() -> impl Strategy<Value = String> {
    let name = || proptest::sample::select(&NAMES[..]);
    let address = || proptest::sample::select(&ADDRESSES[..]);
    prop_oneof![
        4 => name().prop_map(|name| format!("domain-name:value = '{name}'")),
        1 => (name(), name()).prop_map(|(a, b)| format!("domain-name:value IN ('{a}', '{b}')")),
        1 => name().prop_map(|name| format!("domain-name:value NOT = '{name}'")),
        1 => Just("domain-name:value LIKE '%.c.example'".to_owned()),
        1 => Just("domain-name:value LIKE '%example'".to_owned()),
        2 => address().prop_map(|address| format!("ipv4-addr:value = '{address}'")),
        1 => (address(), 20..33_u8).prop_map(|(address, length)| format!("ipv4-addr:value ISSUBSET '{address}/{length}'")),
        1 => address().prop_map(|address| format!("network-traffic:dst_ref.value = '{address}'")),
        1 => address().prop_map(|address| format!("domain-name:resolves_to_refs[*].value = '{address}'")),
        1 => Just("network-traffic:dst_port = 443".to_owned()),
        1 => Just("EXISTS file:hashes".to_owned()),
        1 => proptest::sample::select(&DIGESTS[..]).prop_map(|digest| format!("file:hashes.MD5 = '{digest}'")),
    ]
}

fn pattern_text() -> impl Strategy<Value = String> {
    let comparison = vec(atom(), 1..3)
        .prop_flat_map(|atoms| prop_oneof![Just(atoms.join(" AND ")), Just(atoms.join(" OR "))])
        .prop_map(|text| format!("[{text}]"));
    comparison.prop_recursive(2, 4, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..3).prop_map(|parts| format!("({})", parts.join(" AND "))),
            vec(inner.clone(), 2..3).prop_map(|parts| format!("({})", parts.join(" OR "))),
            vec(inner.clone(), 2..3).prop_map(|parts| format!("({})", parts.join(" FOLLOWEDBY "))),
            (inner.clone(), 1..3).prop_map(|(text, times)| format!("({text}) REPEATS {times} TIMES")),
            (inner, 1..3).prop_map(|(text, seconds)| format!("({text}) WITHIN {seconds} SECONDS")),
        ]
    })
}

/// The fields of a line, and the line.
fn written(line: &Line, second: i64) -> (Vec<Field<'static>>, String) {
    let field = |name, meaning, value: &'static str| Field { name, meaning, value: value.as_bytes() };
    let mut fields = Vec::new();
    let mut text = format!("{{\"ts\":{second}.0,\"uid\":\"C\",\"id.resp_p\":{}", line.port);
    for (name, meaning, value) in [
        ("id.orig_h", Meaning::Address, line.entity),
        ("id.resp_h", Meaning::Address, line.address),
        ("query", Meaning::Host, line.query),
        ("md5", Meaning::Digest, line.digest),
    ] {
        if let Some(value) = value {
            fields.push(field(name, meaning, value));
            text.push_str(&format!(",\"{name}\":\"{value}\""));
        }
    }
    fields.extend(line.answers.iter().map(|answer| field("answers", Meaning::Answer, answer)));
    text.push_str(&format!(",\"answers\":{:?}}}", line.answers));
    (fields, text)
}

/// Every pattern with all events of the entity since it last matched: line and pattern.
fn one_by_one(texts: &[String], lines: &[(Line, i64)]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for (name, text) in (0..).zip(texts) {
        let matcher = Matcher::new(&parse(text).unwrap()).unwrap();
        let mut since: BTreeMap<Option<&str>, Observed<'static>> = BTreeMap::new();
        for (number, (line, second)) in (1..).zip(lines) {
            let (fields, raw) = written(line, *second);
            let event = Event { line: number, raw: raw.as_bytes(), time: None, fields: &fields };
            let observed = since.entry(line.entity).or_default();
            show(&event, second * 1_000_000, observed);
            if matcher.find(observed).unwrap().matched() {
                found.push((number, name));
                observed.clear();
            }
        }
    }
    found.sort_unstable();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_set_with_patterns_meets_what_matching_one_by_one_meets(
        texts in vec(pattern_text(), 1..8),
        lines in lines(),
    ) {
        let mut second = 1_700_000_000;
        let lines: Vec<(Line, i64)> = lines.into_iter().map(|line| {
            second += line.pause;
            (line, second)
        }).collect();
        let log: String = lines.iter().map(|(line, second)| written(line, *second).1 + "\n").collect();
        let (mut watcher, patterns) = watcher(&texts);
        let mut found: Vec<(u64, u64)> =
            hits(&mut watcher, Format::ZeekJson, &log).into_iter().map(|(line, name, ..)| (line, name)).collect();
        found.sort_unstable();
        prop_assert_eq!(found, one_by_one(&texts, &lines), "{:?} {}", texts, log);
        let report = patterns.report();
        prop_assert_eq!((report.forgotten, report.dropped, report.exhausted), (0, 0, 0));
    }
}
