//! Columns that are no features: groups keep rows together in a split, weights say how much a row counts.

use super::data::Table;
use super::number::shown;
use super::schema::{is_missing, list_names, parse_number, shorten, Column};
use crate::error::Error;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The names of the columns; empty: none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Roles<'a> {
    pub group: &'a str,
    pub weight: &'a str,
}

/// Sorts row numbers (or places); the only sort of the data side, since each kind of sort adds to the WASM module.
pub(crate) fn sort_rows(rows: &mut [u32], compare: &mut dyn FnMut(u32, u32) -> Ordering) {
    rows.sort_unstable_by(|a, b| compare(*a, *b));
}

/// The group cells of all rows; two are of one group if their trimmed texts are equal.
#[derive(Default)]
pub(crate) struct Groups {
    text: String,
    /// Where each row's cell ends in `text`.
    ends: Vec<usize>,
}

impl Groups {
    /// Takes the cell of data row `row` (from 1).
    pub fn push(&mut self, cell: &str, row: usize, name: &str) -> Result<(), Error> {
        let cell = cell.trim();
        if is_missing(cell) {
            let name = shorten(name);
            return Err(Error::data(
                "groupColumn",
                format!("groupColumn: row {row}, column {name:?} is empty; every row needs a group"),
            ));
        }
        self.text.push_str(cell);
        self.ends.push(self.text.len());
        Ok(())
    }

    fn cell(&self, row: u32) -> &str {
        let row = row as usize;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..self.ends.get(row).copied().unwrap_or(start)).unwrap_or("")
    }

    /// The group of each row, numbered from 0 as they appear.
    pub fn numbers(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.ends.len() as u32).collect();
        sort_rows(&mut order, &mut |a, b| self.cell(a).cmp(self.cell(b)).then(a.cmp(&b)));
        // for each row the first one of its group
        let mut groups = vec![0; order.len()];
        let mut first = 0;
        for row in order {
            if self.cell(row) != self.cell(first) {
                first = row;
            }
            if let Some(slot) = groups.get_mut(row as usize) {
                *slot = first;
            }
        }
        let mut count = 0;
        for row in 0..groups.len() {
            let first = groups.get(row).copied().unwrap_or(0) as usize;
            let number = if first == row {
                count += 1;
                count - 1
            } else {
                // an earlier row, whose number stands already
                groups.get(first).copied().unwrap_or(0)
            };
            if let Some(slot) = groups.get_mut(row) {
                *slot = number;
            }
        }
        groups
    }
}

/// The weight in the cell of data row `row` (from 1).
pub(crate) fn weight_of(cell: &str, row: usize, name: &str) -> Result<f32, Error> {
    match parse_number(cell.trim()) {
        Ok(weight) if weight > 0.0 => Ok(weight),
        _ => Err(bad_weight(cell, row, name)),
    }
}

fn bad_weight(cell: &str, row: usize, name: &str) -> Error {
    let (name, cell) = (shorten(name), shorten(cell.trim()));
    Error::data(
        "weightColumn",
        format!("weightColumn: row {row}, column {name:?}: {cell:?}; allowed: numbers above 0 to 3.4e38"),
    )
}

/// The error for a column that is not there.
pub(crate) fn no_column(field: &str, name: &str, names: &[String]) -> Error {
    Error::invalid(
        field,
        format!("{field}: no column {:?}; the columns are: {}", shorten(name), list_names(names)),
    )
}

/// Moves group and weight columns out of a table of numbers.
pub(crate) fn take_columns(table: &mut Table, roles: &Roles<'_>) -> Result<(), Error> {
    if !roles.group.is_empty() {
        let mut groups = Groups::default();
        for (index, value) in take(table, "groupColumn", roles.group)?.iter().enumerate() {
            // adding 0 turns -0 into 0
            groups.push(&shown(value + 0.0), index + 1, roles.group)?;
        }
        table.groups = groups.numbers();
    }
    if !roles.weight.is_empty() {
        let weights = take(table, "weightColumn", roles.weight)?;
        if let Some(index) = weights.iter().position(|weight| *weight <= 0.0) {
            let cell = weights.get(index).map(|weight| shown(*weight)).unwrap_or_default();
            return Err(bad_weight(&cell, index + 1, roles.weight));
        }
        table.weights = weights;
    }
    Ok(())
}

/// One column's values, taken out of the features.
fn take(table: &mut Table, field: &str, name: &str) -> Result<Vec<f32>, Error> {
    let columns = &mut table.schema.columns;
    let Some(index) = columns.iter().position(|column| column.name == name) else {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        return Err(no_column(field, name, &names));
    };
    if columns.len() == 1 {
        return Err(Error::data("data", "data: no feature column is left"));
    }
    let width: usize = columns.iter().map(Column::width).sum();
    columns.remove(index);
    let mut taken = Vec::with_capacity(table.rows);
    let mut kept = Vec::with_capacity(table.rows * (width - 1));
    for row in table.inputs.chunks_exact(width) {
        for (place, value) in row.iter().enumerate() {
            if place == index {
                taken.push(*value);
            } else {
                kept.push(*value);
            }
        }
    }
    table.inputs = kept;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_as_they_appear() {
        let mut groups = Groups::default();
        for (row, cell) in ["b", "a", " b ", "ab", "a", "c", "b", "ab"].iter().enumerate() {
            groups.push(cell, row + 1, "g").unwrap();
        }
        assert_eq!(groups.numbers(), [0, 1, 0, 2, 1, 3, 0, 2]);
        assert!(Groups::default().numbers().is_empty());
    }
}
