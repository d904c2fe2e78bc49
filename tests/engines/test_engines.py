"""What is particular to one engine: its code, its device, its missing library."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from descend.engines.compiled import compiled
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.errors import ConfigError
from descend.formula import read_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Rows

DATA = {"x": np.arange(1.0, 5.0), "z": np.ones(4), "y": np.zeros(4)}


def program(text, loss="squared"):
    return derived(read_formula(text, ("x", "z", "y")), LOSSES.build(loss))


def source(text, order, loss="squared", language="numpy"):
    return compiled(program(text, loss), language, False).functions[order].source


@pytest.mark.parametrize("language", ["numpy", "torch"])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_what_several_outputs_share_is_computed_once(order, language):
    assert source("y ~ a*exp(-b*x) + c", order, language=language).count("exp(") == 1


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_what_depends_on_data_alone_is_computed_beforehand(language):
    code = source("log(y + 1) ~ a*sin(x)*sqrt(z) + b*exp(x^2)", 2, language=language)
    assert not any(name in code for name in ("log", "sin", "sqrt", "exp"))


def test_what_depends_on_parameters_alone_is_a_number_computed_once():
    code = source("y ~ exp(a)*sigmoid(b)*x", 1)
    assert code.count("exp(p0)") == code.count("expit(p1)") == 1
    (line,) = (line for line in code.splitlines() if "np.exp(p0)" in line)
    assert "c1" not in line


def test_small_powers_are_products():
    assert "**" not in source("y ~ (a + x)^2 + (b + x)^3 + (c + x)^4", 1)


def test_overflow_is_inf_and_no_warning_where_warnings_are_off():
    with np.errstate(all="ignore"):
        totals = NumpyEngine(program("y ~ exp(a*x)"), Rows(DATA)).evaluate(np.array([1e4]), 1)
    assert totals.loss == np.inf
    assert not np.isfinite(totals.gradient).all()


def test_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError) as caught:
        TorchEngine(program("y ~ a*x"), Rows(DATA))
    assert str(caught.value) == (
        'PyTorch is not installed, and this needs it. Install it with: pip install "descend[torch]".'
    )


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta:x", ""])
def test_a_device_that_is_not_there(device):
    import torch

    with pytest.raises(ConfigError) as caught:
        TorchEngine(program("y ~ a*x"), Rows(DATA), device=device)
    start, _, rest = str(caught.value).partition(" (")
    assert start == f"PyTorch cannot compute in double precision on the device `{device}`"
    assert rest.endswith(f"). Devices here: cpu{', cuda' if torch.cuda.is_available() else ''}.")


def test_the_cpu_can_be_asked_for():
    totals = TorchEngine(program("y ~ a*x"), Rows(DATA), device="cpu").evaluate(np.array([2.0]), 1)
    assert totals.loss == 4 * 30
