"""A run of a module that was killed goes on bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import descend
from descend.errors import ConfigError, DataError
from descend.training import checkpoint as checkpoint_room
from descend.training.gauss_newton import Surface

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(96, 4)).astype(np.float32)
Y = (X[:, 0] + np.sin(2 * X[:, 1]) + 0.3 * RANDOM.normal(size=96)).astype(np.float32)
EPOCHS = 12

SCRIPT = """
import functools, sys, time
import numpy as np, torch, descend
from descend.training import checkpoint
checkpoint.EVERY = 0.0
random = np.random.default_rng(0)
X = random.normal(size=(96, 4)).astype(np.float32)
Y = (X[:, 0] + np.sin(2 * X[:, 1]) + 0.3 * random.normal(size=96)).astype(np.float32)
torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Linear(4, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1)
)
slow = float(sys.argv[2])
fit = descend.fit(
    net, (X, Y), optimizer="adam", learning_rate=0.01, epochs=12, batch_size=16, validation=0.25, ema=0.9, seed=3,
    schedule=functools.partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=0.05), checkpoint=sys.argv[1], resume=True,
    callbacks=lambda run: time.sleep(slow),
)
state = {name: tensor.tolist() for name, tensor in net.state_dict().items()}
print(repr((state, fit.trace.losses.tolist(), fit.trace.validation_losses.tolist())))
print(fit.notes[0], file=sys.stderr)
"""


def net(width: int = 16) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, width), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(width, 1)
    )


def smooth(dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).to(dtype)


def run(path, slow: float, script: str) -> subprocess.Popen:
    command = [sys.executable, "-c", script, str(path), str(slow)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_bit_for_bit(tmp_path, script=SCRIPT):
    unbroken = run(tmp_path / "unbroken", 0.0, script)
    expected, _ = unbroken.communicate()
    path = tmp_path / "broken"
    broken = run(path, 0.3, script)
    while not path.exists() or len(checkpoint_room.read(path).metadata["steps"]) < 4:
        assert broken.poll() is None
        time.sleep(0.05)
    os.kill(broken.pid, signal.SIGKILL)
    broken.communicate()
    resumed = run(path, 0.0, script)
    found, notes = resumed.communicate()
    assert resumed.returncode == 0, notes
    assert notes.startswith("resumed at epoch ")
    assert found == expected


def stopped_at(epoch: int):
    """Return a callback that ends a run as Ctrl-C does."""
    return lambda run: run.epoch == epoch


def both(tmp_path, monkeypatch, **options) -> tuple[descend.Fit, descend.Fit]:
    """Return the fit of an unbroken run, and of one that was stopped and resumed, after comparing every weight."""
    monkeypatch.setattr(checkpoint_room, "EVERY", 0.0)
    known = {"learning_rate": 0.01, "epochs": EPOCHS, "batch_size": 16} | options
    one, other, again = net(), net(), net()
    torch.nn.init.zeros_(again[0].weight)  # what a module begins with does not matter to a run that goes on
    unbroken = descend.fit(one, (X, Y), **known)
    path = tmp_path / "run"
    descend.fit(other, (X, Y), **known, checkpoint=path, callbacks=stopped_at(5))
    assert path.exists()
    resumed = descend.fit(again, (X, Y), **known, checkpoint=path, resume=True)
    assert resumed.notes[0] == f"resumed at epoch 5 from {path}"
    for (name, here), there in zip(one.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(here, there), name
    assert resumed.trace.losses.tolist() == unbroken.trace.losses.tolist()
    assert [step.epoch for step in resumed.trace] == list(range(EPOCHS + 1))
    assert resumed.loss == unbroken.loss
    return unbroken, resumed


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam"},
        {"optimizer": "adam", "batch_size": None},
        {"optimizer": "lbfgs", "batch_size": None, "learning_rate": None},
        {"optimizer": "momentum", "schedule": "cosine", "clip": 0.5, "accumulate": 2},
        {"optimizer": "adamw", "validation": 0.25, "keep": "best", "ema": 0.8},
        {"optimizer": "rmsprop", "learning_rate": None},
        {
            "optimizer": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
            "learning_rate": None,
            "validation": (X[:20], Y[:20]),
            "schedule": lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
        },
        {"schedule": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 8], 0.3), "optimizer": torch.optim.NAdam},
        {
            "schedule": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
            "optimizer": "adam",
        },
    ],
    ids=["adam", "all rows", "lbfgs", "momentum", "average", "rate", "plateau", "milestones", "lambda"],
)
def test_a_run_that_was_stopped_goes_on_bit_for_bit(tmp_path, monkeypatch, options):
    both(tmp_path, monkeypatch, **options)


def kept(tmp_path, **options):
    path = tmp_path / "run"
    descend.fit(
        net(), (X, Y), optimizer="adam", learning_rate=0.01, epochs=3, batch_size=16, checkpoint=path, **options
    )
    return path


def refusal(path, module=None, data=(X, Y), **options) -> str:
    known = {"optimizer": "adam", "learning_rate": 0.01, "epochs": 3, "batch_size": 16} | options
    with pytest.raises((ConfigError, DataError)) as raised:
        descend.fit(module or net(), data, **known, checkpoint=path, resume=True)
    return str(raised.value)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    path = kept(tmp_path)
    assert refusal(path, net(8)) == (
        f"`{path}` is the checkpoint of another module: its `0.weight` has shape (16, 4), here it has shape (8, 4). "
        "Make the same module again, or start anew without `resume`."
    )
    assert refusal(path, seed=1) == (
        f"`{path}` is the checkpoint of another run: its seed is 0, here it is 1. Give the same options again, or "
        "start anew without `resume`."
    )
    assert refusal(path, optimizer="momentum") == (
        f"`{path}` is the checkpoint of another run: its optimizer is `Adam(beta1=0.9, beta2=0.999, epsilon=1e-08)`, "
        "here it is `Momentum(momentum=0.9)`. Give the same options again, or start anew without `resume`."
    )
    assert refusal(path, data=(X, Y + 1)).startswith(
        f"`{path}` is the checkpoint of another run: its first rows of the response is "
    )


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("{}")
    assert refusal(path) == (
        f"`{path}` is not the checkpoint of a PyTorch module. Give a file that `checkpoint` wrote for one, or start "
        "without `resume`."
    )
    path = kept(tmp_path)
    with pytest.raises(DataError) as raised:
        descend.fit("y ~ w*x", {"x": X[:, 0], "y": Y}, checkpoint=path, resume=True)
    assert str(raised.value).startswith(f"`{path}` is not a checkpoint.")


LM = "levenberg_marquardt"


@pytest.mark.parametrize("form", ["matrix", "rows", "products"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stop", [0, 4])
def test_a_run_of_second_order_goes_on_bit_for_bit(tmp_path, monkeypatch, form, dtype, stop):
    monkeypatch.setattr(checkpoint_room, "EVERY", 0.0)
    monkeypatch.setattr(Surface, "form", lambda surface, rows: form)
    x, y = torch.from_numpy(X).to(dtype), torch.from_numpy(Y).to(dtype)
    known = {"optimizer": LM, "epochs": 8}
    unbroken = descend.fit(one := smooth(dtype), (x, y), **known)
    path = tmp_path / "run"
    descend.fit(smooth(dtype), (x, y), **known, checkpoint=path, callbacks=lambda run: run.epoch == max(stop, 1))
    if stop == 0:  # as if it was killed before its first step
        path.unlink()
        descend.fit(smooth(dtype), (x, y), **known | {"epochs": 0}, checkpoint=path)
    resumed = descend.fit(again := smooth(dtype, 1), (x, y), **known, checkpoint=path, resume=True)
    assert resumed.notes[0] == f"resumed at epoch {stop} from {path}"
    assert all(map(torch.equal, one.parameters(), again.parameters()))
    told = [
        [(step.epoch, step.loss, step.gradient_norm, step.damping) for step in fit.trace] for fit in (unbroken, resumed)
    ]
    assert told[0] == told[1]
    assert (resumed.loss, resumed.outcome) == (unbroken.loss, unbroken.outcome)


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 32}, {"validation": 0.25, "keep": "best", "metrics": "mae"}, {"loss": "huber(delta=0.1)"}],
    ids=["batches", "validation", "huber"],
)
def test_a_run_of_second_order_with_more_goes_on_bit_for_bit(tmp_path, monkeypatch, options):
    monkeypatch.setattr(checkpoint_room, "EVERY", 0.0)
    known = {"optimizer": LM, "epochs": 6} | options
    unbroken = descend.fit(one := smooth(), (X, Y), **known)
    path = tmp_path / "run"
    descend.fit(smooth(), (X, Y), **known, checkpoint=path, callbacks=stopped_at(3))
    resumed = descend.fit(again := smooth(seed=1), (X, Y), **known, checkpoint=path, resume=True)
    assert all(map(torch.equal, one.parameters(), again.parameters()))
    assert resumed.trace.losses.tolist() == unbroken.trace.losses.tolist()
    assert resumed.measures == unbroken.measures


def test_a_run_of_second_order_that_ended_is_as_it_ended(tmp_path):
    path = tmp_path / "run"
    ended = descend.fit(one := smooth(), (X, Y), optimizer=LM, checkpoint=path)
    resumed = descend.fit(again := smooth(seed=1), (X, Y), optimizer=LM, checkpoint=path, resume=True)
    assert all(map(torch.equal, one.parameters(), again.parameters()))
    assert (resumed.loss, resumed.outcome, resumed.epochs) == (ended.loss, ended.outcome, ended.epochs)


KILLED = """
import sys, time
import numpy as np, torch, descend
from descend.training import checkpoint
checkpoint.EVERY = 0.0
random = np.random.default_rng(0)
X = random.normal(size=(96, 4)).astype(np.float32)
Y = (X[:, 0] + np.sin(2 * X[:, 1]) + 0.3 * random.normal(size=96)).astype(np.float32)
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
slow = float(sys.argv[2])
fit = descend.fit(
    net, (X, Y), optimizer="levenberg_marquardt", epochs=12, checkpoint=sys.argv[1], resume=True,
    callbacks=lambda run: time.sleep(slow),
)
print(repr(({name: tensor.tolist() for name, tensor in net.state_dict().items()}, fit.trace.losses.tolist())))
print(fit.notes[0], file=sys.stderr)
"""


@pytest.mark.slow
def test_a_run_of_second_order_that_is_killed_goes_on_bit_for_bit(tmp_path):
    test_a_run_that_is_killed_goes_on_bit_for_bit(tmp_path, KILLED)


def test_a_loader_that_draws_rows_by_its_own_generator_goes_on_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_room, "EVERY", 0.0)
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))

    def fitted(module, **options):
        generator = torch.Generator().manual_seed(7)
        loader = torch.utils.data.DataLoader(pairs, 16, shuffle=True, generator=generator)
        torch.manual_seed(1)
        return descend.fit(module, loader, optimizer="adam", learning_rate=0.01, epochs=6, **options)

    one, other = net(), net()
    fitted(one)
    fitted(net(), checkpoint=tmp_path / "run", callbacks=stopped_at(3))
    fitted(other, checkpoint=tmp_path / "run", resume=True)
    for here, there in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(here, there)


class Stopping:
    """Ends a run after so many steps: as a kill does, or as a callback may."""

    def __init__(self, steps: int, kill: bool) -> None:
        self.steps, self.kill = steps, kill

    def on_step(self, run):
        if run.step == self.steps and self.kill:
            raise OSError("killed")
        return run.step == self.steps


class Shaken(torch.utils.data.Dataset):
    """Rows that are shaken each time they are read, by random numbers of NumPy and of PyTorch."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, row):
        shaken = X[row] * np.float32(1 + 0.1 * np.random.normal()) + 0.1 * torch.rand(4).numpy()
        return torch.from_numpy(shaken), torch.tensor(Y[row])


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("rows", ["arrays", "loader", "weighted", "shaken", "accumulated"])
def test_a_run_that_was_cut_off_within_an_epoch_goes_on_bit_for_bit(tmp_path, monkeypatch, rows, kill):
    monkeypatch.setattr(checkpoint_room, "WITHIN", 0.0)
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))

    def fitted(**options):
        module = torch.nn.Sequential(*net()[:2], torch.nn.BatchNorm1d(16), *net()[2:])
        torch.manual_seed(1)
        np.random.seed(1)
        data = {
            "arrays": lambda: (X, Y),
            "accumulated": lambda: (X, Y),
            "loader": lambda: torch.utils.data.DataLoader(pairs, 16, shuffle=True),
            "weighted": lambda: torch.utils.data.DataLoader(
                pairs, 16, sampler=torch.utils.data.WeightedRandomSampler(np.arange(96.0) + 1, 96)
            ),
            "shaken": lambda: torch.utils.data.DataLoader(Shaken(), 16, shuffle=True),
        }[rows]()
        sizes = {"batch_size": 16} if rows == "arrays" else {"batch_size": 8, "accumulate": 2}
        more = sizes if isinstance(data, tuple) else {}
        fit = descend.fit(
            module, data, optimizer="adam", learning_rate=0.01, epochs=4, ema=0.9, validation=(X, Y), **more, **options
        )
        return module.state_dict(), fit.trace.losses.tolist(), fit.trace.validation_losses.tolist()

    expected = fitted(callbacks=Stopping(0, False))
    stopping = {"checkpoint": tmp_path / "run", "callbacks": Stopping(16, kill)}
    if kill:
        with pytest.raises(OSError, match="killed"):
            fitted(**stopping)
    else:
        fitted(**stopping)
    state, losses, held_back = fitted(checkpoint=tmp_path / "run", resume=True, callbacks=Stopping(0, False))
    assert all(torch.equal(tensor, state[name]) for name, tensor in expected[0].items())
    assert (losses, held_back) == expected[1:]
