//! The only randomness there is: a seeded integer generator, the same on every target.
//!
//! xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021),
//! seeded through SplitMix64 or from a SHA-256 digest.

/// xoshiro256** state: four words, never all zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    words: [u64; 4],
}

impl Rng {
    /// A generator from a 64-bit seed (SplitMix64 fills the words).
    pub fn from_seed(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Self { words: [next(), next(), next(), next()] }
    }

    /// A generator from a digest: its first eight bytes, little-endian, are the seed.
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let mut seed = 0u64;
        for byte in hash.iter().take(8).rev() {
            seed = (seed << 8) | u64::from(*byte);
        }
        Self::from_seed(seed)
    }

    /// The words, for a snapshot.
    pub fn words(&self) -> [u64; 4] {
        self.words
    }

    /// A generator that goes on where `words` were read.
    pub fn from_words(words: [u64; 4]) -> Self {
        Self { words }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.words;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s1 << 17;
        let s2 = s2 ^ s0;
        let s3 = s3 ^ s1;
        self.words = [s0 ^ s3, s1 ^ s2, s2 ^ t, s3.rotate_left(45)];
        result
    }

    /// A uniform integer below `bound` without modulo bias (Lemire's method); 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// A uniform f32 in [0, 1): 24 random bits, exact on every target.
    pub fn unit_f32(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / 16_777_216.0
    }

    /// A uniform f32 in [low, high).
    pub fn uniform_f32(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit_f32()
    }

    /// Fisher-Yates, from the end.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_first_outputs() {
        // words 1, 2, 3, 4: the first outputs of the reference implementation
        let mut rng = Rng::from_words([1, 2, 3, 4]);
        assert_eq!([rng.next_u64(), rng.next_u64(), rng.next_u64()], [11520, 0, 1509978240]);
    }

    #[test]
    fn below_stays_below_and_shuffle_keeps_all() {
        let mut rng = Rng::from_seed(7);
        assert!((0..1000).all(|_| rng.below(10) < 10));
        let mut items: [u32; 50] = core::array::from_fn(|i| i as u32);
        rng.shuffle(&mut items);
        assert_ne!(items, core::array::from_fn(|i| i as u32));
        items.sort_unstable();
        assert_eq!(items, core::array::from_fn(|i| i as u32));
    }
}
