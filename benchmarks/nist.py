"""NIST's Statistical Reference Datasets for nonlinear regression: how many certified digits each program finds.

DIR holds their files as published (https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml). Each problem comes with
two starts, and with parameters and standard deviations certified to 11 digits. A cell shows the correct digits of
the worst parameter and of the worst standard deviation, at most 11; descend is also run without any start, where
like terms of a sum (two peaks, say) may come out in either order. Where a start leads nowhere descend goes on to search
for another, all by itself, and says so; here that counts like any other end.

    python benchmarks/nist.py tests/results/nist

With --as, descend gets each model as a NumPy function instead of a formula: `function` is traced into an expression,
`opaque` is differentiated numerically, as what cannot be traced is.

    python benchmarks/nist.py tests/results/nist --as function
"""

from __future__ import annotations

import argparse
import itertools
import math
import re
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import descend
from descend.formula import read_formula
from descend.formula.compile import compile_expression, over_rows
from descend.formula.formula import Formula
from descend.formula.structure import interchangeable
from descend.formula.symbols import Column, Parameter

if __package__:  # imported from the root of the repository, as the tests do
    from benchmarks.nist_functions import FUNCTIONS
else:
    from nist_functions import FUNCTIONS

Array = NDArray[np.float64]
Answer = tuple[Mapping[str, float], Mapping[str, float] | None]
"""Parameters and standard deviations."""
MOST = 11.0


@dataclass(frozen=True)
class Problem:
    """One file. certified: per parameter start 1, start 2, value, standard deviation."""

    name: str
    formula: str
    columns: Mapping[str, Array]
    table: Mapping[str, tuple[float, float, float, float]]

    def start(self, number: int) -> dict[str, float]:
        """Return the first (0) or second (1) start."""
        return {name: row[number] for name, row in self.table.items()}

    @cached_property
    def read(self) -> Formula:
        return read_formula(self.formula, tuple(self.columns))

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The model as a NumPy function of the columns and the parameters."""
        return FUNCTIONS[self.name]

    @cached_property
    def y(self) -> Array:
        return over_rows(self.read.response, self.columns, len(self.columns["y"]))

    def predict(self, theta: Array) -> Array:
        """Return the prediction of each row, the parameters being in the order of the table."""
        columns = [Column(name) for name in self.columns]
        function = compile_expression(self.read.expression, (*columns, *(Parameter(name) for name in self.table)))
        return np.broadcast_to(function(*self.columns.values(), *theta), self.y.shape)


def read(path: Path) -> Problem:
    """Read a file of NIST's nonlinear regression datasets."""
    text = path.read_text()
    lines = text.splitlines()
    place = re.search(r"^\s*Data\s+\(lines\s+(\d+)\s+to\s+(\d+)\)", text, re.M)
    model = re.search(r"^\s*(y|log\[y\])\s*=(.*?)\+\s*e\s*$", text, re.M | re.S)
    if place is None or model is None:
        raise SystemExit(f"{path} is not in the format of NIST's nonlinear datasets. Leave it out of the folder.")
    numbers = np.array([[float(part) for part in line.split()] for line in lines[int(place[1]) - 1 : int(place[2])]])
    names = ["y", "x"] if numbers.shape[1] == 2 else ["y", *(f"x{k}" for k in range(1, numbers.shape[1]))]
    right = " ".join(model[2].split()).replace("[", "(").replace("]", ")").replace("arctan", "atan")
    rows = re.findall(r"^\s*(b\d+)\s*=((?:\s+[-+.\dEe]+){4})\s*$", text, re.M)
    table = {name: tuple(float(part) for part in values.split()) for name, values in rows}
    response = model[1].replace("[", "(").replace("]", ")")
    return Problem(path.stem, f"{response} ~ {right}", dict(zip(names, numbers.T.copy(), strict=True)), table)  # type: ignore[arg-type]


def digits(problem: Problem, answer: Answer) -> tuple[float, float]:
    """Return the correct digits of the worst parameter and of the worst standard deviation."""
    return max(
        (_worst(problem, answer[0], names, 2), _worst(problem, answer[1] or {}, names, 3))
        for names in arrangements(problem)
    )


def _worst(problem: Problem, found: Mapping[str, float], names: Mapping[str, str], column: int) -> float:
    return min(_correct(found.get(names[name], math.nan), row[column]) for name, row in problem.table.items())


def _correct(found: float, certified: float) -> float:
    error = abs(found - certified) / abs(certified)
    return min(MOST, max(0.0, -math.log10(max(error, 1e-16)))) if math.isfinite(error) else 0.0


def arrangements(problem: Problem) -> Iterator[dict[str, str]]:
    """Yield the ways to name the parameters that mean the same model."""
    groups = interchangeable(problem.read)
    for choice in itertools.product(*(itertools.permutations(group) for group in groups)):
        names = {name: name for name in problem.table}
        for group, order in zip(groups, choice, strict=True):
            for own, other in zip(group, order, strict=True):
                names |= {one.name: two.name for one, two in zip(own, other, strict=True)}
        yield names


def by_descend(problem: Problem, start: Mapping[str, float] | None) -> Answer:
    """Fit with descend, all settings left alone."""
    fit = descend.fit(problem.formula, dict(problem.columns), start=start)
    return fit.parameters, fit.standard_errors


