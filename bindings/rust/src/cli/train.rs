//! train: one network, without a swarm.

use std::time::Duration;

use ruv_swarm_core::error::Error;
use ruv_swarm_core::neural::door::{
    check_report, check_train, interrupted, options_of_flags, train_answer, TrainArguments,
};
use ruv_swarm_core::render;
use serde::Deserialize;
use serde_json::json;

use super::course::Course;
use super::table::{self, Argument};
use super::{input, interrupt, Context};
use crate::files;
use crate::neural::{checkpoint_note, Session, Then, Training};

pub(super) fn run(context: &mut Context<'_>) -> Result<i32, Error> {
    let flags = flags(context);
    let asked = Asked::read(context, &flags)?;
    for (field, path) in [("out", &asked.out), ("checkpoint", &asked.checkpoint)] {
        if !path.is_empty() {
            files::check_target(field, path)?;
        }
    }
    let mut session = match &asked.resumed {
        Some(checkpoint) => Session::resume(checkpoint, &input::bytes("data", &asked.data)?)?,
        None => {
            let options = options_of_flags(&json!(flags).to_string(), &base_options(context)?)?;
            Session::new(&input::bytes("data", &asked.data)?, &options)?
        }
    };
    session.set_note(&asked.note())?;
    let mut training = Training::new(session)?;
    training.limit(context.seconds("seconds").map(Duration::from_secs_f64));
    training.checkpoints(Some(asked.checkpoint.clone()).filter(|path| !path.is_empty()), asked.every);
    if asked.resumed.is_some() {
        context.out.text(&format!("going on after epoch {}\n", training.epoch()));
        context.out.flush();
    }
    let mut course = Course::new(context.out.json());
    let ended = training.run(&mut |progress| {
        course.show(progress);
        if interrupt::asked() {
            Then::Leave
        } else {
            Then::GoOn
        }
    });
    course.end();
    if !ended? {
        return Err(interrupted(training.epoch(), &asked.checkpoint));
    }
    let trained = training.finish()?;
    if !asked.out.is_empty() {
        files::write_atomically("out", &asked.out, &trained.model)?;
    }
    check_report(&trained.report_json)?;
    let answer = train_answer(&trained.report_json, &asked.out);
    context.out.result(&render("train", &answer), &answer);
    Ok(0)
}

/// Name, type and text of each option that was given as a flag.
type Flags = Vec<[String; 3]>;

fn flags(context: &Context<'_>) -> Flags {
    let settings = table::entry("train").map_or(&[][..], |entry| &entry.args);
    let given = |argument: &Argument| -> Option<String> {
        match argument.kind.as_str() {
            "flag" => context.flag(&argument.name).then(String::new),
            _ => context.word(&argument.name).cloned(),
        }
    };
    let flag = |argument: &Argument| {
        given(argument).map(|text| [argument.name.clone(), argument.value.clone(), text])
    };
    settings.iter().filter(|argument| argument.setting).filter_map(flag).collect()
}

/// The options of `--options`: JSON, or the path of a file that holds it.
fn base_options(context: &Context<'_>) -> Result<String, Error> {
    match context.word("options") {
        None => Ok(String::new()),
        Some(text) if text.trim_start().starts_with('{') => Ok(text.clone()),
        Some(path) => input::as_text("options", input::bytes("options", path)?),
    }
}

/// What a checkpoint knows of the command that wrote it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Note {
    data: String,
    out: String,
    every: Option<u32>,
}

/// The files of this training, as they were given now or when its checkpoint was written.
struct Asked {
    data: String,
    out: String,
    checkpoint: String,
    every: Option<u32>,
    /// The bytes of the checkpoint to go on from.
    resumed: Option<Vec<u8>>,
}

impl Asked {
    fn read(context: &Context<'_>, flags: &Flags) -> Result<Asked, Error> {
        let word = |name: &str| context.word(name).map_or("", String::as_str);
        let first_option = flags.first().map_or("", |[name, ..]| name.as_str());
        let mut arguments = TrainArguments {
            data: word("data"),
            resume: word("resume"),
            first_option: if word("options").is_empty() { first_option } else { "options" },
            checkpoint: word("checkpoint"),
            every: context.number("every"),
            seconds: context.seconds("seconds"),
        };
        check_train(&arguments)?;
        let (mut resumed, mut note) = (None, Note::default());
        if !arguments.resume.is_empty() {
            let bytes = files::read("resume", arguments.resume)?;
            // a note that another program wrote tells nothing
            note = serde_json::from_str(&checkpoint_note(&bytes)?).unwrap_or_default();
            resumed = Some(bytes);
            if arguments.data.is_empty() && note.data != "-" {
                arguments.data = &note.data;
            }
            check_train(&TrainArguments { resume: "", first_option: "", every: None, ..arguments })?;
        }
        let or = |given: &str, known: &str| if given.is_empty() { known } else { given }.to_string();
        Ok(Asked {
            data: arguments.data.to_string(),
            out: or(word("out"), &note.out),
            checkpoint: or(arguments.checkpoint, arguments.resume),
            every: arguments.every.map(|every| every as u32).or(note.every),
            resumed,
        })
    }

    /// What goes with the checkpoints.
    fn note(&self) -> String {
        json!({ "data": self.data, "every": self.every, "out": self.out }).to_string()
    }
}
