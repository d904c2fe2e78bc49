"""The gradient court: a gradient held against the true one, and what is wrong with it put into words."""

from descend.gradients.court.judgement import VERDICTS, Finding, Judgement

__all__ = ["VERDICTS", "Finding", "Judgement"]
