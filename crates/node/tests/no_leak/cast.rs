//! Who takes part: organisations in every relation, members in every role, keys with every scope, and collections with
//! every kind of right. They are the same in every case, so that a book is made by copying a file.

use crate::bench;
use crate::record::{self, Kind};
use ledger::sqlite::Book;
use ledger::{Account, Collection, CollectionNo, Group, Key, Organisation, Relation, Role, Standing, Who};
use ledger::{CardState, Partner, PartnerKind, Partners as _, Register as _, Sharing as _};
use node::home::Secret;
use policy::{Audience, Handling, Viewer};

const ORGANISATIONS: [(&str, Relation); 5] = [
    ("Us", Relation::Own),
    ("Harbour", Relation::Client),
    ("CERT North", Relation::Community),
    ("Port CSIRT", Relation::Community),
    ("Elsewhere", Relation::Public),
];

/// The one whose card was confirmed.
const PARTNER: usize = 2;

/// Name, organisation (by its place in the list above), role.
const MEMBERS: [(&str, usize, Role); 7] = [
    ("amal", 0, Role::Administrator),
    ("rim", 0, Role::Reader),
    ("dana", 1, Role::Analyst),
    ("noor", 2, Role::Analyst),
    ("pilar", 3, Role::Publisher),
    ("omar", 4, Role::Analyst),
    ("lena", 2, Role::PartnerManager),
];

/// What a credential lets its bearer do, beside what the member may.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    All,
    Read,
    Write,
}

/// Somebody who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Guise {
    /// The member (by its place in the list above); `None`: a stranger.
    member: Option<usize>,
    scope: Scope,
    /// The credential is nobody's.
    wrong: bool,
    /// HTTP Basic instead of Bearer.
    basic: bool,
}

const fn guise(member: usize, scope: Scope) -> Guise {
    Guise { member: Some(member), scope, wrong: false, basic: false }
}

/// Everybody who may ask.
pub(crate) const GUISES: [Guise; 12] = [
    Guise { member: None, scope: Scope::All, wrong: false, basic: false },
    guise(3, Scope::All),
    Guise { basic: true, ..guise(4, Scope::All) },
    guise(2, Scope::All),
    guise(5, Scope::All),
    guise(1, Scope::All),
    guise(0, Scope::All),
    guise(3, Scope::Read),
    guise(3, Scope::Write),
    guise(6, Scope::All),
    guise(4, Scope::Write),
    Guise { wrong: true, ..guise(3, Scope::All) },
];

/// The administrator: sees most, and may be asked for figures.
pub(crate) const ADMINISTRATOR: usize = 6;

impl Guise {
    /// As the policy sees them; `None`: nobody, the credential is wrong.
    pub(crate) fn viewer(&self) -> Option<Viewer> {
        if self.wrong {
            return None;
        }
        Some(match self.member {
            None => Viewer::anonymous(),
            Some(no) => node::accounts::viewer(&account(no)),
        })
    }

    /// Whether the credential is good for reading.
    pub(crate) fn reads(&self) -> bool {
        !self.wrong && self.scope != Scope::Write
    }

    /// Whether it is one that administrates.
    pub(crate) fn administrates(&self) -> bool {
        !self.wrong && self.member.is_some_and(|no| MEMBERS[no].2 == Role::Administrator)
    }

    /// The `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<String> {
        use base64::Engine as _;
        let no = self.member?;
        let key = if self.wrong { "marsad_nobody's".to_owned() } else { key_text(no, self.scope) };
        Some(if self.basic {
            format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{}:{key}", MEMBERS[no].0)))
        } else {
            format!("Bearer {key}")
        })
    }
}

fn organisation(no: usize) -> Organisation {
    Organisation { name: ORGANISATIONS[no].0.into(), relation: ORGANISATIONS[no].1 }
}

fn account(no: usize) -> Account {
    let (name, organisation_no, role) = MEMBERS[no];
    Account { name: name.into(), organisation: organisation(organisation_no), role, password: None, created: 0 }
}

fn key_text(member: usize, scope: Scope) -> String {
    format!("marsad_{}_{scope:?}", MEMBERS[member].0)
}

/// Who brings records in: a member with its organisation.
pub(crate) fn bringer(no: u8) -> (&'static str, &'static str) {
    let (name, organisation, _) = MEMBERS[usize::from(no) % MEMBERS.len()];
    (name, ORGANISATIONS[organisation].0)
}

/// Lists of recipients that a record may be addressed to.
pub(crate) fn recipients(no: u8) -> Vec<String> {
    let lists: [&[&str]; 5] = [&[], &["noor"], &["Port CSIRT"], &["Harbour", "rim"], &["Elsewhere", "CERT North"]];
    lists[usize::from(no) % lists.len()].iter().map(|name| (*name).to_owned()).collect()
}

/// Sharing groups: one that is open, one whose time is over, one that hides its members and has not begun.
pub(crate) const GROUPS: [&str; 3] = [
    "6e0fb001-0000-4000-8000-000000000001",
    "6e0fb002-0000-4000-8000-000000000002",
    "6e0fb003-0000-4000-8000-000000000003",
];

