//! Seals under one signature.

use super::tree::{self, LEVELS, LONGEST, SALT, SEALS};
use super::*;
use crate::sample::{NOW, card, keys, ring};
use crate::signed::{Unverified, read};
use crate::trust::Standing;
use serde_json::json;

const VERSION: &str = "2026-01-02T03:04:05.678Z";

fn object(number: usize) -> Vec<u8> {
    let object = json!({
        "type": "tool", "spec_version": "2.1", "id": format!("tool--00000000-0000-4000-8000-{number:012}"),
        "created": VERSION, "modified": VERSION, "name": format!("tool {number}"),
        "object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
    });
    object.to_string().into_bytes()
}

fn contents(numbers: impl IntoIterator<Item = usize>) -> Vec<Content> {
    numbers.into_iter().map(|number| Content::read(&object(number), &Limits::default()).unwrap()).collect()
}

fn sealed(count: usize, number: u8) -> Vec<Vec<u8>> {
    seal_all(&contents(0..count), Some(&json!({"expires": 5})), "three", &keys(number))
}

fn check(number: usize, seal: &Unverified) -> Result<Verified, Error> {
    verify(&object(number), seal, &ring(), NOW, &Limits::default())
}

fn said(seal: &[u8]) -> Value {
    serde_json::from_slice(seal).unwrap()
}

fn hashes(text: &Value) -> Vec<[u8; HASH]> {
    let bytes = URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    bytes.as_chunks::<HASH>().0.to_vec()
}

fn way(seal: &Value) -> Vec<[u8; HASH]> {
    hashes(&seal["batch"]["path"])
}

fn text(hashes: &[[u8; HASH]]) -> Value {
    URL_SAFE_NO_PAD.encode(hashes.as_flattened()).into()
}

#[test]
fn each_stands_alone_and_all_stand_together() {
    for count in [0, 1, 2, 3, SEALS - 1, SEALS, SEALS + 1, 3 * SEALS] {
        let seals: Vec<Unverified> = sealed(count, 2).iter().map(|seal| read(seal).unwrap()).collect();
        assert_eq!(seals.len(), count);
        for (number, seal) in seals.iter().enumerate() {
            let verified = check(number, seal).unwrap();
            assert_eq!((verified.organisation(), verified.version()), ("two", Some(VERSION)), "{number} of {count}");
            assert_eq!(verified.handling(), Some(&json!({"expires": 5})));
            assert_eq!(check(number + 1, seal), Err(Error::Other("it is of another object")));
        }
        let contents = contents(0..count);
        let pairs: Vec<(&Content, &Unverified)> = contents.iter().zip(&seals).collect();
        assert!(verify_all(&pairs, &ring(), NOW).iter().all(Result::is_ok));
        // By whatever way they come, each twice, in any order, beside those of others and those that were made alone.
        let other: Vec<Unverified> = sealed(count, 3).iter().map(|seal| read(seal).unwrap()).collect();
        let alone = |number: usize| {
            let id = format!("tool--00000000-0000-4000-8000-{number:012}");
            let seal = seal(&object(number), &id, Some(VERSION), None, &keys(2), &Limits::default()).unwrap();
            read(&seal).unwrap()
        };
        let alone: Vec<Unverified> = (0..count.min(5)).map(alone).collect();
        let mut mixed: Vec<(&Content, &Unverified)> = pairs.iter().chain(pairs.iter().rev()).copied().collect();
        mixed.extend(contents.iter().zip(&other).chain(contents.iter().zip(&alone)));
        let unmade: Vec<Unverified> = sealed(count, 4).iter().map(|seal| read(seal).unwrap()).collect();
        let good = mixed.len();
        mixed.extend(contents.iter().zip(&unmade));
        let verdicts = verify_all(&mixed, &ring(), NOW);
        assert!(verdicts[..good].iter().all(Result::is_ok));
        assert!(verdicts[good..].iter().all(|verdict| matches!(verdict, Err(Error::Key(_)))));
    }
    let ring = crate::trust::Keyring::new(None, vec![("two".into(), card(2), Standing::Revoked)]);
    let seal = read(&sealed(3, 2)[1]).unwrap();
    let verdict = verify(&object(1), &seal, &ring, NOW, &Limits::default());
    assert!(verdict.unwrap_err().to_string().contains("revoked"));
}

#[test]
fn other_spellings_of_a_seal_are_the_same_seal() {
    let seal = &sealed(3, 2)[1];
    let pretty = serde_json::to_string_pretty(&said(seal)).unwrap();
    let escaped = pretty.replace("tool--", "\\u0074ool--").replace(&format!(": {SEALS},"), ": 6.4e1,");
    assert!(escaped.contains("6.4e1"));
    for text in [pretty, escaped] {
        assert_eq!(read(text.as_bytes()), read(seal), "{text}");
    }
}

