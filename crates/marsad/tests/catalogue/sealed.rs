//! Objects under their author's signature: what partners hand over, and what relays do to it on the way.

use super::wire::Request;
use super::world::{CLEAR, GREEN, STRICT, World, id, tool};
use partner::card::{Draft, issue, read};
use partner::key::Keys;
use stix::json::Limits;

const OBJECTS: &str = "/exchange/collections/main/objects/";
const LATER: i64 = 1_760_000_000_000_000;

/// `created_by_ref` of a partner by its number.
fn by(number: u8) -> String {
    format!(r#""created_by_ref":"identity--00000000-0000-4000-8000-0000000000{number:02x}","#)
}

fn keys(number: u8) -> Keys {
    Keys::of(&[number; 32])
}

/// The card of a partner: the file, and the words that its people say over the telephone.
fn card(world: &World, organisation: &str, number: u8) -> (String, String) {
    let draft = Draft {
        serial: 1,
        organisation: organisation.to_owned(),
        identities: vec![format!("identity--00000000-0000-4000-8000-0000000000{number:02x}")],
        addresses: vec!["https://partner.example/taxii2/".to_owned()],
        certificates: Vec::new(),
        from: LATER,
        until: None,
        revoked: false,
    };
    let text = issue(&draft, &keys(number), None);
    let words = partner::words::say(&read(&text).unwrap().fingerprint());
    (world.file(&format!("card-{number}.json"), text), words)
}

fn confirm(world: &World, organisation: &str, number: u8) {
    let (file, words) = card(world, organisation, number);
    world.good(&["partner", "add", &file, "--words", &words], "");
}

fn seal(object: &str, number: u8) -> String {
    let value: serde_json::Value = serde_json::from_str(object).unwrap();
    let (id, version) = (value["id"].as_str().unwrap(), value["modified"].as_str());
    let sealed = partner::seal::seal(object.as_bytes(), id, version, None, &keys(number), &Limits::default());
    String::from_utf8(sealed.unwrap()).unwrap()
}

/// How many of these objects were taken; statements beside them are no objects.
fn taken(world: &World, who: &str, objects: &[String]) -> u64 {
    let answer = world.post(who, "main", objects);
    assert_eq!(answer.status, 202, "{}", answer.text());
    let rows = answer.get("successes");
    let is_object = |row: &&serde_json::Value| !row["id"].as_str().unwrap().starts_with("marsad-");
    rows.as_array().map_or(0, |rows| rows.iter().filter(is_object).count() as u64)
}

/// Flawed design: signatures are checked and what does not verify is taken all the same; keys are believed at first sight.
pub(crate) fn a26_a_signature_is_enforced_by_a_key_that_was_confirmed() {
    let mut world = World::with(&["boss", "amina", "north", "south"]);
    let (file, words) = card(&world, "CERT North", 1);
    // A card that is merely there counts for nothing: nothing is proven by its key.
    world.good(&["partner", "add", &file], "");
    assert_ne!(world.run(&["partner", "confirm", "CERT North", "--words", &words.replace(' ', " a")], "").code, 0);
    world.good(&["partner", "confirm", "CERT North", "--words", &words], "");
    confirm(&world, "CERT South", 2);
    world.serve(&[]);
    let object = |number: u32| tool(number, 1, "sealed", &[GREEN], &by(1));
    let altered = |number: u32| object(number).replace("\"sealed\"", "\"altered\"");
    for (what, who, objects, expected) in [
        ("as its author sealed it", "north", vec![object(1), seal(&object(1), 1)], 1),
        ("over a relay", "south", vec![seal(&object(2), 1), object(2)], 1),
        ("without a seal", "north", vec![object(3)], 0),
        ("altered", "south", vec![altered(4), seal(&object(4), 1)], 0),
        ("sealed by the relay", "south", vec![object(5), seal(&object(5), 2)], 0),
        ("sealed by a stranger", "north", vec![object(6), seal(&object(6), 9)], 0),
        ("the seal of another", "north", vec![object(7), seal(&object(1), 1)], 0),
    ] {
        assert_eq!(taken(&world, who, &objects), expected, "{what}");
    }
    assert_eq!(world.names("boss", OBJECTS), ["sealed", "sealed"]);
    assert!(!world.get("boss", &format!("{OBJECTS}?match[version]=all")).text().contains("marsad-seal"));
    // Our own members bring it in by other ways: without a seal it is a stranger's, with a wrong one nothing.
    assert_eq!(taken(&world, "amina", &[altered(8), seal(&object(8), 1)]), 0);
    assert_eq!(world.run(&["import", "-"], &format!("[{},{}]", altered(9), seal(&object(9), 1))).code, 1);
    // What is for nobody else its author sees: of the one with the seal it is the author, of the other it is not.
    let strict = |number: u32| tool(number, 1, "own", &[STRICT], &by(1));
    world.import(&[], &[seal(&strict(10), 1), strict(10)]);
    world.import(&[], &[strict(11)]);
    let seen = world.export("north");
    assert!(seen.contains(&id(10)) && !seen.contains(&id(11)), "{seen}");
    // A key that is taken back opens nothing any more, from then on.
    world.good(&["partner", "revoke", "CERT North"], "");
    let number = std::cell::Cell::new(100);
    world.soon("the key is revoked", |world| {
        number.set(number.get() + 1);
        taken(world, "south", &[object(number.get()), seal(&object(number.get()), 1)]) == 0
    });
    // Every refusal is in the audit log, with its reason.
    world.end();
    let log = world.good(&["audit", "list", "--json"], "");
    for reason in ["no seal of its author came with it", "the content was altered", "another organisation"] {
        assert!(log.contains(reason), "{reason}: {log}");
    }
}

/// Flawed design: markings are the relay's to keep, and it drops or widens them on the way.
pub(crate) fn a29_markings_are_under_the_authors_signature() {
    let mut world = World::with(&["boss", "north", "south"]);
    confirm(&world, "CERT North", 1);
    confirm(&world, "CERT South", 2);
    world.serve(&[]);
    let object = tool(1, 1, "strict", &[STRICT], &by(1));
    let sealed = seal(&object, 1);
    let marking = format!(r#""object_marking_refs":["{STRICT}"],"#);
    for wider in [CLEAR, GREEN].map(|wide| marking.replace(STRICT, wide)).into_iter().chain([String::new()]) {
        let widened = object.replace(&marking, &wider);
        assert_ne!(widened, object);
        assert_eq!(taken(&world, "south", &[widened.clone(), sealed.clone()]), 0, "{wider}");
        // Sealed anew by whoever widened it, it is not the author's either.
        assert_eq!(taken(&world, "south", &[widened.clone(), seal(&widened, 2)]), 0, "{wider}");
    }
    assert_eq!(world.names("boss", OBJECTS), [""; 0]);
    // As its author marked it, it comes in over the same relay, and is for nobody else.
    assert_eq!(taken(&world, "south", &[object, sealed]), 1);
    assert_eq!(world.names("boss", OBJECTS), ["strict"]);
    // What goes on over a link has the author's seal, to the letter.
    let green = tool(2, 1, "green", &[GREEN], &by(1));
    let sealed = seal(&green, 1);
    assert_eq!(taken(&world, "north", &[green.clone(), sealed.clone()]), 1);
    let link =
        Request::new("GET", OBJECTS).by(&world.who("south")).with("Accept", super::TAXII).with("Marsad-Link", "1");
    let page = world.send(&link).text();
    assert!(page.contains(&green) && page.contains(&sealed), "{page}");
}
