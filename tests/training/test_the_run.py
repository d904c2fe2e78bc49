"""Schedulers of PyTorch, cutting by value, averages of weights, bfloat16, compiled modules, and seeds."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from tests.training.waves import ROWS, SIZE, STEPS, X, Y, fit_for, net
from torch.optim import lr_scheduler

import descend
from descend.engines.batches import shuffled
from descend.errors import ConfigError

EPOCHS = 6


def fit(module: torch.nn.Module | None = None, **options) -> descend.Fit:
    return fit_for(EPOCHS, module, **options)


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in module.parameters()])


def plain(
    schedule=None, by_step=False, size=SIZE, clip_value=None, average=None, make=None
) -> tuple[list[float], list[float], torch.nn.Module]:
    """Return the loss of each epoch, the learning rate that each begins with, and the module of a plain loop."""
    module = net()
    optimizer = (make or (lambda p: torch.optim.Adam(p, lr=0.01)))(module.parameters())
    scheduler = None if schedule is None else schedule(optimizer)
    losses, rates = [], []
    for epoch in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        total = 0.0
        for rows in shuffled(ROWS, size, 0, epoch) if size < ROWS else [np.arange(ROWS)]:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(module(torch.from_numpy(X[rows]))[:, 0], torch.from_numpy(Y[rows]))
            loss.backward()
            total += loss.item() * len(rows) / ROWS
            if clip_value is not None:
                torch.nn.utils.clip_grad_value_(module.parameters(), clip_value)
            optimizer.step()
            if average is not None:
                average.update_parameters(module)
            if by_step:
                scheduler.step()
        losses.append(total)
        if scheduler is not None and not by_step:
            scheduler.step(*([total] if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) else []))
    return losses, rates, module


SCHEDULES = {
    "step": (lambda o: lr_scheduler.StepLR(o, 2, 0.5), False),
    "cosine": (functools.partial(lr_scheduler.CosineAnnealingLR, T_max=EPOCHS), False),
    "plateau": (lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=0.5), False),
    "one cycle": (lambda o: lr_scheduler.OneCycleLR(o, 0.05, total_steps=EPOCHS * STEPS), True),
    "cyclic": (lambda o: lr_scheduler.CyclicLR(o, 0.001, 0.02, step_size_up=4, cycle_momentum=False), True),
    "chained": (
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.1, total_iters=2), lr_scheduler.ExponentialLR(o, 0.8)], [2]
        ),
        False,
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")  # SequentialLR itself gives it
def test_a_scheduler_is_stepped_as_in_a_plain_loop(name):
    schedule, by_step = SCHEDULES[name]
    losses, rates, expected = plain(schedule, by_step)
    module = net()
    fitted = fit(module, schedule=schedule)
    assert fitted.trace.losses[1:] == pytest.approx(losses, rel=1e-6)
    assert [step.learning_rate for step in fitted.trace[:-1]] == pytest.approx(rates, rel=1e-12)
    assert weights(module).tolist() == pytest.approx(weights(expected).tolist(), abs=1e-6)


def test_one_cycle_over_all_rows_counts_steps_too():
    schedule = functools.partial(lr_scheduler.OneCycleLR, max_lr=0.05)
    _, rates, expected = plain(lambda o: lr_scheduler.OneCycleLR(o, 0.05, EPOCHS), True, size=ROWS)
    module = net()
    fitted = fit(module, schedule=schedule, batch_size=None)
    assert [step.learning_rate for step in fitted.trace[:-1]] == pytest.approx(rates)
    assert weights(module).tolist() == pytest.approx(weights(expected).tolist(), abs=1e-5)


def test_a_plateau_follows_the_validation_loss_and_keeps_what_is_asked_of_metrics():
    random = np.random.default_rng(5)
    made = []

    def schedule(optimizer):
        made.append(lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5))
        return made[-1]

    noise = random.normal(size=(50, 4)).astype(np.float32), random.normal(size=50).astype(np.float32)
    fitted = fit(schedule=schedule, validation=noise, epochs=30)
    assert made[0].best == min(fitted.trace.validation_losses[1:])
    assert fitted.trace[-2].learning_rate < 0.01


def test_the_best_weights_by_a_metric():
    classes = (Y > 0).astype(np.int64)
    torch.manual_seed(0)
    module = torch.nn.Linear(4, 2)
    fitted = descend.fit(
        module, (X, classes), loss="cross_entropy", optimizer="adam", epochs=20, batch_size=SIZE, validation=0.25,
        metrics=["accuracy"], monitor="accuracy", keep="best", patience=10,
    )  # fmt: skip
    found = fitted.trace.measured("validation_accuracy")
    assert f"whose validation accuracy is highest: {found.max():.6g}" in "".join(fitted.notes)


def test_each_number_of_the_gradient_is_cut():
    module = net()
    fitted = fit(module, clip_value=0.01)
    losses, _, expected = plain(clip_value=0.01)
    assert fitted.trace.losses[1:] == pytest.approx(losses, rel=1e-6)
    assert weights(module).tolist() == pytest.approx(weights(expected).tolist(), abs=1e-6)


def test_the_average_of_the_weights_is_that_of_torch():
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    module, average = net(), AveragedModel(net(), multi_avg_fn=get_ema_multi_avg_fn(0.9))
    plain(average=average)
    fitted = fit(module, ema=0.9, validation=(X, Y))
    assert weights(module).tolist() == pytest.approx(weights(average.module).tolist(), abs=1e-6)
    assert fitted.loss == pytest.approx(fitted.trace[-1].validation_loss, rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        torch.optim.NAdam,
        functools.partial(torch.optim.SGD, momentum=0.9),
        lambda p: torch.optim.RAdam(list(p), lr=0.01),
    ],
    ids=["class", "partial", "function"],
)
def test_optimizers_of_torch(make):
    given = isinstance(make, type | functools.partial)
    module = net()
    fitted = fit(module, optimizer=make, learning_rate=0.01 if given else None)
    losses, _, _ = plain(make=(lambda p: make(p, lr=0.01)) if given else make)
    assert fitted.trace.losses[1:] == pytest.approx(losses, rel=1e-6)


def test_groups_of_parameters_keep_the_proportion_of_their_rates():
    module = net()
    groups = [{"params": module[0].parameters(), "lr": 0.02}, {"params": module[3].parameters(), "lr": 0.002}]
    optimizer = torch.optim.SGD(groups)
    fit(module, optimizer=optimizer, learning_rate=None, schedule="exponential(decay=0.5)", epochs=3)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.005, 0.0005])


def test_the_same_seed_is_the_same_run_and_another_is_not():
    found = []
    for seed in (1, 1, 2):
        module = net(dropout=0.5)
        torch.rand(3)
        before = torch.random.get_rng_state()
        fit(module, seed=seed)
        assert torch.equal(torch.random.get_rng_state(), before), "the random numbers of the user are left alone"
        found.append(weights(module))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_bfloat16_computes_in_it_and_leaves_float32():
    seen = []

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 1)

        def forward(self, x):
            seen.append(self.linear(x).dtype)
            return self.linear(x)

    module = Net()
    fitted = fit(module, precision="bf16", epochs=20)
    assert seen.count(torch.bfloat16) > 19 * STEPS
    assert module.linear.weight.dtype == torch.float32
    assert fitted.loss == pytest.approx(float(np.mean((fitted.predict(X) - Y) ** 2)), rel=1e-5)
    assert fitted.loss < 0.9 * fitted.trace[0].loss


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_compiled_module_runs_as_the_same():
    module, other = net(), net()
    fitted, expected = fit(module, compile=True), fit(other)
    assert fitted.trace.losses == pytest.approx(expected.trace.losses, rel=1e-4)
    assert module._compiled_call_impl is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"schedule": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20)},
            "The OneCycleLR given ends after 20 steps, and 6 epochs of 6 steps take 36. Give total_steps=36, or leave "
            "it out: schedule=OneCycleLR with functools.partial.",
        ),
        (
            {"schedule": lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="max")},
            'The ReduceLROnPlateau given has mode="max", but a loss is watched, and less of it is better: give '
            'mode="min", or watch a metric with monitor="accuracy".',
        ),
        (
            {"schedule": lr_scheduler.StepLR},
            "PyTorch makes no scheduler by StepLR of this optimizer: StepLR.__init__() missing 1 required positional "
            "argument: 'step_size'. Give what makes it whole: schedule=lambda optimizer: ...",
        ),
        (
            {"schedule": lr_scheduler.StepLR(torch.optim.SGD([torch.zeros(1, requires_grad=True)]), 2)},
            "The StepLR given was made for another optimizer, and would change nothing here. Give that optimizer, too, "
            "or what makes the scheduler: lambda optimizer: ...",
        ),
        (
            {"schedule": lambda optimizer: 3},
            "`schedule` is a name such as `cosine`, a scheduler of PyTorch, or makes one from the optimizer: lambda "
            "optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 10). This made a int.",
        ),
        (
            {"schedule_every": "step"},
            "`schedule_every` is for schedulers of PyTorch; those of descend count epochs.",
        ),
        ({"clip": 1.0, "clip_value": 1.0}, "`clip` cuts the gradient as a whole, `clip_value` each of its numbers: "
         "give one of them."),
        (
            {"precision": "fp16"},
            "`precision` is `bf16`, not 'fp16'. Half precision, fp16, would need its losses scaled; for double "
            "precision, give module.double().",
        ),
        ({"ema": 1.5}, "`ema` is a decay between 0 and 1, such as 0.999, not 1.5."),
        (
            {"monitor": "rmse", "metrics": "rmse"},
            "`monitor` says what `patience`, `keep` and ReduceLROnPlateau watch, and there is none of these. Leave it "
            "out, or give `validation`, such as 0.2.",
        ),
        (
            {"validation": (X[:, :2], Y)},
            "The rows of X in `validation` have shape (2,), and those to train on (4,). Give both the same shape.",
        ),
        (
            {"monitor": "accuracy", "validation": 0.2, "patience": 2},
            "`monitor` is `accuracy`, of which nothing says whether more is better. Watch the loss, or one of the "
            "`metrics` by its name, such as accuracy.",
        ),
        (
            {"optimizer": "levenberg_marquardt", "precision": "bf16", "learning_rate": None, "batch_size": None},
            "`precision` and `compile` go with steps by gradients; levenberg_marquardt takes other derivatives, too. "
            "Leave them out, or take another optimizer, such as adam.",
        ),
        (
            {
                "optimizer": "levenberg_marquardt",
                "schedule": lambda o: lr_scheduler.StepLR(o, 2),
                "learning_rate": None,
                "batch_size": None,
            },
            "A scheduler of PyTorch changes the learning rate of an optimizer of PyTorch, and levenberg_marquardt has "
            "none. Leave out `schedule`, or take another optimizer, such as adam.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(options, message):
    with pytest.raises(ConfigError) as raised:
        fit(**options)
    assert str(raised.value) == message


def test_a_scheduler_of_pytorch_is_not_for_a_formula():
    with pytest.raises(ConfigError) as raised:
        descend.fit("y ~ w*x", {"x": X[:, 0], "y": Y}, schedule=lr_scheduler.StepLR)
    assert str(raised.value) == (
        "A scheduler of PyTorch steps the optimizer of a PyTorch module. For a formula or a function, name a schedule: "
        "constant, step, exponential, cosine, warmup."
    )


@pytest.mark.parametrize("given", [False, True])
def test_a_falling_rate_is_proposed_only_to_those_without_a_schedule(given: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(60, 2)
    y = x.sum(1, keepdim=True) + 0.5 * torch.randn(60, 1)
    schedule = (lambda optimizer: lr_scheduler.StepLR(optimizer, 1000)) if given else "constant"
    options = {"optimizer": "gd", "batch_size": 4, "epochs": 40, "learning_rate": 0.3, "schedule": schedule}
    fit = descend.fit(torch.nn.Linear(2, 1), (x, y), **options)
    ending = "" if given else ', or schedule="cosine"'
    assert fit.advice == f"Use batch_size=60, or learning_rate=0.02, which lower that noise 15 times{ending}."


def test_a_linear_module_of_classes_that_ran_out_of_epochs_is_examined(recwarn):
    random = np.random.default_rng(0)
    X, y = torch.tensor(random.normal(size=(90, 2)), dtype=torch.float32), torch.tensor(random.integers(0, 3, 90))
    fit = descend.fit(torch.nn.Linear(2, 3), (X, y), loss="cross_entropy", optimizer="adam", epochs=4)
    assert fit.outcome == "epochs_used_up" and "could not be examined" not in fit.advice
    assert not [each for each in recwarn if issubclass(each.category, RuntimeWarning)]
