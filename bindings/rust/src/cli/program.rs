//! A program of the user's as the code of a worker: one process a task, and no shell.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ruv_swarm_core::error::{Code, Error};
use ruv_swarm_core::split_words;

use crate::files::io_words;
use crate::work::{Context, Failure, Output, Task, Work};

/// How often a running program is looked after.
const GLANCE: Duration = Duration::from_millis(20);

/// Between the end of a program's output and the end of the program there is next to no time.
const MOMENT: Duration = Duration::from_millis(1);

/// How long a program has to end by itself once it is told to.
const GRACE: Duration = Duration::from_secs(2);

/// How much of the end of a program's standard error is kept as the message of its failure.
const TAIL_BYTES: usize = 2_000;

/// A program with its arguments and its limits.
pub(super) struct Program {
    words: Vec<String>,
    /// How long one task may take.
    pub(super) time_limit: Option<Duration>,
    /// How many bytes of output one task may have.
    pub(super) output_limit: u64,
    /// The database, for programs that have more to ask of the swarm.
    pub(super) db: PathBuf,
}

impl Program {
    /// Reads the command line and looks the program up, so that a mistake is found before any task
    /// is claimed.
    ///
    /// # Errors
    /// `invalid_argument` for words that cannot be split, `not_found` if there is no such program.
    pub(super) fn find(exec: &str) -> Result<Program, Error> {
        let words = split_words("exec", exec)?;
        let program = words.first().map(String::as_str).unwrap_or_default();
        let there = match Path::new(program).components().count() > 1 {
            true => can_run(Path::new(program)),
            false => std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path).any(|folder| can_run(&folder.join(program)))
            }),
        };
        if !there {
            let message =
                format!("exec: no program {program:?} that can be run; give a path, or a name on PATH");
            return Err(Error::new(Code::NotFound, "exec", message));
        }
        Ok(Program { words, time_limit: None, output_limit: 65_536, db: PathBuf::new() })
    }

    fn start(&self, context: &Context) -> std::io::Result<Child> {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map(String::as_str).unwrap_or_default());
        command
            .args(words)
            .env("RUV_SWARM_TASK", context.task_id())
            .env("RUV_SWARM_AGENT", context.agent_id())
            .env("RUV_SWARM_EPOCH", context.epoch().to_string())
            .env("RUV_SWARM_DB", &self.db)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // a group of its own: whatever it starts ends with it, and Ctrl-C is the worker's to hear
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

/// The programs that run now, by their process numbers.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all programs at once: this process is about to leave without waiting for them.
pub(super) fn end_all() {
    for id in running().iter() {
        signal_group(*id, Signal::Kill);
    }
}

impl Work for Program {
    fn run(&self, task: &Task, context: &Context) -> Result<Output, Failure> {
        let mut child = self.start(context).map_err(|error| {
            let program = self.words.first().map(String::as_str).unwrap_or_default();
            Failure::new("exec_failed", format!("cannot start {program:?}: {}", io_words(&error)))
        })?;
        running().insert(child.id());
        let streams = Streams::open(&mut child, task.json(), self.output_limit);
        let reason = self.look_after(&mut child, &streams, context);
        let status = match &reason {
            Some(_) => end(&mut child),
            None => child.wait(),
        };
        // what it left running must not outlive its lease
        signal_group(child.id(), Signal::Kill);
        running().remove(&child.id());
        streams.wait();
        if let Some(failure) = reason {
            return Err(failure);
        }
        match status {
            Ok(status) if status.success() => Ok(output(streams.out.take())),
            Ok(status) => Err(failed(status, &streams.err.take())),
            Err(error) => Err(Failure::new("exec_failed", io_words(&error))),
        }
    }
}

impl Program {
    /// Waits for the end of the program, or for a reason to end it.
    fn look_after(&self, child: &mut Child, streams: &Streams, context: &Context) -> Option<Failure> {
        let begun = Instant::now();
        let mut patience = GLANCE;
        loop {
            match streams.notes.recv_timeout(patience) {
                Ok(Note::TooMuch) => {
                    let message = format!("more than {} bytes of output", self.output_limit);
                    return Some(Failure::new("output_limit", message));
                }
                // both streams have ended, and the program is about to
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(patience),
                Ok(Note::Ended) | Err(RecvTimeoutError::Timeout) => {}
            }
            match child.try_wait() {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return None,
            }
            if context.cancelled() {
                return Some(Failure::new("stopped", "told to stop"));
            }
            if let Some(limit) = self.time_limit.filter(|limit| begun.elapsed() >= *limit) {
                let message = format!("not done after {} s", limit.as_secs_f64());
                return Some(Failure::new("time_limit", message));
            }
            patience = if streams.out.ended() { (patience / 2).max(MOMENT) } else { GLANCE };
        }
    }
}

