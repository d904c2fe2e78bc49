"""Modules with several outputs: a loss for each with its weight, or one function of all, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils import data as torch_data

import descend
from descend import ConfigError, DataError

F = torch.nn.functional
X = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
SIZE = X[:, 0] - X[:, 1]
KIND = (X[:, 1] > 0).long() + (X[:, 2] > 0.3).long()
WORDS = np.array(["ash", "beech", "cedar"])[KIND.numpy()]


class Net(torch.nn.Module):
    """Two heads: a number, and the scores of three classes."""

    def __init__(self, form: str = "dict") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.form, self.body = form, torch.nn.Linear(3, 8)
        self.size, self.kind = torch.nn.Linear(8, 1), torch.nn.Linear(8, 3)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        found = {"size": self.size(hidden), "kind": self.kind(hidden)}
        return found if self.form == "dict" else tuple(found.values())


LOSSES = {"size": "mse", "kind": ("cross_entropy", 0.5)}
RUN = {"optimizer": "gd", "learning_rate": 0.1, "epochs": 5}


def total(output, size, kind):
    return F.mse_loss(output["size"][:, 0], size) + 0.5 * F.cross_entropy(output["kind"], kind)


def plain() -> list[float]:
    module, losses = Net(), []
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(6):
        optimizer.zero_grad()
        loss = total(module(X), SIZE, KIND)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return losses


@pytest.mark.parametrize(
    ("form", "loss", "y"),
    [
        ("dict", LOSSES, {"size": SIZE, "kind": KIND}),
        (
            "dict",
            {"kind": (0.5, torch.nn.CrossEntropyLoss()), "size": torch.nn.MSELoss()},
            {"kind": KIND, "size": SIZE},
        ),
        ("dict", LOSSES, {"size": SIZE[:, None].numpy(), "kind": WORDS}),
        ("tuple", list(LOSSES.values()), (SIZE, KIND)),
        ("tuple", LOSSES, {"size": SIZE, "kind": KIND}),
        ("dict", lambda output, y: total(output, y["size"], y["kind"]), {"size": SIZE, "kind": KIND}),
        ("tuple", lambda output, y: total(dict(zip(("size", "kind"), output, strict=True)), *y), (SIZE, KIND)),
    ],
    ids=["by name", "in another order", "words", "in order", "named in order", "one function", "one function in order"],
)
def test_losses_are_those_of_a_plain_loop(form, loss, y):
    found = descend.fit(Net(form), (X, y), loss=loss, **RUN)
    assert found.trace.losses == pytest.approx(plain(), abs=1e-6)


def test_several_outputs_in_batches_of_a_loader():
    rows = [{"x": x, "size": size, "kind": kind} for x, size, kind in zip(X, SIZE, KIND, strict=True)]
    loader = torch_data.DataLoader(
        rows,
        8,
        collate_fn=lambda some: (
            torch.stack([row["x"] for row in some]),
            {name: torch.stack([row[name] for row in some]) for name in ("size", "kind")},
        ),
    )
    found = descend.fit(Net(), loader, loss=LOSSES, **RUN)
    module = Net()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for epoch in range(5):
        losses = []
        for x, y in loader:
            optimizer.zero_grad()
            losses.append(total(module(x), y["size"], y["kind"]))
            losses[-1].backward()
            optimizer.step()
        assert found.trace.losses[epoch + 1] == pytest.approx(sum(loss.item() for loss in losses) / 5, abs=1e-6)


def test_predictions_and_metrics_of_each_output(tmp_path):
    options = RUN | {"optimizer": "adam", "epochs": 150, "learning_rate": 0.05, "validation": 0.2}
    found = descend.fit(Net(), (X, {"size": SIZE, "kind": WORDS}), loss=LOSSES, metrics=["accuracy", "rmse"], **options)
    assert set(found.measures) == {
        "validation_loss",
        "size_rmse",
        "kind_accuracy",
        "validation_size_rmse",
        "validation_kind_accuracy",
    }
    predicted = found.predict(X)
    assert np.mean(predicted["kind"] == WORDS) > 0.9 and found.measures["kind_accuracy"] > 0.9
    assert np.sqrt(np.mean((predicted["size"] - SIZE.numpy()) ** 2)) < 0.3
    shares = found.predict(X, probabilities=True)["kind"]
    assert shares.sum(axis=1) == pytest.approx(np.ones(40))
    assert str(found.loss_function.shown) == "size: squared, kind: 0.5 cross_entropy"
    found.save(tmp_path / "net.json")
    loaded = descend.load(tmp_path / "net.json", model=Net())
    assert loaded.predict(X)["kind"].tolist() == predicted["kind"].tolist()
    found.report(tmp_path / "net.html")
    by_name = descend.fit(
        Net(), (X, {"size": SIZE, "kind": WORDS}), loss=LOSSES, metrics={"kind": ["f1", "auc"]}, **RUN
    )
    assert set(by_name.measures) == {"kind_f1", "kind_auc"}


BOTH = {"size": SIZE, "kind": KIND}
REFUSED = {
    "one y": (
        DataError,
        (X, SIZE),
        {"loss": LOSSES},
        "There are losses of the outputs size, kind, so y must be a dict or a tuple of as many tensors.",
    ),
    "other names": (
        ConfigError,
        (X, {"length": SIZE, "kind": KIND}),
        {"loss": LOSSES},
        "There are losses of size, kind, and the tensors are called length, kind. Call them the same.",
    ),
    "one loss": (
        ConfigError,
        (X, SIZE),
        {},
        "`Net` returned several tensors: size (40, 1), kind (40, 3), for 40 rows. Let it return one tensor, or give a "
        "loss for each: loss={'size': ..., 'kind': ...}.",
    ),
    "a loss too many": (
        ConfigError,
        (X, {**BOTH, "more": SIZE}),
        {"loss": {**LOSSES, "more": "mse"}},
        "`Net` returned several tensors: size (40, 1), kind (40, 3), for 40 rows, and there are losses of 3 outputs: "
        "size, kind, more. Let it return a tensor for each, as a dict or in this order.",
    ),
    "a weight below 0": (
        ConfigError,
        (X, BOTH),
        {"loss": {"size": ("mse", -1), "kind": "cross_entropy"}},
        'The loss of the output `size` is a loss, or one with its weight above 0, such as ("squared", 0.5), not '
        "('mse', -1).",
    ),
    "labels from 1": (
        DataError,
        (X, {"size": SIZE, "kind": KIND + 1}),
        {"loss": LOSSES},
        "y holds classes 1 to 3, and `Net, output kind` has 3 outputs: the classes count from 0. Subtract 1.",
    ),
    "metrics of no output": (
        ConfigError,
        (X, BOTH),
        {"loss": LOSSES, "metrics": {"weight": "rmse"}},
        "Give metrics of the outputs by their names, size, kind: {name: [...]}.",
    ),
    "second order": (
        ConfigError,
        (X, BOTH),
        {"loss": LOSSES, "optimizer": "levenberg_marquardt", "learning_rate": None},
        "levenberg_marquardt follows cross_entropy and the losses of one number for each row, whose second derivative "
        "is known; the loss `size: squared, kind: 0.5 cross_entropy` of a module is none of these. Use another "
        "optimizer, such as adam.",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case):
    kind, data, options, message = REFUSED[case]
    with pytest.raises(kind) as refusal:
        descend.fit(Net(), data, **(RUN | options))
    assert str(refusal.value) == message
