//! The language clause by clause: what is accepted, what is refused and at which bytes.

use pattern::{
    ComparisonKind, Error, MAX_BYTES, MAX_DEPTH, ObservationKind, Operator, Value, Version, check, check_version,
    parse, parse_version,
};

/// A valid pattern, or an invalid one with the part at fault between `«` and `»` and a part of the message.
const TABLE: &[(&str, &[(&str, &str)])] = &[
    (
        "STIX 2.1 §9.3 brackets",
        &[
            ("[file:size = 1280]", ""),
            ("([file:size = 1280])", ""),
            ("  [ file : size = 1280 ]  ", ""),
            ("«file»:size = 1280", "expected `[` or `(`"),
            ("[file:size = 1280«»", "expected `AND`, `OR` or `]`, found the end"),
            ("[file:size = 1280]«]»", "or the end, found `]`"),
            ("([file:size = 1280]«»", "found the end"),
            ("[«]»", "expected an object type"),
            ("«»", "expected `[` or `(`, found the end"),
            ("(«)»", "expected `[` or `(`"),
            ("[file:size = 1] «[»file:size = 2]", "expected `AND`, `OR`, `FOLLOWEDBY`"),
        ],
    ),
    (
        "STIX 2.1 §9.7 paths",
        &[
            ("[x-usb-device:usbdrive.serial_number = '5']", ""),
            ("[file:hashes.'X-1' = 'a']", ""),
            ("[a:'b c'.'d.e' = 1]", ""),
            ("[a:'it\\'s' = 1]", ""),
            ("[a:b[*].c = 1]", ""),
            ("[a:b[0][1] = 1]", ""),
            ("[a:'AND' = 1]", ""),
            ("[h:t.b = 1]", ""),
            ("[file«.»size = 1280]", "expected `:` between object type and property"),
            ("[file:hashes.«SHA-256» = 'a']", "a property with a hyphen stands in single quotes"),
            ("[a:«AND» = 1]", "a property named as a keyword stands in single quotes"),
            ("[a:b.«true» = 1]", "a property named as a keyword"),
            ("[«OR»:b = 1]", "expected an object type"),
            ("[a:«1»b = 1]", "expected a property"),
            ("[a:b[«-1»] = 1]", "expected `*` or a whole number from 0"),
            ("[a:b[«]» = 1]", "expected `*` or a whole number from 0"),
            ("[a:b[0 «=» 1]", "expected `]`"),
            ("[a:b.«=» 1]", "expected a property"),
            ("[a:b.«[»*] = 1]", "expected a property"),
            ("[«'a'»:b = 1]", "expected an object type"),
        ],
    ),
    (
        "STIX 2.1 §9.2 strings",
        &[
            ("[a:b = '']", ""),
            ("[a:b = 'it\\'s']", ""),
            ("[a:b = 'c:\\\\x']", ""),
            ("[a:b = 'مرصد\n二行']", ""),
            ("[a:b = 'c:«\\»x']", "a backslash in a string is written twice"),
            ("[a:b = «'»abc]", "string has no closing quote"),
            ("[a:b = «'»abc\\']", "string has no closing quote"),
            ("[a:b = «\"»x\"]", "strings stand in single quotes"),
            ("[a:b = «x»]", "expected a constant"),
        ],
    ),
    (
        "STIX 2.1 §9.2 numbers",
        &[
            ("[a:b = 0]", ""),
            ("[a:b = -0]", ""),
            ("[a:b = +5]", ""),
            ("[a:b = .5]", ""),
            ("[a:b = -1.50]", ""),
            ("[a:b = 9007199254740991]", ""),
            ("[a:b = -9007199254740991]", ""),
            ("[a:b = «9007199254740992»]", "beyond 2^53"),
            ("[a:b = «99999999999999999999»]", "beyond 2^53"),
            ("[a:b = «007»]", "no leading zeros"),
            ("[a:b = «1.»]", "digits must follow the decimal point"),
            ("[a:b = «-»]", "digits must follow the sign"),
            ("[a:b = 1«e5»]", "expected `AND`, `OR` or `]`"),
            ("[a:b = 0«x1»]", "expected `AND`, `OR` or `]`"),
        ],
    ),
    (
        "STIX 2.1 §9.2 booleans",
        &[
            ("[a:b = true]", ""),
            ("[a:b != false]", ""),
            ("[a:b IN (true, false)]", ""),
            ("[a:b = «True»]", "expected a constant"),
            ("[a:b > «true»]", "expected a constant that has an order"),
            ("[a:b = «null»]", "expected a constant"),
        ],
    ),
    (
        "STIX 2.1 §9.2 binary and hex",
        &[
            ("[a:b = h'00fF']", ""),
            ("[a:b = h'']", ""),
            ("[a:b = b'dGVzdA==']", ""),
            ("[a:b = b'dGVz\ndA==']", ""),
            ("[a:b = «h'0'»]", "even number of hexadecimal digits"),
            ("[a:b = «h'0g'»]", "even number of hexadecimal digits"),
            ("[a:b = «b''»]", "base64 with padding"),
            ("[a:b = «b'===='»]", "base64 with padding"),
            ("[a:b = «b'dGVzdA'»]", "base64 with padding"),
            ("[a:b = «b'dGVz_-=='»]", "base64 with padding"),
            ("[a:b = «h'»00]", "constant has no closing quote"),
        ],
    ),
    (
        "STIX 2.1 §9.2 timestamps",
        &[
            ("[a:b = t'2026-01-31T23:59:60Z']", ""),
            ("[a:b = t'2026-02-30T00:00:00.123456789Z']", ""),
            ("[a:b = «t'2026-13-01T00:00:00Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-00-01T00:00:00Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-32T00:00:00Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01T24:00:00Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01T00:60:00Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01T00:00:61Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01t00:00:00Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01T00:00:00'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01T00:00:00.Z'»]", "timestamp must be of the form"),
            ("[a:b = «t'2026-01-01T00:00:00+00:00'»]", "timestamp must be of the form"),
            ("[a:b = «t'٢٠٢٦-01-01T00:00:00Z'»]", "timestamp must be of the form"),
        ],
    ),
    (
        "STIX 2.1 §9.2 sets",
        &[
            ("[a:b IN ()]", ""),
            ("[a:b IN (1, 2.5, -3)]", ""),
            ("[a:b NOT IN('x','y')]", ""),
            ("[a:b IN ('x', «1»)]", "a set holds constants of one type: integer after string"),
            ("[a:b IN (1«]»", "expected `,` or `)`"),
            ("[a:b IN (1,«)»]", "expected a constant"),
            ("[a:b IN «1»]", "expected `(`"),
            ("[a:b = «(»1)]", "expected a constant"),
        ],
    ),
    (
        "STIX 2.1 §9.6.1 operators",
        &[
            ("[a:b == 1]", ""),
            ("[a:b <> 1]", ""),
            ("[a:b NOT >= 1]", ""),
            ("[a:b LIKE 'x%' OR a:b NOT MATCHES '^x']", ""),
            ("[a:b ISSUBSET '192.0.2.0/24' AND a:b ISSUPERSET '192.0.2.1']", ""),
            ("[EXISTS a:b]", ""),
            ("[NOT EXISTS a:b.c AND a:d = 1]", ""),
            ("[a:b NOT «]»", "expected a comparison operator"),
            ("[NOT «a»:b = 1]", "expected `EXISTS`"),
            ("[a:b «EXISTS»]", "expected a step of the path or a comparison operator"),
            ("[a:b = «]»", "expected a constant"),
            ("[a:b LIKE «5»]", "expected a string in single quotes"),
            ("[a:b ISSUBSET «h'00'»]", "expected a string in single quotes"),
            ("[a:b MATCHES «/»x/]", "unexpected character `/`"),
            ("[a:b «!» 1]", "`!` must be followed by `=`"),
            ("[a:b «like» 'x']", "expected a step of the path or a comparison operator, found `like`"),
        ],
    ),
    (
        "STIX 2.1 §9.5 and §9.6 chains and groups",
        &[
            ("[a:b = 1 AND a:c = 2 OR a:d = 3]", ""),
            ("[(a:b = 1 OR a:c = 2) AND a:d = 3]", ""),
            ("[a:b = 1 AND c:d = 2]", ""),
            ("[a:b = 1] AND [a:b = 2] OR [a:b = 3] FOLLOWEDBY [a:b = 4]", ""),
            ("([a:b = 1] OR [a:b = 2]) REPEATS 2 TIMES FOLLOWEDBY [a:b = 3]", ""),
            ("[a:b = 'x' «and» a:c = 'y']", "expected `AND`, `OR` or `]`"),
            ("[a:b = 1 AND «]»", "expected an object type"),
            ("[(a:b = 1«]»", "expected `AND`, `OR` or `)`"),
            ("[a:b = 1 «FOLLOWEDBY» a:c = 2]", "expected `AND`, `OR` or `]`"),
            ("[a:b = 1] FOLLOWEDBY«»", "expected `[` or `(`, found the end"),
            ("«NOT» [a:b = 1]", "expected `[` or `(`"),
        ],
    ),
    (
        "STIX 2.1 §9.5.1 qualifiers",
        &[
            ("[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS", ""),
            ("[a:b = 1] WITHIN .5 SECONDS", ""),
            ("[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'", ""),
            ("([a:b = 1] REPEATS 2 TIMES) REPEATS 2 TIMES", ""),
            ("([a:b = 1]) WITHIN 5 SECONDS WITHIN 6 SECONDS", ""),
            ("[a:b = 1] REPEATS «0» TIMES", "expected a whole number greater than zero"),
            ("[a:b = 1] REPEATS «1.5» TIMES", "expected a whole number greater than zero"),
            ("[a:b = 1] REPEATS 2«»", "expected `TIMES`, found the end"),
            ("[a:b = 1] WITHIN «0» SECONDS", "expected a number of seconds greater than zero"),
            ("[a:b = 1] WITHIN «0.0» SECONDS", "expected a number of seconds greater than zero"),
            ("[a:b = 1] WITHIN «-5» SECONDS", "expected a number of seconds greater than zero"),
            ("[a:b = 1] WITHIN 5 «HOURS»", "expected `SECONDS`, found `HOURS`"),
            ("[a:b = 1] «within» 5 SECONDS", "a qualifier or the end, found `within`"),
            ("[a:b = 1] START «'2026-01-01T00:00:00Z'» STOP '2026-01-02T00:00:00Z'", "expected a timestamp"),
            ("[a:b = 1] START t'2026-01-01T00:00:00Z'«»", "expected `STOP`, found the end"),
            ("[a:b = 1] WITHIN 5 SECONDS «WITHIN 6 SECONDS»", "`WITHIN` qualifies the same expression twice"),
            ("([a:b = 1] REPEATS 2 TIMES «REPEATS 3 TIMES»)", "`REPEATS` qualifies the same expression twice"),
            (
                "[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z' \
             «START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'»",
                "`START … STOP` qualifies",
            ),
        ],
    ),
    (
        "STIX 2.1 §10.7 hashes",
        &[
            ("[file:hashes.MD5 = '00000000000000000000000000000000']", ""),
            ("[file:hashes.MD5 != '0000000000000000000000000000000F']", ""),
            ("[file:hashes.MD5 LIKE '00%']", ""),
            ("[file:hashes[*] = '00']", ""),
            ("[file:hashes.'X-HOUSE' = '00']", ""),
            ("[file:hashes.SSDEEP = '3:a+b/c:d']", ""),
            ("[x:'MD5' = '00']", ""),
            ("[file:hashes.'SHA-256' = «'f00'»]", "`f00` is not a SHA-256 hash: 64 hexadecimal digits"),
            ("[file:hashes.sha1 = «'f00'»]", "not a SHA-1 hash: 40"),
            ("[file:hashes.MD5 = «'0000000000000000000000000000000g'»]", "not a MD5 hash"),
            ("[file:hashes.SSDEEP = «''»]", "not a SSDEEP hash"),
            ("[x:a.hashes.MD5 IN ('00000000000000000000000000000000', «'00'»)]", "not a MD5 hash"),
        ],
    ),
    (
        "published grammar: blanks and comments",
        &[
            ("\t[\r\na\u{a0}:\u{3000}b\u{2028}=\u{b}1]\u{85}", ""),
            ("[a:b /* any */ = 1] // to the end", ""),
            ("[a:b = 1AND a:c = 2]", ""),
            ("[a:b = 1 «/*» no end", "comment has no end"),
            ("[a:b«\u{200b}»= 1]", "unexpected character `\\u{200b}`"),
            ("[a:b = 1]«;»", "unexpected character `;`"),
        ],
    ),
];

