"""The named curves on the page: their list, the formula that one makes of the columns, and its picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape

from descend.errors import DescendError
from descend.formula import read_formula
from descend.formula.curves import CURVES, Curve
from descend.formula.printers.code import plain_name
from descend.lab.data.rows import Rows
from descend.lab.words.chinese_curve_meanings import MEANINGS, QUANTITIES
from descend.lab.words.chinese_curve_names import CURVES as CHINESE
from descend.lab.words.chinese_curve_uses import USES
from descend.lab.words.texts import Words
from descend.report.figures import Line, Mark, Panel
from descend.report.named_curves import panel_of
from descend.report.svg import legend, svg


def listed(say: Words) -> list[dict[str, str]]:
    """Return the curves of the list, by field of science; they are found by any of their names."""
    return [
        {
            "label": title_of(curve, say),
            "value": name,
            "search": " ".join((name, curve.title, *curve.other_names, CHINESE.get(name, ""))),
        }
        for name, curve in CURVES.items()
    ]


def title_of(curve: Curve, say: Words) -> str:
    """Return what people call a curve in a language."""
    return CHINESE.get(curve.name, curve.title) if say.chinese else curve.title


def formula_of(curve: Curve, rows: Rows, present: str) -> str:
    """Return the formula that fits a curve to the columns of another formula, else to the last one over the first.

    >>> from descend.formula.curves import curve_named
    >>> import numpy as np
    >>> rows = Rows((), {"t (s)": np.arange(3.0), "y": np.arange(3.0)}, "a.csv", 3)
    >>> formula_of(curve_named("voigt"), rows, ""), formula_of(curve_named("power_law"), rows, "y ~ a + b*`t (s)`")
    ('y ~ voigt(`t (s)`)', 'log(y) ~ log(power_law(`t (s)`))')
    """
    names = list(rows.columns)
    y, x = names[-1], names[0]
    try:
        names_in_formula = read_formula(present, names)
        responses = [name for name in names_in_formula.columns if name not in names_in_formula.inputs]
        y, x = (responses or [y])[0], (names_in_formula.inputs or (x,))[0]
    except DescendError:
        pass
    arguments = ", ".join((plain_name(x), *(setting.typed for setting in curve.settings)))
    left, right = plain_name(y), f"{curve.name}({arguments})"
    return f"log({left}) ~ log({right})" if curve.logarithmic else f"{left} ~ {right}"


def shown(curve: Curve, say: Words) -> str:
    """Return a curve as HTML: its picture, its formula, what it is for, and the meaning of its parameters."""
    return "".join(_parts(curve, say))


def _parts(curve: Curve, say: Words) -> Iterator[str]:
    panel = _in_chinese(curve, panel_of(curve)) if say.chinese else panel_of(curve)
    names = "".join(f"<li>{sample} {escape(name)}</li>" for sample, name in legend(panel))
    yield f'<figure><ul class="legend">{names}</ul>{svg(panel, "named-")}</figure>'
    yield f'<p class="hint">{escape(panel.caption)}</p><p><code>y = {escape(curve.formula)}</code></p>'
    use, end, english = (USES.get(curve.name), "。", ' lang="en"') if say.chinese else (None, ". ", "")
    used = f"<span{english}>{escape(curve.use)}</span>" if use is None else escape(use)
    lines = "".join(
        f"<div><dt><code>{escape(each.name)}</code></dt><dd>{_meaning(each.meaning, say)}{_unit(each.unit)}</dd></div>"
        for each in curve.arguments
    )
    yield f'<dl>{lines}</dl><p class="hint">{used}{end}<span{english}>{escape(curve.source)}.</span></p>'


def _in_chinese(curve: Curve, panel: Panel) -> Panel:
    """Return the picture of a curve with its words in Chinese, as far as these are known."""
    across, upwards = MEANINGS.get(curve.x.meaning, curve.x.meaning), (QUANTITIES | MEANINGS).get(curve.y, curve.y)
    caption = panel.caption.replace("typical: ", "典型值：", 1)
    title = CHINESE.get(curve.name, curve.title)
    return replace(
        panel,
        title=title,
        x=replace(panel.x, name=panel.x.name.replace(curve.x.meaning, across, 1)),
        y=replace(panel.y, name=f"y: {upwards}"),
        marks=list(map(_named_in_chinese, panel.marks)),
        caption=caption,
        alt=f"{title}，y = {curve.formula}，{caption}。",
    )


def _meaning(meaning: str, say: Words) -> str:
    """Return what an argument means, in a language; a curve from outside may have English only."""
    if not say.chinese:
        return escape(meaning)
    chinese = MEANINGS.get(meaning)
    return f'<span lang="en">{escape(meaning)}</span>' if chinese is None else escape(chinese)


def _unit(unit: str) -> str:
    return "" if unit == "1" else f" ({escape(unit)})"


def _named_in_chinese(mark: Mark) -> Mark:
    return replace(mark, name="典型") if isinstance(mark, Line) and mark.name == "typical" else mark
