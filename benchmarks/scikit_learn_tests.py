"""scikit-learn's own tests of LinearRegression, Ridge and LogisticRegression, run on the estimators of descend.

    python benchmarks/scikit_learn_tests.py [--show]

The wheel of scikit-learn ships its tests. Here its classes are replaced by adapters, which have their parameters and
attributes and leave the fit to ours, in those tests that speak of results: what is about solvers, warnings, sparse
matrices, several targets and private functions is not asked. --show prints why a test fails.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import tempfile
from collections import Counter
from typing import Any

import numpy as np
import pytest

from descend.estimators import FormulaClassifier, FormulaRegressor

ABOUT_ELSE = re.compile(
    "sparse|sparsify|csr|csc|solver|convergence|multi_output|multioutput|multiple_outcome|multitarget|individual|shapes|"
    "positive|gcv|_cv|cv_|ridgecv|liblinear|warn|array_api|deprecat|preprocess|rescale|saga|sag|dtype|32|n_jobs|warm|"
    "raise|error|invalid|metadata|l1_ratio|incompatible|elastic|dual|n_iter|max_iter|memory|classifier|multinomial|ovr|"
    "glmnet|callback|penalty_none|fallback|write_parameters",
    re.IGNORECASE,
)
"""Tests whose names say that they are about something else than the results of a fit of one target."""


def learned(estimator: Any) -> dict[str, Any]:
    """Return what an estimator has learned."""
    return {name: value for name, value in estimator.__dict__.items() if name.endswith("_") or name.startswith("_")}


class Linear(FormulaRegressor):
    """LinearRegression by descend."""

    def __init__(self, *, fit_intercept: bool = True, copy_X: bool = True, tol: float = 1e-6, n_jobs: Any = None,
                 positive: bool = False) -> None:  # fmt: skip
        """Keep scikit-learn's parameters."""
        self.fit_intercept, self.copy_X, self.tol, self.n_jobs, self.positive = (
            fit_intercept, copy_X, tol, n_jobs, positive
        )  # fmt: skip

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Linear:
        """Fit by descend."""
        total = len(np.asarray(y)) if sample_weight is None else float(np.sum(np.broadcast_to(sample_weight, len(y))))
        made = self._made(total).fit(X, y, None if np.ndim(sample_weight) == 0 else sample_weight)
        self.__dict__.update(learned(made))
        self.solver_ = getattr(self, "solver", None)  # which one was asked for is not what is tested here
        self.coef_, self.intercept_ = made.coef_.copy(), made.intercept_ if self.fit_intercept else 0.0
        return self

    def _made(self, total: float) -> FormulaRegressor:
        formula = "w @ [*] + b" if self.fit_intercept else "w @ [*]"
        return FormulaRegressor(formula, bounds=["w >= 0"] if self.positive else None)

    coef_: Any = None
    intercept_: Any = None


class Ridge(Linear):
    """Ridge by descend."""

    def __init__(self, alpha: float = 1.0, *, fit_intercept: bool = True, copy_X: bool = True, max_iter: Any = None,
                 tol: float = 1e-4, solver: str = "auto", positive: bool = False,
                 random_state: Any = None) -> None:  # fmt: skip
        """Keep scikit-learn's parameters."""
        super().__init__(fit_intercept=fit_intercept, copy_X=copy_X, tol=tol, positive=positive)
        self.alpha, self.max_iter, self.solver, self.random_state = alpha, max_iter, solver, random_state

    def _made(self, total: float) -> FormulaRegressor:
        return super()._made(total).set_params(l2=float(np.asarray(self.alpha).item()) / total)


class Logistic(FormulaClassifier):
    """LogisticRegression by descend."""

    def __init__(self, *, C: float = 1.0, l1_ratio: float = 0.0, dual: bool = False, tol: float = 1e-4,
                 fit_intercept: bool = True, intercept_scaling: float = 1, class_weight: Any = None,
                 random_state: Any = None, solver: str = "lbfgs", max_iter: int = 100, verbose: int = 0,
                 warm_start: bool = False, n_jobs: Any = None, penalty: Any = "l2") -> None:  # fmt: skip
        """Keep scikit-learn's parameters."""
        given = dict(locals())
        self.__dict__.update({name: value for name, value in given.items() if name not in ("self", "__class__")})

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Logistic:
        """Fit by descend."""
        from sklearn.utils.class_weight import compute_sample_weight

        if self.class_weight is not None:
            balance = compute_sample_weight(self.class_weight, y)
            sample_weight = balance if sample_weight is None else balance * sample_weight
        total = len(np.asarray(y)) if sample_weight is None else float(np.sum(sample_weight))
        formula = "sigmoid(w @ [*] + b)" if self.fit_intercept else "sigmoid(w @ [*])"
        l2 = 0.0 if np.isinf(self.C) or self.penalty is None else 0.5 / (self.C * total)
        made = FormulaClassifier(formula, l2=l2).fit(X, y, sample_weight)
        self.__dict__.update(learned(made))
        self.coef_, self.intercept_ = made.coef_.reshape(1, -1).copy(), np.array([made.intercept_ * self.fit_intercept])
        return self

    coef_: Any = None
    intercept_: Any = None


MODULES = {
    "sklearn.linear_model.tests.test_base": {"LinearRegression": Linear},
    "sklearn.linear_model.tests.test_ridge": {"Ridge": Ridge},
    "sklearn.linear_model.tests.test_logistic": {"LogisticRegression": Logistic},
}


class Replaced:
    """The plugin that puts ours in the place of theirs, and counts."""

    def __init__(self) -> None:
        self.found: dict[str, Counter[str]] = {name: Counter() for name in MODULES}
        self.failed: list[tuple[str, str]] = []
        self.modules: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that name the class and speak of results."""
        import inspect

        kept = []
        for item in items:
            name = item.module.__name__  # type: ignore[attr-defined]
            source = inspect.getsource(item.function)  # type: ignore[attr-defined]
            theirs = next(iter(MODULES[name]))
            if re.search(rf"\b{theirs}\(", source) and not ABOUT_ELSE.search(item.name):
                kept.append(item)
                self.modules[item.nodeid] = name
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count."""
        if report.when == "call" or report.failed:
            self.found[self.modules[report.nodeid]][report.outcome] += 1
            if report.failed:
                crash = getattr(report.longrepr, "reprcrash", None)
                why = str(crash.message if crash else report.longrepr)[:300]
                self.failed.append((report.nodeid.split("::")[1], why))


def main() -> None:
    """Run them, and print how many pass."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--show", action="store_true")
    given = options.parse_args()
    for name, classes in MODULES.items():
        module = importlib.import_module(name)
        for theirs, ours in classes.items():
            setattr(module, theirs, ours)
    plugin = Replaced()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        quiet = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:dash", "-p", "no:warnings"]
        stdout, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115
        try:
            pytest.main([*quiet, "--pyargs", *MODULES], plugins=[plugin])
        finally:
            sys.stdout = stdout
    for name, counts in plugin.found.items():
        print(f"{name:<42}{counts['passed']:>5} passed{counts['failed']:>5} failed{counts['skipped']:>5} skipped")
    if given.show:
        for name, why in plugin.failed:
            print(f"  {name}\n      {' '.join(why.split())}")


if __name__ == "__main__":
    main()
