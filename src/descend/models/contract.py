"""The contract of a model: a prediction as a function of parameters and columns, under a loss."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.differences.calls import RowFunction, Values
from descend.errors import ConfigError
from descend.formula.formula import Formula
from descend.formula.symbols import Column
from descend.losses import Loss
from descend.models.call import Call
from descend.models.inexact import Sigma
from descend.models.reading import Content, Options, checked_shape
from descend.models.rows_of_model import RowsOfModel
from descend.parameters import Bounds, Constraints, Parameters
from descend.parameters.vector import Values as NamedValues
from descend.table import Table
from descend.table.table import label

if TYPE_CHECKING:
    from descend.differences.derivatives import Derivatives
    from descend.tracing.proof import Pair

Array = NDArray[np.float64]
SETS = 3
"""Sets of rows, the last used, whose derivatives are remembered."""


class Model(RowsOfModel, ABC):
    """A prediction as a function of parameters and columns, and the loss it is fitted under.

    Whatever differs between kinds of model is answered here, so that no other code checks the class of a model. A new
    kind says what it is made from (`takes`), gives the attributes below, and predicts; all other methods have defaults
    that suit a model of which nothing more is known.

    parameters: those that are free. response: what is predicted, as text; response_columns: the columns it is made of.
    inputs: the columns that prediction needs. constraints: which parameters are fixed, tied or bounded, or None.
    formula, forward: what the user wrote, a formula or a Python function, if it was one.
    """

    kind: ClassVar[str]
    """Its name in messages: a word or two that follow the article "a"."""
    in_place: ClassVar[bool] = False
    """Whether its parameters live in it and change in place, as in a PyTorch module, so that theta is only a handle:
    steps do not store them, and no matrix of them is formed (curvature, covariance, and inference from these)."""

    rowwise: ClassVar[bool] = False
    """Whether the prediction of a row is known to depend on that row alone, so that any rows may be predicted. If not,
    as for a function that is only called, only predictions of all rows together are known to be those of the fit."""

    comparable: bool = True
    """Whether the rows at hand are all, with one response and one prediction each, so that residuals can be told."""

    gradient_sources: tuple[str, ...] = ("numeric",)
    """The gradient sources that need nothing more from the user; the first is the default."""

    saved_as: ClassVar[str | None] = None
    """The entry of a model file that identifies this kind; None if it cannot be saved."""

    loss: Loss
    parameters: Parameters
    response: str
    response_columns: tuple[str, ...]
    inputs: tuple[str, ...]
    constraints: Constraints | None = None
    formula: Formula | None = None
    forward: Call | None = None
    inexact: Mapping[str, Sigma] = MappingProxyType({})
    """The standard deviation of each input that has errors: a column, or a number."""
    correlated: Mapping[str, Sigma] = MappingProxyType({})
    """The correlation of these errors with those of the response, if there is one."""
    per_class: ClassVar[bool] = False
    """Whether it has a score for each class of the response but the first."""
    notes: tuple[str, ...] = ()
    """What to tell the user of how the model was read."""
    listed: tuple[str, ...] = ()
    """The inputs, in order, where they enter in one list ``w @ [...]`` and nowhere else; otherwise none."""
    calls: int = 0
    """How often a function that the user wrote was called, where that is counted."""

    @classmethod
    @abstractmethod
    def takes(cls, model_given: object) -> bool:
        """Whether a model of this kind can be made of what the user gave."""

    @classmethod
    @abstractmethod
    def read(cls, model_given: Any, table: Table, options: Options, loss: Loss) -> tuple[Model, dict[str, object]]:
        """Make a model of what the user gave; return it with the starting values that are known for it, by name.

        Raises FormulaError or ConfigError for what cannot be fitted to this table.
        """

    def entry(self) -> dict[str, object]:
        """Return what a model file stores of it besides its parameters and loss, for `restored`."""
        raise ConfigError(
            f"A {self.kind} cannot be saved: a model file has no word for it. Write the model as a formula to save it."
        )

    @classmethod
    def needed(cls, content: Content) -> str | None:
        """Say what else is needed to load a model file, and how to give it; None if the file holds everything."""
        return None

    @classmethod
    def unlike(cls, name: str, parameters: Sequence[str], model_given: object) -> str | None:
        """Say in which way what the user gave is not what a file names, with its parameters; None if it may well be."""
        return None

    @classmethod
    def restored(cls, content: Content, model_given: object, loss: Loss, constraints: Constraints | None) -> Model:
        """Rebuild the model that a model file describes.

        model_given: what the user gave beside the file. constraints: which parameters were fixed, tied or bounded.
        """
        raise NotImplementedError

    @classmethod
    def original(cls, model_given: Any, model: Model) -> Pair | None:
        """Return what the user gave beside the formula that a model has instead; None if it is what the user gave."""
        return None

    @abstractmethod
    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the prediction of each row, on the scale of the response."""

    def scores_of_outputs(self, theta: Array, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Return the scores of each output by its name, where the loss is of several."""
        return {}

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def bounds(self) -> Bounds | None:
        """The bounds on the free parameters, if there are any."""
        return None if self.constraints is None else self.constraints.bounds

    @property
    def every_parameter(self) -> Parameters:
        """All parameters, those that are fixed or tied among them."""
        return self.parameters if self.constraints is None else self.constraints.parameters

    def complete(self, theta: Array) -> NamedValues:
        """Return the values of all parameters by name, those that are fixed or tied among them."""
        free = self.parameters.named(theta)
        return free if self.constraints is None else self.constraints.complete(free)

    def __str__(self) -> str:
        return f"{self.response} ~ {self.name}({', '.join((*self.inputs, *self.parameters.shapes))})"

    @property
    def symbolic(self) -> SymbolicModel | None:
        """The model as an expression, None if it can only be called."""
        return None

    @property
    def of_one_class(self) -> SymbolicModel | None:
        """The model of the scores of one class, where each has parameters of its own; else the model itself."""
        return self.symbolic

    def of_each_class(self, theta: Array) -> Sequence[tuple[Model, Array]]:
        """Return the model and the parameters of each score, where classes have scores of their own."""
        return ()

    @property
    def linear(self) -> bool:
        """Whether the score, the argument of the loss, is linear in the parameters."""
        return False

    @property
    def log_linear(self) -> bool:
        """Whether the logarithm of the prediction is linear in the parameters, and J is convex all the same."""
        return False

    @property
    def response_expression(self) -> Expr:
        return Column(self.response)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that must be known to read the model again."""
        codings = {coding.name: coding.columns for coding in self.codings}
        inputs = (column for name in self.inputs for column in codings.get(name, (name,)))
        return tuple(dict.fromkeys((*self.response_columns, *inputs)))

    def at_row(self, columns: Mapping[str, Array], row: int, most: int | None = None) -> str:
        """Write the inputs of a row, at most so many, for a message: ``x = 0.5, site = A``."""
        codings = {coding.name: coding for coding in self.codings}
        texts = []
        for name in self.inputs[:most]:
            value = float(columns[name][row])
            if name not in codings:
                texts.append(f"{name} = {value:g}")
            elif math.isfinite(value):
                key = codings[name].keys[int(value)]
                texts += [f"{column} = {label(cell)}" for column, cell in zip(codings[name].columns, key, strict=True)]
        return ", ".join(texts)

    def observed(self, columns: Mapping[str, Array]) -> Array:
        """Return the response of each row."""
        return columns[self.response]

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return what the loss works on in each row: the prediction, before a link that the loss absorbs."""
        return self.predict(theta, columns)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the score of each row, (rows,), and its derivatives by the parameters, (rows, p).

        Unless the model knows better, numerically (see ``differences``).
        """
        with np.errstate(all="ignore"):
            return self.derivatives(columns).at(theta)

    def pulled_back(self, theta: Array, columns: Mapping[str, Array], slope: Array) -> Array:
        """Return J' slope, (p,), with J the derivatives of the scores, (n, p), and a slope for each row."""
        product: Array = self.scores_and_jacobian(theta, columns)[1].T @ slope
        return product

    @property
    def differentiated(self) -> bool:
        """Whether its derivatives are found numerically, by calling it."""
        return self.symbolic is None

    def derivatives(self, columns: Mapping[str, Array]) -> Derivatives:
        """Return what finds the derivatives of the scores in these rows numerically; it remembers what it found out."""
        from descend.differences.derivatives import Derivatives

        named = tuple(columns[name] for name in self.inputs) or tuple(columns.values())[:1]
        derivatives_kept: list[tuple[tuple[Array, ...], Derivatives]] = self.__dict__.setdefault("_derivatives", [])
        for kept_number, (arrays, found) in enumerate(derivatives_kept):
            if all(first_array is second_array for first_array, second_array in zip(arrays, named, strict=True)):
                derivatives_kept.append(derivatives_kept.pop(kept_number))
                return found
        bounds, every = self.bounds, np.full(self.parameters.size, np.inf)
        room = (-every, every) if bounds is None else (bounds.low, bounds.high)
        found = Derivatives(self.row_function(columns), self.parameters.size, room)
        derivatives_kept.append((named, found))
        del derivatives_kept[:-SETS]
        return found

    def of_rows(self, row_numbers: NDArray[np.intp], count: int) -> Model | None:
        """Return the model of a few of ``count`` rows, by their places; None where it cannot be asked about few.

        A function may look at a whole column: what it says of few rows has to be held against what it says of all.
        """
        return self if self.inputs else None

    def row_function(self, columns: Mapping[str, Array]) -> RowFunction:
        """Return the scores of these rows as a function of theta, real or complex, one or several."""
        return Scores(self, columns)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_derivatives"}


@dataclass(frozen=True)
class Scores:
    """The scores of a model in some rows, as a function of theta."""

    model: Model
    columns: Mapping[str, Array]

    @property
    def name(self) -> str:
        return self.model.name

    def one(self, theta: Values) -> Values:
        return np.asarray(self.model.scores(theta, self.columns))

    def many(self, thetas: Values) -> Values:
        """Return (k, rows): each parameter stands in a column of its own, (k, 1), against the rows."""
        scores_of_thetas = np.asarray(self.model.scores(thetas.T[:, :, None], self.columns))
        return checked_shape(scores_of_thetas, (len(thetas), len(next(iter(self.columns.values())))))


class SymbolicModel(Model):
    """A model whose prediction is an expression of columns and parameters.

    formula: the expression, with its parameters, its response and its derivatives.
    """

    rowwise: ClassVar[bool] = True
    formula: Formula

    @property
    @abstractmethod
    def prediction(self) -> Expr:
        """What `predict` returns: the expression on the scale of the response."""

    @property
    @abstractmethod
    def linear_predictor(self) -> Expr | None:
        """The part linear in the parameters of which the score is a function, if only the identity; None if none is."""

    @property
    @abstractmethod
    def separable(self) -> NDArray[np.bool_]:
        """(p,) which components enter the formula linearly, each by itself: set to 0, each removes a term."""

    @property
    def response_expression(self) -> Expr:
        return self.formula.response

    @property
    def columns(self) -> tuple[str, ...]:
        return (*(self.formula.given if self.formula.parts else super().columns), *self.formula.unused)

    @abstractmethod
    def scores_and_parts(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array, NDArray[np.intp]]:
        """Return the scores, (rows,), and for each row its derivatives by the few components that it depends on.

        The derivatives are (rows, q), and so are the places of these components in theta.
        """

    @abstractmethod
    def under(self, loss: Loss, constraints: Constraints | None) -> Model:
        """Return the same under another loss, or with other constraints."""

    @abstractmethod
    def values(self, theta: Array, columns: Mapping[str, Array]) -> dict[Expr, Array]:
        """Return the values of each column and ``w @ [...]`` in all rows, and those of the parameters."""

    @abstractmethod
    def derivatives_of(
        self, expression: Expr, slopes: Mapping[Expr, Expr], theta: Array, columns: Mapping[str, Array]
    ) -> tuple[Array, Array]:
        """Return an expression of columns and parameters in each row, and its derivatives by the parameters.

        slopes: its derivatives by each scalar parameter and each ``w @ [...]``.
        """
