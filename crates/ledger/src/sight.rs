//! What a viewer may have of a record, as the ledger asks it.

use crate::{ClassNo, CollectionNo, Dialect, Result, Seq};

/// How much of the records of a policy class a viewer may have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Sight {
    /// None of them; they count as not there.
    Nothing,
    /// All of them, as they are stored.
    Whole,
    /// All of them, but a body must be rewritten before it is given.
    Part,
    /// It depends on the record: its body decides whether it is there at all, and what of it is given.
    Ask,
}

/// A record as the ledger shows it to whoever decides about it.
#[derive(Clone, Copy, Debug)]
pub struct Met<'a> {
    /// Its place and time.
    pub seq: Seq,
    /// Where.
    pub collection: CollectionNo,
    /// Its policy class, which is an open variant if the record is not covered.
    pub class: ClassNo,
    /// Which object.
    pub key: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// How the body is written.
    pub dialect: Dialect,
    /// The author's bytes.
    pub body: &'a [u8],
}

/// A viewer's rights. Answers must not change while one query runs.
///
/// A closure from classes to yes and no is the plain form: whole or nothing.
pub trait Sees {
    /// Asked once a class and query.
    fn class(&self, class: ClassNo) -> Sight;

    /// Asked of a record whose class has the sight [`Sight::Part`] or [`Sight::Ask`]. Writes what the viewer may have
    /// of it to `out`, where `out` is given. `false`: nothing of it, and it counts as not there; the answer is the same
    /// with and without `out`, and always `true` for [`Sight::Part`].
    ///
    /// An error of `book` may be answered with `false`: the ledger notes it, and the whole query fails.
    fn record(&self, met: &Met<'_>, book: &dyn Lookup, out: Option<&mut Vec<u8>>) -> bool;

    /// Told of each record that is put on a page, in order: its class, and how many bytes of it are given.
    fn gives(&self, class: ClassNo, length: usize) {
        let _ = (class, length);
    }
}

impl<F: Fn(ClassNo) -> bool> Sees for F {
    fn class(&self, class: ClassNo) -> Sight {
        if self(class) { Sight::Whole } else { Sight::Nothing }
    }

    fn record(&self, met: &Met<'_>, _: &dyn Lookup, out: Option<&mut Vec<u8>>) -> bool {
        if let Some(out) = out {
            out.extend_from_slice(met.body);
        }
        self(met.class)
    }
}

/// The rest of the book, on the same state that the query reads.
pub trait Lookup {
    /// Shows every live version of a key in every collection, until `each` returns `false`.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn versions(&self, key: &str, each: &mut dyn FnMut(&Met<'_>) -> bool) -> Result<()>;

    /// The same without the bodies, for the common question whether any version is of a class that the viewer sees:
    /// one probe of the index a collection.
    ///
    /// # Errors
    /// [`crate::Error::Storage`].
    fn places(&self, key: &str, each: &mut dyn FnMut(CollectionNo, ClassNo) -> bool) -> Result<()>;
}
