"""Fixed and tied parameters: the same fit as of the formula reduced by hand, and what a user is told."""

from __future__ import annotations

import json

import numpy as np
import pytest

import descend
from descend.errors import ConfigError, FormulaError

DECAY = "y ~ a*exp(-b*x) + c"
TWO = "y ~ a1*exp(-b1*x) + a2*exp(-b2*x)"
X = np.linspace(0.0, 5.0, 80)
NOISE = np.random.default_rng(5).normal(size=80)
ONE_DATA = {"x": X, "y": 3 * np.exp(-0.7 * X) + 0.5 + 0.1 * NOISE}
TWO_DATA = {"x": X, "y": 2 * np.exp(-0.5 * X) + 1 * np.exp(-1.0 * X) + 0.01 * NOISE}


def same(one, other, names, rel=1e-7):
    for name in names:
        assert one.parameters[name] == pytest.approx(other.parameters[name], rel=rel)
        assert one.standard_errors[name] == pytest.approx(other.standard_errors[name], rel=1e-5)
    assert one.loss == pytest.approx(other.loss, rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"gradient": "autograd"}, {"engine": "torch"}])
def test_fixed_is_a_number_in_the_formula(options):
    fit = descend.fit(DECAY, ONE_DATA, fix={"c": 0.45}, **options)
    same(fit, descend.fit("y ~ a*exp(-b*x) + 0.45", ONE_DATA), ["a", "b"])
    assert fit.parameters["c"] == 0.45
    assert list(fit.parameters) == ["a", "b", "c"]
    assert np.isnan(fit.standard_errors["c"])
    assert fit.summary()["fixed"] == {"c": 0.45}


@pytest.mark.parametrize("options", [{}, {"gradient": "autograd"}, {"engine": "torch"}])
def test_tied_is_an_expression_in_the_formula(options):
    fit = descend.fit(TWO, TWO_DATA, ties=["b2 = 2*b1"], **options)
    same(fit, descend.fit("y ~ a1*exp(-b1*x) + a2*exp(-2*b1*x)", TWO_DATA), ["a1", "b1", "a2"])
    assert fit.parameters["b2"] == 2 * fit.parameters["b1"]
    assert fit.standard_errors["b2"] == pytest.approx(2 * fit.standard_errors["b1"], rel=1e-12)
    assert fit.summary()["ties"] == {"b2": "2*b1"}


def test_standard_errors_of_ties_by_the_delta_method():
    """c = a*b has the variance b^2 Var a + a^2 Var b + 2 a b Cov(a, b)."""
    fit = descend.fit(DECAY, ONE_DATA, ties={"c": "a*b"})
    a, b, ((aa, ab), (_, bb)) = fit.parameters["a"], fit.parameters["b"], fit.covariance
    assert fit.standard_errors["c"] == pytest.approx(np.sqrt(b * b * aa + a * a * bb + 2 * a * b * ab), rel=1e-12)


def test_ties_of_ties_and_of_fixed():
    fit = descend.fit(TWO, TWO_DATA, fix={"b1": 0.5}, ties=["a1 = a2 + b2", "b2 = 2*b1"])
    assert fit.parameters["b2"] == 1.0
    assert fit.parameters["a1"] == fit.parameters["a2"] + 1.0
    assert np.isnan(fit.standard_errors["b2"])
    assert fit.standard_errors["a1"] == pytest.approx(fit.standard_errors["a2"])


def test_fixed_vectors():
    random = np.random.default_rng(7)
    data = {f"x{k}": random.normal(size=50) for k in range(3)}
    data["y"] = data["x0"] - 2 * data["x2"] + 4 + 0.1 * random.normal(size=50)
    fit = descend.fit("y ~ w @ [x*] + b", data, fix={"w": [1, 0, -2]})
    assert fit.parameters["b"] == pytest.approx(np.mean(data["y"] - data["x0"] + 2 * data["x2"]), rel=1e-12)
    np.testing.assert_array_equal(fit.parameters["w"], [1, 0, -2])
    assert fit.summary()["standard_errors"]["w"] == [None, None, None]
    assert descend.fit("y ~ w @ [x*] + b", data, fix={"w": 0}).parameters["b"] == pytest.approx(np.mean(data["y"]))


