//! CSV to table: one pass finds what the columns are, a second one encodes them.

use super::csv::Reader;
use super::data::{Table, MAX_VALUES};
use super::number::plain;
use super::roles::{no_column, weight_of, Groups, Roles};
use super::schema::{
    is_missing, parse_number, shorten, CellError, Column, Schema, Task, MAX_CATEGORIES, MAX_CLASSES,
    MAX_INPUTS,
};
use crate::error::Error;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// Integers of more distinct values than this are numbers to predict, not classes.
const MAX_INTEGER_CLASSES: usize = 20;

/// What the first pass learns of one column.
#[derive(Default)]
struct Scan {
    values: usize,
    missing: usize,
    first_missing: usize,
    /// The distinct texts in byte order.
    texts: Vec<String>,
    too_many: bool,
    /// The first cell that is no number, and its data row.
    text: Option<(usize, String)>,
    /// The first cell that is `nan`, `inf` or too large, and its data row.
    not_finite: Option<(usize, String)>,
    fractional: bool,
}

impl Scan {
    fn cell(&mut self, cell: &str, row: usize, limit: usize) {
        let cell = cell.trim();
        if is_missing(cell) {
            if self.missing == 0 {
                self.first_missing = row;
            }
            self.missing += 1;
            return;
        }
        self.values += 1;
        match parse_number(cell) {
            Ok(value) => self.fractional |= value != (value as i32) as f32,
            Err(CellError::NotANumber) => {
                self.text.get_or_insert_with(|| (row, shorten(cell)));
            }
            Err(CellError::NotFinite) => {
                self.not_finite.get_or_insert_with(|| (row, shorten(cell)));
            }
        }
        if self.too_many {
            return;
        }
        let Err(place) = self.texts.binary_search_by(|known| known.as_str().cmp(cell)) else { return };
        if self.texts.len() < limit {
            self.texts.insert(place, cell.to_string());
        } else {
            self.too_many = true;
            // numbers have many values as a rule: free the texts at once
            self.texts.clear();
        }
    }

    fn numeric(&self) -> bool {
        self.text.is_none()
    }

    fn check_finite(&self, name: &str) -> Result<(), Error> {
        match &self.not_finite {
            Some((row, cell)) if self.numeric() => {
                Err(CellError::NotFinite.at(&format!("row {row}"), name, cell))
            }
            _ => Ok(()),
        }
    }
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Feature,
    Target,
    Group,
    Weight,
}

/// What the first pass learns of all columns.
struct Scanned {
    scans: Vec<Scan>,
    groups: Groups,
    weights: Vec<f32>,
}

/// Reads a CSV with header; `target` empty means the last column that has no other role.
pub(crate) fn read_csv(
    bytes: &[u8],
    target: &str,
    roles: &Roles<'_>,
    task: Option<Task>,
) -> Result<Table, Error> {
    let mut reader = Reader::new(bytes)?;
    let names = read_header(&mut reader)?;
    let roles = find_roles(&names, target, roles)?;
    let scanned = scan_columns(&mut reader, &names, &roles)?;
    let rows = reader.records().saturating_sub(1) as usize;
    if rows == 0 {
        return Err(Error::data("data", "data: there are no rows below the header"));
    }
    let mut columns = Vec::with_capacity(names.len());
    let mut target = (String::new(), Scan::default());
    for ((name, scan), role) in names.iter().zip(scanned.scans).zip(&roles) {
        match role {
            Role::Target => target = (name.clone(), scan),
            Role::Feature => columns.push(column_of(name, scan)?),
            Role::Group | Role::Weight => {}
        }
    }
    let (task, classes) = classes_of(&target.0, &target.1, task)?;
    let schema = Schema {
        format: "csv".to_string(),
        task,
        target: target.0,
        columns,
        classes,
        targets: 1,
        mean: Vec::new(),
        scale: Vec::new(),
        target_mean: Vec::new(),
        target_scale: Vec::new(),
    };
    let table = encode(bytes, schema, &roles, rows)?;
    Ok(Table { groups: scanned.groups.numbers(), weights: scanned.weights, ..table })
}

