//! Bent packages, one kind of bending a test: each is refused with its reason, and none is half believed.

use super::block::{self, Block, Kind};
use super::header::Fields;
use super::part::{Digest, Odd, Part, Parts, cuts};
use super::sealer::{END, OBJECT, PAGE};
use super::*;
use crate::key::{KeyId, Keys};
use crate::signed;

const NOW: i64 = 1_800_000_000_000_000;
const HOUR: i64 = 3_600 * 1_000_000;
const NODE: &str = "identity--00000000-0000-4000-8000-000000000001";

fn keys(seed: u8) -> Keys {
    Keys::of(&[seed; 32])
}

/// The sender is 1, the recipient 2; 3 is another partner, 9 is nobody.
fn trust(key: &KeyId) -> Result<Sender, signed::Error> {
    for (seed, node) in [(1, NODE), (3, "identity--00000000-0000-4000-8000-000000000003")] {
        let public = keys(seed).public();
        if public.id() == *key {
            return Ok(Sender { organisation: format!("org {seed}"), node: node.to_owned(), sign: public.sign });
        }
    }
    Err(signed::Error::Key(key.clone()))
}

fn draft<'a>(keys: &'a Keys, recipients: &'a [crate::key::PublicKeys]) -> Draft<'a> {
    Draft {
        from: NODE,
        keys,
        recipients,
        series: "6d0e3a5e-3c0b-4a39-9b7b-f2f1b2f3c4d5",
        number: 3,
        previous: Some([8; 32]),
        created: NOW - HOUR,
        expires: Some(NOW + HOUR),
        answer: true,
        chunk: CHUNK_LEAST,
    }
}

/// Seals pages of objects, and mail.
fn seal(draft: &Draft<'_>, pages: &[&[&[u8]]], mail: &[&[u8]]) -> (Vec<u8>, Sealed) {
    let mut sealer = Sealer::begin(draft, &[5; 48], Vec::new()).unwrap();
    for page in pages {
        page.iter().for_each(|object| sealer.object(object).unwrap());
        sealer.end_page().unwrap();
    }
    mail.iter().for_each(|statement| sealer.mail(statement).unwrap());
    sealer.answers(b"[]").unwrap();
    let (bytes, sealed) = sealer.finish().unwrap();
    assert_eq!(sealed.bytes, bytes.len() as u64);
    (bytes, sealed)
}

fn small() -> Vec<u8> {
    let (sender, recipient) = (keys(1), [keys(2).public()]);
    seal(&draft(&sender, &recipient), &[&[b"{\"a\":1}", b"{\"a\":\n2}"]], &[b"{\"m\":1}"]).0
}

/// Bytes that do not pack, in the shape of objects.
fn noise(bytes: usize) -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut object = |_| {
        let mut text = Vec::with_capacity(1_000);
        while text.len() < 1_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.extend_from_slice(&state.to_be_bytes()[..6]);
        }
        text
    };
    (0..bytes / 1_000).map(&mut object).collect()
}

fn large(seed: u8, chance: u8) -> Vec<u8> {
    let (sender, recipient) = (keys(seed), [keys(2).public()]);
    let mut sealer = Sealer::begin(&draft(&sender, &recipient), &[chance; 48], Vec::new()).unwrap();
    noise(300_000).iter().for_each(|object| sealer.object(object).unwrap());
    sealer.end_page().unwrap();
    sealer.finish().unwrap().0
}

type Read = (Vec<Vec<u8>>, Vec<Vec<u8>>, Whole);

fn open_by(bytes: &[u8], seed: u8, limits: &Limits, now: i64) -> Result<Read, Error> {
    let own = keys(seed);
    let mut opener = Opener::begin(bytes, &[&keys(77), &own], &trust, limits, now)?;
    let (mut objects, mut mail) = (Vec::new(), Vec::new());
    while let Some(item) = opener.next_item()? {
        match item {
            Item::Object(object) => objects.push(object.to_vec()),
            Item::Mail(statement) => mail.push(statement.to_vec()),
            Item::Answers(said) => assert_eq!(said, b"[]"),
            Item::PageEnd => {}
        }
    }
    let whole = opener.finish()?;
    assert_eq!((objects.len() as u64, mail.len() as u64), (whole.objects, whole.mail));
    Ok((objects, mail, whole))
}

