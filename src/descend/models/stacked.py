"""Columns stacked into the one array of several predictors that a function may take, as SciPy passes them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.models.call import name_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stacked:
    """A function of one array of all predictors, as a function of single columns: ``f(x, a)`` as ``f(x0, x1, a)``.

    argument: the first one of the function, which becomes the columns. axis: 0 if the array is (k, n), as SciPy has
    it, 1 if it is (n, k).

    >>> plane = Stacked(lambda x, a, b: a*x[0] + b*x[1], "x", ("x0", "x1"), axis=0)
    >>> plane(x0=np.array([1.0, 2.0]), x1=np.array([3.0, 4.0]), a=1.0, b=10.0)
    array([31., 42.])
    """

    function: Callable[..., object]
    argument: str
    columns: tuple[str, ...]
    axis: int

    @property
    def __name__(self) -> str:
        return name_of(self.function)

    @property
    def __signature__(self) -> inspect.Signature:
        first, *others = inspect.signature(self.function).parameters.values()
        columns = [first.replace(name=name, kind=first.POSITIONAL_OR_KEYWORD) for name in self.columns]
        return inspect.Signature([*columns, *others])

    def entry(self) -> dict[str, object]:
        """Return what a model file stores of it beside the function."""
        return {"argument": self.argument, "columns": list(self.columns), "axis": self.axis}

    @classmethod
    def restored(cls, function: Callable[..., object], entry: Mapping[str, Any]) -> Stacked:
        """Rebuild it from the entry of a model file, and the function that the user gave beside it."""
        return cls(function, str(entry["argument"]), tuple(entry["columns"]), int(entry["axis"]))

    def __call__(self, **given: Array) -> object:
        columns = [given.pop(name) for name in self.columns]
        return self.function(self._stack(columns), **given)

    def _stack(self, columns: Sequence[Array]) -> object:
        for library, kind, stacking in (("torch", "Tensor", "torch"), ("jax", "Array", "jax.numpy")):
            if isinstance(columns[0], getattr(sys.modules.get(library), kind, ())):
                return sys.modules[stacking].stack(columns, self.axis)
        return np.stack(columns, self.axis)
