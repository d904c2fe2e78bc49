"""What people write around the mathematics to be safe: conversions, guards, penalties, prints and assertions."""

import logging

import numpy as np
from tests.tracing.corpus.entry import entry

log = logging.getLogger(__name__)
X = np.linspace(0.1, 6, 60)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def guarded_by_try(x, a, k):
    try:
        y = a * np.exp(-k * x)
    except (FloatingPointError, ZeroDivisionError):
        y = np.full_like(x, np.inf)
    return y


@entry(X, dict(a=2.0, k=0.7), 0.01)
def asserts_on_shapes(x, a, k):
    assert x.ndim == 1 and len(x) > 2, "x must be a vector"
    y = a * np.exp(-k * x)
    assert y.shape == x.shape
    return y


@entry(X, dict(a=2.0, k=0.7), 0.01)
def asks_for_a_scalar(x, a, k):
    if np.isscalar(x):
        x = np.array([x])
    return a * np.exp(-k * x)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def converts_to_array(x, a, k):
    x = np.asarray(x, dtype=float)
    x = np.array(x, copy=True)
    return a * np.exp(-k * x.copy())


@entry(X, dict(a=2.0, k=0.7), 0.01)
def atleast_1d_and_float64(x, a, k):
    x = np.atleast_1d(x).astype(np.float64)
    if not isinstance(x, np.ndarray):
        raise TypeError("an array, please")
    return np.float64(a) * np.exp(-k * x)


@entry(X, dict(a=2.0, k=0.7, c=0.4), 0.01)
def in_place_updates(x, a, k, c):
    y = -k * x
    np.exp(y, out=y)
    y *= a
    y += c
    return y


@entry(X, dict(a=2.0, k=0.7), 0.01)
def within_errstate(x, a, k):
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return a / (1 + np.exp(k * (x - 3)))


@entry(X, dict(a=2.0, b=1.7), 0.01)
def guards_the_root(x, a, b):
    return a * np.sqrt(np.maximum(x - b * 0.01, 0.0) + 1e-9)


@entry(X, dict(a=2.0, k=0.7, x0=0.8), 0.01)
def guards_the_exponential(x, a, k, x0):
    arg = np.clip(-k * (x - x0), -700, 700)
    return a / (1.0 + np.exp(arg))


@entry(X, dict(a=2.0, k=0.7), 0.01)
def guards_the_logarithm(x, a, k):
    return a * np.log(np.maximum(1 + k * x, 1e-300)) + np.nan_to_num(0.0 * x)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def nan_to_num_of_all(x, a, k):
    return np.nan_to_num(a * np.exp(-k * x), nan=1e10)


@entry(X, dict(a=0.5, b=1.5), 0.01)
def logaddexp(x, a, b):
    return np.logaddexp(a * x, b)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def penalty_by_if(x, a, k):
    if a < 0 or k < 0:
        return np.full_like(x, 1e10)
    return a * np.exp(-k * x)


@entry(X, dict(a=2.0, k=0.7, sigma=0.4), 0.01)
def ternary_on_a_parameter(x, a, k, sigma):
    width = sigma if sigma > 0 else 1e-10
    return a * np.exp(-k * x) * (1 - np.exp(-x / width))


@entry(X, dict(a=2.0, k=0.7), 0.01)
def limit_case_by_if(x, a, k):
    if abs(k) < 1e-8:
        return a * x
    return a * (1 - np.exp(-k * x)) / k


@entry(X, dict(a=2.0, k=0.7), 0.01)
def prints(x, a, k):
    print("called with", a, k)
    return a * np.exp(-k * x)


@entry(X, dict(a=2.0, k=0.7), 0.01)
def formats_and_logs(x, a, k):
    label = f"a={a:.3f}, k={k:8.2e}"
    log.debug("model(%s) of %d rows", label, len(x))
    return a * np.exp(-k * x)
