"""The weights of a module: a safetensors file beside the model file, which names it and its contents."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from descend.errors import ConfigError, DataError, OutputError
from descend.output import atomic_path

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

SUFFIX = ".safetensors"


@contextlib.contextmanager
def written_weights(module: Module, path: str | os.PathLike[str]) -> Iterator[dict[str, str]]:
    """Write ``module.state_dict()`` beside ``path``, and yield the entry of the model file that describes it.

    The weights replace older ones when the block ends, right after the model file that names them was replaced.
    """
    target = Path(path).with_suffix(SUFFIX)
    if target == Path(path):
        raise OutputError(
            f"`{target}` is where the weights go. Name the model file otherwise, such as `{target.stem}.json`."
        )
    save_file, _ = import_safetensors()
    # A tensor with two names is written twice, for safetensors cannot share memory between tensors.
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state_of(module).items()}
    with atomic_path(target) as temporary:
        save_file(tensors, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield {"file": target.name, "sha256": digest}


def load_weights(module: Module, entry: dict[str, str], path: Path) -> None:
    """Load the weights that the model file ``path`` names into a module made like the one that was saved.

    Raises DataError if they are missing, are not those that were saved, or do not fit the module.
    """
    target = path.parent / Path(entry["file"]).name
    _, load_file = import_safetensors()
    try:
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError(
            f"The weights `{target}`, which `{path.name}` names, cannot be read: {why}. "
            "Keep both files in one folder, under their names."
        ) from None
    if digest != entry["sha256"]:
        raise DataError(f"`{target}` does not hold the weights that `{path.name}` was saved with. Save the fit again.")
    tensors = load_file(target)
    refuse_misfits(module, tensors, target)
    module.load_state_dict(tensors, strict=False)


def refuse_misfits(module: Module, tensors: dict[str, Tensor], target: Path) -> None:
    """Refuse weights whose names or shapes are not those of the module."""
    from torch.nn.parameter import is_lazy

    module_state, advice = state_of(module), "Make the module as it was when it was fitted."
    for name in tensors:
        if name not in module_state:
            raise DataError(f"`{target}` holds `{name}`, which this `{type(module).__name__}` has not. {advice}")
    for name, tensor in module_state.items():
        if name not in tensors:
            raise DataError(f"`{target}` does not hold `{name}`, which this `{type(module).__name__}` has. {advice}")
        if not is_lazy(tensor) and tensor.shape != tensors[name].shape:
            saved, shape = tuple(tensors[name].shape), tuple(tensor.shape)
            raise DataError(
                f"`{name}` has shape {saved} in `{target}` but {shape} in this `{type(module).__name__}`. {advice}"
            )


def state_of(module: Module) -> dict[str, Tensor]:
    """Return the tensors of a module by name: parameters, and buffers that it keeps."""
    return {name: value for name, value in module.state_dict(keep_vars=True).items() if hasattr(value, "detach")}


def import_safetensors() -> tuple[Callable[..., None], Callable[..., dict[str, Tensor]]]:
    """Return the functions that write and read safetensors, or say how to install them."""
    try:
        from safetensors.torch import load_file, save_file
    except ImportError:
        raise ConfigError(
            "safetensors is not installed, and the weights of a module are kept in its format. "
            'Install it with: pip install "descend[torch]".'
        ) from None
    return save_file, load_file
