"""Messages in the words of scikit-learn: options are parameters of the constructor."""

from __future__ import annotations

from descend.estimators.constructor import LEFT_OUT
from descend.losses import LOSSES
from descend.wording import Value, Wording


class AsParameters(Wording):
    """The words of the estimators.

    >>> from descend.wording import speaking, spell, using
    >>> with speaking(AsParameters()):
    ...     print(f"Use {spell('l2', 0.1)} or {spell('optimizer', 'adam')}; leave such rows out{using('where')}.")
    Use l2=0.1 or optimizer="adam"; leave such rows out.
    """

    def spell(self, key: str, value: Value) -> str:
        """Name a parameter, set to a value unless that is empty."""
        if key == "weights":
            return "sample_weight"
        if key == "loss" and value and LOSSES.build(str(value)).two_levels:  # as is said of a response that is text
            return "FormulaClassifier"
        return super().spell(key, value)

    def using(self, key: str, value: Value) -> str:
        """Say with which parameter it is done; nothing where estimators have none."""
        return "" if key in LEFT_OUT else super().using(key, value)

    def worded(self, name: str, text: str, values: dict[str, object]) -> str:
        """Return a phrase, but for what estimators cannot do: leave rows out by themselves."""
        return "" if name in ("leaving_out", "keeping") else text


AS_PARAMETERS = AsParameters()
