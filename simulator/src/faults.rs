//! What goes wrong in a world, by name, so that a run can say what it has seen.

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something that goes wrong in a world.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// The word in reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Fault::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// A worker forgets what it does and begins anew.
    WorkerCrash = "worker_crash",
    /// A worker stands still past its lease and goes on with the old epoch.
    WorkerFreeze = "worker_freeze",
    /// A worker names an epoch that it does not hold.
    EpochLie = "epoch_lie",
    /// A worker speaks in the name of another agent.
    AgentLie = "agent_lie",
    /// A report is sent twice.
    ReportTwice = "report_twice",
    /// A heartbeat arrives after the report that was sent later.
    ReportFirst = "report_first",
    /// A request never arrives.
    RequestLost = "request_lost",
    /// A request arrives twice.
    RequestTwice = "request_twice",
    /// A request is under way for seconds.
    RequestLate = "request_late",
    /// An answer never arrives.
    AnswerLost = "answer_lost",
    /// A caller repeats a request with its key.
    Repeated = "repeated",
    /// A caller uses a key for another request.
    KeyReused = "key_reused",
    /// The store refuses a commit.
    CommitRefused = "commit_refused",
    /// The store commits, and its answer is lost.
    CommitUnknown = "commit_unknown",
    /// Another host appended first, so that an optimistic append fails.
    CommitConflict = "commit_conflict",
    /// A host dies before its commit.
    HostCrashBefore = "host_crash_before",
    /// A host dies after its commit, before its answers.
    HostCrashAfter = "host_crash_after",
    /// A host comes back from a snapshot and the tail of the log.
    HostRestored = "host_restored",
    /// A clock goes ahead by minutes or days.
    ClockForward = "clock_forward",
    /// A clock goes back.
    ClockBack = "clock_back",
}

/// How often each fault was seen.
#[derive(Clone, Debug)]
pub struct Faults(Vec<u64>);

impl Default for Faults {
    fn default() -> Self {
        Faults(vec![0; Fault::ALL.len()])
    }
}

impl Faults {
    /// Notes one.
    pub fn note(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// Adds those of another world.
    pub fn add(&mut self, other: &Faults) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }

    /// Each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> + '_ {
        Fault::ALL.iter().copied().zip(self.0.iter().copied())
    }
}
