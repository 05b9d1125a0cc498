//! The part of the wasm-bindgen command that wasm-pack calls, so that `wasm-pack --mode no-install`
//! finds one at the right version: this program under the name `wasm-bindgen`.

const USAGE: &str = "usage: wasm-bindgen IN.wasm --out-dir DIR --target TARGET [--out-name NAME]";

/// Do what the wasm-bindgen command does with these arguments.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut input, mut out, mut target, mut name) = (None, None, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" | "-V" => {
                println!("wasm-bindgen {}", wasm_bindgen_shared::version());
                return Ok(());
            }
            "--out-dir" => out = arguments.next(),
            "--target" => target = arguments.next(),
            "--out-name" => name = arguments.next(),
            "--typescript" => {}
            option if option.starts_with('-') => return Err(format!("unknown option {option}; {USAGE}")),
            _ => input = Some(argument),
        }
    }
    let (Some(input), Some(out), Some(target)) = (input, out, target) else {
        return Err(USAGE.to_owned());
    };
    crate::bindgen(&target, &input, &out, name.as_deref().unwrap_or("ruv_swarm"))
}
