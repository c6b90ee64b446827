//! Seals on sheets.

use super::tree::SEALS;
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
    });
    object.to_string().into_bytes()
}

fn content(object: &[u8]) -> Content {
    Content::read(object, &Limits::default()).unwrap()
}

fn contents(numbers: impl IntoIterator<Item = usize>) -> Vec<Content> {
    numbers.into_iter().map(|number| content(&object(number))).collect()
}

fn sheet(count: usize, number: u8) -> Sheet {
    Sheet::of(&contents(0..count), Some(&json!({"expires": 5})), "three", &keys(number))
}

fn read_sheet(text: &[u8]) -> Result<Sheet, Error> {
    Sheet::parse(text).expect("it says that it is a sheet")
}

/// What the sheets of a page come to for an object.
fn check(sheets: &[Sheet], object: &Content) -> Vec<Result<Verified, Error>> {
    let mut page = Sheets::default();
    for sheet in sheets {
        page.push(sheet.clone());
    }
    let mut found = Vec::new();
    page.find(object, &mut Vec::new(), &mut |on, _| found.push(on));
    let pairs: Vec<(&Content, &On)> = found.iter().map(|on| (object, on)).collect();
    verify_on(&pairs, &ring(), NOW)
}

#[test]
fn a_sheet_says_of_each_object_what_its_own_seal_says() {
    for count in [1, 2, 3, SEALS - 1, SEALS, SEALS + 3] {
        let text = sheet(count, 2).text();
        let sheet = read_sheet(&text).unwrap();
        assert_eq!(sheet.text(), text);
        assert_eq!(sheet.len(), count.min(SEALS));
        let alone = seal_all(&contents(0..count), Some(&json!({"expires": 5})), "three", &keys(2));
        let ways = sheet.clone().ways();
        for (number, seal) in alone.iter().enumerate() {
            let content = content(&object(number));
            if number >= SEALS {
                assert!(check(std::slice::from_ref(&sheet), &content).is_empty() && ways.seal_of(&content).is_none());
                continue;
            }
            let seal: Unverified = read(seal).unwrap();
            let by_seal = verify_content(&content, &seal, &ring(), NOW).unwrap();
            let by_sheet = check(std::slice::from_ref(&sheet), &content).remove(0).unwrap();
            assert_eq!(by_sheet, by_seal);
            assert_eq!((by_sheet.organisation(), by_sheet.handling()), ("two", Some(&json!({"expires": 5}))));
            assert_eq!(read(&ways.seal_of(&content).unwrap()).unwrap(), seal, "it can be made out of the sheet");
        }
    }
}

#[test]
fn what_is_not_on_it_is_not_found() {
    let sheet = sheet(9, 2);
    let bent = String::from_utf8(object(3)).unwrap().replace("tool 3", "tool three");
    let later = String::from_utf8(object(3)).unwrap().replace("03:04:05", "03:04:06");
    let unnamed = String::from_utf8(object(3)).unwrap().replace("tool--", "tool");
    for other in [object(9), bent.into_bytes(), later.into_bytes(), unnamed.into_bytes()] {
        let other = content(&other);
        assert!(check(std::slice::from_ref(&sheet), &other).is_empty(), "{other:?}");
        assert!(sheet.clone().ways().seal_of(&other).is_none());
    }
    // An object that has no readable name is not sealed by what lists it.
    for (from, to) in [("tool--", "tool"), ("2026-01-02T", "2026-13-02T")] {
        let strange = content(String::from_utf8(object(3)).unwrap().replace(from, to).as_bytes());
        let sheet = Sheet::of(std::slice::from_ref(&strange), None, "three", &keys(2));
        assert!(check(&[sheet], &strange).is_empty(), "{to}");
    }
}

/// Its limits are hashed for each object that may be on it, and kept with each seal that is made out of it.
#[test]
fn what_costs_too_much_to_read_is_no_sheet() {
    let of = |limits: &Value| Sheet::of(&contents(0..2), Some(limits), "three", &keys(2)).text();
    let limits = |length: usize| json!({"expires": 5, "x": "y".repeat(length)});
    let frame = limits(0).to_string().len();
    assert!(read_sheet(&of(&limits(MOST_LIMITS - frame))).is_ok());
    let padded = [&of(&json!({}))[..1], &[b' '; 16 << 10], &of(&json!({}))[1..]].concat();
    for text in [of(&limits(MOST_LIMITS - frame + 1)), of(&limits(1 << 20)), padded] {
        assert!(matches!(read_sheet(&text), Err(Error::Form { .. })), "{} bytes", text.len());
    }
    // Deeper than any statement is read: neither when it comes nor ever after.
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    assert!(Sheet::parse(&of(&json!({"x": deep}))).is_none());
}

