"""Which engine sums the rows in memory."""

from __future__ import annotations

from collections.abc import Callable

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Engine
from descend.errors import ConfigError
from descend.formula.printers.code import LackingError
from descend.gradients.contract import Summand
from descend.gradients.derived import Program, as_program
from descend.options.request import Request
from descend.table.rows import Rows
from descend.wording import spell

MANY = 1_000
"""Parameters above which factoring the columns beforehand takes longer than many fits need."""
LONG, FEW = 1_000_000_000, 100_000
"""Below this many rows times epochs, or rows, nothing is compiled: a long run over few rows often ends early."""
Build = Callable[[Summand, Rows, Request], Engine]
"""Builds an engine from the code for one row, the rows and the request."""


def register(name: str, build: Build) -> None:
    """Add an engine from outside the package; a request uses it by giving its name as ``engine``."""
    ENGINES[name] = build


def chosen_engine(request: Request, code: Summand, rows: Rows) -> Engine:
    """Choose and build the engine.

    Moments serve a squared loss and linear parameters; NumPy sums other expressions and functions by hand; PyTorch sums
    what autograd needs.
    """
    only, program = code.language, as_program(code)
    name = (only or ("torch" if request.device else "numpy")) if request.engine == "auto" else request.engine
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
    if name == "torch" and program is not None and program.loss.own_parameters:
        raise ConfigError(
            f"The {program.loss.name} loss has parameters of its own, which the engine `torch` does not sum. Leave out "
            "the engine and the device."
        )
    if program is not None and program.arrow:
        from descend.problem.arrow_limits import refuse

        refuse(program, name)
        return engine_in_memory(code, rows)
    if request.engine == "auto" and name == "numpy":
        if program is not None and (moments := _moments_if_as_good(program, rows, request)) is not None:
            return moments
        if _repaid(request, code, rows.count):
            return _torch(code, rows, request, "cpu")
    return ENGINES[name](code, rows, request)


def _repaid(request: Request, code: Summand, rows: int) -> bool:
    """Whether PyTorch is installed and enough epochs were requested to make up for the time it takes to compile."""
    program = as_program(code)
    if program is not None and program.loss.own_parameters:
        return False
    if request.epochs is None or request.batched or request.epochs * rows < LONG or rows < FEW:
        return False
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return False
    from descend.engines.torch_engine import pays

    try:
        return pays(code, rows, request.epochs, instead_of="numpy")
    except LackingError:
        return False


def engine_in_memory(code: Summand, rows: Rows) -> Engine:
    """Return the engine that sums rows in this process."""
    program = as_program(code)
    if program is None or not program.arrow:
        return NumpyEngine(code, rows)
    from descend.engines.arrow_engine import ArrowEngine

    return ArrowEngine(program, rows)


def _numpy(code: Summand, rows: Rows, request: Request) -> Engine:
    return engine_in_memory(code, rows)


def _torch(code: Summand, rows: Rows, request: Request, device: str | None = None) -> Engine:
    from descend.engines.torch_engine import TorchEngine

    try:
        return TorchEngine(code, rows, device or request.device, request.full_epochs)
    except LackingError as error:
        raise ConfigError(f"{error} Use {spell('engine', 'numpy')}.") from None


def _moments(code: Summand, rows: Rows, request: Request) -> Engine:
    from descend.engines.moments import MomentsEngine, refusal

    if (refused := refusal(code)) is not None:
        raise ConfigError(f"The engine `moments` {refused}. Leave out the engine, or use {spell('engine', 'numpy')}.")
    if request.batched:
        raise ConfigError(
            "The engine `moments` passes over all rows once, so it takes no batches. Leave out the batch size, or use "
            f"{spell('engine', 'numpy')}."
        )
    program = as_program(code)
    assert program is not None
    return MomentsEngine(program, rows)


def _moments_if_as_good(program: Program, rows: Rows, request: Request) -> Engine | None:
    """Build the engine of moments if it serves as well as NumPy; None if it does not."""
    if not program.linear or request.batched or program.parameters.size > MANY:
        return None
    from descend.engines.moments import SAMPLE, MomentsEngine, refusal

    if refusal(program) is not None:
        return None
    engine = MomentsEngine(program, rows)
    # For few rows with nearly dependent columns, summing the rows themselves keeps a few more digits.
    return engine if not request.polish or engine.well or engine.count > SAMPLE else None


ENGINES: dict[str, Build] = {"auto": _numpy, "numpy": _numpy, "torch": _torch, "moments": _moments, "query": _numpy}
"""The engines by name, for rows in memory. Rows that `query` leaves in a database are summed there instead."""
