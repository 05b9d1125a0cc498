//! The command line. The binary and the Python package's script both call [`run`], so the two doors
//! are the same by construction.

mod commands;
mod course;
mod input;
mod interrupt;
mod live;
mod model;
mod monitor;
mod operation;
mod orchestrate;
mod output;
mod place;
mod program;
mod table;
mod train;
mod work;

use clap::error::ErrorKind;
use clap::ArgMatches;
use ruv_swarm_core::error::{host_error, Code, Error, HostTrouble};

use crate::host::{Host, Options};
use output::{complain, Output};
use table::Entry;

/// Runs the command line `args`, the program's name first, and gives back its exit code: 0 done,
/// 1 the work failed, 2 bad use, bad input or unknown id, 3 store trouble, 130 interrupted.
///
/// It prints to the process's standard output and error, and handles Ctrl-C itself.
pub fn run(args: Vec<String>) -> i32 {
    let json = args.iter().any(|arg| arg == "--json");
    let mut out = Output::new(json);
    let matches = match table::parser().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return answer_parser(&mut out, &error),
    };
    interrupt::listen();
    let result = matches
        .subcommand()
        .map_or(Ok(0), |(name, matches)| dispatch(name, &mut Context { matches, out: &mut out }));
    let result = result.and_then(|code| out.finish().map(|()| code));
    result.unwrap_or_else(|error| report(&mut out, &error))
}

/// One command with its arguments and its output.
struct Context<'a> {
    matches: &'a ArgMatches,
    out: &'a mut Output,
}

fn dispatch(name: &str, context: &mut Context<'_>) -> Result<i32, Error> {
    match name {
        "init" => commands::init(context),
        "spawn" => commands::spawn(context),
        "orchestrate" => orchestrate::run(context),
        "train" => train::run(context),
        "evaluate" => model::evaluate(context),
        "predict" => model::predict(context),
        "inspect" => model::inspect(context),
        "status" => commands::status(context),
        "query" => commands::query(context),
        "monitor" => monitor::run(context),
        "log" => commands::log(context),
        "replay" => commands::replay(context),
        "doctor" => commands::doctor(context),
        "mcp" => commands::mcp(context),
        "work" => work::run(context),
        "call" => operation::call(context),
        other => match table::entry(other) {
            Some(entry) if other == "submit" => operation::submit(context, &entry.args),
            Some(Entry { operation: Some(operation), args, .. }) => operation::run(context, operation, args),
            _ => Err(Error::new(Code::Internal, "", format!("the command {other:?} has no code"))),
        },
    }
}

impl Context<'_> {
    fn word(&self, name: &str) -> Option<&String> {
        self.matches.get_one::<String>(name)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.matches.get_one::<u64>(name).copied()
    }

    fn seconds(&self, name: &str) -> Option<f64> {
        self.matches.get_one::<f64>(name).copied()
    }

    fn flag(&self, name: &str) -> bool {
        self.matches.get_flag(name)
    }

    /// The words of a list that is separated by commas.
    fn words(&self, name: &str) -> Vec<String> {
        let text = self.word(name).map(String::as_str).unwrap_or_default();
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(String::from).collect()
    }

    fn database(&self, new: bool) -> std::path::PathBuf {
        place::database(self.word("db"), new)
    }

    /// The swarm that is there; the error says how to make one.
    fn host(&self) -> Result<Host, Error> {
        let path = self.database(false);
        let host = Host::open(Options::file(&path))?;
        if host.version()? == 0 {
            return Err(host_error(HostTrouble::NoDatabase, "db", &path.display().to_string(), ""));
        }
        Ok(host)
    }
}

/// Help and version, or what is wrong with the use.
fn answer_parser(out: &mut Output, error: &clap::Error) -> i32 {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out.bytes(text.as_bytes());
            out.flush();
            0
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            complain("no command was given; see: ruv-swarm --help");
            2
        }
        _ => {
            let first = text.split("\n\n").next().unwrap_or_default();
            let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
            let message = line.strip_prefix("error: ").unwrap_or(&line);
            report(out, &Error::invalid("", message))
        }
    }
}

/// Tells the error once, in the form of the mode, and gives back its exit code.
fn report(out: &mut Output, error: &Error) -> i32 {
    if out.json() {
        out.line(&format!("{{\"error\":{}}}", error.to_json()));
        out.flush();
    } else {
        out.flush();
        complain(&error.message);
    }
    i32::from(error.code.exit())
}
