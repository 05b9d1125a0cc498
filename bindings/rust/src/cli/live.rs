//! How a training goal is shown while it runs: a table that is redrawn on a terminal, plain lines
//! in a pipe, nothing in JSON mode.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::output::Output;
use crate::training::{MemberState, MemberView, View};

/// In a pipe a member that trains is mentioned about this often.
const REMIND: Duration = Duration::from_secs(2);

/// What was shown so far.
#[derive(Default)]
pub(super) struct Live {
    drawn_lines: usize,
    last: BTreeMap<String, (MemberState, Instant)>,
    said_waiting: bool,
    said_fusing: bool,
}

impl Live {
    pub(super) fn show(&mut self, out: &mut Output, view: &View) {
        if out.json() {
            return;
        }
        if out.terminal() {
            self.redraw(out, view);
        } else {
            self.append(out, view);
        }
        out.flush();
    }

    /// Leaves the last picture and goes on below it.
    pub(super) fn end(&mut self, out: &mut Output) {
        if self.drawn_lines > 0 {
            out.text("\n");
        }
        self.drawn_lines = 0;
    }

    fn redraw(&mut self, out: &mut Output, view: &View) {
        // a line that is longer than the terminal is wide is cut, or the next picture would be off
        let mut picture = String::from("\x1b[?7l");
        if self.drawn_lines > 0 {
            picture.push_str(&format!("\x1b[{}A", self.drawn_lines));
        }
        let mut lines = vec![format!(
            "{:<5} {:<10} {:<19} {:<9} {:<20} {}",
            "agent", "pattern", "algorithm", "state", "epochs", "validation loss"
        )];
        lines.extend(view.members.iter().map(row));
        lines.push(if view.fusing {
            "fusing the members".to_string()
        } else {
            waiting(view).unwrap_or_default()
        });
        for line in &lines {
            picture.push_str(line);
            // what a longer line left behind is wiped
            picture.push_str("\x1b[K\n");
        }
        picture.push_str("\x1b[?7h");
        self.drawn_lines = lines.len();
        out.text(&picture);
    }

    fn append(&mut self, out: &mut Output, view: &View) {
        for member in &view.members {
            let known = self.last.get(&member.task_id).copied();
            let changed = known.is_none_or(|(state, _)| state != member.state);
            let long_ago = known.is_none_or(|(_, at)| at.elapsed() >= REMIND);
            let due = changed || (long_ago && member.state == MemberState::Training);
            if !due {
                continue;
            }
            self.last.insert(member.task_id.clone(), (member.state, Instant::now()));
            if changed && member.state == MemberState::Waiting {
                continue;
            }
            let epochs = if member.total > 0 { format!(", epoch {}", epochs(member)) } else { String::new() };
            let note = if member.note.is_empty() { String::new() } else { format!(", {}", member.note) };
            out.text(&format!(
                "{} {} {}: {}{epochs}{note}\n",
                member.agent_id,
                member.pattern,
                member.algorithm,
                member.state.as_str()
            ));
        }
        if let (Some(text), false) = (waiting(view), self.said_waiting) {
            out.text(&format!("{text}\n"));
            self.said_waiting = true;
        }
        if view.fusing && !self.said_fusing {
            out.text("fusing the members\n");
            self.said_fusing = true;
        }
    }
}

fn row(member: &MemberView) -> String {
    format!(
        "{:<5} {:<10} {:<19} {:<9} {:<20} {}",
        member.agent_id,
        member.pattern,
        member.algorithm,
        member.state.as_str(),
        if member.total > 0 { bar(member) } else { String::new() },
        member.note.trim_start_matches("validation loss ")
    )
}

fn epochs(member: &MemberView) -> String {
    format!("{} of at most {}", member.done, member.total)
}

/// Ten steps and the numbers; a member that stops early is done with a bar that is not full.
fn bar(member: &MemberView) -> String {
    let steps = (member.done * 10 / member.total.max(1)).min(10) as usize;
    format!("{}{} {}/{}", "#".repeat(steps), ".".repeat(10 - steps), member.done, member.total)
}

fn waiting(view: &View) -> Option<String> {
    if !view.waits_for_others() {
        return None;
    }
    let left =
        view.members.iter().filter(|m| m.state == MemberState::Elsewhere).map(|m| m.lease_left_ms).max()?;
    Some(format!(
        "another process holds the members that are left; its lease ends in {} s unless it lives",
        left.div_ceil(1000)
    ))
}
