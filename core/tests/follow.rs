//! Whoever follows a log from a place gets what comes after it, each event once and in order, however
//! small the pages are and whatever the log gains between two of them.

use ruv_swarm_core::{attach_events, Attach, Swarm};
use serde_json::{json, Value};

#[derive(Default)]
struct Growing {
    swarm: Swarm,
    log: Vec<String>,
}

impl Growing {
    fn command(&mut self, operation: &str, request: &Value) {
        let decision = self.swarm.call(operation, &request.to_string(), 1_000, "").unwrap();
        for line in &decision.events {
            self.swarm.apply(line).unwrap();
        }
        self.log.extend(decision.events);
    }

    /// One page, with the place where the next begins.
    fn page(&self, filter: &Value, after: u64, limit: u64) -> (Vec<String>, u64) {
        let mut request = filter.clone();
        request["after"] = after.into();
        request["limit"] = limit.into();
        let decision = self.swarm.query("swarm_monitor", &request.to_string()).unwrap();
        let Some(Attach::Events { after, limit, filter }) = decision.attach else { panic!("no events") };
        let lines = self.log.iter().skip(after as usize).take(limit as usize);
        let lines: Vec<&str> = lines.map(String::as_str).collect();
        let answer: Value =
            serde_json::from_str(&attach_events(&decision.response, &lines, &filter)).unwrap();
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        let events = events.iter().map(|line| line.as_str().unwrap().to_string()).collect();
        (events, answer["nextAfter"].as_u64().unwrap())
    }
}

fn passes(line: &str, filter: &Value) -> bool {
    let event: Value = serde_json::from_str(line).unwrap();
    let kinds = filter["kinds"].as_array();
    let task = &filter["taskId"];
    kinds.is_none_or(|kinds| kinds.contains(&event["kind"]))
        && (task.is_null() || event["body"]["taskId"] == *task)
}

#[test]
fn a_follower_gets_each_event_after_its_place_once_and_in_order() {
    let filters = [json!({}), json!({"kinds": ["TaskClaimed", "TaskCompleted"]}), json!({"taskId": "t2"})];
    for filter in filters {
        for (start, limit) in [(0, 1), (0, 3), (4, 2), (7, 100)] {
            let mut growing = Growing::default();
            growing.command("swarm_init", &json!({"swarmId": "s-1", "seed": 7}));
            growing.command("agent_spawn", &json!({"type": "coder", "count": 2}));
            growing.command("task_submit", &json!({"tasks": vec![json!({}); 8]}));
            let (mut seen, mut after) = (vec![], start);
            for round in 1..=8 {
                // The log gains two events a round: small pages fall behind, and catch up at the end.
                let task = format!("t{round}");
                let named = json!({"agentId": "a1", "taskId": task});
                growing.command("task_claim", &named);
                let done = json!({"agentId": "a1", "taskId": task, "epoch": 1, "outcome": "completed"});
                growing.command("task_report", &done);
                let (lines, next) = growing.page(&filter, after, limit);
                assert!(lines.len() <= limit as usize);
                assert!(next > after && next <= growing.swarm.version());
                seen.extend(lines);
                after = next;
            }
            while after < growing.swarm.version() {
                let (lines, next) = growing.page(&filter, after, limit);
                assert!(next > after, "a page goes on");
                seen.extend(lines);
                after = next;
            }
            assert_eq!(growing.page(&filter, after, limit), (vec![], after), "nothing is left");
            let tail = growing.log.iter().skip(start as usize);
            let wanted: Vec<String> = tail.filter(|line| passes(line, &filter)).cloned().collect();
            assert_eq!(seen, wanted, "{filter} from {start} by {limit}");
            assert!(!seen.is_empty() || start > 4);
        }
    }
}
