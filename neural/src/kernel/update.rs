//! Weight updates, weight by weight: each rule follows its paper, named at the function.

use crate::vector::Vector;

/// Which member of the RPROP family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resilient {
    /// Riedmiller and Braun 1993: after a change of sign the last change is taken back.
    Plus,
    /// Riedmiller 1994: after a change of sign the step only shrinks.
    Minus,
    /// Igel and Hüsken 2000: the last change is taken back only where the error rose.
    ImprovedPlus,
    /// Igel and Hüsken 2000: after a change of sign the weight rests once.
    ImprovedMinus,
}

/// The constants of the RPROP family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Which rule.
    pub rule: Resilient,
    /// Whether the error rose since the last epoch.
    pub worse: bool,
    /// Factor of a step that keeps its direction.
    pub increase: f32,
    /// Factor after a change of sign.
    pub decrease: f32,
    /// Least step.
    pub least: f32,
    /// Largest step.
    pub most: f32,
    /// The last changes, for the rules that take them back; as many as weights.
    pub changes: *mut f32,
}

/// The constants of quickprop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quick {
    /// Rate of the plain descent.
    pub rate: f32,
    /// Most growth of a change.
    pub growth: f32,
}

/// The constants of one step of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Rate over 1 - beta1^t.
    pub rate: f32,
    /// 1 over 1 - beta2^t.
    pub spread: f32,
    /// Share of the first moment that is kept.
    pub beta1: f32,
    /// Share of the second moment that is kept.
    pub beta2: f32,
    /// Added to the root.
    pub epsilon: f32,
}

/// Below this a velocity or moment counts as 0: denormals are slow on many processors.
const SMALL: f32 = 1e-30;

#[inline(always)]
fn flushed<V: Vector>(x: V) -> V {
    x.abs().lt(V::splat(SMALL)).and_not(x)
}

/// The sign of x as -1, 0 or 1.
#[inline(always)]
fn sign<V: Vector>(x: V) -> V {
    x.eq(V::splat(0.0)).and_not(V::splat(1.0).copysign(x))
}

/// Runs `$body` for each vector of `$count` numbers.
macro_rules! each {
    ($v:ty, $count:ident, |$at:ident| $body:expr) => {
        let mut $at = 0;
        while $at < $count {
            $body
            $at += <$v>::LANES;
        }
    };
}

/// gradient = gradient * scale + free * (l2 * weight + l1 * sign(weight)).
#[inline(always)]
pub(crate) unsafe fn finish<V: Vector>(
    gradient: *mut f32,
    weights: *const f32,
    free: *const f32,
    count: usize,
    scale: f32,
    l1: f32,
    l2: f32,
) {
    let plain = l1 == 0.0 && l2 == 0.0;
    let (scale, l1, l2) = (V::splat(scale), V::splat(l1), V::splat(l2));
    // SAFETY: all hold `count` numbers, a multiple of the lanes.
    unsafe {
        if plain {
            each!(V, count, |at| {
                V::load(gradient.add(at)).mul(scale).store(gradient.add(at));
            });
            return;
        }
        each!(V, count, |at| {
            let w = V::load(weights.add(at));
            let shrink = V::load(free.add(at)).mul(l2.mul(w).add(l1.mul(sign(w))));
            V::load(gradient.add(at)).mul(scale).add(shrink).store(gradient.add(at));
        });
    }
}

/// v = momentum * v - rate * gradient; weight += v (Rumelhart, Hinton and Williams 1986).
#[inline(always)]
pub(crate) unsafe fn momentum<V: Vector>(
    weights: *mut f32,
    gradient: *const f32,
    velocity: *mut f32,
    count: usize,
    rate: f32,
    momentum: f32,
) {
    let (rate, momentum) = (V::splat(rate), V::splat(momentum));
    // SAFETY: all hold `count` numbers, a multiple of the lanes.
    unsafe {
        each!(V, count, |at| {
            let v = momentum.mul(V::load(velocity.add(at))).sub(rate.mul(V::load(gradient.add(at))));
            let v = flushed(v);
            v.store(velocity.add(at));
            V::load(weights.add(at)).add(v).store(weights.add(at));
        });
    }
}

