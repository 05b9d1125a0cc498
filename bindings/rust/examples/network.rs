//! One network from Rust: `cargo run --release --example network`, or with `-- FILE.csv` on a file of yours.
//!
//! It learns a CSV, goes on from a checkpoint to the very same network, and learns a rule from slices.

use std::error::Error;

use ruv_swarm::neural::{self, Model, Progress, Session, Then, Training};

fn main() -> Result<(), Box<dyn Error>> {
    let data = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => neural::sample().to_vec(),
    };
    let options = r#"{"hidden":[16,8],"algorithm":"rprop","epochs":200,"patience":0}"#;

    // slices by the clock, with a look at the losses after each
    let mut training = Training::new(Session::new(&data, options)?)?;
    training.run(&mut |progress| {
        if let Ok(Progress { epoch, train_loss: Some(loss), .. }) = Progress::read(progress) {
            println!("epoch {epoch}: loss {loss:.6}");
        }
        Then::GoOn
    })?;
    let trained = training.finish()?;
    println!("{}", trained.report_json);

    // the same in two halves: a checkpoint is all that the second one needs beside the data
    let mut first = Session::new(&data, options)?;
    first.run(100)?;
    let mut second = Session::resume(&first.checkpoint(), &data)?;
    second.run(u32::MAX)?;
    assert_eq!(second.finish()?.model, trained.model);

    let model = Model::load(&trained.model)?;
    println!("{}", model.evaluate_csv(&data)?);

    // slices of numbers: is the sum of two numbers above 1?
    let rows = 200;
    let inputs: Vec<f32> = (0..2 * rows).map(|place| (place * 7919 % 101) as f32 / 100.0).collect();
    let targets: Vec<f32> =
        inputs.chunks_exact(2).map(|pair| if pair[0] + pair[1] > 1.0 { 1.0 } else { 0.0 }).collect();
    let trained = neural::train_arrays(&inputs, &targets, rows, r#"{"hidden":[4],"epochs":100}"#)?;
    let model = Model::load(&trained.model)?;
    let mut answer = [0.0; 2];
    model.predict_rows(&[0.9, 0.8], 1, &mut answer)?;
    println!("0.9 + 0.8 > 1: {:.1} %", 100.0 * answer[1]);
    Ok(())
}
