//! Work on vectors as wide as the processor has them, chosen when the program runs.
//!
//! What is given to [`run`] is compiled twice, for what every processor of the architecture has and for AVX2 with the
//! instructions on bits that came with it. All that it calls must be inlined always, closures too: what is not is
//! compiled for the former, and then every operation on vectors is a call.

use fearless_simd::{Level, Simd, dispatch};

/// Something to do with vectors.
pub(crate) trait Work {
    type Output;

    /// Does it; to be inlined always.
    fn with<S: Simd>(self, simd: S) -> Self::Output;
}

/// Does the work with the widest vectors that there is a way for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn run<W: Work>(level: Level, work: W) -> W::Output {
    if let Some(avx2) = level.as_avx2() {
        return avx2.vectorize(
            #[inline(always)]
            || work.with(avx2),
        );
    }
    dispatch!(Level::baseline(), simd => work.with(simd))
}

/// Does the work with the vectors that every processor of the architecture has.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn run<W: Work>(level: Level, work: W) -> W::Output {
    dispatch!(level, simd => work.with(simd))
}
