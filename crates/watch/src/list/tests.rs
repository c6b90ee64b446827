//! Lists and bundles, good and bad.

use std::io::Cursor;

use observable::Kind;

use super::*;
use crate::set::Set;

type File = Cursor<Vec<u8>>;

fn load(text: impl Into<Vec<u8>>) -> (Set, Loaded<File>) {
    let mut builder = Builder::new([3; 32]);
    let loaded = read(Cursor::new(text.into()), &mut builder).unwrap();
    (builder.build(), loaded)
}

/// The labels of the indicators that a value meets, each confirmed.
fn labels(set: &Set, names: &mut Names<File>, kind: Kind, value: &str) -> Vec<String> {
    let mut found = Vec::new();
    set.value(kind, value.as_bytes(), &mut Vec::new(), &mut found);
    let mut labels: Vec<String> = found
        .iter()
        .filter_map(|found| {
            let indicator = names.indicator(found.name).unwrap()?;
            assert!(indicator.meets(kind, value.as_bytes()), "`{}` does not confirm `{value}`", indicator.label());
            Some(indicator.label().to_owned())
        })
        .collect();
    labels.sort();
    labels
}

fn reasons(report: &Report) -> Vec<String> {
    report.first.iter().map(ToString::to_string).collect()
}

#[test]
fn a_list_of_every_kind() {
    let (set, mut loaded) = load(
        "type,value,id\n\
         domain,Evil.example,a\n\
         domain,.evil.example,b\n\
         domain,*.evil.example,\n\
         ipv4,203.0.113.7,d\n\
         ipv6,2001:DB8::1,e\n\
         cidr,203.0.113.0/24,f\n\
         url,\"http://evil.example/a,b?c=\"\"d\"\"\",g\n\
         md5,00112233445566778899AABBCCDDEEFF,h\n\
         email,Eve <eve@evil.example>,i\n\
         filename,a b.exe,j\n\
         user-agent,\"Evil/1.0 (x, y)\",k\n\
         ja3,e7d705a3286e19ea42f587b344ee6865,l\n",
    );
    let report = &loaded.report;
    assert_eq!((report.indicators, report.taken, report.refused), (12, 12, 0), "{:?}", report.first);
    for (kind, value, expected) in [
        (Kind::Domain, "evil.EXAMPLE", &["a", "b"][..]),
        (Kind::Domain, "www.evil.example", &["*.evil.example", "b"]),
        (Kind::Ipv4, "203.0.113.7", &["d", "f"]),
        (Kind::Ipv6, "2001:db8:0::1", &["e"]),
        (Kind::Url, "http://evil.example/a,b?c=%22d%22", &["g"]),
        (Kind::Url, "evil.example/a,b?c=%22d%22", &["g"]),
        (Kind::Md5, "00112233445566778899aabbccddeeff", &["h"]),
        (Kind::Ja3, "00112233445566778899aabbccddeeff", &[]),
        (Kind::Email, "EVE@evil.example", &["i"]),
        (Kind::FileName, "C:\\x\\a b.exe", &["j"]),
        (Kind::UserAgent, "Evil/1.0 (x, y)", &["k"]),
        (Kind::Ja3, "e7d705a3286e19ea42f587b344ee6865", &["l"]),
    ] {
        assert_eq!(labels(&set, &mut loaded.names, kind, value), expected, "{kind} {value}");
    }
}

#[test]
fn a_list_without_ids_is_named_by_its_values() {
    let (set, mut loaded) =
        load("\u{feff}Value , TYPE\r\n.Evil.example,domain\r\n\r\n# a comment\r\n 203.0.113.7 ,ipv4");
    assert_eq!(reasons(&loaded.report), [""; 0]);
    assert_eq!(labels(&set, &mut loaded.names, Kind::Domain, "www.evil.example"), [".Evil.example"]);
    assert_eq!(labels(&set, &mut loaded.names, Kind::Ipv4, "203.0.113.7"), ["203.0.113.7"]);
}

