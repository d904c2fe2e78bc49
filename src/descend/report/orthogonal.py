"""The mathematics of a fit whose inputs have errors, as MathML: J with the true inputs of each row eliminated."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from descend.formula import Formula
from descend.formula.derivative import slopes
from descend.formula.printers.mathml import as_mathml, written
from descend.formula.symbols import Column, Parameter, RealSymbol
from descend.losses import Loss
from descend.losses.formulas import RESIDUAL
from descend.models.inexact import Sigma
from descend.report.mathematics import MEAN, MOST_OPERATIONS, math_of, model

MULTIPLIER = RealSymbol("lambda")
FACTOR = as_mathml(MULTIPLIER)
DISTANCE = "<mi>e</mi>"
PULL = RealSymbol("pull")
PULL_SHOWN = f"<mfrac><mrow><msup><mi>l</mi><mo>′</mo></msup><mo>(</mo>{DISTANCE}<mo>)</mo></mrow>{DISTANCE}</mfrac>"
"""What a robust loss makes of the factor 2."""


def equations(
    formula: Formula, loss: Loss, inexact: Mapping[str, Sigma], sigma: str | None, weights: str | None
) -> list[str]:
    """Write the model, J, the pull of a row on its curve, and dJ/dparameter, as ``<math>`` elements.

        J = 1/n sum min over delta of  omega (f(x + delta) - y)**2 + sum over k of (delta_k / sigma_k)**2,
        dJ/dtheta = 1/n sum 2 lambda df/dtheta at x + delta,   lambda = omega (f(x + delta) - y)

    omega is 1/sigma**2, the weight, or 1. An implicit curve has to be met exactly, and lambda is then the multiplier,
    -sum f_k delta_k / sum (sigma_k f_k)**2 with f_k the derivatives of f by the inputs (see ``OrthogonalKernel``).

    Under a robust loss l that least cost is the square of a distance e,

        J = 1/n sum l(e),   dJ/dtheta = 1/n sum l'(e)/e lambda df/dtheta.
    """
    implicit = not formula.response.atoms(Column)
    true_columns = {Column(name): _true(name) for name in inexact}
    function = as_mathml(formula.expression, true_columns)
    residual = f"<mrow><mo>(</mo>{function}<mo>−</mo>{as_mathml(formula.response)}<mo>)</mo></mrow>"
    distance = "<mo>+</mo>".join(_ratio(_delta(name), _sigma(name, size)) for name, size in inexact.items())
    deltas = "<mo>,</mo>".join(map(_delta, inexact))
    minimum_html = f'<munder><mo movablelimits="false">min</mo><mrow>{deltas}</mrow></munder>'
    if implicit:
        exact = f"<mo>,</mo><mspace width='1em'/>{function}<mo>=</mo><mn>0</mn>"
        inner = f"<mrow><mo>(</mo>{distance}<mo>)</mo></mrow>{exact}"
        multiplier = f"{FACTOR}<mo>=</mo><mo>−</mo>{_by_inputs(inexact)}"
    else:
        omega = _omega(sigma, weights)
        inner = f"<mrow><mo>(</mo>{omega}<msup>{residual}<mn>2</mn></msup><mo>+</mo>{distance}<mo>)</mo></mrow>"
        multiplier = f"{FACTOR}<mo>=</mo>{omega}{residual}"
    first = (
        math_of(f"<mn>0</mn><mo>=</mo>{as_mathml(formula.expression)}", str(formula)) if implicit else model(formula)
    )
    lines = [first, *_objective(loss, f"{minimum_html}{inner}")]
    lines.append(math_of(multiplier, "lambda, how strongly a row pulls on the curve"))
    return lines + _gradient(formula, true_columns, 2 if loss.quadratic else PULL)


def _objective(loss: Loss, html: str) -> list[str]:
    """Write J, the mean of the least costs, or of what a robust loss makes of their roots."""
    if loss.quadratic:
        return [math_of(f"<mi>J</mi><mo>=</mo>{MEAN}{html}", "J, the mean of the least cost of each row")]
    value = as_mathml(loss.expressions[0], {RESIDUAL: DISTANCE})
    return [
        math_of(
            f"<mi>J</mi><mo>=</mo>{MEAN}<mi>l</mi><mo>(</mo>{DISTANCE}<mo>)</mo>", "J, the mean loss of the distances"
        ),
        math_of(f"<msup>{DISTANCE}<mn>2</mn></msup><mo>=</mo>{html}", "e, the distance of a row from the curve"),
        math_of(f"<mi>l</mi><mo>(</mo>{DISTANCE}<mo>)</mo><mo>=</mo>{value}", "the loss of a distance"),
    ]


def _gradient(formula: Formula, true_columns: Mapping[Expr, str], factor: Expr | int) -> list[str]:
    """Write dJ/dparameter for parameters that are numbers; nothing where it is too long, or there are others.

    factor: of the multiplier.
    """
    names = [name for name, labels in formula.parameters.items() if labels is None]
    if formula.terms or formula.expression.count_ops() > MOST_OPERATIONS:
        return []
    symbols = [symbol for symbol in formula.expression.free_symbols if isinstance(symbol, Parameter)]
    by_name = {symbol.name: symbol for symbol in symbols}
    expressions = slopes(formula.expression, [by_name[name] for name in names if name in by_name]).with_limits
    lines = []
    for name in names:
        slope_html = as_mathml(factor * MULTIPLIER * expressions[by_name[name]], {**true_columns, PULL: PULL_SHOWN})
        left = f"<mfrac><mrow><mo>∂</mo><mi>J</mi></mrow><mrow><mo>∂</mo>{written(name)}</mrow></mfrac>"
        lines.append(math_of(f"{left}<mo>=</mo>{MEAN}{slope_html}", f"dJ/d{name}"))
    return lines


def _true(name: str) -> str:
    """Write the true value of an input: what was measured, moved by delta."""
    return f"<mrow><mo>(</mo>{written(name)}<mo>+</mo>{_delta(name)}<mo>)</mo></mrow>"


def _delta(name: str) -> str:
    return f"<msub><mi>δ</mi>{written(name)}</msub>"


def _sigma(name: str, sigma: Sigma) -> str:
    return written(sigma) if isinstance(sigma, str) else f"<mn>{sigma:g}</mn>"


def _ratio(above: str, below: str) -> str:
    return f"<msup><mrow><mo>(</mo><mfrac>{above}{below}</mfrac><mo>)</mo></mrow><mn>2</mn></msup>"


def _omega(sigma: str | None, weights: str | None) -> str:
    if sigma is not None:
        return f"<mfrac><mn>1</mn><msup>{written(sigma)}<mn>2</mn></msup></mfrac>"
    return written(weights) if weights is not None else ""


def _by_inputs(inexact: Mapping[str, Sigma]) -> str:
    slope = {name: f"<msub><mi>f</mi>{written(name)}</msub>" for name in inexact}
    above = "<mo>+</mo>".join(f"{slope[name]}{_delta(name)}" for name in inexact)
    squares = {name: f"<msup>{_sigma(name, size)}<mn>2</mn></msup>" for name, size in inexact.items()}
    below = "<mo>+</mo>".join(f"{squares[name]}<msup>{slope[name]}<mn>2</mn></msup>" for name in inexact)
    return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"
