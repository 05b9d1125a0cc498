//! The executor of training goals: members on threads, leases kept, results committed.
//!
//! One scheduler (the caller's thread) claims, keeps leases and reports; worker threads only compute.
//! So the ledger sees one order of things however many threads there are, and a member's result
//! depends on the plan alone.

mod member;
mod view;

use std::collections::BTreeMap;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ruv_swarm_core::config::TRAIN;
use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::goal::Goal;
use ruv_swarm_core::ids::GoalId;
use ruv_swarm_core::task::{Kind, Task, TaskState};
use serde::Deserialize;
use serde_json::{json, Value};

use crate::host::{read, Call, Content, Host};
use member::{Finished, Outcome, Shared, Work};

pub use view::{MemberState, MemberView, View};

/// How long a lease lasts: short, so that another process takes over soon after a crash.
const LEASE_MS: u64 = 10_000;

/// How often a running member tells the ledger that it lives and how far it is.
const BEAT: Duration = Duration::from_millis(1_000);

/// How often the observer is called while work goes on.
const GLANCE: Duration = Duration::from_millis(100);

/// How long to wait before another look when all work is in other hands.
const PATIENCE: Duration = Duration::from_millis(250);

/// How a training goal is run.
pub struct Executor<'a> {
    /// The swarm.
    pub host: &'a Host,
    /// How many members train at once; at least 1.
    pub threads: usize,
    /// Says when to cancel the goal.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// A goal with its tasks, in the order of the plan, as of the end of the log.
struct Status {
    goal: Goal,
    tasks: Vec<Task>,
}

/// A task that this process runs.
struct Active {
    agent: String,
    epoch: u64,
    shared: Arc<Shared>,
    last_beat: Instant,
    /// The lease is lost: what the thread brings is of no use.
    lost: bool,
}

/// The state of one run.
struct Run<'a> {
    executor: &'a Executor<'a>,
    goal: Goal,
    data: Arc<Vec<u8>>,
    active: BTreeMap<String, Active>,
    view: View,
    results: (Sender<Finished>, Receiver<Finished>),
    told_to_stop: bool,
}

impl Executor<'_> {
    /// Runs a training goal to its end and gives back the answer of `task_results`.
    ///
    /// `observe` is called when something has changed, about ten times a second at most.
    pub fn run(&self, goal_id: &str, observe: &mut dyn FnMut(&View)) -> Result<String, Error> {
        let status = self.status(goal_id)?;
        if status.goal.kind != TRAIN {
            let message = format!("goalId: {goal_id} is no training goal");
            return Err(Error::new(Code::FailedPrecondition, "goalId", message));
        }
        if status.goal.state == "running" {
            let data = Arc::new(self.host.get_artifact(&status.goal.dataset)?);
            let view = View::new(goal_id, &status.goal.plan);
            let mut run = Run {
                executor: self,
                goal: status.goal,
                data,
                active: BTreeMap::new(),
                view,
                results: channel(),
                told_to_stop: false,
            };
            let outcome = run.until_done(observe);
            run.stop_all();
            outcome?;
        }
        self.host.query("task_results", &json!({ "goalId": goal_id }).to_string())
    }

    /// The ids of the training goals that are not finished, oldest first.
    pub fn unfinished(host: &Host) -> Result<Vec<String>, Error> {
        host.with_swarm(|swarm| {
            let running =
                swarm.state().goals.values().filter(|goal| goal.kind == TRAIN && goal.state == "running");
            running.map(|goal| goal.id.to_string()).collect()
        })
    }

    /// Why a goal ended without a result, in words.
    pub fn why(&self, goal_id: &str) -> Result<String, Error> {
        let error = self.status(goal_id)?.goal.error;
        Ok(error.map_or_else(|| "no reason was given".to_string(), |error| error.message))
    }

    fn status(&self, goal_id: &str) -> Result<Status, Error> {
        self.host.with_swarm(|swarm| {
            let state = swarm.state();
            let goal = GoalId::parse(goal_id).and_then(|id| state.goals.get(id));
            let goal = goal.cloned().ok_or_else(|| Error::unknown_id("goalId", "goal", goal_id))?;
            let tasks = goal.task_ids.iter().filter_map(|id| state.tasks.get(*id)).cloned().collect();
            Ok(Status { goal, tasks })
        })?
    }
}