fn open(bytes: &[u8]) -> Result<Read, Error> {
    open_by(bytes, 2, &Limits::default(), NOW)
}

/// Where the header ends, and where the trailer begins.
fn bounds(bytes: &[u8]) -> (usize, usize) {
    let header = MAGIC.len();
    let length = u32::from_be_bytes(bytes[header..header + 4].try_into().unwrap()) as usize;
    let mut at = header + 4 + length + 64;
    let first = at;
    loop {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        at += 4 + (length & 0x7fff_ffff) as usize;
        if length >> 31 == 1 {
            return (first, at);
        }
    }
}

/// The chunks with their lengths.
fn chunks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut at, end) = bounds(bytes);
    let mut found = Vec::new();
    while at < end {
        let size = 4 + (u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) & 0x7fff_ffff) as usize;
        found.push(bytes[at..at + size].to_vec());
        at += size;
    }
    found
}

fn with_chunks(bytes: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let (first, end) = bounds(bytes);
    [&bytes[..first], &chunks.concat(), &bytes[end..]].concat()
}

#[test]
fn what_goes_in_comes_out() {
    let (sender, recipients) = (keys(1), [keys(4).public(), keys(2).public()]);
    let draft = draft(&sender, &recipients);
    let noise = noise(300_000);
    let many: Vec<&[u8]> = noise.iter().map(Vec::as_slice).collect();
    let exact = vec![b'x'; CHUNK_LEAST * 2];
    let empty: &[&[u8]] = &[];
    for (pages, mail) in [
        (vec![], empty),
        (vec![empty], &[&b"{}"[..]][..]),
        (vec![&many[..], &many[..7]], &[b"{}", b"{\"a\":1}"]),
        (vec![&[exact.as_slice(), b""][..]], empty),
    ] {
        let (bytes, sealed) = seal(&draft, &pages, mail);
        for reader in [2, 4] {
            let (objects, letters, whole) = open_by(&bytes, reader, &Limits::default(), NOW).unwrap();
            assert_eq!(objects, pages.concat());
            assert_eq!(letters, mail);
            assert_eq!((&whole.header, whole.digest), (&sealed.header, sealed.digest));
            assert_eq!((whole.header.number, whole.header.recipients, whole.header.previous), (3, 2, Some([8; 32])));
            assert_eq!(whole.sender.organisation, "org 1");
        }
        assert_eq!(Header::read(&bytes[..]).unwrap(), sealed.header);
    }
    assert!(chunks(&seal(&draft, &[&many], &[]).0).len() > 3, "the large one has several chunks");
}

#[test]
fn the_header_is_canonical_and_names_no_recipient() {
    let bytes = small();
    let block = Block::read(Kind::Header, &mut &bytes[MAGIC.len()..]).unwrap();
    let mut tape = stix::json::Tape::new();
    let mut canonical = Vec::new();
    stix::canonical::write(tape.parse(&block.text, &stix::json::Limits::default()).unwrap(), &mut canonical);
    assert_eq!(canonical, block.text);
    let recipient = keys(2).public();
    let text = String::from_utf8(block.text).unwrap();
    assert!(!text.contains(recipient.id().as_str().trim_start_matches("ed25519:")), "{text}");
    // The same recipient is called otherwise in the next package.
    let hint = |chance: u8| {
        let (sender, recipients) = (keys(1), [recipient]);
        let (out, _) =
            Sealer::begin(&draft(&sender, &recipients), &[chance; 48], Vec::new()).unwrap().finish().unwrap();
        let block = Block::read(Kind::Header, &mut &out[MAGIC.len()..]).unwrap();
        block.value::<Fields>().unwrap().recipients[0].to.clone()
    };
    assert_ne!(hint(1), hint(2));
}

