"""The gradient court: correct gradients in any guise and precision, every mistake by its name, and what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from tests.laws.ranges import OF_ONE_NUMBER, PLAIN

import descend
from descend.errors import ConfigError
from descend.formula import read_formula
from descend.gradients.by_hand import by_hand
from descend.gradients.court import VERDICTS
from descend.gradients.court.proof import proved
from descend.gradients.court.taylor import numeric_derivative, taylor_slope
from descend.losses import LOSSES

COLUMNS = ("x", "y", "z", "omega")
DECAY = "y ~ a*exp(-b*x) + c"


def table(rows=80) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    x, z, omega = rng.uniform(0.1, 3.0, rows), rng.uniform(0.2, 2.0, rows), rng.uniform(0.5, 2.0, rows)
    return {"x": x, "z": z, "omega": omega, "y": 2.0 * np.exp(-0.7 * x) + 0.5 + rng.normal(0.0, 0.1, rows)}


def slopes(x, y, a, b, c):
    """The three derivatives of each row, for the squared loss."""
    e = np.exp(-b * x)
    r = a * e + c - y
    return 2 * r * e, -2 * r * a * x * e, 2 * r


def right(x, y, a, b, c):
    return [np.mean(part) for part in slopes(x, y, a, b, c)]


def check(gradient, model=DECAY, **options):
    return descend.check(model, table(), gradient=gradient, start={"a": 1.5, "b": 0.5, "c": 0.2}, **options)


def forward(x, a, b, c):
    return a * np.exp(-b * x) + c


# Correct gradients ----------------------------------------------------------------------------------------------------

PROVABLE = [
    ("y ~ w*x", "squared", ["w = mean(2*w*x*x - 2*x*y)"]),
    ("y ~ w*x", "squared", ["w = (2*w*sum(x*x) - 2*sum(x*y))/sum(1)"]),
    ("y ~ c", "squared", ["c = 2*(c - mean(y))"]),
    ("y ~ w @ [x, z]", "squared", ["w[x] = mean(2*x*(w @ [x, z] - y))", "w[z] = 2*mean(z*(w @ [x, z] - y))"]),
    ("y ~ a*x", "huber", ["a = mean(where(abs(a*x - y) <= 1, a*x - y, where(a*x > y, 1, -1))*x)"]),
    ("y ~ a*x", "absolute", ["a = mean(sign(a*x - y)*x)"]),
    ("y ~ a*x", "log_cosh", ["a = mean(x*(1 - exp(-2*(a*x - y)))/(1 + exp(-2*(a*x - y))))"]),
    ("y ~ sigmoid(a*x)", "logistic", ["a = mean(x*(exp(a*x)/(1 + exp(a*x)) - y))"]),
    ("y ~ a*tan(x*a)", "squared", ["a = mean(2*(a*tan(a*x) - y)*(tan(a*x) + a*x/cos(a*x)^2))"]),
    ("y ~ a*x^2", "poisson", ["a = mean(x^2) - mean(y)/a"]),
]


@pytest.mark.parametrize(("formula", "loss", "gradient"), PROVABLE, ids=[f"{p[0]} {p[1]}" for p in PROVABLE])
def test_texts_are_proved(formula, loss, gradient):
    read = read_formula(formula, COLUMNS)
    assert proved(by_hand(read, LOSSES.build(loss), tuple(gradient), COLUMNS))
    parts = [text.partition(" = ") for text in gradient]
    doubled = tuple(f"{label} = 2*({right})" for label, _, right in parts)
    assert not proved(by_hand(read, LOSSES.build(loss), doubled, COLUMNS))


def test_a_huber_gradient_of_another_delta_is_not_proved():
    read = read_formula("y ~ a*x", COLUMNS)
    text = "a = mean(where(abs(a*x - y) <= 2, a*x - y, where(a*x > y, 1, -1))*x)"
    assert not proved(by_hand(read, LOSSES.build("huber"), (text,), COLUMNS))


def test_a_proof_is_said_to_be_one():
    judged = descend.check("y ~ w*x", table(), gradient="w = mean(2*w*x*x - 2*x*y)")
    assert judged.agree and judged.proved
    assert judged.sentence == "The gradient is correct: proved by algebra, for all parameters and data."
    assert judged.parameters["w"].slope == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("model", [DECAY, forward])
def test_a_function_in_either_precision_is_correct(model, dtype):
    def gradient(x, y, a, b, c):
        return [float(part) for part in right(*(np.asarray(each, dtype)[()] for each in (x, y, a, b, c)))]

    judged = check(gradient, model, response=None if model is DECAY else "y")
    assert judged.agree and not judged.proved
    assert judged.sentence == "The gradient is correct: it is that of J at 4 points, to rounding."
    assert all(finding.slope == pytest.approx(2.0, abs=0.1) for finding in judged.parameters.values())


def test_single_precision_is_told_by_its_digits():
    def gradient(x, y, a, b, c):
        return right(*(np.float32(each) for each in (x, y, a, b, c)))

    assert "as single precision has them" in check(gradient).parameters["b"].explanation


def test_a_function_that_looks_at_all_rows_whichever_it_is_given():
    data = table()

    def gradient(a, b, c):
        return right(data["x"], data["y"], a, b, c)

    assert check(gradient).agree


def test_weighted_gradients():
    text = [
        "a = mean(2*(a*exp(-b*x) + c - y)*exp(-b*x))",
        "b = mean(-2*a*x*exp(-b*x)*(a*exp(-b*x) + c - y))",
        "c = mean(2*(a*exp(-b*x) + c - y))",
    ]

    def gradient(x, y, omega, a, b, c):
        return [np.average(part, weights=omega) for part in slopes(x, y, a, b, c)]

    def per_row(x, y, omega, a, b, c):
        return [np.mean(omega * part) for part in slopes(x, y, a, b, c)]

    assert check(text, weights="omega").proved
    assert check(gradient, weights="omega").agree
    judged = check(per_row, weights="omega").parameters["a"]
    assert judged.verdict == "factor"
    assert judged.explanation == (
        "its weighted sum is divided by the number of rows. Divide it by the sum of the weights."
    )
    assert check(right, weights="omega").parameters["a"].explanation == (
        "the row weights are left out of it. Multiply by them."
    )


# Mistakes -------------------------------------------------------------------------------------------------------------


def changed(change):
    """A gradient whose rows' derivatives went through ``change`` before their mean."""

    def gradient(x, y, a, b, c):
        return [np.mean(part) for part in change(*slopes(x, y, a, b, c), x=x, y=y, a=a, b=b, c=c)]

    return gradient


