"""What the doctor hands over: findings, and what was watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from descend.doctor.user_code import Place

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """One fault of a script.

    name: such as ``not_zeroed``. severity: ``error`` if training cannot work; ``warning`` if it is hardly intended.
    place: the line to look at, None if there is none. symptom: what happens, in a sentence; why: why it matters.
    evidence: numbers, by name. fix: code, one or more lines.
    """

    name: str
    symptom: str
    why: str
    fix: str
    place: Place | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    severity: str = ERROR

    def as_dict(self) -> dict[str, object]:
        """Return the finding as plain values, for JSON."""
        place = self.place
        return {
            "name": self.name,
            "severity": self.severity,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "code": place.code if place else None,
            "what": self.symptom,
            "why": self.why,
            "evidence": {name: plain(value) for name, value in self.evidence.items()},
            "fix": self.fix,
        }


def plain(value: object) -> object:
    """Return a value that JSON can hold: non-finite numbers become text."""
    if isinstance(value, float) and not (abs(value) < float("inf")):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def listed(names: list[str], most: int = 4) -> str:
    """Return names in backquotes as a list for reading: ``a``, ``b`` and 3 more."""
    shown = [f"`{name}`" for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def capital(text: str) -> str:
    """Return a text with its first letter capitalised."""
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """Return ``1 step``, ``2 steps``, ``3 passes``."""
    end = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{end}"
