"""Fits over Spark: the same numbers as in memory, also where an executor is killed or the session stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from tests.remote.servers import skip_without_spark, written_as_parquet

import descend
from descend.errors import DataError

# PySpark leaves sockets to the garbage collector.
pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CURVE = "y ~ a*exp(-b*x) + c"


def data(rows=400, seed=0):
    random = np.random.default_rng(seed)
    x = random.uniform(0.1, 3.0, rows)
    y = 1.5 * np.exp(-0.6 * x) + 0.8 + random.normal(0, 0.05, rows)
    return {"x": x, "y": y, "w": random.uniform(0.5, 2.0, rows)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written_as_parquet(tmp_path_factory.mktemp("rows") / "decay", data())


@pytest.fixture(scope="module")
def address(spark, folder):
    return f"spark://?parquet={folder}"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "w", "l2": 0.01},
        {"where": "x > 1 and y < 2", "loss": "huber(delta=0.05)"},
        {"optimizer": "gd", "learning_rate": 0.05, "epochs": 10, "start": {"a": 1, "b": 1, "c": 1}},
        {"gradient": "autograd", "epochs": 3, "start": {"a": 1, "b": 1, "c": 1}},
    ],
    ids=str,
)
def test_fits_are_those_of_rows_in_memory(options, address):
    expected, fit = (descend.fit(CURVE, source, **options) for source in (data(), address))
    assert fit.engine == ("torch" if "gradient" in options else "query")
    assert (fit.rows, fit.outcome) == (expected.rows, expected.outcome)
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-8)
    np.testing.assert_allclose(np.sort(fit.predict(address)), np.sort(expected.predict(data())), rtol=1e-8)
    assert "digit" not in str(fit)


def decay(x, a, b, c):
    """The curve, as a function of arrays in pieces that come to the same."""
    y = np.full_like(x, c)
    for height in (0.25 * a, 0.75 * a):
        y += height * np.exp(-b * x)
    return np.where(x > 1, y, y * 1.0)


def test_a_traced_function_is_summed_there(address):
    start = {"a": 1.0, "b": 1.0, "c": 1.0}
    here, there = (descend.fit(decay, source, response="y", start=start) for source in (data(), address))
    assert (here.gradient, there.gradient, there.engine) == ("derived", "derived", "query")
    np.testing.assert_allclose(there.theta, here.theta, rtol=1e-10)
    np.testing.assert_allclose(np.sort(there.predict(address)), np.sort(here.predict(data())), rtol=1e-10)


def test_tables_by_their_name_and_frames(spark, folder):
    import ibis

    spark.read.parquet(str(folder)).createOrReplaceTempView("decay")
    expected = descend.fit("y ~ a*x + b", data()).theta
    for source in ("spark://?table=decay", ibis.pyspark.connect(spark).table("decay")):
        fit = descend.fit("y ~ a*x + b", source)
        np.testing.assert_allclose(fit.theta, expected, rtol=1e-9)
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a*x + b", "spark://?table=decoy")
    assert str(caught.value).startswith("There is no table `decoy` in `spark://`. Did you mean `decay`? Its tables: ")


def test_batches_are_the_same_each_time(address):
    options = {"optimizer": "adam", "learning_rate": 0.02, "batch_size": 100, "epochs": 2, "start": {"a": 0, "b": 0}}
    one, other = (descend.fit("y ~ a*x + b", address, seed=4, **options) for _ in "ab")
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-13)
    sums = one.solution.objective.engine
    parts = [sums.evaluate(one.theta, 1, batch) for batch in sums.batches(100, 0, 0)]
    assert sum(part.rows for part in parts) == 400


def test_options_that_mean_nothing(spark, tmp_path):
    for option, message in {
        "parquet=/nowhere": "There is no file or folder `/nowhere` for `spark://`. Check the path.",
        "table=t&cores=4": "`spark://` has the option `cores`, which means nothing here. Use `table`, `parquet`, "
        "`master`, or a setting of Spark such as `spark.executor.memory`.",
        "": "`spark://` names no table. Add it to the address: `spark://?table=NAME`.",
    }.items():
        with pytest.raises(DataError) as caught:
            descend.fit("y ~ a*x", f"spark://?{option}")
        assert str(caught.value) == message


def test_executors_are_killed_and_sessions_stopped(tmp_path):
    """In the middle of a fit over a cluster: it ends with the answer of one that is left alone."""
    skip_without_spark()
    rows = written_as_parquet(tmp_path / "decay", data(3000))
    command = [sys.executable, "-m", "tests.remote.killing", str(rows)]
    # In a session of its own: Java's processes would outlive one that is killed for taking too long.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        printed, said = process.communicate(timeout=900)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said[-3000:]
    told = json.loads(printed.splitlines()[-1])
    assert len(set(told["executors"])) == 2
    expected = descend.fit(
        CURVE, data(3000), optimizer="gd", learning_rate=0.05, epochs=7, start={"a": 1.0, "b": 1.0, "c": 1.0}
    )
    for what in ("killed", "stopped"):
        assert told[what]["epochs"] == 7
        np.testing.assert_allclose(told[what]["theta"], expected.theta, rtol=1e-11)
    assert "the connection to `spark://` was lost once and made again" in told["stopped"]["notes"]
    assert told["handed over"].startswith(
        "The connection to the database (pyspark) was lost, and cannot be made again from here, for it was handed over "
        "open. At epoch 3 the parameters were a="
    )