#[test]
fn every_byte_counts() {
    let bytes = small();
    open(&bytes).unwrap();
    for at in 0..bytes.len() {
        for bent in [1, 0x80] {
            let mut copy = bytes.clone();
            copy[at] ^= bent;
            assert!(open(&copy).is_err(), "byte {at} of {} turned by {bent}", bytes.len());
        }
    }
}

#[test]
fn cut_anywhere_it_is_refused() {
    for (bytes, step) in [(small(), 1), (large(1, 5), 4_093)] {
        for length in (0..bytes.len()).step_by(step) {
            let error = open(&bytes[..length]).unwrap_err();
            let expected = matches!(error, Error::Cut(_)) || (length < MAGIC.len() && matches!(error, Error::Foreign));
            assert!(expected, "cut to {length} of {}: {error}", bytes.len());
        }
    }
    let longer = [small(), b"x".to_vec()].concat();
    assert!(matches!(open(&longer), Err(Error::Tail)));
    assert!(matches!(open(&[small(), small()].concat()), Err(Error::Tail)));
}

#[test]
fn every_field_of_the_header_is_signed_and_binds_the_content() {
    let bytes = small();
    let block = Block::read(Kind::Header, &mut &bytes[MAGIC.len()..]).unwrap();
    let fields: Fields = block.value().unwrap();
    let (rest, _) = bounds(&bytes);
    let other = Fields { from: "identity--x".into(), ..fields.clone() };
    let bent: Vec<(&str, Fields)> = vec![
        ("answer", Fields { answer: false, ..fields.clone() }),
        ("chunk", Fields { chunk: CHUNK_MOST as u32, ..fields.clone() }),
        ("created", Fields { created: fields.created + 1, ..fields.clone() }),
        ("expires", Fields { expires: Some(NOW + 2 * HOUR), ..fields.clone() }),
        ("no expires", Fields { expires: None, ..fields.clone() }),
        ("from", other.clone()),
        ("key", Fields { key: keys(3).public().id(), ..fields.clone() }),
        ("number", Fields { number: 4, ..fields.clone() }),
        ("previous", Fields { previous: None, ..fields.clone() }),
        (
            "recipients",
            Fields { recipients: [fields.recipients.clone(), fields.recipients.clone()].concat(), ..fields.clone() },
        ),
        ("salt", Fields { salt: "AAAAAAAAAAAAAAAAAAAAAA".into(), ..fields.clone() }),
        ("series", Fields { series: "another".into(), ..fields.clone() }),
    ];
    for (name, bent) in bent {
        assert_ne!(bent, fields, "{name}");
        let mut kept = block.clone();
        kept.text = serde_json::to_vec(&bent).unwrap();
        let whole = |block: &Block| [MAGIC, &block.bytes(), &bytes[rest..]].concat();
        // With the old signature.
        let error = open(&whole(&kept)).unwrap_err();
        assert!(matches!(error, Error::Signer { what: "header", .. }), "{name}: {error}");
        // Signed by the sender itself, over the same content: chunks belong to one header.
        let error = open(&whole(&block::sign(Kind::Header, &bent, &keys(1)))).unwrap_err();
        let expected = match name {
            "from" => matches!(error, Error::Origin { .. }),
            "key" => matches!(error, Error::Signer { .. }),
            "salt" => matches!(error, Error::NotForUs),
            _ => matches!(error, Error::Chunk(0)),
        };
        assert!(expected, "{name}: {error}");
    }
}

