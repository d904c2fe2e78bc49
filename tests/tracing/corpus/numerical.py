"""What is no formula of one row: differential equations, integrals, roots, interpolation, sums along the rows."""

import functools

import numpy as np
from scipy import interpolate, linalg, optimize, signal
from scipy.integrate import cumulative_trapezoid, odeint, quad, solve_ivp
from scipy.interpolate import CubicSpline, interp1d
from tests.tracing.corpus.entry import entry

T = np.linspace(0, 6, 31)
TABLE_X = np.linspace(0, 6, 13)
TABLE_Y = np.exp(-((TABLE_X - 3) ** 2) / 2) + 0.1 * TABLE_X
SPLINE = CubicSpline(TABLE_X, TABLE_Y)


@entry(T, dict(r=1.2, K=5.0, y0=0.5), 0.02, formula=False)
def logistic_by_solve_ivp(t, r, K, y0):
    sol = solve_ivp(lambda t, y: r * y * (1 - y / K), (t[0], t[-1]), [y0], t_eval=t, rtol=1e-10, atol=1e-12)
    return sol.y[0]


@entry(T, dict(r=1.2, K=5.0, y0=0.5), 0.02, formula=False, step=3e-3)
def logistic_by_sloppy_solve_ivp(t, r, K, y0):
    return solve_ivp(lambda t, y: r * y * (1 - y / K), (0, 6.5), [y0], t_eval=t).y[0]


@entry(T, dict(k1=0.9, k2=0.4), 0.01, formula=False, step=1e-4)
def chain_by_odeint(t, k1, k2):
    def right(y, t):
        a, b = y
        return [-k1 * a, k1 * a - k2 * b]

    return odeint(right, [2.0, 0.0], t)[:, 1]


@entry(T, dict(beta=1.6, gamma=0.5), 0.01, formula=False, step=1e-4)
def epidemic(t, beta, gamma):
    def sir(y, t):
        S, infected, _ = y
        return -beta * S * infected, beta * S * infected - gamma * infected, gamma * infected

    return 10 * odeint(sir, (0.98, 0.02, 0.0), t, rtol=1e-9, atol=1e-10)[:, 1]


@entry(T, dict(a=2.0, b=1.3), 0.01, formula=False)
def integral_per_row(x, a, b):
    return np.array([quad(lambda u: a * np.exp(-b * u**2), 0, xi)[0] for xi in x])


@entry(np.linspace(0.01, 1.5, 25), dict(H0=0.7, Om=0.3), 0.01, formula=False)
def luminosity_distance(z, H0, Om):
    @np.vectorize
    def distance(zi):
        return quad(lambda u: 1 / np.sqrt(Om * (1 + u) ** 3 + 1 - Om), 0, zi)[0]

    return (1 + z) * distance(z) / H0


@entry(T, dict(scale=2.0, stretch=0.9, shift=0.2), 0.01, formula=False)
def spline_of_a_template(x, scale, stretch, shift):
    return scale * SPLINE(stretch * x + shift)


@entry(T, dict(scale=2.0, offset=0.3), 0.01, formula=False)
def table_by_interp(x, scale, offset):
    return scale * np.interp(x, TABLE_X, TABLE_Y) + offset


@entry(T, dict(scale=2.0, k=0.3), 0.01, formula=False)
def table_by_interp1d(x, scale, k):
    return scale * interp1d(TABLE_X, TABLE_Y)(x) * np.exp(-k * x)


@entry(T, dict(k1=1.0, k2=2.0, k3=0.5, k4=1.5), 0.02, formula=False)
def spline_of_fitted_knots(x, k1, k2, k3, k4):
    return CubicSpline([0, 2, 4, 6], [k1, k2, k3, k4])(x)


@entry(T, dict(k1=1.0, k2=2.0, k3=0.5, k4=1.5), 0.02, formula=False)
def lines_between_fitted_knots(x, k1, k2, k3, k4):
    return np.interp(x, [0, 2, 4, 6], [k1, k2, k3, k4])


@entry(T, dict(k1=1.0, k2=2.0, k3=0.5), 0.02, formula=False)
def pchip_of_fitted_knots(x, k1, k2, k3):
    return interpolate.PchipInterpolator([0, 2, 4, 6], [k1, k2, k3, 0.7])(x)


@entry(T, dict(a=2.0, tau=1.1), 0.01, formula=False)
def convolved_with_a_response(t, a, tau):
    response = np.exp(-((t - 1.0) ** 2) / 0.1)
    return a * np.convolve(response, np.exp(-t / tau))[: len(t)] * (t[1] - t[0])


@entry(T, dict(a=2.0, k=0.4), 0.01, formula=False)
def running_sum(t, a, k):
    return np.cumsum(a * np.exp(-k * t)) * (t[1] - t[0])


