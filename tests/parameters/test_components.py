"""Components of vectors in texts."""

import pytest

from descend.errors import FormulaError
from descend.parameters import Parameters
from descend.parameters.components import with_components

PARAMETERS = Parameters({"a": ("A", "B", "low dose", "A, 3"), "b": None})


@pytest.mark.parametrize(
    "text, labels",
    [
        ("a[A]/a[B]", ["a[A]", "a[B]"]),
        ("b*a[low dose] + q0", ["a[low dose]"]),
        ("a[ 'A' , 3 ]*2", ["a[A, 3]"]),
        ("ba[A]", []),
    ],
)
def test_each_is_a_name_of_the_same_length(text, labels):
    plain, symbols = with_components(text, PARAMETERS)
    assert len(plain) == len(text) and [str(symbol) for symbol in symbols.values()] == labels
    assert all(name in plain and name not in text for name in symbols)


def test_an_unknown_one_is_pointed_at():
    with pytest.raises(FormulaError) as error:
        with_components("a[A]*a[low doze]", PARAMETERS)
    assert str(error.value) == (
        "`a` has no component `low doze`. Did you mean `low dose`?\n    a[A]*a[low doze]\n         ^^^^^^^^^^^\n"
        "Components: `a[A]`, `a[B]`, `a[low dose]`, `a[A, 3]`."
    )


def test_what_stands_in_backticks_is_a_name():
    plain, symbols = with_components("`a[A]/a[B]` = a[A]/a[B]", PARAMETERS)
    assert plain.startswith("`a[A]/a[B]` = q0__/q1__") and len(symbols) == 2
