//! Tables of texts, valid and invalid side by side, clause by clause.

use super::*;

const TIGHT: Limits = Limits { max_depth: 4, max_bytes: 100, max_values: 12 };

#[track_caller]
fn refused(text: impl AsRef<[u8]>, offset: usize, kind: ErrorKind) {
    let text = text.as_ref();
    // The same fault must be found wherever the text falls on the blocks and windows of the scanner.
    for white in [0, 1, 31, 58, 63, 64, 2040] {
        let padded = [vec![b' '; white], text.to_vec()].concat();
        let error = Tape::new().parse(&padded, &TIGHT).map(|value| value.span()).unwrap_err();
        let expected = Error { offset: white + offset, kind };
        assert_eq!(error, expected, "{:?} after {white} spaces", String::from_utf8_lossy(text));
    }
}

#[track_caller]
fn accepted(text: &str) {
    let mut tape = Tape::new();
    let value = tape.parse(text.as_bytes(), &TIGHT).map(|value| value.text().to_vec());
    assert_eq!(value, Ok(text.trim_matches([' ', '\t', '\r', '\n']).as_bytes().to_vec()), "{text:?}");
}

/// RFC 8259 §2 to §5.
#[test]
fn structure() {
    for text in ["0", "\"\"", "[]", "{}", " \t\r\n[ \n]\t ", "[[],{}]", "{\"a\" : 1 ,\"b\":\n2}", "[1 , 2]", "null"] {
        accepted(text);
    }
    refused("", 0, ErrorKind::Empty);
    refused(" \n", 2, ErrorKind::Empty);
    refused("[", 1, ErrorKind::Truncated);
    refused("[1", 2, ErrorKind::Truncated);
    refused("[1,", 3, ErrorKind::Truncated);
    refused("[1,]", 3, ErrorKind::ExpectedValue);
    refused("[,1]", 1, ErrorKind::ExpectedValue);
    refused("[1 2]", 3, ErrorKind::ExpectedCommaOrBracket);
    refused("[1}", 2, ErrorKind::ExpectedCommaOrBracket);
    refused("[\"a\":1]", 4, ErrorKind::ExpectedCommaOrBracket);
    refused("[\"a\" \"b\"]", 5, ErrorKind::ExpectedCommaOrBracket);
    refused("[\"a\"b]", 4, ErrorKind::ExpectedCommaOrBracket);
    refused("]", 0, ErrorKind::ExpectedValue);
    refused("{", 1, ErrorKind::Truncated);
    refused("{\"a\"", 4, ErrorKind::Truncated);
    refused("{\"a\":", 5, ErrorKind::Truncated);
    refused("{\"a\":1", 6, ErrorKind::Truncated);
    refused("{\"a\":1,", 7, ErrorKind::Truncated);
    refused("{\"a\":1,}", 7, ErrorKind::ExpectedKey);
    refused("{,}", 1, ErrorKind::ExpectedKey);
    refused("{1:2}", 1, ErrorKind::ExpectedKey);
    refused("{\"a\",:1}", 4, ErrorKind::ExpectedColon);
    refused("{\"a\"}", 4, ErrorKind::ExpectedColon);
    refused("{\"a\" 1}", 5, ErrorKind::ExpectedColon);
    refused("{\"a\"::1}", 5, ErrorKind::ExpectedValue);
    refused("{\"a\":\"b\":1}", 8, ErrorKind::ExpectedCommaOrBrace);
    refused("{\"a\":1]", 6, ErrorKind::ExpectedCommaOrBrace);
    refused("{\"a\":,\"b\":1}", 5, ErrorKind::ExpectedValue);
    refused("[1] 2", 4, ErrorKind::Trailing);
    refused("\"a\",", 3, ErrorKind::Trailing);
    refused("{}x", 2, ErrorKind::Trailing);
    refused("1\u{0}", 1, ErrorKind::Trailing);
    refused("[1\u{c},2]", 2, ErrorKind::ExpectedCommaOrBracket);
    refused("[\u{c}]", 1, ErrorKind::ExpectedValue);
    refused("[1\\\"]", 2, ErrorKind::ExpectedCommaOrBracket);
    refused("[\\\"a\"]", 1, ErrorKind::ExpectedValue);
}