/// Asks the program to end, and ends it if it does not.
fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    signal_group(child.id(), Signal::Terminate);
    let end = Instant::now() + GRACE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(GLANCE);
    }
    signal_group(child.id(), Signal::Kill);
    child.wait()
}

enum Signal {
    Terminate,
    Kill,
}

#[cfg(unix)]
fn signal_group(id: u32, signal: Signal) {
    use nix::sys::signal::{killpg, Signal as Posix};
    let signal = match signal {
        Signal::Terminate => Posix::SIGTERM,
        Signal::Kill => Posix::SIGKILL,
    };
    if let Ok(group) = i32::try_from(id) {
        // a group that is gone has nothing left to end
        let _ = killpg(nix::unistd::Pid::from_raw(group), signal);
    }
}

/// Without process groups it is the system's own command that ends a program and what it started.
#[cfg(not(unix))]
fn signal_group(id: u32, signal: Signal) {
    let force: &[&str] = match signal {
        Signal::Terminate => &[],
        Signal::Kill => &["/F"],
    };
    let mut command = Command::new("taskkill");
    command.args(["/T", "/PID", &id.to_string()]).args(force).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = command.status();
}

#[cfg(unix)]
fn can_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn can_run(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

/// Text as it stands, byte for byte; what is no text as an artifact.
fn output(bytes: Vec<u8>) -> Output {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => error.into_bytes().into(),
    }
}

fn failed(status: ExitStatus, errors: &[u8]) -> Failure {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let (code, message) = match (status.code(), signal) {
        (Some(code), _) => (format!("exit_{code}"), format!("the program ended with exit code {code}")),
        (None, Some(signal)) => (format!("signal_{signal}"), format!("signal {signal} ended the program")),
        (None, None) => ("exit_unknown".to_string(), "the program ended without an exit code".to_string()),
    };
    let said = String::from_utf8_lossy(errors);
    match said.trim() {
        "" => Failure::new(code, message),
        said => Failure::new(code, said),
    }
}

enum Note {
    /// A stream has come to its end.
    Ended,
    /// There is more output than is allowed.
    TooMuch,
}

/// The bytes of one stream as they come.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    ended: bool,
}

#[derive(Clone, Default)]
struct Stream(Arc<Mutex<Kept>>);

impl Stream {
    fn with<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Vec<u8> {
        self.with(|kept| std::mem::take(&mut kept.bytes))
    }

    fn ended(&self) -> bool {
        self.with(|kept| kept.ended)
    }

    /// Reads to the end on a thread of its own. `keep` adds a piece and says whether to go on.
    fn read(
        &self,
        from: Option<impl Read + Send + 'static>,
        notes: Sender<Note>,
        keep: impl Fn(&mut Vec<u8>, &[u8]) -> bool + Send + 'static,
    ) {
        let stream = self.clone();
        let Some(mut from) = from else { return };
        std::thread::spawn(move || {
            let mut piece = vec![0; 16 * 1024];
            while let Ok(count @ 1..) = from.read(&mut piece) {
                let new = piece.get(..count).unwrap_or_default();
                if !stream.with(|kept| keep(&mut kept.bytes, new)) {
                    let _ = notes.send(Note::TooMuch);
                    break;
                }
            }
            stream.with(|kept| kept.ended = true);
            let _ = notes.send(Note::Ended);
        });
    }
}

/// The three streams of a program: each has a thread, so that none waits for another.
struct Streams {
    out: Stream,
    err: Stream,
    notes: Receiver<Note>,
}

impl Streams {
    fn open(child: &mut Child, task: &str, limit: u64) -> Streams {
        let (sender, notes) = channel();
        let streams = Streams { out: Stream::default(), err: Stream::default(), notes };
        if let Some(mut stdin) = child.stdin.take() {
            let line = format!("{task}\n");
            // a program that does not read its task is free to do so
            std::thread::spawn(move || stdin.write_all(line.as_bytes()));
        }
        streams.out.read(child.stdout.take(), sender.clone(), move |kept, new| {
            kept.extend_from_slice(new);
            kept.len() as u64 <= limit
        });
        streams.err.read(child.stderr.take(), sender, |kept, new| {
            kept.extend_from_slice(new);
            kept.drain(..kept.len().saturating_sub(TAIL_BYTES));
            true
        });
        streams
    }

    /// Waits until the last bytes are in; not for ever, since a process that has left the group may
    /// hold them open.
    fn wait(&self) {
        let end = Instant::now() + GRACE;
        while !(self.out.ended() && self.err.ended()) && Instant::now() < end {
            let _ = self.notes.recv_timeout(GLANCE);
        }
    }
}
