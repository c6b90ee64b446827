//! Whatever strangers write, each format is read back to exactly the entries.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod reading;

use observable::Kind;
use proptest::prelude::*;
use reading::{Entry, Files, entry, read};
use rules::{About, Format, Item, Options, Report, Writer};

/// A claim of the tests, on its own.
#[derive(Clone, Debug)]
struct Said {
    kind: Kind,
    value: String,
    itself: bool,
    subdomains: bool,
}

fn said(kind: Kind, value: &str) -> Said {
    Said { kind, value: value.to_owned(), itself: true, subdomains: false }
}

/// What a stranger says beside the value.
#[derive(Clone, Debug)]
struct Around {
    id: String,
    name: String,
    source: String,
    tlp: String,
    reference: Option<String>,
    label: String,
    confidence: Option<u8>,
    modified: i64,
}

impl Around {
    fn calm() -> Self {
        Self {
            id: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".to_owned(),
            name: "Beacon".to_owned(),
            source: "CERT North".to_owned(),
            tlp: "TLP:GREEN".to_owned(),
            reference: Some("https://example.org/i/1".to_owned()),
            label: "malicious-activity".to_owned(),
            confidence: Some(80),
            modified: 1_772_355_600_000_000,
        }
    }
}

fn written(format: Format, all: &[(Around, Said)]) -> (Files, Report) {
    let mut files = Files::default();
    let options = Options { at: 1_772_355_600_000_000, viewer: "CERT \n; North".to_owned(), ..Options::default() };
    let mut writer = Writer::new(format, &options, &mut files).unwrap();
    for (around, said) in all {
        let labels = [around.label.clone()];
        let about = About {
            id: &around.id,
            name: &around.name,
            source: &around.source,
            tlp: &around.tlp,
            confidence: around.confidence,
            created: around.modified,
            modified: around.modified,
            valid_from: around.modified,
            valid_until: None,
            reference: around.reference.as_deref(),
            labels: &labels,
            object: b"",
        };
        let Said { kind, value, itself, subdomains } = said;
        writer.item(&Item { about: &about, kind: *kind, value, itself: *itself, subdomains: *subdomains }).unwrap();
    }
    let report = writer.finish().unwrap();
    (files, report)
}

/// What formats make of a claim.
type Made = Vec<(Format, Vec<Entry>)>;

