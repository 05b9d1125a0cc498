//! CPU time of a thread: what a bench goes by when other processes use the machine too.

/// CPU time of this thread so far, in ms.
#[cfg(target_os = "linux")]
pub fn cpu_ms() -> f64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the C library, which std links, fills in the struct that it is given.
    let failed = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "the system tells the CPU time of a thread");
    time.seconds as f64 * 1e3 + time.nanoseconds as f64 / 1e6
}

/// The clock, where the CPU time of a thread is not to be had.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::disallowed_types, reason = "a bench reads the clock; the core itself does not")]
pub fn cpu_ms() -> f64 {
    use std::time::Instant;
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
}
