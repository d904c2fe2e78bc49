"""Functions called in another way than by their own names: with columns stacked into one array, or by place."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.models.call import arguments_of, name_of
from descend.models.reading import Content

Array = NDArray[np.float64]
BY_PLACE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)


@dataclass(frozen=True)
class Stacked:
    """A function of one array of all predictors, as a function of single columns: ``f(x, a)`` as ``f(x0, x1, a)``.

    argument: the one of the function that becomes the columns. axis: 0 if the array is (k, n), as SciPy has it, 1 if
    it is (n, k).

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
        own_arguments = inspect.signature(self.function).parameters
        other_arguments = [argument for name, argument in own_arguments.items() if name != self.argument]
        return inspect.Signature([*map(_named, self.columns), *other_arguments])

    def entry(self) -> dict[str, object]:
        """Return what a model file stores of it beside the function."""
        return {"argument": self.argument, "columns": list(self.columns), "axis": self.axis}

    @classmethod
    def restored(cls, function: Callable[..., object], entry: Content) -> Stacked:
        """Rebuild it from the entry of a model file, and the function that the user gave beside it."""
        return cls(function, str(entry["argument"]), tuple(entry["columns"]), int(entry["axis"]))

    def __call__(self, **given: Array) -> object:
        columns = [given.pop(name) for name in self.columns]
        return self.function(**{self.argument: self._stack(columns)}, **given)

    def _stack(self, columns: Sequence[Array]) -> object:
        for library, kind, stacking in (("torch", "Tensor", "torch"), ("jax", "Array", "jax.numpy")):
            if isinstance(columns[0], getattr(sys.modules.get(library), kind, ())):
                return sys.modules[stacking].stack(columns, self.axis)
        return np.stack(columns, self.axis)


@dataclass(frozen=True)
class ByPlace:
    """A function whose arguments are given by their place, as SciPy does, under names that are not its own.

    >>> line = ByPlace(lambda t, *p: p[0]*t + p[1], ("x", "a", "b"))
    >>> line(x=2.0, a=3.0, b=1.0)
    7.0
    """

    function: Callable[..., object]
    names: tuple[str, ...]

    @property
    def __name__(self) -> str:
        return name_of(self.function)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.Signature([_named(name) for name in self.names])

    def __call__(self, **given: object) -> object:
        return self.function(*(given[name] for name in self.names))


def called_like(
    function: Callable[..., object], model: Callable[..., object], parameter_names: frozenset[str]
) -> Callable[..., object]:
    """Return a function that goes with a model's, such as its Jacobian, so that it takes what that takes, by name.

    Where it does not know the names, known, but has as many arguments as the model's function, or ``*p``, it is called
    by place.
    """
    stacked = model if isinstance(model, Stacked) else None
    names = tuple(arguments_of(model if stacked is None else stacked.function))
    arguments = arguments_of(function)
    strange = not arguments.keys() <= parameter_names | set(names)
    if any(argument.kind in BY_PLACE for argument in arguments.values()) or (strange and len(arguments) == len(names)):
        function = ByPlace(function, names)
    if stacked is not None and stacked.argument in arguments_of(function):
        return Stacked(function, stacked.argument, stacked.columns, stacked.axis)
    return function


def _named(name: str) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