#[test]
fn each_of_several_sheets_is_judged_by_itself() {
    let content = content(&object(1));
    let unknown = sheet(3, 4);
    let mut bent: Value = serde_json::from_slice(&sheet(3, 2).text()).unwrap();
    bent["signature"] = URL_SAFE_NO_PAD.encode([7; SIGNATURE]).into();
    let bent = read_sheet(bent.to_string().as_bytes()).unwrap();
    let verdicts = check(&[bent, sheet(3, 2), sheet(2, 3), unknown], &content);
    assert_eq!(verdicts.len(), 4);
    assert_eq!(verdicts[0], Err(Error::Signature));
    let organisations: Vec<_> = verdicts[1..3].iter().map(|verdict| verdict.as_ref().unwrap().organisation()).collect();
    assert_eq!(organisations, ["two", "three"]);
    assert!(matches!(verdicts[3], Err(Error::Key(_))));
    // Many that list one object are a flood.
    let many: Vec<Sheet> = (3..40).map(|count| sheet(count, 2)).collect();
    assert_eq!(check(&many, &content).len(), 9);
    let ring = crate::trust::Keyring::new(None, vec![("two".into(), card(2), Standing::Revoked)]);
    assert!(holds(&sheet(3, 2).text(), &ring, NOW).unwrap_err().to_string().contains("revoked"));
}

#[test]
fn a_bent_sheet_is_none() {
    let text = sheet(9, 2).text();
    let said: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(read_sheet(serde_json::to_string_pretty(&said).unwrap().as_bytes()), read_sheet(&text));
    let leaves = URL_SAFE_NO_PAD.decode(said["leaves"].as_str().unwrap()).unwrap();
    let list = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    let many = [7_u8; 65 * 40];
    for (what, name, value) in [
        ("another type of thing", "spec_version", json!("2.0")),
        ("a time", "modified", json!(VERSION)),
        ("another time", "created", json!(VERSION)),
        ("another id", "id", json!("marsad-seals--00000000-0000-5000-8000-000000000001")),
        ("another draw", "drawn", list(&[7; HASH])),
        ("a short draw", "drawn", list(&[7; HASH - 1])),
        ("a leaf less", "leaves", list(&leaves[..8 * 40])),
        ("half a leaf", "leaves", list(&leaves[..8 * 40 + 20])),
        ("no leaf", "leaves", json!("")),
        ("too many leaves", "leaves", list(&many)),
        ("no text", "leaves", json!(["a"])),
        ("no key", "key", json!("ed25519:")),
        ("a short signature", "signature", list(&[1; 63])),
        ("limits that are none", "handling", json!("none")),
        ("another extension", "extensions", json!({})),
        ("something more", "colour", json!("red")),
    ] {
        let mut bent = said.clone();
        bent[name] = value;
        assert!(matches!(read_sheet(bent.to_string().as_bytes()), Err(Error::Form { .. })), "{what}");
    }
    // What is listed under another's name or limits seals nothing: the leaves say so.
    for (name, value) in [("key", json!(keys(3).public().id().as_str())), ("handling", json!({"expires": 6}))] {
        let mut bent = said.clone();
        bent[name] = value;
        let bent = read_sheet(bent.to_string().as_bytes()).unwrap();
        assert!(check(&[bent], &content(&object(1))).is_empty(), "{name}");
    }
    // A tag that names another object leads nowhere.
    let mut swapped = leaves.clone();
    swapped[..8].copy_from_slice(&leaves[40..48]);
    let mut bent = said.clone();
    bent["leaves"] = list(&swapped);
    let bent = read_sheet(bent.to_string().as_bytes()).unwrap();
    assert!(check(std::slice::from_ref(&bent), &content(&object(0))).is_empty());
    assert_eq!(check(&[bent], &content(&object(1))).len(), 1);
    // It is read with its objects, and nowhere else.
    assert!(matches!(read(&text), Err(Error::Form { kind: "marsad-seals", .. })));
    assert!(Sheet::parse(&object(1)).is_none() && Sheet::parse(b"{").is_none());
    assert!(crate::signed::is_control("marsad-seals"));
}

#[test]
fn what_is_kept_holds_while_its_key_does() {
    let kept = sheet(9, 2).text();
    assert_eq!(holds(&kept, &ring(), NOW), Ok(()));
    assert_eq!(holds(&seal_all(&contents(0..3), None, "three", &keys(2))[1], &ring(), NOW), Ok(()));
    assert!(matches!(holds(&sheet(9, 4).text(), &ring(), NOW), Err(Error::Key(_))));
    let mut bent: Value = serde_json::from_slice(&kept).unwrap();
    bent["signature"] = URL_SAFE_NO_PAD.encode([7; SIGNATURE]).into();
    assert_eq!(holds(bent.to_string().as_bytes(), &ring(), NOW), Err(Error::Signature));
    assert!(holds(b"{}", &ring(), NOW).is_err());
}
