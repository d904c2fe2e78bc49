"""A user's Python function, called by the names of its arguments: columns and parameters."""

from __future__ import annotations

import functools
import inspect
import numbers
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from descend.errors import ConfigError, DescendError
from descend.parameters import Constraints
from descend.table.headers import plain_names
from descend.tracing.wrapped import of_numbers, unwrapped

ARRAYS = {"numpy": ("NumPy arrays", "np"), "torch": ("PyTorch tensors", "torch")}
"""What a column is called, and the name of its library, by the module of its type."""
OF_SHAPES = ("broadcast", "shapes", "same shape", "core dimension")
"""What is said, by NumPy or JAX, of arrays that do not fit each other: the function holds one of another length."""

VECTOR_WANTED = re.compile(
    r"'(float|complex)' object is not (subscriptable|iterable)|'(float|complex)' has no len|"
    r"cannot unpack non-iterable (float|complex)|matmul: Input operand \d does not have enough dimensions"
)
"""What Python and NumPy say where a single number stands for a vector."""


@dataclass(frozen=True)
class Call:
    """A Python function whose arguments are columns and parameters, told apart by their names."""

    function: Callable[..., Any]
    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any]
    constraints: Constraints | None = None
    """Which parameters are fixed, tied or bounded; the function is called with all values, given the free ones."""

    in_order: tuple[str, ...] = ()
    """The arguments that are passed by place rather than by name, in order."""

    plain: Mapping[str, str] = field(default_factory=dict)
    """What the arguments of columns are called that lack the unit in the name of their column."""

    @property
    def name(self) -> str:
        return name_of(self.function)

    @property
    def data(self) -> tuple[str, ...]:
        """What the arguments are called that are columns."""
        return tuple(self.plain.get(name, name) for name in self.columns)

    def with_arguments(self, function: Callable[..., object], argument: Mapping[str, object]) -> Any:
        """Call a function as this one is called."""
        if not self.in_order:
            return function(**argument)
        named = {name: value for name, value in argument.items() if name not in self.in_order}
        return function(
            *[argument[name] if name in argument else self._default(name) for name in self.in_order], **named
        )

    def _default(self, name: str) -> Any:
        return arguments_of(self.function)[name].default

    def __call__(self, columns: Mapping[str, object], values: Mapping[str, object]) -> Any:
        arguments = {argument: columns[name] for argument, name in zip(self.data, self.columns, strict=True)}
        if self.constraints is not None:
            values = {**self.constraints.complete(values), **self._counts(self.constraints.fixed)}
        try:
            return self.with_arguments(self.function, {**arguments, **{name: values[name] for name in self.parameters}})
        except DescendError:
            raise
        except Exception as error:
            raise ConfigError(self._raised(error, next(iter(arguments.values()), None), values)) from error

    def _counts(self, fixed: Mapping[str, Any]) -> Mapping[str, int]:
        """Return fixed values that count something, as the terms of a sum: whole, as are their defaults."""
        counts = [name for name, default in self.defaults.items() if name in fixed and isinstance(default, int)]
        return {name: int(fixed[name]) for name in counts if np.all(np.equal(np.mod(fixed[name], 1), 0))}

    def _raised(self, error: Exception, column: object, values: Mapping[str, Any]) -> str:
        """Say what the function raised, and what it was called with if it may not expect that."""
        raised = f"{type(error).__name__}: {error}".partition("\n----")[0].rstrip(": .\n")  # JAX adds to it
        single = [name for name in self.parameters if np.ndim(values.get(name, 0.0)) == 0]
        if single and VECTOR_WANTED.search(raised):
            return (
                f"`{self.name}` raised {raised}. An argument that is indexed or multiplied as a vector needs a start: "
                f'start={{"{single[0] if len(single) == 1 else "NAME"}": [1.0, 1.0]}}.'
            )
        if not isinstance(error, TypeError | ValueError) or column is None:
            return f"`{self.name}` raised {raised}."
        if any(word in raised for word in OF_SHAPES):
            return f"`{self.name}` raised {raised}. It must return one prediction for each row it is given."
        kind, library = ARRAYS.get(type(column).__module__.partition(".")[0], ("JAX arrays", "jnp"))
        return (
            f"`{self.name}` raised {raised}. It is called with {kind}, many rows at once: "
            f"use functions that take them, such as {library}.sin for math.sin."
        )


