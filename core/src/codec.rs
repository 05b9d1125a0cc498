//! Event lines: `{"v":1,"swarm":"…","seq":N,"atMs":T,"kind":"…","body":{…}}`. Only the core writes them.

use alloc::format;
use alloc::string::String;

use crate::canonical::{write_integer, Cursor};
use crate::error::{Code, Error};
use crate::event::Event;
use crate::hash::{sha256, Hash};
use crate::json::{self, shorten};

/// The version of the line's form.
pub const VERSION: u64 = 1;

/// One line of the log, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<'a> {
    /// The swarm's id.
    pub swarm: &'a str,
    /// 1, 2, 3, …
    pub seq: u64,
    /// When it was decided.
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
}

/// The canonical bytes of an event.
pub fn encode(swarm: &str, seq: u64, at_ms: u64, event: &Event) -> String {
    // A swarm's id holds no character that JSON escapes (see decide::swarm).
    let mut line = String::with_capacity(256);
    line.push_str(HEAD);
    line.push_str(swarm);
    line.push_str(SEQ);
    write_integer(seq, &mut line);
    line.push_str(AT_MS);
    write_integer(at_ms, &mut line);
    line.push_str(KIND);
    line.push_str(event.kind());
    line.push_str(BODY);
    event.write_body(&mut line);
    line.push('}');
    line
}

const HEAD: &str = "{\"v\":1,\"swarm\":\"";
const SEQ: &str = "\",\"seq\":";
const AT_MS: &str = ",\"atMs\":";
const KIND: &str = ",\"kind\":\"";
const BODY: &str = "\",\"body\":";

/// What a line says beside its event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head<'a> {
    /// The swarm's id.
    pub swarm: &'a str,
    /// 1, 2, 3, …
    pub seq: u64,
    /// When it was decided.
    pub at_ms: u64,
}

/// Reads a line; anything but the canonical form of a known event is `corrupt`.
pub fn decode(line: &str) -> Result<Envelope<'_>, Error> {
    let mut event = Event::default();
    let Head { swarm, seq, at_ms } = decode_into(line, &mut event)?;
    Ok(Envelope { swarm, seq, at_ms, event })
}

/// As [`decode`], with a place for the event: an event is large, and replay reads very many. After an
/// error the place holds an event of no meaning.
pub fn decode_into<'a>(line: &'a str, event: &mut Event) -> Result<Head<'a>, Error> {
    match read(line, event) {
        Some(head) => Ok(head),
        None => Err(why_not(line)),
    }
}

fn read<'a>(line: &'a str, event: &mut Event) -> Option<Head<'a>> {
    let mut cursor = Cursor::new(line);
    cursor.need(HEAD)?;
    // the closing quote is part of the next token: an id holds no quote
    let swarm = cursor.plain_text()?;
    cursor.need(SEQ.split_at(1).1)?;
    let seq = cursor.integer()?;
    cursor.need(AT_MS)?;
    let at_ms = cursor.integer()?;
    cursor.need(KIND)?;
    let kind = cursor.plain_text()?;
    cursor.need(BODY.split_at(1).1)?;
    event.read_body(kind, &mut cursor)?;
    if cursor.rest() == "}" {
        Some(Head { swarm, seq, at_ms })
    } else {
        None
    }
}

#[derive(Default)]
struct Line {
    v: u64,
    swarm: String,
    seq: u64,
    at_ms: u64,
    kind: String,
}

/// What is wrong with a line that could not be read.
fn why_not(line: &str) -> Error {
    let damaged = |why: &str| Error::new(Code::Corrupt, "", format!("event line {}: {why}", shorten(line)));
    let mut read = Line::default();
    let fields = match json::fields(line) {
        Ok(fields) => fields,
        Err(why) => return damaged(&why),
    };
    for (key, raw) in fields {
        let field = match &*key {
            "v" => json::set(&mut read.v, &key, raw),
            "swarm" => json::set(&mut read.swarm, &key, raw),
            "seq" => json::set(&mut read.seq, &key, raw),
            "atMs" => json::set(&mut read.at_ms, &key, raw),
            "kind" => json::set(&mut read.kind, &key, raw),
            _ => Ok(()),
        };
        if let Err(why) = field {
            return damaged(&why);
        }
    }
    match (read.v, read.kind.as_str()) {
        (0, _) | (_, "") => damaged("no event"),
        (VERSION, kind) if Event::KINDS.contains(&kind) => damaged("not in canonical form"),
        (VERSION, _) => damaged("no known kind of event with this body"),
        (newer, _) => {
            let message =
                format!("event version {newer}: this release reads version {VERSION}; upgrade ruv-swarm");
            Error::new(Code::UnsupportedVersion, "", message)
        }
    }
}

/// The chain: SHA-256 of the former hash and the line's bytes.
pub fn link(previous: &Hash, line: &str) -> Hash {
    sha256(&[previous, line.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{SwarmCreated, TaskClaimed};
    use crate::ids::{AgentId, TaskId};

    #[test]
    fn a_line_reads_back_and_only_its_own_form() {
        let event = Event::TaskClaimed(TaskClaimed {
            task_id: TaskId(3),
            agent_id: AgentId(1),
            epoch: 2,
            expires_at_ms: 99,
        });
        let line = encode("s-1", 7, 50, &event);
        assert_eq!(
            line,
            r#"{"v":1,"swarm":"s-1","seq":7,"atMs":50,"kind":"TaskClaimed","body":{"taskId":"t3","agentId":"a1","epoch":2,"expiresAtMs":99}}"#
        );
        assert_eq!(decode(&line).unwrap(), Envelope { swarm: "s-1", seq: 7, at_ms: 50, event });
        for damaged in [
            line.replace("\"epoch\":2,", "\"epoch\": 2,"),
            line.replace("TaskClaimed", "TaskGrabbed"),
            line.replace("t3", "t03"),
            line.replace("\"epoch\":2", "\"epoch\":2,\"extra\":1"),
            line[..40].into(),
        ] {
            assert_eq!(decode(&damaged).unwrap_err().code, Code::Corrupt, "{damaged}");
        }
        let newer = line.replace("\"v\":1", "\"v\":2");
        assert_eq!(decode(&newer).unwrap_err().code, Code::UnsupportedVersion);
    }

    #[test]
    fn defaults_are_omitted() {
        let event = Event::SwarmCreated(SwarmCreated::default());
        let line = encode("s-1", 1, 50, &event);
        assert!(line.ends_with(r#""kind":"SwarmCreated","body":{}}"#), "{line}");
    }
}
