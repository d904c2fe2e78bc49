"""Rows held out of a fit of a formula or a function: their loss, what it decides, and what cannot be held out."""

import json
import pickle

import numpy as np
import pytest

import descend
from descend.errors import DescendError
from descend.problem.validation import split
from descend.report.reproduce import as_command, as_python

RANDOM = np.random.default_rng(1)
X = np.linspace(0.0, 5.0, 60)
Y = 3.0 * np.exp(-0.7 * X) + 0.5 + 0.1 * RANDOM.normal(size=60)
DATA = {
    "x": X,
    "y": Y,
    "site": np.array(["a", "b", "c"])[np.arange(60) % 3],
    "weight": 1.0 + X,
    "count": RANDOM.poisson(np.exp(0.3 * X)),
    "passed": np.where(X + RANDOM.normal(size=60) > 2.5, "yes", "no"),
    "kind": np.array(["u", "v", "w"])[(X + RANDOM.normal(size=60) > 2.0).astype(int) + (X > 4.0)],
}
CURVE = "y ~ a*exp(-b*x) + c"
BY_GD = {"optimizer": "gd", "learning_rate": 0.05, "epochs": 40, "start": {"a": 1.0, "b": 1.0, "c": 0.0}}
BATCHED = {"optimizer": "adam", "batch_size": 8, "epochs": 10, "start": {"a": 1.0, "b": 1.0, "c": 0.0}}


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_of_a_file_that_is_left_where_it_is_a_share_is_spread_evenly(ending, tmp_path):
    from descend.table import open_table
    from descend.table.writing import write_columns

    path = tmp_path / f"curve.{ending}"
    write_columns(path, {"x": X, "y": Y})
    held_out, others, _ = open_table(path).shares(0.25, seed=3)
    columns = [each.numbers(["x", "y"]) for each in (held_out, others)]
    assert sorted(np.concatenate([each["x"] for each in columns]).tolist()) == X.tolist()
    assert 14 <= held_out.rows <= 16 and np.diff(columns[0]["x"]).max() <= 6 * np.diff(X).max()
    assert [held_out.place(k) for k in (0, 1)] == [f"row {np.searchsorted(X, x) + 1}" for x in columns[0]["x"][:2]]
    assert held_out.filtered("x > 2").rows + others.filtered("x > 2").rows == (X > 2).sum()

    fitted = descend.fit(CURVE, path, validation=0.25, seed=3, engine="query")
    alone = descend.fit(CURVE, columns[1])
    assert fitted.rows == others.rows and fitted.engine == "query"
    assert fitted.parameters == pytest.approx(dict(alone.parameters), rel=1e-6)
    left = columns[0]["y"] - curve(columns[0]["x"], **fitted.parameters)
    assert fitted.measures["validation_loss"] == pytest.approx(np.mean(left**2), rel=1e-9)
    assert "validation on 0.25 of the rows, spread evenly over them, with seed 3" in fitted.notes


SITES = {"x": X, "y": Y, "site": np.where(np.arange(60) == 7, "once", DATA["site"])}


def in_duckdb(path):
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sites (x DOUBLE, y DOUBLE, site VARCHAR)")
        connection.executemany(
            "INSERT INTO sites VALUES (?, ?, ?)", list(zip(*(each.tolist() for each in SITES.values()), strict=True))
        )
    return f"duckdb://{path}?table=sites"


def in_sqlite(path):
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE sites (x REAL, y REAL, site TEXT)")
        rows = list(zip(*(SITES[name].tolist() for name in ("x", "y", "site")), strict=True))
        connection.executemany("INSERT INTO sites VALUES (?, ?, ?)", rows)
    return f"sqlite://{path}?table=sites"


def as_csv(path):
    from descend.table.writing import write_columns

    write_columns(path.with_suffix(".csv"), SITES)
    return path.with_suffix(".csv")


