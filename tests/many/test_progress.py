"""Who listens is told how many groups are done, more each time, and the last time nearly all."""

from __future__ import annotations

import pytest
from tests.many.hard import FORMULA, START, wells

import descend
from descend.errors import ConfigError
from descend.many.arrays import CELLS


def test_groups_are_counted():
    told = []
    data = wells(groups=3 * CELLS // 12)
    descend.fit(FORMULA, data, by="well", start=START, on_groups=lambda done, groups: told.append((done, groups)))
    assert {groups for _, groups in told} == {3 * CELLS // 12}
    done = [done for done, _ in told]
    assert len(done) > 2 and done == sorted(set(done)) and done[-1] > 0.99 * told[0][1]


def test_steps_of_many_fits_are_not_followed():
    with pytest.raises(ConfigError) as refused:
        descend.fit(FORMULA, wells(), by="well", log_every=10)
    assert str(refused.value) == (
        "`log_every` follows the steps of one fit, and `by` makes many. Leave it out; in Python on_groups=function is "
        "told how many are done."
    )
