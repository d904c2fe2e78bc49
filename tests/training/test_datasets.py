"""Modules trained on a Dataset or a DataLoader, against plain loops over them."""

from __future__ import annotations

import functools
import random

import numpy as np
import pytest
import torch
from torch.utils import data as torch_data

import descend
from descend import ConfigError, DataError

F = torch.nn.functional
X = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
Y = X[:, 0] - X[:, 1]
PAIRS = torch_data.TensorDataset(X, Y)
PAIRED = tuple(zip(X, Y, strict=True))


class Rows(torch_data.Dataset):
    """Rows of any form."""

    def __init__(self, *rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place):
        return self.rows[place]


class Stream(torch_data.IterableDataset):
    def __init__(self, rows=PAIRED) -> None:
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


class Noisy(torch_data.Dataset):
    """Rows that are changed at random whenever they are read, as by augmentation."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, place):
        return X[place] + 0.1 * torch.randn(2), Y[place]


class Two(torch.nn.Module):
    """A module of two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)

    def forward(self, left, right, scale=1.0):
        return scale * self.a(left) * self.b(right)


def linear() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(2, 1)


def fit(data, module=None, **options) -> descend.Fit:
    module = module or linear()
    torch.manual_seed(1)
    return descend.fit(module, data, **({"epochs": 5, "optimizer": "gd", "learning_rate": 0.1} | options))


def plain(loader, call, module=None, epochs: int = 5, validation=None) -> list[float]:
    """Return the loss of each epoch of a loop over a loader: the mean of its batches, weighted by their rows.

    call: the predictions and the responses of a batch.
    """
    module = module or linear()
    torch.manual_seed(1)
    optimizer, losses = torch.optim.SGD(module.parameters(), lr=0.1), []
    for _ in range(epochs):
        total = rows = 0
        for batch in loader:
            optimizer.zero_grad()
            predicted, y = call(module, batch)
            loss = F.mse_loss(predicted[:, 0], y)
            loss.backward()
            optimizer.step()
            total, rows = total + loss.item() * len(y), rows + len(y)
        losses.append(total / rows)
        if validation is not None:
            list(validation)
    return losses


def of_pair(module, batch):
    return module(batch[0]), batch[1]


def of_pairs(module, batch):
    return module(batch[0], batch[1]), batch[2]


def of_dict(module, batch):
    return module(**{name: part for name, part in batch.items() if name != "labels"}), batch["labels"]


def test_a_dataset_is_its_rows():
    found = fit(PAIRS)
    assert found.trace.losses.tolist() == fit((X, Y)).trace.losses.tolist()
    assert (
        found.notes[-1]
        == "the 20 rows of the TensorDataset were read once, and are drawn in an order that `seed` fixes"
    )
    assert found.predict(PAIRS) == pytest.approx(found.predict(X))
    again = fit(Rows(*PAIRS), batch_size=4)
    assert again.trace.losses.tolist() == fit((X, Y), batch_size=4).trace.losses.tolist()


HALF = torch_data.Subset(PAIRS, range(0, 20, 2))
LOADERS = {
    "in order": lambda: torch_data.DataLoader(PAIRS, 6),
    "shuffled": lambda: torch_data.DataLoader(PAIRS, 6, shuffle=True),
    "last dropped": lambda: torch_data.DataLoader(PAIRS, 6, shuffle=True, drop_last=True),
    "own generator": lambda: torch_data.DataLoader(PAIRS, 6, shuffle=True, generator=torch.Generator().manual_seed(7)),
    "weighted": lambda: torch_data.DataLoader(PAIRS, 4, sampler=torch_data.WeightedRandomSampler([1.0, 3.0] * 10, 30)),
    "some rows": lambda: torch_data.DataLoader(HALF, 4, shuffle=True),
    "drawn from some": lambda: torch_data.DataLoader(PAIRS, 4, sampler=torch_data.SubsetRandomSampler(range(4, 15))),
    "batches of its own": lambda: torch_data.DataLoader(PAIRS, batch_sampler=[[0, 3], [5, 7, 9], [1]]),
    "rows of any form": lambda: torch_data.DataLoader(Rows(*PAIRS), 6, shuffle=True),
    "changed at random": lambda: torch_data.DataLoader(Noisy(), 6, shuffle=True),
    "a stream": lambda: torch_data.DataLoader(Stream(), 6),
    "put together by hand": lambda: torch_data.DataLoader(
        PAIRS, 6, shuffle=True, collate_fn=lambda rows: tuple(2 * torch.stack(part) for part in zip(*rows, strict=True))
    ),
    "ready batches": lambda: torch_data.DataLoader(Rows((X[:8], Y[:8]), (X[8:], Y[8:])), batch_size=None),
}


