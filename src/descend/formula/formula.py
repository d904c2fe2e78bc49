"""A formula: its text as expressions of columns and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from sympy import Add, Expr, Function, Mul

from descend.errors import FormulaError
from descend.formula.build import Builder
from descend.formula.derivative import Slopes, slopes
from descend.formula.functions import CONSTANTS, NAMES, entry_of, function_named
from descend.formula.literals import as_typed
from descend.formula.named_curve import NamedCurve, in_order_of_arguments, written_out
from descend.formula.printers.code import as_text, plain_name
from descend.formula.real_functions import where
from descend.formula.symbols import Column, Parameter, Predictor, Term
from descend.formula.syntax import parse_formula
from descend.formula.tokens import SIMPLIFY, pointed
from descend.formula.tree import Call, Name, Node, Number, names_in, walk
from descend.formula.vectors import free_places, listing
from descend.registry import closest
from descend.table.levels import GroupLabels, Levels, groups_among

MOST_NONLINEAR = 100
"""Nonlinear parameters, at most: derivatives, starts and trade-offs take time that grows with their square."""
MOST_FACTORS = 100
"""Factors of one product that hold parameters, at most: each is a term of every derivative."""


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula ``response ~ expression`` that was read.

    text: as the user wrote it.
    response, expression: both sides; the response holds data only.
    parameters: name -> labels of its components, or None for a scalar; in order of appearance.
    terms: what each ``w @ [...]`` in the expression stands for.
    columns: the names of the columns either side uses.
    unused: columns that the text names, but that dropped out of it with fixed parameters.
    levels: the groups that parameters have values for, by the columns that tell them apart.
    parts: the formulas it was joined from, if several are fitted together.
    sides: the syntax trees of both sides, with each named curve written out.
    curves: the named curves in it.
    """

    text: str
    response: Expr
    expression: Expr
    parameters: Mapping[str, tuple[str, ...] | None]
    terms: Mapping[Predictor, Term]
    columns: tuple[str, ...]
    unused: tuple[str, ...] = ()
    levels: tuple[Levels, ...] = ()
    parts: tuple[Formula, ...] = ()
    sides: tuple[Node, ...] = ()
    curves: tuple[NamedCurve, ...] = ()

    @cached_property
    def constants(self) -> dict[str, float]:
        """The constants that the text names, and their values."""
        named = (name for name in names_in(*self.sides) if not name.quoted)
        return {name.name: float(CONSTANTS[name.name]) for name in named if name.name in CONSTANTS}

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The numbers in the text, and in the curves that it names, as typed."""
        return tuple(dict.fromkeys(node.text for node in walk(*self.sides) if isinstance(node, Number)))

    def as_typed(self, expression: Expr, held: bool = False) -> Expr:
        """Return an expression derived from this formula, for a printer, with its constants as they were typed.

        held: keep them so whatever is done to the expression afterwards.
        """
        return as_typed(expression, self.numbers, held)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The columns the expression needs, which are those that prediction needs."""
        used = self.expression.atoms(Column).union(*(term.columns for term in self.terms.values()))
        groups = {each.name for each in self.levels}  # which come last: pictures show the first
        return tuple(sorted((name for name in self.columns if Column(name) in used), key=groups.__contains__))

    @cached_property
    def groups(self) -> dict[str, GroupLabels]:
        """The labels of those parameters that have a value, or a vector, for each group, by name."""
        return groups_among(self.parameters)

    @property
    def given(self) -> tuple[str, ...]:
        """The columns as the user names them: those that tell groups apart in place of the places of groups."""
        if self.parts:
            return tuple(dict.fromkeys(name for formula_part in self.parts for name in formula_part.given))
        origins = {each.name: each.columns for each in self.levels}
        return tuple(dict.fromkeys(column for name in self.columns for column in origins.get(name, (name,))))

    @cached_property
    def slopes(self) -> Slopes:
        """Derivatives of the expression by each scalar parameter and each predictor ``w @ [...]``."""
        return slopes(self.expression, self.unknowns)

    @property
    def jacobian(self) -> Mapping[Expr, Expr]:
        """The derivatives, correct in every row."""
        return self.slopes.with_limits

    @cached_property
    def unknowns(self) -> tuple[Expr, ...]:
        """The symbols that depend on parameters: scalar parameters, then predictors."""
        scalars = tuple(Parameter(name) for name, labels in self.parameters.items() if labels is None)
        return scalars + tuple(self.terms)

    @property
    def vectors(self) -> bool:
        """Whether a parameter has several components."""
        return any(labels is not None for labels in self.parameters.values())

    @cached_property
    def linear(self) -> bool:
        """Whether the expression is linear in all parameters at once."""
        return not any(slope.atoms(Parameter, Predictor) for slope in self.jacobian.values())

    @cached_property
    def kinked(self) -> bool:
        """Whether the expression bends anywhere, as `max` and `abs` do (see `domain.bends`)."""
        functions = map(entry_of, self.expression.atoms(Function))
        return any(function is not None and function.bend is not None for function in functions)

    def __str__(self) -> str:
        return f"{as_text(self.as_typed(self.response))} ~ {as_text(self.as_typed(self.expression))}"


