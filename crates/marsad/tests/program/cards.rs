//! Cards and partners through the binary: two nodes that come to trust each other, and everything on the way that must not
//! count.

use super::node::Node;
use serde_json::{Value, json};

/// How the first partner's card stands.
fn state(node: &Node) -> String {
    let partners = node.json(&["partner", "list"]);
    partners[0]["card"].as_str().unwrap_or("nobody").to_owned()
}

/// Act, whether it was done, and why not, of every entry about partners.
fn log(node: &Node) -> Vec<(String, bool, String)> {
    let entry = |entry: Value| {
        let body = &entry["matter"]["body"];
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (text("act"), body["done"].as_bool().unwrap(), text("reason"))
    };
    node.entries(&["--kind", "partner"]).into_iter().map(entry).collect()
}

fn is_told(node: &Node, act: &str, why: &str) {
    let log = log(node);
    assert!(log.iter().any(|(did, done, reason)| did == act && !done && reason.contains(why)), "{why}: {log:?}");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn a_card_is_made_once_and_says_the_same_in_every_form() {
    let node = Node::new("Example CERT");
    let (path, said) = node.card("card.json");
    assert_eq!(said["organisation"], "Example CERT");
    let (_, again) = node.card("again.json");
    assert_eq!(said, again);
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(file, said["card"]);
    assert!(file.to_string().len() < 2000 && !file.to_string().contains("seed"));
    let shown = node.good(&["card", "show", "--qr"]);
    assert!(shown.contains(said["words"].as_str().unwrap()) && shown.contains(said["digits"].as_str().unwrap()));
    assert!(shown.contains('█') && !shown.contains('\u{1b}'));
    // Elsewhere reached: another card under the same key.
    let moved = node.json(&["--set", "public-url=https://ti.example.org", "card", "show"]);
    assert_eq!(moved["addresses"], json!(["https://ti.example.org/taxii2/"]));
    assert_eq!((&moved["key"], moved["serial"].as_u64() > said["serial"].as_u64()), (&said["key"], true));
    assert_ne!(moved["words"], said["words"]);
}

#[test]
fn an_offered_card_counts_after_its_words_were_said_and_not_before() {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    let (path, said) = north.card("north.json");
    let (words, digits) = (text(&said["words"]), text(&said["digits"]));
    own.good(&["partner", "add", &path]);
    assert_eq!(state(&own), "offered");
    // What is offered does not show its words: they must come from the other side.
    let shown = own.good(&["partner", "show", "CERT North"]);
    assert!(shown.contains("counts for nothing") && !shown.contains(&words), "{shown}");
    let wrong = text(&own.json(&["card", "show"])["words"]);
    own.refused(&["partner", "confirm", "CERT North", "--words", &wrong], 3, "those of another card");
    is_told(&own, "confirm-partner", "those of another card");
    let misheard = words.replacen(' ', " acorn ", 1);
    own.refused(&["partner", "confirm", "CERT North", "--words", &misheard], 2, "17 words");
    let swapped: Vec<&str> = words.split(' ').rev().collect();
    own.refused(&["partner", "confirm", "CERT North", "--words", &swapped.join(" ")], 2, "");
    own.refused(&["partner", "confirm", "CERT North", "--digits", &digits.replace(' ', "")[1..]], 2, "40 digits");
    own.refused(&["partner", "confirm", "CERT South", "--digits", &digits], 3, "there is no partner");
    assert_eq!(state(&own), "offered");
    own.good(&["partner", "confirm", "cert north", "--words", &words.to_uppercase().replace(' ', "-")]);
    assert_eq!(state(&own), "confirmed");
    own.refused(&["partner", "confirm", "CERT North", "--words", &words], 3, "no card of it waits");
    // The identities by which it signs are known now.
    let organisations = own.json(&["organisation", "list"]);
    let organisations = organisations.as_array().unwrap();
    let kept = organisations.iter().find(|known| known["name"] == "CERT North").unwrap();
    assert_eq!(kept["identities"], said["identities"]);
    let done: Vec<String> = log(&own).into_iter().filter(|(_, done, _)| *done).map(|(act, ..)| act).collect();
    assert_eq!(done, ["add-partner", "confirm-partner"]);
}

#[test]
fn words_may_come_from_whoever_sits_there_and_digits_may_be_arabic() {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    let (path, said) = north.card("north.json");
    own.good(&["partner", "add", &path, "--name", "North"]);
    let arabic: String = text(&said["digits"])
        .chars()
        .map(|c| c.to_digit(10).map_or(c, |digit| char::from_u32(0x0660 + digit).unwrap()))
        .collect();
    let ended = own.run(&["partner", "confirm", "North"], format!("{arabic}\n"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(state(&own), "confirmed");
    // With the words at hand one step is enough.
    let other = Node::new("Other CERT");
    other.refused(
        &["partner", "add", &path, "--words", &text(&other.json(&["card", "show"])["words"])],
        3,
        "another card",
    );
    assert_eq!(other.json(&["partner", "list"]), json!([]));
    other.good(&["partner", "add", &path, "--words", &text(&said["words"])]);
    assert_eq!(state(&other), "confirmed");
}

#[test]
fn an_altered_card_is_not_taken() {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    let (path, said) = north.card("north.json");
    let other = own.json(&["card", "show"]);
    let good: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let bent = |change: &dyn Fn(&mut Value)| {
        let mut card = good.clone();
        change(&mut card);
        own.file("bent.json", card.to_string())
    };
    for (change, why) in [
        (&(|card: &mut Value| card["organisation"] = json!("CERT South")) as &dyn Fn(&mut Value), "was altered"),
        (&|card| card["addresses"] = json!(["https://evil.example/taxii2/"]), "was altered"),
        (&|card| card["keys"] = other["card"]["keys"].clone(), "was altered"),
        (&|card| card["signature"] = other["card"]["signature"].clone(), "was altered"),
        (&|card| card["colour"] = json!("red"), "unknown field"),
        (&|card| *card = json!([]), "not a card"),
    ] {
        own.refused(&["partner", "add", &bent(change), "--digits", &text(&said["digits"])], 3, why);
        is_told(&own, "add-partner", why);
    }
    own.refused(&["partner", "add", &own.word("none.json")], 3, "cannot read");
    let long = own.file("long.json", format!("{}{good}", " ".repeat(70_000)));
    own.refused(&["partner", "add", &long], 3, "64 KiB");
    assert_eq!(own.json(&["partner", "list"]), json!([]));
    assert!(!own.good(&["organisation", "list"]).contains("North"), "what is refused leaves nothing behind");
    // Its own card is nobody's partner.
    let (mine, _) = own.card("mine.json");
    own.refused(&["partner", "add", &mine], 3, "our own card");
    own.refused(&["partner", "add", &mine, "--name", "Somebody"], 3, "our own card");
}

#[test]
fn new_keys_follow_without_a_call_and_old_cards_do_not_come_back() {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    let (first, said) = north.card("first.json");
    own.good(&["partner", "add", &first, "--words", &text(&said["words"])]);
    let second = north.word("second.json");
    let rotated = north.json(&["card", "rotate", "-o", &second]);
    assert_ne!(rotated["key"], said["key"]);
    assert_eq!(rotated["identities"], said["identities"]);
    let taken = own.json(&["partner", "add", &second]);
    assert_eq!((&taken["state"], &taken["card"]["key"]), (&json!("confirmed"), &rotated["key"]));
    let cards = own.json(&["partner", "show", "CERT North"])["cards"].clone();
    let states: Vec<_> = cards.as_array().unwrap().iter().map(|card| text(&card["state"])).collect();
    assert_eq!(states, ["confirmed", "replaced"]);
    for args in
        [vec!["partner", "add", &first], vec!["partner", "add", &first, "--words", said["words"].as_str().unwrap()]]
    {
        own.refused(&args, 3, "not signed by the key of the known card");
    }
    is_told(&own, "add-partner", "not signed by the key");
    // Two cards on: whoever missed one follows all the same.
    let third = north.word("third.json");
    north.good(&["card", "rotate"]);
    north.good(&["card", "rotate", "-o", &third]);
    assert_eq!(own.json(&["partner", "add", &third])["state"], "confirmed");
    // Somebody else's card under the partner's name is refused.
    let other = Node::new("CERT North");
    let (stranger, _) = other.card("stranger.json");
    own.refused(&["partner", "add", &stranger], 3, "another node");
}

#[test]
fn a_revocation_ends_all_trust_until_a_new_voice() {
    let (north, own) = (Node::new("CERT North"), Node::new("Example CERT"));
    let (first, said) = north.card("first.json");
    own.good(&["partner", "add", &first, "--words", &text(&said["words"])]);
    let last = north.word("revocation.json");
    let new = north.json(&["card", "revoke", "-o", &last]);
    assert_eq!(own.json(&["partner", "add", &last])["state"], "revoked");
    assert_eq!(state(&own), "revoked");
    own.refused(&["partner", "add", &first, "--words", &text(&said["words"])], 3, "settled already");
    let (path, said) = north.card("new.json");
    assert_eq!((&said["key"], &said["identities"]), (&new["key"], &new["identities"]));
    assert_eq!(own.json(&["partner", "add", &path])["state"], "offered");
    assert_eq!(state(&own), "offered");
    own.good(&["partner", "confirm", "CERT North", "--digits", &text(&said["digits"])]);
    assert_eq!(state(&own), "confirmed");
    // From our side: no key of it counts, and no card comes back without a voice.
    own.good(&["partner", "revoke", "CERT North"]);
    assert_eq!(state(&own), "revoked");
    own.refused(&["partner", "add", &path], 3, "settled already");
    own.good(&["partner", "remove", "CERT North"]);
    assert_eq!(own.json(&["partner", "list"]), json!([]));
    own.refused(&["partner", "remove", "CERT North"], 3, "there is no partner");
}

#[test]
fn partners_without_cards_and_grades() {
    let own = Node::new("Example CERT");
    own.good(&["partner", "add", "--foreign", "Old Server", "--relation", "public"]);
    own.refused(&["partner", "add", "--foreign", "old server"], 3, "exists already");
    own.refused(&["partner", "add", "--foreign", "example cert"], 3, "our own organisation");
    own.refused(&["partner", "add"], 2, "CARD");
    own.refused(&["partner", "add", "x.json", "--foreign", "y"], 2, "cannot be used with");
    let shown = own.json(&["partner", "show", "old server"]);
    assert_eq!((&shown["kind"], &shown["card"], &shown["terms"]), (&json!("foreign"), &json!("none"), &json!({})));
    let grade = |args: &[&str]| own.json(&[&["partner", "grade", "Old Server"], args].concat());
    let all = grade(&[
        "--reliability",
        "c",
        "--confidence-ceiling",
        "60",
        "--max-objects-per-hour",
        "500",
        "--max-bytes-per-day",
        "7000",
        "--meets",
        "true",
    ]);
    let expected = json!({
        "reliability": "C", "confidence-ceiling": 60, "max-objects-per-hour": 500, "max-bytes-per-day": 7000, "meets": true,
    });
    assert_eq!(all, expected);
    let less = grade(&["--max-objects-per-hour", "none", "--meets", "false"]);
    assert_eq!(less, json!({"reliability": "C", "confidence-ceiling": 60, "max-bytes-per-day": 7000}));
    for (flag, value) in [
        ("--reliability", "G"),
        ("--reliability", "AB"),
        ("--confidence-ceiling", "101"),
        ("--confidence-ceiling", "-1"),
        ("--max-objects-per-hour", "many"),
    ] {
        assert_eq!(
            own.run(&["partner", "grade", "Old Server", &format!("{flag}={value}")], "").code,
            2,
            "{flag} {value}"
        );
    }
    assert_eq!(own.json(&["partner", "show", "Old Server"])["terms"], less);
    assert!(own.good(&["partner", "list"]).contains("Old Server"));
}
