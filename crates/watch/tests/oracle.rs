//! The fast readers and the filter in front of the set, held to a slow reader and a list of claims.
//!
//! The oracle parses with serde_json, keeping keys that stand twice, walks the fields by their names and compares with
//! every claim. It knows nothing of blocks, masks, keys and filters.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use observable::{Claim, Kind, canonical};
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use watch::scan::{Format, Scan};
use watch::{Builder, Hit, Set, Watcher};

/// A JSON value that keeps all members of an object, in their order.
#[derive(Debug)]
enum Value {
    Text(String),
    Other,
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(value) = seq.next_element()? {
                    all.push(value);
                }
                Ok(Value::List(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Value::Object(all))
            }
        }
        deserializer.deserialize_any(All)
    }
}

/// What a field of the oracle is met as.
#[derive(Clone, Copy)]
enum Use {
    Host,
    Address,
    Kind(Kind),
    Digest,
}

/// The fields that the generated lines have, in Zeek and in EVE.
fn used(path: &str, eve: bool) -> Option<Use> {
    Some(match (path, eve) {
        ("id.orig_h" | "id.resp_h" | "x_originating_ip", false)
        | ("src_ip" | "dest_ip" | "flow.src_ip" | "flow.dest_ip" | "dns.grouped.A", true) => Use::Address,
        ("query" | "answers" | "server_name" | "host", false)
        | (
            "dns.queries.rrname" | "dns.answers.rdata" | "dns.answers.rrname" | "dns.rdata" | "dns.rrname" | "tls.sni"
            | "http.hostname",
            true,
        ) => Use::Host,
        ("referrer", false) | ("http.http_refer", true) => Use::Kind(Kind::Url),
        ("user_agent", false) | ("http.http_user_agent", true) => Use::Kind(Kind::UserAgent),
        ("sha256" | "md5", false) | ("fileinfo.sha256" | "fileinfo.md5", true) => Use::Digest,
        ("cert_chain_fps", false) | ("tls.fingerprint", true) => Use::Kind(Kind::Certificate),
        ("ja3", false) | ("tls.ja3.hash", true) => Use::Kind(Kind::Ja3),
        _ => return None,
    })
}

/// Names that the generated lines use, known and unknown ones, and near ones.
const ZEEK_KEYS: &[&str] = &[
    "ts",
    "uid",
    "id.orig_h",
    "id.resp_h",
    "query",
    "answers",
    "server_name",
    "host",
    "referrer",
    "user_agent",
    "sha256",
    "md5",
    "cert_chain_fps",
    "ja3",
    "x_originating_ip",
    "quer",
    "queryy",
    "Query",
    "id.orig_p",
    "msg",
    "x",
    "a_very_long_name_of_a_field",
    "cert_chain_fpz",
    "x_originating_iq",
    "id",
    "orig_h",
    "",
];
const EVE_KEYS: &[&str] = &[
    "timestamp",
    "src_ip",
    "dns",
    "queries",
    "rrname",
    "answers",
    "rdata",
    "tls",
    "sni",
    "http",
    "hostname",
    "http_refer",
    "http_user_agent",
    "fileinfo",
    "sha256",
    "md5",
    "fingerprint",
    "ja3",
    "hash",
    "flow",
    "dest_ip",
    "grouped",
    "A",
    "alert",
    "x",
    "",
];

/// What is claimed.
fn claims() -> Vec<Claim> {
    let mut claims = vec![
        Claim::new(Kind::Domain, "evil.example"),
        Claim::new(Kind::Domain, "a.b.c.evil.test"),
        Claim::with_subdomains("wide.example"),
        Claim::with_subdomains("0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.wide.test"),
        Claim::new(Kind::Ipv4, "203.0.113.7"),
        Claim::new(Kind::Ipv6, "2001:db8::7"),
        Claim::new(Kind::Cidr, "198.51.100.0/24"),
        Claim::new(Kind::Cidr, "2001:db8:7::/48"),
        Claim::new(Kind::Url, "http://evil.example/a/b?c=d"),
        Claim::new(Kind::Url, "https://evil.example/path"),
        Claim::new(Kind::UserAgent, "Evil \"Bot\"\\1.0"),
        Claim::new(Kind::Ja3, "0123456789abcdef0123456789abcdef"),
    ];
    for (kind, length) in [(Kind::Md5, 32), (Kind::Sha256, 64), (Kind::Certificate, 40)] {
        claims.push(Claim::new(kind, "0123456789abcdef".repeat(4)[..length].to_owned()));
    }
    claims
}

