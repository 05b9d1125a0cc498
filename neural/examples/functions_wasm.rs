//! The sweep of `src/math/tests.rs` as a WebAssembly module: `tests/conformance/test_functions.py` asks it in Node.

#[cfg(target_arch = "wasm32")]
extern crate alloc;
#[cfg(target_arch = "wasm32")]
#[path = "../src/math/sweep.rs"]
mod sweep;

#[cfg(target_arch = "wasm32")]
mod module {
    use super::sweep::{digest, inputs, DIGESTS};
    use ruv_swarm_neural::math::{apply, Function};
    use ruv_swarm_neural::Level;

    /// How many levels there are.
    #[no_mangle]
    pub extern "C" fn levels() -> usize {
        Level::available().len()
    }

    /// Whether the level has SIMD.
    #[no_mangle]
    pub extern "C" fn is_vector(level: usize) -> bool {
        Level::available().get(level).is_some_and(|level| level.word() == "simd128")
    }

    /// How many functions there are.
    #[no_mangle]
    pub extern "C" fn functions() -> usize {
        DIGESTS.len()
    }

    /// The digest that a function has here, at a level.
    #[no_mangle]
    pub extern "C" fn found(level: usize, function: usize) -> u64 {
        let mut values = inputs();
        apply(Level::available()[level], Function::ALL[function], &mut values);
        digest(&values)
    }

    /// The digest that it must have.
    #[no_mangle]
    pub extern "C" fn expected(function: usize) -> u64 {
        DIGESTS[function]
    }
}
