//! What the same bytes cost others.

use super::generate::{Generator, Style};
use super::{MILLION, PIECE, SEED, indicators};
use crate::clock;
use crate::corpus::Size;
use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
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

/// One search: its name, cost, bytes and lines found, or why there is none.
type Search = Result<(String, Duration, usize, String), String>;

/// Searches for all values of the list as strings in a part of a log. A million strings take gigabytes and minutes, so a
/// quick run takes fewer.
pub fn searches(size: Size) -> Vec<Search> {
    let (count, bytes) = if size == Size::Quick { (MILLION / 20, 20 << 20) } else { (MILLION, 100 << 20) };
    let folder = std::env::temp_dir().join(format!("marsad-telemetry-{}", std::process::id()));
    let found = [("rg", "rg -a -F -c -f"), ("grep", "LC_ALL=C grep -a -F -c -f")]
        .map(|(program, command)| search(&folder, program, command, count, bytes).map_err(|why| format!("{command}: {why}")));
    let _ = std::fs::remove_dir_all(&folder);
    found.into()
}

fn search(folder: &Path, program: &str, command: &str, count: u64, bytes: usize) -> Search {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
        return Err(format!("`{program}` is not installed"));
    }
    let (list, log) = (folder.join("list"), folder.join("log"));
    if !log.exists() {
        prepare(folder, &list, &log, count, bytes).map_err(|error| error.to_string())?;
    }
    // More memory than this is not there to be had beside a benchmark.
    let script = format!("ulimit -v 12000000; TIMEFORMAT='%U %S'; time {command} \"$0\" \"$1\"");
    let out = std::process::Command::new("bash").arg("-c").arg(script).arg(&list).arg(&log).output();
    let out = out.map_err(|error| error.to_string())?;
    let told = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    if told.is_empty() {
        return Err(format!("failed on {count} strings: {}", words.lines().next().unwrap_or_default()));
    }
    let last = words.trim().lines().last().unwrap_or_default();
    let seconds: f64 = last.split(' ').filter_map(|word| word.parse::<f64>().ok()).sum();
    Ok((format!("`{command}`, {count} strings"), Duration::from_secs_f64(seconds), bytes, told))
}

fn prepare(folder: &Path, list: &Path, log: &Path, count: u64, bytes: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(list)?);
    for number in 0..count {
        writeln!(out, "{}", indicators::indicator(number).value.trim_start_matches("http://"))?;
    }
    out.flush()?;
    let mut generator = Generator::new(Style::ZeekJson, count, SEED);
    let (mut out, mut read, mut piece) = (std::fs::File::create(log)?, 0, Vec::new());
    while read < bytes {
        piece.clear();
        generator.fill(&mut piece, PIECE);
        read += piece.len();
        out.write_all(black_box(&piece))?;
    }
    Ok(())
}
