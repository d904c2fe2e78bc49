"""The doctor: runs a user's own PyTorch training script under watch and says what is wrong with it.

examination.py   examine: run, ask the checks, report
script.py        runs the script as Python would
watching.py      watch: the same around a block of code
hooks.py         hooks into PyTorch, all taken away afterwards
ledger.py        the books: parameters, optimizers, losses
checks/          one kind of fault each
"""

from __future__ import annotations

from descend.doctor.examination import Report, examine
from descend.doctor.finding import Finding
from descend.doctor.watching import Watched, watch

__all__ = ["Finding", "Report", "Watched", "examine", "watch"]
