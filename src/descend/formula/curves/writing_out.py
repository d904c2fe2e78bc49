"""The named curves in a formula, written out: each call becomes the curve's own formula, with the arguments in it.

Arguments that are left out become parameters of these names. Where several curves have an argument of one name, or
where the name stands for something else already, a column or what the formula itself names, it gets a number: that of
the curve among those that share its names, in the order of the formula, from 1 on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from descend.formula.curves.entry import Curve, Setting
from descend.formula.curves.registering import tree_of
from descend.formula.curves.table import CURVES, curve_named
from descend.formula.names import is_function
from descend.formula.tokens import pointed
from descend.formula.tree import Call, Listed, Name, Node, Number, names_in, walk
from descend.registry import closest

Part = TypeVar("Part")


@dataclass(frozen=True)
class Written:
    """A curve as it stands in a formula.

    text: as the user typed it. x: its first argument. value: its formula with the arguments in it. own: the parameter
    that stands for each argument left out.
    """

    curve: Curve
    text: str
    x: Node
    value: Node
    own: Mapping[str, str]


def _calls(sides: tuple[Node, Node]) -> Iterator[Call]:
    for node in walk(*sides[1:]):
        if isinstance(node, Call) and not is_function(node.function) and curve_named(node.function) is not None:
            yield node


def written_out(
    text: str, sides: tuple[Node, Node], columns: Collection[str], starts: Collection[str] = ()
) -> tuple[tuple[Node, Node], tuple[Written, ...]]:
    """Return the sides of a formula with each curve written out, and the curves.

    columns: names that are data. starts: names that are known to be parameters, as those of a saved model.

    Raises FormulaError for arguments that a curve does not have.
    """
    calls = [_Call(text, node) for node in _calls(sides)]
    typed = {name.name for name in names_in(*sides)}
    _name(calls, typed | set(columns), frozenset(starts))
    call_of_node = {id(call.node): call for call in calls}

    def change(node: Node) -> Node | None:
        call = call_of_node.get(id(node))
        return None if call is None else call.written(change)

    left, right = sides
    return (left, _rebuilt(right, change)), tuple(call.as_written(change) for call in calls)


def by_itself(text: str, node: Call) -> Node | None:
    """Return the curve that a call names, written out, each argument left out being a name; None if it names none."""
    if curve_named(node.function) is None:
        return None
    call = _Call(text, node)
    call.own = {name: name for name in call.left_out}
    return call.written(lambda part: None)


class _Call:
    """One call of a curve: which arguments it gives, and what stands for the others."""

    def __init__(self, text: str, node: Call) -> None:
        self.text, self.node = text, node
        curve = CURVES[node.function]
        settings = {each.name: each for each in curve.settings}
        chosen = {
            key.name: self._setting(settings[key.name], value) for key, value in node.named if key.name in settings
        }
        self._refuse_unnamed(curve, chosen)
        self.curve = curve.member(chosen)
        self.own: dict[str, str] = {}
        self.given: dict[str, Node] = {}
        if len(node.arguments) > len(self.curve.arguments):
            self._fail(node.arguments[len(self.curve.arguments)], "is one argument too many")
        for argument, value in zip(self.curve.arguments, node.arguments, strict=False):
            self.given[argument.name] = value
        for key, value in node.named:
            if key.name not in settings:
                self._keyword(key, value)
        if self.curve.x.name not in self.given:
            fault = f"`{curve.name}` lacks its first argument, {self.curve.x.name}."
            raise pointed(text, node.start, node.end, fault, f"Give it the column: `{curve.name}(x)`.")

    def _refuse_unnamed(self, curve: Curve, settings: Collection[str]) -> None:
        """Refuse a number that likely is the degree, and a list that no data suggest, such as knots, where it lacks."""
        for setting in curve.settings:
            number = next((value for value in self.node.arguments[1:2] if isinstance(value, Number)), None)
            if number is not None and setting.least is not None:
                first = curve.parameters[0].name
                fault = f"`{number.text}` would be `{first}`, as it has no name."
                hint = f"Write `{curve.name}(x, {setting.name}={number.text})`, or `{first}={number.text}`."
                raise pointed(self.text, number.start, number.end, fault, hint)
            if setting.least is None and setting.name not in settings:
                fault = f"`{curve.name}` lacks its {setting.name}: {setting.meaning}."
                raise pointed(self.text, self.node.start, self.node.end, fault, f"Write `{curve.call}`, with your own.")

    def _keyword(self, key: Name, value: Node) -> None:
        names = [argument.name for argument in self.curve.arguments]
        if key.name not in names:
            settings = [each.name for each in self.curve.settings]
            fault = f"`{self.curve.name}` has no argument `{key.name}`.{closest(key.name, names + settings)}"
            raise pointed(self.text, key.start, key.end, fault, f"Its arguments: {', '.join(names + settings)}.")
        if key.name in self.given:
            self._fail(key, "is given twice")
        self.given[key.name] = value

    def _fail(self, node: Node, fault: str) -> NoReturn:
        fault = f"`{self.text[node.start : node.end]}` {fault}."
        raise pointed(self.text, node.start, node.end, fault, f"Write `{self.curve.call}`.")

    def _setting(self, setting: Setting, value: Node) -> tuple[float, ...]:
        items = value.items if isinstance(value, Listed) else (value,)
        numbers = tuple(float(item.text) for item in items if isinstance(item, Number))
        if setting.least is None:
            expected, example = "numbers that are written as such, in their order", f"{setting.name}=[1, 2]"
            good = len(numbers) == len(items) and list(numbers) == sorted(set(numbers))
        else:
            expected, example = f"a whole number from {setting.least} to {setting.most}", f"{setting.name}=3"
            assert setting.most is not None
            good = len(numbers) == len(items) == 1 and numbers[0] in range(setting.least, setting.most + 1)
        if not good:
            fault = f"`{setting.name}` of `{self.node.function}` is {expected}."
            raise pointed(self.text, value.start, value.end, fault, f"Write it as `{example}`.")
        return numbers

    def as_written(self, change: Callable[[Node], Node | None]) -> Written:
        """Return the curve, its first argument and its value with all curves inside them written out."""
        text, x = self.text[self.node.start : self.node.end], self.given[self.curve.x.name]
        return Written(self.curve, text, _rebuilt(x, change), self.written(change), self.own)

    @property
    def left_out(self) -> list[str]:
        return [argument.name for argument in self.curve.parameters if argument.name not in self.given]

    def written(self, change: Callable[[Node], Node | None]) -> Node:
        """Return the curve's formula with the arguments in it, all of which stands where the call stood."""
        start, end = self.node.start, self.node.end
        bound: dict[str, Node] = {name: _rebuilt(value, change) for name, value in self.given.items()}
        bound |= {name: Name(start, end, own_node, quoted=is_function(own_node)) for name, own_node in self.own.items()}
        for argument in self.curve.arguments[1:]:
            if argument.default:
                bound.setdefault(argument.name, Number(start, end, argument.default, argument.unit))

        def filled(node: Node) -> Node | None:
            if isinstance(node, Name) and node.name in bound:
                return bound[node.name]
            return _with(node, _parts(node, filled) | {"start": start, "end": end})

        return filled(tree_of(self.curve.formula)) or self.node


