"""A fit is copied and pickled, so that it crosses processes and caches; all that it answers it still answers."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import descend


def line_through_zero(x, w):
    return w * x


def cases(tmp_path):
    x = np.linspace(0, 5, 50)
    y = 3 * np.exp(-x) + 0.1 * np.random.default_rng(0).normal(size=50)
    data = {"x": x, "y": y, "z": (x + np.sin(9 * x) > 2.5) * 1.0}
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
    decay = "y ~ a*exp(-b*x)"
    yield descend.fit(decay, data)
    yield descend.fit("y ~ w @ [x, x^2] + c", data)
    yield descend.fit("z ~ sigmoid(a*x + b)", data, loss="logistic")
    yield descend.fit(decay + " + c", data, bounds=["c > 0"], fix={"b": 1.0})
    yield descend.fit(decay, path, on_step=lambda step: None)
    yield descend.fit(decay, path, engine="query")
    yield descend.fit("y ~ a*x + b", data, optimizer="gd", learning_rate=10.0, epochs=200)
    yield descend.fit(line_through_zero, data, response="y", gradient="autograd", start={"w": 0.0})


def test_copies_answer_as_the_fit_does(tmp_path):
    pytest.importorskip("torch")
    for fit in cases(tmp_path):
        for again in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
            assert str(again.summary()) == str(fit.summary())
            np.testing.assert_array_equal(again.predict({"x": [1.0, 2.0]}), fit.predict({"x": [1.0, 2.0]}))
            assert [step.loss for step in again.trace] == [step.loss for step in fit.trace]
            if fit.succeeded and again.solution is not None:
                assert str(again.intervals(method="profile")) == str(fit.intervals(method="profile"))
                np.testing.assert_array_equal(again.residuals, fit.residuals)
                again.plot()
            again.save(tmp_path / "again.json")


def test_of_rows_that_lie_elsewhere_a_copy_has_no_more_than_a_model_file(tmp_path):
    *_, elsewhere, _, _ = cases(tmp_path)
    assert elsewhere.engine == "query"
    again = pickle.loads(pickle.dumps(elsewhere))
    assert again.standard_errors == elsewhere.standard_errors
    with pytest.raises(descend.ConfigError, match="without its data"):
        again.plot()


def test_a_module_and_its_fit_are_copied_together():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.linspace(0, 1, 20)[:, None]
    fit = descend.fit(torch.nn.Linear(1, 1), (x, 2 * x[:, 0]), epochs=3)
    again = pickle.loads(pickle.dumps(fit))
    torch.testing.assert_close(torch.as_tensor(again.predict(x)), torch.as_tensor(fit.predict(x)))


def test_a_function_that_fits_is_sent_to_other_processes():
    cloudpickle = pytest.importorskip("cloudpickle")
    script = {"descend": descend}
    exec("def work(data): return descend.fit('y ~ a*x', data).parameters", script)
    sent = pickle.loads(cloudpickle.dumps(script["work"]))
    assert sent({"x": [1.0, 2.0], "y": [2.0, 4.0]})["a"] == pytest.approx(2.0)
