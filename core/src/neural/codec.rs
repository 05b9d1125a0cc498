//! The model file: little-endian, versioned, closed by a SHA-256 of all before it.
//!
//! `docs/neural.md` states it byte by byte. The reader never trusts a count: it takes no more memory than a
//! small multiple of the bytes it was given.

use super::activation::Activation;
use super::cascade::Cascade;
use super::model::{Member, Network};
use super::network::Mlp;
use super::schema::{Column, Schema, Task, MAX_CATEGORIES, MAX_CLASSES, MAX_INPUTS};
use super::view::View;
use crate::error::{Code, Error};
use crate::hash::sha256;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The first bytes of a model file.
pub const MODEL_MAGIC: &[u8; 8] = b"RSMODEL\0";
/// The version that this release writes, and the newest it reads.
pub const MODEL_VERSION: u32 = 1;

/// Writes a model file.
pub(crate) fn write(schema: &Schema, members: &[Member]) -> Vec<u8> {
    let mut out = Writer { bytes: Vec::new() };
    out.bytes.extend_from_slice(MODEL_MAGIC);
    out.u32(MODEL_VERSION);
    out.schema(schema);
    out.count(members.len());
    for member in members {
        out.member(member);
    }
    let digest = sha256(&[&out.bytes]);
    out.bytes.extend_from_slice(&digest);
    out.bytes
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn count(&mut self, value: usize) {
        self.u32(value as u32);
    }

    fn f64(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn floats(&mut self, values: &[f32]) {
        for value in values {
            // one NaN only, and no negative zero that padding could have left
            let canonical = if value.is_nan() { f32::NAN } else { *value };
            self.bytes.extend_from_slice(&canonical.to_le_bytes());
        }
    }

    fn text(&mut self, value: &str) {
        self.count(value.len());
        self.bytes.extend_from_slice(value.as_bytes());
    }

    fn texts(&mut self, values: &[String]) {
        self.count(values.len());
        values.iter().for_each(|value| self.text(value));
    }

    fn schema(&mut self, schema: &Schema) {
        self.text(&schema.format);
        self.u8(u8::from(schema.task == Task::Regression));
        self.text(&schema.target);
        self.count(schema.targets);
        self.texts(&schema.classes);
        self.count(schema.columns.len());
        for column in &schema.columns {
            self.text(&column.name);
            self.u8(u8::from(column.indicator));
            self.floats(&[column.fill]);
            self.texts(&column.categories);
        }
        self.floats(&schema.mean);
        self.floats(&schema.scale);
        self.floats(&schema.target_mean);
        self.floats(&schema.target_scale);
    }

    fn member(&mut self, member: &Member) {
        self.text(&member.pattern);
        self.text(&member.algorithm);
        self.u32(member.epochs);
        self.f64(member.weight);
        match &member.view {
            View::All => self.u8(0),
            View::Subset(chosen) => {
                self.u8(1);
                self.count(chosen.len());
                chosen.iter().for_each(|index| self.u32(*index));
            }
            View::Products(pairs) => {
                self.u8(2);
                self.count(pairs.len());
                pairs.iter().flatten().for_each(|index| self.u32(*index));
            }
            View::Components(weights) => {
                self.u8(3);
                self.count(weights.len());
                self.floats(weights);
            }
        }
        match &member.network {
            Network::Mlp(net) => {
                self.u8(0);
                self.count(net.layers.len());
                for layer in &net.layers {
                    self.count(layer.inputs);
                    self.count(layer.outputs);
                    self.u8(layer.activation.code());
                    let weights = net.weights.get(layer.offset..).unwrap_or(&[]);
                    for row in weights.chunks_exact(layer.width).take(layer.outputs) {
                        self.floats(row.get(..=layer.inputs).unwrap_or(&[]));
                    }
                }
            }
            Network::Cascade(net) => {
                self.u8(1);
                self.count(net.inputs);
                self.count(net.outputs);
                self.count(net.units.len());
                self.u8(net.activation.code());
                self.u8(net.output_activation.code());
                net.units.iter().for_each(|unit| self.floats(unit));
                self.floats(&net.output_weights);
            }
        }
    }
}

/// Reads a model file.
pub(crate) fn read(bytes: &[u8]) -> Result<(Schema, Vec<Member>), Error> {
    let Some(rest) = bytes.strip_prefix(MODEL_MAGIC) else {
        return Err(Error::data("model", "model: the bytes are no ruv-swarm model file"));
    };
    let version = rest.first_chunk::<4>().map(|found| u32::from_le_bytes(*found));
    match version {
        Some(version) if version > MODEL_VERSION => {
            return Err(Error::new(
                Code::UnsupportedVersion,
                "model",
                format!("model: format version {version} is newer than {MODEL_VERSION}, the newest this release reads; upgrade ruv-swarm"),
            ));
        }
        Some(MODEL_VERSION) => {}
        _ => return Err(damaged("its version")),
    }
    let Some((body, digest)) = bytes.split_last_chunk::<32>() else { return Err(damaged("its end")) };
    if sha256(&[body]) != *digest {
        return Err(Error::data(
            "model",
            "model: the file is damaged or cut short: its checksum does not match",
        ));
    }
    let mut reader = Reader { rest: body.get(12..).unwrap_or(&[]) };
    let schema = reader.schema()?;
    let count = reader.count(1_000)?;
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(reader.member(&schema)?);
    }
    if !reader.rest.is_empty() || members.is_empty() {
        return Err(damaged("its members"));
    }
    Ok((schema, members))
}