/// RFC 8259 §3.
#[test]
fn literals() {
    for text in ["true", "false", "null", "[true,false , null]"] {
        accepted(text);
    }
    refused("True", 0, ErrorKind::ExpectedValue);
    refused("[nul]", 1, ErrorKind::ExpectedValue);
    refused("tru", 3, ErrorKind::Truncated);
    refused("truex", 4, ErrorKind::Trailing);
    refused("[nulll]", 5, ErrorKind::ExpectedCommaOrBracket);
    refused("{\"a\":true\"b\":1}", 9, ErrorKind::ExpectedCommaOrBrace);
    refused("[NaN]", 1, ErrorKind::NotANumber);
    refused("[Infinity]", 1, ErrorKind::NotANumber);
    refused("[-Infinity]", 1, ErrorKind::NotANumber);
    refused("[undefined]", 1, ErrorKind::ExpectedValue);
    refused("['a']", 1, ErrorKind::ExpectedValue);
    refused("[1/*a*/]", 2, ErrorKind::ExpectedCommaOrBracket);
}

/// RFC 8259 §6, RFC 7493 §2.2.
#[test]
fn numbers() {
    for text in
        ["0", "-0", "-0.0e-0", "10", "1.5", "1E5", "1e+5", "1.25e-05", "12345678901234567890", "1.7e308", "1e-999"]
    {
        accepted(text);
    }
    refused("[01]", 2, ErrorKind::Number);
    refused("[-01]", 3, ErrorKind::Number);
    refused("[00]", 2, ErrorKind::Number);
    refused("[+1]", 1, ErrorKind::ExpectedValue);
    refused("[.5]", 1, ErrorKind::ExpectedValue);
    refused("[1.]", 3, ErrorKind::Number);
    refused("[1.e5]", 3, ErrorKind::Number);
    refused("[1e]", 3, ErrorKind::Number);
    refused("[1e+]", 4, ErrorKind::Number);
    refused("[-]", 2, ErrorKind::Number);
    refused("-", 1, ErrorKind::Truncated);
    refused("1.", 2, ErrorKind::Truncated);
    refused("1e", 2, ErrorKind::Truncated);
    refused("[0x1F]", 2, ErrorKind::ExpectedCommaOrBracket);
    refused("[1_000]", 2, ErrorKind::ExpectedCommaOrBracket);
    refused("[1e400]", 1, ErrorKind::NumberRange);
    refused("[-1e309]", 1, ErrorKind::NumberRange);
    let digits = "9".repeat(310);
    let error = Tape::new().parse(digits.as_bytes(), &Limits::default()).map(|_| ()).unwrap_err();
    assert_eq!(error, Error { offset: 0, kind: ErrorKind::NumberRange });
    let zeros = format!("0.{}1", "0".repeat(400));
    assert!(Tape::new().parse(zeros.as_bytes(), &Limits::default()).is_ok());
}

