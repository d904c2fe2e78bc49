"""Jacobians by hand, as SciPy's `curve_fit` takes them: fitted with, and held against the true one in every row."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.report.gradient_judgement import render

X = np.linspace(0.1, 5.0, 60)
S = 0.01 * (1 + X)
Y = 3 * np.exp(-0.7 * X) + 0.5 + S * np.random.default_rng(1).normal(size=60)
ROWS = {"x": X, "y": Y, "s": S}
TEXT = "y ~ a*exp(-b*x) + c"


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


def jac(x, a, b, c):
    falling = np.exp(-b * x)
    return np.column_stack([falling, -a * x * falling, np.ones_like(x)])


def by_place(x, *p):
    return jac(x, *p)


def of_other_names(t, A, B, C):
    return jac(t, A, B, C)


def upside_down(x, a, b, c):
    return jac(x, a, b, c).T


FITTED = descend.fit(TEXT, ROWS, sigma="s")


@pytest.mark.parametrize("given", [jac, by_place, of_other_names, upside_down], ids=lambda given: given.__name__)
def test_a_fit_takes_a_jacobian(given):
    fitted = descend.fit(decay, ROWS, response="y", sigma="s", gradient=given)
    assert fitted.gradient == "by_hand" and fitted.outcome == "converged"
    assert fitted.parameters == pytest.approx(FITTED.parameters, rel=1e-12)
    assert fitted.standard_errors == pytest.approx(FITTED.standard_errors, rel=1e-9)
    assert not any("wrong" in note for note in fitted.notes)


def test_other_losses_constraints_and_formulas():
    for options in ({"fix": {"c": 0.5}}, {"ties": {"a": "4*b"}}, {"loss": "huber(delta=0.01)"}, {"weights": "s"}):
        fitted = descend.fit(decay, ROWS, response="y", gradient=jac, **options)
        right = descend.fit(TEXT, ROWS, **options)
        assert fitted.parameters == pytest.approx(right.parameters, rel=1e-7)
    fitted = descend.fit(TEXT, ROWS, sigma="s", gradient=jac)
    assert fitted.gradient == "by_hand" and fitted.parameters == pytest.approx(FITTED.parameters, rel=1e-12)


def test_one_parameter_and_several_predictors():
    def slope(x, a):
        return x

    fitted = descend.fit(lambda x, a: a * x, X, Y, gradient=slope)
    assert fitted.parameters["a"] == pytest.approx(X @ Y / (X @ X))

    def plane(x, a, b):
        return a * x[0] + b * x[1]

    def of_plane(x, *p):
        return x.T

    both = np.stack([X, np.cos(X)])
    fitted = descend.fit(plane, both, Y, gradient=of_plane)
    assert list(fitted.parameters.values()) == pytest.approx(np.linalg.lstsq(both.T, Y, rcond=None)[0])


def falling(x, b):
    return np.exp(-b * x)


TRANSPOSE = (
    "it is the transpose. Return (60, 3): a row for each row of data, a column for each parameter, as `curve_fit` "
    "takes it."
)
ORDER = "Return them in the order a, b, c."
ALONE = "Return the derivative of the prediction alone"
MISTAKES = [
    (upside_down, {"a": ("transposed", TRANSPOSE)}),
    (lambda x, a, b, c: -jac(x, a, b, c), {
        "b": ("sign", "it has the wrong sign, as that of the residual y - prediction. Put a minus before it.")
    }),
    (lambda x, a, b, c: -jac(x, a, b, c).T, {
        "b": (
            "sign",
            "it has the wrong sign, as that of the residual y - prediction. Put a minus before it. Besides, "
            + TRANSPOSE,
        )
    }),
    (lambda x, a, b, c: 2 * jac(x, a, b, c), {"c": ("factor", "2 times too large. Divide it by 2.")}),
    (lambda x, a, b, c: jac(x, a, b, c) / len(x), {
        "a": ("mean_not_sum", "it is divided by n = 60. The derivative in each row is due, not its share of a mean.")
    }),
    (lambda x, a, b, c: jac(x, a, b, c)[:, [1, 0, 2]], {
        "a": ("swapped", f"the columns of a and b have changed places. {ORDER}"), "c": ("correct", "correct."),
    }),
    (lambda x, a, b, c: jac(x, a, b, c)[:, [1, 2, 0]], {
        "a": ("swapped", f"it is the column of b: they are not in the order of the parameters. {ORDER}")
    }),
    (lambda x, a, b, c: np.column_stack([falling(x, b), -a * falling(x, b), np.ones_like(x)]), {
        "b": ("missing_chain_factor", "the factor x is missing: a chain rule was cut short. Multiply by it."),
        "a": ("correct", "correct."),
    }),
    (lambda x, a, b, c: np.column_stack([falling(x, b), -x * falling(x, b), np.ones_like(x)]), {
        "b": ("missing_chain_factor", "the factor a is missing: a chain rule was cut short. Multiply by it.")
    }),
    (lambda x, a, b, c: np.column_stack([falling(x, b), 0 * x, np.ones_like(x)]), {
        "b": ("wrong", "it is 0 everywhere, but the derivative is not.")
    }),
    (lambda x, a, b, c: jac(x, 1.3, 0.8, 1.0), {
        "a": (
            "stale",
            "it does not change with the parameters, though the derivative does. Compute it anew from the parameters "
            "of each call.",
        )
    }),
    (lambda x, a, b, c: 2 * (decay(x, a, b, c) - Y)[:, None] * jac(x, a, b, c), {
        "b": ("missing_chain_factor", f"it is the gradient of the loss of each row. {ALONE}, without the residual.")
    }),
    (lambda x, a, b, c: jac(x, a, b, c) + np.array([0, 1, 0]), {
        "b": ("wrong", "it is off by 1 in every row: a term is too much or too little.")
    }),
    (lambda x, a, b, c: np.where(np.arange(60)[:, None] == 3, np.nan, jac(x, a, b, c)), {
        "b": ("wrong", "it is nan in row 4, where the derivative is finite.")
    }),
]  # fmt: skip


@pytest.mark.parametrize("model", [decay, TEXT], ids=["function", "formula"])
@pytest.mark.parametrize(("given", "verdicts"), MISTAKES)
def test_mistakes_are_named(model, given, verdicts):
    judged = descend.check(model, ROWS, response="y" if callable(model) else None, gradient=given)
    assert not judged.agree and judged.row is not None
    found = {name: (each.verdict, each.explanation) for name, each in judged.parameters.items()}
    assert {name: found[name] for name in verdicts} == verdicts


@pytest.mark.parametrize("model", [decay, TEXT], ids=["function", "formula"])
def test_a_right_one_is_correct(model):
    def single(x, a, b, c):
        return jac(x.astype(np.float32), np.float32(a), np.float32(b), np.float32(c))

    for given in (jac, by_place, of_other_names, single) if callable(model) else (jac, single):
        judged = descend.check(model, ROWS, response="y" if callable(model) else None, gradient=given)
        assert judged.agree, str(judged)
        assert judged.sentence == ("The Jacobian is correct: it is that of the predictions in each row at 4 points.")
        for finding in judged.parameters.values():
            assert finding.numeric == pytest.approx(finding.yours, rel=1e-5)
            assert finding.derived == pytest.approx(finding.yours, rel=1e-5)


def test_rows_divided_by_sigma():
    judged = descend.check(
        decay, ROWS, response="y", sigma="s", gradient=lambda x, a, b, c: jac(x, a, b, c) / S[:, None]
    )
    assert (
        judged.parameters["a"].explanation == f"each row is divided by its sigma, which the fit does itself. {ALONE}."
    )


def test_a_square_one_is_found_to_be_transposed():
    rows = {"x": np.array([0.5, 1.5, 4.0]), "y": np.array([2.6, 1.5, 0.7])}
    judged = descend.check(decay, rows, response="y", gradient=upside_down)
    assert {each.verdict for each in judged.parameters.values()} == {"transposed"}
    assert descend.check(decay, rows, response="y", gradient=jac).agree


def test_single_wrong_rows_are_shown():
    def one_row(x, a, b, c):
        right = jac(x, a, b, c)
        right[x == X[16], 1] += 0.01
        return right

    judged = descend.check(decay, ROWS, response="y", gradient=one_row)
    assert [each.verdict for each in judged.parameters.values()] == ["correct", "wrong", "correct"]
    assert judged.row == 17 and "in row 17, and wrong in 1 of the 60 rows" in judged.parameters["b"].explanation
    assert judged.parameters["b"].yours == pytest.approx(judged.parameters["b"].derived + 0.01)
    page = render(judged)
    assert "The Jacobian of b is wrong." in page and "The numbers are dprediction/dparameter in row 17 at a=" in page
    assert judged.as_dict()["row"] == 17


def test_a_fit_with_a_wrong_one_says_so():
    fitted = descend.fit(
        decay, ROWS, response="y", gradient=lambda x, a, b, c: jac(x, a, b, c)[:, [1, 0, 2]],
        start={"a": 2.5, "b": 0.5, "c": 0.4},
    )  # fmt: skip
    assert (
        "the Jacobian by hand of a and b is wrong: the columns of a and b have changed places. Return them in the "
        "order a, b, c. The fit used it as it is."
    ) in fitted.notes


def test_what_is_no_jacobian_is_told():
    with pytest.raises(descend.ConfigError) as refused:
        descend.fit(decay, ROWS, response="y", gradient=lambda x, a, b, c: jac(x, a, b, c)[:, :2])
    assert str(refused.value) == (
        "`<lambda>` returned shape (60, 2) for 60 rows and 3 parameters (a, b, c). Return (60, 3): a row for each row "
        "of data, a column for each parameter."
    )


def solver(x, a, b):
    """The decay as a solver of differential equations finds it, to three digits."""
    from scipy.integrate import solve_ivp

    return solve_ivp(lambda t, y: -b * y, (0.0, 5.0), [a], t_eval=x, rtol=1e-3).y[0]


def of_the_solution(x, a, b):
    return np.column_stack([falling(x, b), -a * x * falling(x, b)])


def of_the_loss(x, y, a, b):
    residual = a * falling(x, b) - y
    return np.mean(2 * residual * falling(x, b)), np.mean(-2 * residual * a * x * falling(x, b))


ROUGH = {
    f"correct to {digits} digits. The rest may be the error of the function itself, such as that of a solver."
    for digits in (2, 3, 4)
}


def test_the_error_of_a_solver_is_no_mistake():
    rows = {"x": X, "y": Y - 0.5}
    for given, subject in ((of_the_solution, "Jacobian"), (of_the_loss, "gradient")):
        judged = descend.check(solver, rows, response="y", gradient=given)
        assert judged.agree and judged.subject == subject, str(judged)
        assert {each.explanation for each in judged.parameters.values()} <= ROUGH
    judged = descend.check(solver, rows, response="y", gradient=lambda x, a, b: -of_the_solution(x, a, b))
    assert {each.verdict for each in judged.parameters.values()} == {"sign"}, str(judged)


def test_a_complex_step_and_jax_are_witnesses():
    def looked_up(x, a, b, c):
        order = np.argsort(x)
        found = np.empty(len(x), dtype=np.result_type(a, b, c, float))
        found[order] = decay(x[order], a, b, c)
        return found

    judged = descend.check(looked_up, ROWS, response="y", gradient=jac)
    assert judged.agree and judged.model == "y ~ looked_up(x, a, b, c)"
    for finding in judged.parameters.values():
        assert finding.derived is None
        assert finding.complex_step == pytest.approx(finding.yours, rel=1e-12)
        assert finding.numeric == pytest.approx(finding.yours, rel=1e-7)
    assert "complex step" in render(judged)

    jnp = pytest.importorskip("jax.numpy")
    judged = descend.check(
        lambda x, a, b, c: a * jnp.exp(-b * x) + c, ROWS, response="y", gradient=lambda x, a, b, c: 2 * jac(x, a, b, c)
    )
    assert {each.verdict for each in judged.parameters.values()} == {"factor"}
    for finding in judged.parameters.values():
        assert finding.jax == pytest.approx(finding.yours / 2, rel=1e-12)


def test_a_function_may_have_its_gradient_as_text():
    """It is held against the formula that the function computes."""
    residual = "(a*exp(-b*x) + c - y)"
    texts = {
        "a": f"mean(2*{residual}*exp(-b*x))", "b": f"mean(-2*{residual}*a*x*exp(-b*x))", "c": f"mean(2*{residual})"
    }  # fmt: skip
    given = [f"{name} = {text}" for name, text in texts.items()]
    judged = descend.check(decay, ROWS, response="y", gradient=given)
    assert judged.agree and judged.proved
    fitted = descend.fit(decay, X, Y, gradient=given)
    assert fitted.gradient == "by_hand"
    assert fitted.parameters == pytest.approx(descend.fit(TEXT, ROWS).parameters, rel=1e-6)


def test_arrays_in_a_row_are_judged_too():
    assert descend.check(decay, X, Y, gradient=jac).agree
    assert descend.check(decay, X, Y, gradient=upside_down).parameters["a"].verdict == "transposed"
