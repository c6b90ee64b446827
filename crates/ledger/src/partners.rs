//! What the node keeps of its partners: who they are, by which keys and over which links; what authors and sources said of
//! the bodies in the book; what was recalled and who has confirmed it; what waits to be fetched.
//!
//! Cards, seals, recalls and what waits are signed texts that this crate does not read. [`Link`] is not among the names that
//! the crate gives out itself: [`crate::Link`] is an identity at a provider.

use crate::{Appended, Micros, Register, Result, Same, Submission};

/// The mark of a stored body: the first sixteen bytes of its BLAKE3 hash. What is said of a record hangs on its mark, not on
/// its place, so it holds for every copy of the same bytes, and may be there before the record.
pub type Mark = [u8; 16];

/// What is said of bodies: by their authors in seals, by sources in statements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// The seals, each with the mark of its body.
    pub seals: &'a [(Mark, &'a [u8])],
    /// The statements.
    pub statements: &'a [Stated<'a>],
}

/// A [`Statement`] on its way into the book. Where the same memory is the body of many, it is kept once.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// The body of which it speaks.
    pub mark: Mark,
    /// The organisation that says it.
    pub source: &'a str,
    /// When it said something of this body for the first time.
    pub first: Micros,
    /// When it said it last.
    pub last: Micros,
    /// What it says.
    pub body: &'a [u8],
}

/// What a partner runs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PartnerKind {
    /// A Marsad node: it signs, and keeps recalls.
    Node,
    /// A TAXII server of another make.
    Foreign,
}

/// An organisation with which the node exchanges.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Partner {
    /// The organisation.
    pub organisation: String,
    /// What it runs.
    pub kind: PartnerKind,
    /// What was agreed with it, in the words of the caller: reliability, ceilings, quotas.
    pub terms: Vec<u8>,
    /// Since when it is a partner.
    pub added: Micros,
}

/// What a card is to us.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CardState {
    /// Shown to us, not confirmed: nothing rests on it.
    Offered,
    /// Confirmed, and in use. An organisation has one at most.
    Pinned,
    /// Another card took its place.
    Replaced,
    /// Its keys count for nothing any more.
    Revoked,
}

/// A card of a partner, as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Card {
    /// The partner.
    pub organisation: String,
    /// Which of its cards it is; up to 2^63 - 1.
    pub serial: u64,
    /// What it is to us.
    pub state: CardState,
    /// The card itself.
    pub body: Vec<u8>,
    /// When its state was set.
    pub at: Micros,
}

/// A way over which the node pulls from a partner or pushes to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Its name, unique without regard to case.
    pub name: String,
    /// The partner.
    pub organisation: String,
    /// Where, what and how often, in the words of the caller.
    pub definition: Vec<u8>,
    /// The credential, sealed by the caller.
    pub secret: Option<Vec<u8>>,
    /// Whether it rests until somebody resumes it.
    pub paused: bool,
}

/// What one source said of a body. The statements of several sources about one body stand side by side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// The body.
    pub mark: Mark,
    /// The organisation that said it.
    pub source: String,
    /// When it said something of this body for the first time.
    pub first: Micros,
    /// When it said it last.
    pub last: Micros,
    /// Path, reliability, credibility and confidence, in the words of the caller.
    pub body: Vec<u8>,
}

impl Statement {
    /// The same, borrowed.
    #[must_use]
    pub fn as_stated(&self) -> Stated<'_> {
        Stated { mark: self.mark, source: &self.source, first: self.first, last: self.last, body: &self.body }
    }
}

/// A recall, kept for ever.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recall {
    /// The id of the signed object.
    pub id: String,
    /// The id of what it recalls.
    pub object: String,
    /// When it was taken in or made here; what it says of itself is in the body.
    pub at: Micros,
    /// The signed object.
    pub body: Vec<u8>,
    /// The organisation that brought it; `None`: it is ours.
    pub from: Option<String>,
}

/// How far a recall has come with one receiver.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DeliveryState {
    /// Not handed over yet.
    Waiting,
    /// Handed over, not answered.
    Sent,
    /// The receiver says that it is done.
    Confirmed,
    /// The receiver says that it will not.
    Refused,
    /// It cannot be done there.
    Cannot,
}

