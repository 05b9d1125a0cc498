//! The `ruv-swarm` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = Vec::new();
    for arg in std::env::args_os() {
        match arg.into_string() {
            Ok(arg) => args.push(arg),
            Err(arg) => {
                eprintln!("error: the argument {arg:?} is not UTF-8 text");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::from(ruv_swarm::cli::run(args) as u8)
}
