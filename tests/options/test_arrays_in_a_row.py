"""`descend.fit(f, x, y)`: arrays in a row become columns named as the arguments of the function, or are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import descend

X = np.arange(1.0, 21.0)
Y = 1 + 2 * X + np.random.default_rng(27).normal(size=20)
BOTH = np.random.default_rng(3).normal(size=(2, 20))
Z = 3 * BOTH[0] - 2 * BOTH[1] + 1 + 0.01 * Y


def line(x, a, b):
    return a * x + b


def gradient(x, y, a, b):
    return np.mean(2 * x * (a * x + b - y)), np.mean(2 * (a * x + b - y))


def plane_of_rows(x, a, b, c):
    return a * x[0] + b * x[1] + c


def plane_of_columns(x, a, b, c):
    return a * x[:, 0] + b * x[:, 1] + c


def plane(u, v, a, b, c):
    return a * u + b * v + c


def by_hand(of):
    """Return the gradient of a plane whose columns have these names."""
    names = {"u": ("u", "v"), "x": ("x0", "x1")}[of]

    def means(y, a, b, c, first, second):
        off = 2 * (a * first + b * second + c - y)
        return np.mean(off * first), np.mean(off * second), np.mean(off)

    text = f"lambda {names[0]}, {names[1]}, y, a, b, c: means(y, a, b, c, {names[0]}, {names[1]})"
    return eval(text, {"means": means})


def test_a_predictor_and_a_response():
    named = descend.fit(line, {"x": X, "y": Y}, response="y", gradient=gradient)
    pandas = pytest.importorskip("pandas")
    index = range(100, 120)
    for x, y in [(X, Y), (list(X), list(Y)), (pandas.Series(X, index), pandas.Series(Y)), ({"x": X, "q": Z}, Y)]:
        fitted = descend.fit(line, x, y, gradient=gradient)
        assert fitted.parameters == named.parameters
        assert str(fitted.model) == "y ~ line(x, a, b)"
    assert descend.fit(line, pandas.DataFrame({"x": X}), Y, gradient=gradient).parameters == named.parameters
    assert fitted.predict({"x": [0.0]})[0] == fitted.parameters["b"]


def test_the_response_has_a_name_that_is_no_argument():
    def surface(x, y, a, b):
        return a * x + b * y

    def slopes(x, y, z, a, b):
        off = 2 * (a * x + b * y - z)
        return np.mean(off * x), np.mean(off * y)

    fitted = descend.fit(surface, X, X**2, Y, gradient=slopes)
    assert fitted.model.response == "z"
    formula = descend.fit("z ~ a*x + b*y", {"x": X, "y": X**2, "z": Y})
    assert fitted.parameters == pytest.approx(formula.parameters)
    assert descend.fit(surface, X, X**2, Y, response="z", gradient=slopes).parameters == fitted.parameters


@pytest.mark.parametrize(
    ("function", "arrays", "columns"),
    [
        (plane_of_rows, (BOTH, Z), ("x0", "x1")),
        (plane_of_rows, (BOTH.tolist(), Z.tolist()), ("x0", "x1")),
        (plane_of_columns, (BOTH.T, Z), ("x0", "x1")),
        (plane, (BOTH, Z), ("u", "v")),
        (plane, (BOTH.T, Z), ("u", "v")),
        (plane, (*BOTH, Z), ("u", "v")),
    ],
)
def test_several_predictors(function, arrays, columns):
    """As one matrix, (k, n) or (n, k), or one by one: the function is passed what it expects."""
    fitted = descend.fit(function, *arrays, gradient=by_hand(columns[0][0]))
    formula = descend.fit("z ~ a*u + b*v + c", {"u": BOTH[0], "v": BOTH[1], "z": Z})
    assert fitted.parameters == pytest.approx(formula.parameters, rel=1e-9)
    assert fitted.model.inputs == columns
    values = dict(zip(columns, ([1.0], [2.0]), strict=True))
    a, b, c = fitted.parameters.values()
    assert fitted.predict(values) == pytest.approx([a + 2 * b + c])


def test_a_matrix_of_one_predictor():
    named = descend.fit(line, X, Y, gradient=gradient)
    assert descend.fit(line, X[:, None], Y, gradient=gradient).parameters == named.parameters
    assert descend.fit(line, X[None], Y, gradient=gradient).parameters == named.parameters


def test_a_function_of_a_matrix_is_saved(tmp_path):
    fitted = descend.fit(plane_of_rows, BOTH, Z, gradient=by_hand("x"))
    fitted.save(tmp_path / "plane.json")
    loaded = descend.load(tmp_path / "plane.json", model=plane_of_rows)
    rows = {"x0": [1.0, 0.5], "x1": [2.0, 0.1]}
    assert loaded.predict(rows).tolist() == fitted.predict(rows).tolist()


def test_names_of_parameters_are_kept_apart_from_those_of_columns():
    def rising(x, x0, b):
        return b * (x[0] - x0) + x[1]

    def slopes(x_0, x_1, y, x0, b):
        off = 2 * (b * (x_0 - x0) + x_1 - y)
        return np.mean(-b * off), np.mean(off * (x_0 - x0))

    fitted = descend.fit(rising, np.stack([X, BOTH[0]]), Y + BOTH[0], gradient=slopes)
    assert fitted.model.inputs == ("x_0", "x_1")
    right = descend.fit("y ~ b*(x - x0)", {"x": X, "y": Y})
    assert fitted.parameters == pytest.approx(right.parameters, rel=1e-8)


def test_torch_functions_take_a_matrix():
    torch = pytest.importorskip("torch")

    def wave(x, a, b):
        return a * torch.cos(x[0]) + b * x[1]

    y = 2 * np.cos(BOTH[0]) + 3 * BOTH[1]
    assert descend.fit(wave, BOTH, y).parameters == pytest.approx({"a": 2.0, "b": 3.0})


def test_a_formula_whose_columns_can_be_told():
    assert descend.fit("v ~ a*t + b", X, Y).parameters == descend.fit("v ~ a*t + b", {"t": X, "v": Y}).parameters


def said(*arguments, kind=descend.ConfigError, **options):
    with pytest.raises(kind) as refused:
        descend.fit(*arguments, **options)
    return str(refused.value)


def test_what_cannot_be_understood_is_told():
    unclear = (
        "Which names of the formula are these arrays? Give the data by name: "
        'fit("y ~ a*u + b", {"x": x, "y": y}), with the names of the formula.'
    )
    assert said("y ~ a*u + b", X, Y) == unclear
    assert said("y ~ a*x1 + b*x2", *BOTH, Z).startswith("Which names of the formula are these arrays?")
    assert said(line, X, Y, [1.0, 2.0]) == (
        "The last array has 2 values where the others have 20, so it is not the response. Starting values are given "
        'by name: fit(f, x, y, start={"a": 1.0, "b": 0.5}).'
    )
    assert said(line, X, Y, {"a": 1.0}) == (
        "Starting values are given by name: start={...}. After the data come only arrays."
    )
    assert said(line, {"x": X, "y": Y}, "y") == (
        'The response is named: response="y". After the data come only arrays.'
    )
    assert said(line, X, Y, None, X) == (
        "After the data come arrays, the response last; this is of type NoneType. All else has a name: "
        'fit(f, x, y, start={"a": 1.0}, sigma=s).'
    )
    assert said(line, X, X, X, Y) == (
        "`line` has 3 arguments and is given 3 predictors, so no parameter is left to fit. Write `def line(x, w)`."
    )
    assert said(line, BOTH, Y[:5]) == (
        "The predictors have shape (2, 20), but there are 5 responses. Give (k, 5), as SciPy takes them, or (5, k)."
    )
    assert said(line, X, Y[:5], kind=descend.DataError) == (
        "`x` has 20 rows but `y` has 5. Give columns of one length."
    )
    assert said(line, [[1.0], [2.0, 3.0]], [1.0, 2.0], kind=descend.DataError) == (
        "`x` cannot be read as a column: its rows differ in length or kind. Give one value in each row."
    )
    assert said(line, X, 3.0) == (
        "After the data come arrays, the response last; this is of type float. All else has a name: "
        'fit(f, x, y, start={"a": 1.0}, sigma=s).'
    )


def test_a_module_takes_a_matrix_and_the_response():
    torch = pytest.importorskip("torch")

    def trained(*data):
        torch.manual_seed(0)
        net = torch.nn.Linear(2, 1).double()
        return descend.fit(net, *data, epochs=3).loss

    x, y = torch.from_numpy(BOTH.T.copy()), torch.from_numpy(Z)
    assert trained(x, y) == trained((x, y))
    assert said(torch.nn.Linear(2, 1), x, x, y) == (
        "A module takes one array of predictors, (n, k): write fit(net, (X, y))."
    )


def test_a_formula_takes_a_matrix_or_frame_and_the_response():
    import pandas as pd

    matrix = BOTH.T
    for data in ((matrix, Z), (pd.DataFrame(matrix, columns=["x0", "x1"]), pd.Series(Z))):
        fit = descend.fit("y ~ w @ [*] + b", data)
        np.testing.assert_array_equal(fit.parameters["w"], descend.fit("y ~ w @ [*] + b", *data).parameters["w"])
        assert fit.parameters["w"] == pytest.approx([3.0, -2.0], abs=0.1)
    one = descend.fit("rate ~ a*x + b", (X.reshape(-1, 1), Y))
    assert one.parameters["a"] == pytest.approx(descend.fit("rate ~ a*x + b", {"x": X, "rate": Y}).parameters["a"])
    with pytest.raises(descend.DataError, match="`x0` has 20 rows but `y` has 19"):
        descend.fit("y ~ w @ [*] + b", (matrix, Z[1:]))


def test_y_of_one_column_and_a_name_that_the_frame_has():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "c": [2.0, 1.0, 0.0, 5.0]})
    y = frame["a"].to_numpy() * 2.0 + np.array([0.1, -0.1, 0.1, 0.2])
    one, column = descend.fit("y ~ w*a + b", (frame, y)), descend.fit("y ~ w*a + b", (frame, y[:, None]))
    assert one.parameters == column.parameters
    with pytest.raises(descend.DataError) as caught:
        descend.fit("a ~ w @ [*] + b", (frame, y))
    assert str(caught.value) == (
        "The formula predicts `a`, which is a column of X too. Give y another name on the left of the formula, or "
        "leave the column out of X."
    )