/// What each format makes of these claims.
fn table() -> Vec<(Said, Made)> {
    use Format as F;
    let sha1 = "a".repeat(40);
    let colons = ["aa"; 20].join(":");
    let below = |value: &str| Said { subdomains: true, ..said(Kind::Domain, value) };
    vec![
        (
            said(Kind::Domain, "evil.com"),
            vec![
                (F::Suricata, vec![entry("dns.query", "evil.com")]),
                (F::SuricataDatasets, vec![entry("domains", "evil.com")]),
                (F::SuricataIprep, vec![]),
                (F::Snort3, vec![entry("name", "evil.com")]),
                (F::ZeekIntel, vec![entry("DOMAIN", "evil.com")]),
                (F::Sigma, vec![entry("query", "evil.com")]),
                (F::Rpz, vec![entry("name", "evil.com")]),
                (F::Hosts, vec![entry("domain", "evil.com")]),
                (F::Nftables, vec![]),
                (F::Squid, vec![entry("domain", "evil.com")]),
                (F::Postfix, vec![entry("marsad-access", "evil.com")]),
                (F::Csv, vec![entry("domain", "evil.com")]),
                (F::Plain, vec![entry("domain", "evil.com")]),
            ],
        ),
        (
            below("Evil.COM."),
            vec![
                (F::Suricata, vec![entry("dns.query", ".evil.com")]),
                (F::SuricataDatasets, vec![entry("below", ".evil.com")]),
                (F::Snort3, vec![entry("name", ".evil.com")]),
                (F::ZeekIntel, vec![entry("DOMAIN", "evil.com")]),
                (F::Rpz, vec![entry("name", "*.evil.com"), entry("name", "evil.com")]),
                (F::Hosts, vec![entry("domain", "evil.com")]),
                (F::Squid, vec![entry("domain", ".evil.com")]),
                (F::Csv, vec![entry("domain", ".evil.com")]),
                (F::Jsonl, vec![entry("domain", ".evil.com")]),
            ],
        ),
        (
            Said { itself: false, ..below("evil.com") },
            vec![
                (F::Suricata, vec![entry("dns.query", ".evil.com")]),
                (F::Rpz, vec![entry("name", "*.evil.com")]),
                (F::Sigma, vec![entry("query|endswith", ".evil.com")]),
                (F::Postfix, vec![entry("marsad-access", ".evil.com")]),
                (F::Squid, vec![]),
                (F::Csv, vec![]),
                (F::Hosts, vec![]),
                (F::Snort3, vec![]),
            ],
        ),
        (said(Kind::Domain, "مرصد.example"), vec![(F::Rpz, vec![entry("name", "xn--ugbdm6d.example")])]),
        (
            said(Kind::Ipv4, "203.0.113.7"),
            vec![
                (F::Suricata, vec![entry("address", "203.0.113.7")]),
                (F::SuricataDatasets, vec![entry("addresses", "203.0.113.7")]),
                (F::SuricataIprep, vec![entry("address", "203.0.113.7")]),
                (F::Snort3, vec![entry("address", "203.0.113.7")]),
                (F::Snort3Reputation, vec![entry("address", "203.0.113.7")]),
                (F::ZeekIntel, vec![entry("ADDR", "203.0.113.7")]),
                (F::Sigma, vec![entry("dst_ip", "203.0.113.7")]),
                (F::Rpz, vec![entry("address", "203.0.113.7/32")]),
                (F::Hosts, vec![]),
                (F::Nftables, vec![entry("address", "203.0.113.7/32")]),
                (F::Iptables, vec![entry("address", "203.0.113.7/32")]),
                (F::Squid, vec![entry("address", "203.0.113.7/32")]),
                (F::Postfix, vec![entry("marsad-clients.cidr", "203.0.113.7/32")]),
            ],
        ),
        (
            said(Kind::Ipv6, "2001:DB8::10"),
            vec![
                (F::Rpz, vec![entry("address", "2001:db8::10/128")]),
                (F::Nftables, vec![entry("address", "2001:db8::10/128")]),
                (F::Suricata, vec![entry("address", "2001:db8::10")]),
            ],
        ),
        (
            said(Kind::Cidr, "198.51.100.77/24"),
            vec![
                (F::Rpz, vec![entry("address", "198.51.100.0/24")]),
                (F::ZeekIntel, vec![entry("SUBNET", "198.51.100.0/24")]),
                (F::SuricataIprep, vec![entry("address", "198.51.100.0/24")]),
                (F::SuricataDatasets, vec![]),
                (F::Sigma, vec![entry("dst_ip|cidr", "198.51.100.0/24")]),
            ],
        ),
        (
            said(Kind::Url, "HTTP://Evil.com:80/a b?x=\"1\";y"),
            vec![
                (F::Suricata, vec![entry("url", "evil.com/a%20b?x=%221%22;y")]),
                (F::Snort3, vec![entry("url", "evil.com/a%20b?x=%221%22;y")]),
                (F::ZeekIntel, vec![entry("URL", "evil.com/a%20b?x=%221%22;y")]),
                (F::Squid, vec![entry("url", "http://evil.com/a%20b?x=%221%22;y")]),
                (F::Sigma, vec![entry("c-uri", "http://evil.com/a%20b?x=%221%22;y")]),
                (F::Hosts, vec![]),
            ],
        ),
        (
            said(Kind::Url, "https://evil.com:8443"),
            vec![(F::Suricata, vec![entry("url", "evil.com/")]), (F::Snort3, vec![entry("url", "evil.com:8443/")])],
        ),
        (
            said(Kind::Sha1, &sha1.to_uppercase()),
            vec![
                (F::SuricataDatasets, vec![entry("sha1", sha1.as_str())]),
                (F::ZeekIntel, vec![entry("FILE_HASH", sha1.as_str())]),
                (F::Sigma, vec![entry("Hashes|contains", format!("SHA1={sha1}"))]),
                (F::Suricata, vec![]),
            ],
        ),
        (
            said(Kind::Certificate, &colons),
            vec![
                (F::Suricata, vec![entry("tls.cert_fingerprint", colons.as_str())]),
                (F::SuricataDatasets, vec![entry("certificates", colons.as_str())]),
                (F::ZeekIntel, vec![entry("CERT_HASH", sha1.as_str())]),
            ],
        ),
        (said(Kind::CertificateSerial, "00:0a:bc"), vec![(F::Suricata, vec![entry("tls.cert_serial", "0A:BC")])]),
        (
            said(Kind::UserAgent, "curl \"x\"; *\\t"),
            vec![
                (F::Suricata, vec![entry("http.user_agent", "curl \"x\"; *\\t")]),
                (F::SuricataDatasets, vec![entry("user-agents", "curl \"x\"; *\\t")]),
                (F::Snort3, vec![entry("agent", "curl \"x\"; *\\t")]),
                (F::ZeekIntel, vec![entry("SOFTWARE", "curl \"x\"; *\\t")]),
                (F::Sigma, vec![entry("c-useragent", "curl \"x\"; *\\t")]),
                (F::Csv, vec![entry("user-agent", "curl \"x\"; *\\t")]),
            ],
        ),
        (
            said(Kind::FileName, "a/b[1]^.exe"),
            vec![
                (F::Postfix, vec![entry("file", "a/b[1]^.exe")]),
                (F::Sigma, vec![entry("TargetFilename|endswith", "\\a/b[1]^.exe")]),
            ],
        ),
        (
            said(Kind::Subject, "50% off (now) $1"),
            vec![(F::Postfix, vec![entry("subject", "50% off (now) $1")]), (F::ZeekIntel, vec![])],
        ),
        (
            said(Kind::Email, "Bad+1@Evil.com"),
            vec![
                (F::Postfix, vec![entry("marsad-access", "bad+1@evil.com")]),
                (F::Suricata, vec![entry("smtp.mail_from", "Bad+1@Evil.com")]),
            ],
        ),
    ]
}

