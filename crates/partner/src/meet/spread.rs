//! Work on many things by several threads, in the order of the things.

use std::num::NonZeroUsize;

/// Things that one thread encodes at once: enough to share an inversion, few enough to stay in a cache.
const PIECE: usize = 512;

/// `work` on pieces of `things` (with the place of the first), what it gives joined in order.
pub(super) fn spread<T: Sync, R: Send, E: Send>(
    threads: NonZeroUsize,
    things: &[T],
    work: impl Fn(usize, &[T]) -> Result<Vec<R>, E> + Sync,
) -> Result<Vec<R>, E> {
    let parts = spread_all(threads, things, |from, part| {
        let mut done = Vec::with_capacity(part.len());
        for (at, piece) in part.chunks(PIECE).enumerate() {
            done.append(&mut work(from + at * PIECE, piece)?);
        }
        Ok(done)
    })?;
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    parts.for_each(|mut part| all.append(&mut part));
    Ok(all)
}

/// `work` once a thread, on an equal part of `things` each; the first error in their order.
pub(super) fn spread_all<T: Sync, R: Send, E: Send>(
    threads: NonZeroUsize,
    things: &[T],
    work: impl Fn(usize, &[T]) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let part = things.len().div_ceil(threads.get()).max(PIECE);
    if things.len() <= part {
        return Ok(vec![work(0, things)?]);
    }
    std::thread::scope(|scope| {
        let work = &work;
        let parts = things.chunks(part).enumerate();
        let running: Vec<_> = parts.map(|(at, things)| scope.spawn(move || work(at * part, things))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
