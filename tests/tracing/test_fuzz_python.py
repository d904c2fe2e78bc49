"""Random functions of plain numbers, with branches, loops and calls of others, are what their formulas say."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from descend.formula import read_formula
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

NAMES = ("x", "a", "b")


class Writer:
    """Writes a function of x, a and b as Python text."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, names, depth=0):
        pick = self.random.randrange(9 if depth < 3 else 3)
        one, other = (lambda: self.number(names, depth + 1)), (lambda: self.number(names, depth + 1))
        return [
            lambda: self.random.choice(names),
            lambda: self.random.choice(names),
            lambda: repr(round(self.random.uniform(-2, 2), 1)),
            lambda: f"({one()} {self.random.choice('+-*')} {other()})",
            lambda: f"math.{self.random.choice(('sin', 'exp', 'tanh', 'atan'))}(math.sin({one()}))",
            lambda: f"{self.random.choice(('min', 'max'))}({one()}, {other()})",
            lambda: f"abs({one()})",
            lambda: f"({one()} if {self.condition(names, depth + 1)} else {other()})",
            lambda: f"helper({one()}, {other()})",
        ][pick]()

    def condition(self, names, depth=0):
        one = f"{self.number(names, depth + 1)} {self.random.choice(('<', '<=', '>', '>='))} {self.number(names, 3)}"
        pick = self.random.randrange(5)
        if pick == 0:
            return f"not ({one})"
        if pick == 1:
            return f"({one}) {self.random.choice(('and', 'or'))} ({self.number(names, 3)} < {self.number(names, 3)})"
        return one

    def body(self, names, indent=1):
        lines, space = [], "    " * indent
        for _ in range(self.random.randrange(1, 3)):
            pick = self.random.randrange(4)
            if pick == 0 and indent < 3:
                lines += [f"{space}if {self.condition(names, 2)}:", *self.body(names, indent + 1)]
            elif pick == 1:
                step = self.random.choice(names)
                lines += [
                    f"{space}for k in range({self.random.randrange(1, 3)}):",
                    f"{space}    u = u * 0.5 + {step} * k",
                ]
            elif pick == 2:
                lines.append(f"{space}u += {self.number((*names, 'u'), 2)}")
            else:
                lines.append(f"{space}v = {self.number((*names, 'u'), 2)}")
        ending = "return" if self.random.random() < 0.5 or indent == 1 else "u ="
        lines.append(f"{space}{ending} {self.number((*names, 'u', 'v'), 1)}")
        return lines

    def source(self):
        inner = [f"    if {self.condition(('p', 'q'), 2)}:", f"        return {self.number(('p', 'q'), 2)}"]
        inner.append(f"    return {self.number(('p', 'q'), 2)}")
        helper = ["def helper(p, q):", *(line.replace("helper(", "max(") for line in inner)]
        return "\n".join([*helper, "def function(x, a, b):", "    u, v = x, 1.0", *self.body(NAMES)])


@pytest.mark.parametrize("seed", range(60))
def test_a_random_function_is_what_its_formula_says(seed):
    source = Writer(seed).source()
    space = {"math": math, "np": np}
    exec(source, space)
    scalar = space["function"]
    try:
        text = trace(np.vectorize(scalar, otypes=[float]), ["x"], ["a", "b"])
    except UntraceableError as reason:
        assert "ways through" in str(reason) or "longer than" in str(reason), source
        return
    formula = read_formula(f"y ~ ({text}) + c*(a + b)", ["x", "y"], starts={"a", "b", "c"})
    evaluate = compile_expression(formula.expression, (Column("x"), *map(Parameter, "abc")))
    rng = np.random.default_rng(seed)
    for x, a, b in rng.uniform(-3, 3, (40, 3)):
        expected = scalar(float(x), float(a), float(b))
        with np.errstate(all="ignore"):
            assert np.allclose(evaluate(x, a, b, 0.0), expected, rtol=1e-9, atol=1e-9, equal_nan=True), (
                f"{source}\n{text}"
            )