#[test]
fn what_each_format_makes_of_a_claim() {
    for (said, expected) in table() {
        for (format, mut expected) in expected {
            let (files, report) = written(format, &[(Around::calm(), said.clone())]);
            let mut found = read(format, &files);
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{said:?} as {}", format.name());
            assert_eq!(report.written(), u64::from(!expected.is_empty()), "{said:?} as {}", format.name());
            assert_eq!(report.left_out.values().map(|left| left.count).sum::<u64>(), u64::from(expected.is_empty()));
        }
    }
}

#[test]
fn what_is_no_value_of_its_kind_is_in_no_format() {
    for (kind, value) in [
        (Kind::Domain, "evil.com\nlocalhost"),
        (Kind::Domain, "a b.com"),
        (Kind::Domain, "evil.com; CNAME ."),
        (Kind::Domain, "*.evil.com"),
        (Kind::Domain, "10.0.0.1"),
        (Kind::Domain, ""),
        (Kind::Ipv4, "203.0.113.7; drop"),
        (Kind::Ipv4, "2001:db8::1"),
        (Kind::Cidr, "203.0.113.0/33"),
        (Kind::Sha256, "abc"),
        (Kind::Url, "http://evil com/"),
        (Kind::Email, "a b@evil.com"),
        (Kind::Email, "evil.com"),
        (Kind::UserAgent, ""),
    ] {
        for format in Format::ALL {
            let (files, report) = written(format, &[(Around::calm(), said(kind, value))]);
            assert_eq!((report.written(), read(format, &files)), (0, vec![]), "{value:?} as {}", format.name());
        }
    }
}

#[test]
fn a_name_that_is_another_trigger_is_left_out_of_a_zone() {
    for name in
        ["32.1.0.0.127.rpz-ip", "32.1.0.0.10.rpz-client-ip", "ns.evil.rpz-nsdname", "x.rpz-nsip", "x.rpz-passthru"]
    {
        let (files, report) = written(Format::Rpz, &[(Around::calm(), said(Kind::Domain, name))]);
        assert_eq!((report.written(), read(Format::Rpz, &files).len()), (0, 0), "{name}");
    }
}

#[test]
fn names_that_are_too_long_in_a_zone_are_left_out() {
    let label = "a".repeat(63);
    for (last, fits) in [(48, true), (49, false)] {
        // `*` and the labels with their lengths, the zone `rpz.marsad` behind them, the root: 255 octets at most.
        let octets = 2 + 3 * 64 + (last + 1) + 11 + 1;
        assert_eq!(octets <= 255, fits);
        let name = format!("{label}.{label}.{label}.{}", "b".repeat(last));
        let claim = Said { subdomains: true, ..said(Kind::Domain, &name) };
        let (_, report) = written(Format::Rpz, &[(Around::calm(), claim)]);
        assert_eq!(report.written() == 1, fits, "{octets}");
    }
}

