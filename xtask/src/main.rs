//! `xtask bindgen TARGET IN.wasm OUT_DIR`: what the wasm-bindgen command does, at the very version
//! that Cargo.lock holds, so that nobody has to install a matching command.
use std::{env, process::ExitCode};
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "usage: xtask bindgen nodejs|web|bundler IN.wasm OUT_DIR";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bindgen", target, input, out] => bindgen(target, input, out),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Write the JavaScript and type declarations for `target`, with the module, into the folder `out`.
fn bindgen(target: &str, input: &str, out: &str) -> Result<(), String> {
    let mut tool = Bindgen::new();
    tool.input_path(input).typescript(true).out_name("ruv_swarm");
    let chosen = match target {
        "nodejs" => tool.nodejs(true),
        "web" => tool.web(true),
        "bundler" => tool.bundler(true),
        other => return Err(format!("unknown target {other:?}, allowed: nodejs, web, bundler")),
    };
    chosen
        .and_then(|tool| tool.generate(out))
        .map_err(|error| format!("wasm-bindgen failed on {input}: {error:#}"))
}
