"""The gradient taken by PyTorch autograd: forward with tensors, then backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from descend.errors import ConfigError
from descend.formula.compile import RowCode, compile_expression, torch_factor
from descend.formula.edges import Edges
from descend.formula.printers.code import TORCH
from descend.gradients.contract import Array, Program, Sums
from descend.losses import Loss
from descend.losses.contract import PREDICTION, RESIDUAL, RESPONSE
from descend.models import Call, Model

Tensor = Any


class AutogradKernel:
    """Sums whose gradient comes from ``backward()``.

    score: (theta, block) -> what the loss works on, one number per row.
    response, weights: (block) -> y and the row weights (or None).
    """

    language = "torch"
    finish = None

    def __init__(
        self,
        loss: Loss,
        score: Callable[..., Tensor],
        response: Callable[..., Tensor],
        weights: Callable[..., Tensor] | None,
        prepare: Callable[[Mapping[str, Array]], tuple[Array, ...]],
    ) -> None:
        self.score, self.response, self.weights, self.prepare = score, response, weights, prepare
        symbols = (PREDICTION, RESPONSE, RESIDUAL)
        self.value, self.slope, self.weight = (
            compile_expression(expression, symbols, TORCH) for expression in loss.expressions
        )

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

    made_by: tuple[Callable[..., AutogradKernel], tuple[Any, ...]]
    """What makes it again where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., AutogradKernel], tuple[Any, ...]]:
        return self.made_by

    def _loss(self, theta: Tensor, block: tuple[Tensor, ...]) -> Tensor:
        score, y = self.score(theta, block), self.response(block)
        value = self.value(score, y, score - y)
        return (value if self.weights is None else value * self.weights(block)).sum()

    def _second(self, theta: Tensor, block: tuple[Tensor, ...], order: int) -> Tensor:
        """Return J' W J, or the factor if the order is 3.

        Column k of J is d/dv of (J'v)_k, so p backward passes through one graph give all of it.
        """
        import torch

        leaf = theta.detach().requires_grad_(True)
        score = self.score(leaf, block)
        v = torch.zeros_like(score, requires_grad=True)
        (pulled,) = torch.autograd.grad(score, leaf, v, create_graph=True)
        columns = [torch.autograd.grad(part, v, retain_graph=True, materialize_grads=True)[0] for part in pulled]
        jacobian = torch.stack(columns)
        with torch.no_grad():
            score, y = self.score(theta, block), self.response(block)
            omega = 1.0 if self.weights is None else self.weights(block)
            weight = torch.as_tensor(self.weight(score, y, score - y) * omega).to(jacobian).expand(len(y))
            if order == 3:
                slope = torch.as_tensor(self.slope(score, y, score - y) * omega).to(jacobian).expand(len(y))
                return torch_factor(weight, slope, jacobian)
            return (jacobian * weight) @ jacobian.T


@lru_cache(maxsize=128)
def autograd_of_formula(program: Program) -> AutogradKernel:
    """Let PyTorch differentiate the formula of ``program``."""
    score_held = Edges().held(program.score) if program.slopes.edges or program.slopes.anywhere else program.score
    quantities = {PREDICTION: score_held, RESPONSE: program.formula.response}
    more = () if program.weights is None else (program.weights.name,)
    code = RowCode(program.formula, program.parameters.slices, TORCH, quantities, more)
    writers = {quantity: code.writer() for quantity in quantities}
    writers[PREDICTION].count([PREDICTION])
    named = [(writer, writer.name(quantity)) for quantity, writer in writers.items()]
    score, response = (code.define(writer.lines, [name]) for writer, name in named)
    places = [code.columns.index(name) for name in more]
    weights = (lambda block: block[places[0]]) if places else None
    parameters = program.parameters.size

    def response_of(block: tuple[Tensor, ...]) -> Tensor:
        return response(block[0].new_zeros(parameters), block)

    kernel = AutogradKernel(program.loss, score, response_of, weights, code.prepare)
    kernel.made_by = autograd_of_formula, (program,)
    return kernel


def autograd_of_function(model: Model, weights: str | None) -> AutogradKernel:
    """Let PyTorch differentiate a Python function of columns and parameters."""
    forward, parameters = model.forward, model.parameters
    assert forward is not None
    names = tuple(dict.fromkeys((*model.inputs, model.response, *([weights] if weights else []))))

    def score(theta: Tensor, block: tuple[Tensor, ...]) -> Tensor:
        values = {
            name: theta[place] if labels is not None else theta[place.start]
            for (name, labels), place in zip(parameters.shapes.items(), parameters.slices.values(), strict=True)
        }
        return checked_prediction(forward, dict(zip(names, block, strict=True)), values, len(block[0]))

    kernel = AutogradKernel(
        model.loss,
        score,
        lambda block: block[names.index(model.response)],
        None if weights is None else lambda block: block[names.index(weights)],
        lambda columns: tuple(columns[name] for name in names),
    )
    kernel.made_by = autograd_of_function, (model, weights)
    return kernel


def checked_prediction(forward: Call, columns: Mapping[str, Tensor], values: Mapping[str, Tensor], rows: int) -> Tensor:
    """Call the user's function and refuse what is not one tensor element per row."""
    import torch

    name = forward.name
    try:
        prediction = forward(columns, values)
    except ConfigError as error:
        said = str(error.__cause__).lower() if isinstance(error.__cause__, RuntimeError | TypeError) else ""
        if "numpy" not in said and "ufunc" not in said:
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