def read_one(
    text: str,
    columns: Sequence[str],
    numeric: Sequence[str] | None = None,
    starts: Iterable[str] = (),
    excluded: Iterable[str] = (),
    values_given: Mapping[str, Expr] | None = None,
    levels: Iterable[Levels] = (),
) -> Formula:
    """Read one ``response ~ expression``: see `read_formula`."""
    names = tuple(columns), tuple(columns if numeric is None else numeric)
    try:
        reading_key = tuple((values_given or {}).items()), tuple(levels)
        return _read(text, *names, frozenset(starts), frozenset(excluded), *reading_key)
    except FormulaError as error:
        raise (unquoted(text, columns) or error) from None


def unquoted(text: str, columns: Sequence[str]) -> FormulaError | None:
    """Return the error for a column that stands in the text without the backticks it needs; None if none does."""
    outside = re.sub(r"`[^`]*`", lambda quoted: " " * len(quoted[0]), text)
    for name in sorted(columns, key=len, reverse=True):
        begin = outside.find(name)
        if begin >= 0 and plain_name(name) != name and not name.isidentifier():
            end = begin + len(name)
            fault = f"`{name}` is a column whose name is no plain word."
            from descend.formula.headers import shortest

            short = shortest(name, columns)
            or_short = "" if short == name else f", or leave out the unit: {short}"
            return pointed(text, begin, end, fault, f"Put it in backticks: {plain_name(name)}{or_short}.")
    return None


@lru_cache(maxsize=256)
def _read(
    text: str,
    columns: tuple[str, ...],
    numeric: tuple[str, ...],
    starts: frozenset[str],
    excluded: frozenset[str],
    values_given: tuple[tuple[str, Expr], ...],
    levels: tuple[Levels, ...],
) -> Formula:
    sides, curves = parse_formula(text), None
    if any(isinstance(node, Call) and function_named(node.function) is None for node in walk(*sides)):
        sides, starts, curves = written_out(text, sides, columns, starts)
    left, right = sides
    builder = Builder(text, columns, numeric, starts, levels=levels)
    for name in names_beside_constants(left):
        if name.name not in builder.known:
            fault = f"`{name.name}` is on the left of `~` but is not a column.{closest(name.name, columns)}"
            builder.fail(name, fault, f"Columns: {listing(columns)}.")
    response = builder.build(left)
    implicit = isinstance(left, Number) and response == 0
    if not builder.columns and not implicit:
        builder.fail(left, "The response must be a column.", f"Columns: {listing(columns)}.")
    if not response.atoms(Column) and not implicit:
        fault = f"The left side of `~` is {as_text(response)} in every row: its columns cancel out."
        builder.fail(left, fault, "Write the response there, the column to predict, for example `y ~ w*x`.")
    builder.no_pattern = frozenset(builder.columns) | excluded
    builder.no_star = frozenset(name.name for name in names_beside_constants(right))
    builder.given = dict(values_given)
    responses = set(builder.columns)
    expression = builder.resolved(builder.build(right)) if values_given else builder.build(right)
    for coded, levels_of in builder.groups.items():
        if levels_column := next((column for column in levels_of.columns if column in responses), None):
            fault = f"`{levels_column}` is the response, so it cannot tell groups apart."
            builder.fail(builder.columns[coded], fault, "Put another column into the brackets.")
    if not builder.parameters:
        fault = "There is nothing to fit: every name here is a column or a constant."
        builder.fail(right, fault, "Add a parameter, for example `y ~ w*x`.")
    if set(builder.columns) == responses and not implicit:
        _refuse_bare_curve(builder, right)
    used = expression.free_symbols
    terms = {predictor: term for predictor, term in builder.terms.items() if predictor in used}
    _refuse_idle(builder, expression, terms, used)
    named = () if curves is None else curves(builder.build)
    parameters_read = in_order_of_arguments(builder.parameters, named) if named else builder.parameters
    parameters = {
        name: labels if labels is None or not components else tuple(labels[component] for component in components)
        for name, (_, labels) in parameters_read.items()
        if (components := name in builder.given and free_places(builder.given[name])) or name not in builder.given
    }
    formula = Formula(text, response, expression, parameters, terms, tuple(builder.columns), sides=sides)
    needed = {column.name for column in response.atoms(Column)} | set(formula.inputs)
    idle = (name for name in formula.columns if name not in needed)
    origins = {name: each.columns for name, each in builder.groups.items()}
    unused = tuple(column for name in idle for column in origins.get(name, (name,)))
    groups = tuple(each for name, each in builder.groups.items() if name in needed)
    columns = tuple(name for name in formula.columns if name in needed)
    return replace(formula, columns=columns, unused=unused, levels=groups, curves=named)


