"""Named parts with their settings, and how text such as ``adam(beta1=0.8)`` picks one out of a registry.

Losses, optimizers and learning-rate schedules are each one registry. The command line's choices,
the error messages and the law tests read it, so a new part is one file and one line in its room.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from descend.errors import ConfigError

Setting = dataclasses.Field[Any]
BOUNDS = {"at least": operator.ge, "above": operator.gt, "below": operator.lt, "at most": operator.le}
"""How a bound is written in a message, and whether a value keeps it."""
CALL = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:\((.*)\))?\s*", re.DOTALL)


EMPTIED_AT_A_CHANGE: list[Callable[[], None]] = []
"""What empties the caches of what was read by the parts that there were."""


def changed() -> None:
    """Forget what was read by the parts that there were, as others are registered now."""
    for empty in EMPTIED_AT_A_CHANGE:
        empty()


def setting(
    default: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
    auto: bool = False,
    estimates: tuple[str, ...] = (),
    fitted: float | None = None,
) -> Any:
    """Return a dataclass field with a default and the range its values must lie in; ``auto``: or be "auto".

    estimates: further words that stand for an estimate from the data, as "auto" does. fitted: where a loss whose
    setting is 0 starts to fit it, as a parameter of its own.
    """
    limits = dict(zip(BOUNDS, (at_least, above, below, at_most), strict=True))
    bounds = {words: bound for words, bound in limits.items() if bound is not None}
    return dataclasses.field(
        default=default,
        metadata={
            "bounds": bounds,
            "choices": choices,
            "auto": (("auto",) if auto else ()) + estimates,
            "fitted": fitted,
        },
    )


@dataclasses.dataclass(frozen=True)
class Part:
    """A part that a registry can hold. Subclasses are frozen dataclasses, and their fields are their settings.

    kind: what it is, such as a loss. name: what it is called. aliases: what other programs call it, to be understood
    where a user types that.

    Raises ConfigError, naming setting and range, for the first setting that is outside its range.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    aliases: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.metadata and not _inside(value, field):
                raise ConfigError(
                    f"The setting `{field.name}` of {self.kind} `{self.name}` must be {_range(field)}, "
                    f"such as {field.default!r}; it is {value!r}."
                )


def is_estimate(field: Setting, value: object) -> bool:
    """Whether the value of a setting is a word, such as "auto", that stands for an estimate from the data."""
    return isinstance(value, str) and value in field.metadata.get("auto", ())


def _inside(value: object, field: Setting) -> bool:
    if is_estimate(field, value):
        return True
    choices = field.metadata["choices"]
    if isinstance(field.default, str):
        return isinstance(value, str) and (not choices or value in choices)
    if isinstance(value, bool) or not isinstance(value, int if isinstance(field.default, int) else (int, float)):
        return False
    return math.isfinite(value) and all(
        BOUNDS[words](value, bound) for words, bound in field.metadata["bounds"].items()
    )


def _range(field: Setting) -> str:
    if isinstance(field.default, str):
        return " or ".join(map(repr, field.metadata["choices"])) or "text"
    limits = " and ".join(f"{words} {bound:g}" for words, bound in field.metadata["bounds"].items())
    text = f"a {'whole ' if isinstance(field.default, int) else ''}number {limits}"
    words = " or ".join(map(repr, field.metadata["auto"]))
    return f"{text}, or {words}" if words else text


AnyPart = TypeVar("AnyPart", bound=Part)


def split_list(text: str) -> list[str]:
    """Split at commas, though not at those inside brackets; nothing twice.

    >>> split_list("gd,adam(beta1=0.8, beta2=0.99),gd")
    ['gd', 'adam(beta1=0.8, beta2=0.99)']
    """
    parts = (part.strip() for part in re.findall(r"(?:\([^)]*\)|[^,(]|\()+", text))
    return list(dict.fromkeys(part for part in parts if part))


