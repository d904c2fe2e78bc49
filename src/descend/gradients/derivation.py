"""The gradient of a formula under a loss, written out: as text, LaTeX, NumPy, PyTorch and SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Expr

from descend.formula.derivative import Slopes, slopes
from descend.formula.formula import Formula
from descend.formula.functions import imports
from descend.formula.named_curve import NamedCurve
from descend.formula.printers import groups
from descend.formula.printers.code import (
    NUMPY,
    POWER,
    PRODUCT,
    SQL,
    TEXT,
    TORCH,
    LackingError,
    Language,
    Writer,
    identifier,
    quoted,
)
from descend.formula.printers.latex import as_latex
from descend.formula.real_functions import where
from descend.formula.symbols import Column, Parameter, Predictor
from descend.losses import Loss
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.showing import Shown

MOST_TO_SIMPLIFY = 60
"""Operations beyond which SymPy's own simplification takes longer than it is worth."""
LANGUAGES = {"text": TEXT, "latex": None, "numpy": NUMPY, "torch": TORCH, "sql": SQL}


@dataclass(frozen=True, eq=False)
class Derivation(Shown):
    """dJ/dparameter for J = mean of the loss over rows.

    ``str()`` writes it in every language; ``gradient`` holds, for each parameter, the expression whose mean over
    rows is the derivative (for a vector ``w @ [x1, x2]``: the factor of the columns).
    """

    formula: Formula
    loss: Loss

    @cached_property
    def score(self) -> Expr:
        return self.loss.score(self.formula.expression)

    @property
    def _curves(self) -> Iterator[tuple[NamedCurve, str]]:
        """The named curves in the formula, and what each of them stands for."""
        for curve in self.formula.curves:
            yield curve, Writer(TEXT).write(self.formula.as_typed(curve.value))

    @cached_property
    def value(self) -> Expr:
        """The loss of one row."""
        return self.formula.as_typed(self._in_data(self.loss.expressions[0]))

    @cached_property
    def gradient(self) -> dict[Expr, Expr]:
        """For each scalar parameter and each predictor, the expression to average, right in every row."""
        return {**self._slopes.with_limits, **self._own}

    @cached_property
    def _own(self) -> dict[Expr, Expr]:
        """The derivatives with respect to the loss's own parameters."""
        slopes = zip(self.loss.own_parameters, self.loss.slopes[1:], strict=True) if self.loss.own_parameters else ()
        return {Parameter(name): self.formula.as_typed(self._in_data(slope)) for name, slope in slopes}

    @cached_property
    def _slopes(self) -> Slopes:
        score, response = (self.formula.as_typed(side, held=True) for side in (self.score, self.formula.response))
        residual = {RESIDUAL: PREDICTION - RESPONSE}
        slope = self.loss.expressions[1].xreplace(residual).xreplace({PREDICTION: score, RESPONSE: response})

        # SymPy would waste seconds on the conditions of a loss.
        def written(part: Expr) -> Expr:
            if part.has(where):
                return slope * part
            return slope * simplest(part, plain) if slope.has(where) else simplest(slope * part, plain)

        score_slopes = slopes(score, self.formula.unknowns)
        # Where a part is infinite, (a + b*u)/(1 + u) is nan though a/(1 + u) + b*u/(1 + u) is not.
        plain = all(edge is sympy.false for slope_parts in score_slopes.parts.values() for edge in slope_parts)
        return score_slopes.written(written)

    def _in_data(self, expression: Expr) -> Expr:
        residual = {RESIDUAL: PREDICTION - RESPONSE}
        return expression.xreplace(residual).xreplace({PREDICTION: self.score, RESPONSE: self.formula.response})

    def written(self, language: str) -> dict[str, str]:
        """Return dJ/dparameter in one language, by parameter name."""
        return {name: self._derivative(name, language) for name in self.formula.parameters}

    def _parts(self, name: str, language: str) -> list[tuple[Expr, Expr]]:
        """Return the parts of a parameter's derivative: one, or one for each column list that a vector multiplies.

        LaTeX, which is read rather than run, goes without the limits.
        """
        return [
            (symbol, part)
            for symbol, part in ({**self._slopes.inside, **self._own} if language == "latex" else self.gradient).items()
            if (self.formula.terms[symbol].vector if isinstance(symbol, Predictor) else symbol.name) == name
        ]

    def _derivative(self, name: str, language: str) -> str:
        slope_parts = self._parts(name, language)
        if language == "latex":
            inner = " + ".join(f"{_latex_factor(slope)}{self._latex_columns(symbol)}" for symbol, slope in slope_parts)
            below = as_latex(Parameter(name))
            below = below if self._left(name) == name else f"{{{below}}}_g"
            left = rf"\frac{{\partial J}}{{\partial {below}}}"
            return rf"{left} = \frac{{1}}{{n}} \sum_{{i=1}}^{{n}} {inner}"
        if language == "sql":
            return ", ".join(text for symbol, slope in slope_parts for text in self._averages(name, symbol, slope))
        write = self._writer(LANGUAGES[language]).write
        if language == "text":
            terms_inside = [
                write(slope) if not isinstance(symbol, Predictor) else f"{write(slope, PRODUCT)} * {self._list(symbol)}"
                for symbol, slope in slope_parts
            ]
            return f"mean({' + '.join(terms_inside)})"
        return " + ".join(self._python_mean(symbol, write(slope), language) for symbol, slope in slope_parts)

    def _python_mean(self, symbol: Expr, mean_text: str, language: str) -> str:
        module, matrix = ("np", "axis=0") if language == "numpy" else ("torch", "dim=0")
        if isinstance(symbol, Predictor):
            return f"{module}.mean(({mean_text})[:, None] * {self._matrix(symbol)}, {matrix})"
        if not self.gradient[symbol].atoms(Column, Predictor):
            return mean_text  # the same for every row, so it is its own mean
        return f"{module}.mean({mean_text})"

    def _averages(self, name: str, symbol: Expr, slope: Expr) -> list[str]:
        write = self._writer(SQL).write
        if not isinstance(symbol, Predictor):
            return [f"avg({write(slope)}) as {quoted(name)}"]
        term = self.formula.terms[symbol]
        if term.levels is None:
            products = [write(slope * item) for item in term.items]
        else:
            products = [
                f"case when {groups.condition(term.levels, key)} then {write(slope * item)} else 0 end"
                for key in term.levels.keys
                for item in term.each
            ]
        named = zip(products, term.labels, strict=True)
        return [f"avg({product}) as {quoted(f'{name}[{label}]')}" for product, label in named]

    def _list(self, symbol: Expr) -> str:
        levels, items_text = self.formula.terms[symbol].levels, str(symbol.name).partition(" @ ")[2]
        return " * ".join(filter(None, ("" if levels is None else groups.in_group(levels), items_text)))

    def _matrix(self, symbol: Expr) -> str:
        number = [*self.formula.terms].index(symbol)
        return f"X{number + 1}" if len(self.formula.terms) > 1 else "X"

    def _latex_columns(self, symbol: Expr) -> str:
        if not isinstance(symbol, Predictor):
            return ""
        term = self.formula.terms[symbol]
        items = "" if term.each == (1,) else rf" \left[{', '.join(map(as_latex, term.each))}\right]^\top"
        if term.levels is None:
            return items
        columns = ", ".join(as_latex(Column(name)) for name in term.levels.columns)
        return rf" \left[{columns} = g\right]{items}"

    def _writer(self, language: Language | None) -> Writer:
        assert language is not None
        names: dict[Expr, str] = {}
        for symbol, term in self.formula.terms.items():
            if language in (NUMPY, TORCH):
                names[symbol] = f"({self._matrix(symbol)} @ {identifier(term.vector)})"
            elif language is SQL and term.levels is not None:
                groups.refuse_unknown(term.levels)
                values = [f"${identifier(term.vector)}_{number}" for number in range(1, len(term.labels) + 1)]
                names[symbol] = f"({groups.by_group(term, values)})"
            elif language is SQL:
                products = [
                    f"${identifier(term.vector)}_{number}*{Writer(SQL).write(item, POWER)}"
                    for number, item in enumerate(term.items, 1)
                ]
                names[symbol] = f"({' + '.join(products)})"
        if language is SQL:
            names |= {
                Parameter(name): f"${identifier(name)}"
                for name, labels in self.formula.parameters.items()
                if labels is None
            }
        return Writer(language, names)

    def matrices(self, language: str) -> list[str]:
        """Return the lines that build the matrices of ``w @ [...]`` in NumPy or PyTorch."""
        stack = "np.column_stack" if language == "numpy" else "torch.column_stack"
        write, lines = self._writer(LANGUAGES[language]).write, []
        for symbol, term in self.formula.terms.items():
            stacked, matrix = f"{stack}([{', '.join(write(item) for item in term.each)}])", self._matrix(symbol)
            if term.levels is None:
                lines.append(f"{matrix} = {stacked}")
            else:
                lines += groups.matrix(term, matrix, stacked, language)
        return lines

    def code(self, language: str) -> str:
        """Return the whole gradient in one language, ready to be pasted.

        Raises FormulaError where the language lacks a function.
        """
        code_lines = self.written(language)
        if language in ("numpy", "torch"):
            lines = [*self.matrices(language), *(f"d{identifier(name)} = {text}" for name, text in code_lines.items())]
            return "\n".join([*imports(lines), *lines])
        if language == "sql":
            return f"select {', '.join(code_lines.values())} from data"
        if language == "latex":
            return "\n".join(code_lines.values())
        return "\n".join(f"dJ/d{self._left(name)} = {text}" for name, text in code_lines.items())

    def _left(self, name: str) -> str:
        return f"{name}[g]" if name in self.formula.groups else name

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values; ``lacking`` says why a language is not among them."""
        written: dict[str, dict[str, str]] = {}
        lacking: dict[str, str] = {}
        for language in LANGUAGES:
            try:
                written[language] = self.written(language)
            except LackingError as error:
                lacking[language] = str(error)
        plain: dict[str, object] = {
            "formula": self.formula.text,
            "columns": list(self.formula.given),
            "parameters": list(self.formula.parameters),
            "loss": str(self.loss),
            "objective": f"mean({Writer(TEXT).write(self.value)})",
            "gradient": {
                name: {language: text[name] for language, text in written.items()} for name in self.formula.parameters
            },
            "code": {language: self.code(language) for language in written},
        }
        if self.formula.curves:
            plain["curves"] = [{"name": curve.name, "text": curve.text, "value": text} for curve, text in self._curves]
        return plain | ({"lacking": lacking} if lacking else {})

    def shown(self, language: str) -> str:
        """Return the whole gradient in one language, or a comment that says why it cannot."""
        try:
            return self.code(language)
        except LackingError as error:
            return f"{'--' if language == 'sql' else '#'} {error}"

    def __str__(self) -> str:
        titles = {"latex": "LaTeX", "numpy": "NumPy", "torch": "PyTorch", "sql": "SQL"}
        blocks = ["\n".join(f"{curve.text} = {text}" for curve, text in self._curves)] if self.formula.curves else []
        blocks += [f"J = mean({Writer(TEXT).write(self.value)})", self.code("text")]
        blocks += [
            f"{title}\n" + "\n".join(f"    {line}" for line in self.shown(language).splitlines())
            for language, title in titles.items()
        ]
        return "\n\n".join(blocks)


def _latex_factor(slope: Expr) -> str:
    text = as_latex(slope)
    return rf"\left({text}\right)" if slope.is_Add else text


def simplest(expression: Expr, plain: bool = True) -> Expr:
    """Return the shortest of a few equal forms of ``expression``; unless ``plain``, none with another denominator."""
    forms = [expression, sympy.factor_terms(expression), sympy.powsimp(expression)]
    if plain and expression.count_ops() <= MOST_TO_SIMPLIFY:
        forms.append(sympy.simplify(expression))
        forms.append(sympy.factor_terms(forms[-1]))
    return min(forms, key=lambda form: (form.count_ops(), len(str(form))))