/// The text without its marks, and the span between them.
fn unmarked(text: &str) -> (String, Option<std::ops::Range<usize>>) {
    match (text.find('«'), text.find('»')) {
        (Some(start), Some(end)) => (text.replace(['«', '»'], ""), Some(start..end - '«'.len_utf8())),
        _ => (text.to_owned(), None),
    }
}

#[test]
fn each_clause_holds() {
    let mut cases = 0;
    for (clause, patterns) in TABLE {
        for (marked, message) in *patterns {
            cases += 1;
            let (text, fault) = unmarked(marked);
            let errors = check(&text);
            assert_eq!(fault.is_none(), message.is_empty(), "{clause}: {marked} is written wrongly");
            match (fault, errors.as_slice()) {
                (None, []) => {}
                (Some(span), [error]) => {
                    assert_eq!(error.span, span, "{clause}: {marked}\n{error}");
                    assert!(error.message.contains(message), "{clause}: {marked}\n{error}");
                }
                _ => panic!("{clause}: {marked}\n{errors:?}"),
            }
        }
    }
    assert!(cases >= 80, "{cases}");
}

#[test]
fn each_kind_of_fault_is_found_where_it_stands() {
    let text = "[file:hashes.MD5 = 'x' OR file:hashes.'SHA-1' = 'y'] REPEATS 1 TIMES REPEATS 2 TIMES";
    let spans: Vec<_> = check(text).into_iter().map(|error| &text[error.span]).collect();
    assert_eq!(spans, ["'x'", "'y'", "REPEATS 2 TIMES"]);
}

