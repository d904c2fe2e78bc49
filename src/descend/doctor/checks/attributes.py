"""Attributes that are set and do nothing, and methods that are named without being called."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import Finding, counted
from descend.doctor.run import Run
from descend.doctor.source import Source, code
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch.nn import Module

TRAINED = {
    **dict.fromkeys(("requires_grad", "require_grad", "requires_grads", "trainable"), True),
    **dict.fromkeys(("freeze", "frozen"), False),
}
"""Attributes with which people mean to freeze layers, or to thaw them, and whether a true one means to train."""
METHODS = {"train", "eval", "zero_grad", "requires_grad_", "half", "float", "double"}
"""Methods that are overwritten where a value is assigned to them."""
UNCALLED = {
    "zero_grad": "the gradients are not set to zero",
    "backward": "no gradient is computed",
    "step": "no step is taken",
    "train": "the mode is not switched",
    "eval": "the mode is not switched",
    "requires_grad_": "nothing is frozen or thawed",
    "zero_": "the numbers stay as they are",
    "detach_": "nothing is detached",
}
"""Methods that do all their work by being called, and what is left undone where they are not."""


@dataclass(eq=False)
class Setting:
    """An attribute that was set on a module. value: what it was set to, as true or false."""

    module: Module
    name: str
    value: bool
    place: Place


class Attributes(Check):
    """Follows what a script sets on modules and parameters, and reads it for methods without brackets."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.settings: dict[tuple[int, str], Setting] = {}
        self.overwritten: dict[Place, str] = {}

    def replaces(self) -> Iterator[Replacement]:
        import torch

        yield torch.nn.Module, "__setattr__", self._set

    def _set(self, theirs: Callable[..., object], module: Module, name: str, value: object) -> None:
        theirs(module, name, value)
        if name in TRAINED and isinstance(value, bool) and not hasattr(type(module), name):
            place = self.run.here()
            if place is not None:
                self.settings[id(module), name] = Setting(module, name, value, place)
        elif name in METHODS and not callable(value):
            place = self.run.here()
            if place is not None:
                self.overwritten[place] = name

    def findings(self) -> Iterator[Finding]:
        if not self.run.steps and not self.run.backward_places:
            return
        source = self.run.source
        findings = [*self._without_effect(source)]
        findings += (_overcode(name, place) for place, name in self.overwritten.items())
        findings += self._of_parameters(source)
        findings += (_uncalled(node, source.place(node.lineno)) for node in _named_only(source))
        yield from {finding.place: finding for finding in reversed(findings)}.values().__reversed__()

    def _without_effect(self, source: Source) -> Iterator[Finding]:
        """Yield attributes that modules have, which nothing reads, where their parameters are not as these say."""
        loads = (node for node in source.nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load))
        read = {node.attr for node in loads} | {node.value for node in source.nodes if isinstance(node, ast.Constant)}
        for setting in self.settings.values():
            if setting.name == "requires_grad" or (setting.name not in read and _in_sight(setting.module)):
                count = self._against(setting)
                if count:
                    yield _without_effect(setting, count)

    def _against(self, setting: Setting) -> int:
        """Return how many parameters of a module are not as the attribute is to make them."""
        parameters = list(setting.module.parameters())
        if TRAINED[setting.name] == setting.value:
            return sum(not parameter.requires_grad for parameter in parameters)
        leaves = (self.run.leaves.get(id(parameter)) for parameter in parameters)
        return sum(leaf is not None and leaf.steps > 0 and leaf.tensor.requires_grad for leaf in leaves)

    def _of_parameters(self, source: Source) -> Iterator[Finding]:
        """Yield attributes that parameters have, and PyTorch does not know of."""
        names = {*TRAINED, "requires_grad_"} - {"requires_grad"}
        parameters = (each for model, _ in self.run.models.values() for each in model.parameters())
        set_on = {name for parameter in parameters for name in names & set(vars(parameter))}
        for node in source.nodes:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Assign) and isinstance(target, ast.Attribute) and target.attr in set_on:
                yield _unknown(target, node.value, source.place(node.lineno))


def _in_sight(module: Module) -> bool:
    """Whether nothing but the script, or PyTorch, can read the attributes of a module."""
    return type(module).__module__ == "__main__" or type(module).__module__.startswith("torch.nn.")


def _named_only(source: Source) -> Iterator[ast.Attribute]:
    """Yield statements that name a method and do no more."""
    for node in source.nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr in UNCALLED:
            yield node.value


def _without_effect(setting: Setting, count: int) -> Finding:
    train = TRAINED[setting.name] == setting.value
    stay = "stay frozen" if train else "are trained all the same"
    owner = _owner(setting.place) or "module"
    return Finding(
        "attribute_without_effect",
        f"`{setting.name} = {setting.value}` is set on a module, which does nothing: {counted(count, 'tensor')} of its "
        f"parameters {stay}.",
        f"A module has no `{setting.name}` that PyTorch looks at; each parameter has its own `requires_grad`, and "
        "`requires_grad_` sets that of all in a module.",
        f"{owner}.requires_grad_({train})",
        setting.place,
        {"attribute": setting.name, "value": setting.value, "parameters": count, "frozen": train},
    )


def _owner(place: Place) -> str | None:
    """Return what the attribute is set on, as it is written at a line."""
    for node in Source.of(place.file).nodes:
        if isinstance(node, ast.Assign) and node.lineno == place.line and isinstance(node.targets[0], ast.Attribute):
            return code(node.targets[0].value)
    return None


def _unknown(target: ast.Attribute, value: ast.expr, place: Place) -> Finding:
    owner, name = code(target.value), target.attr
    given = code(value) if name == "requires_grad_" else {True: "True", False: "False"}[TRAINED.get(name, True)]
    return Finding(
        "attribute_without_effect",
        f"`{name} = {code(value)}` is set on a parameter, which freezes or thaws nothing: PyTorch looks at "
        "`requires_grad` alone.",
        "Python lets any attribute be set on a tensor, also one that nobody reads, and a method be overwritten.",
        f"{owner}.requires_grad = {given}",
        place,
        {"attribute": name},
    )


def _overcode(name: str, place: Place) -> Finding:
    owner = _owner(place) or "model"
    call = f"{owner}.{name}()" if name != "requires_grad_" else f"{owner}.requires_grad_(False)   # or True"
    return Finding(
        "attribute_without_effect",
        f"`{owner}.{name} = ...` overwrites the method `{name}` of the module with a value, and does not call it.",
        "The mode, or whatever else the method is to change, stays as it was.",
        call,
        place,
        {"attribute": name},
    )


def _uncalled(node: ast.Attribute, place: Place) -> Finding:
    text = code(node)
    return Finding(
        "call_without_brackets",
        f"`{text}` names the method and does not call it: {UNCALLED[node.attr]}.",
        "Without brackets a method is only looked up.",
        f"{text}()",
        place,
        {"method": node.attr},
    )
