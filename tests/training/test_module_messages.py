"""What a PyTorch module as the model is refused for, word for word."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.linear_module import TABLE, fit, linear

import descend
from descend import ConfigError, DataError


class Two(torch.nn.Linear):
    """Returns two numbers per row."""

    def __init__(self) -> None:
        super().__init__(2, 2, dtype=torch.float64)


class Detached(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x).detach()


class Pair(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x), x


def frozen() -> torch.nn.Module:
    return linear().requires_grad_(False)


def broken() -> torch.nn.Module:
    module = linear()
    torch.nn.init.constant_(module.bias, torch.nan)
    return module


X2 = np.zeros((4, 2))
REFUSED = {
    "start": (
        ConfigError,
        {"start": {"w": 0.0}},
        "A module brings its own starting values, so leave out `start`. Set them in the module.",
    ),
    "by": (
        ConfigError,
        {"by": "x"},
        "`by` fits a formula or a function to each group of rows: a module is fitted to all of them. Leave out `by`, "
        "and fit a new module to the rows of each group.",
    ),
    "gradient": (
        ConfigError,
        {"gradient": "derived"},
        "The gradient of a module is taken by autograd, so leave out `gradient`.",
    ),
    "l1": (
        ConfigError,
        {"l1": 0.1},
        'The l1 penalty is not for modules. Use weight decay instead: optimizer="adamw(weight_decay=0.01)".',
    ),
    "l2": (
        ConfigError,
        {"l2": 0.1},
        'The l2 penalty is not for modules. Use weight decay instead: optimizer="adamw(weight_decay=0.01)".',
    ),
    "engine": (
        ConfigError,
        {"engine": "numpy"},
        "A module runs on PyTorch, not on the engine `numpy`. Leave out the engine.",
    ),
    "device": (
        ConfigError,
        {"device": "cuda"},
        'There is no device `cuda` that PyTorch can use here. There is: cpu. Leave out `device`, or give "auto".',
    ),
    "no response": (
        ConfigError,
        {"response": None},
        'Which column does the module predict? Say so with response="y".',
    ),
    "unknown input": (
        ConfigError,
        {"inputs": ["x1", "x3"]},
        "There is no column `x3` to take as input. Columns: x1, x2, site, y, n, p.",
    ),
    "response as input": (
        ConfigError,
        {"inputs": ["x1", "y"]},
        "`y` is both an input and the response, so it would be predicted from itself. Leave it out of the inputs.",
    ),
    "no inputs": (
        ConfigError,
        {"inputs": []},
        "The module has no column to take beside `y`. Name one, such as inputs=['x'].",
    ),
    "wrong number of inputs": (
        ConfigError,
        {"inputs": ["x1"]},
        "`Linear` cannot take its inputs (x1 as a tensor of shape (n, 1), float64): mat1 and mat2 shapes "
        "cannot be multiplied (40x1 and 2x1). Name the columns that it takes with `inputs`.",
    ),
    "whole numbers": (
        ConfigError,
        {"data": (X2.astype(np.int64), np.zeros(4))},
        "`Linear` cannot take its inputs (a tensor of shape (n, 2), int64): mat1 and mat2 must have the same "
        "dtype, but got Long and Double. Give X in the shape and type that it takes.",
    ),
    "two outputs": (
        ConfigError,
        {"module": Two()},
        "`Two` returned shape (40, 2) for 40 rows. It must return one number per row: shape (40,) or (40, 1).",
    ),
    "a pair": (
        ConfigError,
        {"module": Pair(2, 1).double()},
        "`Pair` returned several tensors: 0 (40, 1), 1 (40, 2), for 40 rows. Let it return one tensor, or give a loss "
        "for each: loss={0: ..., 1: ...}.",
    ),
    "detached": (
        ConfigError,
        {"module": Detached(2, 1).double()},
        "What `Detached` returns does not depend on its parameters in a way PyTorch can follow. Use torch "
        "functions in its forward, without detach or no_grad.",
    ),
    "frozen": (
        ConfigError,
        {"module": frozen()},
        "`Linear` has no parameters to fit: all of them are frozen (requires_grad=False).",
    ),
    "no parameters": (
        ConfigError,
        {"module": torch.nn.Tanh()},
        "`Tanh` has no parameters to fit: it has none.",
    ),
    "not finite": (
        ConfigError,
        {"module": broken()},
        "`Linear` returns nan in row 1 before the first step. Give it other starting values, or scale its inputs down.",
    ),
    "a negative mean": (
        ConfigError,
        {"module": linear(), "response": "n", "loss": "poisson"},
        "`Linear` returns -0.343903 in row 1 before the first step. The poisson loss needs a positive mean: "
        "let it end in something positive, such as torch.nn.Softplus().",
    ),
    "an unknown optimizer": (
        ConfigError,
        {"optimizer": 3},
        "A module is stepped by one of gd, momentum, nesterov, adagrad, rmsprop, adam, adamw, lbfgs, "
        "levenberg_marquardt, by a class such as torch.optim.NAdam, or by the torch optimizer that a function makes "
        "of its parameters; this is a int.",
    ),
    "an optimizer torch has not": (
        ConfigError,
        {"optimizer": "newton"},
        "The optimizer `newton` is not for modules: torch.optim has none like it. Use one of: "
        "gd, momentum, nesterov, adagrad, rmsprop, adam, adamw, lbfgs, levenberg_marquardt.",
    ),
    "two learning rates": (
        ConfigError,
        {"optimizer": lambda p: torch.optim.SGD(p, lr=1.0)},
        "The SGD given has a learning rate already. Leave out the learning rate, or set it where the SGD is made.",
    ),
    "another module's optimizer": (
        ConfigError,
        {"optimizer": torch.optim.SGD(linear().parameters()), "learning_rate": None},
        "The SGD given holds no parameter of this module. Make it from module.parameters().",
    ),
    "a class that cannot": (
        ConfigError,
        {"optimizer": torch.optim.Optimizer},
        "PyTorch makes no Optimizer of these parameters: Optimizer.__init__() got an unexpected keyword argument 'lr'. "
        "Make it yourself: optimizer=lambda parameters: ...",
    ),
    "lbfgs in batches": (
        ConfigError,
        {"optimizer": torch.optim.LBFGS, "batch_size": 5},
        "The optimizer `LBFGS` needs all rows at every step, so it takes no batch size. "
        "Use one of: gd, momentum, nesterov, adagrad, rmsprop, adam, adamw.",
    ),
    "one tensor": (
        DataError,
        {"data": torch.zeros(4, 2)},
        "This is one tensor, without a response. Give two: descend.fit(module, (X, y)).",
    ),
    "a generator": (
        DataError,
        {"data": (rows for rows in [(X2, np.zeros(4))])},
        "A generator can be gone through once, and each epoch goes through the rows anew. Give them as (X, y), or what "
        "yields them again: a dataset, a DataLoader, or a torch.utils.data.IterableDataset.",
    ),
    "inputs of tensors": (
        ConfigError,
        {"data": (X2, np.zeros(4)), "inputs": ["x"]},
        "(X, y) have no column names, so leave out `inputs`, or give a table.",
    ),
    "rows that do not match": (
        DataError,
        {"data": (X2, np.zeros(3))},
        "X has 4 rows but y has 3. Give one number of y per row of X.",
    ),
    "y of two columns": (
        ConfigError,
        {"data": (X2, X2)},
        "`Linear` returned shape (4, 1) for 4 rows, and y has shape (n, 2). Let it return shape (4, 2), a number for "
        "each of y.",
    ),
    "no rows": (
        DataError,
        {"data": (X2[:0], np.zeros(0))},
        "There are no rows in X and y. Give data with at least one row.",
    ),
    "one row": (
        DataError,
        {"data": (X2[:1], np.zeros(1))},
        "The data has one row of data. A fit needs at least two.",
    ),
    "a gap": (
        DataError,
        {"data": (X2, np.array([1.0, np.nan, 2.0, np.nan]))},
        "y has missing or infinite values in 2 rows, the first of them row 2. Correct them, or leave such "
        'rows out with missing="drop".',
    ),
    "text": (
        DataError,
        {"inputs": ["site"]},
        "`site` in the data is text: row 1 holds 'a'. Use a column of numbers, such as 0 and 1; "
        "for categories, write u[site] in a formula: a parameter for each of them.",
    ),
    "a response out of range": (
        DataError,
        {"loss": "logistic"},
        "`y` is 5.02866 in row 1 of the data, but the logistic loss needs 0, 1 or a share between them. "
        "Leave such rows out with `where`, or choose another loss.",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(case):
    kind, options, message = REFUSED[case]
    with pytest.raises(kind) as refusal:
        fit(**options)
    assert str(refusal.value) == message


def test_a_torch_optimizer_is_for_modules():
    with pytest.raises(ConfigError) as refusal:
        descend.fit("y ~ a*x1 + b", TABLE, optimizer=torch.optim.Adam)
    assert str(refusal.value) == (
        "An optimizer is named by text, such as `adam(beta1=0.8)`; this is a type. "
        "Optimizers of PyTorch step PyTorch modules only."
    )


def test_inputs_are_for_modules():
    with pytest.raises(ConfigError) as refusal:
        descend.fit("y ~ a*x1 + b", TABLE, inputs=["x1"])
    assert str(refusal.value) == (
        "`inputs` names the columns a PyTorch module takes; a formula or function names its own. Leave it out."
    )


def test_new_rows_of_another_shape_are_refused():
    found = fit(epochs=1)
    with pytest.raises(DataError) as refusal:
        found.predict(np.zeros((3, 5)))
    assert str(refusal.value) == (
        "The rows have shape (3, 5), but the model takes 2 columns: x1, x2. Give them in that order."
    )


def test_a_class_in_the_place_of_what_is_made_from_it_is_told():
    with pytest.raises(ConfigError) as raised:
        descend.fit(torch.nn.Linear, (torch.ones(5, 1), torch.ones(5)))
    assert str(raised.value) == "`Linear` is a class. Give a module made from it: Linear(...)."

    class Told:
        def on_epoch_end(self, run: object) -> None: ...

    with pytest.raises(ConfigError) as raised:
        descend.fit(torch.nn.Linear(1, 1), (torch.ones(5, 1), torch.ones(5)), callbacks=[Told], epochs=1)
    assert str(raised.value) == "`Told` is a class. Give a callback made from it: Told()."


def test_rows_of_another_shape_are_not_predicted():
    fit = descend.fit(torch.nn.Linear(5, 1), (torch.rand(20, 5), torch.rand(20)), epochs=1)
    with pytest.raises(DataError) as raised:
        fit.predict(torch.rand(20, 4))  # which could be read as 16 rows of five
    assert str(raised.value) == (
        "The rows have shape (4,), but the module was fitted to rows of shape (5,): give X in the shape (n, 5)."
    )
    assert fit.predict(torch.rand(5)).shape == (1,)


def test_pictures_of_another_size_are_predicted_where_the_module_takes_them():
    pictures, means = torch.rand(20, 1, 4, 4), torch.rand(20)
    of_any_size = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(1, 1))
    fit = descend.fit(of_any_size, (pictures, means), epochs=1)
    assert fit.predict(torch.rand(3, 1, 6, 6)).shape == (3,)
    fit = descend.fit(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 1)), (pictures, means), epochs=1)
    with pytest.raises(DataError) as raised:
        fit.predict(torch.rand(3, 1, 6, 6))
    assert str(raised.value) == (
        "The rows have shape (1, 6, 6), but the module was fitted to rows of shape (1, 4, 4): give X in the shape "
        "(n, 1, 4, 4)."
    )


def test_what_keras_calls_a_measure_of_validation():
    with pytest.raises(ConfigError) as raised:
        descend.fit(
            torch.nn.Linear(1, 1), (torch.rand(9, 1), torch.rand(9)), monitor="val_loss", validation=0.3, patience=2
        )
    assert str(raised.value) == (
        "`monitor` is `val_loss`: what is measured over the rows held back is called validation_loss here."
    )


def test_bad_rows_of_validation_are_told_as_such():
    x, bad = torch.rand(9, 1), torch.rand(9, 1)
    bad[2] = torch.nan
    with pytest.raises(DataError) as raised:
        descend.fit(torch.nn.Linear(1, 1), (x, x[:, 0]), validation=(bad, x[:, 0]), epochs=1)
    assert str(raised.value).startswith("Of `validation`: X has missing or infinite values in 1 rows, the first of ")
