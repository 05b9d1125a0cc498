//! Filled gaps and scaling, both measured on the training rows alone.
#![allow(clippy::indexing_slicing)] // row and input indices come from the table's own shape

use super::data::Table;
use super::number::shown;
use super::preparation::Scaling;
use super::schema::{shorten, Task};
use crate::error::Error;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::root::sqrt_f64;

/// Measures what stands for missing values on the training rows and puts it in everywhere.
pub(crate) fn fill_gaps(table: &mut Table, train: &[u32]) {
    let width = table.schema.inputs();
    let mut offset = 0;
    for column in &mut table.schema.columns {
        let span = column.width();
        if column.categories.is_empty() {
            let (mut sum, mut count) = (0.0f64, 0u32);
            for row in train {
                let value = table.inputs[*row as usize * width + offset];
                if !value.is_nan() {
                    sum += f64::from(value);
                    count += 1;
                }
            }
            column.fill = if count > 0 { (sum / f64::from(count)) as f32 } else { 0.0 };
        } else {
            let mut counts = vec![0u32; column.categories.len()];
            for row in train {
                let start = *row as usize * width + offset;
                for (count, value) in counts.iter_mut().zip(&table.inputs[start..start + span]) {
                    *count += u32::from(*value == 1.0);
                }
            }
            // the first of the most frequent
            let mut best = 0;
            for (index, count) in counts.iter().enumerate() {
                if *count > counts[best] {
                    best = index;
                }
            }
            column.fill = best as f32;
        }
        for row in table.inputs.chunks_exact_mut(width) {
            column.fill_missing(&mut row[offset..offset + span]);
        }
        offset += span;
    }
}

/// What is subtracted from a value, and what the rest is divided by; a divisor of 0 marks equal values.
fn measure(scaling: Scaling, values: impl Iterator<Item = f32> + Clone) -> (f32, f64) {
    match scaling {
        Scaling::Standard => {
            let (center, deviation) = moments(values);
            (center as f32, deviation)
        }
        Scaling::MinMax => {
            let (low, high) = extent(values);
            // rounded as the values' own distances are, so that the greatest becomes 1 and not a bit more
            let span = high - low;
            (low, if span.is_finite() { f64::from(span) } else { f64::from(high) - f64::from(low) })
        }
        Scaling::None => (0.0, 1.0),
    }
}

/// Mean and standard deviation in row order; the deviation of equal values is exactly 0.
fn moments(values: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let mut all = values.clone();
    let Some(first) = all.next() else { return (0.0, 0.0) };
    let mut sum = f64::from(first);
    let mut count = 1.0f64;
    let mut equal = true;
    for value in all {
        sum += f64::from(value);
        count += 1.0;
        equal &= value == first;
    }
    if equal {
        return (f64::from(first), 0.0);
    }
    let mean = sum / count;
    let squares = values.fold(0.0, |sum, value| {
        let distance = f64::from(value) - mean;
        sum + distance * distance
    });
    (mean, sqrt_f64(squares / count))
}

fn extent(mut values: impl Iterator<Item = f32>) -> (f32, f32) {
    let Some(first) = values.next() else { return (0.0, 0.0) };
    values.fold((first, first), |(low, high), value| {
        (if value < low { value } else { low }, if value > high { value } else { high })
    })
}

/// The reciprocal as f32; 0 (a constant input) where it is beyond f32.
fn reciprocal(divisor: f64) -> f32 {
    let value = (1.0 / divisor) as f32;
    if divisor > 0.0 && value.is_finite() {
        value
    } else {
        0.0
    }
}

/// Measures the scaling of each input and applies it to all rows; one-hot inputs and indicators stay 0 and 1.
pub(crate) fn scale_inputs(table: &mut Table, train: &[u32], scaling: Scaling) -> Result<(), Error> {
    let width = table.schema.inputs();
    let mut mean = Vec::with_capacity(width);
    let mut scale = Vec::with_capacity(width);
    for column in &table.schema.columns {
        for place in 0..column.width() {
            let input = mean.len();
            let values = train.iter().map(|row| table.inputs[*row as usize * width + input]);
            let (center, divisor) = measure(scaling, values);
            let one_hot = !column.categories.is_empty() || place > 0;
            mean.push(if one_hot { 0.0 } else { center });
            scale.push(match (divisor == 0.0, one_hot) {
                (true, _) => 0.0,
                (false, true) => 1.0,
                (false, false) => reciprocal(divisor),
            });
        }
    }
    table.schema.mean = mean;
    table.schema.scale = scale;
    for (index, row) in table.inputs.chunks_exact_mut(width).enumerate() {
        table.schema.standardise(row);
        table.schema.check_scaled(row, &format!("row {}", index + 1))?;
    }
    Ok(())
}

/// One-hot rows for classes; scaled numbers for regression, with the scaling kept in the schema.
pub(crate) fn scale_targets(table: &mut Table, train: &[u32], scaling: Scaling) -> Result<Vec<f32>, Error> {
    let outputs = table.schema.outputs();
    let mut targets = vec![0.0; table.rows * outputs];
    if table.schema.task == Task::Classification {
        for (row, label) in targets.chunks_exact_mut(outputs).zip(&table.labels) {
            row[*label as usize] = 1.0;
        }
        return Ok(targets);
    }
    for output in 0..outputs {
        let values = train.iter().map(|row| table.values[*row as usize * outputs + output]);
        let (center, divisor) = measure(scaling, values);
        let divisor = divisor as f32;
        if !divisor.is_finite() {
            let name = shorten(&table.schema.target_name(output));
            return Err(Error::data(
                "target",
                format!("target: column {name:?} reaches over more than 3.4e38; choose target scaling standard or smaller units"),
            ));
        }
        table.schema.target_mean.push(center);
        table.schema.target_scale.push(if divisor > 0.0 { divisor } else { 1.0 });
    }
    for (row, (slots, values)) in
        targets.chunks_exact_mut(outputs).zip(table.values.chunks_exact(outputs)).enumerate()
    {
        slots.copy_from_slice(values);
        table.schema.scale_target(slots);
        if let Some(output) = slots.iter().position(|value| !value.is_finite()) {
            let name = shorten(&table.schema.target_name(output));
            return Err(Error::data(
                "target",
                format!(
                    "target: row {}, column {name:?}: {} is too far from the training rows to be scaled",
                    row + 1,
                    shown(values[output])
                ),
            ));
        }
    }
    Ok(targets)
}