/// A recall on its way to an organisation that was handed the object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The recall.
    pub recall: String,
    /// The receiver.
    pub organisation: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last.
    pub last: Option<Micros>,
    /// What was tried, or what the receiver answered.
    pub answer: String,
}

/// Something that waits until a partner fetches it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mail {
    /// Its place and the instant at which it was posted, like a [`crate::Seq`]: microseconds, strictly rising over all mail
    /// of the book, never given twice.
    pub no: i64,
    /// For whom.
    pub organisation: String,
    /// The id of the signed object.
    pub id: String,
    /// The signed object.
    pub body: Vec<u8>,
}

/// Partners and what was said between them. Every change is durable on return. Names of organisations and links are compared
/// without regard to case. Changes of partners, cards and links change the register's generation; seals, statements, recalls
/// and mail do not.
///
/// Every writing call may fail with [`crate::Error::Full`], and then nothing of it was kept.
pub trait Partners: Register {
    /// Makes an organisation that exists a partner.
    /// # Errors
    /// [`crate::Error::Exists`] if it is one, [`crate::Error::Missing`].
    fn add_partner(&self, partner: &Partner) -> Result<()>;
    /// Replaces a partner's kind and terms; since when it is one stays.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn change_partner(&self, partner: &Partner) -> Result<()>;
    /// All partners by name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn partners(&self) -> Result<Vec<Partner>>;
    /// The partner of this name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn partner(&self, organisation: &str) -> Result<Option<Partner>>;
    /// Removes a partner with its cards, its links and what waits for it. What was recalled, delivered, sealed and stated
    /// stays, and so does the organisation.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_partner(&self, organisation: &str) -> Result<()>;

    /// Adds a card of a partner, or replaces the one of the same serial number. A card that is pinned takes the place of the
    /// one that was pinned, which is then [`CardState::Replaced`] at the same instant.
    /// # Errors
    /// [`crate::Error::Missing`] if the organisation is no partner.
    fn set_card(&self, card: &Card) -> Result<()>;
    /// A partner's cards, highest serial number first.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn cards(&self, organisation: &str) -> Result<Vec<Card>>;
    /// The cards of all partners, by name and then highest serial number first.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn all_cards(&self) -> Result<Vec<Card>>;

    /// Adds a link to a partner.
    /// # Errors
    /// [`crate::Error::Exists`] if the name is taken, [`crate::Error::Missing`] if the organisation is no partner.
    fn add_link(&self, link: &Link) -> Result<()>;
    /// Replaces the link of this name.
    /// # Errors
    /// [`crate::Error::Missing`], also if the organisation is no partner.
    fn change_link(&self, link: &Link) -> Result<()>;
    /// All links by name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn links(&self) -> Result<Vec<Link>>;
    /// The link of this name.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn link(&self, name: &str) -> Result<Option<Link>>;
    /// Removes a link.
    /// # Errors
    /// [`crate::Error::Missing`].
    fn remove_link(&self, name: &str) -> Result<()>;

