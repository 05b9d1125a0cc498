//! The group commit of a host, and what stores do to it.

use ruv_swarm_core::{Code, Decision, Error};

use crate::check::Call;
use crate::client::roll;
use crate::faults::Fault;
use crate::host::{Decided, Message};
use crate::violation::Checked;
use crate::world::{Action, World};

impl World {
    /// Decides what waits at a host, appends the events and answers. `alone` hosts may be overtaken.
    pub(crate) fn commit(&mut self, host: usize, may_be_overtaken: bool) -> Checked {
        let messages = std::mem::take(&mut self.hosts[host].waiting);
        self.hosts[host].planned = false;
        if !self.hosts[host].up || messages.is_empty() {
            return Ok(());
        }
        let mut base = self.store.head();
        let mut decided = self.decide_group(host, &messages)?;
        if may_be_overtaken && self.profile.optimistic && self.hosts.len() > 1 && self.rng.below(50) == 0 {
            let other = (host + 1) % self.hosts.len();
            self.commit(other, false)?;
            if self.store.head() != base {
                // The append would fail: its events have numbers that are taken. Begin again.
                self.seen(Fault::CommitConflict);
                self.reload(host)?;
                base = self.store.head();
                decided = self.decide_group(host, &messages)?;
            }
        }
        let events: usize =
            decided.iter().flat_map(|one| &one.answer).map(|decision| decision.events.len()).sum();
        let fault = if events > 0 && roll(&mut self.rng, self.profile.store) {
            Some(match self.rng.below(4) {
                0 => Fault::CommitRefused,
                1 => Fault::CommitUnknown,
                2 => Fault::HostCrashBefore,
                _ => Fault::HostCrashAfter,
            })
        } else {
            None
        };
        if let Some(fault) = fault {
            self.seen(fault);
        }
        let replies = self.replies(&decided, fault);
        if !matches!(fault, Some(Fault::CommitRefused | Fault::HostCrashBefore)) {
            self.append(host, base, decided)?;
        }
        match fault {
            Some(Fault::HostCrashBefore | Fault::HostCrashAfter) => {
                self.hosts[host].die();
                let pause = 200 + self.rng.below(15_000);
                self.plan(pause, Action::Restart(host));
            }
            Some(_) => self.reload(host)?,
            None => self.store.acknowledged = self.store.head(),
        }
        for (id, reply) in replies {
            self.reply(id, reply);
        }
        Ok(())
    }

    fn replies(&self, decided: &[Decided], fault: Option<Fault>) -> Vec<(u64, crate::world::Reply)> {
        let reply = |one: &Decided| match (fault, &one.answer) {
            (Some(Fault::HostCrashBefore | Fault::HostCrashAfter), _) => None,
            (Some(_), _) => Some((one.id, Err(Code::OutcomeUnknown))),
            (None, Ok(decision)) => Some((one.id, Ok(decision.response.clone()))),
            (None, Err(error)) => Some((one.id, Err(error.code))),
        };
        decided.iter().filter(|one| one.id > 0).filter_map(reply).collect()
    }

    fn decide_group(&mut self, host: usize, messages: &[Message]) -> Checked<Vec<Decided>> {
        let host = &mut self.hosts[host];
        host.sync(&self.store)?;
        let mut decided = vec![];
        let now = host.now(self.time);
        // One tick may leave work for the next; then its requests come after that.
        while host.swarm.next_deadline().is_some_and(|due| due <= now) {
            let tick = Call { operation: "tick", request: "{}".into(), now, key: String::new() };
            let one = host.decide(0, tick)?;
            let idle = one.applied.is_empty();
            decided.push(one);
            if idle {
                break;
            }
        }
        for message in messages {
            let call = Call {
                operation: message.operation,
                request: message.request.clone(),
                now,
                key: message.key.clone(),
            };
            decided.push(host.decide(message.id, call)?);
        }
        Ok(decided)
    }

    /// The commit: checks each call, keeps it, and appends the events of all.
    fn append(&mut self, host: usize, base: u64, decided: Vec<Decided>) -> Checked {
        let mut lines = vec![];
        let mut rows = vec![];
        for one in decided {
            let checked = self.checker.check(&one);
            self.calls.push(one.call);
            checked?;
            lines.extend(one.answer.into_iter().flat_map(|decision| decision.events));
            rows.extend(one.rows);
        }
        let head = self.store.head();
        let appended = self.store.append(base, lines, rows);
        crate::violation::ensure!(appended, "store", "an append after event {base}, but {head} is the last");
        if self.checker.tally.commands >= self.next_whole {
            self.next_whole += crate::machine::WHOLE_EVERY;
            self.check_whole(host, false)?;
        }
        Ok(())
    }

    /// Checks the whole log on the replica of a host that has nothing uncommitted.
    pub(crate) fn check_whole(&mut self, host: usize, all: bool) -> Checked {
        self.checker.tally.whole += 1;
        let host = &mut self.hosts[host];
        host.sync(&self.store)?;
        self.whole.check(&host.swarm, &mut self.store, &self.checker.shadow, all)
    }

    /// Drops the replica of a host and builds it from the store.
    pub(crate) fn reload(&mut self, host: usize) -> Checked {
        self.seen(Fault::HostRestored);
        self.hosts[host].restore(&self.store)
    }

    /// A call on the first host with nothing in between.
    pub(crate) fn direct(
        &mut self,
        operation: &'static str,
        request: String,
    ) -> Checked<Result<Decision, Error>> {
        let host = &mut self.hosts[0];
        host.sync(&self.store)?;
        let now = host.now(self.time);
        let decided = host.decide(0, Call { operation, request, now, key: String::new() })?;
        let answer = decided.answer.clone();
        self.append(0, self.store.head(), vec![decided])?;
        Ok(answer)
    }
}
