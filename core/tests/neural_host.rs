//! A host that flushes denormals or rounds in another way changes nothing, and gets its settings back.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use ruv_swarm_core::neural::{
    fuse, inspect_data, resolve_plan, EvaluateStream, MemberRequest, Model, PredictStream, Predictor,
    Session, Trainer,
};

const IRIS: &[u8] = include_bytes!("../../tests/data/iris.csv");
const SUNSPOTS: &[u8] = include_bytes!("../../tests/data/sunspots.csv");

/// The control register of this thread.
#[cfg(target_arch = "x86_64")]
mod register {
    /// Flushing of results and operands; rounding down, up and towards zero; all together.
    pub const HOSTS: [u64; 5] = [0x8040, 0x2000, 0x4000, 0x6000, 0xe040];

    pub fn read() -> u64 {
        let mut state = 0u32;
        // SAFETY: stores the register into a local of its size.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut state) };
        u64::from(state)
    }

    pub fn write(state: u64) {
        let state = state as u32;
        // SAFETY: the bits set are flushing and rounding, and are put back.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &state) };
    }
}

/// The control register of this thread.
#[cfg(target_arch = "aarch64")]
mod register {
    /// Flushing; rounding up, down and towards zero; all together.
    pub const HOSTS: [u64; 5] = [1 << 24, 1 << 22, 2 << 22, 3 << 22, 7 << 22];

    pub fn read() -> u64 {
        let state: u64;
        // SAFETY: reads the register.
        unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) state) };
        state
    }

    pub fn write(state: u64) {
        // SAFETY: the bits set are flushing and rounding, and are put back.
        unsafe { std::arch::asm!("msr fpcr, {}", in(reg) state) };
    }
}

/// Runs `work` in a host with these settings besides the defaults; they must be there still after it.
fn within<T>(host: u64, work: impl FnOnce() -> T) -> T {
    let kept = register::read();
    register::write(kept | host);
    let found = std::hint::black_box(work());
    let after = register::read();
    register::write(kept);
    assert_eq!(after & host, host, "the host's settings are back");
    found
}

/// The same bytes from every host.
fn same(name: &str, work: impl Fn() -> Vec<u8>) {
    let wanted = within(0, &work);
    assert!(!wanted.is_empty());
    for host in register::HOSTS {
        assert!(within(host, &work) == wanted, "{name}: settings {host:#x} change the answer");
    }
}

fn trained(bytes: &[u8], options: &str) -> (Vec<u8>, String, Vec<u8>) {
    let mut session = Session::new(bytes, options).unwrap();
    session.run(13).unwrap();
    let mut session = Session::resume(&session.checkpoint(), bytes).unwrap();
    while !session.done() {
        session.run(50).unwrap();
    }
    let checkpoint = session.checkpoint();
    let trained = session.finish().unwrap();
    (trained.model, trained.report_json, checkpoint)
}

#[test]
fn a_training_is_the_same() {
    for (bytes, options) in [
        (IRIS, r#"{"epochs":150,"gl":4.1,"pq":0.3,"init":"nguyen-widrow","learningRate":0.037}"#),
        (
            IRIS,
            r#"{"algorithm":"adam","epochs":60,"connectionRate":0.61,"dropout":0.1,"noise":0.03,"l1":0.001,
            "classWeights":"balanced","init":"glorot","hidden":[7,5],"shortcut":true,"steepness":0.3}"#,
        ),
        (
            SUNSPOTS,
            r#"{"algorithm":"incremental","momentum":0.7,"epochs":30,"activation":"softplus",
            "targetScaling":"min-max","scaling":"min-max","loss":"huber","huberDelta":0.3}"#,
        ),
        (SUNSPOTS, r#"{"algorithm":"quickprop","epochs":90,"activation":"gaussian","steepness":3,"up":3}"#),
    ] {
        same(options, || {
            let (model, report, checkpoint) = trained(bytes, options);
            [model, report.into_bytes(), checkpoint].concat()
        });
    }
}

#[test]
fn answers_of_a_model_are_the_same() {
    for (bytes, options) in [
        (IRIS, r#"{"epochs":40,"hidden":[9]}"#),
        (SUNSPOTS, r#"{"epochs":40,"activation":"sine","shortcut":true}"#),
    ] {
        let file = trained(bytes, options).0;
        same(options, || {
            let model = Model::load(&file).unwrap();
            let (inputs, outputs) = (model.inputs(), model.outputs());
            let values: Vec<f32> = (0..70 * inputs).map(|index| (index * 29 % 101) as f32 / 16.0).collect();
            let mut first = vec![0.0; 70 * outputs];
            model.predict_rows(&values, 70, &mut first).unwrap();
            let mut predictor = Predictor::new(&model).unwrap();
            let mut second = vec![0.0; 70 * outputs];
            predictor.rows(0, &values, &mut second).unwrap();
            predictor.row(&values[..inputs], &mut first[..outputs]).unwrap();
            let mut found: Vec<u8> =
                first.iter().chain(&second).flat_map(|value| value.to_le_bytes()).collect();
            let mut predicting = PredictStream::new(&model);
            let mut evaluating = EvaluateStream::new(&model);
            for part in bytes.chunks(999) {
                predicting.push(part, &mut found).unwrap();
                evaluating.push(part).unwrap();
            }
            predicting.finish(&mut found).unwrap();
            found.extend(evaluating.finish().unwrap().into_bytes());
            found.extend(model.evaluate_csv(bytes).unwrap().into_bytes());
            found.extend(model.predict_csv(bytes).unwrap().csv);
            found
        });
    }
}

#[test]
fn the_members_of_a_swarm_are_the_same() {
    let members: Vec<MemberRequest> = [("convergent", "cascade-correlation"), ("divergent", "rprop")]
        .iter()
        .map(|(pattern, word)| MemberRequest {
            pattern: pattern.to_string(),
            algorithms: vec![word.to_string()],
        })
        .collect();
    same("swarm", || {
        let summary = inspect_data(SUNSPOTS, "").unwrap();
        let mut plan = resolve_plan(&summary, 7, &members).unwrap();
        for member in &mut plan.members {
            member.recipe.max_epochs = member.recipe.max_epochs.min(40);
        }
        let plan = serde_json::to_string(&plan).unwrap();
        let mut models = Vec::new();
        for member in 0..members.len() {
            let mut trainer = Trainer::new(SUNSPOTS, &plan, member).unwrap();
            while !trainer.done() {
                trainer.run(16).unwrap();
            }
            models.push(trainer.finish().unwrap().model);
        }
        let fused = fuse(SUNSPOTS, &plan, &models).unwrap();
        [summary.into_bytes(), plan.into_bytes(), fused.model, fused.report_json.into_bytes()].concat()
    });
}
