"""A formula with parameters for each class of the response but the first: the scores of a multinomial loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.formula import as_text
from descend.formula.domain import interval
from descend.losses import Loss
from descend.losses.classes import cells_of
from descend.losses.link import log_odds
from descend.models.contract import Model, SymbolicModel
from descend.models.reading import Content, Options, groups_entry, shapes_of
from descend.parameters import Constraints, Parameters, constrained
from descend.parameters.components import by_parameter
from descend.table import Table
from descend.table.levels import GroupLabels, Levels
from descend.table.table import Coding
from descend.wording import spell

Array = NDArray[np.float64]
BLOCK = 1 << 12
"""Rows whose columns are read at once."""


@dataclass(frozen=True, eq=False)
class PerClassModel(Model):
    """Scores s_k(x) = f(x; theta_k) of the classes k = 1 to K - 1, one formula f with parameters theta_k for each.

    each: the model of one class. loss: knows the classes (see ``losses.Multinomial``). theta holds for each parameter
    of the formula its components class by class.
    """

    each: Model
    loss: Loss
    kind: ClassVar[str] = "formula for each class"
    saved_as: ClassVar[str | None] = None
    rowwise: ClassVar[bool] = True
    per_class: ClassVar[bool] = True
    gradient_sources = ("derived",)

    @classmethod
    def takes(cls, model_given: object) -> bool:
        return False

    @classmethod
    def read(cls, model_given: object, table: Table, options: Options, loss: Loss) -> tuple[Model, dict[str, object]]:
        raise NotImplementedError  # a formula is read as one class's, and then stands for each: see `of_each`

    @classmethod
    def of_each(
        cls, each: Model, options: Options, start: Mapping[str, object]
    ) -> tuple[PerClassModel, dict[str, object]]:
        """Return the model of all classes, given that of one, and starts by parameter.

        A start of a parameter as it stands in the formula is that of each class; others are by class, as the values of
        a fit are, or by component. Raises ConfigError for what holds
        parameters, which are not those of the formula.
        """
        for key in ("fix", "ties", "bounds", "priors"):
            if options[key]:
                raise ConfigError(
                    f"Under the {each.loss.name} loss each parameter of the formula stands for one of each class, and "
                    f"{spell(key)} holds none of these yet. Leave it out, or draw all towards 0 with {spell('l2')}."
                )
        _refuse_share(each)
        model_of_classes = cls(each, each.loss)
        start_values = by_parameter(start, model_of_classes.parameters)
        for name, value in start_values.items():
            class_shape = each.parameters.shapes.get(name)
            if class_shape is not None and isinstance(value, Sized) and len(value) == len(class_shape):
                start_values[name] = np.tile(each.parameters.checked(name, value), model_of_classes.count)
        return model_of_classes, start_values

    def __post_init__(self) -> None:
        classes, each = self.loss.classes or ("0", "1"), self.each
        levels = Levels((each.response,), tuple((cell,) for cell in cells_of(classes)[1:]))
        shapes = {
            name: GroupLabels(levels, () if labels is None else tuple(labels))
            for name, labels in each.parameters.shapes.items()
        }
        self.__dict__.update(
            parameters=Parameters(shapes),
            inputs=each.inputs,
            response=each.response,
            response_columns=each.response_columns,
        )

    @cached_property
    def count(self) -> int:
        """The number of scores, K - 1."""
        return max(len(self.loss.classes) - 1, 1)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """(K - 1, p) where in theta the parameters of each class lie."""
        slices, own_slices = self.parameters.slices, self.each.parameters.slices
        class_places = np.empty((self.count, self.each.parameters.size), dtype=np.intp)
        for name, theta_slice in own_slices.items():
            size = theta_slice.stop - theta_slice.start
            begin = slices[name].start + size * np.arange(self.count)
            class_places[:, theta_slice] = begin[:, None] + np.arange(size)
        return class_places

    def entry(self) -> dict[str, object]:
        held, shapes = self.each.constraints, self.each.every_parameter
        of_one = {
            "shapes": {name: None if labels is None else list(labels) for name, labels in shapes.shapes.items()},
            "groups": groups_entry(shapes),
            "references": {} if held is None else {label: held.fixed[label] for label in held.references},
        }
        return {**self.each.entry(), "per_class": of_one}

    @classmethod
    def of_content(cls, content: Content, each_of: type[Model], model_given: object, loss: Loss) -> Self:
        """Return the model that a file describes. each_of: the kind of model of one class."""
        of_one = {**content, **content["per_class"], "per_class": None}
        shapes = Parameters(shapes_of(of_one))
        constraints = constrained(shapes, {}, None, None, (), of_one["references"])
        return cls(each_of.restored(of_one, model_given, loss, constraints), loss)

    def under(self, loss: Loss, constraints: Constraints | None) -> PerClassModel:
        return dataclasses.replace(self, loss=loss)

    @property
    def codings(self) -> tuple[Coding, ...]:
        return self.each.codings

    @property
    def needed_inputs(self) -> tuple[str, ...]:
        return self.each.needed_inputs

    @property
    def columns(self) -> tuple[str, ...]:
        return self.each.columns

    @property
    def of_one_class(self) -> SymbolicModel | None:
        return self.each.symbolic

    def of_each_class(self, theta: Array) -> list[tuple[Model, Array]]:
        return [(self.each, theta[class_place]) for class_place in self.places]

    @property
    def linear(self) -> bool:
        return self.each.linear

    def observed(self, columns: Mapping[str, Array]) -> Array:
        return self.each.observed(columns)

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the scores of each row, (rows, K - 1)."""
        rows, none = len(next(iter(columns.values()))), np.zeros(self.each.parameters.size)
        if not self.linear:
            return np.array([self.each.scores(theta[class_place], columns) for class_place in self.places]).T
        class_scores = np.empty((self.count, rows))
        for begin in range(0, rows, BLOCK):  # what is multiplied by parameters is the same for every class
            some = slice(begin, begin + BLOCK)
            constant, jacobian = self.each.scores_and_jacobian(none, {name: x[some] for name, x in columns.items()})
            class_scores[:, some] = theta[self.places] @ jacobian.T + constant
        return class_scores.T

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the place of the likeliest class in each row."""
        classes: Array = self.loss.probabilities(self.scores(theta, columns), {}).argmax(axis=1).astype(np.float64)
        return classes

    def __str__(self) -> str:
        return str(self.each)


def _refuse_share(each: Model) -> None:
    """Raise ConfigError for a formula that stays between 0 and 1: a probability, where a score is asked for."""
    if each.formula is None:
        return
    expression = each.formula.expression
    score = log_odds(expression)
    low, high = interval(expression, {})
    if score is None and not 0.0 <= low <= high <= 1.0:
        return
    itself = "it, such as `a + b*x`" if score is None else f"`{as_text(score)}`"
    raise ConfigError(
        f"Under the {each.loss.name} loss the formula is a score of each class, any number, of which probabilities are "
        f"made; `{as_text(expression)}` stays between 0 and 1, so that no class could be likely. Write {itself}."
    )
