//! The time of every function at every level of this processor, in nanoseconds a number.
//!
//! 1,024 numbers in the first cache, the best of many passes; `functions [FUNCTION...]`.

use ruv_swarm_neural::math::{apply, Function};
use ruv_swarm_neural::Level;
use std::time::Instant;

const COUNT: usize = 1024;
const PASSES: usize = 200;
const TURNS: usize = 40;

fn nanoseconds(level: Level, function: Function) -> f64 {
    let inputs: Vec<f32> = (0..COUNT).map(|k| (k as f32 - 500.0) * 0.01 + 5.1).collect();
    let mut values = inputs.clone();
    let mut best = f64::INFINITY;
    for _ in 0..TURNS {
        let start = Instant::now();
        for _ in 0..PASSES {
            values.copy_from_slice(&inputs);
            apply(level, function, &mut values);
            std::hint::black_box(&mut values);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / (PASSES * COUNT) as f64);
    }
    best
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let levels = Level::available();
    print!("ns a number ");
    levels.iter().for_each(|level| print!("{:>9}", level.word()));
    println!();
    for function in Function::ALL {
        if words.is_empty() || words.iter().any(|word| word == function.word()) {
            print!("{:<12}", function.word());
            levels.iter().for_each(|level| print!("{:>9.3}", nanoseconds(*level, function)));
            println!();
        }
    }
}