    /// Keeps seals in one commit: the signed texts by which authors vouch for bodies. The first seal of a body stays. Where the
    /// same memory is the seal of many bodies, it is kept once.
    /// # Errors
    /// [`crate::Error::Full`], [`crate::Error::Storage`].
    fn put_seals(&self, seals: &[(Mark, &[u8])]) -> Result<()> {
        self.put_provenance(seals, &[])
    }
    /// Keeps seals in place of those that are kept of the same bodies: of an author who signs with another key by now.
    /// # Errors
    /// [`crate::Error::Full`], [`crate::Error::Storage`].
    fn renew_seals(&self, seals: &[(Mark, &[u8])]) -> Result<()>;
    /// The seals of bodies, in the order in which they are asked for.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn seals(&self, marks: &[Mark]) -> Result<Vec<Option<Vec<u8>>>>;
    /// Keeps statements in one commit. Of one source about one body the earliest `first` and the newest `last` stay, with
    /// what was said last; of two that were said at one instant, the one that comes later.
    /// # Errors
    /// [`crate::Error::Missing`] if a source is no organisation here.
    fn put_statements(&self, statements: &[Statement]) -> Result<()> {
        self.put_provenance(&[], statements)
    }
    /// What every source said of a body, by name of the source.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn statements(&self, mark: &Mark) -> Result<Vec<Statement>> {
        Ok(self.statements_of(std::slice::from_ref(mark))?.pop().unwrap_or_default())
    }
    /// What every source said of bodies, in the order in which they are asked for.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn statements_of(&self, marks: &[Mark]) -> Result<Vec<Vec<Statement>>>;
    /// [`Partners::put_seals`] and [`Partners::put_statements`] in one commit.
    /// # Errors
    /// [`crate::Error::Missing`] if a source is no organisation here.
    fn put_provenance(&self, seals: &[(Mark, &[u8])], statements: &[Statement]) -> Result<()>;
    /// [`Partners::put_provenance`] and [`crate::Ledger::append`] in one commit: a record that is there has its seal.
    /// # Errors
    /// Those of both; nothing is left then.
    fn append_said(
        &self,
        submissions: &[Submission<'_>],
        said: &Said<'_>,
        now: Micros,
        same: Same<'_>,
    ) -> Result<Vec<Vec<Appended>>>;

    /// Keeps a recall, and to whom it has to go, in one commit. The `recall` of the deliveries is not looked at.
    /// # Errors
    /// [`crate::Error::Exists`] if it is known, [`crate::Error::Missing`] if a receiver or the bringer is no organisation
    /// here.
    fn add_recall(&self, recall: &Recall, deliveries: &[Delivery]) -> Result<()>;
    /// The recall of this id.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn recall(&self, id: &str) -> Result<Option<Recall>>;
    /// The recalls of an object, oldest first.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn recalls_of(&self, object: &str) -> Result<Vec<Recall>>;
    /// The recalls of objects, in the order in which they are asked for.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn recalled(&self, objects: &[&str]) -> Result<Vec<Vec<Recall>>>;
    /// Whether there is a recall of each of the objects: the cheap question, asked of everything that comes in.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn any_recalled(&self, objects: &[&str]) -> Result<Vec<bool>>;
    /// The recalls after an instant (exclusive), oldest first; some more than `limit` where otherwise one instant would be
    /// cut in two, so that going on after the last one loses nothing.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn recalls_after(&self, at: Micros, limit: usize) -> Result<Vec<Recall>>;
    /// Says how far a recall has come with a receiver, who may be a new one.
    /// # Errors
    /// [`crate::Error::Missing`] if the recall or the organisation is not there.
    fn set_delivery(&self, delivery: &Delivery) -> Result<()>;
    /// How far a recall has come, by name of the receiver.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn deliveries(&self, recall: &str) -> Result<Vec<Delivery>>;
    /// The deliveries to an organisation that are in one of these states, oldest recall first.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn deliveries_to(&self, organisation: &str, states: &[DeliveryState]) -> Result<Vec<Delivery>>;
    /// The deliveries to an organisation that have not been handed over, oldest recall first. Those that were and are not
    /// answered are [`DeliveryState::Sent`]: ask [`Partners::deliveries_to`].
    /// # Errors
    /// [`crate::Error::Storage`].
    fn waiting_deliveries(&self, organisation: &str) -> Result<Vec<Delivery>> {
        self.deliveries_to(organisation, &[DeliveryState::Waiting])
    }

    /// Lets objects (id, body) wait for a partner. Where one of the same id waits already, that one stays, in its place.
    /// Returns how many are new.
    /// # Errors
    /// [`crate::Error::Missing`] if the organisation is no partner.
    fn post(&self, organisation: &str, objects: &[(&str, &[u8])], now: Micros) -> Result<u64>;
    /// What waits for a partner after a place (exclusive), in order.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn mail(&self, organisation: &str, after: i64, limit: usize) -> Result<Vec<Mail>>;
    /// Drops what waits for a partner up to a place (inclusive). Returns how many.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn drop_mail(&self, organisation: &str, upto: i64) -> Result<u64>;
}
