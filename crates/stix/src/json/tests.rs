use super::*;

#[track_caller]
fn refused(text: &[u8], offset: usize, kind: ErrorKind) {
    let limits = Limits { max_depth: 4, max_bytes: 100, max_values: 20 };
    let mut tape = Tape::new();
    let error = tape.parse(text, &limits).map(|value| value.span()).unwrap_err();
    assert_eq!(error, Error { offset, kind }, "{}", String::from_utf8_lossy(text));
}

#[test]
fn refuses_what_is_not_interoperable_json() {
    refused(b"", 0, ErrorKind::Empty);
    refused(b" \n", 2, ErrorKind::Empty);
    refused(b"[1,", 3, ErrorKind::Truncated);
    refused(b"[1,]", 3, ErrorKind::ExpectedValue);
    refused(b"{\"a\":1,}", 7, ErrorKind::ExpectedKey);
    refused(b"[1] 2", 4, ErrorKind::Trailing);
    refused(b"[01]", 2, ErrorKind::Number);
    refused(b"[\"\xff\"]", 2, ErrorKind::Utf8);
    refused(br#"["\ud800"]"#, 2, ErrorKind::LoneSurrogate);
    refused(br#"{"a":1,"\u0061":2}"#, 7, ErrorKind::DuplicateKey);
    refused(b"[[[[[", 4, ErrorKind::Depth(4));
}

#[test]
fn reads_what_was_written() {
    let mut tape = Tape::new();
    let text = br#" {"a": [1, -2.5, "x\ny", true, null], "b": {}} "#;
    let value = tape.parse(text, &Limits::default()).unwrap();
    let items: Vec<Value<'_>> = value.get("a").unwrap().items().collect();
    assert_eq!(items.len(), 5);
    assert_eq!(items[0].as_i64(), Some(1));
    assert_eq!(items[1].as_f64(), Some(-2.5));
    assert_eq!(items[2].as_str().as_deref(), Some("x\ny"));
    assert_eq!(items[3].as_bool(), Some(true));
    assert_eq!(items[4].kind(), Kind::Null);
    assert_eq!(value.get("b").unwrap().text(), b"{}");
    assert_eq!(value.span(), 1..text.len() - 1);
}
