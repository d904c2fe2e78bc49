"""Whole processes, from the shell to the printed result: descend beside the scripts it replaces.

A round starts every process once, in turn, so that a slow moment of the machine falls on all alike;
the tables show medians over the rounds. Targets: at most 1.3 times pandas + SciPy, at most half of
pandas + PyTorch, and an import of at most 1.2 times NumPy's; with a million rows of a noisy decay, from
CSV and from Parquet, at most the time of pandas + SciPy.

    python benchmarks/startup.py --rounds 7
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCIPY = """
import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

rows = pd.read_csv("line.csv")
(w,), covariance = curve_fit(lambda x, w: w * x, rows["x"].to_numpy(), rows["y"].to_numpy(), p0=[0.0])
print(f"w = {w:.6g} +- {np.sqrt(covariance[0, 0]):.3g}")
"""

TORCH = """
import pandas as pd
import torch

rows = pd.read_csv("line.csv")
x, y = (torch.tensor(rows[name].to_numpy()) for name in ("x", "y"))
w = torch.zeros(1, dtype=x.dtype, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.001)
for _ in range(500):
    optimizer.zero_grad()
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    optimizer.step()
residual = y - w.detach() * x
error = (residual.square().sum() / (len(x) - 1) / x.square().sum()).sqrt()
print(f"w = {w.item():.6g} +- {error.item():.3g}")
"""

SCIPY_OF_MANY = """
import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

def decay(x, a, b, c):
    return a * np.exp(-b * x) + c

rows = pd.read_{kind}("decay.{kind}")
values, covariance = curve_fit(decay, rows["x"].to_numpy(), rows["y"].to_numpy(), p0=[1.0, 1.0, 1.0])
for name, value, error in zip("abc", values, np.sqrt(np.diag(covariance))):
    print(f"{{name}} = {{value:.6g}} +- {{error:.3g}}")
"""

MANY = 1_000_000
DECAY = "y ~ a*exp(-b*x) + c"

# (what is asked to be small, beside what, target)
RATIOS = [
    ("descend fit", "pandas + SciPy", 1.3),
    ("descend fit", "pandas + PyTorch", 0.5),
    ("import descend", "import numpy", 1.2),
    ("descend, CSV", "SciPy, CSV", 1.0),
    ("descend, Parquet", "SciPy, Parquet", 1.0),
]


def processes(folder: Path) -> dict[str, list[str]]:
    """Write the rows and the scripts into ``folder``; return the command of each contender."""
    return few_rows(folder) | many_rows(folder)


def descend(*arguments: str) -> list[str]:
    """Return the command of descend as a user types it."""
    return [str(Path(sys.executable).parent / "descend"), *arguments]


def few_rows(folder: Path) -> dict[str, list[str]]:
    """Return the contenders for a line through a hundred rows, where the start of the process is all."""
    import numpy as np

    x = np.arange(100) / 10
    y = 2 * x + 2 * np.random.default_rng(0).uniform(size=100)
    (folder / "line.csv").write_text("x,y\n" + "".join(f"{a:g},{b:.17g}\n" for a, b in zip(x, y, strict=True)))
    (folder / "with_scipy.py").write_text(SCIPY)
    (folder / "with_torch.py").write_text(TORCH)
    return {
        "descend fit": descend("fit", "y ~ w*x", "line.csv"),
        "pandas + SciPy": [sys.executable, "with_scipy.py"],
        "pandas + PyTorch": [sys.executable, "with_torch.py"],
        "import descend": [sys.executable, "-c", "import descend"],
        "import numpy": [sys.executable, "-c", "import numpy"],
    }


def many_rows(folder: Path) -> dict[str, list[str]]:
    """Return the contenders for a curve through a million rows with noise, from a text file and from Parquet."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    x = random.uniform(0.0, 5.0, MANY)
    rows = pd.DataFrame({"x": x, "y": 2.5 * np.exp(-1.3 * x) + 0.5 + 0.1 * random.normal(size=MANY)})
    rows.to_csv(folder / "decay.csv", index=False)
    rows.to_parquet(folder / "decay.parquet", index=False)
    for kind in ("csv", "parquet"):
        (folder / f"{kind}_with_scipy.py").write_text(SCIPY_OF_MANY.format(kind=kind))
    return {
        "descend, CSV": descend("fit", DECAY, "decay.csv"),
        "SciPy, CSV": [sys.executable, "csv_with_scipy.py"],
        "descend, Parquet": descend("fit", DECAY, "decay.parquet"),
        "SciPy, Parquet": [sys.executable, "parquet_with_scipy.py"],
    }


def seconds(command: list[str], folder: Path) -> float:
    """Run one process to its end and return how long it took."""
    # As users have it: compiled once.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment
    )
    elapsed = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"This process failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return elapsed


def main() -> None:
    """Time every process and print the medians, then the ratios with their targets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each process is started (default 7)")
    rounds = parser.parse_args().rounds

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = processes(folder)
        for command in commands.values():  # the first start compiles and fills the disk cache
            seconds(command, folder)
        times: dict[str, list[float]] = {contender: [] for contender in commands}
        for _ in range(rounds):
            for contender, command in commands.items():
                times[contender].append(seconds(command, folder))

    median = {contender: statistics.median(taken) for contender, taken in times.items()}
    print(f"{'process':<20}{'median':>10}{'fastest':>10}")
    for contender, taken in times.items():
        print(f"{contender:<20}{median[contender]:>8.3f} s{min(taken):>8.3f} s")
    print()
    for ours, theirs, target in RATIOS:
        ratio = median[ours] / median[theirs]
        verdict = "met" if ratio <= target else "MISSED"
        print(f"{ours} / {theirs}: {ratio:.2f} (target at most {target:.1f}: {verdict})")


if __name__ == "__main__":
    main()
