"""The same request on new data: what is taken over, what is not, and where it begins."""

import json

import numpy as np
import pytest

import descend
from descend.errors import DescendError

RANDOM = np.random.default_rng(3)
X = np.linspace(0.5, 5.0, 20)


def rows(a, b, seed):
    noise = np.random.default_rng(seed).normal(0.0, 0.05, 20)
    return {"x": X, "y": a * np.exp(-b * X) + noise, "s": np.full(20, 0.05), "t": np.linspace(1.0, 2.0, 20)}


def file_of(path, data):
    names = list(data)
    lines = zip(*(np.asarray(data[name]).tolist() for name in names), strict=True)
    path.write_text(",".join(names) + "\n" + "\n".join(",".join(map(str, line)) for line in lines) + "\n")
    return path


OLD, NEW = rows(3.0, 0.7, 1), rows(2.5, 0.9, 2)
OPTIONS = {
    "sigma": "s",
    "priors": ["b ~ normal(0.8, 0.1)"],
    "bounds": ["a < 9"],
    "quantities": ["half = log(2)/b"],
    "where": "x < 4.5",
}


@pytest.fixture
def saved(tmp_path):
    descend.fit("y ~ a*exp(-b*x)", file_of(tmp_path / "old.csv", OLD), **OPTIONS).save(tmp_path / "old.json")
    return tmp_path / "old.json"


def test_it_is_the_same_fit_of_other_data(saved, tmp_path):
    new = file_of(tmp_path / "new.csv", NEW)
    known = descend.fit("y ~ a*exp(-b*x)", new, **OPTIONS)
    for fit in (
        descend.fit(data=new, like=saved),
        descend.fit(new, like=saved),
        descend.fit(new, like=descend.fit("y ~ a*exp(-b*x)", tmp_path / "old.csv", **OPTIONS)),
        descend.fit(new, like=descend.load(saved)),
    ):
        assert fit.parameters == pytest.approx(known.parameters, rel=1e-9)
        assert fit.standard_errors == pytest.approx(known.standard_errors, rel=1e-7)
        assert fit.rows == known.rows < 20 and fit.sigma == "s"
        assert fit.quantities["half"].value == pytest.approx(known.quantities["half"].value)
        assert [each.text for each in fit.priors] == OPTIONS["priors"]


def test_it_begins_where_the_other_ended(saved):
    fit = descend.fit(NEW, like=saved, optimizer="levenberg_marquardt", priors=[])
    assert fit.solution.run.first.theta == pytest.approx([*descend.load(saved).parameters.values()])


def test_what_is_given_goes_before(saved):
    fit = descend.fit(NEW, like=saved, where="x < 3", priors=["b ~ normal(0.5, 0.001)"])
    assert fit.rows == np.count_nonzero(X < 3.0)
    assert fit.parameters["b"] == pytest.approx(0.5, abs=0.01)
    other = descend.fit("y ~ a*exp(-b*x) + c", NEW, like=saved)
    assert list(other.parameters) == ["a", "b", "c"] and other.sigma == "s"


def test_the_call_that_repeats_it_needs_no_file(saved):
    fit = descend.fit(NEW, like=saved)
    call = fit.solution.call()
    assert call["model"] == "y ~ a*exp(-b*x)" and "like" not in call and call["where"] == "x < 4.5"


def test_groups_begin_at_those_that_are_there(tmp_path):
    def of(groups, seed):
        every = np.repeat(groups, 10)
        noise = np.random.default_rng(seed).normal(0.0, 0.01, 10 * len(groups))
        x = np.tile(np.arange(10.0), len(groups))
        return {"g": every, "x": x, "y": (1.0 + (every == "B")) * np.exp(-0.3 * x) + noise}

    descend.fit("y ~ a[g]*exp(-b*x)", of(["A", "B"], 0)).save(tmp_path / "m.json")
    new = of(["B", "C"], 1)
    known = descend.fit("y ~ a[g]*exp(-b*x)", new)
    assert descend.fit(new, like=tmp_path / "m.json").parameters["a"] == pytest.approx(known.parameters["a"], rel=1e-6)


def test_a_file_from_before_tells_what_it_holds_and_what_not(saved):
    content = json.loads(saved.read_text())
    del content["request"]
    saved.write_text(json.dumps(content))
    fit = descend.fit(NEW, like=saved)
    assert fit.sigma == "s" and fit.rows == 20 and "half" in fit.quantities
    assert (
        "`old.json` was written before model files held the request: if there were `where`, `missing`, `optimizer`, "
        "give them again"
    ) in fit.notes