fn set(claims: &[Claim]) -> Arc<Set> {
    let mut builder = Builder::new([5; 32]);
    for (place, claim) in claims.iter().enumerate() {
        assert_eq!(builder.add(claim, place as u64), Ok(()), "{claim:?}");
    }
    Arc::new(builder.build())
}

/// A host without its port.
fn host(value: &str) -> &str {
    match value.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            if !host.contains(':') || (host.starts_with('[') && host.ends_with(']')) { host } else { value }
        }
        _ => value,
    }
}

/// What one value is met by, claim by claim.
fn met(claims: &[Claim], used: Use, value: &[u8]) -> Vec<u64> {
    let form = |kind, raw: &[u8]| canonical::of(kind, raw, &mut Vec::new()).map(<[u8]>::to_vec);
    let one = |claim: &Claim| -> bool {
        let claimed = claim.value.as_bytes();
        let same = |kind| claim.kind == kind && form(kind, value).is_some() && form(kind, value) == form(kind, claimed);
        let address = || same(Kind::Ipv4) || same(Kind::Ipv6) || (claim.kind == Kind::Cidr && covers(claimed, value));
        let name = || {
            let below = || {
                let (Some(value), Some(mut claimed)) = (form(Kind::Domain, value), form(Kind::Domain, claimed)) else {
                    return false;
                };
                claimed.insert(0, b'.');
                claim.subdomains && claim.kind == Kind::Domain && value.ends_with(&claimed)
            };
            same(Kind::Domain) || below()
        };
        match used {
            Use::Address => address(),
            Use::Host => address() || name(),
            Use::Kind(Kind::Url) => {
                claim.kind == Kind::Url && {
                    let (url, claimed) = (form(Kind::Url, value), form(Kind::Url, claimed));
                    url.zip(claimed).is_some_and(|(url, claimed)| url == claimed || cut(&url) == claimed.as_slice())
                }
            }
            Use::Kind(kind) => same(kind),
            Use::Digest => [Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512].into_iter().any(same),
        }
    };
    (0..).zip(claims).filter(|(_, claim)| one(claim)).map(|(place, _)| place).collect()
}

fn cut(url: &[u8]) -> &[u8] {
    url.split(|byte| *byte == b'?').next().unwrap_or_default()
}

fn covers(network: &[u8], address: &[u8]) -> bool {
    let Some(address) = canonical::address(address) else { return false };
    let Some((_, length)) = canonical::network(network) else { return false };
    canonical::network(format!("{address}/{length}").as_bytes()) == canonical::network(network)
}

/// The hits of a line, by the oracle.
fn slow(claims: &[Claim], line: &str, eve: bool) -> BTreeSet<(u64, String)> {
    fn walk(value: &Value, path: &str, eve: bool, each: &mut dyn FnMut(&str, &str)) {
        match value {
            Value::Text(text) => each(path, text),
            Value::Other => {}
            Value::List(all) => all.iter().for_each(|value| walk(value, path, eve, each)),
            Value::Object(all) => {
                for (key, value) in all {
                    let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    // A key with a point is known at the top only, and nothing below it is.
                    let dotted = key.contains('.') && (eve || !path.is_empty() || matches!(value, Value::Object(_)));
                    if !dotted && !key.is_empty() {
                        walk(value, &below, eve, each);
                    }
                }
            }
        }
    }
    let mut hits = BTreeSet::new();
    let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(line) else { return hits };
    walk(&value, "", eve, &mut |path, text| {
        if let Some(used) = used(path, eve) {
            let text = if matches!(used, Use::Host) { host(text) } else { text };
            hits.extend(met(claims, used, text.as_bytes()).into_iter().map(|name| (name, path.to_owned())));
        }
    });
    hits
}

