//! What two nodes that mean well hand each other.

use crate::world::{Node, address, bytes, id, identity, name, of_type, read, tool, two, type_of};
use bytes::Bytes;
use ledger::{Ledger as _, Partners as _};
use node::partners::provenance::{Proof, Waiting, mark};
use policy::{Audience, Author, Handling};
use serde_json::{Value, json};

#[test]
fn an_author_is_proven_by_its_seal() {
    let (one, two) = two();
    one.write(&[tool(1, 1, 1), tool(2, 1, 1), address(7)]);
    let page = one.page_for(2);
    assert_eq!(
        page.iter().map(|object| type_of(object)).collect::<Vec<_>>(),
        ["tool", "marsad-seal", "tool", "marsad-seal", "ipv4-addr", "marsad-seal"]
    );
    let (sorted, counts, told) = two.take(1, &page);
    assert_eq!((sorted.refused.len(), sorted.dropped, told.refused.len()), (0, 0, 0), "{sorted:?} {told:?}");
    assert_eq!(counts.added, 3);
    for object in [id(1), id(2), address(7)["id"].as_str().unwrap().to_owned()] {
        let held = two.held(&object);
        assert_eq!((held.len(), &held[0].1.owner, &held[0].1.author), (1, &name(1), &Author::Owner), "{object}");
    }
    // Nothing of what is said about objects is kept among them.
    assert_eq!(two.book.statistics().unwrap().records, 3);
    let statements = two.book.statements(&mark::of(&page[0])).unwrap();
    assert_eq!((statements.len(), statements[0].source.as_str()), (1, name(1).as_str()));
    assert_eq!(read(&statements[0].body), json!({"path": [identity(1)], "confidence": 70}));
}

#[test]
fn the_same_page_twice_is_the_same_bytes_and_nothing_of_it_is_kept() {
    let (one, two) = two();
    one.write(&[tool(1, 1, 1), address(7)]);
    let page = one.page_for(2);
    assert_eq!(one.page_for(2), page);
    let (_, counts, _) = two.take(1, &page);
    let (_, again, _) = two.take(1, &page);
    assert_eq!((counts.added, again.added, again.unchanged), (2, 0, 2));
    // Seals are made for whoever gets them: those of another reader tell nothing of this one.
    let seal = of_type(&page, "marsad-seal")[0];
    let others = one.page_for(3);
    assert_eq!(others.len(), page.len());
    assert!(!others.iter().any(|object| object == seal));
    assert_eq!(one.book.seals(&[mark::of(of_type(&page, "tool")[0])]).unwrap(), [None]);
}

/// Writes an object otherwise.
type Spell = fn(&Value) -> String;
/// Brings a page as several.
type Arrange = fn(Vec<Bytes>) -> Vec<Vec<Bytes>>;

/// What TAXII servers of other makes do to what they keep.
#[test]
fn other_spellings_are_the_same_object() {
    let spellings: [(&str, Spell); 4] = [
        ("white space", |object| serde_json::to_string_pretty(object).unwrap()),
        ("order of properties", |object| {
            let fields: Vec<String> = object
                .as_object()
                .unwrap()
                .iter()
                .rev()
                .map(|(name, value)| format!("{}: {value}", json!(name)))
                .collect();
            format!("{{{}}}", fields.join(" ,\n"))
        }),
        ("escapes", |object| {
            let text = object.to_string();
            let escaped = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) });
            escaped.collect::<String>().replace("\"name\"", "\"n\\u0061me\"")
        }),
        ("numbers", |object| object.to_string().replace("\"confidence\":70", "\"confidence\":7e1")),
    ];
    for (what, spell) in spellings {
        let (one, two) = two();
        one.write(&[tool(1, 1, 1)]);
        let page: Vec<Bytes> = one.page_for(2).iter().map(|object| Bytes::from(spell(&read(object)))).collect();
        let (sorted, counts, told) = two.take(1, &page);
        assert_eq!((counts.added, sorted.refused.len()), (1, 0), "{what}: {sorted:?} {told:?}");
        // And it goes on as it came, with its seal.
        assert_eq!(two.held(&id(1))[0].1.author, Author::Owner, "{what}");
    }
}

fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()
}

#[test]
fn a_seal_may_stand_anywhere_and_come_later() {
    let arrange: [(&str, Arrange); 5] = [
        ("behind its object", |page| vec![page]),
        ("seals first", |page| {
            let (seals, objects): (Vec<_>, Vec<_>) = page.into_iter().partition(|one| type_of(one) == "marsad-seal");
            vec![[seals, objects].concat()]
        }),
        ("in reverse", |page| vec![page.into_iter().rev().collect()]),
        ("on the next page", |page| {
            let (seals, objects): (Vec<_>, Vec<_>) = page.into_iter().partition(|one| type_of(one) == "marsad-seal");
            vec![objects, seals]
        }),
        ("on the page before, and twice", |page| {
            let (seals, objects): (Vec<_>, Vec<_>) = page.into_iter().partition(|one| type_of(one) == "marsad-seal");
            vec![[seals.clone(), seals].concat(), Vec::new(), objects]
        }),
    ];
    for (what, arrange) in arrange {
        let (one, two) = two();
        one.write(&[tool(1, 1, 1), tool(1, 1, 2), tool(2, 1, 1)]);
        let mut waiting = Waiting::default();
        let mut added = 0;
        for page in arrange(one.page_for(2)) {
            let (sorted, counts, _) = two.take_on(1, &page, &mut waiting);
            assert!(sorted.refused.is_empty(), "{what}: {sorted:?}");
            added += counts.added;
        }
        assert_eq!((added, waiting.objects()), (3, 0), "{what}");
    }
}

