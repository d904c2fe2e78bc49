"""A comparison of models as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from descend.report.text import table
from descend.results.model_file import Content

HEADS = ("model", "parameters", "loss", "AIC", "AICc", "BIC", "ΔAICc", "weight")
LONGEST = 48
"""Characters of a formula in a table; a longer one is numbered, and written below."""
NOTHING = "–"


def compared_text(comparison: Content, sizes: Mapping[str, int], advice: Mapping[str, str]) -> str:
    """Return the table of models, the tests of nested pairs, and what else there is to say.

    comparison: a comparison as plain values (see ``ModelComparison.plain``). sizes: how many parameters each has.
    advice: what to do about the fits that failed.
    """
    models, tests = comparison["models"], comparison["tests"]
    short = {
        model["formula"]: model["formula"] if len(model["formula"]) <= LONGEST else f"({number})"
        for number, model in enumerate(models, 1)
    }
    lowest_aicc = min((model["AICc"] for model in models if model["AICc"] is not None), default=math.nan)
    text = [_table(HEADS, [_line(model, short, sizes, lowest_aicc) for model in models])]
    text += [f"{short_name}  {name}" for name, short_name in short.items() if short_name != name]
    if tests:
        lines = [
            [f"{short[test['small']]}  in  {short[test['large']]}", *_numbers(test, "F", "df", "p", "LR", "LR_p")]
            for test in tests
        ]
        text += ["", _table(("nested models", "F", "df", "p", "LR", "p of LR"), lines)]
    lacking = [model for model in models if model["lack_of_fit"]]
    if lacking:
        lines = [[short[model["formula"]], *_numbers(model["lack_of_fit"], "F", "df", "p")] for model in lacking]
        text += ["", _table(("lack of fit against repeated rows", "F", "df", "p"), lines)]
    held_out = [model for model in models if model["held_out"]]
    if held_out:
        lines = [
            [short[model["formula"]], *_numbers(model["held_out"], "error", "standard_error")] for model in held_out
        ]
        text += ["", _table((f"held-out rows, {held_out[0]['held_out']['folds']} folds", "error", "±"), lines)]
    rule = "loss" if math.isnan(lowest_aicc) else "AICc"
    text += ["", f"Best by {rule}: {comparison['best']}", *(f"Note: {note}." for note in comparison["notes"])]
    return "\n".join([*text, *(f"{name}: {sentence}" for name, sentence in advice.items())])


def _line(model: Content, short: Mapping[str, str], sizes: Mapping[str, int], lowest_aicc: float) -> list[str]:
    name = model["formula"]
    criteria = [NOTHING if model[key] is None else f"{model[key]:.2f}" for key in ("AIC", "AICc", "BIC")]
    above = NOTHING if model["AICc"] is None else f"{model['AICc'] - lowest_aicc:.2f}"
    return [short[name], str(sizes[name]), f"{model['loss']:.6g}", *criteria, above, *_numbers(model, "weight")]


def _numbers(values: Content, *keys: str) -> list[str]:
    """Return some values as cells: degrees of freedom whole, all else with a few digits."""
    criteria_shown = [(key, values[key]) for key in keys]
    return [
        NOTHING if value is None else ", ".join(map(str, value)) if key == "df" else f"{value:.4g}"
        for key, value in criteria_shown
    ]


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells, the first on the left, all others on the right of their column."""
    return "\n".join(table(list(zip(heads, *lines, strict=True)), {0}, "   "))
