"""Functions in pieces: where, piecewise, select, masks and clips."""

import numpy as np
from tests.tracing.corpus.entry import entry

X = np.linspace(0.05, 10, 80)


@entry(X, dict(a=2.0, k=0.6, t0=3.03, c=0.4), 0.01)
def delayed_rise(x, a, k, t0, c):
    return np.where(x < t0, c, c + a * (1 - np.exp(-k * (x - t0))))


@entry(X, dict(lo=0.5, slope=0.8, x1=2.03, x2=6.47), 0.02)
def ramp_by_nested_where(x, lo, slope, x1, x2):
    return np.where(x <= x1, lo, np.where(x >= x2, lo + slope * (x2 - x1), lo + slope * (x - x1)))


@entry(X, dict(x0=4.03, y0=3.0, k1=0.4, k2=1.3), 0.03)
def two_lines(x, x0, y0, k1, k2):
    """The best known answer about piecewise linear fits."""
    return np.piecewise(x, [x < x0], [lambda x: k1 * x + y0 - k1 * x0, lambda x: k2 * x + y0 - k2 * x0])


@entry(X, dict(a=1.0, b=0.5, c=2.0, d=0.3), 0.02)
def three_pieces(x, a, b, c, d):
    return np.piecewise(
        x,
        [x < 3, (x >= 3) & (x < 6), x >= 6],
        [lambda t: a * np.ones_like(t), lambda t: a + b * (t - 3), lambda t: c * np.exp(-d * (t - 6))],
    )


@entry(X, dict(a=1.5, b=0.7, c=0.9), 0.02)
def selected(x, a, b, c):
    conditions = [x < 2, x < 5]
    choices = [a * x, 2 * a + b * (x - 2)]
    return np.select(conditions, choices, default=2 * a + 3 * b + c * np.sqrt(x - 5 + 1e-12 * (x < 5) + 10 * (x < 5)))


@entry(X, dict(gain=1.1, offset=-0.9, top=6.03), 0.03)
def saturating_amplifier(x, gain, offset, top):
    return np.clip(gain * x + offset, 0.0, top)


@entry(X, dict(a=2.0, b=1.0, tau=1.4), 0.02)
def switched_on(t, a, b, tau):
    return b + a * np.heaviside(t - 2.0, 0.5) * (1 - np.exp(-(t - 2.0) / tau))


@entry(X, dict(a=2.0, n=0.8, m=-1.2, xb=3.03), 0.01)
def broken_power_law(x, a, n, m, xb):
    y = np.zeros_like(x)
    low = x < xb
    y[low] = a * (x[low] / xb) ** n
    y[~low] = a * (x[~low] / xb) ** m
    return y


@entry(X, dict(base=0.4, a=2.5, tau=1.7), 0.02)
def zeros_of_a_shape(x, base, a, tau):
    out = np.zeros(x.shape)
    out += base
    mask = x > 3
    out[mask] += a * np.exp(-(x[mask] - 3) / tau)
    return out


@entry(X, dict(a=2.5, b=0.3, c=1.7), 0.02)
def zeros_of_a_length(x, a, b, c):
    y = np.zeros(len(x))
    y[x <= 4] = a - b * x[x <= 4]
    y[x > 4] = (a - 4 * b) * np.exp(-(x[x > 4] - 4) / c)
    return y


@entry(X, dict(a=1.2, t=3.03, c=0.5), 0.02)
def hinge(x, a, t, c):
    return c + a * np.maximum(0, x - t)


@entry(X, dict(vmax=4.0, alpha=1.3), 0.05)
def liebig(x, vmax, alpha):
    return np.minimum(alpha * x, vmax)


@entry(X, dict(a=0.9, x0=4.53, c=0.4), 0.03)
def v_shape(x, a, x0, c):
    return a * np.abs(x - x0) + c


@entry(X, dict(b0=1.0, b1=0.5, b2=-0.8, knot=4.53), 0.02)
def broken_stick_by_booleans(x, b0, b1, b2, knot):
    return b0 + b1 * x + b2 * (x - knot) * (x > knot)


@entry(X, dict(a=3.0, b=0.7, k=0.5), 0.02)
def multiplied_in_place(x, a, b, k):
    y = a * np.exp(-k * x)
    y[(x > 2) & (x < 5)] *= b
    return y


@entry(X, dict(lo=1.0, hi=2.0, c=0.15), 0.02)
def window(x, lo, hi, c):
    inside = np.logical_and(x > 3, x < 7)
    return np.where(inside, hi, lo) + c * x


@entry(X, dict(a=2.0, b=0.5, p=0.4), 0.02)
def empty_like(x, a, b, p):
    y = np.empty_like(x)
    i = np.where(x > 5)[0]
    j = np.where(x <= 5)[0]
    y[i] = a * x[i] ** p
    y[j] = a * 5**p + b * (x[j] - 5)
    return y


@entry(np.linspace(-5, 5, 60), dict(a=1.4, p=0.6), 0.02)
def signed_power(x, a, p):
    return a * np.sign(x) * np.abs(x) ** p


@entry(np.linspace(-3, 3, 60), dict(a=1.4, leak=0.2, b=0.5), 0.02)
def leaky(x, a, leak, b):
    return b + a * np.where(x > 0, x, leak * x)


@entry(X, dict(a=1.3, b=0.8, w=2.1), 0.02)
def folded_phase(t, a, b, w):
    phase = np.mod(t, 2.5) / 2.5
    return a + b * np.sin(2 * np.pi * phase) * np.exp(-phase / w)


@entry(X, dict(a=2.0, mu=4.0, s=1.3, floor=0.31), 0.02)
def floor_of_a_detector(x, a, mu, s, floor):
    y = a * np.exp(-((x - mu) ** 2) / (2 * s**2))
    y = np.fmax(y, floor)
    return y


@entry(X, dict(k=0.7, x1=3.03), 0.02)
def clip_of_the_method(x, k, x1):
    return k * x.clip(0, x1)


@entry(np.linspace(0, 6, 61), dict(A=2.0, sigma=1.8, C=0.3), 0.01)
def spherical_variogram(h, A, sigma, C):
    r = h / 4.0
    return np.where(r < 1, C + A * (1.5 * r - 0.5 * r**3) ** sigma, C + A)


@entry(np.linspace(0, 8, 65), dict(D=1.5, p=2.03, s=0.8), 0.01)
def huber_shape(x, D, p, s):
    r = np.abs(x - 4.0)
    quad = 0.5 * s * r**2
    lin = s * p * (r - 0.5 * p)
    return D + np.where(r <= p, quad, lin)


@entry(X, dict(a=1.0, b=3.0, c=0.4), 0.02)
def putmask_and_copyto(x, a, b, c):
    y = np.full_like(x, a)
    np.copyto(y, b - c * x, where=x > 5)
    return y


@entry(np.array([float(n) for n in range(30)]), dict(a=1.3, b=0.6), 0.02)
def step_of_whole_numbers(n, a, b):
    return a * np.floor(n / 5) + b * (n % 5 == 0)
