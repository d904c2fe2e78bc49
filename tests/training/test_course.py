"""The run of a module: validation, patience, the best weights, callbacks, clipping, accumulation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.waves import ROWS, SIZE, X, Y, fit_for, net

import descend
from descend.engines.batches import shuffled
from descend.errors import ConfigError

EPOCHS = 5


def fit(module: torch.nn.Module | None = None, **options) -> descend.Fit:
    return fit_for(EPOCHS, module, **options)


def plain(epochs: int = EPOCHS, accumulate: int = 1, clip: float | None = None) -> tuple[list[float], torch.nn.Module]:
    """Return the loss of each epoch of a plain loop: the mean over its batches as they pass."""
    module = net()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    x, y, losses = torch.from_numpy(X), torch.from_numpy(Y), []
    for epoch in range(epochs):
        total, batches = 0.0, shuffled(ROWS, SIZE, 0, epoch)
        for begin in range(0, len(batches), accumulate):
            rows = batches[begin : begin + accumulate]
            optimizer.zero_grad()
            for some in rows:
                loss = ((module(x[some])[:, 0] - y[some]) ** 2).sum() / sum(map(len, rows))
                loss.backward()
                total += loss.item() * sum(map(len, rows))
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
            optimizer.step()
        losses.append(total / ROWS)
    return losses, module


@pytest.mark.parametrize("options", [{}, {"accumulate": 3}, {"accumulate": 4}, {"clip": 0.5}], ids=str)
def test_the_loss_of_each_epoch_is_that_of_a_plain_loop(options):
    module = net()
    fitted = fit(module, **options)
    losses, expected = plain(**options)
    assert fitted.trace.losses[1:] == pytest.approx(losses, rel=1e-6)
    assert torch.cat([p.flatten() for p in module.parameters()]).tolist() == pytest.approx(
        torch.cat([p.flatten() for p in expected.parameters()]).tolist(), abs=1e-6
    )
    assert fitted.loss == pytest.approx(float(np.mean((fitted.predict(X) - Y) ** 2)), rel=1e-5)


def test_validation_is_a_share_of_the_rows_drawn_by_the_seed():
    module = net(dropout=0.3)
    fitted = fit(module, validation=0.25)
    assert fitted.rows == 72
    assert "validation on 24 of 96 rows, drawn with seed 0" in fitted.notes
    assert np.isfinite(fitted.trace.validation_losses).all()
    assert fitted.trace[0].validation_loss == fitted.trace.validation_losses[0]
    assert module.training, "the modes are put back"


def test_validation_rows_of_their_own():
    module = net()
    fitted = fit(module, validation=(X[:10], Y[:10]))
    with torch.no_grad():
        expected = float(((module(torch.from_numpy(X[:10]))[:, 0] - torch.from_numpy(Y[:10])) ** 2).mean())
    assert fitted.rows == ROWS
    assert fitted.trace[-1].validation_loss == pytest.approx(expected, rel=1e-6)
    assert "validation on 10 rows of their own" in fitted.notes


@pytest.mark.parametrize("batch_size", [SIZE, None])
def test_patience_ends_a_run_that_overfits_and_the_best_weights_come_back(batch_size):
    random = np.random.default_rng(1)
    data = random.normal(size=(40, 4)).astype(np.float32), random.normal(size=40).astype(np.float32)
    other = random.normal(size=(200, 4)).astype(np.float32), random.normal(size=200).astype(np.float32)
    module = net()
    options = {"optimizer": "adam", "learning_rate": 0.02, "epochs": 500, "batch_size": batch_size}
    fitted = descend.fit(module, data, validation=other, patience=7, keep="best", **options)
    validation = fitted.trace.validation_losses
    best = int(np.argmin(validation))
    assert fitted.outcome == "stopped_early"
    assert fitted.succeeded
    assert fitted.epochs == best + 7
    with torch.no_grad():
        again = float(((module(torch.from_numpy(other[0]))[:, 0] - torch.from_numpy(other[1])) ** 2).mean())
    assert again == pytest.approx(validation[best], rel=1e-6)
    assert f"weights of epoch {best}, whose validation loss is lowest: {validation[best]:.6g}" in fitted.notes
    assert any(note.startswith(f"overfitting from epoch {best} on: by epoch {best + 7}") for note in fitted.notes)
    assert fitted.loss == pytest.approx(float(np.mean((fitted.predict(data[0]) - data[1]) ** 2)), rel=1e-5)


def test_classes_keep_their_share():
    from descend.training.validation import split

    y = np.repeat([0.0, 1.0, 2.0], [60, 30, 10])
    train, held, by_class = split(y, 0.2, seed=3)
    assert by_class
    assert np.bincount(y[held].astype(int)).tolist() == [12, 6, 2]
    assert sorted([*train, *held]) == list(range(100))


def test_callbacks_hear_the_events_in_order_and_may_stop():
    heard = []

    class Listener:
        def on_train_begin(self, run):
            heard.append("train begins")

        def on_epoch_begin(self, run):
            heard.append(f"epoch begins after {run.epoch}")

        def on_step(self, run):
            return run.step == 8

        def on_epoch_end(self, run):
            heard.append(f"epoch {run.epoch} at step {run.step}")

        def on_train_end(self, run):
            heard.append("train ends")

    seen = []
    fitted = fit(callbacks=[Listener(), lambda run: seen.append(run.loss)])
    assert heard == [
        "train begins",
        "epoch begins after 0",
        "epoch 1 at step 6",
        "epoch begins after 1",
        "epoch 2 at step 8",
        "train ends",
    ]
    assert fitted.outcome == "interrupted"
    assert seen == pytest.approx(fitted.trace.losses[1:].tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"patience": 3},
            "`patience` counts epochs without a lower validation loss, so give `validation`, such as 0.2.",
        ),
        (
            {"keep": "best"},
            "The best parameters are those of the lowest validation loss: give `validation`, such as 0.2.",
        ),
        (
            {"keep": "worst"},
            "`keep` says which parameters are left, `last` or `best`, not 'worst'.",
        ),
        (
            {"validation": 1.5},
            "`validation` is a share of the rows between 0 and 1, such as 0.2, or rows of its own; this is 1.5.",
        ),
        (
            {"validation": 0.001},
            "`validation` of 0.001 holds back 0 of 96 rows. Give a share that leaves rows for both.",
        ),
        (
            {"validation": "half"},
            "`validation` is a share of the rows, such as 0.2, or (X, y); this is a str.",
        ),
        (
            {"accumulate": 2, "batch_size": None},
            "`accumulate` adds up the gradients of batches, so give `batch_size`, too.",
        ),
        (
            {"callbacks": [3]},
            "A callback has methods such as on_train_begin, on_epoch_begin, on_step, on_epoch_end, on_train_end, or is "
            "a function that is called after each epoch; this is a int.",
        ),
        (
            {"clip": 1.0, "optimizer": "lbfgs", "learning_rate": None, "batch_size": None},
            "`clip`, `accumulate`, `ema`, schedulers of steps and callbacks `on_step` go with one pass a step; lbfgs "
            "takes several. Leave them out, or take another optimizer, such as adam.",
        ),
    ],
    ids=str,
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        fit(**options)
    assert str(caught.value) == message


def test_a_formula_has_no_clipping():
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ w*x", {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 6.0]}, clip=1.0)
    assert str(caught.value) == "`clip` is for training a PyTorch module, not for a formula or a function."
