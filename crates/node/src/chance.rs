//! Random bytes from the system: taken here, handed on as an argument.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// The system has no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoChance;

/// `N` random bytes, fit for secrets.
///
/// # Errors
/// [`NoChance`].
pub fn bytes<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills the slice with random bytes, fit for secrets.
///
/// # Errors
/// [`NoChance`].
pub fn fill(bytes: &mut [u8]) -> Result<(), NoChance> {
    SystemRandom::new().fill(bytes).map_err(|_| NoChance)
}
