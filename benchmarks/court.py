"""The gradient court on random formulas: is a correct gradient ever accused, and are planted mistakes named?

Random formulas under all losses, with and without row weights, are given their own gradient in many guises (as text,
simplified, multiplied out or split into sums; as a NumPy function in double and in single precision, and in PyTorch's
single precision) and then gradients with one mistake each. Targets: no correct gradient accused; 95% of the mistakes
named.

    python benchmarks/court.py --formulas 500
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

import descend
from descend.engines.numpy_engine import NumpyEngine
from descend.formula import as_text, read_formula
from descend.formula.printers.code import NUMPY, TORCH, Writer
from descend.formula.symbols import Column
from descend.gradients.court.proof import contributions
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Roles, Rows

TERMS = (
    "{0}*x", "{0}*z", "{0}", "{0}*x^2", "{0}*log(x)", "{0}*sqrt(z)", "{0}*exp(-{1}*x)", "{0}*x^{1}", "{0}*sin({1}*x)",
    "{0}*tanh({1}*z)", "{0}*sigmoid({1}*x + {2})", "{0}/(1 + {1}^2*x)", "{0}*log(1 + {1}^2*x)", "exp({0} + {1}*x)",
    "sqrt({0}^2 + x^2*{1}^2)", "{0}*x/({1}^2 + z)", "softplus({0}*x + {1})", "atan({0}*x)*z", "{0}*cos({1}*z + {2})",
    "{0}*exp(-(x - {1})^2/2)", "where(x > 1, {0}*x, {1}*z)", "max({0}*x, {1})", "abs({0}*x - {1})", "{0} @ [x, z]",
    "tanh({0} + {1}*x*z)", "{0}*x*exp(-{1}*z)", "erf({0}*x)", "{0}*2^(-{1}*x)", "log10({0}^2 + x)*{1}",
)  # fmt: skip
OF_ROWS = tuple(name for name in LOSSES if LOSSES.build(name).plain and name != "binomial")
"""Losses whose response is one number in each row, and that have no parameters of their own."""
NAMES = "abcdfghkmpqrs"
ROWS = 60


@dataclass
class Trial:
    """A formula with data, and what to pass to `descend.check` beside the gradient.

    live: the components of the gradient that are not zero at the start, so that a mistake can show.
    """

    formula: str
    loss: str
    weights: str | None
    data: dict[str, np.ndarray]
    start: dict[str, Any]
    program: Any
    live: list[int]

    def check(self, gradient: Any, model: Any = None) -> descend.Judgement:
        """Put a gradient before the court."""
        more: dict[str, Any] = {} if model is None else {"response": "y"}
        return descend.check(
            model or self.formula, self.data, gradient=gradient, loss=self.loss, weights=self.weights, start=self.start,
            **more,
        )  # fmt: skip


def trials(count: int, seed: int = 0) -> Iterator[Trial]:
    """Yield random formulas with data, but for those whose J is not finite, or flat, at the start."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < count:
        found = trial(rng)
        if found is not None:
            made += 1
            yield found


def trial(rng: np.random.Generator, size: float = 1.0) -> Trial | None:
    """Make one random formula with y of about some size, or None if J is not finite, or flat, at its start."""
    names = iter(rng.permutation(list(NAMES)))
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        term = TERMS[int(rng.integers(len(TERMS)))]
        used = [str(next(names)) for place in range(3) if f"{{{place}}}" in term]
        parts.append(term.format(*used))
    right = " + ".join(parts)
    loss = str(rng.choice(OF_ROWS))
    settings = {"huber": "delta", "cauchy": "scale", "soft_l1": "scale", "tukey": "scale"}
    if loss in settings:
        loss += f"({settings[loss]}={rng.choice([1.0, 1.7])})"
    if loss == "pinball":
        loss += f"(quantile={rng.choice([0.3, 0.5, 0.8])})"
    if loss == "poisson":
        right = f"exp({right})" if rng.random() < 0.5 else f"1 + ({right})^2"
    if loss == "logistic" and rng.random() < 0.5:
        right = f"sigmoid({right})"
    data = {"x": rng.uniform(0.2, 2.0, ROWS), "z": rng.uniform(0.1, 1.5, ROWS), "omega": rng.uniform(0.2, 3.0, ROWS)}
    y = size * rng.normal(1.0, 1.5, ROWS)
    data["y"] = np.abs(np.round(y)) if loss == "poisson" else (y > 1.0) * 1.0 if loss == "logistic" else y
    if rng.random() < 0.2:
        data |= {name: np.round(column, 1) for name, column in data.items()}
    weights = "omega" if rng.random() < 0.4 else None
    try:
        formula = read_formula(f"y ~ {right}", [*data], excluded=["omega"])
    except descend.FormulaError:
        return None
    program = derived(formula, LOSSES.build(loss))
    start = {
        name: float(rng.uniform(0.3, 1.3) * rng.choice([1, 1, -1])) if labels is None else [0.4, -0.3]
        for name, labels in formula.parameters.items()
    }
    try:
        descend.fit(formula.text, data, loss=loss, start=start, epochs=0, optimizer="gd", learning_rate=1e-9)
    except descend.DescendError:
        return None
    theta = program.parameters.flat(start)
    slopes = NumpyEngine(program, Rows.of(data, Roles(weights))).evaluate(theta, 1).gradient
    live = [k for k, slope in enumerate(slopes) if abs(slope) > 1e-6 * np.abs(slopes).max() > 0.0]
    return Trial(formula.text, loss, weights, data, start, program, live) if live else None


