"""The losses that only a module has, and how a loss for one is given: by name, as one of PyTorch, or as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from descend.errors import ConfigError
from descend.losses import LOSSES
from descend.losses.absolute import Absolute
from descend.losses.bernoulli import Bernoulli
from descend.losses.contract import Loss
from descend.losses.cross_entropy import CrossEntropy, LogLikelihood
from descend.losses.huber import Huber
from descend.losses.logistic import Logistic
from descend.losses.several import Several, several_losses
from descend.losses.squared import Squared
from descend.losses.user_loss import Given, OfPlaces
from descend.registry import CALL, Registry

if TYPE_CHECKING:
    from torch import Tensor

OF_MODULES: Registry[Loss] = Registry(CrossEntropy, LogLikelihood, Given, OfPlaces, Several)
LOGITS = ("binary_cross_entropy", "binary_cross_entropy_with_logits", "bce_with_logits")
"""What other programs call the logistic loss, whose score is the logit: one output without a sigmoid."""
SHORT = {"mse": "squared", "mse_loss": "squared", "l1": "absolute", "mae": "absolute", "l1_loss": "absolute"}
"""What PyTorch's users call losses of ours."""
MEANS = ("mean", "none")


class OfTorch(Protocol):
    """What is read of a loss of PyTorch: each has some of these."""

    reduction: str
    delta: float
    ignore_index: int
    label_smoothing: float
    weight: Tensor | None
    pos_weight: Tensor | None


def loss_of_module(value: object) -> object:
    """Return the loss that a user gave for a module: a name, one of PyTorch's, or any function ``loss(output, y)``.

    Those of PyTorch that descend also has become these, so that weights, blocks of rows and classes are known to them.
    Names of losses that formulas have too, and what is no loss, are returned as they are.

    >>> import torch
    >>> str(loss_of_module(torch.nn.HuberLoss(delta=2.0))), loss_of_module("bce_with_logits").name
    ('huber(delta=2)', 'logistic')
    """
    if isinstance(value, str):
        call = CALL.fullmatch(value)
        name = "" if call is None else call[1].replace("-", "_")
        if name in LOGITS:
            return LOSSES.build(value.replace(call[1], "logistic", 1) if call is not None else value)
        if name in SHORT:
            return LOSSES.build(value.replace(str(call and call[1]), SHORT[name], 1))
        if name == "multinomial":
            raise ConfigError(
                "The multinomial loss has a score for each class but the first. A module has one for each: "
                'loss="cross_entropy".'
            )
        return OF_MODULES.build(value) if name in ("cross_entropy", "nll") else value
    if isinstance(value, Mapping | list | tuple):
        return several_losses(value, loss_of_module)
    if isinstance(value, Loss) or not callable(value):
        return value
    if isinstance(value, type):
        raise ConfigError(f"`{value.__name__}` is a class. Give a loss made from it: loss={value.__name__}().")
    kind = type(value).__name__
    if kind in WITHOUT:
        raise ConfigError(f"{kind} {WITHOUT[kind]}")
    same = SAME.get(kind) if type(value).__module__ == "torch.nn.modules.loss" else None
    torch = None if same is None or getattr(value, "reduction", None) not in MEANS else same(cast(OfTorch, value))
    return torch or Given(called=getattr(value, "__name__", kind), function=value)


def written_loss(text: str) -> Loss:
    """Return the loss of a module that a model file names."""
    name = text.partition("(")[0]
    loss_built = (OF_MODULES if name in OF_MODULES else LOSSES).build(text)
    if isinstance(loss_built, Several):
        return loss_built.of({output: written_loss(each) for output, each in loss_built.texts.items()}, {})
    return loss_built


def _cross_entropy(module_loss: OfTorch) -> Loss | None:
    if module_loss.ignore_index >= 0:
        return _with_ignored(module_loss)
    weights = "" if module_loss.weight is None else ", ".join(repr(each) for each in module_loss.weight.tolist())
    return CrossEntropy(label_smoothing=float(module_loss.label_smoothing), class_weights=weights)


def _logits(module_loss: OfTorch) -> Loss | None:
    return Logistic() if module_loss.weight is None and module_loss.pos_weight is None else None


def _log_likelihood(module_loss: OfTorch) -> Loss | None:
    weights = "" if module_loss.weight is None else ", ".join(repr(each) for each in module_loss.weight.tolist())
    return _with_ignored(module_loss) if module_loss.ignore_index >= 0 else LogLikelihood(class_weights=weights)


def _with_ignored(module_loss: OfTorch) -> Loss:
    """Return the loss of PyTorch itself, which knows what to ignore, as one of classes."""
    return OfPlaces(called=type(module_loss).__name__, function=cast(Callable[..., object], module_loss))


WITHOUT = {
    "CTCLoss": "needs the lengths of inputs and responses, too. Give a function of both: "
    "loss=lambda output, y: criterion(output, *y), with y a tuple (targets, input_lengths, target_lengths).",
    **dict.fromkeys(
        ("TripletMarginLoss", "TripletMarginWithDistanceLoss"),
        "compares three outputs and has no response. Give a function, loss=lambda output, y: criterion(*output), and "
        "any y, such as zeros.",
    ),
}
"""Losses of PyTorch that are not called with outputs and a response, and what to give."""
SAME: dict[str, Callable[[OfTorch], Loss | None]] = {
    "MSELoss": lambda given: Squared(),
    "L1Loss": lambda given: Absolute(),
    "HuberLoss": lambda given: Huber(delta=float(given.delta)),
    "BCEWithLogitsLoss": _logits,
    "BCELoss": lambda given: Bernoulli() if given.weight is None else None,
    "CrossEntropyLoss": _cross_entropy,
    "NLLLoss": _log_likelihood,
}
"""The losses of PyTorch that descend also has: what makes ours of one, or None where its settings are others."""
