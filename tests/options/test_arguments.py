"""What people write who come from SciPy or PyTorch is understood, or told in one message."""

from __future__ import annotations

import inspect

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
    assert same.sigma == "0.3" and same.standard_errors["a"] == pytest.approx(0.3 / np.sqrt(20 * np.var(X)))


def test_values_take_no_name_of_a_parameter():
    """A function and a formula may have a parameter `sigma`, which is not the column of sigmas given as values."""
    peak = 2 * np.exp(-(((X - 9) / 4) ** 2)) + 0.01 * SIZES
    formula = "y ~ a*exp(-((x - mu)/sigma)^2) + weights"
    named = descend.fit(formula, {"x": X, "y": peak, "s": SIZES}, sigma="s")
    valued = descend.fit(formula, {"x": X, "y": peak}, sigma=SIZES)
    assert valued.parameters == named.parameters and set(valued.parameters) == {"a", "mu", "sigma", "weights"}
    assert valued.sigma == "standard_deviation"
    weighed = descend.fit(formula, {"x": X, "y": peak}, weights=SIZES)
    assert weighed.weights == "importance" and set(weighed.parameters) == set(named.parameters)


def test_values_of_the_wrong_number_are_told():
    with pytest.raises(descend.DataError, match=r"^`sigma` has 3 values, but there are 20 rows\.$"):
        descend.fit(LINE, ROWS, sigma=[1, 2, 3])


def test_values_beside_a_file_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n2,3\n3,5\n")
    with pytest.raises(descend.DataError) as refused:
        descend.fit(LINE, tmp_path / "a.csv", sigma=[0.1, 0.2, 0.3])
    assert str(refused.value) == (
        f"`sigma` was given as values, but the rows are in {tmp_path / 'a.csv'}. Put the values into it as a column, "
        "and name that."
    )
    one = descend.fit(LINE, tmp_path / "a.csv", sigma=0.1)
    assert one.standard_errors["a"] == pytest.approx(0.1 / np.sqrt(2.0))


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
    assert said(LINE, ROWS, interval="profile") == (
        '`fit` has no option `interval`. Intervals are asked of the fit: fit.intervals(method="profile"), '
        'fit.quantity("log(2)/b", method="profile").'
    )
    assert said(LINE, ROWS, table="runs") == (
        "`fit` has no option `table`. The data come after the model; a table of a database is named in its address, "
        'such as "postgres://host/lab?table=runs".'
    )
    assert said(LINE, ROWS, epoch=3) == "`fit` has no option `epoch`. Did you mean `epochs`? See help(descend.fit)."
    assert "optimizer=" in said(LINE, ROWS, method="lm")
    assert "sigma=" in said(LINE, ROWS, sigma=SIZES, absolute_sigma=True)


def test_conditions_and_losses_of_other_kinds():
    assert said(LINE, ROWS, where=X > 3) == (
        "`where` is a condition in SQL, as text, such as `x > 1`; this is of type ndarray. Write the condition, or "
        "choose the rows of the data before."
    )
    torch = pytest.importorskip("torch")
    assert said(LINE, ROWS, loss=torch.nn.MSELoss()) == (
        "A loss is named by text, such as `squared`; this is of type MSELoss."
    )


ODD = [
    True,
    -1,
    1e308,
    10**400,
    "no such thing",
    b"bytes",
    [1],
    {1: 2},
    {"a": None},
    np.zeros((2, 2)),
    object(),
    {1},
    None,
]
GRADIENT = "a = mean(2*x*(a*x + b - y)); b = mean(2*(a*x + b - y))"
CALLS = {
    descend.fit: {"model": LINE, "data": ROWS},
    descend.check: {"model": LINE, "data": ROWS, "gradient": GRADIENT},
    descend.compare: {"model": LINE, "data": ROWS, "optimizers": ["lbfgs"]},
    descend.derive: {"formula": LINE},
    descend.explain: {"formula": LINE},
    descend.generate: {"equations": "y = 2*x", "columns": {"x": "0:1:0.1"}},
    descend.load: {"path": "no such file"},
}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.filterwarnings("ignore")
def test_no_option_of_a_wrong_kind_ends_in_another_error(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, kind in inspect.signature(call).parameters.items():
        if kind.kind in (kind.VAR_POSITIONAL, kind.VAR_KEYWORD) or name in ("on_step", "on_groups", "on_fit"):
            continue
        for value in ODD:
            try:
                call(**(CALLS[call] | {name: value}))
            except descend.DescendError as refused:
                assert str(refused)
            except Exception as error:
                raise AssertionError(f"{call.__name__}({name}={value!r})") from error


def test_an_option_of_a_wrong_kind_is_named():
    assert said(LINE, ROWS, bounds=3) == ("`bounds` must be a list of texts such as `b > 0`, or limits by name, not 3.")
    assert said(LINE, ROWS, on_step="print") == "`on_step` must be a function, not 'print'."
    assert said(LINE, ROWS, l2=np.zeros(2)) == "`l2` must be a number, 0 or more, not array([0., 0.])."
    with pytest.raises(descend.ConfigError) as refused:
        descend.generate("y = x", {"x": 3})
    assert str(refused.value) == (
        "The column `x` must be a range such as `0:10:0.1`, an expression of columns before it, or a list of numbers, "
        "not 3."
    )
    with pytest.raises(descend.DataError, match=r"^The sigma `1e\+308` is above 1e150 in every row"):
        descend.fit(LINE, ROWS, sigma=1e308)


def test_a_gradient_is_checked_with_sigma_as_values():
    named, given = (descend.check(LINE, ROWS, gradient=GRADIENT, sigma=sigma) for sigma in ("s", SIZES))
    assert named.agree and given.agree


def test_optimizers_to_compare_may_be_one_text():
    assert list(descend.compare(LINE, ROWS, "lbfgs, newton").fits) == ["lbfgs", "newton"]


def test_a_call_like_an_earlier_one_is_checked_anew_where_it_differs():
    descend.fit(LINE, ROWS, optimizer="gd", learning_rate=0.001, epochs=1)
    for epochs in (1.0, True):
        refused = said(LINE, ROWS, optimizer="gd", learning_rate=0.001, epochs=epochs)
        assert refused == f"The number of epochs must be a whole number, 0 or more; it is {epochs}."
    twice = ROWS | {"y": 2 * ROWS["y"]}
    one, two = (descend.fit(LINE, rows, start={"a": 1.0}).parameters for rows in (ROWS, twice))
    assert two == pytest.approx({name: 2 * value for name, value in one.items()})
    assert said(LINE, ROWS, start={1: 2.0}).startswith('`start` must be given by name, such as {"a": 1.0}')
