//! What every engine must do about signing in.

use ledger::{
    Account, Certificate, Error, Key, Ledger, Link, Organisation, People, Relation, Role, SecondFactor, Session,
};

fn member<B: People>(book: &B, name: &str) {
    let organisation = Organisation { name: "CERT North".into(), relation: Relation::Community };
    let _ = book.add_organisation(&organisation);
    let role = Role::Analyst;
    book.add_account(&Account { name: name.into(), organisation, role, password: None, created: 1 }).unwrap();
}

fn factor(confirmed: bool) -> SecondFactor {
    SecondFactor { algorithm: "SHA1".into(), digits: 6, sealed: vec![1, 2, 3], confirmed }
}

/// A second factor is in use once a first code was shown; every code and every recovery code opens once.
pub(crate) fn second_factors<B: Ledger + People>(make: impl Fn() -> B) {
    let book = make();
    member(&book, "noor");
    assert_eq!(book.second_factor("noor").unwrap(), None);
    assert!(matches!(book.set_second_factor("nobody", &factor(false)), Err(Error::Missing { .. })));
    assert!(matches!(book.set_recovery_codes("noor", &[[9; 32]]), Err(Error::Missing { .. })));
    assert!(!book.confirm_second_factor("noor", 5, &[]).unwrap(), "there is none");
    book.set_second_factor("NOOR", &factor(false)).unwrap();
    book.set_second_factor("noor", &SecondFactor { digits: 8, ..factor(false) }).unwrap();
    assert_eq!(book.second_factor("Noor").unwrap().map(|held| (held.digits, held.confirmed)), Some((8, false)));
    assert!(!book.use_step("noor", 4).unwrap(), "not in use yet");
    let generation = book.generation().unwrap();
    assert!(book.confirm_second_factor("noor", 5, &[[1; 32], [2; 32]]).unwrap());
    assert!(book.generation().unwrap() > generation, "what was remembered of a password alone is dropped");
    assert!(!book.confirm_second_factor("noor", 6, &[[3; 32]]).unwrap(), "confirmed once");
    assert!(matches!(book.set_second_factor("noor", &factor(false)), Err(Error::Exists { .. })));
    let generation = book.generation().unwrap();
    for (step, expected) in [(5, false), (4, false), (6, true), (6, false), (8, true), (7, false)] {
        assert_eq!(book.use_step("noor", step).unwrap(), expected, "step {step}");
    }
    for (code, expected) in [([3; 32], false), ([1; 32], true), ([1; 32], false)] {
        assert_eq!(book.use_recovery_code("noor", &code).unwrap(), expected);
    }
    assert_eq!((book.recovery_codes("noor").unwrap(), book.generation().unwrap()), (1, generation));
    book.set_recovery_codes("noor", &[[4; 32], [5; 32], [6; 32]]).unwrap();
    assert_eq!(book.recovery_codes("noor").unwrap(), 3);
    assert!(!book.use_recovery_code("noor", &[2; 32]).unwrap(), "new codes end the old ones");
    book.remove_second_factor("noor").unwrap();
    assert_eq!((book.second_factor("noor").unwrap(), book.recovery_codes("noor").unwrap()), (None, 0));
    assert!(matches!(book.remove_second_factor("noor"), Err(Error::Missing { .. })));
}

