//! What the simulator says when a promise is broken.

use std::fmt;

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise, as a stable word.
    pub invariant: &'static str,
    /// What was seen.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.message)
    }
}

impl std::error::Error for Violation {}

/// The answer of every check.
pub type Checked<T = ()> = Result<T, Violation>;

/// Leaves the function with a [`Violation`] if the condition does not hold.
macro_rules! ensure {
    ($holds:expr, $invariant:literal, $($text:tt)+) => {
        if !$holds {
            return Err($crate::violation::Violation { invariant: $invariant, message: format!($($text)+) });
        }
    };
}
pub(crate) use ensure;
