//! Each deliberate bug in the core is caught, and shrunk to a list that a person can read.

use std::sync::Mutex;

use ruv_swarm_core::mutants::{on, set, Mutant};
use ruv_swarm_simulator::{run, shrink};

/// A bug is switched on for the whole process, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Worlds that are tried before a bug counts as not found.
const SEEDS: u64 = 60;
const COMMANDS: u64 = 1_500;

struct Broken;

impl Drop for Broken {
    fn drop(&mut self) {
        set(None);
    }
}

/// Runs worlds with one bug on until one fails, and says which promise was broken.
fn caught(mutant: Mutant, invariants: &[&str]) {
    let turn = TURN.lock().unwrap_or_else(|held| held.into_inner());
    set(Some(mutant));
    let broken = Broken;
    let failure = (1..=SEEDS).find_map(|seed| run::seed(seed, COMMANDS).err());
    let failure = failure.unwrap_or_else(|| panic!("{mutant:?} lives through {SEEDS} worlds"));
    let found = &failure.violation;
    assert!(invariants.contains(&found.invariant), "{mutant:?} is caught as {found}");
    let short = shrink::shrink(&failure.calls, found.invariant);
    drop(broken);
    if let Some((calls, violation)) = short {
        assert!(calls.len() <= 60, "{mutant:?} is shrunk to {} calls", calls.len());
        // The same calls on the core as it is break nothing.
        assert_eq!(shrink::replay(&calls), None, "{mutant:?}: {violation}");
    }
    drop(turn);
}

macro_rules! mutants {
    ($($name:ident: $mutant:ident breaks $invariants:expr;)*) => {
        $(#[test] fn $name() { caught(Mutant::$mutant, &$invariants); })*

        #[test]
        fn every_mutant_has_a_test() {
            assert_eq!(Mutant::ALL, [$(Mutant::$mutant),*]);
        }
    };
}

mutants! {
    an_old_epoch_is_accepted: OldEpochAccepted breaks ["epoch"];
    a_retry_too_many: RetryTooMany breaks ["retries"];
    a_cycle_is_let_in: CycleAllowed breaks ["graph"];
    a_dependency_is_not_awaited: DependencyNotAwaited breaks ["rows", "eligibility"];
    capacity_is_ignored: CapacityIgnored breaks ["capacity"];
    a_lease_is_not_ended: LeaseNotEnded breaks ["deadline"];
    a_resource_is_not_looked_at: ResourceIgnored breaks ["resources"];
    a_completed_task_is_cancelled: CompletedCancelled breaks ["final"];
    a_capability_is_ignored: CapabilityIgnored breaks ["eligibility"];
    the_youngest_goes_first: YoungestFirst breaks ["choice"];
    a_key_is_forgotten: KeyForgotten breaks ["key"];
    a_released_attempt_counts: ReleaseCounted breaks ["retries", "backoff"];
    a_failure_is_met_by_completion: FailureMetByCompletion breaks ["rows", "graph", "eligibility"];
    a_paused_task_starts: PausedStarts breaks ["eligibility"];
    a_clock_takes_the_log_back: ClockGoesBack breaks ["replay", "time"];
    a_retired_agent_keeps_its_tasks: RetiredKeeps breaks ["agent"];
}

#[test]
fn no_mutant_is_on_by_itself() {
    let turn = TURN.lock().unwrap_or_else(|held| held.into_inner());
    assert!(!Mutant::ALL.iter().any(|mutant| on(*mutant)));
    drop(turn);
}
