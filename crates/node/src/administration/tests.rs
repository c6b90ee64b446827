use super::*;
use crate::network::Network;
use ledger::{Organisation, Register as _, Relation};
use policy::role::{ROLES, Role};
use std::sync::{Mutex, PoisonError};

const NOW: Micros = 1_800_000_000_000_000;
const PASSWORD: &str = "correct horse battery";

/// A node with two organisations and a member of every role in each, named `reader@own`, `reader@north`, …
struct World {
    administration: Administration,
    book: Arc<ledger::sqlite::Book>,
    acts: Arc<Acts>,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct Acts(Mutex<Vec<(Deed, String, bool)>>);

impl Recorder for Acts {
    fn record(&self, act: &AdministrationAct<'_>) {
        let mut acts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        acts.push((act.deed, act.subject.to_owned(), act.done));
    }
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let book = Arc::new(ledger::sqlite::Book::create(&folder.path().join("marsad.db")).unwrap());
    for (name, relation) in [("Own CERT", Relation::Own), ("CERT North", Relation::Own)] {
        book.add_organisation(&Organisation { name: name.into(), relation }).unwrap();
    }
    book.set_note(OWN_ORGANISATION, Some(b"Own CERT")).unwrap();
    for (organisation, place) in [("Own CERT", "own"), ("CERT North", "north")] {
        for role in ROLES {
            book.add_account(&Account {
                name: format!("{}@{place}", role.name()),
                organisation: Organisation { name: organisation.into(), relation: Relation::Own },
                role: kept_role(role),
                password: None,
                created: 1,
            })
            .unwrap();
        }
    }
    let acts = Arc::new(Acts::default());
    let config = crate::config::Accounts::default();
    let administration =
        Administration::new(Arc::clone(&book) as _, Secret::new([1; 32]), &config).recorded_by(Arc::clone(&acts) as _);
    World { administration, book, acts, _folder: folder }
}

impl World {
    fn actor(&self, name: &str) -> Actor {
        let account = self.book.account(name).unwrap().unwrap();
        Actor::Member(self.administration.member(&account).unwrap())
    }

