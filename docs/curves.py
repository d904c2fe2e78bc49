"""Write docs/curves.md: the named curves, from their entries.

python docs/curves.py
"""

from __future__ import annotations

from pathlib import Path

from descend.formula.curves import CURVES, Curve, fields

HEAD = """# Named curves

A formula may call a curve by its name: `y ~ gaussian(x) + line(x)`. The call stands for the curve's formula, and
arguments that are left out become parameters of their names. All else is as for any other formula.

<!--
```python
import numpy as np

random, t = np.random.default_rng(0), np.linspace(0, 12, 60)
dose, drug, T = np.tile(np.geomspace(0.1, 100, 12), 2), np.repeat(["A", "B"], 12), np.arange(280, 350, 5.0)
peak = 5 * np.exp(-(((t - 4) / 2) ** 2) / 2) + 1 + 0.2 * t + 0.1 * random.normal(size=60)
assay = 90 / (1 + dose / np.where(drug == "A", 1, 3)) + random.normal(size=24)
rates = 2e9 * np.exp(-6e4 / (8.314 * T)) * (1 + 0.02 * random.normal(size=T.size))
for name, columns in {{
    "peak": {{"x": t, "y": peak}},
    "assay": {{"dose": dose, "drug": drug, "y": assay}},
    "rates": {{"T": T, "k": rates}},
}}.items():
    rows = [",".join(map(str, row)) for row in zip(*columns.values())]
    open(f"{{name}}.csv", "w").write("\\n".join([",".join(columns), *rows]))
```
-->

```sh
descend fit "y ~ gaussian(x) + line(x)" peak.csv                     # height, center, width, intercept, slope
descend fit "y ~ gaussian(x, width=2) + gaussian(x)" peak.csv        # height1, center1; height2, center2, width2
descend fit "y ~ logistic4(dose, lower=0, ec50=E[drug])" assay.csv   # a dose of its own for each drug
descend fit "log(k) ~ log(arrhenius(T))" rates.csv
descend curves binding                                               # those whose description has the word
descend curves voigt --plot voigt.png                                # one of them: formula, units, source, picture
```

![The Voigt profile](voigt.png)

- An argument is any expression, in order or by name: a number, a column, a parameter, `w[site]`, another curve.
- Where several curves have an argument of one name, its parameters carry the number of the curve in the formula:
  `height1`, `height2`; so does one whose name is a column, or stands elsewhere in the formula.
- Of several formulas, `y1 ~ ...; y2 ~ ...`, parameters of one name are one, as everywhere; give arguments names of
  their own where they differ.
- Natural constants have a default: `arrhenius(x, gas_constant=1.987)` has energies in calories.
- Where a curve is the same with two arguments exchanged and a third of the other sign, the steepness is positive: of a
  4PL `upper` is the response at dose 0 and `lower` that at very large doses, also where data rise; of a Boltzmann curve
  `lower` is the response at small x. A start or a bound chooses the other: `--start slope=-1`. A 5PL that rises is no
  mirror image of one that falls; the better of the two is found, whatever its sign.
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
