//! The neural engine: data, networks, training and model files, with the same bits on every target.
//!
//! Sums over inputs run in index order; sums over rows run in blocks of 64 rows, the blocks added left to
//! right; vector lanes hold independent results only; multiply and add stay apart. See `docs/neural.md`.

mod activation;
mod array_rows;
mod bytes;
mod cascade_trainer;
mod checkpoint;
mod codec;
mod codec_network;
mod csv;
pub mod data;
pub mod door;
mod fann;
mod formats;
mod fuse;
mod layout;
mod learner;
mod model;
mod number;
mod option_checks;
pub mod options;
mod pattern;
pub mod plan;
mod predictor;
mod preparation;
mod prepare;
mod proben1;
mod roles;
mod row_weights;
mod rows;
mod scale;
pub mod schema;
mod session;
mod split;
mod stopping;
mod stream;
mod table;
mod trainer;
mod view;

pub use activation::activate;
pub use checkpoint::{checkpoint_note, CHECKPOINT_MAGIC, CHECKPOINT_VERSION};
pub use codec::{MODEL_MAGIC, MODEL_VERSION};
pub use data::{inspect_data, DataOptions, Summary};
pub use formats::encode_arrays;
pub use fuse::{fuse, FuseResult};
pub use model::{LayerWeights, Model, PredictedCsv};
pub use options::Options;
pub use plan::{resolve_plan, MemberPlan, MemberRequest, Recipe, TrainingPlan, ENGINE_VERSION};
pub use predictor::Predictor;
pub use preparation::{ClassWeights, Preparation, Scaling, SplitBy};
pub use prepare::{check_targets, prepare_with, Prepared};
pub use ruv_swarm_neural::{Activation, Level};
pub use schema::Task;
pub use session::{Session, Trained};
pub use stream::{EvaluateStream, PredictStream};
pub use trainer::{MemberResult, Progress, Trainer};

/// The bundled sample: iris as CSV (Fisher 1936, UCI machine learning repository, CC BY 4.0), target `species`.
pub fn sample() -> &'static [u8] {
    include_bytes!("sample.csv")
}