#[test]
fn stix_2_0_differs_where_it_should() {
    let plain = "[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-07-01T00:00:00Z'";
    let both = [
        (plain, true, false),
        ("[a:b = 1] START '2016-06-01' STOP '2016-07-01T00:00:00Z'", false, false),
        ("[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'", true, true),
        ("[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES", true, false),
        ("[EXISTS a:b]", false, true),
    ];
    for (text, valid_20, valid_21) in both {
        assert_eq!(check_version(text, Version::V20).is_empty(), valid_20, "2.0: {text}");
        assert_eq!(check_version(text, Version::V21).is_empty(), valid_21, "2.1: {text}");
    }
    // Printed, it is a pattern of 2.1.
    let printed = parse_version(plain, Version::V20).unwrap().to_string();
    assert_eq!(check(&printed), []);
}

#[test]
fn precedence_is_that_of_the_standard() {
    // STIX 2.1 §9.5.3: AND before OR before FOLLOWEDBY, qualifiers before all.
    let pattern = parse("[a:b = 1] OR [a:b = 2] AND [a:b = 3] REPEATS 2 TIMES FOLLOWEDBY [a:b = 4]").unwrap();
    let ObservationKind::FollowedBy(steps) = pattern.expression.kind else { panic!("no FOLLOWEDBY outside") };
    let ObservationKind::Or(either) = &steps[0].kind else { panic!("no OR below FOLLOWEDBY") };
    let ObservationKind::And(both) = &either[1].kind else { panic!("no AND below OR") };
    assert!(matches!(both[1].kind, ObservationKind::Qualified(..)));
    assert!(matches!(steps[1].kind, ObservationKind::Observation(_)));
}

