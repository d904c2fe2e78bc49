"""The syntax tree of a formula: plain nodes that remember which characters of the text they came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of the formula, from character ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A decimal number, as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A column, parameter or constant; quoted if it stood in backticks, which only columns do."""

    name: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """Terms, each with the sign before it."""

    terms: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Product(Node):
    """Factors, each with the ``*`` or ``/`` before it."""

    factors: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """Minus something."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Power(Node):
    """base ^ exponent."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """A chain of comparisons, ``0 < x <= 1``: one operator fewer than operands."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Conditions joined by ``and`` or ``or``, or one behind ``not``."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pattern(Node):
    """Columns by pattern, inside ``[ ]``: ``x*``, ``*_size``, ``*``."""

    text: str


@dataclass(frozen=True, slots=True)
class Dot(Node):
    """``w @ [x1, x2]``: a vector parameter times a list of columns."""

    vector: Name
    items: tuple[Node, ...]
