"""Muscle strips: many intercepts, one shape

The contraction of 21 strips of rat heart by calcium: each strip has its own level and size, all share one constant.

Data: Venables and Ripley 2002; muscle of the R package MASS, GPL-2 | GPL-3.
"""

import descend

fit = descend.fit("log(Length) ~ a[Strip] + b[Strip]*r^Conc", "muscle.csv", bounds=["0.001 <= r <= 0.999"])
print(fit.parameters["r"], fit.standard_errors["r"], fit.outcome)
fit.plot().savefig("muscle.png")
