//! No epoch, no measurement and no answer allocates: an allocator counts.

use ruv_swarm_neural::{
    Activation, Algorithm, Init, Layer, Level, Network, Rng, Rows, Runner, Settings, Shape, Trainer,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.load(Ordering::Relaxed);
    work();
    COUNT.load(Ordering::Relaxed) - before
}

#[test]
fn epochs_measurements_and_answers_allocate_nothing() {
    let layer = |units, activation| Layer { units, activation, steepness: 1.0 };
    for shortcut in [false, true] {
        let layers =
            vec![layer(9, Activation::Sine), layer(20, Activation::Tanh), layer(3, Activation::Softmax)];
        let mut network = Network::new(Shape { inputs: 6, layers, shortcut });
        network.initialise(Init::Scaled, &mut Rng::from_seed(1));
        let mut rng = Rng::from_seed(2);
        let rows = Rows::build(100, 6, 3, |row, input, target| {
            input.iter_mut().for_each(|value| *value = rng.uniform_f32(-1.0, 1.0));
            target[row % 3] = 1.0;
            1.0
        });
        use Algorithm::{Adam, Batch, Incremental, IrpropMinus, IrpropPlus, Quickprop, Sarprop};
        for algorithm in [Batch, Incremental, IrpropMinus, IrpropPlus, Quickprop, Sarprop, Adam] {
            for (noise, dropout, momentum) in [(0.0, 0.0, 0.0), (0.1, 0.1, 0.5)] {
                let settings = Settings {
                    algorithm,
                    learning_rate: 0.01,
                    batch_rows: 32,
                    noise,
                    dropout,
                    momentum,
                    l1: noise * 1e-3,
                    ..Settings::default()
                };
                let mut trainer =
                    Trainer::new(Level::detect(), network.clone(), settings, rows.clone(), Rng::from_seed(3))
                        .expect("sound");
                let mut kept = vec![0.0; network.weights.len()];
                let count = allocations(|| {
                    for _ in 0..5 {
                        assert!(trainer.epoch().broken.is_none() && trainer.measure(&rows).broken.is_none());
                        assert!(trainer.copy_weights(&mut kept));
                    }
                });
                assert_eq!(count, 0, "{settings:?}");
            }
        }
        let mut runner = Runner::new(Level::detect(), &network).expect("sound");
        let (inputs, mut outputs) = ([0.5f32; 600], [0.0f32; 300]);
        assert_eq!(allocations(|| assert!(runner.row(&inputs[..6], &mut outputs[..3]))), 0);
        assert_eq!(allocations(|| assert!(runner.rows(&inputs, &mut outputs))), 0);
    }
}
