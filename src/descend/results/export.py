"""A fitted model in another language, to predict where descend is not installed: SQL, Python, PyTorch, LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.engines.torch_engine import import_torch
from descend.errors import ConfigError
from descend.formula.functions import imports
from descend.formula.printers import groups
from descend.formula.printers.code import (
    NUMPY,
    OR,
    POWER,
    SQL,
    TORCH,
    LackingError,
    Language,
    Writer,
    identifier,
    plain_name,
    quoted,
)
from descend.formula.printers.filled import filled_latex
from descend.formula.symbols import Column, Parameter
from descend.inference.fitted import Fitted
from descend.models import SymbolicModel
from descend.registry import closest
from descend.results.dialects import DIALECTS, spoken
from descend.table.levels import Levels

Array = NDArray[np.float64]

PLACES = ("group", *(f"group_{number}" for number in range(2, 100)))
"""What the code calls the places of the groups of the rows."""
QUALIFIED = re.compile(r"(?!.*\.(csv|tsv|txt|jsonl?|ndjson|parquet|gz|zst)$)[^\W\d]\w*(\.[^\W\d]\w*){1,2}")
"""A table name with its schema, and perhaps its database; the name of a file has a point too, but is one name."""
TARGETS = ("sql", "python", "torch", "latex")


def exported(fit: Fitted, to: str, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
    """Return source text that predicts what ``fit.predict`` does, with all digits of the parameters.

    to: ``"sql"``, a query over ``table`` that adds the column ``name``, of classes with scores of their own also their
        probabilities, ``name_class``; ``"python"``, a function of NumPy arrays;
        ``"torch"``, a module whose parameters can be trained further; ``"latex"``, the equation, values to four digits.
    dialect: the dialect of SQL, such as ``"postgres"`` or ``"spark"``.

    Raises ConfigError for an unknown target or dialect, a model without a formula or of classes, or a function the
    dialect lacks.
    """
    if to not in TARGETS:
        raise ConfigError(f"A model cannot be exported to `{to}`.{closest(to, TARGETS)} Known: {', '.join(TARGETS)}.")
    if to == "sql" and fit.model.per_class:
        from descend.results.class_query import query_of_classes

        return query_of_classes(fit, None, table, name, dialect)
    fit.loss_function.refuse_classes("no one number to export")
    model = fit.model.symbolic
    if model is None:
        raise ConfigError(
            f"This model is a {fit.model.kind}, which only Python can run. Write it as a formula to export it, "
            "or predict with descend."
        )
    if to == "latex":
        return filled_latex(model.formula, model.prediction, model.parameters.named(fit.theta), fit.rounding)
    if to == "sql":
        return _sql(model, fit.theta, table, name, dialect)
    try:
        return _code(model, fit, to)
    except LackingError as error:
        raise ConfigError(f"{error} Export the model to python, or predict with descend.") from None


def _code(model: SymbolicModel, fit: Fitted, to: str) -> str:
    title = f"{model.formula.text}, fitted to {fit.rows:,} rows by descend ({str(fit.outcome).replace('_', ' ')})."
    title = title.replace("\\", "\\\\").replace('"""', "'''")
    return (_python if to == "python" else _torch)(model, fit.theta, title)


def qualified(table: str) -> str:
    """Quote the name of a table for SQL; plain names joined by points are a schema and its table.

    >>> print(qualified("orders"), qualified("sales.orders"), qualified("a.csv"))
    "orders" "sales"."orders" "a.csv"
    """
    return ".".join(map(quoted, table.split(".") if QUALIFIED.fullmatch(table) else [table]))


def _sql(model: SymbolicModel, theta: Array, table: str, name: str, dialect: str) -> str:
    query = f"select *, {predicting(model, theta, dialect)} as {quoted(name)} from {qualified(table)}"
    return transpiled(query, dialect) + "\n"


def predicting(model: SymbolicModel, theta: Array, dialect: str) -> str:
    """Return what computes the prediction in a query. Raises ConfigError for an unknown dialect."""
    if dialect not in DIALECTS:
        raise ConfigError(
            f"There is no SQL dialect `{dialect}`.{closest(dialect, DIALECTS)} Known: {', '.join(sorted(DIALECTS))}."
        )
    # Cast to doubles whatever the table holds: whole numbers would be divided as integers, and overflow.
    plain, levels = _inputs(model)
    columns: dict[Expr, str] = {Column(column): f"cast({quoted(column)} as double)" for column in plain}
    columns |= {Column(each.name): groups.choice(each, [f"{k}e0" for k in range(len(each))]) for each in levels}
    known = dict(zip(_components(model), map(_literal, theta.tolist()), strict=True))
    return _written(model, SQL, known, columns, dialect)


def transpiled(query: str, dialect: str) -> str:
    """Return a query of DuckDB in another dialect. Raises ConfigError where what translates it is not installed."""
    if dialect == "duckdb":
        return query
    try:
        import sqlglot
    except ImportError:
        raise ConfigError(
            "SQL of other dialects than duckdb is written with the package sqlglot, which is not installed: "
            "pip install sqlglot."
        ) from None
    return str(sqlglot.transpile(query, read="duckdb", write=dialect)[0])


def _literal(value: float) -> str:
    """Write a number with all its digits, so that SQL reads it in double precision."""
    return _bracketed(value, "" if "e" in repr(value) else "e0")


def _bracketed(value: float, end: str = "") -> str:
    return f"({value!r}{end})" if value < 0 else f"{value!r}{end}"