@pytest.mark.parametrize("case", list(LOADERS))
def test_a_loader_is_followed_as_by_a_loop_over_it(case):
    found, expected = fit(LOADERS[case]()), plain(LOADERS[case](), of_pair)
    assert found.trace.losses[1:] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    "sampler",
    [torch_data.SubsetRandomSampler([9, 3, 4, 12]), type("Own", (), {"__iter__": lambda self: iter([9, 3, 4, 12])})()],
    ids=["subset", "own"],
)
def test_validation_and_loss_are_of_the_rows_that_a_sampler_draws(sampler):
    """Rows of a dataset that a sampler never draws count for neither."""
    others = torch_data.SubsetRandomSampler([0, 1, 2, 15, 16, 17])
    module = linear()
    found = fit(
        torch_data.DataLoader(PAIRS, 3, sampler=others),
        module,
        validation=torch_data.DataLoader(PAIRS, 3, sampler=sampler),
    )
    with torch.no_grad():
        each = (module(X)[:, 0] - Y.reshape(-1)) ** 2
    assert found.loss == pytest.approx(each[[0, 1, 2, 15, 16, 17]].mean().item(), rel=1e-5)
    assert found.trace[-1].validation_loss == pytest.approx(each[[3, 4, 9, 12]].mean().item(), rel=1e-5)
    assert found.rows == 6


STEPS = {
    "all": (lambda: torch_data.DataLoader(PAIRS, 6, shuffle=True), 4),
    "last dropped": (lambda: torch_data.DataLoader(PAIRS, 6, drop_last=True), 3),
    "last dropped as they come": (lambda: torch_data.DataLoader(Rows(*PAIRS), 6, drop_last=True), 3),
    "drawn from some": (lambda: torch_data.DataLoader(PAIRS, 3, sampler=torch_data.SubsetRandomSampler(range(7))), 3),
    "batches of its own": (lambda: torch_data.DataLoader(PAIRS, batch_sampler=[[0, 3], [5, 7, 9], [1], [2], [4]]), 5),
}


@pytest.mark.parametrize("case", list(STEPS))
@pytest.mark.parametrize("accumulate", [1, 2])
def test_schedulers_know_the_steps_of_an_epoch(case, accumulate):
    made, (loader, batches) = [], STEPS[case]
    total = 3 * -(-batches // accumulate)

    def one_cycle(optimizer):
        made.append(torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=total))
        return made[0]

    fit(loader(), epochs=3, accumulate=accumulate, schedule=one_cycle)
    assert made[0].last_epoch == total
    with pytest.raises(ConfigError, match=f"The OneCycleLR given ends after {total} steps, and 4 epochs"):
        fit(
            loader(),
            epochs=4,
            accumulate=accumulate,
            schedule=lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=total),
        )


def test_a_stream_does_not_say_how_many_steps_an_epoch_has():
    with pytest.raises(ConfigError) as raised:
        fit(
            torch_data.DataLoader(Stream(), 6),
            epochs=3,
            schedule=functools.partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=0.1),
        )
    assert str(raised.value) == (
        "PyTorch makes no scheduler by OneCycleLR of this optimizer: You must define either total_steps OR (epochs AND "
        "steps_per_epoch). Give what makes it whole: schedule=lambda optimizer: ..."
    )


def test_validation_that_can_be_read_once_only_is_refused():
    with pytest.raises(DataError) as raised:
        fit(PAIRS, validation=torch_data.DataLoader(Stream(iter(PAIRED)), 6))
    assert str(raised.value) == (
        "The Stream gave no rows in epoch 1. If it goes through an iterator that can be used once only, let its "
        "__iter__ begin anew."
    )


@pytest.mark.slow
def test_workers_are_followed_too():
    for data in (PAIRS, Rows(*PAIRS)):
        loader = torch_data.DataLoader(data, 6, shuffle=True, num_workers=2)
        assert fit(loader).trace.losses[1:] == pytest.approx(plain(loader, of_pair), abs=1e-7)


INPUTS = {
    "in order": (Rows(*((x[:1], x[1:], y) for x, y in PAIRS)), of_pairs),
    "nested": (
        Rows(*(((x[:1], x[1:]), y) for x, y in PAIRS)),
        lambda module, batch: (module(*batch[0]), batch[1]),
    ),
    "by name": (Rows(*({"right": x[1:], "left": x[:1], "labels": y} for x, y in PAIRS)), of_dict),
    "by name, with one more": (
        Rows(*({"scale": x[:1], "right": x[1:], "left": x[:1], "labels": y} for x, y in PAIRS)),
        of_dict,
    ),
}


