//! Inputs all over the range, and the bits that every target must give for them: for the tests and for
//! `examples/functions_wasm.rs`, which takes this file in as its own.

use alloc::vec::Vec;

/// Every 2,039th of all inputs, and what lies at the ends of the functions' ranges.
pub fn inputs() -> Vec<f32> {
    let ends = [
        0.0,
        f32::MIN_POSITIVE,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
        1.0,
        core::f32::consts::LN_2,
        0.346_573_6,
        16.635_532,
        87.336_54,
        88.722_84,
        103.278_93,
        103.972_08,
        104.0,
        core::f32::consts::FRAC_PI_2,
        core::f32::consts::PI,
        65_535.996,
        65_536.0,
    ];
    let mut all: Vec<f32> = (0..=u32::MAX).step_by(2039).map(f32::from_bits).collect();
    for end in ends {
        for bits in f32::to_bits(end).saturating_sub(20)..=f32::to_bits(end).saturating_add(20) {
            all.extend([f32::from_bits(bits), -f32::from_bits(bits)]);
        }
    }
    all
}

/// FNV-1a over the bits.
pub fn digest(values: &[f32]) -> u64 {
    values.iter().flat_map(|value| value.to_bits().to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The bits of every target, one function after the other; they change only with a new version of the engine.
pub const DIGESTS: [u64; 8] = [
    0xde68_1cd9_70c5_07f9,
    0x417c_987a_213a_0330,
    0xd2f9_2381_39c6_23e4,
    0x178e_d4d6_6331_946b,
    0x15e3_0e63_1e05_80db,
    0xe24b_738a_617d_6891,
    0xcdc5_a3b5_cdac_c1bb,
    0x5ec0_b728_d2c5_cc60,
];
