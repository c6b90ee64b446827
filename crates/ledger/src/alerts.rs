//! What the watch found: alerts, and what waits to be told of them.
//!
//! What an alert says is its keeper's business; the register knows what it is about, whether it is open, and when it has to be
//! looked at. Everything that belongs together is changed in one durable commit ([`Alerts::alerting`]), whichever process
//! does it, so that two watchers fold their hits into one alert.

use crate::{Micros, Result};

/// An alert as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alert {
    /// A UUID in lower case.
    pub id: String,
    /// A digest of what its hits have in common: there is one open alert of a group.
    pub group: [u8; 32],
    /// The id of the object whose claim was met.
    pub indicator: String,
    /// Whether further hits are counted in it.
    pub open: bool,
    /// When it was opened.
    pub opened: Micros,
    /// Its place in the order of changes, at least the time of the last one. Set by [`AlertDesk::put`].
    pub changed: Micros,
    /// When it has to be looked at again; `None`: only when something happens.
    pub due: Option<Micros>,
    /// What it says, in the words of its keeper.
    pub body: Vec<u8>,
}

/// What waits to be told about an alert, one by each way out: what is newer stands in the place of what was not told yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Telling {
    /// By which way out.
    pub way: String,
    /// Of which alert.
    pub alert: String,
    /// Which of its notices: a newer one has a higher number.
    pub number: u64,
    /// When it is tried next.
    pub due: Micros,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it waits.
    pub since: Micros,
}

/// Which alerts are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alerted<'a> {
    /// The newest first; those opened before the named one, if one is named.
    Opened {
        /// The id of the alert behind which the list goes on.
        behind: Option<&'a str>,
        /// Only open ones, or only closed ones.
        open: Option<bool>,
    },
    /// In the order of changes, from this place on (exclusive).
    Changed(Micros),
}

/// The alerts while they are changed: all of it is kept, or nothing.
pub trait AlertDesk {
    /// The open alert of a group.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn of_group(&self, group: &[u8; 32]) -> Result<Option<Alert>>;
    /// The alert with this id.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn alert(&self, id: &str) -> Result<Option<Alert>>;
    /// How many alerts are open: of an object, or all.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn open(&self, indicator: Option<&str>) -> Result<u64>;
    /// The open alerts of an object.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn of_object(&self, object: &str) -> Result<Vec<Alert>>;
    /// Whether our own organisation holds an object to be wrong ([`Self::judge`]).
    /// # Errors
    /// [`crate::Error::Storage`].
    fn is_wrong(&self, object: &str) -> Result<bool>;
    /// Keeps that our own organisation holds an object to be wrong, or that it does so no longer.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn judge(&self, object: &str, wrong: bool, now: Micros) -> Result<()>;
    /// Open alerts that have to be looked at by now, at most so many.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn due(&self, now: Micros, limit: usize) -> Result<Vec<Alert>>;
    /// Keeps an alert; it gets the next place in the order of changes.
    /// # Errors
    /// [`crate::Error::Storage`], also if another open alert is of the same group.
    fn put(&self, alert: &Alert, now: Micros) -> Result<()>;
    /// How many alerts wait to be told by a way out.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn waiting(&self, way: &str) -> Result<u64>;
    /// Lets something wait, in the place of what waits by this way about this alert. `false`: nothing did.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn tell(&self, telling: &Telling) -> Result<bool>;
    /// Lets go of what waits by this way about this alert, if it is no newer than this number.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn told(&self, way: &str, alert: &str, number: u64) -> Result<()>;
    /// Lets something wait again that was tried, unless it was let go of or something newer has taken its place.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn again(&self, telling: &Telling) -> Result<()>;
    /// Erases closed alerts that were changed last before this, and those beyond so many, the oldest first. Returns how many.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn forget(&self, before: Micros, most: u64) -> Result<u64>;
}

/// The register's part about alerts.
pub trait Alerts: Send + Sync {
    /// Lets `work` change alerts in one durable commit. On `Err` nothing was changed.
    /// # Errors
    /// That of `work`; [`crate::Error::Full`], [`crate::Error::Storage`].
    fn alerting(&self, work: &mut dyn FnMut(&dyn AlertDesk) -> Result<()>) -> Result<()>;
    /// One alert.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn alert(&self, id: &str) -> Result<Option<Alert>>;
    /// Shows alerts until `each` returns `false`, all on one state of the register. Whoever names one that is not there is
    /// shown nothing.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn alerts(&self, wanted: &Alerted<'_>, each: &mut dyn FnMut(Alert) -> bool) -> Result<()>;
    /// The place of the newest change, 0 if there was none. Asked often, so it costs one look.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn alert_changed(&self) -> Result<Micros>;
    /// What waits by a way out and is to be tried by now, longest first.
    /// # Errors
    /// [`crate::Error::Storage`].
    fn tellings(&self, way: &str, now: Micros, limit: usize) -> Result<Vec<Telling>>;
}