@pytest.mark.parametrize("kept_in", [in_duckdb, in_sqlite, as_csv])
@pytest.mark.parametrize("formula", ["y ~ a + b*x", "y ~ a[site] + b*x"])
def test_a_share_is_held_out_where_the_rows_are(kept_in, formula, tmp_path):
    data = kept_in(tmp_path / "sites.db")
    fits = [descend.fit(formula, data, validation=0.9, seed=seed, engine="query") for seed in (0, 0, 1)]
    assert fits[0].theta == pytest.approx(fits[1].theta, rel=1e-9) and fits[0].loss != fits[2].loss
    assert fits[0].measures == pytest.approx(dict(fits[1].measures), rel=1e-9)
    assert "validation on 0.9 of the rows, spread evenly over them, with seed 0" in fits[0].notes
    assert all(4 <= each.rows <= 11 and each.engine == "query" for each in fits)
    if "[site]" in formula:  # each keeps a row, even where there is but one
        assert {"once", *np.unique(DATA["site"]).tolist()} == set(fits[0].parameters["a"])


@pytest.mark.parametrize("kept_in", [in_duckdb, in_sqlite, as_csv])
def test_the_row_that_a_group_keeps_has_values_if_it_may(kept_in, tmp_path, monkeypatch):
    twice = np.where(np.isin(np.arange(60), [7, 30]), "twice", DATA["site"])
    y = [None if place == 7 else float(value) for place, value in enumerate(Y)]
    monkeypatch.setitem(SITES, "site", twice)
    monkeypatch.setitem(SITES, "y", np.array(y, dtype=object))
    data = kept_in(tmp_path / "sites.db")
    for seed in range(3):
        fit = descend.fit("y ~ a[site] + b*x", data, validation=0.9, seed=seed, engine="query", missing="drop")
        assert "twice" in fit.parameters["a"]


def test_of_a_database_the_others_are_fitted_and_the_rest_measured(tmp_path):
    from descend.table import open_table

    data = in_duckdb(tmp_path / "sites.db")
    held_out, others, _ = open_table(data).shares(0.25, 3, [("site",)])
    columns = [{**each.numbers(["x", "y"]), "site": each.text("site")} for each in (held_out, others)]
    assert sorted(np.concatenate([each["x"] for each in columns]).tolist()) == X.tolist()
    fitted, alone = (
        descend.fit("y ~ a[site] + b*x", data, validation=0.25, seed=3),
        descend.fit("y ~ a[site] + b*x", columns[1]),
    )
    assert fitted.theta == pytest.approx(alone.theta, rel=1e-9)
    left = columns[0]["y"] - alone.predict(columns[0])
    assert fitted.measures["validation_loss"] == pytest.approx(np.mean(left**2), rel=1e-9)
    in_memory = descend.fit("y ~ a + b*x", data, validation=0.25, seed=3, engine="numpy")
    assert in_memory.measures == pytest.approx(dict(descend.fit("y ~ a + b*x", data, validation=0.25, seed=3).measures))


def test_of_arrays_a_database_sums_the_same_share_is_held_out():
    for formula in (CURVE, "y ~ a[site]*exp(-b*x) + c"):
        summed, plain = (descend.fit(formula, DATA, validation=0.2, engine=engine) for engine in ("query", "numpy"))
        assert (summed.engine, summed.rows) == ("query", plain.rows)
        assert summed.theta == pytest.approx(plain.theta, rel=1e-6)
        assert summed.measures == pytest.approx(dict(plain.measures), rel=1e-6)


def test_a_database_that_tells_no_rows_apart_is_asked_for_a_table(tmp_path, monkeypatch):
    from descend.table import open_table, remote

    table = open_table(in_sqlite(tmp_path / "sites.db"))
    monkeypatch.setattr(remote, "UNORDERED", {"sqlite"})
    with pytest.raises(DescendError) as refused:
        table.shares(0.25, 3)
    assert str(refused.value) == (
        "A share of the rows is held out by what is in them, and `sqlite` has no function for that. Give the rows held "
        'out as a table of their own: validation="FILE".'
    )


def curve(x, a, b, c):
    return a * np.exp(-b * x) + c


def held_out(fitted, data=DATA, share=0.2, seed=0):
    """Return the rows to train on and those held out, as the fit draws them."""
    return split(np.asarray(data["y"]), share, seed)[:2]


