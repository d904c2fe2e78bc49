"""A user's function of jax.numpy: its predictions and their derivatives by JAX, in double precision, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.models.call import Call
from descend.models.libraries import leads_to
from descend.parameters import Parameters
from descend.table import Table

if TYPE_CHECKING:
    import jax

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
REMEDY = (
    "Use jax.numpy for all that depends on a parameter (jnp.exp, not np.exp; jnp.where or jax.lax.cond for `if`), or "
    'gradient="numeric".'
)
MODES = ("jacfwd", "jacrev")
"""How JAX differentiates, in the order in which they are tried: a function may have no derivative in one of them."""


class JaxFunction:
    """Predictions of a function and their derivatives by all its parameters, which JAX computes.

    forward: the function, without constraints. parameters: all of them, fixed and tied ones too. compiled: whether
    `jax.jit` takes it; if not, as where it decides by the values of a column, it is called as it is.
    """

    def __init__(self, forward: Call, parameters: Parameters) -> None:
        self.forward, self.parameters = forward, parameters
        self.mode, self.compiled = MODES[0], True
        self.refused: str | None = None
        """Why JAX cannot differentiate it."""
        self._kept: dict[tuple[str, int], Callable[..., jax.Array]] = {}

    def scores(self, theta: Array, columns: Columns) -> Array:
        """Return the prediction of each row, (n,)."""
        return self._called("scores", self._prediction, theta, columns)

    def jacobian(self, theta: Array, columns: Columns) -> Array:
        """Return the derivatives of the predictions by the parameters, (n, p)."""
        return self._called("jacobian", getattr(_jax(), self.mode)(self._prediction), theta, columns)

    def pulled(self, theta: Array, columns: Columns, slope: Array) -> Array:
        """Return J' slope, (p,), with J the derivatives of the predictions, by one backward pass."""

        def weighed(theta: jax.Array, columns: Mapping[str, jax.Array], slope: jax.Array) -> jax.Array:
            return self._prediction(theta, columns) @ slope

        return self._called("pulled", _jax().grad(weighed), theta, columns, slope)

    def probe(self, table: Table) -> None:
        """Find out how JAX differentiates the function for the rows of a table, if it can; else say why not.

        JAX is shown arrays of these shapes and nothing is computed, unless the function needs the values of columns.
        """
        jax, theta, names = _jax(), np.ones(self.parameters.size), self.forward.columns
        shape = jax.ShapeDtypeStruct((table.rows,), np.float64)
        with doubles():
            for self.compiled in (True, False):
                columns = dict.fromkeys(names, shape) if self.compiled else _arrays(table.numbers(names, "drop"))
                for self.mode in MODES:
                    derivative = getattr(jax, self.mode)(self._prediction)
                    try:
                        if self.compiled:
                            traced = jax.make_jaxpr(derivative)(theta, columns)
                            constants = tuple(np.asarray(constant).tobytes() for constant in traced.consts)
                            self._kept = _kept_for(names, str(traced.jaxpr), constants)
                        else:
                            derivative(theta, columns)
                    except Exception as error:
                        self.refused = self._why(error) if self.mode == MODES[0] else self.refused
                    else:
                        self.refused = None
                        return

    def _prediction(self, theta: jax.Array, columns: Mapping[str, jax.Array]) -> jax.Array:
        numpy = _jax().numpy
        values = {
            name: theta[theta_slice] if labels is not None else theta[theta_slice.start]
            for (name, labels), theta_slice in zip(
                self.parameters.shapes.items(), self.parameters.slices.values(), strict=True
            )
        }
        prediction = numpy.asarray(self.forward(columns, values))
        if numpy.iscomplexobj(prediction):
            raise ConfigError(
                f"`{self.forward.name}` returned complex numbers; a prediction is real. Return jnp.real(...) of them, "
                "or jnp.abs(...)."
            )
        prediction = prediction.astype(float)
        rows = next(iter(columns.values())).shape
        if prediction.shape not in ((), rows):
            raise ConfigError(
                f"`{self.forward.name}` returned shape {prediction.shape} for {rows[0]} rows. It must return one "
                "prediction per row."
            )
        each: jax.Array = numpy.broadcast_to(prediction, rows)
        return each

    def _called(
        self, name: str, function: Callable[..., jax.Array], theta: Array, columns: Columns, *more: Array
    ) -> Array:
        """Call a function, compiled if possible, and return its result as NumPy's. name: by which it is kept.

        What is kept is machine code for as many rows, without the function, which may compute something else by now.
        """
        names = self.forward.columns or list(columns)[:1]
        jax, columns = _jax(), {name: np.asarray(columns[name], dtype=np.float64) for name in names}
        theta, more = np.asarray(theta, dtype=np.float64), tuple(np.asarray(each, dtype=np.float64) for each in more)
        key = name, len(next(iter(columns.values())))
        with doubles():
            if self.compiled:
                try:
                    if key not in self._kept:
                        self._kept[key] = jax.jit(function).lower(theta, columns, *more).compile()
                    return _numbers(self._kept[key](theta, columns, *more))
                except ConfigError as error:
                    if not isinstance(error.__cause__, jax.errors.JAXTypeError):
                        raise
                    self.compiled = False
            return _numbers(function(jax.numpy.asarray(theta), _arrays(columns), *more))

    def _why(self, error: Exception) -> str:
        """Say why JAX cannot differentiate the function."""
        errors, cause, name = _jax().errors, error.__cause__ or error, self.forward.name
        if isinstance(cause, errors.TracerArrayConversionError):
            return f"`{name}` uses NumPy, which JAX cannot differentiate."
        if isinstance(cause, errors.JAXTypeError):
            return (
                f"`{name}` needs the value of a parameter, as for `if`, `while` or `float(...)`, which JAX does not "
                "have while it differentiates."
            )
        if cause is error and isinstance(error, ConfigError):
            return str(error)
        return f"JAX cannot differentiate `{name}`: {str(cause).splitlines()[0].rstrip('.')}."


