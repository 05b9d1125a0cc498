//! The error of every function on all 2^32 inputs, against the f64 functions of the standard library.
//!
//! `ulps [FUNCTION...] [step=N]`: N = 1 takes every input. For each function: the worst error in units in the last
//! place and where it is, the worst error in quanta of 2^-149 where the true value is denormal, and how many inputs
//! were wrong in kind (NaN, infinity, a NaN other than the one). Ends with 1 if a bound of docs/neural.md is broken.

#[path = "../src/math/measure.rs"]
mod measure;

use measure::{reference, Worst};
use ruv_swarm_neural::math::{apply, Function, NAN};
use ruv_swarm_neural::Level;
use std::process::ExitCode;

/// Inputs that are handled at a time.
const CHUNK: u64 = 1 << 14;
fn measure(level: Level, function: Function, from: u64, to: u64, step: u64) -> Worst {
    let mut worst = Worst::default();
    let mut inputs = Vec::new();
    let mut next = from;
    while next < to {
        inputs.clear();
        inputs.extend(
            (0..CHUNK).map(|k| next + k * step).take_while(|bits| *bits < to).map(|bits| bits as u32),
        );
        let mut values: Vec<f32> = inputs.iter().map(|bits| f32::from_bits(*bits)).collect();
        apply(level, function, &mut values);
        for (bits, got) in inputs.iter().zip(&values) {
            worst.take(*bits, *got, reference(function, f64::from(f32::from_bits(*bits))));
        }
        next += CHUNK * step;
    }
    worst
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let step = arguments.iter().find_map(|word| word.strip_prefix("step=")).map_or(Ok(1), str::parse);
    let Ok(step @ 1..) = step else {
        eprintln!("step: a whole number from 1");
        return ExitCode::from(2);
    };
    let level = Level::detect();
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    println!("{} inputs a function, level {}", (1u64 << 32).div_ceil(step), level.word());
    let mut broken = false;
    for function in Function::ALL {
        let named = arguments.iter().any(|word| word == function.word());
        if !named && arguments.iter().any(|word| !word.starts_with("step=")) {
            continue;
        }
        let share = (1u64 << 32).div_ceil(threads * step) * step;
        let worst = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads)
                .map(|part| (part * share, ((part + 1) * share).min(1 << 32)))
                .map(|(from, to)| scope.spawn(move || measure(level, function, from, to, step)))
                .collect();
            parts.into_iter().filter_map(|part| part.join().ok()).fold(Worst::default(), Worst::join)
        });
        println!(
            "{:<9} {:.3} ulp at {:e} ({:#010x}), denormal {:.3} quanta at {:e}, wrong kind {} ({:#010x})",
            function.word(),
            worst.error,
            f32::from_bits(worst.at),
            worst.at,
            worst.denormal,
            f32::from_bits(worst.denormal_at),
            worst.kind,
            worst.kind_at,
        );
        broken |= worst.error > 2.0 || worst.denormal > 1.0 || worst.kind > 0;
    }
    ExitCode::from(u8::from(broken))
}
