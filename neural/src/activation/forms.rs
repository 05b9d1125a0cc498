//! Values and slopes of the activations that look at one sum at a time.

use super::Activation;
use crate::math::{self, or_nan};
use crate::vector::{Scalar, Vector};

/// Slope of the leaky ReLU below 0.
const LEAK: f32 = 0.01;

/// One activation over vectors. A type of its own in place of a closure, which would not be compiled for the
/// instruction set of its caller.
trait Form {
    /// f(x); the one NaN where x is NaN.
    fn value<V: Vector>(x: V) -> V;
    /// f'(x), from x and y = f(x); only forms of [`Activation::needs_sum`] look at x.
    fn slope<V: Vector>(x: V, y: V) -> V;
}

macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident: |$x:ident| $value:expr, |$sx:pat_param, $sy:pat_param| $slope:expr;)*) => {
        $(
            $(#[$doc])*
            struct $name;
            impl Form for $name {
                #[inline(always)]
                fn value<V: Vector>($x: V) -> V {
                    $value
                }
                #[inline(always)]
                fn slope<V: Vector>($sx: V, $sy: V) -> V {
                    $slope
                }
            }
        )*
    };
}

/// 1 in each lane of the vector's type.
#[inline(always)]
fn one<V: Vector>() -> V {
    V::splat(1.0)
}

/// x held in `low..high`, and NaN as it is.
#[inline(always)]
fn held<V: Vector>(x: V, low: f32, high: f32) -> V {
    V::splat(low).max(V::splat(high).min(x))
}

/// x / (1 + |x|), also for what is infinite.
#[inline(always)]
fn elliott<V: Vector>(x: V) -> V {
    let x = held(x, -f32::MAX, f32::MAX);
    x.div(one::<V>().add(x.abs()))
}

forms! {
    Linear: |x| or_nan(x, x), |_, _| one();
    Logistic: |x| math::logistic(x), |_, y| y.mul(one::<V>().sub(y));
    Tanh: |x| math::tanh(x), |_, y| one::<V>().sub(y).mul(one::<V>().add(y));
    ElliottSymmetric: |x| or_nan(x, elliott(x)), |_, y| {
        let rest = one::<V>().sub(y.abs());
        rest.mul(rest)
    };
    Elliott: |x| or_nan(x, elliott(x).mul(V::splat(0.5)).add(V::splat(0.5))), |_, y| {
        let rest = one::<V>().sub(y.add(y).sub(one()).abs());
        rest.mul(rest).mul(V::splat(0.5))
    };
    Relu: |x| or_nan(x, V::splat(0.0).max(x)), |_, y| V::splat(0.0).lt(y).and(one());
    LeakyRelu: |x| or_nan(x, x.mul(V::splat(LEAK)).max(x)), |_, y| {
        V::splat(0.0).lt(y).select(one(), V::splat(LEAK))
    };
    Softplus: |x| math::softplus(x), |x, _| math::logistic(x);
    Gaussian: |x| math::gaussian(x), |x, y| V::splat(-2.0).mul(x).mul(y);
    GaussianSymmetric: |x| {
        let y = math::gaussian(x);
        y.add(y).sub(one())
    }, |x, y| V::splat(-2.0).mul(x).mul(one::<V>().add(y));
    Sine: |x| math::sine(x), |x, _| math::cosine(x);
    Cosine: |x| math::cosine(x), |x, _| math::sine(x).neg();
    PiecewiseLinear: |x| or_nan(x, held(x.add(V::splat(0.5)), 0.0, 1.0)), |_, y| {
        V::splat(0.0).lt(y).and(y.lt(one())).and(one())
    };
    PiecewiseLinearSymmetric: |x| or_nan(x, held(x, -1.0, 1.0)), |_, y| y.abs().lt(one()).and(one());
    Threshold: |x| or_nan(x, x.lt(V::splat(0.0)).select(V::splat(0.0), one())), |_, _| V::splat(0.0);
    ThresholdSymmetric: |x| or_nan(x, x.lt(V::splat(0.0)).select(V::splat(-1.0), one())), |_, _| V::splat(0.0);
}

