"""On what a module is trained: the device it is moved to, and how many threads of a processor it takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from descend.errors import ConfigError
from descend.models.module import ModuleModel

if TYPE_CHECKING:
    from torch.nn import Module

ONE_THREAD = 1e7
"""Up to about so many operations a step, handing parts of it to other threads takes longer than the step itself.

Measured with linear layers: at 1e5 to 8e6 operations two threads took 1.07 to 1.32 times as long as one."""


def moved(module: Module, device: str | None) -> str | None:
    """Move a module to a device, and return a note if that is another than it was on.

    device: such as ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"cpu"``; or ``"auto"``: an accelerator, if there is one.

    Raises ConfigError for a device that is not there.
    """
    import torch

    if device is None:
        return None
    there = [name for name, known in (("cuda", torch.cuda), ("mps", torch.backends.mps)) if known.is_available()]
    wanted = (there or ["cpu"])[0] if device == "auto" else device
    try:
        place = torch.device(wanted)
        kind = place.type
        if kind in ("cuda", "mps") and (kind not in there or (place.index or 0) >= max(1, torch.cuda.device_count())):
            raise RuntimeError
        torch.empty(0, device=place)
    except (RuntimeError, NotImplementedError, AssertionError):
        raise ConfigError(
            f"There is no device `{device}` that PyTorch can use here. There is: {', '.join([*there, 'cpu'])}. Leave "
            'out `device`, or give "auto".'
        ) from None
    before = {tensor.device.type for tensor in module.parameters()}
    module.to(place)
    return None if before <= {kind} else f"`{type(module).__name__}` was moved to {place}, and is left there"


def one_thread(model: ModuleModel, rows: int) -> bool:
    """Whether a step over so many rows is so short that one thread of a processor is faster than several."""
    import torch

    trained = model.parameters.trained
    if torch.get_num_threads() == 1 or trained[0].device.type != "cpu":
        return False
    return 6.0 * model.parameters.size * rows <= ONE_THREAD


@contextlib.contextmanager
def in_one_thread(wanted: bool) -> Iterator[None]:
    """Let PyTorch compute in one thread for a while, if that is wanted."""
    import torch

    before = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if wanted:
            torch.set_num_threads(before)