def read_jax(forward: Call, parameters: Parameters, table: Table, gradient: object) -> JaxFunction | None:
    """Return a function as JAX computes it if it is written with jax.numpy, or if that is asked for; else None.

    Raises ConfigError if JAX is asked for and cannot differentiate the function.
    """
    if gradient != "jax" and not uses_jax(forward.function):
        return None
    function = JaxFunction(forward, parameters)
    function.probe(table)
    if gradient == "jax" and function.refused is not None:
        raise ConfigError(f"{function.refused} {REMEDY}")
    return function


def _numbers(result: object) -> Array:
    return np.array(result, dtype=np.float64)


@lru_cache(maxsize=64)
def _kept_for(
    columns: tuple[str, ...], computed: str, constants: tuple[bytes, ...]
) -> dict[tuple[str, int], Callable[..., jax.Array]]:
    """Return what was compiled of a function that computes the same, which is the text JAX has of it, in a fit before.

    A function itself does not tell that, as it may read other values elsewhere since then.
    """
    return {}


def doubles() -> AbstractContextManager[object]:
    """Let JAX compute in double precision for a while, whatever the user has set for the rest."""
    jax = _jax()
    # Before JAX 0.8 it was among the experiments.
    enable: Callable[[bool], AbstractContextManager[object]]
    enable = (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64
    return enable(True)


def uses_jax(function: Callable[..., object]) -> bool:
    """Whether a function, or one that it calls, names JAX or something of it."""
    return bool(leads_to(function, "jax"))


def _arrays(columns: Columns) -> dict[str, jax.Array]:
    return {name: _jax().numpy.asarray(column) for name, column in columns.items()}


def _jax() -> ModuleType:
    """Import JAX, or say how to install it."""
    try:
        import jax
        import jax.experimental
        import jax.numpy
    except ImportError:
        raise ConfigError(
            'JAX is not installed, and this needs it. Install it with: pip install "descend[jax]".'
        ) from None
    return jax