macro_rules! by_form {
    ($activation:expr, $function:ident::<$vector:ident>($($argument:expr),*)) => {
        match $activation {
            Activation::Linear | Activation::Softmax => $function::<$vector, Linear>($($argument),*),
            Activation::Logistic => $function::<$vector, Logistic>($($argument),*),
            Activation::Tanh => $function::<$vector, Tanh>($($argument),*),
            Activation::ElliottSymmetric => $function::<$vector, ElliottSymmetric>($($argument),*),
            Activation::Relu => $function::<$vector, Relu>($($argument),*),
            Activation::Gaussian => $function::<$vector, Gaussian>($($argument),*),
            Activation::Sine => $function::<$vector, Sine>($($argument),*),
            Activation::Elliott => $function::<$vector, Elliott>($($argument),*),
            Activation::GaussianSymmetric => $function::<$vector, GaussianSymmetric>($($argument),*),
            Activation::Cosine => $function::<$vector, Cosine>($($argument),*),
            Activation::PiecewiseLinear => $function::<$vector, PiecewiseLinear>($($argument),*),
            Activation::PiecewiseLinearSymmetric => {
                $function::<$vector, PiecewiseLinearSymmetric>($($argument),*)
            }
            Activation::LeakyRelu => $function::<$vector, LeakyRelu>($($argument),*),
            Activation::Softplus => $function::<$vector, Softplus>($($argument),*),
            Activation::Threshold => $function::<$vector, Threshold>($($argument),*),
            Activation::ThresholdSymmetric => $function::<$vector, ThresholdSymmetric>($($argument),*),
        }
    };
}

/// y = f(steepness * z) over whole vectors; `z` and `y` hold `count` numbers, a multiple of the lanes, and may be
/// the same place. Softmax, which needs all outputs of a row, counts as linear.
///
/// # Safety
/// `count` numbers must be readable at `z` and writable at `y`.
#[cfg_attr(target_arch = "x86_64", inline(always))]
#[cfg_attr(not(target_arch = "x86_64"), inline(never))] // one copy: elsewhere a level is not a matter of the caller
pub(crate) unsafe fn forward<V: Vector>(
    activation: Activation,
    steepness: f32,
    z: *const f32,
    y: *mut f32,
    count: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { by_form!(activation, values::<V>(steepness, z, y, count)) }
}

#[inline(always)]
unsafe fn values<V: Vector, F: Form>(steepness: f32, z: *const f32, y: *mut f32, count: usize) {
    let steep = V::splat(steepness);
    let mut at = 0;
    while at < count {
        // SAFETY: `at` stays below `count`, a multiple of the lanes.
        unsafe { F::value(V::load(z.add(at)).mul(steep)).store(y.add(at)) };
        at += V::LANES;
    }
}

/// delta *= steepness * f'(steepness * z), from the sums and the values; `z` is looked at where
/// [`Activation::needs_sum`] says so. Softmax, which needs all outputs of a row, counts as linear.
///
/// # Safety
/// `count` numbers, a multiple of the lanes, must be readable at `z` and `y` and writable at `delta`.
#[cfg_attr(target_arch = "x86_64", inline(always))]
#[cfg_attr(not(target_arch = "x86_64"), inline(never))] // one copy: elsewhere a level is not a matter of the caller
pub(crate) unsafe fn backward<V: Vector>(
    activation: Activation,
    steepness: f32,
    z: *const f32,
    y: *const f32,
    delta: *mut f32,
    count: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { by_form!(activation, slopes::<V>(steepness, z, y, delta, count)) }
}

#[inline(always)]
unsafe fn slopes<V: Vector, F: Form>(
    steepness: f32,
    z: *const f32,
    y: *const f32,
    delta: *mut f32,
    count: usize,
) {
    let steep = V::splat(steepness);
    let mut at = 0;
    while at < count {
        // SAFETY: `at` stays below `count`, a multiple of the lanes.
        unsafe {
            let slope = F::slope(V::load(z.add(at)).mul(steep), V::load(y.add(at)));
            V::load(delta.add(at)).mul(slope.mul(steep)).store(delta.add(at));
        }
        at += V::LANES;
    }
}

/// The slope at one sum and value: steepness * f'(steepness * z).
pub(crate) fn slope_of(activation: Activation, steepness: f32, z: f32, y: f32) -> f32 {
    let mut delta = 1.0;
    // SAFETY: one number each, for vectors of one lane.
    unsafe { backward::<Scalar>(activation, steepness, &z, &y, &mut delta, 1) };
    delta
}

/// f(x) of the commonest activations, inline: where a layer is one vector a call costs as much as the function.
#[inline(always)]
pub(crate) fn common_value<V: Vector>(activation: Activation, x: V) -> Option<V> {
    match activation {
        Activation::Logistic => Some(Logistic::value(x)),
        Activation::Tanh => Some(Tanh::value(x)),
        _ => None,
    }
}

/// f'(x) of the same from y = f(x).
#[inline(always)]
pub(crate) fn common_slope<V: Vector>(activation: Activation, y: V) -> Option<V> {
    match activation {
        Activation::Logistic => Some(Logistic::slope(y, y)),
        Activation::Tanh => Some(Tanh::slope(y, y)),
        _ => None,
    }
}
