"""Conditions that follow from others leave a choice as it is, whatever is compared and in whichever order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.formula.build import Builder
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter
from descend.formula.syntax import parse_formula
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

X = np.array([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
COMPARED = ["x", "m", "x - m", "1.0", "2.0", "np.sqrt(x)", "np.log(x - m)", "m*x"]
COMPARISON = st.tuples(
    st.sampled_from(COMPARED), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.sampled_from(COMPARED)
).map(lambda parts: f"np.asarray({parts[0]} {parts[1]} {parts[2]} + 0*x)")
CONDITION = st.recursive(
    COMPARISON,
    lambda inner: st.one_of(
        inner.map(lambda one: f"~{one}"),
        st.tuples(inner, st.sampled_from("&|^"), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
    ),
    max_leaves=3,
)
VALUE = st.sampled_from(["a", "x", "a*x", "7.0"])
STATEMENT = st.one_of(
    st.tuples(CONDITION, VALUE).map(lambda parts: f"y[{parts[0]}] = ({parts[1]} + 0*x)[{parts[0]}]"),
    st.tuples(CONDITION, VALUE).map(lambda parts: f"y = np.where({parts[0]}, {parts[1]}, y)"),
    CONDITION.map(lambda one: f"y[{one}] *= 2.0"),
    st.tuples(CONDITION, CONDITION).map(lambda parts: f"y = y + ({parts[0]} * {parts[1]}) - ({parts[0]} + {parts[1]})"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENT, min_size=1, max_size=4))
def test_a_chain_of_choices_has_the_values_of_numpy(statements):
    body = "\n    ".join(statements).replace(" + 0*x)", ")").replace("np.asarray", "")
    space = {"np": np}
    text = f"def f(x, a, m):\n    y = np.zeros_like(x) + a\n    {body}\n    return y"
    text = text.replace("(m ", "(m + 0*x ").replace("(1.0 ", "(1.0 + 0*x ").replace("(2.0 ", "(2.0 + 0*x ")
    for value in ("a", "7.0"):
        text = text.replace(f" = ({value})[", f" = ({value} + 0*x)[")
    exec(text, space)
    formula = trace(space["f"], ["x"], ["a", "m"])
    expression = Builder(formula, ["x"], starts=None).build(parse_formula(f"y ~ {formula}")[1])
    evaluate = compile_expression(expression, (Column("x"), Parameter("a"), Parameter("m")))
    for m in (-1.0, 1.0, 2.0, 0.7):
        with np.errstate(all="ignore"):
            expected = space["f"](X.copy(), 3.0, m)
            found = np.broadcast_to(evaluate(X, 3.0, m), X.shape)
        np.testing.assert_array_equal(found, expected, err_msg=f"{text}\n{formula}")


def of_rows(expression):
    return eval(f"lambda x, a: a*x + {expression}", {"np": np})


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("x.sum()", "sums over the rows of the data"),
        ("np.sum(a*x)", "sums over the rows of the data"),
        ("np.sum(x[:, None]*np.ones(3), axis=0)[0]", "sums over the rows of the data"),
        ("np.dot(x, x)", "sums over the rows of the data"),
        ("x @ x", "sums over the rows of the data"),
        ("np.trapezoid(x)", "sums over the rows of the data"),
        ("np.linalg.norm(x)", "sums over the rows of the data"),
        ("np.add.reduce(x)", "sums over the rows of the data"),
        ("np.prod(x)", "multiplies over the rows of the data"),
        ("x.mean()", "takes the mean over the rows of the data"),
        ("np.std(x)", "takes the spread of the rows of the data"),
        ("x.max()", "takes the largest of the rows of the data"),
        ("np.min(a*x)", "takes the smallest of the rows of the data"),
        ("np.maximum.reduce(x)", "takes the largest of the rows of the data"),
        ("np.any(x > 1)", "asks whether something holds in any row of the data"),
        ("np.all(x > 1)", "asks whether something holds in all rows of the data"),
        ("np.cumsum(x)", "goes from row to row of the data"),
        ("np.diff(x)", "goes from row to row of the data"),
        ("np.concatenate([x, x])", "puts rows of the data after each other"),
        ("np.roll(x, 1)", "repeats or moves rows of the data"),
        ("x[:, None] + x", "sets each row of the data against every other"),
        ("x + np.ones(5)", "uses an array of 5 numbers with one for each row"),
        ("np.sort(x)", "calls np.sort"),
        ("np.linalg.eigvalsh(a*np.ones((2, 2)))[0]", "calls np.linalg.eigvalsh"),
        ("x.astype(np.float32)", "computes with numbers of the type float32"),
        ("x.reshape(7, -1, order='F')", "reads an array column by column"),
        ("np.stack([x, x]).ravel()", "puts the rows of the data in a row with other numbers"),
        ("np.interp(x, np.arange(99.0), np.arange(99.0))", "looks up values in a table of 99 numbers"),
        ("(x[:, None]*np.ones(5000)).sum(axis=1)", "computes 5,000 numbers for each row, too many for a formula"),
    ],
)
def test_what_depends_on_several_rows_is_said(expression, reason):
    with pytest.raises(UntraceableError) as caught:
        trace(of_rows(expression), ["x"], ["a"])
    assert str(caught.value) == f"{reason} (line 1)"
