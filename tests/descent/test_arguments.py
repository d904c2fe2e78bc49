"""What people write who come from SciPy or PyTorch is understood, or told in one message."""

from __future__ import annotations

import numpy as np
import pytest

import descend

X = np.arange(1.0, 21.0)
SIZES = np.linspace(0.1, 0.5, 20)
ROWS = {"x": X, "y": 1 + 2 * X + SIZES * np.random.default_rng(27).normal(size=20), "s": SIZES}
LINE = "y ~ a*x + b"


def said(*arguments, **options):
    with pytest.raises(descend.ConfigError) as refused:
        descend.fit(*arguments, **options)
    return str(refused.value)


def test_sigma_and_weights_may_be_values():
    named = descend.fit(LINE, ROWS, sigma="s")
    for sigma in (SIZES, SIZES.tolist()):
        assert descend.fit(LINE, {"x": X, "y": ROWS["y"]}, sigma=sigma).standard_errors == named.standard_errors
    weighed = descend.fit(LINE, ROWS, weights=SIZES, where="x > 3")
    assert weighed.parameters == descend.fit(LINE, ROWS, weights="s", where="x > 3").parameters
    same = descend.fit(LINE, ROWS, sigma=0.3)
    assert same.parameters == pytest.approx(descend.fit(LINE, ROWS).parameters)
    assert same.sigma == "sigma" and same.standard_errors["a"] == pytest.approx(0.3 / np.sqrt(20 * np.var(X)))


def test_values_of_the_wrong_number_are_told():
    with pytest.raises(descend.DataError, match=r"^`sigma` has 3 values, but there are 20 rows\.$"):
        descend.fit(LINE, ROWS, sigma=[1, 2, 3])


def test_values_beside_a_file_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n2,3\n3,5\n")
    with pytest.raises(descend.DataError) as refused:
        descend.fit(LINE, tmp_path / "a.csv", sigma=0.1)
    assert str(refused.value) == (
        f"`sigma` was given as values, but the rows are in {tmp_path / 'a.csv'}. Put the values into it as a column, "
        "and name that."
    )


def test_fixed_values_as_text():
    assert descend.fit(LINE, ROWS, fix="b=1").parameters["b"] == 1.0
    assert said(LINE, ROWS, fix="b") == (
        "Fixed values are given by name, such as fix={\"c\": 0}; 'b' cannot be read so."
    )


def test_options_of_other_programs_are_named():
    assert said(LINE, ROWS, p0=[1, 1]) == (
        '`fit` has no option `p0`. Starting values are given by name: start={"a": 1.0, "b": 0.5}; without them they '
        "are searched for."
    )
    assert said(LINE, ROWS, epoch=3) == "`fit` has no option `epoch`. Did you mean `epochs`? See help(descend.fit)."
    assert "optimizer=" in said(LINE, ROWS, method="lm")
    assert "sigma=" in said(LINE, ROWS, sigma=SIZES, absolute_sigma=True)


def test_the_call_of_curve_fit_is_told_how_to_write_it():
    assert said(lambda x, a: a * x, X, ROWS["y"]) == (
        "`fit` takes a model and the data; all else has a name. Data have the names of their columns, and of a "
        'function the response is named: fit(model, {"x": x, "y": y}, response="y").'
    )


def test_conditions_and_losses_of_other_kinds():
    assert said(LINE, ROWS, where=X > 3) == (
        "`where` is a condition in SQL, as text, such as `x > 1`; this is of type ndarray. Write the condition, or "
        "choose the rows of the data before."
    )
    torch = pytest.importorskip("torch")
    assert said(torch.nn.Linear(1, 1), ROWS, response="y", loss=torch.nn.MSELoss()) == (
        "A loss is named by text, such as `squared`; this is of type MSELoss."
    )


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("l2", "x", "`l2` is a number, 0 or more; this is of type str."),
        ("l1", None, "`l1` is a number, 0 or more; this is of type NoneType."),
        ("bounds", 2.5, '`bounds` is given as ["b > 0", "0 <= c <= 1"] or {"c": (0, 1)}; this is of type float.'),
        ("ties", X, '`ties` is given as ["b2 = 2*b1"]; this is of type ndarray.'),
        ("engine", None, '`engine` is a text such as "numpy"; this is of type NoneType.'),
        ("checkpoint", 1, "`checkpoint` is the path of a file; this is of type int."),
        ("on_step", "print", "`on_step` is a function of one step; this is of type str."),
        ("optimizer", X,
         '`optimizer` is a text such as "adam(beta1=0.8)", or a class of torch.optim; this is of type ndarray.'),
        ("sigma", {"s": 1}, "`sigma` is the name of a column; this is of type dict. Put the values into the data."),
        ("gradient", [1], "A gradient by hand is text, such as `w = mean(2*x*(w*x - y))`, a line a parameter."),
    ],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_told(option, value, words):
    assert said(LINE, ROWS, **{option: value}) == words


@pytest.mark.parametrize(
    "strange", ["zzz", -1, 2.5, [1], {"a": 1}, X, object()], ids=lambda value: type(value).__name__
)
def test_no_option_ends_in_an_error_of_python(strange, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # of a checkpoint called so
    names = descend.fit.__kwdefaults__.keys() - {"device"}
    for name in names:
        try:
            descend.fit(LINE, ROWS, **{name: strange})
        except descend.DescendError:
            continue


def test_optimizers_to_compare_may_be_one_text():
    assert list(descend.compare(LINE, ROWS, "lbfgs, newton").fits) == ["lbfgs", "newton"]
    with pytest.raises(
        descend.ConfigError, match=r'^Optimizers to compare are given as texts, such as \["gd", "lbfgs"\]'
    ):
        descend.compare(LINE, ROWS, 3)
