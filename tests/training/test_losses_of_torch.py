"""Every loss of torch.nn, by name, as PyTorch itself computes it; or a sentence that says why not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import descend
from descend import ConfigError

nn = torch.nn
X = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
Y = X[:, 0] - X[:, 1]
KIND = (X[:, 1] > 0).long() + (X[:, 2] > 0.3).long()
SHARES = torch.softmax(X, 1)


class Net(nn.Module):
    """A linear layer and what is done to what it returns."""

    def __init__(self, outputs: int, after=None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.after = nn.Linear(3, outputs), after or (lambda scores: scores)

    def forward(self, x):
        return self.after(self.layer(x))


def two(scores):
    return scores[:, :3], scores[:, 3:]


SIGN = torch.sign(Y)
MULTI = (X > 0).float()
CASES = {
    "L1Loss": (1, None, Y),
    "MSELoss": (1, None, Y),
    "SmoothL1Loss": (1, None, Y),
    "HuberLoss": (1, None, Y),
    "NLLLoss": (3, nn.LogSoftmax(1), KIND),
    "CrossEntropyLoss": (3, None, KIND),
    "MultiMarginLoss": (3, None, KIND),
    "KLDivLoss": (3, nn.LogSoftmax(1), SHARES),
    "PoissonNLLLoss": (1, None, Y.abs().round()),
    "GaussianNLLLoss": (2, lambda scores: (scores[:, 0], torch.exp(scores[:, 1])), Y),
    "BCELoss": (1, torch.sigmoid, (Y > 0).float()),
    "BCEWithLogitsLoss": (1, None, (Y > 0).float()),
    "SoftMarginLoss": (1, None, SIGN),
    "HingeEmbeddingLoss": (1, None, SIGN),
    "MultiLabelMarginLoss": (3, None, torch.tensor([[0, 2, -1]] * 30)),
    "MultiLabelSoftMarginLoss": (3, None, MULTI),
    "CosineEmbeddingLoss": (6, two, SIGN),
    "MarginRankingLoss": (2, lambda scores: (scores[:, 0], scores[:, 1]), SIGN),
}


MORE = {"KLDivLoss": {"reduction": "batchmean"}}


def expected(name: str, criterion, module, y) -> float:
    output = module(X)
    if name in ("GaussianNLLLoss",):
        return criterion(output[0], y, output[1]).item()
    if isinstance(output, tuple):
        return criterion(*output, y).item()
    return criterion(output[:, 0] if output.shape[1] == 1 and y.ndim == 1 else output, y).item()


@pytest.mark.parametrize("name", [each for each in nn.modules.loss.__all__ if each in CASES])
def test_the_loss_is_that_of_pytorch(name):
    outputs, after, y = CASES[name]
    criterion = getattr(nn, name)(**MORE.get(name, {}))
    found = descend.fit(Net(outputs, after), (X, y), loss=criterion, optimizer="gd", learning_rate=0.02, epochs=5)
    assert found.trace.losses[0] == pytest.approx(expected(name, criterion, Net(outputs, after), y), rel=1e-5)
    assert found.trace.losses[-1] < found.trace.losses[0]
    batched = descend.fit(Net(outputs, after), (X, y), loss=criterion, learning_rate=0.02, epochs=2, batch_size=8)
    assert np.isfinite(batched.trace.losses).all()


WHY_NOT = {
    "TripletMarginLoss": "TripletMarginLoss compares three outputs and has no response. Give a function, "
    "loss=lambda output, y: criterion(*output), and any y, such as zeros.",
    "TripletMarginWithDistanceLoss": "TripletMarginWithDistanceLoss compares three outputs and has no response. Give a "
    "function, loss=lambda output, y: criterion(*output), and any y, such as zeros.",
    "CTCLoss": "CTCLoss needs the lengths of inputs and responses, too. Give a function of both: loss=lambda output, "
    "y: criterion(output, *y), with y a tuple (targets, input_lengths, target_lengths).",
}


@pytest.mark.parametrize("name", list(WHY_NOT))
def test_others_say_why_not(name):
    with pytest.raises(ConfigError) as refusal:
        descend.fit(Net(1), (X, Y), loss=getattr(nn, name)())
    assert str(refusal.value) == WHY_NOT[name]


def test_every_loss_of_pytorch_is_here():
    assert set(nn.modules.loss.__all__) - {"NLLLoss2d", "LinearCrossEntropyLoss"} <= {*CASES, *WHY_NOT}


def test_what_the_messages_propose_works():
    criterion = nn.TripletMarginLoss()
    found = descend.fit(
        Net(9, lambda scores: (scores[:, :3], scores[:, 3:6], scores[:, 6:])),
        (X, torch.zeros(30)),
        loss=lambda output, y: criterion(*output),
        epochs=20,
        learning_rate=0.01,
    )
    assert found.loss < found.trace.losses[0]


def test_a_gaussian_has_its_mean_and_variance():
    outputs, after, _ = CASES["GaussianNLLLoss"]
    noise = torch.randn(30, generator=torch.Generator().manual_seed(1))
    found = descend.fit(
        Net(outputs, after), (X, Y + 0.2 * noise), loss=nn.GaussianNLLLoss(), epochs=400, learning_rate=0.05
    )
    predicted = found.predict(X)
    assert np.abs(predicted["0"] - Y.numpy()).max() < 0.5
    assert np.sqrt(predicted["1"].mean()) == pytest.approx(0.2, abs=0.08)


def test_log_likelihood_of_words_and_of_raw_scores(tmp_path):
    words = np.array(["ash", "beech", "cedar"])[KIND.numpy()]
    found = descend.fit(
        Net(3, nn.LogSoftmax(1)), (X, words), loss=nn.NLLLoss(), epochs=200, learning_rate=0.1, metrics="accuracy"
    )
    assert np.mean(found.predict(X) == words) == found.measures["accuracy"] > 0.7
    with pytest.raises(ConfigError) as refusal:
        descend.fit(Net(3), (X, KIND), loss=nn.NLLLoss())
    message = str(refusal.value)
    assert message.startswith("Under the nll loss, `Net` must return logarithms of probabilities, which add up to 1; ")
    assert message.endswith('End it with torch.nn.LogSoftmax(dim=1), or give scores and loss="cross_entropy".')
    found.save(tmp_path / "net.json")
    loaded = descend.load(tmp_path / "net.json", model=Net(3, nn.LogSoftmax(1)))
    assert loaded.predict(X).tolist() == found.predict(X).tolist()


def test_probabilities_of_two_classes():
    y = (Y > 0).float()
    found = descend.fit(Net(1, torch.sigmoid), (X, y), loss=nn.BCELoss(), epochs=200, metrics=["accuracy", "auc"])
    assert ((found.predict(X) > 0.5) == y.numpy()).mean() == pytest.approx(found.measures["accuracy"])


def test_gaussians_need_two_outputs():
    with pytest.raises(ConfigError) as refusal:
        descend.fit(Net(1), (X, Y), loss=nn.GaussianNLLLoss())
    assert str(refusal.value) == (
        "The loss `GaussianNLLLoss` takes 2 outputs, the mean and the variance, and the module returned shape (30,). "
        "Let it return a tuple of 2 tensors."
    )
