//! Recalls as acts of this node: with its own keys and the ring as they are when something is taken back.

use super::{Desk, Made};
use crate::audit::{self, By, Event};
use crate::config::Config;
use crate::door::Door;
use crate::home::Secret;
use crate::intake::Classes;
use crate::narrow::Narrowing;
use crate::partners::{identity, notices};
use ledger::journal::Journal;
use ledger::sqlite::Book;
use ledger::{CollectionNo, Ledger as _, Micros, Scope};
use policy::Class;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is deleted.
pub struct Deleting<'a> {
    /// The object.
    pub object: &'a str,
    /// Which versions of it, by their class.
    pub of: &'a dyn Fn(&Class) -> bool,
    /// Why, for the audit log.
    pub reason: &'a str,
}

/// Takes back what acts of administration delete, narrow or leave.
pub trait TakesBack: Send + Sync {
    /// An object is about to be narrowed.
    ///
    /// # Errors
    /// [`identity::Error`]: nobody was told, or not everybody.
    fn narrowing(
        &self,
        object: &str,
        narrowing: &Narrowing,
        of: &dyn Fn(&Class) -> bool,
        by: &By,
        now: Micros,
    ) -> Result<Made, identity::Error>;

    /// Deletes an object and recalls it. Returns how many versions went.
    ///
    /// # Errors
    /// [`identity::Error`].
    fn delete(&self, deleting: &Deleting<'_>, by: &By, now: Micros) -> Result<(Made, u64), identity::Error>;

    /// Recalls an object that is not here any more, from everybody who ever got it.
    ///
    /// # Errors
    /// [`identity::Error`].
    fn deleted_before(&self, object: &str, by: &By, now: Micros) -> Result<Made, identity::Error>;

    /// Groups were changed.
    ///
    /// # Errors
    /// [`identity::Error`]: what was not seen to is seen to the next time.
    fn groups_changed(&self, by: &By, now: Micros) -> Result<(), identity::Error>;
}

/// The desk of a node.
pub struct Office {
    book: Arc<Book>,
    journal: Arc<dyn Journal>,
    door: Door,
    classes: Classes,
    secret: Secret,
}

impl Office {
    /// Over a book.
    #[must_use]
    pub fn new(book: &Arc<Book>, journal: Arc<dyn Journal>, config: &Config, secret: Secret) -> Self {
        let (door, classes) = (Door::over(book, config), Classes::default());
        Self { book: Arc::clone(book), journal, door, classes, secret }
    }

    /// Does something at the desk.
    ///
    /// # Errors
    /// [`identity::Error`], also for the ledger's.
    pub fn at<T>(&self, now: Micros, work: impl FnOnce(&Desk<'_>) -> ledger::Result<T>) -> Result<T, identity::Error> {
        let own = identity::own(&*self.book, &self.secret)?;
        let ring = identity::keyring(&*self.book, &self.secret)?;
        let desk = Desk {
            book: &*self.book,
            journal: &*self.journal,
            door: &self.door,
            classes: &self.classes,
            keys: &own.keys,
            ring: &ring,
            own: &own.card.organisation,
            now,
        };
        Ok(work(&desk)?)
    }
}

impl TakesBack for Office {
    fn narrowing(
        &self,
        object: &str,
        narrowing: &Narrowing,
        of: &dyn Fn(&Class) -> bool,
        by: &By,
        now: Micros,
    ) -> Result<Made, identity::Error> {
        self.at(now, |desk| desk.narrowing(object, narrowing, of, by))
    }

    fn delete(&self, deleting: &Deleting<'_>, by: &By, now: Micros) -> Result<(Made, u64), identity::Error> {
        self.at(now, |desk| {
            let copies = desk.copies(deleting.object)?;
            let gone: Vec<_> =
                copies.into_iter().filter(|copy| (deleting.of)(&copy.class)).map(|copy| copy.place).collect();
            let made = desk.erasing(deleting.object, &gone, by)?;
            let scope = Scope { key: Some(deleting.object), ..Scope::default() };
            let mut went: BTreeMap<CollectionNo, u64> = BTreeMap::new();
            let mut which = |met: &ledger::Met<'_>| {
                let goes = gone.contains(&(met.collection, met.seq));
                if goes {
                    *went.entry(met.collection).or_default() += 1;
                }
                goes
            };
            let versions = self.book.erase(&scope, &mut which, now)?;
            for (collection, versions) in went {
                let (by, object, reason) = (by.clone(), deleting.object.to_owned(), deleting.reason.to_owned());
                audit::write_now(&*self.journal, &Event::Erased { by, collection, object, versions, reason })?;
            }
            Ok((made, versions))
        })
    }

    fn deleted_before(&self, object: &str, by: &By, now: Micros) -> Result<Made, identity::Error> {
        self.at(now, |desk| {
            let places = crate::why::places(&*self.book, object, &mut |_| {})?;
            desk.erased_before(object, &places, by)
        })
    }

    fn groups_changed(&self, by: &By, now: Micros) -> Result<(), identity::Error> {
        // Keys are not made for a node that has no use for them.
        if notices::is_quiet(&*self.book)? {
            return Ok(());
        }
        self.at(now, |desk| notices::catch_up(desk, by))
    }
}
