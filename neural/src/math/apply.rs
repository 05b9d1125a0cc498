//! The functions over slices, at any level: for measuring them and for comparing targets.

use super::{cosine, exp, gaussian, log, logistic, sine, softplus, tanh};
use crate::level::{dispatch, Kernels, Level, Work};
use crate::vector::Vector;

/// A function of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// [`exp`].
    Exp,
    /// [`log`].
    Log,
    /// [`logistic`].
    Logistic,
    /// [`tanh`].
    Tanh,
    /// [`sine`].
    Sine,
    /// [`cosine`].
    Cosine,
    /// [`gaussian`].
    Gaussian,
    /// [`softplus`].
    Softplus,
}

impl Function {
    /// All of them.
    pub const ALL: [Function; 8] = [
        Function::Exp,
        Function::Log,
        Function::Logistic,
        Function::Tanh,
        Function::Sine,
        Function::Cosine,
        Function::Gaussian,
        Function::Softplus,
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Function::Exp => "exp",
            Function::Log => "log",
            Function::Logistic => "logistic",
            Function::Tanh => "tanh",
            Function::Sine => "sine",
            Function::Cosine => "cosine",
            Function::Gaussian => "gaussian",
            Function::Softplus => "softplus",
        }
    }
}

/// Puts `function` of each value in its place.
pub fn apply(level: Level, function: Function, values: &mut [f32]) {
    dispatch(level, Apply { function, values });
}

struct Apply<'a> {
    function: Function,
    values: &'a mut [f32],
}

/// What is done to a vector. A type in place of a closure: a closure would not be compiled for the level.
trait Step {
    fn of<V: Vector>(x: V) -> V;
}

macro_rules! steps {
    ($($name:ident = $function:path;)*) => {
        $(
            struct $name;
            impl Step for $name {
                #[inline(always)]
                fn of<V: Vector>(x: V) -> V {
                    $function(x)
                }
            }
        )*

        impl Work for Apply<'_> {
            type Output = ();
            #[inline(always)]
            fn run<V: Kernels>(self) {
                match self.function {
                    $(Function::$name => map::<V, $name>(self.values),)*
                }
            }
        }
    };
}

steps! {
    Exp = exp;
    Log = log;
    Logistic = logistic;
    Tanh = tanh;
    Sine = sine;
    Cosine = cosine;
    Gaussian = gaussian;
    Softplus = softplus;
}

/// Whole vectors in place, then the rest in a vector of its own.
#[inline(always)]
fn map<V: Vector, S: Step>(values: &mut [f32]) {
    let mut whole = values.chunks_exact_mut(V::LANES);
    for chunk in &mut whole {
        // SAFETY: the chunk has `LANES` numbers.
        unsafe { S::of(V::load(chunk.as_ptr())).store(chunk.as_mut_ptr()) };
    }
    let rest = whole.into_remainder();
    let mut last = [0.0f32; 16];
    for (slot, value) in last.iter_mut().zip(rest.iter()) {
        *slot = *value;
    }
    // SAFETY: no type has more than 16 lanes.
    unsafe { S::of(V::load(last.as_ptr())).store(last.as_mut_ptr()) };
    for (slot, value) in rest.iter_mut().zip(&last) {
        *slot = *value;
    }
}
