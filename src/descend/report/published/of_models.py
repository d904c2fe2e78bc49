"""The published tables of models that are compared: a row for each, and one for each test of nested ones."""

from __future__ import annotations

from collections.abc import Mapping

from descend.models.reading import Content
from descend.report.published.cells import Cell, Number, Published


def of_models(comparison: Content, sizes: Mapping[str, int]) -> list[Published]:
    """Return the table of models that were compared, and that of the tests of nested ones, if there are any.

    comparison: a comparison as plain values. sizes: how many parameters each model has.
    """
    models, tests = comparison["models"], comparison["tests"]
    lowest_aicc = min((model["AICc"] for model in models if model["AICc"] is not None), default=0.0)
    rows: list[list[Cell]] = []
    for model in models:
        above = None if model["AICc"] is None else model["AICc"] - lowest_aicc
        numbers = [model["loss"], model["AIC"], model["AICc"], above, model["BIC"], model["weight"]]
        rows.append([model["formula"], Number(sizes[model["formula"]]), *map(_number, numbers)])
    heads = ["model", "parameters", "loss", "AIC", "AICc", "ΔAICc", "BIC", "weight"]
    used = [column_number for column_number in range(len(heads)) if any(row[column_number] is not None for row in rows)]
    cells_listed = [[row[column_number] for column_number in used] for row in rows]
    caption = f"{len(models)} models of {models[0]['rows']:,} rows"
    tables = [Published([heads[column_number] for column_number in used], [cells_listed], caption)]
    if tests:
        heads = ["model", "within", "F", "df", "p", "LR", "p of LR"]
        lines: list[list[Cell]] = []
        for test in tests:
            degrees = ", ".join(map(str, test["df"]))
            numbers = [_number(test[key]) for key in ("F", "p", "LR", "LR_p")]
            lines.append([test["small"], test["large"], numbers[0], degrees, *numbers[1:]])
        tables.append(Published(heads, [lines], "Tests of nested models"))
    return tables


def _number(value: float | None) -> Cell:
    return None if value is None else Number(float(value))
