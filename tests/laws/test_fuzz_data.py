"""Random problems: the answer is that of the rows, whatever holds them, in what order, parts and units they come."""

from __future__ import annotations

import numpy as np
import pandas
import polars
import pyarrow
import pytest
from tests.laws.random_cases import MORE_SEEDS, SEEDS, Case, assert_alike, assert_same_parameters, case


def from_everywhere(problem: Case, folder) -> None:
    random = np.random.default_rng(len(problem.data["y"]))
    frame = pandas.DataFrame(problem.data)
    frame.loc[random.random(len(frame)) < 0.05, "x"] = np.nan
    how = {"missing": "drop", "where": f"y > {float(np.quantile(frame['y'], 0.1))!r}"}
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_parquet(folder / "rows.parquet")
    first = problem.fit({name: frame[name].to_numpy() for name in frame}, **how)
    sources = {
        "pandas": frame,
        "polars": polars.from_pandas(frame),
        "lazy polars": polars.from_pandas(frame).lazy(),
        "arrow": pyarrow.Table.from_pandas(frame),
        "csv": str(folder / "rows.csv"),
        "parquet": str(folder / "rows.parquet"),
    }
    for name, source in sources.items():
        other = problem.fit(source, **how)
        assert (other.outcome, other.rows) == (first.outcome, first.rows), name
        assert other.loss == pytest.approx(first.loss, rel=1e-12), name
        np.testing.assert_allclose(other.theta, first.theta, rtol=1e-9)


def in_other_rows(problem: Case) -> None:
    """Permute rows, halve and double them, add rows of weight 0, multiply all weights."""
    random = np.random.default_rng(len(problem.data["y"]))
    count, omega = len(problem.omega), problem.omega
    known = problem.loss == "poisson"
    first = problem.fit(problem.chosen(np.arange(count), share=omega), weights="share")
    twice, halved = np.repeat(np.arange(count), 2), np.repeat(omega / 2.0, 2)
    more = np.append(np.arange(count), random.integers(0, count, 20))
    shown = problem.chosen(more, share=np.append(omega, np.zeros(20)))
    shown["y"] = np.append(problem.data["y"], random.permutation(problem.data["y"])[:20])
    order = random.permutation(count)
    others = {
        "permuted": problem.chosen(order, share=omega[order]),
        "each row in two halves": problem.chosen(twice, share=halved),
        "rows of weight 0": shown,
        "weights times a constant": problem.chosen(np.arange(count), share=omega if known else omega * 2.0**17),
    }
    for name, rows in others.items():
        print(name)
        other = problem.fit(rows, weights="share")
        assert_alike(first, other)
        assert_same_parameters(first.parameters, other.parameters, first.standard_errors)
        if name != "each row in two halves":
            np.testing.assert_allclose(
                list(other.standard_errors.values()), list(first.standard_errors.values()), rtol=1e-4
            )


def in_other_units(problem: Case, seed: int) -> None:
    random = np.random.default_rng(seed)
    of_y = 1.0 if problem.loss == "poisson" else 10.0 ** random.integers(-9, 10)
    of_x = 10.0 ** random.integers(-9, 10)
    first, other = problem.fit(), problem.in_units(of_y, of_x).fit()
    assert_alike(first, other, of_y**2 if problem.loss != "poisson" else 1.0)
    errors = problem.scaled(first.standard_errors, of_y, of_x)
    assert_same_parameters(problem.scaled(first.parameters, of_y, of_x), other.parameters, errors)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_answer_is_that_of_the_rows(seed, tmp_path):
    from_everywhere(case(seed), tmp_path)
    in_other_rows(case(seed))
    in_other_units(case(seed), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_the_answer_is_that_of_the_rows_of_more(seed, tmp_path):
    from_everywhere(case(seed), tmp_path)
    in_other_rows(case(seed))
    in_other_units(case(seed), seed)
