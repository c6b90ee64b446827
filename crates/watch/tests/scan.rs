//! Lines as sensors write them, field by field, and lines that nobody should write.

use std::fmt::Write as _;
use std::sync::Arc;

use observable::{Claim, Kind};
use watch::scan::{Fault, Format, Report, Scan};
use watch::{Builder, Set, Watcher};

/// Indicators of all kinds that telemetry can show; the number is their place.
const CLAIMS: &[(Kind, &str)] = &[
    (Kind::Domain, "evil.example"),
    (Kind::Domain, "cdn.evil.test"),
    (Kind::Ipv4, "203.0.113.7"),
    (Kind::Ipv6, "2001:db8::7"),
    (Kind::Cidr, "198.51.100.0/24"),
    (Kind::Url, "http://evil.example/a?b=1"),
    (Kind::Url, "http://evil.example:8080/a"),
    (Kind::Url, "http://203.0.113.9/x"),
    (Kind::Md5, "0123456789abcdef0123456789abcdef"),
    (Kind::Sha1, "0123456789abcdef0123456789abcdef01234567"),
    (Kind::Sha256, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    (Kind::Email, "mallory@evil.example"),
    (Kind::FileName, "invoice.exe"),
    (Kind::Ja3, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    (Kind::Ja3s, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
    (Kind::Ja4, "t13d1516h2_8daaf6152771_02713d6af862"),
    (Kind::UserAgent, "EvilBot/1.0"),
    (Kind::Certificate, "4aa30123456789abcdef0123456789abcdef0123"),
    (Kind::CertificateSerial, "0a1b2c"),
    (Kind::Account, "mallory"),
    (Kind::Mac, "02:00:00:00:00:07"),
    (Kind::Subject, "You have won"),
];

fn set() -> Arc<Set> {
    let mut builder = Builder::new([3; 32]);
    for (place, (kind, value)) in CLAIMS.iter().enumerate() {
        assert_eq!(builder.add(&Claim::new(*kind, *value), place as u64), Ok(()), "{value}");
    }
    assert_eq!(builder.add(&Claim::with_subdomains("wide.example"), 100), Ok(()));
    Arc::new(builder.build())
}

/// The hits in a log: line, field, kind and value, in the order in which they are told.
fn hits(format: Format, log: &[u8]) -> (Vec<String>, Report) {
    let (mut watcher, mut scan, mut told) = (Watcher::new(set()), Scan::new(format), Vec::new());
    let mut sink = |hit: &watch::Hit<'_>| told.push(format!("{} {} {} {}", hit.line, hit.field, hit.kind, hit.value));
    watcher.block(&mut scan, log, &mut sink);
    watcher.finish(&mut scan, &mut sink);
    (told, scan.report().clone())
}

fn check(format: Format, line: &str, expected: &[&str]) {
    let (told, report) = hits(format, line.as_bytes());
    let expected: Vec<String> = expected.iter().map(|hit| format!("1 {hit}")).collect();
    assert_eq!(told, expected, "{line}");
    assert_eq!(report.broken, 0, "{line}: {:?}", report.faults);
}

#[test]
fn fields_of_zeek() {
    for (line, expected) in [
        (
            r#"{"ts":1.5,"uid":"C1","id.orig_h":"203.0.113.7","id.orig_p":1,"id.resp_h":"2001:DB8:0::7","id.resp_p":53,"query":"EVIL.example.","answers":["cdn.evil.test","198.51.100.9","TXT 5 evil.example","203.0.113.7"]}"#,
            &[
                "id.orig_h ipv4 203.0.113.7",
                "id.resp_h ipv6 2001:DB8:0::7",
                "query domain EVIL.example.",
                "answers domain cdn.evil.test",
                "answers cidr 198.51.100.9",
                "answers ipv4 203.0.113.7",
            ][..],
        ),
        (r#"{"id":{"orig_h":"203.0.113.7"}}"#, &["id.orig_h ipv4 203.0.113.7"]),
        (r#"{"query":"a.evil.example"}"#, &[]),
        (r#"{"query":"a.b.wide.example"}"#, &["query domain a.b.wide.example"]),
        (r#"{"query":"notwide.example"}"#, &[]),
        (r#"{"query":"evil.example.org"}"#, &[]),
        (
            r#"{"host":"evil.example","uri":"/a?b=1","id.resp_p":80}"#,
            &["host domain evil.example", "uri url evil.example/a?b=1"],
        ),
        (
            r#"{"uri":"/a","id.resp_p":8080,"host":"evil.example"}"#,
            &["host domain evil.example", "uri url evil.example:8080/a"],
        ),
        (
            r#"{"uri":"/a","id.resp_p":80,"host":"evil.example:8080"}"#,
            &["host domain evil.example:8080", "uri url evil.example:8080/a"],
        ),
        (r#"{"uri":"/a","id.resp_p":80,"host":"evil.example"}"#, &["host domain evil.example"]),
        (r#"{"uri":"http://EVIL.example/a?b=1","host":"proxy.example"}"#, &["uri url http://EVIL.example/a?b=1"]),
        (r#"{"id.resp_h":"203.0.113.9","id.resp_p":80,"uri":"/x"}"#, &["uri url 203.0.113.9/x"]),
        (r#"{"host":"203.0.113.7:81"}"#, &["host ipv4 203.0.113.7:81"]),
        (r#"{"host":"[2001:db8::7]:81"}"#, &["host ipv6 [2001:db8::7]:81"]),
        (
            r#"{"referrer":"http://evil.example/a?b=1","user_agent":"EvilBot/1.0"}"#,
            &["referrer url http://evil.example/a?b=1", "user_agent user-agent EvilBot/1.0"],
        ),
        (r#"{"proxied":["X-FORWARDED-FOR -> 10.0.0.1, 203.0.113.7"]}"#, &["proxied ipv4 203.0.113.7"]),
        (
            r#"{"resp_filenames":["invoice.exe"],"username":"mallory"}"#,
            &["resp_filenames filename invoice.exe", "username account mallory"],
        ),
        (
            r#"{"server_name":"evil.example","ja3":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","ja3s":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","ja4":"t13d1516h2_8daaf6152771_02713d6af862"}"#,
            &[
                "server_name domain evil.example",
                "ja3 ja3 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "ja3s ja3s bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                "ja4 ja4 t13d1516h2_8daaf6152771_02713d6af862",
            ],
        ),
        (
            r#"{"cert_chain_fps":["4aa30123456789abcdef0123456789abcdef0123"]}"#,
            &["cert_chain_fps certificate 4aa30123456789abcdef0123456789abcdef0123"],
        ),
        (
            r#"{"md5":"0123456789abcdef0123456789abcdef","sha1":"0123456789ABCDEF0123456789abcdef01234567","sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}"#,
            &[
                "md5 md5 0123456789abcdef0123456789abcdef",
                "sha1 sha1 0123456789ABCDEF0123456789abcdef01234567",
                "sha256 sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ],
        ),
        // A certificate's digest is no file's, nor the other way round.
        (
            r#"{"sha1":"4aa30123456789abcdef0123456789abcdef0123","fingerprint":"0123456789abcdef0123456789abcdef01234567"}"#,
            &[],
        ),
        (
            r#"{"fingerprint":"4aa30123456789abcdef0123456789abcdef0123","certificate.serial":"0A1B2C","certificate.subject":"CN=evil.example,O=Evil\\, Inc","san.dns":["cdn.evil.test"],"san.email":["mallory@evil.example"],"san.ip":["203.0.113.7"],"san.uri":["http://evil.example/a?b=1"]}"#,
            &[
                "fingerprint certificate 4aa30123456789abcdef0123456789abcdef0123",
                "certificate.serial certificate-serial 0A1B2C",
                "certificate.subject domain evil.example",
                "san.dns domain cdn.evil.test",
                "san.email email mallory@evil.example",
                "san.ip ipv4 203.0.113.7",
                "san.uri url http://evil.example/a?b=1",
            ],
        ),
        (
            r#"{"helo":"evil.example","mailfrom":"<mallory@evil.example>","rcptto":["a@b.example"],"from":"\"Mal, Lory\" <Mallory@EVIL.example>","to":["a@b.example, mallory@evil.example"],"subject":"You have won","x_originating_ip":"203.0.113.7","path":["203.0.113.7"]}"#,
            &[
                "helo domain evil.example",
                "mailfrom email <mallory@evil.example>",
                "from email \"Mal, Lory\" <Mallory@EVIL.example>",
                "to email mallory@evil.example",
                "subject subject You have won",
                "x_originating_ip ipv4 203.0.113.7",
                "path ipv4 203.0.113.7",
            ],
        ),
        (r#"{"cipher":"x","subject":"CN=evil.example"}"#, &["subject domain evil.example"]),
        (r#"{"_path":"ssl","subject":"O=x, CN=evil.example"}"#, &["subject domain evil.example"]),
        (r#"{"_path":"smb_files","name":"share\\x\\invoice.exe"}"#, &["name filename share\\x\\invoice.exe"]),
        (r#"{"times.modified":1.0,"name":"invoice.exe"}"#, &["name filename invoice.exe"]),
        (r#"{"_path":"weird","name":"invoice.exe"}"#, &[]),
        (
            r#"{"user":"mallory","command":"RETR","reply_code":226,"arg":"ftp://203.0.113.9/./invoice.exe"}"#,
            &["user account mallory"],
        ),
        (r#"{"reply_code":226,"arg":"/pub/invoice.exe"}"#, &["arg filename /pub/invoice.exe"]),
        (r#"{"cmd":"query","arg":"/pub/invoice.exe"}"#, &[]),
        (r#"{"client":"mallory","request_type":"AS"}"#, &["client account mallory"]),
        (r#"{"client":"mallory"}"#, &[]),
        (
            r#"{"mac":"02:00:00:00:00:07","assigned_addr":"203.0.113.7","host_name":"x"}"#,
            &["mac mac 02:00:00:00:00:07", "assigned_addr ipv4 203.0.113.7"],
        ),
        (r#"{"note":"x","msg":"evil.example 203.0.113.7","src":"203.0.113.7"}"#, &["src ipv4 203.0.113.7"]),
        (
            r#"{"seen.indicator":"evil.example","seen.indicator_type":"Intel::DOMAIN"}"#,
            &["seen.indicator domain evil.example"],
        ),
        (r#"{"seen.indicator":"evil.example"}"#, &[]),
        (r#"{"cookie":"mallory"}"#, &["cookie account mallory"]),
    ] {
        check(Format::ZeekJson, line, expected);
    }
}

#[test]
fn fields_of_eve() {
    let answers = r#"{"rrname":"evil.example","rrtype":"CNAME","rdata":"cdn.evil.test"},{"rrname":"cdn.evil.test","rdata":"203.0.113.7"}"#;
    let version_3 =
        format!(r#"{{"event_type":"dns","dns":{{"queries":[{{"rrname":"evil.example"}}],"answers":[{answers}]}}}}"#);
    let version_2 = format!(
        r#"{{"event_type":"dns","dns":{{"type":"answer","rrname":"evil.example","answers":[{answers}],"grouped":{{"A":["203.0.113.7"],"TXT":["evil.example"]}}}}}}"#
    );
    check(
        Format::Eve,
        &version_3,
        &[
            "dns.queries.rrname domain evil.example",
            "dns.answers.rrname domain evil.example",
            "dns.answers.rdata domain cdn.evil.test",
            "dns.answers.rrname domain cdn.evil.test",
            "dns.answers.rdata ipv4 203.0.113.7",
        ],
    );
    check(
        Format::Eve,
        &version_2,
        &[
            "dns.rrname domain evil.example",
            "dns.answers.rrname domain evil.example",
            "dns.answers.rdata domain cdn.evil.test",
            "dns.answers.rrname domain cdn.evil.test",
            "dns.answers.rdata ipv4 203.0.113.7",
            "dns.grouped.A ipv4 203.0.113.7",
        ],
    );
    for (line, expected) in [
        (
            r#"{"src_ip":"203.0.113.7","dest_ip":"2001:0db8:0000:0000:0000:0000:0000:0007"}"#,
            &["src_ip ipv4 203.0.113.7", "dest_ip ipv6 2001:0db8:0000:0000:0000:0000:0000:0007"][..],
        ),
        (
            r#"{"http":{"hostname":"evil.example","url":"\/a?b=1","http_refer":"http:\/\/evil.example:8080\/a","http_user_agent":"EvilBot\/1.0"}}"#,
            &[
                "http.hostname domain evil.example",
                "http.http_refer url http://evil.example:8080/a",
                "http.http_user_agent user-agent EvilBot/1.0",
                "http.url url http://evil.example/a?b=1",
            ],
        ),
        (
            r#"{"http":{"hostname":"evil.example","http_port":8080,"url":"/a"}}"#,
            &["http.hostname domain evil.example", "http.url url http://evil.example:8080/a"],
        ),
        (
            r#"{"http":{"hostname":"proxy.example","url":"http://evil.example/a?b=1"}}"#,
            &["http.url url http://evil.example/a?b=1"],
        ),
        (
            r#"{"tls":{"sni":"evil.example","subject":"C=US, CN=cdn.evil.test","serial":"0A:1B:2C","fingerprint":"4a:a3:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23","subjectaltname":["evil.example"],"ja3":{"hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","string":"1"}}}"#,
            &[
                "tls.sni domain evil.example",
                "tls.subject domain cdn.evil.test",
                "tls.serial certificate-serial 0A:1B:2C",
                "tls.fingerprint certificate 4a:a3:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23",
                "tls.subjectaltname domain evil.example",
                "tls.ja3.hash ja3 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ],
        ),
        (
            r#"{"fileinfo":{"filename":"/dl/invoice.exe","sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}"#,
            &[
                "fileinfo.filename filename /dl/invoice.exe",
                "fileinfo.sha256 sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ],
        ),
        (
            r#"{"files":[{"filename":"x"},{"md5":"0123456789abcdef0123456789abcdef"}]}"#,
            &["files.md5 md5 0123456789abcdef0123456789abcdef"],
        ),
        (
            r#"{"smtp":{"helo":"evil.example","mail_from":"<mallory@evil.example>"},"email":{"to":["a@b.example","Mal <mallory@evil.example>"],"subject":"You have won","url":["http://evil.example/a?b=1"],"attachment":["invoice.exe"]}}"#,
            &[
                "smtp.helo domain evil.example",
                "smtp.mail_from email <mallory@evil.example>",
                "email.to email Mal <mallory@evil.example>",
                "email.subject subject You have won",
                "email.url url http://evil.example/a?b=1",
                "email.attachment filename invoice.exe",
            ],
        ),
        (
            r#"{"event_type":"alert","alert":{"source":{"ip":"203.0.113.7"},"signature":"evil.example"},"flow":{"dest_ip":"198.51.100.1"}}"#,
            &["alert.source.ip ipv4 203.0.113.7", "flow.dest_ip cidr 198.51.100.1"],
        ),
        (
            r#"{"dhcp":{"client_mac":"02:00:00:00:00:07","dns_servers":["203.0.113.7"]},"krb5":{"cname":"mallory"},"smb":{"filename":"a\\invoice.exe"},"quic":{"sni":"evil.example","ua":"EvilBot/1.0"}}"#,
            &[
                "dhcp.client_mac mac 02:00:00:00:00:07",
                "dhcp.dns_servers ipv4 203.0.113.7",
                "krb5.cname account mallory",
                "smb.filename filename a\\invoice.exe",
                "quic.sni domain evil.example",
                "quic.ua user-agent EvilBot/1.0",
            ],
        ),
        (
            r#"{"rrname":"evil.example","other":{"dns":{"rrname":"evil.example"}},"stats":[[{"src_ip":"203.0.113.7"}]]}"#,
            &[],
        ),
    ] {
        check(Format::Eve, line, expected);
    }
}

#[test]
fn nothing_evades_by_how_it_is_written() {
    for line in [
        r#"{"que\u0072y":"evil.example"}"#,
        r#"{"query":"evi\u006c.example"}"#,
        r#" { "query" : "evil.example" } "#,
        "{\t\"a\" : [ 1 , {\"b\":null} ] ,\t\"query\"\t:\t\"evil.example\"\t}\r",
        r#"{"query":"a","query":"evil.example"}"#,
        r#"{"query":"evil.example","query":"a"}"#,
        r#"{"query":["a","evil.example"]}"#,
        r#"{"x":"\"query\":","query":"evil.example"}"#,
        r#"{"x":"{[\\","y":{"query":"b","z":[]},"query":"evil.example"}"#,
    ] {
        let (told, report) = hits(Format::ZeekJson, line.as_bytes());
        assert_eq!((told.len(), report.broken), (1, 0), "{line}");
    }
    let twice = r#"{"host":"a.example","host":"evil.example","uri":"/x","uri":"/a?b=1"}"#;
    check(Format::ZeekJson, twice, &["host domain evil.example", "uri url evil.example/a?b=1"]);
    let (told, _) =
        hits(Format::ZeekJson, br#"{"query":"evil.example","query":"EVIL.example","answers":["evil.example"]}"#);
    assert_eq!(told, ["1 query domain evil.example", "1 answers domain evil.example"], "one hit a field");
}

#[test]
fn broken_lines_are_counted_and_say_nothing_of_their_neighbours() {
    let good = r#"{"query":"evil.example"}"#;
    let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for (line, fault) in [
        (r#"{"query":"evil.exam"#.to_owned(), Fault::Cut),
        (r#"{"query":"evil.example""#.into(), Fault::Cut),
        (r#"{"query":"#.into(), Fault::Cut),
        (r#"{"query""#.into(), Fault::Cut),
        (r#"{"que"#.into(), Fault::Cut),
        ("{".into(), Fault::Cut),
        (r#"{"a":[{"b":"c"},"#.into(), Fault::Cut),
        (r#"{"a":{"x":["#.into(), Fault::Cut),
        ("evil.example".into(), Fault::NotObject),
        ("[1]".into(), Fault::NotObject),
        (r#""evil.example""#.into(), Fault::NotObject),
        (r#"x{"query":"evil.example"}"#.into(), Fault::NotObject),
        (r#"{"query":"evil.example"}}"#.into(), Fault::Syntax(24)),
        (r#"{"query":"evil.example"}{"query":"evil.example"}"#.into(), Fault::Syntax(24)),
        (r#"{"query":"evil.example"]"#.into(), Fault::Syntax(23)),
        (r#"{"query" "evil.example"}"#.into(), Fault::Syntax(9)),
        (r#"{"query":"a" "query":"evil.example"}"#.into(), Fault::Syntax(13)),
        (r#"{"a":1 "query":"evil.example"}"#.into(), Fault::Syntax(7)),
        (r#"{"query":"\q"}"#.into(), Fault::Syntax(10)),
        ("{\"query\":\"\0evil.example\"}".into(), Fault::Syntax(10)),
        ("{\"query\":\"evil.example\"}\0".into(), Fault::Syntax(24)),
        ("\0".into(), Fault::NotObject),
        (deep(32), Fault::Depth),
        (format!(r#"{{"x":"{}","query":"evil.example"}}"#, "y".repeat(1 << 20)), Fault::Length),
    ] {
        for ending in ["\n", "\r\n"] {
            let log = format!("{good}{ending}{line}{ending}{ending}{good}{ending}");
            let (told, report) = hits(Format::ZeekJson, log.as_bytes());
            let shown = line.get(..80).unwrap_or(&line);
            assert_eq!(told, ["1 query domain evil.example", "4 query domain evil.example"], "{shown}");
            assert_eq!((report.lines, report.broken, &report.faults[..]), (4, 1, &[(2, fault)][..]), "{shown}");
        }
    }
    check(Format::ZeekJson, &deep(31), &[]);
    let (told, report) =
        hits(Format::ZeekJson, b"{\"query\":\"evil.example\"}\n{\"query\":\"evil.example\",\"x\":\"\xFF\"}\n");
    assert_eq!((told.len(), report.faults), (1, vec![(2, Fault::Encoding)]));
}

/// A header as Zeek writes it, with the given fields and types.
fn header(path: &str, fields: &str, types: &str) -> String {
    let mut text =
        format!("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}\n");
    let _ = writeln!(text, "#open\t2020-06-05-14-39-59\n#fields\t{fields}\n#types\t{types}");
    text
}

#[test]
fn columns_are_read_by_name() {
    let mut log = header("dns", "query\tts\tid.orig_h\tanswers", "string\ttime\taddr\tvector[string]");
    log.push_str("evil.example\t1.5\t203.0.113.7\tcdn.evil.test,198.51.100.9,TXT a\\x2cevil.example\n");
    log.push_str("-\t1.5\t10.0.0.1\t(empty)\n");
    log.push_str("evil\\x2eexample\t1.5\t-\t-\r\n");
    log.push_str("evil.example\t1.5\n");
    // The columns change in the middle, and the separator with them.
    log.push_str("#close\t2020-06-05-15-39-59\n#separator |\n#fields|ts|query\n2.5|evil.example\n1|2|3\n");
    log.push_str(&header("http", "ts\thost\turi\tid.resp_p\tproxied", "time\tstring\tstring\tport\tset[string]"));
    log.push_str("3.5\tevil.example\t/a?b=1\t80\tX-FORWARDED-FOR -> 203.0.113.7\n");
    log.push_str(&header("ssl", "subject\tts", "string\ttime"));
    log.push_str("CN=evil.example\t4.5");
    let (told, report) = hits(Format::ZeekTsv, log.as_bytes());
    assert_eq!(
        told,
        [
            "9 query domain evil.example",
            "9 id.orig_h ipv4 203.0.113.7",
            "9 answers domain cdn.evil.test",
            "9 answers cidr 198.51.100.9",
            "11 query domain evil.example",
            "16 query domain evil.example",
            "26 host domain evil.example",
            "26 uri url evil.example/a?b=1",
            "26 proxied ipv4 203.0.113.7",
            "35 subject domain evil.example",
        ]
    );
    assert_eq!(
        report.faults,
        [(12, Fault::Columns { found: 2, named: 4 }), (17, Fault::Columns { found: 3, named: 2 })]
    );
}

#[test]
fn columns_without_a_header_are_told() {
    let (told, report) = hits(Format::ZeekTsv, b"ts\tuid\tquery\tanswers\n1.5\tC1\tevil.example\ta,cdn.evil.test\n");
    assert_eq!((told.len(), report.broken), (2, 0), "one line of names is a header");
    let (told, report) =
        hits(Format::ZeekTsv, b"1.5\tC1\tevil.example\n#fields\t\t\nx\n#separator \\x0a\n#separator ab\n");
    let faults =
        [(1, Fault::Header), (2, Fault::BadHeader), (3, Fault::Header), (4, Fault::BadHeader), (5, Fault::BadHeader)];
    assert_eq!((told.len(), &report.faults[..]), (0, &faults[..]));
}

#[test]
fn formats_are_recognised() {
    for (begin, format) in [
        ("#separator \\x09\n#set", Some(Format::ZeekTsv)),
        ("ts\tuid\tid.orig_h\n", Some(Format::ZeekTsv)),
        (r#"{"ts":1,"uid":"C""#, Some(Format::ZeekJson)),
        (r#"{"_path":"dns""#, Some(Format::ZeekJson)),
        (r#"{"timestamp":"x","flow_id":1,"event_type":"dns""#, Some(Format::Eve)),
        (r#"{"a":1}"#, None),
        ("evil.example\n", None),
        ("", None),
    ] {
        assert_eq!(Format::recognise(begin.as_bytes()), format, "{begin}");
    }
}

#[test]
fn a_log_may_be_cut_anywhere() {
    let log = "{\"query\":\"evil.example\"}\n{\"answers\":[\"203.0.113.7\"]}\r\n\n{\"query\":\"a\"}\n{\"query\":\"evil.example\"}";
    let whole = hits(Format::ZeekJson, log.as_bytes()).0;
    assert_eq!(whole.len(), 3);
    for size in 1..log.len() {
        let (mut watcher, mut scan, mut told) = (Watcher::new(set()), Scan::new(Format::ZeekJson), Vec::new());
        let mut sink =
            |hit: &watch::Hit<'_>| told.push(format!("{} {} {} {}", hit.line, hit.field, hit.kind, hit.value));
        for piece in log.as_bytes().chunks(size) {
            watcher.block(&mut scan, piece, &mut sink);
        }
        watcher.finish(&mut scan, &mut sink);
        assert_eq!(told, whole, "pieces of {size}");
    }
}

#[test]
fn a_line_without_end_takes_no_memory_and_no_neighbour() {
    let (mut watcher, mut scan, mut told) = (Watcher::new(set()), Scan::new(Format::Eve), 0);
    let mut sink = |_: &watch::Hit<'_>| told += 1;
    watcher.block(&mut scan, b"{\"src_ip\":\"203.0.113.7\"}\n{\"x\":\"", &mut sink);
    let piece = vec![b'y'; 1 << 16];
    for _ in 0..1600 {
        watcher.block(&mut scan, &piece, &mut sink);
    }
    watcher.block(&mut scan, b"\"}\n{\"src_ip\":\"203.0.113.7\"}\n", &mut sink);
    watcher.finish(&mut scan, &mut sink);
    assert_eq!((told, scan.report().lines, &scan.report().faults[..]), (2, 3, &[(2, Fault::Length)][..]));
}

#[test]
fn a_hit_says_where_and_when() {
    let log = "{\"ts\":1591367999.305988,\"query\":\"evil.example\"}\r\n";
    let (mut watcher, mut scan, mut told) = (Watcher::new(set()), Scan::new(Format::ZeekJson), Vec::new());
    watcher.block(&mut scan, log.as_bytes(), &mut |hit| {
        told.push((hit.name, hit.time.and_then(watch::time::utc), hit.raw.to_vec()));
    });
    assert_eq!(told, [(0, Some("2020-06-05T14:39:59.305988Z".to_owned()), log.trim_end().as_bytes().to_vec())]);
}
