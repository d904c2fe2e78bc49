"""All entries of the corpus, by name."""

from tests.tracing.corpus import (  # noqa: F401
    arrays,
    guards,
    numerical,
    peaks,
    piecewise,
    python_code,
    sciences,
    special_functions,
)
from tests.tracing.corpus.entry import CORPUS, Entry

__all__ = ["CORPUS", "Entry"]
