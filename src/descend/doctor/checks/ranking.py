"""Ranking losses that put the worse above the better, as far as the names of what they are given tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from descend.doctor.checks.activations import passed
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import Operation
from descend.doctor.run import Run
from descend.doctor.source import Source, code
from descend.doctor.user_code import Place

ENOUGH = 5
EDGES = r"(?<![a-zA-Z])({})(s|ed)?(?![a-zA-Z])"
BETTER = re.compile(EDGES.format("pos|positive|better|good|relevant|chosen|winner|preferr|clicked"), re.I)
WORSE = re.compile(EDGES.format("neg|negative|worse|bad|irrelevant|reject|rejected|loser|unclicked"), re.I)
DISTANCE = re.compile(r"dist|energ|cost|loss|err|norm", re.I)
"""What says of numbers that they are the better the smaller they are."""
DISTANCES = ("Norm", "LinalgVectorNorm", "Dist", "Cdist", "Sqrt", "Pow", "Abs")


class Ranking(Check):
    """Looks at the target of ranking losses, and reads what the ranked are called."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.targets: Counter[tuple[Place | None, str, int]] = Counter()
        """Calls by their lines: which loss, and 1 or -1 where that is the target of all pairs, else 0."""

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if name not in ("margin_ranking_loss", "triplet_margin_loss") or len(tensors) < 3:
            return
        node = passed(tensors[0].grad_fn)
        if name == "margin_ranking_loss" and node is not None and node.name().startswith(DISTANCES):
            return
        low, high = float(tensors[2].min()), float(tensors[2].max())
        sign = int(low) if low == high and abs(low) == 1.0 else 0
        self.targets[operation.place, name, 1 if name == "triplet_margin_loss" else sign] += 1

    def findings(self) -> Iterator[Finding]:
        for (place, name, sign), times in self.targets.items():
            if times < ENOUGH or not sign or place is None:
                continue
            skipped = 1 if name == "triplet_margin_loss" else 0  # its first is the anchor
            source = Source.of(place.file)
            for call in source.calls_at(place.line):
                ranked = [code(argument) for argument in call.args[skipped : skipped + 2]]
                if len(ranked) == 2 and sign * _above(ranked) < 0 and not _are_distances(ranked, source, name):
                    yield _upside_down(name, ranked, sign, place)
                    return


def _above(ranked: list[str]) -> int:
    """Return 1 if the first is the better one by its name, -1 if the second is, 0 if names do not tell."""
    worse, better = ([bool(kind.search(name)) for name in ranked] for kind in (WORSE, BETTER))
    if better == [True, False] and worse == [False, True]:
        return 1
    return -1 if better == [False, True] and worse == [True, False] else 0


def _are_distances(ranked: list[str], source: Source, name: str) -> bool:
    """Whether what is ranked is small where it is good."""
    origins = [code(assignment.value) for assignment in source.assignments if assignment.name in ranked]
    return name == "margin_ranking_loss" and any(DISTANCE.search(text) for text in (*ranked, *origins))


def _upside_down(name: str, ranked: list[str], sign: int, place: Place) -> Finding:
    first, second = ranked
    if name == "triplet_margin_loss":
        sentence = f"`{name}` takes the anchor, then what is like it, then what is not; it is given `{first}` before "
        sentence += f"`{second}`."
        why, fix = "It pulls what comes second to the anchor.", f"{name}(anchor, {second}, {first})"
    else:
        upper, lower = ranked if sign > 0 else ranked[::-1]
        sentence = f"The ranking is upside down: with the target {sign} for all pairs, `{name}` wants `{upper}` to be "
        sentence += f"larger than `{lower}`."
        why = "A target of 1 says that the first is to be the larger, -1 that the second is."
        fix = f"target = torch.{'ones' if sign < 0 else 'full'}_like({first}{', -1.0' if sign > 0 else ''})"
    return Finding("ranking_upside_down", sentence, why, fix, place, {"target": sign} if "margin_r" in name else {})
