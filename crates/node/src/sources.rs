//! Where a serving node takes time and chance from: the system's, or given ones, with which two nodes that hold the same
//! answer the same bytes to the same requests.

use crate::chance::NoChance;
use ledger::Micros;
use std::sync::Arc;

type Chance = dyn Fn(&mut [u8]) -> Result<(), NoChance> + Send + Sync;

/// A clock and a source of random bytes.
#[derive(Clone)]
pub struct Sources {
    clock: Arc<dyn Fn() -> Micros + Send + Sync>,
    chance: Arc<Chance>,
}

impl Sources {
    /// Those of the system.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Arc::new(crate::clock::now), chance: Arc::new(crate::chance::fill) }
    }

    /// Given ones. Random bytes from here become request ids and status ids, never secrets.
    #[must_use]
    pub fn given(
        clock: impl Fn() -> Micros + Send + Sync + 'static,
        chance: impl Fn(&mut [u8]) -> Result<(), NoChance> + Send + Sync + 'static,
    ) -> Self {
        Self { clock: Arc::new(clock), chance: Arc::new(chance) }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now(&self) -> Micros {
        (self.clock)()
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// [`NoChance`].
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoChance> {
        let mut bytes = [0; N];
        (self.chance)(&mut bytes)?;
        Ok(bytes)
    }
}
