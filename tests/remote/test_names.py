"""Names of columns and tables never break out of the SQL that a server is sent."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given, settings
from tests.engines.test_query import names
from tests.remote.servers import quoted

import descend

pytestmark = pytest.mark.postgres
X = np.random.default_rng(0).uniform(0.1, 3.0, 40)
Y = 1.5 * np.exp(-0.6 * X) + 0.8


@settings(max_examples=12, deadline=None)
@given(name=names, response=names, table=names)
def test_names_never_break_out_of_the_query(name, response, table, postgres):
    """Whatever columns and tables are called, the query sums them and does nothing else."""
    if name.casefold() == response.casefold() or {name, response} & {"a", "b"}:
        return
    columns = {name: X, response: Y}
    formula = " ~ a*".join("`" + each.replace("`", "``") + "`" for each in (response, name)) + " + b"
    options = {"start": {"a": 0.0, "b": 0.0}}
    expected = descend.fit(formula, columns, **options)
    with postgres.connect() as own:
        tables = "select count(*) from pg_tables where schemaname = 'public'"
        postgres.load(table, columns)
        (before,) = own.execute(tables).fetchone()
        sources = [postgres.ibis().table(table)]
        if "." not in table:  # which would end the name of a schema
            sources.append(postgres.url(quote(table, safe="")))
        for source in sources:
            fit = descend.fit(formula, source, **options, optimizer="gd", learning_rate=0.01, epochs=2)
            assert fit.rows == 40
            fit = descend.fit(formula, source, **options)
            np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-9)
        assert own.execute(tables).fetchone() == (before,)
        assert own.execute(f"select count(*) from {quoted(table)}").fetchone() == (40,)
        own.execute(f"drop table {quoted(table)}")


def test_conditions_cannot_reach_beyond_their_rows(postgres):
    url = postgres.load("kept", {"x": X, "y": Y})
    for where in ("x > 1); drop table kept; --", "x > 1; drop table kept", "1=1) union select 1, 2 --"):
        with pytest.raises(descend.DataError):
            descend.fit("y ~ a*x", url, where=where)
    with postgres.connect() as own:
        assert own.execute("select count(*) from kept").fetchone() == (40,)