def squares(parameters, x, y):
    return np.mean((curve(x, *(float(parameters[name]) for name in "abc")) - y) ** 2)


def called(x, a, b, c):  # which cannot be traced
    return np.interp(x, x, curve(x, a, b, c))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (CURVE, BY_GD),
        (CURVE, BY_GD | {"standardize": True}),
        (CURVE, BY_GD | {"l2": 0.1}),
        (CURVE, BY_GD | {"engine": "torch"}),
        (CURVE, BY_GD | {"gradient": "autograd"}),
        (CURVE, BATCHED),
        (CURVE, {"optimizer": "lbfgs"}),
        (CURVE, {}),
        (curve, BY_GD),
        (called, BY_GD),
        (called, {}),
    ],
)
def test_each_step_tells_the_mean_square_of_the_rows_held_out(model, options):
    response = {} if isinstance(model, str) else {"response": "y"}
    fitted = descend.fit(model, DATA, validation=0.2, **response, **options)
    train, held = held_out(fitted)
    assert fitted.rows == len(train) == 48
    expected = [squares(step.parameters, X[held], Y[held]) for step in fitted.trace]
    np.testing.assert_allclose(fitted.trace.validation_losses, expected, rtol=1e-9)
    np.testing.assert_allclose(fitted.measures["validation_loss"], squares(fitted.parameters, X[held], Y[held]), 1e-9)
    assert "validation on 12 of 60 rows, drawn with seed 0" in fitted.notes


def test_only_the_other_rows_are_fitted():
    fitted = descend.fit(CURVE, DATA, validation=0.2, seed=7)
    train, _ = held_out(fitted, seed=7)
    alone = descend.fit(CURVE, {name: column[train] for name, column in DATA.items()})
    assert fitted.parameters == pytest.approx(alone.parameters, rel=1e-9)
    assert fitted.standard_errors == pytest.approx(alone.standard_errors, rel=1e-6)


def test_weights_count_among_the_rows_held_out():
    fitted = descend.fit(CURVE, DATA, weights="weight", validation=0.2)
    _, held = held_out(fitted)
    left = curve(X[held], *fitted.parameters.values()) - Y[held]
    assert fitted.measures["validation_loss"] == pytest.approx(np.average(left**2, weights=1.0 + X[held]))


def test_rows_of_their_own(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("x,y\n" + "\n".join(f"{x},{y + 1.0}" for x, y in zip(X, Y, strict=True)) + "\n")
    for given in ({"x": X, "y": Y + 1.0}, str(other)):
        fitted = descend.fit(CURVE, DATA, validation=given)
        assert fitted.measures["validation_loss"] == pytest.approx(squares(fitted.parameters, X, Y + 1.0))
        assert "validation on 60 rows of their own" in fitted.notes
    fitted = descend.fit(curve, X, Y, validation=(X, Y + 1.0))
    assert fitted.measures["validation_loss"] == pytest.approx(squares(fitted.parameters, X, Y + 1.0))
    matrix = np.column_stack([X, X**2])
    fitted = descend.fit("y ~ u*x0 + v*x1 + w", (matrix, Y), validation=(matrix, Y))
    assert fitted.measures["validation_loss"] == pytest.approx(fitted.loss)
    fitted = descend.fit(CURVE, str(other), engine="query", validation=DATA)
    assert fitted.measures["validation_loss"] == pytest.approx(squares(fitted.parameters, X, Y))


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("count ~ exp(a + b*x)", {"loss": "poisson"}),
        ("count ~ exp(a + b*x)", {"loss": "negative_binomial(theta=2)"}),
        ("passed ~ a + b*x", {"loss": "logistic"}),
        ("kind ~ b*x", {"loss": "ordinal(levels='u, v, w')"}),
        ("kind ~ b*x", {"loss": "multinomial"}),
        (CURVE, {"loss": "huber"}),
        (CURVE, {"loss": "absolute"}),
        (CURVE, {"x_sigma": {"x": 0.05}}),
        (CURVE, {"errors": "cluster(site)"}),
        ("y ~ a[site]*exp(-b*x) + c", {}),
        (f"{CURVE}; count ~ d*exp(b*x)", {}),
    ],
)
def test_the_rows_that_are_fitted_have_the_same_loss_as_validation(formula, options):
    drawn = descend.fit(formula, DATA, validation=0.2, **options)
    assert len(drawn.trace.validation_losses) == len(drawn.trace)
    assert np.isfinite(drawn.trace.validation_losses).all()
    again = descend.fit(formula, DATA, validation=DATA, **options)
    assert again.measures["validation_loss"] == pytest.approx(again.loss, rel=1e-7)


