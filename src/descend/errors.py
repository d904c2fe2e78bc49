"""Every exception a user can meet: what went wrong, where, why, and what to do next.

Messages are written where the facts are known; this module only names the kinds, so that one
``except DescendError`` catches them all and the command line can turn each into exit code 2.
"""

from __future__ import annotations

INTERRUPTED = "Interrupted before there was a result; no file was left half-written."
"""What the command line says of Ctrl-C where there is nothing to show yet."""


class DescendError(Exception):
    """Base of every error caused by input; ``str(error)`` is the whole message."""

    @property
    def kind(self) -> str:
        """The name of its kind: the class right below this one, which others refine."""
        kinds = [each.__name__ for each in type(self).__mro__ if issubclass(each, DescendError)]
        return kinds[-2:][0]


class FormulaError(DescendError):
    """A formula, or a gradient given as text, that cannot be read or does not make sense."""


class DataError(DescendError):
    """A table that is missing, malformed, or does not hold what the model asks for."""


class WordsError(DataError):
    """A column of text was asked for as numbers. column: its name; says: the message up to what to do about it."""

    def __init__(self, column: str, says: str, next_step: str) -> None:
        super().__init__(f"{says} {next_step}")
        self.column, self.says = column, says


class LimitsError(DataError):
    """A column that was asked for as numbers holds cells such as ``<0.5``. column: its name."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class ConnectionLostError(DataError):
    """The connection to a database is lost, and all tries to make it again have failed."""


class ConfigError(DescendError):
    """Options that are out of range or contradict each other."""


class OutputError(DescendError):
    """A place that cannot be written to; raised before any work starts."""
