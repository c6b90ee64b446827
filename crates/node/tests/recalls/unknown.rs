//! Recalls over relays to nodes that do not know the author: whoever brought the object takes it back there in its own words.

use crate::world::{GREEN, HOUR, Node, at, id, nodes, tool};
use ledger::Partners as _;
use node::narrow::Narrowing;
use node::partners::recalls::Took;
use partner::recall::{Act, Recall};
use policy::{Audience, Handling, Tlp};

/// Carries mail between all, until there is none.
fn settle(all: &[&Node]) {
    for _ in 0..12 {
        let mut moved = 0;
        for from in all {
            for to in all.iter().filter(|to| to.name != from.name) {
                moved += from.mail(to).len();
            }
        }
        if moved == 0 {
            return;
        }
    }
    panic!("there is traffic without end");
}

/// Alpha hands to Beta, Beta to Gamma, Gamma to Delta; Gamma does not know Alpha, Delta may or may not.
fn chain(delta_knows: bool) -> [Node; 4] {
    let [alpha, beta, mut gamma, mut delta] = nodes();
    gamma.knows(&["Beta", "Delta"]);
    if !delta_knows {
        delta.knows(&["Gamma"]);
    }
    alpha.import(&[tool("Alpha", 1, 1, GREEN, ""), tool("Alpha", 2, 1, GREEN, "")]);
    for (from, to) in [(&alpha, &beta), (&beta, &gamma), (&gamma, &delta)] {
        assert_eq!(from.give(to), [""; 0]);
        assert_eq!(to.seen(), ["1/n1", "2/n1"]);
    }
    [alpha, beta, gamma, delta]
}

#[test]
fn what_an_unknown_author_takes_back_is_taken_back_by_whoever_brought_it() {
    for delta_knows in [false, true] {
        let [alpha, beta, gamma, delta] = chain(delta_knows);
        alpha.erase(&id(1));
        alpha.mail(&beta);
        let took = beta.mail(&gamma);
        assert!(matches!(&took[..], [Took::Refused(why)] if why.contains("not on a card")), "{took:?}");
        assert_eq!(gamma.seen(), ["1/n1", "2/n1"], "Alpha's word is nobody's here");
        settle(&[&alpha, &beta, &gamma, &delta]);
        for node in [&beta, &gamma, &delta] {
            assert_eq!(node.seen(), ["2/n1"], "{}, Delta knows Alpha: {delta_knows}", node.name);
        }
        assert_eq!(alpha.receivers(&id(1)), ["delete Beta confirmed +2/0/0"], "Delta knows Alpha: {delta_knows}");
        let told = beta.status(&id(1)).remove(0).receivers.remove(0);
        assert!(told.state == "refused" && told.answer.ends_with("; told in our own words"), "{told:?}");
        // It comes again to whoever knows its author: nothing follows from that.
        let recall = alpha.book.recalls_of(&id(1)).unwrap().remove(0);
        assert_eq!(beta.read("Alpha", &recall.body), Took::Done);
        settle(&[&alpha, &beta, &gamma, &delta]);
        assert_eq!(alpha.receivers(&id(1)), ["delete Beta confirmed +2/0/0"]);
        assert_eq!(gamma.audited("recall-obeyed").len(), 1);
    }
}

#[test]
fn narrowing_by_an_unknown_author_goes_the_same_way() {
    let soon = || Handling { expires: Some(node::clock::now() + HOUR), ..Handling::default() };
    let own = Handling { audience: vec![Audience::Organisation], ..Handling::default() };
    // What is narrowed, what Alpha counts, and whether the others keep it.
    let table = [
        (Narrowing { handling: soon(), ..Narrowing::default() }, "narrow Beta confirmed +2/0/0", true),
        (
            Narrowing { tlp: Some(Tlp::AmberStrict), recipients: vec!["Beta".into()], ..Narrowing::default() },
            "untag Beta confirmed +2/0/0",
            false,
        ),
        (Narrowing { handling: own, ..Narrowing::default() }, "untag Beta confirmed +2/0/0", false),
    ];
    for delta_knows in [false, true] {
        for (narrowing, counted, kept) in &table {
            let [alpha, beta, gamma, delta] = chain(delta_knows);
            alpha.restrict(&id(1), narrowing);
            settle(&[&alpha, &beta, &gamma, &delta]);
            assert_eq!(alpha.receivers(&id(1)), [*counted], "{narrowing:?}, Delta knows Alpha: {delta_knows}");
            for node in [&beta, &gamma, &delta] {
                let seen: &[&str] = if *kept { &["1/n1", "2/n1"] } else { &["2/n1"] };
                assert_eq!(node.seen(), seen, "{narrowing:?} at {}", node.name);
                node.ahead.set(2 * HOUR);
                assert_eq!(node.seen(), ["2/n1"], "{narrowing:?} at {} after its end", node.name);
            }
        }
    }
}

/// Named for Beta alone: Beta keeps it, and takes it back from those who have it from Beta.
#[test]
fn whoever_may_keep_it_takes_it_back_from_those_who_may_not() {
    let [alpha, beta, gamma, delta] = chain(false);
    let red = Narrowing { tlp: Some(Tlp::Red), recipients: vec!["Beta".into()], ..Narrowing::default() };
    alpha.restrict(&id(1), &red);
    assert_eq!(alpha.receivers(&id(1)), ["narrow Beta waiting +0/0/0"]);
    settle(&[&alpha, &beta, &gamma, &delta]);
    assert_eq!(alpha.receivers(&id(1)), ["narrow Beta confirmed +2/0/0"]);
    assert_eq!((beta.seen().len(), gamma.seen(), delta.seen()), (2, vec!["2/n1".into()], vec!["2/n1".into()]));
}