BY_HAND = {
    "a": "a = mean(2*exp(-b*x)*(a*exp(-b*x) + c - y))",
    "b": "b = mean(-2*a*x*exp(-b*x)*(a*exp(-b*x) + c - y))",
    "c": "c = mean(2*(a*exp(-b*x) + c - y))",
}


def forward(x, a, b, c):
    return a * np.exp(-b * x) + c


def slopes(x, y, a, b, c):
    r, e = forward(x, a, b, c) - y, np.exp(-b * x)
    return [np.mean(2 * r * e), np.mean(-2 * r * a * x * e), np.mean(2 * r)]


@pytest.mark.parametrize("options", [{"fix": {"c": 0.45}}, {"ties": ["c = a/6"]}, {"ties": ["c = a*b/4"]}])
def test_gradients_by_hand_follow_the_chain_rule(options):
    derived = descend.fit(DECAY, ONE_DATA, **options)
    start = {"a": 1.0, "b": 1.0}
    text = descend.fit(DECAY, ONE_DATA, gradient=list(BY_HAND.values()), start=start, **options)
    function = descend.fit(DECAY, ONE_DATA, gradient=slopes, start=start, **options)
    called = descend.fit(forward, ONE_DATA, response="y", gradient=slopes, start=start, **options)
    for fit in (text, function, called):
        assert fit.outcome == "converged"
        assert fit.parameters == pytest.approx(derived.parameters, rel=1e-5)
    assert text.trace[0].gradient_norm == pytest.approx(called.trace[0].gradient_norm, rel=1e-10)


def test_the_gradient_of_a_fixed_parameter_is_not_needed():
    fit = descend.fit(DECAY, ONE_DATA, fix={"c": 0.45}, gradient=[BY_HAND["a"], BY_HAND["b"]])
    assert fit.outcome == "converged"


def test_function_models_under_bounds(tmp_path):
    options = {"response": "y", "gradient": slopes, "start": {"a": 1.0, "b": 1.0, "c": 0.1}}
    fit = descend.fit(forward, ONE_DATA, bounds=["c <= 0.3"], **options)
    formula = descend.fit(DECAY, ONE_DATA, bounds=["c <= 0.3"])
    assert fit.parameters == pytest.approx(formula.parameters, rel=1e-5)
    assert fit.at_bound == ["c"]
    fit = descend.fit(forward, ONE_DATA, fix={"c": 0.45}, **options | {"start": {"a": 1.0, "b": 1.0}})
    fit.save(tmp_path / "model.json")
    loaded = descend.load(tmp_path / "model.json", forward)
    np.testing.assert_array_equal(loaded.predict(ONE_DATA), fit.predict(ONE_DATA))
    assert loaded.parameters == fit.parameters


def test_model_file_predicts_without_columns_that_are_fixed_away(tmp_path):
    data = {"x": X, "z": NOISE, "y": 2 * X + 1 + 0.1 * NOISE}
    fit = descend.fit("y ~ a*x + b*z + c", data, fix={"b": 0}, ties=["c = a/2"])
    fit.save(tmp_path / "model.json")
    loaded = descend.load(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.predict({"x": [3.0]}), fit.predict({"x": [3.0]}))
    assert loaded.parameters == fit.parameters
    assert loaded.summary() == fit.summary()
    fit.plot()


def run_args(line, tmp_path):
    path = tmp_path / "decay.csv"
    np.savetxt(path, np.column_stack([X, ONE_DATA["y"]]), delimiter=",", header="x,y", comments="")
    return ["fit", line, path]


def test_command_line(run, tmp_path):
    words = run_args(DECAY, tmp_path)
    done = run(*words, "--bound", "0<=c<=0.3", "--bound", "b>0", "--json")
    said = json.loads(done.stdout)
    assert (done.code, said["at_bound"], said["bounds"]) == (0, ["c"], ["b > 0", "0 <= c <= 0.3"])
    assert said["standard_errors"]["c"] is None
    done = run(*words, "--fix", "c=0.45", "--tie", "a = 4*b", "--json", "--save", tmp_path / "model.json")
    said = json.loads(done.stdout)
    assert (said["fixed"], said["ties"]) == ({"c": 0.45}, {"a": "4*b"})
    done = run(*words, "--fix", "c=0.45", "--tie", "a = 4*b")
    table = [line.split() for line in done.stdout.splitlines() if line.startswith(("  a ", "  b ", "  c "))]
    assert table[0][-2:] == ["=", "4*b"]
    assert table[2] == ["c", "0.45", "fixed"]
    done = run(*words, "--bound", "c<=0.3")
    assert any(line.split()[:2] == ["c", "0.3"] and line.endswith("at its bound") for line in done.stdout.splitlines())
    done = run(
        "compare", DECAY, words[2], "--optimizers", "gd,levenberg_marquardt", "--bound", "c<=0.3", "--epochs", "5"
    )
    assert "c=0.3" in done.stdout
    done = run("predict", tmp_path / "model.json", words[2], "--output", tmp_path / "out.csv")
    assert done.code == 0