/// The RPROP family; see [`Resilient`].
#[inline(always)]
pub(crate) unsafe fn rprop<V: Vector>(
    weights: *mut f32,
    gradient: *const f32,
    last: *mut f32,
    steps: *mut f32,
    count: usize,
    rule: Steps,
) {
    let zero = V::splat(0.0);
    let (increase, decrease) = (V::splat(rule.increase), V::splat(rule.decrease));
    let (least, most) = (V::splat(rule.least), V::splat(rule.most));
    let keep_slope = rule.rule == Resilient::Minus;
    let take_back = rule.rule == Resilient::Plus || (rule.rule == Resilient::ImprovedPlus && rule.worse);
    let remember = matches!(rule.rule, Resilient::Plus | Resilient::ImprovedPlus);
    // SAFETY: all hold `count` numbers, a multiple of the lanes.
    unsafe {
        each!(V, count, |at| {
            let g = V::load(gradient.add(at));
            let step = V::load(steps.add(at));
            // the sign alone: a product of two small slopes would vanish
            let agreement = sign(g).mul(V::load(last.add(at)));
            let (same, turned) = (zero.lt(agreement), agreement.lt(zero));
            let size = same.select(step.mul(increase).min(most), step);
            let size = turned.select(step.mul(decrease).max(least), size);
            let slope = if keep_slope { g } else { turned.and_not(g) };
            let mut change = sign(slope).mul(size).neg();
            if remember {
                let before = V::load(rule.changes.add(at));
                let back = if take_back { before.neg() } else { zero };
                change = turned.select(back, change);
                change.store(rule.changes.add(at));
            }
            V::load(weights.add(at)).add(change).store(weights.add(at));
            size.store(steps.add(at));
            slope.store(last.add(at));
        });
    }
}

/// A jump to the vertex of the parabola through the last two slopes, at most `growth` times the last change, and
/// plain descent added while the slope still points that way (Fahlman 1988, section 5).
#[inline(always)]
pub(crate) unsafe fn quickprop<V: Vector>(
    weights: *mut f32,
    gradient: *const f32,
    last: *mut f32,
    changes: *mut f32,
    count: usize,
    rule: Quick,
) {
    let zero = V::splat(0.0);
    let one = V::splat(1.0);
    let (rate, growth) = (V::splat(rule.rate), V::splat(rule.growth));
    let shrink = V::splat(rule.growth / (1.0 + rule.growth));
    let bound = V::splat(1500.0);
    // SAFETY: all hold `count` numbers, a multiple of the lanes.
    unsafe {
        each!(V, count, |at| {
            // along the last change: `s` and `p` are this and the last downhill slope in its direction
            let downhill = V::load(gradient.add(at)).neg();
            let change = V::load(changes.add(at));
            let direction = one.copysign(change);
            let (s, p) = (downhill.mul(direction), V::load(last.add(at)).mul(direction));
            let size = change.abs();
            let difference = p.sub(s);
            let safe = V::splat(1e-20).lt(difference.abs()).select(difference, one);
            let limit = growth.mul(size);
            let jump = shrink.mul(p).lt(s).select(limit, size.mul(s).div(safe));
            let jump = jump.max(limit.neg()).min(limit);
            let descent = zero.lt(s).select(rate.mul(s), zero);
            let moving = V::splat(1e-6).lt(size);
            let next = moving.select(direction.mul(jump.add(descent)), rate.mul(downhill));
            next.store(changes.add(at));
            downhill.store(last.add(at));
            V::load(weights.add(at)).add(next).max(bound.neg()).min(bound).store(weights.add(at));
        });
    }
}

/// Moments with bias correction (Kingma and Ba 2015, algorithm 1).
#[inline(always)]
pub(crate) unsafe fn adam<V: Vector>(
    weights: *mut f32,
    gradient: *const f32,
    first: *mut f32,
    second: *mut f32,
    count: usize,
    step: AdamStep,
) {
    let (rate, spread, epsilon) = (V::splat(step.rate), V::splat(step.spread), V::splat(step.epsilon));
    let (keep1, keep2) = (V::splat(step.beta1), V::splat(step.beta2));
    let (new1, new2) = (V::splat(1.0 - step.beta1), V::splat(1.0 - step.beta2));
    // SAFETY: all hold `count` numbers, a multiple of the lanes.
    unsafe {
        each!(V, count, |at| {
            let g = V::load(gradient.add(at));
            let m = flushed(keep1.mul(V::load(first.add(at))).add(new1.mul(g)));
            let v = flushed(keep2.mul(V::load(second.add(at))).add(new2.mul(g).mul(g)));
            m.store(first.add(at));
            v.store(second.add(at));
            let change = rate.mul(m).div(v.mul(spread).sqrt().add(epsilon));
            V::load(weights.add(at)).sub(change).store(weights.add(at));
        });
    }
}
