"""Part c: logistic and poisson regression on a million rows x 50, to 1e-6 of the optimum.

Beside scikit-learn (lbfgs, newton-cholesky) and glum, without penalties, each with the largest tolerance, of powers of
ten, with which it comes that close; the optimum is that of descend. All but descend are handed one matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from beside import Contender, Measured, show, target

ROWS, COLUMNS = 1_000_000, 50
CLOSE = 1e-6
FORMULAS = {"logistic": "y ~ sigmoid(w @ [x*] + b)", "poisson": "y ~ exp(w @ [x*] + b)"}


def make(folder: Path, rows: int) -> None:
    """Write normal columns that depend on each other a little, and a response of each kind."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((rows, COLUMNS))
    matrix += 0.5 * rng.standard_normal((rows, 1))
    slopes = rng.uniform(-0.3, 0.3, COLUMNS)
    np.save(folder / "matrix.npy", matrix)
    np.save(folder / "logistic.npy", (rng.random(rows) < 1.0 / (1.0 + np.exp(-(matrix @ slopes + 0.2)))) * 1.0)
    np.save(folder / "poisson.npy", rng.poisson(np.exp(matrix @ slopes / 3.0 + 0.2)) * 1.0)


def columns(loss: str) -> Callable[[Path], dict[str, np.ndarray]]:
    def prepare(folder: Path) -> dict[str, np.ndarray]:
        import descend

        small = {"u": np.arange(9.0), "v": np.arange(9.0) % 2}
        descend.fit("v ~ exp(k*u + m)" if loss == "poisson" else "v ~ sigmoid(k*u + m)", small, loss=loss)
        matrix = np.load(folder / "matrix.npy", mmap_mode="r")
        data = {f"x{k}": np.ascontiguousarray(matrix[:, k]) for k in range(COLUMNS)}
        return data | {"y": np.load(folder / f"{loss}.npy")}

    return prepare


def descended(loss: str) -> Callable[[Any], Mapping[str, float]]:
    def run(data: Any) -> Mapping[str, float]:
        import descend

        fit = descend.fit(FORMULAS[loss], data, loss=loss)
        return named(fit.parameters["w"], fit.parameters["b"]) | {"_passes": fit.passes}

    return run


def named(slopes: Any, intercept: Any) -> Mapping[str, float]:
    return {f"w{k}": float(value) for k, value in enumerate(np.ravel(slopes))} | {"b": float(np.ravel(intercept)[0])}


def matrix(loss: str, small: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        rng = np.random.default_rng(0)
        small((rng.standard_normal((60, 2)), (np.arange(60) % 3 > 0) * 1.0))
        return np.load(folder / "matrix.npy"), np.load(folder / f"{loss}.npy")

    return prepare


def sklearn_logistic(solver: str, tolerance: float) -> Callable[[Any], Mapping[str, float]]:
    def run(given: Any) -> Mapping[str, float]:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=np.inf, solver=solver, tol=tolerance, max_iter=10_000).fit(*given)
        return named(model.coef_, model.intercept_)

    return run


def sklearn_poisson(solver: str, tolerance: float) -> Callable[[Any], Mapping[str, float]]:
    def run(given: Any) -> Mapping[str, float]:
        from sklearn.linear_model import PoissonRegressor

        model = PoissonRegressor(alpha=0.0, solver=solver, tol=tolerance, max_iter=10_000).fit(*given)
        return named(model.coef_, model.intercept_)

    return run


def glum(family: str, tolerance: float) -> Callable[[Any], Mapping[str, float]]:
    def run(given: Any) -> Mapping[str, float]:
        from glum import GeneralizedLinearRegressor

        model = GeneralizedLinearRegressor(family=family, alpha=0.0, gradient_tol=tolerance, max_iter=1000).fit(*given)
        return named(model.coef_, model.intercept_)

    return run


OURS = {loss: f"descend, {loss}" for loss in ("logistic", "poisson")}
PEERS = {
    "logistic": {
        "scikit-learn LogisticRegression, lbfgs": sklearn_logistic("lbfgs", 1e-7),
        "scikit-learn LogisticRegression, newton-cholesky": sklearn_logistic("newton-cholesky", 1e-5),
        "glum, binomial": glum("binomial", 1e-4),
    },
    "poisson": {
        "scikit-learn PoissonRegressor, lbfgs": sklearn_poisson("lbfgs", 1e-7),
        "scikit-learn PoissonRegressor, newton-cholesky": sklearn_poisson("newton-cholesky", 1e-6),
        "glum, poisson": glum("poisson", 1e-5),
    },
}
CONTENDERS = [
    contender
    for loss, peers in PEERS.items()
    for contender in (
        Contender(OURS[loss], columns(loss), descended(loss)),
        *(Contender(name, matrix(loss, run), run) for name, run in peers.items()),
    )
]


def report(found: Mapping[str, Measured], rows: int) -> None:
    """Print the tables and their targets."""
    for loss, peers in PEERS.items():
        some = {name: found[name] for name in (OURS[loss], *peers) if name in found}
        show(f"(c) {loss} regression, {rows:,} rows x {COLUMNS}", some, OURS[loss])
        fastest = min(some[name].median for name in peers if name in some and some[name].seconds)
        target(f"fastest peer / descend, {loss}", fastest / some[OURS[loss]].median, least=1)
        ours = some[OURS[loss]].numbers
        scale = max(abs(value) for name, value in ours.items() if name[0] != "_")
        near = [peer.numbers for name, peer in some.items() if name in peers and peer.numbers]
        away = min(max(abs(numbers[key] - ours[key]) for key in ours if key[0] != "_") for numbers in near) / scale
        target(f"parameters, {loss}: difference from the nearest peer / the largest of them", away, most=CLOSE)
