//! The bytes of an artifact that came as base64 in a request.

use ruv_swarm_core::error::Error;
use serde::Deserialize;

#[derive(Deserialize)]
struct PutRequest {
    content: Option<String>,
}

#[derive(Deserialize)]
struct PutResponse {
    artifact: PutArtifact,
}

#[derive(Deserialize)]
struct PutArtifact {
    hash: String,
}

/// The bytes in `content` of an `artifact_put` request, if it has any.
pub(super) fn of_request(request: &str) -> Result<Option<Vec<u8>>, Error> {
    let request: PutRequest = serde_json::from_str(request)
        .map_err(|error| Error::invalid("content", format!("content: {error}")))?;
    request.content.map(|text| decode_base64(&text)).transpose()
}

/// The hash in the response of `artifact_put`.
pub(super) fn hash_of_response(response: &str) -> Result<String, Error> {
    let response: PutResponse =
        serde_json::from_str(response).map_err(|_| super::group::malformed("artifact"))?;
    Ok(response.artifact.hash)
}

/// Base64 of RFC 4648 with the ordinary or the URL-safe alphabet, padded or not, as proto3 JSON allows.
fn decode_base64(text: &str) -> Result<Vec<u8>, Error> {
    let refused = || Error::invalid("content", "content: no base64 text");
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return Err(refused()),
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // one digit alone carries no byte, and bits beyond the last byte must be zero
    if digits.len() % 4 == 1 || bits != 0 {
        return Err(refused());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_both_alphabets_and_nothing_else() {
        assert_eq!(decode_base64("TWFu").unwrap(), b"Man");
        assert_eq!(decode_base64("TWE=").unwrap(), b"Ma");
        assert_eq!(decode_base64("-_8").unwrap(), [0xfb, 0xff]);
        assert_eq!(decode_base64("").unwrap(), b"");
        for wrong in ["T", "TW!u", "TWF"] {
            assert!(decode_base64(wrong).is_err(), "{wrong}");
        }
    }
}
