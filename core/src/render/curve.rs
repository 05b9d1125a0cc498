//! The loss curve of a training as lines of text, the same at every door; hosts redraw it in place.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde_json::Value;

use super::{neural, number};

/// Rows of the chart.
const HEIGHT: usize = 8;
/// Points that are kept at most; a longer curve is thinned out by halves.
const MAX_POINTS: usize = 512;
/// Columns left of the chart: the numbers and the axis.
const MARGIN: usize = 12;
/// The widest chart.
const MAX_WIDTH: usize = 100;

#[derive(Clone, Copy)]
struct Point {
    epoch: u64,
    train: f64,
    validation: Option<f64>,
}

/// The course of a training so far.
#[derive(Default)]
pub struct Curve {
    points: Vec<Point>,
    max_epochs: u64,
    last: String,
}

impl Curve {
    /// An empty curve.
    pub fn new() -> Curve {
        Curve::default()
    }

    /// Takes the next progress of a training, as JSON; text that is none is passed over.
    pub fn add(&mut self, progress: &str) {
        let Ok(value) = serde_json::from_str::<Value>(progress) else { return };
        self.last = neural::train_progress(&value);
        self.max_epochs = number(&value, "maxEpochs");
        let Some(train) = value.get("trainLoss").and_then(Value::as_f64) else { return };
        let validation = value.get("validationLoss").and_then(Value::as_f64);
        let point = Point { epoch: number(&value, "epoch"), train, validation };
        match self.points.last_mut() {
            Some(last) if last.epoch == point.epoch => *last = point,
            _ => self.points.push(point),
        }
        if self.points.len() > MAX_POINTS {
            let last = self.points.last().copied();
            let mut index = 0usize;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            if self.points.last().map(|point| point.epoch) != last.map(|point| point.epoch) {
                self.points.extend(last);
            }
        }
    }

    /// The chart for a terminal of `columns` columns: losses on a logarithmic axis over epochs, `.` for training,
    /// `o` for validation, `*` where both fall together; then the line of the last progress. Each line ends in a
    /// line feed. There is no chart before the second point, or on a terminal of fewer than 32 columns.
    pub fn text(&self, columns: usize) -> String {
        let mut out = String::new();
        if self.points.len() >= 2 && columns >= 32 {
            self.draw((columns - MARGIN - 1).min(MAX_WIDTH), &mut out);
        }
        out.push_str(&self.last);
        out
    }

    fn draw(&self, width: usize, out: &mut String) {
        let losses = || self.points.iter().flat_map(|point| [Some(point.train), point.validation]).flatten();
        let above_zero = losses().filter(|loss| *loss > 0.0);
        let (low, high) = above_zero.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), loss| {
            (if loss < low { loss } else { low }, if loss > high { loss } else { high })
        });
        let low = if low > high { high } else { low };
        let (bottom, top) = (logarithm(low), logarithm(high));
        let row_of = |loss: f64| -> usize {
            if loss <= low || top <= bottom {
                return HEIGHT - 1;
            }
            let share = (top - logarithm(loss)) / (top - bottom);
            ((share * (HEIGHT - 1) as f64 + 0.5) as usize).min(HEIGHT - 1)
        };
        let last = self.points.last().map_or(1, |point| point.epoch).max(1);
        let mut grid = vec![vec![' '; width]; HEIGHT];
        for point in &self.points {
            let column = ((point.epoch as f64 / last as f64) * (width - 1) as f64) as usize;
            let mut mark = |row: usize, sign: char, other: char| {
                if let Some(slot) = grid.get_mut(row).and_then(|line| line.get_mut(column)) {
                    *slot = if *slot == other || *slot == '*' { '*' } else { sign };
                }
            };
            mark(row_of(point.train), '.', 'o');
            if let Some(validation) = point.validation {
                mark(row_of(validation), 'o', '.');
            }
        }
        for (row, line) in grid.iter().enumerate() {
            let label = match row {
                0 => format!("{high:.3e}"),
                _ if row == HEIGHT - 1 => format!("{low:.3e}"),
                _ => String::new(),
            };
            let line: String = line.iter().collect();
            out.push_str(&format!("{label:>10} |{}\n", line.trim_end()));
        }
        let legend = if self.points.iter().any(|point| point.validation.is_some()) {
            ". training  o validation"
        } else {
            ". training"
        };
        out.push_str(&format!("{:>10} +{}\n{:>12}{legend}\n", "", "-".repeat(width), ""));
    }
}

/// The logarithm to base 2 of a number above 0, straight between powers of two: close enough for a chart.
fn logarithm(number: f64) -> f64 {
    let bits = number.to_bits();
    let exponent = (bits >> 52) as f64 - 1023.0;
    exponent + (bits & ((1 << 52) - 1)) as f64 / (1u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(epoch: u32, train: f64, validation: f64) -> String {
        format!(
            "{{\"epoch\":{epoch},\"maxEpochs\":100,\"trainLoss\":{train},\"validationLoss\":{validation},\"bestValidationLoss\":{validation},\"bestEpoch\":{epoch}}}"
        )
    }

    #[test]
    fn a_curve_falls_from_the_left_to_the_right() {
        let mut curve = Curve::new();
        assert_eq!(curve.text(80), "");
        curve.add(&progress(1, 1.0, 2.0));
        assert_eq!(curve.text(80).lines().count(), 1);
        for epoch in 2..=32 {
            curve.add(&progress(epoch, 1.0 / f64::from(epoch), 2.0 / f64::from(epoch)));
        }
        let text = curve.text(60);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 3);
        assert!(lines[..HEIGHT + 2].iter().all(|line| line.len() <= 60), "{text}");
        assert!(lines[0].starts_with("   2.000e0 | o"), "{text}");
        assert!(lines[HEIGHT - 1].starts_with("  3.125e-2 |") && lines[HEIGHT - 1].ends_with('.'), "{text}");
        assert_eq!(
            lines[HEIGHT + 2],
            "epoch 32 of at most 100: loss 0.031250, validation 0.062500 (best 0.062500 at epoch 32)"
        );
        assert_eq!(curve.text(20).lines().count(), 1);
    }

    #[test]
    fn a_long_curve_is_thinned_out_and_strange_numbers_are_drawn() {
        let mut curve = Curve::new();
        for epoch in 1..=5000 {
            curve.add(&progress(epoch, 0.0, 0.0));
        }
        assert!(curve.points.len() <= MAX_POINTS);
        assert_eq!(curve.points.last().unwrap().epoch, 5000);
        assert_eq!(curve.text(80).lines().count(), HEIGHT + 3);
        curve.add("no json");
        curve.add("{\"epoch\":5001,\"maxEpochs\":9,\"trainLoss\":null}");
        assert!(curve.text(1000).ends_with("epoch 5001 of at most 9: loss -\n"));
    }
}
