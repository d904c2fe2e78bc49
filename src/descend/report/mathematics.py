"""The formula and its gradient as MathML, which every browser shows, with plain text for readers that cannot."""

from __future__ import annotations

from html import escape

from sympy import Expr

from descend.formula import Formula
from descend.formula.printers.code import as_text
from descend.formula.printers.mathml import as_mathml, written
from descend.formula.symbols import Predictor, RealSymbol, Term
from descend.gradients.derivation import Derivation
from descend.losses.formulas import PREDICTION, RESPONSE

MOST_OPERATIONS = 400
"""A longer expression does not help on a page, and takes long to simplify."""
SPACE = '<mspace width="0.25em"/>'
MEAN = (
    f"<mfrac><mn>1</mn><mi>n</mi></mfrac>{SPACE}"
    f'<munder><mo movablelimits="false">∑</mo><mtext>rows</mtext></munder>{SPACE}'
)


def model(formula: Formula) -> str:
    """Write ``response = expression``, the model's prediction, as a ``<math>`` element."""
    body = f"<mover><mrow>{as_mathml(formula.as_typed(formula.response))}</mrow><mo>^</mo></mover><mo>=</mo>"
    return math_of(body + as_mathml(formula.as_typed(formula.expression)), str(formula))


def objective(derivation: Derivation, added: str = "") -> str:
    """Write J, the mean of the loss over rows, as a ``<math>`` element. added: what else there is, in a word."""
    names = {PREDICTION: f"<mover>{_response(derivation)}<mo>^</mo></mover>", RESPONSE: _response(derivation)}
    value = derivation.loss.expressions[0]
    residual = {symbol: PREDICTION - RESPONSE for symbol in value.free_symbols if symbol.name == "r"}
    inner = value.xreplace(residual)
    penalty_html = f"<mo>+</mo><mtext>{added}</mtext>" if added else ""
    body = f"<mi>J</mi><mo>=</mo>{MEAN}{_bracketed(inner, as_mathml(inner, names))}{penalty_html}"
    return math_of(body, f"J = mean({as_text(derivation.value)})")


def gradient(derivation: Derivation) -> list[tuple[str, str]]:
    """Write dJ/dparameter as a ``<math>`` element, with the name of each parameter; nothing if it is too long."""
    if derivation.formula.expression.count_ops() > MOST_OPERATIONS:
        return []
    texts = derivation.written("text")
    return [(name, math_of(_derivative(derivation, name), f"dJ/d{name} = {texts[name]}")) for name in texts]


def _derivative(derivation: Derivation, name: str) -> str:
    derivative_html = []
    for symbol, derivative in derivation.gradient.items():
        term = derivation.formula.terms.get(symbol) if isinstance(symbol, Predictor) else None
        if (symbol.name if term is None else term.vector) != name:
            continue
        inner = _bracketed(derivative, as_mathml(derivative))
        if term is not None:
            inner += _of_group(term) + _list(term)
        derivative_html.append(inner)
    sum_of_parts = "<mo>+</mo>".join(derivative_html)
    below = f"<msub>{written(name)}<mi>g</mi></msub>" if name in derivation.formula.groups else written(name)
    left = f"<mfrac><mrow><mo>∂</mo><mi>J</mi></mrow><mrow><mo>∂</mo>{below}</mrow></mfrac>"
    return f"{left}<mo>=</mo>{MEAN}{sum_of_parts}"


def _of_group(term: Term) -> str:
    """Write what is 1 in the rows of the group g, and else 0."""
    if term.levels is None:
        return ""
    columns = "<mo>,</mo>".join(map(written, term.levels.columns))
    return f"<mrow><mo>[</mo>{columns}<mo>=</mo><mi>g</mi><mo>]</mo></mrow>"


def _list(term: Term) -> str:
    if term.levels is not None and term.each == (1,):
        return ""
    items = "<mo>,</mo>".join(as_mathml(item) for item in term.each)
    return f"<msup><mrow><mo>[</mo>{items}<mo>]</mo></mrow><mo>⊤</mo></msup>"


def _response(derivation: Derivation) -> str:
    response = derivation.formula.response
    response_html = as_mathml(response)
    return response_html if isinstance(response, RealSymbol) else f"<mrow>{response_html}</mrow>"


def _bracketed(expression: Expr, markup: str) -> str:
    return f"<mrow><mo>(</mo>{markup}<mo>)</mo></mrow>" if expression.is_Add else markup


def math_of(body: str, text: str) -> str:
    """Return a ``<math>`` element; text: for readers that cannot show it."""
    return f'<math display="block" alttext="{escape(text)}"><mrow>{body}</mrow></math>'
