//! Where a network's numbers lie for the kernels of one level.

use crate::kernel::{pack_order, sheet_stride, transposed_order, BLOCK};
use crate::level::Level;
use crate::shape::{Network, Shape};
use crate::Activation;
use alloc::vec::Vec;

/// One layer's places. Units are counted through the *values*: with shortcuts first the inputs, then every layer.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub units: usize,
    pub activation: Activation,
    pub steepness: f32,
    pub fan_in: usize,
    /// Numbers from one unit's weights to the next one's: bias, inputs, padding.
    pub width: usize,
    /// Its first weight.
    pub offset: usize,
    /// Its first unit among the values.
    pub value: usize,
    /// The first value it reads; none for the rows' own panel.
    pub source: Option<usize>,
    /// Its share of the packed weights, forward and back.
    pub packed: usize,
    pub back: usize,
    /// The first unit and the number of units that get a delta from it.
    pub back_to: usize,
    pub back_count: usize,
    /// The sheet it reads: place and stride; none for the rows' own.
    pub sheet: Option<(usize, usize)>,
    /// Where its values go row by row: place and stride.
    pub put: Option<(usize, usize)>,
}

/// The places of all layers.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub shape: Shape,
    pub places: Vec<Place>,
    /// Padded weights.
    pub weights: usize,
    /// Units among the values.
    pub values: usize,
    /// Numbers of all sheets.
    pub sheets: usize,
    /// Whether some layer's slope needs its sums.
    pub needs_sums: bool,
    /// packed[i] = weights[order[i]].
    pub order: Vec<u32>,
    pub back_order: Vec<u32>,
}

impl Layout {
    pub fn new(level: Level, shape: &Shape) -> Layout {
        let (lanes, tile) = (level.lanes(), level.tile());
        let pad = |n: usize| n.div_ceil(lanes) * lanes;
        let shortcut = shape.shortcut;
        let base = if shortcut { shape.inputs } else { 0 };
        let units: usize = shape.layers.iter().map(|layer| layer.units).sum();
        let common = sheet_stride(1 + base + units - shape.outputs());
        let mut layout = Layout {
            shape: shape.clone(),
            places: Vec::new(),
            weights: 0,
            values: base + units,
            sheets: if shortcut { common * BLOCK } else { 0 },
            needs_sums: shape.layers.iter().any(|layer| layer.activation.needs_sum()),
            order: Vec::new(),
            back_order: Vec::new(),
        };
        let mut value = base;
        for (index, layer) in shape.layers.iter().enumerate() {
            let fan_in = shape.fan_in(index);
            let width = pad(fan_in + 1);
            let before = layout.places.last().map(|place| place.value);
            let (back_to, back_count) = match (shortcut, before) {
                (_, None) => (0, 0),
                (true, _) => (0, value - base),
                (false, Some(before)) => (before, fan_in),
            };
            let sheet = match (shortcut, index) {
                (true, _) => Some((0, common)),
                (false, 0) => None,
                (false, _) => {
                    let stride = sheet_stride(fan_in + 1);
                    layout.sheets += stride * BLOCK;
                    Some((layout.sheets - stride * BLOCK, stride))
                }
            };
            if let (false, Some(place), Some((at, stride))) = (shortcut, layout.places.last_mut(), sheet) {
                place.put = Some((at + 1, stride));
            }
            let last = index + 1 == shape.layers.len();
            let place = Place {
                units: layer.units,
                activation: layer.activation,
                steepness: layer.steepness,
                fan_in,
                width,
                offset: layout.weights,
                value,
                source: if shortcut { Some(0) } else { before },
                packed: layout.order.len(),
                back: layout.back_order.len(),
                back_to,
                back_count,
                sheet,
                put: (shortcut && !last).then_some((1 + value, common)),
            };
            pack_order(tile, place.offset, width, fan_in, layer.units, &mut layout.order);
            let from = if shortcut { base } else { 0 };
            let back = &mut layout.back_order;
            transposed_order(tile, place.offset, width, (from, back_count), layer.units, back);
            layout.places.push(place);
            layout.weights += layer.units * width;
            value += layer.units;
        }
        layout
    }

    /// Values before the first layer's: the inputs, with shortcuts.
    #[inline(always)]
    pub fn base(&self) -> usize {
        if self.shape.shortcut {
            self.shape.inputs
        } else {
            0
        }
    }

    /// Units of all layers.
    #[inline(always)]
    pub fn units(&self) -> usize {
        self.values - self.base()
    }

    /// Calls `each(place among a network's weights, place here)` for every weight.
    pub fn each_weight(&self, mut each: impl FnMut(usize, usize)) {
        let mut outside = 0;
        for place in &self.places {
            for unit in 0..place.units {
                let start = place.offset + unit * place.width;
                for input in 0..place.fan_in {
                    each(outside + input, start + 1 + input);
                }
                each(outside + place.fan_in, start);
                outside += place.fan_in + 1;
            }
        }
    }

    /// Numbers in this layout from numbers in a network's order.
    pub fn spread(&self, from: &[f32], to: &mut [f32]) {
        self.each_weight(|outside, inside| {
            if let (Some(value), Some(slot)) = (from.get(outside), to.get_mut(inside)) {
                *slot = *value;
            }
        });
    }

    /// Numbers in a network's order from numbers in this layout.
    pub fn collect(&self, from: &[f32]) -> Vec<f32> {
        let mut to = alloc::vec![0.0; self.shape.weights()];
        self.each_weight(|outside, inside| {
            if let (Some(value), Some(slot)) = (from.get(inside), to.get_mut(outside)) {
                *slot = *value;
            }
        });
        to
    }

    /// 1 where a weight exists and is no bias.
    pub fn free(&self, network: &Network) -> Vec<f32> {
        let mut free = alloc::vec![0.0; self.weights];
        for place in &self.places {
            for unit in 0..place.units {
                let start = place.offset + unit * place.width + 1;
                if let Some(slots) = free.get_mut(start..start + place.fan_in) {
                    slots.fill(1.0);
                }
            }
        }
        if let Some(connected) = &network.connected {
            self.each_weight(|outside, inside| {
                if let (Some(false), Some(slot)) = (connected.get(outside), free.get_mut(inside)) {
                    *slot = 0.0;
                }
            });
        }
        free
    }

    /// All bits where a weight exists, if some place has none that a product may touch.
    pub fn mask(&self, network: &Network) -> Option<Vec<f32>> {
        if network.connected.is_none() && !self.shape.shortcut {
            return None;
        }
        let mut mask = alloc::vec![0.0; self.weights];
        self.each_weight(|outside, inside| {
            let is = network.connected.as_ref().is_none_or(|all| all.get(outside) == Some(&true));
            if let (true, Some(slot)) = (is, mask.get_mut(inside)) {
                *slot = f32::from_bits(u32::MAX);
            }
        });
        Some(mask)
    }
}
