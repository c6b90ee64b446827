//! Any bytes as text: what is extracted is never empty, and every piece that has no disguise stands in the text.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let plain = !bytes.iter().any(|byte| matches!(byte, b'[' | b'(' | b'{' | b'\\' | b'x' | b'X' | b'f' | b'F'));
    watch::text::Extractor::new().each(bytes, &mut |_, value| {
        assert!(!value.is_empty());
        assert!(!plain || bytes.windows(value.len()).any(|window| window == value));
    });
});
