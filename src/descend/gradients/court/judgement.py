"""The result of a gradient check: for each component a verdict, and the numbers it is based on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from descend.showing import Shown

VERDICTS = (
    "correct",
    "factor",
    "sign",
    "sum_not_mean",
    "mean_not_sum",
    "swapped",
    "transposed",
    "other_loss",
    "missing_chain_factor",
    "stale",
    "not_zeroed",
    "wrong",
)
SOURCES = ("yours", "derived", "autograd", "jax", "complex_step", "numeric")
"""Where the numbers of a finding come from, in the order in which they are shown."""
MOST_NAMED = 3
"""Components that a sentence names; the table shows all."""


@dataclass(frozen=True)
class Finding:
    """The verdict on one component of a gradient.

    verdict: one of ``VERDICTS``. explanation: a sentence, with the remedy where something is wrong.
    factor: what was given over what is right, where that is one number: 0.5 is half of what it should be.
    ratio: the same as text, where it is an expression of columns and parameters: ``1/x`` lacks the factor x.
    yours, derived, autograd, numeric, jax, complex_step: dJ/dparameter at one point, from each source that there is.
    slope: of log |J(t + h e) - J(t) - h g| over log h, with e along the parameter, as h shrinks: 2 for the gradient,
        1 for any other g; None where rounding hides it.
    """

    name: str
    verdict: str
    explanation: str
    factor: float | None = None
    ratio: str | None = None
    yours: float | None = None
    derived: float | None = None
    autograd: float | None = None
    numeric: float | None = None
    slope: float | None = None
    jax: float | None = None
    complex_step: float | None = None


@dataclass(frozen=True)
class Judgement(Shown):
    """The verdicts on a gradient, by component.

    row: of a Jacobian, the row of the findings' numbers, from 1 on; None for a gradient.
    proved: whether it was shown to be right by algebra, for all parameters and data; otherwise it was held against
        the true one at ``points`` points. model: as text. at: the parameters where the findings' numbers were taken.

    >>> import descend
    >>> data = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 5.9]}
    >>> print(descend.check("y ~ w*x", data, gradient="w = mean(x*(w*x - y))").sentence)
    The gradient of w is wrong: 2 times too small: the derivative of the square brings a factor 2. Multiply it by 2.
    """

    parameters: Mapping[str, Finding]
    proved: bool
    points: int
    model: str
    loss: str
    at: Mapping[str, float]
    row: int | None = None

    @property
    def subject(self) -> str:
        """What was judged: the gradient of J, or the Jacobian of the predictions."""
        return "gradient" if self.row is None else "Jacobian"

    @property
    def agree(self) -> bool:
        """Whether every component is right."""
        return all(finding.verdict == "correct" for finding in self.parameters.values())

    @property
    def sentence(self) -> str:
        """The judgement in one sentence or two."""
        if self.proved:
            return "The gradient is correct: proved by algebra, for all parameters and data."
        if self.agree and self.row is not None:
            return f"The Jacobian is correct: it is that of the predictions in each row at {self.points} points."
        if self.agree:
            return f"The gradient is correct: it is that of J at {self.points} points, to rounding."
        return f"The {self.subject} of {self.accusation}"

    @property
    def accusation(self) -> str:
        """What is wrong, to continue a sentence: ``w is wrong: ...``."""
        wrong = [finding for finding in self.parameters.values() if finding.verdict != "correct"]
        same = [finding.name for finding in wrong if finding.explanation == wrong[0].explanation]
        others_wrong = len(wrong) - len(same)
        why = ", for other reasons" if any(finding.verdict != wrong[0].verdict for finding in wrong) else ""
        others_text = f" So {'is' if others_wrong == 1 else 'are'} {others_wrong} other{'s' * (others_wrong > 1)}{why}."
        return f"{listed(same)} is wrong: {wrong[0].explanation}" + (others_text if others_wrong else "")

    def as_dict(self) -> dict[str, object]:
        """Return all of it as plain values: the object that `--json` prints."""
        return {
            "agree": self.agree,
            "proved": self.proved,
            "sentence": self.sentence,
            "model": self.model,
            "loss": self.loss,
            "points": self.points,
            **({} if self.row is None else {"row": self.row}),
            "at": {name: _plain(value) for name, value in self.at.items()},
            "parameters": {
                name: {key: _plain(value) for key, value in asdict(finding).items() if key != "name"}
                for name, finding in self.parameters.items()
            },
        }

    def __str__(self) -> str:
        lines = [f"  {finding.name}: {finding.explanation}" for finding in self.parameters.values()]
        return "\n".join([self.model, "", *lines, "", self.sentence])


def listed(names: list[str]) -> str:
    """Write names as ``a, b and c``, or only so many of them."""
    if len(names) > MOST_NAMED + 1:
        names = [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
