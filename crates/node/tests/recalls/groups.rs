//! Groups across nodes: who comes gets what was there or not, who goes gives back or not, and who says what a group is.

use crate::world::{GREEN, at, id, nodes, tool};
use ledger::partners::Link;
use ledger::{Ledger as _, OnLeave, Partners as _, Sharing as _};
use node::partners::backfill;
use node::partners::link::{Definition, Direction};
use node::partners::recalls::Took;
use partner::notice::{GroupNotice, OnLeave as Said};
use policy::{Audience, Handling};

const GROUP: &str = "66666666-6666-4666-8666-666666666666";

fn within() -> Handling {
    Handling { audience: vec![Audience::Group(GROUP.into())], ..Handling::default() }
}

fn link(name: &str, organisation: &str, direction: Direction) -> Link {
    let definition = Definition::new(direction, "https://a.example/taxii2/", "theirs", "ours").write();
    Link { name: name.into(), organisation: organisation.into(), definition, secret: None, paused: false }
}

#[test]
fn without_back_fill_a_newcomer_sees_what_is_added_from_then_on() {
    let [alpha, ..] = nodes();
    alpha.group(GROUP, "Alpha", &["Beta"], false, OnLeave::Keep);
    alpha.import_within(within(), &[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.group(GROUP, "Alpha", &["Beta", "Gamma"], false, OnLeave::Keep);
    alpha.import_within(within(), &[tool("Alpha", 2, 1, GREEN, "")]);
    assert_eq!(
        (alpha.seen_by("Beta"), alpha.seen_by("Gamma")),
        (vec!["1/n1".to_owned(), "2/n1".to_owned()], vec!["2/n1".to_owned()])
    );
    // A later version of what was there before is new, and the earlier one is not.
    alpha.import_within(within(), &[tool("Alpha", 1, 2, GREEN, "")]);
    assert_eq!(alpha.seen_by("Gamma"), ["2/n1", "1/n2"]);
    // What is not the group's was never its affair.
    alpha.import(&[tool("Alpha", 3, 1, GREEN, "")]);
    assert_eq!(alpha.seen_by("Gamma"), ["2/n1", "1/n2", "3/n1"]);
}

/// What refers to something that was there before does not give it away.
#[test]
fn a_newcomer_does_not_learn_of_what_was_there_before() {
    let [alpha, ..] = nodes();
    let relationship = |number: u32, target: u32| {
        format!(
            r#"{{"type":"relationship","spec_version":"2.1","id":"relationship--00000000-0000-4000-8000-{number:012}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","object_marking_refs":["{GREEN}"],"relationship_type":"related-to","name":"r","source_ref":"{}","target_ref":"{}"}}"#,
            id(2),
            id(target)
        )
    };
    let relationship = |number, target| relationship(number, target).replace(r#""name":"r","#, r#""description":"r","#);
    alpha.group(GROUP, "Alpha", &["Beta"], false, OnLeave::Keep);
    alpha.import_within(within(), &[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.group(GROUP, "Alpha", &["Beta", "Gamma"], false, OnLeave::Keep);
    let tools = [tool("Alpha", 2, 1, GREEN, ""), tool("Alpha", 3, 1, GREEN, "")];
    alpha.import_within(within(), &tools);
    alpha.import_within(within(), &[relationship(8, 1), relationship(9, 3)]);
    let count = |who: &str| {
        alpha.dressed_for(who).iter().filter(|body| body.starts_with(b"{\"type\":\"relationship\"")).count()
    };
    assert_eq!((count("Beta"), count("Gamma")), (2, 1));
}

/// With back-fill everything is visible at once, behind the newcomer's place: its links alone read again.
#[test]
fn with_back_fill_the_newcomers_links_begin_anew() {
    let [alpha, beta, ..] = nodes();
    for link in [
        link("to-beta", "Beta", Direction::Push),
        link("to-gamma", "Gamma", Direction::Push),
        link("from-gamma", "Gamma", Direction::Pull),
    ] {
        alpha.book.add_link(&link).unwrap();
    }
    for link in [
        link("from-alpha", "Alpha", Direction::Pull),
        link("from-gamma", "Gamma", Direction::Pull),
        link("to-alpha", "Alpha", Direction::Push),
    ] {
        beta.book.add_link(&link).unwrap();
    }
    alpha.group(GROUP, "Alpha", &[], true, OnLeave::Keep);
    alpha.import_within(within(), &[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.import(&[tool("Alpha", 2, 1, GREEN, "")]);
    let place = alpha.book.last().unwrap();
    assert_eq!(alpha.seen_by("Beta"), ["2/n1"]);
    alpha.group(GROUP, "Alpha", &["Beta"], true, OnLeave::Keep);
    assert_eq!(
        (alpha.seen_by("Beta"), alpha.seen_after("Beta", place)),
        (vec!["1/n1".to_owned(), "2/n1".to_owned()], vec![])
    );
    assert_eq!(
        (alpha.seen_by("Gamma"), alpha.book.last().unwrap()),
        (vec!["2/n1".to_owned()], place),
        "nothing moved for others"
    );
    let asked = |node: &crate::world::Node, links: &[&str]| {
        links.iter().map(|name| backfill::is_asked(&*node.book, name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&alpha, &["to-beta", "to-gamma", "from-gamma"]), [true, false, false]);
    // Beta hears of it, and what it pulls from those who are in the group begins anew.
    assert_eq!(alpha.mail(&beta), [Took::Done]);
    assert_eq!(beta.book.groups().unwrap().len(), 1);
    assert_eq!(asked(&beta, &["from-alpha", "from-gamma", "to-alpha"]), [true, false, false]);
    backfill::begun(&*beta.book, "from-alpha").unwrap();
    // A change that brings nobody in asks for nothing.
    alpha.group(GROUP, "Alpha", &["Beta", "Delta"], true, OnLeave::Keep);
    alpha.mail(&beta);
    assert_eq!(asked(&beta, &["from-alpha", "from-gamma", "to-alpha"]), [false, false, false]);
}

/// Who goes gets nothing more. What it has, it keeps or gives back, as the group says.
#[test]
fn leaving_with_and_without_recall() {
    for (on_leave, left) in [(OnLeave::Keep, vec!["1/n1", "2/n1"]), (OnLeave::Recall, vec!["2/n1"])] {
        let [alpha, beta, gamma, _] = nodes();
        alpha.group(GROUP, "Alpha", &["Beta", "Gamma"], true, on_leave);
        alpha.import_within(within(), &[tool("Alpha", 1, 1, GREEN, "")]);
        alpha.import(&[tool("Alpha", 2, 1, GREEN, "")]);
        for node in [&beta, &gamma] {
            alpha.mail(node);
            alpha.give(node);
            assert_eq!(node.seen(), ["1/n1", "2/n1"]);
        }
        alpha.group(GROUP, "Alpha", &["Gamma"], true, on_leave);
        alpha.import_within(within(), &[tool("Alpha", 3, 1, GREEN, "")]);
        for node in [&beta, &gamma] {
            alpha.give(node);
            alpha.mail(node);
        }
        assert_eq!(beta.seen(), left, "{on_leave:?}");
        assert_eq!(gamma.seen(), ["1/n1", "2/n1", "3/n1"]);
        let members = |node: &crate::world::Node| node.book.groups().unwrap().pop().map(|group| group.members);
        let alone = (on_leave == OnLeave::Keep).then(|| vec!["Beta".to_owned()]);
        assert_eq!((members(&beta), members(&gamma)), (alone, Some(vec!["Gamma".to_owned()])));
        beta.mail(&alpha);
        let recalled = alpha.receivers(&id(1));
        match on_leave {
            OnLeave::Keep => assert_eq!(recalled, [""; 0]),
            OnLeave::Recall => assert_eq!(recalled, ["untag Beta confirmed +0/0/0"]),
        }
        assert_eq!(alpha.receivers(&id(2)), [""; 0], "it may see that otherwise");
        // Seen to again, nothing is said twice.
        node::partners::notices::catch_up(&alpha.desk(), &alpha.by()).unwrap();
        assert_eq!(alpha.receivers(&id(1)).len(), recalled.len());
        // Who comes again gets it again from whoever took it back.
        alpha.group(GROUP, "Alpha", &["Gamma", "Beta"], true, on_leave);
        alpha.mail(&beta);
        assert_eq!(alpha.give(&beta), [""; 0]);
        assert_eq!(beta.seen().len(), 3, "{:?}", beta.seen());
    }
}

fn notice(id: &str, members: &[&str], when: i64) -> GroupNotice {
    GroupNotice {
        id: id.into(),
        name: "Summit".into(),
        from: None,
        until: None,
        backfill: false,
        on_leave: Said::Keep,
        hidden: false,
        members: members.iter().map(|name| vec![crate::world::identity(name)]).collect(),
        gone: false,
        at: at(when),
    }
}

#[test]
fn a_notice_speaks_for_the_groups_of_its_signer_alone() {
    let [alpha, beta, gamma, _] = nodes();
    beta.group(GROUP, "Beta", &["Gamma"], false, OnLeave::Keep);
    let others = "77777777-7777-4777-8777-777777777777";
    beta.group(others, "Gamma", &[], false, OnLeave::Keep);
    let before = beta.book.groups().unwrap();
    for id in [GROUP, others] {
        for gone in [false, true] {
            let forged = GroupNotice { gone, ..notice(id, &["Alpha"], 0) }.sign(&alpha.keys);
            assert!(matches!(beta.read("Alpha", &forged), Took::Refused(why) if why.contains("not one of `Alpha`")));
        }
    }
    assert_eq!(beta.book.groups().unwrap(), before);
    assert_eq!(beta.audited("notice-refused").len(), 4);
    // A group of Alpha's own, brought by whomever. Who is not known here is left out.
    let own = "88888888-8888-4888-8888-888888888888";
    let mut made = notice(own, &["Beta", "Quiet", "Alpha"], -10_000_000);
    made.name = "group 66666666-6666-4666-8666-666666666666".into();
    made.members.push(vec!["identity--99999999-9999-4999-8999-999999999999".into()]);
    assert_eq!(beta.read("Gamma", &made.sign(&alpha.keys)), Took::Done);
    let kept = || beta.book.groups().unwrap().into_iter().find(|group| group.id == own);
    let group = kept().unwrap();
    assert_eq!(
        (group.owner.as_str(), group.members.as_slice()),
        ("Alpha", &["Beta".to_owned(), "Quiet".to_owned()][..])
    );
    assert_eq!(group.name, "group 66666666-6666-4666-8666-666666666666 (Alpha)", "no group of ours is called so");
    // An older one, that comes late, changes nothing; the last word ends it.
    assert_eq!(beta.read("Alpha", &notice(own, &["Gamma"], -20_000_000).sign(&alpha.keys)), Took::Done);
    assert_eq!(kept().unwrap(), group);
    let gone = GroupNotice { gone: true, ..notice(own, &[], 0) };
    assert_eq!(beta.read("Alpha", &gone.sign(&alpha.keys)), Took::Done);
    // We were in it and may keep what we have: we are in it alone.
    assert_eq!(kept().unwrap().members, ["Beta"]);
    let _ = gamma;
}
