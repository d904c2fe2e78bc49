"""The published tables of several fits: a row for each group, or for each model that is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.models.reading import Content
from descend.report.published.cells import Cell, Estimate, Number, Published, convention


def of_groups(
    keys: Mapping[str, Sequence[object]],
    estimates: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    statistics: Mapping[str, Sequence[object]],
    caption: str,
    errors: str,
) -> Published:
    """Return a row for each group: its key, its parameters with their errors, and how good its fit is.

    keys: the values of the columns that tell groups apart. estimates: values and errors by label. statistics: numbers
    or words, by name; one that no group has is left out.
    """
    statistics_shown = {
        name: values for name, values in statistics.items() if any(_cell(value) is not None for value in values)
    }
    columns: list[list[Cell]] = [[str(value) for value in values] for values in keys.values()]
    columns += [
        [Estimate(value, error) for value, error in zip(values.tolist(), found.tolist(), strict=True)]
        for values, found in estimates.values()
    ]
    columns += [[_cell(value) for value in values] for values in statistics_shown.values()]
    rows = list(map(list, zip(*columns, strict=True)))
    return Published([*keys, *estimates, *statistics_shown], [rows], caption, [f"Model: {caption}", convention(errors)])


def _cell(value: object) -> Cell:
    if isinstance(value, np.integer):
        return Number(int(value))
    if isinstance(value, float | np.floating):
        return Number(float(value)) if np.isfinite(value) else None
    return str(value)


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
