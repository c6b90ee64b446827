//! Parse and validate, beside the fastest JSON parsers on the same bytes and beside the peers that validate.

use crate::corpus::{self, Size};
use crate::{clock, row, table};
use std::hint::black_box;

pub fn run(size: Size) {
    let (name, text) = corpus::enterprise();
    let megabytes = text.len() as f64 / 1e6;
    let times = if size == Size::Quick { 5 } else { 11 };
    let mut rows = vec![row!["what", "CPU ms", "MB/s", "objects a CPU second", "Marsad is"]];

    let mut validator = stix::validate::Validator::new(stix::validate::Options::default());
    let report = validator.document(&text);
    let objects = report.objects() as f64;
    let errors = report.errors();
    // Turn by turn, so that a busy neighbour disturbs both alike. simd-json keeps its buffers and its tape, and the copy
    // of the text that it needs is not counted.
    let (mut ours, mut tapes) = (Vec::new(), Vec::new());
    let mut buffers = simd_json::Buffers::new(text.len());
    let mut kept = simd_json::Tape(Vec::new());
    for _ in 0..times {
        let watch = clock::Watch::start();
        black_box(validator.document(black_box(&text)));
        ours.push(watch.cost());
        let mut copy = text.clone();
        let mut tape = kept.reset();
        let watch = clock::Watch::start();
        simd_json::fill_tape(&mut copy, &mut buffers, &mut tape).expect("parses");
        tapes.push(watch.cost());
        kept = tape.reset();
    }
    let (ours, tape) = (clock::middle(ours), clock::middle(tapes));
    let whole = objects;

    let mut add = |what: &str, cost: std::time::Duration, objects: f64, megabytes: f64| {
        let seconds = cost.as_secs_f64();
        let ratio = (ours.cpu.as_secs_f64() / whole) / (seconds / objects);
        let is = if ratio > 1.0 { format!("{ratio:.2}x the time") } else { format!("{:.1}x faster", 1.0 / ratio) };
        rows.push(row![
            what, format!("{:.1}", seconds * 1e3), format!("{:.0}", megabytes / seconds), format!("{:.0}", objects / seconds), is
        ]);
    };
    add("**Marsad, parse and validate**", ours.cpu, objects, megabytes);
    add("simd-json, tape (limit: at most 3x)", tape.cpu, objects, megabytes);
    let value = clock::median(times.min(5), || {
        black_box(serde_json::from_slice::<serde_json::Value>(&text).expect("parses"));
    });
    add("serde_json, Value", value.cpu, objects, megabytes);
    let as_text = std::str::from_utf8(&text).expect("UTF-8");
    let strict = rstix::validate::Validator::consumer_strict();
    let peer = strict.phases().iter().fold(rstix::validate::Validator::builder(), |all, phase| all.with_phase(*phase));
    let peer = peer.with_allow_custom(true).build();
    let rstix = clock::median(3, || {
        black_box(peer.validate_json_str(as_text));
    });
    add("rstix 0.23, validate (peer: at least 12x)", rstix.cpu, objects, megabytes);
    match reference(size, &text) {
        Some((cost, objects, megabytes)) => add("stix2-validator 3.3 (peer: at least 600x)", cost, objects, megabytes),
        None => eprintln!("stix2_validator is not installed: its row is left out"),
    }
    table::print(&format!("Parse and validate: {name}, {objects} objects, {megabytes:.1} MB, {errors} errors found"), &rows);
}

/// The reference validator as a whole process on the same file (a part of it when quick), start-up taken off.
fn reference(size: Size, text: &[u8]) -> Option<(std::time::Duration, f64, f64)> {
    let program = std::env::var("STIX2_VALIDATOR").unwrap_or_else(|_| "stix2_validator".into());
    let wanted = if size == Size::Quick { 1_000 } else { usize::MAX };
    let objects: Vec<Vec<u8>> = stix::split::objects(text).take(wanted).map(|o| o.expect("object").text.to_vec()).collect();
    let folder = std::env::temp_dir().join(format!("marsad-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).ok()?;
    let measure = |objects: &[Vec<u8>]| {
        let path = folder.join("bundle.json");
        let bundle = corpus::bundle(objects);
        std::fs::write(&path, &bundle).ok()?;
        let out = std::process::Command::new("/usr/bin/env")
            .args(["bash", "-c", "TIMEFORMAT='%U %S'; time \"$0\" -q \"$1\" >/dev/null 2>&1", &program])
            .arg(&path)
            .output()
            .ok()?;
        let line = String::from_utf8_lossy(&out.stderr);
        let seconds: f64 = line.trim().lines().last()?.split(' ').filter_map(|word| word.parse::<f64>().ok()).sum();
        (seconds > 0.2).then_some((seconds, bundle.len() as f64 / 1e6))
    };
    let (idle, _) = measure(objects.get(..1)?)?;
    let (busy, megabytes) = measure(&objects)?;
    let _ = std::fs::remove_dir_all(folder);
    Some((std::time::Duration::from_secs_f64(busy - idle), objects.len() as f64, megabytes))
}
