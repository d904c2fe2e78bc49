"""The units of the parameters of a formula, from those of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Integer

from descend.formula.curves.writing_out import written_out
from descend.formula.formula import Formula
from descend.formula.functions import function_named
from descend.formula.syntax import parse_expression, parse_formula
from descend.formula.tree import Call, Node
from descend.units.curves import with_constants
from descend.units.equations import Amount
from descend.units.fault import Fault, in_words
from descend.units.library import is_one, ratio
from descend.units.reader import LOGARITHMS, Reader
from descend.units.system import System
from descend.units.unit import RADIAN, Atom, Unit, Unknown

ParameterUnit = Unit | tuple[Unit | None, ...] | None
"""The unit of a parameter; one for each component of a vector; None where it is not known."""


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a formula.

    columns: of those that have one, or whose unit follows from the others. parameters: of all parameters, by name.
    responses: of the left side, of each formula that is fitted. open: sentences on what only a combination of
    parameters has. faults: what cannot be right.
    """

    columns: Mapping[str, Unit]
    parameters: Mapping[str, ParameterUnit]
    responses: tuple[Unit | None, ...]
    open: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    system: System = field(default_factory=System, repr=False)

    @cached_property
    def texts(self) -> dict[str, str | list[str | None]]:
        """The units by name, as text, of parameters and then of columns; a list for a vector of unlike components."""
        units_known = {name: unit for name, unit in {**self.parameters, **self.columns}.items() if unit is not None}
        return {
            name: str(unit) if isinstance(unit, Unit) else [None if one is None else str(one) for one in unit]
            for name, unit in units_known.items()
        }

    def component(self, label: str, place: int = 0) -> Unit | None:
        """Return the unit of a parameter, or of the component at a place of it."""
        unit = self.parameters.get(label)
        return unit[place] if isinstance(unit, tuple) else unit


def infer(
    formula: Formula,
    columns: Mapping[str, Unit],
    ties: Mapping[str, str] | None = None,
    declared: Mapping[str, Unit] | None = None,
) -> Units:
    """Infer the units of parameters: terms that are added have one, functions such as exp are of pure numbers.

    columns: the units that are known. ties: what sets a parameter, as text, by name. declared: the units that the user
    gave for parameters; they count where the formula leaves a unit open.

    >>> from descend.formula import read_formula
    >>> from descend.units.library import unit_of
    >>> units = infer(read_formula("V ~ a*exp(-b*t) + c", ["t", "V"]), {"t": unit_of("min"), "V": unit_of("mV")})
    >>> units.texts
    {'a': 'mV', 'b': '1/min', 'c': 'mV', 'V': 'mV', 't': 'min'}
    """
    system = System()
    readers, responses = [], []
    for formula_part in formula.parts or (formula,):
        reader, response = _read(formula_part, columns, system)
        readers.append(reader)
        responses.append(response)
    for name, text in (ties or {}).items():
        reader = Reader(text, dict.fromkeys(()), system)
        amount = reader.visit(parse_expression(text))
        if amount is not None:
            own_amount = Amount(amount.node, Unit({Unknown(name): Integer(1)}))
            reader.equal(own_amount, amount, "compares")
        readers.append(reader)
    for name, unit in (declared or {}).items():
        _assume(system, Unit({Unknown(name): Integer(1)}) / unit)
    for base in (unit for reader in readers for unit in reader.grouped):
        _assume(system, base)
    return _units_of(formula, columns, system, readers, responses)


def _read(part: Formula, columns: Mapping[str, Unit], system: System) -> tuple[Reader, Unit | None]:
    """Read both sides of a formula; return the reader, and the unit of the left side."""
    (left, right), curves = written_out(part.text, parse_formula(part.text), part.given, frozenset(part.parameters))
    units_of_given = {name: columns.get(name) for name in part.given}
    vectors = {name: labels for name, labels in part.parameters.items() if labels is not None}
    vectors |= {name: labels.parts for name, labels in part.groups.items() if labels.parts}
    reader = Reader(part.text, units_of_given, system, vectors=vectors)
    for curve in curves:
        with_constants(reader, curve)
    logarithms = _logarithms(left, right)  # of one function on both sides: log(y) ~ log(f) is right where y ~ f is
    response = reader.visit(logarithms[0] if logarithms else left)
    reader.left = tuple(name for name in part.given if name not in part.inputs)
    right_amount = reader.visit(logarithms[1] if logarithms else right, response)
    if response is not None and right_amount is not None and right_amount.unit != response.unit:
        reader.equal(response, right_amount, "left")
    return reader, Unit() if logarithms else None if response is None else response.unit


