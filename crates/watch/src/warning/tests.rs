//! Lists of each type, and the published ones where they are at hand.

use super::*;

fn warnings(lists: &[&str]) -> Warnings {
    let mut collector = Collector::new([5; 32]);
    for list in lists {
        collector.add(list.as_bytes()).unwrap();
    }
    collector.build()
}

#[test]
fn each_type_of_list() {
    let warnings = warnings(&[
        r#"{"name":"hosts","type":"hostname","matching_attributes":["domain","hostname","url","domain|ip"],"list":["Example.com",".example.net","192.0.2.1","no name"]}"#,
        r#"{"name":"top","type":"string","matching_attributes":["domain"],"list":["example.org",".google.example"]}"#,
        r#"{"name":"nets","type":"cidr","matching_attributes":["ip-dst","ip-src|port"],"list":["10.0.0.0/8","8.8.8.8","2001:db8::/32","0.0.0.0/1"]}"#,
        r#"{"name":"empty","type":"string","matching_attributes":["md5","filename|sha256"],"list":["d41d8cd98f00b204e9800998ecf8427e","E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"]}"#,
        r#"{"name":"mail","type":"substring","matching_attributes":["email-src"],"list":["throw.example"]}"#,
        r#"{"name":"any","type":"string","list":["com"]}"#,
    ]);
    for (claim, expected) in [
        (Claim::new(Kind::Domain, "example.com"), &["hosts"][..]),
        (Claim::with_subdomains("www.EXAMPLE.com"), &["hosts"]),
        (Claim::new(Kind::Domain, "a.example.net"), &["hosts"]),
        (Claim::new(Kind::Domain, "notexample.com"), &[]),
        (Claim::new(Kind::Url, "http://www.example.com/x"), &["hosts"]),
        (Claim::new(Kind::Url, "http://192.0.2.1/x"), &["hosts"]),
        (Claim::new(Kind::Email, "a@example.com"), &[]),
        (Claim::new(Kind::Domain, "example.org"), &["top"]),
        (Claim::new(Kind::Domain, "www.example.org"), &[]),
        (Claim::new(Kind::Domain, "www.google.example"), &["top"]),
        (Claim::new(Kind::Url, "http://example.org/"), &[]),
        (Claim::new(Kind::Ipv4, "10.1.2.3"), &["nets"]),
        (Claim::new(Kind::Ipv4, "8.8.8.8"), &["nets"]),
        (Claim::new(Kind::Ipv4, "200.8.8.9"), &[]),
        (Claim::new(Kind::Cidr, "10.1.0.0/16"), &["nets"]),
        (Claim::new(Kind::Cidr, "8.0.0.0/6"), &["nets"]),
        (Claim::new(Kind::Cidr, "0.0.0.0/0"), &[]),
        (Claim::new(Kind::Cidr, "192.0.2.0/24"), &[]),
        (Claim::new(Kind::Cidr, "2001:db8:1::/48"), &["nets"]),
        (Claim::new(Kind::Ipv6, "2001:db8::1"), &["nets"]),
        (Claim::new(Kind::Md5, "D41D8CD98F00B204E9800998ECF8427E"), &["empty"]),
        (Claim::new(Kind::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), &["empty"]),
        (Claim::new(Kind::Certificate, "d41d8cd98f00b204e9800998ecf8427e"), &[]),
        (Claim::new(Kind::Email, "Eve <eve@mx.throw.example>"), &["mail"]),
        (Claim::new(Kind::Email, "eve@notthrow.example"), &[]),
        (Claim::new(Kind::Domain, "com"), &["any"]),
        (Claim::new(Kind::Domain, "not a name"), &[]),
    ] {
        assert_eq!(warnings.benign(&claim), expected, "{claim:?}");
    }
    let hosts = &warnings.lists()[0];
    assert_eq!(hosts.to_string(), "hosts: 3 entries, 1 left out");
}

