"""The fields of a fit as plain text: digits, widths."""

from __future__ import annotations

import pytest

from descend.parameters import digits_of
from descend.report.field import Field
from descend.report.text import render


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (2459001.12273, 0.00085, "2459001.12273"),
        (2459001.12273, 0.00096, "2459001.12273"),
        (2459001.12273, 0.000996, "2459001.1227"),  # rounds to 0.0010
        (5_000_000_126.774, 4.04, "5000000126.8"),
        (5e9, 1e3, "5e+09"),
        (1.5, 0.1, "1.5"),
        (-273.15123456, 1e-6, "-273.1512346"),
        (1e-20, 3e-31, "1e-20"),
        (0.0, 1.0, "0"),
        (2.0, float("nan"), "2"),
        (1.0, 1e-30, "1"),
    ],
)
def test_a_value_is_written_down_to_the_second_digit_of_its_error(value, error, shown):
    assert f"{value:.{digits_of(value, error)}g}" == shown


def test_the_table_shows_values_and_ends_alike():
    row = (2459001.12273, 0.00085, "", 2459001.121031, 2459001.124429)
    told = render([Field("m", row, "parameter"), Field("rows", "120", "text")])
    assert "2459001.12273" in told and "2459001.12103" in told and "2459001.12443" in told


def test_a_fixed_value_has_all_the_digits_it_was_given():
    shown = [Field("b", (0.031, 1e-3, ""), "parameter"), Field("c", (123456789.25, None, "fixed"), "parameter")]
    assert "  c   123456789.25" in render([*shown, Field("rows", "30", "text")])
