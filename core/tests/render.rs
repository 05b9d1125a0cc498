//! The blocks of text that people read, word for word.

use ruv_swarm_core::{render, render_event};

#[test]
fn a_status_names_every_state_in_the_order_of_a_tasks_life() {
    let response = r#"{"swarmId":"s-1","topology":"mesh","strategy":"balanced","agents":2,"maxAgents":100,
        "tasks":{"blocked":1,"ready":2,"running":3,"paused":0,"completed":4,"failed":0,"cancelled":0},
        "version":9,"stateHash":"ab"}"#;
    assert_eq!(
        render("swarm_status", response),
        "swarm s-1: topology mesh, strategy balanced, 2 of at most 100 agents\n\
         tasks: 1 blocked, 2 ready, 3 running, 0 paused, 4 completed, 0 failed, 0 cancelled\n\
         events 9, state ab\n"
    );
}

#[test]
fn a_leaderboard_shows_figures_and_a_dash_where_there_is_none() {
    let response = r#"{"goalId":"g1","state":"completed","modelHash":"cd","members":[
        {"agentId":"a2","pattern":"lateral","algorithm":"rprop","network":"4-8-1","validationLoss":0.25,
         "validationAccuracy":null,"epochs":12,"durationMs":1300}],
        "ensemble":{"testLoss":0.5,"testAccuracy":0.875,"meanMemberLoss":0.75,"ambiguity":0.25}}"#;
    assert_eq!(
        render("task_results", response),
        "g1: completed\n\
         #  agent  pattern  algorithm  network  validation loss  accuracy  epochs  time\n\
         1  a2     lateral  rprop      4-8-1    0.250000         -         12      1.3 s\n\
         ensemble on held-out rows: loss 0.500000, accuracy 87.50 %, mean member loss 0.750000, ambiguity 0.250000\n\
         model cd\n"
    );
}

#[test]
fn an_event_is_one_line_and_foreign_text_is_passed_on() {
    let line = r#"{"v":1,"swarm":"s-1","seq":7,"atMs":1000,"kind":"LeaseExpired","body":{"taskId":"t3","agentId":"a1","epoch":2,"retry":true}}"#;
    assert_eq!(
        render_event(line),
        "     7  1970-01-01 00:00:01  LeaseExpired     t3 held by a1, epoch 2; it is tried again\n"
    );
    assert_eq!(render_event("no event"), "no event\n");
    assert_eq!(render("task_claim", "{}"), "no task to claim\n");
    assert_eq!(render("tick", "not json"), "not json");
}
