"""The books of a run under watch: parameters, optimizers, losses; every check reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from descend.doctor.places import Place, Scene, parameter_names
from descend.doctor.source import Source

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(eq=False)
class Leaf:
    """A tensor that gradients are gathered in.

    passes: backward passes that reached it. largest: the largest norm its gradient had. steps: how many an optimizer
    took with it; moved: whether the script changed it by hand;
    upwards: how often it did so along the gradient. held: the optimizers that hold it.
    """

    tensor: Tensor
    name: str
    trainable: bool
    passes: int = 0
    largest: float = 0.0
    steps: int = 0
    moved: bool = False
    upwards: int = 0
    held: list[WatchedOptimizer] = field(default_factory=list)


@dataclass(eq=False)
class WatchedOptimizer:
    """An optimizer the script has made. watched: how many of its steps were watched closely.

    largest_rate: its learning rate may begin at 0 and end there, as schedules have it.
    """

    optimizer: torch.optim.Optimizer
    name: str | None
    place: Place | None
    leaves: list[Leaf] = field(default_factory=list)
    steps: int = 0
    watched: int = 0
    stepped_at: Place | None = None
    zeroed_at: Place | None = None
    first_rate: float | None = None
    last_rate: float | None = None
    largest_rate: float = 0.0

    @property
    def keys(self) -> frozenset[int]:
        """The tensors it holds, by `id`."""
        return frozenset(id(leaf.tensor) for leaf in self.leaves)

    @property
    def kind(self) -> str:
        """Its class, such as Adam."""
        return type(self.optimizer).__name__

    @property
    def called(self) -> str:
        """What to call it in code."""
        return self.name or "optimizer"


@dataclass(eq=False)
class Backward:
    """One backward pass. value: the loss, where it is one number. reached: the leaves in its graph, where looked up."""

    number: int
    place: Place | None
    roots: list[Tensor]
    value: float | None
    name: str | None
    before: dict[int, tuple[Tensor, int]] = field(default_factory=dict)
    received: list[Leaf] = field(default_factory=list)
    norms: dict[int, float] = field(default_factory=dict)


@dataclass(eq=False)
class Cut:
    """A place where the graph ends. how: in a few words; fix: code; leaves: what was cut off, by `id`.

    steps: how many steps had been taken when it was last passed.
    """

    how: str
    fix: str
    place: Place | None
    leaves: frozenset[int] = frozenset()
    steps: int = 0


@dataclass(eq=False)
class Step:
    """One step of an optimizer. inside: whether it evaluates the loss itself, through a closure."""

    optimizer: WatchedOptimizer
    place: Place | None
    inside: bool


class Ledger:
    """Everything that was seen of a run."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.leaves: dict[int, Leaf] = {}
        self.optimizers: list[WatchedOptimizer] = []
        self.by_optimizer: dict[int, WatchedOptimizer] = {}
        self.backwards: list[Place | None] = []
        self.losses: dict[Place | None, list[float]] = {}
        self.layers: list[torch.nn.Module] = []
        self.roots: dict[int, tuple[torch.nn.Module, str | None]] = {}
        self.called_at: Place | None = None
        self.steps = 0
        self.closely = False  # whether calls are reported now
        self.by_hand_rate: float | None = None
        self.error: BaseException | None = None
        self.left_out: list[str] = []
        self.cuts: dict[tuple[Place | None, str], Cut] = {}

    def leaf(self, tensor: Tensor, names: dict[int, str] | None = None) -> Leaf:
        """Return the entry of a tensor, made if it is new."""
        found = self.leaves.get(id(tensor))
        if found is None:
            import torch

            names = parameter_names(self.scene.variables()) if names is None else names
            shape = "x".join(map(str, tensor.shape)) or "number"
            name = names.get(id(tensor), f"a tensor ({shape})")
            found = Leaf(tensor, name, isinstance(tensor, torch.nn.Parameter))
            self.leaves[id(tensor)] = found
        return found

    def optimizer(self, optimizer: torch.optim.Optimizer) -> WatchedOptimizer:
        """Return the entry of an optimizer, made if it is new, with the parameters it holds now."""
        found = self.by_optimizer.get(id(optimizer))
        inner = None if found is not None else getattr(optimizer, "optimizer", None)
        if inner is not None and getattr(inner, "param_groups", None) is optimizer.param_groups:
            return self.optimizer(inner)  # it is a wrapper, such as accelerate makes
        if found is None:
            found = WatchedOptimizer(optimizer, None, self.scene.here())
            self.by_optimizer[id(optimizer)] = found
            self.optimizers.append(found)
        if found.name is None:
            found.name = self.scene.name_of(optimizer)
        held = [tensor for group in optimizer.param_groups for tensor in group["params"]]
        if len(held) != len(found.leaves):
            found.leaves = self._entries(held)
            for leaf in found.leaves:
                if found not in leaf.held:
                    leaf.held.append(found)
        return found

    def _entries(self, tensors: Iterable[Tensor]) -> list[Leaf]:
        new = list(tensors)
        names = parameter_names(self.scene.variables()) if any(id(tensor) not in self.leaves for tensor in new) else {}
        return [self.leaf(tensor, names) for tensor in new]

    def enter(self, tensors: Iterable[Tensor]) -> list[Leaf]:
        """Return the entries of tensors, made where they are new."""
        return self._entries(tensors)

    def cut_of(self, leaves: Iterable[Leaf]) -> Cut | None:
        """Return where the results of these parameters were cut from the graph, if they all were at one place."""
        wanted = {id(leaf.tensor) for leaf in leaves}
        found = [cut for cut in self.cuts.values() if wanted <= cut.leaves]
        if len(self.stepping) > 1 and len({cut.place for cut in found}) > 1:
            return None  # rivals: which of the cuts is meant, and which is wrong, cannot be told
        return found[0] if found else None

    @property
    def source(self) -> Source:
        """The text of the script."""
        return Source.of(self.scene.script)

    @property
    def stepping(self) -> list[WatchedOptimizer]:
        """The optimizers that have taken a step."""
        return [one for one in self.optimizers if one.steps]

    def trained_by_hand(self) -> list[Leaf]:
        """Return the leaves that no optimizer holds and that the script itself has moved."""
        return [leaf for leaf in self.leaves.values() if leaf.moved and not leaf.held]