def two() -> torch.nn.Module:
    torch.manual_seed(0)
    return Two()


@pytest.mark.parametrize("case", list(INPUTS))
def test_several_inputs(case):
    data, call = INPUTS[case]
    loader = torch_data.DataLoader(data, 6, shuffle=True)
    found = fit(loader, two())
    assert found.trace.losses[1:] == pytest.approx(plain(loader, call, two()), abs=1e-7)
    held = fit(data, two(), batch_size=6, validation=0.2, metrics="rmse")
    assert held.rows == 16 and held.trace.losses[-1] < held.trace.losses[0]
    assert len(held.predict(data)) == 20


def test_several_inputs_as_tensors(tmp_path):
    left, right = X[:, :1], X[:, 1:]
    found = fit(({"left": left, "right": right}, Y), two())
    losses = fit(((left.numpy(), right.numpy()), Y.numpy()), two()).trace.losses
    assert losses.tolist() == found.trace.losses.tolist()
    predicted = found.predict({"right": right, "left": left})
    assert predicted == pytest.approx(found.model.module(left, right).detach().numpy()[:, 0])
    found.save(tmp_path / "two.json")
    loaded = descend.load(tmp_path / "two.json", model=two())
    assert loaded.predict({"right": right, "left": left}).tolist() == predicted.tolist()
    with pytest.raises(DataError) as refusal:
        found.predict(X)
    assert str(refusal.value) == "The module was fitted to several inputs. Give them as a dict of tensors left, right."