/// The column names, trimmed; counts the columns before anything is kept of them.
pub(crate) fn read_header(reader: &mut Reader<'_>) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    let mut count = 0usize;
    reader.record(&mut |_, field| {
        count += 1;
        if count <= MAX_INPUTS {
            names.push(field.trim().to_string());
        }
        Ok(())
    })?;
    if count > MAX_INPUTS {
        return Err(Error::data("data", format!("data: {count} columns; at most {MAX_INPUTS} are allowed")));
    }
    let mut seen: Vec<&str> = Vec::with_capacity(names.len());
    for name in &names {
        if let Err(place) = seen.binary_search(&name.as_str()) {
            seen.insert(place, name);
        } else {
            return Err(Error::data(
                "data",
                format!("data: two columns are named {:?}; rename one", shorten(name)),
            ));
        }
    }
    Ok(names)
}

/// The role of each column.
fn find_roles(names: &[String], target: &str, wanted: &Roles<'_>) -> Result<Vec<Role>, Error> {
    let mut roles = vec![Role::Feature; names.len()];
    for (field, name, role) in [
        ("target", target, Role::Target),
        ("groupColumn", wanted.group, Role::Group),
        ("weightColumn", wanted.weight, Role::Weight),
    ] {
        if name.is_empty() {
            continue;
        }
        let found = names.iter().zip(&mut roles).find(|(known, _)| *known == name);
        let slot = found.map(|(_, slot)| slot).ok_or_else(|| no_column(field, name, names))?;
        if *slot != Role::Feature {
            return Err(Error::invalid(
                field,
                format!("{field}: column {:?} has another role already", shorten(name)),
            ));
        }
        *slot = role;
    }
    if target.is_empty() {
        if let Some(slot) = roles.iter_mut().rev().find(|role| **role == Role::Feature) {
            *slot = Role::Target;
        }
    }
    if !roles.contains(&Role::Feature) {
        let hint = match names.first() {
            Some(name) if names.len() == 1 && name.contains([';', '\t']) => {
                "; separate the columns by commas"
            }
            _ => "",
        };
        let name = names.iter().zip(&roles).find(|(_, role)| **role == Role::Target);
        return Err(Error::data(
            "data",
            format!(
                "data: no feature column: the only column is the target {:?}{hint}",
                shorten(name.map_or("", |(name, _)| name))
            ),
        ));
    }
    Ok(roles)
}

fn scan_columns(reader: &mut Reader<'_>, names: &[String], roles: &[Role]) -> Result<Scanned, Error> {
    let scans = names.iter().map(|_| Scan::default()).collect();
    let mut found = Scanned { scans, groups: Groups::default(), weights: Vec::new() };
    loop {
        let row = reader.records() as usize;
        let count = reader.record(&mut |index, cell| {
            let (Some(scan), Some(role)) = (found.scans.get_mut(index), roles.get(index)) else {
                return Ok(());
            };
            let name = names.get(index).map_or("", String::as_str);
            match role {
                Role::Feature => scan.cell(cell, row, MAX_CATEGORIES),
                Role::Target => scan.cell(cell, row, MAX_CLASSES),
                Role::Group => found.groups.push(cell, row, name)?,
                Role::Weight => found.weights.push(weight_of(cell, row, name)?),
            }
            Ok(())
        })?;
        match count {
            None => return Ok(found),
            Some(count) if count != names.len() => return Err(unequal(row as u64, count, names.len())),
            Some(_) => {}
        }
    }
}

/// The error for a row of another length than the header.
pub(crate) fn unequal(row: u64, count: usize, names: usize) -> Error {
    Error::data("data", format!("data: row {row} has {count} fields, but the header names {names}"))
}

fn column_of(name: &str, scan: Scan) -> Result<Column, Error> {
    scan.check_finite(name)?;
    let mut categories = Vec::new();
    if let Some((row, cell)) = &scan.text {
        if scan.too_many {
            return Err(Error::data(
                "data",
                format!(
                    "data: column {:?} holds texts (row {row}: {cell:?}) of more than {MAX_CATEGORIES} kinds; leave the column out or mend the cell",
                    shorten(name)
                ),
            ));
        }
        categories = scan.texts;
    }
    Ok(Column { name: name.to_string(), categories, indicator: scan.missing > 0, fill: 0.0 })
}

