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

#[test]
fn a_training_is_told_in_figures_that_fit_their_size() {
    let progress = r#"{"epoch":7,"maxEpochs":100,"trainLoss":0.25,"validationLoss":0.00001234567,
        "bestValidationLoss":0.00001,"bestEpoch":5,"done":false,"stopped":""}"#;
    assert_eq!(
        render("train_progress", progress),
        "epoch 7 of at most 100: loss 0.250000, validation 1.23457e-5 (best 1.00000e-5 at epoch 5)\n"
    );
    let progress = r#"{"epoch":7,"maxEpochs":100,"trainLoss":0,"validationLoss":null}"#;
    assert_eq!(render("train_progress", progress), "epoch 7 of at most 100: loss 0.000000\n");
    let report = r#"{"epochs":9,"trainLoss":0.5,"validationLoss":null,"testLoss":0.25,"testAccuracy":0.875,
        "modelHash":"ab","out":"m.rsn","bestEpoch":4,"stopped":"gl"}"#;
    assert_eq!(
        render("train", report),
        "9 epochs, best 4; stopped by generalisation loss (GL)\ntraining loss 0.500000\n\
         test loss 0.250000, accuracy 87.50 %\nmodel ab\nwrote m.rsn\n"
    );
    assert_eq!(render("evaluate", r#"{"rows":3,"loss":1.5,"accuracy":null}"#), "3 rows: loss 1.500000\n");
}

#[test]
fn a_model_is_told_column_by_column_and_layer_by_layer() {
    let model = r#"{"hash":"ab","version":2,"bytes":99,"task":"classification","target":"kind","features":2,
        "inputs":4,"outputs":2,"classes":["x","y"],"columns":[
        {"name":"size","categories":[],"indicator":true,"mean":[1.5],"scale":[0.25]},
        {"name":"colour","categories":["red","blue"],"indicator":false,"mean":[0,0],"scale":[1,1]}],
        "members":[{"pattern":"","algorithm":"rprop","network":"4-3-2","weight":1,"epochs":7,"shortcut":true,
        "layers":[{"units":3,"activation":"tanh","steepness":0.5},{"units":2,"activation":"softmax","steepness":1.0}],
        "weights":33,"connections":30}]}"#;
    assert_eq!(
        render("inspect", model),
        "model ab\n99 bytes, version 2\nclassification of \"kind\": 2 columns, 4 inputs, 2 outputs\nclasses: x, y\n\n\
         column  holds                mean      factor\n\
         size    numbers, or nothing  1.500000  0.250000\n\
         colour  2 texts              -         -\n\n\
         network 4-3-2, 30 weights, rprop after 7 epochs\n\
         each layer sees the inputs and all layers before it\n\
         layer  units  activation  steepness\n\
         1      3      tanh        0.5\n\
         2      2      softmax     1.0\n"
    );
}