def summed(x, y, a, b, c):
    da, db, dc = right(x, y, a, b, c)
    return da, db * len(x), dc


def divided(x, y, a, b, c):
    da, db, dc = right(x, y, a, b, c)
    return da, db / len(x), dc


def of_the_absolute_loss(x, y, a, b, c):
    e = np.exp(-b * x)
    s = np.sign(a * e + c - y)
    return np.mean(s * e), np.mean(-s * a * x * e), np.mean(s)


def product_of_means(x, y, a, b, c):
    da, _, dc = right(x, y, a, b, c)
    e = np.exp(-b * x)
    return da, -np.mean(2 * (a * e + c - y)) * np.mean(a * x * e), dc


MISTAKES = [
    (changed(lambda da, db, dc, **_: (da, db / 2, dc)), "b", "factor", 0.5, None,
     "2 times too small: the derivative of the square brings a factor 2. Multiply it by 2."),
    (changed(lambda da, db, dc, **_: (da, -2 * db, dc)), "b", "factor", -2.0, None,
     "2 times too large and of the wrong sign. Multiply it by -0.5."),
    (changed(lambda da, db, dc, **_: (da, db * np.log(10), dc)), "b", "factor", 2.302585, None,
     "log(10) times too large. Divide it by log(10)."),
    (changed(lambda da, db, dc, **_: (da, -db, dc)), "b", "sign", -1.0, None,
     "it has the wrong sign, so a descent would climb. Put a minus before it: the residual is prediction - y."),
    (summed, "b", "sum_not_mean", 80.0, None,
     "it is the sum over the n = 80 rows where J is their mean: n times too large. Divide it by n."),
    (divided, "b", "mean_not_sum", 0.0125, None,
     "it is divided by n = 80 once too often: n times too small. Take the mean or divide by n, not both."),
    (changed(lambda da, db, dc, **_: (db, da, dc)), "b", "swapped", None, None,
     "the gradients of a and b have changed places. Return them in the order a, b, c."),
    (of_the_absolute_loss, "b", "other_loss", None, None,
     "it is the gradient of the absolute loss, not of the squared loss. "
     "Change the gradient, or fit under that loss."),
    (changed(lambda da, db, dc, *, x, a, b, c, **_: (da, -2 * (a * np.exp(-b * x) + c) * a * x * np.exp(-b * x), dc)),
     "b", "other_loss", None, None,
     "it is the gradient of the squared loss without the response: prediction where the residual, prediction - y, "
     "should stand."),
    (changed(lambda da, db, dc, *, x, **_: (da, db / x, dc)), "b", "missing_chain_factor", None, "1/x",
     "the factor x is missing: a chain rule was cut short. Multiply by it inside the mean."),
    (changed(lambda da, db, dc, *, a, **_: (da, db / a, dc)), "b", "missing_chain_factor", None, "1/a",
     "the factor a is missing: a chain rule was cut short. Multiply by it inside the mean."),
    (changed(lambda da, db, dc, *, x, b, **_: (da, db * np.exp(b * x), dc)), "b", "missing_chain_factor", None, None,
     None),
    (changed(lambda da, db, dc, *, x, **_: (da, db, dc * x)), "c", "missing_chain_factor", None, "x",
     "the factor x is too much. Leave it out."),
    (changed(lambda da, db, dc, *, b, **_: (da, db + 0.2 * b, dc)), "b", "wrong", None, None,
     "it is off by 0.2*b, the derivative of a penalty 0.1*b^2, which is no part of the mean loss. Leave that out; "
     "l2 asks for the penalty."),
    (product_of_means, "b", "wrong", None, None,
     "it is right for each row alone, but not for all together. If it is a product of means, multiply first, then take "
     "the mean."),
    (changed(lambda da, db, dc, **_: (da, 0 * db, dc)), "b", "wrong", 0.0, None,
     "it is 0 everywhere, but the derivative is not."),
    (changed(lambda da, db, dc, **_: (da, np.nan * db, dc)), "b", "wrong", None, None,
     "it is nan where the derivative is a finite number."),
]  # fmt: skip