/// The id that follows from what a seal says, wherever that leads to a root.
fn with_its_id(mut seal: Value) -> Vec<u8> {
    let batch = seal["batch"].clone();
    let mut rest = seal.clone();
    for name in ["batch", "id", "signature"] {
        rest.as_object_mut().unwrap().remove(name);
    }
    let (mut tape, mut words) = (Tape::new(), Vec::new());
    let rest = rest.to_string();
    stix::canonical::write(tape.parse(rest.as_bytes(), &Limits::default()).unwrap(), &mut words);
    let salt = batch["salt"].as_str().and_then(|salt| URL_SAFE_NO_PAD.decode(salt).ok());
    let salt: Option<[u8; SALT]> = salt.and_then(|salt| salt.try_into().ok());
    let numbers = batch["place"].as_u64().zip(batch["count"].as_u64());
    if let (Some(salt), Some((place, count)), true) = (salt, numbers, batch["path"].is_string()) {
        let leaf = tree::leaf(&salt, &words);
        if let Some(root) = tree::root(&leaf, place, count, &hashes(&batch["path"])) {
            seal["id"] = super::wire::id_of(&leaf, &root, &mut [0; 49]).into();
        }
    }
    seal.to_string().into_bytes()
}

#[test]
fn a_bent_seal_is_none() {
    let seals = sealed(SEALS, 2);
    let seal = said(&seals[7]);
    let bend = |change: &dyn Fn(&mut Value)| {
        let mut seal = seal.clone();
        change(&mut seal);
        let text = with_its_id(seal);
        read(&text).and_then(|seal| check(7, &seal))
    };
    assert!(bend(&|_| {}).is_ok());
    let put = |name: &'static str, value: Value| move |seal: &mut Value| seal["batch"][name] = value.clone();
    let place = seal["batch"]["place"].as_u64().unwrap();
    let path = way(&seal);
    let [longer, shorter] = [[path.clone(), vec![[7; HASH]]].concat(), path[1..].to_vec()];
    let mut swapped = path.clone();
    swapped.swap(0, 1);
    let mut flipped = path.clone();
    flipped[LEVELS - 1][0] ^= 1;
    let other = said(&seals[8]);
    let of_another = said(&sealed(SEALS, 3)[7]);
    let of_fewer = said(&sealed(9, 2)[7]);
    type Change = Box<dyn Fn(&mut Value)>;
    // What is wrong is the signature: the form is one of a seal.
    let unsigned: Vec<(&str, Change)> = vec![
        ("a wrong path", Box::new(put("path", text(&flipped)))),
        ("siblings in another order", Box::new(put("path", text(&swapped)))),
        ("the path of another leaf", Box::new(put("path", other["batch"]["path"].clone()))),
        ("another place", Box::new(put("place", (place ^ 1).into()))),
        ("far away", Box::new(put("place", ((place + 32) % 64).into()))),
        ("the place and path of another", {
            let (path, place) = (other["batch"]["path"].clone(), other["batch"]["place"].clone());
            Box::new(move |seal| (seal["batch"]["path"], seal["batch"]["place"]) = (path.clone(), place.clone()))
        }),
        ("a path that ends sooner in a smaller tree", {
            let path = text(&path[..LEVELS - 1]);
            Box::new(move |seal| {
                seal["batch"]["path"] = path.clone();
                seal["batch"]["count"] = 32.into();
                seal["batch"]["place"] = (place % 32).into();
            })
        }),
        ("a tree of one", {
            Box::new(|seal| seal["batch"] = json!({"count": 1, "place": 0, "path": "", "salt": seal["batch"]["salt"]}))
        }),
        ("another salt", Box::new(put("salt", URL_SAFE_NO_PAD.encode([9; SALT]).into()))),
        ("the salt of another", Box::new(put("salt", other["batch"]["salt"].clone()))),
        ("another author's batch", {
            let batch = of_another["batch"].clone();
            Box::new(move |seal| seal["batch"] = batch.clone())
        }),
        ("another author's root and signature", {
            let (batch, signature) = (of_another["batch"].clone(), of_another["signature"].clone());
            Box::new(move |seal| (seal["batch"], seal["signature"]) = (batch.clone(), signature.clone()))
        }),
        ("another author's seal under this key", {
            let (of_another, key) = (of_another.clone(), seal["key"].clone());
            Box::new(move |seal| {
                *seal = of_another.clone();
                seal["key"] = key.clone();
            })
        }),
        ("another tree of the same author", {
            let batch = of_fewer["batch"].clone();
            Box::new(move |seal| seal["batch"] = batch.clone())
        }),
        ("the signature of another tree", {
            let signature = of_fewer["signature"].clone();
            Box::new(move |seal| seal["signature"] = signature.clone())
        }),
        ("other limits", Box::new(|seal| seal["handling"] = json!({"expires": 6}))),
        ("no limits", Box::new(|seal| drop(seal.as_object_mut().unwrap().remove("handling")))),
    ];
    for (what, change) in unsigned {
        assert_eq!(bend(&*change), Err(Error::Signature), "{what}");
    }
    let of_no_form: Vec<(&str, Change)> = vec![
        ("a path that is too short", Box::new(put("path", text(&shorter)))),
        ("none", Box::new(put("path", "".into()))),
        ("one that is too long", Box::new(put("path", text(&longer)))),
        ("33 hashes", Box::new(put("path", text(&[[7; HASH]; LONGEST + 1])))),
        ("33 hashes of a larger tree", {
            Box::new(|seal| {
                seal["batch"]["path"] = text(&[[7; HASH]; LONGEST + 1]);
                seal["batch"]["count"] = (1_u64 << 33).into();
            })
        }),
        ("many hashes", Box::new(put("path", text(&[[7; HASH]; 10_000])))),
        ("half a hash", Box::new(put("path", URL_SAFE_NO_PAD.encode([1; 80]).into()))),
        ("a list", Box::new(put("path", json!([])))),
        ("no count", Box::new(put("count", Value::Null))),
        ("none of none", Box::new(put("count", 0.into()))),
        ("fewer", Box::new(put("count", 32.into()))),
        ("more", Box::new(put("count", 128.into()))),
        ("half a leaf", Box::new(put("place", json!(0.5)))),
        ("less than none", Box::new(put("place", json!(-1)))),
        ("beyond the last", Box::new(put("place", 64.into()))),
        ("far beyond the last", Box::new(put("place", json!(1e300)))),
        ("a short salt", Box::new(put("salt", URL_SAFE_NO_PAD.encode([9; SALT - 1]).into()))),
        ("a long salt", Box::new(put("salt", URL_SAFE_NO_PAD.encode([9; SALT + 1]).into()))),
        ("something more", Box::new(put("colour", "red".into()))),
        ("something more beside", Box::new(|seal| seal["colour"] = "red".into())),
        ("no batch", Box::new(|seal| drop(seal.as_object_mut().unwrap().remove("batch")))),
        ("a list of batches", Box::new(|seal| seal["batch"] = json!([seal["batch"]]))),
        ("an empty one", Box::new(|seal| seal["batch"] = json!({}))),
        ("limits that are none", Box::new(|seal| seal["handling"] = json!("all"))),
        ("of nothing", Box::new(|seal| seal["object_ref"] = "nothing".into())),
        ("a recall", Box::new(|seal| seal["type"] = "marsad-recall".into())),
    ];
    for (what, change) in of_no_form {
        assert!(matches!(bend(&*change), Err(Error::Form { .. })), "{what}");
    }
    // Without the id that follows it is none either: nobody takes the place of another's.
    for (name, value) in [("place", json!(place ^ 1)), ("salt", other["batch"]["salt"].clone())] {
        let mut bent = seal.clone();
        bent["batch"][name] = value;
        let verdict = read(bent.to_string().as_bytes());
        assert!(matches!(verdict, Err(Error::Form { .. })), "{name}: {verdict:?}");
    }
    let twice = seal.to_string().replacen("\"path\":", "\"path\":\"\",\"path\":", 1);
    assert!(read(twice.as_bytes()).is_err(), "a property twice");
}

