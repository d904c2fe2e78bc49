"""Everything at size, in one table per part, each contender in a process of its own; peak memory beside each.

a: a formula over 10 million rows, beside SciPy, lmfit, JAX and PyTorch.   b: linear regression, 10 million x 10.
c: logistic and poisson regression, 1 million x 50.   d: 100 million rows of Parquet, more than the memory allowed.

    python benchmarks/scale --parts a,b,c,d --share 1 --rounds 3
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from beside import HERE, alone, measure, show

PARTS = {"a": "formula", "b": "linear", "c": "likelihood", "d": "memory"}


def main() -> None:
    """Make the data of each part, measure, and print the tables; or run one contender in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="a,b,c,d", help="which, by commas (default all)")
    parser.add_argument("--share", type=float, default=1.0, help="of the rows (default 1; 0.01 is a quick look)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run; the median counts (default 3)")
    parser.add_argument(
        "--only", default="", help="contenders whose names contain one of these words, by commas; no targets then"
    )
    parser.add_argument("--folder", type=Path, help="where data are kept, and found again (default: a temporary one)")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        part, name = given.alone
        module = importlib.import_module(PARTS[part])
        alone(next(each for each in module.CONTENDERS if each.name == name), given.folder)
        return
    if given.make:
        part, rows = given.make
        importlib.import_module(PARTS[part]).make(given.folder, int(rows))
        return
    print(f"{os.cpu_count()} processors")
    for part in given.parts.split(","):
        module = importlib.import_module(PARTS[part])
        rows = int(module.ROWS * given.share)
        with tempfile.TemporaryDirectory() as temporary:
            folder = (given.folder or Path(temporary)) / f"{part}{rows}"
            if not folder.exists():
                folder.mkdir(parents=True)
                # Not in this process: what it ever took would count as the peak of those it starts.
                command = [sys.executable, str(HERE), "--make", part, str(rows), "--folder", str(folder)]
                subprocess.run(command, check=True)
            words = given.only.split(",")
            names = {each.name: each.rounds for each in module.CONTENDERS if any(word in each.name for word in words)}
            found = measure(part, names, folder, given.rounds)
            if len(found) == len(module.CONTENDERS):
                module.report(found, rows)
            elif found:  # the targets compare all of them
                show(f"({part}) {rows:,} rows", found, next(iter(found)))


if __name__ == "__main__":
    main()
