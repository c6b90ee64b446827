//! What was recalled does not come back.

use crate::world::{NOW, Node, id, identity, name, read, tool, two};
use ledger::Partners as _;
use partner::key::Keys;
use partner::recall::{Act, Recall};
use policy::{Audience, Handling};
use serde_json::json;

fn recall(object: &str, act: Act, at: &str) -> Recall {
    Recall { object: object.to_owned(), versions: None, act, tlp: None, handling: None, at: at.to_owned() }
}

fn keep(node: &Node, recall: &Recall, by: u8, from: u8) {
    let body = recall.sign(&Keys::of(&[by; 32]));
    let id = read(&body)["id"].as_str().unwrap().to_owned();
    let kept = ledger::Recall { id, object: recall.object.clone(), at: NOW, body, from: Some(name(from)) };
    node.book.add_recall(&kept, &[]).unwrap();
}

#[test]
fn what_was_recalled_comes_back_only_as_something_newer() {
    for act in [Act::Delete, Act::Revoke] {
        let (one, two) = two();
        keep(&two, &recall(&id(1), act, "2026-11-05T12:00:00.000Z"), 1, 1);
        one.write(&[tool(1, 1, 5), tool(1, 1, 6), tool(2, 1, 1)]);
        let (sorted, counts, _) = two.take(1, &one.page_for(2));
        assert_eq!((counts.added, sorted.refused.len()), (2, 1), "{act:?}: {sorted:?}");
        assert_eq!(sorted.refused[0].reason, format!("recalled by {} at 2026-11-05T12:00:00.000Z", name(1)));
        assert_eq!(two.held(&id(1))[0].0, tool(1, 1, 6), "{act:?}");
    }
}

#[test]
fn a_recall_of_versions_means_these() {
    let (one, two) = two();
    let versions = Some(vec!["2026-11-02T00:00:00Z".to_owned()]);
    keep(&two, &Recall { versions, ..recall(&id(1), Act::Delete, "2026-11-20T00:00:00.000Z") }, 1, 1);
    one.write(&[tool(1, 1, 1), tool(1, 1, 2), tool(1, 1, 3)]);
    let (sorted, counts, _) = two.take(1, &one.page_for(2));
    assert_eq!((counts.added, sorted.refused.len()), (2, 1), "{sorted:?}");
}

#[test]
fn who_only_brought_it_takes_back_its_own_copy() {
    for (author, signer, from, bringer, added) in [
        // The author's word holds for every way, also if a relay brought it; a relay's for nothing that its author seals.
        (1, 1, 1, 3, 0),
        (1, 1, 3, 3, 0),
        (1, 1, 3, 1, 0),
        (1, 3, 3, 1, 1),
        (1, 3, 3, 3, 1),
        // Of an author who has no card a relay takes back what it brings.
        (9, 3, 3, 1, 1),
        (9, 3, 3, 3, 0),
    ] {
        let (one, mut two) = two();
        let three = Node::new(3);
        two.meet(&three);
        keep(&two, &recall(&id(1), Act::Delete, "2026-11-20T00:00:00.000Z"), signer, from);
        one.write(&[tool(1, author, 1)]);
        let (sorted, counts, _) = two.take(bringer, &one.page_for(2));
        assert_eq!(counts.added, added, "by {author}, recalled by {signer} over {from}, from {bringer}: {sorted:?}");
    }
}

#[test]
fn what_was_taken_back_from_us_comes_again_from_its_author_alone() {
    for (bringer, added) in [(1, 1), (3, 0)] {
        let (one, mut two) = two();
        two.meet(&Node::new(3));
        keep(&two, &recall(&id(1), Act::Untag, "2026-11-20T00:00:00.000Z"), 1, 1);
        one.write(&[tool(1, 1, 1)]);
        let (sorted, counts, _) = two.take(bringer, &one.page_for(2));
        assert_eq!(counts.added, added, "from {bringer}: {sorted:?}");
    }
}

#[test]
fn the_version_that_says_that_it_is_revoked_comes_in() {
    let (one, two) = two();
    keep(&two, &recall(&id(1), Act::Revoke, "2026-11-20T00:00:00.000Z"), 1, 1);
    let mut end = tool(1, 1, 2);
    end["revoked"] = true.into();
    one.write(&[tool(1, 1, 1), end.clone()]);
    let (sorted, counts, _) = two.take(1, &one.page_for(2));
    assert_eq!((counts.added, sorted.refused.len()), (1, 1), "{sorted:?}");
    assert_eq!(two.held(&id(1))[0].0, end);
}

#[test]
fn what_was_narrowed_comes_back_as_narrow() {
    let (one, two) = two();
    let amber = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
    let narrow = Recall {
        tlp: Some(amber.to_owned()),
        handling: Some(json!({"audience": ["community"]})),
        ..recall(&id(1), Act::Narrow, "2026-11-20T00:00:00.000Z")
    };
    keep(&two, &narrow, 1, 1);
    one.write(&[tool(1, 1, 1)]);
    let (sorted, counts, _) = two.take(1, &one.page_for(2));
    assert_eq!((counts.added, sorted.refused.len()), (1, 0), "{sorted:?}");
    let (_, class) = &two.held(&id(1))[0];
    assert_eq!(class.handling, Handling { audience: vec![Audience::Community], ..Handling::default() });
    assert!(class.markings.contains(&amber.to_owned()), "{class:?}");
    let _ = identity(1);
}
