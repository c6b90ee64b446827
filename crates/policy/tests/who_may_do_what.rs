//! Roles: the whole table printed and compared, and what must hold of every line of it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use policy::role::{Act, Actor, Member, ROLES, Role, Target, may};
use std::fmt::Write as _;

const OWN: &str = "Example CERT";
const NORTH: &str = "CERT North";
const SOUTH: &str = "CERT South";

const ON_MEMBERS: [(&str, Act); 16] = [
    ("see", Act::See),
    ("make a reader", Act::SetRole(Role::Reader)),
    ("make an analyst", Act::SetRole(Role::Analyst)),
    ("make a publisher", Act::SetRole(Role::Publisher)),
    ("make a partner-manager", Act::SetRole(Role::PartnerManager)),
    ("make an administrator", Act::SetRole(Role::Administrator)),
    ("remove", Act::Remove),
    ("set the password", Act::SetPassword),
    ("enrol a second factor", Act::EnrolSecondFactor),
    ("remove the second factor", Act::RemoveSecondFactor),
    ("manage keys", Act::ManageKeys),
    ("manage certificates", Act::ManageCertificates),
    ("link", Act::Link),
    ("unlink", Act::Unlink),
    ("manage sessions", Act::ManageSessions),
    ("add (to a member)", Act::Add),
];
const ON_THE_NODE: [(&str, Act, Target<'static>); 8] = [
    ("read records", Act::Read, Target::Records),
    ("write records", Act::Write, Target::Records),
    ("release records", Act::Release, Target::Records),
    ("manage partners", Act::ManagePartners, Target::Node),
    ("manage collections", Act::ManageCollections, Target::Node),
    ("trace objects", Act::Trace, Target::Node),
    ("see alerts", Act::SeeAlerts, Target::Node),
    ("answer alerts", Act::AnswerAlerts, Target::Node),
];
/// The sharing model: what is done, and to what.
const SHARING: [(&str, Act); 5] = [
    ("explain", Act::Explain),
    ("restrict", Act::Restrict),
    ("see the group", Act::SeeGroup),
    ("see its members", Act::SeeGroupMembers),
    ("manage it", Act::ManageGroup),
];

/// What the acts of the sharing model are done to.
fn shared() -> Vec<(String, Target<'static>)> {
    let mut all = vec![("on nobody in particular".to_owned(), Target::Viewer { name: None, organisation: None })];
    for organisation in [OWN, NORTH, SOUTH] {
        let viewer = |name| Target::Viewer { name: Some(name), organisation: Some(organisation) };
        all.push((format!("on a viewer of {organisation}"), viewer("reader")));
        all.push((format!("on its own account in {organisation}"), viewer("aCTOR")));
    }
    for (words, originated) in [("an object of its own", true), ("another's object", false)] {
        all.push((format!("on {words}"), Target::Object { originated }));
    }
    for owner in [OWN, NORTH, SOUTH] {
        for (words, within, hidden) in
            [("in it", true, false), ("in it, hidden", true, true), ("not in it", false, false)]
        {
            all.push((format!("on a group of {owner}, {words}"), Target::Group { owner, within, hidden }));
        }
    }
    all
}

fn member(name: &str, organisation: &str, role: Role) -> Member {
    Member { name: name.into(), organisation: organisation.into(), own: organisation == OWN, role }
}

/// Everybody who may act: the operator, a stranger, and each role in the owner's and in another organisation.
fn actors() -> Vec<(String, Actor)> {
    let mut actors = vec![("operator".to_owned(), Actor::Operator), ("stranger".to_owned(), Actor::Stranger)];
    for organisation in [OWN, NORTH] {
        for role in ROLES {
            let kind = format!("{} of {organisation}", role.name());
            actors.push((kind, Actor::Member(member("Actor", organisation, role))));
        }
    }
    actors
}

/// Everybody who may be acted on: each role in three organisations.
fn members() -> Vec<Member> {
    let all = |organisation| ROLES.map(|role| member(role.name(), organisation, role));
    [OWN, NORTH, SOUTH].into_iter().flat_map(all).collect()
}

fn list(names: Vec<&str>, of: usize) -> String {
    match names.len() {
        0 => "nothing".into(),
        n if n == of => "everything".into(),
        _ => names.join(", "),
    }
}

fn table() -> String {
    let mut out = String::from("Who may do what. Written by tests/who_may_do_what.rs, which compares it.\n");
    for (kind, actor) in actors() {
        writeln!(out, "\n{kind}").unwrap();
        let on_node = ON_THE_NODE.iter().filter(|(_, act, target)| may(&actor, *act, target)).map(|(name, ..)| *name);
        writeln!(out, "  on the node: {}", list(on_node.collect(), ON_THE_NODE.len())).unwrap();
        for organisation in [OWN, NORTH, SOUTH] {
            let adds =
                ROLES.into_iter().filter(|role| may(&actor, Act::Add, &Target::Place { organisation, role: *role }));
            let adds = adds.map(Role::name).collect();
            writeln!(out, "  adds to {organisation}: {}", list(adds, ROLES.len())).unwrap();
        }
        if let Actor::Member(itself) = &actor {
            let own = ON_MEMBERS.iter().filter(|(_, act)| may(&actor, *act, &Target::Member(itself)));
            writeln!(out, "  on itself: {}", list(own.map(|(name, _)| *name).collect(), ON_MEMBERS.len() - 1)).unwrap();
        }
        for (name, target) in shared() {
            let acts = SHARING.iter().filter(|(_, act)| may(&actor, *act, &target)).map(|(name, _)| *name);
            writeln!(out, "  {name}: {}", list(acts.collect(), SHARING.len())).unwrap();
        }
        for other in members() {
            let acts = ON_MEMBERS.iter().filter(|(_, act)| may(&actor, *act, &Target::Member(&other)));
            let acts = list(acts.map(|(name, _)| *name).collect(), ON_MEMBERS.len() - 1);
            writeln!(out, "  on {} of {}: {acts}", other.role.name(), other.organisation).unwrap();
        }
    }
    out
}

/// `BLESS=1` writes the table anew; the difference is then read by people.
#[test]
fn the_table_is_as_it_was_agreed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/output/who-may-do-what.txt");
    let table = table();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), table);
}

