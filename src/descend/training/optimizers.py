"""Steps of a PyTorch module by ``torch.optim``: our optimizers by the same names, or any torch optimizer."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from descend.errors import ConfigError
from descend.optimizers import OPTIMIZERS
from descend.optimizers.contract import Optimizer
from descend.optimizers.rate_rules import HALVINGS, OR_LESS
from descend.optimizers.recurrence import Recurrence

if TYPE_CHECKING:
    from torch.optim import Optimizer as OptimizerOfTorch

TRANSLATIONS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "gd": ("SGD", lambda ours: {}),
    "momentum": ("SGD", lambda ours: {"momentum": ours.momentum}),
    # Without momentum there is nothing to look ahead along, and torch raises an error.
    "nesterov": ("SGD", lambda ours: {"momentum": ours.momentum, "nesterov": ours.momentum > 0}),
    "adagrad": ("Adagrad", lambda ours: {"eps": ours.epsilon}),
    "rmsprop": ("RMSprop", lambda ours: {"alpha": ours.decay, "eps": ours.epsilon}),
    "adam": ("Adam", lambda ours: {"betas": (ours.beta1, ours.beta2), "eps": ours.epsilon}),
    "adamw": ("AdamW", lambda ours: {
        "betas": (ours.beta1, ours.beta2), "eps": ours.epsilon, "weight_decay": ours.weight_decay,
    }),
    # One iteration per epoch, which ends only where nothing is left to gain; its line search may take 25 evaluations.
    "lbfgs": ("LBFGS", lambda ours: {
        "history_size": ours.history, "max_iter": 1, "max_eval": 26, "tolerance_grad": 0, "tolerance_change": 0,
        "line_search_fn": "strong_wolfe" if ours.line_search == "wolfe" else None,
    }),
}  # fmt: skip
"""Name of ours -> the class of ``torch.optim`` that takes the same steps, and its settings."""


REACH = 0.1
"""Typical size of a network's weight, which stands in for the length of a Gauss-Newton step."""


class ModuleOptimizer(Optimizer):
    """An `Optimizer` of modules, whose state a checkpoint holds as tensors.

    torch_optimizer: that of PyTorch which takes its steps, one pass over some rows for each; None if there is none.
    rate: the learning rate of the next step; settled: the one that was chosen already, if one was.
    """

    torch_optimizer: OptimizerOfTorch | None = None
    rate: float = 1.0
    settled: float | None = None

    @property
    @abstractmethod
    def alike(self) -> Optimizer:
        """The optimizer of ours that takes the same steps, or steps like them."""

    @property
    def decays(self) -> bool:
        """Whether it also pulls the weights to zero, so that it does not lead to the lowest J."""
        return False

    @abstractmethod
    def remembered(self, state: object) -> object:
        """Return what it remembers, as data and tensors."""

    @abstractmethod
    def recalled(self, content: object) -> object:
        """Return the state of what it remembered in an earlier run."""

    @abstractmethod
    def set_rate(self, rate: float) -> None:
        """Let the next steps have a learning rate, where they need one."""

    @abstractmethod
    def stands(self, state: object, promised: float) -> None:
        """Take where an earlier run stood. promised: by its last step, as a share of J."""


