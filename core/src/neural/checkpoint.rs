//! The checkpoint file of a session (`.rsc`): little-endian, versioned, closed by a SHA-256 of all before it.
//!
//! It holds all that training depends on but the data, of which it holds the hash; `docs/neural.md` states it byte
//! by byte.

use super::bytes::{Kind, Reader, Writer};
use super::plan::ENGINE_VERSION;
use super::stopping::{Measured, Reason, Stopping};
use crate::error::{Code, Error};
use crate::hash::Hash;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use ruv_swarm_neural::TrainerState;

/// The first bytes of a checkpoint.
pub const CHECKPOINT_MAGIC: &[u8; 8] = b"RSCHECK\0";
/// The version that this release writes, and the newest it reads.
pub const CHECKPOINT_VERSION: u32 = 1;

const KIND: Kind =
    Kind { magic: CHECKPOINT_MAGIC, version: CHECKPOINT_VERSION, field: "resume", noun: "checkpoint" };

/// What a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checkpoint {
    pub dataset: Hash,
    /// Resolved options as JSON.
    pub options: String,
    /// Whatever the host wants to find again.
    pub note: String,
    pub remembered: Remembered,
    pub last: Option<Measured>,
    pub stopped: Option<Reason>,
    pub message: String,
    pub best: Vec<f32>,
    pub state: TrainerState,
}

/// What [`Stopping`] remembers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remembered {
    pub epoch: u32,
    pub best: Option<(f64, u32)>,
    pub strip: Vec<f64>,
    pub last: Option<f64>,
    pub rises: u32,
}

impl Remembered {
    /// Of the rules' memory.
    pub fn of(stopping: &Stopping) -> Remembered {
        Remembered {
            epoch: stopping.epoch,
            best: stopping.best,
            strip: stopping.strip.clone(),
            last: stopping.last,
            rises: stopping.rises,
        }
    }

    /// Puts it back.
    pub fn restore(self, stopping: &mut Stopping) {
        stopping.epoch = self.epoch;
        stopping.best = self.best;
        stopping.strip = self.strip;
        stopping.last = self.last;
        stopping.rises = self.rises;
    }
}

/// The bytes of a checkpoint.
pub(crate) fn write(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut out = Writer::new(KIND);
    out.u32(ENGINE_VERSION);
    out.raw(&checkpoint.dataset);
    out.text(&checkpoint.options);
    out.text(&checkpoint.note);
    let remembered = &checkpoint.remembered;
    out.u32(remembered.epoch);
    out.option(remembered.best.map(|(error, _)| error));
    out.u32(remembered.best.map_or(0, |(_, epoch)| epoch));
    out.list(&remembered.strip, |out, error| out.f64(*error));
    out.option(remembered.last);
    out.u32(remembered.rises);
    out.option(checkpoint.last.map(|last| last.training));
    out.option(checkpoint.last.and_then(|last| last.validation));
    out.u64(checkpoint.last.map_or(0, |last| last.bit_fail));
    out.text(checkpoint.stopped.map_or("", Reason::word));
    out.text(&checkpoint.message);
    let state = &checkpoint.state;
    for floats in [&checkpoint.best, &state.weights, &state.floats] {
        out.count(floats.len());
        out.floats(floats);
    }
    out.list(&state.doubles, |out, value| out.f64(*value));
    out.list(&state.order, |out, value| out.u32(*value));
    out.list(&state.counters, |out, value| out.u64(*value));
    state.rng.iter().for_each(|word| out.u64(*word));
    out.close()
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// `invalid_data` for other bytes, `unsupported_version` for a newer file or one of another engine.
pub(crate) fn read(bytes: &[u8]) -> Result<Checkpoint, Error> {
    let (mut reader, _) = Reader::open(KIND, bytes)?;
    let engine = reader.u32()?;
    if engine != ENGINE_VERSION {
        return Err(Error::new(
            Code::UnsupportedVersion,
            "resume",
            format!(
                "resume: the checkpoint needs engine {engine}, this release has {ENGINE_VERSION}; train anew"
            ),
        ));
    }
    let dataset = reader.take()?;
    let options = reader.text()?;
    let note = reader.text()?;
    let epoch = reader.u32()?;
    let best = reader.option()?;
    let best_epoch = reader.u32()?;
    let strip = reader.list(Reader::f64)?;
    let remembered = Remembered {
        epoch,
        best: best.map(|error| (error, best_epoch)),
        strip,
        last: reader.option()?,
        rises: reader.u32()?,
    };
    let (training, validation, bit_fail) = (reader.option()?, reader.option()?, reader.u64()?);
    let word = reader.text()?;
    let stopped = Reason::parse(&word);
    if stopped.is_none() && !word.is_empty() {
        return Err(reader.damaged("why it stopped"));
    }
    let message = reader.text()?;
    let best = read_floats(&mut reader)?;
    let state = TrainerState {
        weights: read_floats(&mut reader)?,
        floats: read_floats(&mut reader)?,
        doubles: reader.list(Reader::f64)?,
        order: reader.list(Reader::u32)?,
        counters: reader.list(Reader::u64)?,
        rng: [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?],
    };
    if !reader.is_empty() || best_epoch > epoch {
        return Err(reader.damaged("its end"));
    }
    let last = training.map(|training| Measured { training, validation, bit_fail });
    Ok(Checkpoint { dataset, options, note, remembered, last, stopped, message, best, state })
}

fn read_floats(reader: &mut Reader<'_>) -> Result<Vec<f32>, Error> {
    let count = reader.count(usize::MAX)?;
    reader.any_floats(count)
}

/// The host's note in a checkpoint, as `Session::set_note` set it.
///
/// # Errors
/// As for `Session::resume`.
pub fn checkpoint_note(bytes: &[u8]) -> Result<String, Error> {
    read(bytes).map(|checkpoint| checkpoint.note)
}
