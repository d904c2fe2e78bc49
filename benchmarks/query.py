"""Fit a*exp(-b*x) + c to rows that stay in a Parquet file, beside DuckDB's own sum of the two columns.

Prints the time of a fit, of each pass over the rows, the passes in DuckDB's `select sum(x), sum(y)`, and peak memory.
Target: at most 4 times that sum for each pass, and less than 1 GiB.

    python benchmarks/query.py --rows 10_000_000
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

MADE = """
copy (
    select x, 2.5e0*exp(-1.3e0*x) + 0.5e0 + 0.1e0*sqrt(-2*ln(1 - random()))*cos(2*pi()*random()) as y
    from (select 5*random() as x from range({rows}))
) to '{path}' (format parquet)
"""


def plain_sum(path: Path) -> float:
    """Return the median time that DuckDB takes to sum both columns."""
    with duckdb.connect() as connection:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            connection.execute(f"select sum(x), sum(y) from '{path}'").fetchone()
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def fit(path: Path, limit: str) -> None:
    """Fit in this process, which does nothing else, and print what it took."""
    import descend
    from descend.engines.query import QueryEngine

    passes: list[tuple[int, float]] = []
    evaluate = QueryEngine.evaluate

    def timed(self: QueryEngine, theta: object, order: int = 1, rows: object = None) -> object:
        start = time.perf_counter()
        totals = evaluate(self, theta, order, rows)  # type: ignore[arg-type]
        passes.append((order, time.perf_counter() - start))
        return totals

    QueryEngine.evaluate = timed  # type: ignore[method-assign, assignment]
    start = time.perf_counter()
    fitted = descend.fit("y ~ a*exp(-b*x) + c", str(path), engine="query", memory_limit=limit)
    whole = time.perf_counter() - start
    each = statistics.median(seconds for _, seconds in passes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{fitted!r}")
    print(f"{whole:.3f} {each:.4f} {len(passes)} {peak:.0f}")


def main() -> None:
    """Write the rows, fit them in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="how many rows (default 10 million)")
    parser.add_argument("--memory-limit", default="1GiB", help="of the fit (default 1GiB)")
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fit is not None:
        fit(given.fit, given.memory_limit)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        with duckdb.connect() as connection:
            connection.execute(MADE.format(rows=given.rows, path=path))
        size = os.path.getsize(path) / 1e6
        command = [sys.executable, __file__, "--fit", str(path), "--memory-limit", given.memory_limit]
        *said, numbers = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        whole, each, passes, peak = map(float, numbers.split())
        plain = plain_sum(path)
    print("\n".join(said))
    print(f"{given.rows:,} rows, {size:.0f} MB of Parquet, memory limit {given.memory_limit}")
    print(f"fit                      {whole:8.3f} s, {passes:.0f} evaluations")
    print(f"each evaluation          {each * 1e3:8.1f} ms")
    print(f"select sum(x), sum(y)    {plain * 1e3:8.1f} ms")
    for name, measured, target, unit in (("evaluation / sum", each / plain, 4.0, ""), ("peak", peak, 1024.0, " MiB")):
        verdict = "met" if measured <= target else "MISSED"
        print(f"{name:<24} {measured:8.1f}{unit} (target at most {target:g}{unit}: {verdict})")


if __name__ == "__main__":
    main()
