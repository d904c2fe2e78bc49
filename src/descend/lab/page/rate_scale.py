"""The scale of learning rates: the ends of the slider, and up to which rate a descent is stable."""

from __future__ import annotations

import math

from descend.lab.descents.runs import Descents
from descend.lab.figures.step_in_numbers import number
from descend.lab.page import elements as html
from descend.lab.page.elements import Element
from descend.lab.words.texts import Words
from descend.optimizers import OPTIMIZERS

BELOW, ABOVE = 4.0, 1.0
"""Powers of ten on the slider below and above the largest stable rate."""


def ends(runs: Descents) -> tuple[float, float]:
    """Return the ends of the slider as powers of ten, around the limit of gd at the usual start."""
    lowest = runs.lowest
    limit = runs.spectrum.stable_limit(OPTIMIZERS.build("gd")) if runs.spectrum is not None else None
    recipe = runs.state.built_in
    if not lowest.model.linear and recipe is not None:
        middle = math.log10(recipe.rate)  # the curvature depends on the start, but the scale must not move
    else:
        middle = math.log10(limit) if limit is not None and 1e-250 < limit < 1e250 else -2.0
    low, high = math.floor(middle - BELOW), math.ceil(middle + ABOVE)
    rate = runs.rate
    if rate is not None:
        low, high = min(low, math.floor(math.log10(rate))), max(high, math.ceil(math.log10(rate)))
    return float(low), float(high)


def drawn(runs: Descents, low: float, high: float, say: Words) -> list[Element]:
    """Draw the scale: the powers of ten, the stable region shaded, the limit marked."""

    def left(power: float) -> str:
        return f"{100.0 * (min(max(power, low), high) - low) / (high - low):.2f}%"

    scale_marks = []
    if runs.limit is not None:
        limit = math.log10(runs.limit)
        late = " late" if limit > low + 0.75 * (high - low) else ""  # little space is to the right on a phone
        scale_marks.append(html.Div(html.Span(say("stable")), className="stable", style={"width": left(limit)}))
        if limit < high:
            scale_marks.append(
                html.Div(html.Span(say("diverges")), className=f"unstable{late}", style={"left": left(limit)})
            )
        if low <= limit <= high:
            mark = "2/λmax" if runs.state.optimizers[0] == "gd" else "max"
            scale_marks.append(
                html.Div(
                    html.Span(f"{mark} = {number(runs.limit, 3)}"), className=f"mark{late}", style={"left": left(limit)}
                )
            )
    for power in range(math.ceil(low), math.floor(high) + 1):
        scale_marks.append(html.Div(html.Span(_decade(power)), className="decade", style={"left": left(power)}))
    return scale_marks


def sentence(runs: Descents, say: Words) -> str:
    """Say how the stable region of the scale was found."""
    name = runs.state.optimizers[0]
    if not OPTIMIZERS.build(name).uses_rate:
        return say("no_rate", name=name.replace("_", " "))
    if runs.spectrum is None:
        return say("no_curvature")
    largest = number(runs.spectrum.largest, 3)
    if runs.limit is None:
        return say("no_limit", largest=largest, name=name)
    return say("limit_of", largest=largest, name=name, limit=number(runs.limit, 3))


def _decade(power: int) -> str:
    if -3 <= power <= 2:
        return f"{10.0**power:g}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
