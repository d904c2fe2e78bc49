"""Learning-rate schedules: PyTorch as the judge, and what is refused."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import ConfigError
from descend.optimizers import SCHEDULES

EPOCHS = 20
TWINS = {
    "constant": ("ConstantLR", {"factor": 1.0}),
    "step(every=3, decay=0.5)": ("StepLR", {"step_size": 3, "gamma": 0.5}),
    "exponential(decay=0.9)": ("ExponentialLR", {"gamma": 0.9}),
    "cosine": ("CosineAnnealingLR", {"T_max": EPOCHS}),
    "cosine(floor=0.1)": ("CosineAnnealingLR", {"T_max": EPOCHS, "eta_min": 0.05}),
    "warmup(epochs=5)": ("LinearLR", {"start_factor": 1 / 5, "total_iters": 4}),
}


@pytest.mark.parametrize("text", TWINS)
def test_is_that_of_torch(text):
    assert factors(text) == pytest.approx([rate / 0.5 for rate in torch_rates(*TWINS[text])], abs=1e-12)


def test_every_schedule_has_its_twin_in_torch():
    assert {SCHEDULES.build(text).name for text in TWINS} == set(SCHEDULES)


def test_warm_up_then_cosine_is_sequential_in_torch():
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    schedulers = torch.optim.lr_scheduler
    rise = schedulers.LinearLR(optimizer, start_factor=1 / 5, total_iters=4)
    fall = schedulers.CosineAnnealingLR(optimizer, T_max=EPOCHS - 4, eta_min=0.1)
    expected = rates(optimizer, schedulers.SequentialLR(optimizer, [rise, fall], milestones=[4]))
    found = factors('warmup(epochs=5, then="cosine(floor=0.2)")')
    assert found == pytest.approx([rate / 0.5 for rate in expected], abs=1e-12)


@given(epochs=st.integers(1, 200), epoch=st.integers(0, 300))
@pytest.mark.parametrize("text", [*SCHEDULES, 'warmup(epochs=9, then="cosine(floor=0.01)")'])
def test_factor_lies_between_0_and_1(text, epoch, epochs):
    assert 0.0 <= SCHEDULES.build(text).factor(epoch, epochs) <= 1.0


def test_begins_at_the_full_rate_unless_it_warms_up():
    first = {name: SCHEDULES.build(name).factor(0, 100) for name in SCHEDULES}
    assert first == {"constant": 1.0, "step": 1.0, "exponential": 1.0, "cosine": 1.0, "warmup": 0.2}


@pytest.mark.parametrize("text", ["cosine", 'warmup(epochs=5, then="cosine")'])
def test_cosine_needs_to_know_where_it_ends(text):
    with pytest.raises(ConfigError) as refusal:
        SCHEDULES.build(text).factor(0, None)
    assert str(refusal.value) == (
        "The schedule `cosine` ends at the last epoch, so it needs a number of epochs. "
        "Give one, or choose a schedule without an end, such as `exponential`."
    )


BAD = {
    "step(every=0)": "The setting `every` of schedule `step` must be a whole number at least 1, such as 30; it is 0.",
    "step(decay=0.0)": "The setting `decay` of schedule `step` must be a number above 0 and at most 1, such as 0.1; "
    "it is 0.0.",
    "exponential(decay=1.01)": "The setting `decay` of schedule `exponential` must be a number above 0 and at most 1, "
    "such as 0.95; it is 1.01.",
    "cosine(floor=-0.1)": "The setting `floor` of schedule `cosine` must be a number at least 0 and at most 1, "
    "such as 0.0; it is -0.1.",
    "warmup(epochs=0)": "The setting `epochs` of schedule `warmup` must be a whole number at least 1, such as 5; "
    "it is 0.",
    'warmup(then="cosin")': "There is no schedule `cosin`. Did you mean `cosine`? "
    "Known: constant, step, exponential, cosine, warmup.",
    "constant(every=2)": "The schedule `constant` has no setting `every`. Its settings: none.",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_settings_are_refused(text):
    with pytest.raises(ConfigError) as refusal:
        SCHEDULES.build(text)
    assert str(refusal.value) == BAD[text]


def factors(text):
    schedule = SCHEDULES.build(text)
    return [schedule.factor(epoch, EPOCHS) for epoch in range(EPOCHS)]


def torch_rates(name, settings):
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    return rates(optimizer, getattr(torch.optim.lr_scheduler, name)(optimizer, **settings))


def rates(optimizer, scheduler):
    found = []
    for _ in range(EPOCHS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch asks not to be handed an epoch, and hands itself one.
            scheduler.step()
    return found
