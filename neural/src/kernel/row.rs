//! Products of one row: the lanes hold units, the weights lie input by input.

use crate::vector::Vector;

/// out[u] = bias[u] + sum over k of x[k] * weights[k][u], for `width` units, a multiple of the lanes.
///
/// `weights` is `[bias, input…][unit]` if `biased`, else `[input][unit]` and the sum starts at 0.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Vector>(
    weights: *const f32,
    width: usize,
    x: *const f32,
    depth: usize,
    out: *mut f32,
    biased: bool,
) {
    let mut at = 0;
    // SAFETY: columns stay below `width`, rows below `depth` (and the bias).
    unsafe {
        while at + 8 * V::LANES <= width {
            multiply_tile::<V, 8>(weights.add(at), width, x, depth, out.add(at), biased);
            at += 8 * V::LANES;
        }
        if at + 4 * V::LANES <= width {
            multiply_tile::<V, 4>(weights.add(at), width, x, depth, out.add(at), biased);
            at += 4 * V::LANES;
        }
        if at + 2 * V::LANES <= width {
            multiply_tile::<V, 2>(weights.add(at), width, x, depth, out.add(at), biased);
            at += 2 * V::LANES;
        }
        if at < width {
            multiply_tile::<V, 1>(weights.add(at), width, x, depth, out.add(at), biased);
        }
    }
}

#[inline(always)]
unsafe fn multiply_tile<V: Vector, const N: usize>(
    mut weights: *const f32,
    width: usize,
    x: *const f32,
    depth: usize,
    out: *mut f32,
    biased: bool,
) {
    let mut sums = [V::splat(0.0); N];
    // SAFETY: `N` vectors of columns are inside.
    unsafe {
        if biased {
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = V::load(weights.add(n * V::LANES));
            }
            weights = weights.add(width);
        }
        let mut k = 0;
        // a narrow row is little but loop: four inputs at a time, the sum still in their order
        while N <= 2 && k + 4 <= depth {
            for j in 0..4 {
                let factor = V::splat(*x.add(k + j));
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(factor.mul(V::load(weights.add(j * width + n * V::LANES))));
                }
            }
            weights = weights.add(4 * width);
            k += 4;
        }
        for k in k..depth {
            let factor = V::splat(*x.add(k));
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add(factor.mul(V::load(weights.add(n * V::LANES))));
            }
            weights = weights.add(width);
        }
        for (n, sum) in sums.iter().enumerate() {
            sum.store(out.add(n * V::LANES));
        }
    }
}

/// weights[k][u] -= x[k] * y[u], for `width` units; with `biased` first bias[u] -= y[u].
#[inline(always)]
pub(crate) unsafe fn rank_one<V: Vector>(
    weights: *mut f32,
    width: usize,
    x: *const f32,
    depth: usize,
    y: *const f32,
    biased: bool,
) {
    let mut at = 0;
    // SAFETY: columns stay below `width`, rows below `depth` (and the bias).
    unsafe {
        while at + 4 * V::LANES <= width {
            rank_one_tile::<V, 4>(weights.add(at), width, x, depth, y.add(at), biased);
            at += 4 * V::LANES;
        }
        if at + 2 * V::LANES <= width {
            rank_one_tile::<V, 2>(weights.add(at), width, x, depth, y.add(at), biased);
            at += 2 * V::LANES;
        }
        if at < width {
            rank_one_tile::<V, 1>(weights.add(at), width, x, depth, y.add(at), biased);
        }
    }
}

#[inline(always)]
unsafe fn rank_one_tile<V: Vector, const N: usize>(
    mut weights: *mut f32,
    width: usize,
    x: *const f32,
    depth: usize,
    y: *const f32,
    biased: bool,
) {
    let mut values = [V::splat(0.0); N];
    // SAFETY: `N` vectors of columns are inside.
    unsafe {
        for (n, value) in values.iter_mut().enumerate() {
            *value = V::load(y.add(n * V::LANES));
        }
        if biased {
            for (n, value) in values.iter().enumerate() {
                let place = weights.add(n * V::LANES);
                V::load(place).sub(*value).store(place);
            }
            weights = weights.add(width);
        }
        for k in 0..depth {
            let factor = V::splat(*x.add(k));
            for (n, value) in values.iter().enumerate() {
                let place = weights.add(n * V::LANES);
                V::load(place).sub(factor.mul(*value)).store(place);
            }
            weights = weights.add(width);
        }
    }
}

/// What [`rank_one_with`] keeps beside the weights; a null pointer means none.
#[derive(Clone, Copy, Debug)]
pub struct RankOne {
    /// Share of the last change that is added.
    pub momentum: f32,
    /// The last changes, laid out as the weights.
    pub velocity: *mut f32,
    /// All bits where a weight exists, laid out as the weights.
    pub mask: *const f32,
}

/// As [`rank_one`] with momentum and missing weights: v = momentum * v - x * y; weight += v.
#[inline(always)]
pub(crate) unsafe fn rank_one_with<V: Vector>(
    weights: *mut f32,
    width: usize,
    x: *const f32,
    depth: usize,
    y: *const f32,
    biased: bool,
    rule: RankOne,
) {
    let momentum = V::splat(rule.momentum);
    let head = usize::from(biased);
    for k in 0..depth + head {
        // SAFETY: as for `rank_one`; velocity and mask are as long as the weights where they are given.
        unsafe {
            let factor = if k < head { V::splat(1.0) } else { V::splat(*x.add(k - head)) };
            let mut at = 0;
            while at < width {
                let place = k * width + at;
                let mut change = factor.mul(V::load(y.add(at))).neg();
                if !rule.velocity.is_null() {
                    change = momentum.mul(V::load(rule.velocity.add(place))).add(change);
                    change.store(rule.velocity.add(place));
                }
                if !rule.mask.is_null() {
                    change = change.and(V::load(rule.mask.add(place)));
                }
                V::load(weights.add(place)).add(change).store(weights.add(place));
                at += V::LANES;
            }
        }
    }
}

/// The sum of [`multiply`] where one vector holds all units.
#[inline(always)]
pub(crate) unsafe fn sum_of<V: Vector>(weights: *const f32, x: *const f32, depth: usize, biased: bool) -> V {
    // SAFETY: `depth` vectors (and the bias) are inside.
    unsafe {
        let (mut sum, mut weights) = (V::splat(0.0), weights);
        if biased {
            sum = V::load(weights);
            weights = weights.add(V::LANES);
        }
        let mut k = 0;
        while k + 4 <= depth {
            for j in 0..4 {
                sum = sum.add(V::splat(*x.add(k + j)).mul(V::load(weights.add((k + j) * V::LANES))));
            }
            k += 4;
        }
        for k in k..depth {
            sum = sum.add(V::splat(*x.add(k)).mul(V::load(weights.add(k * V::LANES))));
        }
        sum
    }
}

/// [`rank_one`] where one vector holds all units.
#[inline(always)]
pub(crate) unsafe fn take_off<V: Vector>(weights: *mut f32, x: *const f32, depth: usize, y: V, biased: bool) {
    // SAFETY: `depth` vectors (and the bias) are inside.
    unsafe {
        let mut weights = weights;
        if biased {
            V::load(weights).sub(y).store(weights);
            weights = weights.add(V::LANES);
        }
        for k in 0..depth {
            let place = weights.add(k * V::LANES);
            V::load(place).sub(V::splat(*x.add(k)).mul(y)).store(place);
        }
    }
}
