//! The command table, generated from the catalogue, as a parser.

use std::sync::OnceLock;

use clap::{value_parser, Arg, ArgAction, Command};
use serde::Deserialize;

/// The generated table.
const TABLE: &str = include_str!("commands.json");

#[derive(Deserialize)]
struct Table {
    globals: Vec<Argument>,
    commands: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    help: String,
    args: Vec<Argument>,
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    flag: Option<String>,
    kind: String,
    #[serde(rename = "type")]
    value: String,
    help: String,
}

/// The parser of the whole command line.
pub(super) fn parser() -> Command {
    static PARSER: OnceLock<Command> = OnceLock::new();
    PARSER.get_or_init(build).clone()
}

fn build() -> Command {
    // the table is part of the program: a test reads it, and an empty one would name no command
    let table = serde_json::from_str(TABLE).unwrap_or(Table { globals: vec![], commands: vec![] });
    let mut command = Command::new("ruv-swarm")
        .version(crate::version())
        .about("Swarms of agents on one durable file: plan, train, follow and prove.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true);
    for argument in table.globals {
        command = command.arg(option(argument).global(true));
    }
    for entry in table.commands {
        let args: Vec<Arg> = entry.args.into_iter().map(option).collect();
        command = command.subcommand(Command::new(lasting(entry.name)).about(lasting(entry.help)).args(args));
    }
    command
}

fn option(argument: Argument) -> Arg {
    let arg = Arg::new(lasting(argument.name)).help(lasting(argument.help));
    let arg = match argument.flag {
        Some(flag) => arg.long(lasting(flag.trim_start_matches('-').to_string())),
        None => arg,
    };
    match (argument.kind.as_str(), argument.value.as_str()) {
        ("flag", _) => arg.action(ArgAction::SetTrue),
        // which words and numbers are allowed is the core's to say, in the same text at every door
        (_, "uint") => arg.value_parser(value_parser!(u64)).value_name("N"),
        (_, "float") => arg.value_parser(value_parser!(f64)).value_name("SECONDS"),
        _ => arg.allow_hyphen_values(false),
    }
}

/// The parser wants names for the whole life of the program, and is built once.
fn lasting(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_table_is_there() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        assert_eq!(table.commands.len(), 11);
        parser().debug_assert();
        for entry in table.commands {
            assert!(parser().find_subcommand(&entry.name).is_some(), "{}", entry.name);
        }
    }
}
