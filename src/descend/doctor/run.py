"""The record of a run under watch: its parameters, optimizers and losses, which every check reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from descend.doctor.rows import Rows
from descend.doctor.source import Source
from descend.doctor.user_code import Place, UserCode, parameter_names

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(eq=False)
class Leaf:
    """A tensor that gradients are gathered in.

    passes: backward passes that reached it. largest: the largest norm its gradient had. steps: how many an optimizer
    took with it; moved: whether the script changed it by hand, and upwards: how often it did so along the gradient.
    """

    tensor: Tensor
    name: str
    trainable: bool
    passes: int = 0
    largest: float = 0.0
    steps: int = 0
    moved: bool = False
    upwards: int = 0
    optimizers: list[WatchedOptimizer] = field(default_factory=list)


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
    def tensor_ids(self) -> frozenset[int]:
        """The tensors it holds, by `id`."""
        return frozenset(id(leaf.tensor) for leaf in self.leaves)

    @property
    def kind(self) -> str:
        """Its class, such as Adam."""
        return type(self.optimizer).__name__

    @property
    def title(self) -> str:
        """What to call it in code."""
        return self.name or "optimizer"


@dataclass(eq=False)
class Backward:
    """One backward pass.

    roots: what it starts from. value: the loss, where it is one number; name: what the user calls it. before: the
    gradients that were there, and their versions. received: the leaves it reached; norms: of their gradients, by `id`.
    """

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


class Run:
    """Everything that was seen of a run.

    optimizers: in the order in which they were made. models: those the script called, by `id`, with their names.
    backward_places, losses: the line of each backward pass, and the losses of each such line. layers: those that are
    running now, the outermost first; model_called_at: the line that called that one. closely_watched: whether calls
    are reported now. by_hand_rate: the learning rate of steps without an optimizer. rows: which each tensor holds.
    error: what ended the script.
    """

    def __init__(self, user_code: UserCode) -> None:
        self.user_code = user_code
        self.leaves: dict[int, Leaf] = {}
        self.optimizers: list[WatchedOptimizer] = []
        self.models: dict[int, tuple[torch.nn.Module, str | None]] = {}
        self.layers: list[torch.nn.Module] = []
        self.model_called_at: Place | None = None
        self.backward_places: list[Place | None] = []
        self.losses: dict[Place | None, list[float]] = {}
        self.cuts: dict[tuple[Place | None, str], Cut] = {}
        self.rows = Rows()
        self.steps = 0
        self.by_hand_rate: float | None = None
        self.closely_watched = False
        self.checks_left_out: list[str] = []
        self.error: BaseException | None = None
        self._by_id: dict[int, WatchedOptimizer] = {}

    @property
    def source(self) -> Source:
        """The text of the script."""
        return Source.of(self.user_code.script)

    @property
    def stepping(self) -> list[WatchedOptimizer]:
        """The optimizers that have taken a step."""
        return [optimizer for optimizer in self.optimizers if optimizer.steps]

    def here(self) -> Place | None:
        """Return the line of the user's code that is being run."""
        return self.user_code.here()

    def leaves_of(self, tensors: Iterable[Tensor]) -> list[Leaf]:
        """Return the entries of tensors, made where they are new."""
        import torch

        wanted = list(tensors)
        new = [tensor for tensor in wanted if id(tensor) not in self.leaves]
        names = parameter_names(self.user_code.variables()) if new else {}
        for tensor in new:
            shape = "x".join(map(str, tensor.shape)) or "number"
            name = names.get(id(tensor), f"a tensor ({shape})")
            self.leaves.setdefault(id(tensor), Leaf(tensor, name, isinstance(tensor, torch.nn.Parameter)))
        return [self.leaves[id(tensor)] for tensor in wanted]

    def optimizer(self, optimizer: torch.optim.Optimizer) -> WatchedOptimizer:
        """Return the entry of an optimizer, made if it is new, with the parameters it holds now."""
        entry = self._by_id.get(id(optimizer))
        if entry is None:
            inner = getattr(optimizer, "optimizer", None)
            if inner is not None and getattr(inner, "param_groups", None) is optimizer.param_groups:
                return self.optimizer(inner)  # it is a wrapper, such as accelerate makes
            entry = self._by_id[id(optimizer)] = WatchedOptimizer(optimizer, None, self.here())
            self.optimizers.append(entry)
        if entry.name is None:
            entry.name = self.user_code.name_of(optimizer)
        held = [tensor for group in optimizer.param_groups for tensor in group["params"]]
        if len(held) != len(entry.leaves):
            entry.leaves = self.leaves_of(held)
            for leaf in entry.leaves:
                if entry not in leaf.optimizers:
                    leaf.optimizers.append(entry)
        return entry

    def cut_of(self, leaves: Iterable[Leaf]) -> Cut | None:
        """Return where the results of these parameters were cut from the graph, if they all were at one place."""
        wanted = {id(leaf.tensor) for leaf in leaves}
        cuts = [cut for cut in self.cuts.values() if wanted <= cut.leaves]
        if len(self.stepping) > 1 and len({cut.place for cut in cuts}) > 1:
            return None  # rivals: which of the cuts is meant, and which is wrong, cannot be told
        return cuts[0] if cuts else None

    def trained_by_hand(self) -> list[Leaf]:
        """Return the leaves that no optimizer holds and that the script itself has moved."""
        return [leaf for leaf in self.leaves.values() if leaf.moved and not leaf.optimizers]
