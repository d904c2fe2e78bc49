"""Sums of like terms, drawn at random: without a start a fit ends where the truth as a start leads, or lower."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.like_terms import AGREE, FAMILIES, by_descend

import descend

HARD = [
    ("2 wide gaussians, parabola", 6),  # more curved than the background
    ("2 wide gaussians, parabola", 8),
    ("2 gaussians that overlap", 0),  # two peaks of opposite signs, on each other, come close
    ("2 gaussians that overlap", 38),
    ("3 gaussians of both signs", 28),
    ("3 gaussians, uneven x", 11),  # a peak of four rows
    ("3 narrow gaussians, 100,000 rows", 17),  # a peak that one row in two hundred does not show
    ("2 gaussians, 20 rows", 3),
    ("3 exponentials", 0),
    ("2 damped sines", 1),
]


def holds(family, seed):
    data, truth = family.data(seed)
    return by_descend(family, data) <= by_descend(family, data, truth) * (1.0 + AGREE)


@pytest.mark.parametrize(("label", "seed"), HARD)
def test_the_lowest_minimum_is_found(label, seed):
    assert holds(FAMILIES[label], seed)


@pytest.mark.slow
@pytest.mark.parametrize("label", FAMILIES)
def test_nearly_all_are_found(label):
    assert sum(holds(FAMILIES[label], seed) for seed in range(20)) >= 19


@pytest.mark.parametrize("label", ["3 gaussians on a line", "3 lorentzians", "2 exponentials", "2 sines"])
@pytest.mark.parametrize("loss", ["huber", "cauchy", "absolute"])
def test_robust_losses_find_terms_among_outliers(label, loss):
    family = FAMILIES[label]
    data, truth = family.data(5)
    random = np.random.default_rng(0)
    wrong = random.random(len(data["x"])) < 0.05
    data["y"] = data["y"] + np.where(wrong, random.choice([-4.0, 4.0], len(wrong)), 0.0)
    known, fit = (descend.fit(family.formula, data, start=start, loss=loss) for start in (truth, None))
    assert fit.outcome == "converged"
    assert fit.loss <= known.loss * (1.0 + 1e-4)


@pytest.mark.parametrize(
    ("label", "order"), [("3 gaussians on a line", "m"), ("2 exponentials", "k"), ("3 sines", "w")]
)
def test_terms_come_in_order_and_a_note_says_so(label, order):
    family = FAMILIES[label]
    for seed in range(5):
        fit = descend.fit(family.formula, family.data(seed)[0])
        found = [value for name, value in fit.parameters.items() if name[0] == order]
        assert found == sorted(found, reverse=order == "k")
        assert sum("can stand for each other, which changes nothing" in note for note in fit.notes) == 1


def test_bounds_may_say_otherwise():
    family = FAMILIES["2 gaussians on a line"]
    data, truth = family.data(0)
    left, right = sorted((truth["m1"], truth["m2"]))
    middle = (left + right) / 2.0
    fit = descend.fit(family.formula, data, bounds=[f"m1 > {middle!r}", f"m2 < {middle!r}"])
    assert fit.parameters["m1"] == pytest.approx(right, abs=0.1)
    assert fit.parameters["m2"] == pytest.approx(left, abs=0.1)
    assert fit.outcome == "converged"
    assert not any("can stand for each other" in note for note in fit.notes)
