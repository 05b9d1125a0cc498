//! Rows in the shapes that the kernels read: panels, sheets and target panels, block by block.
#![allow(clippy::indexing_slicing)] // block offsets follow from the row count

use crate::buffer::Buffer;
use crate::kernel::{sheet_stride, BLOCK, STRIP};
use crate::{FloatState, Rng};
use alloc::vec;
use alloc::vec::Vec;

/// A set of rows with their targets, cut into blocks of 64.
#[derive(Clone, Debug)]
pub struct Rows {
    rows: usize,
    inputs: usize,
    outputs: usize,
    stride: usize,
    /// `[block][strip][input][row]`.
    panels: Buffer,
    /// `[block][row][1, input…, padding]`.
    sheets: Buffer,
    /// `[block][strip][output][row]`.
    targets: Buffer,
    /// `[block][row]`, if rows differ in weight.
    weights: Option<Buffer>,
    /// Sum of the rows' weights.
    total: f64,
}

/// One block.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub rows: usize,
    pub panel: &'a [f32],
    pub sheet: &'a [f32],
    pub targets: &'a [f32],
    pub weights: Option<&'a [f32]>,
}

impl Rows {
    /// Room for `rows` rows.
    fn room(rows: usize, inputs: usize, outputs: usize, weighted: bool) -> Rows {
        let stride = sheet_stride(inputs + 1);
        let blocks = rows.div_ceil(BLOCK);
        Rows {
            rows,
            inputs,
            outputs,
            stride,
            panels: Buffer::new(blocks * inputs * BLOCK),
            sheets: Buffer::new(blocks * BLOCK * stride),
            targets: Buffer::new(blocks * outputs * BLOCK),
            weights: weighted.then(|| Buffer::new(blocks * BLOCK)),
            total: 0.0,
        }
    }

    /// `rows` rows that `fill(row, inputs, targets)` gives; it answers the row's weight, 1 for a plain row.
    pub fn build(
        rows: usize,
        inputs: usize,
        outputs: usize,
        mut fill: impl FnMut(usize, &mut [f32], &mut [f32]) -> f32,
    ) -> Rows {
        let _settings = FloatState::hold();
        let mut all = Rows::room(rows, inputs, outputs, true);
        let mut target = vec![0.0; outputs];
        let mut plain = true;
        for row in 0..rows {
            let sheet = &mut all.sheets[row * all.stride..(row + 1) * all.stride];
            sheet[0] = 1.0;
            let weight = fill(row, &mut sheet[1..=inputs], &mut target);
            plain &= weight == 1.0;
            all.total += f64::from(weight);
            if let Some(weights) = &mut all.weights {
                weights[row] = weight;
            }
            for (output, value) in target.iter().enumerate() {
                all.targets[(row / STRIP * outputs + output) * STRIP + row % STRIP] = *value;
            }
        }
        if plain {
            all.weights = None;
        }
        (0..all.blocks()).for_each(|block| all.refresh_panel(block));
        all
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers of an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers of a target row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Sum of the rows' weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    pub(crate) fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// One block.
    #[inline(always)]
    pub(crate) fn block(&self, index: usize) -> Block<'_> {
        let (panel, sheet, target) = (self.inputs * BLOCK, BLOCK * self.stride, self.outputs * BLOCK);
        Block {
            rows: BLOCK.min(self.rows - index * BLOCK),
            panel: &self.panels[index * panel..(index + 1) * panel],
            sheet: &self.sheets[index * sheet..(index + 1) * sheet],
            targets: &self.targets[index * target..(index + 1) * target],
            weights: self.weights.as_ref().map(|weights| &weights[index * BLOCK..(index + 1) * BLOCK]),
        }
    }

    /// The inputs of one row.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.sheets[row * self.stride + 1..row * self.stride + 1 + self.inputs]
    }

    /// Where the targets of one row are: the first one, the others each [`STRIP`] numbers on.
    #[inline(always)]
    pub(crate) fn targets_of(&self, row: usize) -> &[f32] {
        &self.targets[row / STRIP * self.outputs * STRIP + row % STRIP..]
    }

    /// The weight of one row.
    #[inline(always)]
    pub(crate) fn weight(&self, row: usize) -> f32 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// Room for `rows` rows of the same kind.
    pub(crate) fn like(&self, rows: usize) -> Rows {
        Rows::room(rows, self.inputs, self.outputs, self.weights.is_some())
    }

    /// Copies the chosen rows of `source`, with noise of half width `noise` on the inputs.
    ///
    /// `self` must come of [`Rows::like`] and have room for them.
    pub(crate) fn gather(&mut self, source: &Rows, chosen: &[u32], noise: f32, rng: &mut Rng) {
        self.rows = chosen.len();
        self.total = 0.0;
        for (row, from) in chosen.iter().enumerate() {
            let from = *from as usize;
            let sheet = &mut self.sheets[row * self.stride..(row + 1) * self.stride];
            sheet.copy_from_slice(&source.sheets[from * self.stride..(from + 1) * self.stride]);
            if noise > 0.0 {
                for value in &mut sheet[1..=self.inputs] {
                    *value += rng.uniform_f32(-noise, noise);
                }
            }
            for output in 0..self.outputs {
                let at = |row: usize| (row / STRIP * self.outputs + output) * STRIP + row % STRIP;
                self.targets[at(row)] = source.targets[at(from)];
            }
            self.total += f64::from(source.weight(from));
            if let Some(weights) = &mut self.weights {
                weights[row] = source.weight(from);
            }
        }
        (0..self.blocks()).for_each(|block| self.refresh_panel(block));
    }

    /// Makes the panel of a block from its sheet; rows beyond the last are 0.
    fn refresh_panel(&mut self, block: usize) {
        let rows = BLOCK.min(self.rows - block * BLOCK);
        let size = self.inputs * BLOCK;
        let sheet = &self.sheets[block * BLOCK * self.stride..(block + 1) * BLOCK * self.stride];
        let panel = &mut self.panels[block * size..(block + 1) * size];
        for (strip, values) in panel.chunks_exact_mut(self.inputs * STRIP).enumerate() {
            for (input, values) in values.chunks_exact_mut(STRIP).enumerate() {
                for (row, value) in (strip * STRIP..).zip(values) {
                    *value = if row < rows { sheet[row * self.stride + 1 + input] } else { 0.0 };
                }
            }
        }
    }
}

/// A list of all row numbers.
pub(crate) fn all_rows(rows: usize) -> Vec<u32> {
    (0..rows as u32).collect()
}
