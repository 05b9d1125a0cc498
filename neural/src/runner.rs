//! Running a network forward: one row, or many.
#![allow(clippy::indexing_slicing)] // buffers are made for the network

use crate::buffer::Buffer;
use crate::kernel::{Kernels, Panel, BLOCK, STRIP};
use crate::layout::Layout;
use crate::level::{dispatch, Level, Work};
use crate::passes::Passes;
use crate::shape::Network;
use crate::stepper::Stepper;
use crate::FloatState;

/// A network ready to run, with its scratch memory: no call allocates.
#[derive(Debug)]
pub struct Runner {
    level: Level,
    row_level: Level,
    stepper: Stepper,
    layout: Layout,
    passes: Passes,
    panel: Buffer,
}

impl Runner {
    /// A runner of `network`; none if its shape, weights and connections do not fit each other.
    pub fn new(level: Level, network: &Network) -> Option<Runner> {
        if !network.is_sound() {
            return None;
        }
        let row_level = level.narrowed(network.shape.widest());
        let level = level.resolved();
        let layout = Layout::new(level, &network.shape);
        let mut weights = Buffer::new(layout.weights);
        layout.spread(&network.weights, &mut weights);
        let mut passes = Passes::new(&layout, false, false);
        passes.load(&layout, &weights, false);
        Some(Runner {
            level,
            row_level,
            stepper: Stepper::new(row_level, network, false, false),
            panel: Buffer::new(network.shape.inputs * BLOCK),
            layout,
            passes,
        })
    }

    /// Numbers of an input row.
    pub fn inputs(&self) -> usize {
        self.layout.shape.inputs
    }

    /// Numbers of an output row.
    pub fn outputs(&self) -> usize {
        self.layout.shape.outputs()
    }

    /// Runs one row; false, and nothing is written, if `input` or `output` has another length than the network's.
    #[inline]
    pub fn row(&mut self, input: &[f32], output: &mut [f32]) -> bool {
        if input.len() != self.inputs() || output.len() != self.outputs() {
            return false;
        }
        let _settings = FloatState::hold();
        dispatch(self.row_level, RowWork { stepper: &mut self.stepper, input, output });
        true
    }

    /// Runs rows that lie one after the other; false if the lengths are not those of as many rows.
    pub fn rows(&mut self, inputs: &[f32], outputs: &mut [f32]) -> bool {
        let count = inputs.len() / self.inputs();
        if inputs.len() != count * self.inputs() || outputs.len() != count * self.outputs() {
            return false;
        }
        let _settings = FloatState::hold();
        dispatch(self.level, RowsWork { runner: self, inputs, outputs });
        true
    }
}

struct RowWork<'a> {
    stepper: &'a mut Stepper,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Work for RowWork<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Kernels>(self) {
        self.stepper.forward::<V>(self.input, 0.0, None);
        match (self.output, self.stepper.output()) {
            // the commonest case without a call
            ([to], [from]) => *to = *from,
            (to, from) => to.copy_from_slice(from),
        }
    }
}

struct RowsWork<'a> {
    runner: &'a mut Runner,
    inputs: &'a [f32],
    outputs: &'a mut [f32],
}

impl Work for RowsWork<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Kernels>(self) {
        let Runner { layout, passes, panel, .. } = self.runner;
        let (inputs, outputs) = (layout.shape.inputs, layout.shape.outputs());
        for (from, to) in self.inputs.chunks(inputs * BLOCK).zip(self.outputs.chunks_mut(outputs * BLOCK)) {
            let rows = from.len() / inputs;
            let to_panel = Panel { first: panel.as_mut_ptr(), stride: inputs * STRIP };
            // SAFETY: `from` has the rows, and the panel room for a block.
            unsafe { V::to_panel(from.as_ptr(), inputs, inputs, rows, to_panel) };
            passes.forward::<V>(layout, panel, rows, None);
            passes.output::<V>(layout, rows, to);
        }
    }
}
