//! Faults that tests let the store meet; no part of a build.

use std::cell::Cell;

/// What the next commit of this thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It commits and reports an error of the disk.
    ErrorAfterCommit,
    /// It reports an error of the disk and has not committed.
    ErrorInsteadOfCommit,
}

thread_local! {
    static NEXT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Lets the next commit of this thread fail.
pub(crate) fn next(fault: Fault) {
    NEXT.set(Some(fault));
}

/// The fault that is due, which is due no more.
pub(super) fn take() -> Option<Fault> {
    NEXT.take()
}