#[test]
fn a_seal_that_came_before_is_remembered() {
    let (one, two) = two();
    one.write(&[tool(1, 1, 1)]);
    let page = one.page_for(2);
    two.take(1, &page);
    let (sorted, counts, _) = two.take(1, &page[..1]);
    assert_eq!((counts.unchanged, sorted.refused.len()), (1, 0), "{sorted:?}");
}

#[test]
fn limits_travel_under_the_seal() {
    let (one, two) = two();
    let group = "5f2b6c1b-0d2b-4e5f-9c0b-5d9c7a3e6a0e".to_owned();
    let handling =
        Handling { audience: vec![Audience::Group(group)], embargo: None, expires: Some(1_900_000_000_000_000) };
    one.write_within(&[tool(1, 1, 1)], handling.clone());
    let page = one.page_for(2);
    assert_eq!(read(of_type(&page, "marsad-seal")[0])["handling"], serde_json::to_value(&handling).unwrap());
    let (_, counts, _) = two.take(1, &page);
    assert_eq!(counts.added, 1);
    assert_eq!(two.held(&id(1))[0].1.handling, handling);
}

#[test]
fn one_body_under_two_limits_has_two_seals() {
    let (one, _) = two();
    let body = bytes(&tool(1, 1, 1));
    let class = |handling: Handling| {
        let class = policy::Class { owner: name(1), handling, ..policy::Class::default() };
        one.book.class(&class.to_definition(), &class.opened().to_definition()).unwrap()
    };
    let narrow = Handling { audience: vec![Audience::Community], ..Handling::default() };
    let (wide, narrow) = (class(Handling::default()), class(narrow));
    let seal = |class| one.dress(2, &[(&body[..], class)]).objects[1].clone();
    let (first, second) = (seal(wide), seal(narrow));
    assert_eq!(read(&first).get("handling"), None);
    assert_eq!(read(&second)["handling"], json!({"audience": ["community"]}));
    assert_eq!((seal(wide), seal(narrow)), (first, second));
}

#[test]
fn what_is_red_is_for_the_organisation_that_got_it() {
    let (one, two) = two();
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let mut object = tool(1, 1, 1);
    object["object_marking_refs"] = json!([red]);
    one.write(&[object]);
    two.take(1, &one.page_for(2));
    assert_eq!(two.held(&id(1))[0].1.recipients, [name(2)]);
}

#[test]
fn members_bring_in_what_partners_sealed() {
    let (one, two) = two();
    one.write(&[tool(1, 1, 1), tool(2, 1, 1)]);
    let page = one.page_for(2);
    // A file with both seals, one with one of them, one whose object was altered.
    let (sorted, counts, _) = two.take(2, &page[..3]);
    assert_eq!((counts.added, sorted.refused.len()), (2, 0), "{sorted:?}");
    assert_eq!(two.held(&id(1))[0].1.author, Author::Organisation(name(1)));
    // Without its seal it is a stranger's: whoever brings it is bound by its markings, and nobody takes it for the author's.
    assert_eq!((&two.held(&id(2))[0].1.owner, &two.held(&id(2))[0].1.author), (&name(2), &Author::Foreign));
    let mut altered = read(&page[2]);
    altered["name"] = "another".into();
    let (sorted, ..) = two.take(2, &[bytes(&altered), page[3].clone()]);
    assert_eq!(sorted.refused.len(), 1, "{sorted:?}");
}

#[test]
fn what_is_narrow_for_whom_is_left_out() {
    let (one, _) = two();
    let unreadable = one.book.class(b"{}", b"{\"open\":true}").unwrap();
    let body = bytes(&tool(1, 1, 1));
    let dressed = one.dress(2, &[(&body[..], unreadable)]);
    assert_eq!((dressed.objects.len(), dressed.left_out), (0, vec![0]));
}

#[test]
fn of_ones_own_a_rendering_is_sealed_as_it_is_given() {
    let (one, two) = two();
    let mut part = tool(1, 1, 1);
    part["extensions"] = json!({stix::redact::EXTENSION: {"extension_type": "property-extension", "partial": true}});
    let class = policy::Class { owner: name(1), ..policy::Class::default() };
    let class = one.book.class(&class.to_definition(), &class.opened().to_definition()).unwrap();
    let page = one.dress(2, &[(&bytes(&part)[..], class)]).objects;
    let (sorted, counts, _) = two.take(1, &page);
    assert_eq!(counts.added, 1, "{sorted:?}");
    assert!(matches!(sorted.sound[0].backing.proof, Proof::Verified(_)));
}

#[test]
fn without_a_card_everything_is_as_it_was_declared() {
    let (one, two) = (Node::new(1), Node::new(2));
    two.hear_of(1);
    one.hear_of(2);
    one.write(&[tool(1, 1, 1)]);
    two.bring(&name(1), &[tool(1, 1, 1)], Handling::default());
    two.bring(&name(2), &[tool(2, 1, 1)], Handling::default());
    assert_eq!(two.held(&id(1))[0].1.author, Author::Owner);
    assert_eq!(two.held(&id(2))[0].1.author, Author::Organisation(name(1)));
}
