//! What is said of valid patterns: warnings, necessary atoms, words.

use pattern::{Need, atoms, check, explain, is_look_up, parse, warnings};

/// Patterns with the place of their one warning in guillemets, and words of its message; without, there is none.
const WARNINGS: &[(&str, &[(&str, &str)])] = &[
    (
        "§6 types and properties",
        &[
            ("[file:name = 'x' AND file:size > 1]", ""),
            ("[x-house:anything[*].goes = 1]", ""),
            ("[file:x_house = 1]", ""),
            ("[file:hashes.'SHA-256' LIKE 'ab%']", ""),
            ("[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]", ""),
            ("[file:extensions.'x-house-ext'.what.ever = 1]", ""),
            ("[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']", ""),
            ("[email-message:body_multipart[*].body_raw_ref.name MATCHES 'x']", ""),
            ("[windows-registry-key:values[*].data = 'x']", ""),
            ("[email-message:additional_header_fields.'X-Mailer'[*] = 'x']", ""),
            ("[«malware:name» = 'x']", "observed data never holds it"),
            ("[«files:name» = 'x']", "no type of observable object"),
            ("[file:«nam» = 'x']", "`file` has no property `nam`"),
            ("[file:extensions.'ntfs-ext'.«size» = 1]", "`ntfs-ext` has no property `size`"),
            ("[file:name.«size» = 1]", ""),
        ],
    ),
    (
        "§9.6.4, §9.7 types of constants and lists",
        &[
            ("[file:size = «'1'»]", "is a whole number: it never equals a string"),
            ("[file:size LIKE «'1%'»]", "is a whole number"),
            ("[file:name = «1»]", "is text: it never equals a integer"),
            ("[file:ctime > t'2026-01-01T00:00:00Z']", ""),
            ("[file:magic_number_hex = h'4d5a']", ""),
            ("[artifact:payload_bin MATCHES 'MZ']", ""),
            ("[network-traffic:protocols = «'http'»]", "is a list"),
            ("[network-traffic:protocols[*] = 'http']", ""),
            ("[network-traffic:src_ref = «'ipv4-addr--1'»]", "stands for the object it names"),
            ("[file:hashes = «'x'»]", "name one of them"),
            ("[file:name«[*]» = 'x']", "is no list"),
            ("[windows-registry-key:«values».data = 'x']", "is a list: its elements are"),
            ("[«file:name» ISSUBSET '10.0.0.0/8']", "compares addresses"),
        ],
    ),
    (
        "§9.2–9.6 what can never match",
        &[
            ("[«ipv4-addr:value = 'x' AND file:name = 'y'»]", "different types"),
            ("[(ipv4-addr:value = 'x' OR file:name = 'x') AND file:name = 'y']", ""),
            ("[file:name = 'x' AND (file:name = 'y' OR «NOT EXISTS file:size»)]", "never holds"),
            ("[file:name = 'x'] «START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'»", "not before STOP"),
            ("[file:name MATCHES «'('»]", "regular expression"),
            ("[file:ctime = «t'2024-02-30T00:00:00Z'»]", "no such day"),
            ("[ipv4-addr:value ISSUBSET «'here'»]", "not an address"),
        ],
    ),
];

#[test]
fn each_oddity_is_told_where_it_stands() {
    for (clause, rows) in WARNINGS {
        for (marked, message) in *rows {
            let text = marked.replace(['«', '»'], "");
            assert_eq!(check(&text), [], "{clause}: {marked} is not valid");
            let found = warnings(&parse(&text).unwrap());
            match (marked.find('«'), *message) {
                (_, "") if marked.contains("file:name.") => assert_eq!(found.len(), 1, "{clause}: {marked}"),
                (None, "") => assert_eq!(found, [], "{clause}: {marked}"),
                (Some(start), message) => {
                    let end = marked.find('»').unwrap() - '«'.len_utf8();
                    assert_eq!(found.len(), 1, "{clause}: {marked}\n{found:?}");
                    assert_eq!(found[0].span, start..end, "{clause}: {marked}\n{found:?}");
                    assert!(found[0].message.contains(message), "{clause}: {marked}\n{found:?}");
                }
                other => unreachable!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_rarest_necessary_atom_is_chosen() {
    let rows = [
        ("[file:name = 'x']", "file:name is 'x'", true),
        ("[file:name IN ('x', 'y') OR file:name = 'z']", "file:name is one of 'x', 'y', 'z'", true),
        ("[file:name = 'x' OR file:size = 1]", "file:name is 'x' or file:size is 1", true),
        ("[file:name != 'x']", "file:name is present", false),
        ("[file:name NOT != 'x']", "file:name is 'x'", true),
        ("[file:name NOT LIKE 'x%']", "file:name is present", false),
        ("[file:size > 1 AND file:name = 'x']", "file:name is 'x'", false),
        ("[file:is_hidden = true AND file:size = 7]", "file:size is 7", false),
        ("[file:name LIKE 'x%' AND (file:size = 1 OR file:size = 2)]", "file:size is one of 1, 2", false),
        ("[EXISTS file:name]", "file:name is present", false),
        ("[NOT EXISTS file:name]", "", false),
        ("[file:name IN ()]", "", false),
        ("[a:b = 1 AND c:d = 1]", "", false),
    ];
    for (text, expected, look_up) in rows {
        let pattern = parse(text).unwrap();
        let leaves = atoms(&pattern);
        assert_eq!(leaves.len(), 1, "{text}");
        let shown: Vec<String> = leaves[0].alternatives.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join(" or "), expected, "{text}");
        assert_eq!(is_look_up(&pattern), look_up, "{text}");
    }
    let pattern = parse("[a:b = 1] AND ([a:c = 1] FOLLOWEDBY [a:b = 1]) OR [a:d > 1]").unwrap();
    let leaves = atoms(&pattern);
    assert_eq!(leaves.len(), 3, "equal leaves are one");
    assert!(matches!(leaves[2].alternatives[0].need, Need::Pass(..)));
    for (text, expected) in [
        ("[a:b = 1] OR ([a:c = 'x' OR a:d IN (1, 2)])", true),
        ("[a:b = 1] AND [a:c = 1]", false),
        ("[a:b = 1] WITHIN 5 SECONDS", false),
        ("[a:b > 1]", false),
    ] {
        assert_eq!(is_look_up(&parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn words_say_what_the_pattern_says() {
    let text = "([file:name = 'x' AND file:size NOT > 5] REPEATS 5 TIMES FOLLOWEDBY [url:value IN ('a', 'b')]) \
                WITHIN 300 SECONDS";
    let expected = "\
within 300 seconds:
  one after the other, or at the same time, each in an observation of its own:
    5 times, in different observations:
      an observation of one object for which
        all of these hold:
          file:name is 'x'
          file:size is not greater than 5
    an observation of one object for which
      url:value is one of 'a', 'b'
";
    assert_eq!(explain(&parse(text).unwrap()), expected);
    let long = format!("[a:b IN ({})]", vec!["1"; 100].join(", "));
    assert!(explain(&parse(&long).unwrap()).contains("and 92 more"));
}
