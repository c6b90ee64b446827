//! The book: records in the order in which they were accepted, and the register of who and what the node knows.
//!
//! Two traits say what a store must do, [`Ledger`] and [`Register`]; [`sqlite`] is the embedded engine that does
//! it, and [`battery`] is the body of tests that every engine passes as it stands.
//!
//! The ledger knows nothing of HTTP and nothing of what a format means: a record is a key, a version, a policy
//! class and the author's bytes. It decides nothing about who may see what; it asks the caller, class by class, and
//! record by record only where the class alone does not tell.

#![forbid(unsafe_code)]

mod alerts;
mod error;
pub mod journal;
mod model;
pub mod partners;
mod people;
mod register;
mod sharing;
mod sight;
pub mod sqlite;

pub use alerts::{Alert, AlertDesk, Alerted, Alerts, Telling};
pub use error::Error;
pub use journal::Journal;
pub use model::*;
pub use partners::{
    Card, CardState, Delivery, DeliveryState, Mail, Mark, Partner, PartnerKind, Partners, Recall, Stated, Statement,
};
pub use people::*;
pub use register::*;
pub use sharing::*;
pub use sight::*;

/// What went well, or why not.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Finds the ids that a record refers to, as [`Entry::references`] has them.
pub type References<'a> = &'a dyn Fn(&Met<'_>) -> Vec<String>;

/// Tells whether two bodies of the same key and version say the same (equal canonical content, whatever the
/// white space and the order of keys).
pub type Same<'a> = &'a (dyn Fn(&[u8], &[u8]) -> bool + Sync + 'a);

/// The book.
///
/// Order: every record has a [`Seq`], which is at once its place in the order and the instant (microseconds
/// since 1970, UTC) at which it was added. Sequence numbers are unique and strictly increasing over the whole
/// book, so "everything after X" never loses or repeats a record (TAXII 2.1 §3.4, §3.5).
///
/// Cover: a record that refers to others is *covered* if for each of them its collection holds a live version of the same
/// class that is covered itself or refers to nothing: whoever sees the class sees those too. Any other record that
/// refers to something has the open variant of its class, and a reader is asked about it one by one. Cover is lost in the
/// commit that takes a target away, and won where targets arrive in the same call or by [`Ledger::settle`].
pub trait Ledger: Send + Sync {
    /// Appends all submissions in one durable commit: on `Ok` every record answered [`Appended::Added`] survives
    /// kill -9 and power loss; on `Err` nothing of the call has been written.
    ///
    /// `now` is the clock's microseconds since 1970; an entry gets `max(now, last + 1)`, also one that is held already, whose
    /// number is then nobody's.
    ///
    /// A record that refers to something gets its class if it is covered, by what is stored or by what this very call
    /// adds (forward and in circles), and else the open variant. What is kept aside covers nothing.
    ///
    /// # Errors
    /// [`Error::Full`] when the disk is full, [`Error::Storage`] for other failures of the engine.
    fn append(&self, submissions: &[Submission<'_>], now: Micros, same: Same<'_>) -> Result<Vec<Vec<Appended>>>;

    /// One page of bodies, oldest first, joined by commas and appended to `out`: as they were stored, or as `sees` wrote
    /// them. Limits count what is given, so that nothing depends on what is not.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn objects(&self, filter: &Filter<'_>, sees: &dyn Sees, out: &mut Vec<u8>) -> Result<Page>;

    /// The same records as rows. A page of them is cut by [`Filter::limit`] alone: rows are small, and so their pages
    /// depend neither on the length of bodies nor on what a viewer may have of them.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn manifest(&self, filter: &Filter<'_>, sees: &dyn Sees) -> Result<(Page, Vec<ManifestRow>)>;

    /// Whether any live version of the key in the collection is visible.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn contains(&self, collection: CollectionNo, key: &str, sees: &dyn Sees) -> Result<bool>;

    /// Erases the bodies of the selected visible versions and leaves tombstones in the order. Returns how many.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Storage`].
    fn delete(&self, filter: &Filter<'_>, sees: &dyn Sees, now: Micros) -> Result<u64>;

    /// Erases what lies in the scope and `which` agrees to, whoever may see it and what was kept aside too: for retention
    /// and for the right to be forgotten. Bodies go, tombstones stay, cover is lost. Returns how many.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Storage`].
    fn erase(&self, scope: &Scope<'_>, which: &mut dyn FnMut(&Met<'_>) -> bool, now: Micros) -> Result<u64>;

    /// Gives every live version of a key, in every collection, the class that `to` says; `None`: it stays as it is. A
    /// class and its open variant are the same answer: a record that refers to something gets the variant, unless it
    /// has the class already. What it covered becomes open. With [`Place::Renewed`] a record for which `to` names a
    /// class moves even if the class is the one that it has. Returns how many were changed or moved.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Storage`].
    fn reclass(
        &self,
        key: &str,
        to: &mut dyn FnMut(&Met<'_>) -> Option<ClassNo>,
        place: Place,
        now: Micros,
    ) -> Result<u64>;

    /// Covers the open records of a collection whose targets have arrived meanwhile, in commits of bounded size. What
    /// `references` finds must be what [`Entry::references`] said. Returns how many. Memory: about the keys and
    /// references of the open records.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Storage`].
    fn settle(&self, collection: CollectionNo, references: References<'_>) -> Result<u64>;

    /// Follows the book from `after` (exclusive), every collection, tombstones and withheld conflicts included:
    /// what views and `check` are built from. Calls `each` for at most `limit` records in order.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn follow(&self, after: Seq, limit: usize, each: &mut dyn FnMut(&Record<'_>)) -> Result<Option<Seq>>;

    /// The number of the policy class with this definition; made if it is new, together with its open variant. A pair
    /// stays as it was first made. Records that an earlier Marsad put into a class without a pair are open from then
    /// on, until [`Ledger::settle`] has judged them.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Storage`], also when `open` belongs to another class.
    fn class(&self, definition: &[u8], open: &[u8]) -> Result<ClassNo>;

    /// The definition of a policy class, `None` if there is no such class.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn class_definition(&self, class: ClassNo) -> Result<Option<std::sync::Arc<[u8]>>>;

    /// Lets `work` look records up, all on one state of the book.
    ///
    /// # Errors
    /// [`Error::Storage`], also when a look-up failed and `work` went on without it.
    fn look(&self, work: &mut dyn FnMut(&dyn Lookup)) -> Result<()>;

    /// The newest sequence number: no record that can be seen has a later one, and none that comes has an earlier one.
    /// Asked often, so it costs one look.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn last(&self) -> Result<Option<Seq>>;

    /// Figures for people and metrics.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn statistics(&self) -> Result<Statistics>;

    /// Reads everything and compares it with itself. An empty list means sound. `progress(done, total)` in records.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store cannot even be read.
    fn check(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Fault>>;

    /// Reads every record that counts as covered or as referring to nothing, and looks for what it refers to. An empty
    /// list means sound.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn check_cover(&self, references: References<'_>) -> Result<Vec<Fault>>;

    /// Writes a consistent copy to a new file while readers and writers go on. `progress(done, total)` in pages.
    ///
    /// # Errors
    /// [`Error::Exists`] if the file exists, [`Error::Full`], [`Error::Storage`].
    fn backup(&self, to: &std::path::Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()>;
}