/// RFC 8259 §7 and §8, RFC 7493 §2.1.
#[test]
fn strings() {
    for text in [
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u0000\uABCD\uabcd""#,
        r#""\ud83d\ude00\ud83d\ude00""#,
        r#""\\\\\\\\""#,
        "\"\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10ffff}\"",
        "\"الراصد\"",
        "[\"\",\"{}[]:,\"]",
    ] {
        accepted(text);
    }
    refused("\"", 1, ErrorKind::Truncated);
    refused("\"a", 2, ErrorKind::Truncated);
    refused("\"a\\", 3, ErrorKind::Truncated);
    refused("\"a\\\"", 4, ErrorKind::Truncated);
    refused("\"a\\u12", 6, ErrorKind::Truncated);
    refused("\"\\ud800", 7, ErrorKind::Truncated);
    refused("[\"a\nb\"]", 3, ErrorKind::ControlCharacter);
    refused("[\"a\tb\"]", 3, ErrorKind::ControlCharacter);
    refused("[\"a\u{0}b\"]", 3, ErrorKind::ControlCharacter);
    refused("[\"a\u{1f}\"]", 3, ErrorKind::ControlCharacter);
    refused(r#"["\x"]"#, 2, ErrorKind::Escape);
    refused(r#"["a\'"]"#, 3, ErrorKind::Escape);
    refused("[\"\\\n\"]", 2, ErrorKind::Escape);
    refused(r#"["\u12G4"]"#, 2, ErrorKind::Escape);
    refused(r#"["\u+123"]"#, 2, ErrorKind::Escape);
    refused(r#"["\ud800"]"#, 2, ErrorKind::LoneSurrogate);
    refused(r#"["\udc00"]"#, 2, ErrorKind::LoneSurrogate);
    refused(r#"["\udc00\ud800"]"#, 2, ErrorKind::LoneSurrogate);
    refused(r#"["\ud800\ud800"]"#, 2, ErrorKind::LoneSurrogate);
    refused(r#"["\ud800\\udc00"]"#, 2, ErrorKind::LoneSurrogate);
    refused(r#"["\ud800a\udc00"]"#, 2, ErrorKind::LoneSurrogate);
}

/// RFC 8259 §8.1.
#[test]
fn encoding() {
    refused(b"[\"\xff\"]", 2, ErrorKind::Utf8);
    refused(b"[\"a\xc3\"]", 3, ErrorKind::Utf8);
    refused(b"[\"\xc0\xaf\"]", 2, ErrorKind::Utf8);
    refused(b"[\"\xed\xa0\x80\"]", 2, ErrorKind::Utf8);
    refused(b"[\"\xf4\x90\x80\x80\"]", 2, ErrorKind::Utf8);
    refused(b"{\"\xff\":1,\"\xff\":2}", 2, ErrorKind::Utf8);
    refused(b"[\"\xe2\x82", 4, ErrorKind::Truncated);
    refused(b"\xef\xbb\xbf[]", 0, ErrorKind::ByteOrderMark);
    refused("[\u{a0}]", 1, ErrorKind::ExpectedValue);
}

/// RFC 7493 §2.3.
#[test]
fn names_are_unique() {
    for text in [
        r#"{"a":1,"b":2}"#,
        r#"{"a":{"a":1},"b":{"a":1}}"#,
        r#"[{"a":1},{"a":1}]"#,
        r#"{"":1,"a":2,"aa":3}"#,
        r#"{"created":1,"created_by_ref":2}"#,
        r#"{"\u0061":1,"\\u0061":2}"#,
        // The same length, first and last eight bytes.
        r#"{"aaaaaaaa1bbbbbbbb":1,"aaaaaaaa2bbbbbbbb":1}"#,
    ] {
        accepted(text);
    }
    refused(r#"{"a":1,"a":2}"#, 7, ErrorKind::DuplicateKey);
    refused(r#"{"":1,"":2}"#, 6, ErrorKind::DuplicateKey);
    refused(r#"{"a":1,"\u0061":2}"#, 7, ErrorKind::DuplicateKey);
    refused(r#"{"\u0061":1,"a":2}"#, 12, ErrorKind::DuplicateKey);
    refused(r#"{"\ud83d\ude00":1,"😀":2}"#, 18, ErrorKind::DuplicateKey);
    refused(r#"[{"a":{"b":1,"a":2,"b":3}}]"#, 19, ErrorKind::DuplicateKey);
    refused(r#"{"external_references":1,"external_references":2}"#, 25, ErrorKind::DuplicateKey);
    refused(r#"{"a":1,"b":1,"c":1,"b":1,"a":1}"#, 19, ErrorKind::DuplicateKey);
}

#[test]
fn limits() {
    accepted("[[[[]]]]");
    accepted("[[[[1]]],{\"a\":[[]]}]");
    refused("[[[[[", 4, ErrorKind::Depth(4));
    refused("[[[{\"a\":{}}]]]", 8, ErrorKind::Depth(4));
    let boundless = Limits { max_depth: usize::MAX, max_bytes: usize::MAX, max_values: usize::MAX };
    let error = Tape::new().parse("[".repeat(9000).as_bytes(), &boundless).map(|_| ()).unwrap_err();
    assert_eq!(error, Error { offset: 512, kind: ErrorKind::Depth(512) });
    accepted("[1,2,3,4,5,6,7,8,9,0,1]");
    refused("[1,2,3,4,5,6,7,8,9,0,1,2]", 23, ErrorKind::Values(12));
    accepted(&format!("\"{}\"", "a".repeat(98)));
    refused(format!("\"{}\"", "a".repeat(99)), 100, ErrorKind::Bytes(100));
    refused(format!("\"{}\"", "é".repeat(99)), 100, ErrorKind::Bytes(100));
    refused(format!("\"a{}\"", "é".repeat(99)), 100, ErrorKind::Bytes(100));
    refused(format!("[1{}]", " ".repeat(99)), 100, ErrorKind::Bytes(100));
}

#[test]
fn reads_what_was_written() {
    let mut tape = Tape::new();
    let text = br#" {"a": [1, -2.5, "x\ny", true, null, false, "z"], "b": {}, "\u0063": {"d": {"e": 7}}} "#;
    let value = tape.parse(text, &Limits::default()).unwrap();
    let items: Vec<Value<'_>> = value.get("a").unwrap().items().collect();
    assert_eq!(items.len(), 7);
    assert_eq!((items[0].kind(), items[0].as_i64(), items[0].as_f64()), (Kind::Integer, Some(1), Some(1.0)));
    assert_eq!((items[1].kind(), items[1].as_i64(), items[1].as_f64()), (Kind::Float, None, Some(-2.5)));
    assert_eq!((items[2].as_str().as_deref(), items[2].raw_str()), (Some("x\ny"), None));
    assert_eq!((items[3].kind(), items[3].as_bool()), (Kind::Bool, Some(true)));
    assert_eq!((items[4].kind(), items[4].as_bool(), items[4].as_str()), (Kind::Null, None, None));
    assert_eq!(items[5].as_bool(), Some(false));
    assert_eq!(items[6].raw_str(), Some("z"));
    assert_eq!(value.get("b").map(|b| (b.text(), b.is_empty())), Some((b"{}".as_slice(), true)));
    assert_eq!(value.get("c").and_then(|c| c.get("d")?.get("e")?.as_i64()), Some(7));
    assert_eq!(value.entries().map(|(key, _)| key.to_string()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let spans = value.entries().nth(1).map(|(key, inner)| (&text[key.span()], &text[inner.span()]));
    assert_eq!(spans, Some((br#""b""#.as_slice(), b"{}".as_slice())));
    assert_eq!(value.span(), 1..text.len() - 1);
    assert_eq!(value.len(), 3);
    assert!(value.get("d").is_none() && items[0].get("a").is_none());
}

#[test]
fn parses_in_the_middle_of_a_text() {
    let text = br#"["skip me", {"a": "b"}, {"a": }]"#;
    let mut tape = Tape::new();
    let (value, end) = tape.parse_at(text, 11, &Limits::default()).unwrap();
    assert_eq!((value.span(), end), (12..22, 22));
    assert_eq!(value.get("a").map(|a| (a.span(), a.raw_str())), Some((18..21, Some("b"))));
    let error = tape.parse_at(text, 23, &Limits::default()).map(|(_, end)| end).unwrap_err();
    assert_eq!(error, Error { offset: 30, kind: ErrorKind::ExpectedValue });
    assert_eq!(tape.parse_at(text, 99, &Limits::default()).map(|(_, end)| end).unwrap_err().kind, ErrorKind::Empty);
}

#[test]
fn positions_count_lines_and_characters() {
    let text = "{\n  \"اسم\": x\n}".as_bytes();
    let offset = text.iter().position(|byte| *byte == b'x').unwrap();
    assert_eq!(position(text, offset), (2, 10));
    assert_eq!(position(text, 0), (1, 1));
    assert_eq!(position(text, text.len() + 5), (3, 2));
}

#[test]
fn hostile_texts_cost_little() {
    let wide = Limits { max_depth: 64, max_bytes: 64 << 20, max_values: 2_000_000 };
    let mut tape = Tape::new();
    let deep = "[".repeat(1 << 20);
    assert_eq!(tape.parse(deep.as_bytes(), &wide).map(|_| ()).unwrap_err().offset, 64);
    let list = format!("[{}0]", "0,".repeat(1_000_000));
    assert_eq!(tape.parse(list.as_bytes(), &wide).map(|value| value.len()), Ok(1_000_001));
    assert_eq!(
        tape.parse(list.as_bytes(), &Limits::default()).map(|_| ()).unwrap_err().kind,
        ErrorKind::Values(1_000_000)
    );
    // A million names that share their first and last eight bytes and so their mark, the last twice.
    let members: Vec<String> = (0..1_000_000).map(|n| format!("\"aaaaaaaa{n:06}bbbbbbbb\":0")).collect();
    let object = format!("{{{},\"aaaaaaaa999999bbbbbbbb\":1}}", members.join(","));
    let error = tape.parse(object.as_bytes(), &wide).map(|_| ()).unwrap_err();
    assert_eq!(error, Error { offset: object.len() - 27, kind: ErrorKind::DuplicateKey });
    let backslashes = format!("\"{}\"", "\\".repeat(1 << 20));
    assert!(tape.parse(backslashes.as_bytes(), &wide).is_ok());
}
