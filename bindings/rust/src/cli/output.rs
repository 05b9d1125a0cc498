//! What the command line prints: JSON lines or text, and never a panic when nobody reads it.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};

use ruv_swarm_core::error::{host_error, Error, HostTrouble};

/// Standard output with its mode.
pub(super) struct Output {
    stream: BufWriter<Stdout>,
    json: bool,
    terminal: bool,
    closed: bool,
    trouble: Option<io::Error>,
}

impl Output {
    pub(super) fn new(json: bool) -> Output {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal() && !json;
        Output { stream: BufWriter::new(stdout), json, terminal, closed: false, trouble: None }
    }

    /// True if only JSON lines may be printed.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// True if a person looks on, so that a table may be redrawn.
    pub(super) fn terminal(&self) -> bool {
        self.terminal
    }

    /// True once the reader has gone: there is no use in printing more.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// Text for people; nothing in JSON mode.
    pub(super) fn text(&mut self, text: &str) {
        if !self.json {
            self.raw(text);
        }
    }

    /// The text or the JSON line, by mode.
    pub(super) fn result(&mut self, text: &str, json: &str) {
        if self.json {
            self.line(json);
        } else {
            self.raw(text);
        }
    }

    /// A line in any mode.
    pub(super) fn line(&mut self, line: &str) {
        self.raw(line);
        self.raw("\n");
    }

    /// Bytes in any mode.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if !self.closed {
            let written = self.stream.write_all(bytes);
            self.note(written);
        }
    }

    fn raw(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Shows what was printed so far.
    pub(super) fn flush(&mut self) {
        if !self.closed {
            let flushed = self.stream.flush();
            self.note(flushed);
        }
    }

    /// The error that kept the output from its reader, if one did. A reader that has seen enough
    /// (`| head`) is none.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.flush();
        match self.trouble.take() {
            Some(error) => {
                let words = crate::files::io_words(&error);
                Err(host_error(HostTrouble::FileUnwritable, "out", "standard output", &words))
            }
            None => Ok(()),
        }
    }

    fn note(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        self.closed = true;
        if error.kind() != ErrorKind::BrokenPipe {
            self.trouble = Some(error);
        }
    }
}

/// An error in words on standard error.
pub(super) fn complain(message: &str) {
    // with standard error gone there is nobody left to tell
    let _ = writeln!(io::stderr(), "error: {message}");
}
