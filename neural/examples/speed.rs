//! Times the engine on one data set and shape and prints a JSON line a result: epochs a second of training, rows a
//! second of running. `benches/neural.py` calls it; run it alone with
//! `speed --name N --data FILE|synth:ROWS --shape 2-3-1 [--ops rprop,batch,…,ens8,run1,runN] [--level L] [--threads N]
//! [--rep-time S] [--reps N]`.
//!
//! Weights start in ±0.2 and restart every 100 epochs, logistic units everywhere, squared error. `ens8` is RPROP on
//! eight members, on `--threads` threads; its rate counts the epochs of all members.

use ruv_swarm_neural::{
    Activation, Algorithm, Init, Layer, Level, Network, Rng, Rows, Runner, Settings, Shape, Trainer,
    TrainerState,
};
use std::collections::BTreeMap;
use std::time::Instant;

/// The op that trains several members.
const ENSEMBLE: &str = "ens8";
/// Its members.
const MEMBERS: u64 = 8;

struct Data {
    inputs: Vec<f32>,
    targets: Vec<f32>,
    rows: usize,
}

fn synthetic(rows: usize, inputs: usize, outputs: usize) -> Data {
    let mut state = 12345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / 8_388_608.0 - 1.0) as f32
    };
    let values: Vec<f32> = (0..rows * inputs).map(|_| next()).collect();
    let share = inputs / outputs;
    let mut targets = vec![0.0; rows * outputs];
    for (row, target) in values.chunks_exact(inputs).zip(targets.chunks_exact_mut(outputs)) {
        let sum =
            |class: usize| row[class * share..(class + 1) * share].iter().map(|v| f64::from(*v)).sum::<f64>();
        let best = (0..outputs).fold(0, |best, class| if sum(class) > sum(best) { class } else { best });
        target[best] = 1.0;
    }
    Data { inputs: values, targets, rows }
}

/// FANN training text, or the training part of Proben1 text.
fn read(path: &str, inputs: usize, outputs: usize) -> Data {
    let text = std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let (body, rows) = if text.starts_with("bool_in") {
        let count = |name: &str| {
            let line =
                text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
            line.split('=')
                .nth(1)
                .and_then(|n| n.trim().parse::<usize>().ok())
                .unwrap_or_else(|| panic!("{line}"))
        };
        let body: Vec<&str> = text.lines().skip(7).collect();
        (body.join("\n"), count("training_examples"))
    } else {
        let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
        let rows = head.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        (body.to_string(), rows)
    };
    let mut numbers =
        body.split_whitespace().map(|word| word.parse::<f32>().unwrap_or_else(|_| panic!("{word}")));
    let (mut all, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        all.extend(numbers.by_ref().take(inputs));
        targets.extend(numbers.by_ref().take(outputs));
    }
    assert!(all.len() == rows * inputs && targets.len() == rows * outputs, "{path}: too few numbers");
    Data { inputs: all, targets, rows }
}

struct Options {
    words: BTreeMap<String, String>,
}

impl Options {
    fn get(&self, name: &str, default: &str) -> String {
        self.words.get(name).cloned().unwrap_or_else(|| default.to_string())
    }
}

fn level_of(word: &str) -> Level {
    let found = Level::available().into_iter().find(|level| level.word() == word);
    if word == "best" {
        return Level::detect();
    }
    found.unwrap_or_else(|| panic!("level: {word}; this processor has {:?}", Level::available()))
}

/// Seconds a unit, in `reps` runs of about `time` seconds.
fn measure(time: f64, reps: usize, mut run: impl FnMut(usize)) -> (usize, Vec<f64>) {
    let mut n = 1;
    for _ in 0..4 {
        let start = Instant::now();
        run(n);
        let took = start.elapsed().as_secs_f64().max(1e-7);
        n = ((n as f64 * time / took) as usize).clamp(1, n * 1000);
    }
    let mut seconds: Vec<f64> = (0..reps)
        .map(|_| {
            let start = Instant::now();
            run(n);
            start.elapsed().as_secs_f64() / n as f64
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    (n, seconds)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let pairs = words
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.strip_prefix("--")?.to_string(), pair.get(1)?.clone())));
    let options = Options { words: pairs.collect() };
    let sizes: Vec<usize> =
        options.get("shape", "2-3-1").split('-').map(|n| n.parse().expect("shape")).collect();
    let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
    let source = options.get("data", "synth:64");
    let data = match source.strip_prefix("synth:") {
        Some(rows) => synthetic(rows.parse().expect("rows"), inputs, outputs),
        None => read(&source, inputs, outputs),
    };
    let level = level_of(&options.get("level", "best"));
    let time: f64 = options.get("rep-time", "0.2").parse().expect("rep-time");
    let reps: usize = options.get("reps", "7").parse().expect("reps");
    let wanted: usize = options.get("threads", "1").parse().expect("threads");
    let layers = sizes[1..].iter().map(|units| Layer {
        units: *units,
        activation: Activation::Logistic,
        steepness: 1.0,
    });
    let network = Network::new(Shape { inputs, layers: layers.collect(), shortcut: false });
    let all: Vec<usize> = sizes.clone();
    let weights: f64 = all.windows(2).map(|pair| (pair[0] * pair[1]) as f64).sum();
    let connections: f64 = all.windows(2).map(|pair| ((pair[0] + 1) * pair[1]) as f64).sum();
    for op in options.get("ops", "rprop,batch,incremental,run1,runN").split(',') {
        let training = !op.starts_with("run");
        let threads = if op == ENSEMBLE { wanted } else { 1 };
        let (n, seconds) = match op {
            "run1" | "runN" => answer(level, &started(&network, 777), &data, op, time, reps),
            ENSEMBLE => ensemble(level, &network, &data, threads, time, reps),
            _ => train(level, &started(&network, 777), &data, op, time, reps),
        };
        let (median, least) = (seconds[seconds.len() / 2], seconds[0]);
        let units = if training { data.rows as f64 } else { 1.0 };
        let flops = if training { 6.0 * weights - 2.0 * (sizes[0] * sizes[1]) as f64 } else { 2.0 * weights };
        println!(
            "{{\"engine\":\"{}\",\"case\":\"{}\",\"shape\":\"{}\",\"rows\":{},\"op\":\"{op}\",\"level\":\"{}\",\"threads\":{threads},\"n\":{n},\"reps\":{reps},\"median_s\":{median:e},\"min_s\":{least:e},\"per_s\":{:.4},\"best_per_s\":{:.4},\"mcups\":{:.3},\"gflops\":{:.4}}}",
            options.get("engine", "ours-native"),
            options.get("name", "?"),
            options.get("shape", "2-3-1"),
            data.rows,
            level.word(),
            1.0 / median,
            1.0 / least,
            connections * units / median / 1e6,
            flops * units / median / 1e9,
        );
    }
}