def _inputs(model: SymbolicModel) -> tuple[tuple[str, ...], tuple[Levels, ...]]:
    """Return the columns of numbers that prediction needs, and the groups."""
    levels = model.formula.levels
    return tuple(name for name in model.inputs if name not in {each.name for each in levels}), levels


def _python(model: SymbolicModel, theta: Array, title: str) -> str:
    plain, levels = _inputs(model)
    needed = dict.fromkeys((*plain, *(column for each in levels for column in each.columns)))
    names = _arguments(needed, reserved=("np", "special", "predict", "place_of", *PLACES))
    values = dict(zip(_components(model), map(_bracketed, theta.tolist()), strict=True))
    places = dict(zip((each.name for each in levels), PLACES, strict=False))
    columns = {Column(column): names[column] for column in plain}
    columns |= {Column(name): place for name, place in places.items()}
    written = _written(model, NUMPY, values, columns)
    found = groups.python_lines(levels, places, names)
    return "\n".join(
        [
            f'"""{title}"""',
            "",
            "import numpy as np",
            *imports([written]),
            *(groups.PYTHON if levels else ()),
            "",
            "",
            f"def predict({', '.join(names.values())}):",
            f'    """Return {_docstring(model.response)}; arguments are numbers or arrays{_legend(names)}."""',
            *(f"    {line}" for line in found),
            *(f"    {names[column]} = np.asarray({names[column]}, dtype=float)" for column in plain),
            f"    return {written}",
            "",
        ]
    )


def _torch(model: SymbolicModel, theta: Array, title: str) -> str:
    plain, levels = _inputs(model)
    grouped = {"_".join(each.columns): each.name for each in levels}
    words = _arguments((*plain, *(f"{word} " for word in grouped)), reserved=("torch", "math", "self"))
    inputs = {grouped.get(name.rstrip(), name): word for name, word in words.items()}
    weights = _arguments(model.parameters.shapes, reserved=dir(import_torch().nn.Module()))
    values: dict[Expr | tuple[str, int], str] = {
        key: f"self.{weights[key[0]]}[{key[1]}]" if isinstance(key, tuple) else f"self.{weights[key.name]}"
        for key in _components(model)
    }
    columns: dict[Expr, str] = {Column(column): argument for column, argument in inputs.items()}
    written = _written(model, TORCH, values, columns)
    named = model.parameters.named(theta)
    starts = [
        f"        self.{weights[name]} = torch.nn.Parameter(torch.tensor("
        f"{np.asarray(value).ravel().tolist() if np.ndim(value) else value!r}, dtype=torch.float64))"
        for name, value in named.items()
    ]
    legend = _legend({name: word for name, word in inputs.items() if name in plain})
    legend += "".join(groups.torch_legend(each, inputs[each.name]) for each in levels)
    return "\n".join(
        [
            f'"""{title}"""',
            "",
            *(["import math", ""] if "math." in written else []),
            "import torch",
            "",
            "",
            "class Model(torch.nn.Module):",
            f'    """Predicts {_docstring(model.response)} from tensors of float64{_docstring(legend)}."""',
            "",
            "    def __init__(self):",
            "        super().__init__()",
            *starts,
            "",
            f"    def forward({', '.join(['self', *inputs.values()])}):",
            f"        return {written}",
            "",
        ]
    )


def _components(model: SymbolicModel) -> list[Expr | tuple[str, int]]:
    """Return one key per component of theta: a scalar's symbol, or the vector's name and the place in it."""
    return [
        key
        for name, labels in model.parameters.shapes.items()
        for key in ([Parameter(name)] if labels is None else [(name, place) for place in range(len(labels))])
    ]


def _written(
    model: SymbolicModel,
    language: Language,
    values: dict[Expr | tuple[str, int], str],
    columns: dict[Expr, str],
    dialect: str = "",
) -> str:
    """Write the prediction with the given texts for parameters (``values``) and for columns (``columns``)."""
    names = columns | {symbol: text for symbol, text in values.items() if not isinstance(symbol, tuple)}

    def write(expression: Expr, inside: int = OR) -> str:
        return Writer(language, names).write(spoken(expression, dialect) if dialect else expression, inside)

    for predictor, term in model.formula.terms.items():
        if term.levels is None:
            products = (f"{values[term.vector, k]}*{write(item, POWER)}" for k, item in enumerate(term.items))
        else:
            each = [values[term.vector, k] for k in range(len(term.labels))]
            each_row = groups.values_in_rows(term, each, language, columns[Column(term.levels.name)])
            pairs = zip(each_row, term.each, strict=True)
            products = (value if item == 1 else f"{value}*{write(item, POWER)}" for value, item in pairs)
        names[predictor] = f"({' + '.join(products)})"
    return write(model.formula.as_typed(model.prediction))


def _arguments(names: Iterable[str], reserved: Iterable[str]) -> dict[str, str]:
    """Return a different Python identifier for each name."""
    taken, found = set(reserved), {}
    for name in names:
        word = identifier(name)
        while word in taken:
            word += "_"
        taken.add(word)
        found[name] = word
    return found


def _legend(names: dict[str, str]) -> str:
    """Say which argument stands for which column, where their names differ."""
    changed = [f"{word} is {plain_name(name)}" for name, word in names.items() if word != name]
    return _docstring(f" ({', '.join(changed)})") if changed else ""


def _docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