def name_of(function: object) -> str:
    """Return what messages call a function."""
    return getattr(function, "__name__", "the function")


def no_formula(name: str, reason: str) -> str:
    """Say why a function is differentiated by calling it. reason: in words that follow "it"."""
    return f"`{name}` is no formula: it {reason}, so its gradient is numeric"


def arguments_of(function: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a function by name. Raises ConfigError if they cannot be seen."""
    try:
        return inspect.signature(of_numbers(function) or unwrapped(function)).parameters
    except (TypeError, ValueError):
        raise ConfigError(
            f"The arguments of `{name_of(function)}` cannot be seen. Wrap it in a function with named arguments."
        ) from None


def bind(function: Callable[..., object], columns: Sequence[str], parameter_names: Collection[str] = ()) -> Call:
    """Tell the arguments of ``function`` apart: those named like a column are data, the others parameters.

    A column may be called without the unit in its name, ``t`` for ``t (s)``, unless that is known as a parameter.

    An argument is neither, and keeps its default, if that is no number (a text, a flag, None, a function, an array) or
    if `functools.partial` set it, unless ``parameter_names`` names it; nor is ``**options``. Of ``*others`` there are
    as many as ``parameter_names`` names beside the arguments, in that order.

    parameter_names: the names of parameters that are known, as those with a start are.

    Raises ConfigError if its arguments have no names.

    >>> bind(lambda x, a, kind="gauss", *more: x, ["x"], parameter_names=("a", "b1", "b2")).parameters
    ('a', 'b1', 'b2')
    """
    label, arguments = name_of(function), arguments_of(function)
    settled = function.keywords if isinstance(function, functools.partial) else ()
    full = {name: column for name, column in plain_names(columns).items() if name not in parameter_names}
    data, parameters, defaults, in_order = [], list[str](), {}, list[str]()
    for name, argument in arguments.items():
        if argument.kind is argument.VAR_KEYWORD:
            continue
        if argument.kind is argument.VAR_POSITIONAL:
            other_parameters = [
                parameter for parameter in parameter_names if parameter not in arguments and parameter not in columns
            ]
            if not other_parameters and not parameters:
                raise ConfigError(
                    f"`{label}` must name each of its arguments; `{argument}` does not. Write `def {label}(x, w)`, or "
                    'name its parameters where they start: start={"a": 1.0, "b": 1.0}.'
                )
            in_order = [*_before(arguments, name), *other_parameters] if other_parameters else in_order
            parameters += other_parameters
            continue
        if argument.kind is argument.POSITIONAL_ONLY or isinstance(function, np.ufunc):
            in_order.append(name)
        if name in columns or name in full:
            data.append(full.get(name, name))
        elif name in parameter_names or (name not in settled and _is_number(argument.default)):
            parameters.append(name)
            if argument.default is not argument.empty:
                defaults[name] = argument.default
    plain = {column: name for name, column in full.items() if column in data}
    return Call(function, tuple(data), tuple(parameters), defaults, in_order=tuple(in_order), plain=plain)


def _before(arguments: Mapping[str, inspect.Parameter], last: str) -> list[str]:
    """Return the arguments before one, all of which are passed in order if others follow."""
    names = list(arguments)
    return names[: names.index(last)]


def _is_number(default: object) -> bool:
    """Whether a default may be where a parameter starts; so may be none at all."""
    return default is inspect.Parameter.empty or (isinstance(default, numbers.Real) and not isinstance(default, bool))
