"""descend among the fitting software of FitBenchmarking.

FitBenchmarking knows its software by a list and finds each controller as a module of its own package. `register` adds
descend to both, so that `descend-fitbenchmarking` takes the arguments of `fitbenchmarking`, and options files may say
`software: descend`.
"""

from __future__ import annotations

from pathlib import Path

import fitbenchmarking.controllers
from fitbenchmarking.cli.main import main as fitbenchmarking_main
from fitbenchmarking.utils.options import Options

MINIMIZERS = ["fit", "curve_fit", "lbfgs"]


def register() -> None:
    """Add descend's controller to FitBenchmarking; a second call changes nothing."""
    software = Options.VALID_FITTING["software"]
    if "descend" not in software:
        software.append("descend")
        Options.VALID_MINIMIZERS["descend"] = MINIMIZERS
        Options.DEFAULT_MINIMZERS["descend"] = MINIMIZERS
        fitbenchmarking.controllers.__path__.append(str(Path(__file__).parent / "controllers"))


def main() -> None:
    """What `fitbenchmarking` does, with descend among the software."""
    register()
    fitbenchmarking_main()
