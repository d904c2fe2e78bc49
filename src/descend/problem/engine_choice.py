"""Which engine sums the rows in memory."""

from __future__ import annotations

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Engine
from descend.errors import ConfigError
from descend.gradients.contract import Kernel, Program
from descend.options.request import Request
from descend.table.rows import Rows
from descend.wording import spell

MANY = 1_000
"""Parameters above which factoring the columns beforehand takes longer than many fits need."""
LONG, FEW = 1_000_000_000, 100_000
"""Rows times epochs, and rows, below which nothing is compiled: a long run over few rows seldom goes to its end."""
ENGINES = ("auto", "numpy", "torch", "moments", "query")


def chosen(request: Request, what: Program | Kernel, rows: Rows) -> Engine:
    """Choose and build the engine.

    Moments serve a squared loss and linear parameters; NumPy sums other expressions and functions by hand; PyTorch sums
    what autograd needs.
    """
    only = None if isinstance(what, Program) else what.language
    name = (only or ("torch" if request.device else "numpy")) if request.engine == "auto" else request.engine
    if isinstance(what, Program) and (
        name == "moments" or (what.linear and (request.engine, name) == ("auto", "numpy"))
    ):
        found = _moments(request, what, rows, asked=name == "moments")
        if found is not None:
            return found
    if only is not None and name != only:
        kind = "gradient by a Python function" if only == "numpy" else "autograd gradient"
        raise ConfigError(
            f"The {kind} runs on the engine `{only}`, not on `{name}`. Use "
            f"{spell('engine', only)}, or another gradient."
        )
    if request.device and name != "torch":
        raise ConfigError(
            f"A device goes with the engine `torch`, not with `{name}`. Leave out the device, or use "
            f"{spell('engine', 'torch')}."
        )
    if name == "torch" and isinstance(what, Program) and what.loss.own_parameters:
        raise ConfigError(
            f"The {what.loss.name} loss has parameters of its own, which the engine `torch` does not sum. Leave out "
            "the engine and the device."
        )
    if name == "torch":
        from descend.engines.torch_engine import TorchEngine

        return TorchEngine(what, rows, request.device, request.full_epochs)
    if request.engine == "auto" and _repaid(request, what, rows.count):
        from descend.engines.torch_engine import TorchEngine

        return TorchEngine(what, rows, "cpu", request.full_epochs)
    return NumpyEngine(what, rows)


def _repaid(request: Request, what: Program | Kernel, rows: int) -> bool:
    """Whether so many epochs were asked for that PyTorch, if it is there, repays the time it takes to compile."""
    if isinstance(what, Program) and what.loss.own_parameters:
        return False
    if request.epochs is None or request.batched or request.epochs * rows < LONG or rows < FEW:
        return False
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return False
    from descend.engines.torch_engine import pays

    return pays(what, rows, request.epochs, instead_of="numpy")


def _moments(request: Request, program: Program, rows: Rows, asked: bool) -> Engine | None:
    """Build the engine of moments; None where it is not asked for and does not fit."""
    from descend.engines.moments import SAMPLE, MomentsEngine, refusal

    refused = refusal(program)
    if refused is None and request.batched:
        refused = "passes over all rows once, so it takes no batches"
    if refused is None and not (asked and request.device):
        if not asked and program.parameters.size > MANY:
            return None
        engine = MomentsEngine(program, rows)
        # Of few rows whose columns all but depend on each other, sums over the rows leave a little more digits.
        return engine if asked or not request.polish or engine.well or engine.count > SAMPLE else None
    if asked and refused is not None:
        what = "Leave out the batch size" if "batches" in refused else "Leave out the engine"
        raise ConfigError(f"The engine `moments` {refused}. {what}, or use {spell('engine', 'numpy')}.")
    return None
