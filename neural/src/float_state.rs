//! The processor's floating-point settings while the engine computes.
//!
//! A host process may have set flush-to-zero or another rounding (a library linked with fast maths does that for
//! the whole thread); the engine's bits need the defaults, and the host needs its own settings back. WebAssembly has
//! no such settings.

/// Keeps the default settings until it is dropped.
pub struct FloatState {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    before: register::Word,
}

impl FloatState {
    /// Sets the defaults.
    #[inline]
    pub fn hold() -> FloatState {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        {
            let before = register::read();
            if register::differs(before) {
                register::write(register::DEFAULT);
            }
            FloatState { before }
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        FloatState {}
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
impl Drop for FloatState {
    #[inline]
    fn drop(&mut self) {
        if register::differs(self.before) {
            register::write(self.before);
        }
    }
}

// Neither write is `readonly` or `nomem`: no load or store, and so no arithmetic on memory, moves across it.

/// MXCSR.
#[cfg(target_arch = "x86_64")]
mod register {
    pub type Word = u32;

    /// Round to nearest, no flushing, all exceptions masked.
    pub const DEFAULT: Word = 0x1f80;

    /// Whether `state` computes otherwise; the lowest bits only tell what has happened.
    #[inline]
    pub fn differs(state: Word) -> bool {
        state & !0x3f != DEFAULT
    }

    #[inline]
    pub fn read() -> Word {
        let mut state = 0u32;
        // SAFETY: stores the control register into a local of the right size.
        unsafe {
            core::arch::asm!("stmxcsr [{}]", in(reg) &mut state, options(nostack, preserves_flags));
        }
        state
    }

    #[inline]
    pub fn write(state: Word) {
        // SAFETY: loads either the default or a value that the register held before.
        unsafe {
            core::arch::asm!("ldmxcsr [{}]", in(reg) &state, options(nostack, preserves_flags));
        }
    }
}

/// FPCR.
#[cfg(target_arch = "aarch64")]
mod register {
    pub type Word = u64;

    /// Round to nearest, no flushing, no trapping, NaNs handed on.
    pub const DEFAULT: Word = 0;

    /// Whether `state` computes otherwise.
    #[inline]
    pub fn differs(state: Word) -> bool {
        state != DEFAULT
    }

    #[inline]
    pub fn read() -> Word {
        let state: Word;
        // SAFETY: reads the control register.
        unsafe {
            core::arch::asm!("mrs {}, fpcr", out(reg) state, options(nostack, preserves_flags));
        }
        state
    }

    #[inline]
    pub fn write(state: Word) {
        // SAFETY: sets either the default or a value that the register held before.
        unsafe {
            core::arch::asm!("msr fpcr, {}", in(reg) state, options(nostack, preserves_flags));
        }
    }
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::register::{read, write, DEFAULT};
    use super::FloatState;
    use core::hint::black_box;

    /// Flushing to zero and rounding towards it.
    #[cfg(target_arch = "x86_64")]
    const HOST: u32 = DEFAULT | 0xe040;
    #[cfg(target_arch = "aarch64")]
    const HOST: u64 = DEFAULT | 7 << 22;

    #[test]
    fn flushing_and_rounding_are_the_defaults_inside_and_back_after() {
        let kept = read();
        write(HOST);
        let (small, third) = (black_box(f32::MIN_POSITIVE), black_box(3.0f32));
        let (half, quotient) = {
            let _hold = FloatState::hold();
            (black_box(small * black_box(0.5)), black_box(black_box(2.0) / third))
        };
        let after = read();
        write(kept);
        // bits: a comparison may be moved to where the host's settings hold
        assert_eq!(half.to_bits(), 0x0040_0000, "a denormal was flushed");
        assert_eq!(quotient.to_bits(), 0x3f2a_aaab, "rounded to nearest");
        assert_eq!(after & HOST, HOST, "the host's settings are back");
    }
}