def test_codes_of_censored_rows_are_kept(tmp_path):
    rows = {"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "y": [1.1, 1.9, 2.0, 4.2, 4.9, 5.0], "seen": [1, 1, 0, 1, 1, 0]}
    fit = descend.fit("y ~ a + b*x", rows, censored={"seen": {0: "right", 1: "none"}})
    fit.save(tmp_path / "m.json")
    for earlier in (fit, tmp_path / "m.json"):
        again = descend.fit(rows, like=earlier)
        assert again.censored == fit.censored == {"left": 0, "right": 2, "interval": 0}
        assert again.parameters == pytest.approx(fit.parameters)


def test_values_and_functions_are_not_kept_and_that_is_told(tmp_path):
    fit = descend.fit("y ~ a*exp(-b*x)", OLD, weights=np.ones(20))
    fit.save(tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_text())["request"]["lacking"] == ["weights"]
    again = descend.fit(NEW, like=tmp_path / "m.json")
    assert (
        "`weights` of `m.json` was given as values or a function, which are not kept: give it again if it matters"
    ) in again.notes


def test_the_command_line_takes_it(saved, tmp_path, run):
    new = file_of(tmp_path / "new.csv", NEW)
    ran = run("fit", "--like", saved, new, "--json")
    assert ran.code == 0
    found = json.loads(ran.stdout)
    assert found["parameters"] == pytest.approx(descend.fit(new, like=saved).parameters)
    assert run("fit", "y ~ a + b*x", new, "--like", saved, "--json").code == 0


def damp(x, a, b):
    return a * np.exp(-b * x)


def test_a_function_is_given_again_unless_it_is_a_formula(tmp_path):
    descend.fit(damp, OLD, response="y").save(tmp_path / "m.json")
    known = descend.fit(damp, NEW, response="y")
    for fit in (descend.fit(NEW, like=tmp_path / "m.json"), descend.fit(damp, NEW, like=tmp_path / "m.json")):
        assert fit.parameters == pytest.approx(known.parameters, rel=1e-8)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: descend.fit(like="m.json"), "`like` fits new data, and none are given. Name them, such as new.csv."),
        (lambda: descend.fit(NEW, like=3), "`like` takes a model file, or a fit; this is of type int."),
        (
            lambda: descend.compare(["y ~ a", "y ~ a + b*x"], NEW, like="m.json"),
            "`like` repeats one fit on other data, and goes with fits alone. Leave it out.",
        ),
    ],
)
def test_what_cannot_be_repeated_says_so(call, message):
    with pytest.raises(DescendError) as error:
        call()
    assert str(error.value) == message


def test_what_codes_mean_is_kept(tmp_path):
    y = np.maximum(OLD["y"], 0.2)
    data = {"x": X, "y": y, "died": np.where(y > 0.2, 1, 2)}
    fit = descend.fit("y ~ a*exp(-b*x)", data, censored={"died": {1: "none", 2: "left"}})
    fit.save(tmp_path / "codes.json")
    for like in (fit, tmp_path / "codes.json"):
        again = descend.fit(data, like=like)
        assert again.censored == fit.censored
        assert again.log_likelihood == pytest.approx(fit.log_likelihood)


def test_a_parameter_that_was_bounded_can_be_fixed(tmp_path):
    x = np.arange(8.0)
    data = {"x": x, "y": 3.0 * np.exp(-0.5 * x) + 0.01 * np.sin(5 * x)}
    bounds = ["b > 0", "a < 9"]
    descend.fit("y ~ a*exp(-b*x)", data, bounds=bounds).save(tmp_path / "bounded.json")
    fit = descend.fit(data, like=tmp_path / "bounded.json", fix={"b": 0.5})
    assert fit.parameters["b"] == 0.5 and fit.constraints.bounds.free_texts == ["a < 9"]
    descend.fit("y ~ a*exp(-b*x)", data, priors=["b ~ normal(0.5, 0.1)"]).save(tmp_path / "prior.json")
    assert not descend.fit(data, like=tmp_path / "prior.json", fix={"b": 0.5}).priors


def test_a_file_of_many_fits_is_told(tmp_path):
    data = {"x": np.tile(np.arange(6.0), 2), "g": np.repeat(["A", "B"], 6), "y": np.arange(12.0) ** 1.1}
    path = tmp_path / "many.json"
    descend.fit("y ~ a + b*x", data, by="g").save(path)
    with pytest.raises(DescendError) as refused:
        descend.fit(data, like=path)
    assert str(refused.value) == (
        f"`{path}` holds the fits of 2 groups. Save that of one group, in Python: "
        f'descend.load("{path}")[key].save("one.json").'
    )
