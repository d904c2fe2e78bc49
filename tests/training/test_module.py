"""A PyTorch module as the model: rows from tables and tensors, how runs end, and what is left in the module."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from tests.training.linear_module import RANDOM, ROWS, TABLE, fit, linear

import descend
from descend import Outcome

# ---------------------------------------------------------------- rows


def test_a_table_by_columns():
    module = linear()
    found = fit(module)
    assert found.parameters["weight"] == pytest.approx(np.array([[2.0, -3.0]]))
    assert found.parameters["bias"] == pytest.approx([1.0])
    assert module.weight.detach().numpy() == pytest.approx(np.array([[2.0, -3.0]]))
    assert found.predict({"x2": [1.0, 0.0], "x1": [1.0, 1.0]}) == pytest.approx([0.0, 3.0], abs=1e-9)
    assert found.predict(np.array([[1.0, 1.0]])) == pytest.approx([0.0], abs=1e-9)
    assert found.standard_errors is None
    assert found.r_squared == pytest.approx(1.0)
    assert found.rows == ROWS
    assert found.column_types == {"y": "number", "x1": "number", "x2": "number"}
    assert str(found.model) == "y ~ Linear(x1, x2)"
    assert (found.engine, found.gradient, found.optimizer) == ("torch", "autograd", "gd")


def test_the_order_of_inputs_is_that_of_the_module():
    assert fit(inputs=["x2", "x1"]).parameters["weight"] == pytest.approx(np.array([[-3.0, 2.0]]))


def test_a_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n0,1\n1,3\n2,5\n3,7\n", encoding="utf-8")
    found = descend.fit(linear(1), path, response="y", optimizer="lbfgs", where="x < 3")
    assert found.rows == 3
    assert found.predict({"x": [10.0]}) == pytest.approx([21.0])


def test_inputs_not_named_are_all_columns_of_numbers():
    data = {name: TABLE[name] for name in ("x1", "site", "y", "x2")}
    found = fit(data=data, inputs=None)
    assert found.notes == ("inputs x1, x2: all columns of numbers but the response, in this order",)
    assert found.model.inputs == ("x1", "x2")


@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1)])
@pytest.mark.parametrize("kind", [torch.from_numpy, np.asarray])
def test_tensors(shape, kind):
    X = np.column_stack([TABLE["x1"], TABLE["x2"]])
    found = fit(data=(kind(X), kind(TABLE["y"].reshape(shape))))
    assert found.parameters["weight"] == pytest.approx(np.array([[2.0, -3.0]]))
    assert found.predict(kind(X[:3])) == pytest.approx(TABLE["y"][:3])
    assert str(found.model) == "y ~ Linear(X)"


def test_tensors_of_any_shape_are_passed_as_they_are():
    images = torch.rand(ROWS, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 4), torch.nn.Flatten())
    found = fit(module, (images, images.mean(dim=(1, 2, 3)) * 5), optimizer="lbfgs", learning_rate=None)
    assert found.parameters["0.weight"].shape == (1, 1, 4, 4)
    assert found.parameters["0.weight"].ravel() == pytest.approx(np.full(16, 5 / 16), abs=1e-3)
    assert found.predict(images[:2]).shape == (2,)


def test_whole_numbers_stay_whole():
    module = torch.nn.Sequential(torch.nn.Embedding(3, 1), torch.nn.Flatten()).double()
    words = torch.tensor([0, 1, 2, 1, 0])
    found = fit(module, (words, torch.tensor([1.0, 5.0, 9.0, 5.0, 1.0])), epochs=2000)
    assert found.predict(torch.tensor([2, 0])) == pytest.approx([9.0, 1.0])


def test_one_number_per_row_is_a_column():
    x = torch.linspace(0, 1, 20, dtype=torch.float64)
    found = fit(linear(1), (x[:, None], 3 * x), epochs=2000)
    assert found.model.inputs == ("X",)
    assert found.predict({"X": [2.0]}) == pytest.approx([6.0], abs=1e-3)


def test_rows_without_a_value_are_dropped_on_demand():
    x, y = torch.arange(6.0)[:, None], torch.arange(6.0) * 2
    x[1], y[4] = torch.nan, torch.inf
    assert fit(linear(1), (x, y), missing="drop", epochs=1).rows == 4


def test_row_weights_count_rows():
    data = {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 5.0], "w": [1.0, 2.0, 3.0]}
    repeated = {name: np.repeat(data[name], [1, 2, 3]) for name in "xy"}
    options = {"inputs": "x", "response": "y", "learning_rate": 0.05}
    weighted, plain = fit(linear(1), data, weights="w", **options), fit(linear(1), repeated, **options)
    assert weighted.trace.losses == pytest.approx(plain.trace.losses, rel=1e-12)
    assert weighted.r_squared == pytest.approx(plain.r_squared)


def test_more_parameters_than_rows():
    module = torch.nn.Sequential(torch.nn.Linear(1, 50), torch.nn.Tanh(), torch.nn.Linear(50, 1))
    found = descend.fit(module, {"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 0.0]}, response="y", epochs=300)
    assert found.loss < 1e-2
    assert found.optimizer == "adam"
    assert repr(found).startswith("Fit(y ~ Sequential(x): 151 parameters, loss=")
    assert found.trace[0].parameters == {} and set(found.parameters) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_logistic_predicts_probabilities():
    found = fit(response="p", loss="logistic", epochs=50)
    score = found.model.score(torch.tensor([[0.3, 0.1]], dtype=torch.float64)).item()
    assert found.predict({"x1": [0.3], "x2": [0.1]}) == pytest.approx([1 / (1 + np.exp(-score))])
    assert found.r_squared is None


def test_poisson_takes_the_mean_itself():
    module = torch.nn.Sequential(linear(), torch.nn.Softplus())
    found = fit(module, response="n", loss="poisson")
    assert found.predict(TABLE).mean() == pytest.approx(TABLE["n"].mean(), rel=0.05)


# ---------------------------------------------------------------- the module


def test_frozen_parameters_stay():
    module = linear()
    module.bias.requires_grad_(False)
    before = module.bias.item()
    fit(module)
    assert module.bias.item() == before
    assert module.weight.grad is None and module.bias.grad is None


def test_a_shared_parameter_is_one():
    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
            self.second = self.first

        def forward(self, x):
            return self.second(self.first(x))

    rows = np.array([[1.0], [2.0]]), np.array([9.0, 18.0])
    found = fit(Twice(), rows, learning_rate=0.01, epochs=500)
    assert found.parameters == {"first.weight": pytest.approx(np.array([[3.0]]))}


def test_a_lazy_module_takes_its_shape_from_the_rows():
    found = fit(torch.nn.LazyLinear(1).double())
    assert found.parameters["weight"] == pytest.approx(np.array([[2.0, -3.0]]))


@pytest.mark.parametrize("training", [True, False])
def test_modes_are_given_back(training):
    module = torch.nn.Sequential(linear(), torch.nn.Dropout(0.2))
    module.train(training)
    fit(module, epochs=3)
    assert [part.training for part in module.modules()] == [training] * 3
    fit(module, epochs=3).predict(TABLE)
    assert [part.training for part in module.modules()] == [training] * 3


def test_a_part_in_evaluation_mode_stays_in_it():
    normal = torch.nn.BatchNorm1d(2, dtype=torch.float64)
    normal.eval()
    fit(torch.nn.Sequential(normal, linear()), epochs=3)
    assert normal.num_batches_tracked.item() == 0 and not normal.training


def test_evaluating_leaves_no_trace_in_a_module_that_trains_otherwise():
    """Every epoch trains once: running means move as often, and random numbers are drawn as often."""
    normal = torch.nn.BatchNorm1d(2, dtype=torch.float64)
    found = fit(torch.nn.Sequential(normal, linear()), epochs=7)
    assert normal.num_batches_tracked.item() == 7
    again = found.solution.objective(found.theta)
    assert again.loss == pytest.approx(found.loss) and normal.num_batches_tracked.item() == 7


def test_the_loss_of_a_step_is_that_of_its_predictions():
    module = torch.nn.Sequential(linear(), torch.nn.Dropout(0.5))
    torch.manual_seed(0)
    found = fit(module, epochs=5)
    assert found.loss == pytest.approx(np.mean((found.predict(TABLE) - TABLE["y"]) ** 2))


def test_one_pass_per_epoch_where_both_modes_are_the_same():
    calls = []

    class Counted(torch.nn.Linear):
        def forward(self, x):
            calls.append(len(x))
            return super().forward(x)

    passes = []
    fit(Counted(2, 1, dtype=torch.float64), epochs=10, on_step=lambda step: passes.append(len(calls)))
    # Twice a look at both modes, then one pass for each of the steps 0 to 10.
    assert passes[-1] == 2 + 11


def test_compare_starts_each_optimizer_from_the_same_weights():
    module = linear()
    before = module.weight.detach().clone()
    compared = descend.compare(module, TABLE, ["gd", "adam"], inputs=["x1", "x2"], response="y", epochs=5)
    first, second = compared.fits.values()
    assert torch.equal(module.weight, before)
    assert first.trace[0].loss == second.trace[0].loss
    assert first.loss != second.loss


def test_a_step_of_a_small_module_names_its_parameters():
    found = fit(linear(1), inputs="x1", epochs=2)
    step = found.trace[1]
    assert set(step.parameters) == {"weight", "bias"} and step.parameters["weight"].shape == (1, 1)
    assert f"weight={step.theta.values[0]:.6g}  bias={step.theta.values[1]:.6g}" in str(step)
    assert "weight[0,0]=" in str(fit(epochs=1).trace[0])


def test_plot():
    import matplotlib.pyplot as pyplot

    for found in (fit(epochs=3), fit(data=(np.column_stack([TABLE["x1"], TABLE["x2"]]), TABLE["y"]), epochs=3)):
        pyplot.close(found.plot())


# ---------------------------------------------------------------- how runs end


def test_diverged_keeps_the_last_finite_weights():
    module = linear()
    found = fit(module, learning_rate=1e6, epochs=1000)
    assert found.outcome is Outcome.DIVERGED and not found.succeeded
    assert np.isfinite(found.loss) and all(np.isfinite(value).all() for value in found.parameters.values())
    assert np.mean((found.predict(TABLE) - TABLE["y"]) ** 2) == pytest.approx(found.loss)
    assert module.weight.detach().numpy() == pytest.approx(found.parameters["weight"])


def test_diverged_within_an_epoch_goes_back_to_its_beginning():
    module = linear(dtype=torch.float32)
    found = fit(module, learning_rate=1e20, epochs=1000, batch_size=5)
    assert found.outcome is Outcome.DIVERGED
    assert found.loss == found.trace[0].loss
    assert torch.equal(module.weight, linear(dtype=torch.float32).weight)


def test_interrupted():
    module = linear()
    found = fit(module, on_step=lambda step: step.epoch == 3 and os.kill(os.getpid(), signal.SIGINT))
    assert found.outcome is Outcome.INTERRUPTED
    assert found.epochs == 4
    assert found.parameters["weight"] == pytest.approx(module.weight.detach().numpy())


def test_an_error_on_the_way_leaves_a_module_that_works():
    module = torch.nn.Sequential(linear(), torch.nn.Dropout(0.2)).eval()

    def fail(step):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(module, on_step=fail)
    assert not module.training and module[0].weight.grad is None


def test_ends_with_epochs_time_or_convergence():
    assert fit(learning_rate=1e-3, epochs=5).outcome is Outcome.EPOCHS_USED_UP
    assert fit(learning_rate=1e-3, epochs=None, time_limit=1e-9).outcome is Outcome.TIME_USED_UP
    assert fit(epochs=None).outcome is Outcome.CONVERGED
    assert fit(epochs=None, optimizer="lbfgs", learning_rate=None).epochs < 20


@pytest.mark.parametrize("optimizer", ["gd", "adam", "lbfgs"])
def test_single_precision_converges_too(optimizer):
    noise = {**TABLE, "y": TABLE["y"] + RANDOM.normal(size=ROWS)}
    found = fit(linear(dtype=torch.float32), noise, optimizer=optimizer, learning_rate=None, epochs=None)
    exact = fit(linear(), noise, optimizer="lbfgs", learning_rate=None, epochs=None)
    assert found.outcome is Outcome.CONVERGED
    assert found.parameters["weight"] == pytest.approx(exact.parameters["weight"], abs=1e-3)


# ---------------------------------------------------------------- optimizers and learning rates


def test_gd_takes_the_inverse_of_the_largest_curvature():
    found = fit(learning_rate=None)
    X = np.column_stack([TABLE["x1"], TABLE["x2"], np.ones(ROWS)])
    largest = np.linalg.eigvalsh(2 * X.T @ X / ROWS)[-1]
    assert found.learning_rate == pytest.approx(1 / largest, rel=1e-2)
    assert found.notes[0] == (
        f"learning rate {found.learning_rate:.4g}, chosen as 1 / (largest curvature at the start), "
        "or less if such a step raises the loss"
    )


def test_a_straight_loss_has_no_curvature_to_choose_by():
    found = fit(learning_rate=None, loss="absolute")
    assert found.loss < found.trace[0].loss


def test_adam_is_chosen_and_says_so():
    found = fit(optimizer=None, learning_rate=None, epochs=3)
    assert found.notes == (
        "learning rate 0.01, chosen as what is usual for adam, or less if such a step raises the loss",
        "optimizer adam, chosen because it suits most modules",
    )
    assert fit(optimizer="adam", learning_rate="auto", epochs=1, batch_size=10).learning_rate == pytest.approx(0.001)


def test_a_class_brings_its_default_learning_rate():
    found = fit(optimizer=torch.optim.NAdam, learning_rate=None, epochs=3)
    assert (found.optimizer, found.learning_rate) == ("NAdam", 0.002)
    assert found.notes == ("learning rate 0.002, chosen as the default of NAdam",)


def test_a_function_or_an_optimizer_may_have_groups_of_its_own():
    module = linear()
    groups = [{"params": [module.weight], "lr": 0.1}, {"params": [module.bias], "lr": 0.01}]
    twin = linear()
    theirs = torch.optim.SGD([{"params": [twin.weight], "lr": 0.1}, {"params": [twin.bias], "lr": 0.01}])
    schedule = torch.optim.lr_scheduler.ExponentialLR(theirs, 0.9)
    X, y = (torch.from_numpy(part) for part in (np.column_stack([TABLE["x1"], TABLE["x2"]]), TABLE["y"]))
    for _ in range(10):
        theirs.zero_grad()
        torch.nn.functional.mse_loss(twin(X)[:, 0], y).backward()
        theirs.step()
        schedule.step()
    fit(module, optimizer=torch.optim.SGD(groups), learning_rate=None, schedule="exponential(decay=0.9)", epochs=10)
    torch.testing.assert_close(module.weight, twin.weight)
    torch.testing.assert_close(module.bias, twin.bias)
    made = fit(optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.05), learning_rate=None, epochs=2)
    assert made.learning_rate == 0.05


def test_the_order_of_batches_hangs_on_the_seed():
    one, same, other = (fit(batch_size=7, epochs=3, seed=seed).loss for seed in (1, 1, 2))
    assert one == same != other
