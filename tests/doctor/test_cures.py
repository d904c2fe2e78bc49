"""The cure that a finding proposes is tried: with it the script trains, and nothing is found any more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from descend.doctor import Finding, examine

HEAD = """import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 5)
"""
LOOP = """opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    loss = LOSS
    loss.backward()
    opt.step()
"""
SCRIPTS = {
    "labels from 1": (
        "class_out_of_range",
        "y = x[:, :3].argmax(1) + 1\nnet = nn.Linear(5, 3)\n" + LOOP.replace("LOSS", "F.cross_entropy(net(x), y)"),
    ),
    "float labels": (
        "target_dtype",
        "y = x[:, :3].argmax(1).float()\nnet = nn.Linear(5, 3)\n" + LOOP.replace("LOSS", "F.cross_entropy(net(x), y)"),
    ),
    "one-hot integers": (
        "one_hot_integers",
        "y = F.one_hot(x[:, :3].argmax(1))\nnet = nn.Linear(5, 3)\n"
        + LOOP.replace("LOSS", "F.cross_entropy(net(x), y)"),
    ),
    "labels in a column": (
        "target_shape",
        "y = x[:, :3].argmax(1, keepdim=True)\nnet = nn.Linear(5, 3)\n"
        + LOOP.replace("LOSS", "F.cross_entropy(net(x), y)"),
    ),
    "probabilities expected": (
        "logits_not_probabilities",
        "y = (x[:, :1] > 0).float()\nnet = nn.Linear(5, 1)\ncriterion = nn.BCELoss()\n"
        + LOOP.replace("LOSS", "criterion(net(x), y)"),
    ),
    "integer targets": (
        "target_dtype",
        "y = (x[:, :1] > 0).long()\nnet = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid())\ncriterion = nn.BCELoss()\n"
        + LOOP.replace("LOSS", "criterion(net(x), y)"),
    ),
    "double inputs": (
        "input_dtype",
        "y = x[:, :1].sin()\nx = x.double()\nnet = nn.Linear(5, 1)\n" + LOOP.replace("LOSS", "F.mse_loss(net(x), y)"),
    ),
    "indices from 1": (
        "index_out_of_range",
        "t = torch.arange(60) % 10 + 1\ny = x[:, :1]\nnet = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 1))\n"
        + LOOP.replace("LOSS", "F.mse_loss(net(t), y)"),
    ),
    "changed in place": (
        "changed_in_place",
        "y = x[:, :1].sin()\nnet = nn.Linear(5, 1)\n"
        + LOOP.replace("    loss = LOSS", "    h = torch.tanh(net(x))\n    h *= 2\n    loss = F.mse_loss(h, y)"),
    ),
    "labels from 1 that pick": (
        "class_out_of_range",
        "y = x[:, :3].argmax(1) + 1\nnet = nn.Linear(5, 3)\n"
        + LOOP.replace("LOSS", "-F.log_softmax(net(x), 1)[torch.arange(60), y].mean()"),
    ),
    "double inputs of a product": (
        "input_dtype",
        "y = x[:, :1].sin()\nx = x.double()\nw = torch.zeros(5, 1, requires_grad=True)\n"
        + LOOP.replace("net.parameters()", "[w]").replace("LOSS", "(x @ w - y).square().mean()"),
    ),
    "raw scores picked": (
        "nll_without_log_softmax",
        "labels = x[:, :3].argmax(1)\nnet = nn.Linear(5, 3)\n"
        + LOOP.replace("    loss = LOSS", "    scores = net(x)\n    loss = -scores[range(60), labels].mean()"),
    ),
    "similarity minimised": (
        "loss_maximised",
        "y = x[:, :2].sin()\nnet = nn.Linear(5, 2)\n"
        + LOOP.replace(
            "    loss = LOSS", "    similarity = F.cosine_similarity(net(x), y)\n    loss = similarity.mean()"
        ),
    ),
    "frozen as drawn": (
        "frozen_forgotten",
        "y = x[:, :1].sin()\nmodel = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))\n"
        "model[0].requires_grad_(False)\n" + LOOP.replace("net", "model").replace("LOSS", "F.mse_loss(model(x), y)"),
    ),
    "rates for factors": (
        "scheduler_factor",
        "y = x[:, :3].argmax(1)\nnet = nn.Linear(5, 3)\n"
        + LOOP.replace(
            "for _",
            "scheduler = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 0.01 * 0.95**epoch)\nfor _",
        ).replace("LOSS", "F.cross_entropy(net(x), y)")
        + "    scheduler.step()\n",
    ),
    "thawed by an attribute": (
        "attribute_without_effect",
        "y = x[:, :3].argmax(1)\nnet = nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 3))\n"
        "net[0].requires_grad_(False)\nnet[0].requires_grad = True\n"
        + LOOP.replace("LOSS", "F.cross_entropy(net(x), y)"),
    ),
    "no brackets": (
        "call_without_brackets",
        "y = x[:, :3].argmax(1)\nnet = nn.Linear(5, 3)\n"
        + LOOP.replace("LOSS", "F.cross_entropy(net(x), y)").replace("zero_grad()", "zero_grad"),
    ),
    "divergence with the wrong sign": (
        "loss_without_bound",
        "net = nn.Linear(5, 4)\nback = nn.Linear(2, 5)\n"
        + LOOP.replace("net.parameters()", "[*net.parameters(), *back.parameters()]")
        .replace("0.01", "0.1")
        .replace(
            "    loss = LOSS\n",
            "    mu, logvar = net(x).chunk(2, dim=1)\n"
            "    kl = 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()\n"
            "    error = (back(mu + torch.randn_like(mu) * (0.5 * logvar).exp()) - x).square().sum()\n"
            "    loss = error + kl\n",
        ),
    ),
    "without the head": (
        "wrong_parameters",
        "y = x[:, :2].argmax(1)\nnet = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))\n"
        + LOOP.replace("net.p", "net[0].p").replace("LOSS", "F.cross_entropy(net(x), y)"),
    ),
}


def cured(text: str, finding: Finding) -> str:
    """Return a script with the first line of a fix put in: in the place of what it replaces, or after it."""
    lines = text.splitlines()
    fix = re.split(r"\s{2,}#", finding.fix.splitlines()[0])[0]
    assert finding.place is not None
    at = finding.place.line - 1
    if lines[at].strip() == fix.removesuffix("()"):
        lines[at] += "()"
        return "\n".join(lines) + "\n"
    assigned = re.match(r"(\w+) = (.*)", fix)
    if assigned is None:
        loop = next(number for number, line in enumerate(lines) if line.startswith("for"))
        return "\n".join([*lines[:loop], fix, *lines[loop:]]) + "\n"
    name, value = assigned.groups()
    if re.match(rf"\s*{name} [-+*/]= ", lines[at]):
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        lines[at] = indent + fix
        return "\n".join(lines) + "\n"
    made = max(number for number, line in enumerate(lines) if line.lstrip().startswith(f"{name} = "))
    indent = lines[made][: len(lines[made]) - len(lines[made].lstrip())]
    changed = [lines[made], indent + fix] if re.search(rf"\b{name}\b", value) else [indent + fix]
    return "\n".join([*lines[:made], *changed, *lines[made + 1 :]]) + "\n"


@pytest.mark.parametrize("case", SCRIPTS)
def test_the_cure_works(case: str, tmp_path: Path) -> None:
    name, text = SCRIPTS[case]
    script = tmp_path / "train.py"
    script.write_text(HEAD + text)
    (finding,) = examine(script).findings
    assert finding.name == name
    script = tmp_path / "cured.py"
    script.write_text(cured(HEAD + text, finding))
    report = examine(script)
    assert (report.findings, report.outcome) == ((), "finished"), script.read_text()
    assert report.watched["last_loss"] < report.watched["first_loss"]
