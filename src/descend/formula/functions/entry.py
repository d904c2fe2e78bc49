"""What is known of a named function: how it is built, derived, bounded, and written in each language."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sympy import Expr

from descend.formula.functions.notation import latex_call, mathml_call
from descend.formula.real_functions import RealFunction

Interval = tuple[float, float]
REAL: Interval = (-math.inf, math.inf)
POSITIVE: Interval = (0.0, math.inf)
Bend = tuple[Expr, Expr, Expr | None]


@dataclass(frozen=True, eq=False)
class Function:
    """One named function: how it is built, how each language writes it, and what is known of it.

    name: as in formulas; aliases: what NumPy, SciPy and others call the very same function, which formulas understand
    too. build: makes the SymPy expression from its arguments; nodes: the class of that expression, if
    the function has one of its own. arguments: the fewest and the most it takes, None if any number; left out, as many
    as its class does. slopes: its derivative by each argument, where that of its class would lose digits.

    numpy, torch, sql, latex, mathml: templates, ``{0}``, ``{1}`` standing for the arguments in that language; without
    one it is called by its name there. None: that language has no such function. symbol: what LaTeX and MathML call it
    by, such as ``Γ`` or ``E_1`` (see `notation`). library: where NumPy code has it, ``np`` or ``special``.
    query: computes its value in a database, from `printers.database.DatabaseFunctions` and Ibis values. Without it, the
    database must have a function of this name; otherwise rows are streamed. query_repeats: whether ``query`` may write
    an argument twice.

    range: least and largest value, or a function of those of the arguments. rising, falling: whether it never falls, or
    never rises. positive: whether it is above 0 everywhere, however near it comes. domain: what the argument must be,
    ``> 0`` or ``between -1 and 1``, see `formula.domain.RELATIONS`; of several arguments a tuple, "" for any number.
    orders: the places of arguments that must be whole numbers from 0 on, written as such, as its class says.
    infinite_at_zero, steep_at_zero: whether its value, or its slope, is infinite at 0. periodic: as sin is. keeps_unit:
    whether its value has the unit of its arguments. jumps: whether its value moves in steps alone. units: what units
    its arguments have, and its value, such as ``u -> u^(1/2)`` (see `units.reader`); ``1 -> 1``: pure numbers.
    reserved: whether its name, without backticks, can name no parameter. autograd: whether PyTorch differentiates it.
    bend: returns (u, s, gap) for its arguments, where it bends at u = 0 as s |u| does; see `formula.domain.Bend`.

    >>> from descend.formula.real_functions import real_function
    >>> softsign = real_function("softsign", lambda u: (1 + absolute(u)) ** -2)
    >>> Function("softsign", softsign, numpy="({0}) / (1 + np.abs({0}))", range=(-1.0, 1.0), rising=True).torch
    'torch.softsign({0})'
    """

    name: str
    build: Callable[..., Expr]
    numpy: str = ""
    torch: str | None = ""
    sql: str | None = ""
    latex: str = ""
    mathml: str = ""
    symbol: str = ""
    library: str = "np"
    arguments: tuple[int, int | None] = (0, 0)
    nodes: type | None = None
    slopes: tuple[Callable[..., Expr], ...] = ()
    query: Callable[..., object] | None = None
    query_repeats: bool = False
    range: Interval | Callable[..., Interval] = REAL
    rising: bool = False
    falling: bool = False
    positive: bool = False
    domain: str | tuple[str, ...] = ""
    infinite_at_zero: bool = False
    steep_at_zero: bool = False
    periodic: bool = False
    keeps_unit: bool = False
    units: str = "1 -> 1"
    jumps: bool = False
    reserved: bool = False
    autograd: bool = True
    bend: Callable[..., Bend | None] | None = None
    aliases: tuple[str, ...] = ()
    orders: tuple[int, ...] = field(default=(), init=False)

    def domain_of(self, argument_number: int) -> str:
        """Return what the argument at a place, from 0 on, must be; an empty text if any number."""
        if isinstance(self.domain, str):
            return self.domain if argument_number == 0 else ""
        return self.domain[argument_number]

    def __post_init__(self) -> None:
        nodes = self.build if self.nodes is None and isinstance(self.build, type) else self.nodes
        kind = nodes if nodes is not None and issubclass(nodes, RealFunction) else RealFunction
        count = kind.argument_count
        arguments = (count, count) if self.arguments == (0, 0) else self.arguments
        places = [f"{{{argument_number}}}" for argument_number in range(arguments[0])]
        called = f"{self.name}({', '.join(places)})"
        facts: dict[str, object] = {"nodes": nodes, "arguments": arguments, "orders": kind.orders}
        defaults = {
            "numpy": f"{self.library}.{called}",
            "torch": f"torch.{called}",
            "sql": called,
            "latex": latex_call(self.symbol, self.name, places),
            "mathml": mathml_call(self.symbol, self.name, places),
        }
        facts |= {language: default for language, default in defaults.items() if getattr(self, language) == ""}
        for fact, value in facts.items():
            object.__setattr__(self, fact, value)


beyond_numpy = partial(Function, library="special", sql=None, torch=None)
"""Makes a function that neither SQL nor, unless ``torch`` says so, PyTorch has."""