#[test]
fn what_was_signed_alone_is_no_tree_and_a_tree_is_nothing_else() {
    let alone = seal(
        &object(7),
        "tool--00000000-0000-4000-8000-000000000007",
        Some(VERSION),
        None,
        &keys(2),
        &Limits::default(),
    );
    let mut alone = said(&alone.unwrap());
    alone["batch"] = json!({"count": 1, "place": 0, "path": "", "salt": URL_SAFE_NO_PAD.encode([0; SALT])});
    let verdict = read(&with_its_id(alone.clone())).and_then(|seal| check(7, &seal));
    assert_eq!(verdict, Err(Error::Signature));
    // One leaf is a tree as well, if its author signs it.
    let unsigned = read(&with_its_id(alone.clone())).unwrap();
    alone["signature"] = URL_SAFE_NO_PAD.encode(keys(2).sign(&unsigned.message)).into();
    assert!(read(&with_its_id(alone)).and_then(|seal| check(7, &seal)).is_ok());
    // The longest path there is.
    let mut deep = said(&sealed(1, 2)[0]);
    deep["batch"]["count"] = (1_u64 << LONGEST).into();
    deep["batch"]["path"] = text(&[[7; HASH]; LONGEST]);
    let unsigned = read(&with_its_id(deep.clone())).unwrap();
    assert_eq!(check(0, &unsigned), Err(Error::Signature));
    deep["signature"] = URL_SAFE_NO_PAD.encode(keys(2).sign(&unsigned.message)).into();
    assert!(read(&with_its_id(deep)).and_then(|seal| check(0, &seal)).is_ok());
    // The same bytes are one thing as a leaf and another as a node.
    let halves = [[3; HASH], [4; HASH]];
    let (salt, rest) = halves.as_flattened().split_first_chunk::<SALT>().unwrap();
    let as_node = tree::root(&halves[0], 0, 2, &[halves[1]]).unwrap();
    assert_ne!(tree::leaf(salt, rest), as_node);
}