#[test]
fn what_is_no_list() {
    let mut collector = Collector::new([5; 32]);
    for text in ["", "[]", "{\"name\":\"x\"}", "{\"name\":\"x\",\"type\":\"string\",\"list\":[1]}"] {
        assert!(matches!(collector.add(text.as_bytes()), Err(InvalidList::Form(_))), "{text}");
    }
    let regex = collector.add(br#"{"name":"x","type":"regex","list":["/(a+)+$/"]}"#);
    assert_eq!(regex.unwrap_err().to_string(), "the warning list `x` has entries of type `regex`, which are not met");
    assert!(collector.build().lists().is_empty());
}

/// The published lists, from a folder beside the checkout.
#[test]
fn published_lists() {
    let archive = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/misp-warninglists/misp-warninglists.tar.zst");
    let Ok(packed) = std::fs::File::open(&archive) else {
        println!("skipped: {} is not there", archive.display());
        return;
    };
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut zstd::Decoder::new(packed).unwrap(), &mut tar).unwrap();
    let mut collector = Collector::new([5; 32]);
    let (mut taken, mut refused, mut entries, mut left_out) = (0, 0, 0, 0);
    for (name, content) in files(&tar).filter(|(name, _)| name.ends_with("/list.json")) {
        match collector.add(content) {
            Ok(list) => {
                taken += 1;
                entries += list.entries;
                left_out += list.left_out;
            }
            Err(InvalidList::Type { of_type, .. }) => {
                assert_eq!(of_type, "regex", "{name}");
                refused += 1;
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!((taken, refused), (134, 2));
    assert!(left_out * 100 < entries, "{left_out} of {entries} entries are no values");
    let warnings = collector.build();
    for (claim, list) in [
        (Claim::new(Kind::Ipv4, "8.8.8.8"), "List of known IPv4 public DNS resolvers"),
        (Claim::new(Kind::Cidr, "192.168.1.0/24"), "List of RFC 1918 CIDR blocks"),
        (Claim::new(Kind::Md5, "44d88612fea8a8f36de82e1278abb02f"), "List of hashes for EICAR test virus"),
        (Claim::new(Kind::Domain, "com"), "TLDs as known by IANA"),
    ] {
        assert!(warnings.benign(&claim).contains(&list), "{claim:?}: {:?}", warnings.benign(&claim));
    }
    assert!(warnings.benign(&Claim::new(Kind::Domain, "portal.evil-c2-host.example")).is_empty());
}

/// The files of an archive (POSIX ustar): a header of 512 bytes with name and size in octal, then the content in blocks of
/// as many.
fn files(tar: &[u8]) -> impl Iterator<Item = (String, &[u8])> {
    let mut rest = tar;
    std::iter::from_fn(move || {
        let header = rest.get(..512).filter(|header| header[0] != 0)?;
        let text = |range: std::ops::Range<usize>| {
            let field = header[range].split(|&byte| byte == 0).next().unwrap();
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap();
        let content = &rest[512..512 + size];
        rest = &rest[512 + size.div_ceil(512) * 512..];
        Some((text(0..100), content))
    })
}

#[test]
fn files_and_folders() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), text).unwrap();
    };
    write("lists/a/list.json", r#"{"name":"a","type":"hostname","list":["a.example"]}"#);
    write("lists/b/list.json", r#"{"name":"b","type":"regex","list":["/x/"]}"#);
    write("lists/broken.json", "{");
    write("lists/README.md", "nothing to read");
    write("other.txt", r#"{"name":"other","type":"string","list":["other.example"]}"#);
    write("empty/README.md", "");
    let loaded = load(&[path("lists"), path("other.txt")], [5; 32]).unwrap();
    assert_eq!(loaded.warnings.lists().iter().map(|list| &*list.name).collect::<Vec<_>>(), ["a", "other"]);
    let refused: Vec<_> = loaded.refused.iter().map(|(path, why)| (path.clone(), why.to_string())).collect();
    let regex = "the warning list `b` has entries of type `regex`, which are not met".to_owned();
    assert_eq!(refused, [(path("lists/b/list.json"), regex), (path("lists/broken.json"), "not a warning list".into())]);
    let fails = |name: &str| load(&[path("lists"), path(name)], [5; 32]).unwrap_err();
    assert!(matches!(fails("missing"), LoadError::Read { .. }));
    assert!(matches!(fails("empty"), LoadError::Nothing(_)));
    for name in ["lists/b/list.json", "lists/broken.json", "empty/README.md"] {
        assert!(matches!(fails(name), LoadError::Invalid { .. }), "{name}");
    }
}