fn groups() -> [Group; 3] {
    let group = |no: usize, owner: &str, members: &[&str]| Group {
        id: GROUPS[no].into(),
        name: format!("group {no}"),
        owner: owner.into(),
        members: members.iter().map(|name| (*name).to_owned()).collect(),
        hidden: no == 2,
        from: None,
        until: None,
        backfill: false,
        on_leave: ledger::OnLeave::Keep,
        since: Vec::new(),
    };
    [
        Group { from: Some(bench::FIRST), ..group(0, "CERT North", &["Elsewhere", "Harbour"]) },
        Group { until: Some(bench::FIRST), ..group(1, "Us", &["Port CSIRT", "CERT North"]) },
        Group { from: Some(bench::LATER), ..group(2, "Port CSIRT", &["Us", "CERT North"]) },
    ]
}

/// Limits that whoever brings a record may set beside its markings.
pub(crate) fn handling(no: u8) -> Handling {
    let circle = |audience| Handling { audience: vec![audience], ..Handling::default() };
    match no {
        0..7 => Handling::default(),
        7 => circle(Audience::Organisation),
        8 => circle(Audience::Community),
        9 => circle(Audience::Connected),
        10..13 => circle(Audience::Group(GROUPS[usize::from(no - 10)].into())),
        13 => Handling { embargo: Some(bench::FIRST), ..Handling::default() },
        14 => Handling { embargo: Some(bench::LATER), ..Handling::default() },
        15 => Handling { expires: Some(bench::FIRST), ..Handling::default() },
        16 => circle(Audience::Group("6e0fb009-0000-4000-8000-000000000009".into())),
        _ => Handling { expires: Some(bench::LATER), ..circle(Audience::All) },
    }
}

/// How many of them there are.
pub(crate) const HANDLINGS: u8 = 18;

/// What organisations are to the sharing model: one signs as the first identity, one has a ceiling.
fn standings() -> [Standing; 2] {
    let signs = vec![record::id(Kind::Identity, 0)];
    [
        Standing { organisation: "Port CSIRT".into(), identities: signs, ..Standing::default() },
        Standing { organisation: "Harbour".into(), ceiling: Some("green".into()), ..Standing::default() },
    ]
}

/// How many collections there are.
pub(crate) const COLLECTIONS: usize = 5;

/// Every collection: id, alias, readers, writers.
fn collections() -> [Collection; COLLECTIONS] {
    let named = |names: &[&str]| Who::Named(names.iter().map(|name| (*name).to_owned()).collect());
    let collection = |no: u32, alias: &str, read: Who, write: Who| Collection {
        no: CollectionNo(0),
        id: format!("c011ec70-0000-4000-8000-00000000000{no}"),
        alias: alias.into(),
        title: format!("The {alias} collection"),
        description: Some("for tests".into()),
        read,
        write,
    };
    [
        collection(0, "open", Who::Anyone, Who::Members),
        collection(1, "members", Who::Members, Who::Members),
        collection(2, "named", named(&["CERT North", "amal", "dana"]), named(&["pilar", "noor", "Harbour"])),
        collection(3, "box", named(&[]), Who::Members),
        collection(4, "wall", Who::Members, Who::Anyone),
    ]
}

/// Fills the register of a new book; gives the collections as they are in it.
pub(crate) fn register(book: &Book, secret: &Secret) -> Vec<Collection> {
    for no in 0..ORGANISATIONS.len() {
        book.add_organisation(&organisation(no)).unwrap();
    }
    for (no, (name, ..)) in MEMBERS.iter().enumerate() {
        book.add_account(&account(no)).unwrap();
        for scope in [Scope::All, Scope::Read, Scope::Write] {
            let words: &[&str] = match scope {
                Scope::All => &[],
                Scope::Read => &["read"],
                Scope::Write => &["write"],
            };
            book.add_key(&Key {
                name: format!("{name} {scope:?}"),
                account: (*name).into(),
                digest: node::credentials::key_digest(secret, &key_text(no, scope)),
                scope: words.iter().map(|word| (*word).to_owned()).collect(),
                expires: None,
                networks: Vec::new(),
                last_used: None,
                created: 0,
            })
            .unwrap();
        }
    }
    for group in groups() {
        book.add_group(&group).unwrap();
    }
    for standing in standings() {
        book.set_standing(&standing).unwrap();
    }
    partnership(book, secret);
    collections().iter().map(|collection| book.add_collection(collection).unwrap()).collect()
}

/// The node has keys of its own, and one of the organisations is a partner whose card was confirmed.
fn partnership(book: &Book, secret: &Secret) {
    book.set_note(node::administration::OWN_ORGANISATION, Some(ORGANISATIONS[0].0.as_bytes())).unwrap();
    node::partners::identity::own(book, secret).unwrap();
    // Whoever runs a node that is known as theirs is told of its audit log, which is that of all books.
    book.set_note(node::administration::OWN_ORGANISATION, None).unwrap();
    let organisation = ORGANISATIONS[PARTNER].0.to_owned();
    let draft = partner::card::Draft {
        serial: 1,
        organisation: organisation.clone(),
        identities: vec!["identity--00000000-0000-4000-8000-0000000ca4d0".into()],
        addresses: Vec::new(),
        certificates: Vec::new(),
        from: 0,
        until: None,
        revoked: false,
    };
    let body = partner::card::issue(&draft, &partner::key::Keys::of(&[5; 32]), None);
    let (kind, terms) = (PartnerKind::Node, b"{}".to_vec());
    book.add_partner(&Partner { organisation: organisation.clone(), kind, terms, added: 0 }).unwrap();
    book.set_card(&ledger::Card { organisation, serial: 1, state: CardState::Pinned, body, at: 0 }).unwrap();
}
