//! The only randomness there is: a seeded integer generator, the same on every target.

use crate::hash::sha256;
pub use ruv_swarm_neural::Rng;

/// A generator for one named purpose: the seed is SHA-256 of the parts.
pub fn derived(parts: &[&[u8]]) -> Rng {
    Rng::from_hash(&sha256(parts))
}
