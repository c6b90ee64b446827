//! Any text as a cursor: refused, unless it is one that the signer gave for the same query.

#![no_main]

use libfuzzer_sys::fuzz_target;
use taxii::cursor::Signer;

fuzz_target!(|data: &[u8]| {
    let signer = Signer::new([7; 32]);
    let Some((position, rest)) = data.split_first_chunk::<8>() else { return };
    let position = i64::from_be_bytes(*position);
    let good = signer.sign(position, "objects c", "filters");
    assert_eq!(signer.open(&good, "objects c", "filters"), Ok(position));
    assert!(signer.open(&good, "objects c", "").is_err());
    let Ok(text) = std::str::from_utf8(rest) else { return };
    // Whatever the text is laid over: nothing else than the cursor itself is opened.
    let laid: String = text.chars().chain(good.chars().skip(text.chars().count())).collect();
    for forged in [text, laid.as_str()] {
        assert!(signer.open(forged, "objects c", "filters").is_err() || forged == good);
    }
});
