"""Optimizers that hold other parameters than those the loss depends on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding, listed
from descend.doctor.run import Leaf, WatchedOptimizer
from descend.doctor.user_code import unregistered

ENOUGH = 5
"""Passes after which a plain tensor, kept by a module, is no input of one call only."""


class Parameters(Check):
    """Compares the parameters that receive gradients with those that the optimizers step."""

    def findings(self) -> Iterator[Finding]:
        stepping = self.run.stepping
        plain = {id(one) for root, _ in self.run.models.values() for _, one in unregistered(root)}
        reached = (
            leaf
            for key, leaf in self.run.leaves.items()
            if leaf.passes and (leaf.trainable or (key in plain and leaf.passes >= ENOUGH))
        )
        homeless = [leaf for leaf in reached if not leaf.optimizers and not leaf.moved]
        stale = [one for one in stepping if one.leaves and not any(leaf.steps or leaf.passes for leaf in one.leaves)]
        if stale and homeless:
            yield _stale(stale[0], homeless)
        elif homeless and any(leaf.trainable for one in stepping for leaf in one.leaves):
            yield _left_out(stepping[-1], homeless, self._unregistered(homeless))

    def _unregistered(self, leaves: list[Leaf]) -> str | None:
        """Return the attribute, a plain list or dict of layers, that holds all these parameters."""
        wanted = {id(leaf.tensor) for leaf in leaves}
        for root, _ in self.run.models.values():
            found = {id(tensor): path for path, tensor in unregistered(root)}
            if wanted <= set(found):
                return next(iter({found[key].partition("[")[0].rpartition(".")[2] for key in wanted}))
        return None


def _stale(optimizer: WatchedOptimizer, reached: list[Leaf]) -> Finding:
    held, names = [leaf.name for leaf in optimizer.leaves], sorted(leaf.name for leaf in reached)
    older = " of an older model" if set(held) & set(names) else ""
    return Finding(
        "wrong_parameters",
        f"`{optimizer.title}` steps parameters that the loss does not depend on: it holds {listed(held)}{older}, "
        f"but the gradients go to {listed(names)}.",
        "The model in use never changes.",
        f"{optimizer.title} = torch.optim.{optimizer.kind}({_owner(names)}, ...)   # after the model is final",
        optimizer.place,
        {"held": held, "receive_gradients": names, "steps": optimizer.steps},
    )


def _left_out(optimizer: WatchedOptimizer, homeless: list[Leaf], attribute: str | None) -> Finding:
    names = sorted(leaf.name for leaf in homeless)
    be, get = ("is", "gets") if len(names) == 1 else ("are", "get")
    evidence = {"parameters": names, "passes": max(leaf.passes for leaf in homeless)}
    if attribute is not None:
        alone = not any(leaf.trainable for leaf in homeless)
        how = "a plain tensor, no nn.Parameter" if alone else "a plain list or dict"
        makes = "ModuleList([...])   # or ModuleDict"
        if alone:
            makes = "ParameterList([...])   # or ParameterDict" if "[" in names[0] else "Parameter(...)"
        return Finding(
            "wrong_parameters",
            f"{listed(names)} {get} gradients but {be} in no optimizer: `{attribute}` is {how}, "
            f"and `parameters()` does not {'name' if alone else 'look into'} it.",
            "They keep their starting values, whatever the gradients say.",
            f"self.{attribute} = torch.nn.{makes}",
            optimizer.place,
            evidence,
        )
    return Finding(
        "wrong_parameters",
        f"{listed(names)} {get} gradients but {be} in no optimizer.",
        "They keep their starting values, whatever the gradients say.",
        f"{optimizer.title}.add_param_group({{'params': {_free(names, [leaf.name for leaf in optimizer.leaves])}}})"
        "   # or requires_grad_(False), if they are to stay",
        optimizer.place,
        evidence,
        WARNING,
    )


def _free(names: list[str], held: list[str]) -> str:
    """Return an expression for parameters and no others: a parameter in two groups is refused by PyTorch."""
    owner = _owner(names)
    module = owner.removesuffix(".parameters()")
    if owner != "[...]" and not any(name.startswith(module + ".") for name in held):
        return owner
    parts = list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))
    written = [re.sub(r"\.(\d+)", r"[\1]", part) for part in parts]
    expressions = [
        f"{one}.parameters()" if part not in names else one for one, part in zip(written, parts, strict=True)
    ]
    if len(expressions) == 1 and parts[0] not in names:
        return expressions[0]
    return f"[{', '.join(f'*{one}' if one.endswith(')') else one for one in expressions)}]"


def _owner(names: list[str]) -> str:
    """Return an expression for parameters by their names: ``encoder.parameters()``."""
    owners = {name.removeprefix("self.").partition(".")[0] for name in names}
    if len(owners) > 1 or any("." not in name for name in names):
        return "[...]"
    owner = owners.pop()
    return f"{'self.' if names[0].startswith('self.') else ''}{owner}.parameters()"