fn fast(set: &Arc<Set>, format: Format, log: &[u8]) -> (Vec<BTreeSet<(u64, String)>>, Scan) {
    let (mut watcher, mut scan) = (Watcher::new(Arc::clone(set)), Scan::new(format));
    let mut lines = vec![BTreeSet::new(); log.split(|byte| *byte == b'\n').count()];
    let mut sink = |hit: &Hit<'_>| {
        // A number of a line that the log does not have is a hit too many.
        let last = lines.len() - 1;
        let line = lines.get_mut((hit.line as usize - 1).min(last));
        line.into_iter().for_each(|line| assert!(line.insert((hit.name, hit.field.to_owned())), "told twice"));
    };
    watcher.block(&mut scan, log, &mut sink);
    watcher.finish(&mut scan, &mut sink);
    (lines, scan)
}

/// Values: claimed ones, near ones, and any.
fn text() -> impl Strategy<Value = String> {
    let planted: Vec<String> = claims().iter().map(|claim| claim.value.to_string()).collect();
    let near = (proptest::sample::select(planted.clone()), 0..9_usize).prop_map(|(value, way)| match way {
        0 => format!("a.{value}"),
        1 => format!("x{value}"),
        2 => format!("{value}."),
        3 => format!("{value}x"),
        4 => value.to_uppercase(),
        5 => format!("{value}:80"),
        6 => format!(" {value}"),
        7 => value.replace("/24", "").replacen("0.0", "0.9", 1),
        _ => value.chars().skip(1).collect(),
    });
    let cidr = proptest::sample::select(vec![
        "198.51.100.77",
        "198.51.101.1",
        "2001:db8:7::1",
        "2001:db8:8::1",
        "[2001:db8::7]:1",
    ]);
    prop_oneof![
        3 => proptest::sample::select(planted),
        3 => near,
        1 => cidr.prop_map(str::to_owned),
        2 => "[a-z]{1,9}\\.(com|example)",
        2 => any::<String>(),
    ]
}

/// One string as JSON has it, some of its characters escaped without need.
fn quoted(text: &str, escape: usize) -> String {
    let plain = serde_json::to_string(text).unwrap_or_default();
    match text.char_indices().nth(escape) {
        Some((at, letter))
            if text.is_ascii() && letter.is_ascii_alphanumeric() && escape < 40 && plain.len() == text.len() + 2 =>
        {
            format!("\"{}\\u{:04X}{}\"", &text[..at], letter as u32, &text[at + 1..])
        }
        _ => plain,
    }
}

fn value(keys: &'static [&'static str], depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        6 => (text(), 0..200_usize).prop_map(|(text, escape)| quoted(&text, escape)),
        2 => proptest::sample::select(vec!["1", "-0.5e3", "true", "null", "1700000000.5", "{}", "[]"]).prop_map(str::to_owned),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let list = proptest::collection::vec(value(keys, depth - 1), 0..4).prop_map(|all| format!("[{}]", all.join(",")));
    prop_oneof![5 => leaf, 1 => list, 2 => object(keys, depth - 1)].boxed()
}

fn object(keys: &'static [&'static str], depth: u32) -> BoxedStrategy<String> {
    let blank = proptest::sample::select(vec!["", "", "", "", " ", "\t "]);
    let key = (proptest::sample::select(keys), 0..100_usize).prop_map(|(key, escape)| quoted(key, escape));
    let member = (key, blank, value(keys, depth))
        .prop_map(|(key, blank, value)| format!("{blank}{key}{blank}:{blank}{value}{blank}"));
    proptest::collection::vec(member, 0..8).prop_map(|all| format!("{{{}}}", all.join(","))).boxed()
}

