"""Every function, exported to Python and PyTorch, predicts what the fit does."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from tests.formula.expressions import call_of

import descend
from descend.errors import ConfigError
from descend.formula.functions import FUNCTIONS

X = np.linspace(0.15, 0.85, 12)
OWN = [name for name, entry in FUNCTIONS.items() if entry.nodes is not None]


@pytest.mark.parametrize("name", OWN)
def test_the_code_predicts_what_the_fit_does(name):
    formula = f"y ~ a*(1 + {call_of(name, 'x', '0.7', '0.4')}) + b*x"
    fit = descend.fit(formula, {"x": X, "y": X}, optimizer="gd", learning_rate=1e-6, epochs=1, start={"a": 0.3, "b": 2})
    expected = fit.predict({"x": X})
    space: dict[str, object] = {}
    exec(fit.export("python"), space)
    found = space["predict"](X)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    if FUNCTIONS[name].torch is None:
        with pytest.raises(ConfigError) as caught:
            fit.export("torch")
        advice = "is not available in PyTorch. Export the model to python, or predict with descend."
        assert str(caught.value) == f"`{name}` {advice}"
        return
    exec(fit.export("torch"), space)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(space["Model"]()(torch.from_numpy(X)).numpy(), expected, rtol=1e-12)
