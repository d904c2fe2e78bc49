"""Write docs/curves.md: the named curves, from their entries.

python docs/curves.py
"""

from __future__ import annotations

from pathlib import Path

from descend.formula.curves import CURVES, Curve, fields

HEAD = """# Named curves

A formula may call a curve by its name: `y ~ gaussian(x) + line(x)`. The call stands for the curve's formula, and
arguments that are left out become parameters of their names. All else is as for any other formula.

```console
$ descend fit "y ~ gaussian(x) + line(x)" peak.csv             # height, center, width, intercept, slope are fitted
$ descend fit "y ~ gaussian(x, width=2) + gaussian(x)" peak.csv    # height1, center1; height2, center2, width2
$ descend fit "y ~ logistic4(dose, lower=0, ec50=e[drug])" assay.csv
$ descend fit "log(y) ~ log(arrhenius(T))" rates.csv
$ descend curves binding                                       # those whose description has the word
$ descend curves voigt --plot voigt.png                        # one of them: formula, units, source, picture
```

- An argument is any expression, in order or by name: a number, a column, a parameter, `w[site]`, another curve.
- Where several curves have an argument of one name, its parameters carry the number of the curve in the formula:
  `height1`, `height2`; so does one whose name is a column, or stands elsewhere in the formula.
- Of several formulas, `y1 ~ ...; y2 ~ ...`, parameters of one name are one, as everywhere; give arguments names of
  their own where they differ.
- Natural constants have a default: `arrhenius(x, gas_constant=1.987)` has energies in calories.
- A curve whose y spans decades is best fitted by its logarithm: `log(y) ~ log(curve(x))`.
- `descend derive "y ~ gaussian(x)"` shows what a call stands for. Other names, such as 4PL, lead to the curve they
  mean.

This page is made from the {count} entries by `python docs/curves.py`; CONTRIBUTING.md says how to add one.
"""


def row(curve: Curve) -> str:
    """Return the line of a curve."""
    formula = curve.formula.replace("|", r"\\|")
    return f"| `{curve.call}` | `{formula}` | {curve.title}: {curve.use} |"


def page() -> str:
    """Return the page."""
    parts = [HEAD.format(count=len(CURVES))]
    for field, curves in fields().items():
        parts.append(
            "\n".join([f"## {field}", "", "| call | y = | for |", "| --- | --- | --- |", *map(row, curves)]) + "\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
