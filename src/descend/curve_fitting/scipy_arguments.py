"""The arguments of SciPy's ``curve_fit``, read and refused as SciPy does."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.losses import LOSSES
from descend.options.option import Values
from descend.table.rows import finite

Array = NDArray[np.float64]
Function = Callable[..., object]
METHODS = ("lm", "trf", "dogbox")
LIMITS = ("maxfev", "max_nfev")
LINEAR = "linear"
"""SciPy's name of least squares among its losses."""
OTHERS = frozenset(
    (
        *("ftol", "xtol", "gtol", "epsfcn", "factor", "diag", "col_deriv", "x_scale", "diff_step", "tr_solver"),
        *("tr_options", "jac_sparsity", "verbose", "loss", "f_scale", "callback", "workers"),
    )
)
"""What SciPy hands to MINPACK or to ``least_squares``: it tunes how they go on, which nothing here needs."""


@runtime_checkable
class Box(Protocol):
    """Bounds as SciPy's class has them."""

    lb: ArrayLike
    ub: ArrayLike


Sides = tuple[ArrayLike, ArrayLike] | Box
UNBOUNDED: Sides = (-math.inf, math.inf)


@dataclass(eq=False, slots=True)
class Arguments:
    """What a call of ``curve_fit`` asks for.

    xdata: as the function takes it; y: (M,). names: of the parameters. start: their values, or None to search.
    low, high: bounds, (p,), or None where there are none. sigma: standard deviations, (M,), a single one, or None;
    root: the lower Cholesky factor of the covariance of y, (M, M), or None.
    """

    function: Function
    xdata: object
    y: Array
    names: tuple[str, ...]
    start: Array | None
    low: Array | None
    high: Array | None
    sigma: Array | float | None
    root: Array | None
    absolute: bool
    jacobian: Function | str | None
    loss: str | None
    limit: int | None
    transposed: bool
    finite: bool
    """Whether xdata, if it is an array, and y were found to be finite."""

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def plain(self) -> bool:
        """Whether it is least squares from a start, without bounds, correlated errors or derivatives by hand."""
        return (
            self.start is not None
            and self.low is None
            and self.root is None
            and self.loss is None
            and not callable(self.jacobian)
        )


def read(
    f: Function,
    xdata: object,
    ydata: object,
    p0: object,
    sigma: object,
    absolute_sigma: bool,
    check_finite: bool | None,
    bounds: Sides,
    method: str | None,
    jac: Function | str | None,
    nan_policy: str | None,
    more: Values,
) -> Arguments:
    """Read the arguments of ``curve_fit``. Raises ValueError or TypeError in SciPy's words."""
    start = None if p0 is None else np.atleast_1d(np.asarray(p0, dtype=np.float64)).ravel()
    names = names_of(f, None if start is None else start.size)
    low, high = bounds_of(bounds, len(names))
    bounded = low is not None
    check_method(method, bounded, more)
    if check_finite is None:
        check_finite = nan_policy is None
    y = np.asarray(ydata, dtype=np.float64)
    if isinstance(xdata, list | tuple | np.ndarray):
        xdata = np.asarray(xdata, dtype=np.float64)
        if check_finite:
            refuse_not_finite(xdata)
    if check_finite:
        refuse_not_finite(y)
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    if not check_finite and nan_policy is not None:
        xdata, y, sigma = without_gaps(xdata, y, sigma, nan_policy)
    if y.size == 1:
        y = broadcast(f, xdata, y, np.ones(len(names)) if start is None else start)
    if y.ndim != 1:
        raise ValueError(f"`ydata` must have one dimension, and it has {y.ndim}: shape {y.shape}.")
    if (method == "lm" or (method is None and not bounded)) and len(names) > y.size:
        raise TypeError(
            f"The number of func parameters={len(names)} must not exceed the number of data points={y.size}"
        )
    if start is not None and low is not None and high is not None and not ((low <= start) & (start <= high)).all():
        raise ValueError("Initial guess is outside of provided bounds")
    deviations, root = spread_of(sigma, y.size)
    limit = next((int(more[name]) for name in LIMITS if more.get(name)), None)
    return Arguments(
        function=f,
        xdata=xdata,
        y=y,
        names=names,
        start=start,
        low=low,
        high=high,
        sigma=deviations,
        root=root,
        absolute=bool(absolute_sigma),
        jacobian=jac,
        loss=loss_of(more),
        limit=limit,
        transposed=bool(more.get("col_deriv")),
        finite=check_finite and isinstance(xdata, np.ndarray),
    )


def names_of(function: Function, count: int | None) -> tuple[str, ...]:
    """Return the names of the parameters: of the arguments after the first; ``p0``, ``p1``, ... for ``*parameters``.

    >>> names_of(lambda x, a, b: a * x + b, None), names_of(lambda x, *p: p[0] * x, 1)
    (('a', 'b'), ('p0',))
    """
    code = getattr(function, "__code__", None)
    if count is not None and code is not None and code.co_argcount == count + 1 and not code.co_flags & VARIABLE:
        return tuple(code.co_varnames[1 : count + 1])
    try:
        signature = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        signature = {}.values()
    names = [argument.name for argument in signature if argument.kind in POSITIONAL]
    if count is None:
        if len(names) < 2:
            raise ValueError("Unable to determine number of fit parameters.")
        return tuple(names[1:])
    known = names[1 : count + 1]
    return tuple(known) if len(known) == count else tuple(f"p{place}" for place in range(count))


POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
VARIABLE = inspect.CO_VARARGS


def bounds_of(given: Sides, count: int) -> tuple[Array | None, Array | None]:
    """Return the bounds of each parameter, or None twice if none is bounded."""
    if given is UNBOUNDED:
        return None, None
    low, high = (given.lb, given.ub) if isinstance(given, Box) else given
    low, high = (np.asarray(side, dtype=np.float64) for side in (low, high))
    low, high = (np.full(count, side) if side.ndim == 0 else side for side in (low, high))
    if low.shape != (count,) or high.shape != (count,):
        raise ValueError("Inconsistent shapes between bounds and `x0`.")
    if not (low < high).all():
        raise ValueError("Each lower bound must be strictly less than each upper bound.")
    if not (np.isfinite(low).any() or np.isfinite(high).any()):
        return None, None
    return low, high


def check_method(method: str | None, bounded: bool, more: Values) -> None:
    """Refuse a method that SciPy does not have, or that has no bounds, and keywords that it does not know."""
    if method == "lm" and bounded:
        raise ValueError("Method 'lm' only works for unconstrained problems. Use 'trf' or 'dogbox' instead.")
    if method is not None and method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(repr(each) for each in METHODS)}.")
    if "args" in more:
        raise ValueError("'args' is not a supported keyword argument.")
    for name in more:
        if name not in OTHERS and name not in LIMITS:
            raise TypeError(f"curve_fit() got an unexpected keyword argument '{name}'")


def refuse_not_finite(values: Array) -> None:
    if not finite(values.ravel()):
        raise ValueError("array must not contain infs or NaNs")


def without_gaps(xdata: object, y: Array, sigma: object, policy: str) -> tuple[object, Array, object]:
    """Leave out the rows without a value, or refuse them, as ``nan_policy`` has it."""
    if policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if policy not in ("raise", "omit"):
        raise ValueError("nan_policy must be one of {None, 'raise', 'omit'}")
    gaps = np.isnan(y)
    if isinstance(xdata, np.ndarray):
        missing = np.isnan(xdata)
        gaps = gaps | missing.any(axis=tuple(range(missing.ndim - 1)))
    if not gaps.any():
        return xdata, y, sigma
    if policy == "raise":
        raise ValueError("The input contains nan values")
    kept = ~gaps
    if sigma is not None:
        sigma = np.asarray(sigma)
        if sigma.ndim == 1:
            sigma = sigma[kept]
        elif sigma.ndim == 2:
            sigma = sigma[np.ix_(kept, kept)]
    return xdata[..., kept] if isinstance(xdata, np.ndarray) else xdata, y[kept], sigma


def broadcast(function: Function, xdata: object, y: Array, theta: Array) -> Array:
    """Return a single response for each value that the function returns."""
    with np.errstate(all="ignore"):
        values = np.asarray(function(xdata, *theta))
    return np.full(max(values.size, 1), y.item())


def spread_of(sigma: object, rows: int) -> tuple[Array | float | None, Array | None]:
    """Return standard deviations, one for each row or one for all, or the Cholesky factor of a covariance."""
    if sigma is None:
        return None, None
    sigma = np.asarray(sigma, dtype=np.float64)
    if sigma.size == 1 or (sigma.shape == (rows,) and (sigma == sigma[0]).all()):
        single = abs(float(sigma.flat[0]))
        if not 0.0 < single < math.inf:
            raise ValueError(f"`sigma` must be above 0 and finite, and it is {single:g}.")
        return single, None
    if sigma.shape == (rows,):
        return np.abs(sigma), None
    if sigma.shape != (rows, rows):
        raise ValueError("`sigma` has incorrect shape.")
    from scipy.linalg import LinAlgError, cholesky

    try:
        return None, cholesky(sigma, lower=True)
    except LinAlgError as error:
        raise ValueError("`sigma` must be positive definite.") from error


def loss_of(more: Values) -> str | None:
    """Return a robust loss of ``least_squares`` in our words, None for squares: SciPy's ``f_scale`` is its setting."""
    given = more.get("loss", LINEAR)
    if given == LINEAR:
        return None
    losses = {name: LOSSES[name]() for name in LOSSES}
    robust = {name: next(iter(each.settings)) for name, each in losses.items() if each.efficient is not None}
    if given not in robust:
        raise ValueError(f"`loss` must be one of {', '.join(map(repr, (LINEAR, *robust)))}; it is {given!r}.")
    return f"{given}({robust[given]}={float(more.get('f_scale', 1.0))!r})"


__all__ = ["Arguments", "read"]
