"""The functions that a user calls: the rooms wired together, and nothing else."""

from descend.api.fitting import fit, fit_request
from descend.api.formulas import check, derive, explain, generate, range_test
from descend.losses import LOSSES

__all__ = ["LOSSES", "check", "derive", "explain", "fit", "fit_request", "generate", "range_test"]
