//! What the book's words are made of.

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// A record's place in the order, which is also its `date_added` in microseconds since 1970 (TAXII 2.1 §3.4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Seq(pub i64);

/// A collection's number inside this book; never on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CollectionNo(pub u32);

/// A policy class's number inside this book; never on the wire. Records with the same markings, owner and
/// recipients form one class.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClassNo(pub u32);

/// The dialect in which a body is written.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Dialect {
    /// STIX 2.0.
    Stix20 = 20,
    /// STIX 2.1.
    Stix21 = 21,
}

/// An instant to the picosecond, and the author's own spelling of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Version<'a> {
    /// Whole microseconds since 1970.
    pub micros: i64,
    /// Picoseconds beyond the whole microsecond, 0..1_000_000.
    pub picos: u32,
    /// As written by the author; two spellings of one instant are one version.
    pub text: &'a str,
}

/// One object to append.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The collection it is added to.
    pub collection: CollectionNo,
    /// What it is a version of: a STIX id, `type--uuid`.
    pub key: &'a str,
    /// Its type, for filters.
    pub kind: &'a str,
    /// `modified`, else `created`; `None` for what has neither: its version is then the time of addition
    /// (TAXII 2.1 §3.4.1), and a differing body under the same key, or the same in another policy class, is a
    /// further version.
    pub version: Option<Version<'a>>,
    /// How the body is written.
    pub dialect: Dialect,
    /// Who made it, where it says so. Only the author of the first version may add versions (STIX 2.1 §3.6).
    pub author: Option<&'a str>,
    /// Whether this version ends the object for ever (STIX 2.1 §3.6).
    pub revoked: bool,
    /// Its policy class.
    pub class: ClassNo,
    /// The ids of the records to which it refers, those by which a viewer could learn of them. If there are any, the
    /// record gets `class` only where it is covered, and else the open variant of `class`.
    pub references: &'a [&'a str],
    /// The author's bytes: one JSON object, no white space around it.
    pub body: &'a [u8],
}

/// Makes the status resource from the answers to a submission's entries.
pub type MakeReceipt<'a> = &'a (dyn Fn(&[Appended]) -> Receipt + Sync + 'a);

/// The entries of one caller, which are committed together.
pub struct Submission<'a> {
    /// In the order in which they shall be accepted.
    pub entries: &'a [Entry<'a>],
    /// Called inside the commit with the answers to the entries; what it returns is stored with them as a status
    /// resource that can be asked for later.
    pub receipt: Option<MakeReceipt<'a>>,
}

/// A status resource to keep.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// UUIDv4 in lower case.
    pub id: String,
    /// The member that asked; nobody else is told of it.
    pub owner: String,
    /// The resource as it is served.
    pub body: Vec<u8>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Appended {
    /// New in the collection.
    Added(Seq),
    /// The collection holds it already, with the same content: where it lies or, of what has no version, the place that it
    /// would have got.
    Unchanged(Seq),
    /// The collection holds this version with other content. Kept in the order for the operator, served to nobody.
    Conflict(Seq),
    /// A version from another author than the first one's, or after a revocation (STIX 2.1 §3.6). Kept in the
    /// order for the operator, served to nobody.
    Quarantined(Seq),
}

/// Which versions of each object are wanted (TAXII 2.1 §3.4.1.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Versions {
    /// Every version.
    All,
    /// The union of these.
    Some {
        /// The oldest visible version.
        first: bool,
        /// The newest visible version.
        last: bool,
        /// Exact instants: (microseconds, picoseconds beyond).
        at: Vec<(i64, u32)>,
    },
}

impl Versions {
    /// The default of the standard: the newest.
    #[must_use]
    pub fn last() -> Self {
        Self::Some { first: false, last: true, at: Vec::new() }
    }
}

/// What may be erased whoever may see it. Fields are ANDed; none set: the whole book.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Only in this collection.
    pub collection: Option<CollectionNo>,
    /// Only this object.
    pub key: Option<&'a str>,
    /// Only of these classes; each stands for its open variant too.
    pub classes: Option<&'a [ClassNo]>,
    /// Only what was added before.
    pub before: Option<Seq>,
}

/// Where in the order a record lies after its class was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Where it was: whoever follows the order past it is not told.
    Kept,
    /// At the end, as if it had been added now; its old place is erased, with a tombstone. Whoever pages by the time of
    /// addition receives it.
    Renewed,
}

/// What a page selects. Fields are ANDed, the values of one field ORed (TAXII 2.1 §3.4.1).
///
/// Version selection looks at the visible versions of the whole collection first; `after` then cuts the result.
/// A version that the viewer may not see counts as not there.
#[derive(Clone, Debug)]
pub struct Filter<'a> {
    /// The collection that is read.
    pub collection: CollectionNo,
    /// Only records added after this one.
    pub after: Option<Seq>,
    /// Only these keys.
    pub keys: Option<Vec<&'a str>>,
    /// Only these types.
    pub kinds: Option<Vec<&'a str>>,
    /// Which versions.
    pub versions: Versions,
    /// Only these dialects; `None`: for each object the newest dialect of which it has a visible version.
    pub dialects: Option<Vec<Dialect>>,
    /// At most so many records.
    pub limit: usize,
    /// Stop before a page grows beyond this many bytes of bodies as they are given (one record is always given).
    /// Manifests have no such limit.
    pub max_bytes: usize,
}

/// What a page says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// Number of records.
    pub count: usize,
    /// When the first of them was added.
    pub first: Option<Seq>,
    /// When the last of them was added: where the next page goes on.
    pub last: Option<Seq>,
    /// Whether a further visible record follows.
    pub more: bool,
    /// Every policy class that occurs in the page, each once.
    pub classes: Vec<ClassNo>,
    /// The sequence numbers of its records, ascending.
    pub given: Vec<Run>,
}

/// Records whose sequence numbers follow each other without a gap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// The first of them.
    pub first: Seq,
    /// How many.
    pub count: u32,
}

/// One row of a manifest (TAXII 2.1 §5.3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestRow {
    /// The object's id.
    pub key: String,
    /// When this version was added.
    pub date_added: Seq,
    /// The version as its author wrote it; `None` where the time of addition is the version.
    pub version: Option<String>,
    /// How the body is written.
    pub dialect: Dialect,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Served to those who may see it.
    Live,
    /// See [`Appended::Conflict`].
    Conflict,
    /// See [`Appended::Quarantined`].
    Quarantined,
    /// Erased; the body is gone.
    Erased,
    /// The notice that an earlier record was erased; has no body.
    Tombstone,
}

/// A record as it stands in the book.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its place and time.
    pub seq: Seq,
    /// Where.
    pub collection: CollectionNo,
    /// Which object.
    pub key: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// Which version; `None`: the time of addition.
    pub version: Option<Version<'a>>,
    /// How the body is written.
    pub dialect: Dialect,
    /// Its policy class.
    pub class: ClassNo,
    /// Whether it is live.
    pub state: State,
    /// The author's bytes; empty when erased.
    pub body: &'a [u8],
}

/// Figures of a book.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Live records.
    pub records: u64,
    /// Kept aside: conflicts and quarantine.
    pub aside: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Bytes of live bodies.
    pub body_bytes: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// The newest sequence number.
    pub last: Option<Seq>,
    /// Seals of authors, of bodies that are there and of such as are not.
    pub seals: u64,
    /// Recalls, our own and others'.
    pub recalls: u64,
    /// What waits for partners.
    pub mail: u64,
}

/// Something that `check` found wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where: a table and a row, or a record.
    pub place: String,
    /// What, and what to do.
    pub message: String,
}
