"""The gradient taken by PyTorch autograd: forward with tensors, then backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from sympy import Expr, Function

from descend.errors import ConfigError
from descend.formula.compile import compile_expression
from descend.formula.edges_of_data import Edges
from descend.formula.factor import torch_factor
from descend.formula.functions import entry_of
from descend.formula.printers.code import LACKING, TORCH
from descend.formula.row_code import RowCode
from descend.gradients.contract import Array, Kernel, Sums
from descend.gradients.derived import Program
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.models import Call, Model
from descend.table.rows import Rows
from descend.wording import spell

Tensor = Any


def import_torch() -> ModuleType:
    """Import PyTorch, or say how to install it."""
    try:
        import torch
    except ImportError:
        raise ConfigError(
            'PyTorch is not installed, and this needs it. Install it with: pip install "descend[torch]".'
        ) from None
    return torch


class AutogradKernel(Kernel):
    """Sums whose gradient comes from ``backward()``.

    score: (theta, block) -> what the loss works on, one number per row.
    response: (block) -> y. arrays: (rows) -> the block, after which come the row weights, if there are any.
    size: how many arrays a block has without them.
    """

    language = "torch"

    def __init__(
        self,
        loss: Loss,
        score: Callable[..., Tensor],
        response: Callable[..., Tensor],
        arrays: Callable[[Rows], tuple[Array, ...]],
        size: int,
    ) -> None:
        loss.refuse_own()
        self.score, self.response, self.arrays, self.size = score, response, arrays, size
        symbols = (PREDICTION, RESPONSE, RESIDUAL)
        self.value, self.slope, self.weight = (
            compile_expression(expression, symbols, TORCH) for expression in loss.expressions
        )

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        return (*self.arrays(rows), *([] if rows.omega is None else [rows.omega]))

    def _parted(self, block: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Return a block without the row weights, and the weights, if there are any."""
        return block[: self.size], block[self.size] if len(block) > self.size else None

    def sums(self, theta: Tensor, block: tuple[Tensor, ...], order: int) -> Sums:
        import torch

        if order == 0:
            with torch.no_grad():
                return self._loss(theta, block), None, None
        leaf = theta.detach().requires_grad_(True)
        loss = self._loss(leaf, block)
        if not loss.requires_grad:
            raise ConfigError(
                "The prediction does not depend on the parameters in a way PyTorch can follow. "
                "Use torch functions (torch.exp, not np.exp or float), or give the gradient by hand."
            )
        loss.backward()
        gradient = leaf.grad if leaf.grad is not None else torch.zeros_like(theta)
        return loss.detach(), gradient, self._second(theta, block, order) if order > 1 else None

    made_by: tuple[Callable[..., AutogradKernel], tuple[object, ...]]
    """The function and arguments that rebuild it when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., AutogradKernel], tuple[object, ...]]:
        return self.made_by

    def _loss(self, theta: Tensor, block: tuple[Tensor, ...]) -> Tensor:
        block, omega = self._parted(block)
        score, y = self.score(theta, block), self.response(block)
        value = self.value(score, y, score - y)
        return (value if omega is None else value * omega).sum()

    def _second(self, theta: Tensor, block: tuple[Tensor, ...], order: int) -> Tensor:
        """Return J' W J, or the factor if the order is 3.

        Column k of J is d/dv of (J'v)_k, so p backward passes through one graph give all of it.
        """
        import torch

        block, omega = self._parted(block)
        leaf = theta.detach().requires_grad_(True)
        score = self.score(leaf, block)
        v = torch.zeros_like(score, requires_grad=True)
        (pulled,) = torch.autograd.grad(score, leaf, v, create_graph=True)
        columns = [torch.autograd.grad(part, v, retain_graph=True, materialize_grads=True)[0] for part in pulled]
        jacobian = torch.stack(columns)
        with torch.no_grad():
            score, y = self.score(theta, block), self.response(block)
            omega = torch.ones_like(y) if omega is None else omega
            weight = torch.as_tensor(self.weight(score, y, score - y) * omega).to(jacobian).expand(len(y))
            if order == 3:
                slope = torch.as_tensor(self.slope(score, y, score - y) * omega).to(jacobian).expand(len(y))
                return torch_factor(weight, slope, jacobian)
            return (jacobian * weight) @ jacobian.T


@lru_cache(maxsize=128)
def autograd_of_formula(program: Program) -> AutogradKernel:
    """Let PyTorch differentiate the formula of ``program``. Raises ConfigError if it lacks a function."""
    _refuse_opaque(program.formula.expression)
    score_held = Edges().held(program.score) if program.slopes.edges or program.slopes.anywhere else program.score
    quantities = {PREDICTION: score_held, RESPONSE: program.formula.response}
    code = RowCode(program.formula, program.parameters.slices, TORCH, quantities)
    writers = {quantity: code.writer() for quantity in quantities}
    writers[PREDICTION].count([PREDICTION])
    named = [(writer, writer.name(quantity)) for quantity, writer in writers.items()]
    score, response = (code.define(writer.lines, [name]) for writer, name in named)
    parameters = program.parameters.size

    def response_of(block: tuple[Tensor, ...]) -> Tensor:
        return response(block[0].new_zeros(parameters), block)

    kernel = AutogradKernel(program.loss, score, response_of, code.prepare, len(code.prepared) + len(code.matrices))
    kernel.made_by = autograd_of_formula, (program,)
    return kernel


def _refuse_opaque(expression: Expr) -> None:
    """Refuse functions that PyTorch lacks, or has without a derivative."""
    for function in filter(None, map(entry_of, expression.atoms(Function))):
        if function.torch is None or not function.autograd:
            lacks = LACKING["torch"] if function.torch is None else "has no derivative in PyTorch"
            raise ConfigError(f"`{function.name}` {lacks}. Use {spell('gradient', 'derived')}.")


def autograd_of_function(model: Model) -> AutogradKernel:
    """Let PyTorch differentiate a Python function of columns and parameters."""
    forward, parameters = model.forward, model.parameters
    assert forward is not None
    names = tuple(dict.fromkeys((*model.inputs, model.response)))

    def score(theta: Tensor, block: tuple[Tensor, ...]) -> Tensor:
        values = {
            name: theta[theta_slice] if labels is not None else theta[theta_slice.start]
            for (name, labels), theta_slice in zip(parameters.shapes.items(), parameters.slices.values(), strict=True)
        }
        return checked_prediction(forward, dict(zip(names, block, strict=True)), values, len(block[0]))

    kernel = AutogradKernel(
        model.loss,
        score,
        lambda block: block[names.index(model.response)],
        lambda rows: tuple(rows.columns[name] for name in names),
        len(names),
    )
    kernel.made_by = autograd_of_function, (model,)
    return kernel


def checked_prediction(forward: Call, columns: Mapping[str, Tensor], values: Mapping[str, Tensor], rows: int) -> Tensor:
    """Call the user's function and refuse a result that is not a tensor with one element per row."""
    import torch

    name = forward.name
    try:
        prediction = forward(columns, values)
    except ConfigError as error:
        torch_message = str(error.__cause__).lower() if isinstance(error.__cause__, RuntimeError | TypeError) else ""
        if "numpy" not in torch_message and "ufunc" not in torch_message:
            raise
        raise ConfigError(
            f"`{name}` uses NumPy, which PyTorch cannot differentiate. Use torch functions in it "
            "(torch.exp, not np.exp), or give the gradient by hand: gradient=your_function."
        ) from None
    if not isinstance(prediction, torch.Tensor):
        raise ConfigError(
            f"`{name}` returned a {type(prediction).__name__}; it must return a tensor with one prediction per row."
        )
    if prediction.ndim == 2 and prediction.shape[1] == 1:
        prediction = prediction[:, 0]
    if prediction.ndim == 0:
        return prediction.expand(rows)
    if prediction.shape != (rows,):
        raise ConfigError(
            f"`{name}` returned shape {tuple(prediction.shape)} for {rows} rows. It must return one prediction per row."
        )
    return prediction