#[test]
fn what_holds_of_every_line() {
    for (kind, actor) in actors() {
        let Actor::Member(itself) = &actor else { continue };
        for other in members() {
            let on = |act| may(&actor, act, &Target::Member(&other));
            for (name, act) in ON_MEMBERS {
                let what = format!("{kind}: {name} on {other:?}");
                if on(act) {
                    assert!(on(Act::See), "{what}: acts on whom it may not know of");
                    assert!(itself.own || itself.organisation == other.organisation, "{what}: beyond its organisation");
                    assert!(
                        act == Act::See || itself.own && !other.own || other.role < itself.role,
                        "{what}: not above"
                    );
                    assert!(!matches!(act, Act::EnrolSecondFactor | Act::Link), "{what}: becomes the other");
                }
                if let Act::SetRole(role) = act {
                    let most = if itself.own { role <= itself.role } else { role < itself.role };
                    assert!(!on(act) || most, "{what}: grants more than it has");
                }
            }
        }
        for role in ROLES {
            assert!(!may(&actor, Act::SetRole(role), &Target::Member(itself)), "{kind}: gives itself {role:?}");
        }
        assert!(!may(&actor, Act::Remove, &Target::Member(itself)), "{kind}");
    }
}

/// Whatever a role may do on records and on the node, the roles above it may do as well.
#[test]
fn roles_are_a_chain() {
    for organisation in [OWN, NORTH] {
        for (name, act, target) in ON_THE_NODE {
            let may = ROLES.map(|role| may(&Actor::Member(member("Actor", organisation, role)), act, &target));
            assert!(may.is_sorted(), "{name} in {organisation}: {may:?}");
        }
        for (name, target) in shared() {
            for (act_name, act) in SHARING {
                let may = ROLES.map(|role| may(&Actor::Member(member("Actor", organisation, role)), act, &target));
                assert!(may.is_sorted(), "{act_name} {name} in {organisation}: {may:?}");
            }
        }
    }
}

#[test]
fn names_are_compared_without_regard_to_case_and_empty_ones_are_nobodys() {
    let named =
        |name: &str, organisation: &str| Member { name: name.into(), ..member("", organisation, Role::Analyst) };
    for (actor, target, expected) in [
        (named("Amina", NORTH), named("aMINA", NORTH), true),
        (named("amina", NORTH), named("karim", NORTH), false),
        (named("", NORTH), named("", NORTH), false),
    ] {
        assert_eq!(may(&Actor::Member(actor), Act::ManageKeys, &Target::Member(&target)), expected);
    }
    for role in ROLES {
        assert_eq!(Role::named(role.name()), Some(role));
    }
    assert_eq!((Role::named("root"), Role::named("")), (None, None));
}
