//! Lines that claim to be of an EVE log: whole or in pieces they are read alike, and none takes another with it.
#![no_main]

libfuzzer_sys::fuzz_target!(|log: &[u8]| watch_fuzz::check(watch::scan::Format::Eve, log));

#[path = "watch_fuzz/mod.rs"]
mod watch_fuzz;
