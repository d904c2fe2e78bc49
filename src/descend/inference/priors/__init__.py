"""Priors: the dispersion they are weighed by, before the descent; how much each weighs in the answer, after it."""