#[test]
fn numbers_stay_and_revisions_grow() {
    let mut around = Around::calm();
    let (claim, other) = (said(Kind::Domain, "evil.com"), said(Kind::Ipv4, "203.0.113.7"));
    let lines = |all: &[(Around, Said)]| -> Vec<(String, String)> {
        let (files, _) = written(Format::Suricata, all);
        let rules = files.text("marsad.rules").lines().filter(|line| !line.starts_with('#')).map(reading::rules::rule);
        rules.map(|rule| (rule.get("sid").to_owned(), rule.get("rev").to_owned())).collect()
    };
    let before = lines(&[(around.clone(), claim.clone())]);
    around.modified += 1_000_000;
    let after = lines(&[(Around::calm(), other), (around, claim)]);
    assert_eq!(
        before.iter().map(|(sid, _)| sid).collect::<Vec<_>>(),
        after[1..].iter().map(|(sid, _)| sid).collect::<Vec<_>>()
    );
    assert!(before[0].1.parse::<u32>().unwrap() < after[1].1.parse::<u32>().unwrap());
}

#[test]
fn the_same_value_twice_is_one_entry_where_a_list_wants_it_once() {
    let twice =
        [(Around::calm(), said(Kind::Ipv4, "203.0.113.7")), (Around::calm(), said(Kind::Cidr, "203.0.113.0/24"))];
    let all: Vec<_> = twice.iter().chain(&twice).cloned().collect();
    for (format, count) in
        [(Format::Nftables, 1), (Format::Squid, 1), (Format::Iptables, 2), (Format::Rpz, 2), (Format::Csv, 4)]
    {
        let (files, report) = written(format, &all);
        assert_eq!((read(format, &files).len(), report.written()), (count, count as u64), "{}", format.name());
        assert_eq!(report.merged, 4 - count as u64, "{}", format.name());
    }
}

/// Text that would end a comment, a string, a line or a zone, turn the direction of writing, or be too long.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\n",
        "\r",
        "\r\n",
        "\"",
        "'",
        ";",
        "#",
        "\\",
        "\\\"",
        "\t",
        "\0",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "\u{1b}[31m",
        "(",
        ")",
        "{",
        "}",
        "$",
        "|",
        "---\n",
        "...",
        ": ",
        "- x",
        "*",
        "?",
        "%",
        " ",
        "evil.com",
        "مرصد",
        "😀",
        "\u{e0041}",
        "\u{ffff}",
        "\nevil.com CNAME .\n",
        "\"; sid:1; \"",
        ")\nalert ip any any -> any any (sid:1;)",
        "\n127.0.0.1 bank.example",
        "a",
        "Z9",
    ]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "[a-z;\"\n]{200,400}",
    ]
}

fn around() -> impl Strategy<Value = Around> {
    let texts = (hostile(), hostile(), hostile(), hostile(), prop::option::of(hostile()), hostile());
    (texts, prop::option::of(any::<u8>()), any::<i64>()).prop_map(
        |((id, name, source, tlp, reference, label), confidence, modified)| {
            let reference = reference.map(|text| if text.len() % 2 == 0 { format!("https://{text}") } else { text });
            Around { id, name, source, tlp, reference, label, confidence, modified }
        },
    )
}

/// Values that are ones of their kind.
fn sound() -> impl Strategy<Value = Said> {
    let domain = ("[a-z0-9_]([a-z0-9-]{0,8}[a-z0-9])?(\\.[a-z]{2,6}){1,3}", any::<bool>());
    prop_oneof![
        domain.prop_map(|(value, subdomains)| Said { subdomains, ..said(Kind::Domain, &value) }),
        any::<[u8; 4]>().prop_map(|octets| said(Kind::Ipv4, &std::net::Ipv4Addr::from(octets).to_string())),
        any::<u16>().prop_map(|last| said(Kind::Ipv6, &format!("2001:db8::{last:x}"))),
        (any::<[u8; 4]>(), 1_u8..=32).prop_map(|(octets, prefix)| {
            said(Kind::Cidr, &format!("{}/{prefix}", std::net::Ipv4Addr::from(octets)))
        }),
        "http://[a-z]{1,8}\\.com/[ -~]{0,20}".prop_map(|value| said(Kind::Url, &value)),
        "[0-9a-fA-F]{64}".prop_map(|value| said(Kind::Sha256, &value)),
        "[0-9a-f]{32}".prop_map(|value| said(Kind::Md5, &value)),
        "[0-9a-f]{32}".prop_map(|value| said(Kind::Ja3, &value)),
        hostile().prop_map(|value| said(Kind::UserAgent, &value)),
        hostile().prop_map(|value| said(Kind::FileName, &value)),
        hostile().prop_map(|value| said(Kind::Subject, &value)),
        hostile().prop_map(|value| said(Kind::RegistryKey, &value)),
        hostile().prop_map(|value| said(Kind::Account, &value)),
    ]
}

