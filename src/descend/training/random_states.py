"""The states of the random numbers that a run may draw: those of PyTorch, of a loader, and of the user's transforms."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.training.engine import ModuleEngine

if TYPE_CHECKING:
    from torch import Generator, Tensor


def random_states(engine: ModuleEngine, data: object, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the states as JSON can hold them; those that are tensors go into ``tensors``."""
    import torch

    tensors["random.torch"] = torch.random.get_rng_state()
    devices = torch.cuda.device_count() if torch.cuda.is_initialized() else 0  # type: ignore[no-untyped-call]
    for device in range(devices):
        tensors[f"random.cuda.{device}"] = torch.cuda.get_rng_state(device)
    for place, generator in enumerate(_generators(data)):
        tensors[f"random.loader.{place}"] = generator.get_state()
    if not getattr(engine, "streamed", False):
        return {}
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, inner, gauss_next = random.getstate()
    return {
        "numpy": [name, [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "python": [version, list(inner), gauss_next],
    }


def with_random_states(data: object, said: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Let the random numbers go on from the states in a checkpoint."""
    import torch

    torch.random.set_rng_state(tensors["random.torch"])
    devices = torch.cuda.device_count() if torch.cuda.is_initialized() else 0  # type: ignore[no-untyped-call]
    for device in range(devices):
        if (state := tensors.get(f"random.cuda.{device}")) is not None:
            torch.cuda.set_rng_state(state, device)
    for place, generator in enumerate(_generators(data)):
        if (state := tensors.get(f"random.loader.{place}")) is not None:
            generator.set_state(state)
    if "numpy" in said:
        name, keys, *others = said["numpy"]
        np.random.set_state((name, np.array(keys, dtype=np.uint32), *others))
    if "python" in said:
        version, inner, gauss_next = said["python"]
        random.setstate((version, tuple(inner), gauss_next))


def _generators(loader: object) -> Iterator[Generator]:
    """Yield the generators of the user's loader, each once."""
    import torch

    sampler = getattr(loader, "batch_sampler", None)
    seen: list[object] = []
    for owner in (loader, sampler, getattr(loader, "sampler", None), getattr(sampler, "sampler", None)):
        generator = getattr(owner, "generator", None)
        if isinstance(generator, torch.Generator) and not any(generator is each for each in seen):
            seen.append(generator)
            yield generator