#[test]
fn bad_lines_are_counted_and_the_rest_counts() {
    let (set, mut loaded) = load(
        [
            &b"type,value,id\n"[..],
            b"domain,com,1\n",
            b"cidr,0.0.0.0/0,2\n",
            b"domain,\"evil.example,3\n",
            b"domain,\"evil.example\"x\"y,4\n",
            b"colour,red,5\n",
            b"domain\n",
            b"domain,a.example,7,8\n",
            b"domain,,9\n",
            b"domain,caf\xe9.example,10\n",
            b"domain,a\0b.example,11\n",
            b"filename,\xff\xfe,12\n",
            b"domain,good.example\n",
        ]
        .concat(),
    );
    assert_eq!(
        reasons(&loaded.report),
        [
            "line 2: a name of one label says too much: claim a host or a registered domain",
            "line 3: a prefix of 0 bits says too much: at least 8 are expected",
            "line 4: a quote is not closed on its line",
            "line 5: a quote is not closed on its line",
            "line 6: no kind of value is named `colour`",
            "line 7: 1 fields where the first line has 3: put values with commas into quotes",
            "line 8: 4 fields where the first line has 3: put values with commas into quotes",
            "line 9: no value",
            "line 10: not a value of kind `domain`",
            "line 11: not a value of kind `domain`",
        ]
    );
    assert_eq!((loaded.report.indicators, loaded.report.taken, loaded.report.refused), (12, 2, 10));
    assert_eq!(labels(&set, &mut loaded.names, Kind::Domain, "good.example"), ["good.example"]);
}

#[test]
fn no_list_and_no_bundle() {
    for text in ["", "\n", "evil.example\n", "kind,value\nx,y\n", "type;value\n", "type,\"value\n", "\0\0\0"] {
        let read = read(Cursor::new(text), &mut Builder::new([3; 32]));
        assert!(matches!(read, Err(Error::Header)), "{text:?}");
    }
    assert!(matches!(read(Cursor::new("{\"type\": "), &mut Builder::new([3; 32])), Err(Error::Bundle(_))));
    let long = vec![b'x'; 3 << 20];
    assert!(matches!(read(Cursor::new(long), &mut Builder::new([3; 32])), Err(Error::Header)));
}

#[test]
fn a_line_of_a_hundred_megabytes_is_passed_over() {
    let long = io::repeat(b'x').take(100 << 20);
    let file =
        Cursor::new("type,value\ndomain,a.example\ndomain,").chain(long).chain(Cursor::new("\ndomain,b.example\nx"));
    let mut builder = Builder::new([3; 32]);
    let (report, _) = csv::read(file, &mut builder, None).unwrap();
    assert_eq!((report.taken, report.refused), (2, 2));
    assert_eq!(
        reasons(&report),
        [
            "line 3: longer than 1048576 bytes",
            "line 5: 1 fields where the first line has 2: put values with commas into quotes"
        ]
    );
    assert_eq!(builder.len(), 2);
}

#[test]
fn many_blocks_keep_places_and_numbers() {
    let mut text = String::from("type,value,id\n");
    for number in 0..100_000 {
        text.push_str(&format!("domain,name-{number}.example.org,id-{number}\n"));
        if number % 25_000 == 7 {
            text.push_str("domain,com,x\n");
        }
    }
    let (set, mut loaded) = load(text);
    assert_eq!(loaded.report.taken, 100_000);
    assert_eq!(
        loaded.report.first.iter().map(|refusal| refusal.line).collect::<Vec<_>>(),
        [10, 25_011, 50_012, 75_013]
    );
    for number in (0..100_000).step_by(997) {
        let name = format!("name-{number}.example.org");
        assert_eq!(labels(&set, &mut loaded.names, Kind::Domain, &name), [format!("id-{number}")]);
    }
}

fn indicator(id: u32, modified: &str, rest: &str) -> String {
    let modified = format!("\"created\":\"2024-01-01T00:00:00.000Z\",\"modified\":\"{modified}T00:00:00.000Z\"");
    format!("{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--{id:08}\",{modified},{rest}}}")
}

