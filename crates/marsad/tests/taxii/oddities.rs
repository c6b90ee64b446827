//! Requests that are no HTTP, or almost (RFC 9112): refused, never guessed at.

use super::objects::{envelope, tools};
use super::server::{ANALYST, Node};

/// A request from its first line and headers, `|` between them, as they stand.
fn raw(head: &str, body: &str) -> Vec<u8> {
    let head = head.replace('|', "\r\n").replace("ME", &format!("Authorization: {ANALYST}"));
    format!("{head}\r\n\r\n{body}").into_bytes()
}

/// Sends the bytes and gives the status; 0 for a connection that is closed without a word.
fn send(node: &Node, bytes: &[u8]) -> u16 {
    let mut connection = node.connect();
    connection.write(bytes);
    let Some(answer) = connection.answer(false) else { return 0 };
    node.tells_nothing(&answer);
    answer.status
}

#[test]
fn heads() {
    let node = Node::start(&[]);
    let long = "x".repeat(100_000);
    let many: String = (0..200).map(|n| format!("|X-A{n}: b")).collect();
    let table: &[(&str, u16)] = &[
        ("GET /taxii2/ HTTP/1.1|Host: a|ME", 200),
        ("GET /taxii2/ HTTP/1.0|ME", 200),
        ("GET http://a/taxii2/ HTTP/1.1|Host: a|ME", 200),
        // Exactly one Host (RFC 9112 §3.2).
        ("GET /taxii2/ HTTP/1.1|ME", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|Host: b|ME", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a b|ME", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|Content-Length: x", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|Content-Length: -1", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|Content-Length: 1|Content-Length: 2", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|Content-Length: 1, 2", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|Transfer-Encoding: gzip", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|Transfer-Encoding: chunked, identity", 400),
        ("GET /taxii2/ HTTP/1.1|Host : a|ME", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|: b", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|X-A: \0", 400),
        ("GET /taxii2/ HTTP/1.1|Host: a|ME|frobnicate", 400),
        ("GET /taxii2/ HTTP/9.9|Host: a|ME", 400),
        ("GET  /taxii2/ HTTP/1.1|Host: a|ME", 400),
        ("GET /tax ii2/ HTTP/1.1|Host: a|ME", 400),
        ("frobnicate", 400),
        ("\0\u{1}\u{2}\u{3}", 400),
    ];
    for (head, status) in table {
        assert_eq!(send(&node, &raw(head, "")), *status, "{head}");
    }
    let large = [
        (format!("GET /taxii2/?{long} HTTP/1.1|Host: a|ME"), [414, 431]),
        (format!("GET /taxii2/ HTTP/1.1|Host: a|ME|X-A: {long}"), [431, 431]),
        (format!("GET /taxii2/ HTTP/1.1|Host: a|ME{many}"), [431, 431]),
        (format!("GET /taxii2/ HTTP/1.1|Host: a|Authorization: Basic {}", &long[..20_000]), [401, 401]),
        ("GET /taxii2/ HTTP/1.1|Host: a|Authorization: Basic \u{e9}".into(), [401, 401]),
    ];
    for (head, statuses) in large {
        let status = send(&node, &raw(&head, ""));
        assert!(statuses.contains(&status), "{status}: {}", &head[..60]);
    }
    node.still_serves();
}

/// Where a body ends is never a matter of opinion.
#[test]
fn bodies() {
    let node = Node::start(&[]);
    let line = format!(
        "POST /exchange/collections/both/objects/ HTTP/1.1|Host: a|ME|Content-Type: {}|Connection: close",
        super::TAXII
    );
    let body = envelope(&tools(1..2));
    let size = body.len();
    let chunk = format!("{size:x}\r\n{body}\r\n0\r\n\r\n");
    let table: &[(String, &str, u16)] = &[
        (format!("Content-Length: {size}"), &body, 202),
        ("Transfer-Encoding: chunked".into(), &chunk, 202),
        ("Transfer-Encoding: chunked".into(), "zz\r\n{}\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked".into(), "-2\r\n{}\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked".into(), "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked".into(), "2\r\n{}frobnicate\r\n0\r\n\r\n", 400),
        (format!("Content-Length: {size}|Content-Length: {}", size - 1), &body, 400),
        // Neither told nor chunked: there is none.
        ("X-A: b".into(), &body, 422),
    ];
    for (headers, body, status) in table {
        assert_eq!(send(&node, &raw(&format!("{line}|{headers}"), body)), *status, "{headers} {body}");
    }
    // Told both ways, chunks win or it is refused (RFC 9112 §6.3); what follows is never a second request.
    let both = format!("{line}|Transfer-Encoding: chunked|Content-Length: 5").replace("|Connection: close", "");
    let smuggled = "0\r\n\r\nGET /taxii2/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut connection = node.connect();
    connection.write(&raw(&both, smuggled));
    let first = connection.answer(false).unwrap().status;
    assert!([400, 422].contains(&first), "{first}");
    node.still_serves();
}
