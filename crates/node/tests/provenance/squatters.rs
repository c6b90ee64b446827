//! What was here under an author's name before the author's card was: it stands in the way of nothing that is sealed.

use crate::world::{Node, id, name, tool};
use ledger::Ledger as _;
use policy::{Author, Handling};

/// Two has heard of one, whose card comes later, and of three.
fn before_the_card() -> (Node, Node) {
    let (mut one, two) = (Node::new(1), Node::new(2));
    one.meet(&two);
    two.hear_of(1);
    two.hear_of(3);
    (one, two)
}

#[test]
fn a_forged_version_gives_way_to_the_sealed_one() {
    for (what, forge) in [
        (
            "the same version with other content",
            (|forged| forged["name"] = "forged".into()) as fn(&mut serde_json::Value),
        ),
        ("an end", |forged| {
            forged["modified"] = forged["created"].clone();
            forged["revoked"] = true.into();
        }),
    ] {
        let (one, mut two) = before_the_card();
        let mut forged = tool(1, 1, 2);
        forge(&mut forged);
        two.bring(&name(3), &[forged], Handling::default());
        two.pin(&one);
        one.write(&[tool(1, 1, 2)]);
        let page = one.page_for(2);
        let (sorted, counts, told) = two.take(1, &page);
        assert_eq!((counts.added, counts.conflicts, sorted.refused.len()), (1, 0, 0), "{what}: {sorted:?}");
        assert_eq!(told.gave_way, [(id(1), 1)], "{what}");
        let held = two.held(&id(1));
        assert_eq!((held.len(), &held[0].0, &held[0].1.author), (1, &tool(1, 1, 2), &Author::Owner), "{what}");
        // And it is there for good: the next round finds it.
        assert_eq!(two.take(1, &page).1.unchanged, 1, "{what}");
        assert_eq!(two.book.statistics().unwrap().aside, 0, "{what}");
    }
}

#[test]
fn what_is_not_under_the_authors_name_stays() {
    let (one, mut two) = before_the_card();
    two.pin(&one);
    // Under another's name, under ours, and under nobody's.
    two.bring(&name(3), &[tool(1, 3, 2)], Handling::default());
    two.write(&[tool(2, 2, 2)]);
    let mut nobodys = tool(3, 1, 2);
    nobodys.as_object_mut().unwrap().remove("created_by_ref");
    two.bring(&name(3), &[nobodys], Handling::default());
    one.write(&[tool(1, 1, 2), tool(2, 1, 2), tool(3, 1, 2)]);
    let (_, counts, told) = two.take(1, &one.page_for(2));
    assert_eq!((counts.added, counts.conflicts), (0, 3));
    assert!(told.gave_way.is_empty(), "{told:?}");
    assert!((1..=3).all(|n| two.held(&id(n)).len() == 1));
}

#[test]
fn a_sealed_version_gives_way_to_nothing() {
    let (mut one, two) = (Node::new(1), Node::new(2));
    one.meet(&two);
    let mut two = two;
    two.meet(&one);
    one.write(&[tool(1, 1, 2)]);
    two.take(1, &one.page_for(2));
    // The author itself seals the same version anew with other content: it contradicts itself.
    let other = Node::new(1);
    let mut changed = tool(1, 1, 2);
    changed["name"] = "changed".into();
    other.hear_of(2);
    other.write(&[changed]);
    let (_, counts, told) = two.take(1, &other.page_for(2));
    assert_eq!((counts.added, counts.conflicts), (0, 1));
    assert!(told.gave_way.is_empty(), "{told:?}");
    assert_eq!(two.held(&id(1))[0].0, tool(1, 1, 2));
}
