"""Curves of no science in particular: lines, polynomials, splines with given knots, Fourier series."""

from __future__ import annotations

from descend.formula.curves.entry import Argument, Curve, Setting

FIELD = "Polynomials and series"
X = Argument("x", "any quantity", "x", 0.0, 10.0)
DEGREE = Setting("degree", "highest power of x", (3.0,), least=1, most=20)
KNOTS = Setting("knots", "where pieces meet, in the order of x", (3.0, 5.0, 7.0))
TERMS = Setting("terms", "number of harmonics", (2.0,), least=1, most=20)


def _power(degree: int) -> str:
    return "1" if degree == 0 else "x" if degree == 1 else f"x^{degree}"


def _coefficient(degree: int) -> Argument:
    unit = "y" if degree == 0 else "y/x" if degree == 1 else f"y/x^{degree}"
    meaning = "value at x = 0" if degree == 0 else f"coefficient of {_power(degree)}"
    return Argument(f"c{degree}", meaning, unit, -3.0 / 5.0**degree, 3.0 / 5.0**degree)


def polynomial(degree: tuple[float, ...]) -> tuple[str, tuple[Argument, ...]]:
    """Return c0 + c1 x + ... + cn x^n."""
    powers = range(int(degree[0]) + 1)
    terms = ("c0" if power == 0 else f"c{power}*{_power(power)}" for power in powers)
    return " + ".join(terms), (X, *map(_coefficient, powers))


def spline(knots: tuple[float, ...]) -> tuple[str, tuple[Argument, ...]]:
    """Return a cubic and, of each knot k, b max(x - k, 0)^3: all cubic splines that have these knots."""
    formula, arguments = polynomial((3.0,))
    for number, knot in enumerate(knots, 1):
        formula += f" + b{number}*max(x - {repr(knot).removesuffix('.0')}, 0)^3"
        meaning = f"a sixth of the jump of the third derivative at {knot:g}"
        arguments += (Argument(f"b{number}", meaning, "y/x^3", -0.1, 0.1),)
    return formula, arguments


def fourier(terms: tuple[float, ...]) -> tuple[str, tuple[Argument, ...]]:
    """Return a mean, and a cosine and a sine for each multiple of one over the period."""
    formula = "mean_level"
    arguments: tuple[Argument, ...] = (X, Argument("mean_level", "mean over a period", "y", -1.0, 3.0))
    for number in range(1, int(terms[0]) + 1):
        times = "" if number == 1 else f"{number}*"
        for letter, wave in (("a", "cos"), ("b", "sin")):
            formula += f" + {letter}{number}*{wave}(2*pi*{times}x/period)"
            meaning = f"{wave}ine of harmonic {number}" if wave == "cos" else f"sine of harmonic {number}"
            arguments += (Argument(f"{letter}{number}", meaning, "y", -2.0 / number, 2.0 / number),)
    return formula, (*arguments, Argument("period", "length of the period", "x", 3.0, 6.0))


ENTRIES = (
    Curve(
        "line",
        "Straight line",
        "intercept + slope*x",
        (X, Argument("intercept", "value at x = 0", "y", -5, 5), Argument("slope", "change of y with x", "y/x", -1, 2)),
        use="proportional changes; a sloping background under peaks",
        source="Draper & Smith, Applied Regression Analysis, 3rd ed. (1998), ch. 1",
        aliases="linear, straight_line",
    ),
    Curve(
        "polynomial",
        "Polynomial",
        *polynomial(DEGREE.default),
        use="smooth data without a law; a curved background (keep x near 0, or centre it, at high degrees)",
        source="Draper & Smith, Applied Regression Analysis, 3rd ed. (1998), ch. 12",
        aliases="poly, quadratic, cubic, parabola",
        settings=(DEGREE,),
        family=polynomial,
    ),
    Curve(
        "spline",
        "Cubic spline with given knots",
        *spline(KNOTS.default),
        use="smooth data without a law, more flexible near the knots given",
        source="de Boor, A Practical Guide to Splines (2001), ch. VIII (truncated powers)",
        aliases="cubic_spline, bspline, bs, ns",
        settings=(KNOTS,),
        family=spline,
    ),
    Curve(
        "fourier",
        "Fourier series",
        *fourier(TERMS.default),
        use="periodic data of any shape: seasons, tides, heart beats",
        source="Bracewell, The Fourier Transform and Its Applications, 3rd ed. (2000), ch. 10",
        aliases="fourier_series, harmonics",
        settings=(TERMS,),
        family=fourier,
    ),
)
