"""Every figure of a fit of many rows, and what is made of them: seconds after the fit. Target: at most 2 for each.

The same `a*exp(-b*x) + c` is fitted to rows in memory and to rows that stay in a Parquet file.

    python benchmarks/figures.py [--rows 10_000_000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

import descend
from descend.report import panels, residual_panels, surface
from descend.report.document import figure
from descend.report.plots import plot_panels
from descend.report.view_of_fit import view

MOST = 2.0
FORMULA = "y ~ a*exp(-b*x) + c"


def table(rows: int) -> dict[str, np.ndarray]:
    """Make a decay with noise."""
    random = np.random.default_rng(0)
    x = random.uniform(0.0, 5.0, rows)
    return {"x": x, "y": 2.5 * np.exp(-1.3 * x) + 0.5 + 0.1 * random.normal(size=rows)}


def figures(fit: Any) -> dict[str, Callable[[], Any]]:
    """Name the figures of the report, each prepared from the fit alone."""
    return {
        "data and curve": lambda: panels.curve(view(fit)),
        "predicted and observed": lambda: panels.predicted(view(fit)),
        "correlation": lambda: panels.correlation(fit),
        "loss": lambda: panels.loss(fit),
        "surface and path": lambda: surface.landscape(fit),
        "parameters": lambda: panels.parameters(fit),
        "gradient norm": lambda: panels.gradient_norm(fit),
        "residuals": lambda: residual_panels.residuals(view(fit)),
        "residuals by column": lambda: residual_panels.residuals_against(view(fit), "x"),
        "quantiles": lambda: residual_panels.quantiles(view(fit)),
    }


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something took, and what it gave."""
    start = time.perf_counter()
    given = what()
    return time.perf_counter() - start, given


def after_fit(fit: Any, folder: str) -> dict[str, float]:
    """Return the seconds of each figure, prepared and drawn by Matplotlib and for the page, and of what holds them."""
    took = {}
    for name, prepare in figures(fit).items():
        first, panel = timed(prepare)
        took[name] = first + timed(lambda panel=panel: (plot_panels([panel]), figure(panel)))[0]
    took["fit.plot()"], _ = timed(fit.plot)
    took["fit.animate()"], _ = timed(lambda: fit.animate().save(Path(folder) / "fit.html"))
    took["fit.report()"], _ = timed(lambda: fit.report(Path(folder) / "fit.html"))
    return took


def main() -> None:
    """Fit the rows where they are, draw, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="how many rows (default 10 million)")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        columns = table(rows)
        path = str(Path(folder) / "rows.parquet")
        with duckdb.connect() as connection:
            connection.register("columns", columns)
            connection.execute(f"copy (select * from columns) to '{path}' (format parquet)")
        small = {name: column[:1000] for name, column in columns.items()}
        after_fit(descend.fit(FORMULA, small), folder)  # imports and fonts are no figure's own
        sources = {"1,000 rows": (small, "auto"), "in memory": (columns, "auto"), "in Parquet": (path, "query")}
        took = {}
        for name, (data, engine) in sources.items():
            seconds, fit = timed(lambda data=data, engine=engine: descend.fit(FORMULA, data, engine=engine))
            took[name] = {"(the fit itself)": seconds} | after_fit(fit, folder)
    print(f"{rows:,} rows, seconds\n{'':24}" + "".join(f"{name:>14}" for name in sources))
    for what in took["in memory"]:
        print(f"{what:24}" + "".join(f"{took[name][what]:14.2f}" for name in sources))
    worst = max(max(took[name][what] for name in sources) for what in figures(fit))
    print(f"\nslowest figure: {worst:.2f} s (target at most {MOST:g}: {'met' if worst <= MOST else 'MISSED'})")


if __name__ == "__main__":
    main()
