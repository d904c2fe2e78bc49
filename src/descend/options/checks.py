"""Checks of the values of options, made before anything is read: each raises ConfigError for a wrong value."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral

from descend.errors import ConfigError
from descend.wording import spell

Check = Callable[[str, object], object]
"""Takes the key of an option and its value; what it returns is not looked at."""
Test = Callable[[object], bool]
LONGEST_SHOWN = 60


def anything(key: str, value: object) -> None:
    """Accept every value; the code that reads the option checks it itself."""


def must_be(words: str, *tests: Test) -> Check:
    """Return a check of an option: at least one of the tests has to hold.

    >>> must_be("a text", is_text)("device", 3)
    Traceback (most recent call last):
    descend.errors.ConfigError: `device` must be a text, not 3.
    """

    def check(key: str, value: object) -> None:
        if not any(test(value) for test in tests):
            value_shown = " ".join(repr(value).split())
            value_shown = (
                value_shown if len(value_shown) <= LONGEST_SHOWN else f"a value of type {type(value).__name__}"
            )
            raise ConfigError(f"{spell(key)} must be {words}, not {value_shown}.")

    return check


def is_text(value: object) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


LARGEST = sys.float_info.max
WORDS_OF_DISPERSION = ("estimated", "known")


def is_dispersion(value: object) -> bool:
    """Whether a value says what a dispersion is: a word, or a positive number, also as a text."""
    if isinstance(value, str) and value in WORDS_OF_DISPERSION:
        return True
    try:
        return isinstance(value, str | int | float) and not isinstance(value, bool) and 0.0 < float(value) <= LARGEST
    except (TypeError, ValueError, OverflowError):
        return False


def is_path(value: object) -> bool:
    """Whether a value names a file."""
    return isinstance(value, str | os.PathLike)


def is_matrix(value: object) -> bool:
    """Whether a value is an array, a frame or a list of lists, which may hold a matrix."""
    return (isinstance(value, Sequence) and not isinstance(value, str)) or hasattr(value, "__array__")


def is_switch(value: object) -> bool:
    """Whether a value is True or False."""
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # the second names are NumPy's


def is_texts(value: object) -> bool:
    """Whether a value is a text or several."""
    return is_text(value) or (isinstance(value, Sequence | AbstractSet) and all(map(is_text, value)))


def is_by_name(value: object) -> bool:
    """Whether a value maps names to something."""
    return isinstance(value, dict | Mapping) and all(map(is_text, value))


def is_array(value: object) -> bool:
    """Whether a value holds a value for each row."""
    return hasattr(value, "__array__")


def is_number(value: object) -> bool:
    """Whether a value is a single number; a text is not."""
    if isinstance(value, Sequence | bool) or bool(getattr(value, "ndim", 0)):
        return False
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return True


one_value = must_be("one value", lambda value: type(value).__name__ != "ndarray")


def whole_number(words: str, least_number: int) -> Check:
    """Return a check of a whole number of at least ``least_number``, called ``words`` in its message."""

    def check(key: str, value: object) -> None:
        one_value(key, value)
        refuse_not_whole(value, words, least_number)

    return check


def refuse_not_whole(value: object, words: str, least_number: int) -> None:
    """Raise ConfigError for a value that is not a whole number of at least ``least_number`` (None means not given)."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, Integral) or value < least_number):
        raise ConfigError(f"The {words} must be a whole number, {least_number} or more; it is {value!r}.")


def positive(words: str) -> Check:
    """Return a check of a positive number, called ``words`` in its message."""

    def check(key: str, value: object) -> None:
        one_value(key, value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
            raise ConfigError(f"The {words} must be a positive number; it is {value!r}.")

    return check


def rate(key: str, value: object) -> None:
    """Refuse a learning rate that is neither positive and finite nor ``auto``."""
    must_be("a positive number, or `auto`", is_text, is_number)(key, value)
    if value != "auto":
        as_rate(value)


def as_rate(value: object) -> float:
    """Return a learning rate as a float. Raises ConfigError unless it is positive and finite."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ConfigError(f"The learning rate must be a number or `auto`; it is {value!r}.") from None
    if not (math.isfinite(number) and number > 0.0):
        raise ConfigError(
            f"The learning rate must be a positive number; it is {number:g}. Use `auto` to have one chosen."
        )
    return number


def sharpness(key: str, value: object) -> None:
    """Refuse anything but True, False, ``auto`` or a number of epochs."""
    one_value(key, value)
    every = isinstance(value, int) and (value is False or value >= 1)
    if not every and value != "auto":
        raise ConfigError(f"`sharpness` is True, False or every how many epochs to note it; it is {value!r}.")


def optimizer(key: str, value: object) -> None:
    """Refuse the name of an unknown optimizer."""
    one_value(key, value)
    if isinstance(value, str):
        from descend.optimizers import OPTIMIZERS

        OPTIMIZERS.build(value)


def loss(key: str, value: object) -> None:
    """Refuse anything but a loss or the name of one."""
    from descend.losses import LOSSES, Loss

    if not isinstance(value, str | Loss):
        kind = type(value).__name__
        loss_advice = next((name for name in LOSSES if kind in LOSSES[name].modules.split()), "huber(delta=2)")
        raise ConfigError(f"A loss is named by text, such as `{loss_advice}`; this is of type {kind}.")


schedule = must_be(
    "a text, or of a module a scheduler of PyTorch or what makes one",
    is_text,
    lambda value: callable(value) or hasattr(value, "step"),
)


def condition(key: str, value: object) -> None:
    """Refuse a condition that is not a text."""
    if not isinstance(value, str):
        raise ConfigError(
            f"`{key}` is a condition in SQL, as text, such as `x > 1`; this is of type {type(value).__name__}. "
            "Write the condition, or choose the rows of the data before."
        )


def column(key: str, value: object) -> None:
    """Refuse the name of a column if it is not a text."""
    if not isinstance(value, str):
        raise ConfigError(
            f"`{key}` is the name of a column; this is of type {type(value).__name__}. Put the values into the data."
        )


_named = must_be('given by name, such as {"a": 1.0}', is_by_name)


def start(key: str, value: object) -> None:
    """Refuse starting values that are not given by name."""
    if not isinstance(value, dict | Mapping):
        kind = type(value).__name__
        raise ConfigError(f'Starting values are given by name, such as start={{"w": 0.0}}; this is of type {kind}.')
    for name, start_given in value.items():
        if not isinstance(name, str):
            _named(key, value)
        if type(start_given) is float:
            continue
        if 0 in getattr(start_given, "shape", ()) or (isinstance(start_given, list | tuple) and not start_given):
            raise ConfigError(
                f"The start of `{name}` has no numbers. Give one, or one for each component: "
                f'start={{"{name}": [1.0, 1.0]}}.'
            )


generated_columns = must_be('given by name, such as {"x": "0:10:0.1"}', is_by_name)
ARGUMENTS: Mapping[str, Check] = {
    "formula": must_be("a text such as `y ~ a*x + b`", is_text),
    "equations": must_be("a text such as `y = 2*x + 1`, or a list of them", is_texts),
    "columns": must_be("a list of names of columns", is_texts),
    "optimizers": must_be('a list of texts, such as ["gd", "lbfgs"]', is_texts),
    "on_fit": must_be("a function", callable),
    "named columns": lambda key, value: generated_columns("columns", value),
    "rows": lambda key, value: refuse_not_whole(value, "number of rows", 1),
}
"""Checks of the arguments of other functions that are not options of a fit."""
