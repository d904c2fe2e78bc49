"""The gradient as the user wrote it: as text, or as a Python function."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
import sympy
from sympy import Expr

from descend.errors import ConfigError, FormulaError
from descend.formula import syntax
from descend.formula.build import Builder, Extra
from descend.formula.equations import in_full
from descend.formula.formula import Formula
from descend.formula.functions import DERIVED_ONLY
from descend.formula.printers.code import as_text
from descend.formula.real_functions import where
from descend.formula.row_code import COUNT
from descend.formula.symbols import Column, Component, Parameter, Predictor
from descend.gradients.contract import Array
from descend.gradients.derived import Program, derived, row_sum
from descend.gradients.numeric import NumericKernel
from descend.losses import Loss
from descend.models import Call, Model
from descend.parameters import Constraints, Parameters
from descend.registry import closest
from descend.table.levels import Levels

EXAMPLE = "Write it as `w = mean(2*x*(w*x - y))`."
STEP = float(np.finfo(np.float64).eps ** (1 / 3))
"""Relative step of a central difference, where its two errors balance."""
LEAST = 1e-3
"""Size of a parameter below which the step no longer shrinks with it."""


@lru_cache(maxsize=128)
def by_hand(
    formula: Formula,
    loss: Loss,
    texts: tuple[str, ...],
    columns: tuple[str, ...],
    constraints: Constraints | None = None,
) -> Program:
    """Read a gradient such as ``w = mean(2*w*x*x - 2*x*y)``, one text per parameter component.

    mean( ) and sum( ) run over rows, n is the number of rows; with row weights they are weighted. Of a parameter with a
    value for each group one text is given, ``a = mean(...)``, of which the rows of a group make that of its value.
    constraints: which parameters are fixed or tied. Fixed ones need no gradient; that of a tied one is needed, and
    adds to those of the parameters it is tied to, by the chain rule.
    Raises FormulaError for a parameter without a gradient, one too many, or text that cannot be read.
    """
    loss.refuse_own()
    program = derived(formula, loss)
    every = program.parameters if constraints is None else constraints.parameters
    slopes_by_hand: dict[str, Expr] = {}
    for text in texts:
        equations_read, expression = _read(
            text, formula, tuple(every.shapes), columns, {} if constraints is None else constraints.given
        )
        for label, slope_by_hand in _of_groups(equations_read, expression, every):
            if label in slopes_by_hand:
                raise FormulaError(f"The gradient of `{equations_read}` is given twice. Give one for each parameter.")
            if label not in every.labels:
                raise FormulaError(
                    f"There is no parameter `{label}` to give a gradient for.{closest(label, every.labels)} "
                    f"Parameters: {', '.join(every.labels)}."
                )
            slopes_by_hand[label] = slope_by_hand
    tied = {} if constraints is None else constraints.tied
    missing = [label for label in (*program.parameters.labels, *tied) if label not in slopes_by_hand]
    if missing:
        label = _as_given(missing[0], every)
        raise FormulaError(f"No gradient is given for `{label}`. Add one, for example `{label} = mean(...)`.")
    columns_read = {symbol.name for expression in slopes_by_hand.values() for symbol in expression.atoms(Column)}
    columns_added = tuple(name for name in columns if name in columns_read and name not in formula.columns)
    for name, expression in tied.items():
        for symbol in expression.atoms(Parameter, Component):
            slopes_by_hand[symbol.name] += slopes_by_hand[name] * expression.diff(symbol)
    return dataclasses.replace(
        program,
        by_hand=tuple(slopes_by_hand[label] for label in program.parameters.labels),
        more_columns=(*program.more_columns, *columns_added),
    )


def _read(
    text: str, formula: Formula, parameter: Collection[str], columns: tuple[str, ...], values_held: Mapping[str, Expr]
) -> tuple[str, Expr]:
    """Read one gradient. known: the names of all parameters; held: expressions for those that are fixed or tied."""
    text = in_full(text, columns, parameter)
    name, index, node = syntax.parse_assignment(text)
    # Not allowed in a formula, but they occur in the derivatives that `descend derive` prints.
    extra: dict[str, Extra] = {name: (each.build, (each.arguments[0],)) for name, each in DERIVED_ONLY.items()}
    extra |= {"mean": (lambda inside: _sum(inside) / COUNT, (1,)), "sum": (_sum, (1,))}
    # A pattern such as w @ [x*] takes the columns it took in the formula.
    names_in_use: dict[str, list[str]] = {}
    for term in formula.terms.values():
        names_in_use.setdefault(term.vector, []).extend(item.name for item in term.items if isinstance(item, Column))
    builder = Builder(text, columns, names_in_use, starts=None, extra=extra, levels=formula.levels)
    builder.given = values_held
    expression = builder.resolved(builder.build(node))
    if index is None:
        label = name.name
    elif name.name in formula.groups:
        label = f"{name.name}[{text[index[0].start : index[-1].end]}]"
    else:
        label = f"{name.name}[{', '.join(as_text(builder.build(item)) for item in index)}]"
    _check_parameters(builder, formula, parameter, columns)
    if "n" in builder.parameters and "n" not in parameter:
        expression = expression.xreplace({Parameter("n"): COUNT})
    if any(inner.args[0].has(row_sum) for inner in expression.atoms(row_sum)):
        builder.fail(node, "mean( ) and sum( ) cannot stand inside each other.", EXAMPLE)
    outside = expression.replace(row_sum, lambda inside: sympy.Integer(1))
    if outside.atoms(Column, Predictor):
        stray = min(symbol.name for symbol in outside.atoms(Column, Predictor))
        builder.fail(node, f"`{stray}` differs from row to row, so it must stand inside mean( ) or sum( ).", EXAMPLE)
    return label, expression


def _of_groups(label: str, expression: Expr, every: Parameters) -> list[tuple[str, Expr]]:
    """Return the gradient of each component that a text is for: of all groups at once, for one per group."""
    name, _, label_inside = label.partition("[")
    labels, label_inside = every.groups.get(name), label_inside.removesuffix("]")
    if labels is None:
        return [(label, expression)]
    levels, columns = labels.levels, ", ".join(labels.levels.columns)
    if label_inside not in (labels.parts or ("", columns)):
        one = f"{name}[{labels.parts[0]}]" if labels.parts else name
        raise FormulaError(
            f"The gradient of `{name}` is given for all groups at once, as `{one} = mean(...)`: the rows of a group "
            "make that of its value."
        )
    ends = [f"{group}, {label_inside}" if labels.parts else group for group in levels.labels]
    return [(f"{name}[{end}]", _in_group(expression, levels, group_number)) for group_number, end in enumerate(ends)]


def _as_given(label: str, every: Parameters) -> str:
    """Return the left side of the text that gives the gradient of a component."""
    name = label.partition("[")[0]
    labels = every.groups.get(name)
    if labels is None:
        return label
    return f"{name}[{labels.parts[0]}]" if labels.parts else name


def _in_group(expression: Expr, levels: Levels, group: int) -> Expr:
    """Return an expression whose sums run over the rows of one group only."""
    condition = sympy.Eq(Column(levels.name), group, evaluate=False)
    return expression.replace(row_sum, lambda inside: row_sum(where(condition, inside, sympy.Integer(0))))


def _sum(summand: Expr) -> Expr:
    return summand * COUNT if summand.is_number else row_sum(summand)


def _check_parameters(builder: Builder, formula: Formula, parameter: Collection[str], columns: tuple[str, ...]) -> None:
    """Refuse names that are not in the formula, and vectors that are not in it in this form."""
    for name, (at, labels) in builder.parameters.items():
        if name == "n" and "n" not in parameter and labels is None:
            continue
        if name not in parameter:
            hint = closest(name, [*columns, *parameter])
            problem = f"`{name}` is neither a column nor a parameter of the formula.{hint}"
            builder.fail(at, problem, f"Parameters: {', '.join(parameter)}.")
        if name not in formula.parameters:
            continue  # fixed or tied
        forms = [predictor.name for predictor, term in formula.terms.items() if term.vector == name]
        used = [predictor.name for predictor, term in builder.terms.items() if term.vector == name]
        if not forms and used:
            builder.fail(at, f"`{name}` is a number in the formula, not a vector.", f"Write `{name}`.")
        if forms and (not used or set(used) - set(forms)):
            form_shown = next((form for form in used if form not in forms), name)
            builder.fail(
                at, f"The formula does not hold `{form_shown}`.", f"It holds `{'` and `'.join(forms)}`: write that."
            )


class FunctionKernel(NumericKernel):
    """A Python forward function with a gradient function written by hand, fed with NumPy arrays block by block.

    The gradient function returns dJ/dparameters as means over the rows it is given, weighted if there are row weights,
    which it takes as a column. It returns one number (or vector) for one parameter, a sequence in the order of the
    parameters, or a dict by name, for all parameters including fixed and tied ones, though a dict may leave out fixed
    ones. The curvature is that of the forward function, by central differences.
    """

    def __init__(self, model: Model, gradient: Call) -> None:
        super().__init__(model, gradient.columns)
        self.gradient, self.parameters = gradient, model.parameters

    def gradient_sum(self, theta: Array, columns: Mapping[str, Array], omega: Array) -> Array:
        return self._means(columns, theta) * float(omega.sum())

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        with np.errstate(all="ignore"):
            scores = self.model.scores(theta, columns)
            jacobian = np.empty((len(scores), theta.size))
            for component in range(theta.size):
                step = np.zeros(theta.size)
                step[component] = STEP * max(abs(theta[component]), LEAST)
                up, down = theta + step, theta - step
                change = self.model.scores(up, columns) - self.model.scores(down, columns)
                jacobian[:, component] = change / (up[component] - down[component])
        return scores, jacobian

    def _means(self, columns: Mapping[str, Array], theta: Array) -> Array:
        constraints, name = self.gradient.constraints, self.gradient.name
        parameters = self.parameters if constraints is None else constraints.parameters
        labels = ", ".join(parameters.labels[:12]) + (" ..." if parameters.size > 12 else "")
        result = self.gradient(columns, self.parameters.named(theta))
        if isinstance(result, Mapping):
            if constraints is not None:
                result = {fixed: np.zeros_like(value) for fixed, value in constraints.fixed.items()} | dict(result)
            missing = next((entry for entry in parameters.shapes if entry not in result), None)
            if missing is not None:
                raise ConfigError(
                    f"`{name}` returned no entry for `{missing}`. Return dJ/dparameter for each of {labels}."
                )
            result = [result[entry] for entry in parameters.shapes]
        returned = list(result) if isinstance(result, tuple | list) else [result]
        try:
            flat = np.concatenate([np.asarray(slope_returned, dtype=np.float64).ravel() for slope_returned in returned])
        except (TypeError, ValueError):
            flat = np.empty(0)
        if any(slope_returned is None for slope_returned in returned) or (not flat.size and returned):
            raise ConfigError(
                f"`{name}` returned {result!r:.60}, not numbers. Return dJ/dparameter for each of {labels}."
            )
        if flat.size != parameters.size:
            plural = "s" if parameters.size > 1 else ""
            raise ConfigError(
                f"`{name}` returned {flat.size} numbers for {parameters.size} parameter{plural} ({labels}). "
                "Return dJ/dparameter for each: a mean over rows, not one number per row."
            )
        return flat if constraints is None else constraints.jacobian(theta).T @ flat
