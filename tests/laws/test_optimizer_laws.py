"""Laws for every registered optimizer, and PyTorch as the judge of those it also has."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.optimizers import problems

from descend.errors import ConfigError
from descend.optimizers import OPTIMIZERS

# Every optimizer with its defaults, and the one setting that makes another algorithm of it.
ALL = [*OPTIMIZERS, 'lbfgs(line_search="none")']
every_optimizer = pytest.mark.parametrize("name", ALL)

H = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
MINIMUM = np.array([1.0, -2.0, 0.5])
QUADRATIC = problems.quadratic(H, MINIMUM)

EXACT = {"max_iter": 1, "tolerance_grad": 0.0, "tolerance_change": 0.0}
# Ours, the class in torch.optim and its settings, learning rate.
TWINS = [
    ("gd", "SGD", {}, 0.03),
    ("momentum", "SGD", {"momentum": 0.9}, 0.03),
    ("momentum(momentum=0.5)", "SGD", {"momentum": 0.5}, 0.03),
    ("nesterov", "SGD", {"momentum": 0.9, "nesterov": True}, 0.03),
    ("adagrad", "Adagrad", {}, 0.5),
    ("adagrad(epsilon=0.1)", "Adagrad", {"eps": 0.1}, 0.5),
    ("rmsprop", "RMSprop", {}, 0.02),
    ("rmsprop(decay=0.8, epsilon=0.01)", "RMSprop", {"alpha": 0.8, "eps": 0.01}, 0.02),
    ("adam", "Adam", {}, 0.1),
    ("adam(beta1=0.5, beta2=0.9, epsilon=0.1)", "Adam", {"betas": (0.5, 0.9), "eps": 0.1}, 0.1),
    ("adamw", "AdamW", {}, 0.1),
    ("adamw(weight_decay=0.2)", "AdamW", {"weight_decay": 0.2}, 0.1),
    ('lbfgs(line_search="none")', "LBFGS", {"history_size": 10, **EXACT}, 0.5),
    ('lbfgs(history=2, line_search="none")', "LBFGS", {"history_size": 2, **EXACT}, 0.5),
]
NO_TWIN = {"levenberg_marquardt", "newton", "vertex"}  # torch.optim has no such method; SciPy is its judge
PROBLEMS = {"quadratic": (QUADRATIC, [3.0, 1.0, -1.0]), "exponential": (problems.exponential(), [1.0, 1.0, 0.0])}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("name", "twin", "settings", "rate"), TWINS, ids=[twin[0] for twin in TWINS])
def test_trajectory_is_that_of_torch(name, twin, settings, rate, problem):
    import torch

    objective, start = PROBLEMS[problem]
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, twin)([theta], lr=rate, **settings)

    def closure():
        loss, gradient, _ = objective(theta.detach().numpy().copy())
        theta.grad = torch.from_numpy(gradient)
        return torch.tensor(loss)

    expected = [theta.detach().numpy().copy()]
    for _ in range(50):
        optimizer.step(closure)
        expected.append(theta.detach().numpy().copy())
    found = problems.run(name, objective, start, rate).thetas
    # One that stops early has nowhere better to go: torch stays there too.
    found += [found[-1]] * (51 - len(found))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_every_optimizer_has_its_twin_in_torch():
    assert {OPTIMIZERS.build(name).name for name, *_ in TWINS} | NO_TWIN == set(OPTIMIZERS)


@every_optimizer
@given(start=st.lists(st.floats(-100, 100), min_size=3, max_size=3))
def test_descends_on_a_convex_quadratic_at_the_suggested_rate(name, start):
    optimizer = OPTIMIZERS.build(name)
    first = problems.start(QUADRATIC, start)
    rate = optimizer.suggested_rate(first)
    assert rate > 0 and np.isfinite(rate)
    last = problems.run(optimizer, QUADRATIC, start, rate, steps=100).last
    # AdamW rests a little off the minimum: its decay is no part of J.
    assert last.loss <= 0.05 * first.loss + 1e-3


# AdamW draws to 0 in absolute terms, and torch's L-BFGS learns from changes in absolute terms.
@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adamw"])
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_suggested_rate_suits_any_unit_of_the_parameter(name, factor):
    optimizer = OPTIMIZERS.build(name)
    start = 30 * factor
    objective = problems.quadratic([[2.0 / factor**2]], [0.0])
    first = problems.start(objective, [start])
    last = problems.run(optimizer, objective, [start], optimizer.suggested_rate(first), steps=200).last
    assert last.loss <= 0.05 * first.loss


def test_adamw_suggests_no_rate_that_its_decay_would_make_unstable():
    optimizer = OPTIMIZERS.build("adamw(weight_decay=0.5)")
    objective = problems.quadratic([[1.0]], [1e9])
    rate = optimizer.suggested_rate(problems.start(objective, [0.0]))
    assert rate == 0.2
    assert abs(problems.run(optimizer, objective, [0.0], rate, steps=300).last.theta[0]) <= 2.0


@every_optimizer
def test_is_deterministic(name):
    first, second = (problems.run(name, *PROBLEMS["exponential"], rate=0.02) for _ in range(2))
    assert np.array_equal(first.thetas, second.thetas)


@every_optimizer
def test_a_run_taken_up_from_a_saved_state_is_the_same_run(name):
    objective, start = PROBLEMS["exponential"]
    whole = problems.run(name, objective, start, rate=0.02, steps=12)
    half = problems.run(name, objective, start, rate=0.02, steps=5)
    saved = json.loads(json.dumps(_plain(half.state)))
    rest = problems.run(name, objective, half.thetas[-1], rate=0.02, steps=7, state=_revived(saved))
    assert np.array_equal(whole.thetas, half.thetas + rest.thetas[1:])


@every_optimizer
def test_changes_nothing_in_place(name):
    optimizer = OPTIMIZERS.build(name)
    objective, start = PROBLEMS["exponential"]
    run = problems.run(optimizer, objective, start, rate=0.02, steps=4)
    here, state = run.last.at(run.last.theta, optimizer.needs), run.state
    before = copy.deepcopy((here.theta, here.gradient, state))
    first = optimizer.step(here, state)
    np.testing.assert_equal((here.theta, here.gradient, state), before)
    second = optimizer.step(here, state)
    np.testing.assert_equal(first, second)


@every_optimizer
@pytest.mark.parametrize("minimum", [np.zeros(3), MINIMUM])
def test_stays_at_the_minimum(name, minimum):
    if name == "adamw" and minimum.any():
        name = "adamw(weight_decay=0.0)"
    run = problems.run(name, problems.quadratic(H, minimum), minimum, rate=0.1, steps=5)
    np.testing.assert_array_equal(run.last.theta, minimum)


@every_optimizer
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_raises_nothing(name, bad):
    def objective(theta):
        return bad, np.full(3, bad), np.full((3, 3), bad)

    optimizer = OPTIMIZERS.build(name)
    with np.errstate(all="ignore"):
        run = problems.run(optimizer, objective, [1.0, 2.0, 3.0], rate=0.1, steps=3)
    assert run.last.theta.shape == (3,)
    assert optimizer.suggested_rate(run.last) > 0


@pytest.mark.parametrize("name", [name for name in ALL if OPTIMIZERS.build(name).needs < 2])
def test_works_without_a_curvature_that_it_does_not_need(name):
    def objective(theta):
        return (*QUADRATIC(theta)[:2], None)

    optimizer = OPTIMIZERS.build(name)
    first = problems.start(objective, [30.0, 10.0, -10.0])
    run = problems.run(optimizer, objective, first.theta, optimizer.suggested_rate(first), steps=300)
    assert run.last.loss < 0.1 * first.loss


@pytest.mark.parametrize("name", ["gd", "momentum", "momentum(momentum=0.5)", "nesterov", "nesterov(momentum=0.5)"])
def test_the_largest_stable_rate_is_the_edge_of_divergence(name):
    optimizer = OPTIMIZERS.build(name)
    objective = problems.quadratic([[4.0]], [1.0])
    edge = optimizer.largest_stable_rate(4.0)
    below, above = (
        abs(problems.run(optimizer, objective, [2.0], edge * share, steps=2000).last.theta[0] - 1.0)
        for share in (0.99, 1.01)
    )
    assert below < 1e-6 and above > 1e6


@every_optimizer
def test_no_stable_rate_is_claimed_where_there_is_no_curvature(name):
    assert OPTIMIZERS.build(name).largest_stable_rate(0.0) is None


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if OPTIMIZERS[name].proximal])
def test_l1_finds_exact_zeros(name):
    # J = (theta - t)**2 / 2 + |theta|: the minimum is t drawn towards 0 by 1, and 0 within 1 of it.
    objective = problems.quadratic(np.eye(4), [3.0, -2.0, 0.5, -1.0])
    run = problems.run(name, objective, [5.0, 5.0, 5.0, 5.0], rate=0.1, steps=600, l1=1.0)
    np.testing.assert_allclose(run.last.theta, [2.0, -1.0, 0.0, 0.0], atol=1e-9)
    assert run.last.theta[2] == 0.0


def test_momentum_survives_a_schedule_that_ends_at_zero():
    run = problems.run("momentum", QUADRATIC, [1.0, 1.0, 1.0], rate=0.0, steps=3, l1=1.0)
    np.testing.assert_array_equal(run.last.theta, [1.0, 1.0, 1.0])
    assert np.isfinite(run.state).all()


BAD = {
    "momentum(momentum=1.0)": "The setting `momentum` of optimizer `momentum` must be a number at least 0 and below 1, "
    "such as 0.9; it is 1.0.",
    "nesterov(momentum=-0.1)": "The setting `momentum` of optimizer `nesterov` must be a number at least 0 and "
    "below 1, such as 0.9; it is -0.1.",
    "adagrad(epsilon=0.0)": "The setting `epsilon` of optimizer `adagrad` must be a number above 0, such as 1e-10; "
    "it is 0.0.",
    "rmsprop(decay=2)": "The setting `decay` of optimizer `rmsprop` must be a number at least 0 and below 1, "
    "such as 0.99; it is 2.0.",
    "adam(beta1=1.5)": "The setting `beta1` of optimizer `adam` must be a number at least 0 and below 1, such as 0.9; "
    "it is 1.5.",
    "adam(beta2=1e400)": "The setting `beta2` of optimizer `adam` must be a number at least 0 and below 1, "
    "such as 0.999; it is inf.",
    "adamw(weight_decay=-1)": "The setting `weight_decay` of optimizer `adamw` must be a number at least 0, "
    "such as 0.01; it is -1.0.",
    "lbfgs(history=0)": "The setting `history` of optimizer `lbfgs` must be a whole number at least 1, such as 10; "
    "it is 0.",
    'lbfgs(line_search="armijo")': "The setting `line_search` of optimizer `lbfgs` must be 'wolfe' or 'none', "
    "such as 'wolfe'; it is 'armijo'.",
    "levenberg_marquardt(damping=0)": "The setting `damping` of optimizer `levenberg_marquardt` must be a number "
    "above 0, such as 0.001; it is 0.0.",
    "newton(damping=1)": "The optimizer `newton` has no setting `damping`. Its settings: none.",
    "vertex(damping=1)": "The optimizer `vertex` has no setting `damping`. Its settings: none.",
    "gd(momentum=0.9)": "The optimizer `gd` has no setting `momentum`. Its settings: none.",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_settings_are_refused(text):
    with pytest.raises(ConfigError) as refusal:
        OPTIMIZERS.build(text)
    assert str(refusal.value) == BAD[text]


def test_every_optimizer_with_settings_refuses_a_bad_one():
    named = {text.partition("(")[0] for text in BAD}
    assert named == set(OPTIMIZERS)


@every_optimizer
def test_says_in_words_how_it_chooses_a_rate(name):
    assert len(OPTIMIZERS.build(name).rate_rule) > 20


def _plain(state):
    """A state as JSON can hold it, arrays marked as such."""
    if isinstance(state, np.ndarray):
        return {"array": state.tolist()}
    if isinstance(state, list | tuple):
        return [_plain(part) for part in state]
    assert state is None or isinstance(state, bool | int | float)
    return state


def _revived(plain):
    if isinstance(plain, dict):
        return np.array(plain["array"])
    return [_revived(part) for part in plain] if isinstance(plain, list) else plain
