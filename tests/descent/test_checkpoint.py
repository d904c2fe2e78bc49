"""A run that is resumed takes the same steps, bit for bit, whenever it was cut off."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend
from descend.descent import checkpoint
from descend.descent.loop import Judge, Plan
from descend.errors import ConfigError, DataError
from descend.optimizers import OPTIMIZERS
from descend.optimizers.schedules import Constant

X = np.linspace(0.0, 5.0, 60)
DATA = {"x": X, "y": 3.0 * np.exp(-0.7 * X) - 0.5 + np.sin(37.0 * X) / 50}
CURVE = "y ~ a*exp(-b*x) + c"


class CutOffError(Exception):
    pass


@pytest.fixture(autouse=True)
def at_every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", -1.0)


def cut_off(at, path, model=CURVE, **options):
    def stop(step):
        if step.epoch == at:
            raise CutOffError

    with pytest.raises(CutOffError):
        descend.fit(model, DATA, checkpoint=path, on_step=stop, **options)


def assert_same(one, other):
    assert one.theta.tolist() == other.theta.tolist()
    assert (one.loss, one.epochs, one.outcome) == (other.loss, other.epochs, other.outcome)
    for step, same in zip(one.trace, other.trace, strict=True):
        assert (step.epoch, step.loss, step.gradient_norm) == (same.epoch, same.loss, same.gradient_norm)
        assert step.parameters == same.parameters


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "lbfgs(line_search='none')"])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_every_optimizer_goes_on_as_if_nothing_had_happened(optimizer, share, tmp_path):
    options = {"optimizer": optimizer, "epochs": 40, "start": {"a": 2.0, "b": 0.5, "c": 0.0}, "learning_rate": 0.01}
    whole = descend.fit(CURVE, DATA, **options)
    cut_off(int(share * whole.epochs), tmp_path / "run.json", **options)
    again = descend.fit(CURVE, DATA, checkpoint=tmp_path / "run.json", resume=True, **options)
    assert_same(whole, again)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "adam", "batch_size": 16, "epochs": 30, "seed": 3, "learning_rate": 0.01},
        {"optimizer": "gd", "epochs": 30, "schedule": "cosine", "learning_rate": 0.1},
        {"optimizer": "momentum", "epochs": 30, "l1": 0.01, "l2": 0.1},
        {"bounds": ["c >= 0", "b < 2"]},
        {"loss": "huber(delta=auto)"},
        {"fix": {"c": -0.5}, "ties": ["a = 4*b"], "epochs": 9},
        {"gradient": "autograd", "optimizer": "adam", "epochs": 20},
        {"engine": "torch", "optimizer": "lbfgs"},
    ],
    ids=str,
)
def test_so_do_all_options(options, tmp_path):
    whole = descend.fit(CURVE, DATA, **options)
    cut_off(whole.epochs // 2, tmp_path / "run.json", **options)
    assert_same(whole, descend.fit(CURVE, DATA, checkpoint=tmp_path / "run.json", resume=True, **options))


def test_a_judge_forgets_nothing_that_decides_about_the_end():
    plan = Plan(10, True, 0.1, Constant())
    kept = {"plan", "watching"}  # known from the plan
    # A run with checkpoints takes no foreseen step, and is not asked whether it still gets anywhere.
    unused = {"promised", "foreseen", "milestone", "loss_then"}
    for name in vars(Judge(plan, False)).keys() - kept - unused:
        judge = Judge(plan, False)
        before = judge.memory
        setattr(judge, name, 12345)
        assert judge.memory != before, name


def test_a_finished_run_goes_on_when_more_epochs_are_asked_for(tmp_path):
    options = {"optimizer": "gd", "learning_rate": 0.05, "start": {"a": 1.0, "b": 1.0, "c": 0.0}}
    descend.fit(CURVE, DATA, epochs=20, checkpoint=tmp_path / "run.json", **options)
    longer = descend.fit(CURVE, DATA, epochs=50, checkpoint=tmp_path / "run.json", resume=True, **options)
    assert_same(descend.fit(CURVE, DATA, epochs=50, **options), longer)
    assert longer.notes[0] == f"resumed at epoch 20 from {tmp_path / 'run.json'}"


def test_without_a_file_yet_it_begins(tmp_path):
    whole = descend.fit(CURVE, DATA)
    assert_same(whole, descend.fit(CURVE, DATA, checkpoint=tmp_path / "run.json", resume=True))


def test_a_long_run_keeps_some_of_its_steps(tmp_path):
    options = {"optimizer": "gd", "learning_rate": 0.01, "epochs": 3000, "start": {"w": 0.0}}
    cut_off(2500, tmp_path / "run.json", "y ~ w*x", **options)
    again = descend.fit("y ~ w*x", DATA, checkpoint=tmp_path / "run.json", resume=True, **options)
    whole = descend.fit("y ~ w*x", DATA, **options)
    assert again.theta.tolist() == whole.theta.tolist()
    assert len(again.trace) > 700 and again.trace[0].epoch == 0
    for step in again.trace:
        assert (step.loss, step.parameters) == (whole.trace[step.epoch].loss, whole.trace[step.epoch].parameters)


def refusal(path, data=DATA, **options):
    with pytest.raises(ConfigError) as error:
        descend.fit(CURVE, data, checkpoint=path, resume=True, **options)
    return str(error.value)


def test_another_run_is_refused(tmp_path):
    path = tmp_path / "run.json"
    descend.fit(CURVE, DATA, optimizer="gd", epochs=5, learning_rate=0.01, checkpoint=path)
    before = path.read_text()
    again = "Give the same options again, or start anew without `resume`."
    assert refusal(path, optimizer="gd", epochs=5, learning_rate=0.02) == (
        f"`{path}` is the checkpoint of another run: its learning rate is 0.01, here it is 0.02. {again}"
    )
    assert refusal(path, optimizer="adam", epochs=5, learning_rate=0.01) == (
        f"`{path}` is the checkpoint of another run: its optimizer is `GradientDescent()`, here it is "
        f"`Adam(beta1=0.9, beta2=0.999, epsilon=1e-08)`. {again}"
    )
    other = {**DATA, "y": DATA["y"] + 1.0}
    assert refusal(path, data=other, optimizer="gd", epochs=5, learning_rate=0.01).startswith(
        f"`{path}` is the checkpoint of a run over other data: at its parameters the loss was "
    )
    assert path.read_text() == before


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.json"
    for content in ("", "{}", '{"checkpoint": 99}', "[1, 2]", '{"checkpoint": 1, "position": {}}'):
        path.write_text(content)
        with pytest.raises(DataError) as error:
            descend.fit(CURVE, DATA, checkpoint=path, resume=True)
        assert str(error.value) == (
            f"`{path}` is not a checkpoint. Give a file that `checkpoint` wrote, or start without `resume`."
        )
    with pytest.raises(ConfigError) as refused:
        descend.fit(CURVE, DATA, resume=True)
    assert str(refused.value) == ("Resume from which run? Name its file with `checkpoint`.")


finite = st.floats(allow_nan=True, allow_infinity=True)
states = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), finite, st.lists(finite, max_size=4).map(np.array)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


def equal(one, other):
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(equal, one, other))
    return type(one) is type(other) and (one == other or one != one)


@settings(max_examples=200, deadline=None)
@given(states)
def test_any_state_survives_the_file(state):
    assert equal(state, checkpoint.live(json.loads(json.dumps(checkpoint.plain(state)))))


@pytest.mark.slow
def test_kill_nine_at_ten_random_moments(tmp_path):
    random = np.random.default_rng(0)
    x = random.uniform(0, 5, size=20_000)
    data, path = tmp_path / "data.csv", tmp_path / "run.json"
    y = 3.0 * np.exp(-0.7 * x) - 0.5 + random.normal(size=x.size) / 10
    np.savetxt(data, np.column_stack([x, y]), delimiter=",", header="x,y", comments="")
    options = ["--optimizer", "adam", "--learning-rate", "0.001", "--batch-size", "100", "--epochs", "1500", "--json"]
    command = [sys.executable, "-m", "descend", "fit", CURVE, str(data), "--start", "a=1,b=1,c=0", *options]
    undisturbed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    resuming = [*command, "--checkpoint", str(path), "--resume"]
    reached = []
    for _ in range(10):
        before = path.stat().st_mtime_ns if path.exists() else 0
        process = subprocess.Popen(resuming, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
            time.sleep(0.01)  # it is still being imported
        time.sleep(random.uniform(0.0, 4.0))
        process.kill()  # SIGKILL
        process.communicate()
        reached.append(json.loads(path.read_text())["position"]["epoch"] if path.exists() else 0)
    final = json.loads(subprocess.run(resuming, capture_output=True, check=True).stdout)
    assert reached == sorted(reached)
    assert reached[-1] > 0
    for what in ("parameters", "loss", "epochs", "outcome"):
        assert final[what] == undisturbed[what]


def test_a_standardised_run_goes_on_too(tmp_path):
    options = {"optimizer": "momentum", "learning_rate": 0.05, "epochs": 40, "standardize": True}
    whole = descend.fit("y ~ w*x + b", DATA, **options)
    for at in (0, 17):
        cut_off(at, tmp_path / "run.json", "y ~ w*x + b", **options)
        again = descend.fit("y ~ w*x + b", DATA, checkpoint=tmp_path / "run.json", resume=True, **options)
        assert again.theta.tolist() == whole.theta.tolist()