/// RFC 9162 §2.1.1: the hash of a tree over these leaves.
fn hash_of(leaves: &[[u8; HASH]]) -> [u8; HASH] {
    match leaves {
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            tree::root(&hash_of(left), 0, 2, &[hash_of(right)]).unwrap()
        }
    }
}

/// RFC 9162 §2.1.3.1: the hashes beside the way of a leaf, those nearest to it first.
fn way_of(place: usize, leaves: &[[u8; HASH]]) -> Vec<[u8; HASH]> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut way, beside) = match place.checked_sub(left.len()) {
        None => (way_of(place, left), hash_of(right)),
        Some(place) => (way_of(place, right), hash_of(left)),
    };
    way.push(beside);
    way
}

#[test]
fn ways_lead_to_the_root_as_the_rfc_defines_both() {
    for count in 1..40_usize {
        let leaves: Vec<[u8; HASH]> = (0..count).map(|number| tree::leaf(&[number as u8; SALT], b"said")).collect();
        let root = hash_of(&leaves);
        for (place, leaf) in leaves.iter().enumerate() {
            let way = way_of(place, &leaves);
            let reached = |place: usize, count: usize, way: &[[u8; HASH]]| {
                tree::root(leaf, place as u64, count as u64, way) == Some(root)
            };
            assert!(reached(place, count, &way), "{place} of {count}");
            for other in (0..count + 3).filter(|other| *other != place) {
                assert!(!reached(other, count, &way), "{other} instead of {place} of {count}");
            }
            assert!(!reached(place, count, &[way.as_slice(), &[root]].concat()));
            assert!(way.is_empty() || !reached(place, count, &way[1..]));
        }
    }
}

#[test]
fn a_seal_tells_nothing_of_what_was_sealed_with_it() {
    let (one, many) = (said(&sealed(1, 2)[0]), sealed(SEALS, 2));
    for seal in [&one, &said(&many[0])] {
        assert_eq!((seal["batch"]["count"].as_u64(), way(seal).len()), (Some(64), LEVELS));
    }
    assert!(one.to_string().len().abs_diff(many[0].len()) < 2);
    // The places of many are all there are, and in no order that could be known.
    let places: Vec<u64> = many.iter().map(|seal| said(seal)["batch"]["place"].as_u64().unwrap()).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..64).collect::<Vec<u64>>());
    assert_ne!(places, sorted);
    // Whoever knows what another seal says, its salt for another reader, or its own salt, finds it in no hash.
    let readers = ["three", "four"].map(|reader| seal_all(&contents(0..SEALS), None, reader, &keys(2)));
    assert_eq!(readers[0], seal_all(&contents(0..SEALS), None, "three", &keys(2)), "the same for the same reader");
    let mut salts = std::collections::BTreeSet::new();
    let (mut told, mut leaves) = (std::collections::BTreeSet::new(), Vec::new());
    for seal in &readers[0] {
        told.extend(way(&said(seal)));
    }
    for (number, seal) in readers.iter().flatten().enumerate() {
        let seal = said(seal);
        let salt: [u8; SALT] =
            URL_SAFE_NO_PAD.decode(seal["batch"]["salt"].as_str().unwrap()).unwrap().try_into().unwrap();
        assert!(salts.insert(salt), "{number}");
        let mut words = seal.clone();
        for name in ["batch", "id", "signature"] {
            words.as_object_mut().unwrap().remove(name);
        }
        let (mut tape, mut text) = (Tape::new(), Vec::new());
        let words = words.to_string();
        stix::canonical::write(tape.parse(words.as_bytes(), &Limits::default()).unwrap(), &mut text);
        leaves.push((salt, text));
    }
    for (number, (salt, words)) in leaves.iter().enumerate() {
        // Those of the first reader are hashed with their own salts, which nobody has but who has them.
        assert_eq!(told.contains(&tree::leaf(salt, words)), number < SEALS, "{number}");
        let (others, _) = &leaves[(number + 1) % leaves.len()];
        assert!(!told.contains(&tree::leaf(others, words)));
    }
}