#[test]
fn what_is_no_header_is_no_header() {
    let bytes = small();
    let block = Block::read(Kind::Header, &mut &bytes[MAGIC.len()..]).unwrap();
    let text = String::from_utf8(block.text.clone()).unwrap();
    let (rest, _) = bounds(&bytes);
    let last = &text[1..];
    for (name, text) in [
        ("white space", text.replacen(':', ": ", 1)),
        ("an unknown field", format!("{{\"a\":1,{last}")),
        ("a field twice", format!("{{\"answer\":true,{last}")),
        ("a field too few", text.replace("\"number\":3,", "")),
        ("a number of text", text.replace("\"number\":3", "\"number\":\"3\"")),
        ("number 0", text.replace("\"number\":3", "\"number\":0")),
        ("a tiny chunk", text.replace("\"chunk\":65536", "\"chunk\":16")),
        ("a huge chunk", text.replace("\"chunk\":65536", "\"chunk\":4294967295")),
        ("no recipients", {
            let (before, after) = (text.find("\"recipients\":[").unwrap(), text.find("],\"salt\"").unwrap());
            format!("{}\"recipients\":[{}", &text[..before], &text[after..])
        }),
        ("a name that draws", text.replace(NODE, "identity--\\u001b[2J")),
        ("a long name", text.replace(NODE, &"x".repeat(129))),
        ("nothing", String::new()),
        ("a list", "[]".to_owned()),
        ("depth", "[".repeat(60_000)),
    ] {
        assert_ne!(text.as_bytes(), block.text, "{name}");
        let mut bent = block.clone();
        bent.text = text.into_bytes();
        let error = open(&[MAGIC, &bent.bytes(), &bytes[rest..]].concat()).unwrap_err();
        assert!(matches!(error, Error::Form { what: "header", .. }), "{name}: {error}");
    }
    let mut long = bytes.clone();
    long[MAGIC.len()..MAGIC.len() + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(open(&long), Err(Error::Form { what: "header", .. })));
}

#[test]
fn chunks_keep_their_places() {
    let (bytes, other) = (large(1, 5), large(1, 6));
    open(&bytes).unwrap();
    let all = chunks(&bytes);
    let count = all.len();
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    let mut doubled = all.clone();
    doubled.insert(1, all[1].clone());
    let mut foreign = all.clone();
    foreign[2] = chunks(&other)[2].clone();
    let mut unmarked = all.clone();
    unmarked[count - 1][0] &= 0x7f;
    let mut early = all[..2].to_vec();
    early[1][0] |= 0x80;
    for (name, bent, place) in [
        ("swapped", swapped, 1),
        ("doubled", doubled, 2),
        ("left out", all[1..].to_vec(), 0),
        ("the last left out", all[..count - 1].to_vec(), count - 1),
        ("foreign", foreign, 2),
        ("last not marked", unmarked, count - 1),
        ("marked too early", early, 1),
    ] {
        let error = open(&with_chunks(&bytes, &bent)).unwrap_err();
        // Without its last chunk, the trailer is read as one.
        let expected = matches!(error, Error::Chunk(at) if at == place as u64);
        assert!(expected, "{name}: {error}");
    }
    // A trailer of another package, and one that the wrong key signed.
    let (_, end) = bounds(&bytes);
    let (_, end_of_other) = bounds(&other);
    let error = open(&[&bytes[..end], &other[end_of_other..]].concat()).unwrap_err();
    assert!(matches!(error, Error::Form { what: "trailer", .. }), "{error}");
    let trailer = Block::read(Kind::Trailer, &mut &bytes[end..]).unwrap();
    let said: sealer::Trailer = trailer.value().unwrap();
    let forged = block::sign(Kind::Trailer, &said, &keys(3)).bytes();
    let error = open(&[&bytes[..end], &forged].concat()).unwrap_err();
    assert!(matches!(error, Error::Signer { what: "trailer", .. }), "{error}");
}

