"""The text of a script as a tree that is walked once: what no call of PyTorch tells, such as a count never set back."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from descend.doctor.user_code import Place

Loop = ast.For | ast.While
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Assignment(NamedTuple):
    """A variable or attribute that is set; of a tuple that is set, one of its parts."""

    name: str
    value: ast.expr | None
    line: int


class Scope:
    """The statements of a module, a function or a loop; functions and classes that it defines are not entered."""

    def __init__(self, body: list[ast.stmt]) -> None:
        self.nodes: list[ast.AST] = []
        todo: list[ast.AST] = list(reversed(body))
        while todo:
            node = todo.pop()
            self.nodes.append(node)
            if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
                todo.extend(reversed(list(ast.iter_child_nodes(node))))
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.loops = [node for node in self.nodes if isinstance(node, Loop)]  # outer ones first

    @cached_property
    def assignments(self) -> list[Assignment]:
        """What is assigned, in order."""
        return [assignment for node in self.nodes for assignment in _assignments(node)]

    def lines_that_set(self, name: str) -> list[int]:
        """Return the lines that set a variable."""
        return [assignment.line for assignment in self.assignments if assignment.name == name]


@lru_cache(maxsize=512)
def scope_of(node: ast.Module | Function | Loop) -> Scope:
    """Return what is inside a module, a function or a loop."""
    return Scope(node.body)


class Source:
    """The text of a file, or of a cell of a notebook; of what is no Python it holds nothing."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        try:
            module = ast.parse(text)
        except (SyntaxError, ValueError):
            module = ast.Module([], [])
        self.nodes = list(ast.walk(module))
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.functions = [node for node in self.nodes if isinstance(node, Function)]
        self.scopes = [scope_of(node) for node in (module, *self.functions)]

    @staticmethod
    def of(file: str) -> Source:
        """Return the source of a file."""
        return _source(file, "".join(linecache.getlines(file)))

    @property
    def assignments(self) -> Iterator[Assignment]:
        """What is assigned anywhere."""
        return (assignment for scope in self.scopes for assignment in scope.assignments)

    def place(self, line: int) -> Place:
        """Return a line of this file as a place."""
        return Place(self.file, line)

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Whether code, or a comment, speaks of something."""
        return any(pattern.search(line) for line in self.text.splitlines())

    def loops_around(self, line: int) -> list[Loop]:
        """Return the loops that a line is in, the outermost first."""
        loops = [node for node in self.nodes if isinstance(node, Loop)]
        around = [loop for loop in loops if loop.lineno < line <= (loop.end_lineno or loop.lineno)]
        return sorted(around, key=lambda loop: loop.lineno)

    def calls_at(self, line: int) -> list[ast.Call]:
        """Return the calls that a line is a part of."""
        return [call for call in self.calls if call.lineno <= line <= (call.end_lineno or call.lineno)]


@lru_cache(maxsize=8)
def _source(file: str, text: str) -> Source:
    return Source(file, text)


def callee(node: ast.AST | None) -> str:
    """Return the last part of the name of what is called: ``randperm`` for ``torch.randperm(n)``."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def method_owner(node: ast.AST | None) -> ast.expr | None:
    """Return what a method is called on: ``x`` for ``x.mean(0)``; None if no method is called."""
    function = node.func if isinstance(node, ast.Call) else None
    return function.value if isinstance(function, ast.Attribute) else None


def code(node: ast.AST | None) -> str:
    """Return an expression as text."""
    return "" if node is None else ast.unparse(node)


def names_in(node: ast.AST) -> set[str]:
    """Return the variables and attributes that an expression reads: ``x``, ``self.total``."""
    return {code(part) for part in ast.walk(node) if isinstance(part, ast.Name | ast.Attribute)}


def _assignments(node: ast.AST) -> Iterator[Assignment]:
    if isinstance(node, ast.AnnAssign):
        yield Assignment(code(node.target), node.value, node.lineno)
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        values = [node.value] * len(parts)
        if parts != [target] and isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(parts):
            values = node.value.elts
        yield from (Assignment(code(part), value, node.lineno) for part, value in zip(parts, values, strict=True))
