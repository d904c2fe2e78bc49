"""What is known of a named curve: its formula, what each argument means, where it comes from, where to look for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

GEOMETRIC = 50.0
"""Factor between the ends of a range, both positive, from which on it is gone through in equal ratios."""
FEATURES = {
    "x_min": "least x",
    "x_max": "greatest x",
    "x_span": "x_max - x_min",
    "step": "typical distance between neighbouring values of x",
    "y_min": "least y",
    "y_max": "greatest y",
    "y_span": "y_max - y_min",
    "y_first": "y at the least x",
    "y_last": "y at the greatest x",
    "x_at_max": "x of the greatest y",
    "x_at_min": "x of the least y",
    "x_half": "x where y first crosses the middle between y_min and y_max",
    "width": "length of the part of x where y is above the middle",
    "slope": "slope of the line of least squares through x and y",
}
"""What a rule for starting values may use, each read off the data: x is the curve's first argument, y the response."""


@dataclass(frozen=True)
class Argument:
    """One argument of a curve.

    name: in the curve's formula, and of the parameter that stands for it where it is left out. meaning: in a few words.
    unit: as an expression of the units of x and y, such as ``x``, ``y``, ``1/x`` or ``y*x``, and of unit names, such as
    ``J/mol``; ``1`` for a mere number. low, high: the range that it has in typical data, in the field's own unit.
    default: what stands for it where it is left out, such as the gas constant; without one it is a parameter.
    start: where a search looks for it, such as ``x_min to x_max``, two expressions of `FEATURES`; without, where the
    units of the data suggest.
    """

    name: str
    meaning: str
    unit: str
    low: float
    high: float
    default: str = ""
    start: str = ""

    @property
    def geometric(self) -> bool:
        """Whether its range is gone through in equal ratios rather than in equal steps."""
        return is_geometric(self.low, self.high)

    def at(self, share: float) -> float:
        """Return the value at a share of its range, from 0 to 1.

        >>> Argument("rate", "rate", "1/x", 0.01, 100.0).at(0.5)
        1.0
        """
        if self.geometric:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)


def is_geometric(low: float, high: float) -> bool:
    """Whether a range is gone through in equal ratios."""
    return low > 0.0 and high >= GEOMETRIC * low


@dataclass(frozen=True)
class Setting:
    """What tells the members of a family of curves apart: a whole number, or a list of numbers.

    name: as in ``polynomial(x, degree=3)``. meaning: in a few words. default: its value where it is left out.
    least, most: of a whole number; both None for a list.
    """

    name: str
    meaning: str
    default: tuple[float, ...]
    least: int | None = None
    most: int | None = None

    @property
    def typed(self) -> str:
        """How a formula gives it, at its default."""
        value = ", ".join(f"{number:g}" for number in self.default)
        return f"{self.name}={value}" if self.least is not None else f"{self.name}=[{value}]"


@dataclass(frozen=True)
class Curve:
    """A named curve: a template over the formula language, which is written out when a formula is read.

    name: as formulas call it. title: as people call it. formula: its value, an expression of its arguments.
    arguments: the first is x. aliases: what else it is called, separated by commas. use: what data it is for.
    source: the textbook or paper. y: what the response is, in a few words.
    logarithmic: whether y, above 0, spans decades, so that its logarithm is fitted: ``log(y) ~ log(curve(x))``.
    settings, family: for a family of curves, what tells its members apart, and what makes the formula and the arguments
    of one from the values of its settings; those above are of the member that is meant where nothing is said.

    >>> from descend.formula.curves import curve_named
    >>> curve_named("gaussian").formula
    'height*exp(-((x - center)/width)^2/2)'
    """

    name: str
    title: str
    formula: str
    arguments: tuple[Argument, ...]
    use: str
    source: str
    aliases: str = ""
    y: str = "response"
    logarithmic: bool = False
    settings: tuple[Setting, ...] = ()
    family: Callable[..., tuple[str, tuple[Argument, ...]]] | None = None

    @property
    def x(self) -> Argument:
        """Its first argument."""
        return self.arguments[0]

    @property
    def parameters(self) -> tuple[Argument, ...]:
        """The arguments that are parameters where they are left out."""
        return tuple(argument for argument in self.arguments[1:] if not argument.default)

    @property
    def other_names(self) -> tuple[str, ...]:
        """Its aliases."""
        return tuple(alias.strip() for alias in self.aliases.split(",") if alias.strip())

    @property
    def call(self) -> str:
        """How a formula writes it, with the arguments that are parameters where they are left out.

        >>> from descend.formula.curves import curve_named
        >>> curve_named("arrhenius").call
        'arrhenius(x, prefactor, energy)'
        """
        argument_names = [argument.name for argument in (self.x, *(self.parameters if self.family is None else ()))]
        return f"{self.name}({', '.join((*argument_names, *(setting.typed for setting in self.settings)))})"

    @property
    def short(self) -> str:
        """How a formula writes it of a column x, with what tells a member of a family apart.

        >>> from descend.formula.curves import curve_named
        >>> curve_named("gaussian").short, curve_named("spline").short
        ('gaussian(x)', 'spline(x, knots=[3, 5, 7])')
        """
        return f"{self.name}({', '.join(('x', *(setting.typed for setting in self.settings)))})"

    def member(self, settings: Mapping[str, tuple[float, ...]]) -> Curve:
        """Return the member of the family that has these settings; the others have their default."""
        if self.family is None:
            return self
        values = {each.name: settings.get(each.name, each.default) for each in self.settings}
        formula, arguments = self.family(**values)
        return replace(self, formula=formula, arguments=arguments)

    def as_dict(self) -> dict[str, object]:
        """Return what is known of it as plain values, for programs."""
        arguments = [
            {"name": each.name, "meaning": each.meaning, "unit": each.unit, "typical": [each.low, each.high]}
            | ({"default": float(each.default)} if each.default else {})
            | ({"start": each.start} if each.start else {})
            for each in self.arguments
        ]
        return {
            "name": self.name,
            "title": self.title,
            "formula": self.formula,
            "call": self.call,
            "arguments": arguments,
            "settings": [{"name": each.name, "meaning": each.meaning, "typed": each.typed} for each in self.settings],
            "aliases": list(self.other_names),
            "use": self.use,
            "y": self.y,
            "source": self.source,
        }
