//! One agent that works: the common case of a crew.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::limits::LEASE_DEFAULT_MS;

use super::crew::GRACE;
use super::{Context, Crew, Failure, Happening, Output, Stop, Tally, Task, Work};
use crate::host::Host;

/// An agent that does tasks with code of yours.
#[derive(Debug)]
pub struct Worker {
    host: Arc<Host>,
    agent_id: String,
    lease_ms: u64,
    at_once: usize,
    max_tasks: u64,
    until_idle: bool,
    stop: Stop,
    grace: Duration,
}

impl Worker {
    /// A worker for an agent that is there.
    pub fn new(host: Arc<Host>, agent_id: &str) -> Worker {
        Worker {
            host,
            agent_id: agent_id.to_string(),
            lease_ms: LEASE_DEFAULT_MS,
            at_once: 0,
            max_tasks: u64::MAX,
            until_idle: false,
            stop: Stop::default(),
            grace: GRACE,
        }
    }

    /// The agent.
    pub fn agent_id(&self) -> &str {
        &self.agent_id
    }

    /// How long a lease lasts without a heartbeat, 1000 to 86400000 ms; 30000 if nothing is said.
    pub fn lease_ms(mut self, lease_ms: u64) -> Worker {
        self.lease_ms = lease_ms;
        self
    }

    /// How many tasks at once; as many as the agent's capacity if nothing is said.
    pub fn at_once(mut self, count: usize) -> Worker {
        self.at_once = count;
        self
    }

    /// Ends after so many attempts.
    pub fn max_tasks(mut self, most: u64) -> Worker {
        self.max_tasks = most;
        self
    }

    /// Ends when no task is left that this agent could do now or later.
    pub fn until_idle(mut self) -> Worker {
        self.until_idle = true;
        self
    }

    /// Ends when `stop` is asked for.
    pub fn stop(mut self, stop: &Stop) -> Worker {
        self.stop = stop.clone();
        self
    }

    /// How long running tasks have to end once they are told to stop; 5 s if nothing is said.
    pub fn grace(mut self, grace: Duration) -> Worker {
        self.grace = grace;
        self
    }

    /// Works on this thread until one of the ends that were named, or for ever.
    ///
    /// # Errors
    /// See [`Crew::run`]; `not_found` if there is no such agent.
    pub fn run<F>(self, code: F) -> Result<Tally, Error>
    where
        F: Fn(&Task, &Context) -> Result<Output, Failure> + Send + Sync + 'static,
    {
        self.run_work(Arc::new(code), &mut |_| {})
    }

    /// The same with code of any kind, and with a look at what happens.
    ///
    /// # Errors
    /// See [`Worker::run`].
    pub fn run_work(self, work: Arc<dyn Work>, observe: &mut dyn FnMut(&Happening)) -> Result<Tally, Error> {
        let mut crew = Crew::new(self.host)
            .hire(&self.agent_id, self.lease_ms, self.at_once, work)?
            .max_tasks(self.max_tasks)
            .stop(&self.stop)
            .grace(self.grace);
        if self.until_idle {
            crew = crew.until_idle();
        }
        crew.run(observe)
    }

    /// Works on a thread of its own until [`Working::stop`] or the drop of what is given back.
    ///
    /// # Errors
    /// `internal` if no thread can be started.
    pub fn start<F>(self, code: F) -> Result<Working, Error>
    where
        F: Fn(&Task, &Context) -> Result<Output, Failure> + Send + Sync + 'static,
    {
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new()
            .name(format!("worker-{}", self.agent_id))
            .spawn(move || self.run(code))
            .map_err(|error| Error::new(Code::Internal, "", format!("cannot start a thread: {error}")))?;
        Ok(Working { stop, thread: Some(thread) })
    }
}

/// A worker on a thread of its own. Dropped, it stops and waits for the end.
#[derive(Debug)]
pub struct Working {
    stop: Stop,
    thread: Option<JoinHandle<Result<Tally, Error>>>,
}

impl Working {
    /// Asks for the end; see [`Stop::stop`].
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Waits for the end and tells what was done.
    ///
    /// # Errors
    /// See [`Worker::run`].
    pub fn join(mut self) -> Result<Tally, Error> {
        self.thread.take().map_or_else(|| Ok(Tally::default()), finish)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.stop.stop();
            // who drops it has asked for no result
            let _ = finish(thread);
        }
    }
}

fn finish(thread: JoinHandle<Result<Tally, Error>>) -> Result<Tally, Error> {
    thread.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "", "the worker met a defect")))
}
