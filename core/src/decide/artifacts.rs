//! artifact_put.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde::Serialize;

use super::checks::check_name;
use super::Outcome;
use crate::artifact::Artifact;
use crate::command;
use crate::error::{Code, Error};
use crate::event::{ArtifactStored, Event};
use crate::hash::{hex, parse_hex, sha256};
use crate::limits;
use crate::state::State;

#[derive(Serialize)]
struct ArtifactPutResponse {
    artifact: Artifact,
    created: bool,
}

/// Standard base64 of `bytes`.
pub fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Notes an artifact; the host writes its bytes in the same transaction.
pub fn artifact_put(state: &State, now: u64, request: &command::ArtifactPut) -> Result<Outcome, Error> {
    state.config()?;
    let (hash, size) = identify(request)?;
    if size > limits::ARTIFACT_BYTES {
        let message = format!("size: {size} bytes; at most {} are allowed", limits::ARTIFACT_BYTES);
        return Err(Error::new(Code::LimitExceeded, "size", message));
    }
    check_name("name", &request.name)?;
    check_name("mediaType", &request.media_type)?;
    if let Some(artifact) = state.artifacts.get(&hash) {
        return Ok(Outcome::new(vec![], &ArtifactPutResponse { artifact: artifact.clone(), created: false }));
    }
    let media_type = match request.media_type.as_str() {
        "" => "application/octet-stream".into(),
        given => String::from(given),
    };
    let artifact =
        Artifact { hash: hash.clone(), name: request.name.clone(), media_type, size, created_at_ms: now };
    let event = Event::ArtifactStored(ArtifactStored {
        hash,
        name: artifact.name.clone(),
        media_type: artifact.media_type.clone(),
        size,
    });
    Ok(Outcome::new(vec![event], &ArtifactPutResponse { artifact, created: true }))
}

/// Hash and size, from the bytes if they came along.
fn identify(request: &command::ArtifactPut) -> Result<(String, u64), Error> {
    let Some(content) = &request.content else {
        if parse_hex(&request.hash).is_none() {
            let message = format!(
                "hash: {:?} is not 64 hexadecimal digits; give content, or hash and size",
                request.hash
            );
            return Err(Error::invalid("hash", message));
        }
        let size = request
            .size
            .ok_or_else(|| Error::invalid("size", "size: missing; give content, or hash and size"))?;
        return Ok((request.hash.to_ascii_lowercase(), size));
    };
    let bytes = STANDARD
        .decode(content)
        .map_err(|error| Error::invalid("content", format!("content: not base64: {error}")))?;
    let hash = hex(&sha256(&[&bytes]));
    let size = bytes.len() as u64;
    if !request.hash.is_empty() && !request.hash.eq_ignore_ascii_case(&hash) {
        return Err(Error::invalid(
            "hash",
            format!("hash: {:?} was given, but the content has {hash:?}", request.hash),
        ));
    }
    if request.size.is_some_and(|given| given != size) {
        return Err(Error::invalid("size", format!("size: the content has {size} bytes")));
    }
    Ok((hash, size))
}
