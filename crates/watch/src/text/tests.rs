//! What is found in text and what is not, side by side.

use super::Extractor;
use crate::Meaning;
use proptest::prelude::*;

fn found(text: &str) -> Vec<(Meaning, String)> {
    let mut all = Vec::new();
    Extractor::new().each(text.as_bytes(), &mut |meaning, value| {
        all.push((meaning, String::from_utf8(value.to_vec()).unwrap()));
    });
    all
}

fn check(cases: &[(&str, &[(Meaning, &str)])]) {
    for (text, wanted) in cases {
        let wanted: Vec<_> = wanted.iter().map(|(meaning, value)| (*meaning, (*value).to_owned())).collect();
        assert_eq!(found(text), wanted, "{text}");
    }
}

use Meaning::{Address, Digest, Host, Ja4, Mac, Mailbox, Url};

#[test]
fn addresses_stand_between_boundaries() {
    check(&[
        ("from 1.2.3.4 to 5.6.7.8", &[(Address, "1.2.3.4"), (Address, "5.6.7.8")]),
        ("1.2.3.4", &[(Address, "1.2.3.4")]),
        ("seen 1.2.3.4.", &[(Address, "1.2.3.4")]),
        ("(1.2.3.4)", &[(Address, "1.2.3.4")]),
        ("src=1.2.3.4;dst=5.6.7.8", &[(Address, "1.2.3.4"), (Address, "5.6.7.8")]),
        ("1.2.3.4:443", &[(Address, "1.2.3.4")]),
        ("1.2.3.4/index.html", &[(Address, "1.2.3.4")]),
        ("1.2.3.4-1.2.3.9", &[(Address, "1.2.3.4"), (Address, "1.2.3.9")]),
        ("1.2.3.45", &[(Address, "1.2.3.45")]),
        ("1.2.3.4.5", &[]),
        ("v1.2.3.4", &[]),
        ("1.2.3.4rc1", &[]),
        ("1.2.3", &[]),
        ("256.2.3.4", &[]),
        ("01.2.3.4", &[]),
        ("10.0.0.0/8", &[]),
        ("10.0.0.0/8, then", &[]),
        ("2001:db8::1", &[(Address, "2001:db8::1")]),
        ("at 2001:db8::1: refused", &[(Address, "2001:db8::1")]),
        ("[2001:db8::1]:443", &[(Address, "2001:db8::1")]),
        ("fe80::1%eth0", &[(Address, "fe80::1")]),
        ("::ffff:1.2.3.4", &[(Address, "::ffff:1.2.3.4")]),
        ("12:34:56", &[]),
        ("12:34:56:78", &[]),
        ("a::b::c", &[]),
    ]);
}

#[test]
fn hosts_have_a_public_suffix_and_are_whole() {
    check(&[
        ("query evil.com IN A", &[(Host, "evil.com")]),
        ("Evil.COM.", &[(Host, "Evil.COM")]),
        ("evil.com:8080", &[(Host, "evil.com")]),
        ("notevil.com.example.org", &[(Host, "notevil.com.example.org")]),
        ("host=evil.com,user=x", &[(Host, "evil.com")]),
        ("_dmarc.evil.com", &[(Host, "_dmarc.evil.com")]),
        ("xn--mgbh0fb.xn--kgbechtv evil.com", &[(Host, "evil.com")]),
        ("xn--80ak6aa92e.com", &[(Host, "xn--80ak6aa92e.com")]),
        ("м\u{43e}сква.рф", &[(Host, "м\u{43e}сква.рф")]),
        ("com", &[]),
        ("co.uk", &[]),
        ("file.invalidtld", &[]),
        ("libfoo.so.1", &[]),
        ("a..com", &[]),
        ("-a.com", &[(Host, "a.com")]),
        ("a-.com", &[]),
        ("e.g. this", &[]),
        ("u=http%3A%2F%2Fevil.com%2Fx", &[(Host, "evil.com")]),
    ]);
}

