//! Choices of a decision that are no bookkeeping: who may run what, what goes first, and how a goal
//! becomes tasks.

mod eligible;
mod plan;

pub use eligible::{has_work_for, next_task, obstacle, reasons, waits_for, Ahead, Reason};
pub use plan::{by_pattern, cast, check_named, check_pattern, plan_work, rarest_pattern, Cast, PlannedTask};