def _logarithms(left: Node, right: Node) -> tuple[Node, Node] | None:
    """Return what stands inside if both sides are one logarithm."""
    if not (isinstance(left, Call) and isinstance(right, Call) and len(left.arguments) == len(right.arguments) == 1):
        return None
    left_logarithm, right_logarithm = function_named(left.function), function_named(right.function)
    same = left_logarithm is not None and left_logarithm is right_logarithm and left_logarithm.name in LOGARITHMS
    return (left.arguments[0], right.arguments[0]) if same else None


def _assume(system: System, number: Unit) -> None:
    """Take a product for a pure number if that is possible."""
    before = dict(system.solved)
    left = system.add(number)
    size = 1.0 if left is None else ratio(left)
    if size is None or not is_one(size):
        system.solved = before


def _units_of(
    formula: Formula,
    columns: Mapping[str, Unit],
    system: System,
    readers: Sequence[Reader],
    responses: Sequence[Unit | None],
) -> Units:
    turns = any(base.name == RADIAN for unit in columns.values() for base in unit.powers)

    def resolved(unknown: Unknown) -> Unit | None:
        unit = system.resolved(Unit({unknown: Integer(1)}))
        if not unit.known:
            return None
        if len(unit.powers) > 1 and _is_number(unit):
            return Unit()
        radians = next((power for base, power in unit.powers.items() if base.name == RADIAN), Integer(1))
        return unit if turns or radians == 1 else unit.without(RADIAN)  # an angle is a number

    named = dict.fromkeys(name for reader in readers for name in reader.named)
    parameters: dict[str, ParameterUnit] = {}
    for name in dict.fromkeys((*formula.parameters, *named)):
        labels_of_parts = formula.groups[name].parts if name in formula.groups else formula.parameters.get(name)
        if name not in named or not labels_of_parts:
            parameters[name] = resolved(Unknown(name)) if name in named else None
            continue
        each = tuple(resolved(Unknown(name, component)) for component in range(len(labels_of_parts)))
        parameters[name] = each[0] if all(component_unit == each[0] for component_unit in each) else each
    units = {name: unit for name in formula.given if (unit := columns.get(name) or resolved(Unknown(name, -1, True)))}
    left = [None if unit is None else system.resolved(unit) for unit in responses]
    return Units(
        units,
        parameters,
        tuple(unit if unit is not None and unit.known else None for unit in left),
        tuple(_open(system, set(parameters))),
        tuple(fault for reader in readers for fault in reader.faults),
        system,
    )


def _is_number(unit: Unit) -> bool:
    """Whether units cancel, though they have other names: J/(V·C)."""
    size = ratio(unit)
    return size is not None and is_one(size) and unit == unit.without(RADIAN)


def _open(system: System, parameters: Iterable[str]) -> Iterable[str]:
    """Yield a sentence on each product of parameters whose unit is known though those of its factors are not."""
    for unknown, unit in system.solved.items():
        open_unknowns = unit.unknowns
        if (
            not open_unknowns
            or unknown.is_column
            or any(open_unknown.is_column or open_unknown.name not in parameters for open_unknown in open_unknowns)
        ):
            continue
        product = Unit({unknown: Integer(1)}).times(
            Unit({open_unknown: unit.powers[open_unknown] for open_unknown in open_unknowns}), Integer(-1)
        )
        remainder = Unit({base: power for base, power in unit.powers.items() if base not in open_unknowns})
        yield f"{_product(product)} is {in_words(remainder)}"


def _product(unit: Unit) -> str:
    """Write a product of parameters: a·b, a/b."""
    return str(Unit({Atom(str(base), str(base)): power for base, power in unit.powers.items()}))
