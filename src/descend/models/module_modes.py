"""Training and evaluation mode of a module: whether they differ, and how to use one without side effects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from descend.models.together import called, returned, tensors_of

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


class Modes:
    """The two modes of a module, switched only if they differ.

    In training mode every submodule is as the module was given, so that parts switched to ``eval()`` by hand stay
    frozen; a module that was given in evaluation mode as a whole is trained all the same.

    differ: whether the module computes something else in training than in evaluation: dropout, batch normalisation.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.given = [(submodule, submodule.training) for submodule in module.modules()]
        self.training = [(submodule, flag or not module.training) for submodule, flag in self.given]
        self.differ = True

    def train(self) -> None:
        """Switch to training mode, if it makes a difference."""
        if self.differ:
            _switch(self.training)

    def evaluate(self) -> None:
        """Switch to evaluation mode, if it makes a difference."""
        if self.differ:
            self.module.eval()

    def restore(self) -> None:
        """Leave the module in the modes it was given in."""
        _switch(self.given)

    def find_out(self, rows: Tensor) -> object:
        """Compare both modes on a few rows, set ``differ``, and return what evaluation mode gives."""
        import torch

        self.module.eval()
        expected = called(self.module, rows)
        before = [buffer.clone() for buffer in self.module.buffers()]
        with undisturbed(self.module):
            _switch(self.training)
            output_of_module = called(self.module, rows)
            same = all(torch.equal(old, new) for old, new in zip(before, self.module.buffers(), strict=True))
        self.differ = not (same and _equal(expected, output_of_module))
        self.train()
        return expected


@contextlib.contextmanager
def evaluating(module: Module) -> Iterator[None]:
    """Put a module in evaluation mode for a while."""
    modes_before = [(submodule, submodule.training) for submodule in module.modules()]
    module.eval()
    try:
        yield
    finally:
        _switch(modes_before)


@contextlib.contextmanager
def undisturbed(module: Module) -> Iterator[None]:
    """Let a module run in training mode, then put its buffers and the random numbers back."""
    import torch

    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    devices = {tensor.device for tensor in module.parameters() if tensor.is_cuda}
    with torch.random.fork_rng(list(devices)):
        try:
            yield
        finally:
            for buffer, copy in buffers:
                buffer.copy_(copy)


def _equal(first_output: object, second_output: object) -> bool:
    import torch

    pairs = [tensors_of(returned(each)) for each in (first_output, second_output)]
    alike = len(pairs[0]) == len(pairs[1]) and all(isinstance(part, torch.Tensor) for each in pairs for part in each)
    return alike and all(torch.equal(a, b) for a, b in zip(*pairs, strict=True))


@contextlib.contextmanager
def seeded(module: Module, seed: int) -> Iterator[None]:
    """Let the random numbers of a run, such as those of dropout, begin from a seed; then put those of before back."""
    import torch

    devices = {tensor.device for tensor in module.parameters() if tensor.is_cuda}
    with torch.random.fork_rng(list(devices)):
        if all(tensor.device.type == "cpu" for tensor in module.parameters()):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed takes longer than some fits
        else:
            torch.manual_seed(seed)
        yield


def _switch(flags: list[tuple[Module, bool]]) -> None:
    for submodule, flag in flags:
        submodule.training = flag
