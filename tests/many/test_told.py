"""What is told of groups that failed, and of rows that they cannot predict."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import DataError
from descend.many.prediction import opened, without_prediction
from descend.many.reasons_of_failure import one_line


@pytest.fixture(scope="module")
def fits():
    x = np.r_[np.tile(np.arange(1.0, 7.0), 3), 1.0]
    y = 2.0 + 3.0 * x + np.cos(x)
    y[6:12], y[12] = np.nan, np.inf
    data = {"x": x, "y": y, "site": [*"AAAAAABBBBBBCCCCCCD"]}
    return descend.fit("y ~ a + b*log(x) + c*x", data, by="site")


def test_a_line_names_the_first_reasons_and_counts_the_others(fits):
    assert one_line(fits, 1) == (
        "3 of 4 groups failed. 1 refused: B: In the group B, `y` has 6 missing values, the first in row 1. Correct "
        'them, or leave such rows out with missing="drop". 2 more for other reasons.'
    )


def test_rows_of_groups_without_a_fit_are_counted(fits):
    told = []
    for sites in (["A", "A"], ["A", "D"], ["B", "D"]):
        table = opened(fits, {"x": [1.0, 2.0], "site": sites}, ("x",))
        told.append(without_prediction(fits, table))
    assert told == [
        "",
        "1 row has no prediction: the group D was not fitted. The group D has one row of data. A fit needs at least "
        "two.",
        "2 rows have no prediction: 2 groups were not fitted: B, D.",
    ]


def test_a_prediction_that_is_no_number_is_refused(fits):
    with pytest.raises(DataError) as refused:
        fits.predict({"x": [2.0, -1.0], "site": ["A", "A"]})
    assert str(refused.value) == (
        "The prediction is nan in row 2 (x = -1): `log(x)` is nan there. Leave such rows out with `where`."
    )
