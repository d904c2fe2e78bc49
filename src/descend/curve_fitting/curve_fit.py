"""SciPy's call: the arguments read, a problem problem_of and solved, and the answer in SciPy's form."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import sympy  # noqa: F401 - first, few calls deep: at the end of a chunk of its stack Python 3.11 pays for every call

from descend.curve_fitting.limit import interruption, limited
from descend.curve_fitting.posing import data_of, problem_of
from descend.curve_fitting.scipy_answer import Answer, FullAnswer, answer, direct_answer
from descend.curve_fitting.scipy_arguments import UNBOUNDED, Arguments, Function, Sides, read
from descend.curve_fitting.search import better
from descend.curve_fitting.small_fit import direct
from descend.descent.outcome import Outcome
from descend.errors import DescendError
from descend.starts.begin_and_descend import solve
from descend.wording import SPEAKING, Value, Wording


@overload
def curve_fit(
    f: Function,
    xdata: object,
    ydata: object,
    p0: object = ...,
    sigma: object = ...,
    absolute_sigma: bool = ...,
    check_finite: bool | None = ...,
    bounds: Sides = ...,
    method: str | None = ...,
    jac: Function | str | None = ...,
    *,
    full_output: Literal[False] = ...,
    nan_policy: str | None = ...,
    **kwargs: object,
) -> Answer: ...


@overload
def curve_fit(
    f: Function,
    xdata: object,
    ydata: object,
    p0: object = ...,
    sigma: object = ...,
    absolute_sigma: bool = ...,
    check_finite: bool | None = ...,
    bounds: Sides = ...,
    method: str | None = ...,
    jac: Function | str | None = ...,
    *,
    full_output: Literal[True],
    nan_policy: str | None = ...,
    **kwargs: object,
) -> FullAnswer: ...


def curve_fit(
    f: Function,
    xdata: object,
    ydata: object,
    p0: object = None,
    sigma: object = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Sides = UNBOUNDED,
    method: str | None = None,
    jac: Function | str | None = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    **kwargs: object,
) -> Answer | FullAnswer:
    """Fit a function to data by least squares: SciPy's ``curve_fit``, with the same call and the same values.

    Minimises sum ((f(xdata, *theta) - ydata) / sigma)**2.

    f: ``f(xdata, a, b, ...)``. xdata: whatever f takes, most often (M,) or (k, M). ydata: (M,).
    p0: where the descent begins, (n,); without it starting values are searched for.
    sigma: standard deviations of ydata, a number or (M,), or its covariance, (M, M); as they are with
        ``absolute_sigma``, else relative to each other.
    bounds: two numbers or arrays, or a ``scipy.optimize.Bounds``. method: one of SciPy's, which only decides what SciPy
        refuses: the descent is the same for all.
    jac: the derivatives of f, (M, n). Wrong ones are not used, and a warning says so.
    nan_policy: ``"raise"`` or ``"omit"`` rows with NaN. kwargs: those of ``leastsq`` and ``least_squares``; ``maxfev``
        and ``max_nfev`` limit the evaluations, ``loss`` and ``f_scale`` choose a loss, others need no tuning here.

    Returns popt, (n,), and its covariance pcov, (n, n), infinite with an ``OptimizeWarning`` where the data do not
    determine the parameters; with ``full_output`` also a dict of ``nfev`` and ``fvec``, a sentence, and 1.

    Raises ValueError or TypeError for wrong arguments, RuntimeError if the fit fails, in SciPy's words.

    >>> x = np.linspace(0.0, 4.0, 50)
    >>> popt, pcov = curve_fit(lambda x, a, b, c: a * np.exp(-b * x) + c, x, 2.5 * np.exp(-1.3 * x) + 0.5)
    >>> popt.round(6)
    array([2.5, 1.3, 0.5])
    """
    arguments = read(f, xdata, ydata, p0, sigma, absolute_sigma, check_finite, bounds, method, jac, nan_policy, kwargs)
    return _fitted(arguments, full_output)


class AsSciPy(Wording):
    """Messages that name the arguments of ``curve_fit``."""

    def spell(self, key: str, value: Value) -> str:
        return {"start": "p0"}.get(key, key)

    def using(self, key: str, value: Value) -> str:
        return f" with {self.spell(key, value)}" if key in ("start", "bounds", "sigma") else ""


AS_SCIPY = AsSciPy()


def _fitted(arguments: Arguments, full_output: bool) -> Answer | FullAnswer:
    speaking = SPEAKING.set(AS_SCIPY)
    try:
        with np.errstate(all="ignore"):
            data = data_of(arguments)
            ending = direct(arguments, data.curve, data.columns, data.sigma)
            if ending is not None:
                return direct_answer(arguments, ending, full_output)
            problem, request = problem_of(arguments, data)
            solution = solve(problem, request, limited(arguments, problem))
            if solution.outcome is Outcome.INTERRUPTED:
                raise interruption(arguments, problem)
            if not solution.succeeded or arguments.start is None:
                solution = better(arguments, data, problem, solution)
            return answer(arguments, solution, full_output)
    except DescendError as error:
        raise ValueError(str(error)) from error
    finally:
        SPEAKING.reset(speaking)
