//! Rows in the shapes that the kernels read: panels, sheets and target panels, block by block.
#![allow(clippy::indexing_slicing)] // block offsets follow from the row count

use super::kernel::{padded, to_panel, BLOCK};
use crate::rng::Rng;
use alloc::vec;
use alloc::vec::Vec;

/// A set of rows cut into blocks.
pub(crate) struct Blocks {
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Numbers from one sheet row to the next.
    pub width: usize,
    /// `[block][input, then ones][row]`.
    panels: Vec<f32>,
    /// `[block][row][input, 1, padding]`.
    pub sheets: Vec<f32>,
    /// `[block][output][row]`.
    targets: Vec<f32>,
}

/// One block.
pub(crate) struct Block<'a> {
    pub rows: usize,
    pub panel: &'a [f32],
    pub sheet: &'a [f32],
    pub targets: &'a [f32],
}

impl Blocks {
    /// Room for `rows` rows.
    pub fn new(rows: usize, inputs: usize, outputs: usize) -> Blocks {
        let width = padded(inputs + 1);
        let blocks = rows.div_ceil(BLOCK);
        Blocks {
            rows,
            inputs,
            outputs,
            width,
            panels: vec![0.0; blocks * (inputs + 1) * BLOCK],
            sheets: vec![0.0; blocks * BLOCK * width],
            targets: vec![0.0; blocks * outputs * BLOCK],
        }
    }

    /// Blocks of `rows` rows that `fill(row, inputs, targets)` gives.
    pub fn build(
        rows: usize,
        inputs: usize,
        outputs: usize,
        mut fill: impl FnMut(usize, &mut [f32], &mut [f32]),
    ) -> Blocks {
        let mut blocks = Blocks::new(rows, inputs, outputs);
        let mut target = vec![0.0; outputs];
        for row in 0..rows {
            let start = row * blocks.width;
            let sheet = &mut blocks.sheets[start..start + blocks.width];
            fill(row, &mut sheet[..inputs], &mut target);
            sheet[inputs] = 1.0;
            for (output, value) in target.iter().enumerate() {
                let at = (row / BLOCK * outputs + output) * BLOCK + row % BLOCK;
                blocks.targets[at] = *value;
            }
        }
        for block in 0..blocks.count() {
            blocks.refresh_panel(block);
        }
        blocks
    }

    /// Makes the panel of a block from its sheet.
    fn refresh_panel(&mut self, block: usize) {
        let rows = BLOCK.min(self.rows - block * BLOCK);
        let size = (self.inputs + 1) * BLOCK;
        let sheet = &self.sheets[block * BLOCK * self.width..];
        to_panel(
            sheet,
            self.width,
            self.inputs + 1,
            rows,
            &mut self.panels[block * size..(block + 1) * size],
        );
    }

    /// Number of blocks.
    pub fn count(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// One block.
    pub fn block(&self, index: usize) -> Block<'_> {
        let (panel, sheet, target) = ((self.inputs + 1) * BLOCK, BLOCK * self.width, self.outputs * BLOCK);
        Block {
            rows: BLOCK.min(self.rows - index * BLOCK),
            panel: &self.panels[index * panel..(index + 1) * panel],
            sheet: &self.sheets[index * sheet..(index + 1) * sheet],
            targets: &self.targets[index * target..(index + 1) * target],
        }
    }

    /// Copies the chosen rows of `source`, with noise of half width `noise` on the inputs.
    ///
    /// `self` must have room for them and the same inputs and outputs.
    pub fn gather(&mut self, source: &Blocks, chosen: &[u32], noise: f32, rng: &mut Rng) {
        self.rows = chosen.len();
        for (row, from) in chosen.iter().enumerate() {
            let from = *from as usize;
            let sheet = &mut self.sheets[row * self.width..(row + 1) * self.width];
            sheet.copy_from_slice(&source.sheets[from * self.width..(from + 1) * self.width]);
            if noise > 0.0 {
                for value in &mut sheet[..self.inputs] {
                    *value += rng.uniform_f32(-noise, noise);
                }
            }
            for output in 0..self.outputs {
                let at = |row: usize| (row / BLOCK * self.outputs + output) * BLOCK + row % BLOCK;
                self.targets[at(row)] = source.targets[at(from)];
            }
        }
        for block in 0..self.count() {
            self.refresh_panel(block);
        }
    }

    /// The target of one row and output.
    pub fn target(&self, row: usize, output: usize) -> f32 {
        self.targets[(row / BLOCK * self.outputs + output) * BLOCK + row % BLOCK]
    }

    /// One sheet row: the inputs and the 1 of the bias.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.sheets[row * self.width..(row + 1) * self.width]
    }
}
