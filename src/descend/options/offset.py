"""Offset and exposure: known terms of the linear predictor, written into the formula before it is read.

With g the inverse of the link, which is the outermost function of the right side, or the identity if there is none:

    offset o:     g(u)    becomes   g(u + o)
    exposure e:   exp(u)  becomes   exp(u + log(e)),   and any other mean m becomes e m

So every engine, derivative, prediction and file has them. Source: McCullagh & Nelder (1989), Generalized Linear
Models, sec. 6.2.
"""

from __future__ import annotations

import math
from typing import Any

from descend.errors import ConfigError
from descend.formula.build import Builder
from descend.formula.equations import levels_in
from descend.formula.functions import Function, function_named
from descend.formula.printers.code import plain_name
from descend.formula.syntax import SUM, formulas_in, parse_expression, parse_formula
from descend.formula.tokens import pointed, tokenize
from descend.formula.tree import Call, Chain, Name, Node
from descend.losses import LOSSES, Loss
from descend.losses.link import log_odds
from descend.options.arrays_in_a_row import unused_column
from descend.options.of_model import OptionsOfModel
from descend.registry import closest
from descend.table import Table, open_table

MEANS = ((0.0, math.inf), (0.0, 1.0))
"""The ranges of inverse links: of positive means, and of probabilities."""


ROLES = ("offset", "exposure")


def with_offset(model: object, data: object, options: dict[str, Any]) -> tuple[object, object]:
    """Return the formula with offset and exposure in it, and the data with a column for each that was given as values.

    options: those of a fit; what was given as values is replaced by the name of its column.

    Raises ConfigError or FormulaError for what is no column, and where the model or the loss has no place for it.

    >>> with_offset("y ~ exp(a + b*x)", {"x": [1], "y": [2], "t": [3]}, {"loss": "poisson", "exposure": "t"})[0]
    'y ~ exp(a + b*x + log(t))'
    """
    for role in ROLES:
        value = options.get(role)
        if value is None:
            continue
        if not isinstance(model, str):
            raise ConfigError(
                f"`{role}` is a term of a formula, and this model is a Python function or module, which adds it "
                "itself: take the column as an argument, as in `np.exp(a + b*x + log_t)`. Leave it out."
            )
        if len(formulas_in(model)) > 1:
            raise ConfigError(f"`{role}` is a term of one formula, and these are several: write it into each of them.")
        table = open_table(data)
        if not isinstance(value, str):
            options[role] = unused_column(role, table, model)
            data = table = table.with_column(options[role], value)
        if role == "exposure":
            _refuse_share(LOSSES.build(options.get("loss", OptionsOfModel.loss)))
        model = _added(model, _term(options[role], role, table), role, table)
    return model, data


def _term(text: str, role: str, table: Table) -> str:
    """Return a column, or an expression of columns, as a formula writes it."""
    if text in table.names:
        return plain_name(text)
    builder = Builder(text, table.names, starts=None)
    builder.build(parse_expression(text))
    for name, (place, _) in builder.parameters.items():
        fault = f"`{name}` is not a column.{closest(name, table.names)}"
        raise pointed(text, place.start, place.end, fault, f"`{role}` is a column, or computed from columns alone.")
    return text.strip()


def _refuse_share(loss: Loss) -> None:
    """Refuse an exposure where the prediction is no mean that it could multiply."""
    if loss.link is not None or loss.prediction_domain.high < math.inf:
        raise ConfigError(
            f"`exposure` multiplies the mean of a count, and under the {loss.name} loss the formula is a probability. "
            "Use the poisson loss, or add a term to the log-odds with `offset`."
        )


def _added(formula: str, term: str, role: str, table: Table) -> str:
    right = parse_formula(formula)[1]
    link = _inverse_link(right)
    if link is None:
        _refuse_hidden(formula, right, role, table)
        sign = next(token for token in tokenize(formula) if token.text == "~").end
        left, mean = formula[:sign], formula[sign:].strip()
        if role == "offset":
            return f"{left} {mean} + {_bracketed(term)}"
        return f"{left} {_bracketed(term)}*{_bracketed(mean)}"
    if role == "exposure" and link.name != "exp":
        return f"{formula[: right.start]}{_bracketed(term)}*{formula[right.start :]}"
    term_added = _bracketed(term) if role == "offset" else f"log({term})"
    end = right.end - 1
    return f"{formula[:end].rstrip()} + {term_added}{formula[end:]}"


def _inverse_link(right: Node) -> Function | None:
    """Return the outermost function of a formula if it makes a mean or a probability of any number, and never falls."""
    if not isinstance(right, Call) or len(right.arguments) != 1:
        return None
    link_inverse = function_named(right.function)
    return link_inverse if link_inverse is not None and link_inverse.rising and link_inverse.range in MEANS else None


def _refuse_hidden(formula: str, right: Node, role: str, table: Table) -> None:
    """Refuse a probability that is not written by its function, as the place of the term would be lost in it."""
    if isinstance(right, Name):
        return
    builder = Builder(formula, table.names, table.numeric_names, None, levels=levels_in(formula, table))
    if log_odds(builder.build(right)) is not None:
        raise ConfigError(
            f"`{role}` is added to the log-odds, and `{formula}` hides them. Write its right side as sigmoid(...)."
        )


def _bracketed(text: str) -> str:
    """Return an expression so that it can be a term or a factor: in brackets if it is a sum."""
    node = parse_expression(text)
    return f"({text})" if isinstance(node, Chain) and node.rank <= SUM else text
