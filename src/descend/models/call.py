"""A user's Python function, called by the names of its arguments: columns and parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from descend.errors import ConfigError, DescendError
from descend.parameters import Constraints

ARRAYS = {"numpy": ("NumPy arrays", "np"), "torch": ("PyTorch tensors", "torch")}
"""What a column is called, and the name of its library, by the module of its type."""


@dataclass(frozen=True)
class Call:
    """A Python function whose arguments are columns and parameters, told apart by their names."""

    function: Callable[..., Any]
    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any]
    constraints: Constraints | None = None
    """Which parameters are fixed, tied or bounded; the function is called with all values, given the free ones."""

    @property
    def name(self) -> str:
        return name_of(self.function)

    def __call__(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        arguments = {name: columns[name] for name in self.columns}
        if self.constraints is not None:
            values = self.constraints.complete(values)
        try:
            return self.function(**arguments, **{name: values[name] for name in self.parameters})
        except DescendError:
            raise
        except Exception as error:
            raise ConfigError(self._raised(error, next(iter(arguments.values()), None))) from error

    def _raised(self, error: Exception, column: Any) -> str:
        """Say what the function raised, and what it was called with if it may not expect that."""
        said = f"{type(error).__name__}: {error}".partition("\n----")[0].rstrip(": .\n")  # JAX adds to it
        if not isinstance(error, TypeError | ValueError) or column is None:
            return f"`{self.name}` raised {said}."
        kind, library = ARRAYS.get(type(column).__module__.partition(".")[0], ("JAX arrays", "jnp"))
        return (
            f"`{self.name}` raised {said}. It is called with {kind}, many rows at once: "
            f"use functions that take them, such as {library}.sin for math.sin."
        )


def name_of(function: object) -> str:
    """Return what messages call a function."""
    return getattr(function, "__name__", "the function")


def arguments_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a function by name. Raises ConfigError if they cannot be seen."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ConfigError(
            f"The arguments of `{name_of(function)}` cannot be seen. Wrap it in a function with named arguments."
        ) from None


def bind(function: Callable[..., Any], columns: Sequence[str]) -> Call:
    """Tell the arguments of ``function`` apart: those named like a column are data, the others parameters.

    Raises ConfigError if its arguments have no names.
    """
    label = name_of(function)
    arguments = arguments_of(function)
    for argument in arguments.values():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD, argument.POSITIONAL_ONLY):
            raise ConfigError(
                f"`{label}` must name each of its arguments; `{argument}` does not. Write `def {label}(x, w)`."
            )
    known = set(columns)
    data = tuple(name for name in arguments if name in known)
    defaults = {
        name: argument.default for name, argument in arguments.items() if argument.default is not argument.empty
    }
    return Call(function, data, tuple(name for name in arguments if name not in known), defaults)
