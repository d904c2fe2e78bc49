"""What a formula says that its author may not have meant: one sentence for each, shown beside the fit."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache

from descend.formula.formula import Formula
from descend.formula.functions import reserved
from descend.formula.real_functions import sinc
from descend.formula.symbols import Column
from descend.formula.syntax import parse_formula
from descend.formula.tree import Call, Power, names_in, walk

TWINS = str.maketrans("аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅοΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdqwABEKMHOPCTXIJSoABEZHIKMNOPTYX")
"""Letters of the Cyrillic and Greek alphabets that look like a Latin one."""


def ambiguities(formula: Formula, columns: Collection[str] = ()) -> tuple[str, ...]:
    """Return a sentence for each thing in a formula that may be misread; ``columns``: further columns of the data.

    >>> from descend.formula import read_formula
    >>> print(ambiguities(read_formula("y ~ a + e*x", ["x", "y"]))[0])
    `e` is Euler's number here, 2.71828, and not a parameter: if one is meant, give it another name, such as `e_`
    >>> ambiguities(read_formula("y ~ a*e^(-b*x)", ["x", "y"]))
    ()
    """
    formulas = formula.parts or (formula,)
    return tuple(dict.fromkeys(ambiguity for part in formulas for ambiguity in _ambiguities(part, tuple(columns))))


@lru_cache(maxsize=128)
def _ambiguities(formula: Formula, columns: tuple[str, ...]) -> tuple[str, ...]:
    named = (*_euler(formula), *_sinc(formula), *_called_columns(formula, columns))
    return (*named, *_response(formula), *_twins(formula, columns))


def _euler(formula: Formula) -> Iterator[str]:
    """Warn that e is a constant, unless it stands where only the constant makes sense: as the base of a power."""
    sides = parse_formula(formula.text)
    bases = [node.base for node in walk(*sides) if isinstance(node, Power)]
    alone = (name for name in names_in(*sides) if name.name == "e" and not name.quoted and name not in bases)
    if any(formula.text[name.start - 1 : name.start] != "." for name in alone):  # np.e is no parameter
        yield (
            "`e` is Euler's number here, 2.71828, and not a parameter: if one is meant, give it another name, such as "
            f"`{'e_' if 'e_' not in formula.parameters else 'e0'}`"
        )


def _sinc(formula: Formula) -> Iterator[str]:
    """Say which of the two functions called sinc is meant."""
    if formula.expression.has(sinc):
        yield "`sinc(u)` is sin(pi*u)/(pi*u), as NumPy has it: for sin(u)/u write `sinc(u/pi)`"


def _called_columns(formula: Formula, columns: Collection[str]) -> Iterator[str]:
    """Say that what is called is a function, where a column has its name and an operator may have been forgotten."""
    calls = {node.function for node in walk(*parse_formula(formula.text)) if isinstance(node, Call)}
    for name in sorted(calls.intersection((*columns, *formula.columns))):
        if not reserved(name):
            yield f"`{name}(...)` is the function here, not the column `{name}`: to multiply, write `{name}*(...)`"


def _response(formula: Formula) -> Iterator[str]:
    """Warn of a response that explains itself: every column on the left of ``~`` also stands on the right."""
    left = [name for name in formula.columns if Column(name) in formula.response.free_symbols]
    if left and set(left) <= set(formula.inputs):
        names = " and ".join(f"`{name}`" for name in left)
        yield (
            f"{names}, which {'is' if len(left) == 1 else 'make'} the response, also "
            f"{'stands' if len(left) == 1 else 'stand'} on the right side of `~`: the response explains itself there, "
            "and cannot be predicted from it; take it out of the right side, unless that is meant"
        )


def _twins(formula: Formula, columns: Collection[str]) -> Iterator[str]:
    """Warn of different names that look alike, because of letters from another alphabet or full-width ones."""
    names = dict.fromkeys((*formula.parameters, *formula.columns))
    for one, second_name in itertools.product(names, dict.fromkeys((*names, *columns))):
        if (
            one == second_name
            or _looks(one) != _looks(second_name)
            or (second_name in names and _strangeness(one) <= _strangeness(second_name))
        ):
            continue
        odd = one if _strangeness(one) > _strangeness(second_name) else second_name
        letter = next((letter for letter in odd if _looks(letter) != letter), odd[0])
        yield (
            f"`{one}` and `{second_name}` look alike but are two names: `{odd}` is written with {_called(letter)}; "
            "write both the same if one is meant"
        )


def _looks(name: str) -> str:
    return unicodedata.normalize("NFKC", name).translate(TWINS)


def _strangeness(name: str) -> tuple[int, str]:
    return sum(_looks(letter) != letter for letter in name), name


def _called(letter: str) -> str:
    return f"{unicodedata.name(letter, 'a letter').title()} (U+{ord(letter):04X})"
