use super::*;
use crate::administration::{Administration, NewAccount, NewKey};
use ledger::{Organisation, Register as _};
use policy::role::Role as Grade;
use std::net::Ipv4Addr;

const NOW: Micros = 1_800_000_000_000_000;
const PASSWORD: &str = "correct horse battery";

struct World {
    accounts: Accounts,
    administration: Administration,
    book: Arc<ledger::sqlite::Book>,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let book = Arc::new(ledger::sqlite::Book::create(&folder.path().join("marsad.db")).unwrap());
    book.add_organisation(&Organisation { name: "Own CERT".into(), relation: Relation::Own }).unwrap();
    book.set_note(administration::OWN_ORGANISATION, Some(b"Own CERT")).unwrap();
    let config = crate::config::Accounts::default();
    let secret = Secret::new([1; 32]);
    let administration = Administration::new(Arc::clone(&book) as _, secret.clone(), &config);
    let new = NewAccount { name: "amina", organisation: None, role: Grade::Analyst, password: Some(PASSWORD) };
    administration.add_account(&Actor::Operator, &new, NOW).unwrap();
    let known = Arc::new(Known::new(Arc::clone(&book) as _));
    let accounts = Accounts::new(known, Arc::clone(&book) as _, secret, &config);
    World { accounts, administration, book, _folder: folder }
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn address(n: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n))
}

#[derive(Debug, Eq, PartialEq)]
enum Said {
    Right(How),
    Wrong,
    TooMany,
}

impl World {
    async fn ask(&self, header: &str, from: IpAddr, now: Micros, instant: Instant) -> Said {
        match self.accounts.identify_at(Some(header), from, now, instant).await {
            Ok(identity) => Said::Right(identity.how),
            Err(Refusal::Wrong | Refusal::Code) => Said::Wrong,
            Err(Refusal::TooMany(_)) => Said::TooMany,
            Err(Refusal::Broken(error)) => panic!("{error}"),
        }
    }

    fn key(&self, name: &str, scope: &[&str], networks: &[&str]) -> String {
        let scope = scope.iter().map(|word| (*word).to_owned()).collect();
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        let new = NewKey { name, scope, networks, expires: None };
        self.administration.add_key(&Actor::Operator, "amina", &new, NOW).unwrap().1.to_string()
    }
}

