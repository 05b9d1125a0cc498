//! The neural engine: data, networks, training and model files, with the same bits on every target.
//!
//! Sums over inputs run in index order; sums over rows run in blocks of 64 rows, the blocks added left to
//! right; vector lanes hold independent results only; multiply and add stay apart. See `docs/neural.md`.

mod csv;
pub mod data;
mod activation;
mod formats;
mod kernel;
mod math;
pub mod schema;
pub mod plan;
mod table;

pub use data::{inspect_data, DataOptions, Summary};
pub use formats::encode_arrays;
pub use plan::{resolve_plan, MemberPlan, MemberRequest, Recipe, TrainingPlan};
pub use schema::Task;

/// The bundled sample: iris as CSV (Fisher 1936, UCI machine learning repository, CC BY 4.0), target `species`.
pub fn sample() -> &'static [u8] {
    include_bytes!("sample.csv")
}
