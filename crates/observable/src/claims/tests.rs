//! Patterns and what they claim.

use super::*;

/// `kind value` for each claim, `=` before a name alone, `.` before the names below it.
fn said(text: &str) -> Option<Vec<String>> {
    let pattern = pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    claims(&pattern).map(|claims| {
        claims
            .iter()
            .map(|claim| {
                let dot = if claim.subdomains { "." } else { "" };
                assert_ne!(claim.itself, claim.subdomains, "no pattern says both in one comparison");
                format!("{} {dot}{}", claim.kind, claim.value)
            })
            .collect()
    })
}

#[test]
fn single_values() {
    let sha256 = "ab".repeat(32);
    for (text, expected) in [
        ("[ipv4-addr:value = '203.0.113.7']", "ipv4 203.0.113.7"),
        ("[ipv4-addr:value = '203.0.113.0/24']", "cidr 203.0.113.0/24"),
        ("[ipv6-addr:value = '2001:db8::1']", "ipv6 2001:db8::1"),
        ("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", "cidr 203.0.113.0/24"),
        ("[ipv4-addr:value = 'no address']", "ipv4 no address"),
        ("[domain-name:value = 'evil.example']", "domain evil.example"),
        ("[domain-name:value LIKE '%.evil.example']", "domain .evil.example"),
        ("[domain-name:value LIKE 'evil.example']", "domain evil.example"),
        ("[url:value = 'http://evil.example/']", "url http://evil.example/"),
        ("[email-addr:value = 'a@evil.example']", "email a@evil.example"),
        ("[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", "md5 d41d8cd98f00b204e9800998ecf8427e"),
        (&format!("[file:hashes.'SHA-256' = '{sha256}']"), &format!("sha256 {sha256}")),
        (&format!("[file:hashes.SHA256 = '{sha256}']"), &format!("sha256 {sha256}")),
        (&format!("[x509-certificate:hashes.'SHA-256' = '{sha256}']"), &format!("certificate {sha256}")),
        ("[x509-certificate:serial_number = '00:ab']", "certificate-serial 00:ab"),
        ("[file:name = 'a.exe']", "filename a.exe"),
        ("[process:image_ref.name = 'a.exe']", "filename a.exe"),
        ("[mutex:name = 'x']", "mutex x"),
        ("[windows-registry-key:key = 'HKLM\\\\x']", "registry-key HKLM\\x"),
        ("[user-account:account_login = 'eve']", "account eve"),
        ("[mac-addr:value = '00:1a:2b:3c:4d:5e']", "mac 00:1a:2b:3c:4d:5e"),
        ("[autonomous-system:number = 64496]", "as 64496"),
        ("[email-message:subject = 'x']", "subject x"),
        ("[email-message:from_ref.value = 'a@evil.example']", "email a@evil.example"),
        ("[email-message:to_refs[*].value = 'a@evil.example']", "email a@evil.example"),
        ("[network-traffic:dst_ref.value = '203.0.113.7']", "ipv4 203.0.113.7"),
        ("[network-traffic:src_ref.value = 'evil.example']", "domain evil.example"),
        ("[network-traffic:src_ref.value = '2001:db8::/32']", "cidr 2001:db8::/32"),
        ("[network-traffic:dst_ref.value = '00:1a:2b:3c:4d:5e']", "mac 00:1a:2b:3c:4d:5e"),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7']",
            "ipv4 203.0.113.7",
        ),
        (
            "[network-traffic:dst_ref.value = 'evil.example' AND network-traffic:dst_ref.type = 'domain-name']",
            "domain evil.example",
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/1.0']",
            "user-agent Evil/1.0",
        ),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'[*] = 'Evil/1.0']",
            "user-agent Evil/1.0",
        ),
        ("[network-traffic:x_ja3_hash = 'e7d705a3286e19ea42f587b344ee6865']", "ja3 e7d705a3286e19ea42f587b344ee6865"),
        ("[network-traffic:extensions.'x-tls-ext'.ja4 = 'a_b']", "ja4 a_b"),
    ] {
        assert_eq!(said(text), Some(vec![expected.to_owned()]), "{text}");
    }
}

#[test]
fn any_of_several() {
    let both = Some(vec!["domain a.example".to_owned(), "ipv4 203.0.113.7".to_owned()]);
    for text in [
        "[domain-name:value = 'a.example' OR ipv4-addr:value = '203.0.113.7']",
        "[domain-name:value = 'a.example'] OR [ipv4-addr:value = '203.0.113.7']",
        "([domain-name:value = 'a.example'] OR ([(ipv4-addr:value = '203.0.113.7')]))",
    ] {
        assert_eq!(said(text), both, "{text}");
    }
    assert_eq!(
        said("[domain-name:value IN ('a.example', 'b.example') OR url:value = 'http://c.example']"),
        Some(vec!["domain a.example".into(), "domain b.example".into(), "url http://c.example".into()])
    );
    assert_eq!(said("[domain-name:value IN ()]"), Some(Vec::new()), "it names nothing");
}

#[test]
fn patterns_that_say_more() {
    for text in [
        "[domain-name:value != 'a.example']",
        "[domain-name:value NOT = 'a.example']",
        "[domain-name:value NOT IN ('a.example')]",
        "[domain-name:value > 'a.example']",
        "[domain-name:value MATCHES 'a']",
        "[domain-name:value LIKE '%evil.example']",
        "[domain-name:value LIKE '%.ev_l.example']",
        "[domain-name:value LIKE '%.%.example']",
        "[domain-name:value LIKE '%.']",
        "[url:value LIKE '%.evil.example']",
        "[ipv4-addr:value ISSUPERSET '203.0.113.0/24']",
        "[domain-name:value = 'a.example' AND file:name = 'x']",
        "[domain-name:value = 'a.example' OR domain-name:value != 'b.example']",
        "[domain-name:value = 'a.example'] AND [file:name = 'x']",
        "[domain-name:value = 'a.example'] FOLLOWEDBY [file:name = 'x']",
        "[domain-name:value = 'a.example'] REPEATS 2 TIMES",
        "[domain-name:value = 'a.example'] WITHIN 5 SECONDS",
        "[domain-name:value = 'a.example'] START t'2024-01-01T00:00:00Z' STOP t'2025-01-01T00:00:00Z'",
        "[EXISTS domain-name:value]",
        "[domain-name:resolves_to_refs[*].value = '203.0.113.7']",
        "[file:size = 5]",
        "[file:hashes.SSDEEP = '3:a:b']",
        "[file:name = 5]",
        "[autonomous-system:number > 5]",
        "[file:parent_directory_ref.path = 'C:\\\\x']",
        "[network-traffic:dst_ref.type = 'ipv6-addr' AND network-traffic:dst_ref.value = '203.0.113.7']",
        "[network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7']",
        "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 80]",
        "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_ref.value = '203.0.113.8']",
        "[network-traffic:dst_port = 80]",
        "[x-custom:value = 'a.example']",
    ] {
        assert_eq!(said(text), None, "{text}");
    }
}