fn damaged(what: &str) -> Error {
    Error::data("model", format!("model: the file is damaged: {what} cannot be read"))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (found, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| damaged("its end"))?;
        self.rest = rest;
        Ok(*found)
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    fn f64(&mut self) -> Result<f64, Error> {
        self.take().map(f64::from_le_bytes)
    }

    /// A count of at most `limit`, and of no more things than bytes are left.
    fn count(&mut self, limit: usize) -> Result<usize, Error> {
        let count = self.u32()? as usize;
        if count > limit || count > self.rest.len() {
            return Err(damaged("a count"));
        }
        Ok(count)
    }

    /// Finite numbers.
    fn floats(&mut self, count: usize) -> Result<Vec<f32>, Error> {
        let size =
            count.checked_mul(4).filter(|size| *size <= self.rest.len()).ok_or_else(|| damaged("its end"))?;
        let (found, rest) = self.rest.split_at_checked(size).ok_or_else(|| damaged("its end"))?;
        self.rest = rest;
        let number = |chunk: &[u8]| f32::from_le_bytes(chunk.first_chunk().copied().unwrap_or_default());
        let values: Vec<f32> = found.chunks_exact(4).map(number).collect();
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(damaged("a number"))
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        let size = self.count(1 << 20)?;
        let (found, rest) = self.rest.split_at_checked(size).ok_or_else(|| damaged("its end"))?;
        self.rest = rest;
        core::str::from_utf8(found).map(ToString::to_string).map_err(|_| damaged("a text"))
    }

    fn texts(&mut self, limit: usize) -> Result<Vec<String>, Error> {
        let count = self.count(limit)?;
        (0..count).map(|_| self.text()).collect()
    }

    fn activation(&mut self) -> Result<Activation, Error> {
        Activation::from_code(self.u8()?).ok_or_else(|| damaged("an activation"))
    }

    fn schema(&mut self) -> Result<Schema, Error> {
        let format = self.text()?;
        let task = match self.u8()? {
            0 => Task::Classification,
            1 => Task::Regression,
            _ => return Err(damaged("its task")),
        };
        let target = self.text()?;
        let targets = self.count(MAX_CLASSES)?;
        let classes = self.texts(MAX_CLASSES)?;
        let count = self.count(MAX_INPUTS)?;
        let mut columns = Vec::new();
        for _ in 0..count {
            let name = self.text()?;
            let indicator = self.u8()? != 0;
            let fill = self.floats(1)?.first().copied().unwrap_or(0.0);
            let categories = self.texts(MAX_CATEGORIES)?;
            columns.push(Column { name, categories, indicator, fill });
        }
        let mut schema = Schema {
            format,
            task,
            target,
            columns,
            classes,
            targets,
            mean: Vec::new(),
            scale: Vec::new(),
            target_mean: Vec::new(),
            target_scale: Vec::new(),
        };
        let inputs = schema.inputs();
        if inputs == 0 || inputs > MAX_INPUTS || schema.outputs() == 0 {
            return Err(damaged("its shape"));
        }
        schema.mean = self.floats(inputs)?;
        schema.scale = self.floats(inputs)?;
        let scaled = if task == Task::Regression { targets } else { 0 };
        schema.target_mean = self.floats(scaled)?;
        schema.target_scale = self.floats(scaled)?;
        Ok(schema)
    }

    fn index(&mut self, below: usize) -> Result<u32, Error> {
        let index = self.u32()?;
        if (index as usize) < below {
            Ok(index)
        } else {
            Err(damaged("an input's index"))
        }
    }

    fn member(&mut self, schema: &Schema) -> Result<Member, Error> {
        let inputs = schema.inputs();
        let pattern = self.text()?;
        let algorithm = self.text()?;
        let epochs = self.u32()?;
        let weight = self.f64()?;
        if !(0.0..=1.0).contains(&weight) {
            return Err(damaged("a weight"));
        }
        let view = match self.u8()? {
            0 => View::All,
            1 => {
                let count = self.count(MAX_INPUTS)?;
                View::Subset((0..count).map(|_| self.index(inputs)).collect::<Result<_, _>>()?)
            }
            2 => {
                let count = self.count(MAX_INPUTS)?;
                let pair = |reader: &mut Self| Ok([reader.index(inputs)?, reader.index(inputs)?]);
                View::Products((0..count).map(|_| pair(self)).collect::<Result<_, Error>>()?)
            }
            3 => {
                let count = self.u32()? as usize;
                if count.checked_rem(inputs) != Some(0) {
                    return Err(damaged("its components"));
                }
                View::Components(self.floats(count)?)
            }
            _ => return Err(damaged("a view")),
        };
        let width = view.width(inputs);
        let network = match self.u8()? {
            0 => Network::Mlp(self.mlp(width, schema.outputs())?),
            1 => Network::Cascade(self.cascade(width, schema.outputs())?),
            _ => return Err(damaged("a network")),
        };
        Ok(Member { pattern, algorithm, epochs, weight, view, network })
    }

    fn mlp(&mut self, inputs: usize, outputs: usize) -> Result<Mlp, Error> {
        let count = self.count(64)?;
        let mut sizes = alloc::vec![inputs];
        let mut layers: Vec<(Activation, Vec<f32>)> = Vec::new();
        for _ in 0..count {
            let before = self.u32()? as usize;
            let after = self.u32()? as usize;
            let activation = self.activation()?;
            if sizes.last() != Some(&before) || after == 0 {
                return Err(damaged("a layer"));
            }
            let weights = before
                .checked_add(1)
                .and_then(|row| row.checked_mul(after))
                .ok_or_else(|| damaged("a layer"))?;
            layers.push((activation, self.floats(weights)?));
            sizes.push(after);
        }
        if layers.is_empty() || sizes.last() != Some(&outputs) {
            return Err(damaged("its layers"));
        }
        let mut net = Mlp::new(&sizes, Activation::Linear, Activation::Linear);
        for (layer, (activation, weights)) in net.layers.iter_mut().zip(&layers) {
            layer.activation = *activation;
            let rows = net.weights.get_mut(layer.offset..).unwrap_or_default().chunks_exact_mut(layer.width);
            for (row, given) in rows.zip(weights.chunks_exact(layer.inputs + 1)) {
                row.iter_mut().zip(given).for_each(|(slot, weight)| *slot = *weight);
            }
        }
        Ok(net)
    }

    fn cascade(&mut self, inputs: usize, outputs: usize) -> Result<Cascade, Error> {
        let shape = (self.u32()? as usize, self.u32()? as usize);
        if shape != (inputs, outputs) {
            return Err(damaged("a cascade"));
        }
        let count = self.count(4096)?;
        let activation = self.activation()?;
        let output_activation = self.activation()?;
        let mut units = Vec::new();
        for unit in 0..count {
            units.push(self.floats(inputs + 1 + unit)?);
        }
        let output_weights = self.floats(outputs * (inputs + 1 + count))?;
        Ok(Cascade { inputs, outputs, activation, output_activation, units, output_weights })
    }
}
