"""Schedulers of the learning rate that are never stepped, stepped too often, or in the wrong order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING, Any

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import WARNING, Finding, counted
from descend.doctor.run import Run, Step, WatchedOptimizer
from descend.doctor.source import code
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch.optim.lr_scheduler import LRScheduler

ENOUGH = 10
"""Steps of an optimizer after which a scheduler should have been stepped."""
NOTHING = 1e-3
"""A learning rate below this share of its largest trains nothing more."""
EARLY = 10
"""A last milestone is early where so many times as many steps are taken."""
FACTOR = 0.1
"""A function of `LambdaLR` that never returns more takes the rate itself for the factor it is multiplied by."""
MOST_ROWS = 1000
"""Rows of a validation set up to which a share of them is recognised as one."""
BETTER_IF_LARGE = ("acc", "r2", "f1", "auc", "score", "precision", "recall", "iou", "dice", "hits")


@dataclass(eq=False)
class Schedule:
    """A scheduler. optimizer_steps: those its optimizer had taken at each of its steps; metrics: what it was given."""

    scheduler: LRScheduler
    optimizer: WatchedOptimizer
    place: Place | None
    stepped_at: Place | None = None
    optimizer_steps: list[int] = field(default_factory=list)
    metrics: list[float] = field(default_factory=list)

    @property
    def where(self) -> Place | None:
        """The line that steps it; that which made it, if a library does."""
        return self.stepped_at if self.stepped_at and "step" in self.stepped_at.code else self.place

    @property
    def kind(self) -> str:
        """Its class, such as StepLR."""
        return type(self.scheduler).__name__


class Schedules(Check):
    """Follows schedulers, and the learning rate at every step of the optimizer."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.schedules: dict[int, Schedule] = {}
        self.rates: dict[WatchedOptimizer, list[float]] = {}
        self.inside = 0

    def replaces(self) -> Iterator[Replacement]:
        """Step and constructor of every scheduler that PyTorch has."""
        from torch.optim import lr_scheduler

        for kind in {one for one in vars(lr_scheduler).values() if isinstance(one, type)}:
            if issubclass(kind, lr_scheduler.LRScheduler):
                for name, ours in (("__init__", self._made), ("step", self._stepped)):
                    if name in vars(kind):
                        yield kind, name, ours

    def _made(self, theirs: Callable[..., object], scheduler: LRScheduler, *args: object, **kwargs: object) -> None:
        self.inside += 1  # a constructor steps once by itself, and calls that of its class
        try:
            theirs(scheduler, *args, **kwargs)
        finally:
            self.inside -= 1
        if not self.inside and hasattr(scheduler, "optimizer"):
            optimizer = self.run.optimizer(scheduler.optimizer)
            self.schedules[id(scheduler)] = Schedule(scheduler, optimizer, self.run.here())

    def _stepped(self, theirs: Callable[..., object], scheduler: LRScheduler, *args: Any, **kwargs: Any) -> object:
        known = None if self.inside else self.schedules.get(id(scheduler))
        if known is not None:
            known.stepped_at = self.run.here()
            known.optimizer_steps.append(known.optimizer.steps)
            given = args[0] if args else kwargs.get("metrics")
            if given is not None and "Plateau" in known.kind:
                known.metrics.append(float(given))
        self.inside += 1
        try:
            return theirs(scheduler, *args, **kwargs)
        finally:
            self.inside -= 1

    def step_ended(self, step: Step) -> None:
        rate = step.optimizer.optimizer.param_groups[0].get("lr")
        if rate is not None:
            self.rates.setdefault(step.optimizer, []).append(float(rate))

    def findings(self) -> Iterator[Finding]:
        schedules = self.schedules.values()
        wrapped = {id(inner) for one in schedules for inner in getattr(one.scheduler, "_schedulers", ())}
        own = [one for key, one in self.schedules.items() if key not in wrapped]
        yield from filter(None, (_judged(one, self.rates.get(one.optimizer, [])) for one in own))
        scheduled = [one.optimizer for one in own]
        for optimizer in self.run.stepping:
            if optimizer not in scheduled:
                others = [one for one in own if one.optimizer_steps and not one.optimizer.steps]
                yield from (_of_another(one, optimizer) for one in others[:1] if optimizer.steps >= ENOUGH)
                yield from self._by_hand(optimizer)

    def _by_hand(self, optimizer: WatchedOptimizer) -> Iterator[Finding]:
        """Look for a rate that the script itself cuts to nothing, as by a factor in each step."""
        rates = self.rates.get(optimizer, [])
        largest, idle = max(rates, default=0.0), 0
        idle = sum(rate < NOTHING * largest for rate in rates)
        if len(rates) < ENOUGH or idle <= len(rates) / 3 or rates[-1] > min(rates):
            return
        source = self.run.source
        setting = [
            node.lineno for node in source.nodes if isinstance(node, ast.AugAssign) and _is_rate(code(node.target))
        ]
        setting += [assignment.line for assignment in source.assignments if _is_rate(assignment.name)]
        yield Finding(
            "rate_cut_to_nothing",
            f"The script cuts the learning rate of `{optimizer.title}` to nothing: in {idle} of {len(rates)} steps it "
            f"is below {NOTHING:g} of its largest, {largest:g}, and at {rates[-1]:.3g} in the end.",
            "A factor that suits epochs is far too small for every step: factors multiply.",
            "group['lr'] *= 0.8   # once an epoch, outside the loop over batches",
            source.place(setting[0]) if setting else optimizer.place,
            {"first_rate": rates[0], "last_rate": rates[-1], "steps": len(rates)},
        )