#[test]
fn who_when_and_for_whom() {
    let recipient = [keys(2).public()];
    let made = |seed: u8, change: &dyn Fn(&mut Draft<'_>)| {
        let sender = keys(seed);
        let mut draft = draft(&sender, &recipient);
        change(&mut draft);
        seal(&draft, &[&[b"{}"]], &[]).0
    };
    let plain = |_: &mut Draft<'_>| {};
    let error = |bytes: Vec<u8>| open(&bytes).unwrap_err().to_string();
    assert!(matches!(open_by(&made(1, &plain), 3, &Limits::default(), NOW), Err(Error::NotForUs)));
    let stranger = open(&made(9, &plain)).unwrap_err();
    assert!(matches!(stranger, Error::Signer { what: "header", source: signed::Error::Key(_) }), "{stranger}");
    // One partner in the name of another.
    assert!(matches!(open(&made(3, &plain)), Err(Error::Origin { .. })));
    // The clocks: how far they are apart, and what becomes of it.
    for (created, expires, at, expected) in [
        (NOW, None, NOW, ""),
        (NOW + TOLERANCE, None, NOW, ""),
        (NOW + TOLERANCE + 1, None, NOW, "one of the two clocks is wrong"),
        (NOW + 5 * HOUR, None, NOW, "one of the two clocks is wrong"),
        (NOW + 5 * HOUR, None, NOW + 5 * HOUR, ""),
        (NOW - 500 * HOUR, None, NOW, ""),
        (NOW - HOUR, Some(NOW), NOW, ""),
        (NOW - HOUR, Some(NOW - 1), NOW, "was good until"),
        (NOW - HOUR, Some(NOW), NOW + 1, "was good until"),
    ] {
        let bytes = made(1, &|draft| (draft.created, draft.expires) = (created, expires));
        let opened = open_by(&bytes, 2, &Limits::default(), at);
        let said = opened.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
        assert!(said.contains(expected), "{said}");
        if !expected.is_empty() {
            assert_eq!(said.matches("2027-").count(), 2, "both times are shown: {said}");
        }
    }
    assert!(error(b"PK\x03\x04 something else".to_vec()).contains("not a package"));
    assert!(error(Vec::new()).contains("not a package"));
}

#[test]
fn what_is_sealed_may_still_lie() {
    let (sender, recipient) = (keys(1), [keys(2).public()]);
    let made = |work: &dyn Fn(&mut Sealer<'_, Vec<u8>>)| {
        let mut sealer = Sealer::begin(&draft(&sender, &recipient), &[5; 48], Vec::new()).unwrap();
        work(&mut sealer);
        sealer.finish().unwrap().0
    };
    for (name, bytes) in [
        ("one too many", made(&|sealer| sealer.item(OBJECT, b"{}").and(sealer.end_page()).unwrap())),
        ("one too few", made(&|sealer| sealer.end.objects += 1)),
        ("a page that does not end", made(&|sealer| sealer.object(b"{}").unwrap())),
        ("a kind that nobody knows", made(&|sealer| sealer.item(b'?', b"{}").unwrap())),
        ("an end of a page with something in it", made(&|sealer| sealer.item(PAGE, b"{}").unwrap())),
        ("an end before the end", made(&|sealer| sealer.item(END, b"{\"mail\":0,\"objects\":0}").unwrap())),
    ] {
        let error = open(&bytes).unwrap_err();
        assert!(matches!(error, Error::Form { what: "content", .. }), "{name}: {error}");
    }
}

#[test]
fn budgets_hold() {
    let (sender, recipient) = (keys(1), [keys(2).public()]);
    let draft = draft(&sender, &recipient);
    let blank = vec![b' '; 40 << 20];
    let bomb = seal(&draft, &[&[&blank, &blank, &blank]], &[]).0;
    assert!(bomb.len() < 1 << 20);
    let three: &[&[u8]] = &[b"{\"a\":1}", b"{}", b"{}"];
    let few = seal(&draft, &[three, three], &[b"{}"]).0;
    let all = Limits::default();
    for (bytes, limits, expected) in [
        (&bomb, all, "times its size"),
        (&bomb, Limits { ratio: 1 << 40, bytes: 100 << 20, ..all }, "unpacks to more than"),
        (&bomb, Limits { ratio: 1 << 40, object: 1 << 20, ..all }, "an object of"),
        (&bomb, Limits { ratio: 1 << 40, page_bytes: 50 << 20, ..all }, "a page of more than"),
        (&few, Limits { page_objects: 2, ..all }, "a page of more than"),
        (&few, Limits { objects: 6, ..all }, "more than 6 objects"),
        (&few, Limits { objects: 7, page_objects: 3, ..all }, ""),
    ] {
        let opened = open_by(bytes, 2, &limits, NOW);
        let said = opened.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{said} / {expected}");
        assert!(opened.is_ok() || matches!(opened, Err(Error::Limit(_))));
    }
}

