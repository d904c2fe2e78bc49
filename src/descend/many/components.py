"""The score of a program by its components: parameters, and the entries of those that are vectors."""

from __future__ import annotations

from sympy import Add, Expr, Mul

from descend.formula.structure import linear_unknowns
from descend.formula.symbols import Component, Parameter
from descend.gradients.derived import Program


def linear_in(program: Program) -> frozenset[Expr]:
    """Return the components in which the score is jointly linear."""
    linear_symbols, formula = linear_unknowns(program.formula), program.formula
    scalars = {symbol for symbol in linear_symbols if isinstance(symbol, Parameter)}
    vectors: dict[str, list[Expr]] = {}
    for predictor, term in formula.terms.items():
        vectors.setdefault(term.vector, []).append(predictor)
    complete = {name for name, predictors in vectors.items() if linear_symbols.issuperset(predictors)}
    labelled = {name: program.parameters.shapes[name] or () for name in complete}
    return frozenset(scalars | {Component(f"{name}[{label}]") for name, labels in labelled.items() for label in labels})


def by_component(program: Program) -> tuple[Expr, dict[Expr, Expr]]:
    """Return the score, and its derivative by each component, with ``w @ [x1, x2]`` written out as w[x1]*x1 + w[x2]*x2.

    The derivative of such a component is that of the whole times its item.
    """
    slopes, terms = program.jacobian, program.formula.terms
    written_out: dict[Expr, Expr] = {
        predictor: Add(
            *(
                Mul(Component(f"{term.vector}[{label}]"), item)
                for label, item in zip(program.parameters.shapes[term.vector] or (), term.items, strict=True)
            )
        )
        for predictor, term in terms.items()
    }
    derivatives: dict[Expr, Expr] = {}
    for name, labels in program.parameters.shapes.items():
        if labels is None:
            derivatives[Parameter(name)] = slopes[Parameter(name)].xreplace(written_out)
            continue
        within = [(slopes[predictor], term.items) for predictor, term in terms.items() if term.vector == name]
        for component, label in enumerate(labels):
            combined = Add(*(Mul(slope, items[component]) for slope, items in within))
            derivatives[Component(f"{name}[{label}]")] = combined.xreplace(written_out)
    return program.score.xreplace(written_out), derivatives
