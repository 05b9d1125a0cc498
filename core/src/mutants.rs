//! Deliberate bugs, to show that the simulator would find real ones.
//!
//! Without the feature `mutants`, which nothing that is built for users turns on, [`on`] is a constant
//! and every hook is removed by the compiler. With it, one bug at a time can be switched on in a process.

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A rule that the core can break on request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant { $($(#[$doc])* $name,)* }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &'static [Mutant] = &[$(Mutant::$name,)*];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Mutant::$name => $text,)* }
            }
        }
    };
}

mutants! {
    /// A former holder's heartbeat or report counts.
    OldEpochAccepted = "old_epoch_accepted",
    /// A failed attempt is repeated once too often.
    RetryTooMany = "retry_too_many",
    /// Tasks that wait for each other are let in.
    CycleAllowed = "cycle_allowed",
    /// A task is ready though its dependencies are not completed.
    DependencyNotAwaited = "dependency_not_awaited",
    /// An agent gets more tasks than it may run.
    CapacityIgnored = "capacity_ignored",
    /// A lease that has run out goes on.
    LeaseNotEnded = "lease_not_ended",
    /// A task starts beside one that holds its resource.
    ResourceIgnored = "resource_ignored",
    /// Calling off a completed task makes it cancelled.
    CompletedCancelled = "completed_cancelled",
    /// An agent gets a task that it cannot do.
    CapabilityIgnored = "capability_ignored",
    /// The youngest task goes first.
    YoungestFirst = "youngest_first",
    /// A repeated key does its work again.
    KeyForgotten = "key_forgotten",
    /// An attempt that was given back counts as a retry.
    ReleaseCounted = "release_counted",
    /// A task that waits for a failure starts when the other completes.
    FailureMetByCompletion = "failure_met_by_completion",
    /// A task that is held back starts.
    PausedStarts = "paused_starts",
    /// A clock that goes back takes the log with it.
    ClockGoesBack = "clock_goes_back",
    /// An agent that is retired keeps what it runs.
    RetiredKeeps = "retired_keeps",
}

#[cfg(feature = "mutants")]
static ON: core::sync::atomic::AtomicU8 = core::sync::atomic::AtomicU8::new(0);

/// True if the core is to break this rule.
#[cfg(feature = "mutants")]
pub fn on(mutant: Mutant) -> bool {
    ON.load(core::sync::atomic::Ordering::Relaxed) == mutant as u8 + 1
}

/// True if the core is to break this rule: never, in this build.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn on(_: Mutant) -> bool {
    false
}

/// Switches one bug on in this process, or all off.
#[cfg(feature = "mutants")]
pub fn set(mutant: Option<Mutant>) {
    let number = mutant.map_or(0, |mutant| mutant as u8 + 1);
    ON.store(number, core::sync::atomic::Ordering::Relaxed);
}