#[test]
fn parts_know_their_place_and_their_value() {
    let text = "([x:a.'b'[3] NOT IN (1, t'1970-01-02T00:00:00.5Z')]) WITHIN 5 SECONDS";
    let pattern = parse(text).unwrap();
    let at = |span: pattern::Span| &text[std::ops::Range::from(span)];
    assert_eq!(at(pattern.expression.span), text);
    let ObservationKind::Qualified(group, qualifiers) = &pattern.expression.kind else { panic!("not qualified") };
    assert_eq!(at(qualifiers[0].span), "WITHIN 5 SECONDS");
    let ObservationKind::Group(inner) = &group.kind else { panic!("no group") };
    let ObservationKind::Observation(expression) = &inner.kind else { panic!("no observation") };
    let ComparisonKind::Comparison(comparison) = &expression.kind else { panic!("no comparison") };
    assert_eq!((comparison.operator, comparison.negated), (Operator::In, true));
    assert_eq!(at(comparison.path.span), "x:a.'b'[3]");
    let steps: Vec<_> = comparison.path.steps.iter().map(|step| at(step.span)).collect();
    assert_eq!(steps, ["a", "'b'", "[3]"]);
    let Value::Timestamp(timestamp) = &comparison.operand.constants()[1].value else { panic!("no timestamp") };
    assert_eq!(timestamp.micros, Some(86_400_500_000));
}

