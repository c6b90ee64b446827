//! HTTP/1 requests: RFC 9112 §3.

use super::flow::Turn;
use crate::read::gather::Gather;
use crate::{Detail, Meaning};
use memchr::memmem;

/// The longest head of a request.
const LONGEST_HEAD: usize = 1 << 16;

const METHODS: [&[u8]; 14] = [
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"PATCH ",
    b"TRACE ",
    b"PROPFIND ",
    b"MKCOL ",
    b"REPORT ",
    b"SEARCH ",
    b"MOVE ",
];

/// Reads the request at the beginning.
pub(super) fn read(bytes: &[u8], gather: &mut Gather) -> Turn {
    let begins = |method: &&[u8]| {
        let length = bytes.len().min(method.len());
        bytes.get(..length) == method.get(..length)
    };
    if !METHODS.iter().any(begins) {
        return Turn::Done;
    }
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > LONGEST_HEAD { Turn::Done } else { Turn::More };
    };
    let head = bytes.get(..end).unwrap_or_default();
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut request = lines.next().unwrap_or_default().split(|&byte| byte == b' ');
    let (method, target) = (request.next().unwrap_or_default(), request.next().unwrap_or_default());
    let mut host: &[u8] = b"";
    let mut body = Some(0);
    for line in lines {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) =
            (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default().trim_ascii());
        if name.eq_ignore_ascii_case(b"host") {
            host = value;
        } else if name.eq_ignore_ascii_case(b"user-agent") {
            gather.push("http.user_agent", Meaning::UserAgent, value);
        } else if name.eq_ignore_ascii_case(b"referer") {
            gather.url("http.referer", value);
        } else if name.eq_ignore_ascii_case(b"x-forwarded-for") {
            gather.text("http.x_forwarded_for", value);
        } else if name.eq_ignore_ascii_case(b"content-length") {
            body = std::str::from_utf8(value).ok().and_then(|length| length.parse().ok());
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            body = None;
        }
    }
    let version = request.next().unwrap_or_default();
    for (name, detail, value) in [
        ("protocol", Detail::Protocol, &b"http"[..]),
        ("http.method", Detail::Method, method),
        ("http.target", Detail::Target, target),
        ("http.version", Detail::Version, version),
    ] {
        gather.push(name, Meaning::Detail(detail), value);
    }
    gather.push("http.host", Meaning::Host, host);
    url(method, host, target, gather);
    match body {
        // What is in a tunnel or behind a body without a length is not HTTP that we could find.
        Some(skip) if method != b"CONNECT" => Turn::Read { bytes: end + 4, skip },
        _ => Turn::Done,
    }
}

/// The URL of a request, as the proxies and sensors write it. RFC 9112 §3.3.
fn url(method: &[u8], host: &[u8], target: &[u8], gather: &mut Gather) {
    if memmem::find(target, b"://").is_some_and(|at| at < 16) {
        gather.url("http.url", target);
    } else if method == b"CONNECT" {
        gather.push("http.host", Meaning::Host, target);
    } else if !host.is_empty() && target.starts_with(b"/") {
        gather.push("http.url", Meaning::Url, &[b"http://", host, target].concat());
    }
}
