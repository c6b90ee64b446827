//! What other nodes hold, and what they may say of it.

use super::wire::Request;
use super::world::{GREEN, World, id, tool};
use partner::key::Keys;
use partner::recall::{Act, Recall};

/// The mailbox of a partner, on every node.
const MAILBOX: &str = "/exchange/collections/7b0c6c3e-6f0a-4d0b-8a5e-3d2f6b1a9c40/objects/";

/// Our node, which serves, and that of CERT North, which pulls from it: each has confirmed the other's card. The last is
/// the identity by which ours signs.
fn pair() -> (World, World, String) {
    let (mut ours, theirs) = (World::with(&["north", "south"]), World::bare());
    theirs.good(&["init", "--organisation", "CERT North"], "");
    ours.serve(&[]);
    for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
        let (file, card) = (from.file("card.json", ""), from.json(&["card", "show"]));
        from.good(&["card", "show", "-o", &file], "");
        to.good(&["partner", "add", &file, "--words", card["words"].as_str().unwrap()], "");
    }
    let url = format!("http://{}/taxii2/", ours.address());
    let link =
        ["link", "add", "up", "--partner", "Example CERT", "--pull", &url, "--collection", "main", "--key-stdin"];
    theirs.good(&link, ours.who("north").trim_start_matches("Bearer "));
    let identity = ours.json(&["card", "show"])["identities"][0].as_str().unwrap().to_owned();
    (ours, theirs, format!(r#""created_by_ref":"{identity}","#))
}

/// Flawed design: whoever is a partner may have deleted or revoked what it did not make.
pub(crate) fn a28_nobody_recalls_what_is_anothers() {
    let (ours, theirs, maker) = pair();
    ours.import(&[], &[tool(1, 1, "kept", &[GREEN], &maker)]);
    theirs.good(&["link", "run", "up"], "");
    assert!(theirs.good(&["export"], "").contains("kept"));
    // Over its mailbox, in the name of nobody who is known.
    let recall = Recall {
        object: id(1),
        versions: None,
        act: Act::Delete,
        tlp: None,
        handling: None,
        at: "2026-01-01T00:00:00.000Z".to_owned(),
    };
    let forged = String::from_utf8(recall.sign(&Keys::of(&[9; 32]))).unwrap();
    let body = format!(r#"{{"objects":[{forged}]}}"#);
    let posted = ours.send(&Request::new("POST", MAILBOX).by(&ours.who("north")).carrying(body.as_bytes()));
    assert_eq!((posted.status, posted.get("failure_count")), (202, 1.into()));
    assert!(posted.text().contains("not on a card"), "{}", posted.text());
    // Somebody who is no partner has no mailbox, and is not told of one.
    let body = ours.send(&Request::new("POST", MAILBOX).by(&ours.who("south")).carrying(body.as_bytes()));
    assert_eq!(body.status, 404);
    ours.soon("the refusal is told", |ours| ours.good(&["audit", "list", "--json"], "").contains("recall-refused"));
    assert_eq!(ours.names("north", "/exchange/collections/main/objects/"), ["kept"]);
    // What it deletes at home stays where it came from.
    let told = theirs.json(&["recall", &id(1), "--delete", "--yes"]);
    assert_eq!((&told["versions"], told["told"].as_array().unwrap().len()), (&1.into(), 0));
    // The answer to what was forged in its name is none of its recalls', and is refused.
    assert!(theirs.run(&["link", "run", "up"], "").out.contains("statements in 1"));
    assert!(theirs.good(&["audit", "list", "--json"], "").contains("receipt-refused"));
    assert_eq!(ours.names("north", "/exchange/collections/main/objects/"), ["kept"]);
}

/// Flawed design: what was handed over is out of reach for ever, and nobody knows whether it was taken back.
pub(crate) fn a30_what_partners_hold_is_taken_back() {
    let (ours, theirs, maker) = pair();
    let objects = [tool(1, 1, "mistake", &[GREEN], &maker), tool(2, 1, "stays", &[GREEN], &maker)];
    ours.import(&[], &objects);
    theirs.good(&["link", "run", "up"], "");
    assert_eq!(ours.names("south", "/exchange/collections/main/objects/"), ["mistake", "stays"]);
    let held = |name: &str| theirs.good(&["export"], "").contains(name);
    assert!(held("mistake") && held("stays"));
    let told = ours.json(&["recall", &id(1), "--delete", "--yes", "--reason", "a test"]);
    assert_eq!(told["told"], serde_json::json!(["CERT North", "CERT South"]));
    let states = || {
        let status = ours.json(&["recall", "status", &id(1)]);
        let receivers = status["recalls"][0]["receivers"].as_array().unwrap();
        receivers.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Nobody is said to have confirmed who has not; who has no node cannot.
    assert_eq!(states(), ["waiting", "cannot"]);
    assert!(held("mistake"));
    theirs.good(&["link", "run", "up"], "");
    assert!(!held("mistake") && held("stays"));
    assert_eq!(states(), ["confirmed", "cannot"]);
    let shown = ours.good(&["recall", "status", &id(1)], "");
    assert!(shown.contains("confirmed") && shown.contains("no link: told nobody"), "{shown}");
    // The old version does not come back; a newer one does.
    ours.import(&[], &objects[..1]);
    let run = theirs.run(&["link", "run", "up"], "");
    assert!(run.code == 1 && !held("mistake"), "{run:?}");
    assert!(theirs.good(&["audit", "list", "--json"], "").contains("recalled by Example CERT"));
    // Over TAXII and the API it is the same.
    let deleted = ours.ask("south", "DELETE", &format!("/exchange/collections/main/objects/{}/", id(2)));
    assert_eq!(deleted.status, 200);
    theirs.good(&["link", "run", "up"], "");
    assert!(!held("stays"));
    let status = ours.json(&["recall", "status", &id(2)]);
    assert_eq!(status["recalls"][0]["receivers"][0]["state"], "confirmed");
}
