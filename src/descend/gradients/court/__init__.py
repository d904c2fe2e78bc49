"""The gradient court: compares a gradient with the true one, and says in words what is wrong with it."""

from descend.gradients.court.judgement import SOURCES, VERDICTS, Finding, Judgement

__all__ = ["SOURCES", "VERDICTS", "Finding", "Judgement"]
