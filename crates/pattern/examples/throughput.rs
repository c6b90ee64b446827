//! Patterns checked in a second on one core: `cargo run --release -p marsad-pattern --example throughput`.

use std::hint::black_box;
use std::time::Instant;

/// The kinds that make up most feeds, in about equal parts.
const PATTERNS: [&str; 8] = [
    "[ipv4-addr:value = '198.51.100.7']",
    "[domain-name:value = 'login.portal.example']",
    "[url:value = 'https://login.portal.example/a/b/c?d=e']",
    "[file:hashes.'SHA-256' = '00000000000000000000000000000000000000000000000000000000000000ff']",
    "[file:hashes.MD5 = '000000000000000000000000000000ff' OR file:name = 'invoice.pdf.exe']",
    "[email-message:sender_ref.value = 'desk@portal.example' AND email-message:subject = 'Invoice']",
    "[windows-registry-key:key = 'HKEY_CURRENT_USER\\\\Software\\\\Example\\\\Run']",
    "[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port = 443] REPEATS 5 TIMES WITHIN 1800 SECONDS",
];

fn main() {
    let rounds = 300_000;
    let started = Instant::now();
    let mut faults = 0;
    for _ in 0..rounds {
        for text in PATTERNS {
            faults += pattern::check(black_box(text)).len();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let count = f64::from(rounds) * 8.0;
    println!("{:.2} million patterns a second, {faults} faults", count / seconds / 1e6);
}
