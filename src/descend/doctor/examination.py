"""The whole of an examination: run the script under watch, ask the checks, report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from descend.doctor import script as scripts
from descend.doctor.checks import CHECKS
from descend.doctor.contract import Check
from descend.doctor.finding import Finding, plain
from descend.doctor.hooks import Enough, Watch
from descend.doctor.run import Run
from descend.doctor.user_code import Place, UserCode
from descend.errors import ConfigError


@dataclass(frozen=True)
class Report:
    """What was found in a script.

    outcome: ``finished``, ``stopped`` (after the steps asked for), ``interrupted`` (Ctrl-C), ``exited`` (it ended
    itself with an exit code other than 0), or ``raised``, with the error and the user's own lines that led to it.
    watched: what the script did, in numbers.
    """

    script: str
    findings: tuple[Finding, ...]
    outcome: str
    watched: dict[str, Any]
    error: str | None = None
    traceback: tuple[Place, ...] = ()
    explained: bool = False

    @property
    def healthy(self) -> bool:
        """Whether the script ran and nothing was found."""
        return not self.findings and self.outcome not in ("raised", "exited")

    @property
    def exit_code(self) -> int:
        """0 healthy; 1 something was found; 2 the script failed for a reason of its own."""
        if self.outcome in ("raised", "exited") and not self.explained:
            return 2
        return 1 if self.findings else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        lines = [{"file": place.file, "line": place.line, "code": place.code} for place in self.traceback]
        return {
            "script": self.script,
            "healthy": self.healthy,
            "outcome": self.outcome,
            "findings": [finding.as_dict() for finding in self.findings],
            "watched": {name: plain(value) for name, value in self.watched.items()},
            "error": self.error,
            "traceback": lines,
        }


def examine(
    path: str | os.PathLike[str], arguments: Sequence[str] = (), steps: int | None = None, every_step: bool = False
) -> Report:
    """Run a PyTorch training script under watch and report what is wrong with its training loop.

    The script runs in this process as ``python PATH ARGUMENTS`` would run it, unchanged; ``torch.compile`` is left out.
    It is ended after ``steps`` steps, if given. The first 200 steps are watched closely, then each 16th and what is
    unusual; with ``every_step`` all are.

    Raises DataError if there is no such file, ConfigError if it is not Python or PyTorch is not installed.
    """
    if steps is not None and steps < 1:
        raise ConfigError(f"The script cannot be ended after {steps} steps. Give at least 1.")
    file = scripts.checked(path)
    require_torch()
    user_code = UserCode(file)
    run = Run(user_code)
    checks = [check(run) for check in CHECKS]
    outcome = "finished"
    error: BaseException | None = None
    try:
        with Watch(run, checks, steps, every_step):
            scripts.run(file, list(arguments), user_code)
    except Enough:
        outcome = "stopped"
    except KeyboardInterrupt:
        outcome = "interrupted"
    except SystemExit as end:
        if end.code not in (None, 0):
            outcome, error = "exited", end
    except Exception as raised:
        outcome, error = "raised", raised
    return report_of(str(path), run, checks, outcome, error)


def report_of(script: str, run: Run, checks: Sequence[Check], outcome: str, error: BaseException | None) -> Report:
    """Ask the checks what they have found, once the watch has ended."""
    run.error = error
    findings = _without_consequences([finding for check in checks for finding in check.findings()])
    return Report(
        script,
        findings,
        outcome,
        _watched(run),
        _said(error),
        tuple(run.user_code.lines(error.__traceback__)) if error else (),
        error is not None and any(check.explains(error) for check in checks),
    )


SUBORDINATE = {"rate_too_small", "gradients_vanish", "target_among_inputs", "initial_loss_too_high"}
"""Findings of scripts in which nothing else is wrong."""
CONSTANT = {
    "constant_weights",
    "softmax_of_one_column",
    "inputs_unscaled",
    "output_out_of_reach",
    "activation_on_logits",
}
"""Findings that say why a gradient is 0 everywhere."""
GROWING = {"clipped_before_unscale", "accumulation_not_divided", "loss_maximised", "loss_without_bound"}
"""Findings with which a loss grows, or is not what it seems, whatever the rate."""
ONCE = {"rows_shuffled_apart", "test_statistics"}
"""Findings that several checks may make, each in its way, of one fault: the first is told."""
UNSCALED = {"inputs_unscaled", "targets_unscaled"}
OF_A_CALL = {
    "zero_grad": {"not_zeroed"},
    "backward": {"no_backward", "no_gradient"},
    "step": {"never_stepped", "scheduler_never_stepped"},
    "eval": {"evaluated_in_training_mode", "dropout_in_evaluation"},
    "train": {"left_in_evaluation"},
    "requires_grad_": {"frozen_forgotten"},
}
"""What is found where a method is named but not called."""


def _without_consequences(findings: list[Finding]) -> tuple[Finding, ...]:
    """Leave out findings that follow from others: the NaN after too large a rate, or one fault reported twice."""
    names = {finding.name for finding in findings}
    consequences: set[str] = set()
    if names & CONSTANT:  # a gradient of 0 has been explained
        findings = [one for one in findings if one.name != "no_gradient" or one.evidence.get("gradient") is None]
    if names & {"softmax_over_batch", "softmax_over_wrong_axis"}:
        consequences.add("nll_without_log_softmax")
    for one in findings:
        if one.name in ("call_without_brackets", "attribute_without_effect"):
            consequences |= OF_A_CALL.get(str(one.evidence.get("method")), {"frozen_forgotten"})
    if "wrong_parameters" in names:
        consequences.add("no_gradient")
    if "nll_without_log_softmax" in names:
        consequences.add("loss_without_bound")
    if "inputs_all_alike" in names:
        consequences |= {"no_gradient", "same_batch", "inputs_unscaled"}
    if "labels_all_alike" in names:
        consequences.add("labels_sorted")
    if names & GROWING:
        consequences |= {"rate_too_large", "first_nan"}
    if "rate_too_large" in names - consequences:
        consequences.add("first_nan")
    if names - SUBORDINATE:  # steps are small, and gradients vanish, for a reason that has been found
        consequences |= SUBORDINATE
    if any(one.name == "rate_too_large" and "scale" in one.fix for one in findings):
        consequences |= UNSCALED  # it says so itself, with the largest stable rate
    elif names & UNSCALED:
        consequences.add("first_nan")
    if "not_zeroed" in names:  # sums of gradients diverge at any rate; a rate beyond a measured limit is its own fault
        findings = [one for one in findings if one.name != "rate_too_large" or "times_the_limit" in one.evidence]
    kept: dict[tuple[str, Place | None], Finding] = {}
    for finding in findings:
        if finding.name not in consequences:
            kept.setdefault((finding.name, None if finding.name in ONCE else finding.place), finding)
    return tuple(kept.values())


def require_torch() -> None:
    """Raise ConfigError if PyTorch is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise ConfigError(
            "PyTorch is not installed, and the doctor examines PyTorch scripts. "
            'Install it with: pip install "descend[torch]".'
        ) from None


def _said(error: BaseException | None) -> str | None:
    if error is None:
        return None
    if isinstance(error, SystemExit):
        return f"It ended itself with exit code {error.code}." if isinstance(error.code, int) else str(error.code)
    return f"{type(error).__name__}: {error}"


def _watched(run: Run) -> dict[str, Any]:
    losses = max(run.losses.values(), key=len, default=[])
    return {
        "steps": run.steps,
        "backward_passes": len(run.backward_places),
        "optimizers": [
            {
                "optimizer": one.kind,
                "name": one.name,
                "parameters": len(one.leaves),
                "steps": one.steps,
                "first_rate": one.first_rate,
                "last_rate": one.last_rate,
            }
            for one in run.optimizers
        ],
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        **({"checks_left_out": run.checks_left_out} if run.checks_left_out else {}),
    }
