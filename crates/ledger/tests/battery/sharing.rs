//! The register of the sharing model, for every engine.

use ledger::{Error, Group, OnLeave, Organisation, Register, Relation, Standing};

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
