"""Psychophysics: how much contrast does an eye need?

A letter shows up in one of four places; where was it? Who guesses is right a quarter of the time, so the curve starts
at 0.25. At the threshold 72% are right. Each size of letter has its own, all share one slope, and the intervals are
those of the profile of the likelihood.

Data: Yssaad-Fesselier and Knoblauch 2006; ecc2 (detection) of the R package psyphy, GPL.
"""

import descend

fit = descend.fit(
    "correct/n ~ 0.25 + 0.75*(1 - exp(-(contrast/threshold[size])^slope))", "letters.csv", loss="binomial", trials="n"
)
print(fit)
low, high = fit.intervals(method="profile")["threshold"]
for size, threshold in fit.parameters["threshold"].items():
    print(f"letters of size {size}: contrast {threshold:.4f}, 95% from {low[size]:.4f} to {high[size]:.4f}")
fit.plot(log="x", title="Letters of four sizes").savefig("letter_detection.png")
