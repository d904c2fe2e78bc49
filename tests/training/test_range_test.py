"""The learning-rate range test of modules: the steps of a plain loop, and nothing changed afterwards."""

from __future__ import annotations

import numpy as np
import pytest

import descend

torch = pytest.importorskip("torch")


def made():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 16), torch.nn.BatchNorm1d(16), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 1)
    )


def data(rows=64):
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3)).astype(np.float32)
    return x, (x[:, 0] ** 2 + x[:, 1]).astype(np.float32)


def test_the_losses_are_those_of_a_plain_loop():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    x, y = map(torch.from_numpy, data())
    test = descend.range_test(net, (x, y), optimizer="gd")
    names, sizes = zip(*((name, each.shape) for name, each in net.named_parameters()), strict=True)

    def mean_loss(flat):
        parts = flat.split([size.numel() for size in sizes])
        weights = {name: part.reshape(size) for name, part, size in zip(names, parts, sizes, strict=True)}
        return torch.nn.functional.mse_loss(torch.func.functional_call(net, weights, (x,))[:, 0], y)

    start = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
    matrix = torch.autograd.functional.hessian(mean_loss, start)
    assert test.curvature == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=1e-3)
    assert test.limit == pytest.approx(2 / test.curvature)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    for rate, loss in zip(test.rates, test.losses, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(x)[:, 0], y).backward()
        optimizer.step()
        assert float(torch.nn.functional.mse_loss(net(x)[:, 0], y).detach()) == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("kind", ["rows", "loader", "stream"])
def test_module_optimizer_and_random_numbers_are_left_as_they_were(kind):
    x, y = map(torch.from_numpy, data())

    def rows():
        generator = torch.Generator().manual_seed(3)
        dataset = torch.utils.data.TensorDataset(x, y)
        pairs = dataset if kind == "loader" else list(zip(x, y, strict=True))
        return (x, y) if kind == "rows" else torch.utils.data.DataLoader(pairs, 16, True, generator=generator)

    def trained(tested: bool):
        net, given = made(), rows()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        options = {} if kind != "rows" else {"batch_size": 16}
        torch.manual_seed(1)
        if tested:
            before = {name: value.clone() for name, value in net.state_dict().items()}
            test = descend.range_test(net, given, optimizer=optimizer, **options)
            assert test.batch_size == 16
            assert test.limit == pytest.approx(3.8 / test.curvature)
            assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
            assert optimizer.param_groups[0]["lr"] == 0.05
            assert not optimizer.state
        return descend.fit(net, given, optimizer=optimizer, epochs=3, **options).trace.losses

    assert list(trained(True)) == list(trained(False))


def test_clipping_and_accumulation_are_part_of_the_steps():
    plain, cut = (
        descend.range_test(made(), data(), optimizer="gd", batch_size=8, **more) for more in ({}, {"clip": 1e-3})
    )
    assert plain.diverged is not None
    assert cut.diverged is None
    assert descend.range_test(made(), data(), batch_size=8, accumulate=4).batch_size == 8


def test_overflow_ends_it():
    test = descend.range_test(made(), data(), optimizer="gd", low=1e3, high=1e30)
    assert test.diverged is not None
    assert (test.steepest, test.lowest) == (None, None)
    assert test.plot().axes


def test_the_loss_of_a_step_is_told_to_callbacks():
    seen = []

    class Seen:
        def on_step(self, run):
            seen.append(run.step_loss)

    fit = descend.fit(made(), data(), optimizer="gd", learning_rate=0.01, batch_size=16, epochs=2, callbacks=Seen())
    assert len(seen) == 8
    assert np.mean(seen[:4]) == pytest.approx(fit.trace.losses[1], rel=1e-6)
