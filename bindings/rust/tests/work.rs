//! Workers: code that does tasks, in one process and in several on one file.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::Bench;
use ruv_swarm::work::{Context, Crew, Failure, Happening, Output, Stop, Tally, Task, Worker};
use ruv_swarm::{Code, Host, Options, Swarm, SwarmConfig};
use serde_json::{json, Value};

fn memory() -> Swarm {
    Swarm::new(SwarmConfig { seed: Some(7), ..Default::default() }).unwrap()
}

fn submit(host: &Host, tasks: Value) {
    host.call("task_submit", &json!({ "tasks": tasks }).to_string(), "").unwrap();
}

fn task(host: &Host, id: &str) -> Value {
    let answer = host.query("task_status", &json!({ "taskId": id }).to_string()).unwrap();
    serde_json::from_str::<Value>(&answer).unwrap()["task"].clone()
}

fn upper(task: &Task, _: &Context) -> Result<Output, Failure> {
    Ok(task.payload.to_uppercase().into())
}

#[test]
fn tasks_are_done_in_order_and_their_dependents_after_them() {
    let swarm = memory();
    submit(swarm.host(), json!([{ "name": "a", "payload": "x" }, { "payload": "y", "dependsOn": ["a"] }]));
    let seen = Arc::new(Mutex::new(vec![]));
    let noted = seen.clone();
    let tally = swarm
        .work_as("coder")
        .unwrap()
        .until_idle()
        .run(move |task, context| {
            noted.lock().unwrap().push((task.id.clone(), context.epoch(), context.agent_id().to_string()));
            upper(task, context)
        })
        .unwrap();
    assert_eq!(tally, Tally { completed: 2, ..Tally::default() });
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, [("t1".to_string(), 1, "a1".to_string()), ("t2".to_string(), 1, "a1".to_string())]);
    assert_eq!(
        (&task(swarm.host(), "t1")["output"], &task(swarm.host(), "t2")["output"]),
        (&json!("X"), &json!("Y"))
    );
    assert!(swarm.host().replay(true).unwrap().problem.is_none());
}

#[test]
fn a_failure_is_tried_again_and_a_panic_is_one() {
    let swarm = memory();
    submit(
        swarm.host(),
        json!([{ "name": "flaky", "backoffMs": 1 }, { "name": "bomb", "maxRetries": 0 }, { "name": "loud", "maxRetries": 0 }]),
    );
    let tally = swarm
        .work_as("coder")
        .unwrap()
        .until_idle()
        .run(|task, context| match (task.name.as_str(), context.epoch()) {
            ("bomb", _) => panic!("the bomb went off"),
            ("loud", _) => Err(Failure::new("x".repeat(1000), "a code that is too long")),
            (_, 1) => Err(Failure::new("not_yet", "")),
            _ => Ok(().into()),
        })
        .unwrap();
    assert_eq!((tally.completed, tally.failed), (1, 3));
    let flaky = task(swarm.host(), "t1");
    assert_eq!((&flaky["state"], &flaky["attempts"]), (&json!("completed"), &json!(2)));
    let bomb = task(swarm.host(), "t2");
    assert_eq!(bomb["error"], json!({ "code": "panic", "message": "the bomb went off" }));
    assert_eq!(task(swarm.host(), "t3")["error"]["code"], "bad_result");
}

#[test]
fn large_text_and_bytes_are_artifacts_of_the_same_commit() {
    let swarm = memory();
    submit(swarm.host(), json!([{ "name": "text" }, { "name": "bytes" }, { "name": "small" }]));
    let code = |task: &Task, _: &Context| {
        Ok(match task.name.as_str() {
            "text" => "é".repeat(40_000).into(),
            "bytes" => vec![0u8, 255, 1].into(),
            _ => "é".repeat(32_768).into(),
        })
    };
    let tally = swarm.work_as("coder").unwrap().until_idle().run(code).unwrap();
    assert_eq!(tally.completed, 3);
    let host = swarm.host();
    let kept = |id: &str| host.get_artifact(task(host, id)["artifact"].as_str().unwrap()).unwrap();
    assert_eq!(kept("t1"), "é".repeat(40_000).into_bytes());
    assert_eq!(kept("t2"), [0, 255, 1]);
    let small = task(host, "t3");
    assert_eq!((small["output"].as_str().unwrap().len(), &small["artifact"]), (65_536, &Value::Null));
    // the bytes come with the report: the event before a completion is that of its artifact
    let kinds: Vec<String> = host.events(0, 100).unwrap().iter().map(|event| kind(&event.body)).collect();
    let stored = kinds.iter().position(|kind| kind == "ArtifactStored").unwrap();
    assert_eq!(kinds[stored + 1], "TaskCompleted");
}

