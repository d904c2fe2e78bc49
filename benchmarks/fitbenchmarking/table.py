"""Run FitBenchmarking on the problem sets that it ships, and print one table of accuracy and time.

    pip install descend ./benchmarks/fitbenchmarking lmfit pygsl
    python benchmarks/fitbenchmarking/table.py [--results FOLDER] [PROBLEM SET ...]

`solved` counts problems (each from each of its starts) whose cost is at most 1 + 1e-6 times the best that any software
reached. Times are of SciPy's `leastsq`: the median ratio over the problems that both solved. A problem is run five
times: `first` is the first run, in which descend traces the function, `later` the median of the others. (GSL's
controller goes on from where its first run ended, so it has no later runs.)
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import fitbenchmarking

HERE = Path(__file__).parent
SHIPPED = sorted(Path(fitbenchmarking.__file__).parent.glob("benchmark_problems/*/*/META.txt"))
REFERENCE = ("scipy_leastsq", "lm-leastsq")
GOES_ON = {"gsl"}
SOLVED = 1 + 1e-6
TINY = 1e-20
"""Sums of squares below it are zero to rounding: any two are equally good."""


def main() -> None:
    """Run the problem sets that were asked for, else all that are shipped."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("problems", nargs="*", default=[str(file.parent) for file in SHIPPED])
    arguments.add_argument("--results", type=Path, default=Path("fitbenchmarking_results"))
    asked = arguments.parse_args()
    run = "from descend_fitbenchmarking import main; main()"
    options = ["-o", str(HERE / "options.ini"), "-r", str(asked.results), "-p", *asked.problems]
    subprocess.run([sys.executable, "-c", run, *options], check=True, stdout=subprocess.DEVNULL)
    sets = json.loads((asked.results / "checkpoint.json").read_text())
    print("\n".join(lines([result for found in sets.values() for result in found["results"]])))


def lines(results: list[dict]) -> list[str]:
    """The table in Markdown, a row for each minimizer."""
    by_problem = defaultdict(list)
    for result in results:
        by_problem[result["name"]].append(result)
    solved, first, later = defaultdict(int), defaultdict(list), defaultdict(list)
    for tried in by_problem.values():
        best = min(result["accuracy"] for result in tried)
        good = {_key(result): result for result in tried if result["accuracy"] <= max(best * SOLVED, TINY)}
        for key, result in good.items():
            solved[key] += 1
            if REFERENCE in good:
                first[key].append(_first(result) / _first(good[REFERENCE]))
                later[key].append(_later(result) / _later(good[REFERENCE]))
    return [
        f"| software | minimizer | solved, of {len(by_problem)} | first run / leastsq | later runs / leastsq |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {key[0]} | {key[1]} | {solved[key]} | {_median(first[key])} "
            f"| {_median(later[key] if key[0] not in GOES_ON else [])} |"
            for key in sorted({_key(result) for result in results}, key=lambda key: -solved[key])
        ),
    ]


def _key(result: dict) -> tuple[str, str]:
    return result["software"], result["minimizer"]


def _first(result: dict) -> float:
    return result["runtimes"][0]


def _later(result: dict) -> float:
    return statistics.median(result["runtimes"][1:])


def _median(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2g}" if ratios else "-"


if __name__ == "__main__":
    main()
