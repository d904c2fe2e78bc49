"""Straight-line code that writes into arrays made beforehand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.engines.blockwise import Products
from descend.engines.in_place import AT_ONCE, ONE_THREAD, InPlace, LeastSquares, UnsuitableError
from descend.formula.compile import define, numpy_names

ROWS = 7
GIVEN = {"c0": np.linspace(-1.0, 2.0, ROWS), "c1": np.linspace(0.5, 3.0, ROWS) ** 2, "h2": np.ones(ROWS)}
NUMBERS = {"p0": 0.7, "p1": -1.3}


@st.composite
def programs(draw):
    """Lines that use what stands above them, and which of the names are columns of A."""
    names, lines = [*GIVEN, *NUMBERS], []
    for number in range(draw(st.integers(1, 8))):
        one, other, third = draw(st.sampled_from(names)), *(draw(st.sampled_from([*names, "2.0"])) for _ in range(2))
        shapes = [
            "{0}*{1} + {2}",
            "np.sin({0} - {1}*{2})",
            "-({0} + {1})*({0} - {2})",
            "({0}*{0} + {1})*{2}",
            "-{0}*{1}",
        ]
        shapes += [
            "{0}",
            "1.0/({0}*{0} + 1.0) + {1}/2.0",
            "np.minimum({0}, {1})*{2}",
            "np.arctan2({0} + {2}, {1}*{1} + 1.0)",
        ]
        lines.append(f"t{number} = {draw(st.sampled_from(shapes)).format(one, other, third)}")
        names.append(f"t{number}")
    arrays = [name for name in names if name.startswith(("c", "h")) or is_array(name, lines)]
    columns = draw(st.lists(st.sampled_from([*arrays, f"{arrays[-1]}*c0"]), min_size=2, max_size=4))
    return lines, columns


def is_array(name, lines):
    values = plainly(lines)
    return np.ndim(values[name]) == 1


def plainly(lines):
    """Run the lines as they stand."""
    space = {**numpy_names(), **GIVEN, **NUMBERS}
    exec("\n".join(lines), space)
    return space


@pytest.mark.parametrize("at_once", [True, False])
@given(programs(), st.sampled_from(["", "h2", "c1"]))
def test_the_sums_are_those_of_the_lines_as_they_stand(at_once, program, weights):
    lines, columns = program
    space = plainly(lines)
    whole = np.array([eval(column, space) for column in columns])
    omega = GIVEN[weights] if weights else 1.0
    expected = (whole * omega).dot(whole.T) / 3.0
    source = LeastSquares(lines, columns, weights, list(NUMBERS), list(GIVEN)).of_few(1.0, at_once)
    before = {name: array.copy() for name, array in GIVEN.items()}
    sums = define("bind", source, numpy_names())(tuple(GIVEN.values()), 3.0)
    for _ in range(2):  # nothing is left behind from the first time
        loss, gradient, curvature = sums(np.array(list(NUMBERS.values())))
        np.testing.assert_allclose(curvature, expected[:-1, :-1], rtol=1e-13, atol=1e-300)
        np.testing.assert_allclose(gradient, expected[-1, :-1], rtol=1e-13, atol=1e-300)
        assert loss == pytest.approx(expected[-1, -1] / 2.0, rel=1e-13)
    for name, array in GIVEN.items():
        np.testing.assert_array_equal(array, before[name])


@given(programs(), st.sampled_from(["", "h2", "c1"]))
def test_blocks_have_the_inner_products_of_the_lines_as_they_stand(program, weights):
    lines, columns = program
    space = plainly(lines)
    whole = np.array([eval(column, space) for column in columns])
    expected = (whole * (GIVEN[weights] if weights else 1.0)).dot(whole.T)
    products = Products(LeastSquares(lines, columns, weights, list(NUMBERS), list(GIVEN), "h2"))
    sums = define("bind", products.source(), numpy_names())(ROWS, 3)
    for _ in range(2):
        flat = sums(np.array(list(NUMBERS.values())), tuple(GIVEN.values()))
        np.testing.assert_allclose(flat.take(products.places), expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("rows", [AT_ONCE + 1, 3 * ONE_THREAD])
def test_of_more_rows_parts_are_multiplied_that_leave_blas_one_thread(rows):
    c0 = np.linspace(-1.0, 2.0, rows)
    source = LeastSquares(["t0 = np.exp(p0*c0)", "t1 = p1*t0"], ["t0", "c0", "t1"], "", ["p0", "p1"], ["c0"])
    sums = define("bind", source.of_few(1.0, False), numpy_names())((c0,), 1.0)
    loss, gradient, curvature = sums(np.array([0.5, -2.0]))
    whole = np.array([np.exp(0.5 * c0), c0, -2.0 * np.exp(0.5 * c0)])
    np.testing.assert_allclose(curvature, whole[:2] @ whole[:2].T, rtol=1e-13)
    np.testing.assert_allclose(gradient, whole[:2] @ whole[2], rtol=1e-13)
    assert loss == pytest.approx(whole[2] @ whole[2] / 2.0, rel=1e-13)


def test_every_operation_writes_into_an_array_made_before():
    code = InPlace(["t0 = np.exp(p0*c0)", "t1 = p1*t0 + c1", "t2 = t1 - c0"], ["t0", "t2"], list(GIVEN))
    assert code.lines == [
        "multiply(p0, c0, r0)",
        "exp(r0, r0)",
        "multiply(p1, r0, w0)",
        "add(w0, c1, w0)",
        "subtract(w0, c0, r1)",
    ]
    assert code.made == ["w0"]


def test_numbers_divide_by_zero_as_they_do_in_numpy():
    source = LeastSquares(["t0 = 1/p0**2", "t1 = t0*c0"], ["t1", "c0"], "", ["p0"], ["c0"]).of_few(1.0, True)
    sums = define("bind", source, numpy_names())((GIVEN["c0"],), 1.0)
    with np.errstate(all="ignore"):
        loss, gradient, _ = sums(np.array([0.0]))
    assert loss == pytest.approx(0.5 * GIVEN["c0"].dot(GIVEN["c0"]))
    assert np.isnan(gradient).all() or np.isinf(gradient).all()


@pytest.mark.parametrize(
    "line", ["t0 = np.where(c0 > 0.0, c0, p0)", "t0 = spread(p0, count)", "t0 = c0 > 0.0", "t0 = other(c0)"]
)
def test_what_has_no_such_form_is_refused(line):
    with pytest.raises(UnsuitableError, match=re.escape(line.removeprefix("t0 = ")[:5])):
        InPlace([line], ["t0", "c0"], ["c0"])