impl Run<'_> {
    fn until_done(&mut self, observe: &mut dyn FnMut(&View)) -> Result<(), Error> {
        loop {
            self.cancel_if_told()?;
            self.let_time_pass()?;
            let status = self.executor.status(&self.goal.id.to_string())?;
            self.view.note(&status.tasks, &self.active, self.executor.host.now_ms());
            observe(&self.view);
            if status.goal.state != "running" {
                return Ok(());
            }
            if !self.told_to_stop {
                self.start_ready(&status.tasks)?;
            }
            self.work_a_while(observe)?;
        }
    }

    /// Waits for results and keeps leases until there is a reason to look at the ledger again.
    fn work_a_while(&mut self, observe: &mut dyn FnMut(&View)) -> Result<(), Error> {
        if self.active.is_empty() {
            // the rest is with other processes, or waits for its time
            std::thread::sleep(PATIENCE);
            return Ok(());
        }
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            match self.results.1.recv_timeout(GLANCE) {
                Ok(finished) => {
                    self.report(finished)?;
                    while let Ok(finished) = self.results.1.try_recv() {
                        self.report(finished)?;
                    }
                    return Ok(());
                }
                Err(_) => {
                    self.keep_leases()?;
                    self.view.glance(&self.active);
                    observe(&self.view);
                }
            }
            if (self.executor.cancelled)() && !self.told_to_stop {
                return Ok(());
            }
        }
        Ok(())
    }

    fn cancel_if_told(&mut self) -> Result<(), Error> {
        if !(self.executor.cancelled)() || self.told_to_stop {
            return Ok(());
        }
        let request = json!({ "goalId": self.goal.id.to_string(), "reason": "interrupted" });
        self.executor.host.call("task_cancel", &request.to_string(), "")?;
        self.told_to_stop = true;
        for active in self.active.values() {
            active.shared.stop();
        }
        Ok(())
    }

    /// Leases of crashed processes end by a `tick`, which nobody else may be there to send.
    fn let_time_pass(&mut self) -> Result<(), Error> {
        let host = self.executor.host;
        let deadline = host.with_swarm(|swarm| swarm.next_deadline())?;
        if deadline.is_some_and(|deadline| deadline <= host.now_ms()) {
            host.call("tick", "{}", "")?;
        }
        Ok(())
    }

    /// Claims what is ready, as many as there are free threads, in one commit.
    fn start_ready(&mut self, tasks: &[Task]) -> Result<(), Error> {
        let now = self.executor.host.now_ms();
        let free = self.executor.threads.max(1).saturating_sub(self.active.len());
        let ready = |task: &&Task| {
            task.state == TaskState::Ready
                && task.not_before_ms <= now
                && !self.active.contains_key(&task.id.to_string())
        };
        let chosen: Vec<&Task> = tasks.iter().filter(ready).take(free).collect();
        let claims = chosen
            .iter()
            .map(|task| {
                let request =
                    json!({ "agentId": holder(task), "taskId": task.id.to_string(), "leaseMs": LEASE_MS });
                Call::new("task_claim", request.to_string())
            })
            .collect();
        for (task, answer) in chosen.into_iter().zip(self.executor.host.call_many(claims)) {
            match answer {
                Ok(response) => self.start(task, tasks, &response)?,
                // somebody else was faster, or the agent is at its capacity: look again later
                Err(error) if error.code == Code::FailedPrecondition => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn start(&mut self, task: &Task, tasks: &[Task], response: &str) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Claimed {
            task: Option<Task>,
        }
        let claimed: Claimed = read(response)?;
        let Some(lease) = claimed.task.and_then(|task| task.lease) else { return Ok(()) };
        let shared = Arc::new(Shared::default());
        let work = match task.kind {
            Kind::Fuse => Work::Fuse { models: self.member_models(tasks)? },
            Kind::Train | Kind::Work => Work::Train {
                member: tasks
                    .iter()
                    .filter(|t| t.kind == Kind::Train)
                    .position(|t| t.id == task.id)
                    .unwrap_or(0),
            },
        };
        let active = Active {
            agent: holder(task),
            epoch: lease.epoch,
            shared: shared.clone(),
            last_beat: Instant::now(),
            lost: false,
        };
        let id = task.id.to_string();
        self.active.insert(id.clone(), active);
        let (data, plan, results) = (self.data.clone(), self.goal.plan.clone(), self.results.0.clone());
        std::thread::Builder::new()
            .name(format!("train-{id}"))
            .spawn(move || member::run(id, work, &data, &plan, &shared, &results))
            .map(|_| ())
            .map_err(|error| Error::new(Code::Internal, "", format!("cannot start a thread: {error}")))
    }

    fn member_models(&self, tasks: &[Task]) -> Result<Vec<Vec<u8>>, Error> {
        let trained = tasks.iter().filter(|task| task.kind == Kind::Train);
        trained.map(|task| self.executor.host.get_artifact(&task.artifact)).collect()
    }

    /// Heartbeats for all that are due, in one commit; a lost lease stops its member.
    fn keep_leases(&mut self) -> Result<(), Error> {
        let due: Vec<String> = self
            .active
            .iter()
            .filter(|(_, active)| !active.lost && active.last_beat.elapsed() >= BEAT)
            .map(|(id, _)| id.clone())
            .collect();
        let beats = due.iter().filter_map(|id| self.active.get(id).map(|active| beat(id, active))).collect();
        for (id, answer) in due.iter().zip(self.executor.host.call_many(beats)) {
            let Some(active) = self.active.get_mut(id) else { continue };
            active.last_beat = Instant::now();
            match answer {
                Ok(response) => {
                    let response: Value = read(&response)?;
                    if response["cancelRequested"] == json!(true) {
                        active.shared.stop();
                    }
                }
                Err(error) if lease_is_lost(&error) => {
                    active.lost = true;
                    active.shared.stop();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Commits what a thread brought: the model's bytes and the report in one transaction.
    fn report(&mut self, finished: Finished) -> Result<(), Error> {
        self.view.glance(&self.active);
        let Some(active) = self.active.remove(&finished.task_id) else { return Ok(()) };
        if active.lost {
            return Ok(());
        }
        let mut report = json!({
            "taskId": finished.task_id, "agentId": active.agent, "epoch": active.epoch, "leaseMs": LEASE_MS,
        });
        let mut calls = Vec::with_capacity(2);
        match finished.outcome {
            Outcome::Done { model, report: output, name } => {
                let content = Content::new(model);
                report["outcome"] = json!("completed");
                report["output"] = json!(output);
                report["artifact"] = json!(content.hash());
                calls.push(Call::artifact(content, &name, "application/x-ruv-swarm-model"));
            }
            Outcome::Stopped => {
                report["outcome"] = json!("failed");
                report["error"] = json!({ "code": "cancelled", "message": "stopped before its end" });
            }
            Outcome::Failed(error) => {
                report["outcome"] = json!("failed");
                report["error"] = json!({ "code": error.code.as_str(), "message": error.message });
            }
        }
        calls.push(Call::new("task_report", report.to_string()));
        match self.executor.host.call_all(calls) {
            Err(error) if !lease_is_lost(&error) => Err(error),
            // a report that comes too late is refused, and the task is somebody else's by now
            _ => Ok(()),
        }
    }

    /// Leaves no thread computing for nobody.
    fn stop_all(&mut self) {
        for active in self.active.values() {
            active.shared.stop();
        }
    }
}

/// The agent that a task of a training goal is assigned to.
fn holder(task: &Task) -> String {
    task.assigned_to.map(|id| id.to_string()).unwrap_or_default()
}

fn beat(id: &str, active: &Active) -> Call {
    let (done, total, note) = active.shared.progress();
    let request = json!({
        "taskId": id, "agentId": active.agent, "epoch": active.epoch, "leaseMs": LEASE_MS,
        "progress": { "done": done, "total": total, "note": note },
    });
    Call::new("task_heartbeat", request.to_string())
}

fn lease_is_lost(error: &Error) -> bool {
    matches!(error.code, Code::StaleEpoch | Code::FailedPrecondition | Code::NotFound)
}
