"""Modules trained on a Dataset or a DataLoader."""

from __future__ import annotations

import pytest
import torch
from torch.utils import data as torch_data

import descend
from descend import ConfigError, DataError

X = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
Y = X[:, 0] - X[:, 1]
PAIRS = torch_data.TensorDataset(X, Y)


def fit(data, **options) -> descend.Fit:
    torch.manual_seed(0)
    module = torch.nn.Linear(2, 1)
    return descend.fit(module, data, **({"epochs": 5, "optimizer": "gd", "learning_rate": 0.1} | options))


def test_a_dataset_is_its_rows():
    found = fit(PAIRS)
    assert found.trace.losses.tolist() == fit((X, Y)).trace.losses.tolist()
    assert (
        found.notes[-1]
        == "the 20 rows of the TensorDataset were read once, and are drawn in an order that `seed` fixes"
    )
    assert found.predict(PAIRS) == pytest.approx(found.predict(X))


def test_a_loader_says_the_size_of_batches():
    loader = torch_data.DataLoader(PAIRS, batch_size=6, shuffle=True)
    found = fit(loader)
    losses = found.trace.losses.tolist()
    assert losses == fit((X, Y), batch_size=6).trace.losses.tolist() != fit(PAIRS).trace.losses.tolist()
    assert fit(loader, batch_size=3).trace.losses.tolist() == fit((X, Y), batch_size=3).trace.losses.tolist()
    torch.manual_seed(0)
    torch.nn.Linear(2, 1)
    after = torch.random.get_rng_state()
    assert found.predict(loader) == pytest.approx(found.predict(X))
    assert torch.equal(torch.random.get_rng_state(), after)


def test_classes_of_a_dataset():
    torch.manual_seed(0)
    data = torch_data.TensorDataset(X, (Y > 0).long())
    found = descend.fit(torch.nn.Linear(2, 2), torch_data.DataLoader(data, 5), loss="cross_entropy", epochs=60)
    assert (found.predict(data) == (Y > 0).long().numpy()).mean() > 0.8


class Rows(torch_data.Dataset):
    def __init__(self, *rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place):
        return self.rows[place]


class Stream(torch_data.IterableDataset):
    def __iter__(self):
        return iter([(X[0], Y[0])])


PAIR = "Let each row be a pair (x, y) of one input and one response, as torch.utils.data.TensorDataset(X, y) has them."
REFUSED = {
    "no rows": (DataError, Rows(), "There are no rows in this Rows. Give data with at least one row."),
    "dicts": (DataError, Rows({"x": X[0], "y": Y[0]}), f"The rows of this Rows are dicts with the keys x, y. {PAIR}"),
    "three parts": (DataError, Rows((X[0], X[1], Y[0])), f"The rows of this Rows have 3 parts. {PAIR}"),
    "inputs alone": (
        DataError,
        torch_data.TensorDataset(X),
        f"The rows of this TensorDataset have no response. {PAIR}",
    ),
    "a stream": (
        DataError,
        Stream(),
        "`Stream` is an iterable dataset, which may have no end and no order. Give its rows as (X, y), or as a dataset "
        "that has a length.",
    ),
    "a sampler": (
        ConfigError,
        torch_data.DataLoader(PAIRS, 4, sampler=torch_data.WeightedRandomSampler([1.0] * 20, 20)),
        "This DataLoader draws its rows by a WeightedRandomSampler, and a fit would not: it reads them once, and draws "
        "each of them once in an epoch. Give loader.dataset; rows that count more than others are a column of "
        "`weights`, or class_weights of the cross_entropy loss.",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case):
    kind, data, message = REFUSED[case]
    with pytest.raises(kind) as refusal:
        fit(data)
    assert str(refusal.value) == message