def test_every_group_keeps_a_row():
    few = {"x": X, "y": Y, "site": np.array(["a"] * 58 + ["b", "c"])}
    for seed in range(10):
        fitted = descend.fit("y ~ a[site]*exp(-b*x) + c", few, validation=0.5, seed=seed)
        assert set(fitted.parameters["a"]) == {"a", "b", "c"} and fitted.rows == 30


def test_each_fit_of_many_holds_its_share_out():
    fits = descend.fit("y ~ a + b*x", DATA, by="site", validation=0.2)
    mine = {name: column[DATA["site"] == "b"] for name, column in DATA.items()}
    alone = descend.fit("y ~ a + b*x", mine, validation=0.2)
    assert fits["b"].rows == 16 and fits["b"].parameters == pytest.approx(alone.parameters)
    assert fits["b"].measures == pytest.approx(alone.measures)


def test_models_are_compared_on_the_same_rows_held_out():
    compared = descend.compare([CURVE, "y ~ a + b*x", "y ~ a[site]*exp(-b*x) + c"], DATA, validation=0.2)
    losses = {tuple(fit.solution.sample.y) for fit in compared.fits.values()}
    assert len(losses) == 1
    few = {"x": X, "y": Y, "site": np.array(["a"] * 58 + ["b", "c"])}
    with pytest.raises(DescendError) as refused:
        descend.compare(["y ~ a + b*x", "y ~ a[site] + b*x"], few, validation=0.5)
    assert str(refused.value) == (
        "`y ~ a[site] + b*x` holds out other rows than `y ~ a + b*x`, as each of its groups keeps one: only fits to "
        "the same rows can be compared. Give the rows held out as a table of their own, or another `seed`."
    )
    with pytest.raises(DescendError) as refused:
        descend.compare([CURVE, "y ~ a + b*x"], DATA, validation=0.2, folds=5)
    assert str(refused.value) == (
        "Folds are held out in turn, and `validation` holds rows out for good. Leave out one of the two."
    )


def test_the_code_that_repeats_it_names_a_table_of_its_own():
    call = {"model": CURVE, "data": DATA, "validation": DATA}
    assert as_python(call).endswith('descend.fit("y ~ a*exp(-b*x) + c", data, validation=validation)')
    assert as_command(call | {"data": "a.csv", "validation": "b.csv"}) == (
        "descend fit 'y ~ a*exp(-b*x) + c' a.csv --validation b.csv"
    )


def test_rows_without_a_value_are_neither_fitted_nor_held_out():
    gaps = {"x": X, "y": np.where(X < 0.5, np.nan, Y)}
    fitted = descend.fit(CURVE, gaps, validation=0.2, missing="drop")
    assert fitted.rows == 43
    assert "validation on 11 of 54 rows, drawn with seed 0" in fitted.notes


@pytest.fixture
def noisy():
    """A polynomial of too many parameters on few noisy points, whose validation loss turns upwards."""
    random = np.random.default_rng(3)
    x = np.sort(random.uniform(-1.0, 1.0, 24))
    return {"x": x, "y": np.sin(3.0 * x) + 0.4 * random.normal(size=24)}


POLYNOMIAL = "y ~ " + " + ".join(f"a{power}*x^{power}" for power in range(10))
OVERFITTING = {"validation": 0.4, "optimizer": "momentum", "learning_rate": 0.1, "epochs": 3000}


