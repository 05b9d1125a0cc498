//! Event lines: `{"v":1,"swarm":"…","seq":N,"atMs":T,"kind":"…","body":{…}}`. Only the core writes them.

use alloc::format;
use alloc::string::String;

use crate::error::{Code, Error};
use crate::event::Event;
use crate::hash::{sha256, Hash};
use crate::json::{self, shorten};

/// The version of the line's form.
pub const VERSION: u64 = 1;

/// One line of the log, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The swarm's id.
    pub swarm: String,
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
    format!(
        r#"{{"v":{VERSION},"swarm":"{swarm}","seq":{seq},"atMs":{at_ms},"kind":"{}","body":{}}}"#,
        event.kind(),
        event.body()
    )
}

#[derive(Default)]
struct Line {
    v: u64,
    swarm: String,
    seq: u64,
    at_ms: u64,
    kind: String,
}

/// Reads a line; anything but the canonical form of a known event is `corrupt`.
pub fn decode(line: &str) -> Result<Envelope, Error> {
    let damaged = |why: &str| Error::new(Code::Corrupt, "", format!("event line {}: {why}", shorten(line)));
    let mut read = Line::default();
    let mut body = "";
    for (key, raw) in json::fields(line).map_err(|why| damaged(&why))? {
        let raw = raw.get();
        let field = match &*key {
            "v" => json::set(&mut read.v, &key, raw),
            "swarm" => json::set(&mut read.swarm, &key, raw),
            "seq" => json::set(&mut read.seq, &key, raw),
            "atMs" => json::set(&mut read.at_ms, &key, raw),
            "kind" => json::set(&mut read.kind, &key, raw),
            _ => {
                body = raw;
                Ok(())
            }
        };
        field.map_err(|why| damaged(&why))?;
    }
    if read.v == 0 || read.kind.is_empty() {
        return Err(damaged("no event"));
    }
    if read.v != VERSION {
        let message =
            format!("event version {}: this release reads version {VERSION}; upgrade ruv-swarm", read.v);
        return Err(Error::new(Code::UnsupportedVersion, "", message));
    }
    let Some(event) = Event::parse(&read.kind, body) else {
        return Err(damaged("no known kind of event with this body"));
    };
    let envelope = Envelope { swarm: read.swarm, seq: read.seq, at_ms: read.at_ms, event };
    if encode(&envelope.swarm, envelope.seq, envelope.at_ms, &envelope.event) != line {
        return Err(damaged("not in canonical form"));
    }
    Ok(envelope)
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
        assert_eq!(decode(&line).unwrap(), Envelope { swarm: "s-1".into(), seq: 7, at_ms: 50, event });
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
        assert_eq!(Event::SwarmCreated(SwarmCreated::default()).body(), "{}");
    }
}
