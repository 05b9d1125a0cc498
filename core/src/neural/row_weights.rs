//! How much each row counts: the weight column times the weight of the row's class.

use super::data::Table;
use super::preparation::ClassWeights;
use super::schema::{list_names, shorten, Task};
use super::table::class_index;
use crate::error::Error;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// One weight per row; empty if all rows count alike.
pub(crate) fn row_weights(table: &Table, train: &[u32], classes: &ClassWeights) -> Result<Vec<f32>, Error> {
    let factors = class_factors(table, train, classes)?;
    if factors.is_empty() {
        return Ok(table.weights.clone());
    }
    let factor = |row: usize| {
        let class = table.labels.get(row).map_or(0, |label| *label as usize);
        factors.get(class).copied().unwrap_or(1.0)
    };
    (0..table.rows)
        .map(|row| {
            let weight = (f64::from(table.weights.get(row).copied().unwrap_or(1.0)) * factor(row)) as f32;
            if weight > 0.0 && weight.is_finite() {
                return Ok(weight);
            }
            Err(Error::data(
                "weightColumn",
                format!(
                    "weightColumn: row {}: its weight times its class's is beyond 1.4e-45 to 3.4e38",
                    row + 1
                ),
            ))
        })
        .collect()
}

/// One factor per class; empty if all are 1.
fn class_factors(table: &Table, train: &[u32], classes: &ClassWeights) -> Result<Vec<f64>, Error> {
    if *classes == ClassWeights::Equal {
        return Ok(Vec::new());
    }
    if table.schema.task == Task::Regression {
        return Err(Error::invalid(
            "classWeights",
            "classWeights: the task is regression; class weights need classes",
        ));
    }
    let names = &table.schema.classes;
    let mut factors = vec![1.0; names.len()];
    match classes {
        ClassWeights::Equal => {}
        ClassWeights::Balanced => {
            let mut counts = vec![0u32; names.len()];
            for row in train {
                let label = table.labels.get(*row as usize).map_or(0, |label| *label as usize);
                if let Some(count) = counts.get_mut(label) {
                    *count += 1;
                }
            }
            for (factor, count) in factors.iter_mut().zip(counts) {
                // a class that no row trains on keeps 1
                if count > 0 {
                    *factor = train.len() as f64 / (names.len() as f64 * f64::from(count));
                }
            }
        }
        ClassWeights::Given(given) => {
            for (name, weight) in given {
                let slot = class_index(names, name.trim()).and_then(|class| factors.get_mut(class as usize));
                let Some(slot) = slot else {
                    return Err(Error::invalid(
                        "classWeights",
                        format!(
                            "classWeights: no class {:?}; the classes are: {}",
                            shorten(name),
                            list_names(names)
                        ),
                    ));
                };
                *slot = *weight;
            }
        }
    }
    Ok(factors)
}