/// Lines that are whole, and some that are cut.
fn lines(keys: &'static [&'static str], depth: u32) -> impl Strategy<Value = Vec<String>> {
    let line = (object(keys, depth), 0..2000_usize, 0..10_u8).prop_map(|(line, at, cut)| {
        let at = (0..=at.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        if cut == 0 { line[..at].to_owned() } else { line }
    });
    proptest::collection::vec(line, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn zeek_json_is_met_as_slowly_read(lines in lines(ZEEK_KEYS, 1)) {
        let claims = claims();
        let (told, _) = fast(&set(&claims), Format::ZeekJson, lines.join("\n").as_bytes());
        for (line, told) in lines.iter().zip(told) {
            prop_assert_eq!(told, slow(&claims, line, false), "{}", line);
        }
    }

    #[test]
    fn eve_is_met_as_slowly_read(lines in lines(EVE_KEYS, 3)) {
        let claims = claims();
        let (told, scan) = fast(&set(&claims), Format::Eve, lines.join("\n").as_bytes());
        for (line, told) in lines.iter().zip(told) {
            prop_assert_eq!(told, slow(&claims, line, true), "{}", line);
        }
        let broken = lines.iter().filter(|line| !line.is_empty() && serde_json::from_str::<Value>(line).is_err()).count();
        prop_assert_eq!(scan.report().broken, broken as u64);
    }

    #[test]
    fn columns_are_met_as_json_is(rows in proptest::collection::vec((text(), text(), text(), text()), 1..20)) {
        let names = ["query", "id.orig_h", "answers", "user_agent"];
        let plain = |text: &str| !text.is_empty() && !text.contains(',') && !["-", "(empty)"].contains(&text) && !text.starts_with('#');
        let rows: Vec<[String; 4]> = rows.into_iter().map(<[String; 4]>::from).filter(|row| row.iter().all(|text| plain(text))).collect();
        let mut tsv = format!("#separator \\x09\n#fields\t{}\n#types\tstring\taddr\tvector[string]\tstring\n", names.join("\t"));
        let mut json = "\n\n\n".to_owned();
        for row in &rows {
            // Zeek writes what is no plain letter as bytes.
            let escaped = |text: &String| text.bytes().map(|byte| if byte.is_ascii_graphic() && byte != b'\\' || byte == b' ' {
                char::from(byte).to_string()
            } else {
                format!("\\x{byte:02x}")
            }).collect::<String>();
            tsv.push_str(&row.iter().map(escaped).collect::<Vec<_>>().join("\t"));
            tsv.push('\n');
            let members: Vec<String> = names.iter().zip(row).map(|(name, text)| format!("{}:{}", quoted(name, 99), quoted(text, 99))).collect();
            json.push_str(&format!("{{{}}}\n", members.join(",")));
        }
        let set = set(&claims());
        let (told, scan) = fast(&set, Format::ZeekTsv, tsv.as_bytes());
        prop_assert_eq!(scan.report().broken, 0, "{:?}", scan.report());
        prop_assert_eq!(told, fast(&set, Format::ZeekJson, json.as_bytes()).0);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600), words in proptest::collection::vec(
        proptest::sample::select(vec!["{", "}", "[", "]", "\"", "\\", ":", ",", "\n", "\t", "#fields\tquery\tts\n", "#separator \\x7c\n", "#types\tset[string]\n",
            "\"query\"", "\"dns\":{", "\"host\":\"a\"", "\"uri\":\"/\"", "evil.example", "\\u00", "1", " ", "\r", "\0", "é"]), 0..200)) {
        let set = set(&claims());
        for log in [bytes, words.concat().into_bytes()] {
            for format in [Format::ZeekJson, Format::ZeekTsv, Format::Eve] {
                let (_, scan) = fast(&set, format, &log);
                let lines = log.split_inclusive(|byte| *byte == b'\n').count();
                prop_assert_eq!(scan.report().lines, lines as u64);
                prop_assert!(scan.report().broken <= scan.report().lines);
            }
        }
    }

    #[test]
    fn pieces_make_no_difference(lines in lines(EVE_KEYS, 2), size in 1..300_usize) {
        let set = set(&claims());
        let log = lines.join("\n");
        let (whole, scan) = fast(&set, Format::Eve, log.as_bytes());
        let (mut watcher, mut again) = (Watcher::new(Arc::clone(&set)), Scan::new(Format::Eve));
        let mut told = vec![BTreeSet::new(); whole.len()];
        let mut sink = |hit: &Hit<'_>| {
            told[hit.line as usize - 1].insert((hit.name, hit.field.to_owned()));
        };
        for piece in log.as_bytes().chunks(size) {
            watcher.block(&mut again, piece, &mut sink);
        }
        watcher.finish(&mut again, &mut sink);
        prop_assert_eq!(told, whole);
        prop_assert_eq!(again.report(), scan.report());
    }
}
