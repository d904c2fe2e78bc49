"""`explain`: what a formula says before any descent."""

from __future__ import annotations

import json

import numpy as np
import pytest

from descend import explain
from descend.cli.main import main

DECAY = {"x": np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), "y": np.array([3.0, 2.0, 1.5, 1.2, 1.1, 1.05, 1.04])}


def test_a_formula_alone():
    assert str(explain("y ~ a*exp(b + c*x)/sqrt(d + x)")).splitlines() == [
        "y ~ a*exp(b + c*x)/sqrt(d + x)",
        "",
        "  columns     y, x",
        "  linear      a",
        "  nonlinear   b, c, d",
        "  units       a: y*x^0.5, b: 1, c: 1/x, d: x",
        '  redundant   a and b trade off: only a*exp(b) is determined. Drop b, or fix it with fix={"b": 0}.',
        "  domain      1/sqrt(d + x) needs d + x > 0",
    ]


def test_signs_and_order_that_are_arbitrary():
    explained = explain("y ~ a*exp(-((x - m)/s)^2) + a2*exp(-((x - m2)/s2)^2)")
    assert explained.arbitrary == (
        "the sign of s makes no difference",
        "the sign of s2 makes no difference",
        "(a, m, s) and (a2, m2, s2) can change places",
    )


@pytest.mark.parametrize(
    ("formula", "demands"),
    [
        ("y ~ a/(b2 + b3*x)", ["1/(b2 + b3*x) needs b2 + b3*x != 0"]),
        ("y ~ a*log(b*x - c)", ["log(b*x - c) needs b*x - c > 0"]),
        ("y ~ sqrt(c - x) + a*x", ["sqrt(c - x) needs c - x >= 0"]),
        ("y ~ a*x^b", ["x^b needs x > 0"]),
        ("y ~ asin(a*x) + b", ["asin(a*x) needs a*x to be between -1 and 1"]),
        ("log(y) ~ a + b*x", ["log(y) needs y > 0"]),
        ("y ~ a/(1 + exp(b*x)) + c*sqrt(x^2 + 1)", []),
    ],
)
def test_the_domain(formula, demands):
    assert [str(limit) for limit in explain(formula).limits] == demands


def test_rows_in_which_the_formula_has_no_value_are_counted():
    explained = explain("y ~ a*log(x) + b", DECAY)
    assert [str(each) for each in explained.broken] == [
        "log(x): x is <= 0 in 2 rows, the first of them row 1, where it is -1"
    ]
    assert explained.start is None


def test_with_data_it_shows_scales_and_the_start_of_a_fit():
    explained = explain("y ~ a*exp(-b*x) + c", DECAY)
    assert explained.rows == 7
    assert explained.scales["x"] == (-1.0, 5.0, 2.0)
    assert explained.start == pytest.approx({"a": 1.00105, "b": 0.700489, "c": 0.987898}, rel=1e-4)
    assert 1.0 < explained.condition < 1e3


def test_on_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["descend", "explain", "y ~ a*b*x", "--json"])
    assert main() == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["redundant"][0] == {
        "parameters": ["a", "b"],
        "determined": ["a*b"],
        "fix": {"b": 1.0},
        "sentence": "a and b trade off: only a*b is determined. Drop b, or fix it with --fix b=1.",
    }
    assert shown["linear"] == ["a"]
    assert shown["nonlinear"] == ["b"]


def test_columns_far_from_zero_are_told_to_the_digits_that_tell_them_apart():
    data = {"t": 2_459_000 + np.linspace(0.0, 3.0, 20), "y": np.linspace(1.0, 2.0, 20)}
    assert "2459000 to 2459003, standard deviation 0.91" in str(explain("y ~ a + b*(t - 2459000)", data))