/// The task and the classes of the target column.
fn classes_of(name: &str, scan: &Scan, task: Option<Task>) -> Result<(Task, Vec<String>), Error> {
    let shown = shorten(name);
    if scan.missing > 0 {
        return Err(Error::data(
            "target",
            format!(
                "target: row {} of column {shown:?} is empty; every row needs a target",
                scan.first_missing
            ),
        ));
    }
    scan.check_finite(name)?;
    if task == Some(Task::Regression) {
        return match &scan.text {
            Some((row, cell)) => Err(Error::data(
                "target",
                format!("target: row {row} of column {shown:?} is {cell:?}; regression needs numbers"),
            )),
            None => Ok((Task::Regression, Vec::new())),
        };
    }
    let mut numbers: Vec<f64> = Vec::new();
    if scan.numeric() {
        numbers = scan.texts.iter().filter_map(|text| text.parse().ok()).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        let few = !scan.too_many && !scan.fractional && numbers.len() <= MAX_INTEGER_CLASSES;
        if task.is_none() && !few {
            return Ok((Task::Regression, Vec::new()));
        }
    }
    if scan.too_many {
        return Err(Error::data(
            "target",
            format!("target: column {shown:?} holds more than {MAX_CLASSES} classes; choose another target or task regression"),
        ));
    }
    let classes = if scan.numeric() {
        numbers.iter().map(|number| number_label(*number)).collect()
    } else {
        scan.texts.clone()
    };
    Ok((Task::Classification, classes))
}

/// The class label of a number: its shortest text, so that `1` and `1.0` are one class.
pub(crate) fn number_label(number: f64) -> String {
    // adding 0 turns -0 into 0
    plain(number + 0.0)
}

/// The class index of a trimmed target cell.
pub(crate) fn class_index(classes: &[String], cell: &str) -> Option<u32> {
    let find = |label: &str| classes.iter().position(|class| class == label);
    let index = find(cell).or_else(|| {
        let number: f64 = cell.parse().ok()?;
        find(&number_label(number)).or_else(|| classes.iter().position(|class| class.parse() == Ok(number)))
    });
    index.map(|index| index as u32)
}

/// The second pass: every cell into its inputs, with NaN where a value is missing.
fn encode(bytes: &[u8], schema: Schema, roles: &[Role], rows: usize) -> Result<Table, Error> {
    let width = schema.inputs();
    if width > MAX_INPUTS {
        return Err(Error::data(
            "data",
            format!("data: {width} network inputs after encoding the text columns; at most {MAX_INPUTS} are allowed"),
        ));
    }
    if rows.saturating_mul(width) > MAX_VALUES {
        return Err(Error::data(
            "data",
            format!("data: {rows} rows of {width} inputs; at most {MAX_VALUES} values in all are allowed"),
        ));
    }
    let mut table = Table {
        rows,
        missing: 0,
        inputs: vec![0.0; rows * width],
        labels: Vec::new(),
        values: Vec::new(),
        groups: Vec::new(),
        weights: Vec::new(),
        parts: None,
        schema,
    };
    let mut reader = Reader::new(bytes)?;
    reader.record(&mut |_, _| Ok(()))?;
    let mut offset = 0;
    for row in 1..=rows {
        let (schema, inputs) = (&table.schema, &mut table.inputs);
        let (labels, values, missing) = (&mut table.labels, &mut table.values, &mut table.missing);
        let mut features = schema.columns.iter();
        reader.record(&mut |index, cell| {
            match roles.get(index) {
                Some(Role::Target) => return push_target(schema, cell, row, labels, values),
                Some(Role::Feature) => {}
                _ => return Ok(()),
            }
            let Some(column) = features.next() else { return Ok(()) };
            let slot = inputs.get_mut(offset..offset + column.width()).unwrap_or_default();
            offset += column.width();
            let place = |error: CellError| error.at(&format!("row {row}"), &column.name, cell);
            *missing += u64::from(column.encode(cell, slot).map_err(place)?);
            Ok(())
        })?;
    }
    Ok(table)
}

fn push_target(
    schema: &Schema,
    cell: &str,
    row: usize,
    labels: &mut Vec<u32>,
    values: &mut Vec<f32>,
) -> Result<(), Error> {
    let cell = cell.trim();
    match schema.task {
        Task::Classification => labels.push(class_index(&schema.classes, cell).unwrap_or(0)),
        Task::Regression => {
            let place = |error: CellError| error.at(&format!("row {row}"), &schema.target, cell);
            values.push(parse_number(cell).map_err(place)?);
        }
    }
    Ok(())
}