#[test]
fn urls_end_where_the_sentence_goes_on() {
    for (text, wanted) in [
        ("GET http://evil.com/a?b=c.", vec!["http://evil.com/a?b=c", "evil.com"]),
        ("(see https://evil.com/a_(b))", vec!["https://evil.com/a_(b)", "evil.com"]),
        ("<a href=\"http://evil.com/x\">", vec!["http://evil.com/x", "evil.com"]),
        ("'http://evil.com/x' and", vec!["http://evil.com/x", "evil.com"]),
        ("http://a.com/x,http://b.com/y", vec!["http://a.com/x", "a.com", "http://b.com/y", "b.com"]),
        ("http://a.com/?u=http://b.com/", vec!["http://a.com/?u=http://b.com/", "a.com", "http://b.com/", "b.com"]),
        ("http://[2001:db8::1]:80/x", vec!["http://[2001:db8::1]:80/x", "2001:db8::1"]),
        ("url=http://evil.com/", vec!["http://evil.com/", "evil.com"]),
        ("ftp://user:pw@1.2.3.4:21/x", vec!["ftp://user:pw@1.2.3.4:21/x", "1.2.3.4"]),
        ("://evil.com", vec!["evil.com"]),
        ("http:///x", vec!["http:///x"]),
    ] {
        let values: Vec<String> = found(text).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, wanted, "{text}");
    }
    assert_eq!(super::host(b"evil.com:80/x"), Some(&b"evil.com"[..]));
    assert_eq!(super::host(b"/x/evil.com"), None);
}

#[test]
fn mailboxes_and_digests() {
    let (md5, sha1, sha256) = ("d41d8cd98f00b204e9800998ecf8427e", "a".repeat(40), "b".repeat(64));
    check(&[
        ("from <a.b+c@evil.com>", &[(Mailbox, "a.b+c@evil.com")]),
        ("mailto:x@evil.com?subject=1", &[(Mailbox, "x@evil.com")]),
        ("a@b@evil.com", &[]),
        ("@evil.com", &[(Host, "evil.com")]),
        ("x@localhost", &[]),
        (md5, &[(Digest, md5)]),
        (&format!("MD5={md5},SHA1={sha1}"), &[(Digest, md5), (Digest, &sha1)]),
        (&format!("sha256:{sha256}"), &[(Digest, &sha256)]),
        (&format!("{md5}0"), &[]),
        (&format!("g{}", &md5[1..]), &[]),
        ("00:11:22:33:44:55", &[(Mac, "00:11:22:33:44:55")]),
        ("00-11-22-33-44-55", &[(Mac, "00-11-22-33-44-55")]),
        ("t13d1516h2_8daaf6152771_e5627efa2ab1", &[(Ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1")]),
    ]);
    let pairs = ["4a"; 20].join(":");
    check(&[(&format!("fp {pairs}."), &[(Digest, &pairs)])]);
}

#[test]
fn disguises_are_taken_off() {
    check(&[
        ("hxxp://evil[.]com/x", &[(Url, "http://evil.com/x"), (Host, "evil.com")]),
        ("hXXps[:]//evil(.)com", &[(Url, "https://evil.com"), (Host, "evil.com")]),
        ("evil[.]com", &[(Host, "evil.com")]),
        ("evil(dot)com", &[(Host, "evil.com")]),
        ("evil{DOT}com", &[(Host, "evil.com")]),
        ("1[.]2[.]3[.]4", &[(Address, "1.2.3.4")]),
        ("1.2.3[.4", &[(Address, "1.2.3.4")]),
        ("a[at]evil[.]com", &[(Mailbox, "a@evil.com")]),
        ("fxp://evil.com/", &[(Url, "ftp://evil.com/"), (Host, "evil.com")]),
        ("1[.]2[.]3[.]4[.]5", &[]),
        ("ahxxp://evil.com", &[(Url, "ahxxp://evil.com"), (Host, "evil.com")]),
    ]);
}

#[test]
fn hostile_text_takes_linear_time() {
    // Each would take minutes with anything quadratic.
    for unit in ["://", "a://", "[.]", "a@", ":", "1.", "%2F", "((", "hxxp:", "a.com/", ",http://", "é.", "(.", "::1"]
    {
        let text = unit.repeat(300_000 / unit.len());
        let mut bytes = 0;
        Extractor::new().each(text.as_bytes(), &mut |_, value| bytes += value.len());
        // A URL in the query of a URL is given too, to a few levels.
        assert!(bytes <= 6 * text.len(), "{unit}");
    }
}

/// Whether the value stands in the text with boundaries of its kind on both sides.
fn stands(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric();
        let before = text[..at].chars().next_back();
        let after = text[at + value.len()..].chars().next();
        // Hexadecimal digits after a percent sign belong to the sign.
        let escaped = at >= 3 && text.as_bytes()[at - 3] == b'%';
        (escaped || before.is_none_or(|c| !part(c))) && after.is_none_or(|c| !part(c))
    })
}

proptest! {
    #[test]
    fn never_a_piece_of_a_word(text in r"[a-c1-3.:@/%_ -]{0,40}(com|net|1\.2\.3\.4)?[a-c1-3.:@/%_ -]{0,10}") {
        for (_, value) in found(&text) {
            prop_assert!(stands(&text, &value), "{value} in {text}");
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        Extractor::new().each(&bytes, &mut |_, value| assert!(!value.is_empty()));
    }
}