def _is_rate(target: str) -> bool:
    """Whether what is set is the learning rate of a group of parameters."""
    return target.endswith("['lr']")


def _of_another(one: Schedule, optimizer: WatchedOptimizer) -> Finding:
    return Finding(
        "scheduler_of_another_optimizer",
        f"The scheduler {one.kind} was made for an optimizer that never takes a step; `{optimizer.title}`, which does, "
        "is another one, and its learning rate stays as it is.",
        "A scheduler changes the rate of the optimizer that it was given, and of no other.",
        f"scheduler = torch.optim.lr_scheduler.{one.kind}({optimizer.title}, ...)   # after {optimizer.title} is made",
        one.place,
        {"scheduler_steps": len(one.optimizer_steps), "optimizer_steps": optimizer.steps},
        WARNING,
    )


def _judged(one: Schedule, rates: list[float]) -> Finding | None:
    steps, total = one.optimizer_steps, one.optimizer.steps
    if total < ENOUGH:
        return None
    evidence: dict[str, object] = {"optimizer_steps": total, "scheduler_steps": len(steps)}
    if not steps:
        return Finding(
            "scheduler_never_stepped",
            f"The scheduler {one.kind} is never stepped, so the learning rate stays as it is.",
            "A scheduler changes the rate only where its `step` is called.",
            "scheduler.step()   # at the end of each epoch, after optimizer.step()",
            one.place,
            evidence,
            WARNING,
        )
    if steps[0] == 0 and len(steps) > 1:
        return Finding(
            "scheduler_before_optimizer",
            f"The scheduler {one.kind} is stepped before the optimizer has taken a step: they are in the wrong order.",
            "The first value of the learning rate is skipped, and the schedule runs one step ahead.",
            "optimizer.step()\nscheduler.step()   # after it",
            one.where,
            evidence,
            WARNING,
        )
    wrong = _plateau(one, evidence) or _rate_for_factor(one, rates, evidence)
    if wrong is not None:
        return wrong
    largest = max(rates, default=0.0)
    idle = sum(rate < NOTHING * largest for rate in rates)
    often = len(steps) > total / 2
    if idle > len(rates) / 3 and largest > 0.0:
        every = "every batch" if often else f"{counted(len(steps), 'time')}"
        return Finding(
            "scheduler_too_fast",
            f"The scheduler {one.kind}, stepped {every}, has cut the learning rate to nothing: in {idle} of "
            f"{len(rates)} steps "
            f"it is below {NOTHING:g} of its largest, {largest:g}, and at {min(rates):.3g} in the end.",
            "Its settings count epochs, not batches, where it is stepped once an epoch.",
            "scheduler.step()   # once an epoch, outside the loop over batches; or settings that count batches",
            one.where,
            evidence | {"first_rate": rates[0], "last_rate": rates[-1]},
        )
    return _cyclic(one, often, evidence)


def _cyclic(one: Schedule, often: bool, evidence: dict[str, object]) -> Finding | None:
    """Judge schedules that know their length."""
    count, scheduler = len(one.optimizer_steps), one.scheduler
    length, total = getattr(scheduler, "T_max", None), getattr(scheduler, "total_steps", None)
    if one.kind == "CosineAnnealingLR" and length and often and count > 2 * length:
        return Finding(
            "scheduler_too_fast",
            f"The scheduler CosineAnnealingLR is stepped {count} times, every batch, but T_max is {length}: the "
            "learning "
            "rate falls to its floor and rises again, over and over.",
            "T_max counts calls of `step`.",
            "scheduler.step()   # once an epoch; or T_max=epochs * len(loader)",
            one.where,
            evidence | {"T_max": length},
        )
    milestones = getattr(scheduler, "milestones", None)
    if one.kind == "MultiStepLR" and milestones and often and EARLY * max(milestones) < count:
        return Finding(
            "scheduler_too_fast",
            f"The scheduler MultiStepLR is stepped {count} times, every batch, and has passed its last milestone, "
            f"{max(milestones)}, almost at once: the learning rate is {one.optimizer.last_rate:.3g} from then on.",
            "Milestones count calls of `step`.",
            "scheduler.step()   # once an epoch; or milestones that count batches",
            one.where,
            evidence | {"milestones": sorted(milestones)},
        )
    if one.kind == "OneCycleLR" and total and count < total / 2 and one.optimizer.steps > 2 * count:
        return Finding(
            "scheduler_too_slow",
            f"The scheduler OneCycleLR has gone {count} of its {total} steps: it is stepped once an epoch, and is "
            "made to "
            "be stepped every batch.",
            "The learning rate is still on its way up, or never comes down.",
            "scheduler.step()   # after every optimizer.step()",
            one.where,
            evidence | {"total_steps": total},
            WARNING,
        )
    return None


