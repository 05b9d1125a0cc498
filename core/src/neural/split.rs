//! Which rows train, validate and test: integer rules from the seed alone.
#![allow(clippy::indexing_slicing)] // rows, classes, groups and parts are numbered by this module or by the reader

use super::data::Table;
use super::preparation::{Preparation, SplitBy, DEFAULT_SPLIT};
use super::roles::sort_rows;
use crate::error::Error;
use crate::rng::Rng;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// Row numbers of training, validation and test, each ascending.
pub(crate) type Parts = [Vec<u32>; 3];

const TRAIN: usize = 0;
const VALIDATION: usize = 1;
const TEST: usize = 2;

/// Splits as `how` says; every part that has a share gets a row, or it is an error.
pub(crate) fn split(table: &Table, how: &Preparation, rng: &mut Rng) -> Result<Parts, Error> {
    let shares = how.split.unwrap_or(DEFAULT_SPLIT);
    let by = how.split_by.unwrap_or(if !how.group_column.is_empty() {
        SplitBy::Groups
    } else if table.parts.is_some() && how.split.is_none() && how.folds == 0 {
        SplitBy::File
    } else {
        SplitBy::Stratified
    });
    let units = if by == SplitBy::Groups { table.group_sizes().len() } else { table.rows };
    if how.folds as usize > units {
        let what = if by == SplitBy::Groups { "groups" } else { "rows" };
        return Err(Error::data(
            "folds",
            format!("folds: {} for {units} {what}; at most {units} are possible", how.folds),
        ));
    }
    let parts = match (by, how.folds) {
        (SplitBy::Stratified, 0) => stratified(table, &shares, rng),
        (SplitBy::Stratified, _) => stratified_fold(table, &shares, how, rng),
        (SplitBy::Groups, 0) => grouped(table, &shares, rng),
        (SplitBy::Groups, _) => grouped_fold(table, &shares, how, rng),
        (SplitBy::Ordered, _) => ordered(table.rows, &shares),
        (SplitBy::File, _) => return by_file(table),
    };
    let wanted = if how.folds == 0 { shares } else { [1, shares[VALIDATION], 1] };
    if parts.iter().zip(wanted).all(|(part, share)| share == 0 || !part.is_empty()) {
        return Ok(parts);
    }
    Err(too_few(table, by, &shares))
}

fn too_few(table: &Table, by: SplitBy, shares: &[u32; 3]) -> Error {
    let (count, what) = match by {
        SplitBy::Groups => (table.group_sizes().len(), "groups"),
        _ => (table.rows, "rows"),
    };
    let [train, validation, test] = shares;
    Error::data(
        "data",
        format!("data: {count} {what} are too few for the split {train}, {validation}, {test}; give more rows, or a split such as 100, 0, 0"),
    )
}

/// Whether a running total of `share` in `whole` passes a whole number at row `dealt`, shifted by `phase`.
fn passes(dealt: u64, share: u32, whole: u32, phase: u64) -> bool {
    let (share, whole) = (u64::from(share), u64::from(whole));
    (dealt * share + phase + share) / whole > (dealt * share + phase) / whole
}

/// The rows of each class, in row order; one class for regression.
fn by_class(table: &Table) -> Vec<Vec<u32>> {
    let mut classes: Vec<Vec<u32>> = vec![Vec::new(); table.schema.classes.len().max(1)];
    for row in 0..table.rows {
        let class = table.labels.get(row).map_or(0, |label| *label as usize);
        classes[class].push(row as u32);
    }
    classes
}

/// The parts, ascending, from the part of each row.
fn gather(part_of: &[usize]) -> Parts {
    let mut parts = Parts::default();
    for (row, part) in part_of.iter().enumerate() {
        parts[*part].push(row as u32);
    }
    parts
}

/// Deals the rows of each class (shuffled) out in fixed proportion, so that every part sees every class.
pub(crate) fn stratified(table: &Table, shares: &[u32; 3], rng: &mut Rng) -> Parts {
    let mut part_of = vec![TRAIN; table.rows];
    let mut dealt: u64 = 0;
    for rows in &mut by_class(table) {
        rng.shuffle(rows);
        let small = rows.len() < 5;
        for (place, row) in rows.iter().enumerate() {
            let part = if small && place == 0 {
                TRAIN
            } else if passes(dealt, shares[TEST], 100, 0) {
                TEST
            } else if passes(dealt, shares[VALIDATION], 100, 50) {
                VALIDATION
            } else {
                TRAIN
            };
            part_of[*row as usize] = part;
            dealt += 1;
        }
    }
    gather(&part_of)
}