def _refuse_bare_curve(builder: Builder, right: Node) -> None:
    """Refuse the name of a curve without its brackets, in a formula whose right side reads no column.

    Where columns are read, a parameter may well be called as a curve is, such as emax.
    """
    from descend.formula.curves.table import curve_named

    for name in names_beside_constants(right):
        if name.name in builder.parameters and (curve := curve_named(name.name)) is not None:
            fault = f"`{name.name}` is a named curve, and without brackets it would be a parameter: one number."
            builder.fail(name, fault, f"Write `{curve.short}`, or give the parameter another name.")


def _refuse_idle(builder: Builder, expression: Expr, terms: Mapping[Predictor, Term], used: set[Expr]) -> None:
    """Refuse parameters that the expression does not depend on, or only in steps."""
    moving, unstepped = _outside_conditions(expression), _outside_conditions(expression, steps=False)
    vectors: dict[str, set[Expr]] = {}
    for predictor, term in terms.items():
        vectors.setdefault(term.vector, set()).add(predictor)
    for name, (node, _) in builder.parameters.items():
        if name in builder.given and not free_places(builder.given[name]):
            continue
        symbols = vectors.get(name, {Parameter(name)})
        if builder.given and not symbols & used:
            other_names = ", ".join(f"`{other_name}`" for other_name in builder.given)
            fault = f"`{name}` drops out once {other_names} {'is' if len(builder.given) == 1 else 'are'} set."
            builder.fail(node, fault, f"Fix `{name}` too, at any value.")
        if not symbols & used:
            builder.fail(node, f"`{name}` cancels out, so no data can determine it.", "Remove it from the formula.")
        if not symbols & moving and symbols & unstepped:
            fault = f"`{name}` stands only inside {_steps_around(expression, symbols)}, where no gradient can find it."
            builder.fail(node, fault, "Make the step smooth, for example with sigmoid( ).")
        if not symbols & moving:
            fault = f"`{name}` stands only in a condition, where no gradient can find it."
            builder.fail(node, fault, "Make the switch smooth, for example with sigmoid( ).")


def _outside_conditions(expression: Expr, steps: bool = True) -> set[Expr]:
    """Return the parts of an expression outside the conditions of where( ) and, if asked, of functions that jump."""
    nodes: set[Expr] = set()
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if node not in nodes:
            nodes.add(node)
            if not (steps and _jumps(node)):
                waiting.extend(node.args[1:] if node.func is where else node.args)
    return nodes


def _jumps(node: Expr) -> bool:
    function = entry_of(node)
    return function is not None and function.jumps


def _steps_around(expression: Expr, symbols: set[Expr]) -> str:
    """Name the functions that jump and have one of ``symbols`` inside."""
    nodes = (node for node in expression.atoms(Function) if _jumps(node) and node.free_symbols & symbols)
    return " and ".join(sorted({f"`{NAMES[node.func]}`" for node in nodes}))


def names_beside_constants(node: Node) -> Iterable[Name]:
    """Yield the names in a tree that are not constants."""
    return (name for name in names_in(node) if name.quoted or name.name not in CONSTANTS)


@lru_cache(maxsize=256)
def in_order(formula: Formula, names: tuple[str, ...]) -> Formula:
    """Return a formula with its parameters in the order of these names, as far as they occur; others follow."""
    parameters = formula.parameters
    order = [*(name for name in names if name in parameters), *(name for name in parameters if name not in names)]
    if order == list(parameters):
        return formula
    return replace(formula, parameters={name: parameters[name] for name in order})


@lru_cache(maxsize=256)
def refuse_size(expression: Expr) -> None:
    """Raise FormulaError where an expression has too many nonlinear parameters, or too long a product of them.

    A vector ``w @ [...]`` counts once, however many components it has.
    """
    nonlinear = _nonlinear(expression)
    if len(nonlinear) > MOST_NONLINEAR:
        raise FormulaError(
            f"The formula has {len(nonlinear):,} parameters that do not enter linearly; at most {MOST_NONLINEAR} can "
            "be fitted in reasonable time. Use fewer, a vector `w @ [x1, x2]` where they are coefficients, or a "
            "PyTorch module."
        )
    longest = max((_factors(product) for product in expression.atoms(Mul)), default=0)
    if longest > MOST_FACTORS:
        raise FormulaError(
            f"The formula multiplies {longest:,} factors with parameters; at most {MOST_FACTORS} can be fitted in "
            f"reasonable time. {SIMPLIFY}"
        )


def _nonlinear(expression: Expr) -> set[Expr]:
    """Return the unknowns that occur anywhere other than as a factor of a term."""
    if expression.is_Function and len(expression.args) == 1:
        return _nonlinear(expression.args[0])  # a link, such as that of `exp(a + b*x)`
    nonlinear_symbols: set[Expr] = set()
    for term in Add.make_args(expression):
        for factor in Mul.make_args(term):
            if not factor.is_Symbol:
                nonlinear_symbols |= factor.atoms(Parameter, Predictor)
    return nonlinear_symbols


def _factors(product: Expr) -> int:
    if len(product.args) <= MOST_FACTORS:
        return 0
    return sum(bool(factor.atoms(Parameter, Predictor)) for factor in product.args)
