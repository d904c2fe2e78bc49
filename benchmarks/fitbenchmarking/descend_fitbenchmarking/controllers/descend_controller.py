"""The controller that FitBenchmarking asks to fit a problem with descend."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from fitbenchmarking.controllers.base_controller import Controller
from fitbenchmarking.utils.exceptions import IncompatibleCostFunctionError

import descend

CONVERGED, OUT_OF_EPOCHS, NOT_CONVERGED = 0, 1, 2
FLAGS = {"converged": CONVERGED, "epochs_used_up": OUT_OF_EPOCHS}
"""FitBenchmarking's numbers for how a run ended."""


class DescendController(Controller):
    """Minimizers: `fit` (`descend.fit` of the problem's function), `curve_fit` (SciPy's call) and `lbfgs`.

    The function is handed on as it is: that descend traces it into a formula, where it can, is part of the time that
    is measured.
    """

    algorithm_check: ClassVar = {
        "all": ["fit", "curve_fit", "lbfgs"],
        "ls": ["fit", "curve_fit"],
        "deriv_free": [],
        "general": ["lbfgs"],
        "simplex": [],
        "trust_region": [],
        "levenberg-marquardt": ["fit", "curve_fit"],
        "gauss_newton": [],
        "bfgs": ["lbfgs"],
        "conjugate_gradient": [],
        "steepest_descent": [],
        "global_optimization": [],
        "MCMC": [],
    }
    jacobian_enabled_solvers: ClassVar = ["curve_fit"]
    support_for_bounds = True

    def __init__(self, cost_func):
        super().__init__(cost_func)
        self._weighted = type(cost_func).__name__ == "WeightedNLLSCostFunc"
        if not self._weighted and type(cost_func).__name__ != "NLLSCostFunc":
            raise IncompatibleCostFunctionError("descend's controller minimises squares, weighted or not.")

    def setup(self):
        """Name the parameters as Python can, whatever the problem calls them."""
        self._names = [f"p{index}" for index in range(len(self.initial_params))]
        self._evaluations = 0
        low, high = zip(*self.value_ranges, strict=True) if self.value_ranges is not None else (-np.inf, np.inf)
        self._bounds = (low, high)

    def fit(self):
        """Fit by the call that the minimizer names."""
        sigma = self.data_e if self._weighted else None
        if self.minimizer == "curve_fit":
            self.final_params, _ = descend.curve_fit(
                self._function, self.data_x, self.data_y, p0=self.initial_params, sigma=sigma, bounds=self._bounds
            )
            self.flag = CONVERGED
            return
        rows = {"x": self.data_x, "y": self.data_y} | ({"e": sigma} if self._weighted else {})
        found = descend.fit(
            self._named(),
            rows,
            response="y",
            sigma="e" if self._weighted else None,
            start=dict(zip(self._names, self.initial_params, strict=True)),
            bounds={name: sides for name, sides in zip(self._names, self.value_ranges or [], strict=False)} or None,
            optimizer="lbfgs" if self.minimizer == "lbfgs" else None,
        )
        self.final_params = [found.parameters[name] for name in self._names]
        self.flag = FLAGS.get(found.outcome, NOT_CONVERGED)

    def cleanup(self):
        """Say how often the function was called: once traced, a function is not called any more."""
        self.func_evals = self._evaluations

    def _function(self, x: np.ndarray, *parameters: float) -> np.ndarray:
        self._evaluations += 1
        return self.problem.eval_model(params=parameters, x=x)

    def _named(self) -> Callable[..., np.ndarray]:
        def function(x, **parameters):
            return self._function(x, *parameters.values())

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        function.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in ["x", *self._names]])
        return function
