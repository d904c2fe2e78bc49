"""The text of a script as a tree: what no call of PyTorch tells, such as a count that is never set back."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from functools import lru_cache

Loop = ast.For | ast.While
Function = ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=8)
def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def tree(file: str | None) -> ast.Module | None:
    """Return the tree of a file, or of a cell of a notebook; None where there is none."""
    return _parsed("".join(linecache.getlines(file))) if file else None


def scopes(module: ast.Module) -> Iterator[list[ast.stmt]]:
    """Yield the bodies of a module and of each of its functions."""
    yield module.body
    for node in ast.walk(module):
        if isinstance(node, Function):
            yield node.body


def within(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield all nodes of a body, those of functions and classes that it defines left out."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))


def loops(body: list[ast.stmt]) -> Iterator[Loop]:
    """Yield the loops of a body, outer ones first."""
    return (node for node in within(body) if isinstance(node, Loop))


def innermost(file: str, line: int) -> Loop | None:
    """Return the innermost loop that a line of a file is in."""
    module = tree(file)
    around = [] if module is None else [node for node in ast.walk(module) if isinstance(node, Loop)]
    around = [loop for loop in around if loop.lineno < line <= (loop.end_lineno or loop.lineno)]
    return max(around, key=lambda loop: loop.lineno, default=None)


def called(node: ast.AST) -> str:
    """Return the last part of the name of what is called: ``randperm`` for ``torch.randperm(n)``."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def written(node: ast.AST | None) -> str:
    """Return an expression as text."""
    return "" if node is None else ast.unparse(node)


def names(node: ast.AST) -> set[str]:
    """Return the variables and attributes that an expression reads: ``x``, ``self.total``."""
    return {written(one) for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute)}


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None, int]]:
    """Yield what a body assigns, parts of tuples one by one: name, value, line."""
    for node in within(body):
        if isinstance(node, ast.AnnAssign):
            yield written(node.target), node.value, node.lineno
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if not isinstance(target, ast.Tuple | ast.List):
                    yield written(target), node.value, node.lineno
                elif isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(target.elts):
                    yield from (
                        (written(one), value, node.lineno)
                        for one, value in zip(target.elts, node.value.elts, strict=True)
                    )
                else:
                    yield from ((written(one), node.value, node.lineno) for one in target.elts)
