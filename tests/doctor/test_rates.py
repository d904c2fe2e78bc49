"""The curvature and the limit on the rate, against closed forms and against runs on either side of the limit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from descend.doctor import examine
from descend.doctor.checks.rates import scaled_curvature


@pytest.mark.parametrize("seed", range(5))
def test_curvature_of_a_quadratic(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    root = torch.randn(6, 6, generator=random, dtype=torch.float64)
    hessian = root @ root.T
    a = torch.randn(2, generator=random, dtype=torch.float64).requires_grad_()
    b = torch.randn(4, generator=random, dtype=torch.float64).requires_grad_()
    w = torch.cat([a, b])
    rates = torch.tensor([0.1] * 2 + [0.3] * 4, dtype=torch.float64)
    found = scaled_curvature(0.5 * w @ hessian @ w, [a, b], [0.1, 0.3])
    expected = torch.linalg.eigvalsh(rates.sqrt().diag() @ hessian @ rates.sqrt().diag()).max()
    assert found == pytest.approx(float(expected), rel=0.02)


def test_the_largest_curvature_is_found_behind_a_larger_negative_one() -> None:
    w = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64, requires_grad=True)
    loss = 0.5 * (w**2 * torch.tensor([-9.0, 2.0, 0.5], dtype=torch.float64)).sum()
    assert scaled_curvature(loss, [w], [1.0]) == pytest.approx(2.0, rel=0.02)


def test_no_curvature() -> None:
    w = torch.ones(2, requires_grad=True)
    assert scaled_curvature(w.sum(), [w], [1.0]) is None
    loss = (w**2).sum()
    loss.backward()  # the graph is gone
    assert scaled_curvature(loss, [w], [1.0]) is None


SCRIPT = """
import torch
w = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.SGD([w], {settings})
for _ in range(60):
    optimizer.zero_grad()
    loss = 0.5 * (w**2 * torch.tensor([4.0, 1.0])).sum()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("limit", "settings"),
    [
        pytest.param(2 / 4, "", id="plain"),
        pytest.param(2 / 5, "weight_decay=1.0", id="decay"),
        pytest.param(2 * 1.5 / 4, "momentum=0.5", id="momentum"),
        pytest.param(2 * 1.5 / 2 / 4, "momentum=0.5, nesterov=True", id="nesterov"),
    ],
)
def test_both_sides_of_the_limit(limit: float, settings: str, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(settings=f"lr={0.95 * limit}, {settings}"))
    assert examine(script).findings == ()
    script.write_text(SCRIPT.format(settings=f"lr={1.1 * limit}, {settings}"))
    (finding,) = examine(script).findings
    assert finding.name == "rate_too_large"
    assert finding.evidence["largest_stable_rate"] == pytest.approx(limit, rel=0.01)
    assert finding.evidence["times_the_limit"] == pytest.approx(1.1, rel=0.01)


def test_a_script_with_hooks_is_not_measured(tmp_path: Path) -> None:
    # A hook that counts gradients would count those of the measurement as well.
    script = tmp_path / "train.py"
    script.write_text(
        SCRIPT.format(settings="lr=0.1").replace(
            "optimizer =", "calls = []\nw.register_hook(calls.append)\noptimizer ="
        )
        + "assert len(calls) == 60, len(calls)\n"
    )
    assert examine(script).healthy


TWO = """
import torch
torch.manual_seed(0)
X = torch.randn(100, 3) * 2
y = X @ torch.tensor([1.0, 2.0, 3.0])
encoder, head = torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)
slow = torch.optim.SGD(encoder.parameters(), lr=0.001)
fast = torch.optim.SGD(head.parameters(), lr={rate})
for _ in range(40):
    slow.zero_grad()
    fast.zero_grad()
    loss = ((head(encoder(X))[:, 0] - y) ** 2).mean()
    loss.backward()
    slow.step()
    fast.step()
"""


@pytest.mark.parametrize(("rate", "names"), [(0.01, []), (1.5, ["rate_too_large"])])
def test_of_two_optimizers_the_one_beyond_its_limit_is_named(tmp_path: Path, rate: float, names: list[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text(TWO.format(rate=rate))
    findings = examine(script).findings
    assert [one.name for one in findings] == names
    assert all(one.evidence["learning_rate"] == rate and "fast = torch.optim.SGD" in one.fix for one in findings)


RIVALS = """
import torch
torch.manual_seed(0)
maker = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
critic = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.LeakyReLU(0.2), torch.nn.Linear(16, 1))
first, second = ({optimizer} for part in (maker, critic))
cost = torch.nn.BCEWithLogitsLoss()
for _ in range(60):
    real, made = torch.randn(64, 1) * 0.5 + 2.0, maker(torch.randn(64, 2))
    second.zero_grad()
    (cost(critic(real), torch.ones(64, 1)) + cost(critic(made.detach()), torch.zeros(64, 1))).backward()
    second.step()
    first.zero_grad()
    cost(critic(made), torch.ones(64, 1)).backward()
    first.step()
"""


@pytest.mark.parametrize(
    "optimizer",
    ["torch.optim.Adam(part.parameters(), lr=1e-3)", "torch.optim.SGD(part.parameters(), lr=0.05, momentum=0.5)"],
)
def test_rivals_are_accused_of_nothing(tmp_path: Path, optimizer: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(RIVALS.format(optimizer=optimizer))
    assert examine(script).findings == ()
