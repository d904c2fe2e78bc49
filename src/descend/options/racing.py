"""The option of a comparison of optimizers."""

from __future__ import annotations

from descend.options.option import Option

RACING = Option(
    "optimizers", "gd,momentum,adam,lbfgs", 'Which, such as gd,lbfgs or "adam,adam(beta1=0.8)".', metavar="LIST"
)
"""The option of a comparison that replaces the optimizer."""