/// Entries that a format has for one that is counted.
fn entries_of(format: Format, report: &Report, found: &[Entry]) -> bool {
    let written = report.written() as usize;
    match format {
        // A name with all below it is two of theirs.
        Format::Rpz | Format::Postfix => (written..=2 * written).contains(&found.len()),
        _ => found.len() == written,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_the_text_exactly_the_entries_are_read(all in prop::collection::vec((around(), sound()), 0..6)) {
        for format in Format::ALL {
            let (files, report) = written(format, &all);
            let found = read(format, &files);
            prop_assert!(entries_of(format, &report, &found), "{}: {report:?} {found:?}", format.name());
            let counted = report.written() + report.merged + report.left_out.values().map(|left| left.count).sum::<u64>();
            prop_assert_eq!(counted, all.len() as u64, "{}: everything is accounted for", format.name());
            for (_, said) in &all {
                prop_assert!(told(format, said, &found, &report), "{}: {said:?} is not in {found:?}", format.name());
            }
        }
    }

    #[test]
    fn values_that_are_anything_are_read_back_or_left_out(
        kind in prop::sample::select(Kind::ALL.to_vec()), value in hostile(), around in around(), subdomains: bool, itself: bool,
    ) {
        let subdomains = subdomains && kind == Kind::Domain;
        let all = [(around, Said { kind, value, itself: itself || !subdomains, subdomains })];
        for format in Format::ALL {
            let (files, report) = written(format, &all);
            let found = read(format, &files);
            prop_assert!(entries_of(format, &report, &found), "{}: {report:?} {found:?}", format.name());
        }
    }

    #[test]
    fn nothing_that_is_obeyed_stands_in_a_file(all in prop::collection::vec((around(), sound()), 0..4)) {
        for format in Format::ALL {
            let (files, _) = written(format, &all);
            for (name, bytes) in &files.0 {
                let text = std::str::from_utf8(bytes).unwrap();
                let bad = text.chars().find(|c| match c {
                    '\n' | '\t' => false,
                    // A value in this list is as it is.
                    '\u{202e}' | '\u{2028}' | '\u{feff}' | '\u{e0041}' | '\u{ffff}' if format == Format::Csv => false,
                    c => c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{feff}'),
                });
                prop_assert_eq!(bad, None, "{} {}", format.name(), name);
            }
        }
    }
}

/// Whether a claim that every format can hold as it is was read back.
fn told(format: Format, said: &Said, found: &[Entry], report: &Report) -> bool {
    let has = |value: &str| found.iter().any(|found| found.value == value);
    match (format, said.kind) {
        (Format::Csv | Format::Jsonl | Format::Plain | Format::Squid, Kind::Domain) if report.merged == 0 => {
            has(&format!("{}{}", if said.subdomains { "." } else { "" }, said.value))
        }
        (Format::Rpz | Format::Hosts | Format::ZeekIntel, Kind::Domain) => has(&said.value),
        (Format::Csv | Format::Jsonl | Format::ZeekIntel | Format::SuricataDatasets, Kind::Ipv4) => has(&said.value),
        (Format::Csv | Format::Jsonl | Format::ZeekIntel | Format::SuricataDatasets, Kind::Sha256) => {
            has(&said.value.to_ascii_lowercase())
        }
        (Format::Jsonl | Format::SuricataDatasets, Kind::UserAgent | Kind::FileName) => {
            said.value.is_empty() || has(&said.value)
        }
        (Format::Jsonl, Kind::Subject | Kind::RegistryKey | Kind::Account) => said.value.is_empty() || has(&said.value),
        (Format::ZeekIntel, Kind::UserAgent | Kind::FileName | Kind::Account) => {
            said.value.is_empty() || has(&said.value)
        }
        _ => true,
    }
}
