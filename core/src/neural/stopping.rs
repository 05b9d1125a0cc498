//! When to stop: Prechelt's criteria, patience, target error and FANN's bit fail.
//!
//! Lutz Prechelt, "Early stopping - but when?", in: Neural Networks: Tricks of the Trade, 1998, section 2.2:
//!
//! - generalisation loss (eq. 2): `GL(t) = 100 (Eva(t) / Eopt(t) - 1)`, with `Eopt(t)` the least `Eva` up to `t`;
//! - progress of a strip of `k` epochs (eq. 4): `Pk(t) = 1000 (mean of Etr over the strip / least Etr of it - 1)`;
//! - `GL_a`: stop after the first epoch with `GL(t) > a`;
//! - `PQ_a`: stop after the first end of a strip with `GL(t) / Pk(t) > a`;
//! - `UP_s`: stop after `s` strips in a row at whose ends `Eva` was higher than at the end of the strip before.
//!
//! Proben1 (Prechelt, TR 21/94, section 2.4) ends a training as well when `Pk(t)` falls below 0.1.
//! All errors here are mean squared errors. If several rules stop at one epoch, the first of [`Reason`] is named.

use alloc::vec::Vec;

/// What the options ask for; `None` and 0 are off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub epochs: u32,
    pub patience: u32,
    pub gl: Option<f64>,
    pub pq: Option<f64>,
    pub up: Option<u32>,
    pub progress: Option<f64>,
    pub strip: u32,
    pub target_error: Option<f64>,
    pub bit_fail: Option<u64>,
}

impl Rules {
    fn needs_strips(&self) -> bool {
        self.pq.is_some() || self.up.is_some() || self.progress.is_some()
    }
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    TargetError,
    BitFail,
    Gl,
    Pq,
    Up,
    Progress,
    Patience,
    Epochs,
    Time,
    Cancelled,
    Diverged,
}

impl Reason {
    const ALL: [(Reason, &'static str); 11] = [
        (Reason::TargetError, "target-error"),
        (Reason::BitFail, "bit-fail"),
        (Reason::Gl, "gl"),
        (Reason::Pq, "pq"),
        (Reason::Up, "up"),
        (Reason::Progress, "progress"),
        (Reason::Patience, "patience"),
        (Reason::Epochs, "epochs"),
        (Reason::Time, "time"),
        (Reason::Cancelled, "cancelled"),
        (Reason::Diverged, "diverged"),
    ];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        Reason::ALL.iter().find(|(reason, _)| *reason == self).map_or("", |(_, word)| word)
    }

    /// The reason that a word names.
    pub fn parse(word: &str) -> Option<Reason> {
        Reason::ALL.iter().find(|(_, known)| *known == word).map(|(reason, _)| *reason)
    }
}

/// What one epoch gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    /// Mean squared error of the training pass.
    pub training: f64,
    /// Mean squared error on the validation rows.
    pub validation: Option<f64>,
    /// Outputs of the training pass that were off by more than the limit.
    pub bit_fail: u64,
}

/// The rules and all that they remember.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stopping {
    pub rules: Rules,
    pub epoch: u32,
    /// The least validation error and its epoch.
    pub best: Option<(f64, u32)>,
    /// Training errors of the present strip.
    pub strip: Vec<f64>,
    /// Validation error at the end of the last strip.
    pub last: Option<f64>,
    /// Strips in a row with a rising validation error.
    pub rises: u32,
}

impl Stopping {
    pub fn new(rules: Rules) -> Stopping {
        Stopping { rules, epoch: 0, best: None, strip: Vec::new(), last: None, rises: 0 }
    }

