//! Any bytes as a package or a part, and any change of a whole package: nothing panics, and nothing that was changed is whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partner::key::{KeyId, Keys};
use partner::package::part::Part;
use partner::package::{CHUNK_LEAST, Draft, Header, Limits, Opener, Sealer, Sender};
use partner::signed;
use std::sync::LazyLock;

const NODE: &str = "identity--00000000-0000-4000-8000-000000000001";

static SENDER: LazyLock<Keys> = LazyLock::new(|| Keys::of(&[1; 32]));
static READER: LazyLock<Keys> = LazyLock::new(|| Keys::of(&[2; 32]));
/// Two chunks, a page of objects and a statement.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let recipients = [READER.public()];
    let draft = Draft {
        from: NODE,
        keys: &SENDER,
        recipients: &recipients,
        series: "fuzz",
        number: 1,
        previous: None,
        created: 0,
        expires: None,
        answer: true,
        chunk: CHUNK_LEAST,
    };
    let mut sealer = Sealer::begin(&draft, &[3; 48], Vec::new()).expect("begins");
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..70_000).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    }).collect();
    for object in [&b"{}"[..], &noise, b""] {
        sealer.object(object).expect("fits");
    }
    sealer.end_page().expect("fits");
    sealer.mail(b"{\"a\":1}").expect("fits");
    sealer.finish().expect("ends").0
});

fn trust(key: &KeyId) -> Result<Sender, signed::Error> {
    if *key != SENDER.public().id() {
        return Err(signed::Error::Key(key.clone()));
    }
    Ok(Sender { organisation: "fuzz".into(), node: NODE.into(), sign: SENDER.public().sign })
}

fn opens(bytes: &[u8]) -> bool {
    let limits = Limits { bytes: 1 << 20, objects: 100, ..Limits::default() };
    Opener::begin(bytes, &[&READER], &trust, &limits, 0).and_then(Opener::finish).is_ok()
}

fuzz_target!(|data: &[u8]| {
    let _ = Header::read(data);
    let _ = Part::read(&mut &data[..], &trust);
    assert!(!opens(data) || data == &WHOLE[..]);
    // Three bytes where, one by what; then bytes in the place of the end.
    let mut bent = WHOLE.clone();
    let Some((first, rest)) = data.split_first() else { return };
    let (edits, tail) = rest.split_at(rest.len().min(usize::from(*first % 8) * 4));
    for edit in edits.chunks_exact(4) {
        let at = usize::from(edit[0]) << 16 | usize::from(edit[1]) << 8 | usize::from(edit[2]);
        let length = bent.len();
        bent[at % length] ^= edit[3];
    }
    if let Some((cut, tail)) = tail.split_first_chunk::<2>() {
        let keep = bent.len().saturating_sub(usize::from(u16::from_be_bytes(*cut)));
        bent.truncate(keep);
        bent.extend_from_slice(tail);
    }
    assert_eq!(opens(&bent), bent == *WHOLE);
});
