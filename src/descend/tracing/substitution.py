"""A copy of a function that meets stand-ins for what would turn its arguments into plain numbers.

The function itself, and the modules that it uses, are left as they are, so that other threads notice nothing.
"""

from __future__ import annotations

import builtins
import copy
import functools
import sys
import types
from typing import cast

import numpy as np

from descend.tracing.per_row import PerRow
from descend.tracing.standins import stand_ins
from descend.tracing.tape import Value
from descend.tracing.wrapped import of_numbers, unwrapped

LIBRARIES = sys.stdlib_module_names | {
    "numpy",
    "scipy",
    "descend",
    "torch",
    "jax",
    "numba",
    "sympy",
    "pandas",
    "polars",
}
"""Packages whose functions are called as they are."""
CONTAINER = 256
"""Members of a dict or list that are looked through."""
MOST = 1000
"""Values that may get stand-ins."""


class Substitution:
    """What stands in for the values that a function refers to: its globals, the cells of its closure, its methods."""

    def __init__(self) -> None:
        self.known = stand_ins("numba" in sys.modules, "scipy.stats" in sys.modules)
        self.made: dict[int, tuple[object, Value]] = {}  # with what was given, so that its id stays its own

    def of(self, value: Value) -> Value:
        """Return what stands in for a value, or the value itself."""
        if isinstance(value, bool | int | float | str | np.ndarray | None):
            return value
        if id(value) in self.made:
            return self.made[id(value)][1]
        if len(self.made) > MOST:
            return value
        if callable(value):
            value_substituted = self.known.get(id(value))
            if value_substituted is not None:
                return value_substituted
        return self._new(value)

    def _new(self, value: Value) -> Value:
        if isinstance(value, types.FunctionType):
            return self._function(value) if own(value) else value
        if isinstance(value, types.ModuleType):
            return Namespace(value, self)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.of(value.__func__), self.of(value.__self__))
        if isinstance(value, functools.partial):
            keywords = {name: self.of(each) for name, each in value.keywords.items()}
            return functools.partial(self.of(value.func), *map(self.of, value.args), **keywords)
        inner = of_numbers(value)
        if inner is not None:
            return PerRow(self.of(inner), getattr(value, "excluded", ()))
        if isinstance(value, np.ufunc):
            return value
        if type(value) in (dict, list, tuple):
            return self._container(value) if len(value) <= CONTAINER else value
        plain = unwrapped(value) if callable(value) else value
        if plain is not value:
            return self.of(plain)
        if isinstance(value, type):
            return self._class(value) if own(value) else value
        return self._instance(value) if own(type(value)) else value

    def _keep(self, value: object, stand_in: Value) -> Value:
        self.made[id(value)] = value, stand_in
        return stand_in

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        space = dict(function.__globals__)
        builtins_of_function = space.get("__builtins__", builtins)
        builtin_names = (
            vars(builtins_of_function) if isinstance(builtins_of_function, types.ModuleType) else builtins_of_function
        )
        space["__builtins__"] = {**builtin_names, "__import__": self._imported}
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        made = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, cells or None)
        made.__kwdefaults__ = function.__kwdefaults__
        made.__dict__.update(function.__dict__)
        self._keep(function, made)
        for name in _names(function.__code__):
            if name in space:
                space[name] = self.of(space[name])
            elif name in builtin_names and id(builtin_names[name]) in self.known:
                space[name] = self.known[id(builtin_names[name])]
        for cell, filled in zip(cells, function.__closure__ or (), strict=True):
            self._fill(cell, filled)
        made.__defaults__ = None if function.__defaults__ is None else tuple(map(self.of, function.__defaults__))
        return made

    def _imported(self, *arguments: Value, **options: Value) -> Value:
        """Import a module inside the function, as `import math` there does."""
        return self.of(builtins.__import__(*arguments, **options))

    def _fill(self, cell: types.CellType, cell_given: types.CellType) -> None:
        try:
            cell.cell_contents = self.of(cell_given.cell_contents)
        except ValueError:  # it is empty yet
            return

    def _container(self, value: Value) -> Value:
        self._keep(value, value)  # it may hold itself
        if isinstance(value, dict):
            members = {key: self.of(member) for key, member in value.items()}
            changed = any(members[key] is not value[key] for key in value)
        else:
            members = type(value)(map(self.of, value))
            changed = any(after is not member_before for after, member_before in zip(members, value, strict=True))
        return self._keep(value, members if changed else value)

    def _class(self, class_given: type) -> type:
        """Return a subclass whose methods are stand-ins."""
        self._keep(class_given, class_given)  # in its own methods
        watched = any("__init_subclass__" in vars(base) for base in class_given.__mro__ if own(base))
        if watched or own(type(class_given)):  # it would hear of a subclass, as what keeps a list of all of them does
            return class_given
        methods = {
            name: self._method(method)
            for base in reversed(class_given.__mro__)
            if own(base)
            for name, method in vars(base).items()
            if isinstance(method, types.FunctionType | staticmethod | classmethod | property)
        }
        if not methods:
            return class_given
        try:
            class_made = type(class_given)(
                class_given.__name__, (class_given,), {"__slots__": (), "__module__": class_given.__module__, **methods}
            )
        except TypeError:  # as of an enumeration
            return class_given
        return cast(type, self._keep(class_given, class_made))

    def _method(self, method: Value) -> Value:
        if isinstance(method, types.FunctionType):
            return self.of(method)
        if isinstance(method, property):
            return property(self.of(method.fget), method.fset, method.fdel)
        return type(method)(self.of(method.__func__))

    def _instance(self, instance_given: Value) -> Value:
        """Return a copy whose methods are stand-ins, as are the functions among its attributes."""
        stand_in_class = self.of(type(instance_given))
        try:
            instance_made = copy.copy(instance_given)
            self._keep(instance_given, instance_made)
            if instance_made is instance_given:  # as a member of an enumeration is
                return instance_given
            for name, attribute in vars(instance_made).items() if hasattr(instance_made, "__dict__") else ():
                instance_made.__dict__[name] = self.of(attribute)
            if stand_in_class is not type(instance_given):
                object.__setattr__(instance_made, "__class__", stand_in_class)
        except Exception:  # a class may forbid both
            return self._keep(instance_given, instance_given)
        return instance_made


class Namespace:
    """A module whose functions are looked up among the stand-ins first."""

    def __init__(self, module: types.ModuleType, substitution: Substitution) -> None:
        self.__dict__.update(_module=module, _substitution=substitution, __name__=module.__name__)

    def __getattr__(self, name: str) -> Value:
        value = getattr(self._module, name)
        library = self._module.__name__.partition(".")[0] in LIBRARIES
        substituted = self._substitution.known.get(id(value)) if library else self._substitution.of(value)
        if library and isinstance(value, types.ModuleType):
            substituted = self._substitution.of(value)
        substituted_value = value if substituted is None else substituted
        self.__dict__[name] = substituted_value
        return substituted_value


def own(value: Value) -> bool:
    """Whether a function or a class is the user's own rather than a library's."""
    return str(getattr(value, "__module__", None)).partition(".")[0] not in LIBRARIES


def _names(code: types.CodeType) -> set[str]:
    """Return the global names and attributes in the code of a function, and of those within it."""
    inner = (_names(each) for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*inner)