# The gradient in many guises ------------------------------------------------------------------------------------------


def texts(trial: Trial, parts: list[Any], form: Callable[[Any], str]) -> list[str]:
    """Write a gradient as text, each part being what its component is the mean of."""
    return [f"{label} = {form(part)}" for label, part in zip(trial.program.parameters.labels, parts, strict=True)]


def mean_of(part: Any) -> str:
    """Write ``mean(part)``."""
    return f"mean({as_text(part)})"


def means_of(part: Any) -> str:
    """Write a sum as a sum of means, with numbers and parameters outside."""
    terms = sympy.Add.make_args(sympy.expand(part))
    return " + ".join(f"mean({as_text(term)})" for term in terms) if len(terms) <= 12 else mean_of(part)


def sum_over_n(part: Any) -> str:
    """Write ``sum(part)/n``."""
    return f"sum({as_text(part)})/n"


FORMS = (mean_of, means_of, sum_over_n, lambda part: mean_of(sympy.factor_terms(part)))


def function(trial: Trial, parts: list[Any], dtype: Any = np.float64, torch: bool = False) -> Callable[..., Any]:
    """Write a gradient as a Python function in NumPy or PyTorch that computes in ``dtype``."""
    from scipy import special

    program = trial.program
    language = TORCH if torch else NUMPY
    names = {symbol: f"q{number}" for number, symbol in enumerate(program.formula.terms)}
    writer = Writer(language, names)
    arguments = [*trial.data, *program.formula.parameters]
    lines = [f"def gradient({', '.join(arguments)}):"]
    lines += [f"    {name} = cast({name})" for name in arguments]
    for symbol, term in program.formula.terms.items():
        items = " + ".join(f"{term.vector}[{k}]*({writer.write(item)})" for k, item in enumerate(term.items))
        lines.append(f"    {names[symbol]} = {items}")
    lines.append("    total = omega.sum()" if trial.weights else "    total = len(x)")
    means = []
    for part in parts:
        inside = writer.write(part if not trial.weights else part * Column("omega"))
        means.append(f"(spread({inside})).sum()/total")
    pieces = {label: mean for label, mean in zip(program.parameters.labels, means, strict=True)}
    result = ", ".join(
        f"'{name}': {pieces[name] if labels is None else '[' + ', '.join(pieces[f'{name}[{k}]'] for k in labels) + ']'}"
        for name, labels in program.formula.parameters.items()
    )
    lines.append(f"    return plain({{{result}}})")
    space: dict[str, Any] = {"np": np, "special": special, "math": math}
    if torch:
        import torch as library

        def cast(value: Any) -> Any:
            return library.as_tensor(np.array(value), dtype=library.float32)

        space |= {"torch": library, "cast": cast}
        space["spread"] = lambda value: library.as_tensor(value) * library.ones(1)
        space["plain"] = lambda found: {
            name: [float(each) for each in value] if isinstance(value, list) else float(value)
            for name, value in found.items()
        }
    else:
        space |= {"cast": lambda value: np.asarray(value, dtype=dtype)[()], "plain": lambda found: found}
        space["spread"] = lambda value: np.asarray(value, dtype=dtype)
    exec("\n".join(lines).replace("dtype=torch.float64", "dtype=torch.float32"), space)
    made: Callable[..., Any] = space["gradient"]
    rows = {"spread": space["spread"]}
    # A part that is the same in every row is summed over all of them.
    if torch:
        space["spread"] = lambda value: rows["spread"](value) * library.ones(space["count"])
    else:
        space["spread"] = lambda value: np.broadcast_to(rows["spread"](value), (space["count"],))

    names_text = ", ".join(arguments)
    outer: dict[str, Any] = {"made": made, "space": space}
    exec(
        f"def gradient({names_text}):\n    space['count'] = len(x)\n    return made({names_text})\n",
        outer,
    )
    counted: Callable[..., Any] = outer["gradient"]
    return counted


