//! What the same bytes cost others.

use super::generate::{Generator, Style};
use super::{PIECE, SEED, indicators};
use crate::clock;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

/// Calls `read` with pieces of a log until there were so many bytes; what that cost, and how many bytes and lines it was.
fn pieces(style: Style, count: u64, bytes: usize, read: &mut dyn FnMut(&mut [u8])) -> (Duration, usize, u64) {
    let mut log = Generator::new(style, count, SEED);
    let (mut cost, mut total, mut lines, mut piece) = (Duration::ZERO, 0, 0, Vec::new());
    while total < bytes {
        piece.clear();
        log.fill(&mut piece, PIECE);
        total += piece.len();
        lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        let watch = clock::Watch::start();
        read(&mut piece);
        cost += watch.cost().cpu;
    }
    (cost, total, lines)
}

/// simd-json's tape of every line, its buffers kept, nothing looked up.
pub fn tape(style: Style, count: u64, bytes: usize) -> (Duration, usize, u64) {
    let mut buffers = simd_json::Buffers::new(1 << 16);
    let mut kept = simd_json::Tape(Vec::new());
    pieces(style, count, bytes, &mut |piece| {
        for line in piece.split_mut(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut tape = std::mem::replace(&mut kept, simd_json::Tape(Vec::new())).reset();
            simd_json::fill_tape(line, &mut buffers, &mut tape).expect("JSON");
            kept = tape.reset();
        }
    })
}

/// sonic-rs's value of every line, nothing looked up.
pub fn value(style: Style, count: u64, bytes: usize) -> (Duration, usize, u64) {
    pieces(style, count, bytes, &mut |piece| {
        for line in piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            drop(black_box(sonic_rs::from_slice::<sonic_rs::Value>(line).expect("JSON")));
        }
    })
}

#[derive(serde::Deserialize)]
struct Line<'l> {
    #[serde(borrow, rename = "id.orig_h")]
    orig: Option<&'l str>,
    #[serde(borrow, rename = "id.resp_h")]
    resp: Option<&'l str>,
    #[serde(borrow)]
    query: Option<&'l str>,
    #[serde(borrow, default)]
    answers: Vec<&'l str>,
    #[serde(borrow)]
    host: Option<&'l str>,
    #[serde(borrow)]
    uri: Option<&'l str>,
    #[serde(borrow)]
    referrer: Option<&'l str>,
    #[serde(borrow)]
    md5: Option<&'l str>,
    #[serde(borrow)]
    sha1: Option<&'l str>,
    #[serde(borrow)]
    sha256: Option<&'l str>,
}

/// What a short program does: serde into a struct, and a hash map of the values as they are written. It misses capitals,
/// names below others, and networks.
pub fn typed(count: u64, bytes: usize) -> (Duration, usize, u64, usize) {
    let map: HashMap<String, u64> = (0..count)
        .map(|number| (indicators::indicator(number).value.trim_start_matches("http://").to_owned(), number))
        .collect();
    let mut told = 0;
    let (cost, read, lines) = pieces(Style::ZeekJson, count, bytes, &mut |piece| {
        let mut url = String::new();
        for line in piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Line<'_> = serde_json::from_slice(line).expect("a line of Zeek");
            let mut ask = |value: &str| told += usize::from(map.contains_key(value));
            [line.orig, line.resp, line.query, line.host, line.md5, line.sha1, line.sha256].into_iter().flatten().for_each(&mut ask);
            line.answers.into_iter().for_each(&mut ask);
            if let (Some(host), Some(uri)) = (line.host, line.uri) {
                url.clear();
                url.push_str(host);
                url.push_str(uri);
                ask(&url);
            }
            if let Some(referrer) = line.referrer {
                ask(referrer.trim_start_matches("http://"));
            }
        }
    });
    (cost, read, lines, told)
}
