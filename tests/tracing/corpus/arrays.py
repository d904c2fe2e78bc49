"""Functions of several columns, of vectors of parameters and of matrices."""

import numpy as np
from numpy.polynomial import chebyshev
from tests.tracing.corpus.entry import entry

RANDOM = np.random.default_rng(3)
T = np.linspace(0.1, 6, 60)
GRID = np.stack([g.ravel() for g in np.meshgrid(np.linspace(-3, 3, 12), np.linspace(-2, 2, 10))])
DESIGN = RANDOM.normal(size=(50, 3))


@entry(GRID, dict(A=3.0, x0=0.4, y0=-0.3, sx=1.1, sy=0.7, theta=0.5, c=0.3), 0.02)
def rotated_gaussian(X, A, x0, y0, sx, sy, theta, c):
    """The usual one of pictures."""
    x, y = X
    a = np.cos(theta) ** 2 / (2 * sx**2) + np.sin(theta) ** 2 / (2 * sy**2)
    b = -np.sin(2 * theta) / (4 * sx**2) + np.sin(2 * theta) / (4 * sy**2)
    d = np.sin(theta) ** 2 / (2 * sx**2) + np.cos(theta) ** 2 / (2 * sy**2)
    return c + A * np.exp(-(a * (x - x0) ** 2 + 2 * b * (x - x0) * (y - y0) + d * (y - y0) ** 2))


@entry(GRID, dict(a=1.0, b=0.5, c=-0.7, d=0.3), 0.02)
def saddle_by_rows(X, a, b, c, d):
    return a + b * X[0] + c * X[1] + d * X[0] * X[1]


@entry((GRID[0], GRID[1]), dict(a=1.3, k=0.5, w=1.2), 0.02)
def tuple_of_columns(data, a, k, w):
    x, y = data
    return a * np.exp(-k * x**2) * np.cos(w * y)


@entry(DESIGN.T, dict(b0=0.5, w1=1.0, w2=-0.7, w3=0.3), 0.02)
def logistic_of_a_product(X, b0, w1, w2, w3):
    w = np.array([w1, w2, w3])
    return 1 / (1 + np.exp(-(b0 + X.T @ w)))


@entry(DESIGN.T, dict(a=2.0, w1=1.0, w2=-0.7, w3=0.3), 0.02)
def exponential_of_a_dot(X, a, *w):
    return a * np.exp(0.3 * np.dot(np.asarray(w), X))


@entry({"x1": DESIGN[:, 0], "x2": DESIGN[:, 1]}, dict(w=np.array([1.0, -0.7]), b=0.3), 0.02)
def column_stack_product(x1, x2, w, b):
    X = np.column_stack([x1, x2])
    return np.tanh(X @ w + b)


@entry({"x1": DESIGN[:, 0], "x2": DESIGN[:, 1]}, dict(w=np.array([1.0, -0.7, 0.4])), 0.02)
def einsum_of_a_design(x1, x2, w):
    A = np.stack([np.ones_like(x1), x1, x2], axis=1)
    return np.exp(0.5 * np.einsum("ij,j->i", A, w))


@entry(T, dict(p0=0.05, p1=-0.4, p2=1.0, p3=2.0), 0.02, whole=True)
def polyval_of_params(x, *p):
    return np.polyval(p, x)


@entry(T, dict(coef=np.array([0.3, -1.0, 2.0]), k=0.4), 0.02)
def polynomial_times_decay(x, coef, k):
    return np.poly1d(coef)(x) * np.exp(-k * x)


@entry(T, dict(c0=1.0, c1=0.5, c2=-0.3, k=0.3), 0.02)
def chebyshev_series(x, c0, c1, c2, k):
    return chebyshev.chebval(x / 3 - 1, [c0, c1, c2]) * np.exp(-k * x)


@entry(T, dict(a0=1.0, a1=0.8, a2=0.3, a3=-0.2, w=1.3), 0.02, {"a0": 0.9, "a1": 0.7, "a2": 0.2, "a3": -0.1, "w": 1.28})
def harmonics(t, a0, a1, a2, a3, w):
    y = np.full(t.shape, a0)
    for n, a in enumerate([a1, a2, a3], start=1):
        y += a * np.cos(n * w * t)
    return y


@entry(T, dict(a1=2.0, a2=1.0, k1=0.4, k2=2.0), 0.01)
def outer_of_rates(t, a1, a2, k1, k2):
    return np.exp(-np.outer(t, [k1, k2])) @ np.array([a1, a2])


@entry(T, dict(a=2.0, b=1.0, k=0.7), 0.01)
def sum_of_a_list(t, a, b, k):
    return np.sum([a * np.exp(-k * t), b * np.ones_like(t)], axis=0)