/// Sessions end one by one, with the password, with their member, and by time.
pub(crate) fn sessions<B: Ledger + People>(make: impl Fn() -> B) {
    let book = make();
    member(&book, "noor");
    member(&book, "sami");
    let session = |n: u8, account: &str| Session {
        digest: [n; 32],
        account: account.into(),
        address: "192.0.2.1".into(),
        made: i64::from(n),
        seen: i64::from(n),
        ends: 100 + i64::from(n),
    };
    assert!(matches!(book.add_session(&session(1, "nobody")), Err(Error::Missing { .. })));
    let generation = book.generation().unwrap();
    for (n, account) in [(1, "noor"), (2, "noor"), (3, "sami"), (4, "noor")] {
        book.add_session(&session(n, account)).unwrap();
    }
    assert_eq!(book.session(&[2; 32]).unwrap(), Some(session(2, "noor")));
    let made: Vec<i64> = book.sessions("NOOR").unwrap().iter().map(|session| session.made).collect();
    assert_eq!(made, [4, 2, 1]);
    book.session_used(&[2; 32], 50).unwrap();
    book.session_used(&[2; 32], 40).unwrap();
    assert_eq!(book.session(&[2; 32]).unwrap().map(|session| session.seen), Some(50));
    assert_eq!((book.end_session(&[1; 32]).unwrap(), book.end_session(&[1; 32]).unwrap()), (true, false));
    assert_eq!(book.generation().unwrap(), generation, "who signs in disturbs nobody");
    book.set_password("noor", "$phc").unwrap();
    assert_eq!((book.sessions("noor").unwrap().len(), book.sessions("sami").unwrap().len()), (0, 1));
    for n in [5, 6, 7] {
        book.add_session(&session(n, "noor")).unwrap();
    }
    assert_eq!(book.expire_sessions(6, 104).unwrap(), 2, "5 was idle, 3 is over");
    assert_eq!(book.end_sessions("noor").unwrap(), 2);
    book.add_session(&session(8, "sami")).unwrap();
    book.remove_account("sami").unwrap();
    assert_eq!(book.session(&[8; 32]).unwrap(), None);
}

/// Roles, certificates, identities, keys: bound to one member, told from other members' by their owner.
pub(crate) fn credentials<B: Ledger + People>(make: impl Fn() -> B) {
    let book = make();
    member(&book, "noor");
    member(&book, "sami");
    book.set_role("NOOR", Role::Publisher).unwrap();
    assert_eq!(book.account("noor").unwrap().map(|account| account.role), Some(Role::Publisher));
    assert!(matches!(book.set_role("nobody", Role::Reader), Err(Error::Missing { .. })));

    let certificate = Certificate { fingerprint: [1; 32], account: "noor".into(), ends: 9, added: 1 };
    book.add_certificate(&certificate).unwrap();
    let again = Certificate { account: "sami".into(), ..certificate.clone() };
    assert!(matches!(book.add_certificate(&again), Err(Error::Exists { .. })), "one certificate is one member");
    let stray = Certificate { fingerprint: [2; 32], account: "nobody".into(), ..certificate.clone() };
    assert!(matches!(book.add_certificate(&stray), Err(Error::Missing { .. })));
    assert_eq!(book.certificates().unwrap(), [certificate]);
    assert!(matches!(book.remove_certificate("sami", &[1; 32]), Err(Error::Missing { .. })), "not that member's");
    book.remove_certificate("noor", &[1; 32]).unwrap();
    assert_eq!(book.certificates().unwrap(), []);

    let link = Link { issuer: "https://id.example".into(), subject: "7".into(), account: "noor".into(), made: 1 };
    book.add_link(&link).unwrap();
    assert!(matches!(book.add_link(&Link { account: "sami".into(), ..link.clone() }), Err(Error::Exists { .. })));
    assert_eq!(book.link("https://id.example", "7").unwrap(), Some(link.clone()));
    for (issuer, subject) in [("https://ID.example", "7"), ("https://id.example/", "7"), ("https://id.example", "8")] {
        assert_eq!(book.link(issuer, subject).unwrap(), None, "{issuer} {subject}: compared letter by letter");
    }
    assert_eq!((book.links("NOOR").unwrap(), book.links("sami").unwrap()), (vec![link], vec![]));
    assert!(matches!(book.remove_link("sami", "https://id.example", "7"), Err(Error::Missing { .. })));
    book.remove_link("noor", "https://id.example", "7").unwrap();

    book.add_key(&Key {
        name: "sensor".into(),
        account: "noor".into(),
        digest: [7; 32],
        scope: vec![],
        networks: vec![],
        expires: None,
        created: 1,
        last_used: None,
    })
    .unwrap();
    let generation = book.generation().unwrap();
    book.key_used("sensor", 5).unwrap();
    assert_eq!((book.keys().unwrap()[0].last_used, book.generation().unwrap()), (Some(5), generation));
    assert!(matches!(book.remove_key_of("sami", "sensor"), Err(Error::Missing { .. })), "not that member's");
    book.remove_key_of("NOOR", "Sensor").unwrap();
    assert_eq!(book.keys().unwrap(), []);
}
