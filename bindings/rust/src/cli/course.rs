//! How the training of one network is shown on standard error: its loss curve, redrawn in place on a terminal, a
//! line now and then in a pipe, nothing in JSON mode.

use std::io::{stderr, IsTerminal, Write};
use std::time::{Duration, Instant};

use ruv_swarm_core::render;
use ruv_swarm_core::render::Curve;

/// In a pipe there is a line about this often.
const REMIND: Duration = Duration::from_secs(2);

/// On a terminal there is a new picture at most this often.
const REDRAW: Duration = Duration::from_millis(100);

/// The width of a terminal that does not tell its own.
const COLUMNS: usize = 80;

/// What was shown so far.
pub(super) struct Course {
    silent: bool,
    terminal: bool,
    curve: Curve,
    drawn_lines: usize,
    last: Instant,
    /// The newest progress that was not drawn.
    waiting: bool,
}

impl Course {
    pub(super) fn new(silent: bool) -> Course {
        let terminal = stderr().is_terminal();
        Course { silent, terminal, curve: Curve::new(), drawn_lines: 0, last: Instant::now(), waiting: false }
    }

    /// Takes the progress after a slice.
    pub(super) fn show(&mut self, progress: &str) {
        if self.silent {
            return;
        }
        let pause = if self.terminal { REDRAW } else { REMIND };
        let due = self.last.elapsed() >= pause;
        if self.terminal {
            self.curve.add(progress);
            self.waiting = true;
            if due {
                self.redraw();
            }
        } else if due {
            tell(&render("train_progress", progress));
        }
        if due {
            self.last = Instant::now();
        }
    }

    /// Leaves the last picture and goes on below it.
    pub(super) fn end(&mut self) {
        if self.terminal && self.waiting && self.drawn_lines > 0 {
            self.redraw();
        }
    }

    fn redraw(&mut self) {
        // a line that is longer than the terminal is wide is cut, or the next picture would be off
        let mut picture = String::from("\x1b[?7l");
        if self.drawn_lines > 0 {
            picture.push_str(&format!("\x1b[{}A", self.drawn_lines));
        }
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(COLUMNS);
        let text = self.curve.text(columns);
        self.drawn_lines = text.lines().count();
        for line in text.lines() {
            picture.push_str(line);
            // what a longer line left behind is wiped
            picture.push_str("\x1b[K\n");
        }
        picture.push_str("\x1b[?7h");
        self.waiting = false;
        tell(&picture);
    }
}

fn tell(text: &str) {
    // with standard error gone there is nobody left to tell
    let _ = stderr().write_all(text.as_bytes());
}
