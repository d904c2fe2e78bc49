"""A model written as a Python function: ``forward(x, w)`` of columns and parameters."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.differences.calls import RowFunction
from descend.errors import ConfigError, FormulaError
from descend.formula.printers.code import plain_name
from descend.losses import Loss
from descend.models.call import Call, arguments_of, bind, name_of, no_formula
from descend.models.called_rows import CalledRows
from descend.models.contract import Model
from descend.models.formula import FormulaModel
from descend.models.jax_function import JaxFunction, read_jax, uses_jax
from descend.models.libraries import leads_to
from descend.models.reading import Content, Options, held_back, known_column, shapes_of
from descend.models.stacked import Stacked
from descend.models.traced_pair import traced_pair
from descend.parameters import Constraints, Parameters
from descend.parameters.ties import mentioned
from descend.registry import closest
from descend.table import Table
from descend.tracing.proof import Pair
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace
from descend.wording import worded

Array = NDArray[np.float64]
LAMBDA = "<lambda>"
"""What every function without a name is called."""
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class FunctionModel(Model):
    """A Python function ``forward(x, w)`` of columns and parameters, and the column it predicts.

    numeric: whether its derivatives are found numerically, by calling it: unless the user gave a gradient, or it is
    written with torch functions.
    """

    forward: Call = field()
    response: str = field()
    parameters: Parameters = field()
    loss: Loss = field()
    constraints: Constraints | None = None
    notes: tuple[str, ...] = ()
    jax: JaxFunction | None = None
    """The function as JAX computes and differentiates it, if it is written with jax.numpy."""
    numeric: bool = False
    kind: ClassVar[str] = "Python function"
    saved_as: ClassVar[str | None] = "function"

    @property
    def name(self) -> str:
        return self.forward.name

    @classmethod
    def takes(cls, function_given: object) -> bool:
        return callable(function_given)

    @classmethod
    def read(cls, function_given: Any, table: Table, options: Options, loss: Loss) -> tuple[Model, dict[str, object]]:
        start, response, fixed = dict(options["start"] or {}), options["response"], options["fix"] or {}
        if response is None:
            raise ConfigError('Which column does the function predict? Say so with response="y".')
        known_column(response, table, "response")
        parameter_names = (*start, *mentioned(fixed, options["ties"], options["bounds"]))
        forward = bind(function_given, [name for name in table.names if name not in start], parameter_names)
        if response in forward.columns:
            raise ConfigError(
                f"`{forward.name}` takes the response `{response}` as an argument, so it would predict it from itself."
            )
        if not forward.parameters:
            raise ConfigError(f"`{forward.name}` has no parameters to fit: {_nothing_named(function_given, forward)}")
        _refuse_no_column(forward, table, start, fixed)
        held_by_user = {*fixed, *mentioned(None, options["ties"], None)}
        defaults = {name: value for name, value in forward.defaults.items() if name in forward.parameters}
        start = {**{name: value for name, value in defaults.items() if name not in held_by_user}, **start}
        notes: tuple[str, ...] = ()
        if not callable(options["gradient"]) and options["gradient"] not in ("autograd", "jax", "numeric"):
            try:
                return _traced(forward, response, start, table, options, loss)
            except UntraceableError as reason:
                notes = (no_formula(forward.name, str(reason)),)
            except FormulaError as error:
                refusal = str(error).partition("\n")[0].rstrip(".")
                notes = (no_formula(forward.name, f"gives a formula that is refused ({refusal})"),)
        everything = Parameters({name: _labels(fixed.get(name, start.get(name))) for name in forward.parameters})
        held = held_back(everything, table, options, start)
        jax = read_jax(forward, everything, table, options["gradient"])
        if held is not None:
            forward = replace(forward, constraints=held)
        if jax is not None:
            notes = () if jax.refused is None else (jax.refused,)
        model = cls(forward, response, everything if held is None else held.free, loss, held, notes, jax)
        exact = jax is not None and jax.refused is None
        numeric_asked = options["gradient"] == "numeric" or (options["gradient"] is None and not exact)
        return replace(model, numeric=numeric_asked and not model._with_torch(start)), start

    @classmethod
    def original(cls, function_given: Any, model: Model) -> Pair | None:
        if model.formula is None:
            return None
        names = tuple(model.every_parameter.shapes)
        forward = bind(function_given, tuple(model.inputs), names)
        unused = dict.fromkeys((name for name in forward.parameters if name not in names), 1.0)
        if unused:  # arguments that the formula does not mention
            forward = bind(functools.partial(function_given, **unused), tuple(model.inputs), names)
        forward = replace(forward, constraints=model.constraints)
        opaque = cls(forward, model.response, model.parameters, model.loss, model.constraints)
        return traced_pair(opaque.scores, model, model.formula, getattr(function_given, "__code__", None))

    def entry(self) -> dict[str, object]:
        function = self.forward.function
        stacked = {"stacked": function.entry()} if isinstance(function, Stacked) else {}
        return {"function": self.forward.name, "response": self.response, **stacked}

    @classmethod
    def needed(cls, content: Content) -> str | None:
        name = content["function"]
        return (
            f"the Python function `{name}`, which is not in the file. "
            + worded("naming_function", f"Give it: descend.load(path, model={name})", name=name)
            + "."
        )

    @classmethod
    def unlike(cls, name: str, parameters: Sequence[str], function: object) -> str | None:
        function_name = getattr(function, "__name__", None)
        if function_name is not None and function_name != name and LAMBDA not in (name, function_name):
            return (
                f"the Python function `{name}`, and `{function_name}` was given. "
                + worded("giving_function", f"Give that one: descend.load(path, model={name})", name=name)
                + "."
            )
        arguments = arguments_of(function) if callable(function) else {}
        anything = any(argument.kind in VARIABLE for argument in arguments.values())
        lacking = [each for each in parameters if each not in arguments and not anything]
        if lacking:
            return (
                f"the Python function `{name}`, which has the parameters {', '.join(parameters)}; the function "
                f"`{name_of(function)}` that was given has no argument `{lacking[0]}`. Give the function of that fit."
            )
        return None

    @classmethod
    def restored(cls, content: Content, function: Any, loss: Loss, constraints: Constraints | None) -> FunctionModel:
        if content.get("stacked") is not None:
            function = Stacked.restored(function, content["stacked"])
        plain = bind(function, tuple(content["columns"]), tuple(content["shapes"]))
        forward = replace(plain, constraints=constraints)
        everything = Parameters(shapes_of(content))
        jax = JaxFunction(plain, everything) if uses_jax(function) else None
        free = everything if constraints is None else constraints.free
        return cls(forward, content["response"], free, loss, constraints, jax=jax)

    def __post_init__(self) -> None:
        sources: tuple[str, ...] = ("numeric", "autograd") if self.numeric else ("autograd", "numeric")
        if self.jax is not None:
            sources = ("jax", "numeric") if self.jax.refused is None else ("numeric",)
        self.__dict__.update(inputs=self.forward.columns, response_columns=(self.response,), gradient_sources=sources)

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        return self.loss.mean(self.scores(theta, columns))

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Call the function: with NumPy arrays, or with tensors or JAX arrays if it is written with their functions.

        Raises ConfigError unless it returns one number per row.
        """
        if self.jax is not None:
            return self.jax.scores(self._every(theta), columns)
        if "torch" in sys.modules and self._takes_tensors(theta, columns):
            import torch

            tensors = {name: torch.from_numpy(np.array(column)) for name, column in columns.items()}
            values = {name: torch.as_tensor(value) for name, value in self.parameters.named(theta).items()}
            with torch.no_grad(), contextlib.suppress(ConfigError):  # else the error is the one for arrays
                return np.asarray(self.forward(tensors, values), dtype=np.float64).reshape(-1)
        return CalledRows(self.forward, self.parameters, self._read(columns), strict=False).one(theta)

    def _read(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Return the columns that the function takes, or any one, which tells how many rows there are."""
        return {name: columns[name] for name in self.inputs or list(columns)[:1]}

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        if self.jax is None or self.jax.refused is not None:
            return super().scores_and_jacobian(theta, columns)
        every = self._every(theta)
        jacobian = self.jax.jacobian(every, columns)
        held = self.constraints
        return self.jax.scores(every, columns), jacobian if held is None else jacobian @ held.jacobian(theta)

    def pulled_back(self, theta: Array, columns: Mapping[str, Array], slope: Array) -> Array:
        if self.jax is None or self.jax.refused is not None:
            return super().pulled_back(theta, columns, slope)
        pulled, constraints = self.jax.pulled(self._every(theta), columns, slope), self.constraints
        return pulled if constraints is None else constraints.jacobian(theta).T @ pulled

    def _every(self, theta: Array) -> Array:
        """Return the values of all parameters, those that are fixed or tied among them."""
        held = self.constraints
        return theta if held is None else held.parameters.flat(held.complete(self.parameters.named(theta)))

    @property
    def differentiated(self) -> bool:
        return self.jax is None or self.jax.refused is not None

    def row_function(self, columns: Mapping[str, Array]) -> RowFunction:
        if self.jax is not None or ("torch" in sys.modules and self.__dict__.get("takes_tensors")):
            return super().row_function(columns)
        return CalledRows(self.forward, self.parameters, self._read(columns), self.numeric)

    def _with_torch(self, start: Mapping[str, object]) -> bool:
        """Find out, before any rows are read, whether the function is written with torch functions.

        It is called for that, with one made-up row, only if its code leads to PyTorch.
        """
        uses_torch = leads_to(self.forward.function, "torch")
        if not (uses_torch or (uses_torch is None and "torch" in sys.modules)):
            return False
        return self._takes_tensors(self.parameters.start(start, 1.0), {name: np.ones(1) for name in self.inputs})

    def _takes_tensors(self, theta: Array, columns: Mapping[str, Array]) -> bool:
        """Find out, once, whether the function is written with torch functions, which refuse NumPy arrays."""
        takes_tensors: bool | None = self.__dict__.get("takes_tensors")
        if takes_tensors is None:
            takes_tensors, one_row = False, {name: column[:1].copy() for name, column in columns.items()}
            try:
                self.forward(one_row, self.parameters.named(theta))
            except ConfigError as error:
                takes_tensors = isinstance(error.__cause__, TypeError)
            self.__dict__["takes_tensors"] = takes_tensors
        return takes_tensors

    def __str__(self) -> str:
        return f"{self.response} ~ {self.forward.name}({', '.join((*self.forward.data, *self.forward.parameters))})"


def _traced(
    forward: Call, response: str, start: dict[str, object], table: Table, options: Options, loss: Loss
) -> tuple[Model, dict[str, object]]:
    """Return the model of the formula that a function computes. Raises UntraceableError or FormulaError."""
    function_traced = forward.function
    values_known = {**start, **(options["fix"] or {})}
    vectors = {
        name: value for name in forward.parameters if np.ndim(value := np.asarray(values_known.get(name, 0.0))) > 0
    }
    for name, value in vectors.items():
        if value.ndim > 1:
            raise UntraceableError(f"takes a matrix as `{name}`")

    def calling(function: Callable[..., object], symbols: Mapping[str, object]) -> object:
        stacked = replace(function_traced, function=function) if isinstance(function_traced, Stacked) else function
        return forward.with_arguments(stacked, symbols)

    function = function_traced.function if isinstance(function_traced, Stacked) else function_traced
    sizes = {name: value.size for name, value in vectors.items()}
    text = trace(function, forward.data, forward.parameters, calling=calling, sizes=sizes)
    for name in forward.parameters:
        if not re.search(rf"(?<!\w){re.escape(plain_name(name))}(?!\w)", text):
            raise UntraceableError(f"makes no use of `{name}`")
    return FormulaModel.of_text(f"{plain_name(response)} ~ {text}", start, table, options, loss, forward.parameters)


def _nothing_named(function: Callable[..., object], forward: Call) -> str:
    """Say why none of the arguments of a function is a parameter, and how to write it with one."""
    taken = [str(each) for each in arguments_of(function).values() if each.kind is each.VAR_KEYWORD]
    if not taken:
        return f"each of its arguments is a column. Write `def {forward.name}(x, w)`."
    written = ", ".join((*(forward.data or ("x",)), "a", "b", *taken))
    return (
        f"what it takes as `{taken[0]}` has no names to fit by. Make each parameter an argument of its own: "
        f"`def {forward.name}({written})`."
    )


def _refuse_no_column(forward: Call, table: Table, start: Mapping[str, object], fixed: Mapping[str, object]) -> None:
    """Refuse several parameters without a column, unless the function has rows of its own, as of a captured array.

    They form one constant, and one of them is probably a column under another name.
    """
    free = [name for name in forward.parameters if name not in fixed]
    if forward.columns or len(free) < 2:
        return
    arguments_known = {**forward.defaults, **start, **fixed}
    argument_values = {name: arguments_known.get(name, 1.0) for name in forward.parameters}
    try:
        values = {name: value if np.ndim(value) == 0 else np.asarray(value) for name, value in argument_values.items()}
        rows_of_its_own = np.ndim(forward.with_arguments(forward.function, values)) > 0
    except Exception:
        rows_of_its_own = bool(leads_to(forward.function, "torch"))  # then it may take tensors only
    if rows_of_its_own:
        return
    meant = next(filter(None, (closest(name, table.names) for name in free)), "")
    raise ConfigError(
        f"None of the arguments of `{forward.name}` ({', '.join(forward.parameters)}) is a column; columns: "
        f"{', '.join(plain_name(column) for column in table.names[:12])}.{meant} "
        "Name the arguments that are data like the columns."
    )


def _labels(value: Any) -> tuple[str, ...] | None:
    return None if np.ndim(value) == 0 else tuple(str(number) for number in range(np.size(value)))