/// Gamma has it from two relays: each takes back what it brought, whichever came first, and Alpha counts Gamma twice.
#[test]
fn each_of_two_relays_takes_back_its_own() {
    for delta_first in [false, true] {
        let [alpha, beta, mut gamma, delta] = nodes();
        gamma.knows(&["Beta", "Delta"]);
        alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
        let relays = if delta_first { [&delta, &beta] } else { [&beta, &delta] };
        for relay in relays {
            alpha.give(relay);
            assert_eq!(relay.give(&gamma), [""; 0]);
        }
        alpha.erase(&id(1));
        // Beta hears of it first.
        alpha.mail(&beta);
        for (from, to) in [(&beta, &gamma), (&gamma, &beta), (&beta, &gamma), (&gamma, &beta)] {
            from.mail(to);
        }
        let left: &[&str] = if delta_first { &["1/n1"] } else { &[] };
        assert_eq!(gamma.seen(), left, "what Delta brought is not Beta's");
        settle(&[&alpha, &beta, &gamma, &delta]);
        assert_eq!(gamma.seen(), [""; 0]);
        assert_eq!(alpha.receivers(&id(1)), ["delete Beta confirmed +1/0/0", "delete Delta confirmed +1/0/0"]);
    }
}

/// Gamma comes to know Alpha: then Alpha's own word holds there, and nobody else's.
#[test]
fn who_comes_to_know_the_author_heeds_the_author() {
    // After Alpha's words came and before Beta's, with and without the sealed object having come again in between.
    for sealed in [false, true] {
        let [alpha, beta, mut gamma, delta] = nodes();
        gamma.knows(&["Beta", "Delta"]);
        alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
        alpha.give(&beta);
        alpha.give(&delta);
        beta.give(&gamma);
        alpha.erase(&id(1));
        alpha.mail(&beta);
        beta.mail(&gamma);
        assert_eq!(gamma.seen(), ["1/n1"]);
        gamma.knows(&["Alpha", "Beta", "Delta"]);
        if sealed {
            delta.give(&gamma);
        }
        for (from, to) in [(&gamma, &beta), (&beta, &gamma), (&gamma, &beta), (&beta, &alpha)] {
            from.mail(to);
        }
        assert_eq!(gamma.seen(), [""; 0], "sealed: {sealed}");
        assert_eq!(alpha.receivers(&id(1))[0], "delete Beta confirmed +1/0/0", "sealed: {sealed}");
        // Delta, who has not heard of it, brings it again.
        let refused = delta.give(&gamma);
        assert!(refused.len() == 1 && refused[0].starts_with("recalled by Alpha"), "{refused:?}");
    }
}

/// A relay's word is about what the relay brought. It keeps the author's own object out of nowhere.
#[test]
fn a_relays_word_does_not_keep_out_what_the_author_brings() {
    let [alpha, beta, mut gamma, _] = nodes();
    gamma.knows(&["Beta", "Delta"]);
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    beta.give(&gamma);
    // Beta lies: in its own words, and in words that it says are Alpha's.
    let delete = Recall { object: id(1), versions: None, act: Act::Delete, tlp: None, handling: None, at: at(0) };
    let mut forged: serde_json::Value = serde_json::from_slice(&delete.sign(&alpha.keys)).unwrap();
    let other = Recall { at: at(1_000), ..delete.clone() }.sign(&alpha.keys);
    forged["signature"] = serde_json::from_slice::<serde_json::Value>(&other).unwrap()["signature"].clone();
    let forged = forged.to_string().into_bytes();
    assert!(matches!(gamma.read("Beta", &forged), Took::Refused(_)));
    assert_eq!(gamma.read("Beta", &delete.sign(&beta.keys)), Took::Done);
    assert_eq!(gamma.seen(), [""; 0]);
    assert_eq!(beta.give(&gamma).len(), 1, "what Beta took back stays out if Beta brings it");
    gamma.knows(&["Alpha", "Beta", "Delta"]);
    assert_eq!(alpha.give(&gamma), [""; 0]);
    assert_eq!(gamma.seen(), ["1/n1"]);
    assert!(matches!(gamma.read("Beta", &delete.sign(&beta.keys)), Took::Done | Took::Refused(_)));
    assert_eq!(gamma.seen(), ["1/n1"]);
}

/// Words of strangers are kept for what their bringer brought, and not without end.
#[test]
fn words_of_strangers_are_bounded() {
    let [alpha, beta, mut gamma, delta] = nodes();
    gamma.knows(&["Beta", "Delta"]);
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    beta.give(&gamma);
    for number in 0..20 {
        let recall = Recall {
            object: id(1),
            versions: None,
            act: Act::Delete,
            tlp: None,
            handling: None,
            at: at(-1_000 * number),
        };
        let signed = recall.sign(&alpha.keys);
        for from in ["Delta", "Beta"] {
            assert!(matches!(gamma.read(from, &signed), Took::Refused(_)));
        }
        let other = Recall { object: id(2), ..recall }.sign(&alpha.keys);
        assert!(matches!(gamma.read("Beta", &other), Took::Refused(_)));
    }
    let kept = gamma.book.recalls_of(&id(1)).unwrap();
    assert!(kept.len() == 4 && kept.iter().all(|kept| kept.from.as_deref() == Some("Beta")), "{}", kept.len());
    assert_eq!(gamma.book.recalls_of(&id(2)).unwrap().len(), 0);
    assert_eq!((gamma.seen(), delta.seen()), (vec!["1/n1".to_owned()], vec![]));
}
