//! The rules of coordination through the public state machine: every log is replayed at the end.

use ruv_swarm_core::{attach_artifact, attach_events, Attach, Code, Decision, Error, Swarm};
use serde_json::Value;

/// A host without a store: applies what was decided and keeps the log.
#[derive(Default)]
struct Host {
    swarm: Swarm,
    log: Vec<String>,
    now: u64,
}

impl Host {
    fn new() -> Self {
        let mut host = Self { swarm: Swarm::new(), log: vec![], now: 1_000 };
        host.ok("swarm_init", r#"{"swarmId":"s-1","seed":7}"#);
        host
    }

    fn keyed(&mut self, operation: &str, request: &str, key: &str) -> Result<Value, Error> {
        let before = self.swarm.snapshot();
        let decision = self.swarm.call(operation, request, self.now, key)?;
        assert_eq!(self.swarm.snapshot(), before, "a decision changes nothing");
        for line in &decision.events {
            let applied = self.swarm.apply(line).expect("our own event");
            assert_eq!(applied.seq, self.log.len() as u64 + 1);
            self.log.push(line.clone());
        }
        Ok(serde_json::from_str(&decision.response).expect("json"))
    }

    fn call(&mut self, operation: &str, request: &str) -> Result<Value, Error> {
        self.keyed(operation, request, "")
    }

    fn ok(&mut self, operation: &str, request: &str) -> Value {
        self.call(operation, request).unwrap_or_else(|error| panic!("{operation} {request}: {error}"))
    }

    fn code(&mut self, operation: &str, request: &str) -> Code {
        let events = self.log.len();
        let error = self.call(operation, request).expect_err(request);
        assert_eq!(self.log.len(), events, "a refused command leaves no event");
        assert!(!error.message.is_empty());
        error.code
    }

    fn task(&mut self, id: &str) -> Value {
        self.ok("task_status", &format!(r#"{{"taskId":"{id}"}}"#))["task"].clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut replayed = Swarm::new();
        for line in &self.log {
            replayed.apply(line).expect("replay");
        }
        assert_eq!(replayed.snapshot(), self.swarm.snapshot(), "replay gives the live state");
        assert_eq!(replayed.state(), self.swarm.state(), "indices included");
        let restored = Swarm::restore(&self.swarm.snapshot()).expect("snapshot");
        assert_eq!(restored.state(), self.swarm.state(), "a snapshot gives the live state");
        assert_eq!(restored.state_hash(), self.swarm.state_hash());
    }
}

#[test]
fn init_creates_joins_and_conflicts() {
    let mut host = Host::new();
    let joined = host.ok("swarm_init", "{}");
    assert_eq!((&joined["created"], &joined["topology"]), (&Value::Bool(false), &"mesh".into()));
    host.ok("swarm_init", r#"{"topology":"mesh","seed":"7","max_agents":100}"#);
    assert_eq!(host.code("swarm_init", r#"{"topology":"star"}"#), Code::Conflict);
    assert_eq!(host.code("swarm_init", r#"{"topology":"cube"}"#), Code::InvalidArgument);
    assert_eq!(host.code("swarm_init", r#"{"seed":8}"#), Code::Conflict);
    let mut empty = Host::default();
    assert_eq!(empty.code("agent_spawn", r#"{"type":"coder"}"#), Code::FailedPrecondition);
    assert_eq!(empty.code("swarm_init", r#"{"swarmId":"a\"b","seed":1}"#), Code::InvalidArgument);
    assert_eq!(empty.code("swarm_init", r#"{"swarmId":"s","seed":9007199254740992}"#), Code::InvalidArgument);
}

#[test]
fn spawn_takes_the_rarest_pattern_and_keeps_to_the_limit() {
    let mut host = Host::new();
    let agents = host.ok("agent_spawn", r#"{"type":"neural","count":5}"#);
    let patterns: Vec<&str> =
        agents["agents"].as_array().unwrap().iter().map(|a| a["pattern"].as_str().unwrap()).collect();
    assert_eq!(patterns, ["convergent", "divergent", "lateral", "systems", "convergent"]);
    assert_eq!(host.code("agent_spawn", r#"{"type":"neural","count":96}"#), Code::LimitExceeded);
    assert_eq!(
        host.code("agent_spawn", r#"{"type":"neural","capabilities":["rprop","magic"]}"#),
        Code::InvalidArgument
    );
    host.ok("agent_spawn", r#"{"type":"coder","capabilities":["magic"]}"#);
    assert_eq!(host.code("agent_spawn", r#"{"type":"coder","pattern":"sideways"}"#), Code::InvalidArgument);
    assert_eq!(host.code("agent_spawn", "{}"), Code::InvalidArgument);
    assert_eq!(host.ok("agent_list", r#"{"filter":"idle"}"#)["agents"].as_array().unwrap().len(), 6);
}

#[test]
fn tasks_run_by_priority_after_their_dependencies() {
    let mut host = Host::new();
    host.ok("agent_spawn", r#"{"type":"coder"}"#);
    let request = r#"{"tasks":[
        {"name":"late","dependsOn":["early"],"priority":"critical"},
        {"name":"early","priority":"low"},{"name":"first","priority":"high"}]}"#;
    assert_eq!(host.ok("task_submit", request)["taskIds"], serde_json::json!(["t1", "t2", "t3"]));
    assert_eq!(host.task("t1")["waitsFor"], "waits for t2");
    let mut order = vec![];
    let mut next = host.ok("task_claim", r#"{"agentId":"a1"}"#)["task"].clone();
    while next.is_object() {
        let id = next["id"].as_str().unwrap().to_string();
        let epoch = next["lease"]["epoch"].as_u64().unwrap();
        let report = format!(
            r#"{{"taskId":"{id}","agentId":"a1","epoch":{epoch},"outcome":"completed","output":"done","claimNext":true}}"#
        );
        next = host.ok("task_report", &report)["next"].clone();
        order.push(id);
    }
    assert_eq!(order, ["t3", "t2", "t1"]);
    let agent = host.ok("swarm_query", r#"{"agentId":"a1"}"#)["agent"].clone();
    assert_eq!((agent["completed"].as_u64(), agent["state"].as_str()), (Some(3), Some("idle")));
}

#[test]
fn cycles_unknown_and_dead_dependencies_are_refused() {
    let mut host = Host::new();
    let cycle = r#"{"tasks":[{"name":"a","dependsOn":["b"]},{"name":"b","dependsOn":["a"]},{"name":"c"}]}"#;
    let error = host.call("task_submit", cycle).unwrap_err();
    assert_eq!(error.message, r#"tasks: the dependencies of "a", "b" form a cycle"#);
    assert_eq!(host.code("task_submit", r#"{"tasks":[{"dependsOn":["t9"]}]}"#), Code::NotFound);
    assert_eq!(host.code("task_submit", r#"{"tasks":[{"name":"x"},{"name":"x"}]}"#), Code::InvalidArgument);
    assert_eq!(host.code("task_submit", r#"{"tasks":[]}"#), Code::InvalidArgument);
    host.ok("task_submit", r#"{"tasks":[{"name":"x"}]}"#);
    host.ok("task_cancel", r#"{"taskId":"t1"}"#);
    assert_eq!(host.code("task_submit", r#"{"tasks":[{"dependsOn":["t1"]}]}"#), Code::FailedPrecondition);
}

#[test]
fn an_old_epoch_is_refused_and_an_expired_lease_is_tried_again() {
    let mut host = Host::new();
    host.ok("agent_spawn", r#"{"type":"coder","count":2}"#);
    host.ok("task_submit", r#"{"tasks":[{"name":"x","backoffMs":500}]}"#);
    host.ok("task_claim", r#"{"agentId":"a1","leaseMs":1000}"#);
    assert!(host.ok("task_claim", r#"{"agentId":"a2"}"#).get("task").is_none());
    assert_eq!(host.swarm.next_deadline(), Some(2_000));
    host.now = 2_000;
    assert_eq!(host.ok("tick", "{}")["expired"], serde_json::json!(["t1"]));
    assert_eq!(host.task("t1")["notBeforeMs"], 2_500);
    assert!(host.ok("task_claim", r#"{"agentId":"a2"}"#).get("task").is_none());
    host.now = 2_500;
    assert_eq!(host.ok("task_claim", r#"{"agentId":"a2"}"#)["task"]["lease"]["epoch"], 2);
    let late = r#"{"taskId":"t1","agentId":"a1","epoch":1,"outcome":"completed"}"#;
    assert_eq!(host.code("task_report", late), Code::StaleEpoch);
    let beat = r#"{"taskId":"t1","agentId":"a2","epoch":2,"leaseMs":60000,"progress":{"done":1,"total":2}}"#;
    assert_eq!(host.ok("task_heartbeat", beat)["lease"]["expiresAtMs"], 62_500);
    host.ok("task_report", r#"{"taskId":"t1","agentId":"a2","epoch":2,"outcome":"completed"}"#);
    assert_eq!(host.code("task_report", late), Code::StaleEpoch);
    assert_eq!(host.task("t1")["state"], "completed");
}

#[test]
fn a_task_out_of_attempts_fails_with_all_that_wait_for_it() {
    let mut host = Host::new();
    host.ok("agent_spawn", r#"{"type":"coder"}"#);
    let request = r#"{"tasks":[{"name":"a","maxRetries":1,"backoffMs":0},{"name":"b","dependsOn":["a"]},{"name":"c","dependsOn":["b"]}]}"#;
    host.ok("task_submit", request);
    for epoch in 1..=2 {
        host.ok("task_claim", r#"{"agentId":"a1","taskId":"t1"}"#);
        let report = format!(
            r#"{{"taskId":"t1","agentId":"a1","epoch":{epoch},"outcome":"failed","error":{{"message":"no luck"}}}}"#
        );
        host.ok("task_report", &report);
    }
    assert_eq!(host.task("t1")["state"], "failed");
    assert_eq!(host.task("t3")["error"]["code"], "dependency_failed");
    assert_eq!(host.ok("swarm_status", "{}")["tasks"]["failed"], 3);
    assert_eq!(host.code("task_claim", r#"{"agentId":"a1","taskId":"t1"}"#), Code::FailedPrecondition);
}

#[test]
fn a_cancelled_goal_stops_its_holders_and_never_resurrects() {
    let mut host = Host::new();
    host.ok("agent_spawn", r#"{"type":"coder","count":2}"#);
    let plan = host.ok("task_orchestrate", r#"{"task":"write the docs","strategy":"sequential"}"#);
    assert_eq!(plan["taskIds"], serde_json::json!(["t1", "t2"]));
    assert!(plan["message"].as_str().unwrap().contains("ruv-swarm mcp start"));
    host.ok("task_claim", r#"{"agentId":"a1"}"#);
    let cancelled = host.ok("task_cancel", r#"{"goalId":"g1","reason":"no need"}"#);
    assert_eq!(cancelled, serde_json::json!({"cancelled":["t2"],"stopping":["t1"]}));
    let beat = r#"{"taskId":"t1","agentId":"a1","epoch":1}"#;
    assert_eq!(host.ok("task_heartbeat", beat)["cancelRequested"], true);
    host.ok("task_report", r#"{"taskId":"t1","agentId":"a1","epoch":1,"outcome":"completed"}"#);
    assert_eq!(host.task("t1")["state"], "cancelled");
    assert_eq!(host.ok("task_status", r#"{"goalId":"g1"}"#)["goal"]["state"], "cancelled");
    let again = host.ok("task_cancel", r#"{"goalId":"g1"}"#);
    assert_eq!(again, serde_json::json!({"cancelled":[],"stopping":[]}));
}

#[test]
fn capabilities_and_assignment_route_tasks() {
    let mut host = Host::new();
    host.ok("agent_spawn", r#"{"type":"coder","capabilities":["gpu"]}"#);
    host.ok("agent_spawn", r#"{"type":"tester"}"#);
    host.ok("task_submit", r#"{"tasks":[{"capabilities":["gpu"]},{"capabilities":["tester"]},{"assignedTo":"a1"},{"capabilities":["fpga"]}]}"#);
    assert_eq!(host.ok("task_claim", r#"{"agentId":"a2"}"#)["task"]["id"], "t2");
    let error = host.call("task_claim", r#"{"agentId":"a2","taskId":"t1"}"#).unwrap_err();
    assert!(error.message.contains("needs capability gpu, which a2 lacks"), "{error}");
    assert_eq!(host.ok("task_claim", r#"{"agentId":"a1"}"#)["task"]["id"], "t1");
    assert_eq!(host.task("t4")["waitsFor"], "needs capability fpga, which no agent has");
    assert_eq!(host.code("task_claim", r#"{"agentId":"a7"}"#), Code::NotFound);
}

#[test]
fn a_key_answers_once_and_a_changed_body_conflicts() {
    let mut host = Host::new();
    let spawn = r#"{"type":"coder"}"#;
    let first = host.keyed("agent_spawn", spawn, "k1").unwrap();
    let events = host.log.len();
    assert_eq!(host.keyed("agent_spawn", r#"{ "count":null, "type":"coder" }"#, "k1").unwrap(), first);
    assert_eq!(host.log.len(), events);
    assert_eq!(host.keyed("agent_spawn", r#"{"type":"tester"}"#, "k1").unwrap_err().code, Code::Conflict);
    host.now += 86_400_000;
    assert_ne!(host.keyed("agent_spawn", spawn, "k1").unwrap(), first);
}

#[test]
fn time_never_goes_back_and_foreign_or_damaged_lines_are_refused() {
    let mut host = Host::new();
    host.now = 10;
    host.ok("agent_spawn", r#"{"type":"coder"}"#);
    assert!(host.log[1].contains("\"atMs\":1000"));
    let line = host.swarm.call("agent_spawn", r#"{"type":"coder"}"#, 0, "").unwrap().events[0].clone();
    let before = host.swarm.snapshot();
    for bad in [
        line.replace("s-1", "s-2"),
        line.replace("\"seq\":3", "\"seq\":4"),
        line.replace("1000", "999"),
        "{}".into(),
    ] {
        assert_eq!(host.swarm.apply(&bad).unwrap_err().code, Code::Corrupt, "{bad}");
    }
    assert_eq!(host.swarm.snapshot(), before);
}

#[test]
fn artifacts_and_events_are_attached_by_the_host() {
    let mut host = Host::new();
    let put = host.ok("artifact_put", r#"{"content":"aGVsbG8=","name":"greeting"}"#);
    let hash = put["artifact"]["hash"].as_str().unwrap().to_string();
    assert_eq!(put["artifact"]["size"], 5);
    assert_eq!(host.ok("artifact_put", r#"{"content":"aGVsbG8="}"#)["created"], false);
    assert_eq!(host.code("artifact_put", r#"{"content":"***"}"#), Code::InvalidArgument);
    let Decision { response, attach, .. } =
        host.swarm.query("artifact_get", &format!(r#"{{"hash":"{hash}"}}"#)).unwrap();
    assert_eq!(attach, Some(Attach::Artifact { hash }));
    assert!(attach_artifact(&response, b"hello").ends_with(r#""content":"aGVsbG8="}"#));
    let Decision { response, attach, .. } =
        host.swarm.query("swarm_query", r#"{"events":2,"limit":1}"#).unwrap();
    assert_eq!(attach, Some(Attach::Events { after: 1, limit: 1, filter: String::new() }));
    let whole: Value = serde_json::from_str(&attach_events(&response, &[&host.log[1]], "")).unwrap();
    assert_eq!(whole["events"][0].as_str(), Some(host.log[1].as_str()));
    assert_eq!(host.swarm.query("agent_spawn", "{}").unwrap_err().code, Code::InvalidArgument);
    assert_eq!(host.code("make_coffee", "{}"), Code::UnknownOperation);
}

#[test]
fn the_list_of_operations_is_the_catalogue() {
    let text = include_str!("../../tests/vectors/operations.json");
    let catalogue: Value = serde_json::from_str(text).unwrap();
    let listed: Vec<(&str, &str)> = catalogue["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| (operation["name"].as_str().unwrap(), operation["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(listed, ruv_swarm_core::OPERATIONS);
}

#[test]
fn orchestrate_means_the_same_at_every_door() {
    let mut host = Host::new();
    assert_eq!(host.swarm.orchestrate_intent("", true), Ok("train"));
    assert_eq!(host.swarm.orchestrate_intent(" train ", false), Ok("sample"));
    assert_eq!(host.swarm.orchestrate_intent("write the docs", false), Ok("goal"));
    assert_eq!(host.swarm.orchestrate_intent("", false).unwrap_err().field, "task");
    host.ok("agent_spawn", r#"{"type":"neural-processor"}"#);
    assert_eq!(host.swarm.orchestrate_intent("", false), Ok("sample"));
}
