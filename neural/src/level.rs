//! Which instruction set the kernels run on: asked of the processor at run time, never of the result.

use crate::vector::{Scalar, Vector, V128};
use alloc::vec::Vec;

/// An instantiation of the kernels. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// One number at a time.
    Scalar,
    /// What the target always has: SSE2 on x86-64, NEON on AArch64, SIMD128 on WebAssembly if built in.
    Baseline,
    /// The baseline's 128 bits in AVX encoding: the yardstick for WebAssembly, in benchmarks only.
    #[cfg(feature = "yardstick")]
    Avx128,
    /// 256 bits on x86-64.
    Avx2,
    /// 512 bits on x86-64 (AVX-512 F and DQ).
    Avx512,
}

/// Whether the plain kernels are built: not where they would be half of a module that pages load.
const SCALAR: bool = !cfg!(all(target_arch = "wasm32", target_feature = "simd128"));

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx2, "avx2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx512, "avx512f", "avx512dq");

impl Level {
    /// The widest level that this processor has.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512::get() {
                return Level::Avx512;
            }
            if has_avx2::get() {
                return Level::Avx2;
            }
        }
        Level::Baseline
    }

    /// All levels that this processor has, the plainest first.
    pub fn available() -> Vec<Level> {
        let mut levels = Vec::new();
        if SCALAR {
            levels.push(Level::Scalar);
        }
        levels.push(Level::Baseline);
        #[cfg(target_arch = "x86_64")]
        {
            #[cfg(feature = "yardstick")]
            if has_avx2::get() {
                levels.push(Level::Avx128);
            }
            if has_avx2::get() {
                levels.push(Level::Avx2);
            }
            if has_avx512::get() {
                levels.push(Level::Avx512);
            }
        }
        levels
    }

    /// This level where the processor has it, else the baseline.
    pub fn resolved(self) -> Level {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if has_avx2::get() => self,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 if has_avx512::get() => self,
            #[cfg(all(target_arch = "x86_64", feature = "yardstick"))]
            Level::Avx128 if has_avx2::get() => self,
            Level::Scalar if SCALAR => self,
            _ => Level::Baseline,
        }
    }

    /// The level for vectors of `numbers` things: no wider than they need, since wide vectors cost more to start.
    pub(crate) fn narrowed(self, numbers: usize) -> Level {
        match self.resolved() {
            Level::Avx512 if numbers <= 8 => Level::Avx2.resolved(),
            level => level,
        }
    }

    /// Its name: `scalar`, `sse2`, `neon`, `simd128`, `avx2`, `avx512`.
    pub fn word(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Baseline if cfg!(target_arch = "x86_64") => "sse2",
            Level::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Level::Baseline if cfg!(target_feature = "simd128") => "simd128",
            Level::Baseline => "scalar",
            #[cfg(feature = "yardstick")]
            Level::Avx128 => "avx128",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// Outputs of a register tile.
    pub(crate) fn tile(self) -> usize {
        match self {
            Level::Scalar => Scalar::TILE,
            Level::Baseline => V128::TILE,
            #[cfg(feature = "yardstick")]
            Level::Avx128 => V128::TILE,
            Level::Avx2 => 6,
            Level::Avx512 => 12,
        }
    }

    /// Numbers side by side: the padding of buffers.
    pub(crate) fn lanes(self) -> usize {
        match self {
            Level::Scalar => Scalar::LANES,
            Level::Baseline => V128::LANES,
            #[cfg(feature = "yardstick")]
            Level::Avx128 => V128::LANES,
            Level::Avx2 => 8,
            Level::Avx512 => 16,
        }
    }
}

/// Work that is written once over [`Vector`].
pub trait Work {
    /// What it gives.
    type Output;
    /// Does it; must be `#[inline(always)]`, so that the caller's instruction set is its own.
    fn run<V: Kernels>(self) -> Self::Output;
}

pub use crate::kernel::Kernels;

/// Runs `work` on the level's vectors, or on the baseline's where the processor lacks the level.
pub fn dispatch<W: Work>(level: Level, work: W) -> W::Output {
    match level {
        Level::Scalar if SCALAR => work.run::<Scalar>(),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if has_avx2::get() => {
            #[target_feature(enable = "avx2")]
            unsafe fn run<W: Work>(work: W) -> W::Output {
                work.run::<crate::vector::V256>()
            }
            // SAFETY: the processor has AVX2, as just asked.
            unsafe { run(work) }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if has_avx512::get() => {
            #[target_feature(enable = "avx512f,avx512dq")]
            unsafe fn run<W: Work>(work: W) -> W::Output {
                work.run::<crate::vector::V512>()
            }
            // SAFETY: the processor has AVX-512 F and DQ, as just asked.
            unsafe { run(work) }
        }
        #[cfg(all(target_arch = "x86_64", feature = "yardstick"))]
        Level::Avx128 if has_avx2::get() => {
            #[target_feature(enable = "avx2")]
            unsafe fn run<W: Work>(work: W) -> W::Output {
                work.run::<crate::vector::Vex128>()
            }
            // SAFETY: the processor has AVX2, as just asked.
            unsafe { run(work) }
        }
        _ => work.run::<V128>(),
    }
}
