"""A fitted model in another language, to predict where descend is not installed: SQL, Python, PyTorch, LaTeX."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import ConfigError
from descend.formula.functions import imports
from descend.formula.printers import groups
from descend.formula.printers.code import (
    NUMPY,
    TORCH,
    LackingError,
    identifier,
    plain_name,
    quoted,
)
from descend.formula.printers.filled import filled_latex
from descend.formula.symbols import Column
from descend.gradients.autograd import import_torch
from descend.inference.fitted import Fitted
from descend.models import SymbolicModel
from descend.registry import closest
from descend.results.query import bracketed, components, inputs_of, predicting, qualified, transpiled, written

Array = NDArray[np.float64]

PLACES = ("group", *(f"group_{number}" for number in range(2, 100)))
"""What the code calls the places of the groups of the rows."""
TARGETS = ("sql", "python", "torch", "latex")


def exported(fit: Fitted, to: str, *, table: str = "data", name: str = "prediction", dialect: str = "duckdb") -> str:
    """Return source text that predicts what ``fit.predict`` does, with all digits of the parameters.

    to: ``"sql"``, a query over ``table`` that adds the column ``name``, of classes with scores of their own also
        ``name_class`` with the probability of each; ``"python"``, a function of NumPy arrays; ``"torch"``, a module
        whose parameters can be trained further; ``"latex"``, the equation, values to four digits.
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


def _sql(model: SymbolicModel, theta: Array, table: str, name: str, dialect: str) -> str:
    query = f"select *, {predicting(model, theta, dialect)} as {quoted(name)} from {qualified(table)}"
    return transpiled(query, dialect) + "\n"


def _python(model: SymbolicModel, theta: Array, title: str) -> str:
    plain, levels = inputs_of(model)
    needed = dict.fromkeys((*plain, *(column for each in levels for column in each.columns)))
    names = _arguments(needed, reserved=("np", "special", "predict", "place_of", *PLACES))
    values = dict(zip(components(model), map(bracketed, theta.tolist()), strict=True))
    level_places = dict(zip((each.name for each in levels), PLACES, strict=False))
    columns = {Column(column): names[column] for column in plain}
    columns |= {Column(name): level_place for name, level_place in level_places.items()}
    text = written(model, NUMPY, values, columns)
    group_lines = groups.python_lines(levels, level_places, names)
    return "\n".join(
        [
            f'"""{title}"""',
            "",
            "import numpy as np",
            *imports([text]),
            *(groups.PYTHON if levels else ()),
            "",
            "",
            f"def predict({', '.join(names.values())}):",
            f'    """Return {_docstring(model.response)}; arguments are numbers or arrays{_legend(names)}."""',
            *(f"    {line}" for line in group_lines),
            *(f"    {names[column]} = np.asarray({names[column]}, dtype=float)" for column in plain),
            f"    return {text}",
            "",
        ]
    )


def _torch(model: SymbolicModel, theta: Array, title: str) -> str:
    plain, levels = inputs_of(model)
    grouped = {"_".join(each.columns): each.name for each in levels}
    words = _arguments((*plain, *(f"{word} " for word in grouped)), reserved=("torch", "math", "self"))
    inputs = {grouped.get(name.rstrip(), name): word for name, word in words.items()}
    weights = _arguments(model.parameters.shapes, reserved=dir(import_torch().nn.Module()))
    values: dict[Expr | tuple[str, int], str] = {
        key: f"self.{weights[key[0]]}[{key[1]}]" if isinstance(key, tuple) else f"self.{weights[key.name]}"
        for key in components(model)
    }
    columns: dict[Expr, str] = {Column(column): argument for column, argument in inputs.items()}
    text = written(model, TORCH, values, columns)
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
            *(["import math", ""] if "math." in text else []),
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
            f"        return {text}",
            "",
        ]
    )


def _arguments(names: Iterable[str], reserved: Iterable[str]) -> dict[str, str]:
    """Return a different Python identifier for each name."""
    names_taken, python_arguments = set(reserved), {}
    for name in names:
        word = identifier(name)
        while word in names_taken:
            word += "_"
        names_taken.add(word)
        python_arguments[name] = word
    return python_arguments


def _legend(names: dict[str, str]) -> str:
    """Say which argument stands for which column, where their names differ."""
    changed = [f"{word} is {plain_name(name)}" for name, word in names.items() if word != name]
    return _docstring(f" ({', '.join(changed)})") if changed else ""


def _docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
