"""The device that a module is trained on, and the threads of a processor."""

from __future__ import annotations

import pytest
import torch

import descend
from descend import ConfigError
from descend.training.devices import in_one_thread, one_thread

X = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
Y = X[:, 0] - X[:, 1]
NOTE = "one thread of the processor, which is faster for steps over so few numbers"


def fit(**options) -> descend.Fit:
    torch.manual_seed(0)
    return descend.fit(torch.nn.Linear(2, 1), (X, Y), **({"epochs": 3, "batch_size": 5} | options))


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_small_steps_take_one_thread(two_threads):
    seen = []
    found = fit(callbacks=[lambda course: seen.append(torch.get_num_threads())])
    assert set(seen) == {1} and torch.get_num_threads() == 2
    assert found.notes.count(NOTE) == 1


def test_large_steps_take_all(two_threads):
    model = fit().model
    assert one_thread(model, 1000) and not one_thread(model, 10_000_000)
    with pytest.raises(RuntimeError), in_one_thread(True):
        raise RuntimeError
    assert torch.get_num_threads() == 2


def test_one_thread_is_nothing_to_tell():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert NOTE not in fit().notes
    torch.set_num_threads(before)


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is an accelerator")
def test_the_device_is_the_processor():
    losses = fit().trace.losses.tolist()
    assert fit(device="auto").trace.losses.tolist() == fit(device="cpu").trace.losses.tolist() == losses
    for device in ("cuda", "cuda:1", "mps", "gpu"):
        with pytest.raises(ConfigError) as refusal:
            fit(device=device)
        assert str(refusal.value) == (
            f"There is no device `{device}` that PyTorch can use here. There is: cpu. Leave out `device`, or give "
            '"auto".'
        )