@entry(T, dict(a=2.0, k=0.4), 0.01, formula=False)
def running_integral(t, a, k):
    return cumulative_trapezoid(a * np.cos(k * t), t, initial=0)


@entry(T, dict(a=2.0, s=0.25), 0.01, formula=False)
def smoothed_by_fft(t, a, s):
    f = np.fft.rfftfreq(len(t), t[1] - t[0])
    box = ((t > 2) & (t < 4)).astype(float)
    return a * np.fft.irfft(np.fft.rfft(box) * np.exp(-2 * (np.pi * f * s) ** 2), len(t))


@entry(T, dict(m=3.0, s=0.9), 0.01, formula=False)
def normalized_by_its_maximum(x, m, s):
    y = x * np.exp(-((x - m) ** 2) / (2 * s**2))
    return y / y.max()


@entry(T, dict(a=2.0, k=1.4), 0.01, formula=False)
def scaled_by_the_largest_x(x, a, k):
    return a * (1 - np.exp(-k * x / x.max()))


@entry(T, dict(a=2.0, b=0.7), 0.01, formula=False)
def centered_x(x, a, b):
    u = (x - np.mean(x)) / np.std(x)
    return a + b * u + np.exp(b * u)


@entry(T, dict(m=2.5, s=0.9, a=3.0), 0.01, formula=False)
def normalized_to_unit_sum(x, m, s, a):
    p = np.exp(-((x - m) ** 2) / (2 * s**2))
    return a * p / np.sum(p)


@entry(T + 0.1, dict(a=1.7, b=0.8), 0.01, formula=False)
def root_per_row(x, a, b):
    return np.array([optimize.brentq(lambda y: y + b * np.exp(y) - a * xi, -20, 20, xtol=1e-14) for xi in x])


@entry(np.linspace(0.3, 1.0, 30), dict(I0=0.3, Rs=0.5), 0.005, formula=False)
def implicit_by_fixed_point(V, I0, Rs):
    current = np.zeros_like(V)
    for _ in range(200):
        new = I0 * (np.exp(V - current * Rs) - 1)
        if np.max(np.abs(new - current)) < 1e-13:
            break
        current = 0.5 * (current + new)
    return current


@entry(T, dict(k1=0.9, k2=0.4), 0.01, formula=False)
def matrix_exponential(t, k1, k2):
    A = np.array([[-k1, k2 / 2], [k1, -k2]])
    return np.array([(linalg.expm(A * ti) @ [2.0, 0.0])[1] for ti in t])


@entry(T, dict(a=1.2, b=0.4), 0.01, formula=False)
def eigenvalue_of_a_matrix(x, a, b):
    return np.array([np.linalg.eigvalsh(np.array([[a * xi, b], [b, 1.0]]))[-1] for xi in x])


@entry(T, dict(a=0.4, b=0.3), 0.01, formula=False)
def filtered(t, a, b):
    return signal.lfilter([b], [1, -a], (t > 1).astype(float))


@entry(T, dict(a=2.0, b=0.4), 0.01, formula=False)
def while_loop_to_a_tolerance(x, a, b):
    out = []
    for xi in x:
        guess = 1.0
        while abs(guess * guess - (a + b * xi)) > 1e-14 * (a + b * xi):
            guess = 0.5 * (guess + (a + b * xi) / guess)
            if guess == 0.5 * (guess + (a + b * xi) / guess):
                break
        out.append(guess)
    return np.array(out)


@functools.lru_cache(maxsize=None)
def _table(n):
    return {k: np.sqrt(k + 1.0) for k in range(n)}


@entry(np.repeat(np.arange(8.0), 4), dict(a=2.0, k=0.3), 0.02, formula=False)
def table_of_levels(level, a, k):
    return np.array([a * _table(10)[int(n)] * np.exp(-k * n) for n in level])


@entry(T, dict(a=2.0, s=0.5), 0.01, formula=False)
def average_over_frozen_noise(x, a, s):
    draws = np.random.default_rng(0).standard_normal(50)
    return a * np.tanh(x[:, None] - 2 + s * draws).mean(axis=1)


@entry(T, dict(a=2.0, b=0.5), 0.01, formula=False)
def branch_on_the_data(x, a, b):
    if x.max() > 3:
        x = x / 2.0
    return a * np.exp(-b * float(x[-1]) * x)


@entry(T, dict(k=0.7, x0=2.0, v0=0.5), 0.01, formula=False)
def euler_along_the_rows(t, k, x0, v0):
    x, v, out = x0, v0, []
    for i in range(len(t)):
        out.append(x)
        dt = t[1] - t[0]
        v = v - k * x * dt
        x = x + v * dt
    return np.array(out)


@entry(T, dict(a=2.0, k=0.8), 0.01, formula=False)
def sorted_and_differenced(x, a, k):
    return np.gradient(a * np.exp(-k * np.sort(x)), x)
