"""Columns that lie side by side in a matrix are fitted where they lie, to the same answer as columns by themselves."""

import pickle

import numpy as np
import pytest

import descend
from descend.table import open_table
from descend.table.in_matrix import InMatrix

RNG = np.random.default_rng(3)
X = RNG.normal(size=(5_000, 4)) * [1.0, 10.0, 0.1, 3.0]
Y = X @ [1.0, 0.2, 0.0, -0.5] + 3.0 + RNG.normal(size=len(X))
NAMES = ("x0", "x1", "x2", "x3")
APART = {**{name: np.ascontiguousarray(column) for name, column in zip(NAMES, X.T, strict=True)}, "y": Y}


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ w @ [*] + b", {}),
        ("y ~ b + w @ [*]", {"errors": "hc3"}),
        ("y ~ w @ [*] + b", {"weights": np.abs(X[:, 0])}),
        ("y ~ w @ [*] + b", {"l1": 0.1}),
        ("y ~ w @ [*] + b", {"loss": "huber"}),
        ("y ~ w @ [*] + b", {"where": "x0 > 0"}),
        ("y ~ w @ [*] + b", {"engine": "query"}),
        ("y ~ w @ [x0, x1, x2] + b*x3 + c", {}),
        ("y ~ w @ [x3, x1, x2, x0] + c", {}),
        ("y ~ log(1 + exp(w @ [*] + b))", {}),
    ],
)
def test_a_matrix_gives_the_same_fit_as_its_columns(formula, options):
    together, apart = descend.fit(formula, (X, Y), **options), descend.fit(formula, APART, **options)
    for name, value in apart.parameters.items():
        assert np.allclose(together.parameters[name], value, rtol=1e-9, atol=1e-9)
        if apart.standard_errors is not None:
            assert np.allclose(together.standard_errors[name], apart.standard_errors[name], rtol=1e-9)
    assert np.allclose(pickle.loads(pickle.dumps(together)).predict(APART), apart.predict(APART))


def test_nearly_dependent_columns_of_a_matrix_lose_no_digits():
    near = np.column_stack([X[:, 0], X[:, 0] + 1e-7 * X[:, 1], X[:, 2]])
    y = near @ [1.0, 2.0, 3.0] + 1.0
    assert np.allclose(descend.fit("y ~ w @ [*] + b", (near, y)).parameters["w"], [1.0, 2.0, 3.0], rtol=1e-7)


def test_a_gap_in_a_matrix_is_refused_by_the_name_of_its_column():
    gaps = X.copy()
    gaps[7, 2] = np.nan
    with pytest.raises(descend.DataError, match="`x2` has a missing value in row 8"):
        descend.fit("y ~ w @ [*] + b", (gaps, Y))
    dropped = descend.fit("y ~ w @ [*] + b", (gaps, Y), missing="drop")
    assert dropped.rows == len(X) - 1


def test_a_column_of_a_matrix_is_read_in_one_piece():
    table = open_table(InMatrix(NAMES, X, {"y": Y}))
    columns = table.with_column("z", 2 * Y).numbers(["z", "x2", "y"])
    assert list(columns) == ["z", "x2", "y"]
    assert columns["x2"].flags.c_contiguous
    assert columns["x2"].tolist() == X[:, 2].tolist()
    assert table.filtered("x0 > 0").numbers(["x1"])["x1"].tolist() == X[X[:, 0] > 0, 1].tolist()
