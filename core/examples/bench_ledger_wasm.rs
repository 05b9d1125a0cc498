//! The loop of `bench_ledger mix` as a WebAssembly module of its own, so that it runs inside the
//! engine: `benches/ledger_node.mjs` hands in the clock and prints what is said.

#[cfg(target_arch = "wasm32")]
mod ledger_loop;

#[cfg(target_arch = "wasm32")]
mod module {
    use super::ledger_loop::Bench;

    #[link(wasm_import_module = "bench")]
    extern "C" {
        fn now_ms() -> f64;
        fn say(text: *const u8, bytes: usize);
    }

    fn clock() -> f64 {
        // SAFETY: the host's function takes nothing and gives back a number.
        unsafe { now_ms() }
    }

    fn tell(line: &str) {
        // SAFETY: the host reads so many bytes of a text that lives until it returns.
        unsafe { say(line.as_ptr(), line.len()) }
    }

    /// Runs the mix with so many waiting tasks, and the replay.
    #[no_mangle]
    pub extern "C" fn bench(tasks: u32, blocks: u32) {
        let mut bench = Bench::new(tasks.into(), 1_000, 64);
        bench.mix(2, &clock);
        for timing in bench.mix(blocks.into(), &clock) {
            tell(&timing.json(tasks.into()));
        }
        tell(&bench.replay(&clock).json(tasks.into()));
        tell(&bench.chain(&clock).json(tasks.into()));
    }
}
