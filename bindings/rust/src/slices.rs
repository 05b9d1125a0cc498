//! How many epochs go into one call of the core, so that a call lasts about as long as wanted.

use std::time::Duration;

/// Most epochs of a slice.
const MOST: u64 = 1_000_000;

/// The next slice after one of `epochs` epochs that took so long, if a slice should last `wanted`. At most
/// doubles, so that one slow epoch after a fast one does not last for seconds.
pub(crate) fn next_slice(epochs: u32, took: Duration, wanted: Duration) -> u32 {
    let nanos = took.as_nanos().max(1);
    let fitting = u128::from(epochs) * wanted.as_nanos() / nanos;
    fitting.clamp(1, u128::from(epochs) * 2).min(u128::from(MOST)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_approach_their_length() {
        let wanted = Duration::from_millis(50);
        let mut epochs = 1;
        for _ in 0..20 {
            epochs = next_slice(epochs, Duration::from_micros(100) * epochs, wanted);
        }
        assert_eq!(epochs, 500);
        assert_eq!(next_slice(500, Duration::from_secs(3), wanted), 8);
        assert_eq!(next_slice(1, Duration::from_secs(60), wanted), 1);
        assert_eq!(next_slice(1_000_000, Duration::ZERO, wanted), 1_000_000);
    }
}