def by_function(problem: Problem, start: Mapping[str, float] | None) -> Answer:
    """Fit the model as a NumPy function with descend, all settings left alone."""
    return _of_function(problem, start)


def by_opaque_function(problem: Problem, start: Mapping[str, float] | None) -> Answer:
    """Fit the model as a NumPy function that descend may only call."""
    return _of_function(problem, start, gradient="numeric")


def _of_function(problem: Problem, start: Mapping[str, float] | None, **options: Any) -> Answer:
    columns = {**problem.columns, "y": problem.y}
    fit = descend.fit(problem.function, columns, response="y", start=start, **options)
    return fit.parameters, fit.standard_errors


def by_curve_fit(problem: Problem, start: Mapping[str, float]) -> Answer:
    """Fit with SciPy's curve_fit, all settings left alone."""
    from scipy.optimize import curve_fit

    theta, covariance = curve_fit(
        lambda _, *theta: problem.predict(np.array(theta)), None, problem.y, list(start.values())
    )
    return _named(problem, theta), _named(problem, np.sqrt(covariance.diagonal()))


def by_least_squares(problem: Problem, start: Mapping[str, float]) -> Answer:
    """Fit with SciPy's least_squares, scaled by the Jacobian and as precise as it goes."""
    from scipy.optimize import least_squares

    found = least_squares(
        lambda theta: problem.predict(theta) - problem.y,
        list(start.values()),
        method="trf",
        x_scale="jac",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        max_nfev=10_000,
    )
    freedom = len(problem.y) - len(found.x)
    covariance = 2.0 * found.cost / freedom * np.linalg.inv(found.jac.T @ found.jac)
    return _named(problem, found.x), _named(problem, np.sqrt(covariance.diagonal()))


def by_lmfit(problem: Problem, start: Mapping[str, float]) -> Answer:
    """Fit with lmfit, all settings left alone."""
    import lmfit

    parameters = lmfit.create_params(**start)
    found = lmfit.minimize(
        lambda values: problem.predict(np.array([*values.valuesdict().values()])) - problem.y, parameters
    )
    deviations = {name: value.stderr for name, value in found.params.items()}
    known = all(value is not None for value in deviations.values())
    return found.params.valuesdict(), deviations if known else None


def _named(problem: Problem, values: Any) -> dict[str, float]:
    return dict(zip(problem.table, map(float, values), strict=True))


METHODS: dict[str, Callable[..., Answer]] = {
    "formula": by_descend,
    "function": by_function,
    "opaque": by_opaque_function,
}
RUNS: dict[str, tuple[Callable[..., Answer], int | None]] = {
    "descend 1": (by_descend, 0),
    "descend 2": (by_descend, 1),
    "descend none": (by_descend, None),
    "curve_fit 1": (by_curve_fit, 0),
    "curve_fit 2": (by_curve_fit, 1),
    "trf 1": (by_least_squares, 0),
    "trf 2": (by_least_squares, 1),
    "lmfit 1": (by_lmfit, 0),
    "lmfit 2": (by_lmfit, 1),
}


def run(problem: Problem, name: str, form: str = "formula") -> tuple[float, float]:
    """Return the digits of one run, descend being given the model in that form; none if it raises an error."""
    method, number = RUNS[name]
    method = METHODS[form] if method is by_descend else method
    try:
        return digits(problem, method(problem, None if number is None else problem.start(number)))
    except (RuntimeError, ValueError, TypeError, np.linalg.LinAlgError, descend.errors.DescendError):
        return 0.0, 0.0


def main() -> None:
    """Print the table, a row per dataset and a column per run, then a summary of each run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dir", type=Path, help="folder of the .dat files")
    parser.add_argument("--as", dest="form", choices=METHODS, default="formula", help="what descend is given")
    arguments = parser.parse_args()
    paths = sorted(arguments.dir.glob("*.dat"))
    if not paths:
        parser.error("There is no .dat file in that folder. Download them from NIST's site.")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    problems = [read(path) for path in paths]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in RUNS}
    seconds = dict.fromkeys(RUNS, 0.0)
    print("digits of the worst parameter / standard deviation; 1, 2: from that start; none: without a start")
    print(f"{'':<9}" + "".join(f"{name:>13}" for name in RUNS))
    for problem in problems:
        for name in RUNS:
            began = time.perf_counter()
            found[name].append(run(problem, name, arguments.form))
            seconds[name] += time.perf_counter() - began
        cells = ("{:.1f}/{:.1f}".format(*found[name][-1]) for name in RUNS)
        print(f"{problem.name:<9}" + "".join(f"{cell:>13}" for cell in cells))
    print(f"\n{'':<14}{'mean digits':>12}{'6 or more':>12}{'4 or more':>12}{'deviations':>12}{'ms each':>10}")
    for name, pairs in found.items():
        values = [value for value, _ in pairs]
        mean, deviations = statistics.mean(values), statistics.mean(value for _, value in pairs)
        reached = [f"{sum(value >= least for value in values)} of {len(values)}" for least in (6.0, 4.0)]
        each = 1e3 * seconds[name] / len(values)
        print(f"{name:<14}{mean:>12.1f}{reached[0]:>12}{reached[1]:>12}{deviations:>12.1f}{each:>10.0f}")


if __name__ == "__main__":
    main()
