"""The film of a run: what moves in it is what the run did, and every kind of file can be read back."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

import descend
from descend.errors import ConfigError, OutputError
from descend.report.animation import page, pictures
from descend.report.figures import Line, Points, Surface
from descend.report.film import DOTS, MOST_FRAMES, film

X = np.arange(100) / 10
LINE = {"x": X, "y": 2 * X + 2 * np.random.default_rng(0).uniform(size=100)}
TEXTBOOK = {"start": {"w": 0.0}, "optimizer": "gd", "learning_rate": 0.001, "epochs": 100}


@pytest.fixture(scope="module")
def textbook():
    return descend.fit("y ~ w*x", LINE, **TEXTBOOK)


@pytest.fixture(scope="module")
def plane():
    x1, x2 = np.random.default_rng(1).normal(size=(2, 400))
    return descend.fit("y ~ w @ [x1, x2] + b", {"x1": x1, "x2": x2, "y": 1 + 2 * x1 - x2}, optimizer="momentum")


def test_a_frame_shows_the_curve_and_the_steps_up_to_its_epoch(textbook):
    shown = film(textbook)
    assert [frame.epoch for frame in shown.frames] == list(range(101))
    for epoch in (0, 1, 20, 100):
        (curve,), (path,) = shown.frames[epoch].marks
        np.testing.assert_allclose(curve.y, textbook.trace[epoch].theta[0] * curve.x, rtol=1e-12)
        np.testing.assert_allclose(path.x, [step.theta[0] for step in textbook.trace[: epoch + 1]])
    assert (
        shown.frames[20].said == f"epoch 20 · loss {textbook.trace[20].loss:.6g} · w={textbook.trace[20].theta[0]:.4g}"
    )
    assert shown.frames[100].said.endswith("not converged, 100 epochs used up")


def test_with_several_inputs_the_dots_move_to_the_diagonal(plane):
    shown = film(plane)
    assert len(shown.frames) <= MOST_FRAMES + 2
    (first,), _ = shown.frames[0].marks
    (last,), (path,) = shown.frames[-1].marks
    assert isinstance(first, Points) and len(first.x) == DOTS
    assert np.abs(first.y).max() == 0.0
    np.testing.assert_allclose(last.y, last.x, atol=1e-5)
    assert any(isinstance(mark, Surface) for mark in shown.panels[1].marks)
    assert isinstance(path, Line) and len(path.x) > 1


def test_frames_are_where_the_run_moves():
    run = descend.fit("y ~ w*x + b", LINE, optimizer="gd", learning_rate=0.02, epochs=1500)
    epochs = [frame.epoch for frame in film(run).frames]
    assert epochs[0] == 0 and epochs[-1] == 1500
    assert np.median(epochs) < 400


def test_a_run_that_diverges_is_followed_until_it_leaves_the_picture():
    run = descend.fit("y ~ w*x + b", LINE, optimizer="gd", learning_rate=0.05)
    frames = film(run).frames
    assert frames[-1].said.endswith(f"diverged after {run.epochs} epochs")
    drawn = [frame.marks[1][0].x for frame in frames]
    assert len(drawn[-1]) < len(frames)
    assert all(np.isfinite(marks).all() for marks in drawn)


def test_the_page_holds_every_frame_and_names_its_scripts_by_their_digest(textbook, tmp_path):
    place = tmp_path / "run.html"
    textbook.animate().save(place)
    text = place.read_text(encoding="utf-8")
    frames = json.loads(re.search(r'<script type="application/json" id="frames">(.*?)</script>', text, re.S)[1])
    assert len(frames) == 101
    assert frames[0][0].startswith("epoch 0 · loss 155.85")
    assert all(markup.startswith("<path ") for _, *marks in frames for markup in marks)
    assert "default-src 'none'" in text and text.count("'sha256-") == 2
    assert not re.search(r"(src|href)=", text)


def test_a_column_cannot_break_out_of_the_page():
    name = "</script><script>alert(1)</script>"
    run = descend.fit(f"y ~ w*`{name}`", {name: X, "y": 2 * X}, **TEXTBOOK)
    text = page(film(run))
    assert "<script>alert" not in text
    assert text.count("</script>") == 3


def test_a_gif_has_all_frames_and_rests_on_the_last(textbook, tmp_path):
    place = tmp_path / "run.gif"
    descend.fit("y ~ w*x", LINE, **TEXTBOOK | {"epochs": 12}).animate().save(place)
    with Image.open(place) as image:
        assert image.n_frames == 13
        image.seek(12)
        assert image.info["duration"] >= 1900


def test_a_video_can_be_read_back(tmp_path):
    encoder = pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg is not installed")
    place = tmp_path / "run.mp4"
    descend.fit("y ~ w*x", LINE, **TEXTBOOK | {"epochs": 12}).animate().save(place)
    frames, seconds = encoder.count_frames_and_secs(str(place))
    assert frames == 13 + 24
    assert seconds == pytest.approx(37 / 12, abs=0.2)


def test_pictures_differ_only_where_something_moves(plane):
    images = list(pictures(film(plane)))
    assert all(image.shape == images[0].shape for image in images)
    assert all(side % 2 == 0 for side in images[0].shape[:2])
    assert (images[0] != images[-1]).any()
    assert np.array_equal(images[0][:30], images[-1][:30])  # the title


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(textbook):
    shown = textbook.animate()._repr_html_()
    assert shown.startswith("<iframe ") and "<html" not in shown and "&lt;html" in shown


def test_what_cannot_be_animated_says_why(textbook, tmp_path):
    with pytest.raises(OutputError) as refused:
        textbook.animate().save(tmp_path / "run.avi")
    assert str(refused.value) == (
        f"`{tmp_path / 'run.avi'}` cannot be animated: its ending must be one of .html, .gif, .mp4."
    )
    textbook.save(tmp_path / "run.json")
    with pytest.raises(ConfigError) as refused:
        descend.load(tmp_path / "run.json").animate()
    assert str(refused.value) == "This fit was loaded from a file, without its steps, so there is nothing to animate."


def test_a_module_has_no_steps_to_animate():
    torch = pytest.importorskip("torch")
    run = descend.fit(torch.nn.Linear(1, 1), (X[:, None].astype("float32"), LINE["y"].astype("float32")), epochs=3)
    with pytest.raises(ConfigError) as refused:
        run.animate().save("run.html")
    assert str(refused.value) == (
        "The steps of a PyTorch module keep no parameters, so there is nothing to animate. "
        "Use fit.plot() or fit.report(), which draw its loss per epoch."
    )


def test_without_an_encoder_a_video_is_refused_before_the_run(monkeypatch, textbook, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(ConfigError) as refused:
        textbook.animate().save(tmp_path / "run.mp4")
    assert str(refused.value) == (
        'A video needs FFmpeg, which is not installed: pip install "descend[video]". '
        "A page (.html) or a .gif needs nothing more."
    )


def test_the_legend_names_what_moves(textbook, plane):
    assert "model" in [getattr(mark, "name", "") for mark in film(textbook).panels[0].marks]
    assert "rows" in [getattr(mark, "name", "") for mark in film(plane).panels[0].marks]
    assert "</svg> model</li>" in page(film(textbook))
