//! The names of the cognitive patterns; what each one means for a network stands in `neural::pattern`.

/// The patterns, in the order of the documents; the first four are the default members of a diverse strategy.
pub const PATTERNS: &[&str] = &["convergent", "divergent", "lateral", "systems", "critical", "abstract"];

/// Patterns of a diverse strategy that names none.
pub const DEFAULT_PATTERNS: &[&str] = &["convergent", "divergent", "lateral", "systems"];
