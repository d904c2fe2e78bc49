"""The gradient sources: what an engine sums of a model, by the name of what its derivatives come from."""

from __future__ import annotations

from collections.abc import Callable

from descend.gradients.contract import Kernel
from descend.gradients.derived import Program, derived
from descend.models import Model

Source = Callable[[Model], Program | Kernel]
"""Makes of a model what is summed over rows."""
REGISTERED: dict[str, Source] = {}
"""Sources from outside, which any model may have."""


def register(name: str, source: Source) -> None:
    """Add a source from outside the package; a fit uses it by giving its name as ``gradient``."""
    REGISTERED[name] = source


def of_source(name: str, model: Model) -> Program | Kernel:
    """Return what is summed, by a source of that name: one of the model's own, or a registered one."""
    return (REGISTERED.get(name) or SOURCES[name])(model)


def is_source(gradient: object) -> bool:
    """Whether what the user gave as gradient names a source, or leaves it to the model; else it is one by hand."""
    return gradient is None or (isinstance(gradient, str) and (gradient in SOURCES or gradient in REGISTERED))


def _numeric(model: Model) -> Kernel:
    from descend.gradients.numeric import DifferentiatedKernel, NumericKernel

    return DifferentiatedKernel(model) if model.differentiated else NumericKernel(model)


def _jax(model: Model) -> Kernel:
    from descend.gradients.jax import JaxKernel

    return JaxKernel(model)


def _derived(model: Model) -> Program | Kernel:
    if model.per_class:
        from descend.gradients.per_class import ClassesKernel

        return ClassesKernel(model)
    assert model.symbolic is not None
    return _of_inexact_inputs(model) or derived(model.symbolic.formula, model.loss)


def _autograd(model: Model) -> Kernel:
    if (kernel := _of_inexact_inputs(model)) is not None:
        return kernel
    from descend.gradients.autograd import autograd_of_formula, autograd_of_function, import_torch

    import_torch()
    formula = model.formula
    return autograd_of_function(model) if formula is None else autograd_of_formula(derived(formula, model.loss))


def _of_inexact_inputs(model: Model) -> Kernel | None:
    """Return the sums of a formula whose inputs have errors, too: only those by their derivatives are known."""
    symbolic = model.symbolic
    if symbolic is None or not symbolic.inexact:
        return None
    if symbolic.formula.parts:
        from descend.gradients.joint_input_errors import JointKernel

        return JointKernel(symbolic, symbolic.inexact)
    from descend.gradients.orthogonal import OrthogonalKernel

    return OrthogonalKernel(symbolic, symbolic.inexact, not model.response_columns, symbolic.correlated)


SOURCES: dict[str, Source] = {"derived": _derived, "autograd": _autograd, "jax": _jax, "numeric": _numeric}
"""Those that a model names in ``gradient_sources``, the first of them its own choice."""
