//! What lies under TAXII: compression both ways, and connections that are used again.

use super::TAXII;
use super::objects::{envelope, id, labels, object, tools};
use super::server::{ANALYST, Node};
use super::wire::Request;
use std::io::{Read as _, Write as _};

const OBJECTS: &str = "/exchange/collections/both/objects/";

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn packed_answers() {
    let node = Node::start(&[]);
    node.add("both", &tools(1..200));
    let plain = node.get(OBJECTS);
    assert_eq!(plain.header("content-encoding"), None);
    let table = [
        ("gzip", Some("gzip")),
        ("zstd", Some("zstd")),
        ("br", Some("br")),
        ("gzip;q=0.5, zstd;q=1", Some("zstd")),
        ("gzip;q=0", None),
        ("identity", None),
        ("compress", None),
        ("frobnicate;q=x", None),
        ("", None),
    ];
    for (accepted, wanted) in table {
        let request = Request::new("GET", OBJECTS).by(ANALYST).with("Accept-Encoding", accepted);
        let answer = node.send(&request);
        assert_eq!((answer.status, answer.header("content-encoding")), (200, wanted), "{accepted}");
        assert_eq!(answer.header("content-type"), Some(TAXII), "{accepted}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"), "{accepted}");
        assert_eq!(answer.header("x-taxii-date-added-last"), plain.header("x-taxii-date-added-last"));
        assert!(wanted.is_none() || answer.body.len() < plain.body.len() / 4, "{accepted}");
        let unpacked = match wanted {
            Some("gzip") => gunzip(&answer.body),
            Some("zstd") => zstd::decode_all(answer.body.as_slice()).unwrap(),
            // There is no decoder at hand.
            Some(_) => continue,
            None => answer.body,
        };
        assert!(unpacked == plain.body, "{accepted}");
    }
    let refused = Request::new("GET", "/exchange/nowhere/").by(ANALYST).with("Accept-Encoding", "gzip");
    let refused = node.connect().ask(&refused).unwrap();
    assert!(String::from_utf8(gunzip(&refused.body)).unwrap().contains("not found"));
    assert_eq!(refused.status, 404);
}

#[test]
fn packed_requests() {
    let node = Node::start(&[]);
    let body = envelope(&tools(1..3));
    let zstd = zstd::encode_all(body.as_bytes(), 0).unwrap();
    let gzipped = gzip(body.as_bytes());
    let table: &[(&str, &[u8], u16)] = &[
        ("identity", body.as_bytes(), 202),
        ("gzip", &gzipped, 202),
        ("zstd", &zstd, 202),
        ("gzip", body.as_bytes(), 400),
        ("gzip", &gzipped[..gzipped.len() / 2], 400),
        ("gzip", &zstd, 400),
        ("zstd", &gzipped, 400),
        ("zstd", &zstd[..zstd.len() / 2], 400),
        // Not unpacked: refused before it is looked at.
        ("br", body.as_bytes(), 415),
        ("deflate", body.as_bytes(), 415),
        ("gzip, gzip", &gzip(&gzipped), 415),
        ("frobnicate", body.as_bytes(), 415),
    ];
    for (encoding, body, status) in table {
        let request = Request::new("POST", OBJECTS).by(ANALYST).carrying(body).with("Content-Encoding", encoding);
        for request in [request.clone(), request.chunked(10)] {
            let answer = node.send(&request);
            assert_eq!(answer.status, *status, "{encoding}: {}", answer.text());
            assert_eq!(answer.header("accept-encoding").is_some(), *status == 415, "what it takes is said");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{encoding}");
        }
    }
    assert_eq!(labels(&node.get(OBJECTS)), ["tool1/1", "tool2/1"]);
}

/// A hundred requests of every kind over one connection.
#[test]
fn one_connection() {
    let node = Node::start(&[]);
    let mut connection = node.connect();
    for turn in 0..20 {
        let new = envelope(&[object("tool", turn, 1)]);
        let one = format!("{OBJECTS}{}/", id("tool", turn));
        for (request, status) in [
            (Request::new("POST", OBJECTS).by(ANALYST).carrying(new.as_bytes()), 202),
            (Request::new("GET", &one).by(ANALYST), 200),
            (Request::new("HEAD", &one).by(ANALYST), 200),
            (Request::new("GET", "/nowhere/").by(ANALYST), 404),
            (Request::new("OPTIONS", OBJECTS), 204),
        ] {
            let answer = connection.ask(&request).expect("the connection is kept");
            assert_eq!(answer.status, status, "{turn}: {}", answer.text());
        }
    }
    // Written at once, they are answered in turn.
    let ask = |path: &str| Request::new("GET", path).by(ANALYST).bytes();
    connection.write(&[ask("/taxii2/"), ask("/nowhere/"), ask("/exchange/")].concat());
    let answers = [(); 3].map(|()| connection.answer(false).unwrap().status);
    assert_eq!(answers, [200, 404, 200]);
    assert_eq!(node.get(&format!("{OBJECTS}?limit=100")).list("objects").len(), 20);
}