    fn add(&self, actor: &Actor, name: &str, organisation: Option<&str>, role: Role) -> Result<Account, Error> {
        let new = NewAccount { name, organisation, role, password: Some(PASSWORD) };
        self.administration.add_account(actor, &new, NOW)
    }
}

fn told<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "done".into(),
        Err(Error::Unknown { .. }) => "unknown".into(),
        Err(Error::Refused) => "refused".into(),
        Err(Error::Taken { .. }) => "taken".into(),
        Err(Error::Invalid(why)) => why,
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn members_are_made_within_what_one_has() {
    let world = world();
    for (actor, name, organisation, role, expected) in [
        ("administrator@north", "a", None, Role::Reader, "done"),
        ("administrator@north", "A", None, Role::Reader, "taken"),
        ("administrator@north", "b", Some("cert north"), Role::PartnerManager, "done"),
        ("administrator@north", "c", None, Role::Administrator, "refused"),
        ("administrator@north", "c", Some("Own CERT"), Role::Reader, "refused"),
        ("administrator@north", "c", Some("No such"), Role::Reader, "refused"),
        // Taken by somebody of whom it may not know: as for whatever else it may not.
        ("administrator@north", "reader@own", None, Role::Reader, "refused"),
        ("administrator@north", "READER@own", None, Role::Reader, "refused"),
        // The name of an organisation stands in lists of readers and recipients.
        ("administrator@north", "own cert", None, Role::Reader, "refused"),
        ("administrator@own", "CERT North", None, Role::Reader, "refused"),
        ("administrator@north", "CERT North", None, Role::Reader, "done"),
        ("administrator@own", "c", Some("CERT North"), Role::Administrator, "done"),
        ("administrator@own", "d", None, Role::Administrator, "done"),
        ("administrator@own", "e", Some("No such"), Role::Reader, "unknown"),
        ("administrator@own", "reader@north", None, Role::Reader, "taken"),
        ("partner-manager@own", "f", None, Role::Reader, "refused"),
        ("reader@own", "f", None, Role::Reader, "refused"),
    ] {
        let before = world.book.accounts().unwrap();
        let said = told(world.add(&world.actor(actor), name, organisation, role));
        assert_eq!(said, expected, "{actor} adds {name} to {organisation:?}");
        if expected != "done" {
            assert_eq!(world.book.accounts().unwrap(), before, "{actor} {name}: create never updates");
        }
    }
    assert_eq!(told(world.add(&Actor::Stranger, "f", Some("Own CERT"), Role::Reader)), "refused");
    for name in ["", " f", "f:g", "f/g", "f,g", "f\u{202e}g", "f\ng", &"f".repeat(201)] {
        let said = told(world.add(&Actor::Operator, name, None, Role::Reader));
        assert!(said.starts_with("the name of the account"), "{name:?}: {said}");
    }
    assert_eq!(told(world.add(&Actor::Operator, "می\u{200c}نا", None, Role::Reader)), "done", "joiners are letters");
}

#[test]
fn passwords_are_long_enough_and_not_too_long() {
    let world = world();
    let set = |password: &str| told(world.administration.set_password(&Actor::Operator, "reader@own", password));
    for (password, expected) in [
        ("", "the password is too short: take at least 12 characters"),
        ("elevenchars", "the password is too short: take at least 12 characters"),
        ("كلمة سر طويلة", "done"),
        ("twelve chars", "done"),
        (&"x".repeat(1_025), "the password is longer than 1024 bytes"),
    ] {
        assert_eq!(set(password), expected, "{password}");
    }
    let token = world.administration.issue_token(&Actor::Operator, "reader@own").unwrap();
    assert!(world.administration.first_sign_in("reader@own", &token, "short").is_err());
    assert!(world.administration.first_sign_in("reader@own", &token, PASSWORD).unwrap(), "the token was still good");
    assert!(!world.administration.first_sign_in("reader@own", &token, PASSWORD).unwrap(), "once");
    let token = world.administration.issue_token(&Actor::Operator, "reader@own").unwrap();
    world.administration.remove_account(&Actor::Operator, "reader@own").unwrap();
    world.add(&Actor::Operator, "reader@own", None, Role::Reader).unwrap();
    let kept = world.book.account("reader@own").unwrap();
    assert!(!world.administration.first_sign_in("reader@own", &token, PASSWORD).unwrap(), "of an earlier member");
    assert_eq!(world.book.account("reader@own").unwrap(), kept);
}

#[test]
fn the_last_administrator_stays() {
    let world = world();
    let only = "`administrator@own` is the only administrator: add another one first";
    assert_eq!(told(world.administration.remove_account(&Actor::Operator, "Administrator@own")), only);
    assert_eq!(told(world.administration.set_role(&Actor::Operator, "administrator@own", Role::Reader)), only);
    assert_eq!(told(world.administration.remove_account(&Actor::Operator, "administrator@north")), "done");
    world.add(&Actor::Operator, "second", None, Role::Administrator).unwrap();
    assert_eq!(told(world.administration.remove_account(&Actor::Operator, "administrator@own")), "done");
}

/// Whatever an administrator of one organisation tries on another, and a reader on anybody, it is told what it would be told
/// of a member that does not exist, and nothing is changed.
#[test]
fn what_one_may_not_know_of_is_as_if_it_were_not() {
    let world = world();
    let operator = Actor::Operator;
    let a = &world.administration;
    a.set_password(&operator, "reader@own", PASSWORD).unwrap();
    a.add_key(&operator, "reader@own", &key("hidden"), NOW).unwrap();
    a.link(&operator, "reader@own", "https://id.example", "7", NOW).unwrap();
    let state = || {
        (world.book.accounts().unwrap(), world.book.keys().unwrap(), People::links(&*world.book, "reader@own").unwrap())
    };
    let before = state();
    for actor in ["administrator@north", "reader@north", "publisher@own"].map(|name| world.actor(name)) {
        for name in ["reader@own", "administrator@own", "nobody"] {
            let tries = [
                told(a.account(&actor, name)),
                told(a.set_role(&actor, name, Role::Reader)),
                told(a.remove_account(&actor, name)),
                told(a.set_password(&actor, name, PASSWORD)),
                told(a.issue_token(&actor, name)),
                told(a.keys(&actor, name)),
                told(a.add_key(&actor, name, &key("mine"), NOW).map(|_| ())),
                told(a.remove_key(&actor, name, "hidden")),
                told(a.enrol_second_factor(&actor, name, crate::totp::Algorithm::Sha1, 6)),
                told(a.confirm_second_factor(&actor, name, "000000", NOW)),
                told(a.remove_second_factor(&actor, name)),
                told(a.renew_recovery_codes(&actor, name)),
                told(a.sessions(&actor, name)),
                told(a.end_session(&actor, name, "x")),
                told(a.end_sessions(&actor, name)),
                told(a.certificates(&actor, name)),
                told(a.remove_certificate(&actor, name, &[0; 32])),
                told(a.links(&actor, name)),
                told(a.link(&actor, name, "i", "s", NOW)),
                told(a.unlink(&actor, name, "https://id.example", "7")),
            ];
            assert!(tries.iter().all(|said| said == "unknown"), "{actor:?} {name}: {tries:?}");
        }
        assert_eq!(told(a.owner_of_key(&actor, "hidden")), "unknown");
        let Actor::Member(member) = &actor else { unreachable!() };
        let refused = told(a.add_key(&actor, &member.name, &key("HIDDEN"), NOW).map(|_| ()));
        assert_eq!(refused, "refused", "a name that is taken by whom one may not know of");
        let seen = a.accounts(&actor).unwrap();
        assert!(seen.iter().all(|account| account.organisation.name == member.organisation), "{actor:?}: {seen:?}");
    }
    assert_eq!(state(), before);
}

fn key(name: &str) -> NewKey<'_> {
    NewKey { name, scope: vec![], networks: vec![], expires: None }
}

