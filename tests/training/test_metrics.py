"""Metrics of modules after each epoch, against scikit-learn, torchmetrics and a plain loop."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import torchmetrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as judge

import descend
from descend import ConfigError
from descend.training.metrics import METRICS
from descend.training.tallies import Seen

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(60, 2)).astype(np.float32)
PLACES = (X[:, 0] + 0.5 * RANDOM.normal(size=60) > 0).astype(np.int64) + (X[:, 1] > 0.5)
WORDS = np.array(["ash", "beech", "cedar"])[PLACES]
Y = (3 * X[:, 0] - X[:, 1] + RANDOM.normal(size=60)).astype(np.float32)


def net(outputs: int = 3) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, outputs))


def fit(module=None, y=WORDS, **options) -> descend.Fit:
    defaults = {"optimizer": "adam", "learning_rate": 0.05, "epochs": 6, "loss": "cross_entropy"}
    return descend.fit(module or net(), (X, y), **(defaults | options))


def test_metrics_of_classes_are_those_of_scikit_learn():
    names = ["accuracy", "balanced_accuracy", "top_k(k=2)", "auc"]
    averaged = [f"{name}(average={how})" for name in ("f1", "precision", "recall") for how in ("macro", "weighted")]
    found = fit(metrics=[*names, *averaged])
    predicted, shares = found.predict(X), found.predict(X, probabilities=True)
    expected = {
        "accuracy": judge.accuracy_score(WORDS, predicted),
        "balanced_accuracy": judge.balanced_accuracy_score(WORDS, predicted),
        "top_k(k=2)": judge.top_k_accuracy_score(PLACES, shares, k=2),
        "auc": judge.roc_auc_score(WORDS, shares, multi_class="ovr"),
    }
    for name in averaged:
        kind, how = name.rstrip(")").split("(average=")
        expected[name] = getattr(judge, f"{kind}_score")(WORDS, predicted, average=how)
    assert found.measures == pytest.approx(expected)
    assert found.trace.measured("accuracy")[-1] == pytest.approx(expected["accuracy"])


def test_metrics_of_two_classes_are_those_of_the_second():
    y = (PLACES > 0).astype(np.float32)
    for loss, outputs in (("binary_cross_entropy", 1), ("cross_entropy", 2)):
        found = fit(net(outputs), y if outputs == 1 else y.astype(int), loss=loss, metrics=["f1", "auc", "accuracy"])
        share = found.predict(X) if outputs == 1 else found.predict(X, probabilities=True)[:, 1]
        expected = {
            "f1": judge.f1_score(y, share > 0.5),
            "auc": judge.roc_auc_score(y, share),
            "accuracy": judge.accuracy_score(y, share > 0.5),
        }
        assert found.measures == pytest.approx(expected)


def test_metrics_of_numbers_are_those_of_scikit_learn():
    found = fit(net(1), Y, loss="huber", metrics=["mae", "mse", "rmse", "mape", "max_error", "r2"])
    predicted = found.predict(X)
    assert found.measures == pytest.approx(
        {
            "mae": judge.mean_absolute_error(Y, predicted),
            "mse": judge.mean_squared_error(Y, predicted),
            "rmse": judge.root_mean_squared_error(Y, predicted),
            "mape": judge.mean_absolute_percentage_error(Y, predicted),
            "max_error": judge.max_error(Y, predicted),
            "r2": judge.r2_score(Y, predicted),
        },
        rel=1e-5,
    )


def test_functions_and_torchmetrics_agree_with_the_names():
    given = {
        "accuracy": "accuracy",
        "by_hand": lambda y, prediction: (y == prediction).mean(),
        "scikit-learn": judge.accuracy_score,
        "torchmetrics": torchmetrics.Accuracy(task="multiclass", num_classes=3, average="micro"),
    }
    found = fit(metrics=given, batch_size=16, validation=0.25)
    for prefix in ("", "validation_"):
        ours = found.trace.measured(f"{prefix}accuracy")
        assert len(set(ours)) > 1
        for name in given:
            assert found.trace.measured(prefix + name) == pytest.approx(ours)


def test_torchmetrics_of_numbers_and_of_two_classes():
    found = fit(net(1), Y, loss="squared", metrics=["rmse", torchmetrics.MeanSquaredError(squared=False)])
    assert found.measures["MeanSquaredError"] == pytest.approx(found.measures["rmse"], rel=1e-5)
    both = torchmetrics.MetricCollection([torchmetrics.AUROC(task="binary"), torchmetrics.F1Score(task="binary")])
    found = fit(net(1), (PLACES > 0).astype(np.float32), loss="logistic", metrics=["auc", "f1", both])
    assert found.measures["BinaryAUROC"] == pytest.approx(found.measures["auc"], rel=1e-6)
    assert found.measures["BinaryF1Score"] == pytest.approx(found.measures["f1"], rel=1e-6)


def test_batches_are_measured_as_they_pass():
    """As a plain loop would that adds up what each batch gave before its step, in the same order."""
    from descend.engines.batches import shuffled

    found = fit(y=PLACES, metrics="accuracy", batch_size=16, epochs=3, optimizer="gd", learning_rate=0.1)
    module, right = net(), []
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    x, y = torch.from_numpy(X), torch.from_numpy(PLACES)
    for epoch in range(3):
        right.append(0)
        for rows in shuffled(60, 16, 0, epoch, None):
            optimizer.zero_grad()
            output = module(x[rows])
            torch.nn.functional.cross_entropy(output, y[rows]).backward()
            right[-1] += int((output.argmax(1) == y[rows]).sum())
            optimizer.step()
    assert found.trace.measured("accuracy")[1:] == pytest.approx(np.array(right) / 60)


def test_the_measures_are_those_of_the_weights_that_are_kept(tmp_path):
    found = fit(metrics="accuracy", validation=0.25, keep="best", epochs=40, learning_rate=0.3)
    best = int(np.argmin(found.trace.validation_losses))
    assert found.measures["validation_accuracy"] == found.trace[best].measures["validation_accuracy"]
    assert found.measures["validation_loss"] == found.trace.validation_losses.min()
    found.save(tmp_path / "net.json")
    assert descend.load(tmp_path / "net.json", model=net()).measures == found.measures
    assert found.summary()["measures"] == found.measures
    found.report(tmp_path / "net.html")
    assert "validation accuracy" in (tmp_path / "net.html").read_text(encoding="utf-8")


def test_the_command_line_has_metrics(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\ntorch.manual_seed(0)\nnet = torch.nn.Linear(2, 3).double()\n", encoding="utf-8"
    )
    lines = [f"{a},{b},{word}" for (a, b), word in zip(X.tolist(), WORDS, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,tree", *lines, ""]), encoding="utf-8")
    options = ["--response", "tree", "--loss", "cross_entropy", "--epochs", "3", "--metric", "accuracy", "--json"]
    command = [sys.executable, "-m", "descend", "fit", "net.py:net", "rows.csv", *options, "--metric", "top_k(k=2)"]
    printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    measured = json.loads(printed)["measures"]
    assert set(measured) == {"accuracy", "top_k(k=2)"} and measured["accuracy"] <= measured["top_k(k=2)"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30),
    st.integers(1, 29),
    st.floats(-1e6, 1e6),
)
def test_sums_do_not_depend_on_how_rows_are_cut(pairs, place, offset):
    y, prediction = np.array(pairs).T + offset
    parts = [slice(0, place), slice(place, None)] if place < len(y) else [slice(None)]
    for name in ("mae", "mse", "r2"):
        metric = METRICS[name]()
        whole, cut = metric.tally(), metric.tally()
        whole.add(Seen(y, prediction))
        for part in parts:
            cut.add(Seen(y[part], prediction[part]))
        if name != "r2" or np.var(y) > 1e-6:
            assert metric.value(cut) == pytest.approx(metric.value(whole), rel=1e-6, nan_ok=True)


REFUSED = {
    "a name with a slip": (
        {"metrics": "acuracy"},
        "There is no metric `acuracy`. Did you mean `accuracy`? Known: accuracy, balanced_accuracy, top_k, f1, "
        "precision, recall, auc, mae, mse, rmse, mape, max_error, r2.",
    ),
    "the name of another library": (
        {"metrics": ["roc_auc_score"]},
        "There is no metric `roc_auc_score`. Did you mean `auc`? Known: accuracy, balanced_accuracy, top_k, f1, "
        "precision, recall, auc, mae, mse, rmse, mape, max_error, r2.",
    ),
    "numbers of classes": (
        {"metrics": "rmse"},
        "The metric `rmse` is of numbers, and under the cross_entropy loss a module predicts classes. Use one of: "
        "accuracy, balanced_accuracy, top_k, f1, precision, recall, auc.",
    ),
    "classes of numbers": (
        {"module": net(1), "y": Y, "loss": "squared", "metrics": "accuracy"},
        "The metric `accuracy` is of classes, and under the squared loss a module predicts numbers. Use one of: mae, "
        "mse, rmse, mape, max_error, r2.",
    ),
    "shares": (
        {"module": net(1), "y": np.full(60, 0.5, np.float32), "loss": "logistic", "metrics": "f1"},
        "The metric `f1` is of classes, so y must be 0 or 1; it holds shares.",
    ),
    "a class": (
        {"metrics": torchmetrics.MeanSquaredError},
        "`MeanSquaredError` is a class. Give a metric made from it: MeanSquaredError().",
    ),
    "twice": (
        {"metrics": ["accuracy", "accuracy"]},
        'There are two metrics `accuracy`. Give them names: metrics={"one": ..., "other": ...}.',
    ),
    "a number": (
        {"metrics": 3},
        "A metric is a name such as `accuracy`, a function of y and the prediction, or a metric of torchmetrics; this "
        "is a int.",
    ),
    "no number": (
        {"metrics": {"odd": lambda y, prediction: "good"}},
        "The metric `odd` returned str. It must return a number, or several.",
    ),
    "a function that fails": (
        {"metrics": {"squares": lambda y, prediction: ((y - prediction) ** 2).mean()}},
        "The metric `squares` cannot take y of shape (60,) (<U5) and a prediction of shape (60,) (<U5): ufunc "
        "'subtract' did not contain a loop with signature matching types (dtype('<U5'), dtype('<U5')) -> None. It is "
        "called as metric(y, prediction).",
    ),
    "a torchmetric of others": (
        {"metrics": torchmetrics.MeanSquaredError()},
        "The metric `MeanSquaredError` cannot take predictions of shape (60, 3) and y of shape (60,) (int64): ",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case):
    options, message = REFUSED[case]
    with pytest.raises(ConfigError) as refusal:
        fit(**options)
    assert str(refusal.value).startswith(message) if message.endswith(": ") else str(refusal.value) == message


def test_a_formula_has_no_metrics():
    with pytest.raises(ConfigError) as refusal:
        descend.fit("y ~ a*x", {"x": [1.0, 2.0], "y": [1.0, 2.0]}, metrics="rmse")
    assert str(refusal.value) == "`metrics` is for training a PyTorch module, not for a formula or a function."
