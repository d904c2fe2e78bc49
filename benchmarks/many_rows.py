"""Time and memory of one fit for each group of a Parquet file beyond memory, beside pandas' groupby with curve_fit.

    python benchmarks/many_rows.py --groups 100000 --rows 100 --memory-limit 1GiB --spark

Each way runs in a process of its own, whose peak memory is measured; curve_fit is timed on some groups, with the starts
that descend finds by itself. The answers of all ways are compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FORMULA = "y ~ a*exp(-b*x) + c"
BY = "well"
RUN = """
import json, sys, time
from pathlib import Path
import numpy as np
import descend

source, folder, limit, engine = sys.argv[1:]
began = time.perf_counter()
fits = descend.fit("y ~ a*exp(-b*x) + c", source, by="well", engine=engine, memory_limit=limit or None)
seconds = time.perf_counter() - began
values = np.column_stack([*fits.parameters.values(), *fits.standard_errors.values()])
np.save(folder, values)
status = Path("/proc/self/status").read_text().splitlines()  # of this process alone
peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
print(json.dumps({"seconds": seconds, "peak": peak, "counts": fits.counts, "notes": fits.notes}))
"""


def written(folder: Path, groups: int, rows: int) -> Path:
    """Write decays with noise, in no order, for each group."""
    import duckdb

    path = folder / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        noise = "0.05*sqrt(-2*ln(1 - random()))*cos(2*pi()*random())"
        truth = "SELECT range AS well, 1 + 3*random() AS a, 0.5 + 1.5*random() AS b, random() AS c"
        spread = f"SELECT well, a, b, c, 0.1 + 3.9*r.range/{rows - 1} AS x FROM g, range({rows}) r"
        mixed = f"SELECT well, x, a*exp(-b*x) + c + {noise} AS y FROM ({spread} ORDER BY hash(well*{rows} + r.range))"
        connection.execute(f"COPY (WITH g AS ({truth} FROM range({groups})) {mixed}) TO '{path}' (FORMAT parquet)")
    return path


def measured(name: str, source: str, folder: Path, limit: str, engine: str) -> np.ndarray:
    """Fit in a process of its own, print what that took, and return parameters and standard errors."""
    place = folder / f"{name.replace(' ', '_')}.npy"
    command = [sys.executable, "-c", RUN, source, str(place), limit, engine]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in told["counts"].items())
    print(f"{name:<22}{told['seconds']:>8.1f} s{told['peak']:>8.0f} MiB   {outcomes}", flush=True)
    for note in told["notes"]:
        print(f"{'':<22}{note}")
    return np.load(place)


def by_loop(path: Path, groups: int) -> float:
    """Return the seconds that pandas and curve_fit take for a group."""
    import pandas as pd
    from scipy.optimize import curve_fit

    def decay(x: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
        return a * np.exp(-b * x) + c

    frame = pd.read_parquet(path, filters=[(BY, "<", groups)])
    began = time.perf_counter()
    for _, part in frame.groupby(BY):
        curve_fit(decay, part["x"].to_numpy(), part["y"].to_numpy(), p0=[1.0, 1.0, 0.0])
    return (time.perf_counter() - began) / groups


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=lambda text: int(float(text)), default=100_000)
    parser.add_argument("--rows", type=int, default=100, help="of each group")
    parser.add_argument("--memory-limit", default="512MiB")
    parser.add_argument("--loop", type=int, default=1_000, help="groups that curve_fit is timed on")
    parser.add_argument("--spark", action="store_true", help="through Spark on this machine, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = written(folder, options.groups, options.rows)
        print(f"{options.groups:,} groups of {options.rows:,} rows, {path.stat().st_size / 2**20:.0f} MiB of Parquet")
        ways = {
            "in memory": (str(path), "", "auto"),
            f"under {options.memory_limit}": (str(path), options.memory_limit, "auto"),
            "sums by DuckDB": (str(path), options.memory_limit, "query"),
        }
        if options.spark:
            ways["Spark"] = (f"spark://?parquet={path}", "", "auto")
        answers = {way: measured(way, source, folder, limit, engine) for way, (source, limit, engine) in ways.items()}
        first, *others = answers.values()
        for way, other in zip(list(answers)[1:], others, strict=True):
            worst = np.max(np.abs(other - first) / np.abs(first).max(axis=0))
            print(f"{way}: the answers in memory to {worst:.0e}")
        loop = by_loop(path, options.loop)
        print(f"curve_fit by pandas: {1e6 * loop:.0f} microseconds a group, {loop * options.groups:.0f} s for all")


if __name__ == "__main__":
    main()