fn kind(line: &str) -> String {
    serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_string()
}

#[test]
fn several_tasks_at_once_are_as_many_as_the_capacity() {
    let swarm = memory();
    swarm.host().call("agent_spawn", r#"{"type":"coder","capacity":4}"#, "").unwrap();
    submit(swarm.host(), json!((0..8).map(|_| json!({})).collect::<Vec<_>>()));
    let inside = Arc::new((Mutex::new((0, 0)), std::sync::Condvar::new()));
    let shared = inside.clone();
    let code = move |_: &Task, _: &Context| {
        // nobody goes on before four are inside: with fewer at once this would wait for ever
        let (lock, changed) = &*shared;
        let mut count = lock.lock().unwrap();
        count.0 += 1;
        count.1 = count.1.max(count.0);
        changed.notify_all();
        while count.1 < 4 {
            count = changed.wait(count).unwrap();
        }
        count.0 -= 1;
        Ok(().into())
    };
    let tally = Worker::new(swarm.host().clone(), "a1").until_idle().run(code).unwrap();
    assert_eq!((tally.completed, inside.0.lock().unwrap().1), (8, 4));
}

#[test]
fn heartbeats_keep_a_task_that_is_longer_than_its_lease() {
    let bench = Bench::with_swarm();
    let host = Arc::new(Host::open(Options::file(bench.path("swarm.db"))).unwrap());
    host.call("agent_spawn", r#"{"type":"coder"}"#, "").unwrap();
    submit(&host, json!([{}]));
    let code = |_: &Task, context: &Context| {
        context.progress(1, 2, "half of it");
        assert!(!context.wait(Duration::from_millis(2_500)), "the lease was lost");
        Ok("done".into())
    };
    let tally = Worker::new(host.clone(), "a1").lease_ms(1_000).max_tasks(1).run(code).unwrap();
    assert_eq!(tally.completed, 1);
    let done = task(&host, "t1");
    assert_eq!((&done["attempts"], &done["output"]), (&json!(1), &json!("done")));
    assert_eq!(done["progress"], json!({ "done": 1, "total": 2, "note": "half of it" }));
}

#[test]
fn a_cancelled_task_is_told_and_its_result_is_not_taken() {
    let swarm = memory();
    submit(swarm.host(), json!([{}]));
    let host = swarm.host().clone();
    let tally = swarm
        .work_as("coder")
        .unwrap()
        .until_idle()
        .run(move |_, context| {
            host.call("task_cancel", r#"{"taskId":"t1","reason":"changed my mind"}"#, "").unwrap();
            // the lease is long: it is the log that brings the news, not the next heartbeat
            assert!(context.wait(Duration::from_secs(120)));
            Ok("too late".into())
        })
        .unwrap();
    assert_eq!(tally, Tally { cancelled: 1, ..Tally::default() });
    let ended = task(swarm.host(), "t1");
    assert_eq!((&ended["state"], &ended["output"]), (&json!("cancelled"), &Value::Null));
}

#[test]
fn a_stopped_worker_gives_its_task_back() {
    let swarm = memory();
    submit(swarm.host(), json!([{ "maxRetries": 0 }]));
    let (stop, begun) = (Stop::new(), Arc::new(AtomicU32::new(0)));
    let (asks, counts) = (stop.clone(), begun.clone());
    let tally = swarm
        .work_as("coder")
        .unwrap()
        .stop(&stop)
        .run(move |_, context| {
            counts.fetch_add(1, Ordering::SeqCst);
            asks.stop();
            assert!(context.wait(Duration::from_secs(120)));
            Err(Failure::new("stopped", "told to stop"))
        })
        .unwrap();
    assert_eq!((tally, begun.load(Ordering::SeqCst)), (Tally { released: 1, ..Tally::default() }, 1));
    let back = task(swarm.host(), "t1");
    assert_eq!((&back["state"], &back["attempts"]), (&json!("ready"), &json!(1)));
    assert_eq!(Worker::new(swarm.host().clone(), "a1").until_idle().run(upper).unwrap().completed, 1);
}

#[test]
fn code_that_does_not_hear_is_left_behind_after_the_grace() {
    let swarm = memory();
    submit(swarm.host(), json!([{}]));
    let (stop, gate) = (Stop::new(), Arc::new(Mutex::new(())));
    let (asks, waits, held) = (stop.clone(), gate.clone(), gate.lock().unwrap());
    let worker = swarm.work_as("coder").unwrap().stop(&stop).grace(Duration::from_millis(50));
    let deaf = move |_: &Task, _: &Context| {
        asks.stop();
        drop(waits.lock().unwrap());
        Ok("nobody wants it".into())
    };
    assert_eq!(worker.run(deaf).unwrap().released, 1);
    assert_eq!(task(swarm.host(), "t1")["state"], "ready");
    assert_eq!(Worker::new(swarm.host().clone(), "a1").until_idle().run(upper).unwrap().completed, 1);
    drop(held);
    // once the deaf one has ended its clone of the gate is gone, and the task is still the other's
    while Arc::strong_count(&gate) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(task(swarm.host(), "t1")["output"], Value::Null);
}

#[test]
fn a_lost_lease_is_told_and_its_result_thrown_away() {
    let swarm = memory();
    submit(swarm.host(), json!([{}]));
    let host = swarm.host().clone();
    let mut outcomes = vec![];
    let code = move |_: &Task, context: &Context| {
        if context.epoch() == 1 {
            // the same holder reports behind the worker's back, as after a copy of its process
            let request = json!({ "taskId": "t1", "agentId": "a1", "epoch": 1, "outcome": "failed", "error": { "message": "gone" } });
            host.call("task_report", &request.to_string(), "").unwrap();
            assert!(context.wait(Duration::from_secs(120)));
            return Ok("of the first".into());
        }
        Ok("of the second".into())
    };
    let worker = swarm.work_as("coder").unwrap().until_idle();
    worker
        .run_work(Arc::new(code), &mut |happening| {
            if let Happening::Ended { epoch, outcome, .. } = happening {
                outcomes.push((*epoch, outcome.as_str()));
            }
        })
        .unwrap();
    assert_eq!(outcomes, [(1, "lost"), (2, "completed")]);
    assert_eq!(task(swarm.host(), "t1")["output"], "of the second");
}

#[test]
fn many_workers_of_several_hosts_do_each_task_once() {
    let bench = Bench::with_swarm();
    let open = || Arc::new(Host::open(Options::file(bench.path("swarm.db"))).unwrap());
    let hosts = [open(), open()];
    hosts[0].call("agent_spawn", r#"{"type":"coder","count":6,"capacity":2}"#, "").unwrap();
    let tasks: Vec<Value> = (0..120)
        .map(|i| {
            if i == 0 {
                json!({ "name": "0" })
            } else {
                json!({ "name": i.to_string(), "priority": (i % 7).to_string() })
            }
        })
        .collect();
    submit(&hosts[0], json!(tasks));
    let done = Arc::new(Mutex::new(vec![]));
    let completed: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=6)
            .map(|agent| {
                let (host, done) = (hosts[agent % 2].clone(), done.clone());
                scope.spawn(move || {
                    let code = move |task: &Task, _: &Context| {
                        done.lock().unwrap().push(task.id.clone());
                        Ok(().into())
                    };
                    Worker::new(host, &format!("a{agent}")).until_idle().run(code).unwrap().completed
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let mut ids = done.lock().unwrap().clone();
    ids.sort();
    ids.dedup();
    assert_eq!((completed, ids.len(), done.lock().unwrap().len()), (120, 120, 120));
    assert!(hosts[0].replay(true).unwrap().problem.is_none());
}

#[test]
fn a_crew_is_idle_together() {
    let swarm = memory();
    let host = swarm.host().clone();
    for (kind, word) in [("planner", "plan"), ("writer", "write")] {
        let request = json!({ "type": kind, "capabilities": [word] });
        host.call("agent_spawn", &request.to_string(), "").unwrap();
    }
    submit(&host, json!([{ "capabilities": ["plan"] }]));
    let plan = |_: &Task, context: &Context| {
        submit(context.host(), json!([{ "capabilities": ["write"], "payload": "text" }]));
        Ok(().into())
    };
    let crew = Crew::new(host.clone())
        .hire("a1", 30_000, 0, Arc::new(plan))
        .unwrap()
        .hire("a2", 30_000, 0, Arc::new(upper))
        .unwrap();
    assert_eq!(crew.until_idle().run(&mut |_| {}).unwrap().completed, 2);
    assert_eq!(task(&host, "t2")["output"], "TEXT");
    let unknown = Crew::new(host).hire("a9", 30_000, 0, Arc::new(upper)).err().unwrap();
    assert_eq!(unknown.code, Code::NotFound);
}

#[test]
fn a_worker_that_is_dropped_stops_and_one_of_no_use_says_why() {
    let swarm = memory();
    let working = swarm.work_as("coder").unwrap().start(upper).unwrap();
    submit(swarm.host(), json!([{ "payload": "x" }]));
    while task(swarm.host(), "t1")["state"] != "completed" {
        std::thread::yield_now();
    }
    drop(working);
    submit(swarm.host(), json!([{}]));
    let error = Worker::new(swarm.host().clone(), "a1").lease_ms(1).run(upper).unwrap_err();
    assert_eq!((error.code, error.field.as_str()), (Code::InvalidArgument, "leaseMs"));
    assert_eq!(task(swarm.host(), "t2")["state"], "ready");
    let tally = swarm.work_as("coder").unwrap().max_tasks(0).run(upper).unwrap();
    assert_eq!(tally, Tally::default());
}

#[test]
fn tasks_that_are_for_others_do_not_keep_a_worker() {
    let swarm = memory();
    swarm.host().call("agent_spawn", r#"{"type":"coder","count":2}"#, "").unwrap();
    submit(
        swarm.host(),
        json!([{ "name": "mine" }, { "assignedTo": "a2" }, { "capabilities": ["flying"] }, { "dependsOn": ["mine"] }]),
    );
    let tally = Worker::new(swarm.host().clone(), "a1").until_idle().run(upper).unwrap();
    assert_eq!(tally.completed, 2);
}

#[test]
fn an_agent_that_may_not_be_silent_is_heard_of() {
    let swarm = memory();
    swarm.host().call("agent_spawn", r#"{"type":"coder","silenceMs":1000}"#, "").unwrap();
    submit(swarm.host(), json!([{}, { "backoffMs": 2500 }]));
    // without a task for 2.5 s, and with one whose lease is far longer than the silence may be
    let code = |task: &Task, context: &Context| {
        if task.id == "t1" {
            assert!(!context.wait(Duration::from_millis(2_500)), "the lease was lost");
        } else if context.epoch() == 1 {
            return Err(Failure::new("again", "after the back-off"));
        }
        Ok(().into())
    };
    let tally = Worker::new(swarm.host().clone(), "a1").until_idle().run(code).unwrap();
    assert_eq!((tally.completed, tally.failed), (2, 1));
    let events = swarm.host().events(0, 1000).unwrap();
    let kinds: Vec<String> = events.iter().map(|event| kind(&event.body)).collect();
    assert!(!kinds.contains(&"AgentLost".to_string()), "{kinds:?}");
    assert!(kinds.contains(&"AgentHeartbeat".to_string()), "{kinds:?}");
}