fn pattern(text: &str) -> String {
    format!("\"pattern_type\":\"stix\",\"pattern\":\"{text}\",\"valid_from\":\"2024-01-01T00:00:00Z\"")
}

#[test]
fn a_bundle_gives_claims_general_patterns_and_reasons() {
    let objects = [
        indicator(1, "2024-01-01", &pattern("[domain-name:value = 'evil.example' OR ipv4-addr:value = '203.0.113.7']")),
        indicator(2, "2024-01-01", &pattern("[domain-name:value LIKE '%.evil.example']")),
        indicator(3, "2024-01-01", &pattern("[file:name = 'a.exe' AND file:size > 5]")),
        indicator(4, "2024-01-01", &pattern("[domain-name:value = ")),
        indicator(5, "2024-01-01", "\"pattern_type\":\"snort\",\"pattern\":\"alert\""),
        indicator(6, "2024-01-01", "\"name\":\"none\""),
        indicator(7, "2024-01-01", &pattern("[domain-name:value = 'com']")),
        indicator(8, "2024-01-01", "\"pattern\":5"),
        indicator(9, "2024-01-01", &format!("\"revoked\":true,{}", pattern("[file:name = 'b.exe']"))),
        indicator(10, "2024-01-02", &pattern("[file:name = 'new.exe']")),
        indicator(10, "2024-01-01", &pattern("[file:name = 'old.exe']")),
        indicator(11, "2024-01-01", &pattern("[file:name = 'old.exe']")),
        indicator(11, "2024-01-02", &format!("\"confidence\":70,{}", pattern("[file:name = 'newer.exe']"))),
        indicator(12, "2024-01-01", &pattern("[file:name = 'gone.exe']")),
        indicator(12, "2024-01-02", &format!("\"revoked\":true,{}", pattern("[file:name = 'gone.exe']"))),
        "{\"type\":\"malware\",\"pattern\":{},\"confidence\":1000}".to_owned(),
        "{\"type\":7}".to_owned(),
    ];
    let bundle = format!("\n{{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[\n{}\n]}}", objects.join(",\n"));
    let (set, mut loaded) = load(bundle);
    let report = loaded.report.clone();
    assert_eq!((report.indicators, report.taken, report.withdrawn), (15, 7, 5), "{report:?}");
    assert_eq!(
        reasons(&report),
        [
            "line 6: the pattern is broken: expected a constant, found the end (at byte 21)",
            "line 7: the pattern is in another language, `snort`",
            "line 8: no `pattern`",
            "line 9: a name of one label says too much: claim a host or a registered domain",
            "line 10: no indicator: invalid type: integer `5`, expected a string",
        ]
    );
    assert_eq!(loaded.general.len(), 1);
    assert_eq!(&*loaded.general[0].id, "indicator--00000003");
    let general = loaded.names.indicator(loaded.general[0].name).unwrap().unwrap();
    assert_eq!((general.label(), general.claims.len()), ("indicator--00000003", 0));
    for (kind, value, expected) in [
        (Kind::Domain, "evil.example", &["indicator--00000001"][..]),
        (Kind::Domain, "x.evil.example", &["indicator--00000002"]),
        (Kind::Ipv4, "203.0.113.7", &["indicator--00000001"]),
        (Kind::FileName, "b.exe", &[]),
        (Kind::FileName, "new.exe", &["indicator--00000010"]),
        (Kind::FileName, "old.exe", &[]),
        (Kind::FileName, "newer.exe", &["indicator--00000011"]),
        (Kind::FileName, "gone.exe", &[]),
    ] {
        assert_eq!(labels(&set, &mut loaded.names, kind, value), expected, "{kind} {value}");
    }
    let mut found = Vec::new();
    set.value(Kind::FileName, b"newer.exe", &mut Vec::new(), &mut found);
    let newer = loaded.names.indicator(found[0].name).unwrap().unwrap();
    assert_eq!((newer.valid_from, newer.valid_until, newer.confidence), (Some(1_704_067_200_000_000), None, Some(70)));
}

