"""The options that say what is fitted to the rows, and what is asked of the fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from descend.options import checks
from descend.options.checks import is_by_name, is_dispersion, is_text, is_texts, must_be
from descend.options.of_rows import OptionsOfRows
from descend.options.option import Values, option
from descend.options.penalty import read_penalty

if TYPE_CHECKING:
    from descend.losses import Loss
    from descend.parameters.bounds import Given as Bounded
    from descend.parameters.ties import Ties

NO_PENALTY = 'The {key} penalty is not for modules. Use weight decay instead: optimizer="adamw(weight_decay=0.01)".'
NO_NAMES = (
    "`{key}` is for formulas and functions: the weights of a module have no names in it. Leave it out; to hold "
    "weights of a module, set requires_grad_(False) on them."
)
"""Why a module lacks these options."""
Gradient = str | Sequence[str] | Callable[..., object] | None


@dataclass(init=False, frozen=True, eq=False, repr=False, kw_only=True)
class OptionsOfModel(OptionsOfRows):
    """What is fitted."""

    subject: ClassVar[str] = "The model, and what is estimated"
    together: ClassVar[bool] = True
    like: object = option(
        None,
        "A file that --save wrote: fit as that was fitted, but for the options given here, and begin where it ended.",
        metavar="MODEL",
        repeat=False,
        range_tested=False,
        inherited=False,
    )
    start: Values | None = option(
        None,
        "Starting value, such as w=0 or w=0,b=1; may be repeated.",
        "values",
        checks.start,
        metavar="NAME=VALUE",
        label=("Start", "起点"),
        often=True,
        synonyms="init initial initial-guess guess p0 x0",
        measured=True,
        inherited=False,
        lacking="A module brings its own starting values, so leave out `start`. Set them in the module.",
    )
    gradient: Gradient = option(
        None,
        'derived (the default), autograd, jax, or by hand: "w = mean(2*x*(w*x - y))", once for each parameter.',
        "texts",
        must_be("a text, a list of texts or a function", callable, is_texts),
        metavar="TEXT|FILE.py:NAME",
        identity="gradient",
        label=("Your own gradient", "自己推导梯度"),
        synonyms="grad jac",
    )
    loss: str | Loss = option(
        "squared",
        '{losses}; settings as in "huber(delta=2)".',
        check=checks.loss,
        metavar="LOSS",
        identity="loss",
        label=("Loss", "损失函数"),
        often=True,
        synonyms="loss-function lossfunction objective cost criterion family distribution likelihood",
        needed=True,
    )
    dispersion: str | float | None = option(
        None,
        "How far counts or shares scatter, as a multiple of their distribution: estimated (quasi-Poisson, "
        "quasi-binomial), or a number.",
        check=must_be("`estimated`, `known` or a number above 0", is_dispersion),
        metavar="estimated|known|NUMBER",
        label=("Dispersion", "离散度"),
        together=False,
        range_tested=False,
    )
    errors: str | None = option(
        None,
        "Standard errors from the curvature: expected (model) or observed; robust against unlike residuals (sandwich, "
        "HC0 to HC3); of a robust loss with alike ones (iid); or where rows of a cluster depend on each other, such as "
        "cluster(site).",
        check=must_be("a text", is_text),
        metavar="model|observed|sandwich|iid|cluster(COLUMN)",
        naming="arguments",
        together=False,
        range_tested=False,
    )
    l1: float = option(
        0.0,
        "Penalty on the sum of |parameter|: gives exact zeros; auto: chosen by cross-validation.",
        "number or text",
        read_penalty,
        metavar="NUMBER|auto",
        identity="penalty",
        together=False,
        synonyms="lasso",
        needed=True,
        lacking=NO_PENALTY,
    )
    l2: float = option(
        0.0,
        'Penalty on the sum of parameter^2; auto, or such as "auto(folds=10, rule=one_standard_error)".',
        "number or text",
        read_penalty,
        metavar="NUMBER|auto",
        identity="penalty",
        together=False,
        synonyms="ridge weight-decay",
        needed=True,
        lacking=NO_PENALTY,
    )
    priors: Ties = option(
        None,
        'What is known of a parameter beforehand, such as "b ~ normal(0.5, 0.1)"; may be repeated.',
        "texts",
        must_be('texts such as `b ~ normal(0.5, 0.1)`, or by name {"b": "normal(0.5, 0.1)"}', is_texts, is_by_name),
        metavar="TEXT",
        flag="--prior",
        identity="penalty",
        needs_rows=True,
        together=False,
        measured=True,
        lacking=NO_NAMES,
    )
    bounds: Bounded = option(
        None,
        'Bounds, such as "b>0" or "0<=c<=1"; may be repeated.',
        "texts",
        must_be("a list of texts such as `b > 0`, or limits by name", is_texts, is_by_name),
        metavar="TEXT",
        flag="--bound",
        identity="bounds",
        often=True,
        synonyms="bounds limits constraint",
        measured=True,
        lacking=NO_NAMES,
    )
    fix: Values | None = option(
        None,
        "Hold a parameter at a value, such as c=0 or w[x2]=1; may be repeated.",
        "values",
        must_be('values by name, such as {"c": 0}', is_text, is_by_name),
        metavar="NAME=VALUE",
        identity="parameters",
        synonyms="fixed freeze",
        measured=True,
        lacking=NO_NAMES,
    )
    ties: Ties = option(
        None,
        'Let others set a parameter, as in "b2 = 2*b1"; may be repeated.',
        "texts",
        must_be("a list of texts such as `b2 = 2*b1`", is_texts, is_by_name),
        metavar="TEXT",
        flag="--tie",
        identity="parameters",
        synonyms="ties",
        lacking=NO_NAMES,
    )
    reference: Values | Sequence[str] | str | None = option(
        None,
        'The level to compare others with, such as "u=red" or "color=red"; may be repeated.',
        "texts",
        must_be('texts such as `u=red`, or levels by name, such as {"u": "red"}', is_texts, is_by_name),
        metavar="NAME=LEVEL",
        identity="parameters",
        naming="keys",
    )
    quantities: Ties = option(
        None,
        'A number that follows from the parameters, such as "half_life = log(2)/b"; may be repeated.',
        "texts",
        must_be("a list of texts such as `half_life = log(2)/b`, or expressions by name", is_texts, is_by_name),
        metavar="TEXT",
        flag="--quantity",
        range_tested=False,
    )