@pytest.mark.parametrize("text", ["5", "w", "3*w + 1"])
def test_a_gradient_that_looks_at_no_row_is_judged(text):
    judgement = descend.check("y ~ w*x", {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.5, 5.5]}, gradient=[f"w = {text}"])
    assert not judgement.agree
    assert "and no simple mistake explains it" in judgement.sentence


@pytest.mark.parametrize("model", [DECAY, forward], ids=["formula", "function"])
@pytest.mark.parametrize(("gradient", "name", "verdict", "factor", "ratio", "explanation"), MISTAKES)
def test_mistakes_are_named(gradient, name, verdict, factor, ratio, explanation, model):
    judged = check(gradient, model, response=None if model is DECAY else "y")
    finding = judged.parameters[name]
    assert (finding.verdict, judged.agree) == (verdict, False)
    assert finding.factor == (None if factor is None else pytest.approx(factor, rel=1e-5))
    if ratio is not None:
        assert finding.ratio == ratio
    if explanation is not None:
        assert finding.explanation == explanation
    assert verdict in VERDICTS
    others = [other for other in judged.parameters.values() if other.name != name]
    assert verdict in ("swapped", "other_loss") or all(other.verdict == "correct" for other in others)


def far_below(size: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {"x": rng.uniform(0.5, 2.0, 60), "y": size * (2.0 + rng.uniform(0.0, 1.0, 60))}


def test_a_term_too_many_is_no_factor():
    # All residuals have one sign, so that the derivative, and with it the ratio, is the same at every point.
    options = {"loss": "absolute", "start": {"w": 1.0}}
    found = descend.check("y ~ w*x", far_below(1e3), gradient="w = mean(sign(w*x - y)*x) - 0.0275", **options)
    assert found.parameters["w"].verdict == "wrong"
    assert found.parameters["w"].explanation.startswith("it is off by -0.0275 everywhere")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_another_loss_is_no_factor(dtype):
    def gradient(x, y, m, k):
        x, y, m, k = (np.asarray(each, dtype=dtype) for each in (x, y, m, k))
        r = m * x + np.tanh(k * x) - y
        slope = r / (1 + r * r)
        return [np.mean(slope * x), np.mean(slope * x / np.cosh(k * x) ** 2)]

    found = descend.check("y ~ m*x + tanh(k*x)", far_below(776.0), gradient=gradient, start={"m": 1.0, "k": 0.5})
    assert {each.verdict for each in found.parameters.values()} == {"other_loss"}


@pytest.mark.parametrize("factor", [1.02749, 2.35057, -0.3, 1e-7])
def test_any_number_that_is_the_same_in_every_row_is_a_factor(factor):
    found = check(changed(lambda da, db, dc, **_: (da, factor * db, dc))).parameters["b"]
    assert (found.verdict, found.factor) == ("factor", pytest.approx(factor, rel=1e-5))


def test_a_formula_without_columns():
    assert descend.check("y ~ c", table(), gradient=lambda y, c: np.mean(2 * (c - y))).agree
    assert not descend.check("y ~ c", table(), gradient=lambda y, c: np.mean(c - y)).agree


class TestMemory:
    def test_a_running_sum(self):
        total = np.zeros(3)

        def gradient(x, y, a, b, c):
            nonlocal total
            total = total + right(x, y, a, b, c)
            return total

        judged = check(gradient)
        assert {finding.verdict for finding in judged.parameters.values()} == {"not_zeroed"}
        assert judged.sentence == (
            "The gradient of a, b and c is wrong: each call adds to what it returned for all calls before it: "
            "a running sum. Start from zero on each call."
        )

    def test_the_first_parameters_are_kept(self):
        kept: list[tuple[float, ...]] = []

        def gradient(x, y, a, b, c):
            kept.append((a, b, c))
            return right(x, y, *kept[0])

        judged = check(gradient)
        assert {finding.verdict for finding in judged.parameters.values()} == {"stale"}
        assert "wherever it is asked for" in judged.sentence

    def test_the_call_before(self):
        last = [(1.0, 1.0, 1.0)]

        def gradient(x, y, a, b, c):
            last.append((a, b, c))
            return right(x, y, *last[-2])

        assert check(gradient).parameters["a"].explanation == (
            "it is the gradient at the parameters of the call before. Compute it anew from the parameters of each call."
        )


def test_as_plain_values():
    plain = check(changed(lambda da, db, dc, **_: (da, db / 2, dc))).as_dict()
    assert (plain["agree"], plain["proved"], list(plain["parameters"])) == (False, False, ["a", "b", "c"])
    assert plain["parameters"]["b"]["factor"] == 0.5
    assert plain["parameters"]["b"]["yours"] == pytest.approx(plain["parameters"]["b"]["derived"] / 2)
    assert plain["parameters"]["b"]["numeric"] == pytest.approx(plain["parameters"]["b"]["derived"])
    assert plain["parameters"]["b"]["slope"] == pytest.approx(1.0, abs=0.05)


# Before a fit ---------------------------------------------------------------------------------------------------------


def test_a_fit_with_a_wrong_gradient_says_so():
    fitted = descend.fit(
        "y ~ w*x", table(), gradient="w = mean(x*(w*x - y))", optimizer="gd", learning_rate=0.01, epochs=3
    )
    assert fitted.notes == (
        "the gradient by hand of w is wrong: 2 times too small: the derivative of the square brings a factor 2. "
        "Multiply it by 2. The fit used it as it is.",
    )


@pytest.mark.parametrize("gradient", ["w = mean(2*w*x*x - 2*x*y)", lambda x, y, w: np.mean(2 * x * (w * x - y))])
@pytest.mark.parametrize("model", ["y ~ w*x", lambda x, w: w * x])
def test_a_fit_with_a_right_gradient_says_nothing(model, gradient):
    if callable(model) and isinstance(gradient, str):
        pytest.skip("a text goes with a formula")
    options = {"response": "y"} if callable(model) else {}
    fitted = descend.fit(
        model, table(), gradient=gradient, optimizer="gd", learning_rate=0.01, epochs=3, start={"w": 0.0}, **options
    )
    assert fitted.notes == ()


def test_a_start_where_a_mistake_does_not_show():
    """At w = 0 the two are equal: a look at the start alone would be fooled."""
    fitted = descend.fit("y ~ w*x", table(), gradient="w = mean(w*x*x - 2*x*y)", start={"w": 0.0}, optimizer="gd",
                         learning_rate=0.01, epochs=3)  # fmt: skip
    assert fitted.notes[0].startswith("the gradient by hand of w is wrong: it is off by")


# Taylor's test --------------------------------------------------------------------------------------------------------


def test_taylor_needs_no_epsilon():
    theta, direction = np.array([0.3, -1.2]), np.array([0.5, 2.0])
    for scale in (1e-20, 1.0, 1e20):

        def value(t, scale=scale):
            return scale * float(np.exp(t[0]) * np.cos(t[1]))

        gradient = scale * np.array([np.exp(0.3) * np.cos(-1.2), -np.exp(0.3) * np.sin(-1.2)])
        along = float(gradient @ direction)
        assert taylor_slope(value, theta, along, direction) == pytest.approx(2.0, abs=0.05)
        assert taylor_slope(value, theta, float(np.float32(along)), direction) == pytest.approx(2.0, abs=0.1)
        assert taylor_slope(value, theta, 1.01 * along, direction) == pytest.approx(1.0, abs=0.05)
        assert numeric_derivative(value, theta, direction) == pytest.approx(along, rel=1e-9)
    assert taylor_slope(lambda t: float("nan"), theta, 1.0, direction) is None


# Random formulas ------------------------------------------------------------------------------------------------------


def benchmark():
    place = Path(__file__).parents[2] / "benchmarks" / "court.py"
    spec = importlib.util.spec_from_file_location("benchmarks_court", place)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["benchmarks_court"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("count", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_random_formulas(count):
    court = benchmark()
    rng = np.random.default_rng(1)
    planted = named = 0
    for trial in court.trials(count, seed=11):
        for guise, gradient in court.correct(trial, rng):
            judged = trial.check(gradient)
            assert judged.agree, (guise, trial.formula, trial.loss, judged.sentence)
        for label, name, gradient in court.mistakes(trial, rng):
            planted += 1
            named += trial.check(gradient).parameters[name].verdict == label
    assert named >= 0.95 * planted


# ---------------------------------------------------------------- every loss for every other

PROPORTIONAL = {("absolute", "pinball"), ("pinball", "absolute")}
SAME = ({"gamma", "exponential"}, {"bernoulli", "binomial"})
SAME_OF_SIGMOID = {"logistic", "bernoulli", "binomial"}


@pytest.mark.parametrize("formula", ["y ~ w*x + b", "y ~ sigmoid(w*x + b)"])
@pytest.mark.parametrize("mine", OF_ONE_NUMBER)
def test_the_gradient_of_another_loss_is_told_as_such(formula, mine):
    random = np.random.default_rng(3)
    x = random.uniform(0.0, 3.0, 30)
    probability = "sigmoid" in formula
    if mine == "bernoulli" and not probability:
        pytest.skip("a line is no probability")
    shares = mine == "logistic" or probability
    y = random.uniform(0.0, 1.0, 30) if shares else random.poisson(3.0, 30).astype(float)
    for other in PLAIN:
        alike = {mine, other}
        same = alike in SAME or (probability and alike <= SAME_OF_SIGMOID)
        if other == mine or same or (mine, other) in PROPORTIONAL:
            continue
        lines = descend.derive(formula, loss=other, columns=["x", "y"]).code("text").splitlines()
        texts = [line.removeprefix("dJ/d") for line in lines]
        judged = descend.check(formula, {"x": x, "y": y}, gradient=texts, loss=mine, start={"w": 0.4, "b": 0.3})
        if {mine, other} == {"squared", "huber"} and shares:  # every residual is below delta, so one is half the other
            assert judged.parameters["w"].verdict == "factor"
        else:
            assert judged.parameters["w"].verdict == "other_loss", (other, judged.parameters["w"].explanation)


def test_the_loss_of_the_probabilities_is_seen_through_the_sigmoid():
    random = np.random.default_rng(0)
    x = random.normal(size=40)
    data = {"x": x, "y": (random.uniform(size=40) < 0.5).astype(float)}
    gradient = "w = mean(2*(sigmoid(w*x) - y)*sigmoid(w*x)*(1 - sigmoid(w*x))*x)"
    found = descend.check("y ~ w*x", data, gradient=gradient, loss="logistic").parameters["w"]
    assert (found.verdict, found.factor) == ("other_loss", None)
    assert found.explanation == (
        "it is the gradient of the squared loss of the probabilities, not of the logistic loss. "
        "Change the gradient, or fit under that loss."
    )
    found = descend.check("y ~ sigmoid(w*x)", data, gradient="w = mean((sigmoid(w*x) - y)*x)").parameters["w"]
    assert found.verdict == "other_loss" and "logistic loss, the prediction taken for the prob" in found.explanation


def test_a_setting_that_nobody_would_guess_is_found():
    random = np.random.default_rng(0)
    x = random.uniform(0.0, 3.0, 60)
    data = {"x": x, "y": 2.0 * x + random.standard_t(2, size=60)}
    for setting in ("huber(delta=0.73)", "cauchy(scale=3.21)"):
        text = descend.derive("y ~ w*x", loss=setting, columns=["x", "y"]).code("text").removeprefix("dJ/d")
        found = descend.check("y ~ w*x", data, gradient=text, loss="huber(delta=1)").parameters["w"]
        assert found.verdict == "other_loss" and f"the {setting} loss" in found.explanation


# ---------------------------------------------------------------- what a fit takes, check takes as well

LINE = {"x": np.linspace(0.1, 3.0, 30), "k": np.linspace(0.2, 2.0, 30)}
LINE |= {"s": LINE["k"] ** -0.5, "y": 2.0 * LINE["x"] + 1.0 + 0.1 * np.sin(9.0 * LINE["x"])}
SLOPE = "w = mean(2*x*(w*x + b - y)); b = mean(2*(w*x + b - y))"


def line_slopes(x, y, k, w, b):
    r = 2.0 * (w * x + b - y)
    return np.average(r * x, weights=k), np.average(r, weights=k)


def line_slopes_of_sigma(x, y, s, w, b):
    return line_slopes(x, y, s**-2, w, b)


def straight(x, w, b):
    return w * x + b


@pytest.mark.parametrize("options", [{"weights": "k"}, {"sigma": "s"}], ids=str)
def test_a_text_is_weighted_already_and_a_function_weighs_for_itself(options):
    given = line_slopes if "weights" in options else line_slopes_of_sigma
    derived = descend.fit("y ~ w*x + b", LINE, **options)
    for model, source in (("y ~ w*x + b", {}), (straight, {"response": "y", "start": {"w": 0.0, "b": 0.0}})):
        assert descend.check(model, LINE, gradient=given, **options, **source).agree
        fit = descend.fit(model, LINE, gradient=given, **options, **source)
        assert fit.parameters == pytest.approx(derived.parameters) and fit.cause is None
        assert fit.standard_errors == pytest.approx(derived.standard_errors, rel=1e-6)
    assert descend.check("y ~ w*x + b", LINE, gradient=SLOPE, **options).agree
    assert descend.fit("y ~ w*x + b", LINE, gradient=SLOPE, **options).parameters == pytest.approx(derived.parameters)


def test_a_gradient_function_that_cannot_weigh_is_refused_in_a_fit():
    with pytest.raises(ConfigError) as error:
        descend.fit(straight, LINE, response="y", gradient=lambda x, y, w, b: (0.0, 0.0), weights="k")
    assert str(error.value) == (
        "`<lambda>`, a gradient function, does not take `k`, so it cannot weigh the rows by it. Let it take that "
        "column and return weighted means, give the gradient as text, or derived or autograd."
    )


def test_constraints_and_penalties():
    judged = descend.check("y ~ w*x + b", LINE, gradient="w = mean(2*x*(w*x + b - y))", fix={"b": 1.0})
    assert judged.agree and list(judged.parameters) == ["w"]
    assert descend.check("y ~ w*x + b", LINE, gradient=SLOPE, bounds=["w > 0"]).agree
    with pytest.raises(ConfigError, match="A gradient by hand is that of the mean loss, without a penalty"):
        descend.check("y ~ w*x + b", LINE, gradient=SLOPE, l2=0.1)


def test_the_number_of_rows_as_a_factor_is_told_as_such():
    found = descend.check("y ~ w*x", LINE, gradient="w = mean(2*x*(w*x - y))/30").parameters["w"]
    assert found.verdict == "mean_not_sum" and "n = 30" in found.explanation


def test_the_logarithm_of_a_quotient_that_is_left_out():
    random = np.random.default_rng(7)
    x = random.uniform(0.2, 4.0, 60)
    data = {"x": x, "v": 10.0 * x / (2.0 + x) + 0.1 * random.normal(size=60)}
    r = "2*(m*x^h/(k^h + x^h) - v)"
    text = f"m = mean({r}*x^h/(k^h + x^h)); k = mean(-{r}*m*x^h*h*k^(h - 1)/(k^h + x^h)^2)"
    text += f"; h = mean({r}*m*x^h*k^h/(k^h + x^h)^2)"
    judged = descend.check("v ~ m*x^h/(k^h + x^h)", data, gradient=text).parameters
    assert [judged[name].verdict for name in "mkh"] == ["correct", "correct", "missing_chain_factor"]
    assert "log(" in judged["h"].explanation


def test_a_gradient_that_is_clipped_is_not_that_of_another_loss():
    def clipped(x, y, w, b):
        return tuple(np.clip([np.mean(2.0 * x * (w * x + b - y)), np.mean(2.0 * (w * x + b - y))], -0.5, 0.5))

    judged = descend.check(straight, LINE, response="y", start={"w": 0.5, "b": 0.2}, gradient=clipped)
    assert {found.verdict for found in judged.parameters.values()} == {"wrong"}