VECTOR = "y ~ w @ [x1, x2, x3] + b"


def three():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 60))
    y = np.array([1.0, -1.0, 2.0]) @ x + 0.3 + 0.1 * rng.normal(size=60)
    return {"x1": x[0], "x2": x[1], "x3": x[2], "y": y}


def test_a_component_of_a_vector_is_fixed_as_if_its_term_were_written_out(tmp_path):
    fit = descend.fit(VECTOR, three(), fix={"w[x2]": -1.5})
    plain = descend.fit("y ~ u @ [x1, x3] - 1.5*x2 + b", three())
    assert fit.parameters["w"][1] == -1.5 and np.isnan(fit.standard_errors["w"][1]) and fit.at_bound == []
    assert fit.parameters["w"][[0, 2]] == pytest.approx(plain.parameters["u"], rel=1e-12)
    assert fit.standard_errors["w"][[0, 2]] == pytest.approx(plain.standard_errors["u"], rel=1e-9)
    assert (fit.degrees_of_freedom, fit.loss) == (57, pytest.approx(plain.loss)) and fit.aic == pytest.approx(plain.aic)
    for method in ("t", "profile"):
        low, high = (side[[0, 2]] for side in fit.intervals(method=method)["w"])
        assert (low, high) == tuple(pytest.approx(side, rel=1e-6) for side in plain.intervals(method=method)["u"])
    assert fit.notes == plain.notes
    fit.save(tmp_path / "model.json")
    loaded = descend.load(tmp_path / "model.json")
    assert loaded.constraints.fixed == {"w[x2]": -1.5} and loaded.summary()["bounds"] == []
    assert loaded.predict(three()) == pytest.approx(plain.predict(three()))


@pytest.mark.parametrize("options", [{"optimizer": "gd"}, {"start": {"w": 0.0, "b": 0.0}}, {"engine": "query"}])
def test_a_component_stays_fixed_however_the_fit_goes(options):
    fit = descend.fit(VECTOR, three(), fix={"w[x2]": -1.5}, bounds=["w <= 1.9"], **options)
    assert fit.parameters["w"][1] == -1.5 and fit.at_bound == ["w[x3]"]


def test_all_components_fixed_are_the_vector_fixed():
    fit = descend.fit(VECTOR, three(), fix={"w[x1]": 1.0, "w[x2]": -1.0, "w[x3]": 2.0})
    assert fit.constraints.fixed["w"].tolist() == [1.0, -1.0, 2.0]
    assert fit.parameters["b"] == pytest.approx(0.3, abs=0.05)


def test_a_component_is_fixed_on_the_command_line(run, tmp_path):
    columns = three()
    np.savetxt(
        tmp_path / "data.csv",
        np.column_stack([*columns.values()]),
        delimiter=",",
        header=",".join(columns),
        comments="",
    )
    done = run("fit", VECTOR, tmp_path / "data.csv", "--fix", "w[x2]=-1.5", "--json")
    assert done.code == 0 and json.loads(done.stdout)["fixed"] == {"w[x2]": -1.5}
    done = run("fit", VECTOR, tmp_path / "data.csv", "--fix", "w[x2]=-1.5")
    assert ["w[x2]", "-1.5", "fixed"] in [line.split() for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"fix": {"w[x4]": 1.0}},
            "There is no parameter `w[x4]` to fix. Did you mean `w[x3]`? Parameters: w[x1], w[x2], w[x3], b.",
        ),
        (
            {"fix": {"w[x2]": 1.0, "w": 0.0}},
            "`w[x2]` is fixed by itself and with all of `w`. Leave out one of the two.",
        ),
        (
            {"fix": {"w[x2]": 1.0}, "bounds": ["w[x2] > 0"]},
            "`w[x2]` is fixed, so it takes no bounds. Leave out one of the two.",
        ),
        (
            {"fix": {"w[x2]": 1.0}, "optimizer": "lbfgs"},
            "The optimizer `lbfgs` cannot keep within bounds (w[x2] = 1): cut short at a bound, its steps need not "
            "lead to the minimum. Use one of: gd, momentum, levenberg_marquardt, vertex.",
        ),
    ],
)
def test_what_a_component_does_not_go_with(options, message):
    with pytest.raises(descend.ConfigError) as error:
        descend.fit(VECTOR, three(), **options)
    assert str(error.value) == message


