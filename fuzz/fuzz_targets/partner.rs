//! Any bytes, and any bytes in the place of a part of a true card or statement: read or refused, what is read is the same when
//! it is written and read again, and what counts says exactly what was signed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partner::envelope::{self, Said};
use partner::key::Keys;
use partner::notice::{GroupNotice, OnLeave};
use partner::recall::{Act, Recall};
use partner::receipt::{Downstream, Outcome, Receipt};
use partner::signed::{self, Kind};
use partner::trust::{Keyring, Standing};
use partner::{card, seal, words};
use std::sync::LazyLock;
use stix::json::{Limits, Tape};

const AT: &str = "2026-01-02T03:04:05.678Z";
const NODE: &str = "identity--00000000-0000-4000-8000-000000000001";
const OBJECT: &str = r#"{"type":"tool","spec_version":"2.1","id":"tool--00000000-0000-4000-8000-000000000001","created":"2026-01-02T03:04:05.678Z","modified":"2026-01-02T03:04:05.678Z","name":"t"}"#;

struct True {
    ring: Keyring,
    texts: Vec<Vec<u8>>,
}

static TRUE: LazyLock<True> = LazyLock::new(|| {
    let draft = card::Draft {
        serial: 2,
        organisation: "CERT North".to_owned(),
        identities: vec![NODE.to_owned()],
        addresses: vec!["https://node.example/taxii2/".to_owned()],
        certificates: vec!["0f".repeat(32)],
        from: 0,
        until: Some(1 << 60),
        revoked: false,
    };
    let (old, keys) = (Keys::of(&[1; 32]), Keys::of(&[2; 32]));
    let first = card::read(&card::issue(&card::Draft { serial: 1, ..draft.clone() }, &old, None)).expect("a card");
    let text = card::issue(&draft, &keys, Some((&first, &old)));
    let id = "tool--00000000-0000-4000-8000-000000000001";
    let recall = Recall {
        object: id.to_owned(),
        versions: Some(vec![AT.to_owned()]),
        act: Act::Narrow,
        tlp: Some("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed".to_owned()),
        handling: Some(serde_json::json!({"audience": ["community"]})),
        at: AT.to_owned(),
    };
    let receipt = Receipt {
        recall: "marsad-recall--00000000-0000-5000-8000-000000000001".to_owned(),
        outcome: Outcome::Done,
        at: AT.to_owned(),
        reason: Some("done".to_owned()),
        downstream: Downstream::default(),
    };
    let notice = GroupNotice {
        id: "6f0a4d0b-8a5e-4d2f-9b1a-9c407b0c6c3e".to_owned(),
        name: "Group".to_owned(),
        from: Some(0),
        until: None,
        backfill: true,
        on_leave: OnLeave::Recall,
        hidden: false,
        members: vec![vec![NODE.to_owned()]],
        gone: false,
        at: AT.to_owned(),
    };
    let said = Said { digest: [7; 32], path: vec![NODE.to_owned()], reliability: Some('B'), credibility: Some(2), handling: None };
    let limits = Limits::default();
    let content = seal::Content::of(Tape::new().parse(OBJECT.as_bytes(), &limits).expect("an object"));
    let contents = [content.clone(), content.clone(), content];
    let together = seal::seal_all(&contents, None, "south", &keys);
    let sheet = seal::Sheet::of(&contents, None, "south", &keys).text();
    let mut texts = vec![
        seal::seal(OBJECT.as_bytes(), id, Some(AT), None, &keys, &limits).expect("an object"),
        envelope::sign(&[said], AT, &keys),
        recall.sign(&keys),
        receipt.sign(&keys),
        notice.sign(&keys),
        text.clone(),
    ];
    texts.extend(together);
    texts.push(sheet);
    let pinned = vec![("north".to_owned(), card::read(&text).expect("a card"), Standing::Pinned)];
    True { ring: Keyring::new(None, pinned), texts }
});

fn canonical(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut tape = Tape::new();
    stix::canonical::write(tape.parse(text, &signed::LIMITS).expect("read before"), &mut out);
    out
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(fingerprint) = words::hear(text) {
            assert_eq!(words::hear(&words::say(&fingerprint)), Ok(fingerprint));
        }
        if let Ok(fingerprint) = words::read_digits(text) {
            assert_eq!(words::read_digits(&words::digits(&fingerprint)), Ok(fingerprint));
        }
    }
    read(data, None);
    let Some(([which, at, much], put)) = data.split_first_chunk::<3>() else { return };
    let truth = &TRUE.texts[usize::from(*which) % TRUE.texts.len()];
    let from = usize::from(*at) * truth.len() / 256;
    let to = (from + usize::from(*much)).min(truth.len());
    read(&[&truth[..from], put, &truth[to..]].concat(), Some(truth));
});

fn read(data: &[u8], truth: Option<&[u8]>) {
    if let Ok(card) = card::read(data) {
        assert_eq!(card::read(card.text()).as_ref(), Ok(&card));
        if let Some(truth) = truth {
            assert_eq!(card.text(), truth, "a card was altered");
        }
    }
    if let Some(Ok(sheet)) = seal::Sheet::parse(data) {
        assert_eq!(seal::Sheet::parse(&sheet.text()), Some(Ok(sheet.clone())));
        let content = seal::Content::of(Tape::new().parse(OBJECT.as_bytes(), &Limits::default()).expect("an object"));
        let (mut sheets, mut found) = (seal::Sheets::default(), Vec::new());
        sheets.push(sheet);
        sheets.find(&content, &mut Vec::new(), &mut |on, _| found.push(on));
        let pairs: Vec<_> = found.iter().map(|on| (&content, on)).collect();
        for verified in seal::verify_on(&pairs, &TRUE.ring, 1).into_iter().flatten() {
            assert_eq!((verified.digest(), verified.handling()), (content.digest(), None), "a sheet was altered");
        }
    }
    let Ok(statement) = signed::read(data) else { return };
    // What it says is read by its kind alone.
    let read = [
        envelope::read(&statement).is_ok().then_some(Kind::Envelope),
        Recall::read(&statement).is_ok().then_some(Kind::Recall),
        Receipt::read(&statement).is_ok().then_some(Kind::Receipt),
        GroupNotice::read(&statement).is_ok().then_some(Kind::Group),
        seal::verify(OBJECT.as_bytes(), &statement, &TRUE.ring, 1, &Limits::default()).is_ok().then_some(Kind::Seal),
    ];
    assert!(read.into_iter().flatten().all(|kind| kind == statement.kind));
    if statement.verify(&TRUE.ring, 1).is_ok() {
        let said = canonical(data);
        assert!(TRUE.texts.contains(&said), "a statement was altered");
    }
}
