"""Part d: 100 million rows of Parquet under a limit of 1 GiB, which they exceed, beside DuckDB's own `regr_slope`.

`ulimit -d 1 GiB` holds for each process, so that what needs more fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beside import Contender, Measured, show, target

ROWS = 100_000_000
GIBIBYTE = 1 << 30
MADE = """
copy (
    select x, 2.5e0*x + 0.5e0 + 0.1e0*sqrt(-2*ln(1 - random()))*cos(2*pi()*random()) as y,
        2.5e0*exp(-1.3e0*x) + 0.5e0 + 0.1e0*sqrt(-2*ln(1 - random()))*cos(2*pi()*random()) as z
    from (select 5*random() as x from range({rows}))
) to '{path}' (format parquet)
"""


def make(folder: Path, rows: int) -> None:
    """Write the rows in a stream."""
    import duckdb

    settings = {"memory_limit": "2GiB", "temp_directory": str(folder), "preserve_insertion_order": "false"}
    with duckdb.connect(config=settings) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(MADE.format(rows=rows, path=folder / "rows.parquet"))


def ready(folder: Path) -> str:
    import numpy as np

    import descend

    x = np.linspace(0.0, 1.0, 50)
    descend.fit("v ~ k*u", {"u": x, "v": 2.0 * x}, engine="query", memory_limit="1GiB")
    return str(folder / "rows.parquet")


def line(path: str) -> Mapping[str, float]:
    import descend

    fit = descend.fit("y ~ w*x + b", path, memory_limit="1GiB")
    return {**{name: float(value) for name, value in fit.parameters.items()}, "_passes": fit.passes}


def decay(path: str) -> Mapping[str, float]:
    import descend

    fit = descend.fit("z ~ a*exp(-b*x) + c", path, memory_limit="1GiB")
    return {"_a": float(fit.parameters["a"]), "_passes": fit.passes}


def connected(folder: Path) -> Any:
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "768MiB"})
    connection.execute(f"select count(*) from '{folder / 'rows.parquet'}'").fetchone()
    return connection, str(folder / "rows.parquet")


def regression(given: Any) -> Mapping[str, float]:
    connection, path = given
    found = connection.execute(f"select regr_slope(y, x), regr_intercept(y, x) from '{path}'").fetchone()
    return dict(zip(("w", "b"), found, strict=True))


def plain_sum(given: Any) -> Mapping[str, float]:
    connection, path = given
    connection.execute(f"select sum(x), sum(z) from '{path}'").fetchone()
    return {}


OURS, SLOPE = "descend, y ~ w*x + b", "DuckDB, regr_slope, regr_intercept"
DECAY, SUM = "descend, z ~ a*exp(-b*x) + c", "DuckDB, select sum(x), sum(z)"
CONTENDERS = [
    Contender(OURS, ready, line, memory=GIBIBYTE),
    Contender(SLOPE, connected, regression, memory=GIBIBYTE),
    Contender(DECAY, ready, decay, 2, memory=GIBIBYTE),
    Contender(SUM, connected, plain_sum, memory=GIBIBYTE),
]


def report(found: Mapping[str, Measured], rows: int) -> None:
    """Print the table and its targets."""
    show(f"(d) {rows:,} rows of Parquet, memory limit 1 GiB", found, OURS)
    target("descend / regr_slope", found[OURS].median / found[SLOPE].median, most=3)
    for name in (OURS, DECAY):
        if name in found:
            target(f"{name}: peak memory", found[name].peak, most=1024, unit=" MiB")
    if DECAY in found and SUM in found:
        passes = found[DECAY].numbers.get("_passes", float("nan"))
        share = found[DECAY].median / found[SUM].median / passes
        print(f"{DECAY}: time / DuckDB's sum, per pass ({passes:.2f} passes): {share:.3g}")
