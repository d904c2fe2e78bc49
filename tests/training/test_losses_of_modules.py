"""Losses that modules have: cross-entropy of classes, those of PyTorch, and any function, against PyTorch itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

import descend
from descend import ConfigError, DataError

nn, F = torch.nn, torch.nn.functional
RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(30, 2)).astype(np.float32)
LABELS = (X[:, 0] + 0.3 * RANDOM.normal(size=30) > 0).astype(np.int64) + (X[:, 1] > 0.5)
Y = (X[:, 0] - 2 * X[:, 1]).astype(np.float32)


def net(outputs: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, outputs))


def fit(module=None, y=LABELS, data=None, **options) -> descend.Fit:
    defaults = {"optimizer": "gd", "learning_rate": 0.1, "epochs": 5, "loss": "cross_entropy"}
    return descend.fit(module or net(), (X, y) if data is None else data, **(defaults | options))


def plain(loss, y, outputs: int = 3, epochs: int = 5) -> list[float]:
    """The losses of a plain loop."""
    module, losses = net(outputs), []
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(epochs + 1):
        optimizer.zero_grad()
        value = loss(module(torch.from_numpy(X)), torch.as_tensor(y))
        value.backward()
        losses.append(value.item())
        optimizer.step()
    return losses


WEIGHTS = torch.tensor([1.0, 2.0, 0.5])
SOFT = np.eye(3, dtype=np.float32)[LABELS] * 0.8 + np.float32(0.2 / 3)


@pytest.mark.parametrize(
    ("text", "judge"),
    [
        ("cross_entropy", nn.CrossEntropyLoss()),
        ("cross_entropy(label_smoothing=0.1)", nn.CrossEntropyLoss(label_smoothing=0.1)),
        ('cross_entropy(class_weights="1, 2, 0.5")', nn.CrossEntropyLoss(weight=WEIGHTS)),
        (
            'cross_entropy(class_weights="1, 2, 0.5", label_smoothing=0.2)',
            nn.CrossEntropyLoss(weight=WEIGHTS, label_smoothing=0.2),
        ),
    ],
)
@pytest.mark.parametrize("y", [LABELS, SOFT], ids=["labels", "probabilities"])
def test_cross_entropy_is_that_of_pytorch(text, judge, y):
    expected = plain(judge, y)
    assert fit(y=y, loss=text).trace.losses == pytest.approx(expected, abs=1e-6)
    assert fit(y=y, loss=judge).trace.losses == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "judge",
    [
        nn.MSELoss(),
        nn.L1Loss(),
        nn.HuberLoss(delta=0.5),
        nn.SmoothL1Loss(beta=0.5),
        nn.MSELoss(reduction="sum"),
        lambda output, y: ((output - y) ** 2).mean(),
        lambda output, y: (output - y).abs() ** 1.5,
    ],
    ids=["mse", "l1", "huber", "smooth", "sum", "mean of a function", "rows of a function"],
)
def test_losses_of_numbers_are_those_of_pytorch(judge):
    rate = 0.001 if getattr(judge, "reduction", "") == "sum" else 0.1
    found = fit(net(1), Y, loss=judge, learning_rate=rate, epochs=1).trace.losses
    expected = plain(lambda output, y: judge(output[:, 0], y).mean(), Y, outputs=1, epochs=0)
    assert found[0] == pytest.approx(expected[0], rel=1e-6) and found[1] < found[0]


def test_logits_of_two_classes():
    y = (LABELS > 0).astype(np.float32)
    expected = plain(lambda output, y: F.binary_cross_entropy_with_logits(output[:, 0], y), y, outputs=1)
    for loss in ("binary_cross_entropy", "logistic", nn.BCEWithLogitsLoss()):
        assert fit(net(1), y, loss=loss).trace.losses == pytest.approx(expected, abs=1e-6)


def test_words_are_predicted_as_words(tmp_path):
    words = np.array(["adelie", "chinstrap", "gentoo"])[LABELS]
    module = net()
    found = fit(module, words, optimizer="adam", epochs=200)
    assert found.loss_function.classes == ("adelie", "chinstrap", "gentoo")
    predicted, shares = found.predict(X), found.predict(X, probabilities=True)
    assert np.mean(predicted == words) > 0.9
    with torch.no_grad():
        assert shares == pytest.approx(module(torch.from_numpy(X)).softmax(1).numpy(), abs=1e-6)
    found.save(tmp_path / "net.json")
    loaded = descend.load(tmp_path / "net.json", model=net())
    assert loaded.predict(X).tolist() == predicted.tolist()
    assert loaded.loss_function == found.loss_function


def test_classes_of_a_table():
    table = {"a": X[:, 0], "b": X[:, 1], "kind": np.array(["z", "y", "x"])[LABELS]}
    found = descend.fit(net(), table, response="kind", inputs=["a", "b"], loss="cross_entropy", epochs=50)
    assert found.loss_function.classes == ("x", "y", "z")
    assert set(found.predict(table)) <= {"x", "y", "z"}


def test_pictures_and_report_of_classes(tmp_path):
    import matplotlib.pyplot as pyplot

    found = fit(y=np.array(["a", "b", "c"])[LABELS])
    pyplot.close(found.plot())
    found.report(tmp_path / "net.html")
    assert "cross_entropy" in (tmp_path / "net.html").read_text(encoding="utf-8")


def test_the_command_line_fits_and_predicts_classes(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\ntorch.manual_seed(0)\nnet = torch.nn.Linear(2, 3).double()\n", encoding="utf-8"
    )
    lines = [f"{a},{b},{'xyz'[place]}" for (a, b), place in zip(X.tolist(), LABELS, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,kind", *lines, ""]), encoding="utf-8")
    words = ["rows.csv", "--response", "kind", "--loss", "cross_entropy", "--epochs", "9", "--save", "net.json"]
    for each in (["fit", "net.py:net", *words], ["predict", "net.json", "rows.csv", "--model", "net.py:net"]):
        command = [sys.executable, "-m", "descend", *each]
        printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {line.rpartition(",")[2] for line in printed[-30:]} <= {"x", "y", "z"}


def test_batches_and_weights_are_weighted_means():
    found = fit(loss='cross_entropy(class_weights="balanced")', batch_size=7)
    counts = np.bincount(LABELS)
    weights = torch.tensor(30 / (3 * counts), dtype=torch.float32)
    with torch.no_grad():
        expected = nn.CrossEntropyLoss(weight=weights)(net()(torch.from_numpy(X)), torch.from_numpy(LABELS)).item()
    assert found.trace[0].loss == pytest.approx(expected, rel=1e-6)
    table = {"a": X[:, 0], "b": X[:, 1], "kind": LABELS, "w": np.arange(30.0)}
    found = descend.fit(net(), table, response="kind", inputs=["a", "b"], weights="w", loss="cross_entropy", epochs=1)
    with torch.no_grad():
        each = nn.CrossEntropyLoss(reduction="none")(net()(torch.from_numpy(X)), torch.from_numpy(LABELS)).numpy()
    assert found.trace[0].loss == pytest.approx(np.average(each, weights=table["w"]), rel=1e-6)


def test_a_given_loss_is_saved_by_its_name(tmp_path):
    found = fit(net(1), Y, loss=nn.SmoothL1Loss(beta=0.5))
    found.save(tmp_path / "net.json")
    loaded = descend.load(tmp_path / "net.json", model=net(1))
    assert loaded.loss_function.shown == "SmoothL1Loss"
    assert loaded.predict(X) == pytest.approx(found.predict(X))
    assert "SmoothL1Loss" in str(found.loss_function)


REFUSED = {
    "labels from 1": (
        DataError,
        {"y": LABELS + 1},
        "y holds classes 1 to 3, and `Sequential` has 3 outputs: the classes count from 0. Subtract 1.",
    ),
    "too many labels": (
        DataError,
        {"module": net(2)},
        "y holds classes 0 to 2, and `Sequential` has 2 outputs: they must be between 0 and 1. Give the module an "
        "output for each class, or correct them.",
    ),
    "float classes": (
        DataError,
        {"y": LABELS.astype(np.float32)},
        f"y holds decimal numbers (float32), the first of them {LABELS[0]}. The cross_entropy loss needs classes: "
        "whole numbers from 0, or words. If they are classes, give y.long(); for numbers, use another loss.",
    ),
    "one-hot": (
        DataError,
        {"y": np.eye(3, dtype=int)[LABELS]},
        "y has shape (30, 3) and holds whole numbers (int64), as one-hot classes do. Give the class of each row, "
        "y.argmax(1), or probabilities as decimal numbers, y.float().",
    ),
    "no probabilities": (
        DataError,
        {"y": 2 * SOFT},
        "y has shape (30, 3), so its rows are probabilities of 3 classes, 0 or more, which add up to 1; those of row 1 "
        "add up to 2.",
    ),
    "words and outputs": (
        ConfigError,
        {"module": net(4), "y": np.array(["a", "b", "c"])[LABELS]},
        "`Sequential` has 4 outputs, but there are 3 classes: a, b, c. Let it have an output for each.",
    ),
    "class weights": (
        ConfigError,
        {"loss": 'cross_entropy(class_weights="1, 2")'},
        "class_weights has 2 numbers, but there are 3 classes: 0, 1, 2. Give one for each, in this order.",
    ),
    "class weights that are none": (
        ConfigError,
        {"loss": 'cross_entropy(class_weights="1, x")'},
        "The class_weights of the cross_entropy loss are numbers above 0 with commas between them, one for each class, "
        'or balanced; they are "1, x".',
    ),
    "one score": (
        ConfigError,
        {"module": net(1)},
        "`Sequential` returned shape (30, 1) for 30 rows. Under the cross_entropy loss it must return a score for each "
        'class: shape (30, K). Of two classes one score will do: loss="binary_cross_entropy".',
    ),
    "a class of losses": (
        ConfigError,
        {"loss": nn.MSELoss},
        "`MSELoss` is a class. Give a loss made from it: loss=MSELoss().",
    ),
    "multinomial": (
        ConfigError,
        {"loss": "multinomial"},
        "The multinomial loss has a score for each class but the first. A module has one for each: "
        'loss="cross_entropy".',
    ),
    "a loss that fails": (
        ConfigError,
        {"module": net(1), "y": Y, "loss": nn.MultiMarginLoss()},
        "The loss `MultiMarginLoss` cannot take an output of shape (30,) (float32) and y of shape (30,) (float32): ",
    ),
    "second order": (
        ConfigError,
        {"loss": torch.nn.MultiMarginLoss(), "optimizer": "levenberg_marquardt", "learning_rate": None},
        "levenberg_marquardt follows cross_entropy and the losses of one number for each row, whose second derivative "
        "is known; the loss `MultiMarginLoss` of a module is none of these. Use another optimizer, such as adam.",
    ),
    "a loss of nothing": (
        ConfigError,
        {"module": net(1), "y": Y, "loss": lambda output, y: 3.0},
        "The loss `<lambda>` returned a float for 30 rows. It must return one number, the mean over the rows, or one "
        "for each row: shape (30,).",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case):
    kind, options, message = REFUSED[case]
    with pytest.raises(kind) as refusal:
        fit(**options)
    assert str(refusal.value).startswith(message) if message.endswith(": ") else str(refusal.value) == message


def test_a_formula_has_no_loss_of_modules():
    with pytest.raises(ConfigError) as refusal:
        descend.fit("y ~ a*x", {"x": [1.0, 2.0], "y": [1.0, 2.0]}, loss="cross_entropy")
    assert "There is no loss `cross_entropy`. Did you mean `logistic`?" in str(refusal.value)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_weights_of_classes_are_the_same_for_rows_that_are_passed(accumulate):
    """Read from tensors, or passed row by row: each step is over the mean that the weights of its rows give."""
    random = torch.Generator().manual_seed(3)
    x = torch.randn(30, 2, generator=random)
    y = (x[:, 0] > 0.8).long()
    criterion, found = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0])), []
    for rows in (torch.utils.data.TensorDataset(x, y), type("Rows", (list,), {})(zip(x, y, strict=True))):
        torch.manual_seed(0)
        module, loader = torch.nn.Linear(2, 2), torch.utils.data.DataLoader(rows, 7)
        fitted = descend.fit(
            module, loader, loss=criterion, optimizer="gd", learning_rate=0.3, epochs=4, accumulate=accumulate,
            validation=torch.utils.data.DataLoader(rows, 11),
        )  # fmt: skip
        found.append([*fitted.trace.losses[1:], *fitted.trace.validation_losses[1:]])
        assert fitted.trace[-1].validation_loss == pytest.approx(criterion(module(x), y).item(), rel=1e-5)
    assert found[0] == pytest.approx(found[1], rel=1e-5)
