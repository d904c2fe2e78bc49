"""A fit over a Spark cluster of two executors, each of which is killed in the middle of it; then sessions that stop.

Run as a program, for Spark has one session to a process: `python -m tests.remote.killing FOLDER`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import descend

CURVE = "y ~ a*exp(-b*x) + c"
DESCENT = {"optimizer": "gd", "learning_rate": 0.05, "epochs": 7, "start": {"a": 1.0, "b": 1.0, "c": 1.0}}


def executors() -> list[int]:
    """The processes of executors among those that descend from this one."""
    parents, commands = {}, {}
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit():
                parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                commands[int(place.name)] = (place / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
    own, found = {os.getpid()}, []
    while grown := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= grown
    found = [pid for pid in own if b"CoarseGrainedExecutorBackend" in commands.get(pid, b"")]
    return sorted(found)


def main(folder: str) -> None:
    """Fit three times and print what came of it as JSON."""
    import ibis
    import pyspark
    from pyspark.sql import SparkSession

    os.environ["SPARK_HOME"] = os.path.dirname(pyspark.__file__)
    settings = "spark.driver.host=127.0.0.1&spark.driver.bindAddress=127.0.0.1&spark.log.level=OFF"
    address = f"spark://?parquet={folder}&{settings}&master="
    told: dict[str, object] = {}

    def fitted(what: str, source: object, on_step) -> None:
        fit = descend.fit(CURVE, source, on_step=on_step, **DESCENT)
        told[what] = {"theta": fit.theta.tolist(), "epochs": fit.epochs, "notes": list(fit.notes)}

    killed = []

    def kill() -> None:
        for pid in executors()[:1]:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    def disturb(step) -> None:
        if step.epoch == 2:
            kill()
        if step.epoch == 4:
            threading.Timer(0.1, kill).start()  # while it computes the next sums

    def stop(step) -> None:
        if step.epoch == 3:
            SparkSession.getActiveSession().stop()

    fitted("killed", f"{address}local-cluster[2,1,1024]", disturb)
    told["executors"] = killed
    SparkSession.getActiveSession().stop()
    fitted("stopped", f"{address}local[1]", stop)
    handed_over = ibis.pyspark.connect(SparkSession.getActiveSession()).read_parquet(folder)
    try:
        fitted("handed over", handed_over, stop)
    except descend.DataError as error:
        told["handed over"] = str(error)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
