//! A training that runs beside its caller, as a future that needs no runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use ruv_swarm_core::error::{Code, Error};
use serde_json::{Map, Value};

use crate::host::{read, Host};
use crate::swarm::{plan_training, Data, TrainingResult};
use crate::training::Executor;

/// A task that an agent works on. It begins when it is first polled; dropping it cancels the goal.
#[must_use = "a task begins when it is awaited"]
pub struct Processing {
    start: Option<(Arc<Host>, Map<String, Value>, Data)>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    answer: Mutex<Answer>,
}

/// What the thread hands to whoever polls.
#[derive(Default)]
struct Answer {
    result: Option<Result<TrainingResult, Error>>,
    waker: Option<Waker>,
}

impl Processing {
    pub(crate) fn new(host: Arc<Host>, request: Map<String, Value>, data: Data) -> Processing {
        Processing { start: Some((host, request, data)), shared: Arc::default() }
    }
}

impl Future for Processing {
    type Output = Result<TrainingResult, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        {
            let mut answer = self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(result) = answer.result.take() {
                return Poll::Ready(result);
            }
            answer.waker = Some(context.waker().clone());
        }
        let Some((host, request, data)) = self.start.take() else { return Poll::Pending };
        let shared = self.shared.clone();
        let spawned = std::thread::Builder::new().name("ruv-swarm-train".into()).spawn(move || {
            let result = train(&host, request, &data, &shared.cancelled);
            let mut answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner);
            answer.result = Some(result);
            if let Some(waker) = answer.waker.take() {
                waker.wake();
            }
        });
        match spawned {
            Ok(_) => Poll::Pending,
            Err(error) => {
                Poll::Ready(Err(Error::new(Code::Internal, "", format!("cannot start a thread: {error}"))))
            }
        }
    }
}

impl Drop for Processing {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}

fn train(
    host: &Host,
    request: Map<String, Value>,
    data: &Data,
    cancelled: &AtomicBool,
) -> Result<TrainingResult, Error> {
    let goal = plan_training(host, request, data)?;
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let executor = Executor { host, threads, cancelled: &|| cancelled.load(Ordering::Relaxed) };
    let result: TrainingResult = read(&executor.run(&goal, &mut |_| ())?)?;
    match result.state.as_str() {
        "completed" => Ok(result),
        "cancelled" => Err(Error::new(Code::Cancelled, "", format!("goal {goal} was cancelled"))),
        _ => Err(Error::new(Code::WorkFailed, "", format!("goal {goal} failed: {}", executor.why(&goal)?))),
    }
}
