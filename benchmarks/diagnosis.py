"""The black box on runs whose cause is known: how often it names the right one, and whether it accuses healthy runs.

The corpus is ``diagnosis_corpus.py``; another --seed is another corpus of the same kinds. Targets: the right cause in
at least 95% of the faulty runs, and no cause at all for any healthy one; otherwise it exits with status 1.

    python benchmarks/diagnosis.py --seed 0 1 2
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import numpy as np
import torch

try:
    from benchmarks.diagnosis_corpus import Entry, runs
except ImportError:  # as a script
    from diagnosis_corpus import Entry, runs  # type: ignore[import-not-found,no-redef]

RIGHT = 0.95
Told = list[tuple[Entry, str | None, str]]


def told(seed: int, only: str = "") -> Told:
    """Make every run of a corpus and return what each was told as."""
    found: Told = []
    for entry, random in runs(seed):
        if only not in entry.name:
            continue
        fit = entry.run(random)
        outcome = f"{fit.outcome} after {fit.epochs}: {fit.diagnosis.sentence or fit.advice}"
        found.append((entry, None if fit.cause is None else str(fit.cause), outcome))
    return found


def table(found: Told) -> str:
    """Return the table of confusions: rows are what a run is, columns what it was told as."""
    counted = Counter((entry.cause or "healthy", cause or "healthy") for entry, cause, _ in found)
    names = [*dict.fromkeys(entry.cause or "healthy" for entry, _, _ in found)]
    names += [cause for _, cause in counted if cause not in names]
    names = list(dict.fromkeys(names))
    width = max(map(len, names))
    heads = [name[:9] for name in names]
    lines = [" " * width + "  told as " + "".join(f"{head:>11}" for head in heads)]
    for name in names:
        cells = "".join(f"{counted[name, other] or '.':>11}" for other in names)
        lines.append(f"{name:{width}}" + " " * 10 + cells)
    return "\n".join(lines)


def main() -> int:
    """Print the table of each seed; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--only", default="", help="runs whose name holds this text")
    parser.add_argument("--show", action="store_true", help="print what each run was told as")
    options = parser.parse_args()
    torch.set_num_threads(1)
    good = True
    for seed in options.seed:
        began = time.perf_counter()
        with np.errstate(all="ignore"):
            found = told(seed, options.only)
        faulty = [each for each in found if each[0].cause is not None]
        right = sum(cause == entry.cause for entry, cause, _ in faulty)
        alarms = [each for each in found if each[0].cause is None and each[1] is not None]
        healthy = len(found) - len(faulty)
        seconds = time.perf_counter() - began
        share = right / max(len(faulty), 1)
        print(f"\nseed {seed}: {len(faulty)} faulty runs, {healthy} healthy ones, {seconds:.0f} s\n")
        print(table(found))
        print(f"\nright cause: {right} of {len(faulty)} ({share:.1%}); false alarms: {len(alarms)}")
        for entry, cause, outcome in found:
            if options.show or cause != entry.cause:
                print(f"  {entry.name}: {cause or 'healthy'}, is {entry.cause or 'healthy'}; {outcome[:230]}")
        good = good and right >= RIGHT * len(faulty) and not alarms
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
