//! The command table, generated from the catalogue, as a parser.

use std::sync::OnceLock;

use clap::{value_parser, Arg, ArgAction, Command};
use serde::Deserialize;

/// The generated table.
const TABLE: &str = include_str!("commands.json");

#[derive(Default, Deserialize)]
struct Table {
    globals: Vec<Argument>,
    commands: Vec<Entry>,
}

/// A command.
#[derive(Deserialize)]
pub(super) struct Entry {
    name: String,
    help: String,
    /// The operation that it is, if it is no more than that.
    pub(super) operation: Option<String>,
    pub(super) args: Vec<Argument>,
}

/// An argument of a command.
#[derive(Deserialize)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) flag: Option<String>,
    /// flag, option or positional.
    pub(super) kind: String,
    /// string, uint, float, bool or list.
    #[serde(rename = "type")]
    pub(super) value: String,
    /// Whether it is an option of training: its text goes to the core, which reads it.
    #[serde(default)]
    pub(super) setting: bool,
    /// Its place in the request of the operation, if that has another name.
    pub(super) field: Option<String>,
    help: String,
}

fn table() -> &'static Table {
    static READ: OnceLock<Table> = OnceLock::new();
    // the table is part of the program: a test reads it, and an empty one would name no command
    READ.get_or_init(|| serde_json::from_str(TABLE).unwrap_or_default())
}

/// The command of this name.
pub(super) fn entry(name: &str) -> Option<&'static Entry> {
    table().commands.iter().find(|entry| entry.name == name)
}

/// The parser of the whole command line.
pub(super) fn parser() -> Command {
    static PARSER: OnceLock<Command> = OnceLock::new();
    PARSER.get_or_init(build).clone()
}

fn build() -> Command {
    let mut command = Command::new("ruv-swarm")
        .version(crate::version())
        .about("Swarms of agents on one durable file: plan, train, follow and prove.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true);
    for argument in &table().globals {
        command = command.arg(option(argument).global(true));
    }
    for entry in &table().commands {
        let args: Vec<Arg> = entry.args.iter().map(option).collect();
        command = command.subcommand(Command::new(&*entry.name).about(&*entry.help).args(args));
    }
    command
}

fn option(argument: &'static Argument) -> Arg {
    let arg = Arg::new(&*argument.name).help(&*argument.help);
    let arg = match &argument.flag {
        Some(flag) => arg.long(flag.trim_start_matches('-')),
        None => arg,
    };
    match (argument.kind.as_str(), argument.value.as_str()) {
        ("flag", _) => arg.action(ArgAction::SetTrue),
        (_, "uint") if argument.setting => arg.value_name("N"),
        (_, "float") if argument.setting => arg.value_name("NUMBER").allow_negative_numbers(true),
        // which words and numbers are allowed is the core's to say, in the same text at every door
        (_, "uint") => arg.value_parser(value_parser!(u64)).value_name("N"),
        (_, "float") => arg.value_parser(value_parser!(f64)).value_name("SECONDS"),
        // a lone - is standard input, which clap takes as a value by itself
        _ => arg.allow_hyphen_values(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_table_is_there() {
        serde_json::from_str::<Table>(TABLE).unwrap();
        assert_eq!(table().commands.len(), 28);
        parser().debug_assert();
        for entry in &table().commands {
            assert!(parser().find_subcommand(&entry.name).is_some(), "{}", entry.name);
        }
    }
}
