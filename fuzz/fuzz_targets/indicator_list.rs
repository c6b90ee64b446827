#![no_main]
//! Hostile lists of indicators: everything is counted once, and every claim that was taken leads back to an indicator.

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use watch::set::Builder;

fuzz_target!(|file: &[u8]| {
    let mut builder = Builder::new([1; 32]);
    let Ok(mut loaded) = watch::list::read(Cursor::new(file), &mut builder) else { return };
    let report = &loaded.report;
    assert!(report.first.len() as u64 <= report.refused && report.first.len() <= 20);
    assert_eq!(builder.len() as u64, report.taken);
    for place in 0..file.len().min(200) as u64 {
        if let Some(indicator) = loaded.names.indicator(place).unwrap() {
            let _ = indicator.label();
            for claim in &indicator.claims {
                let _ = indicator.meets(claim.kind, claim.value.as_bytes());
            }
        }
    }
});
