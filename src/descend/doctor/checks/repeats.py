"""Training on the same rows in every step, and random numbers that begin anew in the loop."""

from __future__ import annotations

import ast
import re
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, islice, pairwise
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import Operation
from descend.doctor.rows import MOST, Taken
from descend.doctor.run import Backward, Run
from descend.doctor.source import Source, callee, scope_of
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

ENOUGH = 5
SAME = 0.9
PART = 0.5
"""A batch of more than this share of all rows is no batch of them."""
SEEDING = {"manual_seed", "default_rng", "RandomState", "Random", "seed"}
ENOUGH_DRAWS = 3
"""Orders drawn at random, by loaders or permutations, of which it shows that they are the same."""
ON_PURPOSE = re.compile(
    r"by heart|memori[sz]|sanity.?check|overfit\w*[ _](to |on )?(one|a|the|single|first|this)[ _]|"
    r"(one|single|fixed)[ _]batch",
    re.I,
)
"""What an author says who lets a model learn one batch, to see whether it can."""


class Repeats(Check):
    """Compares what the model is given from step to step, by the sums of its numbers."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.last_inputs: weakref.ref[Tensor] | None = None
        self.fingerprints: list[tuple[float, ...]] = []
        self.part_of_step: list[Taken | None] = []
        self.tables_tested_on: set[int] = set()
        self.steps: list[int] = []
        self.seeds: dict[tuple[Place | None, int, str], list[int]] = {}
        self.table: Taken | None = None
        self.batches_of_loader: Counter[int] = Counter()
        """How many batches each loader has handed out."""
        self.trained_at: Place | None = None
        self.draws = self.drawing = 0

    def replaces(self) -> Iterator[Replacement]:
        import random

        import numpy as np
        import torch

        yield torch, "manual_seed", self._seeded
        yield random, "seed", self._seeded
        yield np.random, "seed", self._seeded
        yield torch, "set_rng_state", self._restored
        yield random, "setstate", self._restored
        yield np.random, "set_state", self._restored

    def _seeded(self, theirs: Callable[..., object], *args: object, **kwargs: object) -> object:
        seed = args[0] if args else next(iter(kwargs.values()), None)
        if seed is not None:
            # A seed set anew for each model, as over folds, is no fault: each model has an optimizer of its own.
            key = (self._calling(), len(self.run.optimizers), str(seed))
            self.seeds.setdefault(key, []).append(self.run.steps)
        return theirs(*args, **kwargs)

    def _calling(self) -> Place | None:
        """Return the line that sets a seed: of a function that does nothing else, the line that calls it."""
        for frame in self.run.user_code.frames():
            place = Place(frame.f_code.co_filename, frame.f_lineno)
            if not only_seeds(place.file, frame.f_code.co_firstlineno):
                return place
        return self.run.here()

    def _restored(self, theirs: Callable[..., object], *args: object, **kwargs: object) -> object:
        """Forget a seed after which the random numbers go on as they were before, as for a picture of each epoch."""
        for steps in self.seeds.values():
            if steps and steps[-1] == self.run.steps:
                steps.pop()
        return theirs(*args, **kwargs)

    def batch(self, iterator: object, tensors: Sequence[Tensor]) -> None:
        from torch.utils.data import RandomSampler

        loader = getattr(iterator, "_dataset", iterator)
        self.batches_of_loader[id(loader)] += 1
        if len(self.fingerprints) > MOST:
            return
        sampler = getattr(iterator, "_index_sampler", ())
        if isinstance(getattr(sampler, "sampler", None), RandomSampler) and id(iterator) != self.drawing:
            self.drawing, self.draws = id(iterator), self.draws + 1

    def operation(self, operation: Operation) -> None:
        self.draws += operation.name == "randperm" and len(self.fingerprints) <= MOST

    def backward_begins(self, backward: Backward) -> None:
        self.trained_at = backward.place

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if not inputs or len(self.fingerprints) > MOST or inputs[0].layout != torch.strided or not inputs[0].numel():
            return
        part = self.run.rows.taken.of(inputs[0])
        numbers = inputs[0].detach().reshape(-1).double()
        seen = (float(numbers.sum()), float(numbers.square().sum()), float(len(inputs[0])), float(numbers[0]))
        if not torch.is_grad_enabled():
            if part is not None and (not self.fingerprints or seen != self.fingerprints[-1]):
                self.tables_tested_on.add(part.key)  # other rows of the same table are kept for tests
            return
        if part is None and len(self.fingerprints) == ENOUGH and len(set(self.fingerprints)) == 1:
            anew = self.last_inputs is None or self.last_inputs() is not inputs[0]
            self.table = self._table_of(inputs[0]) if anew else None
        self.last_inputs = weakref.ref(inputs[0])
        self.fingerprints.append(seen)
        self.part_of_step.append(part)
        self.steps.append(self.run.steps)

    def _table_of(self, rows: Tensor) -> Taken | None:
        """Return that the user holds an array of many more such rows, where these are made anew at each step."""
        if rows.ndim < 2:
            return None
        user_code = self.run.user_code
        place, name = self.run.model_called_at, user_code.name_of(rows)
        if place is not None and name is not None:
            lines = [line for scope in self.run.source.scopes for line in scope.lines_that_set(name)]
            before = [line for line in lines if line <= place.line]
            place = Place(place.file, max(before)) if before else place
        for _, value in user_code.variables():
            shape = getattr(value, "shape", None)
            alike = isinstance(shape, tuple) and len(shape) == rows.ndim and tuple(shape[1:]) == tuple(rows.shape[1:])
            if shape is not None and alike and len(rows) <= PART * shape[0]:
                return Taken(place, len(rows), int(shape[0]), id(value))
        return None

    def findings(self) -> Iterator[Finding]:
        if self.run.steps >= ENOUGH:
            looks = (self._seeds, self._same, self._same_in_epoch, self._same_order)
            yield from islice((finding for look in looks for finding in look()), 1)

    def _same_order(self) -> Iterator[Finding]:
        """Look for an order of batches that is drawn at random and yet the same in each epoch."""
        prints = self.fingerprints[:MOST]
        period = next((at for at, one in enumerate(prints) if at and one == prints[0]), 0)
        alike = period > 1 and len(prints) >= 3 * period and prints[period:] == prints[:-period]
        place = _seeding(self.run.source) if alike and self.draws >= ENOUGH_DRAWS else None
        if place is not None:
            yield _seeded(place, len(prints) // period)

    def _same(self) -> Iterator[Finding]:
        taken = [one for one, step in zip(self.fingerprints, self.steps, strict=True) if step] or self.fingerprints
        most = max(set(taken), key=taken.count, default=None)
        if most is None or len(taken) < ENOUGH or taken.count(most) < SAME * len(taken):
            return
        parts = [one for one, seen in zip(self.part_of_step, self.fingerprints, strict=True) if seen == most]
        part = self.table or parts[-1]
        if part is None or part.key in self.tables_tested_on or part.rows > PART * part.of:
            return
        if not part.batches and self.table is None and len({id(one) for one in parts}) < ENOUGH:
            return  # taken once, before the loop: the rest is for tests
        once = part.batches and self.batches_of_loader[part.key] == 1
        source, line = self.run.source, self.trained_at.line if self.trained_at else 0
        in_epochs = len(source.loops_around(line)) > 1  # as the loop over batches is in that over epochs
        if source.mentions(ON_PURPOSE) or (once and not in_epochs):
            return
        cause = _seeding(source)
        if cause is not None:
            yield _seeded(cause, len(taken))
            return
        how = f"the loader has {part.batches} batches" if part.batches else f"there are {part.of}"
        yield Finding(
            "same_batch",
            f"Every step takes the same batch: the same {part.rows} rows again and again, although {how}.",
            "`next(iter(loader))` makes a new iterator, whose first batch is the same rows again; a slice with fixed "
            "ends is the same slice.",
            "for x, y in loader:   # all batches, one after the other; of tensors: x[i : i + size], i moving on",
            part.place,
            {"rows": part.rows, "of": part.of, "steps": len(taken)},
        )

    def _same_in_epoch(self) -> Iterator[Finding]:
        """Look for steps as many as there are batches, which all take the same rows, until the next order is drawn."""
        gaps = (at for at, (one, after) in enumerate(pairwise(self.steps), 1) if after - one > 1)
        closely = next(gaps, len(self.steps))  # of a long run only each 16th step is looked at later on
        first_of = dict(
            reversed(list(zip(self.steps[:closely], self.fingerprints, strict=False)))
        )  # several models, one step
        runs = [(seen, len(list(run))) for seen, run in groupby(first_of[step] for step in sorted(first_of))]
        lengths = {length for _, length in runs[:-1]}
        part = self.table or next((one for one in self.part_of_step if one is not None), None)
        if (
            len(runs) < 3
            or len(lengths) > 1
            or min(lengths) < 3
            or part is None
            or part.batches
            or part.rows > PART * part.of
        ):
            return
        first = self.part_of_step[: runs[0][1]]
        taken_anew = self.table is not None or len({id(one) for one in first}) == len(first)
        if taken_anew and part.of // part.rows in {length + more for length in lengths for more in (-1, 0)}:
            yield Finding(
                "same_batch",
                f"Every step of an epoch takes the same batch: the same {part.rows} rows again and again, although "
                f"there are {part.of}; the slice does not move on.",
                "All other rows of the epoch are never seen, and the model learns one batch of them by heart.",
                "rows = order[i : i + size]   # i moving on, for inputs and targets alike",
                part.place,
                {"rows": part.rows, "of": part.of, "steps_in_an_epoch": runs[0][1]},
            )

    def _seeds(self) -> Iterator[Finding]:
        for (place, *_), steps in self.seeds.items():
            if sum(after > before for before, after in pairwise(steps)) >= ENOUGH:
                yield _seeded(place, len(steps))
                return


@lru_cache(maxsize=64)
def only_seeds(file: str, line: int) -> bool:
    """Whether the function at a line sets seeds and does nothing else."""
    body = next((function.body for function in Source.of(file).functions if function.lineno == line), [])
    calls = [one.value for one in body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call)]
    others = [one for one in body if not isinstance(one, ast.Expr | ast.Assign)]
    return bool(calls) and not others and all("seed" in callee(call) for call in calls)


def _seeding(source: Source) -> Place | None:
    """Return a line in a loop, or in a function that one calls, which makes a generator with a fixed seed."""
    scopes = [scope_of(loop) for scope in source.scopes for loop in scope.loops]
    functions = {function.name: scope_of(function) for function in source.functions}
    for scope in scopes:  # grows while it is gone through, by the functions that are called
        scopes += [functions.pop(name) for name in {callee(call) for call in scope.calls} & functions.keys()]
    for scope in scopes:
        for call in scope.calls:
            if callee(call) in SEEDING and call.args and isinstance(call.args[0], ast.Constant):
                return source.place(call.lineno)
    return None


def _seeded(place: Place | None, times: int) -> Finding:
    return Finding(
        "seed_in_loop",
        f"The seed is set anew {times} times while the model is trained.",
        "Each time the same random numbers come again: the same batch, the same rows, the same dropout.",
        "torch.manual_seed(0)   # once, at the top of the script",
        place,
        {"times": times},
        WARNING,
    )
