//! `xtask bindgen TARGET IN.wasm OUT_DIR NAME`: what the wasm-bindgen command does, at the very version
//! that Cargo.lock holds, so that nobody has to install a matching command.
mod stand_in;

use std::{env, path::Path, process::ExitCode};
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "usage: xtask bindgen nodejs|web|bundler IN.wasm OUT_DIR NAME";

fn main() -> ExitCode {
    let mut arguments = env::args();
    let program = arguments.next().unwrap_or_default();
    let done = if Path::new(&program).file_stem().is_some_and(|name| name == "wasm-bindgen") {
        stand_in::run(arguments)
    } else {
        task(&arguments.collect::<Vec<_>>())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn task(arguments: &[String]) -> Result<(), String> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bindgen", target, input, out, name] => bindgen(target, input, out, name),
        _ => Err(USAGE.to_owned()),
    }
}

/// Write the JavaScript and type declarations for `target`, with the module, into the folder `out`.
fn bindgen(target: &str, input: &str, out: &str, name: &str) -> Result<(), String> {
    let mut tool = Bindgen::new();
    tool.input_path(input).typescript(true).out_name(name);
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