/// A package cut into parts, each with its head.
fn parts(bytes: &[u8], package: &str, each: u64, keys: &Keys) -> Vec<(Part, Vec<u8>)> {
    let cuts = cuts(bytes.len() as u64, each).unwrap();
    let of = cuts.len() as u32;
    let mut found = Vec::new();
    for (index, (from, length)) in (1..).zip(cuts) {
        let body = &bytes[from as usize..(from + length) as usize];
        let mut digest = Digest::default();
        digest.add(body);
        let (digest, key) = (digest.text(), keys.public().id());
        let part = Part { digest, from, index, key, length, of, package: package.to_owned() };
        let file = [&part.head(keys), body].concat();
        found.push((part, file));
    }
    found
}

#[test]
fn parts_are_named_exactly() {
    let (one, two) = (large(1, 5), large(1, 6));
    let (id, other) = (Header::read(&one[..]).unwrap().id, Header::read(&two[..]).unwrap().id);
    assert_ne!(id, other);
    let signer = keys(1);
    let of_one = parts(&one, &id, 50_000, &signer);
    let of_two = parts(&two, &other, 50_000, &signer);
    assert!(of_one.len() > 4);
    let mut joined = Vec::new();
    let mut found = Parts::default();
    // In any order.
    for (part, file) in of_one.iter().rev() {
        let mut rest = &file[..];
        let read = Part::read(&mut rest, &trust).unwrap();
        assert_eq!((&read, rest.len() as u64), (part, part.length));
        assert!(found.whole().is_none());
        found.add(read).unwrap();
    }
    for part in found.whole().unwrap() {
        let (_, file) = &of_one[part.index as usize - 1];
        joined.extend_from_slice(&file[file.len() - part.length as usize..]);
    }
    assert_eq!(joined, one);
    let count = of_one.len() as u32;
    assert_eq!(found.add(of_one[1].0.clone()), Err(Odd::Doubled(2, count)));
    let liar = Part { digest: of_one[0].0.digest.clone(), ..of_one[1].0.clone() };
    assert_eq!(found.add(liar), Err(Odd::Contradicting(2, count)));
    let foreign = Odd::Foreign { package: other, index: 3 };
    assert_eq!(found.add(of_two[2].0.clone()), Err(foreign));
    let mut some = Parts::default();
    for index in [4, 0, 2] {
        some.add(of_one[index].0.clone()).unwrap();
    }
    let missing: Vec<u32> = (1..=count).filter(|index| ![5, 1, 3].contains(index)).collect();
    assert_eq!((some.missing(), some.whole()), (missing, None));
    // Cut otherwise.
    let elsewhere = parts(&one, &id, 40_000, &signer);
    assert_eq!(some.add(elsewhere[1].0.clone()), Err(Odd::Contradicting(2, elsewhere.len() as u32)));
}

#[test]
fn heads_of_parts_are_signed() {
    let bytes = small();
    let id = Header::read(&bytes[..]).unwrap().id;
    let (part, file) = parts(&bytes, &id, 1 << 20, &keys(1)).remove(0);
    let head = file.len() - bytes.len();
    for at in 0..head {
        let mut bent = file.clone();
        bent[at] ^= 1;
        assert!(Part::read(&mut &bent[..], &trust).is_err(), "byte {at}");
        assert!(Part::read(&mut &file[..at], &trust).is_err(), "cut to {at}");
    }
    let strange = part.head(&keys(9));
    assert!(matches!(Part::read(&mut &strange[..], &trust), Err(Error::Signer { what: "part", .. })));
    for bent in [
        Part { index: 0, ..part.clone() },
        Part { index: 2, ..part.clone() },
        Part { of: u32::MAX, ..part.clone() },
        Part { length: 0, ..part.clone() },
        Part { from: u64::MAX, ..part.clone() },
        Part { digest: "?".into(), ..part.clone() },
        Part { package: "../../etc/passwd".into(), ..part.clone() },
        Part { package: "marsad-package--../x".into(), ..part.clone() },
    ] {
        let head = bent.head(&keys(1));
        assert!(matches!(Part::read(&mut &head[..], &trust), Err(Error::Form { what: "part", .. })), "{bent:?}");
    }
    for (size, each, expected) in [
        (10_000, 5_000, Some(vec![(0, 5_000), (5_000, 5_000)])),
        (10_001, 5_000, Some(vec![(0, 5_000), (5_000, 5_000), (10_000, 1)])),
        (1, 5_000, Some(vec![(0, 1)])),
        (10_000, 4_000, None),
        (u64::MAX, 5_000, None),
    ] {
        assert_eq!(cuts(size, each), expected, "{size} {each}");
    }
}

