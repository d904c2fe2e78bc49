"""Vectors and groups in a formula: ``w @ [x1, x2]``, ``a[site]`` and ``w[site] @ [x1, x2]``."""

from __future__ import annotations

import fnmatch
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from sympy import Add, Expr, Integer, Mul

from descend.formula import tree
from descend.formula.printers.code import as_text, plain_name
from descend.formula.symbols import Column, Component, Parameter, Predictor, Term
from descend.formula.tokens import Token
from descend.registry import closest
from descend.table.levels import GroupLabels, Levels


def listing(names: Iterable[str], most: int = 12) -> str:
    """Write names for a message, at most ``most`` of them."""
    names_listed = list(names)
    names_left = f" and {len(names_listed) - most} more" if len(names_listed) > most else ""
    return ", ".join(plain_name(name) for name in names_listed[:most]) + names_left


def free_places(values_given: Sequence[Expr | None] | Expr) -> tuple[int, ...]:
    """Return which components have no value among those given for a parameter."""
    return (
        tuple(component for component, value in enumerate(values_given) if value is None)
        if isinstance(values_given, tuple)
        else ()
    )


def _with_values(term: Term, values: Sequence[Expr]) -> Expr:
    """Return the value in each row of a parameter per group whose values are known."""
    size = len(term.each)
    if all(value == values[component % size] for component, value in enumerate(values)):  # the same in each group
        return Add(*(Mul(value, item) for value, item in zip(values, term.each, strict=False)))
    return Add(*(Mul(value, item) for value, item in zip(values, term.items, strict=True)))


class VectorBuilder(ABC):
    """The names of one formula, and what its vectors and parameters per group stand for (see `Builder`)."""

    known: set[str]
    all_columns: Sequence[str]
    numeric: Sequence[str] | Mapping[str, Sequence[str]]
    no_pattern: frozenset[str]
    no_star: frozenset[str]
    given: Mapping[str, Expr]
    levels: Mapping[tuple[str, ...], Levels]
    columns: dict[str, tree.Node]
    parameters: dict[str, tuple[tree.Node, tuple[str, ...] | None]]
    terms: dict[Predictor, Term]
    groups: dict[str, Levels]

    @abstractmethod
    def fail(self, node: tree.Node | Token, fault: str, next_step: str) -> NoReturn: ...
    @abstractmethod
    def _value(self, node: tree.Node) -> Expr: ...
    @abstractmethod
    def _parameter(self, node: tree.Name, labels: tuple[str, ...] | None, form: str = "") -> None: ...
    @abstractmethod
    def _refuse_built_in(self, node: tree.Name) -> None: ...

    def _dot(self, node: tree.Dot) -> Expr:
        name = node.name.name
        if name in self.known:
            fault = f"`{name}` is a column, so it cannot be the vector parameter."
            self.fail(node.name, fault, "Choose another name.")
        self._refuse_built_in(node.name)
        items: list[Expr] = []
        for item in node.items:
            items.extend(self._matching(item, name) if isinstance(item, tree.Pattern) else [self._item(item)])
        labels = tuple(as_text(item) for item in items)
        if sorted(labels) == [*["0"] * (len(labels) - 1), "1"]:  # w @ [0, 1, 0], a single component
            labels = tuple(map(str, range(len(labels))))
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            self.fail(node, f"`{twice}` is twice in the list.", "Name each column once.")
        items_listed = f" @ [{', '.join(map(as_text, items))}]"
        if isinstance(node.vector, tree.Grouped):
            return self._per_group(node.vector, tuple(items), labels, items_listed)
        self._parameter(node.vector, labels)
        if name in self.given:
            return Add(*(Mul(value, item) for value, item in zip(self.given[name], items, strict=True)))
        return self._predictor(plain_name(name) + items_listed, Term(name, tuple(items), labels))

    def _grouped(self, node: tree.Grouped) -> Expr:
        return self._per_group(node, (Integer(1),), (), "")

    def _per_group(self, node: tree.Grouped, items: tuple[Expr, ...], level: tuple[str, ...], items_text: str) -> Expr:
        """Return the value in each row of a parameter that has one for each group, or a vector for each."""
        name = node.parameter.name
        if name in self.known:
            fault = f"`{name}` is a column, so it cannot be a parameter with a value for each group."
            self.fail(node.parameter, fault, "Choose another name.")
        self._refuse_built_in(node.parameter)
        for column in node.columns:
            if column.name not in self.known:
                fault = f"`{column.name}` is not a column.{closest(column.name, self.known)}"
                self.fail(column, fault, f"Columns: {listing(self.all_columns)}.")
        columns = tuple(dict.fromkeys(column.name for column in node.columns))
        levels = self.levels.get(columns) or Levels.unknown(columns)
        labels = GroupLabels(levels, level)
        form = f"{plain_name(name)}[{', '.join(map(plain_name, columns))}]"
        self._parameter(node.parameter, labels, form)
        self.columns.setdefault(levels.name, node)
        self.groups[levels.name] = levels
        term = Term(name, items, labels, levels)
        held = self.given.get(name)
        if held is None:
            return self._predictor(form + items_text, term)
        free_components = free_places(held)
        if not free_components:
            return _with_values(term, held)
        free = replace(term, labels=tuple(labels[component] for component in free_components), places=free_components)
        held_terms = (Mul(value, term.item(component)) for component, value in enumerate(held) if value is not None)
        return Add(self._predictor(form + items_text, free), *held_terms)

    def resolved(self, expression: Expr) -> Expr:
        """Return an expression with a predictor for each component ``a[A]`` that ties brought into it."""
        return expression.xreplace({symbol: self._component(symbol.name) for symbol in expression.atoms(Component)})

    def _component(self, label: str) -> Predictor:
        name, _, group = label.removesuffix("]").partition("[")
        labels = self.parameters[name][1] or ()
        free = [labels[place] for place in free_places(self.given[name])] if name in self.given else list(labels)
        unit = tuple(Integer(int(each == group)) for each in free)
        return self._predictor(f'{plain_name(name)}["{group}"]', Term(name, unit, tuple(free)))

    def _predictor(self, text: str, term: Term) -> Predictor:
        predictor = Predictor(text)
        self.terms[predictor] = term
        return predictor

    def _item(self, node: tree.Node) -> Expr:
        before = set(self.parameters)
        item = self._value(node)
        unknown = next((name for name in self.parameters if name not in before), None)
        if unknown is not None:
            fault = f"`{unknown}` is not a column.{closest(unknown, self.known)}"
            self.fail(node, fault, f"Columns: {listing(self.all_columns)}.")
        if item.atoms(Parameter, Predictor):
            fault = "A list after `@` holds data only, no parameters."
            self.fail(node, fault, f"Columns: {listing(self.all_columns)}.")
        return item

    def _matching(self, pattern: tree.Pattern, vector: str) -> list[Expr]:
        numeric = self.numeric.get(vector, ()) if isinstance(self.numeric, Mapping) else self.numeric
        left_out = self.no_pattern | self.no_star if pattern.text == "*" else self.no_pattern
        matching = [name for name in numeric if name not in left_out and fnmatch.fnmatchcase(name, pattern.text)]
        if not matching:
            fault = f"No other numeric column matches `{pattern.text}`."
            self.fail(pattern, fault, f"Numeric columns: {listing(numeric) or 'none'}.")
        for name in matching:
            self.columns.setdefault(name, pattern)
        return [Column(name) for name in matching]
