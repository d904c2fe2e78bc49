"""A constant added to the loss changes no verdict: minimum, outcome, notes and errors are those without it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.laws.ranges import OF_ONE_NUMBER, within

import descend
from descend.losses import LOSSES, Loss

X = np.linspace(0.2, 3.0, 40)
SHIFTS = [-50.0, 3.0, "zero"]
"""The last one leaves nothing of the loss at its minimum, where there is no share of it."""


def data(loss: Loss) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    mean = 2.5 * np.exp(-0.7 * X) + 0.4
    low, high = loss.response_domain.low, loss.response_domain.high
    if np.isfinite(high):
        return {"x": X, "y": np.clip(mean / (1 + mean) + 0.02 * rng.normal(size=X.size), 0, 1)}
    if np.isfinite(low):
        return {"x": X, "y": rng.poisson(30 * mean).astype(float)}
    return {"x": X, "y": mean + 0.1 * rng.normal(size=X.size)}


def shifted(loss: Loss, by: float) -> Loss:
    kind = type(loss)
    more = {"value_text": f"{kind.value_text} + ({by!r})", "__module__": __name__, "certain": 0.0}
    if kind.saturated_text:  # in closed form, so it has to be shifted by hand
        more["saturated_text"] = f"{kind.saturated_text} + ({by!r})"
    elif kind.link is not None:  # and here it is that of another loss
        more["saturated"] = lambda self, y: kind.saturated(self, y) + by
    made = dataclasses.make_dataclass(kind.__name__, [], bases=(kind,), namespace=more, frozen=True)
    return made(**loss.settings)


@pytest.mark.parametrize("by", SHIFTS)
@pytest.mark.parametrize("name", [name for name in OF_ONE_NUMBER if not LOSSES[name].kinked])
def test_a_constant_changes_no_verdict(name, by):
    loss = LOSSES.build(name)
    columns, formula = data(loss), within("y ~ a*exp(-b*x) + c", loss)
    options = {"start": {"a": 2.0, "b": 0.5, "c": 0.5}}
    plain = descend.fit(formula, columns, loss=loss, **options)
    constant = -plain.loss if by == "zero" else by
    other = descend.fit(formula, columns, loss=shifted(loss, float(constant)), **options)
    assert other.outcome == plain.outcome
    np.testing.assert_allclose(other.theta, plain.theta, rtol=1e-5)
    assert [note for note in other.notes if "lower" in note] == [note for note in plain.notes if "lower" in note]
    assert other.loss - constant == pytest.approx(plain.loss, rel=1e-9, abs=1e-12)