def split_assignments(text: str) -> list[str]:
    """Split at commas, though not at those in backticks, in brackets or in double quotes within these.

    >>> split_assignments('a[A, 3]=1, `unit, price`=2, b["x]y"]=3,4')
    ['a[A, 3]=1', ' `unit, price`=2', ' b["x]y"]=3', '4']
    """
    return re.findall(r"""(?:`[^`]*`|\[(?:"[^"]*"|[^\]"])*\]|[^,`\[]|\[)+""", text)


def names_listed(texts: str | Sequence[str] | None, known: Collection[str]) -> list[str]:
    """Return the names that texts list: a known one as it is, else several with commas between them; nothing twice.

    >>> names_listed(["a, b", "c", "a"], ["a, b", "c"]), names_listed("plate,well", ["plate", "well"])
    (['a, b', 'c', 'a'], ['plate', 'well'])
    """
    each = [texts] if isinstance(texts, str) else texts or ()
    names = (name for text in each for name in ([text] if text in known else split_list(text)))
    return list(dict.fromkeys(names))


class Registry(Generic[AnyPart]):
    """The parts of one kind by name; every part is a dataclass whose fields are its settings.

    A part of the package is imported when it is first asked for: a fit needs one loss and one optimizer of many.

    >>> from descend.optimizers import OPTIMIZERS
    >>> OPTIMIZERS.build("adam(beta1=0.8)").beta1
    0.8
    """

    def __init__(
        self,
        *parts: type[AnyPart],
        kind: str = "",
        places: Mapping[str, str] = MappingProxyType({}),
        around: Mapping[str, str] = MappingProxyType({}),
        check: Callable[[type[AnyPart]], None] = lambda part: None,
    ) -> None:
        """Hold parts by name: classes, or their places.

        kind: what each of them is, if none is given as a class. places: where classes are, as ``module:class`` by name;
        around: the same of those made around another, which are not listed. check: raises ConfigError for a part from
        outside that cannot be one.
        """
        self.kind = kind or parts[0].kind
        self.parts: dict[str, type[AnyPart] | str] = {**places, **{part.name: part for part in parts}}
        self.around = around
        self.check = check
        self.built = lru_cache(maxsize=64)(self._built)

    def register(self, part: type[AnyPart]) -> type[AnyPart]:
        """Add a part from outside the package, and return it: it can be written as a decorator of the class.

        A class that is defined again, as a cell of a notebook is run again, takes the place of what it was.

        Raises ConfigError if another part has its name, or if it is not what such a part has to be.
        """
        self.check(part)
        missing = [*([] if hasattr(part, "name") else ["name"]), *sorted(getattr(part, "__abstractmethods__", ()))]
        if missing:
            listed = " and no ".join(f"`{attribute}`" for attribute in missing)
            raise ConfigError(
                f"The {self.kind} `{part.__qualname__}` has no {listed}, which every {self.kind} needs. Define that in "
                "the class."
            )
        if part.name in self.parts and not _same_place(self[part.name], part):
            raise ConfigError(f"There is a {self.kind} `{part.name}` already. Give yours another name.")
        self.parts[part.name] = part
        self.built.cache_clear()
        changed()
        return part

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __getitem__(self, name: str) -> type[AnyPart]:
        part = self.parts[name]
        if isinstance(part, str):
            part = self.parts[name] = self._at(part)
        return part

    def _at(self, place: str) -> type[AnyPart]:
        module, _, name = place.partition(":")
        part: type[AnyPart] = getattr(import_module(module), name)
        return part

    def called(self, name: str) -> type[AnyPart]:
        """Return the class of this name, of those whose places are known. Raises AttributeError if there is none.

        >>> from descend.losses import LOSSES
        >>> LOSSES.called("SoftL1").name
        'soft_l1'
        """
        for key, part in self.parts.items():
            if (part.rpartition(":")[2] if isinstance(part, str) else part.__name__) == name:
                return self[key]
        raise AttributeError(f"There is no {self.kind} of the class `{name}`.")

    def build(self, text: str | AnyPart) -> AnyPart:
        """Return the part that ``text`` names, with its settings; a part itself as it is. Raises ConfigError."""
        return self.built(text) if isinstance(text, str) else text

    def _built(self, text: str) -> AnyPart:
        call = CALL.fullmatch(text)
        if call is None:
            raise ConfigError(
                f"`{text}` does not name a {self.kind}. Write a name or a call, such as {self._example()}."
            )
        name, arguments = call[1].replace("-", "_"), call[2] or ""
        if name in self.around:
            wrapper = self._at(self.around[name])
            return wrapper(**self._settings(wrapper, name, arguments))
        if name not in self.parts:
            by_alias = (known for known in self if name.casefold() in self[known].aliases.split())
            meant = next((f" Did you mean `{known}`?" for known in by_alias), closest(name, self.parts))
            raise ConfigError(f"There is no {self.kind} `{call[1]}`.{meant} Known: {', '.join(self)}.")
        return self[name](**self._settings(self[name], name, arguments))

    def _settings(self, part: type[AnyPart], name: str, arguments: str) -> dict[str, Any]:
        if not arguments.strip():
            return {}
        known = {field.name: field for field in dataclasses.fields(part)}
        settings: dict[str, object] = {}
        # A call that is parsed but never evaluated: only literals come out of it.
        try:
            call = ast.parse(f"f({arguments})", mode="eval").body
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
                raise ValueError
            values = {str(keyword.arg): _literal(keyword.value) for keyword in call.keywords}
            if len(values) < len(call.keywords) or not all(value.arg for value in call.keywords):
                raise ValueError
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            raise ConfigError(
                f"The settings of {self.kind} `{name}` cannot be read: ({arguments}). "
                f"Write them as name=value, such as {self._example(name)}."
            ) from None
        for setting, value in values.items():
            if setting not in known:
                listed = ", ".join(known) or "none"
                raise ConfigError(
                    f"The {self.kind} `{name}` has no setting `{setting}`.{closest(setting, known)} "
                    f"Its settings: {listed}."
                )
            default = known[setting].default
            if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value) if abs(value) < 1e308 else math.inf if value > 0 else -math.inf
            estimated = is_estimate(known[setting], value)
            if not estimated and default is not dataclasses.MISSING and type(value) is not type(default):
                raise ConfigError(
                    f"The setting `{setting}` of {self.kind} `{name}` must be a {_word(default)}, such as {default!r}; "
                    f"it is {value!r}."
                )
            settings[setting] = value
        return settings

    def _example(self, name: str | None = None) -> str:
        for candidate in [name] if name else list(self.parts):
            fields = dataclasses.fields(self[candidate])
            if fields:
                return f"`{candidate}({fields[0].name}={fields[0].default!r})`"
        return f"`{name or next(iter(self.parts))}`"


def _same_place(part: type, other: type) -> bool:
    """Whether two classes are the same, or one is the other defined again."""
    return (part.__module__, part.__qualname__) == (other.__module__, other.__qualname__)


def _literal(node: ast.expr) -> Any:
    """Return what a literal says; text that is a name, such as ``auto``, needs no quotes."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


MOST_MEANT = 3


def closest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean `...`?`` where a known name is close to ``name``, else an empty string.

    >>> closest("bta", ["beta"]), closest("c", ["t", "c (mmol/L)"]), closest("w", ["x"])
    (' Did you mean `beta`?', ' Did you mean `c (mmol/L)`?', '')
    """
    begun = [candidate for candidate in known if re.match(rf"{re.escape(name)}[^\w]", candidate, re.IGNORECASE)]
    if name and 1 <= len(begun) <= MOST_MEANT:  # a name without its unit
        return f" Did you mean {' or '.join(f'`{each}`' for each in begun)}?"
    by_case = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_case, n=1, cutoff=0.75)
    return f" Did you mean `{by_case[near[0]]}`?" if near else ""


def _word(value: object) -> str:
    return {float: "number", int: "whole number", str: "text", bool: "True or False"}.get(type(value), "value")
