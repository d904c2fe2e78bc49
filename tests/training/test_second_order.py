"""Levenberg-Marquardt steps of PyTorch modules: against closed forms, formulas and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import descend
from descend.errors import ConfigError
from descend.losses import LOSSES
from descend.losses.curved_rows import Softmax
from descend.models.module_weights import joined
from descend.optimizers import OPTIMIZERS
from descend.options.request import Request
from descend.training.curvatures import Dual
from descend.training.gauss_newton import Damped, ModuleEvaluation, Surface
from descend.training.posing import pose_module
from descend.training.row_terms import RowLoss

ROWS = 60
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 3))
Y = np.sin(X[:, 0]) * X[:, 1] + 0.5 * X[:, 2] ** 2 + 0.1 * RANDOM.normal(size=ROWS)
COUNTS = RANDOM.poisson(np.exp(0.3 * X[:, 0])).astype(float)
RESPONSES = {"squared": Y, "huber(delta=0.5)": Y, "logistic": (Y > 0.3).astype(float), "log_cosh": Y}
LM = "levenberg_marquardt"


def network(hidden: int = 6, dtype: torch.dtype = torch.float64) -> torch.nn.Sequential:
    torch.manual_seed(0)
    first, last = torch.nn.Linear(3, hidden, dtype=dtype), torch.nn.Linear(hidden, 1, dtype=dtype)
    return torch.nn.Sequential(first, torch.nn.Tanh(), last)


def place(loss: str, form: str, module: torch.nn.Module | None = None, rows=None) -> ModuleEvaluation:
    module = network() if module is None else module
    request = Request(model=module, data=(X, RESPONSES[loss]), loss=loss, optimizer="adam")
    problem, _ = pose_module(module, (X, RESPONSES[loss]), request)
    surface = Surface(problem.objective, form)
    return ModuleEvaluation(surface, joined(surface.trained), rows)


def jacobian(module: torch.nn.Module) -> np.ndarray:
    """Return the Jacobian of the predictions, one backward pass a row."""
    parameters = [tensor for tensor in module.parameters() if tensor.requires_grad]
    scores = module(torch.from_numpy(X))[:, 0]
    return np.array([joined(torch.autograd.grad(score, parameters, retain_graph=True)) for score in scores])


def step(module: torch.nn.Module, loss: str, damping: float) -> np.ndarray:
    """Return the damped step, by its definition."""
    derivatives, scores = jacobian(module), module(torch.from_numpy(X))[:, 0].detach().numpy()
    known = LOSSES.build(loss)
    weight, slope = known.weight(scores, RESPONSES[loss]), known.slope(scores, RESPONSES[loss])
    curvature = derivatives.T @ (weight[:, None] * derivatives) / ROWS
    gradient = derivatives.T @ slope / ROWS
    unit = curvature.diagonal().max()  # of all layers together
    return -np.linalg.solve(curvature + damping * unit * np.eye(len(gradient)), gradient)


@pytest.mark.parametrize("form", ["matrix", "rows"])
@pytest.mark.parametrize("loss", RESPONSES)
def test_a_step_is_what_its_definition_says(loss, form):
    module = network()
    here = place(loss, form, module)
    system = Damped(here, np.full(here.theta.size, 1e-300))
    move, predicted = system.move(0.01)
    expected = step(module, loss, 0.01)
    assert move == pytest.approx(expected, rel=1e-8, abs=1e-10)
    assert predicted > 0.0
    assert here.loss == pytest.approx(float(LOSSES.build(loss).value(
        module(torch.from_numpy(X))[:, 0].detach().numpy(), RESPONSES[loss]).mean()))  # fmt: skip


def test_products_find_the_step_of_the_matrix():
    module = network()
    whole, products = (place("logistic", form, module) for form in ("matrix", "products"))
    scale = np.sqrt(whole.curvature.diagonal())
    basis = products.curvature
    gradient = whole.gradient / scale
    found = basis.solved(scale, gradient, 0.1)
    expected = whole.curvature.solved(scale, gradient, 0.1)
    assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)
    vector = np.linspace(-1.0, 1.0, whole.theta.size)
    lower = whole.curvature.lower.numpy()
    matrix = np.tril(lower) + np.tril(lower, -1).T
    assert basis.product(vector) == pytest.approx(matrix @ vector, rel=1e-9, abs=1e-12)
    made = basis.products
    basis.solved(scale, gradient, 10.0)
    assert basis.products == made  # another damping costs none


def test_the_estimated_diagonal_is_about_that_of_the_matrix():
    whole, products = (place("squared", form) for form in ("matrix", "products"))
    ratio = products.curvature.diagonal() / whole.curvature.diagonal()
    assert 0.5 < np.median(ratio) < 2.0


def test_a_linear_module_takes_one_step():
    module = torch.nn.Linear(3, 1, dtype=torch.float64)
    found = descend.fit(module, (X, Y), optimizer=f"{LM}(damping=1e-30)")
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(ROWS)]), Y, rcond=None)[0]
    assert joined(module.parameters()) == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert found.outcome is descend.Outcome.CONVERGED
    assert found.trace[1].loss == pytest.approx(found.loss, rel=1e-9)
    assert found.trace[0].damping == 1e-30


class Decay(torch.nn.Module):
    def __init__(self, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Parameter(torch.tensor(value, dtype=dtype)) for value in (1.0, 1.0, 0.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a * torch.exp(-self.b * x) + self.c


def test_layers_have_one_unit_and_other_parameters_their_own():
    module = torch.nn.Module()
    module.layer, module.scale = torch.nn.Linear(3, 1), torch.nn.Parameter(torch.tensor(1e-6))
    module.forward = lambda x: 1e6 * module.scale * module.layer(x)[:, 0]
    surface = place("squared", "matrix", module).surface
    units = surface.alike(np.array([1e12, 1.0, 4.0, 2.0, 3.0]))
    assert units.tolist() == [1e12, 1e4, 1e4, 1e4, 1e4]  # the scale comes first, and a floor holds for the layer
    assert surface.alike(np.array([9.0, 1.0, 4.0, 2.0, 3.0])).tolist() == [9.0, 4.0, 4.0, 4.0, 4.0]


def test_single_precision_gives_the_step_of_double():
    moves = []
    for dtype in (torch.float32, torch.float64):
        torch.manual_seed(0)
        module = network(dtype=torch.float32).to(dtype)
        here = place("squared", "matrix", module)
        moves.append([Damped(here, np.full(here.theta.size, 1e-300)).move(damping)[0] for damping in (0.1, 1e-6)])
    assert np.linalg.norm(moves[0][0] - moves[1][0]) < 1e-4 * np.linalg.norm(moves[1][0])
    assert np.linalg.norm(moves[0][1] - moves[1][1]) < 1e-2 * np.linalg.norm(moves[1][1])


@pytest.mark.parametrize("loss", ["squared", "huber(delta=0.1)", "cauchy(scale=0.1)", "poisson"])
def test_it_ends_where_our_formula_does(loss):
    x = np.linspace(0.0, 5.0, 80)
    y = 3.0 * np.exp(-0.7 * x) + 1.0 + 0.05 * RANDOM.normal(size=80)
    y = np.round(y * 4.0) if loss == "poisson" else y
    formula = descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y}, loss=loss)
    module = Decay()
    found = descend.fit(module, {"x": x, "y": y}, response="y", loss=loss, optimizer=LM)
    assert found.outcome is descend.Outcome.CONVERGED
    assert {name: float(value) for name, value in found.parameters.items()} == pytest.approx(
        formula.parameters, rel=1e-6
    )
    assert found.loss == pytest.approx(formula.loss, rel=1e-10)


def test_weights_of_rows_count():
    x = np.linspace(0.0, 5.0, 40)
    table = {"x": x, "y": 3.0 * np.exp(-0.7 * x) + 0.1 * np.cos(9 * x), "w": 1.0 + x}
    formula = descend.fit("y ~ a*exp(-b*x) + c", table, weights="w")
    found = descend.fit(Decay(), table, response="y", weights="w", optimizer=LM)
    assert {name: float(value) for name, value in found.parameters.items()} == pytest.approx(
        formula.parameters, rel=1e-6
    )


@pytest.mark.parametrize("hidden", [6, 40])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loss_falls_at_every_step_in_either_precision(hidden, dtype):
    found = descend.fit(network(hidden, dtype), (X, Y), optimizer=LM, epochs=30)
    losses = found.trace.losses
    assert (np.diff(losses) <= 1e-6 * losses[:-1]).all()
    assert losses[-1] < 0.02 * losses[0]
    assert all(step.damping > 0.0 for step in found.trace)


def test_numbers_of_a_tensor_have_one_unit_and_tensors_their_own():
    here = place("squared", "matrix", Decays())
    units = here.surface.alike(np.array([4.0, 1.0, 9.0, 1e-3, 1e-30]))
    assert units.tolist() == [9.0, 9.0, 9.0, 1e-3, 9e-8]


class Decays(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
        self.b, self.c = (torch.nn.Parameter(torch.tensor(0.1, dtype=torch.float64)) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(-self.b * (x @ self.w)) + self.c


def test_rows_without_curvature_count_in_the_dual_form():
    """Where a weight underflows to 0 its row still pulls, as in a loss that is linear there."""
    whole = place("squared", "matrix")
    root = torch.from_numpy(np.sqrt(2.0 / ROWS) * jacobian(network()))
    root[:20] = 0.0
    scale = np.sqrt((root**2).sum(dim=0).numpy())
    gradient = whole.gradient / scale
    pull = torch.linalg.lstsq(root.T, torch.from_numpy(whole.gradient)[:, None], driver="gelsd").solution[:, 0]
    found = Dual(root, 0.5 * pull, False).solved(scale, gradient, 0.3)
    scaled = root.numpy() / scale
    assert found == pytest.approx(
        -np.linalg.solve(scaled.T @ scaled + 0.3 * np.eye(len(scale)), gradient), rel=1e-8, abs=1e-10
    )


def test_frozen_weights_stay_and_are_no_unknowns():
    module = network()
    module[0].requires_grad_(False)
    before = module[0].weight.clone()
    found = descend.fit(module, (X, Y), optimizer=LM)
    hidden = np.column_stack([module[:2](torch.from_numpy(X)).numpy(), np.ones(ROWS)])
    expected = np.linalg.lstsq(hidden, Y, rcond=None)[0]
    assert torch.equal(module[0].weight, before)
    assert joined(module[2].parameters()) == pytest.approx(expected, rel=1e-6)
    assert found.outcome is descend.Outcome.CONVERGED


class Tied(torch.nn.Module):
    """x'w + sum of w, which counts twice what is one weight, and a shift that is a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
        self.other = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
        self.other.weight = self.one.weight
        self.register_buffer("shift", torch.tensor(0.5, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.one(x) + self.other(torch.ones_like(x)) + self.shift


def test_tied_weights_and_buffers():
    module = Tied()
    descend.fit(module, (X, Y), optimizer=LM)
    expected = np.linalg.lstsq(X + 1.0, Y - 0.5, rcond=None)[0]
    assert joined(module.parameters()) == pytest.approx(expected, rel=1e-8)
    assert float(module.shift) == 0.5


class Looks(torch.nn.Module):
    """A forward that looks at the values of its rows, which cannot be taken row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.slopes = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
        self.height = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.slopes + self.height if float(x.detach().abs().max()) > 0.0 else 0.0 * (x @ self.slopes)


def test_what_cannot_be_taken_row_by_row_is_stepped_by_products():
    module = Looks()
    found = descend.fit(module, (X, Y), optimizer=LM)
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(ROWS)]), Y, rcond=None)[0]
    assert joined(module.parameters()) == pytest.approx(expected, rel=1e-5)
    assert any("conjugate gradients" in note for note in found.notes)


def test_batches_carry_the_damping():
    found = descend.fit(network(), (X, Y), optimizer=LM, batch_size=40, epochs=10)
    assert found.loss < 0.1 * found.trace[0].loss
    assert len({step.damping for step in found.trace}) > 3


def test_the_learning_rate_is_told_to_be_unused():
    found = descend.fit(network(), (X, Y), optimizer=LM, epochs=2, learning_rate=0.1)
    assert any("the learning rate is not used" in note for note in found.notes)


@pytest.mark.parametrize(
    ("loss", "module", "message"),
    [
        (
            "absolute",
            network(),
            "The absolute loss has kinks, where it has no curvature, so levenberg_marquardt cannot follow it for a "
            "module. Use the huber or soft_l1 loss, or another optimizer such as adam.",
        ),
        (
            "squared",
            torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1)),
            "`Sequential` computes something else in training than in evaluation, as with dropout or batch "
            "normalisation: each row then depends on chance or on the others, and levenberg_marquardt needs J row by "
            "row. Freeze such parts with .eval(), the rest in training mode, or use another optimizer such as adam.",
        ),
    ],
)
def test_what_it_cannot_follow_is_refused(loss, module, message):
    with pytest.raises(ConfigError) as caught:
        descend.fit(module, (X, Y), loss=loss, optimizer=LM)
    assert str(caught.value) == message


def test_a_frozen_batch_normalisation_is_stepped():
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1)).double()
    module[1].eval()
    found = descend.fit(module, (X, Y), optimizer=LM, epochs=5)
    assert found.loss < found.trace[0].loss
    assert float(module[1].num_batches_tracked) == 0.0


@pytest.mark.parametrize("loss", RESPONSES)
def test_terms_of_rows_are_those_of_the_loss(loss):
    known, scores = LOSSES.build(loss), np.linspace(-2.0, 2.0, ROWS)
    terms = RowLoss(known).terms(torch.from_numpy(scores)[:, None], torch.from_numpy(RESPONSES[loss]))
    assert terms.slope[:, 0].numpy() == pytest.approx(known.slope(scores, RESPONSES[loss]))
    assert (terms.root[:, 0] ** 2).numpy() == pytest.approx(known.weight(scores, RESPONSES[loss]))
    assert OPTIMIZERS.build(LM).damped((None, 0.5)) == 0.5


def test_few_parameters_take_newton_steps_at_the_end():
    torch.manual_seed(0)
    x = torch.randn(100, 2)
    y = x @ torch.tensor([1.0, 2.0]) + 0.1 * torch.randn(100)
    module = torch.nn.Linear(2, 1)
    descend.fit(module, (x, y), optimizer=LM)
    best = np.linalg.lstsq(np.column_stack([x, np.ones(100)]), y.numpy(), rcond=None)[0]
    assert [*module.weight[0].tolist(), module.bias.item()] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("size", [None, 10])
def test_its_runs_are_validated_after_each_epoch(size):
    heard = []
    few, others = (X[:30], Y[:30]), (X[30:], Y[30:])
    module = network()
    found = descend.fit(
        module, few, optimizer=LM, batch_size=size, epochs=6, validation=others, metrics=["rmse"], keep="best",
        callbacks=[lambda run: heard.append((run.epoch, run.step, run.measures["validation_loss"]))],
    )  # fmt: skip
    assert heard == [(epoch, epoch * (1 if size is None else 3), heard[epoch - 1][2]) for epoch in range(1, 7)]
    assert found.trace.validation_losses[1:].tolist() == [loss for *_, loss in heard]
    assert len(set(found.trace.validation_losses)) == 7
    assert found.trace.measured("validation_rmse") ** 2 == pytest.approx(found.trace.validation_losses)
    kept = np.mean((found.predict(others[0]) - others[1]) ** 2)
    assert kept == pytest.approx(min(found.trace.validation_losses)) and kept < found.trace[0].validation_loss


def test_its_runs_end_by_patience():
    found = descend.fit(network(), (X[:15], Y[:15]), optimizer=LM, validation=(X[15:], Y[15:]), patience=2)
    losses = found.trace.validation_losses
    assert found.outcome == "stopped_early" and len(losses) == 3 + int(losses.argmin())


@pytest.mark.parametrize("weights", [(), (1.0, 3.0, 0.5)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("probabilities", [False, True])
def test_rows_of_classes_have_the_derivatives_of_pytorch(smoothing, weights, probabilities):
    torch.manual_seed(1)
    scores = 3.0 * torch.randn(5, 3, dtype=torch.float64)
    y = torch.randn(5, 3, dtype=torch.float64).softmax(dim=1) if probabilities else torch.tensor([0, 2, 1, 1, 0])
    given = torch.tensor(weights, dtype=torch.float64) if weights else None
    rows = Softmax(smoothing, weights)
    terms, own = rows.terms(scores, y), given[y] if weights and not probabilities else torch.ones(5)
    for row in range(5):

        def loss(s: torch.Tensor, row: int = row) -> torch.Tensor:
            options = {"weight": given, "label_smoothing": smoothing, "reduction": "sum"}
            return torch.nn.functional.cross_entropy(s[None], y[row : row + 1], **options) / own[row]

        s = scores[row]
        assert torch.allclose(rows.value(scores, y)[row], loss(s))
        assert torch.allclose(terms.slope[row], torch.autograd.functional.jacobian(loss, s))
        assert torch.allclose(terms.root[row] @ terms.root[row].T, torch.autograd.functional.hessian(loss, s))
        assert torch.allclose(terms.root[row] @ terms.pull[row], terms.slope[row])


def classes(rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    x = random.normal(size=(rows, 3))
    return x, np.array(["low", "middle", "top"])[np.digitize(x[:, 0] + 0.5 * random.normal(size=rows), [-0.5, 0.5])]


def test_a_linear_classifier_ends_where_our_formula_does():
    x, y = classes(200)
    module = torch.nn.Linear(3, 3, dtype=torch.float64)
    found = descend.fit(module, (x, y), loss="cross_entropy", optimizer=LM)
    formula = descend.fit("y ~ w @ [x0, x1, x2] + b", (x, y), loss="multinomial")
    assert found.loss == pytest.approx(formula.loss, rel=1e-7)
    assert found.outcome is descend.Outcome.CONVERGED


@pytest.mark.parametrize("rows", [20, 200])  # fewer than 75 numbers, and more
def test_classes_by_a_network_fall_below_what_adam_finds(rows):
    x, y = classes(rows)
    losses = {}
    for optimizer in (LM, "adam"):
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(3, 12), torch.nn.Tanh(), torch.nn.Linear(12, 3))
        losses[optimizer] = descend.fit(
            module,
            (x, y),
            loss="cross_entropy",
            optimizer=optimizer,
            epochs=60,
            learning_rate=None if optimizer == LM else 0.01,
        ).loss
    assert losses[LM] < 0.9 * losses["adam"]