#[test]
fn a_million_broken_patterns_are_counted_and_few_are_told() {
    const MANY: usize = 50_000;
    let broken = indicator(1, "2024-01-01", &pattern("[x")).replace("\"id\":\"indicator--00000001\",", "");
    let good = indicator(2, "2024-01-01", &pattern("[file:name = 'a.exe']"));
    let (set, loaded) = load(format!("[{}{good}]", format!("{broken},").repeat(MANY)));
    assert_eq!((loaded.report.refused, loaded.report.taken), (MANY as u64, 1));
    assert_eq!(loaded.report.first.len(), TOLD);
    assert!(set.has(Kind::FileName));
}

#[test]
fn a_bundle_that_breaks_off_counts_up_to_there() {
    let good = indicator(2, "2024-01-01", &pattern("[file:name = 'a.exe']"));
    let (set, loaded) = load(format!("{{\"type\":\"bundle\",\"objects\":[{good},{{\"type\":\"indic"));
    assert_eq!((loaded.report.taken, loaded.report.refused), (1, 1));
    assert!(reasons(&loaded.report)[0].starts_with("line 1: "), "{:?}", loaded.report);
    assert!(set.has(Kind::FileName));
}

#[test]
fn a_file_that_changed_gives_no_indicator() {
    let (_, mut loaded) = load("type,value\ndomain,evil.example\n");
    assert_eq!(loaded.names.indicator(12).unwrap(), None, "the middle of a line");
    assert_eq!(loaded.names.indicator(1 << 39).unwrap(), None, "behind the end");
    let (_, mut loaded) = load("[]");
    assert_eq!(loaded.names.indicator(0).unwrap(), None);
    assert_eq!(loaded.names.indicator(1).unwrap(), None);
}

#[test]
fn what_warning_lists_name_is_left_out_and_counted() {
    let mut collector = crate::warning::Collector::new([5; 32]);
    for list in [
        r#"{"name":"hosts","type":"hostname","list":["good.example"]}"#,
        r#"{"name":"nets","type":"cidr","list":["10.0.0.0/8"]}"#,
    ] {
        collector.add(list.as_bytes()).unwrap();
    }
    let warnings = collector.build();
    let list = "type,value,id\ndomain,.cdn.good.example,a\ndomain,notgood.example,b\nipv4,10.1.2.3,c\nipv4,192.0.2.1,d\n\
                url,http://good.example/x,e\ndomain,com,f\n";
    let both = "[domain-name:value = 'good.example' OR domain-name:value = 'evil.example']";
    let bundle = format!("[{}]", indicator(1, "2024-01-01", &pattern(both)));
    for (file, taken, refused, benign, watched) in [
        (list, 2, 1, &[("hosts", 2), ("nets", 1)][..], "notgood.example"),
        (&bundle, 1, 0, &[("hosts", 1)], "evil.example"),
    ] {
        let mut builder = Builder::new([9; 32]);
        let loaded = read_without(Cursor::new(file), &mut builder, Some(&warnings)).unwrap();
        assert_eq!((loaded.report.taken, loaded.report.refused), (taken, refused), "{:?}", loaded.report);
        let counted: Vec<(&str, u64)> = loaded.report.benign.iter().map(|(list, count)| (&**list, *count)).collect();
        assert_eq!(counted, benign);
        let set = builder.build();
        let met = |value: &str| {
            let mut found = Vec::new();
            set.value(Kind::Domain, value.as_bytes(), &mut Vec::new(), &mut found);
            !found.is_empty()
        };
        assert!(met(watched));
        assert!(!met("good.example") && !met("x.cdn.good.example"));
        // Without the lists the same file claims them.
        let mut builder = Builder::new([9; 32]);
        let plain = read(Cursor::new(file), &mut builder).unwrap().report;
        assert_eq!(plain.taken, taken + loaded.report.benign.values().sum::<u64>());
    }
}
