//! Randomness of the host: swarm ids, seeds and the jitter of retries. The core draws nothing.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// 64 bits from the operating system, by way of the keys of a fresh hasher.
pub fn draw() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    if let Ok(since) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        hasher.write_u128(since.as_nanos());
    }
    hasher.finish()
}

/// A short id for a new swarm: `s-` and eight hexadecimal digits.
pub fn swarm_id() -> String {
    format!("s-{:08x}", draw() as u32)
}

/// A seed that is short enough to be typed again: below 2^32.
pub fn seed() -> u64 {
    draw() & 0xffff_ffff
}