/// Deals the shuffled rows of each class into folds in turn; the folds do not depend on which one tests.
fn stratified_fold(table: &Table, shares: &[u32; 3], how: &Preparation, rng: &mut Rng) -> Parts {
    let mut part_of = vec![TRAIN; table.rows];
    let (mut dealt, mut kept): (u64, u64) = (0, 0);
    let whole = shares[TRAIN] + shares[VALIDATION];
    for rows in &mut by_class(table) {
        rng.shuffle(rows);
        for row in rows.iter() {
            let part = if dealt % u64::from(how.folds) == u64::from(how.fold) - 1 {
                TEST
            } else {
                kept += 1;
                let validates = passes(kept - 1, shares[VALIDATION], whole, u64::from(whole) / 2);
                if validates {
                    VALIDATION
                } else {
                    TRAIN
                }
            };
            part_of[*row as usize] = part;
            dealt += 1;
        }
    }
    gather(&part_of)
}

/// The first rows train, the next validate, the last test; the borders are rounded.
fn ordered(rows: usize, shares: &[u32; 3]) -> Parts {
    let border = |share: u32| ((rows as u64 * u64::from(share) * 2 + 100) / 200) as u32;
    let (first, second) = (border(shares[TRAIN]), border(shares[TRAIN] + shares[VALIDATION]));
    [(0..first).collect(), (first..second).collect(), (second..rows as u32).collect()]
}

fn by_file(table: &Table) -> Result<Parts, Error> {
    let Some([train, validation, test]) = table.parts else {
        return Err(Error::invalid(
            "splitBy",
            format!("splitBy: file; only proben1 text states its split, and this is {}", table.schema.format),
        ));
    };
    if train == 0 {
        return Err(Error::data("data", "data: training_examples=0; at least 1 is needed"));
    }
    let (first, second) = (train as u32, (train + validation) as u32);
    Ok([(0..first).collect(), (first..second).collect(), (second..second + test as u32).collect()])
}

/// The groups, shuffled, then the largest first.
fn group_order(sizes: &[u64], rng: &mut Rng) -> Vec<usize> {
    let mut shuffled: Vec<usize> = (0..sizes.len()).collect();
    rng.shuffle(&mut shuffled);
    let mut places: Vec<u32> = (0..sizes.len() as u32).collect();
    let size = |place: u32| sizes[shuffled[place as usize]];
    sort_rows(&mut places, &mut |a, b| size(b).cmp(&size(a)).then(a.cmp(&b)));
    places.iter().map(|place| shuffled[*place as usize]).collect()
}

/// Gives each group to the part that is least full for its share; the first of equals.
fn fill_parts(order: &[usize], sizes: &[u64], shares: &[u32; 3], of_group: &mut [usize]) {
    let mut filled = [0u64; 3];
    for group in order {
        let mut best = TRAIN;
        for part in [VALIDATION, TEST] {
            let (share, best_share) = (u64::from(shares[part]), u64::from(shares[best]));
            if share > 0 && filled[part] * best_share < filled[best] * share {
                best = part;
            }
        }
        of_group[*group] = best;
        filled[best] += sizes[*group];
    }
}

fn grouped(table: &Table, shares: &[u32; 3], rng: &mut Rng) -> Parts {
    let sizes = table.group_sizes();
    let order = group_order(&sizes, rng);
    let mut of_group = vec![TRAIN; sizes.len()];
    fill_parts(&order, &sizes, shares, &mut of_group);
    rows_of_groups(table, &of_group)
}

/// Gives each group to the fold with the fewest rows; the first of equals.
fn grouped_fold(table: &Table, shares: &[u32; 3], how: &Preparation, rng: &mut Rng) -> Parts {
    let sizes = table.group_sizes();
    let order = group_order(&sizes, rng);
    let mut folds = vec![0u64; how.folds as usize];
    let mut of_group = vec![TEST; sizes.len()];
    let mut rest = Vec::new();
    for group in order {
        let mut least = 0;
        for (fold, filled) in folds.iter().enumerate() {
            if *filled < folds[least] {
                least = fold;
            }
        }
        folds[least] += sizes[group];
        if least + 1 != how.fold as usize {
            rest.push(group);
        }
    }
    fill_parts(&rest, &sizes, &[shares[TRAIN], shares[VALIDATION], 0], &mut of_group);
    rows_of_groups(table, &of_group)
}

fn rows_of_groups(table: &Table, of_group: &[usize]) -> Parts {
    let part_of: Vec<usize> = table.groups.iter().map(|group| of_group[*group as usize]).collect();
    gather(&part_of)
}
