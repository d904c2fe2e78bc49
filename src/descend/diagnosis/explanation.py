"""What a formula reveals before any descent, alone and on a table: the answer of `descend explain`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.beginning import Beginning
from descend.diagnosis.outlook import Outlook, OutlookSettings, outlook
from descend.errors import DescendError
from descend.formula import Formula, as_text, read_formula
from descend.formula.ambiguities import ambiguities
from descend.formula.compile import over_rows
from descend.formula.domain import Limit, limits
from descend.formula.equations import levels_in
from descend.formula.redundancy import redundancies
from descend.formula.structure import RESPONSE_UNIT, even_parameters, interchangeable, linear_unknowns, measures
from descend.formula.symbols import Predictor
from descend.formula.trade_off import Redundancy, joined
from descend.optimizers.curvature import matrix_of
from descend.options.request import Request
from descend.parameters import digits_of
from descend.problem.posing import pose
from descend.problem.response_levels import with_levels
from descend.showing import Shown
from descend.starts.choice_of_start import begin
from descend.table import Table

Array = NDArray[np.float64]
WIDTH = 100


@dataclass(frozen=True)
class Broken:
    """A condition on the data alone that some rows break. rows: how many; first: the first of them, from 1."""

    limit: Limit
    rows: int
    first: int
    value: float

    def __str__(self) -> str:
        text, argument = as_text(self.limit.expression), as_text(self.limit.argument)
        rows = f"{self.rows:,} rows, the first of them row {self.first}" if self.rows > 1 else f"row {self.first}"
        return f"{text}: {argument} is {self.limit.opposite} in {rows}, where it is {self.value:g}"


@dataclass(frozen=True, eq=False)
class Explanation(Shown):
    """What was found. With data, also the scales of columns, rows without a value, the start and the condition there.

    linear, nonlinear: parameters by how they enter. units: of scalar parameters, as products of columns' units.
    arbitrary: sentences on parameters of which another choice predicts the same.
    references: the value of each level that a fit holds.
    start: by label; start_note: how it was found, or why there is none. condition: of the scaled curvature there.
    """

    formula: Formula
    linear: tuple[str, ...]
    nonlinear: tuple[str, ...]
    units: Mapping[str, str]
    redundancies: tuple[Redundancy, ...]
    arbitrary: tuple[str, ...]
    limits: tuple[Limit, ...]
    rows: int | None = None
    source: str = ""
    scales: Mapping[str, tuple[float, float, float]] | None = None
    broken: tuple[Broken, ...] = ()
    references: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, float] | None = None
    start_note: str = ""
    condition: float | None = None
    outlook: Outlook | None = None

    def as_dict(self) -> dict[str, object]:
        """Return all of it as plain values: the object that `--json` prints."""
        scales = self.scales or {}
        return {
            "formula": self.formula.text,
            "response": as_text(self.formula.response),
            "columns": list(self.formula.given),
            "parameters": list(self.formula.parameters),
            "linear": list(self.linear),
            "nonlinear": list(self.nonlinear),
            "constants": dict(self.formula.constants),
            "notes": list(ambiguities(self.formula)),
            "units": dict(self.units),
            "redundant": [each.as_dict() for each in self.redundancies],
            "arbitrary": list(self.arbitrary),
            "domain": [str(limit) for limit in self.limits],
            "rows": self.rows,
            "scales": {name: dict(zip(("min", "max", "std"), values, strict=True)) for name, values in scales.items()},
            "rows_outside_domain": [
                {"expression": as_text(each.limit.expression), "rows": each.rows, "first": each.first, "why": str(each)}
                for each in self.broken
            ],
            "references": dict(self.references),
            "start": None if self.start is None else dict(self.start),
            "start_note": self.start_note,
            "condition": self.condition,
            **({} if self.outlook is None else {"descent": self.outlook.as_dict()}),
        }

    def __str__(self) -> str:
        return self.text()

    def text(self, columns: int = WIDTH) -> str:
        """Return all of it as lines of at most ``columns`` letters, where words are no longer."""
        return "\n".join([str(self.formula), "", *(_line(label, text, columns) for label, text in self.lines())])

    def lines(self) -> list[tuple[str, str]]:
        """Return (label, text) pairs; a text that continues the one before has an empty label."""
        none = "none"
        lines = [
            ("columns", ", ".join(self.formula.given)),
            ("linear", ", ".join(self.linear) or none),
            ("nonlinear", ", ".join(self.nonlinear) or none),
        ]
        constants = ", ".join(f"{name} = {value:.6g}" for name, value in self.formula.constants.items())
        lines += [("constants", constants)] if constants else []
        lines += _labelled("note", ambiguities(self.formula))
        lines += [("units", ", ".join(f"{name}: {unit}" for name, unit in self.units.items()))] if self.units else []
        lines += _labelled("redundant", self.redundancies) or [("redundant", none)]
        lines += _labelled("arbitrary", self.arbitrary)
        lines += _labelled("domain", self.limits)
        if self.rows is None:
            return lines
        lines.append(("rows", f"{self.rows:,} of {self.source}"))
        for name, (low, high, spread) in (self.scales or {}).items():
            first, last = (f"{end:.{digits_of(end, spread / 1000.0)}g}" for end in (low, high))
            lines.append((f"  {name}", f"{first} to {last}, standard deviation {spread:.3g}"))
        lines += _labelled("no value", self.broken)
        if self.references:
            lines.append(("references", ", ".join(f"{name} = {value:g}" for name, value in self.references.items())))
        if self.start is not None:
            lines.append(("start", ", ".join(f"{name}={value:.6g}" for name, value in self.start.items())))
            lines += [("", self.start_note)] if self.start_note else []
            stretched = "no bound: the curvature there is singular"
            stretched = stretched if self.condition is None else f"{self.condition:.2g}, of the scaled curvature there"
            return [*lines, ("condition", stretched), *([] if self.outlook is None else self.outlook.lines())]
        return [*lines, ("start", self.start_note)]


def _labelled(label: str, items: Iterable[object]) -> list[tuple[str, str]]:
    return [(label if not number else "", str(item)) for number, item in enumerate(items)]


def _line(label: str, text: str, columns: int) -> str:
    indent = " " * 14
    wrapped = textwrap.wrap(text, min(WIDTH, columns) - len(indent), break_long_words=False) or [""]
    return "\n".join([f"  {label:12}{wrapped[0]}".rstrip(), *(indent + line for line in wrapped[1:])])


def of_formula(formula: Formula) -> Explanation:
    """Explain a formula alone."""
    linear = linear_unknowns(formula)
    names = {symbol: _name(formula, symbol) for symbol in formula.unknowns}
    enter = {name: all(symbol in linear for symbol in names if names[symbol] == name) for name in names.values()}
    return Explanation(
        formula,
        tuple(name for name, is_linear in enter.items() if is_linear),
        tuple(name for name, is_linear in enter.items() if not is_linear),
        _units(formula),
        redundancies(formula),
        _arbitrary(formula),
        limits(formula),
    )


def with_data(explained: Explanation, table: Table, columns: Mapping[str, Array]) -> dict[str, Any]:
    """Return what the columns add: rows, scales, and rows in which part of the formula has no value."""
    rows = len(next(iter(columns.values())))
    broken = []
    for limit in explained.limits:
        if limit.of_data_alone:
            values = over_rows(limit.argument, columns, rows)
            bad = limit.broken(values)
            if bad.any():
                first = int(bad.argmax())
                broken.append(Broken(limit, int(bad.sum()), first + 1, float(values[first])))
    numbers = {name: column for name, column in columns.items() if name not in table.codings}
    scales = {name: (float(c.min()), float(c.max()), float(c.std())) for name, c in numbers.items()}
    return {"rows": rows, "source": table.source, "scales": scales, "broken": tuple(broken)}


def of_beginning(beginning: Beginning) -> dict[str, Any]:
    """Return where a descent would start, and the condition of J there: largest over smallest eigenvalue."""
    problem, theta = beginning.problem, beginning.first.theta
    curvature = matrix_of(beginning.first.curvature)
    condition = None
    if curvature is not None and np.isfinite(curvature).all() and (curvature.diagonal() > 0.0).all():
        scale = 1.0 / np.sqrt(curvature.diagonal())
        values = np.linalg.eigvalsh(curvature * scale * scale[:, None])
        condition = float(values[-1] / values[0]) if values[0] > 1e-15 * values[-1] else None
    start = dict(zip(problem.model.parameters.labels, theta.tolist(), strict=True))
    note = beginning.notes[0] if beginning.notes and beginning.notes[0].startswith(("start", "linear")) else ""
    constraints = problem.model.constraints
    references = {} if constraints is None else constraints.reference_values
    return {"references": references, "start": start, "start_note": note, "condition": condition}


def _name(formula: Formula, symbol: Expr) -> str:
    return formula.terms[symbol].vector if isinstance(symbol, Predictor) else symbol.name


def _units(formula: Formula) -> dict[str, str]:
    units = {}
    for symbol, measure in measures(formula).items():
        above: list[str] = []
        below: list[str] = []
        for base, power in measure.unit.items():
            if base.is_number:
                continue
            quantity = formula.response if base == RESPONSE_UNIT else base
            quantity = -quantity if quantity.could_extract_minus_sign() else quantity
            text = (
                f"({as_text(quantity)})" if quantity.is_Add or quantity.is_Mul or quantity.is_Pow else as_text(quantity)
            )
            (above if power > 0 else below).append(text if abs(power) == 1 else f"{text}^{abs(power):g}")
        top = "*".join(above) or "1"
        bottom = "*".join(below)
        units[symbol.name] = top if not below else f"{top}/{bottom if len(below) == 1 else f'({bottom})'}"
    return units


def _arbitrary(formula: Formula) -> tuple[str, ...]:
    sentences = []
    for symbol, even_names in even_parameters(formula).items():
        along = f" together with that of {joined([each.name for each in even_names])}" if even_names else ""
        sentences.append(f"the sign of {symbol.name}{along} makes no difference")
    for group in interchangeable(formula):
        sets = [f"({', '.join(each.name for each in own)})" if len(own) > 1 else own[0].name for own in group]
        sentences.append(f"{joined(sets)} can change places")
    return tuple(sentences)


def on_table(request: Request, table: Table, settings: OutlookSettings | None) -> Explanation:
    """Explain a formula on a table, with the start that a fit would use, and the outlook that was asked for, if any."""
    levels = levels_in(str(request.model), table)
    formula_of_table = read_formula(str(request.model), table.names, table.numeric_names, levels=levels)
    table = table.with_codings(formula_of_table.levels)
    explained = of_formula(formula_of_table)
    columns = with_levels(lambda readable: readable.numbers(formula_of_table.columns, request.missing), request, table)
    explanation = with_data(explained, table, columns)
    try:
        with np.errstate(all="ignore"):
            beginning = begin(pose(request, table), request)
            explanation |= of_beginning(beginning)
            if settings is not None:
                explanation["outlook"] = outlook(beginning, *settings, request.standardize)
    except DescendError as error:
        if settings is not None or request.start:
            raise
        explanation["start_note"] = str(error)
    return replace(explained, **explanation)
