//! Worlds of many seeds, small enough for every test run; docs/simulation.md tells how to run more.

use ruv_swarm_core::mutants::{on, Mutant};
use ruv_swarm_core::rng::Rng;
use ruv_swarm_simulator::check::Call;
use ruv_swarm_simulator::profile::Profile;
use ruv_swarm_simulator::run::{self, Plan};
use ruv_swarm_simulator::shrink;

fn plan(from: u64, seeds: u64, commands: u64) -> Plan {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Plan { from, seeds, commands, limit: None, threads }
}

#[test]
fn every_promise_holds_and_every_event_and_fault_is_seen() {
    let (tally, failure) = run::all(&plan(1, 150, 2_000), &|_, _| {});
    if let Some(failure) = failure {
        panic!("{}", run::explain(&failure));
    }
    assert_eq!(tally.seeds, 150);
    assert!(tally.commands >= 300_000, "{} commands", tally.commands);
    assert_eq!(run::unseen(&tally), Vec::<&str>::new());
}

#[test]
fn a_seed_makes_the_same_world_each_time() {
    let one = run::seed(5, 700).expect("a world");
    let two = run::seed(5, 700).expect("a world");
    assert_eq!(one.calls, two.calls);
    assert_eq!(one.store.lines, two.store.lines);
    assert_eq!(one.hashes(), two.hashes());
    assert_ne!(one.store.lines, run::seed(6, 700).expect("a world").store.lines);
}

#[test]
fn the_calls_of_a_world_make_its_log_again() {
    let world = run::seed(11, 600).expect("a world");
    assert_eq!(shrink::replay(&world.calls), None);
}

#[test]
fn no_mutant_is_on_by_default_and_no_package_turns_one_on() {
    assert!(!Mutant::ALL.iter().any(|mutant| on(*mutant)));
    let manifests = [
        include_str!("../../bindings/rust/Cargo.toml"),
        include_str!("../../bindings/python/Cargo.toml"),
        include_str!("../../bindings/wasm/Cargo.toml"),
        include_str!("../../pyproject.toml"),
    ];
    assert!(manifests.iter().all(|manifest| !manifest.contains("mutants")));
    assert!(include_str!("../../core/Cargo.toml").contains("\ndefault = []\n"));
}

// Without the feature the question is answered when the core is compiled, and no hook is left.
#[cfg(not(feature = "mutants"))]
const _: () = assert!(!on(Mutant::OldEpochAccepted));

/// The kept seeds: each line of seeds.txt is a seed, its number of commands and why it is kept.
#[test]
fn every_kept_seed_holds() {
    let text = include_str!("../seeds.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut run = 0;
    for line in lines {
        let mut words = line.split_whitespace();
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("two numbers");
        let (seed, commands): (u64, u64) = (number(), number());
        assert!(words.next().is_some(), "seed {seed} is kept without a reason");
        if let Err(failure) = run::seed(seed, commands) {
            panic!("{line}\n{}", run::explain(&failure));
        }
        run += 1;
    }
    assert!(run > 0, "no seed is kept");
}

#[test]
fn some_worlds_know_no_fault_and_some_are_stormy() {
    let drawn: Vec<Profile> = (1..=64).map(|seed| Profile::draw(&mut Rng::from_seed(seed))).collect();
    let quiet = |world: &&Profile| world.network + world.workers + world.store + world.clocks == 0;
    let stormy = |world: &&Profile| world.network >= 900 && world.workers >= 4_500;
    assert!(drawn.iter().filter(quiet).count() >= 2);
    assert!(drawn.iter().filter(stormy).count() >= 2);
}

#[test]
fn a_list_that_breaks_nothing_does_not_shrink() {
    let call = Call { operation: "tick", request: "{}".into(), now: 1, key: String::new() };
    assert_eq!(shrink::shrink(&[call], "lease"), None);
}