class Logits(torch.nn.Module):
    """Classes as models of Hugging Face return them."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, values, mask=None):
        return {"logits": self.layer(values if mask is None else values * mask)}


def test_dicts_with_labels_and_logits():
    labels = (Y > 0).long()
    data = Rows(*({"values": x, "mask": torch.ones(2), "labels": label} for x, label in zip(X, labels, strict=True)))
    torch.manual_seed(0)
    found = descend.fit(
        Logits(), torch_data.DataLoader(data, 5), loss="cross_entropy", epochs=60, metrics="accuracy", learning_rate=0.1
    )
    assert found.measures["accuracy"] > 0.8
    assert (found.predict(data) == labels.numpy()).mean() > 0.8


def test_a_share_of_a_loader_is_held_back():
    for data in (PAIRS, Rows(*PAIRS)):
        found = fit(torch_data.DataLoader(data, 6, shuffle=True), validation=0.25)
        assert found.rows == 15
        assert "validation on 5 of 20 rows, drawn with seed 0" in found.notes
        assert np.isfinite(found.trace.validation_losses).all()


@pytest.mark.parametrize("data", [PAIRS, Rows(*PAIRS), Stream()], ids=["tensors", "rows", "stream"])
def test_validation_by_a_loader_uses_up_random_numbers_as_a_loop_does(data):
    other = torch_data.DataLoader(data, 8)
    loader = torch_data.DataLoader(PAIRS, 6, shuffle=True)
    found = fit(loader, validation=other, keep="best")
    assert found.trace.losses[1:] == pytest.approx(plain(loader, of_pair, validation=other), abs=1e-7)
    with torch.no_grad():
        expected = F.mse_loss(found.model.module(X)[:, 0], Y).item()
    assert found.measures["validation_loss"] == pytest.approx(expected, rel=1e-5)


def test_validation_by_a_dataset_and_by_a_file(tmp_path):
    assert fit(PAIRS, validation=PAIRS).trace.validation_losses.tolist() == pytest.approx(fit(PAIRS).trace.losses)
    lines = [f"{a},{b},{y}" for (a, b), y in zip(X.tolist(), Y.tolist(), strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,y", *lines, ""]), encoding="utf-8")
    found = fit(tmp_path / "rows.csv", response="y", validation=tmp_path / "rows.csv")
    assert found.trace.validation_losses == pytest.approx(found.trace.losses)


def test_what_is_looked_at_before_uses_up_no_random_numbers():
    for data in (torch_data.DataLoader(Noisy(), 6, shuffle=True), torch_data.DataLoader(PAIRS, 6, shuffle=True)):
        torch.manual_seed(0)
        random.seed(0)
        before = torch.random.get_rng_state(), random.getstate()
        descend.fit(torch.nn.Linear(2, 1), data, epochs=0, learning_rate=0.1)
        torch.manual_seed(0)
        assert torch.equal(torch.random.get_rng_state(), before[0]) and random.getstate() == before[1]


def test_how_rows_are_used_is_told(monkeypatch):
    notes = {case: fit(LOADERS[case]()).notes for case in ("shuffled", "a stream")}
    assert "the 20 rows of the TensorDataset are passed in the order of the DataLoader" in notes["shuffled"]
    assert (
        "the rows of the Stream are passed in each epoch anew, as the DataLoader gives them; the loss before the first "
        "step is that of the first 20 of them" in notes["a stream"]
    )
    assert (
        "the rows of the Noisy are passed in each epoch anew, in an order that `seed` fixes, as its rows change at "
        "each reading; the loss before the first step is that of the first 20 of them" in fit(Noisy()).notes
    )
    monkeypatch.setattr("descend.training.sources.ROOM", 100)
    few = fit(Rows(*PAIRS)).notes
    assert any("in an order that `seed` fixes, as they need about 0.0 GiB" in note for note in few)


def test_rows_that_are_passed_have_no_residuals_to_tell_of(tmp_path):
    found = fit(torch_data.DataLoader(Stream(), 6), epochs=3)
    assert found.rows == 20 and found.r_squared is None
    assert found.summary()["loss"] == pytest.approx(found.trace.losses[-1])
    found.report(tmp_path / "net.html")
    found.save(tmp_path / "net.json")
    assert descend.load(tmp_path / "net.json", model=linear()).rows == 20


def test_the_best_weights_of_a_stream():
    loader = torch_data.DataLoader(Stream(), 6)
    found = fit(loader, validation=(X[:5], -Y[:5]), keep="best", epochs=8, learning_rate=0.5)
    best = int(np.argmin(found.trace.validation_losses))
    assert found.loss == pytest.approx(found.trace.losses[best])


def test_classes_of_a_dataset():
    torch.manual_seed(0)
    data = torch_data.TensorDataset(X, (Y > 0).long())
    found = descend.fit(torch.nn.Linear(2, 2), torch_data.DataLoader(data, 5), loss="cross_entropy", epochs=60)
    assert (found.predict(data) == (Y > 0).long().numpy()).mean() > 0.8


class Once(torch_data.IterableDataset):
    def __init__(self) -> None:
        self.iterator = iter(list(PAIRED))

    def __iter__(self):
        return self.iterator


PAIR = (
    "Let each row be a pair (x, y), as torch.utils.data.TensorDataset(X, y) has them, several inputs and y, or a dict."
)
REFUSED = {
    "no rows": (DataError, Rows(), {}, "There are no rows in this Rows. Give data with at least one row."),
    "an empty stream": (
        DataError,
        Stream(()),
        {},
        "There are no rows in this Stream. Give data with at least one row.",
    ),
    "inputs alone": (
        DataError,
        torch_data.TensorDataset(X),
        {},
        f"The rows of this TensorDataset have no response. {PAIR}",
    ),
    "a dict without a response": (
        DataError,
        Rows({"x": X[0], "z": Y[0]}),
        {},
        f"The rows of this Rows have no response. {PAIR}",
    ),
    "another response": (
        DataError,
        Rows({"x": X[0], "y": Y[0]}),
        {"response": "z"},
        "The rows of this Rows are dicts with the keys x, y, and `z` is none of them.",
    ),
    "words": (
        DataError,
        Rows({"x": X[0], "name": "a", "y": Y[0]}),
        {},
        f"The rows of this Rows are no tensors alone: `name` is a list. {PAIR}",
    ),
    "a batch size": (
        ConfigError,
        torch_data.DataLoader(PAIRS, 4),
        {"batch_size": 8},
        "A DataLoader makes its batches itself, so leave out `batch_size`, or give its dataset.",
    ),
    "a share of a stream": (
        ConfigError,
        Stream(),
        {"validation": 0.2},
        "No share of the rows of this Stream can be held back, as they are passed rather than read. Give other rows: "
        "validation=dataset, or a loader.",
    ),
    "a share of a sampler": (
        ConfigError,
        LOADERS["weighted"](),
        {"validation": 0.2},
        "No share of these rows can be held back: the DataLoader draws them by a sampler of its own, or they are a "
        "stream. Give a loader of other rows: validation=loader.",
    ),
    "several passes": (
        ConfigError,
        Stream(),
        {"optimizer": "lbfgs", "learning_rate": None},
        "lbfgs passes the same rows several times for a step, and these are passed once in an epoch. Give them as "
        "(X, y) or as a dataset, or take another optimizer, such as adam.",
    ),
    "an iterator": (
        DataError,
        Once(),
        {},
        "The Once gave no rows in epoch 1. If it goes through an iterator that can be used once only, let its __iter__ "
        "begin anew.",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case):
    kind, data, options, message = REFUSED[case]
    with pytest.raises(kind) as refusal:
        fit(data, **options)
    assert str(refusal.value) == message