class TorchOptimizer(ModuleOptimizer):
    """An `Optimizer` whose steps are those of a ``torch.optim.Optimizer``.

    It is given an evaluation with a ``closure`` that leaves the gradient of a training pass in ``.grad`` and returns
    the loss, at no cost if the last pass did so already. Its state is the torch optimizer itself, so unlike ours it
    changes in place.

    torch_optimizer: holds the trainable parameters. ours: the optimizer it translates, or None. scheduled: whether a
    scheduler of torch changes its rate.
    """

    torch_optimizer: OptimizerOfTorch

    def __init__(self, torch_optimizer: Any, name: str, ours: Optimizer | None = None) -> None:
        self.torch_optimizer = torch_optimizer
        self.name = name  # type: ignore[misc]  # each is an optimizer of its own
        self.reach = REACH
        self.ours = ours
        self.stochastic = type(torch_optimizer).__name__ != "LBFGS"  # type: ignore[misc]
        self.uses_rate = ours is None or ours.uses_rate
        self.rates = [float(group.get("lr", 1.0)) for group in torch_optimizer.param_groups]
        self.rate = self.rates[0]
        self.scheduled = False

    @property
    def rate_rule(self) -> str:  # type: ignore[override]
        """How `suggested_rate` chooses, in words."""
        if self.ours is None:
            return f"the default of {self.name}"
        return self.ours.rate_rule if self.ours.share is None else f"what is usual for {self.name}{OR_LESS}"

    @property
    def alike(self) -> Optimizer:
        if self.ours is not None:
            return self.ours
        if type(self.torch_optimizer).__name__ != "SGD":
            return OPTIMIZERS.build("adam")
        group = self.torch_optimizer.param_groups[0]
        momentum, named = float(group["momentum"]), "nesterov" if group["nesterov"] else "momentum"
        return OPTIMIZERS.build("gd" if momentum == 0.0 else f"{named}(momentum={momentum})")

    @property
    def decays(self) -> bool:
        return any(float(group.get("weight_decay", 0.0) or 0.0) > 0.0 for group in self.torch_optimizer.param_groups)

    def init(self, theta: object) -> Any:
        return self.torch_optimizer

    def remembered(self, state: object) -> object:
        return self.torch_optimizer.state_dict()

    def recalled(self, content: object) -> object:
        self.torch_optimizer.load_state_dict(cast(dict[str, object], content))
        state: object = self.torch_optimizer
        return state

    def stands(self, state: object, promised: float) -> None:
        """Do nothing: J where an earlier run stood is evaluated as usual."""

    def set_rate(self, rate: float) -> None:
        if rate != self.rate and not self.scheduled:
            # Groups of parameters may have rates of their own; a schedule keeps their proportions.
            for group, first in zip(self.torch_optimizer.param_groups, self.rates, strict=True):
                group["lr"] = rate * (first / self.rates[0])
            self.rate = rate

    def step(self, evaluation: Any, state: Any) -> tuple[Any, Any]:
        self.set_rate(evaluation.rate)
        state.step(evaluation.closure)
        if not self.uses_rate and evaluation.theta.unchanged:
            # torch learns nothing from changes below 1e-10, and an old memory may point nowhere: begin anew.
            state.state.clear()
            state.step(evaluation.closure)
            if evaluation.theta.unchanged:
                return evaluation.theta, state
        return evaluation.theta.moved(), state

    @property
    def recurrence(self) -> Recurrence | None:
        """What it does on a parabola, if it is one of ours."""
        return None if self.ours is None else self.ours.recurrence

    def largest_stable_rate(self, curvature_max: float) -> float | None:
        return None if self.ours is None else self.ours.largest_stable_rate(curvature_max)

    def suggested_rate(self, evaluation: Any) -> float:
        """Return a learning rate for a run that begins at ``evaluation``.

        For gd and similar methods it follows from the largest curvature, as for other models; without one, the first
        step is as long as the weights. Methods whose step is about eta take a share of ``reach``, as there is no
        curvature matrix. Both are halved until the first step does not raise J. Other classes have their own default.
        """
        if self.settled is not None:
            return self.settled
        if self.ours is None or not self.stochastic:
            return 1.0 if self.ours else self.rates[0]
        share, recurrence = self.ours.share, self.recurrence
        if share is not None:
            rate = self.reach / share
        else:
            curvature = evaluation.largest_curvature()
            rate = evaluation.theta.length / evaluation.norm if curvature is None else 1.0 / curvature
            rate *= 1.0 if recurrence is None else 1.0 - recurrence.momentum
        trials = (rate / 2**halvings for halvings in range(HALVINGS))
        return next((trial for trial in trials if evaluation.descends(trial, signs=share is not None)), rate)


def torch_optimizer(wanted: Any, parameters: list[Any], rate: float | None = None) -> TorchOptimizer:
    """Make the optimizer of a module.

    wanted: our name or optimizer; a class such as ``torch.optim.NAdam``, or functools.partial of one; a function of the
        parameters that returns a torch optimizer; or a torch optimizer made from them.
    parameters: those to train. rate: the learning rate; None leaves it to the class, or to `suggested_rate`.

    Raises ConfigError if ``wanted`` is none of these, or brings a learning rate of its own while one is given.
    """
    import torch

    base: Any = torch.optim.Optimizer
    if isinstance(wanted, str):
        wanted = OPTIMIZERS.build(wanted)
    given = {} if rate is None else {"lr": rate}
    if isinstance(wanted, Optimizer):
        if wanted.name not in TRANSLATIONS:
            raise ConfigError(
                f"The optimizer `{wanted.name}` is not for modules: torch.optim has none like it. "
                f"Use one of: {', '.join(TRANSLATIONS)}, levenberg_marquardt."
            )
        name, settings = TRANSLATIONS[wanted.name]
        return TorchOptimizer(getattr(torch.optim, name)(parameters, **given, **settings(wanted)), wanted.name, wanted)
    kind = wanted.func if isinstance(wanted, functools.partial) and "lr" not in wanted.keywords else wanted
    if isinstance(kind, type) and issubclass(kind, base):
        try:
            return TorchOptimizer(wanted(parameters, **given), kind.__name__)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise ConfigError(
                f"PyTorch makes no {kind.__name__} of these parameters: {str(error).rstrip('.')}. "
                "Make it yourself: optimizer=lambda parameters: ..."
            ) from None
    if not isinstance(wanted, base) and callable(wanted):
        wanted = wanted(parameters)
    if not isinstance(wanted, base):
        raise ConfigError(
            f"A module is stepped by one of {', '.join(TRANSLATIONS)}, levenberg_marquardt, by a class such as "
            "torch.optim.NAdam, or by the torch optimizer that a function makes of its parameters; "
            f"this is a {type(wanted).__name__}."
        )
    name = type(wanted).__name__
    if rate is not None:
        raise ConfigError(
            f"The {name} given has a learning rate already. "
            f"Leave out the learning rate, or set it where the {name} is made."
        )
    mine = {id(parameter) for parameter in parameters}
    if not any(id(parameter) in mine for group in wanted.param_groups for parameter in group["params"]):
        raise ConfigError(f"The {name} given holds no parameter of this module. Make it from module.parameters().")
    return TorchOptimizer(wanted, name)