def _name(calls: list[_Call], names_in_use: set[str], starts: frozenset[str]) -> None:
    """Name the parameters that stand for arguments left out."""
    sharing = [{argument.name for argument in call.curve.parameters} for call in calls]
    numbers: dict[int, int] = {}
    for call_number, names in enumerate(sharing):
        before = [numbers[other] for other in range(call_number) if sharing[other] & names]
        numbers[call_number] = max(before, default=0) + 1
    used = set(names_in_use)
    for call_number, call in enumerate(calls):
        for name in call.left_out:
            numbered = f"{name}_{numbers[call_number]}" if name[-1].isdigit() else f"{name}{numbers[call_number]}"
            plain = [name] if sum(name in names for names in sharing) == 1 else []
            tried = [*plain, *(numbered + "_" * suffix for suffix in range(len(used) + 1))]
            free = [each for each in tried if each not in used]
            call.own[name] = next((each for each in free if each in starts), free[0])
            used.add(call.own[name])


def _rebuilt(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Return a tree in which each node that ``change`` returns another for is replaced by that."""
    changed = change(node)
    if changed is not None:
        return changed
    return _with(node, _parts(node, lambda part: _rebuilt(part, change)))


def _with(node: Node, fields: dict[str, Any]) -> Node:
    """Return a node made of other parts."""
    return dataclasses.replace(node, **fields)


def _parts(node: Node, change: Callable[[Node], Node | None]) -> dict[str, object]:
    """Return what a node is made of, by field, with each node changed."""
    names = (each.name for each in dataclasses.fields(node) if each.name not in ("start", "end"))
    return {name: _changed(getattr(node, name), change) for name in names}


def _changed(node_part: Part, change: Callable[[Node], Node | None]) -> Part | Node | tuple[object, ...]:
    if isinstance(node_part, Node):
        return change(node_part) or node_part
    return tuple(_changed(each, change) for each in node_part) if isinstance(node_part, tuple) else node_part
