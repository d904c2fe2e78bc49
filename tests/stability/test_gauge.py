"""The learning rate before and during a run: warnings, and the sharpness in the trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

X = np.linspace(0.0, 4.0, 60)
LINE = {"x": X, "y": 2.0 * X + 1.0}
DECAY = {"x": X, "y": 3.0 * np.exp(-1.2 * X) + 0.5}
LARGEST = float(
    np.linalg.eigvalsh(2.0 * np.cov([X, np.ones(60)], bias=True) + 2.0 * np.outer([2.0, 1.0], [2.0, 1.0]))[-1]
)
OVER = {"start": {"w": 0.0, "b": 0.0}, "optimizer": "gd", "learning_rate": 0.3}


def test_too_large_a_rate_is_told_before_the_first_step() -> None:
    seen: list[Any] = []
    fitted = descend.fit("y ~ w*x + b", LINE, on_step=lambda step: seen.append((step.epoch, step.note)), **OVER)
    note = (
        f"learning rate 0.3 is above the largest stable rate {2 / LARGEST:.3g}: J will grow "
        f"{(0.3 * LARGEST - 1) ** 2:.2g}-fold per epoch and overflow at epoch "
    )
    assert seen[0][0] == 0 and seen[0][1].startswith(note) and seen[0][1].endswith(" (float64)")
    assert all(told is None for _, told in seen[1:]) and fitted.notes == (seen[0][1],)
    assert fitted.outcome == "diverged"  # as asked


@pytest.mark.parametrize("rate", [0.9, 1.1])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov"])
def test_it_is_told_where_and_only_where_the_run_is_unstable(optimizer: str, rate: float) -> None:
    from descend.optimizers import OPTIMIZERS

    limit = OPTIMIZERS.build(optimizer).largest_stable_rate(LARGEST)
    options: dict[str, Any] = OVER | {"optimizer": optimizer, "learning_rate": rate * limit, "epochs": 300}
    fitted = descend.fit("y ~ w*x + b", LINE, **options)
    assert (fitted.outcome == "diverged") == (rate > 1) == any("above the largest" in note for note in fitted.notes)


def test_a_rate_just_beyond_grows_by_so_many_percent() -> None:
    fitted = descend.fit("y ~ w*x + b", LINE, **OVER | {"learning_rate": 2.01 / LARGEST, "epochs": 5})
    assert ": J will grow by 2% per epoch and overflow at epoch " in fitted.notes[0]


def test_in_batches_or_with_a_schedule_nobody_knows_the_growth() -> None:
    for options in ({"batch_size": 10}, {"schedule": "cosine"}):
        fitted = descend.fit("y ~ w*x + b", LINE, epochs=3, **OVER, **options)
        assert fitted.notes == (f"learning rate 0.3 is above the largest stable rate {2 / LARGEST:.3g}",)


def test_of_a_nonlinear_model_only_the_start_is_known() -> None:
    options: dict[str, Any] = {"start": {"a": 1.0, "b": 1.0, "c": 0.0}, "optimizer": "gd", "epochs": 5}
    fitted = descend.fit("y ~ a*exp(-b*x) + c", DECAY, learning_rate=1.0, **options)
    told = fitted.notes[0]
    assert (
        told.startswith("learning rate 1 is above the largest stable rate 0.8")
        and "at the start: at first J may" in told
    )


def test_no_growth_is_told_that_is_beyond_all_numbers() -> None:
    fitted = descend.fit("y ~ w*x + b", LINE, **OVER | {"learning_rate": 1e300, "epochs": 5})
    assert fitted.notes == (f"learning rate 1e+300 is above the largest stable rate {2 / LARGEST:.3g}",)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "rmsprop"])
def test_other_optimizers_have_no_such_limit(optimizer: str) -> None:
    fitted = descend.fit("y ~ w*x + b", LINE, optimizer=optimizer, learning_rate=5.0, epochs=3)
    assert not any("stable" in note for note in fitted.notes)


def test_the_sharpness_is_that_of_each_logged_epoch() -> None:
    options: dict[str, Any] = {"start": {"a": 1.0, "b": 1.0, "c": 0.0}, "optimizer": "gd", "learning_rate": 0.2}
    fitted = descend.fit("y ~ a*exp(-b*x) + c", DECAY, epochs=100, sharpness=True, **options)
    noted = {step.epoch: step.sharpness for step in fitted.trace if step.sharpness is not None}
    assert list(noted) == [0, 20, 40, 60, 80, 100]
    for epoch, sharpness in noted.items():
        curvature = fitted.solution.objective(fitted.trace[epoch].theta, 2).curvature
        assert sharpness == pytest.approx(np.linalg.eigvalsh(curvature)[-1])
    every = descend.fit("y ~ a*exp(-b*x) + c", DECAY, epochs=10, sharpness=5, **options)
    assert [step.epoch for step in every.trace if step.sharpness is not None] == [0, 5, 10]
    without = descend.fit("y ~ a*exp(-b*x) + c", DECAY, epochs=100, **options)
    assert [step.theta.tolist() for step in without.trace] == [step.theta.tolist() for step in fitted.trace]
    assert all(step.sharpness is None for step in without.trace)


def test_a_warning_once_the_run_becomes_unstable() -> None:
    # J of exp(w*x) is flat at w = 0 and steep at the minimum, w = 2.
    x = np.linspace(0.0, 1.0, 30)
    seen: list[Any] = []
    fitted = descend.fit(
        "y ~ exp(w*x)", {"x": x, "y": np.exp(2.0 * x)}, start={"w": 0.0}, optimizer="gd", learning_rate=0.2, epochs=20,
        sharpness=1, on_step=lambda step: seen.append(step),
    )  # fmt: skip
    [step] = [step for step in seen if step.note is not None]
    assert step.epoch > 0 and step.learning_rate * step.sharpness > 2.0
    assert all(0.2 * other.sharpness <= 2.0 for other in seen[: step.epoch])
    assert step.note == (
        f"at epoch {step.epoch} learning rate times largest curvature is {0.2 * step.sharpness:.3g}, above 2, the "
        "limit of stability for gd"
    )
    assert fitted.notes == (step.note,)


def test_a_module_has_a_gauge_too() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(1, 1, dtype=torch.float64)
    options: dict[str, Any] = {"response": "y", "optimizer": "gd", "sharpness": True}
    fitted = descend.fit(module, LINE, learning_rate=0.3, epochs=20, **options)
    assert fitted.trace[0].sharpness == pytest.approx(LARGEST, rel=1e-3)
    assert fitted.notes[0].startswith(
        f"learning rate 0.3 is above the largest stable rate {2 / LARGEST:.3g} at the start"
    )


def test_a_wish_that_is_none() -> None:
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ w*x + b", LINE, sharpness=0.5)
    assert str(error.value) == "`sharpness` is True, False or every how many epochs to note it; it is 0.5."


def test_a_loss_with_kinks_has_no_sharpness() -> None:
    fitted = descend.fit("y ~ w*x + b", LINE, loss="absolute", **OVER | {"epochs": 3})
    assert fitted.notes == ()
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ w*x + b", LINE, loss="absolute", sharpness=True, **OVER)
    assert str(error.value) == ("The absolute loss has kinks, so J has no curvature to note. Leave out `sharpness`.")
