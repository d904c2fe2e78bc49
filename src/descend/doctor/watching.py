"""The doctor in a notebook, or around a part of a program: a context that tells at its end what was wrong."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from descend.doctor.checks import CHECKS
from descend.doctor.examination import Report, report_of, require_torch
from descend.doctor.hooks import Watch
from descend.doctor.run import Run
from descend.doctor.user_code import UserCode

if TYPE_CHECKING:
    from torch.nn import Module


@dataclass(eq=False)
class Watched:
    """What `watch` yields. report: what was found, once the block has ended; None before."""

    report: Report | None = None

    @property
    def healthy(self) -> bool:
        """Whether the block has ended and nothing was found."""
        return self.report is not None and self.report.healthy


@contextlib.contextmanager
def watch(model: Module | None = None, *, show: bool = True) -> Iterator[Watched]:
    """Watch the training loop in a block, and tell at its end what is wrong with it.

    model: the module that is trained, so that its parameters are known by name; the rest is seen as it happens.
    show: print the findings, as `descend doctor` does; they are in ``report`` in any case.

    An error in the block passes on, explained first. Afterwards nothing of the watch is left in PyTorch. Raises
    ConfigError if PyTorch is not installed.

    >>> import torch, descend
    >>> net = torch.nn.Linear(2, 1)
    >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    >>> x = torch.randn(20, 2)
    >>> with descend.watch(net, show=False) as watched:
    ...     for _ in range(5):
    ...         loss = (net(x) - x[:, :1]).square().mean()
    ...         loss.backward()
    ...         optimizer.step()
    >>> [finding.name for finding in watched.report.findings]
    ['not_zeroed']
    """
    require_torch()
    frame = sys._getframe(2)  # beyond that of contextlib
    with watching(frame.f_code.co_filename, model, show) as watched:
        yield watched


@contextlib.contextmanager
def watching(file: str, model: Module | None, show: bool) -> Iterator[Watched]:
    """Watch what the code of one file, or of one notebook, does."""
    watched = Watched()
    run = Run(UserCode(Path(file), alone=file))
    checks = [check(run) for check in CHECKS]
    error: BaseException | None = None
    try:
        with Watch(run, checks):
            if model is not None:
                run.leaves_of(list(model.parameters()))
            yield watched
    except BaseException as raised:
        error = raised
        raise
    finally:
        outcome = "finished" if error is None else "interrupted" if isinstance(error, KeyboardInterrupt) else "raised"
        watched.report = report_of("the block", run, checks, outcome, error)
        if show:
            from descend.doctor.text import render

            print(render(watched.report))
