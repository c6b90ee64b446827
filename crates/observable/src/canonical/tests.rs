//! Tables by rule, and every fast path beside a slow oracle.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn text(kind: Kind, raw: &str) -> Option<String> {
    let mut scratch = b"what was here before".to_vec();
    of(kind, raw.as_bytes(), &mut scratch).map(|form| String::from_utf8(form.to_vec()).unwrap())
}

fn binary(kind: Kind, raw: &str) -> Option<String> {
    let mut scratch = Vec::new();
    of(kind, raw.as_bytes(), &mut scratch).map(|form| form.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[track_caller]
fn table(kind: Kind, form: fn(Kind, &str) -> Option<String>, rows: &[(&str, Option<&str>)]) {
    for (raw, expected) in rows {
        assert_eq!(form(kind, raw).as_deref(), *expected, "{kind} `{raw}`");
    }
}

#[test]
fn domains() {
    let long = "a".repeat(63);
    let longest = format!("{long}.{long}.{long}.{}", "a".repeat(61));
    table(
        Kind::Domain,
        text,
        &[
            ("evil.example", Some("evil.example")),
            ("EVIL.Example.", Some("evil.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("BÜCHER.example", Some("xn--bcher-kva.example")),
            ("XN--BCHER-KVA.example", Some("xn--bcher-kva.example")),
            ("straße.example", Some("xn--strae-oqa.example")),
            ("bücher。example。", Some("xn--bcher-kva.example")),
            ("مثال.إختبار", Some("xn--mgbh0fb.xn--kgbechtv")),
            ("xn--0.example", Some("xn--0.example")),
            ("_dmarc.evil.example", Some("_dmarc.evil.example")),
            ("localhost", Some("localhost")),
            (&longest, Some(&longest)),
            (&format!("{longest}a"), None),
            (&format!("{long}a.example"), None),
            ("", None),
            (".", None),
            (".evil.example", None),
            ("evil..example", None),
            ("evil.example..", None),
            ("evil example", None),
            ("evil.example/", None),
            ("*.evil.example", None),
            ("192.0.2.1", None),
            ("evil.0x7f", None),
            ("evil.0", None),
            ("１.２.３.４", None),
            ("a@b.example", None),
            ("evil.example:80", None),
            ("evil\0.example", None),
        ],
    );
    assert_eq!(domain(b"caf\xe9.example", &mut Vec::new()), None, "not UTF-8");
    assert_eq!(domain(&b"\xc3\xbc.".repeat(1_000_000), &mut Vec::new()), None, "no work for what cannot be a name");
}

#[test]
fn addresses() {
    table(
        Kind::Ipv4,
        binary,
        &[
            ("192.0.2.1", Some("c0000201")),
            ("0.0.0.0", Some("00000000")),
            ("::ffff:192.0.2.1", Some("c0000201")),
            ("::FFFF:c000:201", Some("c0000201")),
            ("192.0.2.01", None),
            ("192.0.2.256", None),
            ("192.0.2", None),
            ("192.0.2.1.", None),
            ("192.0.2.1/32", None),
            ("2001:db8::1", None),
        ],
    );
    table(
        Kind::Ipv6,
        binary,
        &[
            ("2001:db8::1", Some("20010db8000000000000000000000001")),
            ("2001:DB8:0:0::0001", Some("20010db8000000000000000000000001")),
            ("fe80::1%eth0", Some("fe800000000000000000000000000001")),
            ("[2001:db8::1]", Some("20010db8000000000000000000000001")),
            ("::", Some("00000000000000000000000000000000")),
            ("2001:db8::1::", None),
            ("192.0.2.1", None),
            ("12:30:45", None),
            ("", None),
        ],
    );
    table(
        Kind::Cidr,
        binary,
        &[
            ("192.0.2.77/24", Some("c000020018")),
            ("192.0.2.77", Some("c000024d20")),
            ("0.0.0.0/0", Some("0000000000")),
            ("::ffff:192.0.2.77/120", Some("c000020018")),
            ("::ffff:0:0/90", Some("00000000000000000000ffc0000000005a")),
            ("2001:db8:ffff::/33", Some("20010db880000000000000000000000021")),
            ("192.0.2.0/33", None),
            ("192.0.2.0/", None),
            ("192.0.2.0/255.255.255.0", None),
            ("2001:db8::/129", None),
            ("192.0.2.0/+8", None),
        ],
    );
}

#[test]
fn urls() {
    table(
        Kind::Url,
        text,
        &[
            ("http://evil.example/a?b=c", Some("http://evil.example/a?b=c")),
            ("HTTP://EVIL.example:80", Some("http://evil.example/")),
            ("https://evil.example:443/#top", Some("https://evil.example/")),
            ("https://evil.example:0443/", Some("https://evil.example/")),
            ("https://evil.example:/", Some("https://evil.example/")),
            ("http://evil.example:443/", Some("http://evil.example:443/")),
            ("ftp://evil.example:21/x", Some("ftp://evil.example/x")),
            ("http://evil.example?q", Some("http://evil.example/?q")),
            ("http://evil.example/?", Some("http://evil.example/?")),
            ("http://evil.example/a/./b/../c", Some("http://evil.example/a/c")),
            ("http://evil.example/../..", Some("http://evil.example/")),
            ("http://evil.example/a/..", Some("http://evil.example/")),
            ("http://evil.example/a//b", Some("http://evil.example/a//b")),
            ("http://evil.example/a/%2e%2E/b", Some("http://evil.example/b")),
            ("http://evil.example/.well-known/..x", Some("http://evil.example/.well-known/..x")),
            ("http://evil.example/?a=/../b", Some("http://evil.example/?a=/../b")),
            ("http://evil.example/%7euser%2fx%41", Some("http://evil.example/~user%2FxA")),
            ("http://evil.example/%%341", Some("http://evil.example/%2541")),
            ("http://evil.example/100%", Some("http://evil.example/100%25")),
            ("http://evil.example/a b<>", Some("http://evil.example/a%20b%3C%3E")),
            ("http://bücher.example/ü", Some("http://xn--bcher-kva.example/%C3%BC")),
            ("http://ev%69l.example/", Some("http://evil.example/")),
            ("http://[2001:DB8::1]:8080/", Some("http://[2001:db8::1]:8080/")),
            ("http://[::ffff:192.0.2.1]/", Some("http://192.0.2.1/")),
            ("http://192.0.2.1:8080/x", Some("http://192.0.2.1:8080/x")),
            ("http://3221225985/", Some("http://192.0.2.1/")),
            ("http://0xc0.0.0x201/", Some("http://192.0.2.1/")),
            ("http://0300.0.2.1/", Some("http://192.0.2.1/")),
            ("http://good.example@evil.example/", Some("http://good.example@evil.example/")),
            ("http://a@b@evil.example/", Some("http://a%40b@evil.example/")),
            ("  http://evil.example/ ", Some("http://evil.example/")),
            ("evil.example/a?b", Some("evil.example/a?b")),
            ("Evil.example:80/a", Some("evil.example/a")),
            ("evil.example:443", Some("evil.example/")),
            ("//evil.example/x", Some("evil.example/x")),
            ("evil.example/x?u=http://good.example/", Some("evil.example/x?u=http://good.example/")),
            ("file:///c:/x", Some("file:///c:/x")),
            ("", None),
            ("/only/a/path", None),
            ("http://", None),
            ("http:///x", None),
            ("http://evil.example:65536/", None),
            ("http://evil.example:x/", None),
            ("http://[2001:db8::1/", None),
            ("http://256.0.0.1/", None),
            ("http://1.2.3.4.5/", None),
            ("http://evil example/", None),
            ("mailto:a@evil.example", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
        ],
    );
    assert_eq!(url(&vec![b'a'; MAX_URL + 1], &mut Vec::new()), None);
    let grows = [b"http://a.example/".to_vec(), vec![b' '; MAX_URL / 2], b"x".to_vec()].concat();
    assert_eq!(url(&grows, &mut Vec::new()), None, "its canonical form would be too long");
}

#[test]
fn parts_of_urls() {
    let whole = parts(b"http://u@[2001:db8::1]:8080/a?b?c");
    assert_eq!(whole.scheme, Some(&b"http"[..]));
    assert_eq!(whole.authority, b"u@[2001:db8::1]:8080");
    assert_eq!(whole.host(), b"[2001:db8::1]");
    assert_eq!(whole.rest, b"u@[2001:db8::1]:8080/a?b?c");
    assert_eq!(whole.without_query, b"u@[2001:db8::1]:8080/a");
    let bare = parts(b"evil.example/a");
    assert_eq!((bare.scheme, bare.host(), bare.without_query), (None, &b"evil.example"[..], bare.rest));
}

#[test]
fn digests_and_numbers() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    table(
        Kind::Md5,
        binary,
        &[
            (md5, Some(md5)),
            ("D41D8CD98F00B204E9800998ECF8427E", Some(md5)),
            ("d4:1d:8c:d9:8f:00:b2:04:e9:80:09:98:ec:f8:42:7e", Some(md5)),
            ("d41d8cd9 8f00b204 e9800998 ecf8427e", Some(md5)),
            ("d41d8cd98f00b204e9800998ecf8427", None),
            ("d41d8cd98f00b204e9800998ecf8427g", None),
            ("d41d8cd98f00b204e9800998ecf8427e00", None),
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", None),
            ("", None),
        ],
    );
    assert!(binary(Kind::Sha1, &"ab".repeat(20)).is_some());
    assert!(binary(Kind::Sha256, &"ab".repeat(32)).is_some());
    assert!(binary(Kind::Sha512, &"ab".repeat(64)).is_some());
    assert!(binary(Kind::Certificate, &"ab".repeat(20)).is_some());
    assert!(binary(Kind::Certificate, &"ab".repeat(64)).is_none());
    assert!(binary(Kind::Sha512, &"a".repeat(10_000_000)).is_none());
    table(
        Kind::CertificateSerial,
        binary,
        &[
            ("00:0A:bc", Some("0abc")),
            ("0ABC", Some("0abc")),
            ("abc", Some("0abc")),
            ("0x0abc", Some("0abc")),
            ("00", Some("00")),
            ("0", Some("00")),
            ("", None),
            ("::", None),
            ("xyz", None),
            (&"f".repeat(129), None),
            (&"0".repeat(100_000), Some("00")),
        ],
    );
    table(
        Kind::Mac,
        binary,
        &[
            ("00:1A:2b:3c:4d:5e", Some("001a2b3c4d5e")),
            ("00-1a-2b-3c-4d-5e", Some("001a2b3c4d5e")),
            ("001a.2b3c.4d5e", Some("001a2b3c4d5e")),
            ("001a2b3c4d5e", Some("001a2b3c4d5e")),
            ("00:1a:2b:ff:fe:3c:4d:5e", Some("001a2bfffe3c4d5e")),
            ("00:1a:2b:3c:4d", None),
            ("00:1a:2b:3c:4d:", None),
            ("00:1a-2b:3c:4d:5e", None),
            ("0:1a:2b:3c:4d:5e0", None),
        ],
    );
    table(
        Kind::AutonomousSystem,
        binary,
        &[
            ("AS64496", Some("0000fbf0")),
            ("64496", Some("0000fbf0")),
            ("4294967295", Some("ffffffff")),
            ("4294967296", None),
            ("AS", None),
        ],
    );
}

#[test]
fn names_and_text() {
    table(
        Kind::Email,
        text,
        &[
            ("a@evil.example", Some("a@evil.example")),
            ("Eve <Eve.X@EVIL.example.>", Some("eve.x@evil.example")),
            ("\"Eve, <x>\" <eve@evil.example>", Some("eve@evil.example")),
            ("<eve@bücher.example>", Some("eve@xn--bcher-kva.example")),
            ("JÜRGEN@evil.example", Some("jürgen@evil.example")),
            ("\"a b\"@evil.example", Some("\"a b\"@evil.example")),
            ("a@[192.0.2.1]", Some("a@[192.0.2.1]")),
            ("a@[IPv6:2001:DB8::1]", Some("a@[ipv6:2001:db8::1]")),
            ("evil.example", None),
            ("@evil.example", None),
            ("a@", None),
            ("a b@evil.example", None),
            ("<a@evil.example", None),
            ("<>", None),
            ("a@192.0.2.1", None),
        ],
    );
    table(
        Kind::FileName,
        text,
        &[
            ("C:\\Windows\\Temp\\a.exe", Some("a.exe")),
            ("/tmp/a b.exe", Some("a b.exe")),
            ("A.EXE", Some("A.EXE")),
            ("/tmp/", None),
            ("", None),
        ],
    );
    table(
        Kind::RegistryKey,
        text,
        &[
            ("HKLM\\Software\\Run", Some("hkey_local_machine\\software\\run")),
            ("HKEY_LOCAL_MACHINE\\SOFTWARE\\Run\\", Some("hkey_local_machine\\software\\run")),
            ("HKLM:\\Software\\\\Run", Some("hkey_local_machine\\software\\run")),
            ("\\REGISTRY\\MACHINE\\Software\\Run", Some("hkey_local_machine\\software\\run")),
            ("Computer\\HKEY_CURRENT_USER\\Run", Some("hkey_current_user\\run")),
            ("HKU\\.DEFAULT", Some("hkey_users\\.default")),
            ("HKLMX\\a", Some("hklmx\\a")),
            ("a \\ \\", Some("a")),
            ("\\", None),
        ],
    );
    table(Kind::UserAgent, text, &[(" Evil/1.0 (x) ", Some("Evil/1.0 (x)")), ("  ", None)]);
    table(Kind::Mutex, text, &[("Global\\Evil", Some("Global\\Evil")), ("", None)]);
    table(
        Kind::Ja4,
        text,
        &[
            ("t13d1516h2_8daaf6152771_b186095e22b6", Some("t13d1516h2_8daaf6152771_b186095e22b6")),
            ("T13D1516H2_8DAAF6152771_B186095E22B6", Some("t13d1516h2_8daaf6152771_b186095e22b6")),
            ("t13d1516h2", None),
            ("t13d__x", None),
        ],
    );
    table(Kind::Ja3, binary, &[("E7D705A3286E19EA42F587B344EE6865", Some("e7d705a3286e19ea42f587b344ee6865"))]);
}

#[test]
fn what_is_canonical_is_given_back_as_it_is() {
    let mut scratch = Vec::new();
    for (kind, raw) in [
        (Kind::Domain, "www.evil.example"),
        (Kind::Url, "http://evil.example/a?b=%2F"),
        (Kind::Url, "evil.example/.well-known/x"),
        (Kind::Url, "http://192.0.2.1/"),
        (Kind::Email, "a@evil.example"),
    ] {
        let given = of(kind, raw.as_bytes(), &mut scratch).unwrap().as_ptr();
        assert!(std::ptr::eq(given, raw.as_ptr()), "{kind} `{raw}` was copied");
    }
}

/// Values of a kind, near enough to real ones that most are some.
fn likely() -> impl Strategy<Value = (Kind, String)> {
    let shapes = prop_oneof![
        "[a-zA-Z0-9ü._-]{0,12}(\\.[a-zA-Z0-9ßé-]{1,6}){0,3}[.。]?",
        "(https?|HTTP|ftp|file)?(://)?([a-z%@]{0,4})[a-zA-Z0-9.%:\\[\\]ü@-]{0,14}(:[0-9]{0,5})?(/[a-zA-Z0-9.%/~ü #?&=\\\\]{0,20})?",
        "[A-Za-zÜ<> \"]{0,6}[a-zA-Zü.\"+]{1,8}@[a-zA-Z0-9.ü\\[\\]:-]{1,14}>?",
        "[0-9a-fA-F: x]{0,70}",
        "[0-9a-f:.%/]{0,30}",
        "(HKLM|hkey_users|Computer|\\\\REGISTRY\\\\USER)?[:\\\\ a-zA-ZÜİ]{0,12}",
        "[A-Za-z0-9_ /\\\\]{0,20}",
        "\\PC{0,24}",
    ];
    (proptest::sample::select(Kind::ALL.to_vec()), shapes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_canonical_form_is_its_own((kind, raw) in likely()) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        if let Some(form) = of(kind, raw.as_bytes(), &mut first)
            && let Some(form) = as_text(kind, form)
        {
            let again = of(kind, &form, &mut second).and_then(|form| as_text(kind, form));
            prop_assert_eq!(again.as_deref(), Some(&*form), "{}", kind);
        }
    }

    #[test]
    fn dotted_addresses_are_read_as_the_library_reads_them(raw in "[0-9]{0,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{0,4}") {
        prop_assert_eq!(address(raw.as_bytes()), raw.parse::<Ipv4Addr>().ok().map(IpAddr::V4));
    }

    #[test]
    fn other_addresses_are_read_as_the_library_reads_them(raw in "[0-9a-fA-F]{0,4}(:[0-9a-f]{0,4}){1,8}") {
        let read = raw.parse::<Ipv6Addr>().ok();
        let expected = read.map(|v6| v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4));
        prop_assert_eq!(address(raw.as_bytes()), expected);
    }

    #[test]
    fn names_are_what_idna_makes_of_them(raw in "[a-zA-Z0-9üßÉ中。_.-]{1,40}") {
        // A-labels that decode to nothing are kept here and refused there.
        prop_assume!(!raw.to_lowercase().contains("xn--"));
        let expected = idna::domain_to_ascii_cow(raw.as_bytes(), idna::AsciiDenyList::EMPTY).ok().and_then(|name| {
            let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
            let sound = name.len() <= MAX_DOMAIN && name.split('.').all(|label| (1..=63).contains(&label.len()));
            let number = name.rsplit('.').next().is_some_and(|last| {
                last.bytes().all(|byte| byte.is_ascii_digit())
                    || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            });
            (sound && !number).then_some(name)
        });
        prop_assert_eq!(text(Kind::Domain, &raw), expected);
    }

    /// A byte of any value at any place of a name that is long enough for the fast path.
    #[test]
    fn every_byte_counts_wherever_it_stands(name in "[a-z0-9._-]{8,70}[a-z0-9.]", at: proptest::sample::Index, byte: u8) {
        let mut raw = name.into_bytes();
        let at = at.index(raw.len());
        raw[at] = byte;
        let text = String::from_utf8_lossy(&raw);
        let plain = text.split('.').all(|label| (1..=63).contains(&label.len()))
            && raw.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(byte));
        let last = text.rsplit('.').next().unwrap();
        let number = last.bytes().all(|byte| byte.is_ascii_digit())
            || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut scratch = Vec::new();
        let form = domain(&raw, &mut scratch);
        if plain {
            prop_assert_eq!(form, (!number).then_some(&raw[..]));
        } else if !byte.is_ascii_uppercase() && !raw.ends_with(b".") && byte < 128 {
            prop_assert_eq!(form, None);
        }
    }

    #[test]
    fn digests_are_read_as_pairs(raw in "([0-9a-fA-F]{2}:?){16,20}|[0-9a-g]{32}") {
        let digits: String = raw.chars().filter(|letter| *letter != ':').collect();
        let bytes: Option<Vec<u8>> = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok())
            .collect();
        let expected = bytes.filter(|bytes| matches!(bytes.len(), 16 | 20));
        prop_assert_eq!(hex(raw.as_bytes(), &mut Vec::new()).map(<[u8]>::to_vec), expected);
    }

    /// A byte of any value at any place of a digest that is read eight digits at once.
    #[test]
    fn every_digit_counts_wherever_it_stands(
        digest in "[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-f]{56}|[0-9A-F]{64}",
        at: proptest::sample::Index,
        byte: u8,
    ) {
        let mut raw = digest.into_bytes();
        let at = at.index(raw.len());
        for byte in [raw[at], byte] {
            raw[at] = byte;
            let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
            let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
            // With one digit less it is no digest.
            let expected: Option<Vec<u8>> = raw.chunks(2).map(pair).collect();
            prop_assert_eq!(hex(&raw, &mut Vec::new()).map(<[u8]>::to_vec), expected);
        }
    }

    /// The URL standard's reader, and then what RFC 3986 lets one do beyond it.
    #[test]
    fn urls_are_read_as_a_browser_reads_them(
        raw in "(http|HTTPS|ftp)://([a-z]{1,3}@)?[a-zA-Zü]{1,6}(\\.[a-zA-Z]{1,3}){1,2}(:[0-9]{1,4})?(/[a-zA-Zü. ~-]{0,4}){0,5}(\\?[a-z=/. ]{0,6})?(#[a-z]{0,3})?"
    ) {
        let mut expected = ::url::Url::parse(&raw).unwrap();
        expected.set_fragment(None);
        prop_assert_eq!(text(Kind::Url, &raw), Some(expected.to_string()), "{}", raw);
    }

    #[test]
    fn nothing_panics_and_nothing_is_made_up(kind in proptest::sample::select(Kind::ALL.to_vec()), raw: Vec<u8>) {
        let mut scratch = Vec::new();
        if let Some(form) = of(kind, &raw, &mut scratch) {
            prop_assert!(!form.is_empty());
        }
    }
}

/// Writes a form in binary as text again.
fn as_text(kind: Kind, form: &[u8]) -> Option<Vec<u8>> {
    let digits = || form.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Some(match kind {
        Kind::Ipv4 => Ipv4Addr::from(<[u8; 4]>::try_from(form).unwrap()).to_string().into_bytes(),
        Kind::Ipv6 => Ipv6Addr::from(<[u8; 16]>::try_from(form).unwrap()).to_string().into_bytes(),
        Kind::Cidr => {
            let (length, octets) = form.split_last().unwrap();
            let address = match <[u8; 4]>::try_from(octets) {
                Ok(octets) => IpAddr::from(octets),
                Err(_) => IpAddr::from(<[u8; 16]>::try_from(octets).unwrap()),
            };
            format!("{address}/{length}").into_bytes()
        }
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 | Kind::Ja3 | Kind::Ja3s => digits().into_bytes(),
        Kind::Certificate | Kind::CertificateSerial | Kind::Mac => digits().into_bytes(),
        Kind::AutonomousSystem => u32::from_be_bytes(form.try_into().unwrap()).to_string().into_bytes(),
        _ => form.to_vec(),
    })
}
