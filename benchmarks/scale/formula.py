"""Part a: y ~ a*exp(-b*x) + c over many rows, in memory, in Parquet and in CSV, beside SciPy, lmfit, JAX, PyTorch.

SciPy, JAX and PyTorch start where ``curve_fit`` does if told nothing, at 1, 1, 1; descend is given no start at all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from beside import Contender, Measured, show, target

from descend.table.writing import write_columns

FORMULA = "y ~ a*exp(-b*x) + c"
ROWS = 10_000_000
Data = dict[str, np.ndarray]


def make(folder: Path, rows: int) -> None:
    """Write the rows once as arrays, once as Parquet, once as CSV."""
    import duckdb

    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 5.0, rows)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.1 * rng.standard_normal(rows)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    with duckdb.connect() as connection:
        connection.register("data", {"x": x, "y": y})
        connection.execute(f"copy (select x, y from data) to '{folder / 'rows.parquet'}' (format parquet)")
        connection.execute(f"copy (select x, y from data) to '{folder / 'rows.csv'}' (format csv)")


def arrays(folder: Path) -> Data:
    return {name: np.load(folder / f"{name}.npy") for name in ("x", "y")}


def warm_descend(source: str = "arrays", engine: str = "auto") -> None:
    import descend

    x = np.linspace(0.0, 1.0, 50)
    rows = {"x": x, "y": 1.0 / (x + 2.0)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{source}"
        if source != "arrays":
            write_columns(path, rows)
        descend.fit("y ~ k/(x + m)", rows if source == "arrays" else path, engine=engine)


def loaded(source: str, engine: str = "auto") -> Any:
    def prepare(folder: Path) -> Any:
        warm_descend(source, engine)
        return arrays(folder) if source == "arrays" else str(folder / f"rows.{source}")

    return prepare


def fitted(data: Any, **options: Any) -> Mapping[str, float]:
    import descend

    fit = descend.fit(FORMULA, data, **options)
    return {**{name: float(value) for name, value in fit.parameters.items()}, "_passes": fit.passes}


def by_query(data: Any) -> Mapping[str, float]:
    return fitted(data, engine="query", memory_limit="1GiB")


def by_torch(data: Any) -> Mapping[str, float]:
    return fitted(data, engine="torch")


def torch_ready(folder: Path) -> Data:
    import torch

    (torch.ones(3, requires_grad=True) ** 2).sum().backward()
    warm_descend()
    return arrays(folder)


def model(x: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    return a * np.exp(-b * x) + c


def jacobian(x: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    e = np.exp(-b * x)
    return np.column_stack([e, -a * x * e, np.ones_like(x)])


def scipy_ready(folder: Path) -> Data:
    from scipy.optimize import curve_fit

    x = np.linspace(0.0, 1.0, 20)
    curve_fit(lambda x, k: k * x, x, x)
    return arrays(folder)


def scipy_plain(data: Data) -> Mapping[str, float]:
    from scipy.optimize import curve_fit

    return dict(zip("abc", curve_fit(model, data["x"], data["y"])[0], strict=True))


def scipy_jacobian(data: Data) -> Mapping[str, float]:
    from scipy.optimize import curve_fit

    return dict(zip("abc", curve_fit(model, data["x"], data["y"], jac=jacobian)[0], strict=True))


def lmfit_ready(folder: Path) -> Data:
    import lmfit

    x = np.linspace(0.0, 1.0, 20)
    lmfit.Model(lambda x, k: k * x).fit(x, x=x, k=0.5)
    return arrays(folder)


def lmfit_model(data: Data) -> Mapping[str, float]:
    import lmfit

    result = lmfit.Model(model).fit(data["y"], x=data["x"], a=1.0, b=1.0, c=1.0)
    return {name: float(value) for name, value in result.best_values.items()}


def jax_ready(folder: Path) -> Data:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.jit(lambda v: jnp.exp(v).sum())(jnp.ones(3)).block_until_ready()
    return arrays(folder)


def jax_gauss_newton(data: Data) -> Mapping[str, float]:
    """Jitted Gauss-Newton steps, each row's Jacobian by forward differentiation, halved until the sum falls."""
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])

    def residual(theta: Any, x: Any, y: Any) -> Any:
        return theta[0] * jnp.exp(-theta[1] * x) + theta[2] - y

    @jax.jit
    def totals(theta: Any, x: Any, y: Any) -> Any:
        one = jax.vmap(lambda x, y: (residual(theta, x, y), jax.jacfwd(residual)(theta, x, y)))
        r, J = one(x, y)
        return r @ r, J.T @ r, J.T @ J

    theta = jnp.ones(3)
    cost, gradient, curvature = totals(theta, x, y)
    for _ in range(100):
        step = jnp.linalg.solve(curvature, -gradient)
        while True:
            new = totals(theta + step, x, y)
            if new[0] <= cost or jnp.abs(step).max() < 1e-12:
                break
            step /= 2.0
        theta, fallen = theta + step, cost - new[0]
        cost, gradient, curvature = new
        if fallen <= 1e-14 * cost:
            break
    return dict(zip("abc", np.asarray(theta), strict=True))


