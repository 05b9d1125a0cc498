//! The one place that reads a clock: the time that a host hands to the core.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Swarm time as this process sees it: the wall clock, but never behind the log.
///
/// One host with a slow clock must not stop leases of the others from ending, so time also runs on
/// from the last logged event by this process's monotonic clock.
#[derive(Debug)]
pub struct Clock {
    logged_ms: u64,
    read_at: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { logged_ms: 0, read_at: Instant::now() }
    }
}

impl Clock {
    /// Takes note of the time of an event that was just read or written.
    pub fn note(&mut self, at_ms: u64) {
        // an event that is behind the running time says nothing new
        if at_ms > self.running() {
            self.logged_ms = at_ms;
            self.read_at = Instant::now();
        }
    }

    /// max(wall clock, last logged time + monotonic time since it was read), in ms since 1970.
    pub fn now_ms(&self) -> u64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
        wall.max(self.running())
    }

    fn running(&self) -> u64 {
        self.logged_ms.saturating_add(self.read_at.elapsed().as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_falls_behind_the_log() {
        let mut clock = Clock::default();
        let wall = clock.now_ms();
        clock.note(wall + 3_600_000);
        let ahead = clock.now_ms();
        assert!(ahead >= wall + 3_600_000);
        clock.note(5);
        assert!(clock.now_ms() >= ahead);
    }
}