/// The digest that a package ends with is the one by which the next names it.
#[test]
fn packages_hang_together() {
    let (sender, recipient) = (keys(1), [keys(2).public()]);
    let mut memory = order::Memory::default();
    let mut previous = None;
    let mut first = None;
    for number in 1..4 {
        let draft = Draft { number, previous, ..draft(&sender, &recipient) };
        let (bytes, sealed) = seal(&draft, &[&[b"{}"]], &[]);
        let (_, _, whole) = open(&bytes).unwrap();
        let expected = if number == 1 { order::Place::First } else { order::Place::Next };
        assert_eq!(memory.judge(&whole.header, Some(&whole.digest)), Ok(expected));
        memory.took(&whole);
        previous = Some(sealed.digest);
        first.get_or_insert(bytes);
    }
    let again = open(&first.unwrap()).unwrap().2;
    assert_eq!(memory.judge(&again.header, Some(&again.digest)), Err(order::Refused::Again(1)));
}

/// Whose key counts is asked of the ring: with an old key, with one that was revoked, with a card out of its time.
#[test]
fn old_keys_and_revoked_senders() {
    use crate::card::{self, Draft as CardDraft};
    use crate::trust::{Keyring, Standing};
    let card = |serial, keys: &Keys, until, before: Option<(&card::Card, &Keys)>| {
        let draft = CardDraft {
            serial,
            organisation: "North".into(),
            identities: vec![NODE.into()],
            addresses: vec![],
            certificates: vec![],
            from: NOW - 1_000 * HOUR,
            until,
            revoked: false,
        };
        card::read(&card::issue(&draft, keys, before)).unwrap()
    };
    let (old, new) = (keys(1), keys(6));
    let first = card(1, &old, None, None);
    let second = card(2, &new, None, Some((&first, &old)));
    let ring = |cards: Vec<(card::Card, Standing)>| {
        Keyring::new(None, cards.into_iter().map(|(card, standing)| ("North here".into(), card, standing)).collect())
    };
    let pinned = |card: &card::Card| (card.clone(), Standing::Pinned);
    let by = |keys: &Keys| seal(&draft(keys, &[keys_of_reader().public()]), &[&[b"{}"]], &[]).0;
    for (name, bytes, ring, expected) in [
        ("its key", by(&old), ring(vec![pinned(&first)]), ""),
        ("its new key", by(&new), ring(vec![pinned(&second)]), ""),
        ("its old key", by(&old), ring(vec![pinned(&second)]), ""),
        ("a key that nobody confirmed", by(&new), ring(vec![pinned(&first)]), "not on a card that was confirmed"),
        ("a revoked key", by(&old), ring(vec![(first.clone(), Standing::Revoked)]), "which was revoked"),
        (
            "the old key, revoked",
            by(&old),
            ring(vec![pinned(&second), (first.clone(), Standing::Revoked)]),
            "which was revoked",
        ),
        ("a card that ended", by(&old), ring(vec![pinned(&card(1, &old, Some(NOW - HOUR), None))]), "has expired"),
    ] {
        let trust = |key: &KeyId| Sender::of(&ring, key, NOW);
        let opened = Opener::begin(&bytes[..], &[&keys_of_reader()], &trust, &Limits::default(), NOW);
        match opened {
            Ok(opener) => {
                assert_eq!(expected, "", "{name}");
                assert_eq!(opener.finish().unwrap().sender.organisation, "North here", "{name}");
            }
            Err(error) => {
                let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                assert!(!expected.is_empty() && said.contains(expected), "{name}: {error}: {said}");
            }
        }
    }
}

fn keys_of_reader() -> Keys {
    keys(2)
}
