"""A fixture for pytest: whether a model can be trained at all. Nothing heavy is imported until a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from descend.doctor.trains import AssertTrains


@pytest.fixture
def assert_trains() -> AssertTrains:
    """Return a function that fails a test if a model does not learn one batch: ``assert_trains(model, batch)``."""
    from descend.doctor.trains import assert_trains as function

    return function