def test_patience_ends_a_run_and_the_best_parameters_are_kept(noisy):
    to_the_end = descend.fit(POLYNOMIAL, noisy, **OVERFITTING)
    losses = to_the_end.trace.validation_losses
    best = int(losses.argmin())
    assert best < 1000 and losses[-1] > 1.05 * losses[best]
    assert any(note.startswith(f"overfitting from epoch {best:,} on") for note in to_the_end.notes)
    assert to_the_end.outcome == "epochs_used_up" and to_the_end.cause is None
    assert to_the_end.advice == (
        f'Fewer epochs do better here: the validation loss was lowest at epoch {best}, which keep="best" keeps.'
    )
    kept = descend.fit(POLYNOMIAL, noisy, keep="best", **OVERFITTING)
    assert kept.outcome == "stopped_early" and kept.measures["validation_loss"] == losses[best]
    best = next(epoch for epoch in range(3000) if losses[epoch] <= losses[epoch : epoch + 51].min())
    ended = descend.fit(POLYNOMIAL, noisy, patience=50, keep="best", **OVERFITTING)
    assert ended.outcome == "stopped_early" and ended.succeeded
    assert ended.advice == "The validation loss had not fallen for as many epochs as `patience` allows."
    assert ended.epochs == best + 50
    assert ended.measures["validation_loss"] == losses[best]
    assert ended.loss == to_the_end.trace.at(best).loss
    assert f"parameters of epoch {best}, whose validation loss is lowest: {losses[best]:.6g}" in ended.notes
    last = descend.fit(POLYNOMIAL, noisy, patience=50, **OVERFITTING)
    assert last.measures["validation_loss"] == losses[best + 50]
    sooner = descend.fit(POLYNOMIAL, noisy, patience=50, min_delta=0.1, **OVERFITTING)
    assert sooner.epochs < ended.epochs


def test_the_best_of_a_run_that_converged_is_no_minimum(noisy):
    fitted = descend.fit(POLYNOMIAL, noisy, validation=0.4, keep="best", optimizer="lbfgs", start={"a1": 0.5})
    best = int(fitted.trace.validation_losses.argmin())
    assert fitted.trace[-1].outcome == "converged"
    assert fitted.outcome == "stopped_early"
    assert fitted.measures["validation_loss"] == fitted.trace.validation_losses[best]
    assert fitted.advice == (
        f"The descent went on to epoch {fitted.epochs}, but the parameters are those of epoch {best}, where the "
        "validation loss was lowest."
    )


def test_a_resumed_run_ends_where_one_without_a_break_does(tmp_path, noisy):
    options = OVERFITTING | {"patience": 50, "keep": "best"}
    whole = descend.fit(POLYNOMIAL, noisy, **options)
    beginning = {"checkpoint": tmp_path / "run.json"}

    def stop(step):
        if step.epoch == 60:
            raise StopIteration

    descend.fit(POLYNOMIAL, noisy, on_step=stop, **options, **beginning)
    resumed = descend.fit(POLYNOMIAL, noisy, resume=True, **options, **beginning)
    assert (resumed.epochs, resumed.loss, resumed.measures) == (whole.epochs, whole.loss, whole.measures)
    assert resumed.outcome == "stopped_early" and resumed.parameters == whole.parameters


def test_a_long_run_in_closed_form_tells_the_loss_at_each_epoch():
    fitted = descend.fit("y ~ a + b*x", DATA, validation=0.2, optimizer="gd", learning_rate=0.01, epochs=20_000)
    _, held = held_out(fitted)
    for step in (fitted.trace[-1], fitted.trace.at(12_345)):
        left = step.parameters["a"] + step.parameters["b"] * X[held] - Y[held]
        assert step.validation_loss == pytest.approx(np.mean(left**2))


def test_a_saved_fit_keeps_it(tmp_path, noisy):
    fitted = descend.fit(POLYNOMIAL, noisy, patience=50, keep="best", **OVERFITTING)
    fitted.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.measures == fitted.measures and loaded.outcome == "stopped_early"
    assert json.loads((tmp_path / "fit.json").read_text())["measures"] == fitted.measures
    assert pickle.loads(pickle.dumps(fitted)).measures == fitted.measures
    again = descend.fit(data=noisy, like=tmp_path / "fit.json")
    assert again.measures is not None


