"""Picking a named part from text: settings, spelling, and every message."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import ConfigError
from descend.losses import LOSSES
from descend.optimizers import OPTIMIZERS, SCHEDULES, Optimizer
from descend.registry import Part, Registry, closest


@dataclass(frozen=True)
class Plain(Part):
    kind: ClassVar[str] = "part"
    name: ClassVar[str] = "plain"


@dataclass(frozen=True)
class Rich(Part):
    kind: ClassVar[str] = "part"
    name: ClassVar[str] = "rich_one"
    rate: float = 0.5
    steps: int = 10
    mode: str = "fast"
    nested: bool = False


PARTS: Registry[Part] = Registry(Plain, Rich)


def test_a_registry_lists_its_parts():
    assert list(PARTS) == ["plain", "rich_one"]
    assert PARTS["plain"] is Plain


def test_a_part_from_outside_is_known_like_any_other():
    parts: Registry[Part] = Registry(Plain)

    @parts.register
    @dataclass(frozen=True)
    class Guest(Part):
        kind: ClassVar[str] = "part"
        name: ClassVar[str] = "guest"
        aliases: ClassVar[str] = "visitor stranger"

    assert list(parts) == ["plain", "guest"]
    assert parts.build("guest") == Guest()
    with pytest.raises(ConfigError) as caught:
        parts.build("Visitor")
    assert str(caught.value) == "There is no part `Visitor`. Did you mean `guest`? Known: plain, guest."


def test_a_name_is_given_once():
    parts: Registry[Part] = Registry(Plain, Rich)
    with pytest.raises(ConfigError) as caught:
        parts.register(dataclass(frozen=True)(type("Other", (Part,), {"kind": "part", "name": "plain"})))
    assert str(caught.value) == "There is a part `plain` already. Give yours another name."
    assert parts["plain"] is Plain


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("plain", Plain()),
        (" plain() ", Plain()),
        ("rich_one", Rich()),
        ("rich-one(rate=1)", Rich(rate=1.0)),
        ("rich_one( steps = 3, rate=-1e-3 )", Rich(rate=-1e-3, steps=3)),
        ("rich_one(mode='slow', nested=True)", Rich(mode="slow", nested=True)),
        ('rich_one(mode="a)b")', Rich(mode="a)b")),
        ("rich_one(rate=0.5,)", Rich()),
    ],
)
def test_parts_from_text(text, part):
    assert PARTS.build(text) == part


UNREADABLE = (
    "The settings of part `rich_one` cannot be read: ({}). Write them as name=value, such as `rich_one(rate=0.5)`."
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`` does not name a part. Write a name or a call, such as `rich_one(rate=0.5)`."),
        ("rich_one(", "`rich_one(` does not name a part. Write a name or a call, such as `rich_one(rate=0.5)`."),
        ("no(1) more", "`no(1) more` does not name a part. Write a name or a call, such as `rich_one(rate=0.5)`."),
        ("plan", "There is no part `plan`. Did you mean `plain`? Known: plain, rich_one."),
        ("Plain", "There is no part `Plain`. Did you mean `plain`? Known: plain, rich_one."),
        ("other", "There is no part `other`. Known: plain, rich_one."),
        ("plain(rate=1)", "The part `plain` has no setting `rate`. Its settings: none."),
        (
            "rich_one(rat=1)",
            "The part `rich_one` has no setting `rat`. Did you mean `rate`? Its settings: rate, steps, mode, nested.",
        ),
        ("rich_one(rate='a')", "The setting `rate` of part `rich_one` must be a number, such as 0.5; it is 'a'."),
        ("rich_one(rate=True)", "The setting `rate` of part `rich_one` must be a number, such as 0.5; it is True."),
        (
            "rich_one(steps=1.5)",
            "The setting `steps` of part `rich_one` must be a whole number, such as 10; it is 1.5.",
        ),
        ("rich_one(mode=1)", "The setting `mode` of part `rich_one` must be a text, such as 'fast'; it is 1."),
        (
            "rich_one(nested=1)",
            "The setting `nested` of part `rich_one` must be a True or False, such as False; it is 1.",
        ),
        ("rich_one(rate=[1])", "The setting `rate` of part `rich_one` must be a number, such as 0.5; it is [1]."),
        ("rich_one(0.5)", UNREADABLE.format("0.5")),
        ("rich_one(rate)", UNREADABLE.format("rate")),
        (
            "rich_one(rate=x)",
            "The setting `rate` of part `rich_one` must be a number, such as 0.5; it is 'x'.",
        ),
        ("rich_one(rate=1, rate=2)", UNREADABLE.format("rate=1, rate=2")),
        ("rich_one(rate=1)(steps=2)", UNREADABLE.format("rate=1)(steps=2")),
        ("rich_one(rate=__import__('os'))", UNREADABLE.format("rate=__import__('os')")),
        ("rich_one(**{'rate': 1})", UNREADABLE.format("**{'rate': 1}")),
        ("rich_one(rate=\0)", UNREADABLE.format("rate=\0")),
        ("rich_one(rate=1 for x in y)", UNREADABLE.format("rate=1 for x in y")),
    ],
)
def test_messages(text, message):
    with pytest.raises(ConfigError) as caught:
        PARTS.build(text)
    assert str(caught.value) == message


def test_a_whole_number_too_large_for_a_float():
    with pytest.raises(ConfigError) as caught:
        LOSSES.build(f"huber(delta={10**400})")
    assert str(caught.value) == (
        "The setting `delta` of loss `huber` must be a number above 0, or 'auto', such as 1.0; it is inf."
    )


@pytest.mark.parametrize("registry", [LOSSES, OPTIMIZERS, SCHEDULES], ids=lambda registry: registry.kind)
@given(text=st.text(alphabet="abdehlmu_-()=,.0123456789 '\"[]{}*\\\n", max_size=30))
def test_no_text_crashes_a_registry(registry, text):
    for whole in (text, f"huber({text})", f"adam({text})", f"step({text})"):
        with contextlib.suppress(ConfigError):
            registry.build(whole)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("adm", " Did you mean `adam`?"),
        ("ADAM", " Did you mean `adam`?"),
        ("momentun", " Did you mean `momentum`?"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_closest(name, hint):
    assert closest(name, ["gd", "adam", "momentum"]) == hint


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"init": lambda self, theta: ()}, "`name` and no `step` and no `suggested_rate`"),
        ({"name": "mine", "init": lambda self, theta: ()}, "`step` and no `suggested_rate`"),
    ],
)
def test_a_class_that_lacks_what_its_kind_has_is_not_registered(said, missing):
    part = dataclasses.dataclass(frozen=True)(type("Mine", (Optimizer,), said))
    with pytest.raises(ConfigError) as refused:
        OPTIMIZERS.register(part)
    assert (
        str(refused.value)
        == f"The optimizer `Mine` has no {missing}, which every optimizer needs. Define that in the class."
    )
    assert "mine" not in OPTIMIZERS.parts
