"""The gradient sources: what an engine sums of a model, by the name of what its derivatives come from."""

from __future__ import annotations

from collections.abc import Callable

from descend.gradients.contract import Kernel, Summand
from descend.gradients.derived import derived, derived_of, of_inexact_inputs
from descend.models import Model

Source = Callable[[Model], Summand]
"""Makes of a model what is summed over rows."""
REGISTERED: dict[str, Source] = {}
"""Sources from outside, which any model may have."""


def register(name: str, source: Source) -> None:
    """Add a source from outside the package; a fit uses it by giving its name as ``gradient``."""
    REGISTERED[name] = source


def is_source(gradient: object) -> bool:
    """Whether what the user gave as gradient names a source, or leaves it to the model; else it is one by hand."""
    return gradient is None or (isinstance(gradient, str) and (gradient in SOURCES or gradient in REGISTERED))


def _numeric(model: Model) -> Kernel:
    from descend.gradients.numeric import DifferentiatedKernel, NumericKernel

    return DifferentiatedKernel(model) if model.differentiated else NumericKernel(model)


def _jax(model: Model) -> Kernel:
    from descend.gradients.jax import JaxKernel

    return JaxKernel(model)


def _autograd(model: Model) -> Kernel:
    if (kernel := of_inexact_inputs(model)) is not None:
        return kernel
    from descend.gradients.autograd import autograd_of_formula, autograd_of_function, import_torch

    import_torch()
    formula = model.formula
    return autograd_of_function(model) if formula is None else autograd_of_formula(derived(formula, model.loss))


SOURCES: dict[str, Source] = {"derived": derived_of, "autograd": _autograd, "jax": _jax, "numeric": _numeric}
"""Those that a model names in ``gradient_sources``, the first of them its own choice."""
