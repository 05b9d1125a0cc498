//! Checks that several commands share.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Code, Error};
use crate::hash::parse_hex;
use crate::ids::TaskId;
use crate::limits;
use crate::resource::{ResourceClaim, EXCLUSIVE, SHARED};
use crate::state::State;
use crate::task::TaskState;

/// Checks a text against a limit in bytes.
pub fn check_text(field: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.len() <= most {
        return Ok(());
    }
    let message =
        format!("{field}: {} bytes; at most {most} are allowed; store more with artifact_put", text.len());
    Err(Error::new(Code::LimitExceeded, field, message))
}

/// Checks a free word: printable, without spaces around it.
pub fn check_word(field: &str, word: &str) -> Result<(), Error> {
    let printable = !word.chars().any(char::is_control) && word.trim() == word;
    if !word.is_empty() && word.chars().count() <= limits::WORD_CHARS && printable {
        return Ok(());
    }
    let message =
        format!("{field}: {word:?} is not a word of 1 to {} printable characters", limits::WORD_CHARS);
    Err(Error::invalid(field, message))
}

/// Checks a name for people; it may be empty.
pub fn check_name(field: &str, name: &str) -> Result<(), Error> {
    if name.chars().count() <= limits::NAME_CHARS && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("{field}: more than {} characters, or a control character", limits::NAME_CHARS);
    Err(Error::invalid(field, message))
}

/// Checks a list of free words: capabilities, labels, error codes.
pub fn check_words(field: &str, words: &[String]) -> Result<(), Error> {
    check_count(field, words.len(), limits::WORDS, "words")?;
    words.iter().try_for_each(|word| check_word(field, word))
}

/// Checks how many entries a list has.
pub fn check_count(field: &str, count: usize, most: usize, noun: &str) -> Result<(), Error> {
    if count <= most {
        return Ok(());
    }
    Err(Error::invalid(field, format!("{field}: {count} {noun}; at most {most} are allowed")))
}

/// `value`, or `default` if it is absent, if it lies between `least` and `most`.
pub fn in_range(field: &str, value: Option<u64>, default: u64, least: u64, most: u64) -> Result<u64, Error> {
    let Some(value) = value else { return Ok(default) };
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid(field, format!("{field}: {value} is not from {least} to {most}")))
}

/// A priority from its word or number; `default` if there is none.
pub fn priority(word: &str, default: u32) -> Result<u32, Error> {
    match word {
        "" => Ok(default),
        "medium" => Ok(limits::PRIORITY_DEFAULT),
        "low" => Ok(25),
        "high" => Ok(75),
        "critical" => Ok(100),
        number => number.parse().ok().filter(|value| *value <= 100).ok_or_else(|| {
            let message = format!(
                "priority: unknown value {word:?}; allowed: low, medium, high, critical, or 0 to 100"
            );
            Error::invalid("priority", message)
        }),
    }
}

/// The claims of a request in their canonical form.
pub fn resources(field: &str, claims: &[ResourceClaim]) -> Result<Vec<ResourceClaim>, Error> {
    check_count(field, claims.len(), limits::RESOURCES, "resources")?;
    let mut checked: Vec<ResourceClaim> = Vec::with_capacity(claims.len());
    for claim in claims {
        check_key(field, &claim.key)?;
        let mode = match claim.mode.as_str() {
            "" | EXCLUSIVE => String::new(),
            SHARED => SHARED.to_string(),
            other => return Err(Error::not_one_of(&format!("{field}.mode"), other, &[EXCLUSIVE, SHARED])),
        };
        if checked.iter().any(|other| other.key == claim.key) {
            return Err(Error::invalid(field, format!("{field}: {:?} is claimed twice", claim.key)));
        }
        checked.push(ResourceClaim { key: claim.key.clone(), mode });
    }
    Ok(checked)
}

fn check_key(field: &str, key: &str) -> Result<(), Error> {
    let length = key.chars().count();
    let printable = !key.chars().any(char::is_control) && key.trim() == key;
    if length == 0 || length > limits::RESOURCE_CHARS || !printable {
        let message =
            format!("{field}: {key:?} is not a key of 1 to {} printable characters", limits::RESOURCE_CHARS);
        return Err(Error::invalid(field, message));
    }
    let parts: Vec<&str> = key.strip_suffix('/').unwrap_or(key).split('/').collect();
    let odd = |(place, part): (usize, &&str)| match *part {
        "." | ".." => true,
        "" => place > 0,
        _ => false,
    };
    if parts.iter().enumerate().any(odd) {
        let message = format!(
            "{field}: {key:?} has a part that is empty, . or ..; two spellings of one path would not meet"
        );
        return Err(Error::invalid(field, message));
    }
    Ok(())
}

/// Checks that the swarm keeps an artifact; an empty hash is none.
pub fn check_artifact(state: &State, field: &str, hash: &str) -> Result<String, Error> {
    if hash.is_empty() {
        return Ok(String::new());
    }
    let lower = hash.to_ascii_lowercase();
    if parse_hex(hash).is_none() || !state.artifacts.contains_key(&lower) {
        return Err(Error::unknown_id(field, "artifact", hash));
    }
    Ok(lower)
}

/// The task that another is to wait for, unless that wait could never end.
pub fn awaited(state: &State, field: &str, id: &str, on_failure: bool) -> Result<TaskId, Error> {
    let task = state.task(field, id)?;
    let hopeless = match task.state {
        TaskState::Failed => !on_failure,
        TaskState::Completed => on_failure,
        TaskState::Cancelled => true,
        TaskState::Blocked | TaskState::Ready | TaskState::Running | TaskState::Paused => false,
    };
    if hopeless {
        let what = if on_failure { "waits for its failure" } else { "waits for it" };
        let message = format!("{field}: {id} is {}; a task that {what} would never run", task.state.as_str());
        return Err(Error::new(Code::FailedPrecondition, field, message));
    }
    Ok(task.id)
}

/// Refuses a task that waits for the success and for the failure of the same one.
pub fn check_edges(depends_on: &[TaskId], after_failure: &[TaskId]) -> Result<(), Error> {
    match after_failure.iter().find(|id| depends_on.contains(id)) {
        Some(id) => {
            let message = format!("afterFailure: {id} is in dependsOn too; it cannot complete and fail");
            Err(Error::invalid("afterFailure", message))
        }
        None => Ok(()),
    }
}