    /// Takes in one epoch: whether its validation error is the lowest so far, and why to stop, if so.
    pub fn epoch(&mut self, measured: Measured) -> (bool, Option<Reason>) {
        self.epoch += 1;
        let improved =
            measured.validation.is_some_and(|error| self.best.is_none_or(|(best, _)| error < best));
        if let (true, Some(error)) = (improved, measured.validation) {
            self.best = Some((error, self.epoch));
        }
        let loss = self.generalisation_loss(measured.validation);
        let strip = if self.rules.needs_strips() {
            self.strip.push(measured.training);
            self.end_of_strip(measured.validation, loss)
        } else {
            Strip::default()
        };
        let rules = &self.rules;
        let over = |value: Option<f64>, limit: Option<f64>| {
            value.zip(limit).is_some_and(|(value, limit)| value > limit)
        };
        let since = self.epoch - self.best.map_or(self.epoch, |(_, epoch)| epoch);
        let checks = [
            (Reason::TargetError, rules.target_error.is_some_and(|limit| measured.training <= limit)),
            (Reason::BitFail, rules.bit_fail.is_some_and(|limit| measured.bit_fail <= limit)),
            (Reason::Gl, over(loss, rules.gl)),
            (Reason::Pq, over(strip.quotient, rules.pq)),
            (Reason::Up, rules.up.is_some_and(|strips| self.rises >= strips)),
            (
                Reason::Progress,
                strip.progress.zip(rules.progress).is_some_and(|(value, limit)| value < limit),
            ),
            (Reason::Patience, rules.patience > 0 && since >= rules.patience),
            (Reason::Epochs, self.epoch >= rules.epochs),
        ];
        (improved, checks.iter().find(|(_, stop)| *stop).map(|(reason, _)| *reason))
    }

    /// GL(t), equation 2.
    fn generalisation_loss(&self, validation: Option<f64>) -> Option<f64> {
        let (error, (best, _)) = (validation?, self.best?);
        Some(if error <= best { 0.0 } else { 100.0 * (error / best - 1.0) })
    }

    fn end_of_strip(&mut self, validation: Option<f64>, loss: Option<f64>) -> Strip {
        if self.strip.len() < self.rules.strip as usize {
            return Strip::default();
        }
        let progress = progress(&self.strip);
        self.strip.clear();
        if let Some(error) = validation {
            self.rises = if self.last.is_some_and(|last| error > last) { self.rises + 1 } else { 0 };
            self.last = validation;
        }
        // without any progress every generalisation loss is too much
        let quotient = loss.map(|loss| if loss == 0.0 { 0.0 } else { loss / progress });
        Strip { progress: Some(progress), quotient }
    }
}

/// What the end of a strip shows; nothing elsewhere.
#[derive(Default)]
struct Strip {
    progress: Option<f64>,
    quotient: Option<f64>,
}