def correct(trial: Trial, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    """Yield the right gradient in every guise."""
    parts = contributions(trial.program)
    form = FORMS[int(rng.integers(len(FORMS)))]
    yield "text", texts(trial, parts, form)
    if trial.program.loss.link is None:  # no function may be given to a formula under a loss that absorbs part of it
        shown = [sympy.expand(part) if rng.random() < 0.3 else part for part in parts]
        yield "NumPy, float64", function(trial, shown)
        yield "NumPy, float32", function(trial, shown, np.float32)
        yield "PyTorch, float32", function(trial, shown, torch=True)


# Gradients with one mistake -------------------------------------------------------------------------------------------


def mistakes(trial: Trial, rng: np.random.Generator) -> Iterator[tuple[str, str, Any]]:
    """Yield (label, parameter, gradient), each label once where it can be planted; as text or as a function."""
    parts = contributions(trial.program)
    labels = trial.program.parameters.labels
    k = int(rng.choice(trial.live))
    as_function = trial.program.loss.link is None

    def written(changed: list[Any], form: Callable[[Any], str] | None = None) -> Any:
        if as_function and form is None and rng.random() < 0.5:
            return function(trial, changed)
        return texts(trial, changed, form or mean_of)

    def with_part(part: Any) -> list[Any]:
        return [*parts[:k], part, *parts[k + 1 :]]

    factor = sympy.Rational(*[(2, 1), (1, 2), (4, 1), (1, 4), (3, 1), (-2, 1), (-1, 2)][int(rng.integers(7))])
    yield "factor", labels[k], written(with_part(factor * parts[k]))
    yield "sign", labels[k], written(with_part(-parts[k]))
    forms = [mean_of] * len(parts)
    total = [f"{label} = {form(part)}" for label, form, part in zip(labels, forms, parts, strict=True)]
    yield "sum_not_mean", labels[k], [*total[:k], f"{labels[k]} = sum({as_text(parts[k])})", *total[k + 1 :]]
    yield "mean_not_sum", labels[k], [*total[:k], f"{labels[k]} = mean({as_text(parts[k])})/n", *total[k + 1 :]]
    if len(parts) > 1:
        m = int(rng.choice([other for other in range(len(parts)) if other != k]))
        swapped = list(parts)
        swapped[k], swapped[m] = parts[m], parts[k]
        if sympy.expand(parts[k] - parts[m]) != 0:
            yield "swapped", labels[k], written(swapped)
    other = other_loss(trial, rng)
    if other is not None:
        yield "other_loss", labels[k], written(other)
    dropped = chain_factor(trial, parts[k], k, rng)
    if dropped is not None:
        yield "missing_chain_factor", labels[k], written(with_part(dropped))
    if as_function:
        yield "stale", labels[k], Remembering(function(trial, parts), "first").function()
        yield "stale", labels[k], Remembering(function(trial, parts), "before").function()
        yield "not_zeroed", labels[k], Remembering(function(trial, parts), "sum").function()


PLAIN_LOSSES = ("squared", "absolute", "huber", "log_cosh", "soft_l1", "cauchy")


def other_loss(trial: Trial, rng: np.random.Generator) -> list[Any] | None:
    """Return the gradient under another loss, or without the response; None where it is a multiple of the right one."""
    mine = trial.program.loss.name
    if trial.program.loss.link is not None:
        return None
    if mine == "squared" and rng.random() < 0.25:
        without = [part.xreplace({Column("y"): sympy.Integer(0)}) for part in contributions(trial.program)]
        return without
    choices = [name for name in PLAIN_LOSSES if name != mine and not (mine == "pinball" and name == "absolute")]
    loss = LOSSES.build(str(rng.choice(choices)))
    return contributions(derived(trial.program.formula, loss))


def chain_factor(trial: Trial, part: Any, k: int, rng: np.random.Generator) -> Any | None:
    """Drop a factor of the derivative of the score, or put a column in; None if there is nothing to drop."""
    if rng.random() < 0.2:
        return part * Column(str(rng.choice(["x", "z"])))
    factors = [each for each in sympy.Mul.make_args(part) if not each.is_number]
    jacobian = [*trial.program.jacobian.values()]
    own = set().union(*(set(sympy.Mul.make_args(each)) for each in jacobian))
    own |= {item for term in trial.program.formula.terms.values() for item in term.items}
    droppable = [each for each in factors if each in own]
    if not droppable:
        return None
    dropped = droppable[int(rng.integers(len(droppable)))]
    return sympy.Mul(*[each for each in sympy.Mul.make_args(part) if each is not dropped])


class Remembering:
    """A gradient function that wrongly remembers: what it was first asked, the call before, or the sum of all."""

    def __init__(self, right: Callable[..., Any], what: str) -> None:
        self.right, self.what, self.kept = right, what, None
        import inspect

        self.arguments = [*inspect.signature(right).parameters]

    def function(self) -> Callable[..., Any]:
        """Return it as a plain function with named arguments."""
        space: dict[str, Any] = {"call": self}
        listed = ", ".join(self.arguments)
        named = ", ".join(f"{name}={name}" for name in self.arguments)
        exec(f"def gradient({listed}):\n    return call({named})\n", space)
        made: Callable[..., Any] = space["gradient"]
        return made

    def __call__(self, **arguments: Any) -> Any:
        columns = {name: arguments[name] for name in arguments if name in ("x", "y", "z", "omega")}
        parameters = {name: arguments[name] for name in arguments if name not in columns}
        if self.what == "sum":
            new = self.right(**arguments)
            if self.kept is not None:
                new = {name: np.asarray(value) + np.asarray(self.kept[name]) for name, value in new.items()}
            self.kept = new
            return new
        if self.kept is None:
            self.kept = parameters
        used = self.kept
        if self.what == "before":
            self.kept = parameters
        return self.right(**columns, **used)


def main() -> None:
    """Try all formulas; print false accusations, and for each mistake what it was taken for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formulas", type=int, default=500, help="how many random formulas (default 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print each false accusation and each mistake missed")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed + 1)
    tried: Counter[str] = Counter()
    accused: Counter[str] = Counter()
    proofs = 0
    confusion: Counter[tuple[str, str]] = Counter()
    start = time.perf_counter()
    for trial in trials(options.formulas, options.seed):
        for guise, gradient in correct(trial, rng):
            judgement = trial.check(gradient)
            tried[guise] += 1
            proofs += judgement.proved
            if not judgement.agree:
                accused[guise] += 1
                if options.verbose:
                    print("ACCUSED", guise, trial.formula, trial.loss, trial.weights, judgement.sentence, flush=True)
        for label, name, gradient in mistakes(trial, rng):
            judgement = trial.check(gradient)
            verdict = judgement.parameters[name].verdict
            confusion[label, verdict] += 1
            if options.verbose and verdict != label:
                shown = gradient if isinstance(gradient, list) else ""
                told = judgement.parameters[name].explanation
                print("MISSED", label, "->", verdict, trial.formula, trial.loss, trial.weights, name, shown, told)
    report(tried, accused, proofs, confusion)
    print(f"\n{sum(tried.values()) + sum(confusion.values())} checks in {time.perf_counter() - start:.0f} s")


def report(tried: Counter[str], accused: Counter[str], proofs: int, confusion: Counter[tuple[str, str]]) -> None:
    """Print both tables."""
    print(f"{'correct gradients':<24}{'checked':>9}{'accused':>9}")
    for guise, count in tried.items():
        print(f"{guise:<24}{count:>9}{accused[guise]:>9}")
    print(f"of the texts, {proofs} were proved\n")
    print(f"{'planted mistake':<24}{'checked':>9}{'named':>9}   taken for")
    labels = list(dict.fromkeys(label for label, _ in confusion))
    for label in labels:
        row = {verdict: count for (planted, verdict), count in confusion.items() if planted == label}
        others = ", ".join(f"{verdict} {count}" for verdict, count in sorted(row.items()) if verdict != label)
        print(f"{label:<24}{sum(row.values()):>9}{row.get(label, 0):>9}   {others}")
    total, named = (
        sum(confusion.values()),
        sum(count for (label, verdict), count in confusion.items() if label == verdict),
    )
    share = named / total
    print(f"\nfalse accusations: {sum(accused.values())} of {sum(tried.values())} "
          f"(target 0: {'met' if not sum(accused.values()) else 'MISSED'})")  # fmt: skip
    print(f"mistakes named: {share:.1%} of {total} (target 95%: {'met' if share >= 0.95 else 'MISSED'})")


if __name__ == "__main__":
    main()
