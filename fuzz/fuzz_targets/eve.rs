//! Lines that claim to be of an EVE log: whole or in pieces they are read alike, and none takes another with it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&[u8], u8)| watch_fuzz::check(watch::scan::Format::Eve, input.0, input.1));

#[path = "watch_fuzz/mod.rs"]
mod watch_fuzz;
