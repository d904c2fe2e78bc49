"""The checks, one kind of fault each; a new one is a new file and a line here."""

from __future__ import annotations

from descend.doctor.check import Check
from descend.doctor.checks.gradients import Gradients
from descend.doctor.checks.parameters import Parameters
from descend.doctor.checks.zeroing import Zeroing

CHECKS: tuple[type[Check], ...] = (Zeroing, Parameters, Gradients)
"""In the order in which findings are shown."""
