//! What the simulator has found in the core, as the shortest list of calls that shows it.

use ruv_swarm_simulator::check::Call;
use ruv_swarm_simulator::shrink;

fn list(calls: &[(&'static str, u64, &str)]) -> Vec<Call> {
    let call = |(operation, now, request): &(&'static str, u64, &str)| Call {
        operation,
        request: (*request).into(),
        now: *now,
        key: String::new(),
    };
    calls.iter().map(call).collect()
}

/// A retry that waits got one more dependency while it waited; when that completed with `claimNext`,
/// the retry began before its time.
#[test]
fn a_claim_next_does_not_cut_a_back_off_short() {
    let calls = list(&[
        ("swarm_init", 1, r#"{"swarmId":"world","seed":7}"#),
        ("agent_spawn", 1, r#"{"type":"coder","capacity":2}"#),
        ("task_submit", 1, r#"{"tasks":[{"name":"again","backoffMs":60000},{"name":"first"}]}"#),
        ("task_claim", 1, r#"{"agentId":"a1","taskId":"t1"}"#),
        (
            "task_report",
            2,
            r#"{"taskId":"t1","agentId":"a1","epoch":1,"outcome":"failed","error":{"message":"no"}}"#,
        ),
        ("task_claim", 3, r#"{"agentId":"a1","taskId":"t2"}"#),
        ("task_update", 4, r#"{"taskId":"t1","addDependsOn":["t2"]}"#),
        (
            "task_report",
            5,
            r#"{"taskId":"t2","agentId":"a1","epoch":1,"outcome":"completed","claimNext":true}"#,
        ),
    ]);
    assert_eq!(shrink::replay(&calls), None);
}