@entry(T, dict(a=2.0, b=1.0, k=0.7, c=0.4), 0.01)
def mean_of_a_stack(t, a, b, k, c):
    return np.vstack((a * np.exp(-k * t), b + c * t)).mean(axis=0)


@entry(T, dict(a=2.0, k=0.7, w=1.6), 0.01)
def prod_of_factors(t, a, k, w):
    return np.prod(np.array([a * np.exp(-k * t), np.cos(w * t)]), axis=0)


@entry(T, dict(a=2.0, k=0.7), 0.01)
def one_column_returned(t, a, k):
    return (a * np.exp(-k * t)).reshape(-1, 1)


@entry(T, dict(a=2.0, k=0.7), 0.01)
def list_returned(t, a, k):
    return list(a * np.exp(-k * t))


@entry(T, dict(a=2.0, k=0.7, c=0.3), 0.01)
def squeezed(t, a, k, c):
    t = np.atleast_2d(t).T
    return np.squeeze(a * np.exp(-k * t) + c)


@entry(T.astype(np.float32), dict(a=2.0, k=0.7), 0.01)
def single_precision_data(t, a, k):
    return a * np.exp(-k * t)


@entry(np.arange(1, 31), dict(a=20.0, k=0.3, c=1.5), 0.05)
def whole_number_data(n, a, k, c):
    return a * n**-k + c


@entry(np.arange(1, 16), dict(a=2.0, b=0.35), 0.02)
def powers_of_whole_numbers(n, a, b):
    return a * (1 - b) ** n / n


@entry(T, dict(A=3.0, E=1.2, s=0.4), 0.01)
def integral_by_trapezoids(x, A, E, s):
    u = np.linspace(-3, 3, 25)
    kernel = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
    values = 1 / (1 + np.exp(-(x[:, None] + s * u[None, :] - E)))
    return A * np.trapezoid(values * kernel, u, axis=1)


@entry(T, dict(A=3.0, k=0.8, s=0.5), 0.01)
def integral_by_gauss(x, A, k, s):
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    total = 0
    for u, w in zip(nodes, weights):
        total = total + w * np.exp(-k * x * np.exp(s * u))
    return A * total / weights.sum()


@entry(DESIGN.T, dict(a=2.0, b=0.4, x0=0.3), 0.02)
def distance_by_norm(X, a, b, x0):
    r = np.sqrt(np.sum((X - x0) ** 2, axis=0))
    return a * np.exp(-b * r)


@entry(DESIGN.T, dict(a=2.0, b=0.4, x0=0.3), 0.02)
def distance_by_linalg_norm(X, a, b, x0):
    return a / (1 + b * np.linalg.norm(X - x0, axis=0))


@entry(GRID.T[:, :2], dict(a=2.0, b=0.4, c=0.3), 0.02)
def columns_of_a_matrix(X, a, b, c):
    x, y = X[:, 0], X[:, 1]
    return a * np.exp(-b * x**2 - c * y**2)


@entry({"x": T, "kind": np.tile([0, 1], 30)}, dict(a=2.0, b=1.2, k=0.6), 0.02)
def two_data_sets(x, kind, a, b, k):
    amplitude = np.where(kind == 0, a, b)
    return amplitude * np.exp(-k * x)


@entry({"x": T, "kind": np.tile([0, 1, 2], 20)}, dict(a=np.array([2.0, 1.2, 0.7]), k=0.6), 0.02)
def amplitude_of_an_index(x, kind, a, k):
    return a[kind.astype(int)] * np.exp(-k * x)


@entry(np.concatenate([T, T]), dict(a=2.0, b=1.2, k=0.6), 0.02, formula=False)
def halves_of_the_rows(x, a, b, k):
    n = len(x) // 2
    return np.concatenate([a * np.exp(-k * x[:n]), b * np.exp(-k * x[n:])])


@entry({"time": T, "dose": np.tile([1.0, 2.0, 4.0], 20)}, dict(V=2.0, ka=1.9, ke=0.4), 0.01)
def oral_dose(time, dose, V, ka, ke):
    return dose * ka / (V * (ka - ke)) * (np.exp(-ke * time) - np.exp(-ka * time))


@entry(T, dict(a=1.5, b=0.6, w=2.2), 0.02)
def rotation_matrix(t, a, b, w):
    R = np.array([[np.cos(w), -np.sin(w)], [np.sin(w), np.cos(w)]])
    x, y = R @ np.array([a * np.cos(t), np.sin(t)])
    return x + 0.5 * y + b * t


@entry(T, dict(k12=0.8, k21=0.3), 0.005)
def steady_state_by_solve(s, k12, k21):
    A = np.array([[k12 + 1.0, -k21], [1.0, 1.0]])
    b = np.array([0.5, 1.0])
    c = np.linalg.solve(A, b)
    return c[0] * s / (1 + k12 * s)