def jax_bfgs(data: Data) -> Mapping[str, float]:
    import jax
    import jax.numpy as jnp
    from jax.scipy.optimize import minimize

    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])

    @jax.jit
    def run(x: Any, y: Any) -> Any:
        def cost(theta: Any) -> Any:
            return jnp.mean((theta[0] * jnp.exp(-theta[1] * x) + theta[2] - y) ** 2)

        return minimize(cost, jnp.ones(3), method="BFGS", tol=1e-9).x

    return dict(zip("abc", np.asarray(run(x, y)), strict=True))


def torch_alone(folder: Path) -> Data:
    import torch

    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (w.exp() ** 2).sum().backward()
    torch.optim.LBFGS([w])
    return arrays(folder)


def torch_lbfgs(data: Data) -> Mapping[str, float]:
    return _torch(data, compiled=False)


def torch_compiled(data: Data) -> Mapping[str, float]:
    return _torch(data, compiled=True)


def _torch(data: Data, compiled: bool) -> Mapping[str, float]:
    import torch
    import torch._inductor.config

    torch._inductor.config.force_disable_caches = True  # what it compiled for another process would not be timed
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    theta = torch.ones(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [theta], max_iter=200, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def cost(theta: Any, x: Any, y: Any) -> Any:
        return ((theta[0] * torch.exp(-theta[1] * x) + theta[2] - y) ** 2).mean()

    used = torch.compile(cost) if compiled else cost

    def closure() -> Any:
        optimizer.zero_grad()
        loss = used(theta, x, y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return dict(zip("abc", theta.detach().numpy(), strict=True))


def sum_ready(folder: Path) -> Any:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"select count(*) from '{folder / 'rows.parquet'}'").fetchone()
    return connection, str(folder / "rows.parquet")


def plain_sum(given: Any) -> Mapping[str, float]:
    connection, path = given
    connection.execute(f"select sum(x), sum(y) from '{path}'").fetchone()
    return {}


CONTENDERS = [
    Contender("descend, arrays in memory", loaded("arrays"), fitted),
    Contender("descend, Parquet", loaded("parquet"), fitted),
    Contender("descend, Parquet, --engine query, 1 GiB", loaded("parquet", "query"), by_query),
    Contender("descend, CSV", loaded("csv"), fitted),
    Contender("descend, arrays, --engine torch", torch_ready, by_torch),
    Contender("DuckDB, select sum(x), sum(y), Parquet", sum_ready, plain_sum),
    Contender("SciPy curve_fit", scipy_ready, scipy_plain, 2),
    Contender("SciPy curve_fit, jac given", scipy_ready, scipy_jacobian, 2),
    Contender("lmfit Model", lmfit_ready, lmfit_model, 1),
    Contender("JAX, jitted Gauss-Newton", jax_ready, jax_gauss_newton),
    Contender("JAX, jitted BFGS", jax_ready, jax_bfgs),
    Contender("PyTorch L-BFGS", torch_alone, torch_lbfgs, 2),
    Contender("PyTorch L-BFGS, torch.compile", torch_alone, torch_compiled, 2),
]


def report(found: Mapping[str, Measured], rows: int) -> None:
    """Print the table and its targets."""
    memory, parquet, query, *_ = found
    ours = found[memory]
    show(f"(a) {FORMULA}, {rows:,} rows", found, memory)

    def fastest(*words: str) -> float:
        times = (row.median for name, row in found.items() if name.startswith(words) and row.seconds)
        return min(times, default=float("nan"))

    target("fastest of SciPy and lmfit / descend in memory", fastest("SciPy", "lmfit") / ours.median, least=10)
    target("best of JAX and PyTorch / descend in memory", fastest("JAX", "PyTorch") / ours.median, least=1)
    plain = fastest("DuckDB")
    for name in (parquet, query):
        passes = found[name].numbers.get("_passes", float("nan"))
        share = found[name].median / (plain * passes)
        target(f"{name}: time / DuckDB's sum, per pass ({passes:.2f} passes)", share, most=4)
        target(f"{name}: peak memory", found[name].peak, most=1024, unit=" MiB")