REFUSED = [
    ({"patience": 3}, "`patience` counts epochs without a lower validation loss, so give `validation`, such as 0.2."),
    (
        {"keep": "best"},
        "The best parameters are those of the lowest validation loss: give `validation`, such as 0.2.",
    ),
    (
        {"min_delta": 0.1, "validation": 0.2},
        "`min_delta` is by how much a validation loss has to be lower to count, so give `patience`, too.",
    ),
    (
        {"keep": "first", "validation": 0.2},
        "`keep` says which parameters are left, `last` or `best`, not 'first'.",
    ),
    (
        {"validation": 1.5},
        "`validation` is a share of the rows between 0 and 1, such as 0.2, or rows of its own; this is 1.5.",
    ),
    (
        {"validation": 0.001},
        "`validation` of 0.001 holds back 0 of 60 rows. Give a share that leaves rows for both.",
    ),
    (
        {"validation": [1.0, 2.0]},
        "`validation` is a share of the rows, such as 0.2, or rows of their own in a form of `data`, such as a file or "
        "(X, y); this is a list.",
    ),
    (
        {"validation": {"x": X}},
        "There is no column `y` in the rows held out, but the fit reads it. Add it, or hold out a share of the rows, "
        "such as 0.2.",
    ),
    (
        {"validation": 0.2, "covariance": np.eye(60)},
        "`validation` does not go with `covariance`, which belongs to all rows together. Leave out one of the two.",
    ),
    (
        {"validation": 0.2, "variance": "power"},
        "`validation` does not go with weights that follow from the prediction, which are those of all rows together. "
        "Leave out one of the two.",
    ),
    (
        {"validation": 0.2, "outliers": "list"},
        "`outliers` are told of the rows that are fitted, and `validation` holds some out. Leave out one of the two.",
    ),
    (
        {"validation": 0.2, "monitor": "accuracy"},
        "`monitor` is for training a PyTorch module, not for a formula or a function.",
    ),
    (
        {"validation": DATA, "by": "site"},
        "Rows of their own do not say which group each is held out of. Give `validation` as a share of the rows, such "
        "as 0.2, or leave out `by`.",
    ),
    ({"validation": "nowhere.csv"}, "There is no file `nowhere.csv`. Check the path."),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_held_out_is_refused(options, message):
    with pytest.raises(DescendError) as refused:
        descend.fit(CURVE, DATA, **options)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("formula", "options", "message"),
    [
        (
            "y ~ a[site]*exp(-b*x) + c",
            {"validation": 0.97},
            "`validation` of 0.97 holds back 58 of 60 rows, but 3 have to stay, one of each group that has a parameter "
            "of its own. Give a smaller share.",
        ),
        (
            "y ~ a[site]*exp(-b*x) + c",
            {"validation": DATA | {"site": ["z"] * 60}},
            "`site` is `z` in row 1 of the rows held out, a group that was not fitted. Known: `a`, `b`, `c`. Fit again "
            "with rows of that group, or leave such rows out.",
        ),
        (
            "passed ~ a + b*x",
            {"loss": "logistic", "validation": DATA | {"passed": ["maybe"] * 60}},
            "`passed` is `maybe` in row 1 of the rows held out, which no row that is fitted has. It holds `no` and "
            "`yes`. Leave out such rows.",
        ),
        (
            "count ~ exp(a + b*x)",
            {"loss": "poisson", "validation": DATA | {"count": np.full(60, -1)}},
            "`count` is -1 in row 1 of the rows held out, but the poisson loss needs counts, so 0 or more. Leave such "
            "rows out with `where`, or choose another loss.",
        ),
        (
            CURVE,
            {"censored": "state", "validation": DATA},
            "Rows of their own are not read as censored yet. Hold out a share of the rows instead, such as 0.2.",
        ),
    ],
)
def test_rows_that_a_model_does_not_know_are_refused(formula, options, message):
    data = DATA | {"state": np.where(Y < 0.6, "left", "none")}
    with pytest.raises(DescendError) as refused:
        descend.fit(formula, data, **options)
    assert str(refused.value) == message
