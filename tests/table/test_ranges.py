"""Ranges of values: exact in decimal, half-open, refused when they make no sense."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import ConfigError
from descend.table import parse_column_range


def test_every_value_is_the_number_as_written() -> None:
    values = parse_column_range("0:10:0.1")
    assert values.dtype == np.float64
    assert values.tolist() == [float(f"{i // 10}.{i % 10}") for i in range(100)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0:3", [0.0, 1.0, 2.0]),
        (" -1 : 1 : .5 ", [-1.0, -0.5, 0.0, 0.5]),
        ("3:0:-1", [3.0, 2.0, 1.0]),
        ("0:1:2", [0.0]),
        ("1e-3:4e-3:1e-3", [0.001, 0.002, 0.003]),
        ("0:0.3:0.1", [0.0, 0.1, 0.2]),
        ("0:1e300:5e299", [0.0, 5e299]),
        ("9007199254740993:9007199254740995", [9007199254740992.0, 9007199254740994.0]),
        ("0:1:1e300", [0.0]),
    ],
)
def test_ranges(text: str, values: list[float]) -> None:
    assert parse_column_range(text).tolist() == values


decimals = st.decimals(min_value=-1000, max_value=1000, places=3, allow_nan=False)


@given(decimals, st.integers(1, 200), decimals.filter(bool))
def test_counts_and_values_are_those_of_decimal_arithmetic(start: Decimal, count: int, step: Decimal) -> None:
    stop = start + step * count
    values = parse_column_range(f"{start}:{stop}:{step}")
    assert values.tolist() == [float(start + step * i) for i in range(count)]


@given(st.text(max_size=20))
def test_random_text_is_refused_or_a_range(text: str) -> None:
    try:
        values = parse_column_range(text)
    except ConfigError:
        return
    assert len(values) > 0
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "`5` is not a range. Write start:stop:step, such as 0:10:0.1."),
        ("", "`` is not a range. Write start:stop:step, such as 0:10:0.1."),
        ("0:1:2:3", "`0:1:2:3` is not a range. Write start:stop:step, such as 0:10:0.1."),
        ("0:ten", "`ten` in the range `0:ten` is not a number. Write start:stop:step, such as 0:10:0.1."),
        ("0:inf", "`inf` in the range `0:inf` is not a number. Write start:stop:step, such as 0:10:0.1."),
        ("0:1_0", "`1_0` in the range `0:1_0` is not a number. Write start:stop:step, such as 0:10:0.1."),
        ("0:1e999", "`1e999` in the range `0:1e999` is not a number. Write start:stop:step, such as 0:10:0.1."),
        ("0:1:0", "The step of the range `0:1:0` is zero. Give a step other than zero."),
        ("1:1", "The range `1:1` is empty: with a step of 1, start must be below stop."),
        ("0:5:-0.5", "The range `0:5:-0.5` is empty: with a step of -0.5, start must be above stop."),
        ("0:1:1e-9", "The range `0:1:1e-9` has more than 100,000,000 values. Give a larger step."),
        ("0:1e300:1e-300", "The range `0:1e300:1e-300` has more than 100,000,000 values. Give a larger step."),
    ],
)
def test_bad_ranges_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_column_range(text)
    assert str(caught.value) == message
