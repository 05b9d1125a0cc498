//! The processor's floating-point settings while the engine computes.
//!
//! A host process may have set flush-to-zero or another rounding (a library linked with fast maths does that for
//! the whole thread); the engine's bits need the defaults, and the host needs its own settings back.

/// Keeps the default settings until it is dropped.
pub struct FloatState {
    #[cfg(target_arch = "x86_64")]
    before: u32,
}

/// Round to nearest, no flushing, all exceptions masked.
#[cfg(target_arch = "x86_64")]
const DEFAULT: u32 = 0x1f80;

impl FloatState {
    /// Sets the defaults.
    pub fn hold() -> FloatState {
        #[cfg(target_arch = "x86_64")]
        {
            let before = read();
            if before != DEFAULT {
                write(DEFAULT);
            }
            FloatState { before }
        }
        #[cfg(not(target_arch = "x86_64"))]
        FloatState {}
    }
}

#[cfg(target_arch = "x86_64")]
impl Drop for FloatState {
    fn drop(&mut self) {
        if self.before != DEFAULT {
            write(self.before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn read() -> u32 {
    let mut state = 0u32;
    // SAFETY: stores the control register into a local of the right size.
    unsafe { core::arch::asm!("stmxcsr [{}]", in(reg) &mut state, options(nostack, preserves_flags)) };
    state
}

#[cfg(target_arch = "x86_64")]
fn write(state: u32) {
    // SAFETY: loads either the default or a value that the register held before.
    unsafe { core::arch::asm!("ldmxcsr [{}]", in(reg) &state, options(nostack, preserves_flags, readonly)) };
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn flushing_is_off_inside_and_back_after() {
        let kept = read();
        write(DEFAULT | 0x8040);
        let small = core::hint::black_box(f32::MIN_POSITIVE);
        let inside = {
            let _hold = FloatState::hold();
            core::hint::black_box(small * core::hint::black_box(0.5))
        };
        let flags = read() & 0x8040;
        write(kept);
        assert!(inside > 0.0, "a denormal was flushed");
        assert_eq!(flags, 0x8040, "the host's settings are back");
    }
}
