"""Properties over random texts: what is written reads back the same, and nothing but FormulaError ever comes out."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.formula.expressions import read, texts

from descend.errors import FormulaError
from descend.formula import as_text, guess_columns, read_formula
from descend.formula.syntax import parse_assignment, parse_expression


@settings(max_examples=200)
@given(texts(depth=4))
def test_text_reads_back_as_the_same_expression(text):
    try:
        expression = read(text)
    except FormulaError:
        assume(False)
    written = as_text(expression)
    assert read(written) == expression
    assert as_text(read(written)) == written


WORDS = """x y a b1 w `unit price` 价格 1 2.5 1e9 9 .5 + - * / ^ ** @ ~ = == < <= > ! ( ) [ ] , ? * ` ' . _ __ and or
not exp( log( where( min( gamma( sin( foo( 1/ ^9 [*] [x*] @[x] （ ， × ≤ ² e pi if"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\n"])
NOISE = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=25).map("".join),
    st.lists(PIECES, max_size=25).map(" ".join),
    st.lists(PIECES, max_size=25).map(lambda pieces: "y ~ " + "".join(pieces)),
    st.text(alphabet="xa19+-*/^()[]@~,.` e", max_size=40).map("y ~ a*".__add__),
)


@settings(max_examples=400)
@given(NOISE)
def test_no_text_crashes_the_parser(text):
    begin = time.perf_counter()
    for reader in (lambda: read_formula(text, ("x", "y", "unit price", "价格")), lambda: guess_columns(text)):
        try:
            reader()
        except FormulaError as error:
            assert "\n" not in str(error) or "^" in str(error)
            str(error).encode()  # can be printed
    assert time.perf_counter() - begin < 2


@pytest.mark.parametrize("parse", [parse_expression, parse_assignment])
@given(text=NOISE)
@example(text="²")
def test_no_text_crashes_the_other_parsers(parse, text):
    try:
        parse(text)
    except FormulaError as error:
        str(error).encode()
