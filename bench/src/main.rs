//! Marsad beside its peers and its limits: every row is measured in this run, the peer or limit next to it.
//!
//! `marsad-bench [all|validate|append|import|post|pages|sharing|viewers|handover|partners|meeting|packages|signatures|indicators|telemetry|rules|patterns|live] [--quick]`;
//! `meeting-million` holds a blind meeting of a million values with a million. The binary under test is named by `MARSAD_BIN`.
//! Results go to stdout as Markdown tables, progress to stderr.

mod clock;
mod corpus;
mod disk;
mod follow;
mod handover;
mod indicators;
mod live;
mod meeting;
mod packages;
mod rules;
mod server;
mod signatures;
mod sharing;
mod viewers;
mod pages;
mod partners;
mod patterns;
mod post;
mod append;
mod table;
mod telemetry;
mod validate;
mod wire;

use std::process::ExitCode;

/// The one of the program, so that what is measured within this process is what runs; peers' rows have it as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().map(String::as_str) == Some("serve-memory") {
        return pages::serve_memory();
    }
    if words.first().map(String::as_str) == Some(post::GROUP_COMMIT) {
        return post::group_commit(words.get(1).and_then(|word| word.parse().ok()).unwrap_or(1.0));
    }
    if words.first().map(String::as_str) == Some(meeting::MILLION) {
        meeting::million();
        return ExitCode::SUCCESS;
    }
    let quick = words.iter().any(|word| word == "--quick");
    let what = words.iter().find(|word| !word.starts_with('-')).map_or("all", String::as_str);
    let size = if quick { corpus::Size::Quick } else { corpus::Size::Full };
    let mut ran = false;
    for (name, run) in STEPS {
        if what == "all" || what == name {
            eprintln!("== {name}");
            run(size);
            ran = true;
        }
    }
    if ran {
        return ExitCode::SUCCESS;
    }
    eprintln!("no benchmark `{what}`; there are: all {}", STEPS.map(|(name, _)| name).join(" "));
    ExitCode::from(2)
}

const STEPS: [(&str, fn(corpus::Size)); 18] = [
    ("machine", table::machine),
    ("validate", validate::run),
    ("append", append::run),
    ("import", server::import),
    ("post", post::run),
    ("pages", pages::run),
    ("sharing", sharing::run),
    ("viewers", viewers::run),
    ("handover", handover::run),
    ("partners", partners::run),
    ("meeting", meeting::run),
    ("packages", packages::run),
    ("signatures", signatures::run),
    ("indicators", indicators::run),
    ("telemetry", telemetry::run),
    ("rules", rules::run),
    ("patterns", patterns::run),
    ("live", live::run),
];
