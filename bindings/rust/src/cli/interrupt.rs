//! Ctrl-C: the first asks for a clean end, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Listens from now on. The Python door calls this command line too, so this replaces the handler
/// of the interpreter, whose own would not be heard while Rust runs.
pub(super) fn listen() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    ASKED.store(false, Ordering::SeqCst);
    INSTALLED.get_or_init(|| {
        // without a handler Ctrl-C just ends the process, which loses nothing that was acknowledged
        let _ = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::SeqCst) {
                super::program::end_all();
                std::process::exit(130);
            }
        });
    });
}

/// True once the user has asked for an end.
pub(super) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
