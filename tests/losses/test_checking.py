"""What a loss from outside is held against when it is registered: its formulas have to fit together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

import descend
from descend.losses import LOSSES, POSITIVE, Loss, check
from descend.registry import setting

THREE = {"value_text": "k*r^2", "slope_text": "2*k*r", "weight_text": "2*k"}


def mine(without: str = "", **said: object) -> Any:
    """Return a class of losses that says these things, without one of them."""
    names = {"name": "mine", "__module__": __name__, "__annotations__": {"k": "float"}, "k": setting(1.0, above=0)}
    names |= {**THREE, **said}
    names.pop(without, None)
    return dataclasses.dataclass(frozen=True)(type("Mine", (Loss,), names))


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    LOSSES.parts.pop("mine", None)
    LOSSES.built.cache_clear()


def variants() -> Iterator[str]:
    """Each loss at its defaults, and with each of its settings that is a number at others."""
    for name in LOSSES:
        if not LOSSES[name].of_classes:
            yield name
            for field in dataclasses.fields(LOSSES[name]):
                above, below = (field.metadata["bounds"].get(side, end) for side, end in (("above", 0), ("below", 1)))
                more = (value for value in (0.1, 1.9) if isinstance(field.default, float) and above < value < below)
                yield from (f"{name}({field.name}={value})" for value in more)


@pytest.mark.parametrize("text", list(variants()))
def test_the_losses_of_the_package_pass(text: str) -> None:
    check(LOSSES.build(text))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"value_text": "abs(r)", "slope_text": "sign(r)", "weight_text": "0"},
        {
            "value_text": "max(1 - y*prediction, 0)",
            "slope_text": "where(y*prediction < 1, -y, 0)",
            "weight_text": "y^2",
        },
        {"value_text": "1e12*r^2", "slope_text": "2e12*r", "weight_text": "2e12"},
        {"value_text": "1e-12*r^2", "slope_text": "2e-12*r", "weight_text": "2e-12"},
        {
            "value_text": "log(prediction) + y/prediction",
            "slope_text": "1/prediction - y/prediction^2",
            "weight_text": "1/prediction^2",
            "prediction_domain": POSITIVE,
        },
    ],
)
def test_right_formulas_are_taken(said: dict[str, object]) -> None:
    assert LOSSES.register(mine(**said)) is LOSSES["mine"]


SAYS = (
    "A loss says its `name`, and as texts its value, its slope (the derivative of the value by the prediction) and its "
    "weight (the second, or a positive stand-in for it): `value_text`, `slope_text`, `weight_text`."
)
WRONG_SLOPE = (
    "The slope of the loss `mine` is not the derivative of its value by the prediction: at prediction = -2.13, "
    "y = -1.27 `slope_text` gives {}, and `value_text` has the derivative -1.72. Correct one of them."
)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        *((mine(without=name), f"The loss `Mine` has no `{name}`. {SAYS}") for name in ("name", *THREE)),
        (
            mine(value_text="(pred - y)^2"),
            "`value_text` of the loss `mine` names `pred`, which it does not have: (pred - y)^2. "
            "Known: `prediction`, `y`, `r`, `k`; r is prediction - y.",
        ),
        (
            mine(variance_text="mu^2"),
            "`variance_text` of the loss `mine` names `mu`, which it does not have: mu^2. Known: `prediction`, `y`, "
            "`r`, `mean`, `omega`, `dispersion`, `moved`, `scale`, `k`; r is prediction - y.",
        ),
        (
            mine(value_text="(prediction - y"),
            "`value_text` of the loss `mine` cannot be read. This `(` is never closed.\n"
            "    (prediction - y\n    ^\nAdd `)` where it ends.",
        ),
        (mine(weight_text=2), '`weight_text` of the loss `mine` must be a text, such as "r^2", not 2.'),
        (mine(slope_text="4*k*r"), WRONG_SLOPE.format("-3.44")),
        (mine(slope_text="-2*k*r"), WRONG_SLOPE.format("1.72")),
        (
            mine(weight_text="-2*k"),
            "The weight of the loss `mine` must be 0 or more. At prediction = -2.13, y = -1.27 `weight_text` gives -2. "
            "Let it be the second derivative of the value by the prediction or, where that is negative, a positive "
            "stand-in for it, such as the Fisher information. If no such point occurs, say so in `response_domain` or "
            "`prediction_domain`.",
        ),
        (
            mine(value_text="sqrt(-1 - r^2)"),
            "`value_text` of the loss `mine` is no number at any of the points it was tried at, such as "
            "prediction = -2.13, y = -1.27. Say in `prediction_domain` and `response_domain` where it is one.",
        ),
    ],
)
def test_formulas_that_do_not_fit_together_are_refused(part: type[Loss], message: str) -> None:
    with pytest.raises(descend.ConfigError) as refused:
        LOSSES.register(part)
    assert str(refused.value) == message
    assert "mine" not in LOSSES.parts


def test_a_setting_without_a_default_is_checked_at_what_is_given() -> None:
    part = mine(k=setting(dataclasses.MISSING, above=0), weight_text="2 - k")
    LOSSES.register(part)
    check(part(k=1.5))
    with pytest.raises(descend.ConfigError, match=r"`weight_text` gives -1\. Let"):
        check(part(k=3.0))