#[test]
fn a_day_that_does_not_exist_has_no_instant() {
    let days = [
        ("1970-01-01", Some(0)),
        ("1969-12-31", Some(-1)),
        ("2000-02-29", Some(11_016)),
        ("2000-03-01", Some(11_017)),
        ("2024-02-30", None),
        ("2023-02-29", None),
        ("1900-02-29", None),
        ("2026-11-31", None),
        ("0000-01-01", Some(-719_528)),
        ("9999-12-31", Some(2_932_896)),
    ];
    for (day, expected) in days {
        let pattern = parse(&format!("[a:b = t'{day}T00:00:00Z']")).unwrap();
        let ObservationKind::Observation(expression) = pattern.expression.kind else { panic!("no observation") };
        let ComparisonKind::Comparison(comparison) = expression.kind else { panic!("no comparison") };
        let Value::Timestamp(timestamp) = &comparison.operand.constants()[0].value else { panic!("no timestamp") };
        assert_eq!(timestamp.micros, expected.map(|days: i64| days * 86_400_000_000), "{day}");
    }
}

#[test]
fn nesting_has_a_limit_and_chains_have_none() {
    let nested = |depth: usize| format!("{}[a:b = 1]{}", "(".repeat(depth), ")".repeat(depth));
    let nested_inside = |depth: usize| format!("[{}a:b = 1{}]", "(".repeat(depth), ")".repeat(depth));
    for text in [nested(MAX_DEPTH), nested_inside(MAX_DEPTH)] {
        let pattern = parse(&text).unwrap();
        assert_eq!(parse(&pattern.to_string()).unwrap(), pattern);
    }
    let mixed = format!("{}[{}a:b = 1", "(".repeat(200), "(".repeat(200));
    for text in [nested(MAX_DEPTH + 1), nested_inside(MAX_DEPTH + 1), mixed, "(".repeat(MAX_BYTES), "[(".repeat(9000)] {
        let Error { message, .. } = parse(&text).unwrap_err();
        assert!(message.contains("nest deeper") || text.starts_with("[("), "{message}");
    }
    for (open, term, close, operator) in [("[", "a:b = 1", "]", " OR "), ("", "[a:b = 1]", "", " FOLLOWEDBY ")] {
        let flat = format!("{open}{}{close}", vec![term; 10_000].join(operator));
        assert_eq!(check(&flat), []);
        assert_eq!(parse(&flat).unwrap().to_string(), flat);
    }
    // Groups beside each other do not add up.
    let beside = vec!["([a:b = 1])"; 2 * MAX_DEPTH].join(" AND ");
    assert_eq!(check(&beside), []);
}

#[test]
fn length_has_a_limit() {
    let of_length = |length: usize| format!("[a:b = '{}']", "x".repeat(length - 10));
    assert_eq!(check(&of_length(MAX_BYTES)), []);
    let error = parse(&of_length(MAX_BYTES + 1)).unwrap_err();
    assert_eq!(error.span, MAX_BYTES..MAX_BYTES + 1);
    assert_eq!(error.message, "pattern has 1048577 bytes: at most 1048576 are read");
}