/// The network with weights from `seed`.
fn started(network: &Network, seed: u64) -> Network {
    let mut network = network.clone();
    network.initialise(Init::Uniform { half: 0.2 }, &mut Rng::from_seed(seed));
    network
}

/// A training that starts again every 100 epochs.
struct Course {
    trainer: Trainer,
    start: TrainerState,
}

impl Course {
    fn new(level: Level, network: Network, data: &Data, op: &str) -> Course {
        let (inputs, outputs) = (network.shape.inputs, network.shape.outputs());
        let rows = Rows::build(data.rows, inputs, outputs, |row, input, target| {
            input.copy_from_slice(&data.inputs[row * inputs..(row + 1) * inputs]);
            target.copy_from_slice(&data.targets[row * outputs..(row + 1) * outputs]);
            1.0
        });
        let (algorithm, learning_rate) = match op {
            "rprop" | "irprop-" => (Algorithm::IrpropMinus, 0.1),
            "irprop+" => (Algorithm::IrpropPlus, 0.1),
            "rprop-" => (Algorithm::RpropMinus, 0.1),
            "rprop+" => (Algorithm::RpropPlus, 0.1),
            "sarprop" => (Algorithm::Sarprop, 0.1),
            "batch" => (Algorithm::Batch, 0.7),
            "quickprop" => (Algorithm::Quickprop, 0.7),
            "adam" => (Algorithm::Adam, 0.01),
            "incremental" => (Algorithm::Incremental, 0.05),
            _ => panic!("ops: {op}"),
        };
        let settings = Settings { algorithm, learning_rate, shuffle: false, ..Settings::default() };
        let trainer =
            Trainer::new(level, network, settings, rows, Rng::from_seed(1)).expect("a sound network");
        Course { start: trainer.state(), trainer }
    }

    fn run(&mut self, epochs: usize) {
        for epoch in 0..epochs {
            if epoch % 100 == 0 {
                assert!(self.trainer.restore(&self.start));
            }
            assert!(self.trainer.epoch().broken.is_none());
        }
    }
}

fn train(
    level: Level,
    network: &Network,
    data: &Data,
    op: &str,
    time: f64,
    reps: usize,
) -> (usize, Vec<f64>) {
    let mut course = Course::new(level, network.clone(), data, op);
    measure(time, reps, |n| course.run(n))
}

/// Seconds a member's epoch, and how many of them a repetition had.
fn ensemble(
    level: Level,
    network: &Network,
    data: &Data,
    threads: usize,
    time: f64,
    reps: usize,
) -> (usize, Vec<f64>) {
    let member = |seed| Course::new(level, started(network, seed), data, "rprop");
    let mut members: Vec<Course> = (0..MEMBERS).map(member).collect();
    let count = members.len();
    let share = count.div_ceil(threads.max(1));
    let (n, seconds) = measure(time, reps, |n| {
        std::thread::scope(|scope| {
            let mut parts: Vec<&mut [Course]> = members.chunks_mut(share).collect();
            let own = parts.pop();
            for part in parts {
                scope.spawn(move || part.iter_mut().for_each(|course| course.run(n)));
            }
            own.into_iter().flatten().for_each(|course| course.run(n));
        });
    });
    (n * count, seconds.into_iter().map(|time| time / count as f64).collect())
}

fn answer(
    level: Level,
    network: &Network,
    data: &Data,
    op: &str,
    time: f64,
    reps: usize,
) -> (usize, Vec<f64>) {
    let (inputs, outputs) = (network.shape.inputs, network.shape.outputs());
    let mut runner = Runner::new(level, network).expect("a sound network");
    let mut out = vec![0.0; data.rows * outputs];
    if op == "run1" {
        return measure(time, reps, |n| {
            let mut done = 0;
            while done < n {
                for row in data.inputs.chunks_exact(inputs).take(n - done) {
                    runner.row(row, &mut out[..outputs]);
                    done += 1;
                }
            }
        });
    }
    let (n, seconds) =
        measure(time, reps, |n| (0..n).for_each(|_| assert!(runner.rows(&data.inputs, &mut out))));
    (n, seconds.into_iter().map(|time| time / data.rows as f64).collect())
}