#[test]
fn keys_are_never_more_than_their_member() {
    let world = world();
    let (a, reader) = (&world.administration, world.actor("reader@own"));
    let networks: Vec<Network> = ["192.0.2.0/24", "::1"].iter().map(|text| text.parse().unwrap()).collect();
    let wanted = NewKey { scope: vec!["write".into(), "read".into(), "read".into()], networks, ..key("one") };
    let (made, secret) = a.add_key(&reader, "reader@own", &wanted, NOW).unwrap();
    assert_eq!(
        (made.scope, made.networks),
        (vec!["read".into(), "write".into()], vec!["192.0.2.0/24".to_owned(), "::1/128".into()])
    );
    assert_eq!(made.digest, crate::credentials::key_digest(&Secret::new([1; 32]), &secret));
    let everything = NewKey { scope: vec!["everything".into()], ..key("two") };
    assert!(told(a.add_key(&reader, "reader@own", &everything, NOW)).contains("not `everything`"));
    let past = NewKey { expires: Some(NOW), ..key("two") };
    assert_eq!(told(a.add_key(&reader, "reader@own", &past, NOW)), "the end is in the past");
    assert_eq!(told(a.add_key(&reader, "reader@own", &key("ONE"), NOW)), "taken");
    assert_eq!(
        told(a.keys(&world.actor("administrator@own"), "reader@own").map(|keys| assert_eq!(keys.len(), 1))),
        "done"
    );
    assert_eq!(told(a.remove_key(&reader, "reader@own", "two")), "unknown");
    assert_eq!(told(a.remove_key(&reader, "reader@own", "One")), "done");
}

#[test]
fn a_second_factor_is_in_use_after_its_first_code() {
    let world = world();
    let (a, reader) = (&world.administration, world.actor("reader@own"));
    let algorithm = crate::totp::Algorithm::Sha1;
    assert_eq!(told(a.confirm_second_factor(&reader, "reader@own", "000000", NOW)), "unknown");
    let first = a.enrol_second_factor(&reader, "reader@own", algorithm, 6).unwrap();
    let totp = a.enrol_second_factor(&reader, "reader@own", algorithm, 6).unwrap();
    let code = totp.code(crate::totp::step(NOW));
    for (code, now) in
        [("", NOW), ("00000x", NOW), (&first.code(crate::totp::step(NOW)), NOW), (&code, NOW + 90_000_000)]
    {
        let said = a.confirm_second_factor(&reader, "reader@own", code, now);
        assert!(matches!(said, Err(Error::Code)), "{code}");
    }
    assert_eq!(told(a.renew_recovery_codes(&reader, "reader@own")), "unknown");
    assert_eq!(a.confirm_second_factor(&reader, "reader@own", &code, NOW).unwrap().len(), 10);
    assert!(!world.book.use_step("reader@own", crate::totp::step(NOW)).unwrap(), "the first code is used up");
    assert_eq!(told(a.enrol_second_factor(&reader, "reader@own", algorithm, 6)), "taken");
    let administrator = world.actor("administrator@own");
    assert_eq!(told(a.renew_recovery_codes(&administrator, "reader@own")), "refused");
    assert_eq!(told(a.enrol_second_factor(&administrator, "reader@own", algorithm, 6)), "refused");
    assert_eq!(told(a.remove_second_factor(&administrator, "reader@own")), "done");
}

