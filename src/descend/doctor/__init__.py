"""The doctor: runs a user's own PyTorch training script under watch and says what is wrong with it.

Why a run of `descend.fit` failed is another question, which `descend.diagnosis` answers.

examination.py     examine: run, ask the checks, report
watching.py        watch: the same around a block of code
pytest_plugin.py   a fixture: whether a model can be trained at all
script.py          runs the script as Python would
hooks.py           hooks into PyTorch, all taken away afterwards
run.py             the record of a run: parameters, optimizers, losses
source.py          the text of the script, walked once
checks/            one kind of fault each

Names are imported when they are first used, so that pytest starts no slower.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.doctor.examination import Report, examine
    from descend.doctor.finding import Finding
    from descend.doctor.watching import Watched, watch

_PLACES = {"Report": "examination", "examine": "examination", "Finding": "finding", "Watched": "watching"}
_PLACES["watch"] = "watching"
__all__ = ["Finding", "Report", "Watched", "examine", "watch"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'descend.doctor' has no attribute {name!r}")
    return getattr(import_module(f"descend.doctor.{_PLACES[name]}"), name)
