//! The library without the command line: arrays, ensembles, dropped futures.

use std::future::Future;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use ruv_swarm::{AgentConfig, AgentType, Code, Data, Swarm, SwarmConfig, Task};

fn memory() -> Swarm {
    Swarm::new(SwarmConfig { seed: Some(7), ..Default::default() }).unwrap()
}

/// A smooth function of two inputs.
fn arrays(rows: usize) -> Data {
    let point = |i: usize| [(i % 17) as f32 / 17.0, (i % 23) as f32 / 23.0];
    let inputs: Vec<f32> = (0..rows).flat_map(point).collect();
    let targets: Vec<f32> = (0..rows).map(|i| point(i)[0] * 0.5 - point(i)[1] * point(i)[0]).collect();
    Data::arrays(&inputs, 2, &targets, 1)
}

#[test]
fn arrays_train_to_the_same_model_in_any_swarm() {
    let train = || {
        let swarm = memory();
        let result = pollster::block_on(swarm.train("", &["convergent", "lateral"], arrays(120))).unwrap();
        let model = swarm.model(&result.model_hash).unwrap();
        assert_eq!((model.inputs(), model.outputs(), result.members.len()), (2, 1, 2));
        assert!(result.members[0].validation_accuracy.is_none());
        assert!(result.ensemble.unwrap().ambiguity >= 0.0);
        result.model_hash
    };
    assert_eq!(train(), train());
}

#[test]
fn wrong_arrays_and_agents_are_refused_in_words() {
    let swarm = memory();
    let error =
        pollster::block_on(swarm.train("", &[], Data::arrays(&[1.0, 2.0], 0, &[1.0], 1))).unwrap_err();
    assert_eq!(error.code, Code::InvalidData);
    let error = pollster::block_on(swarm.train("", &["a1"], arrays(60))).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    let coder = AgentConfig { agent_type: AgentType::Other("coder"), capabilities: vec![] };
    let coder = swarm.spawn_agent(coder).unwrap();
    let error = pollster::block_on(coder.process(Task::Train { data: arrays(60) })).unwrap_err();
    assert_eq!(error.code, Code::FailedPrecondition);
    assert_eq!(swarm.host().version().unwrap(), 2);
}

#[test]
fn a_dropped_future_cancels_its_goal() {
    let swarm = memory();
    let mut training = Box::pin(swarm.train("", &["convergent", "lateral", "systems"], arrays(5000)));
    assert!(training.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let end = Instant::now() + Duration::from_secs(30);
    while swarm.host().version().unwrap() < 8 {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(training);
    while !swarm.host().query("task_status", r#"{"goalId":"g1"}"#).unwrap().contains(r#""state":"cancelled""#)
    {
        assert!(Instant::now() < end, "the goal goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}
