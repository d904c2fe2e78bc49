"""A source of rows from outside the package: one class and one line, and everything takes its data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import descend
from descend import DataError
from descend.table import open_table
from descend.table.opening import SOURCES, register


class Cubes:
    """Rows computed from text such as ``cubes:9``."""

    def takes(self, data: Any) -> bool:
        return isinstance(data, str) and data.startswith("cubes:")

    def open(self, data: str) -> dict[str, Any]:
        count = data.partition(":")[2]
        if not count.isdigit():
            raise DataError(f"`{data}` does not say how many rows there are. Write it as cubes:9.")
        x = np.arange(float(count))
        return {"x": x, "y": x**3}


@pytest.fixture(autouse=True)
def cubes() -> Iterator[None]:
    source = register(Cubes())
    yield
    SOURCES.remove(source)


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_it_is_fitted_where_it_lies_and_predicted_from(engine: str) -> None:
    fit = descend.fit("y ~ a*x^3 + b", "cubes:9", where="x > 1", engine=engine)
    assert fit.rows == 7 and fit.parameters["a"] == pytest.approx(1.0)
    np.testing.assert_allclose(fit.predict("cubes:3"), [0.0, 1.0, 8.0], atol=1e-9)


def test_its_own_errors_are_told() -> None:
    with pytest.raises(DataError, match="does not say how many rows there are"):
        open_table("cubes:many")


def test_the_command_line_takes_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from descend.cli.main import main

    monkeypatch.setattr("sys.argv", ["descend", "fit", "y ~ a*x^3", "cubes:9", "--json"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["a"] == pytest.approx(1.0)
