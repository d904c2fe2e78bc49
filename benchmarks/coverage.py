"""Do 95% intervals hold the true value in 95% of data sets? Each kind of interval, on simulated rows.

    python benchmarks/coverage.py --sets 1000
    python benchmarks/coverage.py distributions --sets 1000
    python benchmarks/coverage.py curves --sets 600 --only "two rates"

The tables are in `coverage_cases`: curves, robust losses and quantiles, distributions, quantities and inverse
predictions. For each case and kind of interval it is shown in which share of the data sets the interval of each name
held the true value; one that cannot be made holds nothing, and is counted in brackets. With 1,000 sets a share of 95%
is itself uncertain by 1.4 points. Exits 1 if a share that is judged is outside its target.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from coverage_cases import curves, distributions, quantities, robust
from coverage_cases.case import Case, Held, gathered

TABLES: dict[str, dict[str, Case]] = {
    "curves": curves.CASES,
    "robust": robust.CASES,
    "distributions": distributions.CASES,
    "quantities": quantities.CASES,
}


def part(table: str, name: str, seeds: range) -> Held:
    """Count over a share of the data sets: a process is sent the name of a case."""
    return TABLES[table][name].held(seeds)


def lines(case: Case, found: Held) -> Iterator[tuple[str, bool]]:
    """Yield a line for each kind of interval, and whether a share that is judged is outside its target."""
    for method, names in found.items():
        low, high = case.targets.get(method, (0.0, 1.0))
        shares = {name: float(np.nansum(held)) / len(held) for name, held in names.items()}
        bad = [name for name, share in shares.items() if not low <= share <= high and name not in case.shown]
        none = max(int(np.isnan(held).sum()) for held in names.values())
        cells = "  ".join(f"{name} {100 * share:.1f}%" for name, share in shares.items())
        outside = f"   outside: {', '.join(bad)}" if bad else ""
        yield f"  {method:<11}{cells}{f'   (none for {none:,} sets)' if none else ''}{outside}", bool(bad)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"{', '.join(TABLES)}; all of them if left out")
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--only", metavar="NAME", choices=[name for table in TABLES.values() for name in table])
    asked = parser.parse_args()
    if unknown := sorted(set(asked.tables) - TABLES.keys()):
        parser.error(f"there is no table {unknown[0]}; those that are: {', '.join(TABLES)}")
    workers, missed = os.cpu_count() or 1, False
    with ProcessPoolExecutor(workers) as pool:
        for table in asked.tables or TABLES:
            for name, case in TABLES[table].items():
                if asked.only not in (None, name):
                    continue
                began = time.perf_counter()
                parts = [pool.submit(part, table, name, range(k, asked.sets, workers)) for k in range(workers)]
                found = gathered(each.result() for each in parts)
                print(f"{name}: {case.title}, {asked.sets:,} data sets, {time.perf_counter() - began:.1f} s")
                for line, bad in lines(case, found):
                    print(line, flush=True)
                    missed |= bad
    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
