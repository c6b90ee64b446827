//! Any bytes, cut anywhere: no reader of telemetry panics, and what is given has a value and stands in order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use watch::input::{Cutter, Wanted, detect};
use watch::read::{Capture, Csv, FieldMap, JsonLines, Lines, Octets, Plain, Reader, Syslog};

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (which, cut, bytes) = input;
    let map = FieldMap::default();
    let mut reader: Box<dyn Reader> = match which % 6 {
        0 => Box::new(Lines::new(JsonLines::new(map))),
        1 => Box::new(Csv::new(map)),
        2 => Box::new(Lines::new(Syslog::new(map))),
        3 => Box::new(Octets::new(map)),
        4 => Box::new(Lines::new(Plain::new())),
        _ => Box::new(Capture::new()),
    };
    let mut last = 0;
    let mut sink = |event: &watch::Event<'_>| {
        assert!(!event.fields.is_empty());
        assert!(event.fields.iter().all(|field| !field.value.is_empty()));
        assert!(event.line >= last || which % 6 == 5, "{} after {last}", event.line);
        last = event.line;
    };
    let mut cutter = Cutter::at(0, 1, reader.by_lines());
    for piece in bytes.chunks(usize::from(cut).max(1)) {
        cutter.push(piece, &mut |block, first| reader.block(block, first, &mut sink));
        assert!(reader.pending() <= bytes.len());
    }
    cutter.rest(&mut |block, first| reader.block(block, first, &mut sink));
    reader.end(&mut sink);
    let _ = detect(bytes, Wanted::Auto);
});
