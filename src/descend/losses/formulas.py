"""A loss in its written form: a few short formulas, read once, from which the code of every engine is made."""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Number

from descend.errors import ConfigError
from descend.formula.symbols import OMEGA, Column, Parameter, Quantity
from descend.losses.domain import Domain
from descend.registry import Part, is_estimate
from descend.wording import spell

if TYPE_CHECKING:
    from descend.formula.formula import Formula

Array = NDArray[np.float64]
Self = TypeVar("Self", bound="Formulas")
PREDICTION, RESPONSE, RESIDUAL = Quantity("prediction"), Quantity("y"), Quantity("r")
"""The symbols of a loss; r stands for prediction - y."""
MEAN, DISPERSION, MOVED = Quantity("mean"), Quantity("dispersion"), Quantity("moved")
SCALE = Quantity("scale")
"""The symbols of its distribution and its curvature, besides OMEGA, the weight of a row: see ``Loss``."""
SYMBOLS = (PREDICTION, RESPONSE, RESIDUAL, MEAN, OMEGA, DISPERSION, MOVED, SCALE)


@dataclasses.dataclass(frozen=True)
class Formulas(Part, ABC):
    """Formulas in ``prediction``, ``y``, ``r`` = prediction - y, and the settings of a part.

    value, slope, weight: the loss of a row, and its first and second derivative by the prediction.
    response_domain: the numbers that y may be.
    prediction_domain: the numbers that the prediction may be; elsewhere there is no value.
    link: a function that the loss absorbs when it is the outermost one of the formula, so that it works on its
        argument, the score: `y ~ sigmoid(a + b*x)` and `y ~ a + b*x` are the same model of a logistic loss.

    A setting that is a text names a column of the loss's own, such as what is censored; the formulas use it by the name
    of the setting. own_parameters are fitted with those of the formula; the formulas use them by name. Such are the
    settings made with ``fitted=``, where a user gives them no value.
    shifts: whether they make up for a constant added to the prediction, so that the formula needs none.
    of_classes: whether the response is one of several classes, by their places. ordered: whether these have an order.
    per_class: whether each class but the first has a score by the formula, with parameters of its own.
    """

    kind: ClassVar[str] = "loss"
    response_domain: ClassVar[Domain] = Domain()
    prediction_domain: ClassVar[Domain] = Domain()
    link: ClassVar[str | None] = None
    shifts: ClassVar[bool] = False
    of_classes: ClassVar[bool] = False
    ordered: ClassVar[bool] = False
    per_class: ClassVar[bool] = False
    value_text: ClassVar[str]
    slope_text: ClassVar[str]
    weight_text: ClassVar[str]

    @property
    def settings(self) -> dict[str, Any]:
        fitted = self._fitted
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name not in fitted}

    @cached_property
    def _fitted(self) -> dict[str, float]:
        """Where the settings start that are fitted instead of given."""
        starts = {each.name: each.metadata.get("fitted") for each in dataclasses.fields(self)}
        return {name: start for name, start in starts.items() if start is not None and not getattr(self, name)}

    @cached_property
    def estimated(self) -> str | None:
        """The setting that is to be estimated from the data, if any."""
        return next(iter(self._estimates), None)

    @cached_property
    def _estimates(self) -> tuple[str, ...]:
        """The settings whose value is a word that stands for an estimate."""
        return tuple(each.name for each in dataclasses.fields(self) if is_estimate(each, getattr(self, each.name)))

    def __str__(self) -> str:
        columns = self.own_columns

        def written(value: object) -> str:
            if isinstance(value, str):
                return json.dumps(value) if value in columns or "(" in value else value
            return f"{value:g}"

        settings_listed = ", ".join(f"{name}={written(value)}" for name, value in self.settings.items())
        return f"{self.registered}({settings_listed})" if settings_listed else self.registered

    @property
    def registered(self) -> str:
        """The name by which the registry builds it, with its settings."""
        return self.name

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that it reads beside the response."""
        texts = {name: value for name, value in self.settings.items() if isinstance(value, str)}
        return tuple(value for name, value in texts.items() if name not in self._estimates)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the response may be, in order; none if it is a number, or before the data are known."""
        return ()

    def of_levels(self: Self, names: Sequence[str]) -> Self:
        """Return the same loss of these classes; itself, if it is of numbers."""
        return self

    def probabilities(self, score: Array, parameters: Mapping[str, float]) -> Array:
        """Return the probability of each class in each row, (rows, K). Raises ConfigError for a loss of numbers.

        score: what the loss works on, (rows,) or (rows, K - 1). parameters: by name, those of the loss among them.
        """
        raise ConfigError(
            f"The {self.name} loss is of numbers, not of classes each of which has a probability. Leave out "
            f"{spell('probabilities')}."
        )

    def refuse_classes(self, lacking: str) -> None:
        """Raise ConfigError if the response is one of several classes, which have no such thing, as "no residuals"."""

    def score(self, expression: Expr) -> Expr:
        """Return what the loss works on: the expression, or its argument where its outermost function is the link."""
        if self.link is None:
            return expression
        from descend.losses.link import log_odds

        log_odds_of_score = log_odds(expression)
        return expression if log_odds_of_score is None else log_odds_of_score

    def on_response(self, expression: Expr) -> Expr:
        """Return the mean response, given the expression of the formula."""
        if self.link is None or self.score(expression) is not expression:
            return expression
        from descend.formula.functions import FUNCTIONS

        return FUNCTIONS[self.link].build(expression)

    @property
    def own_parameters(self) -> dict[str, float]:
        """Its own parameters, such as cutpoints, and where they start from."""
        return dict(self._fitted)

    @property
    def several_scores(self) -> bool:
        """Whether the loss of a row depends on more than one score that is fitted."""
        return self.per_class or bool(self.own_parameters)

    @cached_property
    def plain(self) -> bool:
        """Whether the loss of a row is a function of its prediction and response alone."""
        return not self.own_columns and not self.own_parameters

    def given(self: Self, columns: Mapping[str, Array], parameters: Mapping[str, object]) -> Self:
        """Return the loss that knows its own columns and parameters, so that it can be evaluated row by row."""
        if self.plain:
            return self
        loss_given_columns = dataclasses.replace(self)
        own_values: dict[Expr, Array] = {Column(name): columns[name] for name in self.own_columns}
        own_values |= {Parameter(name): np.asarray(parameters[name]) for name in self.own_parameters}
        loss_given_columns.__dict__["_own"] = own_values
        return loss_given_columns

    def refuse_own(self) -> None:
        """Raise ConfigError if the loss has columns or parameters of its own, which its caller does not support."""
        if not self.plain:
            raise ConfigError(
                f"The {self.name} loss has columns or parameters of its own, so it goes with a formula and its derived "
                "gradient only. Leave out the gradient, or choose another loss."
            )

    def extended(self, formula: Formula) -> Formula:
        """Return a formula with the parameters of the loss added. Raises ConfigError if a name is already taken.

        The right side does not depend on them.
        """
        for name in self.own_parameters:
            if name in formula.parameters or name in formula.columns:
                raise ConfigError(
                    f"The {self.name} loss has a parameter `{name}` of its own. Give that of the formula another name."
                )
        return _with_parameters(formula, tuple(self.own_parameters))

    def refuse_constant(self, formula: Formula) -> None:
        """Raise ConfigError for a parameter that is added to every prediction, which its own ones make up for."""
        for symbol, slope in formula.jacobian.items():
            if isinstance(symbol, Parameter) and slope.is_number and slope != 0:
                from descend.formula.trade_off import joined

                own = joined([f"`{name}`" for name in self.own_parameters])
                raise ConfigError(
                    f"`{symbol.name}` is added to the prediction in every row, which {own} of the {self.name} loss "
                    f"stand for already. Leave `{symbol.name}` out of the formula."
                )

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope and weight as expressions of PREDICTION, RESPONSE and RESIDUAL.

        Raises ConfigError while a setting is still to be estimated.
        """
        return self._confined_value(), self.read(self.slope_text), self.read(self.weight_text)

    @cached_property
    def of_residual(self) -> bool:
        """Whether it is a function of the residual alone, and so 0 where the residual is 0 and never negative."""
        return PREDICTION not in self.expressions[0].free_symbols

    @cached_property
    def quadratic(self) -> bool:
        """Whether it is a multiple of r**2: J is a parabola where the prediction is linear, and errors are normal."""
        return self.estimated is None and self.of_residual and bool(self.expressions[2].is_number)

    def _confined_value(self) -> Expr:
        """The value, made to have none where the prediction lies outside its domain but the formula has one."""
        value, domain = self.read(self.value_text), self.prediction_domain
        # At a whole number some functions have a pole, where others have a value all around.
        outside = [end for far in (1.0, 0.37) for end in (domain.low - far, domain.high + far) if math.isfinite(end)]
        if not outside:
            return value
        points, ones = np.array(outside), np.ones(len(outside))
        y = self.response_domain.inside * ones
        quantities: dict[Expr, Array] = {PREDICTION: points, RESPONSE: y, RESIDUAL: points - y}
        quantities |= {Column(name): ones for name in self.own_columns}
        quantities |= {Parameter(name): start * ones for name, start in self.own_parameters.items()}
        with np.errstate(all="ignore"):
            if not np.isfinite(self.of_rows(value, quantities)).any():
                return value
        # NumPy computes both sides of a `where` in all rows: the root has a value in those inside, so it warns of none.
        within_domain = domain.condition("prediction")
        return self.read(f"where({within_domain}, {self.value_text}, sqrt(where({within_domain}, 1, -1)))")

    def read(self, text: str) -> Expr:
        if self.estimated is not None:
            raise ConfigError(
                f"The {self.estimated} of the {self.name} loss is estimated only where a formula or function is "
                f'fitted. Give it as a number here, as in "{self.name}({self.estimated}=1)".'
            )
        return _expression(text, tuple(self.settings.items()), tuple(self.own_parameters))

    def with_columns(self, columns: dict[str, str]) -> tuple[Expr, Expr, Expr]:
        """Return value, slope and weight with settings that differ from row to row: their columns, by name."""
        settings = tuple((self.settings | columns).items())
        texts, own_columns = (self.value_text, self.slope_text, self.weight_text), tuple(self.own_parameters)
        value, slope, weight = (_expression(text, settings, own_columns) for text in texts)
        return value, slope, weight

    @cached_property
    def slopes(self) -> tuple[Expr, ...]:
        """The derivatives of the value by all scores: the prediction, and each parameter of its own."""
        return (
            self.expressions[1],
            *(derivative(self.expressions[0], Parameter(name)) for name in self.own_parameters),
        )

    @cached_property
    def weights(self) -> tuple[Expr, ...]:
        """The second derivatives by all scores, the upper triangle row by row; the first is the weight."""
        scores = (PREDICTION, *map(Parameter, self.own_parameters))
        loss = [derivative(slope, by) for slope_number, slope in enumerate(self.slopes) for by in scores[slope_number:]]
        return (self.expressions[2], *loss[1:])

    def of_rows(self, formula: str | Expr, quantities: Mapping[Expr, Array]) -> Array:
        """Evaluate a formula, given for each symbol an array with one number per row."""
        from descend.formula.compile import compile_expression

        expression = self.read(formula) if isinstance(formula, str) else formula
        if not self.plain:
            quantities = {**quantities, **self.__dict__.get("_own", {}), **quantities}  # rows first; these count, too
            if expression.atoms(Column, Parameter) - quantities.keys():
                raise ConfigError(
                    f"The {self.name} loss has columns or parameters of its own, which are not known here."
                )
        with np.errstate(invalid="ignore"):  # where a prediction lies outside its domain, nan says so
            values_of_rows = compile_expression(expression, tuple(quantities))(*quantities.values())
        if np.ndim(values_of_rows) == 0:
            return np.full(np.shape(next(iter(quantities.values()))), float(values_of_rows))
        result: Array = values_of_rows
        return result


def derivative(expression: Expr, by: Expr) -> Expr:
    """Return the derivative of a formula of a loss by the prediction, or by a parameter of its own."""
    from descend.formula.derivative import derivatives

    return derivatives(expression.xreplace({RESIDUAL: PREDICTION - RESPONSE}), [by])[by]


@lru_cache(maxsize=256)
def _with_parameters(formula: Formula, names: tuple[str, ...]) -> Formula:
    """Return a formula with these parameters added: the same one each time, as compiled code is kept by formula."""
    if not names:
        return formula
    return dataclasses.replace(formula, parameters={**formula.parameters, **dict.fromkeys(names)})


def _gamma_tail(*arguments: Expr) -> Expr:
    from descend.formula.functions import DERIVED_ONLY

    return DERIVED_ONLY["gamma_tail"].build(*arguments)


@lru_cache(maxsize=256)
def _expression(text: str, settings: tuple[tuple[str, Any], ...], parameters: tuple[str, ...]) -> Expr:
    """Read a formula of a loss, its settings as numbers or columns."""
    from descend.formula.build import Builder
    from descend.formula.compile import compile_expression
    from descend.formula.real_functions import RealFunction
    from descend.formula.symbols import number
    from descend.formula.syntax import parse_expression

    symbols: dict[str, Expr] = {symbol.name: symbol for symbol in SYMBOLS}
    symbols |= {name: Column(value) if isinstance(value, str) else number(float(value)) for name, value in settings}
    symbols |= {name: Parameter(name) for name in parameters}
    expression = Builder(text, tuple(symbols), extra={"gamma_tail": (_gamma_tail, (3,))}).build(parse_expression(text))
    expression = expression.xreplace({Column(name): symbol for name, symbol in symbols.items()})
    of_settings = [node for node in expression.atoms(RealFunction) if not node.free_symbols]
    expression = expression.xreplace({node: number(float(compile_expression(node, ())())) for node in of_settings})
    if not all(math.isfinite(float(each)) for each in expression.atoms(Number)):
        written = ", ".join(f"{name} = {value:g}" for name, value in settings if not isinstance(value, str))
        raise ConfigError(
            f"With {written} a formula of the loss holds numbers beyond those of floating point. Measure the response "
            "in another unit."
        )
    return expression