/// Pk(t), equation 4: 0 for a strip of equal errors.
fn progress(errors: &[f64]) -> f64 {
    let least =
        errors.iter().copied().fold(f64::MAX, |least, error| if error < least { error } else { least });
    let sum = errors.iter().fold(0.0, |sum, error| sum + error);
    let mean = sum / errors.len() as f64;
    if mean <= least {
        0.0
    } else {
        1000.0 * (mean / least - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            epochs: 1000,
            patience: 0,
            gl: None,
            pq: None,
            up: None,
            progress: None,
            strip: 2,
            target_error: None,
            bit_fail: None,
        }
    }

    /// The epoch and the reason of the stop, for training errors, validation errors and bit fails.
    fn run(rules: Rules, epochs: &[(f64, f64, u64)]) -> Option<(u32, Reason)> {
        let mut stopping = Stopping::new(rules);
        epochs.iter().find_map(|(training, validation, bit_fail)| {
            let measured =
                Measured { training: *training, validation: Some(*validation), bit_fail: *bit_fail };
            stopping.epoch(measured).1.map(|reason| (stopping.epoch, reason))
        })
    }

    /// Validation 0.5, 0.4, 0.44, 0.41, 0.45, 0.52: GL is 0, 0, 10, 2.5, 12.5, 30.
    /// Training 1.0, 0.8 | 0.8, 0.5 | 0.5, 0.49: P2 is 125, 300, 10.204.
    const FALLING: [(f64, f64, u64); 6] =
        [(1.0, 0.5, 9), (0.8, 0.4, 8), (0.8, 0.44, 4), (0.5, 0.41, 3), (0.5, 0.45, 0), (0.49, 0.52, 2)];

    #[test]
    fn generalisation_loss() {
        let gl = |limit| run(Rules { gl: Some(limit), ..rules() }, &FALLING);
        assert_eq!(gl(5.0), Some((3, Reason::Gl)));
        assert_eq!(gl(11.0), Some((5, Reason::Gl)));
        assert_eq!(gl(29.0), Some((6, Reason::Gl)));
        assert_eq!(gl(31.0), None);
    }

    #[test]
    fn quotient_at_ends_of_strips_only() {
        // 0/125, 2.5/300 = 0.0083, 30/10.204 = 2.94
        let pq = |limit| run(Rules { pq: Some(limit), ..rules() }, &FALLING);
        assert_eq!(pq(0.008), Some((4, Reason::Pq)));
        assert_eq!(pq(0.009), Some((6, Reason::Pq)));
        assert_eq!(pq(2.9), Some((6, Reason::Pq)));
        assert_eq!(pq(2.95), None);
        // no progress at all and a loss
        let flat = [(1.0, 0.5, 0), (1.0, 0.6, 0)];
        assert_eq!(run(Rules { pq: Some(1e9), ..rules() }, &flat), Some((2, Reason::Pq)));
    }

    #[test]
    fn rising_strips_in_a_row() {
        // at the ends of strips: 0.4, 0.41 (up), 0.52 (up)
        let up = |strips| run(Rules { up: Some(strips), ..rules() }, &FALLING);
        assert_eq!(up(1), Some((4, Reason::Up)));
        assert_eq!(up(2), Some((6, Reason::Up)));
        assert_eq!(up(3), None);
        // a strip that does not rise starts the count again
        let errors = [0.4, 0.4, 0.5, 0.5, 0.5, 0.5, 0.6, 0.6, 0.7, 0.7].map(|error| (1.0, error, 1));
        assert_eq!(run(Rules { up: Some(2), ..rules() }, &errors), Some((10, Reason::Up)));
    }

    #[test]
    fn progress_target_bit_fail_patience_and_epochs() {
        assert_eq!(run(Rules { progress: Some(11.0), ..rules() }, &FALLING), Some((6, Reason::Progress)));
        assert_eq!(run(Rules { progress: Some(10.0), ..rules() }, &FALLING), None);
        assert_eq!(
            run(Rules { target_error: Some(0.5), ..rules() }, &FALLING),
            Some((4, Reason::TargetError))
        );
        assert_eq!(run(Rules { bit_fail: Some(0), ..rules() }, &FALLING), Some((5, Reason::BitFail)));
        assert_eq!(run(Rules { bit_fail: Some(4), ..rules() }, &FALLING), Some((3, Reason::BitFail)));
        assert_eq!(run(Rules { patience: 3, ..rules() }, &FALLING), Some((5, Reason::Patience)));
        assert_eq!(run(Rules { patience: 5, ..rules() }, &FALLING), None);
        assert_eq!(run(Rules { epochs: 4, patience: 2, ..rules() }, &FALLING), Some((4, Reason::Patience)));
        assert_eq!(run(Rules { epochs: 3, ..rules() }, &FALLING), Some((3, Reason::Epochs)));
    }

    #[test]
    fn without_validation_rows() {
        let mut stopping = Stopping::new(Rules { gl: Some(1.0), pq: Some(1.0), up: Some(1), ..rules() });
        let measured = Measured { training: 0.5, validation: None, bit_fail: 3 };
        assert!((0..10).all(|_| stopping.epoch(measured) == (false, None)));
        assert_eq!(stopping.best, None);
    }

    #[test]
    fn words_read_back() {
        for (reason, word) in Reason::ALL {
            assert_eq!(Reason::parse(word), Some(reason));
            assert_eq!(reason.word(), word);
        }
    }
}
