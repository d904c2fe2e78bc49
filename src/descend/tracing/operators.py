"""The operators of traced arrays, fast where both sides are single cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.tracing.tape import Value
from descend.tracing.traced import OTHERS, Traced, combined


def _operator(operation: str) -> tuple[Callable[..., Value], Callable[..., Value], Callable[..., Value]]:
    # Most operands are single cells and plain numbers; for these nothing else is looked at.
    def forward(self: Traced, other: Value) -> Value:
        kind, cells, tape = type(other), self.cells, self.tape
        if type(cells) is int:
            if kind is Traced:
                theirs = other.cells
                if type(theirs) is int:
                    axis = self.axis
                    return Traced(tape, tape.binary(operation, cells, theirs), other.axis if axis is None else axis)
            elif kind is int or kind is float:
                return Traced(tape, tape.binary(operation, cells, tape.number(other)), self.axis)
        return combined(tape, operation, self, other) if known(other) else NotImplemented

    def backward(self: Traced, other: Value) -> Value:
        kind, cells, tape = type(other), self.cells, self.tape
        if type(cells) is int and (kind is int or kind is float):
            return Traced(tape, tape.binary(operation, tape.number(other), cells), self.axis)
        return combined(tape, operation, other, self) if known(other) else NotImplemented

    def in_place(self: Traced, other: Value) -> Value:
        return self.become(combined(self.tape, operation, self, other)) if known(other) else NotImplemented

    return forward, backward, in_place


def known(other_value: Value) -> bool:
    """Whether an operand is of a kind that can be traced."""
    plain = isinstance(other_value, Traced | float | int | np.ndarray | np.generic | list | tuple)
    return plain or any(tells(other_value) for tells, _ in OTHERS)


_BOTH_WAYS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "pow": "^",
    "mod": "mod",
    "and": "and",
    "or": "or",
    "xor": "!=",
}
_COMPARING = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
for _name, _operation in (*_BOTH_WAYS.items(), *_COMPARING.items()):
    for _prefix, _method in zip(("", "r", "i"), _operator(_operation), strict=True):
        if not (_prefix and _name in _COMPARING):
            setattr(Traced, f"__{_prefix}{_name}__", _method)


def _unary(operation: str) -> Callable[[Traced], Traced]:
    def method(self: Traced) -> Traced:
        cells, tape = self.cells, self.tape
        if type(cells) is int:
            return Traced(tape, tape.unary(operation, cells), self.axis)
        return combined(tape, operation, self)

    return method


setattr(Traced, "__pos__", Traced.__copy__)  # noqa: B010 - like its neighbours
for _name, _operation in (("neg", "neg"), ("abs", "abs"), ("invert", "not")):
    setattr(Traced, f"__{_name}__", _unary(_operation))
