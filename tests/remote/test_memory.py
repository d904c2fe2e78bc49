"""A fit of rows in a server takes no more memory for more of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PROGRAM = """
import resource, sys
import numpy as np
import descend

def forward(x, w):
    return w * x

def gradient(x, y, w):
    return np.mean(2 * x * (w * x - y))

kind, address, rows = sys.argv[1:]
if kind == "query":
    fit = descend.fit("y ~ a*exp(-b*x) + c", address)
else:
    fit = descend.fit(forward, address, response="y", gradient=gradient, optimizer="gd", learning_rate=0.1, epochs=1)
assert (fit.engine, fit.rows) == (kind, int(rows))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(kind: str, address: str, rows: int) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, kind, address, str(rows)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("kind", ["query", "numpy"])
def test_memory_does_not_grow_with_the_rows(kind, postgres):
    peaks = []
    for rows in (100_000, 1_000_000):
        with postgres.connect() as own:
            own.execute("drop table if exists long")
            own.execute(
                "create table long as select g / 1e6::float8 as x, 1.5 * exp(-0.6 * g / 1e6::float8) + 0.8 "
                f"+ 0.01 * sin(g) as y from generate_series(1, {rows}) g"
            )
        peaks.append(peak(kind, postgres.url("long"), rows))
    print(f"{kind}: {peaks[0] / 1e6:.0f} MB for 100,000 rows, {peaks[1] / 1e6:.0f} MB for 1,000,000")
    assert peaks[1] - peaks[0] < 12_000_000  # the rows themselves are 16 MB, as Python's numbers 80 MB