MESSAGES = [
    ({"fix": {"q": 1}}, "There is no parameter `q` to fix. Parameters: a, b, c."),
    ({"fix": {"b": "x"}}, "The fixed value of `b` must be a number; it is 'x'."),
    ({"fix": {"b": [1, 2]}}, "The fixed value of `b` must be one number; it has shape (2,)."),
    (
        {"fix": {"a": 0}},
        "`b` drops out once `a` is set.\n    y ~ a*exp(-b*x) + c\n               ^\nFix `b` too, at any value.",
    ),
    (
        {"fix": {"a": 1, "b": 1, "c": 1}},
        "There is nothing to fit: every parameter is fixed or tied. Leave one of them free.",
    ),
    ({"fix": {"b": 1}, "start": {"b": 2}}, "`b` is fixed, so it takes no start. Leave out one of the two."),
    ({"fix": {"b": 1}, "bounds": ["b > 0"]}, "`b` is fixed, so it takes no bounds. Leave out one of the two."),
    ({"fix": {"b": 1}, "ties": ["b = a"]}, "`b` is both fixed and tied.\n    b = a\n    ^\nLeave out one of the two."),
    (
        {"ties": ["a = c", "c = a"]},
        "`a` is tied to itself: a -> c -> a.\n    c = a\n        ^\nLeave one of them free.",
    ),
    ({"ties": ["a = a"]}, "`a` is tied to itself: a -> a.\n    a = a\n        ^\nLeave one of them free."),
    (
        {"ties": ["a = 2*x"]},
        "`x` is a column, and a tie holds parameters and numbers only.\n    a = 2*x\n          ^\n"
        "Write what differs from row to row into the formula.",
    ),
    (
        {"ties": {"a": "2*q"}},
        "`q` is not a parameter of the model.\n    a = 2*q\n          ^\nParameters: a, b, c.",
    ),
    ({"ties": ["a[1] = c"]}, "A component of a vector can be fixed or bounded, but neither tied nor tied to.\n"
     "    a[1] = c\n    ^^^^\nTake its column out of the list, and write it as a parameter of its own."),
    ({"ties": ["c = a[1] + 2"]}, "A component of a vector can be fixed or bounded, but neither tied nor tied to.\n"
     "    c = a[1] + 2\n        ^^^^\nTake its column out of the list, and write it as a parameter of its own."),
    ({"ties": [""]}, "The equation is empty. Write it as `b2 = 2*b1`."),
    ({"ties": ["a = c", "a = b"]}, "`a` is tied twice.\n    a = b\n    ^\nTie it once."),
    ({"ties": ["a = c"], "bounds": ["a > 0"]}, "`a` is tied (a = c), so it takes no bounds. "
     "Bound `c` instead, which it follows."),
    ({"ties": ["a = c"], "start": {"a": 1}}, "`a` is tied (a = c), so it takes no start. Leave out one of the two."),
    ({"ties": ["a = 1/0"]}, "This divides by zero.\n    a = 1/0\n          ^\nCheck the denominator."),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), MESSAGES)
def test_messages(options, message):
    with pytest.raises((ConfigError, FormulaError)) as error:
        descend.fit(DECAY, ONE_DATA, **options)
    assert str(error.value) == message


def test_modules_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(ConfigError) as error:
        descend.fit(torch.nn.Linear(1, 1), ONE_DATA, inputs=["x"], response="y", fix={"w": 1})
    assert str(error.value) == (
        "`fix` is for formulas and functions: the weights of a module have no names in it. Leave it out; to hold "
        "weights of a module, set requires_grad_(False) on them."
    )
