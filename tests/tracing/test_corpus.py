"""Functions as people write them are fitted: as the formulas they are, or numerically; none gets a wrong answer."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from tests.tracing.corpus.entry import Array, Entry
from tests.tracing.corpus.every import CORPUS

import descend

TRACED, NUMERIC = 1e-8, 1e-5
"""How far the parameters may be from those of the oracle, relatively."""
SHARE = 0.75
"""Of the functions that are formulas, this share has to be read as formulas."""

SAID = re.compile(r"is no formula: it (.*?)(?: \(line \d+\))?, so its gradient is numeric")
OPAQUE = {
    "newton_iteration": "does so much that its formula would be longer than anybody could read",
    "modified_bessel": "calls `ive`, which formulas do not know",
    "beta_cdf": "calls `betainc`, which formulas do not know",
    "pendulum_period": "calls `ellipk`, which formulas do not know",
    "poisson_weights": "turns floor(x/2 + 0.25) + ceil(x/2 - 0.25) into a plain array",
}
"""Those that are not read as formulas, though they are, and what the note says."""

entries = pytest.mark.parametrize("entry", CORPUS.values(), ids=lambda entry: entry.name)


def elsewhere(entry: Entry) -> dict[str, Array]:
    """Return other rows: some of those of the fit, in another order."""
    return {name: np.array(column)[-2::-3] for name, column in entry.x.items()}


@entries
def test_each_gets_the_answer_of_least_squares(entry: Entry) -> None:
    if entry.needs is not None:
        pytest.importorskip(entry.needs)
    fit = entry.fit()
    traced = fit.gradient == "derived"
    assert fit.outcome == "converged"
    np.testing.assert_allclose(fit.theta, entry.oracle(), rtol=TRACED if traced else NUMERIC)
    assert traced or (fit.gradient == "numeric" and any("is no formula: it" in note for note in fit.notes)), fit.notes
    if entry.by_name:
        there = elsewhere(entry) if entry.formula else entry.x
        np.testing.assert_allclose(fit.predict(there), entry.predict(fit.theta, there), rtol=1e-9, atol=1e-12)


def test_formulas_are_read_as_formulas() -> None:
    """All but those above are, and these say why they are not."""
    formulas = [entry for entry in CORPUS.values() if entry.formula and entry.needs is None]
    reasons = {entry.name: reason for entry in formulas if (reason := entry.why_opaque()) is not None}
    said = {name: SAID.search(reason)[1] for name, reason in reasons.items()}
    assert said.items() <= OPAQUE.items()
    assert len(formulas) - len(reasons) >= SHARE * len(formulas)


def test_what_is_no_formula_of_one_row_is_never_read_as_one() -> None:
    """A row of such a function depends on the other rows, so a formula would be right on no others."""
    coupled = (
        *("scaled_by_the_largest_x", "centered_x", "normalized_by_its_maximum", "normalized_to_unit_sum"),
        *("halves_of_the_rows", "running_sum", "running_integral", "smoothed_by_fft", "convolved_with_a_response"),
        *("euler_along_the_rows", "branch_on_the_data", "filtered", "sorted_and_differenced"),
    )
    assert [name for name in coupled if CORPUS[name].why_opaque() is None] == []


@pytest.mark.parametrize(
    "entry",
    [
        entry
        for entry in CORPUS.values()
        if entry.by_name
        and entry.name != "one_column_returned"  # which SciPy refuses
        and len(entry.x) == 1 and not any(np.ndim(value) for value in entry.truth.values())
        and all(a.kind is not a.KEYWORD_ONLY for a in inspect.signature(entry.function).parameters.values())
        and not entry.options and entry.theme not in ("numerical",)
    ],
    ids=lambda entry: entry.name,
)  # fmt: skip
def test_scipys_call_finds_the_same(entry: Entry) -> None:
    if entry.needs is not None:
        pytest.importorskip(entry.needs)
    (x,) = entry.x.values()
    theta, _ = descend.curve_fit(entry.function, x, entry.y, p0=entry.theta(entry.start))
    np.testing.assert_allclose(theta, entry.oracle(), rtol=NUMERIC)


def test_a_function_that_throws_dice_is_refused() -> None:
    def noisy(x, a, b):
        return a * np.exp(-b * x) + 0.01 * np.random.standard_normal(len(x))

    x = np.linspace(0.0, 3.0, 30)
    with pytest.raises(descend.errors.ConfigError) as caught:
        descend.fit(noisy, {"x": x, "y": 2.0 * np.exp(-x)}, response="y", start={"a": 1.0, "b": 1.0})
    assert str(caught.value).startswith(
        "`noisy` is not deterministic: called twice with the same arguments it returned "
    )


def test_a_function_that_shifts_its_argument_is_fitted_and_leaves_the_data_alone() -> None:
    def shifted(x, a, b):
        x -= 1.0
        return a * np.exp(-b * x)

    x = np.linspace(0.0, 3.0, 30)
    data = {"x": x, "y": 2.0 * np.exp(-0.7 * (x - 1.0))}
    fit = descend.fit(shifted, data, response="y", start={"a": 1.0, "b": 1.0})
    np.testing.assert_allclose(fit.theta, [2.0, 0.7], rtol=1e-10)
    np.testing.assert_array_equal(x, np.linspace(0.0, 3.0, 30))


def test_globals_that_change_between_fits_count() -> None:
    factor = {"of": 1.0}

    def scaled(x, a, b):
        return factor["of"] * a * np.exp(-b * x)

    x = np.linspace(0.0, 3.0, 30)
    for value in (1.0, 4.0):
        factor["of"] = value
        fit = descend.fit(scaled, {"x": x, "y": 2.0 * np.exp(-x)}, response="y", start={"a": 1.0, "b": 1.2})
        assert fit.gradient == "derived"
        np.testing.assert_allclose(fit.theta, [2.0 / value, 1.0], rtol=1e-9)
