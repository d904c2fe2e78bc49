"""The ordinal loss: classes with an order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from sympy import Add, Expr, Integer, Lt, Rational, Symbol

from descend.formula.real_functions import where
from descend.formula.symbols import Parameter, Quantity
from descend.losses.classes import Classes
from descend.losses.formulas import PREDICTION, RESPONSE, Array, derivative
from descend.registry import setting

UPPER, LOWER = Quantity("upper"), Quantity("lower")
"""The cutpoints above and below the class of a row, less its prediction."""
TEXTS = {
    "logit": (
        "softplus(-upper)",
        "softplus(-upper) + softplus(lower) - log(-expm1(lower - upper))",
        "softplus(lower)",
    ),
    "probit": (
        "-log_ndtr(upper)",
        # From the tail in which the class lies, as the difference of two probabilities near 1 has no digits.
        "where(upper + lower < 0, -log_ndtr(upper) - log(-expm1(log_ndtr(lower) - log_ndtr(upper))),"
        " -log_ndtr(-lower) - log(-expm1(log_ndtr(-upper) - log_ndtr(-lower))))",
        "-log_ndtr(-lower)",
    ),
}
"""-log(F(upper) - F(lower)) of the lowest class, of those between, and of the highest one."""


@dataclass(frozen=True)
class Ordinal(Classes):
    """Negative log-likelihood of classes with an order, 0 to K - 1, as cut from a scale on which the prediction lies.

        P(y <= k) = F(cut_k - prediction),   F = sigmoid (logit) or the normal distribution function (probit)

    The cutpoints ``cut1`` < ``cut2`` < ... are parameters of the loss: cut1 parts the lowest class from the next. They
    stand for the intercept, so that the formula has none: `rating ~ a*price + b*age`. Numbers have an order of their
    own, and so have ordered categories; words need one: `ordinal(levels="low, medium, high")`.

    The loss is convex in prediction and cutpoints; where they are not in order it has no value. It is computed from
    logarithms of probabilities, so that no digit is lost far from the data. `predict` returns the likeliest class.
    method: ``"logit"`` (proportional odds) or ``"probit"``.

    Source: McCullagh (1980), J. R. Stat. Soc. B 42, 109-142; convexity: Pratt (1981), J. Am. Stat. Assoc. 76, 103-106.

    >>> loss = Ordinal(levels="low, medium, high").given({}, {"cut1": -1.0, "cut2": 1.0})
    >>> loss.value(prediction=np.zeros(3), y=np.array([0.0, 1.0, 2.0])).round(4)
    array([1.3133, 0.7719, 1.3133])
    """

    method: str = setting("logit", choices=tuple(TEXTS))

    name = "ordinal"
    aliases = "ordered polr proportional_odds cumulative ordered_logit ordered_probit"
    chinese = "有序类别"
    advised_for = "ordered levels"
    ordered = True
    shifts = True
    convex = True

    @cached_property
    def _cuts(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(f"cut{k}") for k in range(1, self.size))

    @property
    def own_parameters(self) -> dict[str, float]:
        shares = (k / self.size for k in range(1, self.size))
        return {cut.name: math.log(share / (1.0 - share)) for cut, share in zip(self._cuts, shares, strict=True)}

    def _by_class(self, class_expressions: tuple[Expr, Expr, Expr]) -> Expr:
        """Return an expression of the lowest class, those between and the highest one, in place."""
        last = self.size - 1
        lowest, between, highest = class_expressions
        loss_of_class = where(_below(1), lowest, where(_below(last), between, highest) if last > 1 else highest)
        upper, lower = self._cuts[-1] + 1, self._cuts[-1]  # of the highest class; any upper one will do
        for place in range(last - 1, -1, -1):
            upper = where(_below(place + 1), self._cuts[place], upper)
            lower = where(_below(place + 1), self._cuts[place - 1] if place else self._cuts[0] - 1, lower)
        ends: dict[Expr, Expr] = {UPPER: upper - PREDICTION, LOWER: lower - PREDICTION}
        return loss_of_class.xreplace(ends)

    def _of_cut(self, k: int, above: Expr, below: Expr) -> Expr:
        """Return what holds in the rows of the class below cutpoint k, and what in those of the class above it."""
        return where(_below(k), Integer(0), where(_below(k + 1), above, where(_below(k + 2), below, Integer(0))))

    @cached_property
    def _derivatives(self) -> dict[str, Expr]:
        return {name: self._by_class(expressions) for name, expressions in _derivatives(self.method).items()}

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        d = self._derivatives
        return d["value"], -d["u"] - d["l"], d["uu"] + 2 * d["ul"] + d["ll"]

    @cached_property
    def slopes(self) -> tuple[Expr, ...]:
        d = self._derivatives
        return (self.expressions[1], *(self._of_cut(k, d["u"], d["l"]) for k in range(len(self._cuts))))

    @cached_property
    def weights(self) -> tuple[Expr, ...]:
        d, count = self._derivatives, len(self._cuts)
        loss_weights = [self.expressions[2]]
        loss_weights += [self._of_cut(k, -d["uu"] - d["ul"], -d["ul"] - d["ll"]) for k in range(count)]
        for k in range(count):
            loss_weights.append(self._of_cut(k, d["uu"], d["ll"]))
            if k + 1 < count:  # the class between both
                loss_weights.append(where(_below(k + 1), Integer(0), where(_below(k + 2), d["ul"], Integer(0))))
            loss_weights += [Integer(0)] * (count - k - 2)
        return tuple(loss_weights)

    def on_response(self, expression: Expr) -> Expr:
        """Return the mean place of the classes: the sum over the cutpoints of the probability of a class above them."""
        from descend.formula.functions import FUNCTIONS

        above = {"logit": "sigmoid", "probit": "normal_cdf"}[self.method]
        return Add(*(FUNCTIONS[above].build(expression - cut) for cut in self._cuts))

    def probabilities(self, score: Array, parameters: Mapping[str, float]) -> Array:
        from scipy.special import expit, ndtr

        up_to = {"logit": expit, "probit": ndtr}[self.method]
        ends = np.concatenate([[-np.inf], [float(parameters[cut.name]) for cut in self._cuts], [np.inf]])
        away = ends - np.asarray(score)[:, None]
        # Above the middle the complements are subtracted, which keeps the digits of small probabilities.
        below, above = np.diff(up_to(away), axis=1), -np.diff(up_to(-away), axis=1)
        class_probabilities: Array = np.where(away[:, :-1] + away[:, 1:] < 0.0, below, above)
        return class_probabilities


def _below(k: int) -> Expr:
    """Whether the class of a row is one of the first k."""
    return Lt(RESPONSE, k - Rational(1, 2), evaluate=False)


@lru_cache
def _derivatives(method: str) -> dict[str, tuple[Expr, Expr, Expr]]:
    """Return value and derivatives by ``upper`` and ``lower`` of the lowest class, those between, and the highest."""
    from descend.formula.build import Builder
    from descend.formula.syntax import parse_expression

    def read(text: str) -> Expr:
        built = Builder(text, ("upper", "lower")).build(parse_expression(text))
        named: dict[Symbol, Expr] = {symbol: Quantity(symbol.name) for symbol in built.free_symbols}
        return built.xreplace(named)

    values = [read(text) for text in TEXTS[method]]
    by_upper, by_lower = ([derivative(value, end) for value in values] for end in (UPPER, LOWER))
    class_derivatives = {"value": values, "u": by_upper, "l": by_lower}
    class_derivatives["uu"] = [derivative(each, UPPER) for each in by_upper]
    class_derivatives["ul"] = [derivative(each, LOWER) for each in by_upper]
    class_derivatives["ll"] = [derivative(each, LOWER) for each in by_lower]
    return {name: (expressions[0], expressions[1], expressions[2]) for name, expressions in class_derivatives.items()}
