//! Numbers as text by the JSON writer alone: the standard library's own formatter would be a second one in the
//! WebAssembly module.

use super::plan::to_json;
use alloc::format;
use alloc::string::{String, ToString};
use serde::Serialize;

/// The shortest text of an f32 or f64 that reads back as the same number, for messages: `5`, `0.25`, `3.4e38`, `NaN`.
pub(crate) fn shown<T: Serialize + Into<f64> + Copy>(value: T) -> String {
    let wide: f64 = value.into();
    if wide.is_nan() {
        return "NaN".to_string();
    }
    if wide.is_infinite() {
        return if wide > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let mut text = to_json(&value).unwrap_or_default();
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text.replace("e+", "e")
}

/// The shortest text of a finite number without an exponent: `100000`, `0.0000001`.
pub(crate) fn plain(value: f64) -> String {
    let text = shown(value);
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return text };
    let Ok(exponent) = exponent.parse::<i32>() else { return text };
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    // where the point stands among the digits
    let point = whole.len() as i32 + exponent;
    let mut all = format!("{whole}{fraction}");
    if point <= 0 {
        return format!("{sign}0.{}{all}", "0".repeat(point.unsigned_abs() as usize));
    }
    let point = point as usize;
    if point >= all.len() {
        all.push_str(&"0".repeat(point - all.len()));
    } else {
        all.insert(point, '.');
    }
    format!("{sign}{all}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn plain_text_is_the_standard_librarys() {
        let mut rng = Rng::from_seed(4);
        let check = |value: f64| {
            let (ours, theirs) = (plain(value), format!("{value}"));
            // two shortest texts may be equally near: 902.5335083007812 and 902.5335083007813
            assert!(ours.len() == theirs.len() && ours.parse() == Ok(value), "{ours} {theirs}");
            assert!(ours == theirs || ours[..ours.len() - 1] == theirs[..ours.len() - 1], "{ours} {theirs}");
            assert_eq!(shown(value).parse::<f64>(), Ok(value));
        };
        for value in [0.0, 1.0, -2.5, 1e15, 1e16, 1e17, 1e21, 1.5e22, 1e-5, 1.25e-7, 5e-324, f64::MAX, 0.1] {
            check(value);
        }
        for _ in 0..20_000 {
            let value = f64::from_bits(rng.next_u64());
            if value.is_finite() {
                check(value);
            }
            check(f64::from(rng.unit_f32() * 1e6));
        }
    }

    #[test]
    fn shown_text_is_short() {
        let found =
            [shown(5.0f32), shown(0.1f32), shown(3.4e38f32), shown(f32::NAN), shown(f64::NEG_INFINITY)];
        assert_eq!(found, ["5", "0.1", "3.4e38", "NaN", "-inf"]);
    }
}
