//! The register of the sharing model, for every engine.

use ledger::{Appended, Error, Group, Ledger, OnLeave, Organisation, Register, Relation, Standing};

/// Groups hold organisations that exist, identities have one owner, and every change is noticed.
pub(crate) fn the_sharing_model<B: Register>(make: impl Fn() -> B) {
    let book = make();
    for name in ["Node", "North", "South"] {
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
    }
    let group = Group {
        id: "66666666-6666-4666-8666-666666666666".into(),
        name: "Summit".into(),
        owner: "Node".into(),
        members: vec!["North".into()],
        hidden: true,
        from: Some(1),
        until: None,
        backfill: false,
        on_leave: OnLeave::Keep,
        since: Vec::new(),
    };
    let generation = book.generation().unwrap();
    book.add_group(&group).unwrap();
    assert_eq!(book.groups().unwrap(), std::slice::from_ref(&group));
    assert!(book.generation().unwrap() > generation);
    let other = Group { id: "7".into(), ..group.clone() };
    assert!(matches!(book.add_group(&Group { name: "SUMMIT".into(), ..other.clone() }), Err(Error::Exists { .. })));
    for stranger in ["Nobody", "Summit"] {
        // A group is no organisation: groups are not nested.
        let nested = Group { name: "other".into(), members: vec![stranger.into()], ..other.clone() };
        assert!(matches!(book.add_group(&nested), Err(Error::Missing { .. })), "{stranger}");
        assert_eq!(book.groups().unwrap().len(), 1, "nothing is left of what was refused");
    }
    let wider =
        Group { members: vec!["North".into(), "South".into()], until: Some(9), backfill: true, ..group.clone() };
    let wider = Group { on_leave: OnLeave::Recall, ..wider };
    book.change_group(&wider).unwrap();
    assert_eq!(book.groups().unwrap(), [wider]);
    assert!(matches!(book.change_group(&other), Err(Error::Missing { .. })));
    book.remove_group(&group.id).unwrap();
    assert!(matches!(book.remove_group(&group.id), Err(Error::Missing { .. })));

    book.set_relation("north", Relation::Client).unwrap();
    let relations: Vec<Relation> = book.organisations().unwrap().into_iter().map(|one| one.relation).collect();
    assert_eq!(relations, [Relation::Community, Relation::Client, Relation::Community]);
    assert!(matches!(book.set_relation("Nobody", Relation::Client), Err(Error::Missing { .. })));

    let standing = Standing {
        organisation: "North".into(),
        identities: vec!["identity--1".into(), "identity--2".into()],
        ceiling: Some("green".into()),
        personal: vec!["email=mask".into()],
    };
    book.set_standing(&standing).unwrap();
    let changed = Standing { identities: vec!["identity--2".into()], ceiling: None, ..standing };
    book.set_standing(&changed).unwrap();
    assert_eq!(book.standings().unwrap(), std::slice::from_ref(&changed));
    let thief = Standing { organisation: "South".into(), ..changed.clone() };
    assert!(matches!(book.set_standing(&thief), Err(Error::Exists { .. })));
    let nobody = Standing { organisation: "Nobody".into(), identities: Vec::new(), ..changed.clone() };
    assert!(matches!(book.set_standing(&nobody), Err(Error::Missing { .. })));
    assert_eq!(book.standings().unwrap(), [changed]);

    let generation = book.generation().unwrap();
    book.set_meaning("marking-definition--1", Some("tlp:amber")).unwrap();
    book.set_meaning("marking-definition--1", Some("withhold")).unwrap();
    assert_eq!(book.meanings().unwrap(), [("marking-definition--1".to_owned(), "withhold".to_owned())]);
    assert!(book.generation().unwrap() > generation);
    book.set_meaning("marking-definition--1", None).unwrap();
    assert_eq!(book.meanings().unwrap(), []);
}

/// Without back-fill a newcomer sees by a group what is added from then on, and the register alone says from when.
pub(crate) fn newcomers_of_a_group<B: Ledger + Register>(make: impl Fn() -> B) {
    let book = make();
    for name in ["Node", "North", "South", "East"] {
        book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
    }
    let members = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let group = |backfill, owner: &str, names: &[&str]| Group {
        id: "66666666-6666-4666-8666-666666666666".into(),
        name: "Summit".into(),
        owner: owner.into(),
        members: members(names),
        hidden: false,
        from: None,
        until: None,
        backfill,
        on_leave: OnLeave::Keep,
        // Nobody's to say.
        since: vec![("North".into(), 5)],
    };
    let since = || book.groups().unwrap().remove(0).since;
    book.add_group(&group(false, "Node", &["North"])).unwrap();
    assert_eq!(since(), [], "whoever is in it from the beginning sees everything");
    let no = super::collection(&book, "one").no;
    let class = super::class(&book, "c");
    let add = |number, now| match super::append(&book, &super::plain(no, class, number, format!("{{{number}}}")), now) {
        Appended::Added(seq) => seq.0,
        other => unreachable!("{other:?}"),
    };
    let first = add(1, 100);
    book.change_group(&group(false, "Node", &["North", "South"])).unwrap();
    assert_eq!(since(), [("South".to_owned(), first + 1)]);
    // The next record has exactly the first number that the newcomer sees, though the clock stands still.
    assert_eq!(add(2, 100), first + 1);
    book.change_group(&group(false, "Node", &["north", "SOUTH"])).unwrap();
    assert_eq!(since(), [("SOUTH".to_owned(), first + 1)], "whoever stays keeps what it had");
    book.change_group(&group(true, "Node", &["North", "South", "East"])).unwrap();
    assert_eq!(since(), [("South".to_owned(), first + 1)], "back-fill is for those who come");
    // Who ran it was in it; who goes and comes again is a newcomer.
    book.change_group(&group(false, "North", &["Node", "East"])).unwrap();
    assert_eq!(since(), []);
    book.change_group(&group(false, "North", &["Node", "East", "South"])).unwrap();
    assert_eq!(since(), [("South".to_owned(), first + 2)]);
}