#[test]
fn every_act_is_recorded_done_or_refused() {
    let world = world();
    let (a, reader) = (&world.administration, world.actor("reader@own"));
    a.set_role(&Actor::Operator, "reader@own", Role::Analyst).unwrap();
    let _ = a.set_role(&reader, "reader@own", Role::Administrator);
    let _ = a.remove_account(&reader, "analyst@own");
    let _ = a.add_organisation(&reader, &Organisation { name: "X".into(), relation: Relation::Public });
    a.add_organisation(&Actor::Operator, &Organisation { name: "X".into(), relation: Relation::Public }).unwrap();
    let same = Organisation { name: "READER@own".into(), relation: Relation::Public };
    let partners = world.actor("partner-manager@own");
    assert!(a.add_organisation(&partners, &same).is_err(), "the name of an account");
    let acts = world.acts.0.lock().unwrap().clone();
    let act = |deed, subject: &str, done| (deed, subject.to_owned(), done);
    assert_eq!(
        acts,
        [
            act(Deed::SetRole, "reader@own", true),
            act(Deed::SetRole, "reader@own", false),
            act(Deed::RemoveAccount, "analyst@own", false),
            act(Deed::AddOrganisation, "X", false),
            act(Deed::AddOrganisation, "X", true),
        ]
    );
}

#[test]
fn partners_are_managed_by_the_own_organisations_partner_managers() {
    use crate::partners::identity::Surroundings;
    use ledger::Partners as _;

    let world = world();
    let here = Surroundings::default();
    let north = Secret::new([2; 32]);
    // A card of somebody else's.
    let folder = tempfile::tempdir().unwrap();
    let other = ledger::sqlite::Book::create(&folder.path().join("marsad.db")).unwrap();
    other.add_organisation(&Organisation { name: "CERT South".into(), relation: Relation::Own }).unwrap();
    other.set_note(OWN_ORGANISATION, Some(b"CERT South")).unwrap();
    let card = crate::partners::identity::own_at(&other, &north, Some(&here), NOW).unwrap().0.card;
    for (actor, may) in [
        ("reader@own", false),
        ("analyst@own", false),
        ("publisher@own", false),
        ("partner-manager@own", true),
        ("administrator@own", true),
        ("partner-manager@north", false),
        ("administrator@north", false),
    ] {
        let actor = world.actor(actor);
        let (administration, expected) = (&world.administration, if may { "done" } else { "refused" });
        let take = administration.take_card(&actor, card.text(), None, Relation::Community, None, NOW);
        assert_eq!(told(take), expected, "{actor:?}");
        assert_eq!(world.book.partner("CERT South").unwrap().is_some(), may, "{actor:?}");
        let said = card.fingerprint();
        for (act, result) in [
            ("confirm", told(administration.confirm_card(&actor, "CERT South", said, NOW))),
            ("grade", told(administration.grade_partner(&actor, "CERT South", &Grade::default()))),
            ("list", told(administration.exchange_partners(&actor))),
            ("show", told(administration.exchange_partner(&actor, "CERT South"))),
            ("revoke", told(administration.revoke_partner(&actor, "CERT South", NOW))),
            ("own card", told(administration.own_card(&actor, &here, NOW))),
            ("rotate", told(administration.rotate_card(&actor, &here, NOW))),
            ("revoke card", told(administration.revoke_card(&actor, &here, NOW))),
            ("remove", told(administration.remove_partner(&actor, "CERT South"))),
            ("foreign", told(administration.add_foreign(&actor, &format!("Old {may}"), Relation::Public, NOW))),
        ] {
            let again = act == "foreign" && actor == world.actor("administrator@own");
            assert_eq!(result, if again { "taken" } else { expected }, "{actor:?} {act}");
        }
    }
    // Whoever may not learns nothing of whether there is such a partner.
    let reader = world.actor("reader@own");
    assert_eq!(told(world.administration.exchange_partner(&reader, "nobody")), "refused");
    let manager = world.actor("partner-manager@own");
    assert_eq!(told(world.administration.exchange_partner(&manager, "nobody")), "unknown");
}
