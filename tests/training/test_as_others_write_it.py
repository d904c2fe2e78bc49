"""Scripts as users of other programs write them, held against a plain loop, and what is told where it cannot be."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

torch = pytest.importorskip("torch")
nn = torch.nn


def pixels():
    random = np.random.default_rng(0)
    x = torch.from_numpy(random.normal(size=(16, 3, 6, 6)).astype(np.float32))
    y = torch.from_numpy(random.integers(0, 3, (16, 6, 6)))
    y[:, :2] = -100
    return x, y


@pytest.mark.parametrize(
    "criterion", [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1)]
)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int16])
def test_a_class_for_each_pixel(criterion, dtype):
    x, y = pixels()
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 1))
    twin = copy.deepcopy(net)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y.to(dtype)), 4, shuffle=True)
    torch.manual_seed(1)
    fit = descend.fit(net, loader, loss=criterion, optimizer="adam", learning_rate=0.01, epochs=3)
    torch.manual_seed(1)
    optimizer, losses = torch.optim.Adam(twin.parameters(), lr=0.01), []
    for _ in range(3):
        total = 0.0
        for inputs, classes in loader:
            optimizer.zero_grad()
            loss = criterion(twin(inputs), classes.long())
            loss.backward()
            optimizer.step()
            total += loss.item() * len(classes) / len(x)
        losses.append(total)
    assert fit.trace.losses[1:] == pytest.approx(losses, rel=1e-6)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(net.parameters(), twin.parameters(), strict=True))
    with torch.no_grad():
        scores = twin.eval()(x[:2])
    assert (fit.predict(x[:2]) == scores.argmax(dim=1).numpy()).all()
    shares = fit.predict(x[:2], probabilities=True)
    assert shares == pytest.approx(scores.softmax(dim=1).numpy(), abs=1e-6)


def test_a_loaded_fit_predicts_the_class_of_each_pixel(tmp_path):
    x, y = pixels()
    net = nn.Conv2d(3, 3, 1)
    fit = descend.fit(net, (x, y), loss="cross_entropy", epochs=1)
    fit.save(tmp_path / "pixels.json")
    again = descend.load(tmp_path / "pixels.json", model=nn.Conv2d(3, 3, 1))
    assert (again.predict(x) == fit.predict(x)).all()
    assert again.predict(x).shape == y.shape


@pytest.mark.parametrize("per_pixel", [True, False])
def test_what_a_loss_ignores_counts_in_no_metric(per_pixel):
    x, y = pixels()
    if per_pixel:
        net, criterion = nn.Conv2d(3, 3, 1), nn.CrossEntropyLoss(ignore_index=2)
        y = y.clamp(min=0)
    else:
        net, criterion, y = (
            nn.Sequential(nn.Flatten(), nn.Linear(108, 3)),
            nn.CrossEntropyLoss(ignore_index=2),
            y[:, 5, 5],
        )
    fit = descend.fit(net, (x, y), loss=criterion, epochs=2, metrics="accuracy")
    known = y.numpy() != 2
    assert fit.measures["accuracy"] == pytest.approx((fit.predict(x) == y.numpy())[known].mean())


def test_metrics_count_each_pixel_that_has_a_class():
    x, y = pixels()
    torch.manual_seed(0)
    fit = descend.fit(nn.Conv2d(3, 3, 1), (x, y), loss="cross_entropy", epochs=2, metrics=["accuracy", "f1"])
    right = fit.predict(x) == y.numpy()
    assert fit.measures["accuracy"] == pytest.approx(right[:, 2:].mean())


def test_a_report_of_several_outputs(tmp_path):
    x, y = pixels()

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.mask, self.area = nn.Conv2d(3, 3, 1), nn.Linear(108, 1)

        def forward(self, x):
            return {"mask": self.mask(x), "area": self.area(x.flatten(1))}

    area = (y > 0).float().mean((1, 2))
    loss = {"mask": "cross_entropy", "area": ("mse", 0.5)}
    fit = descend.fit(Both(), (x, {"mask": y, "area": area}), loss=loss, epochs=2, metrics="accuracy")
    fit.report(tmp_path / "both.html")
    fit.save(tmp_path / "both.json")
    assert fit.measures.keys() == {"mask_accuracy"}
    found = fit.predict(x[:2])
    again = descend.load(tmp_path / "both.json", model=Both()).predict(x[:2])
    assert {name: part.shape for name, part in found.items()} == {"mask": (2, 6, 6), "area": (2,)}
    assert all(np.array_equal(again[name], part) for name, part in found.items())


class Tagger(nn.Module):
    """Scores for each word, as models of Hugging Face return them, and a loss of its own if it is given labels."""

    @dataclass
    class Output:
        loss: object
        logits: object

    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(30, 8), nn.Linear(8, 3)

    def forward(self, input_ids, attention_mask, labels=None):
        logits = self.head(self.words(input_ids) * attention_mask[..., None])
        loss = None if labels is None else nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return self.Output(loss, logits)


class Strict(Tagger):
    """One that must be given labels."""

    def forward(self, input_ids, attention_mask, labels):
        return super().forward(input_ids, attention_mask, labels).loss


def texts():
    random = np.random.default_rng(0)
    ids, labels = (torch.from_numpy(random.integers(0, high, (24, 5))) for high in (30, 3))
    mask = torch.ones(24, 5)
    return [{"input_ids": ids[row], "attention_mask": mask[row], "labels": labels[row]} for row in range(len(ids))]


def of_words(logits, y):
    return nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())


def test_a_loss_of_words_is_that_of_the_model():
    torch.manual_seed(0)
    net = Tagger()
    twin = copy.deepcopy(net)
    loader = torch.utils.data.DataLoader(texts(), 8)
    fit = descend.fit(net, loader, loss=of_words, optimizer="gd", learning_rate=0.1, epochs=2)
    optimizer, losses = torch.optim.SGD(twin.parameters(), lr=0.1), []
    for _ in range(2):
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            loss = twin(**batch).loss
            loss.backward()
            optimizer.step()
            total += loss.item() / 3
        losses.append(total)
    assert fit.trace.losses[1:] == pytest.approx(losses, rel=1e-6)


@pytest.mark.parametrize(
    "made, loss, message",
    [
        (
            Tagger,
            lambda output, y: output.loss,
            "The loss `<lambda>` cannot take an output of shape (24, 5, 3) (float32) and y of shape (24, 5) (int64): "
            "'Tensor' object has no attribute 'loss'. A module is not given the response, so that it computes no loss "
            "of its own, and of what it returns with `logits` these are taken: give a loss of them, such as "
            '"cross_entropy", or a function loss(logits, y).',
        ),
        (
            Tagger,
            "cross_entropy",
            "The module returned shape (24, 5, 3), and y holds classes of shape (24, 5). Under the cross_entropy loss "
            "the scores of the classes lie along the second axis, (24, K, 5). Move its last axis there: "
            "output.movedim(-1, 1).",
        ),
        (
            Strict,
            of_words,
            "`Strict` cannot take its inputs, by name and shape: input_ids (24, 5), attention_mask (24, 5): "
            "Strict.forward() missing 1 required positional argument: 'labels'. The response is none of them.",
        ),
    ],
)
def test_what_cannot_be_is_told(made, loss, message):
    with pytest.raises(ConfigError) as error:
        descend.fit(made(), torch.utils.data.DataLoader(texts(), 8), loss=loss, epochs=1)
    assert str(error.value) == message


class Numbers(torch.utils.data.IterableDataset):
    """Rows that come one after another."""

    def __iter__(self):
        for row in np.random.default_rng(0).normal(size=(96, 4)).astype(np.float32) * 30:
            yield torch.from_numpy(row), torch.tensor([row.sum()])


def test_streamed_rows_that_diverge_have_a_cause():
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(Numbers(), 16)
    fit = descend.fit(nn.Linear(4, 1), loader, optimizer="gd", learning_rate=0.01, epochs=6)
    assert (str(fit.outcome), fit.diagnosis.cause) == ("diverged", "rate_too_large")
    limit = fit.diagnosis.evidence["largest_stable_rate"]
    assert f"the learning rate 0.01 is too large. The largest stable rate at the start is {limit:.3g}" in fit.advice
    assert limit == pytest.approx(2 / fit.diagnosis.evidence["largest_curvature"])


def test_several_outputs_that_diverge_have_a_cause():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = nn.Linear(4, 1), nn.Linear(4, 1)

        def forward(self, x):
            return {"one": self.one(x), "other": self.other(x)}

    x = 30 * torch.from_numpy(np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    fit = descend.fit(
        Both(),
        (x, {"one": x.sum(1), "other": x[:, 0]}),
        loss={"one": "mse", "other": "mse"},
        optimizer="gd",
        learning_rate=1.0,
        epochs=30,
    )
    assert (str(fit.outcome), fit.diagnosis.cause) == ("diverged", "rate_too_large")