def _rate_for_factor(one: Schedule, rates: list[float], evidence: dict[str, object]) -> Finding | None:
    """Judge functions that return a rate where a factor is wanted, so that the rate is multiplied with itself."""
    if not rates:
        return None
    set_to, largest = next(iter(getattr(one.scheduler, "base_lrs", ())), 0.0), max(rates)  # of the first group
    if one.kind == "MultiplicativeLR":
        if sum(rate < NOTHING * largest for rate in rates) <= len(rates) / 3 or not rates[-1] < largest:
            return None
        factor = (rates[-1] / largest) ** (1 / len(one.optimizer_steps))
        returns = f"{factor:.2g} on average"
        function = "lambda epoch: 0.95)   # the factor from one rate to the next, near 1"
    elif one.kind == "LambdaLR" and 0.0 < largest < FACTOR * set_to < FACTOR:
        factor = largest / set_to
        returns = f"{factor:.3g} at most"
        # A warm-up that has not ended is another matter, unless it goes up to about the rate and no further.
        if largest > 1.5 * rates[0] and not set_to / 3 < factor < 3 * set_to:
            return None
        function = "lambda epoch: 0.95**epoch)   # a factor, 1 at first: the rate itself is the lr"
    else:
        return None
    by = "the rate so far, at each of its steps" if one.kind == "MultiplicativeLR" else f"the lr, {set_to:g}"
    return Finding(
        "scheduler_factor",
        f"The learning rate is far too small: the function of {one.kind} returns {returns}, as if that were a rate, "
        f"but it is a factor, which multiplies {by}. The largest rate is {largest:.3g}, the last {rates[-1]:.3g}.",
        "Multiplied with what is a rate already, such numbers leave next to nothing of it.",
        f"scheduler = torch.optim.lr_scheduler.{one.kind}({one.optimizer.title}, {function}",
        one.place,
        evidence | {"lr": set_to, "factor": factor, "largest_rate": largest, "last_rate": rates[-1]},
    )


def _plateau(one: Schedule, evidence: dict[str, object]) -> Finding | None:
    """Judge whether ReduceLROnPlateau looks for the right end of what it is given."""
    given, mode, place = one.metrics, getattr(one.scheduler, "mode", ""), one.stepped_at
    if len(given) < 3 or place is None:
        return None
    named = any(word in place.code.lower() for word in BETTER_IF_LARGE)
    better_if_large = named or (_cut(one) and _shares(given))
    early, late = mean(given[: max(1, len(given) // 4)]), mean(given[-max(1, len(given) // 4) :])
    falls, rises = late < early and _cut(one), late > early
    if (mode == "max" and falls and not better_if_large) or (mode == "min" and rises and better_if_large):
        other = "min" if mode == "max" else "max"
        return Finding(
            "scheduler_wrong_mode",
            f'The scheduler ReduceLROnPlateau is in the mode "{mode}", but what it is given went from '
            f"{early:.4g} to {late:.4g}, for the better: the learning rate is cut all the same.",
            'A loss is better the smaller it is, mode="min"; an accuracy the larger, mode="max".',
            f'torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="{other}")',
            one.place,
            evidence | {"mode": mode, "first": given[0], "last": given[-1]},
        )
    return None


def _shares(values: list[float]) -> bool:
    """Whether numbers are shares of a whole number of rows, such as an accuracy, in parts of 1 or of 100."""
    for unit in (1.0, 100.0):
        if all(0.0 <= value <= unit for value in values):
            for rows in range(2, MOST_ROWS):
                parts = [value / unit * rows for value in values]
                if all(abs(part - round(part)) < 1e-4 for part in parts):
                    return len(set(values)) > 1
    return False


def _cut(one: Schedule) -> bool:
    first, last = one.optimizer.first_rate, one.optimizer.last_rate
    return first is not None and last is not None and last < first