/// A hundred thousand wrong guesses from as many addresses, under one name and under many: the number that is allowed
/// reaches a hash, and the member itself still gets in.
#[tokio::test]
async fn guesses_run_out_and_the_member_gets_in() {
    let world = world();
    let begin = Instant::now();
    let home = address(0);
    let header = basic("amina", PASSWORD);
    assert_eq!(world.ask(&header, home, NOW, begin).await, Said::Right(How::Password));
    let key = world.key("machine", &[], &[]);
    let session = world.accounts.sessions().begin("amina", home, NOW).unwrap();
    // A change of the register drops what was remembered: once more.
    assert_eq!(world.ask(&header, home, NOW, begin).await, Said::Right(How::Password));
    let before = world.accounts.hashes();
    for n in 1..=50_000 {
        let spelled = ["amina", "AMINA", "Amina ", "ａｍｉｎａ"][n as usize % 4];
        let said = world.ask(&basic(spelled, &format!("guess {n}")), address(n), NOW, begin).await;
        assert!(matches!(said, Said::Wrong | Said::TooMany));
    }
    assert_eq!(world.accounts.hashes() - before, 20, "one name, many addresses");
    let attacker = address(77_777);
    for n in 0..50_000 {
        world.ask(&basic(&format!("name {n}"), "guess"), attacker, NOW, begin).await;
    }
    assert_eq!(world.accounts.hashes() - before, 40, "one address, many names");
    assert_eq!(world.ask(&basic("amina", "guess"), home, NOW, begin).await, Said::TooMany);
    assert_eq!(world.ask(&header, home, NOW, begin).await, Said::Right(How::Password), "a remembered credential");
    assert_eq!(world.ask(&header, attacker, NOW, begin).await, Said::Right(How::Password), "wherever it comes from");
    for header in [format!("Bearer {key}"), key.clone(), basic("amina", &key)] {
        assert_eq!(world.ask(&header, attacker, NOW, begin).await, Said::Right(How::Key), "a key");
    }
    let found = world.accounts.identify_session(&session.cookie, NOW).unwrap();
    assert!(matches!(found.unwrap().how, How::Session(_)), "a session");
    let later = begin + Duration::from_secs(60);
    assert_eq!(world.ask(&basic("amina", "guess"), attacker, NOW, later).await, Said::Wrong, "a minute later");
    assert_eq!(world.accounts.hashes() - before, 41);
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_is_refused() {
    let world = world();
    let instant = Instant::now();
    let (home, elsewhere) = (address(1), address(2));
    let amina = Actor::Member(administration::member(&world.book.account("amina").unwrap().unwrap(), true));
    let alone = basic("amina", PASSWORD);
    assert_eq!(world.ask(&alone, home, NOW, instant).await, Said::Right(How::Password));
    let totp = world.administration.enrol_second_factor(&amina, "amina", crate::totp::Algorithm::Sha1, 6).unwrap();
    assert_eq!(world.ask(&alone, home, NOW, instant).await, Said::Right(How::Password), "not in use yet");
    let step = crate::totp::step(NOW);
    let first = totp.code(step - 1);
    let recovery = world.administration.confirm_second_factor(&amina, "amina", &first, NOW).unwrap();
    // A snapshot of the register is used for a moment.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(world.ask(&alone, home, NOW, instant).await, Said::Wrong, "also where it was remembered");
    let with = |code: &str| basic("amina", &format!("{PASSWORD}{code}"));
    assert_eq!(world.ask(&with(&first), home, NOW, instant).await, Said::Wrong, "used to enrol");
    let header = with(&totp.code(step));
    assert_eq!(world.ask(&header, home, NOW, instant).await, Said::Right(How::Password));
    assert_eq!(world.ask(&header, home, NOW, instant).await, Said::Right(How::Password), "remembered for a while");
    assert_eq!(world.ask(&header, elsewhere, NOW, instant).await, Said::Wrong, "not from elsewhere: it is used up");
    assert_eq!(world.ask(&with(&recovery[0]), home, NOW, instant).await, Said::Wrong, "recovery is for sessions");
    let wrong = basic("amina", &format!("wrong horse battery{}", totp.code(step + 1)));
    assert_eq!(world.ask(&wrong, home, NOW, instant).await, Said::Wrong);
    let key = world.key("machine", &[], &[]);
    assert_eq!(
        world.ask(&format!("Bearer {key}"), home, NOW, instant).await,
        Said::Right(How::Key),
        "keys are as ever"
    );

    let password = || Zeroizing::new(PASSWORD.to_owned());
    let sign_in = async |code: Option<&str>| match world.accounts.sign_in("amina", password(), code, home, NOW).await {
        Ok(_) => "in",
        Err(Refusal::Code) => "code",
        Err(Refusal::Wrong) => "wrong",
        Err(_) => "other",
    };
    assert_eq!(sign_in(None).await, "code");
    assert_eq!(sign_in(Some("")).await, "code");
    assert_eq!(sign_in(Some(&totp.code(step))).await, "wrong", "used up by the header");
    assert_eq!(sign_in(Some(&totp.code(step + 1))).await, "in", "the wrong password above used nothing up");
    assert_eq!(sign_in(Some(&recovery[0].to_uppercase())).await, "in");
    assert_eq!(sign_in(Some(&recovery[0])).await, "wrong", "once");
    let nobody = world.accounts.sign_in("nobody", password(), None, home, NOW).await;
    assert!(matches!(nobody, Err(Refusal::Wrong)));
}

/// Whoever has the password does not get to try many codes.
#[tokio::test]
async fn codes_run_out_before_passwords() {
    let world = world();
    let amina = Actor::Member(administration::member(&world.book.account("amina").unwrap().unwrap(), true));
    let totp = world.administration.enrol_second_factor(&amina, "amina", crate::totp::Algorithm::Sha1, 6).unwrap();
    let step = crate::totp::step(NOW);
    world.administration.confirm_second_factor(&amina, "amina", &totp.code(step), NOW).unwrap();
    let right = totp.code(step + 1);
    let wrong = if right == "000000" { "111111" } else { "000000" };
    let mut said = Vec::new();
    for n in 0..12 {
        let password = Zeroizing::new(PASSWORD.to_owned());
        let code = if n == 11 { right.as_str() } else { wrong };
        said.push(match world.accounts.sign_in("amina", password, Some(code), address(n), NOW).await {
            Err(Refusal::Wrong) => "wrong",
            Err(Refusal::TooMany(wait)) if wait > Duration::from_secs(800) => "wait",
            _ => "other",
        });
    }
    assert_eq!(said, [["wrong"; 10].as_slice(), &["wait"; 2]].concat());
}

#[tokio::test]
async fn keys_work_from_their_networks_within_their_scope() {
    let world = world();
    let instant = Instant::now();
    let inside: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
    let outside = address(1);
    let bound = format!("Bearer {}", world.key("bound", &[], &["192.0.2.0/24", "2001:db8::/32"]));
    assert_eq!(world.ask(&bound, outside, NOW, instant).await, Said::Wrong);
    assert_eq!(world.ask(&bound, inside, NOW, instant).await, Said::Right(How::LimitedKey));
    assert_eq!(world.ask(&bound, outside, NOW, instant).await, Said::Wrong, "what is remembered is bound as well");
    assert_eq!(world.ask(&bound, "2001:db8::9".parse().unwrap(), NOW, instant).await, Said::Right(How::LimitedKey));
    let reads = format!("Bearer {}", world.key("reads", &["read"], &[]));
    let identity = world.accounts.identify_at(Some(&reads), outside, NOW, instant).await.unwrap();
    assert!((identity.reads, identity.writes) == (true, false) && identity.administrator() == Actor::Stranger);
    let all = format!("Bearer {}", world.key("all", &[], &[]));
    let identity = world.accounts.identify_at(Some(&all), outside, NOW, instant).await.unwrap();
    assert!((identity.reads, identity.writes) == (true, true) && identity.administrator() != Actor::Stranger);
    world.book.set_role("amina", Role::Reader).unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let identity = world.accounts.identify_at(Some(&all), outside, NOW, instant).await.unwrap();
    assert!(!identity.writes, "never more than the member");
}
