//! Where a file's columns go in a model's row, and how a target becomes the network's goal.
#![allow(clippy::indexing_slicing)] // places in a row come from the schema itself

use super::fann::column_name;
use super::formats::one_hot;
use super::schema::{list_names, parse_number, shorten, CellError, Schema, Task};
use super::table::{class_index, number_label};
use crate::error::Error;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// Whether targets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goals {
    /// Every row needs its targets.
    Needed,
    /// Targets are stepped over, and need not be there.
    Ignored,
}

fn missing_column(name: &str, names: &[String]) -> Error {
    let name = shorten(name);
    Error::data(
        "data",
        format!("data: no column {name:?}, which the model needs; the columns are: {}", list_names(names)),
    )
}

/// What a CSV column is to the model.
#[derive(Clone, Copy)]
enum Slot {
    /// The index of the feature column and its first input.
    Feature(usize, usize),
    Target(usize),
    Other,
}

/// The columns of a CSV, found by name.
pub(crate) struct CsvLayout {
    slots: Vec<Slot>,
    row: Vec<f32>,
    cells: Vec<String>,
    goal: Vec<f32>,
}

impl CsvLayout {
    /// From the header.
    pub fn new(schema: &Schema, names: &[String], goals: Goals) -> Result<CsvLayout, Error> {
        let mut slots = vec![Slot::Other; names.len()];
        let mut offset = 0;
        for (index, column) in schema.columns.iter().enumerate() {
            let found = names.iter().position(|name| *name == column.name);
            let found = found.ok_or_else(|| missing_column(&column.name, names))?;
            slots[found] = Slot::Feature(index, offset);
            offset += column.width();
        }
        let targets = if goals == Goals::Needed { schema.targets.max(1) } else { 0 };
        for target in 0..targets {
            let name = schema.target_name(target);
            let found = names.iter().position(|known| *known == name);
            slots[found.ok_or_else(|| missing_column(&name, names))?] = Slot::Target(target);
        }
        Ok(CsvLayout { slots, row: vec![0.0; offset], cells: vec![String::new(); targets], goal: Vec::new() })
    }

    /// Columns of the header.
    pub fn columns(&self) -> usize {
        self.slots.len()
    }

    /// Before a row.
    pub fn clear(&mut self) {
        self.cells.iter_mut().for_each(String::clear);
        self.goal.clear();
    }

    /// Takes a cell of data row `number`.
    pub fn cell(&mut self, schema: &Schema, number: u64, index: usize, cell: &str) -> Result<(), Error> {
        match self.slots.get(index) {
            Some(Slot::Feature(column, offset)) => {
                let column = &schema.columns[*column];
                let part = &mut self.row[*offset..*offset + column.width()];
                column
                    .encode(cell, part)
                    .map_err(|error| error.at(&format!("row {number}"), &column.name, cell))?;
                column.fill_missing(part);
            }
            Some(Slot::Target(target)) => self.cells[*target].push_str(cell.trim()),
            _ => {}
        }
        Ok(())
    }

    /// Turns the target cells of the row into goals.
    pub fn goals(&mut self, schema: &Schema, number: u64) -> Result<(), Error> {
        for (target, cell) in self.cells.iter().enumerate() {
            if schema.task == Task::Classification {
                let class = class_index(&schema.classes, cell);
                class_goal(schema, number, class, cell, &mut self.goal)?;
            } else {
                let name = schema.target_name(target);
                let value = parse_number(cell)
                    .map_err(|error: CellError| error.at(&format!("row {number}"), &name, cell))?;
                self.goal.push(value);
            }
        }
        if schema.task == Task::Regression {
            schema.scale_target(&mut self.goal);
        }
        Ok(())
    }

    /// The raw inputs of the row.
    pub fn row(&self) -> &[f32] {
        &self.row
    }

    /// The goals of the row; empty if they are ignored.
    pub fn goal(&self) -> &[f32] {
        &self.goal
    }
}

/// A one-hot goal, or the error that names the row.
fn class_goal(
    schema: &Schema,
    number: u64,
    class: Option<u32>,
    cell: &str,
    goal: &mut Vec<f32>,
) -> Result<(), Error> {
    let Some(class) = class else {
        return Err(Error::data(
            "target",
            format!(
                "target: row {number} of column {:?} is {:?}; allowed: {}",
                shorten(&schema.target),
                shorten(cell),
                list_names(&schema.classes)
            ),
        ));
    };
    goal.extend((0..schema.classes.len() as u32).map(|output| if output == class { 1.0 } else { 0.0 }));
    Ok(())
}

/// The columns of a file of numbers: by position if it has as many inputs as the model, else by `x1`, `x2`.
pub(crate) struct NumberLayout {
    inputs: usize,
    targets: usize,
    /// For each input of the model its place in the file's row.
    places: Vec<usize>,
    goals: Goals,
}

impl NumberLayout {
    /// For rows of `inputs` and `targets` numbers.
    pub fn new(schema: &Schema, inputs: usize, targets: usize, goals: Goals) -> Result<NumberLayout, Error> {
        let needed = schema.inputs();
        let places: Vec<usize> = if inputs == needed {
            (0..inputs).collect()
        } else {
            let place = |name: &str| {
                let number: usize = name.strip_prefix('x')?.parse().ok()?;
                number.checked_sub(1).filter(|place| *place < inputs && column_name(*place, inputs) == name)
            };
            let found =
                schema.columns.iter().map(|column| place(&column.name).filter(|_| column.width() == 1));
            found.collect::<Option<Vec<_>>>().ok_or_else(|| {
                Error::data(
                    "data",
                    format!(
                        "data: {inputs} inputs a row; the model needs {needed}, in the order of its columns"
                    ),
                )
            })?
        };
        let fits = match schema.task {
            Task::Classification => targets == 1 || targets == schema.classes.len(),
            Task::Regression => targets == schema.targets,
        };
        if goals == Goals::Needed && !fits {
            let outputs = schema.outputs();
            return Err(Error::data(
                "target",
                format!("target: {targets} targets a row; the model has {outputs} outputs"),
            ));
        }
        Ok(NumberLayout { inputs, targets, places, goals })
    }

    /// Numbers of a row: inputs, then targets.
    pub fn shape(&self) -> [usize; 2] {
        [self.inputs, self.targets]
    }

    /// Puts the numbers of data row `number` into the model's inputs and the network's goals.
    pub fn place(
        &self,
        schema: &Schema,
        number: u64,
        numbers: &[f32],
        found: &mut (Vec<f32>, Vec<f32>),
    ) -> Result<(), Error> {
        let (row, goal) = found;
        row.clear();
        row.extend(self.places.iter().map(|place| numbers.get(*place).copied().unwrap_or_default()));
        goal.clear();
        let targets = numbers.get(self.inputs..).unwrap_or_default();
        match (self.goals, schema.task) {
            (Goals::Ignored, _) => Ok(()),
            (Goals::Needed, Task::Regression) => {
                goal.extend_from_slice(targets);
                schema.scale_target(goal);
                Ok(())
            }
            (Goals::Needed, Task::Classification) => {
                let (class, cell) = match targets {
                    [label] => {
                        let label = number_label(f64::from(*label));
                        (class_index(&schema.classes, &label), label)
                    }
                    _ => (one_hot(targets), "not one-hot".to_string()),
                };
                class_goal(schema, number, class, &cell, goal)
            }
        }
    }
}
