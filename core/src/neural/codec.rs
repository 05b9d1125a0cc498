//! The model file: little-endian, versioned, closed by a SHA-256 of all before it.
//!
//! `docs/neural.md` states it byte by byte. The reader never trusts a count: it takes no more memory than a
//! small multiple of the bytes it was given.

use super::bytes::{Kind, Reader, Writer};
use super::codec_network;
use super::model::Member;
use super::schema::{Column, Schema, Task, MAX_CATEGORIES, MAX_CLASSES, MAX_INPUTS};
use super::view::View;
use crate::error::Error;
use alloc::string::String;
use alloc::vec::Vec;

/// The first bytes of a model file.
pub const MODEL_MAGIC: &[u8; 8] = b"RSMODEL\0";
/// The version that this release writes, and the newest it reads.
pub const MODEL_VERSION: u32 = 2;

const KIND: Kind = Kind { magic: MODEL_MAGIC, version: MODEL_VERSION, field: "model", noun: "model file" };

/// What a model file holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contents {
    /// The version that the file was written in.
    pub version: u32,
    /// Resolved options of a training as JSON; empty for the swarm's models.
    pub options: String,
    pub schema: Schema,
    pub members: Vec<Member>,
}

/// Writes a model file.
pub(crate) fn write(options: &str, schema: &Schema, members: &[Member]) -> Vec<u8> {
    let mut out = Writer::new(KIND);
    out.text(options);
    write_schema(&mut out, schema);
    out.list(members, write_member);
    out.close()
}

/// Reads a model file of any version up to [`MODEL_VERSION`].
///
/// # Errors
/// `invalid_data` for other bytes, `unsupported_version` for a newer file.
pub(crate) fn read(bytes: &[u8]) -> Result<Contents, Error> {
    let (mut reader, version) = Reader::open(KIND, bytes)?;
    let options = if version > 1 { reader.text()? } else { String::new() };
    if !options.is_empty() && crate::json::fields(&options).is_err() {
        return Err(reader.damaged("its options"));
    }
    let schema = read_schema(&mut reader)?;
    let count = reader.count(1_000)?;
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(read_member(&mut reader, &schema)?);
    }
    if !reader.is_empty() || members.is_empty() {
        return Err(reader.damaged("its members"));
    }
    Ok(Contents { version, options, schema, members })
}

fn write_schema(out: &mut Writer, schema: &Schema) {
    out.text(&schema.format);
    out.u8(u8::from(schema.task == Task::Regression));
    out.text(&schema.target);
    out.count(schema.targets);
    out.texts(&schema.classes);
    out.list(&schema.columns, |out, column| {
        out.text(&column.name);
        out.u8(u8::from(column.indicator));
        out.floats(&[column.fill]);
        out.texts(&column.categories);
    });
    out.floats(&schema.mean);
    out.floats(&schema.scale);
    out.floats(&schema.target_mean);
    out.floats(&schema.target_scale);
}

fn read_schema(reader: &mut Reader<'_>) -> Result<Schema, Error> {
    let format = reader.text()?;
    let task = if reader.flag()? { Task::Regression } else { Task::Classification };
    let target = reader.text()?;
    let targets = reader.count(MAX_CLASSES)?;
    let classes = reader.texts(MAX_CLASSES)?;
    let count = reader.count(MAX_INPUTS)?;
    let mut columns = Vec::new();
    for _ in 0..count {
        let name = reader.text()?;
        let indicator = reader.flag()?;
        let fill = reader.floats(1)?.first().copied().unwrap_or(0.0);
        let categories = reader.texts(MAX_CATEGORIES)?;
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
        return Err(reader.damaged("its shape"));
    }
    schema.mean = reader.floats(inputs)?;
    schema.scale = reader.floats(inputs)?;
    let scaled = if task == Task::Regression { targets } else { 0 };
    schema.target_mean = reader.floats(scaled)?;
    schema.target_scale = reader.floats(scaled)?;
    Ok(schema)
}

fn write_member(out: &mut Writer, member: &Member) {
    out.text(&member.pattern);
    out.text(&member.algorithm);
    out.u32(member.epochs);
    out.f64(member.weight);
    match &member.view {
        View::All => out.u8(0),
        View::Subset(chosen) => {
            out.u8(1);
            out.list(chosen, |out, index| out.u32(*index));
        }
        View::Products(pairs) => {
            out.u8(2);
            out.list(pairs, |out, pair| pair.iter().for_each(|index| out.u32(*index)));
        }
        View::Components(weights) => {
            out.u8(3);
            out.count(weights.len());
            out.floats(weights);
        }
    }
    codec_network::write(out, &member.network);
}

fn read_member(reader: &mut Reader<'_>, schema: &Schema) -> Result<Member, Error> {
    let inputs = schema.inputs();
    let pattern = reader.text()?;
    let algorithm = reader.text()?;
    let epochs = reader.u32()?;
    let weight = reader.f64()?;
    if !(0.0..=1.0).contains(&weight) {
        return Err(reader.damaged("a weight"));
    }
    let view = match reader.u8()? {
        0 => View::All,
        1 => {
            let count = reader.count(MAX_INPUTS)?;
            View::Subset((0..count).map(|_| read_index(reader, inputs)).collect::<Result<_, _>>()?)
        }
        2 => {
            let count = reader.count(MAX_INPUTS)?;
            let mut pair = || Ok([read_index(reader, inputs)?, read_index(reader, inputs)?]);
            View::Products((0..count).map(|_| pair()).collect::<Result<_, Error>>()?)
        }
        3 => {
            let count = reader.u32()? as usize;
            if count.checked_rem(inputs) != Some(0) {
                return Err(reader.damaged("its components"));
            }
            View::Components(reader.floats(count)?)
        }
        _ => return Err(reader.damaged("a view")),
    };
    let network = codec_network::read(reader, view.width(inputs), schema.outputs())?;
    Ok(Member { pattern, algorithm, epochs, weight, view, network })
}

fn read_index(reader: &mut Reader<'_>, below: usize) -> Result<u32, Error> {
    let index = reader.u32()?;
    if (index as usize) < below {
        Ok(index)
    } else {
        Err(reader.damaged("an input's index"))
    }
}
